package cohere

import (
	"slices"
	"strconv"

	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

func (s *streamEncoder) find(ev *scri.StreamEvent) *streamPart {
	for _, p := range slices.Backward(s.parts) {
		if p.message == ev.Message && p.part == ev.Part {
			return p
		}
	}
	return nil
}

// part begins a part.
func (s *streamEncoder) part(b []byte, ev *scri.StreamEvent) []byte {
	whole := ev.Whole
	if whole == nil {
		whole = &scri.Part{Kind: scri.PartText}
	}
	s.any.Note(ev)
	s.e.Part(0, ev.Message, ev.Part)
	defer s.e.Out(0)
	p := &streamPart{message: ev.Message, part: ev.Part, kind: whole.Kind, empty: formed(whole.Ext, "empty")}
	p.where = s.place(whole)
	if len(s.parts) >= maxRemembered {
		s.parts = slices.Delete(s.parts, 0, 1)
	}
	s.parts = append(s.parts, p)
	text := whole.Text
	switch p.where {
	case planPlace:
		s.planned = true
		s.e.ornaments(whole)
		s.e.homelessPlan(whole)
	case contentPlace:
		p.index = s.content
		s.content++
		if whole.Kind == scri.PartText || whole.Kind == scri.PartRefusal {
			s.texts++
		}
		b = s.contentStart(b, p, whole)
	case callPlace:
		p.index = s.calls
		s.calls++
		s.called = true
		b = s.callStart(b, p, whole)
		if text = (scri.Text{}); whole.Call != nil {
			text = whole.Call.Args
		}
	default:
		return b
	}
	if !text.IsZero() && whole.Kind != scri.PartOpaque {
		b = s.more(b, p, text, nil)
	}
	for i := range whole.Citations {
		if whole.Kind == scri.PartText || whole.Kind == scri.PartRefusal {
			b = s.citation(b, p, &whole.Citations[i])
		}
	}
	return b
}

// place is where a part goes. A thought whose signature comes behind it is not
// known to be one that nobody else can read.
func (s *streamEncoder) place(p *scri.Part) place {
	if p.Kind == scri.PartThinking && p.Signature == nil {
		if formed(p.Ext, formPlan) && !s.planned {
			return planPlace
		}
		return contentPlace
	}
	return s.e.place(p, scri.RoleAssistant, s.planned)
}

func (s *streamEncoder) contentStart(b []byte, p *streamPart, whole *scri.Part) []byte {
	w := s.compose("content-start")
	w.Key("index")
	w.Int(int64(p.index))
	within(w)
	w.Key("content")
	begun := *whole
	begun.Text = scri.Text{}
	s.e.item(&begun)
	return s.frame(b, "content-start", 3)
}

func (s *streamEncoder) callStart(b []byte, p *streamPart, whole *scri.Part) []byte {
	w := s.compose("tool-call-start")
	w.Key("index")
	w.Int(int64(p.index))
	within(w)
	w.Key("tool_calls")
	begun := *whole
	if whole.Call != nil {
		c := *whole.Call
		c.Args = scri.Text{}
		begun.Call = &c
	} else {
		p.got = true
	}
	s.e.call(&begun, false)
	return s.frame(b, "tool-call-start", 3)
}

// delta goes on with a part.
func (s *streamEncoder) delta(b []byte, ev *scri.StreamEvent) []byte {
	p := s.find(ev)
	if p == nil {
		if b, p = s.again(b, ev); p == nil {
			return b
		}
	}
	if len(ev.LogProbs) > 0 && p.where != contentPlace {
		s.once("/choices/0/logprobs", "there is no text to tell it with")
	}
	if p.where == nowhere {
		return b
	}
	if !ev.Delta.IsZero() || len(ev.LogProbs) > 0 && p.where == contentPlace {
		b = s.more(b, p, ev.Delta, ev.LogProbs)
	}
	if ev.Signature != nil {
		s.e.Part(0, ev.Message, ev.Part)
		s.once(s.e.Path()+"/signature", "nothing is signed here")
		s.e.Out(0)
	}
	if ev.Citation != nil {
		s.e.Part(0, ev.Message, ev.Part)
		if p.where == contentPlace && p.kind != scri.PartThinking {
			b = s.citation(b, p, ev.Citation)
		} else {
			s.once(s.e.Path()+"/citations", "only text has citations here")
		}
		s.e.Out(0)
	}
	return b
}

// again finds or begins a part for more of one that is over: where it cannot go on, as
// another one. Sources of the latest text still find it. nil: there is nothing to tell.
func (s *streamEncoder) again(b []byte, ev *scri.StreamEvent) ([]byte, *streamPart) {
	switch p := s.over; {
	case !s.any.Has(ev):
	case ev.Delta.IsZero() && p != nil && p.message == ev.Message && p.part == ev.Part:
		return b, p
	default:
		s.e.Part(0, ev.Message, ev.Part)
		defer s.e.Out(0)
		if ev.Signature != nil {
			s.once(s.e.Path()+"/signature", "nothing is signed here")
		}
		if ev.Delta.IsZero() && ev.Citation == nil && len(ev.LogProbs) == 0 {
			return b, nil
		}
		s.e.Tell(scri.WarnChanged, "", "", "", "the part goes on in another one")
	}
	b = s.part(b, &scri.StreamEvent{Kind: scri.EventPart, Message: ev.Message, Part: ev.Part})
	return b, s.find(ev)
}

// more appends a piece of a text or of arguments, and what its tokens are worth:
// one in each event, behind the text the others.
func (s *streamEncoder) more(b []byte, p *streamPart, t scri.Text, probs []scri.TokenLogProb) []byte {
	switch p.where {
	case planPlace:
		b = append(b, "event: tool-plan-delta\ndata: {\"type\":\"tool-plan-delta\",\"delta\":{\"message\":{\"tool_plan\":"...)
		b = t.AppendJSON(b)
		return append(b, "}}}\n\n"...)
	case callPlace:
		if p.kind == scri.PartOpaque {
			return b
		}
		p.got = true
		b = append(b, "event: tool-call-delta\ndata: {\"type\":\"tool-call-delta\",\"index\":"...)
		b = strconv.AppendInt(b, int64(p.index), 10)
		b = append(b, ",\"delta\":{\"message\":{\"tool_calls\":{\"function\":{\"arguments\":"...)
		b = t.AppendJSON(b)
		return append(b, "}}}}}\n\n"...)
	default:
	}
	if p.kind == scri.PartOpaque {
		return b
	}
	field := typeText
	if p.kind == scri.PartThinking {
		field = typeThinking
	}
	for i := range max(1, len(probs)) {
		b = append(b, "event: content-delta\ndata: {\"type\":\"content-delta\",\"index\":"...)
		b = strconv.AppendInt(b, int64(p.index), 10)
		b = append(append(append(b, ",\"delta\":{\"message\":{\"content\":{\""...), field...), "\":"...)
		b = t.AppendJSON(b)
		t = scri.Text{}
		b = append(b, "}}}"...)
		if i < len(probs) {
			b = s.logProb(append(b, ",\"logprobs\":"...), &probs[i])
		}
		b = append(b, "}\n\n"...)
	}
	return b
}

func (s *streamEncoder) logProb(b []byte, t *scri.TokenLogProb) []byte {
	s.e.w.B = s.e.w.B[:0]
	const list = "choices/0/logprobs"
	s.e.In(list)
	s.e.At(s.tokens)
	s.tokens++
	if !s.e.logProb(t) {
		s.once("/"+list, onlyTokens)
	}
	s.e.Out(0)
	return wire.AppendCompact(b, s.e.w.B)
}

// citation appends a citation of the text p.
func (s *streamEncoder) citation(b []byte, p *streamPart, c *scri.Citation) []byte {
	w := s.compose("citation-start")
	w.Key("index")
	w.Int(int64(s.cited))
	within(w)
	w.Key("citations")
	in := s.e.In("citations")
	s.e.At(p.cited)
	p.cited++
	s.e.citation(c, p.index, s.texts == 1)
	s.e.Out(in)
	b = s.frame(b, "citation-start", 3)
	w = s.compose("citation-end")
	w.Key("index")
	w.Int(int64(s.cited))
	s.cited++
	return s.frame(b, "citation-end", 1)
}

// partEnd ends a part.
func (s *streamEncoder) partEnd(b []byte, ev *scri.StreamEvent) []byte {
	p := s.find(ev)
	if p == nil {
		return b
	}
	s.parts = slices.DeleteFunc(s.parts, func(o *streamPart) bool { return o == p })
	if p.where == contentPlace && p.kind != scri.PartThinking {
		s.over = p
	}
	return s.close(b, p, ev.Ext)
}

// close appends the end of a part, with the members that were known only now.
func (s *streamEncoder) close(b []byte, p *streamPart, x *scri.Ext) []byte {
	s.e.Part(0, p.message, p.part)
	defer s.e.Out(0)
	typ := "content-end"
	switch p.where {
	case nowhere:
		return b
	case planPlace:
		if x != nil {
			s.e.Homeless(x)
		}
		return b
	case callPlace:
		typ = "tool-call-end"
		if !p.got && !p.empty && !formed(x, "empty") {
			b = s.more(b, p, scri.NewText("{}"), nil)
		}
	default:
	}
	w := s.compose(typ)
	w.Key("index")
	w.Int(int64(p.index))
	s.e.Ext(w, x, func(name string) bool {
		return name == "type" || name == "index" || name == "delta" || name == "id" || name == "logprobs"
	})
	return s.frame(b, typ, 1)
}
