package server

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aratta-gateway/aratta/internal/dialect/all"
	"github.com/aratta-gateway/aratta/internal/session"
	"github.com/aratta-gateway/aratta/scri"
)

// toy is a gateway that knows one model.
type toy struct{}

func (toy) Chat(_ context.Context, x *scri.Exchange) (scri.Stream, error) {
	switch x.Req.Model {
	case "panic":
		panic("on demand")
	case "long":
		x.Lineage.Attempts = []scri.Attempt{{Provider: "p", Model: long, Outcome: "failed"}}
		x.Warnings = []scri.Warning{{Code: "dropped", Path: "/" + long}}
		return nil, &scri.Error{Kind: scri.ErrInvalid, Message: long, Path: "/" + long, Code: long}
	case "echo":
		e := &scri.Error{Kind: scri.ErrInvalid, Status: 422, Code: "bad_prompt", Message: "cannot read \"my secret\"", Path: "/my/secret", Provider: "p"}
		x.Lineage.Attempts = []scri.Attempt{{Provider: "p", Model: "m", Outcome: "failed", Error: e}}
		return nil, e
	case "torn":
		return &torn{}, nil
	case "echoes":
		return nil, &scri.Error{Kind: scri.ErrUnavailable, Message: "all failed: my secret", Code: "my secret", Attempts: make([]scri.Attempt, 2)}
	}
	if x.Req.Model != "m" {
		return nil, &scri.Error{Kind: scri.ErrNotFound, Message: "who?", Path: "/model"}
	}
	return scri.Replay(&scri.ChatResponse{ID: "r1", Model: "m", Created: time.Unix(1, 0), Choices: []scri.Choice{{
		Output: []scri.Message{{Role: scri.RoleAssistant, Parts: []scri.Part{scri.TextPart("hello")}}}, Finish: scri.Finish{Reason: scri.FinishStop},
	}}}), nil
}

// torn is an answer that breaks off.
type torn struct{ n int }

func (t *torn) Next() (*scri.StreamEvent, error) {
	if t.n++; t.n == 1 {
		return &scri.StreamEvent{Kind: scri.EventStart, Head: &scri.ChatResponse{ID: "r", Model: "m"}}, nil
	}
	return nil, &scri.Error{Kind: scri.ErrTruncated, Message: "broke off"}
}

func (*torn) Close() error { return nil }

func (toy) Count(context.Context, *scri.Exchange) (*scri.CountResponse, error) {
	return &scri.CountResponse{Input: 3}, nil
}

func (toy) Loaded(context.Context) *scri.ModelList {
	return &scri.ModelList{Models: []scri.ModelInfo{{ID: "toy:m", Model: "m", Provider: "toy", Loaded: true}}}
}

func (toy) Models(context.Context) *scri.ModelList {
	return &scri.ModelList{Models: []scri.ModelInfo{{ID: "toy:m", Model: "m", Provider: "toy", Loaded: true}, {ID: "toy:n", Model: "n", Provider: "toy"}}}
}

// errGone is an error that requests share.
var errGone = &scri.Error{Kind: scri.ErrNotFound, Message: "no longer", Path: "/model"}

func (toy) Model(_ context.Context, name string) (*scri.ModelInfo, error) {
	switch name {
	case "panic":
		panic("on demand")
	case "gone":
		return nil, errGone
	}
	if name != "toy:m" && name != "m" {
		return nil, &scri.Error{Kind: scri.ErrNotFound, Message: "model " + name + " is not known", Path: "/model"}
	}
	return &scri.ModelInfo{ID: "toy:m", Model: "m"}, nil
}

