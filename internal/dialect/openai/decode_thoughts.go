package openai

import (
	"bytes"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/scri"
)

// thoughts takes in what a delta says in the fields for thoughts.
func (s *stream) thoughts(c *choice, t *said) {
	a, b := t.reasoning[0], t.reasoning[1]
	if t.details != nil && s.readDetails(c, t) {
		if len(a) > 2 && !s.doubled(c, fieldContent) {
			s.say(c, scri.PartThinking, fieldContent, scri.QuotedText(a))
		}
		if len(b) > 2 && !s.doubled(c, fieldReasoning) {
			s.say(c, scri.PartThinking, fieldReasoning, scri.QuotedText(b))
		}
		return
	}
	switch {
	case len(a) > 2 && bytes.Equal(a, b):
		s.say(c, scri.PartThinking, fieldContent+" "+fieldReasoning, scri.QuotedText(a))
	default:
		if len(a) > 2 {
			s.say(c, scri.PartThinking, fieldContent, scri.QuotedText(a))
		}
		if len(b) > 2 {
			s.say(c, scri.PartThinking, fieldReasoning, scri.QuotedText(b))
		}
	}
}

func (s *stream) doubled(c *choice, word string) bool { return dialect.HasWord(c.open.form, "+"+word) }

// readDetails takes in reasoning_details; false when they are of no known shape.
func (s *stream) readDetails(c *choice, t *said) bool {
	d := &s.sub
	d.thoughts = d.thoughts[:0]
	d.Reset(t.details)
	ok := true
	for range d.Elements() {
		ok = ok && d.detail()
	}
	if !ok || d.Err() != nil || len(d.thoughts) == 0 {
		return false
	}
	for i := range d.thoughts {
		s.detail(c, &d.thoughts[i], t)
	}
	return true
}

func (s *stream) detail(c *choice, p *scri.Part, t *said) {
	typ, _ := detailType(p.Ext)
	if p.Signature != nil && p.Signature.Redacted {
		s.close(c)
		s.entire(c, *p)
		return
	}
	form := "details:" + typ
	if t.says(0, p.Text) {
		form += " +" + fieldContent
	}
	if t.says(1, p.Text) {
		form += " +" + fieldReasoning
	}
	index := nested(p.Ext, "index")
	goesOn := c.open.is && c.open.kind == scri.PartThinking && dialect.HasWord(c.open.form, "details:"+typ) && bytes.Equal(index, c.open.index)
	if goesOn && c.open.form != form && !p.Text.IsZero() {
		goesOn = false
	}
	if goesOn {
		c.open.members.hear(members(p.Ext))
	} else {
		s.begin(c, scri.PartThinking, form, members(p.Ext))
		c.open.index = bytes.Clone(index)
	}
	if !p.Text.IsZero() {
		s.push(scri.EventDelta, c.index, c.open.part).Delta = p.Text
	}
	if p.Signature != nil {
		s.push(scri.EventDelta, c.index, c.open.part).Signature = p.Signature
	}
}

// says reports whether a field says just what an item of reasoning_details does.
func (t *said) says(field int, x scri.Text) bool {
	q := t.reasoning[field]
	return len(q) > 2 && scri.QuotedText(q).Equal(x)
}
