package openai

import (
	"bytes"
	"strconv"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// part begins a part, and writes what is known of it already.
func (s *streamEncoder) part(ev *scri.StreamEvent) {
	c, p := s.at(s.choice), ev.Whole
	if p == nil {
		p = &scri.Part{Kind: scri.PartText}
	}
	o := spokenPart{msg: ev.Message, part: ev.Part, kind: p.Kind, place: placeOf(p)}
	path := s.partPath(ev.Part)
	reason := s.refuse(p, o.place)
	if o.place == callField && p.Call == nil {
		reason = "chunks hold calls of known kinds only"
	}
	if reason != "" {
		o.dropped = true
		s.dropped(path, reason)
		c.parts = append(c.parts, o)
		return
	}
	if o.item = p.Kind == scri.PartText && needsList(p); !o.item { // else when it is written
		s.ornaments(p, ev.Part)
	}
	s.prepare(c, p, &o)
	o.joins = s.before(c, &o)
	c.parts = append(c.parts, o)
	c.last = len(c.parts) - 1
	at := &c.parts[c.last]
	switch o.place {
	case callField:
		s.beginCall(c, p, at)
	case contentField:
		if p.Kind == scri.PartMedia || p.Kind == scri.PartOpaque {
			s.item(p, ev.Part)
			return
		}
		if at.item {
			g := p.Clone()
			at.gathered, at.words = &g, []byte{'"'}
			g.Text, g.Citations = scri.Text{}, nil
		}
	case audioField:
		if !c.heard {
			n := s.beginDelta()
			s.audio([]scri.Part{*p}, nil)
			s.endDelta(n)
		}
		return
	default:
	}
	s.given(c, p, at)
}

// given writes what a part has from its beginning.
func (s *streamEncoder) given(c *spoken, p *scri.Part, at *spokenPart) {
	ev := scri.StreamEvent{Kind: scri.EventDelta, Choice: s.choice, Message: at.msg, Part: at.part}
	if at.place != callField && !p.Text.IsZero() {
		ev.Delta = p.Text
		s.write(c, at, &ev)
		ev.Delta = scri.Text{}
	}
	for i := range p.Citations {
		ev.Citation = &p.Citations[i]
		s.write(c, at, &ev)
		ev.Citation = nil
	}
	if p.Signature != nil && at.place == thoughtField {
		ev.Signature = p.Signature
		s.write(c, at, &ev)
	}
}

// join tells that a reader will take the part for more of another one.
func (s *streamEncoder) join(c *spoken, p *spokenPart) {
	p.told = true
	if p.joins < 0 {
		return
	}
	l := &c.parts[p.joins]
	p.joins = -1
	if !l.told {
		return
	}
	s.tell(scri.WarnChanged, s.partPath(p.part), "it went on with the part before it")
	if !l.changed {
		l.changed = true
		s.msg = l.msg
		s.tell(scri.WarnChanged, s.partPath(l.part), "the next one went on with it")
		s.msg = p.msg
	}
}

// prepare notes how a part is going to be written.
func (s *streamEncoder) prepare(c *spoken, p *scri.Part, o *spokenPart) {
	switch o.place {
	case thoughtField:
		o.field = s.field(p)
		if o.field != fieldDetails {
			break
		}
		o.detail = "text"
		if own := p.Ext.Of(name); own != nil {
			if t, ok := detailType(own); ok {
				o.detail = t
			}
			o.doubled = [2]bool{dialect.HasWord(own.Form, "+"+fieldContent), dialect.HasWord(own.Form, "+"+fieldReasoning)}
		}
		o.members = bytes.Clone(members(p.Ext))
	case contentField:
		if p.Kind == scri.PartThinking {
			o.members = bytes.Clone(members(p.Ext))
		}
	case callField:
		if p.Call == nil {
			return
		}
		o.call = c.calls
		c.calls++
		o.custom = p.Call.Type == "custom"
		o.older = has(p.Ext, "function_call")
		o.args = !p.Call.Args.IsZero() || o.custom || has(p.Ext, "empty") || has(p.Call.Ext, "empty") || has(p.Call.Ext, "noargs")
	default:
	}
}

// before is the part that a reader would take this one for more of, or -1. Parts of
// which nothing was written do not stand between.
func (s *streamEncoder) before(c *spoken, o *spokenPart) int {
	if o.place == callField {
		return -1
	}
	for i := c.last; i >= 0; i-- {
		l := &c.parts[i]
		switch silent := !l.told; {
		case s.goesOn(l, o) && silent:
			return l.joins
		case s.goesOn(l, o):
			return i
		case silent && !l.item && (l.kind == scri.PartText || l.kind == scri.PartThinking || l.kind == scri.PartRefusal):
		default:
			return -1
		}
	}
	return -1
}

// goesOn reports whether a reader would take the part for more of the one
// before it.
func (s *streamEncoder) goesOn(l, o *spokenPart) bool {
	if l.item || o.item {
		return false
	}
	return l.kind == o.kind && l.place == o.place && l.field == o.field && l.kind != scri.PartMedia && l.kind != scri.PartOpaque &&
		(o.place != contentField || l.kind != scri.PartThinking || bytes.Equal(l.members, o.members)) &&
		(o.field != fieldDetails || l.detail == o.detail && o.detail != "encrypted" && bytes.Equal(l.members, o.members))
}

// item writes a part of a content list that comes whole.
func (s *streamEncoder) item(p *scri.Part, i int) {
	n := s.beginDelta()
	s.Key("content")
	s.list([]scri.Part{*p}, i, nil)
	s.endDelta(n)
}

func (s *streamEncoder) beginCall(_ *spoken, p *scri.Part, at *spokenPart) {
	t := p.Call
	s.foreign(t.Ext, func() string { return s.partPath(at.part) + "/call" })
	n := s.beginDelta()
	said := []string{"type", "index", "id", "function", "custom"}
	object, arguments := "function", "arguments"
	if at.custom {
		object, arguments = "custom", "input"
	}
	inside := object
	if at.older {
		object = "function_call"
	} else {
		s.B = append(s.B, `"tool_calls":[{"index":`...)
		s.Int(int64(at.call))
		s.str("id", t.ID)
		switch {
		case at.custom:
			s.str("type", "custom")
		case !has(p.Ext, "notype") || !s.aside(p.Ext, "type"):
			s.str("type", "function")
		default: // it is among the members
			said = said[1:]
		}
	}
	s.Key(object)
	s.BeginObject()
	s.str("name", t.Name)
	s.text(arguments, t.Args)
	path := func() string { return s.partPath(at.part) }
	if has(p.Ext, "+inner") {
		in := &scri.Ext{Dialect: name, Members: nested(p.Ext, inside)}
		s.except(in, path, "name", arguments)
	}
	s.EndObject()
	if !at.older {
		out := p.Ext
		if has(p.Ext, "+inner") {
			out = without(p.Ext, inside)
		}
		s.except(out, path, said...)
		s.EndObject()
		s.EndArray()
	}
	s.endDelta(n)
}

// find is the part that an event is about.
func (c *spoken) find(msg, part int) int {
	if c.last >= 0 {
		if p := &c.parts[c.last]; p.part == part && p.msg == msg {
			return c.last
		}
	}
	for i := len(c.parts) - 1; i >= 0; i-- {
		if p := &c.parts[i]; p.part == part && p.msg == msg {
			return i
		}
	}
	return -1
}

func (s *streamEncoder) delta(ev *scri.StreamEvent) {
	c := s.at(s.choice)
	i := c.find(ev.Message, ev.Part)
	if i < 0 {
		s.part(&scri.StreamEvent{Kind: scri.EventPart, Choice: ev.Choice, Message: ev.Message, Part: ev.Part})
		i = len(c.parts) - 1
	}
	p := &c.parts[i]
	if p.dropped {
		return
	}
	c.last = i
	s.write(c, p, ev)
}

// write writes one delta.
func (s *streamEncoder) write(c *spoken, p *spokenPart, ev *scri.StreamEvent) {
	if ev.Citation != nil && p.gathered == nil {
		s.citationDelta(c, p, ev.Citation)
	}
	if ev.Signature != nil && p.field != fieldDetails {
		if !p.unsigned && (!ev.Signature.Redacted || ev.Signature.Dialect != name) {
			p.unsigned = true
			s.dropped(s.partPath(p.part)+"/signature", "there is no place for signatures")
		}
	}
	if g := p.gathered; g != nil {
		p.words = ev.Delta.AppendJSONInner(p.words)
		v := ev.Clone()
		p.probs = append(p.probs, v.LogProbs...)
		if v.Citation != nil {
			g.Citations = append(g.Citations, *v.Citation)
		}
		return
	}
	signed := ev.Signature != nil && p.field == fieldDetails
	p.spoke = p.spoke || !ev.Delta.IsZero()
	if ev.Delta.IsZero() && len(ev.LogProbs) == 0 && !signed {
		return
	}
	if !ev.Delta.IsZero() || signed {
		s.join(c, p)
		if p.kind == scri.PartText {
			c.text = c.last
		}
	}
	n := s.beginDelta()
	switch {
	case p.place == callField:
		s.argsDelta(p, ev.Delta)
	case p.place == thoughtField:
		s.thoughtDelta(p, ev)
	case p.place == refusalField:
		s.text("refusal", ev.Delta)
	case p.kind == scri.PartThinking:
		s.itemDelta(p, ev.Delta)
	case p.kind == scri.PartRefusal:
		s.B = append(s.B, `"content":[{"type":"refusal"`...)
		s.text("refusal", ev.Delta)
		s.B = append(s.B, "}]"...)
	default:
		s.B = append(s.B, `"content":`...)
		s.B = ev.Delta.AppendJSON(s.B)
	}
	if ev.Ext != nil {
		s.extra(ev.Ext)
	}
	s.B = append(s.B, '}')
	if len(ev.LogProbs) > 0 {
		s.logProbs(ev.LogProbs, nil)
	}
	s.B = append(s.B, afterDelta[1:]...)
	s.endFrame(n)
}

// gatheredItem writes a text that has to be an item of a list, as it has members
// of its own.
func (s *streamEncoder) gatheredItem(c *spoken, i int) {
	p := &c.parts[i]
	c.text = i
	g := p.gathered
	g.Text = scri.QuotedText(append(p.words, '"'))
	p.gathered, p.words = nil, nil
	n := s.beginDelta()
	s.Key("content")
	s.list([]scri.Part{*g}, p.part, nil)
	s.B = append(s.B, '}')
	s.logProbs(p.probs, nil)
	s.B = append(s.B, afterDelta[1:]...)
	s.endFrame(n)
	for i := range g.Citations {
		s.citationDelta(c, p, &g.Citations[i])
	}
}

func (s *streamEncoder) citationDelta(c *spoken, p *spokenPart, cite *scri.Citation) {
	k := p.cited
	p.cited++
	path := func() string { return s.partPath(p.part) + "/citations/" + strconv.Itoa(k) }
	if !s.canCite(cite) {
		s.dropped(path(), "only addresses can be cited")
		return
	}
	s.source(c, p)
	n := s.beginDelta()
	s.Key("annotations")
	s.BeginArray()
	s.citation(cite, path)
	s.EndArray()
	s.endDelta(n)
}

// source tells which text a reader will take the part's sources to be of: the latest,
// be it over, or else the one that comes next.
func (s *streamEncoder) source(c *spoken, p *spokenPart) {
	first := !p.sourced
	p.sourced = true
	switch {
	case c.text < 0:
		c.text, p.told = c.last, true
	case &c.parts[c.text] == p:
	case p.joins >= 0:
		s.join(c, p)
		c.text = c.last
	case first:
		s.tell(scri.WarnChanged, s.partPath(p.part), "its sources are told of the text before")
		l := &c.parts[c.text]
		s.msg = l.msg
		s.tell(scri.WarnChanged, s.partPath(l.part), "sources of another text are told of it")
		s.msg = p.msg
	default:
	}
}

func (s *streamEncoder) argsDelta(p *spokenPart, t scri.Text) {
	p.args = true
	arguments := `"arguments":`
	switch {
	case p.older:
		s.B = append(s.B, `"function_call":{`...)
	case p.custom:
		arguments = `"input":`
		fallthrough
	default:
		s.B = append(s.B, `"tool_calls":[{"index":`...)
		s.Int(int64(p.call))
		if p.custom {
			s.B = append(s.B, `,"custom":{`...)
		} else {
			s.B = append(s.B, `,"function":{`...)
		}
	}
	s.B = append(s.B, arguments...)
	s.B = t.AppendJSON(s.B)
	s.B = append(s.B, '}')
	if !p.older {
		s.B = append(s.B, "}]"...)
	}
}

// thoughtDelta writes more of a thought into the fields that it is kept in.
func (s *streamEncoder) thoughtDelta(p *spokenPart, ev *scri.StreamEvent) {
	switch p.field {
	case fieldDetails:
	case fieldContent + "+":
		s.text(fieldContent, ev.Delta)
		s.text(fieldReasoning, ev.Delta)
		return
	default:
		s.text(p.field, ev.Delta)
		return
	}
	if !ev.Delta.IsZero() {
		for i, w := range [...]string{fieldContent, fieldReasoning} {
			if p.doubled[i] {
				s.text(w, ev.Delta)
			}
		}
	}
	s.Key(fieldDetails)
	s.B = append(s.B, `[{"type":"reasoning.`...)
	s.B = append(s.B, p.detail...)
	s.B = append(s.B, '"')
	if !ev.Delta.IsZero() {
		s.text(p.detail, ev.Delta)
	}
	if g := ev.Signature; g != nil {
		if p.detail == "encrypted" {
			s.text("data", g.Value)
		} else {
			s.text("signature", g.Value)
		}
	}
	s.Members(p.members)
	s.B = append(s.B, "}]"...)
}

// itemDelta writes more of one of Mistral's thoughts.
func (s *streamEncoder) itemDelta(p *spokenPart, t scri.Text) {
	s.B = append(s.B, `"content":[{"type":"thinking","thinking":[{"type":"text"`...)
	s.text("text", t)
	s.B = append(s.B, "}]"...)
	s.Members(p.members)
	s.B = append(s.B, "}]"...)
}

// partEnd ends a part: a call without arguments gets empty ones, and members
// known only now are added.
func (s *streamEncoder) partEnd(ev *scri.StreamEvent) {
	c := s.at(s.choice)
	i := c.find(ev.Message, ev.Part)
	if i < 0 || c.parts[i].dropped {
		return
	}
	p := &c.parts[i]
	s.foreign(ev.Ext, func() string { return s.partPath(ev.Part) })
	if p.gathered != nil {
		s.gatheredItem(c, i)
		return
	}
	if p.unsigned && !p.spoke {
		s.dropped(s.partPath(ev.Part), "there is no thought to read, only its signature")
	}
	if p.place == callField && !p.args && !has(ev.Ext, "empty") {
		n := s.beginDelta()
		s.argsDelta(p, scri.NewText("{}"))
		s.endDelta(n)
	}
	late := members(ev.Ext)
	if len(late) == 0 {
		return
	}
	switch {
	case p.place == callField && !p.older:
		n := s.beginDelta()
		s.B = append(s.B, `"tool_calls":[{"index":`...)
		s.Int(int64(p.call))
		s.Members(late)
		s.B = append(s.B, "}]"...)
		s.endDelta(n)
	case p.field == fieldDetails:
		n := s.beginDelta()
		s.Key(fieldDetails)
		s.B = append(s.B, `[{"type":"reasoning.`...)
		s.B = append(s.B, p.detail...)
		s.B = append(s.B, '"')
		if index := wire.NewScanner(p.members).Peek("index"); index != nil {
			s.Key("index") // which tells the items apart
			s.Raw(index)
		}
		s.Members(late)
		s.B = append(s.B, "}]"...)
		s.endDelta(n)
	case p.place == contentField && p.kind == scri.PartThinking:
		p.members = late
		n := s.beginDelta()
		s.itemDelta(p, scri.Text{})
		s.endDelta(n)
	}
}
