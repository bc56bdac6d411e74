package mend

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/aratta-gateway/aratta/scri"
)

// Stream returns the answer with its calls. Text is passed on as it comes, unless
// it may be the beginning of a call.
func (m *Mender) Stream(s scri.Stream) scri.Stream {
	if r := scri.Whole(s); r != nil {
		if mended := m.Whole(r); mended != r {
			return scri.Replay(mended)
		}
		return s
	}
	return &stream{s: s, m: m, texts: map[at]*text{}, numbers: map[at]int{}, next: map[at]int{}, called: map[int]bool{}}
}

// at is a place in an answer.
type at struct{ choice, message, part int }

// stream is an answer on its way. Like every stream it is read by one goroutine.
type stream struct {
	s       scri.Stream
	m       *Mender
	texts   map[at]*text // that may still have calls in them
	numbers map[at]int   // of parts in the mended answer, by what they were
	next    map[at]int   // number of the next part, by message (part is 0)
	called  map[int]bool // choices in which calls were made

	queue []*scri.StreamEvent // to be given before anything else
	end   error               // to be given after it
}

// text is a part of text.
type text struct {
	open   *scri.StreamEvent // its beginning, as long as it was not given
	events []*scri.StreamEvent
	body   strings.Builder // of the events
	alone  bool            // nothing of it was given
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
		if err != nil {
			s.letGo()
			s.end = err
			continue
		}
		if e = s.take(e); e != nil {
			return e, nil
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
		if e.Whole == nil || e.Whole.Kind != scri.PartText || e.Whole.Ext != nil {
			e.Part = s.number(where)
			return e
		}
		t := &text{open: e.Clone(), alone: s.m.alone}
		t.body.WriteString(e.Whole.Text.String())
		s.texts[where] = t
		s.judge(where, t)
		return nil
	case scri.EventDelta, scri.EventPartEnd:
		t := s.texts[where]
		if t == nil {
			e.Part = s.numbered(where)
			return e
		}
		if e.Kind == scri.EventPartEnd {
			s.decide(where, t, e.Clone())
			return nil
		}
		t.events = append(t.events, e.Clone())
		t.body.WriteString(e.Delta.String())
		if e.Citation != nil || e.Signature != nil || t.body.Len() > maxHeld {
			s.release(where, t)
			delete(s.texts, where) // it is a text, whatever comes
			return nil
		}
		s.judge(where, t)
		return nil
	case scri.EventFinish:
		s.finishTexts(e.Choice)
		return s.after(s.finish(e))
	case scri.EventDone:
		s.letGo()
		return s.after(s.finish(e))
	default:
		return e
	}
}

// after gives an event behind those in the queue.
func (s *stream) after(e *scri.StreamEvent) *scri.StreamEvent {
	if len(s.queue) == 0 {
		return e
	}
	s.queue = append(s.queue, e.Clone())
	return nil
}

// judge passes on what cannot be a call.
func (s *stream) judge(where at, t *text) {
	if look(t.body.String(), t.alone) == plain {
		s.release(where, t)
	}
}

// release gives what was held of a text.
func (s *stream) release(where at, t *text) {
	if t.body.Len() > 0 {
		t.alone = false
	}
	s.begin(where, t, false)
	for _, e := range t.events {
		e.Part = s.numbered(where)
		s.queue = append(s.queue, e)
	}
	t.events = nil
	t.body.Reset()
}

// begin gives the beginning of a text, without the words that came with it where
// they are not to be given.
func (s *stream) begin(where at, t *text, bare bool) {
	if t.open == nil {
		return
	}
	e := t.open
	t.open = nil
	e.Part = s.number(where)
	if bare {
		e.Whole.Text = scri.Text{}
	}
	s.queue = append(s.queue, e)
}

// decide ends a text: with its calls, or as the text that it is.
func (s *stream) decide(where at, t *text, end *scri.StreamEvent) {
	delete(s.texts, where)
	calls, rest, form := s.m.tools.parse(t.body.String(), t.alone)
	if len(calls) == 0 {
		s.release(where, t)
		if end != nil {
			end.Part = s.numbered(where)
			s.queue = append(s.queue, end)
		}
		return
	}
	opened := t.open == nil
	if opened || rest != "" {
		s.begin(where, t, true)
		n := s.numbered(where)
		if rest != "" {
			s.queue = append(s.queue, &scri.StreamEvent{Kind: scri.EventDelta, Choice: where.choice, Message: where.message, Part: n, Delta: scri.NewText(rest)})
		}
		if end == nil {
			end = &scri.StreamEvent{Kind: scri.EventPartEnd, Choice: where.choice, Message: where.message}
		}
		end.Part = n
		s.queue = append(s.queue, end)
	}
	for _, f := range calls {
		s.call(where, f, form)
	}
	s.called[where.choice] = true
}

// call gives a call that was found in a text.
func (s *stream) call(where at, f found, form string) {
	p := s.m.part(f)
	args := p.Call.Args
	p.Call.Args = scri.Text{}
	n := s.next[at{where.choice, where.message, 0}]
	s.next[at{where.choice, where.message, 0}]++
	w := warning(path(where.choice, where.message, n), form)
	for _, e := range []*scri.StreamEvent{
		{Kind: scri.EventPart, Whole: &p}, {Kind: scri.EventDelta, Delta: args}, {Kind: scri.EventPartEnd}, {Kind: scri.EventWarning, Warning: &w},
	} {
		e.Choice, e.Message, e.Part = where.choice, where.message, n
		if e.Kind == scri.EventWarning {
			e.Choice, e.Message, e.Part = 0, 0, 0
		}
		s.queue = append(s.queue, e)
	}
}

// number gives a part that begins its number.
func (s *stream) number(where at) int {
	m := at{where.choice, where.message, 0}
	n := s.next[m]
	s.next[m]++
	s.numbers[where] = n
	return n
}

// numbered is the number of a part that has begun.
func (s *stream) numbered(where at) int {
	if n, ok := s.numbers[where]; ok {
		return n
	}
	return where.part
}

// finishTexts decides texts of a choice that nobody ended.
func (s *stream) finishTexts(choice int) {
	for _, where := range s.held() {
		if where.choice == choice {
			s.decide(where, s.texts[where], nil)
		}
	}
}

// held lists the texts that are not decided, in their order.
func (s *stream) held() []at {
	return slices.SortedFunc(maps.Keys(s.texts), func(a, b at) int {
		return cmp.Or(cmp.Compare(a.choice, b.choice), cmp.Compare(a.message, b.message), cmp.Compare(a.part, b.part))
	})
}

// letGo gives what is held of an answer that breaks off.
func (s *stream) letGo() {
	for _, where := range s.held() {
		s.release(where, s.texts[where])
		delete(s.texts, where)
	}
}

// finish tells that calls were made.
func (s *stream) finish(e *scri.StreamEvent) *scri.StreamEvent {
	if e.Finish != nil && s.called[e.Choice] {
		f := called(*e.Finish)
		e.Finish = &f
	}
	return e
}
