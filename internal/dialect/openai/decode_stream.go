package openai

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// DecodeStream reads a chat completion as it comes.
func (chat) DecodeStream(a *dialect.Answer) scri.Stream {
	s := &stream{a: a}
	if a.Target != nil && a.Target.Variant == variantFunctions {
		return dialect.Orderly(modernStream{s})
	}
	return dialect.Orderly(s)
}

// stream is the decoder of one streamed answer.
//
// Chunks repeat what the first one said, and add members of their own here and
// there. What is new at the top goes to the last event's head; what is new in a
// choice, to its finish, where the last value counts; what is new in a delta
// goes with that delta and nowhere else.
type stream struct {
	a      *dialect.Answer
	frames *wire.SSE
	whole  scri.Stream // the provider gave a whole answer instead

	q     []scri.StreamEvent // events of one frame, given up to qi
	qi    int
	final error // what Next returns when the queue is empty

	top, sub decoder // the chunk and its choices; a delta
	next     chunk
	same     pattern
	only     []byte // the only text of the chunk at hand
	pad      []byte // its padding, quoted
	texts    int    // deltas of the chunk at hand

	head     scri.ChatResponse
	created  int64
	started  bool
	heard    bool // some frame came
	around   news // members of the chunks that nobody knows
	oddly    dialect.Once
	lateHead scri.ChatResponse
	choices  []*choice

	use    usage
	useRaw []byte
	inline *scri.Ext

	cited  fields      // what the annotations of the delta at hand say
	failed *scri.Error // told inside the stream
	broken error       // a frame that is no JSON: cut off, or garbage
}

// Next returns the next event.
func (s *stream) Next() (*scri.StreamEvent, error) {
	for {
		if s.qi < len(s.q) {
			e := &s.q[s.qi]
			s.qi++
			return e, nil
		}
		if s.final != nil {
			return nil, s.final
		}
		s.q, s.qi = s.q[:0], 0
		if s.whole != nil {
			return s.fromWhole()
		}
		s.read()
	}
}

// Pending reports whether Next has an event without waiting for the provider.
func (s *stream) Pending() bool {
	return s.qi < len(s.q) || s.final != nil || s.whole != nil || s.frames != nil && s.frames.Pending()
}

// Close does nothing: what the stream is read from has an owner.
func (s *stream) Close() error { return nil }

// push adds an event. It is filled where it lies: events are large, and a literal of
// each kind would lie on the stack too.
func (s *stream) push(kind scri.EventKind, choice, part int) *scri.StreamEvent {
	n := len(s.q)
	s.q = slices.Grow(s.q, 1)[:n+1]
	e := &s.q[n]
	*e = scri.StreamEvent{}
	e.Kind, e.Choice, e.Part = kind, choice, part
	return e
}

func (s *stream) fromWhole() (*scri.StreamEvent, error) {
	e, err := s.whole.Next()
	if err != nil {
		s.final = err
	}
	return e, err
}

// read takes in one frame, or the end.
func (s *stream) read() {
	if s.frames == nil && !s.open() {
		return
	}
	f, err := s.frames.Next()
	switch {
	case err != nil:
		s.end(err)
	case f.Comment:
		s.push(scri.EventPing, 0, 0)
	case s.broken != nil:
		s.final = s.unreadable(s.broken)
	default:
		s.frame(f)
	}
}

func (s *stream) frame(f *wire.Frame) {
	s.heard = true
	data := bytes.TrimSpace(f.Data)
	switch {
	case len(data) == 0:
	case string(data) == "[DONE]":
		s.end(io.EOF)
	case string(f.Event) == "error" && s.failed == nil:
		if s.broken = wire.Valid(data); s.broken == nil {
			s.fail(data)
		}
	case s.fast(data):
	default:
		s.chunk(data)
	}
}

// open looks at how the body begins: some providers answer with one JSON value
// although a stream was asked for, above all when they refuse.
func (s *stream) open() bool {
	s.frames = wire.NewSSE(s.a.Stream, s.max())
	looked := 0
	for range 100 {
		head, err := s.frames.Look(looked + 1)
		looked = len(head)
		text := bytes.TrimLeft(head, " \t\r\n")
		if len(text) > 0 && (text[0] == '{' || text[0] == '[') {
			s.frames = nil
			s.plain(io.MultiReader(bytes.NewReader(head), s.a.Stream))
			return false
		}
		if err != nil || len(text) > 0 {
			break
		}
	}
	return true
}

