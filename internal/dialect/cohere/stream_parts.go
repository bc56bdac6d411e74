package cohere

import (
	"bytes"
	"slices"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// answerDecoder reads a value of an event that outlives it.
func answerDecoder(raw []byte) *decoder {
	d := newDecoder(bytes.Clone(raw))
	d.answer = true
	return d
}

func (d *streamDecoder) contentStart(e *wireEvent) bool {
	if len(e.content) == 0 || e.content[0] != '{' {
		return false
	}
	p := answerDecoder(e.content).item()
	b := d.add(false, e.index, &p)
	b.got = !p.Text.IsZero()
	d.stray(b, e)
	return true
}

func (d *streamDecoder) contentDelta(e *wireEvent) bool {
	var text []byte
	kind := scri.PartText
	d.s.Reset(e.content)
	for name := range d.s.Members() {
		switch {
		case (name == typeText || name == typeThinking) && d.s.Kind() == wire.String && text == nil:
			text = d.s.Str()
			if name == typeThinking {
				kind = scri.PartThinking
			}
		case name == "type":
			d.s.Skip()
		default:
			e.said.Add(d.s.Member())
		}
	}
	b := d.find(false, e.index)
	if b == nil && text != nil {
		b = d.add(false, e.index, &scri.Part{Kind: kind})
	}
	if b == nil || text == nil || b.kind != kind || d.s.Err() != nil {
		return false
	}
	out := scri.StreamEvent{Kind: scri.EventDelta, Part: b.part, Delta: scri.QuotedText(text)}
	if e.logprobs != nil && string(e.logprobs) != "null" {
		l := answerDecoder(e.logprobs)
		t := l.logProb()
		if l.End() == nil {
			out.LogProbs = []scri.TokenLogProb{t}
		} else {
			d.opaque(append(append([]byte(`{"type":"content-delta","logprobs":`), e.logprobs...), '}'))
		}
	}
	d.stray(b, e)
	if !out.Delta.IsZero() || out.LogProbs != nil {
		b.got = true
		d.Emit(out)
	}
	return true
}

func (d *streamDecoder) planDelta(e *wireEvent) bool {
	if len(e.plan) == 0 || e.plan[0] != '"' {
		return false
	}
	d.addLate(&e.more)
	d.addLate(&e.said)
	if d.plan < 0 {
		d.ensure()
		d.flush()
		d.plan = d.parts
		d.parts++
		p := &scri.Part{Kind: scri.PartThinking, Ext: &scri.Ext{Dialect: Name, Form: formPlan}}
		d.Emit(scri.StreamEvent{Kind: scri.EventPart, Part: d.plan, Whole: p})
	}
	if t := scri.QuotedText(e.plan); !t.IsZero() {
		d.Emit(scri.StreamEvent{Kind: scri.EventDelta, Part: d.plan, Delta: t})
	}
	return true
}

func (d *streamDecoder) callStart(e *wireEvent) bool {
	if len(e.calls) == 0 || e.calls[0] != '{' {
		return false
	}
	s := answerDecoder(e.calls)
	s.calls = d.parts
	p, ok := s.call()
	if !ok || s.End() != nil {
		p = opaque(bytes.Clone(e.calls), formCalls)
	}
	if p.Call != nil && p.Ext != nil { // how its arguments are spelled is not known yet
		var u dialect.Unknown
		for _, word := range [...]string{"-type", "noid", "+inner"} {
			if formed(p.Ext, word) {
				u.Form(word)
			}
		}
		addAll(&u, p.Ext.Members)
		p.Ext = u.Ext(Name)
	}
	b := d.add(true, e.index, &p)
	b.got = p.Call == nil || !p.Call.Args.IsZero()
	d.stray(b, e)
	return true
}

func (d *streamDecoder) callDelta(e *wireEvent) bool {
	b := d.find(true, e.index)
	if b == nil || b.kind != scri.PartToolCall {
		return false
	}
	var args []byte
	var inner dialect.Unknown
	s := &d.s
	s.Reset(e.calls)
	for name := range s.Members() {
		switch {
		case name == typeFunction && s.Kind() == wire.Object:
			for name := range s.Members() {
				if name == "arguments" && s.Kind() == wire.String {
					args = s.Str()
				} else {
					inner.Add(s.Member())
				}
			}
		case name == "id", name == "type":
			s.Skip()
		default:
			e.said.Add(s.Member())
		}
	}
	if s.Err() != nil || args == nil {
		return false
	}
	if obj := inner.Object(); obj != nil {
		e.said.Add(append([]byte(`"function":`), obj...))
	}
	d.stray(b, e)
	if t := scri.QuotedText(args); !t.IsZero() {
		b.got = true
		d.Emit(scri.StreamEvent{Kind: scri.EventDelta, Part: b.part, Delta: t})
	}
	return true
}

// citation reads one citation and gives it to the text that it is about: the
// last one if it does not say.
func (d *streamDecoder) citation(e *wireEvent) bool {
	if len(e.citations) == 0 || e.citations[0] != '{' {
		return false
	}
	s := answerDecoder(e.citations)
	c, index := s.citation()
	if s.End() != nil {
		return false
	}
	for i := len(d.open) - 1; i >= 0; i-- {
		b := &d.open[i]
		if b.call || b.kind != scri.PartText || index >= 0 && index != b.index {
			continue
		}
		d.stray(b, e)
		d.Emit(scri.StreamEvent{Kind: scri.EventDelta, Part: b.part, Citation: &c})
		return true
	}
	for _, t := range slices.Backward(d.texts) {
		if index < 0 || index == t.index {
			d.addLate(&e.more)
			d.addLate(&e.said)
			d.Emit(scri.StreamEvent{Kind: scri.EventDelta, Part: t.part, Citation: &c})
			return true
		}
	}
	return false
}
