package responses

import (
	"slices"
	"strconv"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

func (s *streamEncoder) find(id partID) *part {
	for _, p := range slices.Backward(s.parts) {
		if p.id == id {
			return p
		}
	}
	return nil
}

// part begins a part. Texts, thoughts and calls of the client's tools are
// streamed, all else is told of as a whole.
func (s *streamEncoder) part(b []byte, ev *scri.StreamEvent) []byte {
	p := &part{id: partID{ev.Message, ev.Part}}
	if ev.Whole != nil {
		p.p = ev.Whole.Clone()
	} else {
		p.p.Kind = scri.PartText
	}
	q := &p.p
	if !streamed(q) { // it is told of when it is whole
		s.parts = append(s.parts, p)
		return b
	}
	own := q.Ext.Of(Name) != nil
	switch q.Kind {
	case scri.PartText, scri.PartRefusal:
		p.text = q.Text.AppendJSONInner(nil)
	case scri.PartThinking:
		p.text = q.Text.AppendJSONInner(nil)
		p.thought = has(q.Ext, typeThought)
		if q.Signature != nil && q.Signature.Redacted {
			own = false // it has no text to wait for
		}
	case scri.PartToolCall:
		p.text = q.Call.Args.AppendJSONInner(nil)
		s.called, own = true, true
	default:
	}
	first := q.Text
	if q.Kind == scri.PartToolCall {
		first, q.Call.Args = q.Call.Args, scri.Text{}
	}
	q.Text = scri.Text{}
	s.parts = append(s.parts, p)
	if own || len(p.text) > 0 || len(q.Citations) > 0 {
		b = s.open(b, p)
	}
	if len(p.text) > 0 {
		b = s.words(b, p, first, ev)
	}
	for i := range q.Citations {
		b = s.cite(b, p, i)
	}
	return b
}

// open gives a part its place: in the item at hand if it goes on with it, else
// in one that begins.
func (s *streamEncoder) open(b []byte, p *part) []byte {
	kind := p.p.Kind
	if kind == scri.PartRefusal {
		kind = scri.PartText
	}
	t := s.last()
	if t == nil || t.over || t.kind != kind || kind == scri.PartToolCall || has(p.p.Ext, "item") || !s.goesOn(t, p) {
		b = s.settle(b)
		t = &item{no: len(s.items), kind: kind}
		s.items = append(s.items, t)
		t.id = s.itemID(p)
		if began := s.began(t.id); began != nil { // as one of another type
			s.items = s.items[:t.no]
			t = began
			t.kind, t.over = kind, false
			p.item, t.parts = t, append(t.parts, p)
		} else {
			p.item, t.parts = t, append(t.parts, p)
			b = s.itemAdded(b, t)
		}
	} else {
		p.item, t.parts = t, append(t.parts, p)
	}
	for _, q := range t.parts {
		if q != p && (kind != scri.PartThinking || q.thought == p.thought) {
			p.index++
		}
	}
	if kind == scri.PartToolCall {
		return b
	}
	typ := "response.content_part.added"
	if kind == scri.PartThinking && !p.thought {
		typ = "response.reasoning_summary_part.added"
	}
	return s.partEvent(b, p, typ)
}

// began is the item of an id whose beginning was passed on as it came, or nil.
func (s *streamEncoder) began(id string) *item {
	i := slices.IndexFunc(s.known, func(a added) bool { return a.id == id && id != "" })
	if i < 0 {
		return nil
	}
	t := s.items[s.known[i].no]
	s.known = slices.Delete(s.known, i, i+1)
	return t
}

// goesOn reports whether a part belongs to an open item of its kind.
func (s *streamEncoder) goesOn(t *item, p *part) bool {
	if len(t.parts) == 0 || p.p.Kind != scri.PartThinking {
		return len(t.parts) > 0
	}
	prev := t.parts[len(t.parts)-1]
	return !signed(&prev.p) && (!prev.thought || p.thought)
}

func (s *streamEncoder) last() *item {
	if len(s.items) == 0 {
		return nil
	}
	return s.items[len(s.items)-1]
}

// itemID is the id of the item that a part begins.
func (s *streamEncoder) itemID(p *part) string {
	var id []byte
	prefix := "msg"
	switch p.p.Kind {
	case scri.PartToolCall:
		id = member(p.p.Ext, "id")
		prefix = "fc"
		if p.p.Call.Type == custom {
			prefix = "ctc"
		}
	case scri.PartThinking:
		prefix = "rs"
		fallthrough
	default:
		if obj := member(p.p.Ext, nestedLight); obj != nil {
			id = wire.NewScanner(obj).Peek("id")
		}
	}
	if w := dialect.Word(id); w != "" {
		return w
	}
	s.e.items = len(s.items) - 1
	return s.e.newID(prefix)
}

// place writes which part an event is about.
func (s *streamEncoder) place(p *part) {
	w := &s.e.w
	w.Key("item_id")
	w.Str(p.item.id)
	w.Key("output_index")
	w.Int(int64(p.item.no))
	switch {
	case p.p.Kind == scri.PartToolCall:
		return
	case p.p.Kind == scri.PartThinking && !p.thought:
		w.Key("summary_index")
	default:
		w.Key("content_index")
	}
	w.Int(int64(p.index))
}

// itemAdded tells that an item begins.
func (s *streamEncoder) itemAdded(b []byte, t *item) []byte {
	w := s.compose("response.output_item.added")
	w.Key("output_index")
	w.Int(int64(t.no))
	w.Key("item")
	head := &t.parts[0].p
	switch t.kind {
	case scri.PartToolCall:
		args := "arguments"
		if head.Call.Type == custom {
			args = "input"
			s.e.open(typeCustom)
		} else {
			s.e.open(typeCall)
		}
		s.e.str("id", t.id)
		s.e.str("status", statusInProgress)
		w.Key(args)
		w.Str("")
		w.Key("call_id")
		w.Str(s.callID(head.Call, t))
		w.Key("name")
		w.Str(head.Call.Name)
		s.e.ext(head.Ext.Of(Name), "id", "status")
	case scri.PartThinking:
		s.e.open(typeReasoning)
		s.e.str("id", t.id)
		w.Key("summary")
		w.BeginArray()
		w.EndArray()
	default:
		s.e.open(typeMessage)
		s.e.str("id", t.id)
		s.e.str("status", statusInProgress)
		s.e.str("role", string(scri.RoleAssistant))
		w.Key("content")
		w.BeginArray()
		w.EndArray()
		if obj := member(head.Ext, nestedHeavy); obj != nil {
			w.Members(obj)
		}
	}
	w.EndObject()
	return s.send(b, "response.output_item.added")
}

// callID is the id of a call, which every call has here.
func (s *streamEncoder) callID(c *scri.ToolCall, t *item) string {
	if c.ID != "" {
		return c.ID
	}
	s.e.items = t.no
	return s.e.newID("call")
}

// partEvent tells that a part of an item begins, or the whole of it.
func (s *streamEncoder) partEvent(b []byte, p *part, typ string) []byte {
	w := s.compose(typ)
	s.place(p)
	w.Key("part")
	warned := len(s.e.warn)
	q := p.p
	q.Text = p.words()
	switch p.p.Kind {
	case scri.PartThinking:
		if p.thought {
			s.e.open(typeThought)
		} else {
			s.e.open(typeSummary)
		}
		s.e.text("text", q.Text)
		w.EndObject()
	default:
		s.e.probs = p.probs
		if !p.ended {
			q.Ext, q.Text, s.e.probs = nil, scri.Text{}, nil
		}
		s.e.part(&q, string(scri.RoleAssistant))
	}
	s.e.warn = s.e.warn[:warned] // the item tells of it
	return s.send(b, typ)
}

// words is the text of a part so far.
func (p *part) words() scri.Text {
	if len(p.text) == 0 {
		return scri.Text{}
	}
	return scri.QuotedText(append(append([]byte{'"'}, p.text...), '"'))
}

// deltaType is the type of the event that goes on with a part.
func deltaType(p *part) string {
	switch {
	case p.p.Kind == scri.PartToolCall && p.p.Call.Type == custom:
		return "response.custom_tool_call_input.delta"
	case p.p.Kind == scri.PartToolCall:
		return "response.function_call_arguments.delta"
	case p.p.Kind == scri.PartThinking && p.thought:
		return "response.reasoning_text.delta"
	case p.p.Kind == scri.PartThinking:
		return "response.reasoning_summary_text.delta"
	case p.p.Kind == scri.PartRefusal:
		return "response.refusal.delta"
	default:
		return "response.output_text.delta"
	}
}

// words appends more of a part. It is where nearly all of an answer goes through,
// so that a plain text is written in place.
func (s *streamEncoder) words(b []byte, p *part, t scri.Text, ev *scri.StreamEvent) []byte {
	own := ev.Ext.Of(Name)
	if p.p.Kind != scri.PartText || len(ev.LogProbs) > 0 || own != nil {
		typ := deltaType(p)
		w := s.compose(typ)
		s.place(p)
		s.e.text("delta", t)
		if p.p.Kind == scri.PartText {
			w.Key("logprobs")
			warned := len(s.e.warn)
			s.e.tokens(ev.LogProbs, true)
			s.e.warn = s.e.warn[:warned]
		}
		if own != nil && ev.Kind == scri.EventDelta {
			w.Members(own.Members)
		}
		return s.send(b, typ)
	}
	b = append(b, "event: response.output_text.delta\ndata: {\"type\":\"response.output_text.delta\",\"sequence_number\":"...)
	b = strconv.AppendInt(b, s.seq, 10)
	s.seq++
	b = append(b, `,"item_id":`...)
	b = wire.AppendQuote(b, p.item.id)
	b = append(b, `,"output_index":`...)
	b = strconv.AppendInt(b, int64(p.item.no), 10)
	b = append(b, `,"content_index":`...)
	b = strconv.AppendInt(b, int64(p.index), 10)
	b = append(b, `,"delta":`...)
	b = t.AppendJSON(b)
	return append(b, ",\"logprobs\":[]}\n\n"...)
}

func (s *streamEncoder) delta(b []byte, ev *scri.StreamEvent) []byte {
	id := partID{ev.Message, ev.Part}
	p := s.find(id)
	if p == nil {
		if slices.Contains(s.gone, id) {
			s.belated(ev)
			return b
		}
		p = &part{id: id, p: scri.Part{Kind: scri.PartText}}
		s.parts = append(s.parts, p)
	}
	if c := ev.Citation; c != nil {
		p.p.Citations = append(p.p.Citations, cloned(c))
	}
	switch {
	case len(ev.LogProbs) == 0:
	case p.p.Kind == scri.PartText:
		p.probs = append(p.probs, ev.Clone().LogProbs...)
	default:
		s.once("/choices/0/logprobs", "there is no text that they could be of")
	}
	if ev.Signature != nil {
		s.sign(p, ev.Signature)
	}
	if !streamed(&p.p) {
		p.text = ev.Delta.AppendJSONInner(p.text)
		return b
	}
	if p.item == nil && (!ev.Delta.IsZero() || len(p.p.Citations) > 0) {
		b = s.open(b, p)
	}
	if p.item == nil {
		return b
	}
	if !ev.Delta.IsZero() || len(ev.LogProbs) > 0 && p.p.Kind == scri.PartText {
		p.text = ev.Delta.AppendJSONInner(p.text)
		b = s.words(b, p, ev.Delta, ev)
	}
	if ev.Citation != nil && p.p.Kind == scri.PartText {
		b = s.cite(b, p, len(p.p.Citations)-1)
	}
	return b
}

// belated takes in what comes of a part that is over: its item may tell it yet.
func (s *streamEncoder) belated(ev *scri.StreamEvent) {
	if ev.Signature == nil && ev.Citation == nil {
		return
	}
	id := partID{ev.Message, ev.Part}
	for _, t := range slices.Backward(s.items) {
		if t.over {
			continue
		}
		for _, p := range t.parts {
			switch {
			case p.id != id:
			case ev.Signature != nil:
				s.sign(p, ev.Signature)
				return
			default:
				p.p.Citations = append(p.p.Citations, cloned(ev.Citation))
				return
			}
		}
	}
	s.at(id)
	if ev.Signature != nil {
		s.once(string(s.e.path)+"/signature", "it came when its item was over")
	} else {
		s.once(string(s.e.path)+"/citations", "some came when their item was over")
	}
	s.e.path = s.e.path[:0]
}

func cloned(c *scri.Citation) scri.Citation {
	ev := scri.StreamEvent{Citation: c}
	return *ev.Clone().Citation
}

// sign keeps a signature, which may come in pieces, for the end of the item.
func (s *streamEncoder) sign(p *part, sig *scri.Signature) {
	ev := scri.StreamEvent{Signature: sig}
	c := ev.Clone().Signature
	if old := p.p.Signature; old != nil {
		v := old.Value.AppendJSONInner([]byte{'"'})
		v = c.Value.AppendJSONInner(v)
		c.Value = scri.QuotedText(append(v, '"'))
		c.Redacted = c.Redacted || old.Redacted
		if c.Dialect == "" {
			c.Dialect = old.Dialect
		}
	}
	p.p.Signature = c
}

// cite tells of one of a text's sources.
func (s *streamEncoder) cite(b []byte, p *part, i int) []byte {
	w := s.compose("response.output_text.annotation.added")
	s.place(p)
	w.Key("annotation_index")
	w.Int(int64(i))
	w.Key("annotation")
	warned := len(s.e.warn)
	said := s.e.annotation(&p.p.Citations[i])
	s.e.warn = s.e.warn[:warned] // the item tells of it
	if !said {
		s.seq--
		return b
	}
	return s.send(b, "response.output_text.annotation.added")
}
