package openai

import (
	"bytes"

	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// kept is a member that was seen, with bytes of its own.
type kept struct {
	name string
	raw  []byte // the value
}

// keptList gathers members in the order in which they were seen first.
type keptList struct {
	list []kept
	at   map[string]int // where each is, once there are many
}

// few is how many members are looked through one by one.
const few = 16

func (l *keptList) find(member string) *kept {
	if l.at != nil {
		if i, ok := l.at[member]; ok {
			return &l.list[i]
		}
		return nil
	}
	for i := range l.list {
		if l.list[i].name == member {
			return &l.list[i]
		}
	}
	return nil
}

// keep notes a member; the last value of a name counts.
func (l *keptList) keep(member string, raw []byte) {
	if k := l.find(member); k != nil {
		k.raw = append(k.raw[:0], raw...)
		return
	}
	l.list = append(l.list, kept{name: string([]byte(member)), raw: bytes.Clone(raw)})
	switch n := len(l.list); {
	case l.at != nil:
		l.at[l.list[n-1].name] = n - 1
	case n > few:
		l.at = make(map[string]int, 4*few)
		for i := range l.list {
			l.at[l.list[i].name] = i
		}
	}
}

// holds reports whether the member is in the list with this value.
func (l *keptList) holds(member string, raw []byte) bool {
	k := l.find(member)
	return k != nil && bytes.Equal(k.raw, raw)
}

// object makes one JSON object of the members and of one more, if that is there.
func (l *keptList) object(more ...kept) scri.RawJSON {
	if len(l.list)+len(more) == 0 {
		return nil
	}
	w := wire.Writer{B: []byte{'{'}}
	for _, list := range [...][]kept{l.list, more} {
		for i := range list {
			w.Str(list[i].name)
			w.B = append(w.B, ':')
			w.B = wire.AppendCompact(w.B, list[i].raw)
		}
	}
	return append(w.B, '}')
}

// news are the members that something began with, and those that came later or
// with another value.
type news struct {
	known, late keptList
	last        []byte // the object heard last
}

// hear takes in the members of a piece.
func (n *news) hear(obj []byte) {
	if len(obj) == 0 || bytes.Equal(obj, n.last) {
		return
	}
	n.last = append(n.last[:0], obj...)
	heard := keptOf(obj)
	for _, k := range heard.list {
		n.add(k.name, k.raw)
	}
}

// add notes a member unless it is as it was at the beginning, and was never
// otherwise since.
func (n *news) add(member string, raw []byte) {
	if n.late.find(member) != nil || !n.known.holds(member, raw) {
		n.late.keep(member, raw)
	}
}

// keptOf is the members of an object, or of none.
func keptOf(obj []byte) (l keptList) {
	if len(obj) == 0 {
		return l
	}
	var s wire.Scanner
	s.Reset(obj)
	for member := range s.Members() {
		if raw := s.Raw(); raw != nil {
			l.keep(member, raw)
		}
	}
	return l
}
