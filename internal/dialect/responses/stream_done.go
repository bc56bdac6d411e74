package responses

import (
	"slices"
	"strings"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// partEnd tells the whole of a part. Its item may go on.
func (s *streamEncoder) partEnd(b []byte, ev *scri.StreamEvent) []byte {
	id := partID{ev.Message, ev.Part}
	p := s.find(id)
	if p == nil {
		if own := ev.Ext.Of(Name); own != nil { // of a whole one, whose members were with it
			return b
		}
		s.at(id)
		s.e.foreign(ev.Ext)
		s.e.path = s.e.path[:0]
		return b
	}
	if ev.Ext != nil {
		p.p.Ext = merged(p.p.Ext, ev.Ext)
	}
	if !streamed(&p.p) {
		return s.whole(b, p)
	}
	if p.item == nil {
		if mute(&p.p) || p.p.Kind == scri.PartThinking && p.p.Ext.Of(Name) == nil && !signed(&p.p) {
			s.at(id)
			s.mute(p)
			s.e.path = s.e.path[:0]
			s.forget(p)
			return b
		}
		if p.p.Kind == scri.PartThinking {
			return s.secret(b, p)
		}
		b = s.open(b, p)
	}
	return s.close(b, p)
}

// mute reports what is lost with a part that says nothing.
func (s *streamEncoder) mute(p *part) {
	switch q := &p.p; {
	case q.Signature != nil:
		s.e.drop("", "thoughts that only another provider can read")
	case q.Ext != nil:
		s.e.homeless(q.Ext)
	}
}

// secret tells of a thought without a text.
func (s *streamEncoder) secret(b []byte, p *part) []byte {
	b = s.settle(b)
	s.forget(p)
	p.ended = true
	t := &item{no: len(s.items), kind: scri.PartThinking, parts: []*part{p}}
	p.item = t
	s.items = append(s.items, t)
	t.id = s.itemID(p)
	b = s.itemAdded(b, t)
	return s.itemDone(b, t)
}

// close tells the whole of a part that has its place.
func (s *streamEncoder) close(b []byte, p *part) []byte {
	p.ended = true
	s.forget(p)
	switch p.p.Kind {
	case scri.PartToolCall:
		typ, name := "response.function_call_arguments.done", "arguments"
		if p.p.Call.Type == custom {
			typ, name = "response.custom_tool_call_input.done", "input"
		}
		s.compose(typ)
		s.place(p)
		s.e.text(name, p.words())
		b = s.send(b, typ)
		return s.itemDone(b, p.item)
	case scri.PartThinking:
		typ, name := "response.reasoning_summary_text.done", "response.reasoning_summary_part.done"
		if p.thought {
			typ, name = "response.reasoning_text.done", "response.content_part.done"
		}
		s.compose(typ)
		s.place(p)
		s.e.text("text", p.words())
		return s.partEvent(s.send(b, typ), p, name)
	case scri.PartRefusal:
		s.compose("response.refusal.done")
		s.place(p)
		s.e.text(typeRefusal, p.words())
		b = s.send(b, "response.refusal.done")
	default:
		w := s.compose("response.output_text.done")
		s.place(p)
		s.e.text("text", p.words())
		w.Key("logprobs")
		warned := len(s.e.warn)
		s.e.tokens(p.probs, true)
		s.e.warn = s.e.warn[:warned]
		b = s.send(b, "response.output_text.done")
	}
	return s.partEvent(b, p, "response.content_part.done")
}

func (s *streamEncoder) forget(p *part) {
	s.parts = slices.DeleteFunc(s.parts, func(q *part) bool { return q == p })
	if len(s.gone) < maxRemembered {
		s.gone = append(s.gone, p.id)
	}
}

// settle ends the items whose parts have all ended.
func (s *streamEncoder) settle(b []byte) []byte {
	for _, t := range s.items {
		if t.over {
			continue
		}
		if !slices.ContainsFunc(t.parts, func(p *part) bool { return !p.ended }) { // else others go on beside it
			b = s.itemDone(b, t)
		}
	}
	return b
}

// itemDone tells the whole of an item.
func (s *streamEncoder) itemDone(b []byte, t *item) []byte {
	t.over = true
	e := &s.e
	list := make([]scri.Part, len(t.parts))
	e.numbers, e.probs = make([]int, len(t.parts)), nil
	for i, p := range t.parts {
		list[i] = p.p
		if t.kind == scri.PartToolCall {
			c := *p.p.Call
			c.Args = p.words()
			c.ID = s.callID(&c, t)
			list[i].Call = &c
		} else {
			list[i].Text = p.words()
		}
		e.numbers[i] = p.id.part
		e.probs = append(e.probs, p.probs...)
	}
	e.items = t.no
	if e.status == "" {
		e.status = statusCompleted
	}
	w := &e.w
	w.B = w.B[:0]
	s.at(partID{t.parts[0].id.message, -1})
	e.in("content")
	switch t.kind {
	case scri.PartThinking:
		e.thought(list, 0, len(list))
	case scri.PartToolCall:
		e.parts(list, 0, 1, scri.RoleAssistant)
	default:
		e.said(list, 0, len(list))
	}
	e.path, e.numbers = e.path[:0], nil
	return s.itemTold(b, t)
}

// itemTold tells the whole of an item, which was put together in the buffer.
func (s *streamEncoder) itemTold(b []byte, t *item) []byte {
	t.done = wire.AppendCompact(nil, s.e.w.B)
	w := s.compose("response.output_item.done")
	w.Key("output_index")
	w.Int(int64(t.no))
	w.Key("item")
	w.Raw(t.done)
	return s.send(b, "response.output_item.done")
}

// streamed reports whether clients are told of a part before it is whole.
func streamed(p *scri.Part) bool {
	switch p.Kind {
	case scri.PartText, scri.PartRefusal, scri.PartThinking:
		return true
	case scri.PartToolCall:
		return p.Call != nil && p.Call.Server == ""
	default:
		return false
	}
}

// whole tells of a part that is not streamed.
func (s *streamEncoder) whole(b []byte, p *part) []byte {
	within := p.p.Kind == scri.PartOpaque && has(p.p.Ext, "part") // of a message
	if t := s.last(); within && t != nil && !t.over && t.kind == scri.PartText && !has(p.p.Ext, "item") {
		s.forget(p)
		p.ended, p.item, t.parts = true, t, append(t.parts, p)
		return b // its item tells of it
	}
	b = s.settle(b)
	s.forget(p)
	switch q := &p.p; {
	case len(p.text) == 0:
	case q.Call != nil:
		q.Call.Args = scri.QuotedText(append(q.Call.Args.AppendJSONInner([]byte{'"'}), append(p.text, '"')...))
	case q.Media != nil:
		q.Media.Data = scri.QuotedText(append(q.Media.Data.AppendJSONInner([]byte{'"'}), append(p.text, '"')...))
	}
	e := &s.e
	e.items = len(s.items)
	if e.status == "" {
		e.status = statusCompleted
	}
	e.w.B = e.w.B[:0]
	if within {
		s.at(partID{p.id.message, -1})
		e.in("content")
		e.numbers, e.probs = []int{p.id.part}, nil
		e.said([]scri.Part{p.p}, 0, 1)
		e.numbers = nil
	} else {
		s.at(p.id)
		e.item(&p.p, scri.RoleAssistant)
	}
	e.path = e.path[:0]
	if len(e.w.B) == 0 {
		return b
	}
	id := dialect.Word(wire.NewScanner(e.w.B).Peek("id"))
	if t := s.began(id); t != nil {
		return s.itemTold(b, t)
	}
	t := &item{no: len(s.items), kind: p.p.Kind, id: id, over: true}
	s.items = append(s.items, t)
	whole := wire.AppendCompact(nil, e.w.B)
	w := s.compose("response.output_item.added")
	w.Key("output_index")
	w.Int(int64(t.no))
	w.Key("item")
	w.Raw(whole)
	b = s.send(b, "response.output_item.added")
	e.w.B = append(e.w.B[:0], whole...)
	return s.itemTold(b, t)
}

// opaque passes on an event of this dialect as it came, but for its numbers.
// Those that are written for what came of them anyway are not repeated.
func (s *streamEncoder) opaque(b []byte, ev *scri.StreamEvent) []byte {
	own := ev.Ext.Of(Name)
	if own == nil || len(own.Members) == 0 {
		return b // a wire event of another dialect is no part of the answer
	}
	m := wire.NewScanner(own.Members)
	typ := dialect.Word(m.Peek("type"))
	no := -1
	switch typ {
	case "response.created", "response.in_progress", "response.queued", "response.content_part.added",
		"response.content_part.done", "response.output_text.done", "response.refusal.done", "response.reasoning_text.done",
		"response.reasoning_summary_text.done", "response.reasoning_summary_part.added", "response.reasoning_summary_part.done",
		"response.function_call_arguments.done", "response.custom_tool_call_input.done", "response.output_item.done",
		"response.output_text.delta", "response.reasoning_text.delta", "response.reasoning_summary_text.delta",
		"response.output_text.annotation.added", "response.refusal.delta", "response.function_call_arguments.delta", "response.custom_tool_call_input.delta":
		return b
	case "response.output_item.added":
		in := wire.NewScanner(m.Peek("item"))
		switch dialect.Word(in.Peek("type")) {
		case typeMessage, typeReasoning, typeCall, typeCustom:
			return b
		}
		id := dialect.Word(in.Peek("id"))
		if slices.ContainsFunc(s.known, func(a added) bool { return a.id == id }) {
			return b // it has begun
		}
		b = s.settle(s.beginKnown(b))
		no = len(s.items)
		s.items = append(s.items, &item{no: no, over: true, id: id})
		if len(s.known) < maxRemembered {
			s.known = append(s.known, added{s.items[no].id, no})
		}
	default:
		b = s.beginKnown(b)
		id := dialect.Word(m.Peek("item_id"))
		if i := slices.IndexFunc(s.items, func(t *item) bool { return t.id == id && id != "" }); i >= 0 {
			no = i
		}
	}
	w := &s.e.w
	w.B = append(w.B[:0], '{')
	for name := range m.Members() {
		switch {
		case name == "sequence_number":
			w.Key(name)
			w.Int(s.seq)
			s.seq++
		case name == "output_index" && no >= 0:
			w.Key(name)
			w.Int(int64(no))
		default:
			w.Raw(m.Member())
		}
	}
	if strings.ContainsAny(typ, "\r\n") {
		typ = "" // it would end the event
	}
	return s.send(b, strings.Clone(typ))
}
