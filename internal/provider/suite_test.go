package provider

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/dialect/all"
	"github.com/aratta-gateway/aratta/internal/overlay"
	"github.com/aratta-gateway/aratta/internal/sim"
	"github.com/aratta-gateway/aratta/scri"
)

// place is an entry of the catalogue as a simulator plays it: its dialect behind its
// own paths, and what gives tokens where it wants such.
type place struct {
	*sim.Sim
	spec   *Spec
	conns  atomic.Int32
	mu     sync.Mutex
	seen   []*http.Request // as they came, in the provider's own paths
	issued atomic.Int32
	came   atomic.Pointer[context.CancelFunc] // called when a request is there
}

const thePlace = "acme-project" // the value of all params

// serveHTTP plays the provider: what came to its own paths goes to the dialect's.
func (p *place) serveHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	p.seen = append(p.seen, r.Clone(context.WithoutCancel(r.Context())))
	p.mu.Unlock()
	if f := p.came.Load(); f != nil {
		(*f)()
	}
	base := strings.ReplaceAll(filled(p.spec.BaseURL), "https://", "")
	if i := strings.IndexAny(base, "/?"); i >= 0 {
		path, _, _ := strings.Cut(strings.TrimSuffix(base[i:], "/."), "?")
		r.URL.Path = strings.TrimPrefix(r.URL.Path, strings.TrimSuffix(path, "/"))
	}
	for from, to := range p.spec.Paths {
		before, after, model := strings.Cut(filled(to), "{model}")
		rest, ok := strings.CutPrefix(r.URL.Path, before)
		switch {
		case to == "" || !ok:
		case model && strings.HasSuffix(rest, after) && !strings.Contains(strings.TrimSuffix(rest, after), "/"):
			r.URL.Path = from
		case strings.HasSuffix(from, "/"):
			r.URL.Path = from + rest
		}
	}
	if p.spec.Dialect == "openai" && !strings.HasPrefix(r.URL.Path, "/v1/") && r.URL.Path != "/" && r.URL.Path != "/health" {
		r.URL.Path = "/v1" + r.URL.Path
	}
	if p.spec.Variant == "vertex" {
		unvertex(r)
	}
	p.ServeHTTP(w, r)
}

// unvertex makes of a request to Vertex AI what the Messages API has.
func unvertex(r *http.Request) {
	rest, ok := strings.CutPrefix(r.URL.Path, "/v1/models/")
	model, verb, _ := strings.Cut(rest, ":")
	body, err := io.ReadAll(r.Body)
	var m map[string]any
	if !ok || err != nil || json.Unmarshal(body, &m) != nil || m["model"] != nil || m["anthropic_version"] != "vertex-2023-10-16" || (m["stream"] == true) != (verb == "streamRawPredict") {
		r.URL.Path = "/no-request-of-vertex"
		return
	}
	m["model"] = model
	delete(m, "anthropic_version")
	body, _ = json.Marshal(m)
	r.URL.Path, r.Body, r.ContentLength = "/v1/messages", io.NopCloser(bytes.NewReader(body)), int64(len(body))
}

// filled is a text with the value of all params in it.
func filled(text string) string {
	for {
		i := strings.IndexByte(text, '{')
		n := strings.IndexByte(text[max(i, 0):], '}')
		if i < 0 || n < 0 {
			return strings.ReplaceAll(text, "\x00", "{model}")
		}
		put := thePlace
		if text[i:i+n+1] == "{model}" {
			put = "\x00"
		}
		text = text[:i] + put + text[i+n+1:]
	}
}

