package dialect

import (
	"strings"

	"github.com/aratta-gateway/aratta/internal/discreet"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// Total is the optional half of a [StreamEncoder] whose format has a place for what
// only others know, so that no event is lost in it.
type Total interface{ TellsAll() }

// untold tells of what a stream has beside its answer and the client does not get:
// events, and members of events, for which SCRI has no word, and which only the
// dialect that they came in writes again. It is one place for all encoders.
type untold struct {
	names map[string]bool // told of already
	full  bool            // it was told that there are more
	s     wire.Scanner
}

// maxUntold bounds how many kinds of events are told of by name.
const maxUntold = 32

// strange reports whether an event with an Ext has something that its client may not get. The
// members of what ends a part, a choice or an answer belong to the answer, and
// encoders tell of them.
func strange(ev *scri.StreamEvent, own string) bool {
	if ev.Ext.Dialect == own || len(ev.Ext.Members) == 0 {
		return false
	}
	switch ev.Kind {
	case scri.EventPartEnd, scri.EventFinish, scri.EventDone:
		return false
	default:
		return true
	}
}

// note adds to warn what of a strange event was not told of yet.
func (u *untold) note(warn *[]scri.Warning, ev *scri.StreamEvent) {
	if u.full {
		return
	}
	x, s := ev.Ext, &u.s
	s.Reset(x.Members)
	if ev.Kind != scri.EventOpaque {
		for name := range s.Members() {
			if s.Kind() != wire.Null && !IsSlight(x, name) {
				u.tell(warn, x.Dialect, name, "")
			}
		}
		return
	}
	if HasWord(x.Form, Slight) {
		return // what it says comes again
	}
	for _, key := range [...]string{"type", "kind"} {
		if name := Word(s.Peek(key)); name != "" {
			u.tell(warn, x.Dialect, name, Word(wire.NewScanner(s.Peek("delta")).Peek("type"))) // the event may be known, and its delta not
			return
		}
	}
	for _, key := range [...]string{"choices", "candidates"} { // beside which the rest is said of every piece
		if raw := s.Peek(key); raw != nil {
			if !u.inside(warn, x.Dialect, wire.NewScanner(raw)) {
				u.tell(warn, x.Dialect, key, "")
			}
			return
		}
	}
	u.inside(warn, x.Dialect, s)
}

// inside tells of the members of a piece of an answer in a format without types of
// events, and reports whether there were some.
func (u *untold) inside(warn *[]scri.Warning, of string, s *wire.Scanner) (some bool) {
	switch s.Kind() {
	case wire.Array:
		for range s.Elements() {
			some = u.inside(warn, of, s) || some
		}
	case wire.Object:
		for name := range s.Members() {
			if name == "index" || s.Kind() == wire.Null {
				continue // where it belongs, and nothing
			}
			some = true
			m := s.Mark()
			switch name {
			case "delta", "message", "content": // which have what is strange in them
				if u.inside(warn, of, s) || name == "delta" { // which is empty where the choice has it
					continue
				}
				s.Rewind(m)
			default:
			}
			u.tell(warn, of, name, "")
		}
	default:
	}
	return some
}

func (u *untold) tell(warn *[]scri.Warning, of, name, part string) {
	if u.full { // within one event
		return
	}
	name = Escape(discreet.Clip(name))
	if part != "" {
		name += "/" + Escape(discreet.Clip(part))
	}
	if u.names[name] {
		return
	}
	if u.names == nil {
		u.names = map[string]bool{}
	}
	of = discreet.Clip(of) // which another gateway may choose, too
	path, detail := "/events/"+name, "an event that only "+of+" knows"
	if u.full = len(u.names) == maxUntold; u.full {
		path, detail = "/events", "more events that only "+of+" knows"
	}
	*warn = append(*warn, scri.Warning{Code: scri.WarnDropped, Path: path, Detail: detail})
	u.names[strings.Clone(name)] = true // the event is gone at the next
}
