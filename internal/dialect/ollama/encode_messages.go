package ollama

import (
	"slices"
	"strings"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/scri"
)

const listMessages = "/messages"

func (e *writer) messages() {
	if len(e.req.Messages) == 0 && (member(e.own, "messages") != nil || formed(e.own, "-messages")) {
		return // a null that stays one, or nothing at all
	}
	e.key("messages")
	e.w.BeginArray()
	for i := range e.req.Messages {
		e.message(i, &e.req.Messages[i])
	}
	e.w.EndArray()
}

// message writes one message: each tool's result as one of its own, and what
// stands around them as others, in their order.
func (e *writer) message(i int, m *scri.Message) {
	if m.ID != "" {
		e.drop(index(listMessages, i)+"/id", "")
	}
	if m.Name != "" {
		e.drop(index(listMessages, i)+"/name", "")
	}
	e.foreign(m.Ext, func() string { return index(listMessages, i) })
	ext := m.Ext.Of(Name)
	role := e.speaker(m, ext)
	if role != m.Role {
		e.change(index(listMessages, i)+"/role", string(m.Role), string(role), "")
	} else if dialect.OddResults(m) {
		e.change(index(listMessages, i)+"/role", string(role), string(scri.RoleTool), "results are a tool's")
	}
	e.speech.reset()
	open := len(m.Parts) == 0
	for j := range m.Parts {
		p := &m.Parts[j]
		at := place{listMessages, i, j, -1}
		if p.Kind != scri.PartToolResult || p.Result == nil {
			open = true
			e.speech.add(p, at)
			continue
		}
		if p.Result.Server != "" {
			e.drop(at.String(), "the result of a call that the provider ran itself")
			continue
		}
		if open {
			e.flush(role, i, ext)
			ext, open = nil, false
		}
		e.result(p, at, ext)
		ext = nil
	}
	if open {
		e.flush(role, i, ext)
	}
}

// speaker is who says what of a message is no result of a tool. Of what a tool
// says Ollama would make a result.
func (e *writer) speaker(m *scri.Message, ext *scri.Ext) scri.Role {
	switch role := known(string(m.Role)); {
	case role == scri.RoleDeveloper && !formed(ext, "+developer"):
		return scri.RoleSystem
	case role == scri.RoleTool && saysMore(m):
		return scri.RoleUser
	case role == scri.RoleTool:
		return m.Role
	default:
		return role
	}
}

// saysMore reports whether anything in a message is no result of a tool.
func saysMore(m *scri.Message) bool {
	return len(m.Parts) == 0 || slices.ContainsFunc(m.Parts, func(p scri.Part) bool { return p.Kind != scri.PartToolResult || p.Result == nil })
}

// flush writes the message that was gathered.
func (e *writer) flush(role scri.Role, i int, ext *scri.Ext) {
	s := &e.speech
	if s.mixed {
		e.change(index(listMessages, i)+"/content", "", "", "texts are joined, and come before images")
	}
	e.w.BeginObject()
	e.role(role, ext)
	s.write(&e.w, "content", border(role), ext, 0, false)
	rest(&e.w, ext, false, s.written)
	e.w.EndObject()
	for k := range s.calls {
		if c := s.calls[k].c; c != nil {
			e.calls.Add(dialect.CallRef{ID: c.ID, Name: c.Name, Made: c.MadeID})
		}
	}
	s.reset()
}

func (e *writer) role(role scri.Role, ext *scri.Ext) {
	switch v, ok := spelled(ext, "role"); {
	case ok && strings.EqualFold(v, string(role)):
		e.w.Key("role")
		e.w.Str(v)
	case role != "" || !formed(ext, "-role"):
		e.w.Key("role")
		e.w.Str(string(role))
	}
}