// Answer knows one answer, which belongs to callers from this machine.
func (toy) Answer(c scri.Caller, id string) *session.Turn {
	if id != "resp_1" || !c.Loopback {
		return nil
	}
	said := func(role scri.Role, text string) []scri.Message {
		return []scri.Message{{Role: role, Parts: []scri.Part{scri.TextPart(text)}}}
	}
	return &session.Turn{
		ID: id, Request: &scri.ChatRequest{Model: "m", Messages: said(scri.RoleUser, "hi")},
		Response: &scri.ChatResponse{ID: id, Model: "m", Choices: []scri.Choice{{Output: said(scri.RoleAssistant, "hello"), Finish: scri.Finish{Reason: scri.FinishStop}}}},
	}
}

func (toy) Forget(_ scri.Caller, id string) bool { return id == "resp_1" }

func (toy) Embed(_ context.Context, x *scri.Exchange) (*scri.EmbedResponse, error) {
	if x.Embed.Model != "m" {
		return nil, &scri.Error{Kind: scri.ErrNotFound, Message: "who?", Path: "/model"}
	}
	x.Lineage.Attempts = []scri.Attempt{{Provider: "p", Model: "m", Outcome: "ok"}}
	return &scri.EmbedResponse{Model: "m", Embeddings: []scri.Embedding{{Encoding: scri.EncodingFloat, Values: scri.RawJSON(`[0.25,-1]`)}}}, nil
}

const goodChat = `{"model":"m","messages":[{"role":"user","content":"hi"}]}`

// long is a name that a client may choose.
var long = strings.Repeat("x", 100_000)

// one is a request and what must come of it.
type one struct {
	name, method, path, body string
	header                   map[string]string
	peer                     string
	status                   int
	has                      string
	lacks                    string
	headers                  map[string]string
}

