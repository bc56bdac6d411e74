package scri_test

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/aratta-gateway/aratta/scri"
)

// made is a stream of n events that f makes.
type made struct {
	n, i int
	f    func(i int, e *scri.StreamEvent)
	e    scri.StreamEvent
}

func (m *made) Next() (*scri.StreamEvent, error) {
	if m.i == m.n {
		return nil, io.EOF
	}
	m.e = scri.StreamEvent{}
	m.f(m.i, &m.e)
	m.i++
	return &m.e, nil
}

func (*made) Close() error { return nil }

// What somebody sends to make us work without end is read in linear time: were
// one of these quadratic, the test would not end.
func TestHostileStreams(t *testing.T) {
	const n = 60_000
	for _, c := range []struct {
		name string
		f    func(i int, e *scri.StreamEvent)
		want func(r *scri.ChatResponse) bool
	}{
		{"seams between parts", func(i int, e *scri.StreamEvent) {
			switch i % 3 {
			case 0:
				*e = scri.StreamEvent{Kind: scri.EventPart, Part: i, Whole: &scri.Part{Kind: scri.PartThinking, Signature: &scri.Signature{}}}
			case 1:
				*e = scri.StreamEvent{Kind: scri.EventDelta, Part: i - 1, Delta: scri.NewText("x"), Signature: &scri.Signature{Value: scri.NewText("s")}}
			default:
				*e = scri.StreamEvent{Kind: scri.EventSeam, Head: &scri.ChatResponse{Model: "m"}}
			}
		}, func(r *scri.ChatResponse) bool {
			parts := r.Choices[0].Output[0].Parts
			return len(parts) == (n+2)/3 && parts[0].Signature == nil && parts[len(parts)-1].Signature == nil
		}},
		{"heads with warnings", func(i int, e *scri.StreamEvent) {
			*e = scri.StreamEvent{Kind: scri.EventSeam, Head: &scri.ChatResponse{Warnings: []scri.Warning{{Path: strconv.Itoa(i / 2)}}}}
			if i%1000 == 7 {
				*e = scri.StreamEvent{Kind: scri.EventWarning, Warning: &scri.Warning{Path: strconv.Itoa(i / 2)}}
			}
		}, func(r *scri.ChatResponse) bool { return len(r.Warnings) == n/2+n/1000 }},
		{"extensions with other forms", func(i int, e *scri.StreamEvent) {
			*e = scri.StreamEvent{Kind: scri.EventPartEnd, Ext: &scri.Ext{Dialect: "d", Members: scri.RawJSON(`{"a":1}`), Form: strconv.Itoa(i)}}
		}, func(r *scri.ChatResponse) bool {
			e := r.Choices[0].Output[0].Parts[0].Ext
			return len(strings.Fields(e.Form)) == n && string(e.Members) == `{"a":1}`
		}},
		{"parts backwards", func(i int, e *scri.StreamEvent) {
			*e = scri.StreamEvent{Kind: scri.EventDelta, Choice: 1000 - i%1000, Message: i % 10, Part: n - i, Delta: scri.NewText("x")}
		}, func(r *scri.ChatResponse) bool { return len(r.Choices) == 1000 }},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, _ := scri.Collect(&made{n: n, f: c.f})
			if !c.want(r) {
				t.Error("the answer is not what was said")
			}
		})
	}
}

// An answer without an end is given up before it takes all memory.
func TestCollectIsBounded(t *testing.T) {
	text := scri.NewText(strings.Repeat("x", 1<<20))
	m := &made{n: 1 << 30, f: func(_ int, e *scri.StreamEvent) {
		*e = scri.StreamEvent{Kind: scri.EventDelta, Delta: text}
	}}
	r, err := scri.Collect(m)
	if e := scri.AsError(err); e == nil || e.Kind != scri.ErrUnavailable || m.i > 300 || r == nil {
		t.Errorf("%v after %d MB", err, m.i)
	}
}

// Peek holds back no more than it may, however large the events are.
func TestPeekIsBounded(t *testing.T) {
	big := scri.RawJSON(`{"x":"` + strings.Repeat("x", 1<<20) + `"}`)
	m := &made{n: 1000, f: func(_ int, e *scri.StreamEvent) {
		*e = scri.StreamEvent{Kind: scri.EventOpaque, Ext: &scri.Ext{Dialect: "d", Members: big}}
	}}
	if _, err := scri.Peek(m, nil); err != nil || m.i > 16 {
		t.Errorf("%d MB are held back, %v", m.i, err)
	}
}

