package openai

import (
	"bytes"
	"strconv"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// choice is what is known of one choice of a stream.
type choice struct {
	index    int
	opened   bool
	finished bool
	raw      string // finish_reason of the chunk at hand
	word     string // the first of them
	ended    scri.Finish

	parts int     // parts begun
	text  int     // number of the last one that is a text, from 1
	open  opened  // the part that text goes to
	calls []*call // calls, open until the finish

	seen  keptList // members of the choice, their last values
	ext   scri.Ext
	form  string
	rest  keptList // lists that stand beside logprobs.content
	list  []scri.TokenLogProb
	held  []scri.TokenLogProb // of text that was not there yet
	audio heard
}

// opened is a part that goes on.
type opened struct {
	is      bool
	part    int
	kind    scri.PartKind
	form    string
	index   []byte // of an item of reasoning_details
	members news
}

// call is a call of a tool that goes on.
type call struct {
	part   int
	wire   int64 // its index, -1 if it has none
	id     string
	args   bool
	object string // what the object with its name is called
	own    news
	inner  news // of that object
}

func (s *stream) choiceAt(i int) *choice {
	for _, c := range s.choices {
		if c.index == i {
			return c
		}
	}
	c := &choice{index: i}
	s.choices = append(s.choices, c)
	return c
}

// readChoices reads the list of choices of one chunk.
func (s *stream) readChoices(raw []byte) {
	d := &s.top
	d.Reset(raw)
	for range d.Elements() {
		if d.Kind() == wire.Object {
			s.choice(d)
		}
	}
}

func (s *stream) choice(d *decoder) {
	at := 0
	if n, err := strconv.Atoi(string(d.Peek("index"))); err == nil && n > 0 && n < 1<<16 {
		at = n
	}
	c := s.choiceAt(at)
	var delta, message, probs, text []byte
	c.raw = ""
	for member := range d.Members() {
		switch {
		case d.Kind() == wire.Null, member == "index":
		case member == "delta" && d.Kind() == wire.Object:
			delta = d.Raw()
		case member == "message" && d.Kind() == wire.Object:
			message = d.Raw()
		case member == "finish_reason" && d.Kind() == wire.String:
			c.raw = finishName(d.Unquoted())
		case member == "logprobs" && d.Kind() == wire.Object:
			probs = d.Raw()
		case member == "text" && d.Kind() == wire.String:
			text = d.Str() // which repeats the delta, or is there instead of one
		default:
			raw := d.Raw()
			if raw != nil && isOneOf(member, "delta", "message", "finish_reason") { // of no shape that these have
				s.misfit(c, member, raw)
			} else if raw != nil {
				c.seen.keep(member, raw)
			}
		}
	}
	if delta == nil {
		delta = message // else it repeats all that was said so far
	}
	from := len(s.q)
	if delta != nil {
		s.delta(c, delta)
	} else if len(text) > 2 {
		s.delta(c, append(append([]byte(`{"content":`), text...), '}'))
	}
	if probs != nil {
		s.probs(c, probs, from)
	}
}

// finishName keeps the usual words without allocating.
func finishName(w string) string {
	switch w {
	case "stop":
		return "stop"
	case "length":
		return "length"
	case "tool_calls":
		return "tool_calls"
	default:
		return string([]byte(w))
	}
}

// said is what one delta says.
type said struct {
	role                  string
	text, refusal         []byte
	reasoning             [2][]byte // reasoning_content and reasoning, quoted
	content, details      []byte
	calls, function, cite []byte
	audio                 []byte
	args                  []byte // of the last call, quoted
	several               bool   // there is more than one call
}

func (s *stream) delta(c *choice, raw []byte) {
	d := &s.sub
	d.lenient, d.own = true, true
	d.Reset(raw)
	var t said
	var u, odd dialect.Unknown
	for member := range d.Members() {
		switch {
		case d.Kind() == wire.Null || t.member(d, member):
		case isOneOf(member, "role", "content", "refusal", "tool_calls", "function_call", "audio", fieldContent, fieldReasoning, fieldDetails): // of no shape that these have
			odd.Add(d.Member())
		default:
			u.Add(d.Member())
		}
	}
	cited := t.cite != nil && s.citations(t.cite)
	if !c.opened {
		if t.cite != nil && !cited {
			u.Add(append([]byte(`"annotations":`), t.cite...))
			t.cite = nil
		}
		s.openMessage(c, &t, &u)
		u = dialect.Unknown{}
	}
	from := len(s.q)
	s.thoughts(c, &t)
	if len(t.text) > 2 {
		s.say(c, scri.PartText, "", scri.QuotedText(t.text))
	}
	if t.content != nil {
		s.items(c, t.content)
	}
	if cited {
		s.cite(c)
	} else if t.cite != nil {
		s.opaque(c, member("annotations", t.cite))
	}
	if len(t.refusal) > 2 {
		s.say(c, scri.PartRefusal, "", scri.QuotedText(t.refusal))
	}
	if t.audio != nil {
		s.opaque(c, member("audio", t.audio))
		c.audio.add(&s.sub, t.audio)
	}
	if t.calls != nil {
		s.readCalls(c, &t)
	}
	if t.function != nil {
		s.readFunction(c, t.function)
	}
	if s.texts++; s.texts == 1 && u.Empty() {
		s.only = t.single()
	} else {
		s.only = nil
	}
	if !u.Empty() {
		s.extras(c, &u, from)
	}
	if !odd.Empty() {
		s.only = nil
		s.opaque(c, string(odd.Object()))
	}
}

// extras passes on the members of a delta that nobody knows: with what the
// delta said, or alone if that was nothing.
func (s *stream) extras(c *choice, u *dialect.Unknown, from int) {
	for i := len(s.q) - 1; i >= from; i-- {
		if e := &s.q[i]; e.Kind == scri.EventDelta && e.Ext == nil {
			e.Ext = u.Ext(name)
			return
		}
	}
	s.opaque(c, string(u.Object()))
}

// member takes in a member of a delta that is known.
func (t *said) member(d *decoder, member string) bool {
	k := d.Kind()
	switch {
	case member == "role" && k == wire.String:
		t.role = d.Unquoted()
	case member == "content" && k == wire.String:
		t.text = d.Str()
	case member == "content" && k == wire.Array:
		t.content = d.Raw()
	case member == fieldContent && k == wire.String:
		t.reasoning[0] = d.Str()
	case member == fieldReasoning && k == wire.String:
		t.reasoning[1] = d.Str()
	case member == fieldDetails && k == wire.Array:
		t.details = d.Raw()
	case member == "refusal" && k == wire.String:
		t.refusal = d.Str()
	case member == "tool_calls" && k == wire.Array:
		t.calls = d.Raw()
	case member == "function_call" && k == wire.Object:
		t.function = d.Raw()
	case member == "annotations" && k == wire.Array:
		t.cite = d.Raw()
	case member == "audio" && k == wire.Object:
		t.audio = d.Raw()
	default:
		return false
	}
	return true
}

func (s *stream) openMessage(c *choice, t *said, u *dialect.Unknown) {
	c.opened = true
	m := &scri.Message{Role: scri.RoleAssistant, Ext: u.Ext(name)}
	if t.role == string(scri.RoleTool) { // whose messages are results, which no answer has
		defer s.opaque(c, `{"role":"tool"}`)
	} else if t.role != "" {
		m.Role = role(string([]byte(t.role)))
	}
	s.push(scri.EventMessage, c.index, 0).Open = m
}

// say goes on with the part that is open, or begins one.
func (s *stream) say(c *choice, kind scri.PartKind, form string, t scri.Text) {
	if !c.open.is || c.open.kind != kind || c.open.form != form {
		s.begin(c, kind, form, nil)
	}
	s.push(scri.EventDelta, c.index, c.open.part).Delta = t
}

// begin ends the open part and begins another.
func (s *stream) begin(c *choice, kind scri.PartKind, form string, members []byte) {
	s.close(c)
	c.open = opened{is: true, part: c.parts, kind: kind, form: form, members: news{known: keptOf(members)}}
	c.parts++
	if kind == scri.PartText {
		c.text = c.parts
	}
	p := &scri.Part{Kind: kind}
	if form != "" || members != nil {
		p.Ext = &scri.Ext{Dialect: name, Members: bytes.Clone(members), Form: form}
	}
	s.push(scri.EventPart, c.index, c.open.part).Whole = p
}

// close ends the open part, if there is one.
func (s *stream) close(c *choice) {
	if !c.open.is {
		return
	}
	e := s.push(scri.EventPartEnd, c.index, c.open.part)
	if late := c.open.members.late.object(); late != nil {
		e.Ext = &scri.Ext{Dialect: name, Members: late}
	}
	c.open = opened{}
}

// items takes in a content list: texts and thoughts go on, all else is whole.
func (s *stream) items(c *choice, raw []byte) {
	d := &s.sub
	d.content = d.content[:0]
	d.Reset(raw)
	for range d.Elements() {
		d.part()
	}
	for i := range d.content {
		p := &d.content[i]
		switch {
		case p.Kind == scri.PartText && p.Cache == nil && len(members(p.Ext)) == 0:
			if !p.Text.IsZero() {
				s.say(c, p.Kind, "", p.Text)
			}
		case p.Kind == scri.PartThinking:
			if m := members(p.Ext); !c.open.is || c.open.kind != p.Kind || c.open.form != "item" {
				s.begin(c, p.Kind, "item", m)
			} else {
				c.open.members.hear(m)
			}
			if !p.Text.IsZero() {
				s.say(c, p.Kind, "item", p.Text)
			}
		default:
			s.close(c)
			s.entire(c, *p)
		}
	}
}

// entire gives a part that has come whole.
func (s *stream) entire(c *choice, p scri.Part) {
	at := c.parts
	c.parts++
	if p.Kind == scri.PartText {
		c.text = c.parts
	}
	s.push(scri.EventPart, c.index, at).Whole = &p
	s.push(scri.EventPartEnd, c.index, at)
}

// citations reads annotations; false when they are of no known shape.
func (s *stream) citations(raw []byte) bool {
	d := &decoder{lenient: true, own: true}
	d.Reset(raw)
	s.cited = fields{}
	return d.annotations(&s.cited) && d.Err() == nil
}

// cite gives the citations, which are about the text, maybe one yet to come.
func (s *stream) cite(c *choice) {
	list := s.cited.citations
	if len(list) == 0 {
		return
	}
	part := c.text - 1
	switch {
	case c.open.is && c.open.kind == scri.PartText:
		part = c.open.part
	case part < 0:
		s.begin(c, scri.PartText, "", nil)
		part = c.open.part
	}
	for i := range list {
		s.push(scri.EventDelta, c.index, part).Citation = &list[i]
	}
}

// misfit passes on a member of a choice, where its finish has a place for one of its
// name already.
func (s *stream) misfit(c *choice, name string, raw []byte) {
	if name != "delta" {
		s.opaque(c, "{}", kept{name, raw})
		return
	}
	s.opaque(c, string(raw))
}

// opaque passes on a delta that has no other word, or a member of its choice.
func (s *stream) opaque(c *choice, delta string, more ...kept) {
	w := wire.Writer{B: []byte(`{"choices":[{"index":`)}
	w.Int(int64(c.index))
	w.Key("delta")
	w.B = append(w.B, delta...)
	for _, k := range more {
		w.Comma()
		w.Str(k.name)
		w.B = append(append(w.B, ':'), k.raw...)
	}
	w.B = append(w.B, "}]}"...)
	s.push(scri.EventOpaque, c.index, 0).Ext = &scri.Ext{Dialect: name, Members: w.B}
}

// member is an object with one member.
func member(name string, raw []byte) string {
	w := wire.Writer{}
	w.BeginObject()
	w.Key(name)
	w.Raw(raw)
	w.EndObject()
	return string(w.B)
}

// probs takes in the log-probabilities of a chunk, for the delta that it gave.
func (s *stream) probs(c *choice, raw []byte, from int) {
	d := &s.sub
	d.Reset(raw)
	c.list = c.list[:0]
	for member := range d.Members() {
		switch {
		case member == "content" && d.Kind() == wire.Array:
			c.list = d.tokens(c.list, true)
		case d.Kind() == wire.Null:
			if member == "refusal" {
				c.form = nullLogProbs + "refusal=null"
			}
		default:
			c.keepList(member, d.Raw())
		}
	}
	if d.Err() != nil {
		c.seen.keep("logprobs", raw) // of no known shape
		return
	}
	if len(c.list) == 0 {
		return
	}
	for i := len(s.q) - 1; i >= from; i-- {
		if e := &s.q[i]; e.Kind == scri.EventDelta && e.Choice == c.index {
			if e.LogProbs = c.list; len(c.held) > 0 {
				e.LogProbs = append(c.held, c.list...)
				c.held = nil
			}
			return
		}
	}
	held := (&scri.StreamEvent{LogProbs: c.list}).Clone()
	if c.held = append(c.held, held.LogProbs...); len(c.held) >= maxHeld {
		s.say(c, scri.PartText, "", scri.Text{}) // which is then of nothing
		s.q[len(s.q)-1].LogProbs, c.held = c.held, nil
	}
}

// maxHeld bounds how many tokens wait for what they are about.
const maxHeld = 4096

// keepList goes on with a list that comes in pieces.
func (c *choice) keepList(member string, raw []byte) {
	raw = bytes.TrimSpace(raw)
	k := c.rest.find(member)
	switch {
	case len(raw) == 0:
	case k == nil || raw[0] != '[' || k.raw[0] != '[' || len(k.raw) == 2:
		c.rest.keep(member, raw)
	case len(raw) > 2:
		k.raw = append(k.raw[:len(k.raw)-1], ',')
		k.raw = append(k.raw, raw[1:]...)
	}
}
