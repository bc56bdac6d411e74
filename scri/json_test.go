package scri_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/aratta-gateway/aratta/scri"
	"github.com/aratta-gateway/aratta/scri/scritest"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// quoted returns s as it would be held after it came over the wire.
func quoted(s string) scri.Text {
	return scri.QuotedText(scri.NewText(s).AppendJSON(nil))
}

func fullPart() []scri.Part {
	ext := &scri.Ext{Dialect: "openai", Members: scri.RawJSON(`{"x_new":[1,2.50]}`), Form: "list"}
	return []scri.Part{
		{Kind: scri.PartThinking, Text: quoted("Let me \"see\"…"), Signature: &scri.Signature{Value: quoted("EqQB"), Dialect: "anthropic", Provider: "anthropic", Model: "claude-sonnet-4-5"}},
		{Kind: scri.PartThinking, Signature: &scri.Signature{Value: quoted("aGlkZGVu"), Dialect: "anthropic", Redacted: true}},
		{Kind: scri.PartText, Text: quoted("It is <b>sunny</b> ☀"), Citations: []scri.Citation{{Start: 0, End: 5, Quote: quoted("sunny"), URL: "https://example.org", Title: "Weather", Document: "doc-1", Ext: ext}}, Cache: &scri.CacheMark{TTL: "1h", Ext: ext}, Ext: ext},
		{Kind: scri.PartRefusal, Text: quoted("No.")},
		{Kind: scri.PartMedia, Media: &scri.Media{Type: "image/png", Name: "a.png", Data: quoted("iVBO"), Ext: ext}},
		{Kind: scri.PartMedia, Media: &scri.Media{Type: "image/*", URL: quoted("https://example.org/a.png?x=1&y=2")}},
		{Kind: scri.PartMedia, Media: &scri.Media{Type: "application/pdf", FileID: "file-1"}},
		{Kind: scri.PartMedia, Media: &scri.Media{Type: "text/plain", Text: quoted("a note")}},
		{Kind: scri.PartToolCall, Call: &scri.ToolCall{ID: "call_1", Name: "get_weather", Args: quoted(`{"city": "Zürich"}`), Ext: ext}},
		{Kind: scri.PartToolCall, Call: &scri.ToolCall{ID: "srv_1", Name: "web_search", Args: quoted(`{}`), Type: "server_tool_use", Server: "server", MadeID: true}},
		{Kind: scri.PartToolResult, Result: &scri.ToolResult{CallID: "call_1", Name: "get_weather", Parts: []scri.Part{scri.TextPart("18°")}, Error: true, Server: "server", Ext: ext}},
		{Kind: scri.PartOpaque, Raw: scri.RawJSON(`{"type":"x_block","n":18446744073709551616}`), Ext: &scri.Ext{Dialect: "anthropic"}},
	}
}

