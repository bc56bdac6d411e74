package scri_test

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/aratta-gateway/aratta/scri"
)

// script is a stream of given events that ends with a given error.
type script struct {
	events []scri.StreamEvent
	err    error // nil = io.EOF
	closes int
	waits  bool // Pending is false
}

func (s *script) Next() (*scri.StreamEvent, error) {
	if len(s.events) > 0 {
		e := s.events[0]
		s.events = s.events[1:]
		return &e, nil
	}
	if s.err != nil {
		return nil, s.err
	}
	return nil, io.EOF
}

func (s *script) Close() error {
	s.closes++
	return nil
}

func (s *script) Pending() bool { return !s.waits }

func delta(s string) scri.StreamEvent {
	return scri.StreamEvent{Kind: scri.EventDelta, Delta: scri.NewText(s)}
}

func hello() []scri.StreamEvent {
	return []scri.StreamEvent{
		{Kind: scri.EventStart, Head: &scri.ChatResponse{ID: "1"}},
		{Kind: scri.EventPing},
		delta("Hel"), delta("lo"),
		{Kind: scri.EventFinish, Finish: &scri.Finish{Reason: scri.FinishStop}},
	}
}

// kinds reads s and tells what came: "start delta(Hi) EOF".
func kinds(s scri.Stream) string {
	var list []string
	for {
		e, err := s.Next()
		if err != nil {
			return strings.Join(append(list, err.Error()), " ")
		}
		word := string(e.Kind)
		if !e.Delta.IsZero() {
			word += "(" + e.Delta.String() + ")"
		}
		list = append(list, word)
	}
}

func TestMap(t *testing.T) {
	src := &script{events: hello()}
	s := scri.Map(src, func(e *scri.StreamEvent) (*scri.StreamEvent, error) {
		switch e.Kind {
		case scri.EventPing:
			return nil, nil
		case scri.EventDelta:
			e.Delta = scri.NewText(strings.ToUpper(e.Delta.String()))
		default:
		}
		return e, nil
	})
	if got := kinds(s); got != "start delta(HEL) delta(LO) finish EOF" {
		t.Error(got)
	}
	if !scri.Pending(s) || s.Close() != nil || s.Close() != nil || src.closes != 2 {
		t.Error("pending and close do not come through")
	}
	stop := errors.New("stop")
	s = scri.Map(&script{events: hello()}, func(*scri.StreamEvent) (*scri.StreamEvent, error) { return nil, stop })
	if got := kinds(s); got != "stop" {
		t.Error(got)
	}
}

func TestTee(t *testing.T) {
	for _, end := range []error{io.EOF, &scri.Error{Kind: scri.ErrTruncated}} {
		src := &script{events: hello(), err: end}
		var seen []string
		s := scri.Tee(src, func(e *scri.StreamEvent, err error) {
			if err != nil {
				seen = append(seen, err.Error())
				return
			}
			seen = append(seen, string(e.Kind))
		})
		want := "start ping delta(Hel) delta(lo) finish " + end.Error()
		if got := kinds(s); got != want {
			t.Error(got)
		}
		if _, err := s.Next(); !errors.Is(err, end) {
			t.Error("the end does not last")
		}
		if got := strings.Join(seen, " "); got != "start ping delta delta finish "+end.Error() {
			t.Errorf("seen %s", got)
		}
		if !scri.Pending(s) || s.Close() != nil || src.closes != 1 {
			t.Error("pending and close do not come through")
		}
	}
}

func TestPeek(t *testing.T) {
	tests := []struct {
		name   string
		src    script
		seen   string
		read   int // events read from the source by Peek
		want   string
		failed bool
	}{
		{name: "content", src: script{events: hello()}, seen: "start ping delta", read: 3, want: "start delta(Hel) delta(lo) finish EOF"},
		{name: "content at once", src: script{events: hello()[2:]}, seen: "delta", read: 1, want: "delta(Hel) delta(lo) finish EOF"},
		{name: "nothing", want: "EOF"},
		{name: "no content", src: script{events: append(hello()[:2:2], hello()[4])}, seen: "start ping finish", read: 3, want: "start finish EOF"},
		{name: "error before content", src: script{events: hello()[:2], err: &scri.Error{Kind: scri.ErrOverloaded, Message: "busy"}}, seen: "start ping", read: 2, failed: true},
		{name: "cut before content", src: script{events: hello()[:2], err: &scri.Error{Kind: scri.ErrTruncated, Message: "cut", Err: io.EOF}}, seen: "start ping", read: 2, failed: true},
		{name: "error after content", src: script{events: hello()[:3], err: errors.New("broken")}, seen: "start ping delta", read: 3, want: "start delta(Hel) broken"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var seen []string
			all := len(tt.src.events)
			s, err := scri.Peek(&tt.src, func(e *scri.StreamEvent) { seen = append(seen, string(e.Kind)) })
			if strings.Join(seen, " ") != tt.seen || all-len(tt.src.events) != tt.read {
				t.Errorf("seen %v, read %d", seen, all-len(tt.src.events))
			}
			if tt.failed {
				if !errors.Is(err, tt.src.err) || s != nil || tt.src.closes != 1 {
					t.Errorf("got %v, %v, closed %d times", s, err, tt.src.closes)
				}
				if e, ok := err.(*scri.Error); !ok || e != tt.src.err { //nolint:errorlint // it shall not be wrapped without need
					t.Errorf("the error became %T", err)
				}
				return
			}
			if err != nil || !scri.Pending(s) {
				t.Fatalf("error %v, pending %v", err, scri.Pending(s))
			}
			if got := kinds(s); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
			if s.Close() != nil || tt.src.closes != 1 {
				t.Error("close does not come through")
			}
		})
	}
}

