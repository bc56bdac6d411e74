package dialect_test

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/scri"
)

// script is a stream of events that are written as in shown.
type script struct{ list []string }

func (s *script) Close() error { return nil }

func (s *script) Next() (*scri.StreamEvent, error) {
	if len(s.list) == 0 {
		return nil, io.EOF
	}
	var part int
	var word string
	n, _ := fmt.Sscanf(s.list[0], "%s %d", &word, &part)
	if n < 2 {
		_, _ = fmt.Sscanf(s.list[0], "%s", &word)
	}
	_, rest, _ := strings.Cut(s.list[0], ": ")
	s.list = s.list[1:]
	e := &scri.StreamEvent{Kind: scri.EventKind(strings.TrimSuffix(word, ":")), Part: part}
	switch e.Kind {
	case scri.EventStart:
		e.Head = &scri.ChatResponse{Model: rest}
	case scri.EventMessage:
		e.Open, e.Part, e.Message = &scri.Message{Role: scri.Role(rest)}, 0, part
	case scri.EventPart:
		e.Whole = &scri.Part{Kind: scri.PartKind(rest)}
	case scri.EventDelta:
		e.Delta = scri.NewText(rest)
	case scri.EventFinish:
		e.Finish, e.Part, e.Choice = &scri.Finish{Reason: scri.FinishReason(rest)}, 0, part
	case scri.EventDone:
		if rest != "" {
			e.Finish = &scri.Finish{Reason: scri.FinishReason(rest)}
		}
	default:
	}
	return e, nil
}

// shown writes an event: its kind, its number, and what it says.
func shown(e *scri.StreamEvent) string {
	switch e.Kind {
	case scri.EventStart:
		return "start: " + e.Head.Model
	case scri.EventMessage:
		return fmt.Sprintf("message %d: %s", e.Message, e.Open.Role)
	case scri.EventPart:
		return fmt.Sprintf("part %d: %s", e.Part, e.Whole.Kind)
	case scri.EventDelta:
		return fmt.Sprintf("delta %d: %s", e.Part, e.Delta)
	case scri.EventPartEnd:
		return fmt.Sprintf("part_end %d", e.Part)
	case scri.EventFinish:
		return fmt.Sprintf("finish %d: %s", e.Choice, e.Finish.Reason)
	case scri.EventDone:
		if e.Head != nil && e.Head.Model != "" {
			return "done, by " + e.Head.Model
		}
		return "done"
	default:
		return string(e.Kind)
	}
}