func TestRoutes(t *testing.T) {
	anthropic := map[string]string{"Anthropic-Version": "2023-06-01"}
	local, evil := map[string]string{"Origin": "http://localhost:3000"}, map[string]string{"Origin": "https://evil.example.com"}
	for _, c := range []one{
		{name: "health", method: "GET", path: "/health", status: 200, has: `"status":"ok"`},
		{name: "the root", method: "GET", path: "/", status: 200, has: "Aratta is running"},
		{name: "version", method: "GET", path: "/api/version", status: 200, has: `"version"`},
		{name: "chat", method: "POST", path: "/v1/chat/completions", body: goodChat, status: 200, has: "hello"},
		{name: "a doubled slash", method: "POST", path: "//v1//chat/completions", body: goodChat, status: 200, has: "hello"},
		{
			name: "vectors", method: "POST", path: "/v1/embeddings", body: `{"model":"m","input":"hi"}`, status: 200, has: `"embedding":[0.25,-1]`,
			headers: map[string]string{"X-Aratta-Provider": "p", "X-Aratta-Model": "m"},
		},
		{name: "vectors in base64", method: "POST", path: "/v1/embeddings", body: `{"model":"m","input":"hi","encoding_format":"base64"}`, status: 200, has: `"embedding":"AACAPgAAgL8="`},
		{name: "vectors of Ollama", method: "POST", path: "/api/embed", body: `{"model":"m","input":["hi"]}`, status: 200, has: `"embeddings":[[0.25,-1]]`},
		{name: "a vector of Ollama", method: "POST", path: "/api/embeddings", body: `{"model":"m","prompt":"hi"}`, status: 200, has: `{"embedding":[0.25,-1]}`},
		{name: "own vectors", method: "POST", path: "/api/v1/embed", body: `{"model":"m","input":"hi"}`, status: 200, has: `"embeddings":[[0.25,-1]]`},
		{name: "vectors of nothing", method: "POST", path: "/v1/embeddings", body: `{"model":"m"}`, status: 400, has: "input"},
		{name: "vectors of a stranger", method: "POST", path: "/v1/embeddings", body: `{"model":"x","input":"hi"}`, status: 404, has: "who?"},
		{name: "count", method: "POST", path: "/v1/messages/count_tokens", body: goodChat, status: 200, has: `"input_tokens":3`},
		{name: "models of OpenAI", method: "GET", path: "/v1/models", status: 200, has: `"object":"list"`},
		{name: "models of Anthropic", method: "GET", path: "/v1/models", header: anthropic, status: 200, has: `"type":"model"`, lacks: `"object"`},
		{name: "models of Ollama", method: "GET", path: "/api/tags", status: 200, has: `"models"`},
		{name: "own models", method: "GET", path: "/api/v1/models", status: 200, has: "toy:m"},
		{name: "loaded models", method: "GET", path: "/api/ps", status: 200, has: `"toy:m"`, lacks: "toy:n"},
		{name: "one model", method: "GET", path: "/v1/models/toy:m", status: 200, has: "toy:m"},
		{name: "one model that is not there", method: "GET", path: "/v1/models/x/y", status: 404, has: `"message"`},
		{name: "one model of Anthropic's that is not there", method: "GET", path: "/v1/models/x", header: anthropic, status: 404, has: `"type":"error"`},
		{name: "one model without a name", method: "GET", path: "/v1/models/", status: 400, has: "model is missing. Hint: did you mean /v1/models?"},
		{name: "show", method: "POST", path: "/api/show", body: `{"model":"m"}`, status: 200},
		{name: "show, as it was called", method: "POST", path: "/api/show", body: `{"name":"m"}`, status: 200},
		{name: "show nothing", method: "POST", path: "/api/show", body: `{}`, status: 400, has: "model"},
		{name: "show nonsense", method: "POST", path: "/api/show", body: `[`, status: 400, has: "model"},
		{name: "show too much", method: "POST", path: "/api/show", body: `{"model":"` + strings.Repeat("x", 1<<20) + `"}`, status: 400, has: "model"},
		{name: "show a stranger", method: "POST", path: "/api/show", body: `{"model":"x"}`, status: 404, has: `"error":"`},
		{name: "an answer", method: "POST", path: "/v1/responses", body: `{"model":"m","input":"hi"}`, status: 200, has: `"object":"response"`},
		{name: "an answer in the background", method: "POST", path: "/v1/responses", body: `{"model":"m","input":"hi","background":true}`, status: 400, has: `background responses are not supported`},
		{name: "a kept answer", method: "GET", path: "/v1/responses/resp_1", status: 200, has: `"text":"hello"`},
		{name: "a kept answer as a stream", method: "GET", path: "/v1/responses/resp_1?stream=true", status: 400, has: `stream`},
		{name: "what it was given to", method: "GET", path: "/v1/responses/resp_1/input_items", status: 200, has: `"text":"hi"`, lacks: "hello"},
		{name: "too much of it", method: "GET", path: "/v1/responses/resp_1/input_items?limit=101", status: 400, has: `"param":"limit"`},
		{name: "a kept answer is deleted", method: "DELETE", path: "/v1/responses/resp_1", status: 200, has: `{"id":"resp_1","object":"response","deleted":true}`},
		{name: "a kept answer is canceled", method: "POST", path: "/v1/responses/resp_1/cancel", status: 400, has: `Cannot cancel a synchronous response.`},
		{name: "no such answer", method: "GET", path: "/v1/responses/resp_2", status: 404, has: `"message":"Response with id 'resp_2' not found."`},
		{name: "no such answer to delete", method: "DELETE", path: "/v1/responses/resp_2", status: 404, has: `Response with id 'resp_2' not found.`},
		{name: "no such answer to cancel", method: "POST", path: "/v1/responses/resp_2/cancel", status: 404, has: `Response with id 'resp_2' not found.`},
		{name: "no such answer's items", method: "GET", path: "/v1/responses/resp_2/input_items", status: 404, has: `Response with id 'resp_2' not found.`},
		{name: "a stranger, a kept answer", method: "GET", path: "/v1/responses/resp_1", peer: "10.0.0.5:1", status: 401, lacks: "hello"},
		{name: "a method that no answer takes", method: "PUT", path: "/v1/responses/resp_1", status: 405, has: "GET, DELETE"},
		{name: "a page of a stranger, a kept answer", method: "GET", path: "/v1/responses/resp_1", header: evil, status: 403, lacks: "hello"},
		{name: "a panic", method: "POST", path: "/v1/chat/completions", body: strings.Replace(goodChat, `"m"`, `"panic"`, 1), status: 500, lacks: "on demand"},
		{
			name: "a panic about a model", method: "POST", path: "/api/show", body: `{"model":"panic"}`, status: 500, has: `"error":"internal: the gateway failed`,
			headers: map[string]string{"Content-Type": "application/json"},
		},
		{name: "a stranger, chat", method: "POST", path: "/v1/messages", body: goodChat, peer: "10.0.0.5:1", status: 401, has: `"authentication_error"`},
		{name: "a stranger, models", method: "GET", path: "/api/tags", peer: "10.0.0.5:1", status: 401, has: `"error":"`},
		{name: "a stranger, nowhere", method: "GET", path: "/x", peer: "10.0.0.5:1", status: 401, lacks: "nothing at"},
		{name: "a stranger, health", method: "GET", path: "/health", peer: "10.0.0.5:1", status: 200},
		{name: "/v1 twice", method: "POST", path: "/v1/v1/chat/completions", body: goodChat, status: 404, has: "did you mean /v1/chat/completions?"},
		{name: "/v1 missing", method: "POST", path: "/chat/completions", body: goodChat, status: 404, has: "did you mean /v1/chat/completions?"},
		{name: "/v1 missing before a model", method: "GET", path: "/models/x", status: 404, has: "did you mean /v1/models/x?"},
		{name: "/api missing", method: "POST", path: "/generate", body: goodChat, status: 404, has: "did you mean /api/generate?"},
		{name: "/v1 before Ollama's", method: "POST", path: "/v1/api/chat", body: goodChat, status: 404, has: "did you mean /api/chat?"},
		{name: "a slash at the end", method: "POST", path: "/v1/messages/", body: goodChat, status: 404, has: "did you mean /v1/messages?"},
		{name: "a misspelt path", method: "POST", path: "/v1/chat/completion", body: goodChat, status: 404, has: "did you mean /v1/chat/completions?"},
		{name: "what a runtime does itself", method: "POST", path: "/api/pull", body: `{"model":"m"}`, status: 404, has: "aratta models pull NAME", lacks: "did you mean"},
		{name: "a path like none", method: "POST", path: "/somewhere/else", body: goodChat, status: 404, has: "docs/api.md", lacks: "did you mean"},
		{name: "another method", method: "DELETE", path: "/v1/models", status: 405, has: "DELETE is not taken here, GET is", headers: map[string]string{"Allow": "GET"}},
		{name: "a page of this machine reads", method: "GET", path: "/v1/models", header: local, status: 200, headers: map[string]string{
			"Access-Control-Expose-Headers": "X-Aratta-Request-Id, X-Aratta-Provider, X-Aratta-Model, X-Aratta-Decision, X-Aratta-Confidence, X-Aratta-Cache, X-Aratta-Cost, X-Aratta-Warnings, X-Request-Id, Request-Id, Retry-After",
		}},
		{name: "a page of this machine", method: "POST", path: "/v1/chat/completions", body: goodChat, header: local, status: 200, headers: map[string]string{"Access-Control-Allow-Origin": "http://localhost:3000"}},
		{name: "its browser asks before", method: "OPTIONS", path: "/v1/chat/completions", header: map[string]string{
			"Origin": "http://localhost:3000", "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization",
		}, status: 204, headers: map[string]string{"Access-Control-Allow-Headers": "authorization"}},
		{name: "a page of a stranger", method: "POST", path: "/v1/chat/completions", body: goodChat, header: evil, status: 403, headers: map[string]string{"Access-Control-Allow-Origin": ""}},
		{name: "its browser asks before", method: "OPTIONS", path: "/v1/chat/completions", header: map[string]string{
			"Origin": "https://evil.example.com", "Access-Control-Request-Method": "POST",
		}, status: 403, headers: map[string]string{"Access-Control-Allow-Origin": ""}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var log bytes.Buffer
			s := New(Options{Gateway: toy{}, Answers: toy{}, Dialects: all.Table(), MaxBody: 1 << 20, Version: "1", Log: slog.New(slog.NewJSONHandler(&log, nil))})
			r := httptest.NewRequestWithContext(t.Context(), c.method, "http://localhost:8084"+c.path, strings.NewReader(c.body))
			r.RemoteAddr = "127.0.0.1:5000"
			if c.peer != "" {
				r.RemoteAddr = c.peer
			}
			for k, v := range c.header {
				r.Header.Set(k, v)
			}
			w := httptest.NewRecorder()
			s.ServeHTTP(w, r)
			body := w.Body.String()
			if w.Code != c.status || !strings.Contains(body, c.has) || c.lacks != "" && strings.Contains(body, c.lacks) {
				t.Errorf("%d %s", w.Code, body)
			}
			for k, v := range c.headers {
				if got := w.Header().Get(k); got != v {
					t.Errorf("%s: %q, want %q", k, got, v)
				}
			}
			if strings.HasPrefix(c.name, "a panic") != strings.Contains(log.String(), `"msg":"panic"`) {
				t.Errorf("log: %s", log.String())
			}
		})
	}
}

