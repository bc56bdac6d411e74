package dialect

import (
	"context"
	"sync"

	"github.com/aratta-gateway/aratta/scri"
)

// askAll lets h answer x and, one after the other, more requests of the same body. The
// answers are told as choices of one, in their order; the usage is that of all.
func askAll(ctx context.Context, h scri.Handler, x *scri.Exchange, more []*scri.ChatRequest) (scri.Stream, error) {
	a := &several{ctx: ctx, h: h, x: x, more: more}
	a.like = *x // as x forgets the request once its answer has begun
	var err error
	if a.s, err = h(ctx, x); err != nil {
		return nil, err
	}
	return a, nil
}

// several is the answers to several requests as one.
type several struct {
	ctx  context.Context
	h    scri.Handler
	x    *scri.Exchange
	like scri.Exchange
	y    *scri.Exchange      // the one at hand, unless it is the first
	more []*scri.ChatRequest // not asked yet

	mu     sync.Mutex // of s and closed
	s      scri.Stream
	closed bool

	begun   bool // the beginning was told
	choices int  // told by answers that are over
	seen    int  // told by the one at hand
	counted *scri.Usage
	usage   *scri.Usage // of the one at hand
	e       scri.StreamEvent
}

// Next returns the next event.
func (s *several) Next() (*scri.StreamEvent, error) {
	for {
		e, err := s.stream().Next()
		if err != nil {
			s.account()
			return nil, err
		}
		if out := s.take(e); out != nil {
			return out, nil
		}
		if e.Kind != scri.EventDone {
			continue
		}
		if err := s.next(); err != nil {
			return nil, err
		}
	}
}

// take is the event as one of the whole; nil: it is none.
func (s *several) take(e *scri.StreamEvent) *scri.StreamEvent {
	switch e.Kind {
	case scri.EventStart:
		if s.begun {
			return nil
		}
		s.begun = true
	case scri.EventUsage:
		s.usage = e.Usage.Clone()
		return nil
	case scri.EventMessage, scri.EventPart, scri.EventDelta, scri.EventPartEnd, scri.EventFinish:
		s.seen = max(s.seen, e.Choice+1)
		if s.choices == 0 {
			return e
		}
		s.e = *e
		s.e.Choice += s.choices
		return &s.e
	case scri.EventDone:
		if e.Usage != nil {
			s.usage = e.Usage.Clone()
		}
		s.counted = sum(s.counted, s.usage)
		s.usage = nil
		s.account()
		if len(s.more) > 0 {
			return nil
		}
		return s.last(e)
	default:
	}
	return e
}

// account adds what the answer at hand took to what the exchange has taken, unless it
// is the first one's or was added already.
func (s *several) account() {
	if s.y == nil {
		return
	}
	l, more := s.x.Lineage, s.y.Lineage
	s.x.Warnings = append(s.x.Warnings, s.y.Warnings...)
	s.y = nil
	l.Attempts = append(l.Attempts, more.Attempts...)
	if l.CostUSD == nil || more.CostUSD == nil { // a part is not the whole
		l.CostUSD = nil
		return
	}
	l.CostUSD = new(*l.CostUSD + *more.CostUSD)
}

// last is the last event of the last answer, as that of all.
func (s *several) last(e *scri.StreamEvent) *scri.StreamEvent {
	s.e = *e
	s.e.Usage = s.counted
	if s.choices > 0 {
		s.e.Finish = nil // it is not the first choice's
	}
	if e.Head != nil {
		head := *e.Head
		head.Lineage = s.x.Lineage
		s.e.Head = &head
	}
	return &s.e
}

// next asks for the next answer.
func (s *several) next() error {
	if err := s.stream().Close(); err != nil {
		return err
	}
	s.choices, s.seen = s.choices+s.seen, 0
	y := s.like
	y.In, y.Req, y.Body, y.Warnings = s.more[0], s.more[0], nil, nil
	y.Lineage = &scri.Lineage{ID: s.like.ID, Ingress: s.x.Lineage.Ingress, Asked: s.x.Lineage.Asked}
	s.more, s.y = s.more[1:], &y
	answer, err := s.h(s.ctx, &y)
	if err != nil {
		s.account()
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.s = answer; s.closed {
		return s.s.Close()
	}
	return nil
}

func (s *several) stream() scri.Stream {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.s
}

// Pending reports whether Next would not wait.
func (s *several) Pending() bool { return scri.Pending(s.stream()) }

// Close ends the answer at hand; no other is asked for.
func (s *several) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	return s.s.Close()
}

// sum adds up two usages; nil is none.
func sum(a, b *scri.Usage) *scri.Usage {
	if a == nil || b == nil {
		if a == nil {
			return b
		}
		return a
	}
	add := func(x, y *int64) *int64 {
		if x == nil || y == nil {
			if x == nil {
				return y
			}
			return x
		}
		return new(*x + *y)
	}
	return &scri.Usage{
		Input: add(a.Input, b.Input), Output: add(a.Output, b.Output), CacheRead: add(a.CacheRead, b.CacheRead),
		CacheWrite: add(a.CacheWrite, b.CacheWrite), Thinking: add(a.Thinking, b.Thinking), Estimated: a.Estimated || b.Estimated,
	}
}
