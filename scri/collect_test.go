package scri_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/aratta-gateway/aratta/scri"
	"github.com/aratta-gateway/aratta/scri/scritest"
)

// TestCollectReplay is law 2.
func TestCollectReplay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := scritest.Response().Draw(t, "response")
		if got, err := scri.Collect(scri.Replay(r)); err != nil || got != r {
			t.Fatalf("a fresh replay gave back another answer, %v", err)
		}
		got, err := scri.Collect(&cutter{s: scri.Replay(r), t: t})
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(r, got, cmpopts.EquateEmpty()); d != "" {
			t.Fatalf("(-want +got):\n%s", d)
		}
	})
	full := fullResponse()
	got, err := scri.Collect(scri.Map(scri.Replay(full), func(e *scri.StreamEvent) (*scri.StreamEvent, error) { return e, nil }))
	if d := cmp.Diff(full, got); d != "" || err != nil {
		t.Errorf("%v, (-want +got):\n%s", err, d)
	}
}

// cutter cuts deltas into pieces, quoted ones also between the halves of a
// surrogate pair, and overwrites what it gave out when the next is asked for.
type cutter struct {
	s      scri.Stream
	t      *rapid.T
	e      *scri.StreamEvent
	rest   []string
	quoted bool
	lent   [][]byte
}

func (c *cutter) Next() (*scri.StreamEvent, error) {
	for _, b := range c.lent {
		for i := range b {
			b[i] = '#'
		}
	}
	c.lent = nil
	if len(c.rest) == 0 {
		e, err := c.s.Next()
		if err != nil {
			return nil, err
		}
		c.e = e.Clone()
		if e.Ext != nil {
			c.e.Ext.Members = c.lend(e.Ext.Members)
		}
		c.rest = c.cut(e.Delta)
	}
	e := *c.e
	if c.quoted {
		e.Delta = scri.QuotedText(c.lend([]byte(`"` + c.rest[0] + `"`)))
	} else {
		e.Delta = scri.PlainText(c.lend([]byte(c.rest[0])))
	}
	c.rest = c.rest[1:]
	if len(c.rest) > 0 {
		e.LogProbs = nil // come with the last piece
	}
	return &e, nil
}

func (c *cutter) Close() error { return c.s.Close() }

func (c *cutter) lend(b []byte) []byte {
	b = append([]byte(nil), b...)
	c.lent = append(c.lent, b)
	return b
}

func (c *cutter) cut(t scri.Text) []string {
	c.quoted = rapid.Bool().Draw(c.t, "quoted")
	list := []string{t.String()}
	if c.quoted {
		list = []string{string(t.AppendJSONInner(nil))}
	}
	for !t.IsZero() && len(list) < 5 && rapid.IntRange(0, 2).Draw(c.t, "cut") > 0 {
		last := list[len(list)-1]
		at := rapid.IntRange(0, len(last)).Draw(c.t, "at")
		for at > 0 && !cuttable(last, at, c.quoted) {
			at--
		}
		list = append(list[:len(list)-1], last[:at], last[at:])
	}
	return list
}

// cuttable reports whether both sides of s are sound when it is cut at i.
func cuttable(s string, i int, quoted bool) bool {
	if i < len(s) && s[i]&0xC0 == 0x80 {
		return false
	}
	if !quoted {
		return true
	}
	for j := 0; j < i; {
		n := 1
		if s[j] == '\\' {
			n = 2
			if s[j+1] == 'u' {
				n = 6
			}
		}
		if j += n; j > i {
			return false
		}
	}
	return true
}

func TestCollectTee(t *testing.T) {
	r := fullResponse()
	var seen, inner int
	count := func(n *int) func(*scri.StreamEvent, error) {
		return func(_ *scri.StreamEvent, err error) {
			if err == nil || errors.Is(err, io.EOF) {
				*n++
			}
		}
	}
	got, err := scri.Collect(scri.Tee(scri.Tee(scri.Replay(r), count(&inner)), count(&seen)))
	if err != nil || got != r {
		t.Errorf("a watched replay gave back another answer, %v", err)
	}
	want := 1 // the end
	for range scri.All(scri.Replay(r)) {
		want++
	}
	if seen != want || inner != want {
		t.Errorf("the onlookers saw %d and %d of %d events", seen, inner, want)
	}
	s := scri.Tee(scri.Replay(r), count(&seen))
	if _, err := s.Next(); err != nil {
		t.Fatal(err)
	}
	if got, err := scri.Collect(s); err != nil || got == r {
		t.Error("a replay in use was taken for a fresh one")
	}
}