// One line for each request, which a client cannot make long.
func TestLogLine(t *testing.T) {
	var log bytes.Buffer
	s := New(Options{Gateway: toy{}, Answers: toy{}, Dialects: all.Table(), MaxBody: 1 << 20, Log: slog.New(slog.NewJSONHandler(&log, nil))})
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "http://localhost/v1/chat/completions",
		strings.NewReader(strings.Replace(goodChat, `"m"`, `"`+strings.Repeat("ё", 100_000)+`"`, 1)))
	r.RemoteAddr = "127.0.0.1:5000"
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	var line struct {
		Msg       string
		RequestID string `json:"request_id"`
		Status    int
		Kind      string
		Asked     string
	}
	if err := json.Unmarshal(log.Bytes(), &line); err != nil || strings.Count(log.String(), "\n") != 1 {
		t.Fatalf("%v: %d lines", err, strings.Count(log.String(), "\n"))
	}
	if line.Msg != "request" || line.Status != 404 || line.Kind != "not_found" || line.RequestID != w.Header().Get(headerID) || len(line.Asked) > 260 {
		t.Errorf("%+v", line)
	}
}

// Nor can who is refused, or asks with a method of his own.
func TestLogLineOfRefusal(t *testing.T) {
	long := strings.Repeat("X", 50_000)
	for _, peer := range []string{"10.0.0.5:5000", "127.0.0.1:5000"} {
		for _, path := range []string{"/v1/models", "/" + long} {
			var log bytes.Buffer
			s := New(Options{Gateway: toy{}, Answers: toy{}, Dialects: all.Table(), MaxBody: 1 << 20, Log: slog.New(slog.NewJSONHandler(&log, nil))})
			r := httptest.NewRequestWithContext(t.Context(), long, "http://localhost"+path, http.NoBody)
			r.RemoteAddr = peer
			w := httptest.NewRecorder()
			s.ServeHTTP(w, r)
			if w.Code < 400 || log.Len() == 0 || log.Len() > 2000 || w.Body.Len() > 2000 {
				t.Errorf("%d bytes of log, %d of answer", log.Len(), w.Body.Len())
			}
		}
	}
}