func TestOrderly(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{
			"an answer in order passes as it is",
			"start: m, message 0: assistant, part 0: thinking, delta 0: Hm, part_end 0, part 1: text, delta 1: a, delta 1: b, part_end 1, finish 0: stop, done",
			"start: m, message 0: assistant, part 0: thinking, delta 0: Hm, part_end 0, part 1: text, delta 1: a, delta 1: b, part_end 1, finish 0: stop, done",
		},
		{
			"numbers with gaps and backwards",
			"message 0: assistant, part 7: text, delta 7: a, part_end 7, part 3: text, delta 3: b, part_end 3, finish 0: stop, done",
			"message 0: assistant, part 0: text, delta 0: a, part_end 0, part 1: text, delta 1: b, part_end 1, finish 0: stop, done",
		},
		{
			"a start that comes late tells its model at the end",
			"start: , part 0: text, delta 0: a, start: m, part_end 0, finish 0: stop, done",
			"start: , part 0: text, delta 0: a, part_end 0, finish 0: stop, done, by m",
		},
		{
			"a message that begins twice is one",
			"message 0: assistant, part 0: text, delta 0: a, message 0: assistant, delta 0: b, finish 0: stop, done",
			"message 0: assistant, part 0: text, delta 0: a, delta 0: b, part_end 0, finish 0: stop, done",
		},
		{
			"another speaker's is another",
			"message 0: assistant, part 0: text, delta 0: a, message 0: tool, part 0: text, delta 0: b, finish 0: stop, done",
			"message 0: assistant, part 0: text, delta 0: a, part_end 0, message 1: tool, part 0: text, delta 0: b, part_end 0, finish 0: stop, done",
		},
		{
			"a part that begins twice is two",
			"part 0: text, delta 0: a, part 0: text, delta 0: b, part_end 0, part_end 0, finish 0: stop, done",
			"part 0: text, delta 0: a, part_end 0, part 1: text, delta 1: b, part_end 1, finish 0: stop, done",
		},
		{
			"more of a text behind another is a text of its own",
			"part 0: text, delta 0: a, part 1: thinking, delta 1: b, delta 0: c, part_end 0, part_end 1, finish 0: stop, done",
			"part 0: text, delta 0: a, part 1: thinking, delta 1: b, part_end 0, part 2: text, delta 2: c, part_end 2, part_end 1, finish 0: stop, done",
		},
		{
			"more of a text that is over, too",
			"part 0: text, delta 0: a, part_end 0, delta 0: b, finish 0: stop, done",
			"part 0: text, delta 0: a, part_end 0, part 1: text, delta 1: b, part_end 1, finish 0: stop, done",
		},
		{
			"calls side by side end in their order",
			"part 0: tool_call, part 1: tool_call, delta 1: {}, part_end 1, delta 0: {}, part_end 0, finish 0: stop, done",
			"part 0: tool_call, part 1: tool_call, delta 1: {}, delta 0: {}, part_end 0, part_end 1, finish 0: stop, done",
		},
		{
			"arguments of a call that is over cannot be told",
			"part 0: tool_call, delta 0: {}, part_end 0, delta 0: {}, finish 0: stop, done",
			"part 0: tool_call, delta 0: {}, part_end 0, unavailable",
		},
		{
			"content behind a finish stands before it",
			"part 0: text, delta 0: a, finish 0: stop, usage, delta 0: b, done",
			"part 0: text, delta 0: a, usage, delta 0: b, part_end 0, finish 0: stop, done",
		},
		{
			"of several finishes the last counts",
			"part 0: text, delta 0: a, part_end 0, finish 0: stop, finish 0: length",
			"part 0: text, delta 0: a, part_end 0, finish 0: length",
		},
		{
			"also that of the last event",
			"part 0: text, delta 0: a, part_end 0, finish 0: stop, done: length",
			"part 0: text, delta 0: a, part_end 0, finish 0: length, done",
		},
		{
			"a choice without a finish is truncated",
			"part 0: text, delta 0: a, finish 1: stop, done",
			"part 0: text, delta 0: a, truncated",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := dialect.Orderly(&script{strings.Split(c.in, ", ")})
			var got []string
			for {
				e, err := s.Next()
				if fault, ok := errors.AsType[*scri.Error](err); ok {
					got = append(got, string(fault.Kind))
				}
				if err != nil {
					break
				}
				got = append(got, shown(e))
			}
			if list := strings.Join(got, ", "); list != c.want {
				t.Errorf("got  %s\nwant %s", list, c.want)
			}
		})
	}
}

// TestOrderlyCostsNothing: a delta of the part at hand passes without an allocation.
func TestOrderlyCostsNothing(t *testing.T) {
	s := dialect.Orderly(&endless{})
	for range 3 {
		if _, err := s.Next(); err != nil {
			t.Fatal(err)
		}
	}
	if n := testing.AllocsPerRun(100, func() { _, _ = s.Next() }); n > 0 {
		t.Errorf("%v allocations for an event", n)
	}
}

// endless says the same again and again.
type endless struct{ e scri.StreamEvent }

func (s *endless) Close() error { return nil }

func (s *endless) Next() (*scri.StreamEvent, error) {
	s.e = scri.StreamEvent{Kind: scri.EventDelta, Delta: scri.NewText("a")}
	return &s.e, nil
}

// What a stream has us remember is bounded: texts that are over are forgotten behind a
// call that is not, and calls without end make it unreadable.
func TestOrderlyIsBounded(t *testing.T) {
	in := []string{"part 0: tool_call"}
	for i := range 10_000 {
		in = append(in, fmt.Sprintf("part %d: text", i+1), fmt.Sprintf("part_end %d", i+1))
	}
	s := dialect.Orderly(&script{append(in, "part_end 0", "finish 0: stop", "done")})
	ends, err := 0, error(nil)
	for err == nil {
		var e *scri.StreamEvent
		if e, err = s.Next(); err == nil && e.Kind == scri.EventPartEnd {
			ends++
		}
	}
	if !scri.Ended(err) || ends != 10_001 {
		t.Errorf("%d parts ended, and then: %v", ends, err)
	}
	in = nil
	for i := range 10_000 {
		in = append(in, fmt.Sprintf("part %d: tool_call", i))
	}
	s = dialect.Orderly(&script{in})
	for err = nil; err == nil; {
		_, err = s.Next()
	}
	if e, ok := errors.AsType[*scri.Error](err); !ok || !strings.Contains(e.Error(), "open at once") {
		t.Errorf("calls without end: %v", err)
	}
}

