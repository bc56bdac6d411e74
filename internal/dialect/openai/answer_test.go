package openai_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/dialect/openai"
	"github.com/aratta-gateway/aratta/scri"
)

func asking(usage bool) *dialect.Incoming {
	r := &scri.ChatRequest{Stream: true}
	if usage {
		r.Ext = &scri.Ext{Dialect: "openai", Form: "usage"}
	}
	return &dialect.Incoming{Req: r}
}

// foreign is an answer of another dialect.
func foreign() *scri.ChatResponse {
	in, out := int64(3), int64(7)
	return &scri.ChatResponse{
		ID: "msg_1", Model: "claude", Created: time.Unix(1741569952, 0).UTC(),
		Choices: []scri.Choice{{
			Output: []scri.Message{{Role: scri.RoleAssistant, Parts: []scri.Part{
				{Kind: scri.PartThinking, Text: scri.NewText("Hm"), Signature: &scri.Signature{Value: scri.NewText("s"), Dialect: "anthropic"}},
				scri.TextPart("I look."),
				{Kind: scri.PartToolCall, Call: &scri.ToolCall{ID: "toolu_1", Name: "look", Args: scri.NewText(`{"at":"it"}`)}},
			}}},
			Finish: scri.Finish{Reason: scri.FinishToolCalls, Raw: "tool_use", Dialect: "anthropic"},
		}},
		Usage: &scri.Usage{Input: &in, Output: &out},
	}
}

func TestForeignAnswer(t *testing.T) {
	got, warnings := openai.New().EncodeResponse(nil, asking(false), foreign())
	want := `{"id":"msg_1","object":"chat.completion","created":1741569952,"model":"claude","choices":[{"index":0,"message":{"role":"assistant",` +
		`"reasoning_content":"Hm","content":"I look.","tool_calls":[{"id":"toolu_1","type":"function","function":{"name":"look","arguments":"{\"at\":\"it\"}"}}]},` +
		`"finish_reason":"tool_calls"}],"usage":{"prompt_tokens":3,"completion_tokens":7,"total_tokens":10}}`
	if string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if d := cmp.Diff([]string{"dropped /choices/0/output/0/content/0/signature"}, said(warnings)); d != "" {
		t.Error(d)
	}
}

func TestForeignStream(t *testing.T) {
	const head = `data: {"id":"msg_1","object":"chat.completion.chunk","created":1741569952,"model":"claude","choices":[`
	delta := func(d string) string { return head + `{"index":0,"delta":{` + d + `},"finish_reason":null}]}` }
	lines := []string{
		delta(`"role":"assistant","content":""`),
		delta(`"reasoning_content":"Hm"`),
		delta(`"content":"I look."`),
		delta(`"tool_calls":[{"index":0,"id":"toolu_1","type":"function","function":{"name":"look","arguments":""}}]`),
		delta(`"tool_calls":[{"index":0,"function":{"arguments":"{\"at\":\"it\"}"}}]`),
		head + `{"index":0,"delta":{},"finish_reason":"tool_calls"}]}`,
		"data: [DONE]",
	}
	if d := cmp.Diff(lines, frames(t, asking(false), scri.Replay(foreign()), nil)); d != "" {
		t.Error(d)
	}
	usage := head + `],"usage":{"prompt_tokens":3,"completion_tokens":7,"total_tokens":10}}`
	asked := append(append(lines[:6:6], usage), "data: [DONE]")
	if d := cmp.Diff(asked, frames(t, asking(true), scri.Replay(foreign()), nil)); d != "" {
		t.Errorf("asked for usage: %s", d)
	}
	failed := append(lines[:6:6], `data: {"error":{"message":"it broke","type":"server_error","param":null,"code":"unavailable"}}`)
	e := &scri.Error{Kind: scri.ErrUnavailable, Message: "it broke"}
	if d := cmp.Diff(failed, frames(t, asking(false), scri.Replay(foreign()), e)); d != "" {
		t.Errorf("failed: %s", d)
	}
}