// listener is a Tracer that remembers which requests ended.
type listener struct{ ended []string }

type beganKey struct{}

func (l *listener) Begin(r *http.Request) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), beganKey{}, true))
}
func (*listener) Event(context.Context, *scri.StreamEvent)  {}
func (*listener) Whole(context.Context, *scri.ChatResponse) {}
func (l *listener) Ended(ctx context.Context, x *scri.Exchange, status int, _ *scri.Error) {
	began, _ := ctx.Value(beganKey{}).(bool)
	l.ended = append(l.ended, fmt.Sprintf("%s %d %t", x.Op, status, began))
}

// Whoever is told of requests is told how each ended, also of one that a panic or a
// foreign page ended; but for preflights that are granted, which are no requests yet.
func TestTracerHearsTheEnd(t *testing.T) {
	var l listener
	s := New(Options{Gateway: toy{}, Answers: toy{}, Dialects: all.Table(), MaxBody: 1 << 20, Tracer: &l})
	for _, c := range []struct{ method, path, body, origin string }{
		{"POST", "/api/show", `{"model":"panic"}`, ""},
		{"POST", "//v1/chat/completions", goodChat, ""},
		{"OPTIONS", "/v1/chat/completions", "", "https://evil.example.com"},
	} {
		r := httptest.NewRequestWithContext(t.Context(), c.method, "http://localhost:8084"+c.path, strings.NewReader(c.body))
		r.RemoteAddr = "127.0.0.1:5000"
		if c.origin != "" {
			r.Header.Set("Origin", c.origin)
			r.Header.Set("Access-Control-Request-Method", "POST")
		}
		s.ServeHTTP(httptest.NewRecorder(), r)
	}
	if want := []string{"none 500 true", "chat 200 true", "none 403 true"}; !slices.Equal(l.ended, want) {
		t.Errorf("%q, want %q", l.ended, want)
	}
}

