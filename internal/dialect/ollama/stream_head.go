package ollama

import (
	"strings"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// start takes in the head. After a seam it is another model's.
func (e *lines) start(h *scri.ChatResponse) {
	if h == nil {
		return
	}
	e.headLoss(h)
	if h.Model != "" {
		e.model = h.Model
	}
	if e.created == "" || !h.Created.IsZero() && e.created == epoch {
		e.created = timeText(h.Created, h.Ext)
		if raw := member(h.Ext, "created_at"); len(raw) > 2 && raw[0] == '"' { // what is no time
			e.created = strings.Clone(scri.QuotedText(raw).String())
		}
	}
	e.take(h.Ext)
	e.begin = nil
}

// message takes in what a message is beside its parts.
func (e *lines) message(ev *scri.StreamEvent) {
	m := ev.Open
	if m == nil {
		return
	}
	e.messageLoss(m, ev.Message)
	path := index(listOutput, ev.Message)
	switch {
	case m.Role == "":
	case e.speaks == nil:
		e.as(e.speaker(m.Role, ev.Message))
	default:
		e.oneSpeaker(e.who, m.Role, ev.Message)
	}
	ext := m.Ext.Of(Name)
	if ext == nil || !some(ext.Members) {
		return
	}
	if e.generate {
		e.homeless(ext, func() string { return path })
		return
	}
	e.line()
	e.messageWith(ext.Members)
	e.w.B = append(e.w.B, notDone...)
}

// some reports whether an object has a member that is not null.
func some(obj scri.RawJSON) bool {
	if len(obj) == 0 {
		return false
	}
	found := false
	s := wire.NewScanner(obj)
	for range s.Members() {
		found = found || s.Kind() != wire.Null
	}
	return found
}

// messageWith writes an empty message with members of our own.
func (e *lines) messageWith(obj scri.RawJSON) {
	e.chat()
	e.w.B = append(e.w.B, `""`...)
	rest(&e.w, &scri.Ext{Dialect: Name, Members: obj}, true, func(name string) bool {
		return name == "role" || name == "content"
	})
	e.w.B = append(e.w.B, '}')
}

// take sorts the members of our own Ext: to each line, or to the last one.
func (e *lines) take(ext *scri.Ext) {
	if ext = ext.Of(Name); ext == nil {
		return
	}
	e.tail.Dialect, e.remote.Dialect = Name, Name
	if len(ext.Members) == 0 {
		return
	}
	var remote, tail dialect.Unknown
	addMembers(&remote, e.remote.Members)
	addMembersBut(&tail, e.tail.Members, ext.Members)
	s := wire.NewScanner(ext.Members)
	for name := range s.Members() {
		switch {
		case name != "remote_model" && name != "remote_host":
			tail.Add(s.Member())
		case member(&e.remote, name) != nil: // it is there already
		case e.begin == nil:
			remote.Add(s.Member())
		default:
			tail.Add(s.Member())
		}
	}
	e.remote.Members, e.tail.Members = remote.Object(), tail.Object()
}

// addMembersBut adds the members of obj that other has not.
func addMembersBut(u *dialect.Unknown, obj, other scri.RawJSON) {
	if len(obj) == 0 {
		return
	}
	has := map[string]bool{}
	s := wire.NewScanner(other)
	for name := range s.Members() {
		has[name] = true
	}
	s.Reset(obj)
	for name := range s.Members() {
		if !has[name] {
			u.Add(s.Member())
		}
	}
}
