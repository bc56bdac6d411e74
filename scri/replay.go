package scri

import "io"

// Replay returns the stream of a whole answer, in the order in which a provider
// would have sent it: each part begins empty, gets its text or arguments in one
// delta, then its citations and its signature, and ends. Media, results of
// tools, hidden thoughts and opaque parts come whole with their beginning. The
// stream never waits, allocates nothing per event, and aliases r, which must
// not be changed while it is read. [Collect] of it gives back r.
func Replay(r *ChatResponse) Stream { return &replay{r: r} }

// whole is the optional half of a Stream that has its answer whole already.
type whole interface{ Whole() *ChatResponse }

// Whole returns the answer that s would give if it is there whole already, else
// nil: s comes from [Replay], or has a method Whole() *ChatResponse that tells
// it, and nobody has read of it. It lets a stage that does not care for events
// do without them. A stream may take an answer given in this way as delivered:
// whoever was given one only closes s. The answer is shared and must not be
// changed.
func Whole(s Stream) *ChatResponse {
	if w, ok := s.(whole); ok {
		return w.Whole()
	}
	return nil
}

// fresh returns the answer if s, or what those who look on at s see, is a replay
// of which nothing was read. Unlike [Whole] it takes nothing.
func fresh(s Stream) *ChatResponse {
	switch s := s.(type) {
	case *replay:
		return s.Whole()
	case *teed:
		return fresh(s.s)
	default:
		return nil
	}
}

// step is what of the current part, or around the parts, comes next.
type step uint8

const (
	stepStart step = iota
	stepMessage
	stepPart
	stepDelta
	stepCitation
	stepSignature
	stepPartEnd
	stepUsage
	stepFinish
	stepDone
	stepEnd
)

type replay struct {
	r       *ChatResponse
	i       int // events given so far
	next    step
	c, m, p int // choice, message and part that are next
	cite    int // citation that is next
	spoken  bool
	closed  bool

	*said // nil before the first event: most answers are taken whole
}

// said is an event and what it points to, kept so that no further event allocates.
type said struct {
	e     StreamEvent
	head  ChatResponse
	open  Message
	whole Part
	call  ToolCall
}

// Whole returns the answer if nothing was read of it yet, else nil.
func (s *replay) Whole() *ChatResponse {
	if s.i > 0 || s.closed {
		return nil
	}
	return s.r
}

// Pending reports true: a replay never waits.
func (s *replay) Pending() bool { return true }

// Close ends the replay.
func (s *replay) Close() error {
	s.closed = true
	return nil
}

// Next returns the next event.
func (s *replay) Next() (*StreamEvent, error) {
	if s.said == nil {
		s.said = new(said)
	}
	for !s.closed && s.next != stepEnd {
		if s.advance() {
			s.i++
			return &s.e, nil
		}
	}
	return nil, io.EOF
}

// advance takes one step and reports whether it made an event.
func (s *replay) advance() bool {
	switch s.next {
	case stepStart:
		r := s.r
		s.head = ChatResponse{ID: r.ID, Model: r.Model, Provider: r.Provider, Created: r.Created, Ext: r.Ext}
		s.e = StreamEvent{Kind: EventStart, Head: &s.head}
		s.toChoice(0)
	case stepMessage:
		return s.message()
	case stepPart:
		return s.part()
	case stepDelta:
		return s.delta()
	case stepCitation:
		return s.citation()
	case stepSignature:
		s.next = stepPartEnd
		p := s.current()
		if p.Signature == nil || comesWhole(p) {
			return false
		}
		s.e = s.event(EventDelta)
		s.e.Signature = p.Signature
	case stepPartEnd:
		s.e = s.event(EventPartEnd)
		s.p++
		s.next = stepPart
	case stepUsage:
		s.c = 0
		s.next = stepFinish
		s.e = StreamEvent{Kind: EventUsage, Usage: s.r.Usage}
		return s.r.Usage != nil
	case stepFinish:
		return s.finish()
	case stepDone:
		s.next = stepEnd
		s.head = ChatResponse{Warnings: s.r.Warnings, Lineage: s.r.Lineage}
		s.e = StreamEvent{Kind: EventDone, Head: &s.head, Usage: s.r.Usage}
		if len(s.r.Choices) > 0 {
			s.e.Finish = &s.r.Choices[0].Finish
		}
	default:
		return false
	}
	return true
}