// frames encodes a stream and returns its frames.
func frames(t *testing.T, in *dialect.Incoming, s scri.Stream, end *scri.Error) []string {
	t.Helper()
	enc := openai.New().EncodeStream(in)
	var b []byte
	for {
		e, err := s.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		b = enc.Event(b, e)
	}
	b = enc.End(b, end)
	list := strings.Split(string(b), "\n\n")
	if list[len(list)-1] != "" {
		t.Errorf("the last frame has no end: %q", list[len(list)-1])
	}
	return list[:len(list)-1]
}

// TestUnaskedUsage: what the provider tells beside the finish is passed on to
// clients of the dialect, what comes in a chunk of its own only when asked for.
func TestUnaskedUsage(t *testing.T) {
	const usage = `"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}`
	const head = `data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[`
	const said = head + `{"index":0,"delta":{"role":"assistant","content":"a"},"finish_reason":null}]}` + "\n\n"
	for name, c := range map[string]struct {
		in   string
		want bool
	}{
		"inline": {said + head + `{"index":0,"delta":{},"finish_reason":"stop"}],` + usage + "}\n\ndata: [DONE]\n\n", true},
		"alone":  {said + head + `{"index":0,"delta":{},"finish_reason":"stop"}]}` + "\n\n" + head + "]," + usage + "}\n\ndata: [DONE]\n\n", false},
	} {
		s := openai.New().DecodeStream(&dialect.Answer{Status: http.StatusOK, Stream: strings.NewReader(c.in)})
		got := strings.Join(frames(t, asking(false), s, nil), "\n")
		if strings.Contains(got, "usage") != c.want {
			t.Errorf("%s: %s", name, got)
		}
	}
}

// TestPrettyMembers: line ends in members that are carried along break no frame.
func TestPrettyMembers(t *testing.T) {
	r := foreign()
	pretty := scri.RawJSON("{\n \"x\": {\n  \"y\": 1\n }\n}")
	r.Ext = &scri.Ext{Dialect: "openai", Members: pretty}
	r.Choices[0].Ext = r.Ext
	for _, f := range frames(t, asking(true), scri.Replay(r), nil) {
		if strings.ContainsAny(f, "\n\r") {
			t.Errorf("a frame of several lines: %q", f)
		}
	}
}

func TestPing(t *testing.T) {
	enc := openai.New().EncodeStream(asking(false))
	if got := string(enc.Ping(nil)); got != ": ping\n\n" {
		t.Errorf("a ping is %q", got)
	}
	if enc.ContentType() != "text/event-stream" {
		t.Error(enc.ContentType())
	}
}

func TestErrorInside200(t *testing.T) {
	for _, body := range []string{
		`{"error":{"message":"No such model","code":404}}`,
		`{"error":"model not found"}`,
		`{"object":"error","message":"Invalid model: x","type":"invalid_model"}`,
	} {
		_, err := openai.New().DecodeResponse(&dialect.Answer{Status: http.StatusOK, Body: []byte(body)})
		if e := scri.AsError(err); e == nil || e.Kind != scri.ErrNotFound {
			t.Errorf("%s: %v", body, err)
		}
		s := openai.New().DecodeStream(&dialect.Answer{Status: http.StatusOK, Stream: strings.NewReader(body)})
		if _, err := s.Next(); scri.AsError(err).Kind != scri.ErrNotFound {
			t.Errorf("as a stream: %s: %v", body, err)
		}
	}
	for _, body := range []string{"", "{}", "<html>", `{"id":"x"}`} {
		_, err := openai.New().DecodeResponse(&dialect.Answer{Status: http.StatusOK, Body: []byte(body)})
		if e := scri.AsError(err); e == nil || e.Kind != scri.ErrUnavailable {
			t.Errorf("%q: %v", body, err)
		}
	}
}