// ready is a stream that has its answer whole, and is over once it was asked.
type ready struct {
	script
	r     *scri.ChatResponse
	asked int
}

func (s *ready) Whole() *scri.ChatResponse {
	s.asked++
	return s.r
}

func TestCollectWhole(t *testing.T) {
	s := &ready{r: fullResponse()}
	if got, err := scri.Collect(s); err != nil || got != s.r || s.asked != 1 || s.closes != 1 {
		t.Errorf("asked %d times, closed %d times, %v", s.asked, s.closes, err)
	}
	s = &ready{r: fullResponse(), script: script{events: hello()}}
	got, err := scri.Collect(scri.Tee(s, func(*scri.StreamEvent, error) {}))
	if err != nil || got.ID != "1" || s.asked != 0 {
		t.Errorf("behind an onlooker: asked %d times, %v", s.asked, err)
	}
	s = &ready{}
	if _, err := scri.Collect(s); err == nil || s.asked != 1 || s.closes != 1 {
		t.Errorf("not whole: asked %d times, closed %d times, %v", s.asked, s.closes, err)
	}
}

func TestCollect(t *testing.T) {
	finish := scri.StreamEvent{Kind: scri.EventFinish, Finish: &scri.Finish{Reason: scri.FinishStop}}
	stop := scri.Finish{Reason: scri.FinishStop}
	sign := func(part int, s string) scri.StreamEvent {
		return scri.StreamEvent{Kind: scri.EventDelta, Part: part, Signature: &scri.Signature{Value: scri.NewText(s), Dialect: "anthropic"}}
	}
	begin := func(part int, p scri.Part) scri.StreamEvent {
		return scri.StreamEvent{Kind: scri.EventPart, Part: part, Whole: &p}
	}
	on := func(part int, e scri.StreamEvent) scri.StreamEvent {
		e.Part = part
		return e
	}
	ext := func(form, members string) *scri.Ext {
		return &scri.Ext{Dialect: "openai", Form: form, Members: scri.RawJSON(members)}
	}
	answer := func(parts ...scri.Part) *scri.ChatResponse {
		return &scri.ChatResponse{Choices: []scri.Choice{{Output: []scri.Message{say(scri.RoleAssistant, parts...)}, Finish: stop}}}
	}
	unfinished := func(parts ...scri.Part) *scri.ChatResponse {
		r := answer(parts...)
		r.Choices[0].Finish = scri.Finish{}
		return r
	}
	tests := []struct {
		name   string
		events []scri.StreamEvent
		err    error
		want   *scri.ChatResponse
		kind   scri.ErrorKind // "" = complete
	}{
		{name: "deltas alone", events: []scri.StreamEvent{delta("a"), delta("b"), finish}, want: answer(text("ab"))},
		{name: "nothing", want: &scri.ChatResponse{}, kind: scri.ErrTruncated},
		{name: "a head alone", events: []scri.StreamEvent{{Kind: scri.EventStart, Head: &scri.ChatResponse{ID: "1"}}}, want: &scri.ChatResponse{ID: "1"}, kind: scri.ErrTruncated},
		{name: "no choice", events: []scri.StreamEvent{{Kind: scri.EventDone}}, want: &scri.ChatResponse{}},
		{name: "no finish", events: []scri.StreamEvent{delta("a")}, want: unfinished(text("a")), kind: scri.ErrTruncated},
		{name: "no finish, yet done", events: []scri.StreamEvent{delta("a"), {Kind: scri.EventDone}}, want: unfinished(text("a")), kind: scri.ErrTruncated},
		{name: "finish with the end", events: []scri.StreamEvent{delta("a"), {Kind: scri.EventDone, Finish: &stop}}, want: answer(text("a"))},
		{
			name: "one of two choices finished", events: []scri.StreamEvent{delta("a"), {Kind: scri.EventDelta, Choice: 1, Delta: scri.NewText("b")}, finish},
			want: &scri.ChatResponse{Choices: append(answer(text("a")).Choices, unfinished(text("b")).Choices...)}, kind: scri.ErrTruncated,
		},
		{name: "an error", events: []scri.StreamEvent{delta("a")}, err: &scri.Error{Kind: scri.ErrOverloaded}, want: unfinished(text("a")), kind: scri.ErrOverloaded},
		{name: "an error as event", events: []scri.StreamEvent{delta("a"), {Kind: scri.EventError, Err: &scri.Error{Kind: scri.ErrOverloaded}}}, want: unfinished(text("a")), kind: scri.ErrOverloaded},
		{name: "an error around the end", events: []scri.StreamEvent{delta("a"), finish}, err: &scri.Error{Kind: scri.ErrTruncated, Err: io.EOF}, want: answer(text("a")), kind: scri.ErrTruncated},
		{
			name: "signatures of parts finished and not", events: []scri.StreamEvent{
				begin(0, thought("a", "")), sign(0, "s"),
				{Kind: scri.EventPartEnd},
				begin(1, thought("b", "")), sign(1, "t"), begin(2, thought("c", "gemini")),
				begin(3, signedAs(thought("d", ""), "")), sign(3, "u"), begin(4, signedAs(thought("e", ""), "")),
			},
			want: unfinished(signedAs(thought("a", ""), "s"), thought("b", ""), thought("c", "gemini"), thought("d", ""), thought("e", "")), kind: scri.ErrTruncated,
		},
		{
			name: "a finish ends all parts", events: []scri.StreamEvent{begin(0, thought("a", "")), sign(0, "s"), finish},
			want: answer(signedAs(thought("a", ""), "s")),
		},
		{
			name: "a signature in pieces", events: []scri.StreamEvent{begin(0, thought("a", "")), sign(0, "s"), sign(0, "t"), finish},
			want: answer(signedAs(thought("a", ""), "st")),
		},
		{
			name: "parts side by side and out of order", events: []scri.StreamEvent{
				begin(7, toolCall("2", "g")), begin(3, toolCall("1", "f")), on(3, delta("{")), on(7, delta("[")), on(3, delta("}")), on(7, delta("]")), finish,
			},
			want: answer(args(toolCall("1", "f"), "{}"), args(toolCall("2", "g"), "[]")),
		},
		{
			name: "a number given twice", events: []scri.StreamEvent{begin(0, text("a")), delta("b"), begin(1, text("c")), begin(0, text("d")), delta("e"), finish},
			want: answer(text("ab"), text("de"), text("c")),
		},
		{
			name: "media and nameless parts", events: []scri.StreamEvent{
				begin(0, scri.Part{Kind: scri.PartMedia}), delta("QQ"), {Kind: scri.EventPart, Part: 1}, on(1, delta("x")), begin(2, scri.Part{Kind: scri.PartToolCall}), on(2, delta("{}")), finish,
			},
			want: answer(scri.Part{Kind: scri.PartMedia, Media: &scri.Media{Data: scri.NewText("QQ")}}, text("x"), args(toolCall("", ""), "{}")),
		},
		{
			name: "messages", events: []scri.StreamEvent{
				{Kind: scri.EventMessage, Open: &scri.Message{Role: scri.RoleAssistant, ID: "a"}},
				delta("x"),
				{Kind: scri.EventMessage, Message: 1, Open: &scri.Message{Role: scri.RoleTool}},
				finish,
			},
			want: &scri.ChatResponse{Choices: []scri.Choice{{Output: []scri.Message{{Role: scri.RoleAssistant, ID: "a", Parts: []scri.Part{text("x")}}, {Role: scri.RoleTool}}, Finish: stop}}},
		},
		{
			name: "members known late", events: []scri.StreamEvent{
				{Kind: scri.EventStart, Head: &scri.ChatResponse{Model: "a", Ext: ext("x", `{"a":1,"b":2}`)}},
				begin(0, scri.Part{Kind: scri.PartText, Ext: ext("", `{"c":1}`)}),
				{Kind: scri.EventPartEnd, Ext: ext("", `{}`)},
				finish,
				{Kind: scri.EventFinish, Ext: ext("y", ` { "e" : 1 } `)},
				{Kind: scri.EventDone, Head: &scri.ChatResponse{ID: "1", Ext: ext("x y", `{"b":[3],"d":4}`)}, Usage: &scri.Usage{Estimated: true}},
			},
			want: &scri.ChatResponse{
				ID: "1", Model: "a", Usage: &scri.Usage{Estimated: true}, Ext: ext("x y", `{"a":1,"b":[3],"d":4}`),
				Choices: []scri.Choice{{Output: []scri.Message{say(scri.RoleAssistant, scri.Part{Kind: scri.PartText, Ext: ext("", `{"c":1}`)})}, Finish: stop, Ext: ext("y", ` { "e" : 1 } `)}},
			},
		},
		{
			name: "usage is replaced", events: []scri.StreamEvent{
				{Kind: scri.EventUsage, Usage: &scri.Usage{Input: new(int64(1))}}, {Kind: scri.EventUsage, Usage: &scri.Usage{Output: new(int64(2))}}, {Kind: scri.EventDone},
			},
			want: &scri.ChatResponse{Usage: &scri.Usage{Output: new(int64(2))}},
		},
		{
			name: "warnings are not told twice", events: []scri.StreamEvent{
				{Kind: scri.EventWarning, Warning: &scri.Warning{Code: "a"}},
				{Kind: scri.EventWarning, Warning: &scri.Warning{Code: "b"}},
				{Kind: scri.EventDone, Head: &scri.ChatResponse{Warnings: []scri.Warning{{Code: "b"}, {Code: "b"}, {Code: "c"}}}},
			},
			want: &scri.ChatResponse{Warnings: []scri.Warning{{Code: "a"}, {Code: "b"}, {Code: "b"}, {Code: "c"}}},
		},
		{
			name: "a seam", events: []scri.StreamEvent{
				{Kind: scri.EventStart, Head: &scri.ChatResponse{ID: "1", Provider: "a", Model: "m"}},
				begin(0, thought("x", "")), sign(0, "s"),
				{Kind: scri.EventSeam, Head: &scri.ChatResponse{ID: "2", Provider: "b"}},
				begin(1, text("y")), finish,
				{Kind: scri.EventPing},
				{Kind: scri.EventOpaque, Ext: ext("", `{"z":1}`)},
			},
			want: &scri.ChatResponse{ID: "1", Provider: "b", Model: "m", Choices: answer(thought("x", ""), text("y")).Choices},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			src := &script{events: tt.events, err: tt.err}
			got, err := scri.Collect(src)
			if src.closes != 1 {
				t.Errorf("closed %d times", src.closes)
			}
			var e *scri.Error
			if (err != nil) != (tt.kind != "") || errors.As(err, &e) && e.Kind != tt.kind {
				t.Errorf("error %v, want %q", err, tt.kind)
			}
			if d := cmp.Diff(tt.want, got, cmpopts.EquateEmpty()); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

func signedAs(p scri.Part, s string) scri.Part {
	p.Signature = &scri.Signature{Value: scri.NewText(s), Dialect: "anthropic"}
	return p
}

func args(p scri.Part, s string) scri.Part {
	p.Call.Args = scri.NewText(s)
	return p
}

// TestCollectIsLinear gives many small deltas and as many parts, from the back.
func TestCollectIsLinear(t *testing.T) {
	const n = 50_000
	var events []scri.StreamEvent
	for range n {
		events = append(events, delta("abcdefgh"))
	}
	for i := range n {
		events = append(events, scri.StreamEvent{Kind: scri.EventPart, Part: n - i, Whole: &scri.Part{Kind: scri.PartText, Text: scri.NewText(fmt.Sprint(n - i))}})
	}
	events = append(events, scri.StreamEvent{Kind: scri.EventFinish, Finish: &scri.Finish{}})
	r, err := scri.Collect(&script{events: events})
	if err != nil {
		t.Fatal(err)
	}
	parts := r.Choices[0].Output[0].Parts
	if len(parts) != n+1 || parts[0].Text.String() != strings.Repeat("abcdefgh", n) || parts[n].Text.String() != fmt.Sprint(n) {
		t.Errorf("%d parts, first of %d bytes", len(parts), parts[0].Text.Size())
	}
}

func BenchmarkCollect(b *testing.B) {
	events := make([]scri.StreamEvent, 1000)
	for i := range events {
		events[i] = scri.StreamEvent{Kind: scri.EventDelta, Delta: scri.QuotedText([]byte(`" token\n"`))}
	}
	events = append(events, scri.StreamEvent{Kind: scri.EventFinish, Finish: &scri.Finish{}})
	r := fullResponse()
	same := func(e *scri.StreamEvent) (*scri.StreamEvent, error) { return e, nil }
	for name, open := range map[string]func() scri.Stream{
		"1000 deltas":   func() scri.Stream { return &script{events: events} },
		"fresh replay":  func() scri.Stream { return scri.Replay(r) },
		"mapped replay": func() scri.Stream { return scri.Map(scri.Replay(r), same) },
		"teed replay":   func() scri.Stream { return scri.Tee(scri.Replay(r), func(*scri.StreamEvent, error) {}) },
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := scri.Collect(open()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