// What a client chose is cut short in the log and in headers.
func TestLongNames(t *testing.T) {
	s, log := logging()
	w := ask(t, s, http.MethodPost, "/v1/chat/completions", strings.Replace(goodChat, `"m"`, `"long"`, 1))
	if n := log.Len(); n == 0 || n > 2000 {
		t.Errorf("%d bytes of log", n)
	}
	for name, list := range w.Header() {
		if len(list[0]) > 512 {
			t.Errorf("%s has %d bytes", name, len(list[0]))
		}
	}
}

// The log knows that a provider failed and how, and not what it said: that may
// quote the conversation.
func TestLogLeavesOutWhatProvidersSay(t *testing.T) {
	for model, want := range map[string]string{"echo": `"kind":"invalid","provider_status":422,"code":"bad_prompt"`, "echoes": `"kind":"unavailable"`} {
		s, log := logging()
		w := ask(t, s, http.MethodPost, "/v1/chat/completions", strings.Replace(goodChat, `"m"`, `"`+model+`"`, 1))
		if !strings.Contains(w.Body.String(), "secret") {
			t.Errorf("the client is not told what the provider said: %s", w.Body)
		}
		if strings.Contains(log.String(), "secret") || !strings.Contains(log.String(), want) {
			t.Errorf("%s: %s", model, log)
		}
	}
}

// What programs ask for again and again is not logged while it is well.
func TestLogOfWhatIsPolled(t *testing.T) {
	for path, want := range map[string]bool{"/api/tags": false, "/v1/models": false, "/api/version": false, "/api/v1/capabilities": true} {
		s, log := logging()
		if w := ask(t, s, http.MethodGet, path, ""); w.Code != http.StatusOK || (log.Len() > 0) != want {
			t.Errorf("%s: %d, logged as %q", path, w.Code, log)
		}
	}
}

