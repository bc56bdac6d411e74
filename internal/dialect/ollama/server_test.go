package ollama_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/dialect/ollama"
	"github.com/aratta-gateway/aratta/scri"
)

// TestRefusedRequests: what is wrong is refused by the name of the field.
func TestRefusedRequests(t *testing.T) {
	d := ollama.New()
	deep := strings.Repeat("[", 130) + strings.Repeat("]", 130)
	for _, c := range []struct{ name, body, path string }{
		{"chat-model", `{"model":7,"messages":[]}`, "/model"},
		{"chat-messages", `{"messages":{}}`, "/messages"},
		{"chat-message", `{"messages":["hi"]}`, "/messages/0"},
		{"chat-role", `{"messages":[{"role":1}]}`, "/messages/0/role"},
		{"chat-content-list", `{"messages":[{"role":"user","content":[{"type":"text","text":"hi"}]}]}`, "/messages/0/content"},
		{"chat-image", `{"messages":[{"role":"user","images":["A",5]}]}`, "/messages/0/images/1"},
		{"chat-image-url", `{"messages":[{"role":"user","images":["data:image/png;base64,AAAA"]}]}`, "/messages/0/images/0"},
		{"chat-stream", `{"messages":[],"stream":"no"}`, "/stream"},
		{"chat-tools", `{"messages":[],"tools":{}}`, "/tools"},
		{"chat-tool", `{"messages":[],"tools":[1]}`, "/tools/0"},
		{"chat-options", `{"messages":[],"options":[]}`, "/options"},
		{"chat-temperature", `{"messages":[],"options":{"temperature":"hot"}}`, "/options/temperature"},
		{"chat-num-predict", `{"messages":[],"options":{"num_predict":1.5}}`, "/options/num_predict"},
		{"chat-stop", `{"messages":[],"options":{"stop":"x"}}`, "/options/stop"},
		{"chat-stop-item", `{"messages":[],"options":{"stop":["x",null]}}`, "/options/stop/1"},
		{"chat-seed", `{"messages":[],"options":{"seed":"x"}}`, "/options/seed"},
		{"chat-think", `{"messages":[],"think":"very"}`, "/think"},
		{"chat-think-number", `{"messages":[],"think":1}`, "/think"},
		{"chat-format", `{"messages":[],"format":"yaml"}`, "/format"},
		{"chat-logprobs", `{"messages":[],"logprobs":1}`, "/logprobs"},
		{"chat-top", `{"messages":[],"logprobs":true,"top_logprobs":21}`, "/top_logprobs"},
		{"chat-repeated", `{"messages":[{"role":"user","role":"user"}]}`, "/messages/0"},
		{"chat-repeated-in-call", `{"messages":[{"role":"assistant","tool_calls":[{"function":{"name":"a","name":"b"}}]}]}`, "/messages/0/tool_calls/0/function"},
		{"chat-deep", `{"messages":[],"x":` + deep + `}`, "/x"},
		{"chat-utf8", "{\"messages\":[{\"role\":\"user\",\"content\":\"\xff\"}]}", ""},
		{"chat-cut", `{"messages":[{"role":"user","content":"h`, "/messages/0/content"},
		{"chat-behind", `{"messages":[]} {}`, ""},
		{"chat-no-object", `[]`, ""},
		{"chat-nothing", ``, ""},
		{"generate-prompt", `{"prompt":["a"]}`, "/prompt"},
		{"generate-raw", `{"prompt":"a","raw":1}`, "/raw"},
		{"generate-suffix", `{"prompt":"a","suffix":1}`, "/suffix"},
	} {
		t.Run(c.name, func(t *testing.T) {
			req, err := d.DecodeRequest(incoming(c.name, []byte(c.body)))
			var e *scri.Error
			if !errors.As(err, &e) {
				t.Fatalf("got %v, %v", req, err)
			}
			if e.Kind != scri.ErrInvalid || e.Status != http.StatusBadRequest || e.Message == "" {
				t.Errorf("got %+v", e)
			}
			if c.path != e.Path && !strings.HasPrefix(e.Path, c.path+"/") {
				t.Errorf("path %q, want %q (%v)", e.Path, c.path, e)
			}
		})
	}
}

