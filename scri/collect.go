package scri

import (
	"cmp"
	"io"
	"slices"
	"strconv"
)

// Ended reports whether err, as Next returned it, is the clean end of a stream.
// An error that wraps io.EOF is not: there something broke off.
func Ended(err error) bool {
	return err == io.EOF //nolint:errorlint // a wrapped io.EOF is a broken answer
}

// Collect reads s to its end, closes it and returns the answer it was. When the
// answer broke off, what came of it is returned beside the error, less the
// signatures of unfinished parts; an end before each choice had its finish is
// an error of kind truncated. Nothing of the result aliases the events, save
// that a stream which has its answer whole gives it as it is, see [Whole]. One
// that takes more than 256 MB of memory is given up.
func Collect(s Stream) (*ChatResponse, error) {
	if r, ok := take(s); ok {
		return r, s.Close()
	}
	c := NewCollector(maxCollected)
	for {
		e, err := s.Next()
		if err == nil {
			if err = c.Add(e); err == nil {
				continue
			}
		}
		if Ended(err) && c.c.complete() {
			_ = s.Close() // the answer is complete; nothing can be done about it
			return c.c.response(), nil
		}
		if Ended(err) {
			err = &Error{Kind: ErrTruncated, Message: "the answer ended without a finish reason"}
		}
		return c.c.response(), joined(err, s.Close())
	}
}

// Collector makes an answer of events, as [Collect] does, for those who only look
// on while somebody else reads the stream. It has one user at a time.
type Collector struct {
	c         collector
	size, max int
}

// NewCollector returns a collector of an answer that may take so many bytes.
func NewCollector(most int) *Collector { return &Collector{max: most} }

// Add takes in one event and keeps nothing of it. Its error is one that the event
// itself carries, or that the answer is too large; from then on there is no answer.
func (c *Collector) Add(e *StreamEvent) error {
	if e.Kind != EventDelta && e.Kind != EventPing {
		c.size += eventSize
	}
	if c.size += e.size(); c.size > c.max {
		return &Error{Kind: ErrUnavailable, Message: "the answer is larger than " + bytesText(c.max)}
	}
	return c.c.add(e)
}

// Response returns the answer after the last event, or nil if it did not come to
// its end. It is asked once.
func (c *Collector) Response() *ChatResponse {
	if !c.c.complete() {
		return nil
	}
	return c.c.response()
}

func bytesText(n int) string {
	if n%(1<<20) == 0 {
		return strconv.Itoa(n>>20) + " MB"
	}
	return strconv.Itoa(n) + " bytes"
}

const (
	maxCollected = 256 << 20
	eventSize    = 256 // what one that begins or ends something leaves behind
)

// take returns the answer of a stream that has it whole and that nobody has read
// of, running the events by those who look on.
func take(s Stream) (*ChatResponse, bool) {
	t, ok := s.(*teed)
	if !ok {
		r := Whole(s)
		return r, r != nil
	}
	r := fresh(t)
	if r == nil {
		return nil, false
	}
	for {
		if _, err := t.Next(); err != nil {
			return r, Ended(err)
		}
	}
}

// slots holds things by the number a stream gave them, in any order and with
// gaps. A number given anew starts another thing behind the first.
type slots[T any] struct {
	list []*slot[T]
	at   map[int]*slot[T]
}

type slot[T any] struct {
	i int
	v T
}

func (s *slots[T]) find(i int) *T {
	if n := len(s.list); n > 0 && s.list[n-1].i == i {
		return &s.list[n-1].v
	}
	if v := s.at[i]; v != nil {
		return &v.v
	}
	return nil
}

func (s *slots[T]) add(i int) *T {
	v := &slot[T]{i: i}
	s.list = append(s.list, v)
	if len(s.list) > 1 && s.at == nil {
		s.at = map[int]*slot[T]{s.list[0].i: s.list[0]}
	}
	if s.at != nil {
		s.at[i] = v
	}
	return &v.v
}

func (s *slots[T]) get(i int) *T {
	if v := s.find(i); v != nil {
		return v
	}
	return s.add(i)
}

func (s *slots[T]) sorted() []*slot[T] {
	slices.SortStableFunc(s.list, func(a, b *slot[T]) int { return cmp.Compare(a.i, b.i) })
	return s.list
}

type collector struct {
	head    ChatResponse
	ext     extJoiner
	choices slots[choiceAcc]
	done    bool

	known   map[Warning]int // how often head.Warnings has each of its first counted
	counted int
	unsure  []unsure
}

// unsure is a part whose signature may have to go, should nobody finish it.
type unsure struct {
	ch *choiceAcc
	p  *partAcc
}