func TestPeekIsPendingForWhatItHolds(t *testing.T) {
	s, err := scri.Peek(&script{events: hello(), waits: true}, nil)
	if err != nil {
		t.Fatal(err)
	}
	var got []bool
	for range 3 {
		got = append(got, scri.Pending(s))
		if _, err := s.Next(); err != nil {
			t.Fatal(err)
		}
	}
	if !slices.Equal(got, []bool{true, true, false}) {
		t.Errorf("pending before each: %v", got)
	}
}

func TestPeekHoldsLittle(t *testing.T) {
	var many []scri.StreamEvent
	for i := range 3000 {
		many = append(many, scri.StreamEvent{Kind: scri.EventPing}, scri.StreamEvent{Kind: scri.EventUsage, Part: i})
	}
	src := &script{events: many}
	s, err := scri.Peek(src, nil)
	if err != nil || len(src.events) < 3000 {
		t.Fatalf("%v, %d events left", err, len(src.events))
	}
	next := 0
	for e, err := range scri.All(s) {
		if err != nil || e.Kind == scri.EventUsage && e.Part != next {
			t.Fatalf("event %v, %v; want %d", e, err, next)
		}
		if e.Kind == scri.EventUsage {
			next++
		}
	}
	if next != 3000 {
		t.Errorf("%d of 3000 events", next)
	}
}

func TestPeekPassesReplayThrough(t *testing.T) {
	r := scri.Replay(fullResponse())
	if s, err := scri.Peek(r, nil); err != nil || s != r {
		t.Error("a fresh replay was read")
	}
	if _, err := r.Next(); err != nil {
		t.Fatal(err)
	}
	if s, err := scri.Peek(r, nil); err != nil || s == r {
		t.Error("a replay in use was taken for a fresh one")
	}
}

func TestAll(t *testing.T) {
	broken := errors.New("broken")
	read := func(src *script, stop int) string {
		var list []string
		for e, err := range scri.All(src) {
			if err != nil {
				list = append(list, err.Error(), fmt.Sprint(e == nil))
				continue
			}
			if list = append(list, string(e.Kind)); len(list) == stop {
				break
			}
		}
		return strings.Join(append(list, fmt.Sprint(src.closes)), " ")
	}
	for got, want := range map[string]string{
		read(&script{events: hello()}, 0):                                        "start ping delta delta finish 1",
		read(&script{events: hello()}, 2):                                        "start ping 1",
		read(&script{events: hello()[:1], err: broken}, 0):                       "start broken true 1",
		read(&script{err: &scri.Error{Kind: scri.ErrTruncated, Err: io.EOF}}, 0): "truncated true 1",
	} {
		if got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

// silent is a stream that does not know whether it would wait.
type silent struct{ scri.Stream }

func TestPending(t *testing.T) {
	for _, s := range []scri.Stream{silent{&script{}}, scri.Tee(silent{&script{}}, nil), &script{waits: true}} {
		if scri.Pending(s) {
			t.Errorf("%T does not know, yet it is pending", s)
		}
	}
	if !scri.Pending(scri.Replay(&scri.ChatResponse{})) {
		t.Error("a replay waits")
	}
}

func TestReplayEvents(t *testing.T) {
	r := &scri.ChatResponse{
		ID: "1", Usage: &scri.Usage{Input: new(int64(1))},
		Choices: []scri.Choice{
			{
				Output: []scri.Message{say(scri.RoleAssistant,
					thought("hm", "anthropic"), thought("", "anthropic"), text("Hi"), text(""), toolCall("1", "f"),
					scri.Part{Kind: scri.PartToolCall, Call: &scri.ToolCall{ID: "2", Args: scri.NewText("{}")}},
					scri.Part{Kind: scri.PartMedia, Media: &scri.Media{Data: scri.NewText("QQ")}},
					scri.Part{Kind: scri.PartText, Text: scri.NewText("x"), Citations: []scri.Citation{{Title: "a"}, {Title: "b"}}},
				)},
				LogProbs: []scri.TokenLogProb{{LogProb: -1}},
			},
			{LogProbs: []scri.TokenLogProb{{LogProb: -2}}},
		},
	}
	want := `start message
		part delta(hm) delta+sign part_end part+sign part_end
		part delta(Hi)+logprobs part_end part part_end
		part part_end part delta({}) part_end part part_end
		part delta(x) delta+cite delta+cite part_end
		usage finish finish+logprobs done`
	var got []string
	for e, err := range scri.All(scri.Replay(r)) {
		if err != nil {
			t.Fatal(err)
		}
		word := string(e.Kind)
		if !e.Delta.IsZero() {
			word += "(" + e.Delta.String() + ")"
		}
		if e.Signature != nil || e.Whole != nil && e.Whole.Signature != nil {
			word += "+sign"
		}
		if e.Citation != nil {
			word += "+cite"
		}
		if e.LogProbs != nil {
			word += "+logprobs"
		}
		got = append(got, word)
	}
	if d := cmp.Diff(strings.Fields(want), got); d != "" {
		t.Error(d)
	}
	if n := testing.AllocsPerRun(100, func() {
		s := scri.Replay(r)
		for {
			if _, err := s.Next(); err != nil {
				break
			}
		}
	}); n > 1 {
		t.Errorf("%v allocations in a replay", n)
	}
	s := scri.Replay(r)
	for range 2 {
		if s.Close() != nil || scri.Whole(s) != nil {
			t.Error("a closed replay is still fresh")
		}
	}
	if got := kinds(s); got != "EOF" {
		t.Errorf("after close: %s", got)
	}
}
