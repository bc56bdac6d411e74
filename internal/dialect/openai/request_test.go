package openai_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/dialect/openai"
	"github.com/aratta-gateway/aratta/scri"
)

func TestRefuses(t *testing.T) {
	const hi = `"messages":[{"role":"user","content":"Hi"}]`
	for _, c := range []struct{ name, body, path string }{
		{"no messages", `{"model":"m"}`, "/messages"},
		{"messages that are null", `{"messages":null}`, "/messages"},
		{"messages that are no list", `{"messages":"Hi"}`, "/messages"},
		{"a message that is no object", `{"messages":["Hi"]}`, "/messages/0"},
		{"a message without a role", `{"messages":[{"content":"Hi"}]}`, "/messages/0/role"},
		{"a role that is no string", `{"messages":[{"role":1,"content":"Hi"}]}`, "/messages/0/role"},
		{"content that is a number", `{"messages":[{"role":"user","content":1}]}`, "/messages/0/content"},
		{"a model that is no string", `{"model":1,` + hi + `}`, "/model"},
		{"a temperature in words", `{"temperature":"hot",` + hi + `}`, "/temperature"},
		{"half a token", `{"max_tokens":1.5,` + hi + `}`, "/max_tokens"},
		{"a stream that is no bool", `{"stream":"yes",` + hi + `}`, "/stream"},
		{"no answers", `{"n":0,` + hi + `}`, "/n"},
		{"a seed in words", `{"seed":"x",` + hi + `}`, "/seed"},
		{"a stop that is a number", `{"stop":[1],` + hi + `}`, "/stop/0"},
		{"effort in numbers", `{"reasoning_effort":3,` + hi + `}`, "/reasoning_effort"},
		{"alternatives in words", `{"logprobs":true,"top_logprobs":"x",` + hi + `}`, "/top_logprobs"},
		{"tools that are no list", `{"tools":{},` + hi + `}`, "/tools"},
		{"a tool without a type", `{"tools":[{"name":"x"}],` + hi + `}`, "/tools/0"},
		{"tool_calls that are no list", `{"messages":[{"role":"assistant","tool_calls":{}}]}`, "/messages/0/tool_calls"},
		{"a repeated name", `{"model":"a","model":"b",` + hi + `}`, ""},
		{"something behind the end", `{` + hi + `}x`, ""},
		{"no end", `{` + hi, ""},
		{"broken UTF-8", "{\"model\":\"\xff\"," + hi + `}`, ""},
		{"a deep nest", `{"x":` + strings.Repeat("[", 129) + strings.Repeat("]", 129) + `,` + hi + `}`, "/x"},
		{"nothing", ``, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := openai.New().DecodeRequest(&dialect.Incoming{Body: []byte(c.body)})
			e := scri.AsError(err)
			if e == nil || e.Kind != scri.ErrInvalid {
				t.Fatalf("it is not refused: %v", err)
			}
			if c.path != "" && e.Path != c.path {
				t.Errorf("the path is %q, not %q: %v", e.Path, c.path, e)
			}
			if e.HTTPStatus() != 400 || e.Message == "" {
				t.Errorf("status %d, message %q", e.HTTPStatus(), e.Message)
			}
		})
	}
}

// outgoing encodes a request that was decoded from body.
func outgoing(t *testing.T, body string, target dialect.Target) (string, []string) {
	t.Helper()
	r, err := openai.New().DecodeRequest(&dialect.Incoming{Body: []byte(body)})
	if err != nil {
		t.Fatal(err)
	}
	return sent(t, r, target)
}

func sent(t *testing.T, r *scri.ChatRequest, target dialect.Target) (string, []string) {
	t.Helper()
	out, warnings, err := openai.New().EncodeRequest(r, &target)
	if err != nil {
		t.Fatal(err)
	}
	return string(out.Body), said(warnings)
}

func said(warnings []scri.Warning) (list []string) {
	for _, w := range warnings {
		list = append(list, w.Code+" "+w.Path)
	}
	return list
}