func TestRoutes(t *testing.T) {
	d := ollama.New()
	seen := map[string]bool{}
	for _, r := range d.Routes() {
		seen[r.Method+" "+r.Pattern] = true
		in := &dialect.Incoming{Route: r}
		switch r.Op {
		case scri.OpModel:
			in.Body = []byte(`{"name":"old","model":"new","verbose":true}`)
		case scri.OpChat:
			in.Body = []byte(`{"model":"new","messages":[],"prompt":"x"}`)
		default:
		}
		req, err := d.DecodeRequest(in)
		if err != nil {
			t.Errorf("%s: %v", r.Pattern, err)
			continue
		}
		if len(in.Body) > 0 && req.Model != "new" {
			t.Errorf("%s: model %q", r.Pattern, req.Model)
		}
	}
	for _, p := range []string{"POST /api/chat", "POST /api/generate", "GET /api/tags", "POST /api/show", "GET /api/ps", "GET /api/version"} {
		if !seen[p] {
			t.Error("no route", p)
		}
	}
	in := &dialect.Incoming{Route: dialect.Route{Op: scri.OpModel}, Body: []byte(`{"model":null}`)}
	if _, err := d.DecodeRequest(in); err == nil || scri.AsError(err).Path != "/model" {
		t.Errorf("a show without a model: %v", err)
	}
}

// TestStreamIsTheDefault: absent means true here, and stays absent.
func TestStreamIsTheDefault(t *testing.T) {
	d := ollama.New()
	req, err := d.DecodeRequest(incoming("chat", []byte(`{"messages":[]}`)))
	if err != nil || !req.Stream {
		t.Fatal(req, err)
	}
	off := *req
	off.Stream = false
	for _, c := range []struct {
		req  *scri.ChatRequest
		want string
	}{{req, `{"messages":[]}`}, {&off, `{"messages":[],"stream":false}`}} {
		out, _, err := d.EncodeRequest(c.req, nil)
		if err != nil || string(out.Body) != c.want {
			t.Errorf("%s, %v; want %s", out.Body, err, c.want)
		}
	}
}

func TestErrors(t *testing.T) {
	d := ollama.New()
	for _, c := range []struct {
		status int
		body   string
		want   scri.Error
	}{
		{404, `{"error":"model 'x' not found"}`, scri.Error{Kind: scri.ErrNotFound, Status: 404, Message: "model 'x' not found", Hint: "pull the model with `ollama pull`, or name one that `ollama list` shows"}},
		{400, `{"error":"\"gemma\" does not support tools"}`, scri.Error{Kind: scri.ErrUnsupported, Status: 400, Message: `"gemma" does not support tools`}},
		{400, `{"error":"invalid option provided"}`, scri.Error{Kind: scri.ErrInvalid, Status: 400, Message: "invalid option provided"}},
		{503, `{"error":"server busy, please try again.  maximum pending requests exceeded"}`, scri.Error{Kind: scri.ErrOverloaded, Status: 503, Message: "server busy, please try again.  maximum pending requests exceeded"}},
		{500, `{"error":"model requires more system memory (5.6 GiB) than is available (3.9 GiB)"}`, scri.Error{Kind: scri.ErrOverloaded, Status: 500, Message: "model requires more system memory (5.6 GiB) than is available (3.9 GiB)"}},
		{500, `{"error":"llama runner process has terminated: exit status 2"}`, scri.Error{Kind: scri.ErrUnavailable, Status: 500, Message: "llama runner process has terminated: exit status 2"}},
		{500, `{"error":"invalid JSON schema in format"}`, scri.Error{Kind: scri.ErrInvalid, Status: 500, Message: "invalid JSON schema in format"}},
		{400, `{"error":"think value \"high\" is not supported for this model"}`, scri.Error{Kind: scri.ErrUnsupported, Status: 400, Message: `think value "high" is not supported for this model`}},
		{400, `{"error":"the input length exceeds the context length"}`, scri.Error{Kind: scri.ErrContextLength, Status: 400, Message: "the input length exceeds the context length", Hint: "shorten the conversation, or raise num_ctx for this model"}},
		{401, `{"error":"unauthorized","signin_url":"https://ollama.com/connect"}`, scri.Error{Kind: scri.ErrAuth, Status: 401, Message: "unauthorized"}},
		{400, `{"error":{"message":"prompt too long","code":"x"}}`, scri.Error{Kind: scri.ErrContextLength, Status: 400, Code: "x", Message: "prompt too long", Hint: "shorten the conversation, or raise num_ctx for this model"}},
		{429, ``, scri.Error{Kind: scri.ErrRateLimited, Status: 429, Message: "Too Many Requests"}},
		{502, `<html>Bad gateway</html>`, scri.Error{Kind: scri.ErrUnavailable, Status: 502, Message: "Bad Gateway"}},
		{404, `404 page not found`, scri.Error{Kind: scri.ErrNotFound, Status: 404, Message: "404 page not found"}},
		{502, `{"error":"truncated: the answer broke off"}`, scri.Error{Kind: scri.ErrTruncated, Status: 502, Message: "the answer broke off"}},
	} {
		e := d.DecodeError(&dialect.Answer{Status: c.status, Body: []byte(c.body), Header: http.Header{"Retry-After": {"3"}}})
		if string(e.Raw) != c.body || e.Dialect != ollama.Name || e.RetryAfter != 3*time.Second {
			t.Errorf("%s: %+v", c.body, e)
		}
		got := scri.Error{Kind: e.Kind, Status: e.Status, Code: e.Code, Message: e.Message, Hint: e.Hint}
		if diff := cmp.Diff(c.want.Error(), got.Error()); diff != "" || got.Hint != c.want.Hint || got.Code != c.want.Code {
			t.Errorf("%s: %s\n%+v", c.body, diff, got)
		}
		// It is told in the same words, and understood as the same.
		status, body := d.EncodeError(nil, e)
		if c.body != "" && c.body[0] == '{' && string(body) != c.body {
			t.Errorf("%s became %s", c.body, body)
		}
		if again := d.DecodeError(&dialect.Answer{Status: status, Body: body}); again.Kind != e.Kind {
			t.Errorf("%s (%d) became %s: %d %s", e.Kind, c.status, again.Kind, status, body)
		}
	}
}

