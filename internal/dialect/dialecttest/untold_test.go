package dialecttest_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/dialect/all"
	"github.com/aratta-gateway/aratta/internal/dialect/dialecttest"
	"github.com/aratta-gateway/aratta/scri"
)

// sse makes server-sent events of lines, each named by what stands before its data.
func sse(lines ...string) string {
	var b strings.Builder
	for _, l := range lines {
		if name, data, _ := strings.Cut(l, " "); name != "" && name[0] != '{' && name[0] != '[' {
			fmt.Fprintf(&b, "event: %s\ndata: %s\n\n", name, data)
		} else {
			fmt.Fprintf(&b, "data: %s\n\n", l)
		}
	}
	return b.String()
}

func chunk(delta string) string {
	return `{"id":"c1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":` + delta + `,"finish_reason":null}]}`
}

const chunkEnd = `{"id":"c1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}`

func message(more ...string) string {
	lines := append([]string{
		`message_start {"type":"message_start","message":{"id":"m1","type":"message","role":"assistant","model":"m","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":1,"output_tokens":1}}}`,
		`content_block_start {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}`,
		`content_block_delta {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hi"}}`,
	}, more...)
	return sse(append(lines,
		`content_block_stop {"type":"content_block_stop","index":0}`,
		`message_delta {"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":2}}`,
		`message_stop {"type":"message_stop"}`)...)
}

func response(more ...string) string {
	lines := append([]string{
		`response.created {"type":"response.created","sequence_number":0,"response":{"id":"r1","object":"response","created_at":1,"model":"m","status":"in_progress","output":[]}}`,
		`response.output_item.added {"type":"response.output_item.added","sequence_number":1,"output_index":0,"item":{"type":"message","id":"i1","status":"in_progress","role":"assistant","content":[]}}`,
		`response.content_part.added {"type":"response.content_part.added","sequence_number":2,"item_id":"i1","output_index":0,"content_index":0,"part":{"type":"output_text","text":"","annotations":[]}}`,
	}, more...)
	return sse(append(lines,
		`response.output_text.delta {"type":"response.output_text.delta","sequence_number":4,"item_id":"i1","output_index":0,"content_index":0,"delta":"Hi"}`,
		`response.output_item.done {"type":"response.output_item.done","sequence_number":5,"output_index":0,"item":{"type":"message","id":"i1","status":"completed","role":"assistant","content":[{"type":"output_text","text":"Hi","annotations":[]}]}}`,
		`response.completed {"type":"response.completed","sequence_number":6,"response":{"id":"r1","object":"response","created_at":1,"model":"m","status":"completed","output":[{"type":"message","id":"i1","status":"completed","role":"assistant","content":[{"type":"output_text","text":"Hi","annotations":[]}]}],"usage":{"input_tokens":1,"output_tokens":1,"total_tokens":2}}}`)...)
}

