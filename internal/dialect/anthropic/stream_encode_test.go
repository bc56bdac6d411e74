package anthropic_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/dialect/anthropic"
	"github.com/aratta-gateway/aratta/internal/dialect/dialecttest"
	"github.com/aratta-gateway/aratta/scri"
)

func begins(part int, p scri.Part) scri.StreamEvent {
	return scri.StreamEvent{Kind: scri.EventPart, Part: part, Whole: &p}
}

func call(part int, id string) scri.StreamEvent {
	return begins(part, scri.Part{Kind: scri.PartToolCall, Call: &scri.ToolCall{ID: id, Name: "f"}})
}

func more(part int, text string) scri.StreamEvent {
	return scri.StreamEvent{Kind: scri.EventDelta, Part: part, Delta: scri.NewText(text)}
}

func ends(part int) scri.StreamEvent {
	return scri.StreamEvent{Kind: scri.EventPartEnd, Part: part}
}

func finish(r scri.FinishReason) scri.StreamEvent {
	return scri.StreamEvent{Kind: scri.EventFinish, Finish: &scri.Finish{Reason: r}}
}

// outline is a stream as one word per event: which block begins (+), goes on
// with what, or ends (-).
func outline(stream []byte) []string {
	var out []string
	for frame := range strings.SplitSeq(strings.TrimSpace(string(stream)), "\n\n") {
		event, data, _ := strings.Cut(frame, "\ndata: ")
		event = strings.TrimPrefix(event, "event: ")
		_, index, _ := strings.Cut(data, `"index":`)
		index, _, _ = strings.Cut(index, ",")
		index = strings.TrimRight(index, "}")
		switch event {
		case "content_block_start":
			_, typ, _ := strings.Cut(data, `"content_block":{"type":"`)
			typ, _, _ = strings.Cut(typ, `"`)
			out = append(out, "+"+index+" "+typ)
		case "content_block_delta":
			for _, key := range []string{`"text":`, `"partial_json":`, `"thinking":`, `"signature":`} {
				if _, text, ok := strings.Cut(data, key); ok {
					out = append(out, index+" "+strings.TrimSuffix(text, "}}"))
				}
			}
		case "content_block_stop":
			out = append(out, "-"+index)
		default:
			out = append(out, event)
		}
	}
	return out
}