// result writes a tool's result.
func (e *writer) result(p *scri.Part, at place, ext *scri.Ext) {
	r := p.Result
	e.speech.partLoss(p, at)
	if r.Error {
		e.drop(at.String()+"/result/error", "only the text tells that it failed")
	}
	e.homeless(r.Ext, func() string { return at.String() + "/result" })
	s := &e.speech
	for k := range r.Parts {
		s.add(&r.Parts[k], place{at.list, at.i, at.j, k})
	}
	if s.mixed {
		e.change(at.String()+"/result/content", "", "", "texts are joined, and come before images")
	}
	call := e.calls.Find(r.CallID)
	e.w.BeginObject()
	e.role(scri.RoleTool, ext)
	s.write(&e.w, "content", border(scri.RoleTool), ext, 0, false)
	name := r.Name
	if name == "" && call != nil && call.Name != "" && !formed(ext, "-tool_name") && !formed(ext, "+tool_name") {
		name = call.Name
		e.add(scri.WarnAdded, at.String()+"/result/name", "templates of some models ask for it")
	}
	if name != "" || formed(ext, "+tool_name") {
		e.w.Key("tool_name")
		e.w.Str(name)
	}
	id := r.CallID
	if call != nil && call.Made || formed(ext, "-tool_call_id") {
		id = "" // they find together by name and order, as where they came from
	}
	if id != "" || formed(ext, "+tool_call_id") {
		e.w.Key("tool_call_id")
		e.w.Str(id)
	}
	rest(&e.w, ext, false, func(member string) bool {
		return member == "tool_name" && name != "" || member == "tool_call_id" && id != "" || s.written(member)
	})
	e.w.EndObject()
	s.reset()
}

// fitsGenerate reports whether the request came by /api/generate, or has a suffix,
// which only that knows, and has become nothing that it could not say.
func (e *writer) fitsGenerate() bool {
	req := e.req
	if !formed(e.own, VariantGenerate) && req.Suffix.IsZero() || len(req.Tools) > 0 {
		return false
	}
	list := req.Messages
	if len(list) > 0 && plain(&list[0], scri.RoleSystem) && len(list[0].Parts) == 1 && list[0].Parts[0].Kind == scri.PartText {
		list = list[1:]
	}
	return len(list) == 0 || len(list) == 1 && plain(&list[0], scri.RoleUser)
}

// plain reports whether the message is one text, and images behind it.
func plain(m *scri.Message, role scri.Role) bool {
	if m.Role != role || m.Name != "" || m.ID != "" || m.Ext != nil {
		return false
	}
	for j := range m.Parts {
		p := &m.Parts[j]
		switch {
		case p.Kind == scri.PartText && j == 0 && !p.Text.IsZero():
		case p.Kind == scri.PartMedia && unsayable(p.Media) == "":
		default:
			return false
		}
	}
	return true
}

// prompt writes the messages as /api/generate has them.
func (e *writer) prompt() {
	var system, user *scri.Message
	for i := range e.req.Messages {
		if m := &e.req.Messages[i]; m.Role == scri.RoleSystem {
			system = m
		} else {
			user = m
		}
	}
	switch {
	case system != nil:
		e.speech.add(&system.Parts[0], place{listMessages, 0, 0, -1})
		e.key("system")
		e.w.B = system.Parts[0].Text.AppendJSON(e.w.B)
	case formed(e.own, "+system"):
		e.key("system")
		e.w.Str("")
	}
	e.speech.reset()
	if user != nil {
		for j := range user.Parts {
			e.speech.add(&user.Parts[j], place{listMessages, len(e.req.Messages) - 1, j, -1})
		}
	}
	if len(e.speech.texts) > 0 || formed(e.own, "+prompt") {
		e.key("prompt")
		joined(&e.w, e.speech.texts, "")
	}
	if !e.req.Suffix.IsZero() {
		e.key("suffix")
		dialect.WriteText(&e.w, e.req.Suffix)
	}
	if len(e.speech.images) > 0 || formed(e.own, "+images") {
		e.key("images")
		e.w.BeginArray()
		for _, data := range e.speech.images {
			e.w.Comma()
			e.w.B = data.AppendJSON(e.w.B)
		}
		e.w.EndArray()
	}
	e.speech.reset()
}