// History without ids, or with ids made to collide, is ported in linear time.
func TestHostileHistories(t *testing.T) {
	const n = 30_000
	traits := scri.Traits{PairedCalls: true, CallIDMax: 40}
	call := func(id, name string) scri.Part {
		return scri.Part{Kind: scri.PartToolCall, Call: &scri.ToolCall{ID: id, Name: name}}
	}
	result := func(id, name string) scri.Part {
		return scri.Part{Kind: scri.PartToolResult, Result: &scri.ToolResult{CallID: id, Name: name}}
	}
	for _, c := range []struct {
		name         string
		call, result func(i int) scri.Part
	}{
		{"nobody has a name", func(int) scri.Part { return call("", "") }, func(int) scri.Part { return result("", "") }},
		{"names on calls alone", func(i int) scri.Part { return call("", strconv.Itoa(i)) }, func(int) scri.Part { return result("", "") }},
		{"names on results alone", func(int) scri.Part { return call("", "") }, func(i int) scri.Part { return result("", strconv.Itoa(i)) }},
		{"names backwards", func(i int) scri.Part { return call("", strconv.Itoa(i)) }, func(i int) scri.Part { return result("", strconv.Itoa(n-1-i)) }},
		{"one id", func(int) scri.Part { return call("x", "f") }, func(int) scri.Part { return result("x", "f") }},
		{"one id, and names on calls alone", func(i int) scri.Part { return call("x", strconv.Itoa(i)) }, func(int) scri.Part { return result("x", "") }},
		{"one id, and names on results alone", func(int) scri.Part { return call("x", "") }, func(i int) scri.Part { return result("x", strconv.Itoa(i)) }},
		{"one id, and names backwards", func(i int) scri.Part { return call("x", strconv.Itoa(i)) }, func(i int) scri.Part { return result("x", strconv.Itoa(n-1-i)) }},
		{"one id, and other names", func(i int) scri.Part { return call("x", strconv.Itoa(i)) }, func(i int) scri.Part { return result("x", "other") }},
	} {
		t.Run(c.name, func(t *testing.T) {
			asked, told := scri.Message{Role: scri.RoleAssistant}, scri.Message{Role: scri.RoleTool}
			for i := range n {
				asked.Parts, told.Parts = append(asked.Parts, c.call(i)), append(told.Parts, c.result(i))
			}
			out, _ := scri.Port(&scri.ChatRequest{Messages: []scri.Message{asked, told}}, traits)
			ids := map[string]bool{}
			for _, p := range out.Messages[0].Parts {
				ids[p.Call.ID] = true
			}
			if len(ids) != n {
				t.Errorf("%d ids for %d calls", len(ids), n)
			}
		})
	}
}

// A result without an id answers the first open call of its name, else the first
// where one of the two has no name.
func TestResultsFindTheirCalls(t *testing.T) {
	for _, c := range []struct{ calls, results, want string }{
		{"a b c", "a b c", "0 1 2"},
		{"a b c", "c b a", "2 1 0"},
		{"a a b", "a b a", "0 2 1"},
		{"a b c", "- - -", "0 1 2"},
		{"- - -", "c b a", "0 1 2"},
		{"a - b", "b x -", "2 1 0"},
		{"- a", "a -", "1 0"},
		{"a - a", "- a a", "1 0 2"},
		{"a b", "x b", "? 1"},
	} {
		var calls, results scri.Message
		calls.Role, results.Role = scri.RoleAssistant, scri.RoleTool
		name := func(s string) string { return strings.TrimPrefix(s, "-") }
		for s := range strings.FieldsSeq(c.calls) {
			calls.Parts = append(calls.Parts, scri.Part{Kind: scri.PartToolCall, Call: &scri.ToolCall{Name: name(s)}})
		}
		for s := range strings.FieldsSeq(c.results) {
			results.Parts = append(results.Parts, scri.Part{Kind: scri.PartToolResult, Result: &scri.ToolResult{Name: name(s)}})
		}
		out, _ := scri.Port(&scri.ChatRequest{Messages: []scri.Message{calls, results}}, scri.Traits{CallIDMax: 64})
		at := map[string]int{}
		for i, p := range out.Messages[0].Parts {
			at[p.Call.ID] = i
		}
		var got []string
		for _, p := range out.Messages[1].Parts {
			if i, ok := at[p.Result.CallID]; ok {
				got = append(got, strconv.Itoa(i))
			} else {
				got = append(got, "?")
			}
		}
		if diff := cmp.Diff(c.want, strings.Join(got, " ")); diff != "" {
			t.Error(fmt.Sprint(c), diff)
		}
	}
}