// What failed here or behind is a warning, what clients do is none; and refusals
// say who asked for what.
func TestLogLevels(t *testing.T) {
	for _, c := range []struct{ method, path, model, peer, want string }{
		{"POST", "/v1/chat/completions", "m", "", `"level":"INFO","msg":"request"`},
		{"POST", "/v1/chat/completions", "x", "", `"level":"INFO","msg":"request"`},
		{"POST", "/v1/chat/completions", "echoes", "", `"level":"WARN","msg":"request"`},
		{"POST", "/v1/chat/completions", "torn", "", `"level":"WARN","msg":"request"`},
		{"POST", "/v1/chat/completions", "m", "10.0.0.5:77", `"peer":"10.0.0.5:77","method":"POST","url_path":"/v1/chat/completions"`},
		{"GET", "/api/tags", "", "10.0.0.5:77", `"peer":"10.0.0.5:77","method":"GET","url_path":"/api/tags"`},
		{"GET", "/v1/messages", "", "", `"method":"GET","url_path":"/v1/messages"`},
		{"GET", "/nowhere", "", "", `"method":"GET","url_path":"/nowhere"`},
	} {
		s, log := logging()
		body := `{"stream":true,"model":"` + c.model + `","messages":[{"role":"user","content":"hi"}]}`
		r := httptest.NewRequestWithContext(t.Context(), c.method, "http://localhost"+c.path, strings.NewReader(body))
		r.RemoteAddr = "127.0.0.1:5000"
		if c.peer != "" {
			r.RemoteAddr = c.peer
		}
		s.ServeHTTP(httptest.NewRecorder(), r)
		if !strings.Contains(log.String(), c.want) || strings.Contains(log.String(), "first_ms") {
			t.Errorf("%s %s %s: the log lacks %s:\n%s", c.method, c.path, c.model, c.want, log)
		}
	}
}

// What a dialect adds to each request does not hide what was lost.
func TestLossesAreCounted(t *testing.T) {
	for want, list := range map[string][]scri.Warning{
		`"warnings":2`: {{Code: scri.WarnAdded, Path: "/a"}, {Code: scri.WarnDropped, Path: "/b"}, {Code: scri.WarnEmulated, Path: "/c"}},
		``:             {{Code: scri.WarnAdded, Path: "/a"}},
	} {
		s, log := logging()
		s.logged(t.Context(), &scri.Exchange{Lineage: &scri.Lineage{}, Warnings: list}, 200, nil)
		if !strings.Contains(log.String(), want) || want == "" && strings.Contains(log.String(), "warnings") {
			t.Errorf("want %s in %s", want, log)
		}
	}
}

// Times have no digits that nobody measured.
func TestTimesAreRounded(t *testing.T) {
	s, log := logging()
	s.logged(t.Context(), &scri.Exchange{Lineage: &scri.Lineage{Attempts: []scri.Attempt{
		{TookMS: 0.1}, {FirstMS: 0.1 + 0.2, TookMS: 0.2},
	}}}, 200, nil)
	if !strings.Contains(log.String(), `"first_ms":0.3,"took_ms":0.3`) {
		t.Error(log)
	}
}

// An error that several requests meet tells each its own id.
func TestSharedErrors(t *testing.T) {
	s, _ := logging()
	for range 2 {
		w := ask(t, s, http.MethodPost, "/api/show", `{"model":"gone"}`)
		if w.Code != http.StatusNotFound || w.Header().Get(headerID) == "" {
			t.Errorf("%d %s %v", w.Code, w.Body, w.Header())
		}
		if errGone.RequestID != "" {
			t.Errorf("the id %s of one request is told to the next", errGone.RequestID)
		}
	}
}

func logging() (*Server, *bytes.Buffer) {
	log := &bytes.Buffer{}
	return New(Options{Gateway: toy{}, Answers: toy{}, Dialects: all.Table(), MaxBody: 1 << 20, Log: slog.New(slog.NewJSONHandler(log, nil))}), log
}

func ask(t *testing.T, s *Server, method, path, body string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, "http://localhost"+path, strings.NewReader(body))
	r.RemoteAddr = "127.0.0.1:5000"
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}