func TestEncodeStreamKeepsOneBlockOpen(t *testing.T) {
	start := scri.StreamEvent{Kind: scri.EventStart, Head: &scri.ChatResponse{ID: "x", Model: "m"}}
	for _, c := range []struct {
		name   string
		events []scri.StreamEvent
		want   []string
	}{
		{
			"calls that come in turns are sent one after the other",
			[]scri.StreamEvent{call(0, "a"), call(1, "b"), more(0, "{"), more(1, "["), more(0, "}"), more(1, "]"), ends(1), ends(0), finish(scri.FinishToolCalls)},
			[]string{"message_start", "+0 tool_use", `0 "{"`, `0 "}"`, "-0", "+1 tool_use", `1 "["`, `1 "]"`, "-1", "message_delta", "message_stop"},
		},
		{
			"what waits is sent at the end at the latest",
			[]scri.StreamEvent{call(0, "a"), more(0, "{}"), call(1, "b"), more(1, "{}"), finish(scri.FinishToolCalls)},
			[]string{"message_start", "+0 tool_use", `0 "{}"`, "-0", "+1 tool_use", `1 "{}"`, "-1", "message_delta", "message_stop"},
		},
		{
			"a text that nobody ended gives way",
			[]scri.StreamEvent{begins(0, scri.Part{Kind: scri.PartThinking}), more(0, "hm"), begins(1, scri.TextPart("Hi")), call(2, "a"), more(2, "{}"), ends(0), ends(1), ends(2), finish(scri.FinishToolCalls)},
			[]string{"message_start", "+0 thinking", `0 "hm"`, "-0", "+1 text", `1 "Hi"`, "-1", "+2 tool_use", `2 "{}"`, "-2", "message_delta", "message_stop"},
		},
		{
			"a text that goes on later does so in another block",
			[]scri.StreamEvent{begins(0, scri.TextPart("a")), call(1, "x"), more(1, "{}"), more(0, "b"), ends(1), finish(scri.FinishStop)},
			[]string{"message_start", "+0 text", `0 "a"`, "-0", "+1 tool_use", `1 "{}"`, "-1", "+2 text", `2 "b"`, "-2", "message_delta", "message_stop"},
		},
		{
			"text without a beginning",
			[]scri.StreamEvent{more(0, "a"), finish(scri.FinishStop)},
			[]string{"message_start", "+0 text", `0 "a"`, "-0", "message_delta", "message_stop"},
		},
		{
			"parts that cannot be said are left out with all that belongs to them",
			[]scri.StreamEvent{begins(0, scri.Part{Kind: scri.PartMedia, Media: &scri.Media{Type: "image/png", Data: scri.NewText("AA")}}), more(0, "BB"), ends(0), begins(1, scri.TextPart("a")), ends(1), finish(scri.FinishStop)},
			[]string{"message_start", "+0 text", `0 "a"`, "-0", "message_delta", "message_stop"},
		},
		{
			"a foreign signature is left out",
			[]scri.StreamEvent{
				begins(0, scri.Part{Kind: scri.PartThinking}), more(0, "hm"),
				{Kind: scri.EventDelta, Signature: &scri.Signature{Value: scri.NewText("s"), Dialect: "gemini"}},
				ends(0), finish(scri.FinishStop),
			},
			[]string{"message_start", "+0 thinking", `0 "hm"`, "-0", "message_delta", "message_stop"},
		},
		{"nothing at all", []scri.StreamEvent{finish(scri.FinishStop)}, []string{"message_start", "message_delta", "message_stop"}},
		{"a ping", []scri.StreamEvent{{Kind: scri.EventPing}, finish(scri.FinishStop)}, []string{"ping", "message_start", "message_delta", "message_stop"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			enc := anthropic.New().EncodeStream(&dialect.Incoming{})
			out := enc.Event(nil, &start)
			for i := range c.events {
				out = enc.Event(out, &c.events[i])
			}
			out = enc.End(out, nil)
			if d := cmp.Diff(c.want, outline(out)); d != "" {
				t.Errorf("-want +got:\n%s", d)
			}
			if _, err := dialecttest.ReadStream(anthropic.New(), http.Header{}, out); err != nil {
				t.Errorf("it cannot be read: %v", err)
			}
		})
	}
}

func TestEncodeStreamEndsInError(t *testing.T) {
	enc := anthropic.New().EncodeStream(&dialect.Incoming{})
	ev := begins(0, scri.TextPart("a"))
	out := enc.Event(nil, &ev)
	out = enc.End(out, &scri.Error{Kind: scri.ErrOverloaded, Message: "Overloaded", RequestID: "req_1"})
	out = enc.End(out, nil)
	want := `event: error
data: {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"},"request_id":"req_1"}

`
	if !strings.HasSuffix(string(out), want) {
		t.Errorf("it ends in\n%s", out)
	}
	if strings.Contains(string(out), "message_stop") {
		t.Error("it has a clean end")
	}
}

func TestEncodeStreamBoundsWhatWaits(t *testing.T) {
	enc := anthropic.New().EncodeStream(&dialect.Incoming{})
	events := []scri.StreamEvent{call(0, "a"), call(1, "b")}
	var out []byte
	for i := range events {
		out = enc.Event(out, &events[i])
	}
	big := more(1, strings.Repeat("x", 1<<20))
	for range 20 {
		out = enc.Event(out, &big)
	}
	if n := len(out); n > 4<<10 {
		t.Errorf("%d bytes were sent of what had to wait", n)
	}
	if !strings.Contains(string(out), "event: error") {
		t.Error("nobody was told")
	}
}

// The counts of the input are told at the beginning if they are known then.
func TestEncodeStreamTellsUsageEarly(t *testing.T) {
	enc := anthropic.New().EncodeStream(&dialect.Incoming{})
	n := int64(7)
	events := []scri.StreamEvent{
		{Kind: scri.EventStart, Head: &scri.ChatResponse{ID: "msg_1", Model: "m"}},
		{Kind: scri.EventUsage, Usage: &scri.Usage{Input: &n}},
		begins(0, scri.TextPart("a")),
	}
	var out []byte
	for i := range events {
		out = enc.Event(out, &events[i])
	}
	if !strings.Contains(string(out), `"usage":{"input_tokens":7,"output_tokens":0}`) {
		t.Errorf("got %s", out)
	}
	if w := enc.Warnings(); len(w) > 0 {
		t.Errorf("unexpected warnings: %v", w)
	}
}
