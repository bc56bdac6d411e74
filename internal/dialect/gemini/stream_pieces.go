package gemini

import (
	"strings"

	"github.com/aratta-gateway/aratta/scri"
)

// part passes on a piece of a part, and returns the event that holds its text, or
// -1.
func (d *streamDecoder) part(s *spoken, p *scri.Part) int {
	switch {
	case p.Kind != scri.PartText && p.Kind != scri.PartThinking:
		d.whole(s, p)
		return -1
	case p.Ext != nil && len(p.Ext.Members) > 0:
		return d.alone(s, p)
	case p.Text.IsZero() && p.Signature == nil:
		return -1
	}
	d.begin(s, p.Kind, nil)
	at := -1
	if !p.Text.IsZero() {
		at = d.delta(s, p.Text)
	}
	if p.Signature != nil {
		d.sign(s, p.Signature)
	}
	return at
}

// begin opens a part unless one of its kind is open that goes on.
func (d *streamDecoder) begin(s *spoken, k scri.PartKind, x *scri.Ext) {
	if s.open == k && !s.sealed && x == nil {
		return
	}
	d.close(s)
	s.part++
	s.open = k
	if k == scri.PartText {
		s.text, s.place = s.part, runeIndex{bits: s.place.bits[:0]}
	}
	d.event(s, scri.EventPart).Whole = &scri.Part{Kind: k, Ext: x}
}

func (d *streamDecoder) event(s *spoken, k scri.EventKind) *scri.StreamEvent {
	e := d.emit(k)
	e.Choice, e.Part = s.index, s.part
	return e
}

func (d *streamDecoder) delta(s *spoken, t scri.Text) int {
	d.event(s, scri.EventDelta).Delta = t
	if s.open == scri.PartText {
		d.scratch = t.AppendText(d.scratch[:0])
		s.place.add(d.scratch)
	}
	return len(d.queue) - 1
}

// sign gives the open part its signature, after which nothing goes on with it.
func (d *streamDecoder) sign(s *spoken, sig *scri.Signature) {
	d.event(s, scri.EventDelta).Signature = sig
	s.sealed = true
}

// alone passes on a text with members that nobody knows, as a part of its own.
func (d *streamDecoder) alone(s *spoken, p *scri.Part) int {
	at := -1
	d.begin(s, p.Kind, p.Ext)
	if !p.Text.IsZero() {
		at = d.delta(s, p.Text)
	}
	if p.Signature != nil {
		d.sign(s, p.Signature)
	}
	s.sealed = true
	return at
}

// whole passes on a part that came whole. The strings of an event outlive it.
func (d *streamDecoder) whole(s *spoken, p *scri.Part) {
	d.close(s)
	s.part++
	if c := p.Call; c != nil {
		s.called = true
		c.ID, c.Name = strings.Clone(c.ID), strings.Clone(c.Name)
	}
	if m := p.Media; m != nil {
		m.Type, m.Name = strings.Clone(m.Type), strings.Clone(m.Name)
	}
	if r := p.Result; r != nil {
		r.CallID, r.Name = strings.Clone(r.CallID), strings.Clone(r.Name)
	}
	d.event(s, scri.EventPart).Whole = p
	d.event(s, scri.EventPartEnd)
}

func (d *streamDecoder) close(s *spoken) {
	if s.open != "" {
		d.event(s, scri.EventPartEnd)
		s.open, s.sealed = "", false
	}
}
