package gemini

import (
	"slices"

	"github.com/aratta-gateway/aratta/scri"
)

func (t *telling) find(ev *scri.StreamEvent) *writing {
	for _, p := range t.parts {
		if p.msg == ev.Message && p.part == ev.Part {
			return p
		}
	}
	return nil
}

// part begins a part. Texts are written as they come, all else when it is whole.
func (s *streamEncoder) part(ev *scri.StreamEvent) {
	t := s.choice(ev.Choice)
	p := ev.Whole
	if p == nil {
		p = &scri.Part{Kind: scri.PartText}
	}
	k := &writing{msg: ev.Message, part: ev.Part, kind: p.Kind}
	t.parts = append(t.parts, k)
	s.Part(ev.Choice, ev.Message, ev.Part)
	own := p.Ext.Of(Name)
	hidden := p.Signature != nil && p.Signature.Redacted
	switch {
	case isText(p) && !hidden && (own == nil || len(own.Members) == 0):
		s.textBegins(t, k, p)
	case isText(p) && !hidden, p.Kind == scri.PartToolCall, p.Kind == scri.PartMedia && p.Media != nil && p.Media.Data.IsZero():
		c := p.Clone()
		k.whole = &c
	default:
		k.skip = true // it is whole already
		t.passed(k)
		s.write(t, p)
	}
}

// passed notes that something of a part is written, and reports whether it comes behind
// what its answer has after it.
func (t *telling) passed(k *writing) bool {
	at := [2]int{k.msg, k.part}
	if slices.Compare(at[:], t.reached[:]) < 0 {
		return true
	}
	t.reached = at
	return false
}

func (s *streamEncoder) textBegins(t *telling, k *writing, p *scri.Part) {
	if p.Kind == scri.PartRefusal {
		s.Tell(scri.WarnChanged, "kind", string(p.Kind), string(scri.PartText), "")
		k.kind = scri.PartText
	}
	if p.Cache != nil {
		s.Drop("cache", "prompts are cached without marks here")
	}
	s.Foreign(p.Ext)
	if !p.Text.IsZero() {
		s.say(t, k, p.Text, nil)
	}
	for i := range p.Citations {
		k.cite(&p.Citations[i])
	}
	if p.Signature != nil {
		s.signed(t, k, p.Signature)
	}
}

// write writes a part that is whole as a piece of its own, if it can be said.
func (s *streamEncoder) write(t *telling, p *scri.Part) {
	s.cited(t)
	s.claims = nil // whoever reads it would not know which text it is about
	n := s.candidate()
	s.w.B = append(s.w.B, `"content":{"parts":[`...)
	if !s.encoder.part(p) {
		s.w.B = s.w.B[:n]
		s.pieces--
		return
	}
	t.open = ""
	t.called = t.called || p.Kind == scri.PartToolCall
	s.contentEnd(t)
	s.after(n, t)
}

// joins reports that a reader will take a text for more of the one before.
func (s *streamEncoder) joins(t *telling, k *writing) {
	if k.wrote || k.joined || t.open != k.kind {
		return
	}
	k.joined = true
	s.Tell(scri.WarnChanged, "", "", "", "joined to the part before")
	s.Warn = append(s.Warn, scri.Warning{Code: scri.WarnChanged, Path: t.last, Detail: "another part is joined to it"})
}

// begins begins a text, if a reader does not take it for more of the one before.
func (s *streamEncoder) begins(t *telling, k *writing) {
	if !k.joined {
		s.cited(t)
		t.last = s.Path()
		t.place = runeIndex{bits: t.place.bits[:0]}
	}
	if k.kind == scri.PartText {
		t.text, k.from = k, t.place.n
	}
}

// say writes a piece of a text. It is where nearly all of an answer goes through.
func (s *streamEncoder) say(t *telling, k *writing, text scri.Text, probs []scri.TokenLogProb) {
	s.joins(t, k)
	if !k.wrote {
		s.begins(t, k)
	}
	k.wrote, t.open = true, k.kind
	if !k.joined {
		t.passed(k)
	}
	if k.kind == scri.PartText {
		s.scratch = text.AppendText(s.scratch[:0])
		t.place.add(s.scratch)
	}
	n := s.begin()
	s.w.B = append(s.w.B, `{"candidates":[{"content":{"parts":[{"text":`...)
	s.w.B = text.AppendJSON(s.w.B)
	if k.kind == scri.PartThinking {
		s.w.B = append(s.w.B, `,"thought":true`...)
	}
	s.w.B = append(s.w.B, '}')
	s.contentEnd(t)
	s.probs(t, probs)
	s.after(n, t)
}