func TestAdditions(t *testing.T) {
	const hi = `"messages":[{"role":"user","content":"Hi"}]`
	for _, c := range []struct {
		name, body string
		target     dialect.Target
		want       string
		warnings   []string
	}{
		{
			"the model is the target's", `{"model":"local",` + hi + `}`,
			dialect.Target{Model: "m"},
			`{"model":"m",` + hi + `}`, nil,
		},
		{
			"what the client named stays as it is", `{"model":"gpt-5.2",` + hi + `,"max_tokens":9,"reasoning_effort":"on"}`,
			dialect.Target{Reasoning: "reasoning_details"},
			`{"model":"gpt-5.2",` + hi + `,"max_tokens":9,"reasoning_effort":"on"}`, nil,
		},
		{
			"usage is asked for", `{"model":"m","stream":true,` + hi + `}`,
			dialect.Target{WantUsage: true},
			`{"model":"m","stream":true,"stream_options":{"include_usage":true},` + hi + `}`,
			[]string{"added /stream_options/include_usage"},
		},
		{
			"usage is asked for beside other options", `{"model":"m","stream":true,` + hi + `,"stream_options":{"x":1}}`,
			dialect.Target{WantUsage: true},
			`{"model":"m","stream":true,"stream_options":{"include_usage":true,"x":1},` + hi + `}`,
			[]string{"added /stream_options/include_usage"},
		},
		{
			"usage was asked for already", `{"model":"m","stream":true,` + hi + `,"stream_options":{"include_usage":true}}`,
			dialect.Target{WantUsage: true},
			`{"model":"m","stream":true,"stream_options":{"include_usage":true},` + hi + `}`, nil,
		},
		{
			"no usage without a stream", `{"model":"m",` + hi + `}`,
			dialect.Target{WantUsage: true},
			`{"model":"m",` + hi + `}`, nil,
		},
		{
			"probabilities are asked for", `{"model":"m",` + hi + `}`,
			dialect.Target{LogProbs: true},
			`{"model":"m",` + hi + `,"logprobs":true}`,
			[]string{"added /logprobs"},
		},
		{
			"probabilities were asked for already", `{"model":"m",` + hi + `,"logprobs":true,"top_logprobs":2}`,
			dialect.Target{LogProbs: true},
			`{"model":"m",` + hi + `,"logprobs":true,"top_logprobs":2}`, nil,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			body, warnings := outgoing(t, c.body, c.target)
			if body != c.want {
				t.Errorf("got  %s\nwant %s", body, c.want)
			}
			if d := cmp.Diff(c.warnings, warnings); d != "" {
				t.Error(d)
			}
		})
	}
}

