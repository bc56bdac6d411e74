package openai

import (
	"slices"
	"strings"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// piece is a piece of a call, as one item of tool_calls has it.
type piece struct {
	index       int64 // -1: none was given
	id, typ, fn string
	args        scri.Text
	u, inner    dialect.Unknown
	form        string
	quoted      []byte // the arguments as they stand
	odd         bool   // something of it is of another shape than it should be
}

// readCalls takes in the tool_calls of a delta.
func (s *stream) readCalls(c *choice, t *said) {
	d := &s.sub
	d.Reset(t.calls)
	for i := range d.Elements() {
		if d.Kind() != wire.Object {
			continue
		}
		p, at := piece{index: -1}, d.Mark()
		for member := range d.Members() {
			p.member(d, member)
		}
		if d.Err() == nil && !s.piece(c, &p) {
			d.Rewind(at)
			s.opaque(c, `{"tool_calls":[`+string(d.Raw())+"]}")
		} else if d.Err() == nil && p.odd { // some of it is of another shape
			end := d.Mark()
			d.Rewind(at)
			s.opaque(c, `{"tool_calls":[`+string(d.Raw())+"]}")
			d.Rewind(end)
		}
		if t.args = p.quoted; i > 0 {
			t.several = true
		}
	}
}

func (p *piece) member(d *decoder, member string) {
	switch {
	case d.Kind() == wire.Null:
	case member == "index":
		number(&d.Scanner, &p.index)
	case member == "id" && d.Kind() == wire.String:
		p.id = d.Unquoted()
	case member == "type" && d.Kind() == wire.String:
		p.typ = d.Unquoted()
	case member == "function" && d.Kind() == wire.Object:
		p.function(d, "arguments")
	case member == "custom" && d.Kind() == wire.Object:
		p.function(d, "input")
	case isOneOf(member, "index", "id", "type", "function", "custom"):
		p.odd = true
		d.Skip()
	default:
		p.u.Add(d.Member())
	}
}

func (p *piece) function(d *decoder, arguments string) {
	for member := range d.Members() {
		switch {
		case d.Kind() == wire.Null:
		case member == "name" && d.Kind() == wire.String:
			p.fn = d.Unquoted()
		case member == arguments && d.Kind() == wire.String:
			p.quoted = d.Str()
			p.args = scri.QuotedText(p.quoted)
		case member == arguments && d.Kind() == wire.Object:
			p.args, p.form = scri.PlainText(d.Raw()), "object"
		case isOneOf(member, "name", arguments):
			p.odd = true
			d.Skip()
		default:
			p.inner.Add(d.Member())
		}
	}
}

// readFunction takes in a piece of the older function_call.
func (s *stream) readFunction(c *choice, raw []byte) {
	d := &s.sub
	d.Reset(raw)
	p := piece{index: -1, typ: "function_call"}
	p.function(d, "arguments")
	if d.Err() == nil && (!s.piece(c, &p) || p.odd) {
		s.opaque(c, member("function_call", raw))
	}
}

// piece goes on with a call or begins one. It is false when that would be a call of
// nothing.
func (s *stream) piece(c *choice, p *piece) bool {
	k := c.continued(p)
	switch {
	case k == nil && p.fn == "":
		return false
	case k == nil:
		k = s.beginCall(c, p)
	default:
		k.own.hear(p.u.Object())
		k.inner.hear(p.inner.Object())
	}
	if !p.args.IsZero() {
		k.args = true
		s.push(scri.EventDelta, c.index, k.part).Delta = p.args
	}
	return true
}

// ext is what became known of a call after its beginning.
func (k *call) ext() *scri.Ext {
	var more []kept
	form := ""
	if inner := k.inner.late.object(); inner != nil {
		more = []kept{{k.object, inner}}
		form = "+inner"
	}
	if !k.args {
		form = strings.TrimPrefix(form+" empty", " ")
	}
	late := k.own.late.object(more...)
	if late == nil && form == "" {
		return nil
	}
	return &scri.Ext{Dialect: name, Members: late, Form: form}
}

// continued finds the call that a piece belongs to. Some providers give every
// call the same index, some give none, and some repeat empty ids and names.
func (c *choice) continued(p *piece) *call {
	if len(c.calls) == 0 {
		return nil
	}
	last := c.calls[len(c.calls)-1]
	if p.index < 0 {
		switch {
		case p.fn == "" && (p.id == "" || p.id == last.id):
			return last
		default:
			return nil
		}
	}
	for _, k := range slices.Backward(c.calls) {
		if k.wire == p.index {
			if p.fn != "" && p.id != "" && p.id != k.id {
				return nil
			}
			return k
		}
	}
	return nil
}

func (s *stream) beginCall(c *choice, p *piece) *call {
	s.close(c)
	k := &call{part: c.parts, wire: p.index, id: string([]byte(p.id))}
	c.parts++
	c.calls = append(c.calls, k)
	t := &scri.ToolCall{ID: k.id, Name: string([]byte(p.fn))}
	form := ""
	switch p.typ {
	case "function_call":
		form = "function_call"
	case "custom":
		t.Type = "custom"
	case "", "function":
	default: // a provider's own, which has the shape of a function
		p.u.Add(append([]byte(`"type":`), wire.AppendQuote(nil, p.typ)...))
		form = "notype"
	}
	if t.ID == "" {
		s.sub.count++
		t.ID, t.MadeID = s.sub.makeID(), true
	}
	if p.form != "" {
		t.Ext = s.sub.form(p.form)
	}
	if k.object = "function"; t.Type != "" {
		k.object = t.Type
	}
	k.own.known = keptOf(p.u.Object())
	k.inner.known = keptOf(p.inner.Object())
	form = strings.TrimPrefix(form+addInner(&p.u, &p.inner, t.Type), " ")
	part := &scri.Part{Kind: scri.PartToolCall, Call: t}
	if m := p.u.Object(); m != nil || form != "" {
		part.Ext = &scri.Ext{Dialect: name, Members: m, Form: form}
	}
	s.push(scri.EventPart, c.index, k.part).Whole = part
	return k
}

// hear notes which choices the chunk at hand has ended.
func (s *stream) hear() {
	for _, c := range s.choices {
		if c.raw == "" || c.finished || s.failed != nil {
			continue
		}
		c.finished, c.word = true, c.raw
		if !c.opened {
			s.openMessage(c, &said{}, &dialect.Unknown{})
		}
	}
}

// finishes ends the choices, when no more can come of them: some servers go on with a
// choice behind its finish.
func (s *stream) finishes() {
	for _, c := range s.choices {
		s.close(c)
		for _, k := range c.calls {
			s.push(scri.EventPartEnd, c.index, k.part).Ext = k.ext()
		}
		if p := c.audio.part(); p != nil {
			s.entire(c, *p)
		}
		c.ended = finish(c.word, len(c.calls) > 0)
		e := s.push(scri.EventFinish, c.index, 0)
		e.Finish, e.LogProbs = &c.ended, c.held
		e.Ext = c.extra()
	}
}

// extra is what the choice has beside its message.
func (c *choice) extra() *scri.Ext {
	form := c.form
	var more []kept
	if rest := c.rest.object(); rest != nil && c.seen.find("logprobs") == nil {
		more = []kept{{"logprobs", rest}}
		form += " +logprobs"
	}
	m := c.seen.object(more...)
	if m == nil && form == "" {
		return nil
	}
	c.ext = scri.Ext{Dialect: name, Members: m, Form: form}
	return &c.ext
}
