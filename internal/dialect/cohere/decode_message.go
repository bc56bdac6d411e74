package cohere

import (
	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// turn is what of a message has to wait until all of it was seen: only then it
// is known who speaks.
type turn struct {
	u                      dialect.Unknown
	role, callID           string
	content                []scri.Part
	form                   string // how the content was spelled; "nocontent" when it was absent
	plan, calls, citations []byte // raw
}

// message reads one message of a request or of an answer.
func (d *decoder) message(m *scri.Message) {
	t := turn{form: "nocontent"}
	id := false
	for name := range d.Members() {
		switch {
		case name == "role" && d.Some():
			t.role = d.Unquoted()
		case name == "content":
			d.content(&t)
		case d.KeepNull(&t.u):
		case name == "tool_call_id" && (d.Some() || !d.answer):
			t.callID, id = d.Unquoted(), true
		case name == "tool_plan":
			t.plan = d.Raw()
		case name == "tool_calls":
			t.calls = d.Raw()
		case name == "citations":
			t.citations = d.Raw()
		default:
			t.u.Add(d.Member())
		}
	}
	if d.Err() != nil {
		return
	}
	switch m.Role = scri.Role(t.role); m.Role {
	case scri.RoleTool:
		d.Need(id, "tool_call_id")
		d.result(m, &t)
		return
	case scri.RoleAssistant, scri.RoleUser, scri.RoleSystem:
	case "":
		d.Need(d.answer, "role")
		t.u.Form("-role")
		m.Role = scri.RoleAssistant
	default:
		t.u.Form("role")
	}
	if id {
		t.u.Add(append([]byte(`"tool_call_id":`), wire.AppendQuote(nil, t.callID)...))
	}
	d.speech(m, &t)
}

// content reads a string or a list of items.
func (d *decoder) content(t *turn) {
	t.form = ""
	switch {
	case d.Kind() == wire.String:
		q := scri.QuotedText(d.Str())
		switch {
		case q.IsZero():
			t.form = "empty"
		case d.answer:
			t.form = "string"
			fallthrough
		default:
			t.content = append(t.content, scri.Part{Kind: scri.PartText, Text: q})
		}
	case d.Kind() == wire.Array:
		for range d.Elements() {
			t.content = append(t.content, d.item())
		}
		if len(t.content) == 0 || len(t.content) == 1 && !d.answer && bare(&t.content[0]) {
			t.form = "list"
		}
	case d.KeepNull(&t.u):
	case d.answer:
		t.u.Add(d.Member())
	default:
		d.Fail("expected a string or a list of content items but got %s", d.Kind())
	}
}

// bare reports whether a part is a text with nothing beside it in its item.
func bare(p *scri.Part) bool {
	return p.Kind == scri.PartText && (p.Ext.Of(Name) == nil || len(p.Ext.Members) == 0)
}

// speech puts together what somebody says who is no tool: the plan, the content,
// the calls.
func (d *decoder) speech(m *scri.Message, t *turn) {
	speaks := m.Role == scri.RoleAssistant || d.answer && !knownRole(m.Role)
	parts := t.content
	if m.Role != scri.RoleUser {
		d.oddMedia(parts)
	}
	plan := 0
	switch {
	case len(t.plan) == 0:
	case !speaks || t.plan[0] != '"':
		t.u.Add(append([]byte(`"tool_plan":`), t.plan...))
	case len(t.plan) == 2:
		t.u.Form(formPlan)
	default:
		u := dialect.Unknown{}
		u.Form(formPlan)
		parts = append([]scri.Part{{Kind: scri.PartThinking, Text: scri.QuotedText(t.plan), Ext: d.ext(&u)}}, parts...)
		plan = 1
	}
	switch {
	case len(t.citations) == 0:
	case !speaks || t.citations[0] != '[' || !d.cite(parts[plan:], t):
		t.u.Add(append([]byte(`"citations":`), t.citations...))
	}
	switch {
	case len(t.calls) == 0:
	case !speaks || t.calls[0] != '[':
		t.u.Add(append([]byte(`"tool_calls":`), t.calls...))
	default:
		n := len(parts)
		if parts = d.toolCalls(parts, t.calls); len(parts) == n {
			t.u.Form(formCalls)
		}
	}
	if t.form != "" && (t.form != "nocontent" || len(parts) == 0) {
		t.u.Form(t.form)
	}
	m.Parts, m.Ext = parts, d.ext(&t.u)
}

// knownRole reports whether the API has the role. Whoever else speaks in an answer is
// the assistant by another name.
func knownRole(r scri.Role) bool {
	return r == scri.RoleAssistant || r == scri.RoleUser || r == scri.RoleSystem || r == scri.RoleTool
}

// oddMedia marks images where others than users show some, which the API does
// not take from anybody else.
func (d *decoder) oddMedia(parts []scri.Part) {
	for i := range parts {
		if p := &parts[i]; p.Kind == scri.PartMedia && !formed(p.Ext, formItem) {
			x := scri.Ext{Dialect: Name}
			if p.Ext != nil {
				x = *p.Ext
			}
			x.Form = formItem
			p.Ext = &x
		}
	}
}

// toolCalls appends the calls to the parts of their message.
func (d *decoder) toolCalls(parts []scri.Part, raw []byte) []scri.Part {
	s := d.inside(raw)
	s.calls = d.calls
	for range s.Elements() {
		var p scri.Part
		if !s.try(func() (ok bool) {
			p, ok = s.call()
			return ok
		}) {
			p = opaque(s.Raw(), formCalls)
		}
		parts = append(parts, p)
	}
	d.calls = s.calls
	return parts
}

// result makes the message of a tool out of what was read. How its content is
// spelled belongs to the result.
func (d *decoder) result(m *scri.Message, t *turn) {
	r := &scri.ToolResult{CallID: t.callID, Parts: t.content}
	d.oddMedia(r.Parts)
	if t.form != "" {
		u := dialect.Unknown{}
		u.Form(t.form)
		r.Ext = d.ext(&u)
	}
	for _, odd := range []struct {
		name string
		raw  []byte
	}{{"tool_plan", t.plan}, {"tool_calls", t.calls}, {"citations", t.citations}} {
		if odd.raw != nil {
			t.u.Add(append([]byte(`"`+odd.name+`":`), odd.raw...))
		}
	}
	m.Parts = []scri.Part{{Kind: scri.PartToolResult, Result: r}}
	m.Ext = d.ext(&t.u)
}

// cite reads the citations of a message and gives each to its text. It reports
// false, and has done nothing, if one of them cannot be told so, in its order.
func (d *decoder) cite(content []scri.Part, t *turn) bool {
	s := d.inside(t.citations)
	var list []scri.Citation
	var owner []int
	ok := s.try(func() bool {
		for range s.Elements() {
			c, index := s.citation()
			at := citedText(content, index)
			if at < 0 || len(owner) > 0 && owner[len(owner)-1] > at {
				return false
			}
			list, owner = append(list, c), append(owner, at)
		}
		return true
	})
	if !ok || s.End() != nil {
		return false
	}
	if len(list) == 0 {
		t.u.Form("citations")
	}
	for i := range list {
		p := &content[owner[i]]
		p.Citations = append(p.Citations, list[i])
	}
	return true
}

// citedText is the text of a content that a citation with this index is about,
// or -1. Without an index it is the first.
func citedText(content []scri.Part, index int64) int {
	if index < 0 {
		for i := range content {
			if content[i].Kind == scri.PartText {
				return i
			}
		}
		return -1
	}
	if index < int64(len(content)) && content[index].Kind == scri.PartText {
		return int(index)
	}
	return -1
}