func fullRequest() *scri.ChatRequest {
	ext := &scri.Ext{Dialect: "openai", Members: scri.RawJSON(`{"store":true}`)}
	return &scri.ChatRequest{
		Model: "local",
		Messages: []scri.Message{
			{Role: scri.RoleSystem, Parts: []scri.Part{{Kind: scri.PartText, Text: quoted("Be brief.")}}},
			{Role: scri.RoleUser, ID: "m1", Name: "bob", Parts: fullPart(), Ext: ext},
			{Role: scri.RoleAssistant},
			{Role: "critic", Parts: []scri.Part{{Kind: scri.PartText, Text: quoted("hm"), Ext: ext}}},
		},
		Tools: []scri.Tool{
			{Name: "get_weather", Description: quoted("Tells the weather."), Schema: scri.RawJSON(`{"type":"object"}`), Strict: new(false), Cache: &scri.CacheMark{}, Ext: ext},
			{Type: "web_search_20250305", Name: "web_search", Ext: &scri.Ext{Dialect: "anthropic", Members: scri.RawJSON(`{"max_uses":3}`)}},
		},
		ToolChoice: &scri.ToolChoice{Mode: scri.ToolsNamed, Name: "get_weather", Ext: ext}, ParallelTools: new(false),
		MaxTokens: new(int64(100)), TopK: new(int64(40)), Seed: scri.RawJSON("18446744073709551615"),
		Temperature: new(0.0), TopP: new(0.95), FrequencyPenalty: new(-0.5), PresencePenalty: new(0.5),
		Stop: []string{"END"}, N: 2,
		Reasoning: &scri.Reasoning{Effort: "high", Budget: new(int64(2048)), Summary: "auto", Ext: ext},
		Format:    &scri.Format{Kind: scri.FormatJSONSchema, Name: "answer", Schema: scri.RawJSON(`{"type":"object"}`), Strict: new(true), Ext: ext},
		LogProbs:  new(0), User: "u-1", Metadata: map[string]string{"trace": "t-1"}, Session: "s-1", PreviousID: "resp_1",
		Routing: &scri.Routing{Sovereign: true, Strict: true, NoCache: true, Class: "personal", Chain: "default", MaxCostUSD: new(0.0), MaxLatencyMS: new(1500.0)},
		Stream:  true, Ext: ext,
	}
}

func fullError() *scri.Error {
	return &scri.Error{
		Kind: scri.ErrRateLimited, Status: 429, Code: "rate_limit_exceeded", Message: "too many requests", Hint: "wait 1.5 s",
		Provider: "openai", RequestID: "req_1", Path: "/messages/0", RetryAfter: 1500 * time.Millisecond,
		Attempts: []scri.Attempt{{Provider: "openai", Outcome: "failed"}},
	}
}

func fullLineage() *scri.Lineage {
	return &scri.Lineage{
		ID: "req_1", Ingress: "openai", Asked: "local", Chain: "default", Task: "code", Class: "internal",
		Attempts: []scri.Attempt{{
			Provider: "ollama", Model: "qwen3:8b", Dialect: "ollama", Zone: "local", Region: "eu", Overlays: []string{"fix-1"},
			Start: time.Date(2026, 1, 2, 3, 4, 5, 600e6, time.UTC), FirstMS: 12.5, TookMS: 100, Outcome: "failed", Error: fullError(),
			Usage: &scri.Usage{Input: new(int64(1))}, CostUSD: new(0.0),
		}},
		Confidence: &scri.Confidence{Value: 0.9, Threshold: 0.8, Signals: []scri.Reason{{Stage: "confidence", Code: "logprobs"}}},
		Cache:      "miss", Masked: 2, CostUSD: new(0.001),
		Reasons: []scri.Reason{{Stage: "attempt", Code: "fallback", Target: "openai:gpt-5.2", Detail: "ollama was overloaded"}},
	}
}

func fullResponse() *scri.ChatResponse {
	ext := &scri.Ext{Dialect: "openai", Members: scri.RawJSON(`{"system_fingerprint":"fp_1"}`)}
	return &scri.ChatResponse{
		ID: "resp_1", Model: "gpt-5.2", Provider: "openai", Created: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
		Choices: []scri.Choice{
			{
				Output:   []scri.Message{{Role: scri.RoleAssistant, Parts: []scri.Part{{Kind: scri.PartText, Text: quoted("Hi")}}}},
				Finish:   scri.Finish{Reason: scri.FinishStop, Raw: "stop_sequence", Dialect: "anthropic", Detail: "END"},
				LogProbs: []scri.TokenLogProb{{Token: quoted("Hi"), LogProb: -0.25, Bytes: []int{72, 105}, Top: []scri.TokenLogProb{{Token: quoted("Ho"), LogProb: -2}}, Ext: ext}},
				Ext:      ext,
			},
			{Output: []scri.Message{{Role: scri.RoleAssistant, ID: "msg_2", Parts: fullPart()}}, Finish: scri.Finish{}},
		},
		Usage:    &scri.Usage{Input: new(int64(10)), CacheRead: new(int64(0)), CacheWrite: new(int64(4)), Output: new(int64(5)), Thinking: new(int64(2)), Estimated: true, Raw: scri.RawJSON(`{"prompt_tokens":10}`), Dialect: "openai"},
		Warnings: []scri.Warning{{Code: scri.WarnChanged, Path: "/top_k", From: "40", To: "20", Detail: "the target allows no more"}},
		Lineage:  fullLineage(), Ext: ext,
	}
}