func (s *replay) event(k EventKind) StreamEvent {
	return StreamEvent{Kind: k, Choice: s.c, Message: s.m, Part: s.p}
}

func (s *replay) current() *Part { return &s.r.Choices[s.c].Output[s.m].Parts[s.p] }

func (s *replay) toChoice(c int) {
	s.c, s.m, s.spoken = c, 0, false
	s.next = stepMessage
}

func (s *replay) message() bool {
	if s.c == len(s.r.Choices) {
		s.next = stepUsage
		return false
	}
	out := s.r.Choices[s.c].Output
	if s.m == len(out) {
		s.toChoice(s.c + 1)
		return false
	}
	s.p, s.next = 0, stepPart
	s.open = out[s.m]
	s.open.Parts = nil
	s.e = StreamEvent{Kind: EventMessage, Choice: s.c, Message: s.m, Open: &s.open}
	return true
}

func (s *replay) part() bool {
	if s.p == len(s.r.Choices[s.c].Output[s.m].Parts) {
		s.m++
		s.next = stepMessage
		return false
	}
	p := s.current()
	s.whole = *p
	s.cite, s.next = 0, stepDelta
	s.e = s.event(EventPart)
	s.e.Whole = &s.whole
	if comesWhole(p) {
		s.next = stepPartEnd
		return true
	}
	s.whole.Citations, s.whole.Signature = nil, nil
	switch {
	case p.Kind != PartToolCall:
		s.whole.Text = Text{}
	case p.Call != nil:
		s.call = *p.Call
		s.call.Args = Text{}
		s.whole.Call = &s.call
	default:
	}
	return true
}

// comesWhole reports whether nothing of the part is left to deltas.
func comesWhole(p *Part) bool {
	switch p.Kind {
	case PartText, PartThinking, PartRefusal, PartToolCall:
		return p.Signature != nil && p.Signature.Redacted
	default:
		return true
	}
}

func (s *replay) delta() bool {
	s.next = stepCitation
	p := s.current()
	s.e = s.event(EventDelta)
	switch {
	case p.Kind != PartToolCall:
		s.e.Delta = p.Text
	case p.Call != nil:
		s.e.Delta = p.Call.Args
	default:
	}
	if s.e.Delta.IsZero() {
		return false
	}
	if p.Kind == PartText && !s.spoken {
		s.spoken = true
		s.e.LogProbs = s.r.Choices[s.c].LogProbs
	}
	return true
}

func (s *replay) citation() bool {
	p := s.current()
	if s.cite == len(p.Citations) {
		s.next = stepSignature
		return false
	}
	s.e = s.event(EventDelta)
	s.e.Citation = &p.Citations[s.cite]
	s.cite++
	return true
}

func (s *replay) finish() bool {
	if s.c == len(s.r.Choices) {
		s.next = stepDone
		return false
	}
	ch := &s.r.Choices[s.c]
	s.e = StreamEvent{Kind: EventFinish, Choice: s.c, Finish: &ch.Finish, Ext: ch.Ext}
	if !ch.spoken() {
		s.e.LogProbs = ch.LogProbs
	}
	s.c++
	return true
}

// spoken reports whether the choice has text to bind its log-probabilities to.
func (c *Choice) spoken() bool {
	for i := range c.Output {
		for j := range c.Output[i].Parts {
			p := &c.Output[i].Parts[j]
			if p.Kind == PartText && !comesWhole(p) && !p.Text.IsZero() {
				return true
			}
		}
	}
	return false
}