// untold are streams with something invented among what is known: what a client of the
// same dialect gets of it, and where the warnings of any other say that it was.
var untold = []struct {
	name, dialect, stream, same, path string
}{
	{"a delta of its own", "openai", sse(chunk(`{"role":"assistant","content":"H"}`), chunk(`{"x_invented":{"a":1}}`), chunk(`{"content":"i"}`), chunkEnd, "[DONE]"), `"x_invented":{"a":1}`, "/events/x_invented"},
	{"a member beside a text", "openai", sse(chunk(`{"role":"assistant","content":"H"}`), chunk(`{"content":"i","x_invented":7}`), chunkEnd, "[DONE]"), `"x_invented":7`, "/events/x_invented"},
	{"a member of a chunk", "openai", sse(chunk(`{"role":"assistant","content":"Hi"}`), strings.Replace(chunkEnd, `{"id"`, `{"x_invented":7,"id"`, 1), "[DONE]"), `"x_invented":7`, "/ext/x_invented"},
	{"an event", "anthropic", message(`x_invented {"type":"x_invented","index":0,"a":1}`), `{"type":"x_invented","index":0,"a":1}`, "/events/x_invented"},
	{"a delta", "anthropic", message(`content_block_delta {"type":"content_block_delta","index":0,"delta":{"type":"x_invented","a":1}}`), `"delta":{"type":"x_invented","a":1}`, "/events/content_block_delta/x_invented"},
	{"a member of a delta", "anthropic", message(`content_block_delta {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"!","x_invented":1}}`), `"x_invented":1`, "/choices/0/output/0/content/0/ext/x_invented"},
	{"an event", "responses", response(`response.x_invented {"type":"response.x_invented","sequence_number":3,"a":1}`), `"type":"response.x_invented"`, "/events/response.x_invented"},
	{"an event of another family", "responses", response(`x_invented {"type":"x_invented","sequence_number":3,"a":1}`), `"type":"x_invented"`, "/events/x_invented"},
	{"a member of a delta", "responses", response(`response.output_text.delta {"type":"response.output_text.delta","sequence_number":3,"item_id":"i1","output_index":0,"content_index":0,"delta":"Oh ","x_invented":1}`), `"x_invented":1`, "/events/x_invented"},
	{"an event", "cohere", sse(
		`message-start {"type":"message-start","id":"c1","delta":{"message":{"role":"assistant","content":[],"tool_plan":"","tool_calls":[],"citations":[]}}}`,
		`content-start {"type":"content-start","index":0,"delta":{"message":{"content":{"type":"text","text":""}}}}`,
		`content-delta {"type":"content-delta","index":0,"delta":{"message":{"content":{"text":"Hi"}}}}`,
		`x-invented {"type":"x-invented","index":0,"delta":{"a":1}}`,
		`content-end {"type":"content-end","index":0}`,
		`message-end {"type":"message-end","delta":{"finish_reason":"COMPLETE"}}`,
	), `"type":"x-invented"`, "/events/x-invented"},
	{"an event", "bedrock", string(dialecttest.Frames([]byte(`event messageStart {"role":"assistant"}
event contentBlockDelta {"contentBlockIndex":0,"delta":{"text":"Hi"}}
event xInvented {"a":1}
event contentBlockStop {"contentBlockIndex":0}
event messageStop {"stopReason":"end_turn"}
event metadata {"usage":{"inputTokens":1,"outputTokens":1,"totalTokens":2}}
`))), "xInvented", "/events/xInvented"},
	{"a delta", "bedrock", string(dialecttest.Frames([]byte(`event messageStart {"role":"assistant"}
event contentBlockDelta {"contentBlockIndex":0,"delta":{"text":"Hi"}}
event contentBlockDelta {"contentBlockIndex":0,"delta":{"xInvented":1}}
event contentBlockStop {"contentBlockIndex":0}
event messageStop {"stopReason":"end_turn"}
event metadata {"usage":{"inputTokens":1,"outputTokens":1,"totalTokens":2}}
`))), "xInvented", "xInvented"},
	{"a member of a line", "ollama", `{"model":"m","created_at":"2026-01-01T00:00:00Z","message":{"role":"assistant","content":"H"},"done":false}
{"model":"m","created_at":"2026-01-01T00:00:00Z","message":{"role":"assistant","content":""},"x_invented":{"a":1},"done":false}
{"model":"m","created_at":"2026-01-01T00:00:00Z","message":{"role":"assistant","content":"i","y_invented":1},"done":false}
{"model":"m","created_at":"2026-01-01T00:00:00Z","message":{"role":"assistant","content":""},"done":true,"done_reason":"stop"}
`, `"x_invented":{"a":1}`, "/events/x_invented"},
	{"a member of a candidate that had ended", "gemini", sse(
		`{"candidates":[{"index":0,"content":{"role":"model","parts":[{"text":"Hi"}]},"finishReason":"STOP"}],"modelVersion":"m"}`,
		`{"candidates":[{"index":0,"xInvented":{"a":1}}],"modelVersion":"m"}`,
	), `"xInvented":{"a":1}`, "/events/xInvented"},
	{"a member of a piece", "gemini", sse(
		`{"candidates":[{"index":0,"content":{"role":"model","parts":[{"text":"H"}]}}],"modelVersion":"m"}`,
		`{"xInvented":{"a":1},"modelVersion":"m"}`,
		`{"candidates":[{"index":0,"content":{"role":"model","parts":[{"text":"i"}]},"finishReason":"STOP"}],"modelVersion":"m"}`,
	), `"xInvented":{"a":1}`, "/ext/xInvented"},
	{"a choice of another shape", "completions", sse(
		`{"id":"c1","object":"text_completion","created":1,"model":"m","choices":[{"index":0,"text":"H","finish_reason":null}]}`,
		`{"id":"c1","object":"text_completion","created":1,"model":"m","choices":["x_invented"]}`,
		`{"id":"c1","object":"text_completion","created":1,"model":"m","choices":[{"index":0,"text":"i","finish_reason":"stop"}]}`,
		"[DONE]",
	), `["x_invented"]`, "/events/choices"},
	{"a member of a chunk", "completions", sse(
		`{"id":"c1","object":"text_completion","created":1,"model":"m","choices":[{"index":0,"text":"H","finish_reason":null}]}`,
		`{"id":"c1","object":"text_completion","created":1,"model":"m","x_invented":1,"choices":[{"index":0,"text":"i","finish_reason":"stop"}]}`,
		"[DONE]",
	), `"x_invented":1`, "/ext/x_invented"},
	{"an event", "native", sse(
		`start {"kind":"start","head":{"id":"n1","model":"m"}}`,
		`message {"kind":"message","open":{"role":"assistant"}}`,
		`part {"kind":"part","whole":{"kind":"text"}}`,
		`delta {"kind":"delta","delta":"Hi"}`,
		`x_invented {"kind":"x_invented","a":1}`,
		`part_end {"kind":"part_end"}`,
		`finish {"kind":"finish","finish":{"reason":"stop"}}`,
		`done {"kind":"done","finish":{"reason":"stop"}}`,
	), `{"kind":"x_invented","a":1}`, "/events/x_invented"},
}