// TestErrorsOfOurs: every kind is told so that it is understood.
func TestErrorsOfOurs(t *testing.T) {
	d := ollama.New()
	for _, k := range []scri.ErrorKind{
		scri.ErrInvalid, scri.ErrUnsupported, scri.ErrAuth, scri.ErrPermission, scri.ErrNotFound, scri.ErrRateLimited,
		scri.ErrQuota, scri.ErrContextLength, scri.ErrContentFilter, scri.ErrOverloaded, scri.ErrTimeout,
		scri.ErrUnavailable, scri.ErrTruncated, scri.ErrCanceled, scri.ErrPolicy, scri.ErrInternal,
	} {
		e := &scri.Error{Kind: k, Message: "it went wrong", Path: "/messages/0", Hint: "do it right"}
		status, body := d.EncodeError(nil, e)
		if got := d.DecodeError(&dialect.Answer{Status: status, Body: body}); got.Kind != k || got.Message != "it went wrong (/messages/0). Hint: do it right" {
			t.Errorf("%s: %d %s was read as %v", k, status, body, got)
		}
		enc := d.EncodeStream(incoming("chat", nil))
		line := enc.End(nil, e)
		s := d.DecodeStream(&dialect.Answer{Status: 200, Stream: strings.NewReader(string(line))})
		if _, err := s.Next(); scri.AsError(err).Kind != k {
			t.Errorf("%s: in a stream %s was read as %v", k, line, err)
		}
	}
}

// TestErrorIn200: an error is one whatever the status says.
func TestErrorIn200(t *testing.T) {
	_, err := ollama.New().DecodeResponse(&dialect.Answer{Status: 200, Body: []byte(`{"error":"model 'x' not found"}`)})
	if e := scri.AsError(err); err == nil || e.Kind != scri.ErrNotFound || e.Status != 200 {
		t.Errorf("got %+v", e)
	}
	for body, kind := range map[string]scri.ErrorKind{
		``: scri.ErrUnavailable, `nope`: scri.ErrUnavailable, `[]`: scri.ErrUnavailable, `{"a":1,"a":2}`: scri.ErrUnavailable,
		`{"message":`: scri.ErrTruncated,
	} {
		if _, err := ollama.New().DecodeResponse(&dialect.Answer{Status: 200, Body: []byte(body)}); err == nil || scri.AsError(err).Kind != kind {
			t.Errorf("%q: %v", body, err)
		}
	}
}