func fullEvents() []scri.StreamEvent {
	ext := &scri.Ext{Dialect: "openai", Members: scri.RawJSON(`{"obfuscation":"x"}`)}
	finish := &scri.Finish{Reason: scri.FinishStop}
	return []scri.StreamEvent{
		{Kind: scri.EventStart, Head: &scri.ChatResponse{ID: "resp_1", Model: "m"}},
		{Kind: scri.EventMessage, Choice: 1, Open: &scri.Message{Role: scri.RoleAssistant}},
		{Kind: scri.EventPart, Choice: 1, Part: 2, Whole: &scri.Part{Kind: scri.PartText}},
		{Kind: scri.EventDelta, Choice: 1, Part: 2, Delta: quoted("Hi"), LogProbs: []scri.TokenLogProb{{Token: quoted("Hi"), LogProb: -1}}},
		{Kind: scri.EventDelta, Message: 3, Citation: &scri.Citation{Title: "t"}},
		{Kind: scri.EventDelta, Signature: &scri.Signature{Value: quoted("s")}},
		{Kind: scri.EventPartEnd, Part: 2, Ext: ext},
		{Kind: scri.EventUsage, Usage: &scri.Usage{Input: new(int64(0))}},
		{Kind: scri.EventFinish, Finish: finish},
		{Kind: scri.EventOpaque, Ext: ext},
		{Kind: scri.EventPing},
		{Kind: scri.EventWarning, Warning: &scri.Warning{Code: scri.WarnDropped, Path: "/top_k"}},
		{Kind: scri.EventSeam, Head: &scri.ChatResponse{Provider: "openai"}},
		{Kind: scri.EventError, Err: fullError()},
		{Kind: scri.EventDone, Head: &scri.ChatResponse{Lineage: fullLineage()}, Usage: &scri.Usage{}, Finish: finish},
	}
}

