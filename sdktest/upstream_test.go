package sdktest

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/dialect/all"
	"github.com/aratta-gateway/aratta/internal/sim"
	"github.com/aratta-gateway/aratta/scri"
)

// model is what every simulated provider has.
const model = "model-a"

// upstream is a simulated provider: one for each dialect, and a reserve.
type upstream struct {
	name   string // in the gateway's configuration
	format string // its dialect
	sim    *sim.Sim
	echo   func(*scri.ChatRequest) (*scri.ChatResponse, error) // says what was asked
	server *httptest.Server

	mu     sync.Mutex
	answer *scri.ChatResponse
	no     *scri.Error // in place of an answer
	asked  []*scri.ChatRequest
	hold   *hold
}

// lacks reports whether the provider's format has no words for something, so that
// it does not arrive whoever asks.
func (u *upstream) lacks(what string) bool {
	return slices.Contains(lacking()[u.format], what)
}

// lacking lists what each format has no words for.
func lacking() map[string][]string {
	return map[string][]string{
		"openai":    {"cache_write", "stop sequence"},
		"responses": {"stop", "stop sequence", "cache_write"},
		"anthropic": {"logprobs"},
		"gemini":    {"cache_write"},
		"cohere":    {"cache_write", "stop sequence", "filtered", "forced tool", "picture from tool"},
		"ollama":    {"cache_read", "cache_write", "thinking tokens", "stop sequence", "filtered", "forced tool"},
		"bedrock":   {"thinking tokens", "stop sequence", "logprobs", "thinking"}, // thinking is Claude's there, and the model is not
	}
}

func newUpstream(name, format string) *upstream {
	u := &upstream{name: name, format: format, echo: sim.Script(name)}
	u.sim = sim.New(sim.Options{Name: name, Dialect: all.Get(format), Models: []string{model}, Answer: u.respond})
	u.server = httptest.NewServer(u)
	return u
}

// ServeHTTP lets the simulated provider answer, and holds it where a test says so.
func (u *upstream) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if h := u.held(); h != nil {
		h.serve(u.sim, w, r)
		return
	}
	u.sim.ServeHTTP(w, r)
}

// respond is the script of the provider.
func (u *upstream) respond(r *scri.ChatRequest) (*scri.ChatResponse, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	own, err := copied(r)
	if err != nil {
		return nil, err
	}
	u.asked = append(u.asked, own)
	if u.no != nil {
		return nil, u.no
	}
	if u.answer == nil {
		return u.echo(r)
	}
	a := *u.answer
	a.Model = r.Model
	return &a, nil
}

// copied is a request that may be looked at when its exchange is over.
func copied(r *scri.ChatRequest) (*scri.ChatRequest, error) {
	own := all.Get("native")
	out, _, err := own.EncodeRequest(r, &dialect.Target{Model: r.Model})
	if err != nil {
		return nil, err
	}
	return own.DecodeRequest(&dialect.Incoming{Body: out.Body})
}

// says sets the provider's next answers, and forgets what was before. With nil
// it repeats what it is asked.
func (u *upstream) says(t *testing.T, a *scri.ChatResponse) {
	t.Helper()
	u.mu.Lock()
	defer u.mu.Unlock()
	u.answer, u.no, u.asked, u.hold = a, nil, nil, nil
	u.sim.Set(sim.Fault{})
}

// refuses makes the provider answer with an error from now on.
func (u *upstream) refuses(t *testing.T, e *scri.Error) {
	t.Helper()
	u.says(t, nil)
	u.mu.Lock()
	defer u.mu.Unlock()
	u.no = e
}

// fails switches a fault on for the rest of the test.
func (u *upstream) fails(t *testing.T, f sim.Fault) {
	t.Helper()
	u.says(t, said("never said"))
	u.sim.Set(f)
	t.Cleanup(func() { u.sim.Set(sim.Fault{}) })
}

// requests are what the provider was asked, as it understood it.
func (u *upstream) requests() []*scri.ChatRequest {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.asked
}

// last is the newest request.
func (u *upstream) last(t *testing.T) *scri.ChatRequest {
	t.Helper()
	list := u.requests()
	if len(list) == 0 {
		t.Fatalf("%s was not asked", u.name)
	}
	return list[len(list)-1]
}

// holds stops the provider's next answers after so many writes.
func (u *upstream) holds(t *testing.T, from int) *hold {
	t.Helper()
	h := &hold{from: from, release: make(chan struct{}), gone: make(chan struct{}), stopped: make(chan struct{})}
	u.mu.Lock()
	u.hold = h
	u.mu.Unlock()
	t.Cleanup(h.free)
	return h
}

// held is what holds the provider's answers now, or nil.
func (u *upstream) held() *hold {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.hold
}

// hold stops an answer after its first writes until it is released or the
// gateway hangs up.
type hold struct {
	from    int // writes that get through
	release chan struct{}
	gone    chan struct{} // closed when the gateway hung up
	stopped chan struct{} // closed when an answer stands
	once    sync.Once
	left    sync.Once
	stands  sync.Once
}

func (h *hold) free() { h.once.Do(func() { close(h.release) }) }

func (h *hold) serve(next http.Handler, w http.ResponseWriter, r *http.Request) {
	next.ServeHTTP(&heldWriter{ResponseWriter: w, h: h, r: r}, r)
}

type heldWriter struct {
	http.ResponseWriter
	h      *hold
	r      *http.Request
	writes int
}

func (w *heldWriter) Flush() {
	if f, ok := w.ResponseWriter.(http.Flusher); ok {
		f.Flush()
	}
}

func (w *heldWriter) Write(b []byte) (int, error) {
	if w.writes++; w.writes > w.h.from {
		w.h.stands.Do(func() { close(w.h.stopped) })
		select {
		case <-w.h.release:
		case <-w.r.Context().Done():
			w.h.left.Do(func() { close(w.h.gone) })
			return 0, w.r.Context().Err()
		}
	}
	return w.ResponseWriter.Write(b)
}

// afterFirst is how many writes of a held answer get through: enough for some text.
const afterFirst = 4

// said is an answer of one text.
func said(text string) *scri.ChatResponse { return answer(scri.TextPart(text)) }

// answer is an answer of these parts, ended as its kind ends.
func answer(parts ...scri.Part) *scri.ChatResponse {
	in, out := int64(11), int64(7)
	f := scri.Finish{Reason: scri.FinishStop}
	for i := range parts {
		if parts[i].Kind == scri.PartToolCall {
			f.Reason = scri.FinishToolCalls
		}
	}
	return &scri.ChatResponse{
		ID:      "answer-1",
		Choices: []scri.Choice{{Output: []scri.Message{{Role: scri.RoleAssistant, Parts: parts}}, Finish: f}},
		Usage:   &scri.Usage{Input: &in, Output: &out},
	}
}

func calling(id, name, args string) scri.Part {
	return scri.Part{Kind: scri.PartToolCall, Call: &scri.ToolCall{ID: id, Name: name, Args: scri.NewText(args)}}
}

func thinking(text string) scri.Part {
	return scri.Part{Kind: scri.PartThinking, Text: scri.NewText(text)}
}