// TestOrderlyTellsAgain: what an answer tells again and again of its beginning and its
// end comes to one, which is bounded.
func TestOrderlyTellsAgain(t *testing.T) {
	read := func(name func(i int) string) (*scri.ChatResponse, error) {
		s := &again{}
		for i := range 50_000 {
			ext := &scri.Ext{Dialect: "native", Members: scri.RawJSON(fmt.Sprintf(`{%q:%d,"same":null}`, name(i), i))}
			s.list = append(s.list,
				scri.StreamEvent{Kind: scri.EventStart, Head: &scri.ChatResponse{Model: "m", Ext: ext, Warnings: []scri.Warning{{Code: scri.WarnDropped, Path: "/x"}}}},
				scri.StreamEvent{Kind: scri.EventFinish, Finish: &scri.Finish{Reason: scri.FinishStop}, Ext: ext})
		}
		s.list = append(s.list, scri.StreamEvent{Kind: scri.EventDone})
		return scri.Collect(dialect.Orderly(s))
	}
	r, err := read(func(int) string { return "n" })
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"n":49999,"same":null}`
	if got := string(r.Ext.Members); got != want {
		t.Errorf("the answer has %s", got)
	}
	if got := string(r.Choices[0].Ext.Members); got != want {
		t.Errorf("the choice has %s", got)
	}
	if len(r.Warnings) != 1 {
		t.Errorf("%d warnings of one kind", len(r.Warnings))
	}
	_, err = read(func(i int) string { return fmt.Sprintf("%0200d", i) })
	if e, ok := errors.AsType[*scri.Error](err); !ok || !strings.Contains(e.Error(), "tells again") {
		t.Errorf("always something new: %v", err)
	}
}

// TestOrderlyWeighsWhatIsToldAgain: few things may be large.
func TestOrderlyWeighsWhatIsToldAgain(t *testing.T) {
	large := strings.Repeat("x", 1<<20)
	warned := func(path string) scri.StreamEvent {
		return scri.StreamEvent{Kind: scri.EventStart, Head: &scri.ChatResponse{Warnings: []scri.Warning{{Path: path, Detail: large}}}}
	}
	for name, e := range map[string]scri.StreamEvent{
		"warnings": warned("/x"),
		"tokens":   {Kind: scri.EventFinish, LogProbs: []scri.TokenLogProb{{Token: scri.NewText(large)}}},
		"others": {Kind: scri.EventFinish, LogProbs: []scri.TokenLogProb{{
			Top: slices.Repeat([]scri.TokenLogProb{{Token: scri.NewText("x"), Bytes: []int{'x'}}}, 1<<14),
		}}},
		"bytes":   {Kind: scri.EventFinish, LogProbs: []scri.TokenLogProb{{Bytes: make([]int, 1<<17)}}},
		"members": {Kind: scri.EventFinish, LogProbs: []scri.TokenLogProb{{Ext: &scri.Ext{Dialect: "native", Members: scri.RawJSON(`{"x":"` + large + `"}`)}}}},
	} {
		list := []scri.StreamEvent{e}
		if e.Kind == scri.EventStart {
			list = append(list, warned("/y")) // what is told in the same words is told once
		}
		s := dialect.Orderly(&again{slices.Repeat(list, 40)})
		var err error
		for err == nil {
			_, err = s.Next()
		}
		if e, ok := errors.AsType[*scri.Error](err); !ok || !strings.Contains(e.Error(), "tells again") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// again gives events as they are.
type again struct{ list []scri.StreamEvent }

func (s *again) Close() error { return nil }

func (s *again) Next() (*scri.StreamEvent, error) {
	if len(s.list) == 0 {
		return nil, io.EOF
	}
	e := &s.list[0]
	s.list = s.list[1:]
	return e, nil
}