// What else a document holds decides whether it tells of an error.
func TestErrorBesideAnAnswer(t *testing.T) {
	const choices = `"choices":[{"index":0,"message":{"role":"assistant","content":"Hello"},"finish_reason":"stop"}]`
	for _, tt := range []struct {
		body string
		want scri.ErrorKind // "" = it is an answer
	}{
		{`{` + choices + `,"error":{"message":"Overloaded","code":503}}`, scri.ErrOverloaded},
		{`{"error":{"message":"Overloaded","code":503},` + choices + `}`, scri.ErrOverloaded},
		{`{"error":{"message":"Overloaded","code":503},"choices":`, scri.ErrOverloaded}, // broken off behind it
		{`{"error":{"message":"Overloaded","code":503},"choices":7}`, scri.ErrOverloaded},
		{`{"choices":7,"object":"error","message":"Overloaded","code":503}`, scri.ErrUnavailable}, // no answer, and no error of this dialect
		{`{"object":"error","message":"Overloaded","code":503}`, scri.ErrOverloaded},
		{`{"detail":{"message":"Overloaded","code":503}}`, scri.ErrOverloaded},
		{`{` + choices + `,"error":null}`, ""},
		{`{` + choices + `,"object":"error"}`, ""},
		{`{` + choices + `,"detail":"of no concern"}`, ""},
	} {
		_, err := openai.New().DecodeResponse(&dialect.Answer{Status: http.StatusOK, Body: []byte(tt.body)})
		kind := scri.ErrorKind("")
		if err != nil {
			kind = scri.AsError(err).Kind
		}
		if kind != tt.want {
			t.Errorf("%s: %q (%v), want %q", tt.body, kind, err, tt.want)
		}
	}
}

func TestModels(t *testing.T) {
	d := openai.New().(dialect.Lister)
	for name, body := range map[string]string{
		"list": `{"object":"list","data":[{"id":"a","object":"model","created":5,"owned_by":"x","context_length":4096,"top_provider":{"max_completion_tokens":512}},{"id":"b"}]}`,
		"bare": `[{"id":"a","created":5,"max_model_len":4096,"max_output_tokens":512},{"id":"b"}]`,
	} {
		l, err := d.DecodeModels(&dialect.Answer{Status: http.StatusOK, Body: []byte(body)})
		if err != nil {
			t.Fatal(err)
		}
		for i := range l.Models {
			l.Models[i].Raw, l.Models[i].Dialect = nil, ""
		}
		want := []scri.ModelInfo{{ID: "a", Model: "a", Created: 5, ContextWindow: 4096, MaxOutput: 512}, {ID: "b", Model: "b"}}
		if d := cmp.Diff(want, l.Models); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
	l := &scri.ModelList{Models: []scri.ModelInfo{{ID: "ollama:a", Provider: "ollama", Created: 5}, {ID: "local"}}}
	want := `{"object":"list","data":[{"id":"ollama:a","object":"model","created":5,"owned_by":"ollama"},{"id":"local","object":"model","created":0,"owned_by":"aratta"}]}`
	if got := string(d.EncodeModels(nil, nil, l)); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if got := string(d.EncodeModel(nil, nil, &l.Models[0])); !strings.Contains(want, got) {
		t.Errorf("one model is %s", got)
	}
	if _, err := d.DecodeModels(&dialect.Answer{Status: http.StatusOK, Body: []byte(`{"error":"no"}`)}); err == nil {
		t.Error("an error is no list")
	}
}

// TestPending: a decoder knows whether more is at hand, so that a writer can
// send what came together in one piece.
func TestPending(t *testing.T) {
	in := burst(0)
	s := openai.New().DecodeStream(&dialect.Answer{Status: http.StatusOK, Stream: bytes.NewReader(in)})
	if scri.Pending(s) {
		t.Error("something is pending before anything was read")
	}
	for n := 0; ; n++ {
		if n > 0 && !scri.Pending(s) {
			t.Errorf("nothing is pending after %d events of one read", n)
		}
		if _, err := s.Next(); err != nil {
			return
		}
	}
}
