package provider

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/scri"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// plain is a dialect as simple as can be. A request is {"model","stream"} to
// /chat, an answer {"text"} or {"error"}, a stream lines of text up to "END".
type plain struct{ dialect.Dialect }

func (plain) Name() string        { return "plain" }
func (plain) Traits() scri.Traits { return scri.Traits{Dialect: "plain"} }

func (plain) EncodeRequest(req *scri.ChatRequest, t *dialect.Target) (*dialect.Outgoing, []scri.Warning, error) {
	body, err := json.Marshal(map[string]any{"model": t.Model, "stream": req.Stream, "num_ctx": t.NumCtx, "text": req.User, "uncut": t.Uncut, "thinking": t.Thinking})
	return &dialect.Outgoing{Method: http.MethodPost, Path: "/chat", Body: body}, nil, err
}

func (plain) DecodeResponse(a *dialect.Answer) (*scri.ChatResponse, error) {
	var v struct{ Text, Error string }
	if err := json.Unmarshal(a.Body, &v); err != nil {
		return nil, &scri.Error{Kind: scri.ErrUnavailable, Message: "garbage", Err: err}
	}
	if v.Error != "" {
		return nil, &scri.Error{Kind: scri.ErrOverloaded, Message: v.Error}
	}
	r := answerOf(v.Text)
	if v.Text == "endless" {
		r.Choices[0].Finish = scri.Finish{}
	}
	return r, nil
}

func answerOf(text string) *scri.ChatResponse {
	return &scri.ChatResponse{Choices: []scri.Choice{{
		Output: []scri.Message{{Role: scri.RoleAssistant, Parts: []scri.Part{{Kind: scri.PartText, Text: scri.NewText(text)}}}},
		Finish: scri.Finish{Reason: scri.FinishStop},
	}}}
}

func (plain) DecodeError(a *dialect.Answer) *scri.Error {
	return &scri.Error{Kind: dialect.ErrorKind(a.Status, "", string(a.Body)), Status: a.Status, Message: string(a.Body)}
}

func (plain) DecodeStream(a *dialect.Answer) scri.Stream { return &lines{r: bufio.NewReader(a.Stream)} }

func (plain) ListRequest(*dialect.Target) *dialect.Outgoing {
	return &dialect.Outgoing{Method: http.MethodGet, Path: "/models"}
}

func (plain) DecodeModels(a *dialect.Answer) (*scri.ModelList, error) {
	l := &scri.ModelList{}
	if err := json.Unmarshal(a.Body, l); err != nil {
		return nil, err
	}
	for i := range l.Models {
		if strings.Contains(string(a.Body), "remote_host") && strings.HasPrefix(l.Models[i].ID, "far") {
			l.Models[i].Raw = scri.RawJSON(`{"remote_host":"https://elsewhere"}`)
		}
	}
	return l, nil
}
func (plain) EncodeModels(b []byte, _ *dialect.Incoming, _ *scri.ModelList) []byte { return b }
func (plain) EncodeModel(b []byte, _ *dialect.Incoming, _ *scri.ModelInfo) []byte  { return b }

// runtime is plain with what a local runtime can tell besides.
type runtime struct{ plain }

func (runtime) Name() string { return "runtime" }

func (runtime) ShowRequest(model string) *dialect.Outgoing {
	return &dialect.Outgoing{Method: http.MethodPost, Path: "/show", Body: []byte(`{"model":"` + model + `"}`)}
}

func (runtime) DecodeShow(a *dialect.Answer) (*scri.ModelInfo, error) {
	m := &scri.ModelInfo{}
	return m, json.Unmarshal(a.Body, m)
}

func (runtime) PSRequest() *dialect.Outgoing {
	return &dialect.Outgoing{Method: http.MethodGet, Path: "/ps"}
}

func (r runtime) DecodePS(a *dialect.Answer) (*scri.ModelList, error) { return r.DecodeModels(a) }

type lines struct {
	r  *bufio.Reader
	ev scri.StreamEvent
}