type choiceAcc struct {
	messages slots[messageAcc]
	finish   *Finish
	logProbs []TokenLogProb
	ext      extJoiner
}

type messageAcc struct {
	open   Message
	opened bool
	parts  slots[partAcc]
}

type partAcc struct {
	part  Part
	text  joiner
	ext   extJoiner
	sign  *Signature // given by deltas, less its value
	value joiner     // the signature's
	ended bool
	noted bool // it is among the unsure ones
}

// add takes in one event. Its error is one that the stream carried as an event.
func (c *collector) add(e *StreamEvent) error {
	switch e.Kind {
	case EventStart:
		c.merge(e.Head, true)
	case EventSeam:
		c.drop()
		c.merge(e.Head, false)
	case EventMessage:
		ch := c.choices.get(e.Choice)
		m := ch.messages.find(e.Message)
		if m == nil || m.opened {
			m = ch.messages.add(e.Message)
		}
		m.opened = true
		if e.Open != nil {
			m.open = e.Open.Clone()
		}
	case EventPart:
		c.begin(e)
	case EventDelta:
		c.delta(e)
	case EventPartEnd:
		p := c.part(e)
		p.ended = true
		p.ext.add(e.Ext)
	case EventUsage:
		c.head.Usage = e.Usage.Clone()
	case EventFinish:
		ch := c.choices.get(e.Choice)
		if e.Finish != nil {
			ch.finish = clonePtr(e.Finish)
		}
		ch.logProbs = append(ch.logProbs, cloneLogProbs(e.LogProbs)...)
		ch.ext.add(e.Ext)
	case EventWarning:
		if e.Warning != nil {
			c.head.Warnings = append(c.head.Warnings, *e.Warning)
		}
	case EventDone:
		c.finish(e)
	case EventError:
		if e.Err != nil {
			return clonePtr(e.Err)
		}
	default: // pings and wire events have no place in a whole answer
	}
	return nil
}

func (c *collector) finish(e *StreamEvent) {
	c.done = true
	c.merge(e.Head, true)
	if e.Usage != nil {
		c.head.Usage = e.Usage.Clone()
	}
	if e.Finish != nil && (len(c.choices.list) > 0 || *e.Finish != Finish{}) {
		c.choices.get(0).finish = clonePtr(e.Finish)
	}
}

// merge adds what h tells to the head. After a seam it is another who speaks:
// the answer stays the one it was.
func (c *collector) merge(h *ChatResponse, same bool) {
	if h == nil {
		return
	}
	r := &c.head
	if h.ID != "" && (same || r.ID == "") {
		r.ID = h.ID
	}
	if h.Model != "" {
		r.Model = h.Model
	}
	if h.Provider != "" {
		r.Provider = h.Provider
	}
	if !h.Created.IsZero() && (same || r.Created.IsZero()) {
		r.Created = h.Created
	}
	if h.Usage != nil {
		r.Usage = h.Usage.Clone()
	}
	if h.Lineage != nil {
		r.Lineage = h.Lineage
	}
	c.ext.add(h.Ext)
	c.warn(h.Warnings)
}

// warn adds those of more that the head has not got yet, as often as more has
// them.
func (c *collector) warn(more []Warning) {
	if len(more) == 0 {
		return
	}
	if c.known == nil {
		c.known = make(map[Warning]int, len(more))
	}
	for list := c.head.Warnings; c.counted < len(list); c.counted++ {
		c.known[list[c.counted]]++
	}
	seen := make(map[Warning]int, len(more))
	for _, w := range more {
		if seen[w]++; seen[w] > c.known[w] {
			c.known[w]++
			c.head.Warnings = append(c.head.Warnings, w)
			c.counted++
		}
	}
}

func (c *collector) message(e *StreamEvent) *messageAcc {
	m := c.choices.get(e.Choice).messages.get(e.Message)
	if m.open.Role == "" && !m.opened {
		m.open.Role = RoleAssistant
	}
	return m
}

func (c *collector) part(e *StreamEvent) *partAcc {
	m := c.message(e)
	p := m.parts.find(e.Part)
	if p == nil {
		p = m.parts.add(e.Part)
		p.part.Kind = PartText
	}
	return p
}

func (c *collector) begin(e *StreamEvent) {
	p := c.message(e).parts.add(e.Part)
	if e.Whole == nil {
		p.part.Kind = PartText
		return
	}
	p.part = e.Whole.Clone()
	p.ext.add(p.part.Ext)
	if s := p.part.Signature; s != nil && s.Value.IsZero() {
		c.note(e, p)
	}
	if t := p.streamed(); !t.IsZero() {
		p.text.add(*t)
		*t = Text{}
	}
}