func (s *stream) max() int {
	if s.a.MaxFrame > 0 {
		return s.a.MaxFrame
	}
	return dialect.DefaultMaxFrame
}

// plain reads a body that is one JSON value.
func (s *stream) plain(r io.Reader) {
	body, err := io.ReadAll(io.LimitReader(r, int64(s.max())+1))
	if err != nil {
		s.final = brokenOff(err)
		return
	}
	a := *s.a
	a.Body = body
	resp, err := chat{}.DecodeResponse(&a)
	if err != nil {
		if wire.Valid(body) != nil {
			err = brokenOff(io.EOF)
		}
		s.final = err
		return
	}
	for i := range resp.Choices {
		if resp.Choices[i].Finish.Reason == "" {
			resp.Choices = nil
			break
		}
	}
	if len(resp.Choices) == 0 {
		s.final = brokenOff(io.EOF)
		return
	}
	s.whole = scri.Replay(resp)
}

func (s *stream) unreadable(err error) *scri.Error {
	e := dialect.Unreadable(err)
	e.Dialect = name
	return e
}

// fail notes an error that was told inside the stream. Usage may still follow.
func (s *stream) fail(raw []byte) {
	s.failed = dialect.OpenAIErrorIn(bytes.Clone(raw), name)
}

// complete reports whether every choice has its finish.
func (s *stream) complete() bool {
	for _, c := range s.choices {
		if !c.finished {
			return false
		}
	}
	return len(s.choices) > 0
}

// end judges how the stream ended.
func (s *stream) end(err error) {
	switch {
	case s.failed != nil:
		s.final = s.failed
	case s.complete():
		s.finishes()
		s.done()
		s.final = io.EOF
	case errors.Is(err, io.EOF) && !s.heard && s.frames.Garbage() > 0 && !halfField(s.frames.GarbageText()):
		e := s.unreadable(errors.New("it is no event stream"))
		e.Raw = []byte(s.frames.GarbageText())
		s.final = e
	default:
		s.final = brokenOff(err)
	}
}

// brokenOff is the error about a stream that did not reach its end. It never
// wraps io.EOF, which stands for a clean one.
func brokenOff(err error) *scri.Error {
	e := dialect.BrokenOff(err)
	if errors.Is(e.Err, io.EOF) {
		e.Err = io.ErrUnexpectedEOF
	}
	return e
}

// halfField reports whether a line may be the beginning of a field that was cut off.
func halfField(line string) bool {
	return strings.HasPrefix("data", line) || strings.HasPrefix("event", line)
}

// done gives what the chunks said later than the first.
func (s *stream) done() {
	s.lateHead.Ext = nil
	if m := s.around.late.object(); m != nil {
		s.lateHead.Ext = &scri.Ext{Dialect: name, Members: m}
	}
	e := s.push(scri.EventDone, 0, 0)
	e.Head, e.Finish = &s.lateHead, &s.choices[0].ended
	for _, c := range s.choices {
		if c.index == 0 {
			e.Finish = &c.ended
		}
	}
	if s.useRaw != nil {
		e.Usage = &s.use.Usage
	}
}

// chunk is what one frame says, as far as it must be seen as a whole.
type chunk struct {
	id, model      string
	created        int64
	choices, usage []byte
	groq           []byte // the usage inside x_groq
	failed         bool
}

// chunk takes in the data of one frame.
func (s *stream) chunk(data []byte) {
	s.only, s.pad, s.texts = nil, nil, 0
	d := &s.top
	d.lenient = true
	d.Reset(data)
	c := &s.next
	*c = chunk{}
	for member := range d.Members() {
		s.member(member)
	}
	if err := d.End(); err != nil {
		s.broken = err
		return
	}
	if s.failed == nil && c.failed {
		s.fail(data)
	}
	if !s.started && (c.id != "" || c.choices != nil && string(c.choices) != "[]") {
		s.start()
	} else if s.started {
		s.belated()
	}
	from := len(s.q)
	if c.choices != nil {
		s.readChoices(c.choices)
	}
	s.readUsage(len(s.q) > from || c.choices != nil && string(c.choices) != "[]")
	s.hear()
	s.learn(data)
}