func (s *streamEncoder) probs(t *telling, probs []scri.TokenLogProb) {
	if len(probs) == 0 {
		return
	}
	kept := s.Path()
	s.Out(0)
	s.In("choices")
	s.At(t.index)
	s.logProbs(probs, t.probs, nil)
	t.probs += len(probs)
	s.Out(0)
	if kept != "" {
		s.In(kept[1:])
	}
}

// signed ends a text with its signature.
func (s *streamEncoder) signed(t *telling, k *writing, sig *scri.Signature) {
	if sig.Dialect != Name || sig.Redacted {
		s.once(k, "signature", "a signature of another API")
		return
	}
	s.joins(t, k)
	if !k.wrote {
		s.begins(t, k)
	}
	k.wrote, t.open = true, ""
	n := s.candidate()
	s.w.B = append(s.w.B, `"content":{"parts":[{"text":""`...)
	if k.kind == scri.PartThinking {
		s.w.B = append(s.w.B, `,"thought":true`...)
	}
	s.w.Key("thoughtSignature")
	s.w.Comma()
	s.w.B = sig.Value.AppendJSON(s.w.B)
	s.w.B = append(s.w.B, '}')
	s.contentEnd(t)
	s.after(n, t)
}

// once reports a loss that may come in many pieces.
func (s *streamEncoder) once(k *writing, member, detail string) {
	if k.told.First(member) {
		s.Drop(member, detail)
	}
}

// delta writes more of a part.
func (s *streamEncoder) delta(ev *scri.StreamEvent) {
	t := s.choice(ev.Choice)
	k := t.find(ev)
	if k == nil {
		s.part(&scri.StreamEvent{Kind: scri.EventPart, Choice: ev.Choice, Message: ev.Message, Part: ev.Part})
		k = t.find(ev)
	}
	probs := ev.LogProbs
	switch {
	case k.skip:
	case k.whole != nil:
		k.gather(ev)
	default:
		if !ev.Delta.IsZero() || ev.Citation != nil || ev.Signature != nil {
			s.Part(ev.Choice, ev.Message, ev.Part)
		}
		if !ev.Delta.IsZero() {
			s.say(t, k, ev.Delta, probs)
			probs = nil
		}
		if ev.Citation != nil {
			k.cite(ev.Citation)
		}
		if ev.Signature != nil {
			s.signed(t, k, ev.Signature)
		}
	}
	if len(probs) > 0 {
		n := s.candidate()
		s.probs(t, probs)
		s.after(n, t)
	}
}

// gather adds to a part that is written at its end.
func (k *writing) gather(ev *scri.StreamEvent) {
	if !ev.Delta.IsZero() {
		if k.args == nil {
			k.args = k.start().AppendJSON(nil)
			k.args = k.args[:len(k.args)-1]
		}
		k.args = ev.Delta.AppendJSONInner(k.args)
	}
	if ev.Citation != nil {
		c := ev.Clone()
		k.whole.Citations = append(k.whole.Citations, *c.Citation)
	}
	if ev.Signature != nil {
		sig := *ev.Clone().Signature
		if old := k.whole.Signature; old != nil {
			sig.Value = scri.NewText(old.Value.String() + sig.Value.String())
		}
		k.whole.Signature = &sig
	}
}

// start is what a gathered part began with.
func (k *writing) start() scri.Text {
	switch {
	case k.whole.Kind == scri.PartToolCall && k.whole.Call != nil:
		return k.whole.Call.Args
	case k.whole.Kind == scri.PartMedia && k.whole.Media != nil:
		return k.whole.Media.Data
	default:
		return k.whole.Text
	}
}

// partEnd ends a part.
func (s *streamEncoder) partEnd(ev *scri.StreamEvent) {
	t := s.choice(ev.Choice)
	k := t.find(ev)
	if k == nil {
		return
	}
	s.close(t, k, ev.Ext)
}

// close writes what was gathered of a part.
func (s *streamEncoder) close(t *telling, k *writing, late *scri.Ext) {
	t.parts = slices.DeleteFunc(t.parts, func(p *writing) bool { return p == k })
	s.Part(t.index, k.msg, k.part)
	s.Homeless(late)
	s.cites(t, k)
	if k.whole == nil {
		if !k.skip && !k.wrote && (k.kind == scri.PartThinking || k.told.Any() || len(k.cites) > 0) {
			s.Drop("", "there is no text in it")
		}
		return
	}
	if k.args != nil {
		text := scri.QuotedText(append(k.args, '"'))
		switch {
		case k.whole.Kind == scri.PartToolCall && k.whole.Call != nil:
			k.whole.Call.Args = text
		case k.whole.Kind == scri.PartMedia && k.whole.Media != nil:
			k.whole.Media.Data = text
		default:
			k.whole.Text = text
		}
	}
	if t.passed(k) {
		s.Tell(scri.WarnChanged, "", "", "", "it was whole only when others were told that come behind it")
	}
	s.write(t, k.whole)
}