// streamed is the field to which the deltas of the part belong.
func (p *partAcc) streamed() *Text {
	switch p.part.Kind {
	case PartToolCall:
		if p.part.Call == nil {
			p.part.Call = new(ToolCall)
		}
		return &p.part.Call.Args
	case PartMedia:
		if p.part.Media == nil {
			p.part.Media = new(Media)
		}
		return &p.part.Media.Data
	default:
		return &p.part.Text
	}
}

func (c *collector) delta(e *StreamEvent) {
	p := c.part(e)
	p.text.add(e.Delta)
	if e.Signature != nil {
		p.signed(e.Signature)
		c.note(e, p)
	}
	if e.Citation != nil {
		p.part.Citations = append(p.part.Citations, e.Citation.clone())
	}
	if len(e.LogProbs) > 0 {
		ch := c.choices.get(e.Choice)
		ch.logProbs = append(ch.logProbs, cloneLogProbs(e.LogProbs)...)
	}
}

// signed adds a signature, or goes on with one that came in pieces.
func (p *partAcc) signed(s *Signature) {
	old := p.sign
	if old == nil {
		old = p.part.Signature
	}
	if p.sign == nil && old != nil {
		p.value.add(old.Value)
	}
	v := *s
	v.Value = Text{}
	if old != nil {
		v.Dialect = cmp.Or(v.Dialect, old.Dialect)
		v.Provider = cmp.Or(v.Provider, old.Provider)
		v.Model = cmp.Or(v.Model, old.Model)
		v.Redacted = v.Redacted || old.Redacted
	}
	p.sign = &v
	p.value.add(s.Value)
}

// unsign takes the signature from a part that was not finished. One that came
// whole with the part's beginning is good.
func (p *partAcc) unsign() {
	whole := p.part.Signature
	if p.ended || p.sign == nil && (whole == nil || !whole.Value.IsZero()) {
		return
	}
	p.part.Signature, p.sign, p.value = nil, nil, joiner{}
}

// note remembers that the signature of a part is not settled.
func (c *collector) note(e *StreamEvent, p *partAcc) {
	if !p.noted {
		p.noted = true
		c.unsure = append(c.unsure, unsure{c.choices.get(e.Choice), p})
	}
}

// complete reports whether the answer has come to its end.
func (c *collector) complete() bool {
	for _, ch := range c.choices.list {
		if ch.v.finish == nil {
			return false
		}
	}
	return c.done || len(c.choices.list) > 0
}

// drop removes the signatures of parts that nobody will finish.
func (c *collector) drop() {
	for _, u := range c.unsure {
		if u.p.noted = false; u.ch.finish == nil {
			u.p.unsign()
		}
	}
	c.unsure = c.unsure[:0]
}

// response makes the answer of what was read.
func (c *collector) response() *ChatResponse {
	c.drop()
	r := c.head
	r.Ext = c.ext.join()
	for _, s := range c.choices.sorted() {
		ch := Choice{LogProbs: s.v.logProbs, Ext: s.v.ext.join()}
		if s.v.finish != nil {
			ch.Finish = *s.v.finish
		}
		for _, m := range s.v.messages.sorted() {
			ch.Output = append(ch.Output, m.v.message())
		}
		r.Choices = append(r.Choices, ch)
	}
	return &r
}

func (m *messageAcc) message() Message {
	out := m.open
	out.Parts = nil
	for _, p := range m.parts.sorted() {
		if t := p.v.text.join(); !t.IsZero() {
			*p.v.streamed() = t
		}
		if p.v.sign != nil {
			p.v.sign.Value = p.v.value.join()
			p.v.part.Signature = p.v.sign
		}
		p.v.part.Ext = p.v.ext.join()
		out.Parts = append(out.Parts, p.v.part)
	}
	return out
}

// joiner makes one text of many in linear time. Several are joined as JSON
// writes them, which costs nothing when they came from the wire, mends escapes
// of surrogate pairs that were cut apart, and is what will be written again.
type joiner struct {
	one Text // while there was only one
	buf []byte
}

func (j *joiner) add(t Text) {
	switch {
	case t.IsZero():
	case j.buf != nil:
		j.buf = t.AppendJSONInner(j.buf)
	case j.one.IsZero():
		j.one = t.Clone()
	default:
		j.buf = make([]byte, 1, 2*(j.one.Size()+t.Size())+64)
		j.buf[0] = '"'
		j.buf = j.one.AppendJSONInner(j.buf)
		j.buf = t.AppendJSONInner(j.buf)
	}
}

func (j *joiner) join() Text {
	if j.buf == nil {
		return j.one
	}
	j.one, j.buf = QuotedText(append(j.buf, '"')), nil
	return j.one
}