func (s *stream) member(member string) {
	d, c := &s.top, &s.next
	switch {
	case member == "object" && d.Kind() == wire.String:
		c.failed = c.failed || d.Unquoted() == "error"
	case d.Kind() == wire.Null: // said of every chunk
	case member == "obfuscation", member == "p": // there to hide how long it is
		if d.Kind() == wire.String {
			s.pad = d.Str()
		}
	case member == "id" && d.Kind() == wire.String:
		c.id = d.Unquoted()
	case member == "model" && d.Kind() == wire.String:
		c.model = d.Unquoted()
	case member == "created" && d.Kind() == wire.Number && moment(d, &c.created):
	case member == "choices" && d.Kind() == wire.Array:
		c.choices = d.Raw()
	case member == "usage" && d.Kind() == wire.Object:
		c.usage = d.Raw()
	case member == "error":
		c.failed = true
	default:
		if member == "x_groq" {
			c.groq = d.Peek("usage")
		}
		raw := d.Raw()
		switch {
		case raw == nil:
		case isOneOf(member, "id", "model", "created", "choices", "usage", "object"): // of no shape that these have
			s.odd(member, raw)
		case !s.started:
			s.around.known.keep(member, raw)
		default:
			s.around.add(member, raw)
		}
	}
}

// odd passes on a member of a chunk that is of another shape than it should be, once:
// the answer has a place for one of its name already.
func (s *stream) odd(member string, raw []byte) {
	if !s.oddly.First(member) {
		return
	}
	w := wire.Writer{B: []byte(`{"choices":[]`)}
	if member == "choices" {
		w.B = []byte{'{'}
	} else {
		w.Comma()
	}
	w.Str(member)
	w.B = append(append(append(w.B, ':'), raw...), '}')
	s.push(scri.EventOpaque, 0, 0).Ext = &scri.Ext{Dialect: name, Members: w.B}
}

func (s *stream) start() {
	s.started = true
	c := &s.next
	s.head = scri.ChatResponse{ID: string([]byte(c.id)), Model: string([]byte(c.model))}
	s.top.seed = idSeed([]byte(c.id))
	s.sub.seed = s.top.seed
	if s.created = c.created; c.created != 0 {
		s.head.Created, _ = dialect.Moment(c.created)
	}
	s.head.Ext = &scri.Ext{Dialect: name, Members: s.around.known.object()}
	s.push(scri.EventStart, 0, 0).Head = &s.head
}

// belated notes what the first chunk left out.
func (s *stream) belated() {
	c := &s.next
	if s.head.ID == "" && c.id != "" && s.lateHead.ID == "" {
		s.lateHead.ID = string([]byte(c.id))
	}
	if s.head.Model == "" && c.model != "" && s.lateHead.Model == "" {
		s.lateHead.Model = string([]byte(c.model))
	}
	if s.created == 0 && c.created != 0 && s.lateHead.Created.IsZero() {
		s.lateHead.Created, _ = dialect.Moment(c.created)
	}
}

// readUsage gives the usage if it is news. inline tells that it came beside
// what was said, and not in a chunk of its own that is sent on request.
func (s *stream) readUsage(inline bool) {
	raw := s.next.usage
	if raw == nil && s.useRaw == nil {
		raw = s.next.groq
	}
	if raw == nil || !s.started || s.useRaw != nil && bytes.Equal(raw, s.useRaw) {
		return
	}
	s.useRaw = append(s.useRaw[:0], raw...)
	readUsage(&s.sub.Scanner, &s.use, s.useRaw)
	e := s.push(scri.EventUsage, 0, 0)
	e.Usage = &s.use.Usage
	if inline {
		if s.inline == nil {
			s.inline = &scri.Ext{Dialect: name, Form: "inline"}
		}
		e.Ext = s.inline
	}
}

// moment reads a time, or the 0 that stands for none. What is neither is not read, so
// that it is kept as it stands.
func moment(d *decoder, created *int64) bool {
	m, n := d.Mark(), *created
	number(&d.Scanner, &n)
	if _, ok := dialect.Moment(n); !ok && n != 0 {
		d.Rewind(m)
		return false
	}
	*created = n
	return true
}
