package freeform

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/aratta-gateway/aratta/scri"
)

// maxHeld bounds the arguments of a call.
const maxHeld = 16 << 20

// Stream returns the answer with calls of the tools. Such a call is given when it
// has come whole; everything else is passed on as it comes.
func (t *Tools) Stream(s scri.Stream) scri.Stream {
	if r := scri.Whole(s); r != nil {
		if told := t.whole(r); told != r {
			return scri.Replay(told)
		}
		return s
	}
	return &stream{s: s, t: t, calls: map[at]*call{}}
}

// at is a place in an answer.
type at struct{ choice, message, part int }

// stream is an answer on its way. Like every stream it is read by one goroutine.
type stream struct {
	s     scri.Stream
	t     *Tools
	calls map[at]*call // that have begun
	held  int          // bytes of their arguments

	queue []*scri.StreamEvent // to be given before anything else
	end   error               // to be given after it
}

// call is a call on its way.
type call struct {
	open *scri.StreamEvent
	args strings.Builder
}

// Next returns the next event.
func (s *stream) Next() (*scri.StreamEvent, error) {
	for {
		if len(s.queue) > 0 {
			e := s.queue[0]
			s.queue[0], s.queue = nil, s.queue[1:]
			return e, nil
		}
		if s.end != nil {
			return nil, s.end
		}
		e, err := s.s.Next()
		switch {
		case err != nil:
			if scri.Ended(err) {
				s.finish(nil)
			}
			s.end = err // of an answer that broke off, a call is no good to anybody
		case s.held > maxHeld:
			s.end = &scri.Error{Kind: scri.ErrTruncated, Message: "the arguments of a call are too long"}
		default:
			if e = s.take(e); e != nil {
				return e, nil
			}
		}
	}
}

// Close ends the answer.
func (s *stream) Close() error { return s.s.Close() }

// Pending reports whether Next will not wait.
func (s *stream) Pending() bool { return len(s.queue) > 0 || s.end != nil || scri.Pending(s.s) }

// take returns the event to be given for one that came; nil = those in the queue,
// or none.
func (s *stream) take(e *scri.StreamEvent) *scri.StreamEvent {
	where := at{e.Choice, e.Message, e.Part}
	switch e.Kind {
	case scri.EventPart:
		if !s.t.is(e.Whole) {
			return e
		}
		c := &call{open: e.Clone()}
		s.add(c, e.Whole.Call.Args)
		s.calls[where] = c
		return nil
	case scri.EventDelta:
		c := s.calls[where]
		switch {
		case c == nil:
			return e
		case e.Signature != nil:
			c.open.Whole.Signature = e.Clone().Signature
		}
		s.add(c, e.Delta)
		return nil
	case scri.EventPartEnd:
		if s.calls[where] == nil {
			return e
		}
		s.give(where, e.Clone())
		return nil
	case scri.EventFinish:
		s.finish(&e.Choice)
	case scri.EventDone:
		s.finish(nil)
	default:
	}
	if len(s.queue) == 0 {
		return e
	}
	s.queue = append(s.queue, e.Clone())
	return nil
}

func (s *stream) add(c *call, args scri.Text) {
	n := c.args.Len()
	c.args.WriteString(args.String())
	s.held += c.args.Len() - n
}

// give puts a call in the queue that has come whole.
func (s *stream) give(where at, end *scri.StreamEvent) {
	c := s.calls[where]
	delete(s.calls, where)
	s.held -= c.args.Len()
	p := of(*c.open.Whole, c.args.String())
	input := p.Call.Args
	p.Call.Args = scri.Text{}
	c.open.Whole = &p
	s.queue = append(s.queue, c.open)
	if !input.IsZero() {
		s.queue = append(s.queue, &scri.StreamEvent{
			Kind: scri.EventDelta, Choice: where.choice, Message: where.message, Part: where.part, Delta: input,
		})
	}
	s.queue = append(s.queue, end)
}

// finish gives the calls of a choice (nil = of all) that nobody ended.
func (s *stream) finish(choice *int) {
	order := slices.SortedFunc(maps.Keys(s.calls), func(a, b at) int {
		return cmp.Or(cmp.Compare(a.choice, b.choice), cmp.Compare(a.message, b.message), cmp.Compare(a.part, b.part))
	})
	for _, where := range order {
		if choice == nil || where.choice == *choice {
			s.give(where, &scri.StreamEvent{Kind: scri.EventPartEnd, Choice: where.choice, Message: where.message, Part: where.part})
		}
	}
}
