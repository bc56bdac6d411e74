package scri

import (
	"errors"
	"iter"
)

// Stream is an answer as it comes. Next returns io.EOF after a clean end and an
// *Error when the answer broke off. A stream is bound to the context it was
// opened with. Close ends it early; it may be called twice, and while another
// goroutine waits in Next.
type Stream interface {
	Next() (*StreamEvent, error)
	Close() error
}

// pending is the optional half of a Stream that knows whether Next would wait.
type pending interface{ Pending() bool }

// Pending reports whether the next event is in memory already, so that Next
// will not wait for the network. A writer uses it to send what came together in
// one piece. It is false when the stream does not know.
func Pending(s Stream) bool {
	p, ok := s.(pending)
	return ok && p.Pending()
}

// Map returns a stream of f's results. f may change the event it is given or
// return another; nil drops it. An error ends the stream.
func Map(s Stream, f func(*StreamEvent) (*StreamEvent, error)) Stream {
	return &mapped{s: s, f: f}
}

type mapped struct {
	s Stream
	f func(*StreamEvent) (*StreamEvent, error)
}

func (m *mapped) Next() (*StreamEvent, error) {
	for {
		e, err := m.s.Next()
		if err != nil {
			return nil, err
		}
		if e, err = m.f(e); e != nil || err != nil {
			return e, err
		}
	}
}

func (m *mapped) Close() error  { return m.s.Close() }
func (m *mapped) Pending() bool { return Pending(m.s) }

// Tee returns s with f looking on: it sees each event, and the error that ends
// the stream (io.EOF for a clean end) once. It must not change or keep events.
func Tee(s Stream, f func(*StreamEvent, error)) Stream { return &teed{s: s, f: f} }

type teed struct {
	s    Stream
	f    func(*StreamEvent, error)
	done bool
}

func (t *teed) Next() (*StreamEvent, error) {
	e, err := t.s.Next()
	if err == nil {
		t.f(e, nil)
		return e, nil
	}
	if !t.done {
		t.done = true
		t.f(nil, err)
	}
	return nil, err
}

func (t *teed) Close() error  { return t.s.Close() }
func (t *teed) Pending() bool { return Pending(t.s) }

// Bounds of what Peek holds back: how many events, and bytes of them.
const (
	maxHeld     = 1024
	maxHeldSize = 8 << 20
)

// Peek reads s up to its first event with content and returns a stream that
// gives all of it again, less the pings. An error before any content is returned
// as such, and s is closed; an answer that ends cleanly without content is no
// error, and one that goes on and on without any is not held back for ever.
// Pings and the like before the content are shown to seen, as they come.
func Peek(s Stream, seen func(*StreamEvent)) (Stream, error) {
	if r, ok := s.(*replay); ok && r.Whole() != nil {
		return s, nil
	}
	p := &peeked{s: s}
	size := 0
	for {
		e, err := s.Next()
		if Ended(err) {
			p.end = err
			return p, nil
		}
		if err != nil {
			return nil, joined(err, s.Close())
		}
		if seen != nil {
			seen(e)
		}
		switch {
		case e.Content() || len(p.head) == maxHeld || size > maxHeldSize:
			p.last = e // stays valid, as nobody calls Next before it was given on
			return p, nil
		case e.Kind != EventPing:
			p.head = append(p.head, e.Clone())
			size += e.size()
		default:
		}
	}
}

type peeked struct {
	s    Stream
	head []*StreamEvent
	last *StreamEvent
	end  error
}

func (p *peeked) Next() (*StreamEvent, error) {
	if len(p.head) > 0 {
		e := p.head[0]
		p.head[0], p.head = nil, p.head[1:]
		return e, nil
	}
	if e := p.last; e != nil {
		p.last, p.head = nil, nil
		return e, nil
	}
	if p.end != nil {
		return nil, p.end
	}
	return p.s.Next()
}

func (p *peeked) Close() error { return p.s.Close() }

func (p *peeked) Pending() bool {
	return len(p.head) > 0 || p.last != nil || p.end != nil || Pending(p.s)
}

// joined is err and, if there is one, the second error with it.
func joined(err, second error) error {
	if second == nil {
		return err
	}
	return errors.Join(err, second)
}

// All ranges over the events of s and closes it. The last pair has a nil event
// and the error, unless the end was clean.
func All(s Stream) iter.Seq2[*StreamEvent, error] {
	return func(yield func(*StreamEvent, error) bool) {
		defer s.Close() //nolint:errcheck // reading is over; nothing can be done about it
		for {
			e, err := s.Next()
			if Ended(err) {
				return
			}
			if !yield(e, err) || err != nil {
				return
			}
		}
	}
}