// token plays the endpoint that gives tokens.
func (p *place) token(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil || r.Method != http.MethodPost || len(r.PostForm) == 0 {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	fmt.Fprintf(w, `{"access_token":"issued-%d","expires_in":1800}`, p.issued.Add(1))
}

func (p *place) last() *http.Request {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.seen[len(p.seen)-1]
}

// simulated is a catalogue entry in front of a simulator that speaks its dialect.
func simulated(t *testing.T, spec *Spec, patience time.Duration, overlays *overlay.Active) (*Provider, *place) {
	t.Helper()
	s := &place{spec: spec, Sim: sim.New(sim.Options{Name: spec.Name, Dialect: all.Get(spec.Dialect), Models: []string{"m", "m-embed"}})}
	srv := httptest.NewUnstartedServer(http.HandlerFunc(s.serveHTTP))
	srv.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			s.conns.Add(1)
		}
	}
	srv.Start()
	t.Cleanup(srv.Close)
	kind := Remote
	if spec.Zone == ZoneLocal {
		kind = Local
	}
	c, key := builtin(t), theKey
	if spec.Auth.TokenURL != "" {
		tokens := httptest.NewServer(http.HandlerFunc(s.token))
		t.Cleanup(tokens.Close)
		c = loadFiles(t, map[string]string{spec.Name + ".yaml": "auth: {token_url: " + tokens.URL + "/token}\n"})
	}
	if spec.Auth.Scheme == AuthGoogle {
		raw, _ := serviceAccount(t, "")
		key = filepath.Join(t.TempDir(), "account.json")
		if err := os.WriteFile(key, []byte(raw), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	values := map[string]string{}
	for name := range spec.Params {
		values[name] = thePlace
	}
	base := srv.URL
	if _, path, ok := strings.Cut(strings.TrimPrefix(spec.BaseURL, "https://"), "/"); ok && spec.Zone != ZoneLocal {
		base += "/" + path
	} else if _, query, ok := strings.Cut(spec.BaseURL, "?"); ok {
		base += "?" + query
	}
	p, err := New(kind, spec.Name, Entry{BaseURL: base, Params: values}, Deps{
		Dialects:  func(n string) (dialect.Dialect, bool) { d := all.Get(n); return d, d != nil },
		Catalogue: c, Version: "test", LookupEnv: func(name string) (string, bool) { return key, name == spec.Auth.Env },
		Overlays: overlays, Timeouts: Timeouts{Headers: patience, FirstToken: patience, Idle: patience, Drain: time.Minute},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p, s
}

func question(stream bool) *scri.ChatRequest {
	return &scri.ChatRequest{Stream: stream, Messages: []scri.Message{
		{Role: scri.RoleUser, Parts: []scri.Part{{Kind: scri.PartText, Text: scri.NewText("Say it in a few words.")}}},
	}}
}

// ask sends a request and collects the answer.
func ask(t *testing.T, p *Provider, req *scri.ChatRequest) *scri.ChatResponse {
	t.Helper()
	st, _, err := p.Chat(allowed(t, p), req, &Call{Model: "m"})
	if err != nil {
		t.Fatal(err)
	}
	resp, err := scri.Collect(st)
	if err = errors.Join(err, st.Close()); err != nil {
		t.Fatal(err)
	}
	if len(resp.Choices) != 1 || len(resp.Choices[0].Output) == 0 {
		t.Fatalf("answer %+v", resp)
	}
	return resp
}

// Every entry of the catalogue answers through its own dialect, at its own paths and
// with its own credential: whole and streamed, with all that it claims to be able
// to; lists its models; and is found to be there. So it does with the built-in
// overlays, as it is shipped.
func TestCatalogueAgainstSimulator(t *testing.T) {
	c := builtin(t)
	var shipped overlay.Active
	shipped.Replace(overlay.WithBuiltins())
	for _, name := range c.Names() {
		spec, _ := c.Spec(name)
		t.Run(name, func(t *testing.T) { suite(t, spec, nil) })
		if len(spec.Overlays) > 0 {
			t.Run(name+" with overlays", func(t *testing.T) { suite(t, spec, &shipped) })
		}
	}
}

func suite(t *testing.T, spec *Spec, overlays *overlay.Active) {
	t.Helper()
	p, s := simulated(t, spec, time.Minute, overlays)
	for i := range 4 {
		resp := ask(t, p, question(i%2 == 0))
		if resp.Choices[0].Finish.Reason != scri.FinishStop || resp.Usage.Total() == 0 {
			t.Errorf("answer %d: %+v, usage %+v", i, resp, resp.Usage)
		}
	}
	if last, served := s.Last(); served != 4 || last.Header.Get("User-Agent") != "aratta/test" || last.Header.Get("Content-Type") != "application/json" {
		t.Errorf("%d served, the last with %v", served, last.Header)
	}
	if n := s.conns.Load(); n != 1 {
		t.Errorf("%d connections", n)
	}
	credential(t, spec, s)
	claims(t, spec, p)
	refusals(t, p, s)
	list := p.Models(allowed(t, p))
	if silent := func(path string) bool { to, has := spec.Paths[path]; return has && to == "" }; silent("/models") || silent("/v1beta/models") || silent("/v1/models") || !lists(p) {
		if len(spec.Models) > 0 && len(list) == 0 {
			t.Error("no models")
		}
	} else if len(list) == 0 || list[0].ID != "m" || list[0].Zone != spec.Zone {
		t.Errorf("models %+v", list)
	}
	if h, err := p.Probe(allowed(t, p)); err != nil {
		t.Errorf("probe %+v: %v", h, err)
	}
}

func lists(p *Provider) bool {
	_, ok := p.dialect.(dialect.Lister)
	return ok
}

// credential looks at how the last request proved who sent it.
func credential(t *testing.T, spec *Spec, s *place) {
	t.Helper()
	r := s.last()
	got := map[string]string{
		AuthBearer: r.Header.Get("Authorization"), AuthHeader: r.Header.Get(spec.Auth.Name), AuthQuery: r.URL.Query().Get(spec.Auth.Name),
		AuthOAuth: r.Header.Get("Authorization"), AuthGoogle: r.Header.Get("Authorization"), AuthNone: r.Header.Get("Authorization"),
	}[spec.Auth.Scheme]
	want := map[string]string{
		AuthBearer: "Bearer " + theKey, AuthHeader: theKey, AuthQuery: theKey, AuthOAuth: "Bearer issued-1", AuthGoogle: "Bearer issued-1", AuthNone: "",
	}[spec.Auth.Scheme]
	if got != want {
		t.Errorf("the credential is %q, want %q", got, want)
	}
	if spec.Auth.Scheme == AuthHeader && r.Header.Get("Authorization") != "" {
		t.Errorf("an Authorization %q besides", r.Header.Get("Authorization"))
	}
	notIn(t, theKey, r.URL.Path)
}

// claims asks for all that an entry claims to be able to.
func claims(t *testing.T, spec *Spec, p *Provider) {
	t.Helper()
	can := func(c string) bool { return slices.Contains(spec.Capabilities, c) }
	if can("tools") {
		for _, stream := range []bool{false, true} {
			req := question(stream)
			req.Tools = []scri.Tool{{Name: "look", Description: scri.NewText("Look something up."), Schema: scri.RawJSON(`{"type":"object","properties":{"what":{"type":"string"}},"required":["what"]}`)}}
			resp := ask(t, p, req)
			call := find(resp, scri.PartToolCall)
			if call == nil || call.Call.Name != "look" || !json.Valid([]byte(call.Call.Args.String())) || call.Call.ID == "" || resp.Choices[0].Finish.Reason != scri.FinishToolCalls {
				t.Fatalf("tools, stream %t: %+v", stream, resp.Choices[0])
			}
			req.Messages = append(req.Messages, resp.Choices[0].Output...)
			req.Messages = append(req.Messages, scri.Message{Role: scri.RoleTool, Parts: []scri.Part{{Kind: scri.PartToolResult, Result: &scri.ToolResult{
				CallID: call.Call.ID, Name: "look", Parts: []scri.Part{scri.TextPart("it is there")},
			}}}})
			if resp = ask(t, p, req); find(resp, scri.PartText) == nil || resp.Choices[0].Finish.Reason != scri.FinishStop {
				t.Errorf("after the result of a tool: %+v", resp.Choices[0])
			}
		}
	}
	if can("vision") {
		req := question(true)
		req.Messages[0].Parts = append(req.Messages[0].Parts, scri.Part{Kind: scri.PartMedia, Media: &scri.Media{Type: "image/png", Data: scri.NewText("iVBORw0KGgo=")}})
		if _, info, err := p.Chat(allowed(t, p), req, &Call{Model: "m"}); err != nil {
			t.Errorf("vision: %v", err)
		} else {
			for _, w := range info.Warnings {
				if strings.Contains(w.Path, "/messages") {
					t.Errorf("vision: %+v", w)
				}
			}
		}
	}
	if can("thinking") {
		req := question(true)
		req.Reasoning = &scri.Reasoning{Effort: "high"}
		if resp := ask(t, p, req); find(resp, scri.PartThinking) == nil {
			t.Errorf("thinking: %+v", resp.Choices[0])
		}
	}
	if can("embeddings") && p.Embeds() {
		resp, _, err := p.Embed(allowed(t, p), &scri.EmbedRequest{Input: []scri.EmbedInput{{Text: scri.NewText("one")}, {Text: scri.NewText("two")}}}, &Call{Model: "m-embed"})
		if err != nil || len(resp.Embeddings) != 2 {
			t.Errorf("embeddings: %+v, %v", resp, err)
		}
	}
}

func find(r *scri.ChatResponse, kind scri.PartKind) *scri.Part {
	for i := range r.Choices[0].Output {
		for j := range r.Choices[0].Output[i].Parts {
			if p := &r.Choices[0].Output[i].Parts[j]; p.Kind == kind {
				return p
			}
		}
	}
	return nil
}

// refusals looks at errors, and at a caller who goes away.
func refusals(t *testing.T, p *Provider, s *place) {
	t.Helper()
	for fault, want := range map[sim.Fault]scri.ErrorKind{
		{Kind: sim.RateLimit}:   scri.ErrRateLimited,
		{Kind: sim.ServerError}: scri.ErrUnavailable,
		{Kind: sim.ServerError, Status: http.StatusUnauthorized}: scri.ErrAuth,
		{Kind: sim.ServerError, Status: http.StatusForbidden}:    scri.ErrPermission,
		{Kind: sim.ErrorIn200}:                                   scri.ErrOverloaded,
	} {
		s.Set(fault)
		st, _, err := p.Chat(allowed(t, p), question(false), &Call{Model: "m"})
		if err == nil {
			_, err = scri.Collect(st)
		}
		if e := scri.AsError(err); e == nil || e.Kind != want && fault.Kind != sim.ErrorIn200 && fault.Status == 0 || e.Provider != p.Name() {
			t.Errorf("%+v: %v, want %s", fault, err, want)
		}
	}
	s.Set(sim.Fault{Kind: sim.StallHeaders})
	ctx, cancel := context.WithCancel(allowed(t, p))
	s.came.Store(&cancel)
	_, _, err := p.Chat(ctx, question(true), &Call{Model: "m"})
	if e := scri.AsError(err); e == nil || e.Kind != scri.ErrCanceled {
		t.Errorf("a caller who went away: %v", err)
	}
	s.came.Store(nil)
	s.Set(sim.Fault{})
}

// Every fault of the simulator, for every dialect of the catalogue: an error of
// a fitting kind that names the provider, never a clean end.
func TestFaultsAgainstSimulator(t *testing.T) {
	c := builtin(t)
	fitting := map[sim.FaultKind][]scri.ErrorKind{
		sim.Refuse:       {scri.ErrUnavailable},
		sim.RateLimit:    {scri.ErrRateLimited},
		sim.ServerError:  {scri.ErrUnavailable},
		sim.StallHeaders: {scri.ErrTimeout},
		sim.StallStream:  {scri.ErrTimeout},
		sim.Cut:          {scri.ErrTruncated},
		sim.Reset:        {scri.ErrTruncated, scri.ErrUnavailable},
		sim.HalfRune:     {scri.ErrTruncated},
		sim.ErrorFirst:   {scri.ErrOverloaded, scri.ErrUnavailable, scri.ErrInternal},
		sim.ErrorSecond:  {scri.ErrOverloaded, scri.ErrUnavailable, scri.ErrInternal},
		sim.ErrorIn200:   {scri.ErrOverloaded, scri.ErrUnavailable, scri.ErrInternal},
	}
	for _, name := range []string{"ollama", "openai", "anthropic"} {
		spec, _ := c.Spec(name)
		patient, besides := simulated(t, spec, time.Minute, nil)
		hasty, stalls := simulated(t, spec, 300*time.Millisecond, nil) // for what never goes on
		for kind, kinds := range fitting {
			t.Run(name+"/"+string(kind), func(t *testing.T) {
				p, s := patient, besides
				if slices.Contains(kinds, scri.ErrTimeout) {
					p, s = hasty, stalls
				}
				s.Set(sim.Fault{Kind: kind})
				st, _, err := p.Chat(allowed(t, p), question(true), &Call{Model: "m"})
				if err == nil {
					_, err = scri.Collect(st)
					if cerr := st.Close(); cerr != nil {
						t.Error(cerr)
					}
				}
				e := scri.AsError(err)
				if e == nil {
					t.Fatal("a clean end")
				}
				for _, k := range kinds {
					if e.Kind == k && e.Provider == name {
						if kind == sim.RateLimit && e.RetryAfter != time.Second {
							t.Errorf("RetryAfter %s", e.RetryAfter)
						}
						return
					}
				}
				t.Errorf("provider %q, kind %s (%v), want one of %v", e.Provider, e.Kind, err, kinds)
			})
		}
	}
}