// TestNothingOfAStreamIsLostUntold: what SCRI has no word for reaches clients of the
// same API and of SCRI, and for all others it is a warning.
func TestNothingOfAStreamIsLostUntold(t *testing.T) {
	covered := map[string]bool{}
	for _, c := range untold {
		covered[c.dialect] = true
		for _, to := range all.Table() {
			t.Run(c.dialect+" to "+to.Name()+"/"+c.name, func(t *testing.T) {
				body, warnings := served(t, all.Get(c.dialect), to, c.stream)
				var about []scri.Warning
				for _, w := range warnings {
					if strings.HasPrefix(w.Path, "/events") || strings.HasSuffix(w.Path, c.path) {
						about = append(about, w)
					}
				}
				switch {
				case to.Name() == c.dialect:
					if !strings.Contains(body, c.same) || len(about) > 0 {
						t.Errorf("warnings %v, and %q is not in\n%s", about, c.same, body)
					}
				case to.Name() == "native":
					if len(about) > 0 {
						t.Errorf("a loss that is none: %v", about)
					}
				case !slices.ContainsFunc(about, func(w scri.Warning) bool {
					return w.Code == scri.WarnDropped && strings.HasSuffix(w.Path, c.path) && strings.Contains(w.Detail, c.dialect) && w.Loss()
				}):
					t.Errorf("nothing is said of %s: %v", c.path, warnings)
				case strings.Contains(body, "nvented"):
					t.Errorf("it was smuggled:\n%s", body)
				}
			})
		}
	}
	for _, d := range all.Table() {
		if !covered[d.Name()] {
			t.Errorf("no stream of %s", d.Name())
		}
	}
}

// TestEventsAreToldOfOnce: a warning a kind, and not more than a client can bear.
func TestEventsAreToldOfOnce(t *testing.T) {
	var lines []string
	for i := range 1000 {
		lines = append(lines, `x {"type":"x_same"}`, fmt.Sprintf(`x {"type":"x_%d/%s"}`, i, strings.Repeat("y", 1000)))
	}
	_, warnings := served(t, all.Get("anthropic"), all.Get("openai"), message(lines...))
	var paths []string
	for _, w := range warnings {
		if strings.HasPrefix(w.Path, "/events") {
			paths = append(paths, w.Path)
		}
	}
	if len(paths) != 33 || paths[0] != "/events/x_same" || !strings.HasPrefix(paths[1], "/events/x_0~1yyy") || paths[32] != "/events" {
		t.Errorf("%d: %.400q", len(paths), paths)
	}
	for _, p := range paths {
		if len(p) > 300 {
			t.Errorf("a path of %d bytes", len(p))
		}
	}
}

// served lets a client of to ask for a stream that a provider of from gives, and
// returns what it gets, and the warnings of the exchange.
func served(t *testing.T, from, to dialect.Dialect, stream string) (string, []scri.Warning) {
	t.Helper()
	req := dialecttest.Hello()
	req.Stream = true
	out, _, err := to.EncodeRequest(req, &dialect.Target{Model: "m"})
	if err != nil {
		t.Fatal(err)
	}
	in := dialecttest.Incoming(to, out.Path, http.Header{}, out.Body)
	var warnings []scri.Warning
	h := dialect.Serve(to, in.Route, func(context.Context, *scri.Exchange) (scri.Stream, error) {
		return from.DecodeStream(&dialect.Answer{Status: 200, Header: http.Header{}, Stream: strings.NewReader(stream), Target: &dialect.Target{Model: "m"}}), nil
	}, dialect.ServeOptions{Done: func(_ *http.Request, x *scri.Exchange, _ int, err *scri.Error) {
		if warnings = x.Warnings; err != nil {
			t.Error(err)
		}
	}})
	w := httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodPost, out.Path, bytes.NewReader(out.Body))
	r.SetPathValue("model", "m")
	h.ServeHTTP(w, r)
	return w.Body.String(), warnings
}