// TestForeignRequests shows how requests of other dialects are written.
func TestForeignRequests(t *testing.T) {
	n, budget := int64(100), int64(8000)
	thought := scri.Message{Role: scri.RoleAssistant, Parts: []scri.Part{
		{Kind: scri.PartThinking, Text: scri.NewText("Hm"), Signature: &scri.Signature{Value: scri.NewText("s"), Dialect: "anthropic"}},
		scri.TextPart("4"),
	}}
	image := scri.Part{Kind: scri.PartMedia, Media: &scri.Media{Type: "image/png", Data: scri.NewText("iVBORw0KGgo=")}}
	for _, c := range []struct {
		name     string
		req      scri.ChatRequest
		target   dialect.Target
		want     string
		warnings []string
	}{
		{
			"old models know max_tokens",
			scri.ChatRequest{MaxTokens: &n},
			dialect.Target{Model: "llama"},
			`{"model":"llama","messages":[],"max_tokens":100}`, nil,
		},
		{
			"new ones refuse it",
			scri.ChatRequest{MaxTokens: &n},
			dialect.Target{Model: "openai/gpt-5.2"},
			`{"model":"openai/gpt-5.2","messages":[],"max_completion_tokens":100}`, nil,
		},
		{
			"a budget becomes a word",
			scri.ChatRequest{Reasoning: &scri.Reasoning{Budget: &budget}},
			dialect.Target{Model: "m"},
			`{"model":"m","messages":[],"reasoning_effort":"medium"}`,
			[]string{"dropped /reasoning/budget", "emulated /reasoning/effort"},
		},
		{
			"or stays one where it can",
			scri.ChatRequest{Reasoning: &scri.Reasoning{Budget: &budget}},
			dialect.Target{Model: "m", Reasoning: "reasoning_details"},
			`{"model":"m","messages":[],"reasoning":{"max_tokens":8000}}`, nil,
		},
		{
			"thoughts stay behind",
			scri.ChatRequest{Messages: []scri.Message{thought}},
			dialect.Target{Model: "m"},
			`{"model":"m","messages":[{"role":"assistant","content":"4"}]}`,
			[]string{"dropped /messages/0/content/0"},
		},
		{
			"unless the provider takes them",
			scri.ChatRequest{Messages: []scri.Message{thought}},
			dialect.Target{Model: "m", Reasoning: "reasoning"},
			`{"model":"m","messages":[{"role":"assistant","reasoning":"Hm","content":"4"}]}`,
			[]string{"dropped /messages/0/content/0/signature"},
		},
		{
			"what a tool shows is shown by a user",
			scri.ChatRequest{Messages: []scri.Message{
				{Role: scri.RoleUser, Parts: []scri.Part{
					{Kind: scri.PartToolResult, Result: &scri.ToolResult{CallID: "a", Parts: []scri.Part{scri.TextPart("see"), image}}},
					{Kind: scri.PartToolResult, Result: &scri.ToolResult{CallID: "b", Parts: []scri.Part{scri.TextPart("ok")}, Error: true}},
					scri.TextPart("Go on"),
				}},
			}},
			dialect.Target{Model: "m"},
			`{"model":"m","messages":[{"role":"tool","tool_call_id":"a","content":"see"},{"role":"tool","tool_call_id":"b","content":"ok"},` +
				`{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,iVBORw0KGgo="}}]},{"role":"user","content":"Go on"}]}`,
			[]string{"emulated /messages", "emulated /messages/0/content/0/result/content/1", "dropped /messages/0/content/1/result/error"},
		},
		{
			"a turn of which nothing is left is left out",
			scri.ChatRequest{Messages: []scri.Message{
				{Role: scri.RoleAssistant, Parts: thought.Parts[:1]}, {Role: scri.RoleUser, Parts: []scri.Part{scri.TextPart("Hi")}},
			}},
			dialect.Target{Model: "m"},
			`{"model":"m","messages":[{"role":"user","content":"Hi"}]}`,
			[]string{"dropped /messages/0/content/0", "dropped /messages/0"},
		},
		{
			"a call without arguments",
			scri.ChatRequest{Messages: []scri.Message{
				{Role: scri.RoleAssistant, Parts: []scri.Part{{Kind: scri.PartToolCall, Call: &scri.ToolCall{ID: "a", Name: "f"}}}},
			}},
			dialect.Target{Model: "m"},
			`{"model":"m","messages":[{"role":"assistant","content":null,"tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{}"}}]}]}`, nil,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			body, warnings := sent(t, &c.req, c.target)
			if body != c.want {
				t.Errorf("got  %s\nwant %s", body, c.want)
			}
			if d := cmp.Diff(c.warnings, warnings); d != "" {
				t.Error(d)
			}
		})
	}
}

// That a body is JSON goes without saying, see [dialect.Outgoing].
func TestHeaders(t *testing.T) {
	r := &scri.ChatRequest{Model: "m", Messages: []scri.Message{{Role: scri.RoleUser, Parts: []scri.Part{scri.TextPart("a")}}}}
	for _, r.Stream = range []bool{false, true} {
		out, _, err := openai.New().EncodeRequest(r, &dialect.Target{})
		if err != nil || out.Header.Get("Content-Type") != "" || (out.Header.Get("Accept") == "text/event-stream") != r.Stream {
			t.Errorf("stream=%v: %v, %v", r.Stream, out.Header, err)
		}
	}
}