func (l *lines) Next() (*scri.StreamEvent, error) {
	s, err := l.r.ReadString('\n')
	switch {
	case errors.Is(err, io.EOF):
		return nil, &scri.Error{Kind: scri.ErrTruncated, Message: "no END"}
	case err != nil:
		return nil, err
	case s == "END\n":
		return nil, io.EOF
	case s == "ping\n":
		l.ev = scri.StreamEvent{Kind: scri.EventPing}
	default:
		l.ev = scri.StreamEvent{Kind: scri.EventDelta, Delta: scri.NewText(strings.TrimSuffix(s, "\n"))}
	}
	return &l.ev, nil
}

func (l *lines) Close() error  { return nil }
func (l *lines) Pending() bool { return l.r.Buffered() > 0 }

func dialects(name string) (dialect.Dialect, bool) {
	switch name {
	case "plain", "anthropic", "openai":
		return plain{}, true
	case "runtime", "ollama":
		return runtime{}, true
	default:
		return nil, false
	}
}

func builtin(t testing.TB) *Catalogue {
	t.Helper()
	c, err := Load("")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// env is an environment with nothing but these variables.
func env(pairs ...string) func(string) (string, bool) {
	m := map[string]string{}
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i]] = pairs[i+1]
	}
	return func(name string) (string, bool) { v, ok := m[name]; return v, ok }
}

// build makes a provider and closes it at the test's end.
func build(t testing.TB, kind Kind, name string, e Entry, d Deps) *Provider {
	t.Helper()
	p, err := tryBuild(t, kind, name, e, d)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func tryBuild(t testing.TB, kind Kind, name string, e Entry, d Deps) (*Provider, error) {
	t.Helper()
	d.Dialects, d.Version = dialects, "test"
	if d.Catalogue == nil {
		d.Catalogue = builtin(t)
	}
	if d.LookupEnv == nil {
		d.LookupEnv = env()
	}
	p, err := New(kind, name, e, d)
	if err == nil {
		t.Cleanup(p.Close)
	}
	return p, err
}

// serve runs a server on loopback and a cloud provider that points at it.
func serve(t testing.TB, h http.HandlerFunc) *Provider {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	return build(t, Remote, "test", Entry{Dialect: "plain", BaseURL: srv.URL}, Deps{})
}

// allowed is a context that may leave for p.
func allowed(t testing.TB, p *Provider) context.Context {
	t.Helper()
	return WithPermit(t.Context(), For(p.Zone(), p.Host()))
}

// drainText reads a stream to its end.
func drainText(s scri.Stream) (string, error) {
	var b strings.Builder
	for {
		e, err := s.Next()
		if errors.Is(err, io.EOF) {
			return b.String(), s.Close()
		}
		if err != nil {
			return b.String(), errors.Join(err, s.Close())
		}
		b.WriteString(e.Delta.String())
	}
}

// chat asks for an answer and reads it.
func chat(ctx context.Context, p *Provider, stream bool) (string, error) {
	s, _, err := p.Chat(ctx, &scri.ChatRequest{Stream: stream}, &Call{Model: "m"})
	if err != nil {
		return "", err
	}
	return drainText(s)
}

// wantError checks the kind and a part of the text, hint included.
func wantError(t testing.TB, err error, kind scri.ErrorKind, parts ...string) *scri.Error {
	t.Helper()
	e, ok := errors.AsType[*scri.Error](err)
	if !ok {
		t.Fatalf("got %v, want an *scri.Error of kind %s", err, kind)
	}
	if errors.Is(err, io.EOF) {
		t.Errorf("%v can be taken for the end of a stream", err)
	}
	if e.Kind != kind {
		t.Errorf("kind %s, want %s (%v)", e.Kind, kind, err)
	}
	text := e.Error() + " " + e.Hint
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("error %q does not say %q", text, part)
		}
	}
	return e
}

// memory is a network in memory, which synctest understands.
type memory struct {
	serve func(net.Conn, *bufio.Reader)
	dials int
	open  sync.WaitGroup
}

func (m *memory) dial(context.Context, string, string) (net.Conn, error) {
	m.dials++
	here, there := net.Pipe()
	m.open.Go(func() {
		defer there.Close()
		m.serve(there, bufio.NewReader(there))
	})
	return here, nil
}

// request reads one request with its body.
func request(r *bufio.Reader) error {
	req, err := http.ReadRequest(r)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, req.Body)
	return err
}