func TestGoldenJSON(t *testing.T) {
	shapes := map[string]any{
		"request": fullRequest(), "request_empty": &scri.ChatRequest{},
		"response": fullResponse(), "response_empty": &scri.ChatResponse{},
		"events": new(fullEvents()), "error": fullError(), "lineage": fullLineage(),
		"count":  &scri.CountResponse{Input: 0, Estimated: true, Model: "m", Provider: "p", Lineage: &scri.Lineage{ID: "req_1"}},
		"models": &scri.ModelList{Models: []scri.ModelInfo{{ID: "ollama:qwen3:8b", Model: "qwen3:8b", Provider: "ollama", Zone: "local", ContextWindow: 40960, MaxOutput: 8192, Created: 1767323045, SizeBytes: 5e9, Digest: "d1", Family: "qwen3", ParameterSize: "8.2B", Quantization: "Q4_K_M", Capabilities: []string{"tools"}, Loaded: true, PriceIn: new(0.0), PriceOut: new(0.5)}, {ID: "careful", Means: []string{"ollama:qwen3:8b", "openai:o3"}}}, Notes: []scri.ModelNote{{Name: "vllm", Zone: "local", Why: "down: nobody listens at localhost:8000"}, {Name: "haiku, opus", Why: "lead nowhere: not on: anthropic"}}},
	}
	for name, v := range shapes {
		t.Run(name, func(t *testing.T) {
			var got bytes.Buffer
			enc := json.NewEncoder(&got)
			enc.SetEscapeHTML(false)
			enc.SetIndent("", "\t")
			if err := enc.Encode(v); err != nil {
				t.Fatal(err)
			}
			file := filepath.Join("testdata", name+".json")
			if *update {
				if err := os.WriteFile(file, got.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(string(want), got.String()); d != "" {
				t.Errorf("%s (-want +got):\n%s", file, d)
			}
			back := reflect.New(reflect.TypeOf(v).Elem())
			if err := json.Unmarshal(want, back.Interface()); err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(v, back.Interface(), sameRaw()); d != "" {
				t.Errorf("read again (-want +got):\n%s", d)
			}
		})
	}
}

// sameRaw compares raw JSON by what encoding/json makes of white space and HTML.
func sameRaw() cmp.Option {
	return cmp.FilterValues(func(a, b scri.RawJSON) bool { return a != nil && b != nil },
		cmp.Comparer(func(a, b scri.RawJSON) bool { return compact(a) == compact(b) }))
}

func compact(raw scri.RawJSON) string {
	var b, c bytes.Buffer
	if json.Compact(&b, raw) != nil {
		return string(raw)
	}
	json.HTMLEscape(&c, b.Bytes())
	return c.String()
}

func TestJSONRoundTrip(t *testing.T) {
	opts := cmp.Options{sameRaw(), cmpopts.EquateEmpty(), cmpopts.IgnoreFields(scri.Error{}, "Raw", "Err", "Dialect")}
	rapid.Check(t, func(t *rapid.T) {
		roundTrip(t, scritest.Request().Draw(t, "request"), opts)
		roundTrip(t, scritest.Response().Draw(t, "response"), opts)
	})
}

func roundTrip[T any](t *rapid.T, v *T, opts cmp.Options) {
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var back T
	if err := json.Unmarshal(b, &back); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(v, &back, opts); d != "" {
		t.Fatalf("%s\n(-want +got):\n%s", b, d)
	}
}

func TestMessageContent(t *testing.T) {
	tests := []struct {
		json string
		want []scri.Part
	}{
		{`{"role":"user"}`, nil},
		{`{"role":"user","content":null}`, nil},
		{`{"role":"user","content":[]}`, []scri.Part{}},
		{`{"role":"user","content":"a\nb"}`, []scri.Part{scri.TextPart("a\nb")}},
		{`{"role":"user","content":""}`, []scri.Part{scri.TextPart("")}},
		{`{"role":"user","content":[{"kind":"text","text":"a"}]}`, []scri.Part{scri.TextPart("a")}},
	}
	for _, tt := range tests {
		var m scri.Message
		if err := json.Unmarshal([]byte(tt.json), &m); err != nil {
			t.Errorf("%s: %v", tt.json, err)
		}
		if d := cmp.Diff(tt.want, m.Parts); d != "" {
			t.Errorf("%s (-want +got):\n%s", tt.json, d)
		}
	}
	for _, bad := range []string{`{"content":1}`, `{"role":1}`, `[]`} {
		if err := json.Unmarshal([]byte(bad), new(scri.Message)); err == nil {
			t.Errorf("%s was read", bad)
		}
	}
}

func TestErrorRetryAfter(t *testing.T) {
	for in, want := range map[string]time.Duration{
		`{}`: 0, `{"retry_after_ms":-1}`: 0, `{"retry_after_ms":0.5}`: 500 * time.Microsecond, `{"retry_after_ms":1e300}`: 366 * 24 * time.Hour,
	} {
		var e scri.Error
		if err := json.Unmarshal([]byte(in), &e); err != nil || e.RetryAfter != want {
			t.Errorf("%s: %v, %v", in, e.RetryAfter, err)
		}
	}
	if err := json.Unmarshal([]byte(`{"kind":1}`), new(scri.Error)); err == nil {
		t.Error("a kind that is a number was read")
	}
}
