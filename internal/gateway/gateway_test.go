package gateway_test

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/dialect/all"
	"github.com/aratta-gateway/aratta/internal/gateway"
	"github.com/aratta-gateway/aratta/internal/provider"
	"github.com/aratta-gateway/aratta/internal/route"
	"github.com/aratta-gateway/aratta/internal/sim"
	"github.com/aratta-gateway/aratta/scri"
)

// stand is a gateway in front of simulated providers: a local one that speaks
// Ollama's dialect, and two clouds.
type stand struct {
	*gateway.Gateway
	local, first, second *sim.Sim
	log                  bytes.Buffer
}

func newStand(t *testing.T) *stand {
	t.Helper()
	s := &stand{}
	catalogue, err := provider.Load("")
	if err != nil {
		t.Fatal(err)
	}
	deps := provider.Deps{
		Dialects:  func(n string) (dialect.Dialect, bool) { d := all.Get(n); return d, d != nil },
		Catalogue: catalogue, Version: "test", Timeouts: provider.Timeouts{Headers: time.Minute, FirstToken: time.Minute, Idle: time.Minute},
		LookupEnv: func(string) (string, bool) { return "secret-key", true },
	}
	var list []*provider.Provider
	var entries []route.Entry
	add := func(kind provider.Kind, name, dia, zone string, priority int) *sim.Sim {
		v := sim.New(sim.Options{Name: name, Dialect: all.Get(dia), Models: []string{"m"}})
		ts := httptest.NewServer(v)
		t.Cleanup(ts.Close)
		e := provider.Entry{Dialect: dia, BaseURL: ts.URL, DefaultModel: "m", Zone: zone, Priority: &priority}
		if kind == provider.Remote {
			e.APIKeyEnv = "KEY"
		}
		p, err := provider.New(kind, name, e, deps)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, p)
		entries = append(entries, route.Entry{Name: name, Dialect: dia, Zone: zone, Priority: priority, Default: "m"})
		return v
	}
	s.local = add(provider.Local, "local1", "ollama", "local", 0)
	s.first = add(provider.Remote, "cloud1", "anthropic", "cloud", 1)
	s.second = add(provider.Remote, "cloud2", "native", "cloud", 2)
	r, _, err := route.New(route.Config{Chains: map[string]route.Chain{"narrow": {Targets: []string{"cloud1:m", "local1:m"}}}}, entries, nil)
	if err != nil {
		t.Fatal(err)
	}
	s.Gateway = gateway.New(gateway.Options{Router: r, Providers: list, Log: slog.New(slog.NewTextHandler(&s.log, nil))})
	t.Cleanup(s.Close)
	return s
}

func exchange(model string, stream bool) *scri.Exchange {
	r := &scri.ChatRequest{
		Model: model, Stream: stream,
		Messages: []scri.Message{{Role: scri.RoleUser, Parts: []scri.Part{scri.TextPart("a private question")}}},
	}
	return &scri.Exchange{ID: "req_test", Op: scri.OpChat, In: r, Req: r, Lineage: &scri.Lineage{ID: "req_test", Asked: model}}
}

func (s *stand) ask(t *testing.T, x *scri.Exchange) (*scri.ChatResponse, *scri.Error) {
	t.Helper()
	st, err := s.Chat(t.Context(), x)
	if err != nil {
		return nil, scri.AsError(err)
	}
	resp, err := scri.Collect(st)
	if err != nil {
		return resp, scri.AsError(err)
	}
	return resp, nil
}

func outcomes(l *scri.Lineage) string {
	var list []string
	for _, a := range l.Attempts {
		s := a.Provider + " " + a.Outcome
		if a.Error != nil {
			s += " " + string(a.Error.Kind)
		}
		list = append(list, s)
	}
	return strings.Join(list, ", ")
}

func modes(t *testing.T, f func(t *testing.T, stream bool)) {
	t.Run("whole", func(t *testing.T) { f(t, false) })
	t.Run("stream", func(t *testing.T) { f(t, true) })
}

func TestLocalAnswersFirst(t *testing.T) {
	modes(t, func(t *testing.T, stream bool) {
		s := newStand(t)
		x := exchange("auto", stream)
		resp, err := s.ask(t, x)
		if err != nil {
			t.Fatal(err)
		}
		if resp.Provider != "local1" || resp.Model != "m" {
			t.Errorf("answered by %s:%s, want local1:m", resp.Provider, resp.Model)
		}
		if _, n := s.first.Last(); n != 0 {
			t.Error("a cloud was asked though the local model answered")
		}
		if got := outcomes(resp.Lineage); got != "local1 ok" {
			t.Errorf("lineage: %s", got)
		}
		if resp.Lineage.CostUSD == nil || *resp.Lineage.CostUSD != 0 {
			t.Errorf("cost = %v, want 0: local models without a price cost nothing", resp.Lineage.CostUSD)
		}
		if resp.Lineage.Attempts[0].Usage == nil {
			t.Error("the attempt has no usage")
		}
	})
}

// Whatever goes wrong before the first content, the next target answers and the
// lineage says why.
func TestFallback(t *testing.T) {
	for _, c := range []struct {
		fault sim.Fault
		kind  scri.ErrorKind
		only  string // "stream" or "whole", where the fault has no meaning for the other
	}{
		{sim.Fault{Kind: sim.Refuse}, scri.ErrUnavailable, ""},
		{sim.Fault{Kind: sim.RateLimit}, scri.ErrRateLimited, ""},
		{sim.Fault{Kind: sim.ServerError}, scri.ErrUnavailable, ""},
		{sim.Fault{Kind: sim.ServerError, Status: 503}, scri.ErrOverloaded, ""},
		{sim.Fault{Kind: sim.ErrorIn200}, "", ""},
		{sim.Fault{Kind: sim.ErrorFirst}, "", "stream"},
	} {
		t.Run(string(c.fault.Kind), func(t *testing.T) {
			modes(t, func(t *testing.T, stream bool) {
				if c.only == "stream" && !stream {
					return
				}
				s := newStand(t)
				s.local.Set(c.fault)
				resp, err := s.ask(t, exchange("", stream))
				if err != nil {
					t.Fatal(err, err.Attempts)
				}
				if resp.Provider != "cloud1" {
					t.Errorf("answered by %s, want cloud1", resp.Provider)
				}
				got := outcomes(resp.Lineage)
				if !strings.HasPrefix(got, "local1 failed "+string(c.kind)) || !strings.HasSuffix(got, "cloud1 ok") {
					t.Errorf("lineage: %s, want local1 failed %s, cloud1 ok", got, c.kind)
				}
			})
		})
	}
}

func TestSovereignNeverLeaves(t *testing.T) {
	modes(t, func(t *testing.T, stream bool) {
		for _, x := range []*scri.Exchange{
			exchange("sovereign", stream),
			func() *scri.Exchange {
				x := exchange("auto", stream)
				x.Req.Routing = &scri.Routing{Sovereign: true}
				return x
			}(),
			func() *scri.Exchange {
				x := exchange("cloud1:m", stream)
				x.Req.Routing = &scri.Routing{Sovereign: true}
				return x
			}(),
		} {
			s := newStand(t)
			s.local.Set(sim.Fault{Kind: sim.Refuse})
			if _, err := s.ask(t, x); err == nil {
				t.Errorf("%q was answered", x.In.Model)
			}
			for _, cloud := range []*sim.Sim{s.first, s.second} {
				if _, n := cloud.Last(); n != 0 {
					t.Errorf("%q reached %s", x.In.Model, cloud.Name())
				}
			}
		}
	})
}

func TestAFailureSaysWhatWasTried(t *testing.T) {
	s := newStand(t)
	s.local.Set(sim.Fault{Kind: sim.Refuse})
	s.first.Set(sim.Fault{Kind: sim.RateLimit, RetryAfter: 7})
	s.second.Set(sim.Fault{Kind: sim.ServerError})
	_, err := s.ask(t, exchange("", false))
	if err == nil {
		t.Fatal("somebody answered")
	}
	if err.Kind != scri.ErrRateLimited || err.RetryAfter != 7*time.Second {
		t.Errorf("kind %s, retry after %v; want the one that can be waited for", err.Kind, err.RetryAfter)
	}
	for _, want := range []string{"3 targets", "local1:m", "cloud1:m", "cloud2:m"} {
		if !strings.Contains(err.Message, want) {
			t.Errorf("message %q does not name %s", err.Message, want)
		}
	}
	if err.RequestID != "req_test" || len(err.Attempts) != 3 {
		t.Errorf("request id %q, %d attempts", err.RequestID, len(err.Attempts))
	}
}

// The gateway's own credential is not the client's: a provider's 401 must not
// become the client's.
func TestRefusedCredentialIsNotTheClients(t *testing.T) {
	s := newStand(t)
	s.first.Set(sim.Fault{Kind: sim.ServerError, Status: 401})
	x := exchange("cloud1:m", false)
	s.local.Set(sim.Fault{Kind: sim.Refuse})
	s.second.Set(sim.Fault{Kind: sim.Refuse})
	_, err := s.ask(t, x)
	if err == nil || err.HTTPStatus() == 401 || strings.Contains(err.Error(), "secret-key") {
		t.Errorf("got %v", err)
	}
}

func TestBreakAfterContentIsAnErrorNotAnEnd(t *testing.T) {
	for _, k := range []sim.FaultKind{sim.Cut, sim.Reset, sim.HalfRune, sim.ErrorSecond} {
		t.Run(string(k), func(t *testing.T) {
			s := newStand(t)
			s.first.Set(sim.Fault{Kind: k, After: 5})
			if k == sim.ErrorSecond {
				s.first.Set(sim.Fault{Kind: k})
			}
			resp, err := s.ask(t, exchange("cloud1:m", true))
			if k == sim.ErrorSecond {
				if err != nil || resp.Provider == "cloud1" {
					t.Errorf("an error before any content: %v; want another to answer", err)
				}
				return
			}
			if err == nil {
				t.Fatalf("a broken answer ended well: %+v", resp)
			}
			if got := outcomes(resp0(err)); got != "cloud1 failed "+string(err.Kind) {
				t.Errorf("lineage: %q of %v", got, err)
			}
		})
	}
}

func resp0(e *scri.Error) *scri.Lineage { return &scri.Lineage{Attempts: e.Attempts} }

func TestEchoModelAndUnchangedRequest(t *testing.T) {
	s := newStand(t)
	x := exchange("auto", false)
	before := *x.In
	if _, err := s.ask(t, x); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, *x.In); diff != "" {
		t.Errorf("the client's request was changed: %s", diff)
	}
}

func TestCancelReachesTheUpstream(t *testing.T) {
	s := newStand(t)
	s.Models(t.Context()) // which is asked before the first conversation
	s.local.Set(sim.Fault{Kind: sim.StallHeaders})
	ctx, cancel := context.WithCancel(t.Context())
	gone := make(chan error, 1)
	go func() {
		_, err := s.Chat(ctx, exchange("local1:m", true))
		gone <- err
	}()
	for {
		if _, n := s.local.Last(); n > 0 {
			break
		}
		time.Sleep(time.Millisecond)
	}
	cancel()
	err := <-gone
	if e := scri.AsError(err); e == nil || e.Kind != scri.ErrCanceled {
		t.Errorf("got %v, want canceled", err)
	}
	if _, n := s.first.Last(); n != 0 {
		t.Error("another target was asked for a client that is gone")
	}
}

func TestCount(t *testing.T) {
	s := newStand(t)
	x := exchange("cloud1:m", false)
	n, err := s.Count(t.Context(), x)
	if err != nil || n.Estimated || n.Input != 3 || n.Provider != "cloud1" {
		t.Errorf("count %+v, %v; want the provider's own count of 3 words", n, err)
	}
	n, err = s.Count(t.Context(), exchange("local1:m", false))
	if err != nil || !n.Estimated && n.Provider == "local1" {
		t.Errorf("count %+v, %v", n, err)
	}
}

func TestModels(t *testing.T) {
	s := newStand(t)
	var ids []string
	for _, m := range s.Models(t.Context()).Models {
		ids = append(ids, m.ID)
	}
	for _, want := range []string{"auto", "local", "sovereign", "local1:m", "cloud1:m"} {
		if !strings.Contains(strings.Join(ids, " ")+" ", want+" ") {
			t.Errorf("models %v lack %s", ids, want)
		}
	}
	if _, err := s.Model(t.Context(), "nowhere"); scri.AsError(err).Kind != scri.ErrNotFound {
		t.Errorf("an unknown model: %v", err)
	}
}

// A name without a tag is the latest, as Ollama has it, with its provider before it too.
func TestModelWithoutTag(t *testing.T) {
	s := newStand(t)
	s.local.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), "POST", "/api/pull", strings.NewReader(`{"model":"tiny:latest"}`)))
	for _, name := range []string{"tiny", "local1:tiny", "local1:tiny:latest"} {
		if m, err := s.Model(t.Context(), name); err != nil || m.ID != "local1:tiny:latest" {
			t.Errorf("%s: %+v, %v", name, m, err)
		}
	}
}

func TestLogHasNoContentAndNoKey(t *testing.T) {
	s := newStand(t)
	s.local.Set(sim.Fault{Kind: sim.ServerError})
	s.first.Set(sim.Fault{Kind: sim.ServerError, Status: 401})
	if _, err := s.ask(t, exchange("", false)); err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{"private question", "secret-key"} {
		if strings.Contains(s.log.String(), secret) {
			t.Errorf("the log holds %q:\n%s", secret, s.log.String())
		}
	}
	if !strings.Contains(s.log.String(), "request_id=req_test") {
		t.Errorf("the log lacks the request's id:\n%s", s.log.String())
	}
}

// What an Anthropic client says in its beta header reaches Anthropic's API, and
// nothing else of its headers does.
func TestBetasGoAlong(t *testing.T) {
	s := newStand(t)
	x := exchange("cloud1:m", false)
	x.Lineage.Ingress = "anthropic"
	x.Header = http.Header{"Anthropic-Beta": {"files-api-2025-04-14"}, "X-Api-Key": {"the client's"}}
	if _, err := s.ask(t, x); err != nil {
		t.Fatal(err)
	}
	last, _ := s.first.Last()
	if got := last.Header.Get("Anthropic-Beta"); got != "files-api-2025-04-14" {
		t.Errorf("beta %q", got)
	}
	if got := last.Header.Get("X-Api-Key"); got != "secret-key" {
		t.Errorf("key %q: the provider must get the gateway's key, never the client's", got)
	}
}

// What was said to the gateway stays there, and is no loss.
func TestRoutingWishesAreNotSent(t *testing.T) {
	s := newStand(t)
	x := exchange("cloud1:m", false)
	x.Req.Routing = &scri.Routing{NoCache: true}
	resp, err := s.ask(t, x)
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range resp.Warnings {
		if strings.HasPrefix(w.Path, "/routing") {
			t.Errorf("warning %+v", w)
		}
	}
}

func TestStrictRefusesWhatWouldBeLost(t *testing.T) {
	s := newStand(t)
	x := exchange("cloud1:m", false)
	seed := scri.RawJSON("7")
	x.Req.Seed, x.Req.Routing = seed, &scri.Routing{Strict: true} // Anthropic's format has no seed
	resp, err := s.ask(t, x)
	if err != nil {
		t.Fatal(err)
	}
	if _, n := s.first.Last(); n != 0 || resp.Provider == "cloud1" {
		t.Errorf("answered by %s, cloud1 was sent %d requests; want the request kept in", resp.Provider, n)
	}
	if got := outcomes(resp.Lineage); !strings.HasPrefix(got, "cloud1 failed unsupported") {
		t.Errorf("lineage: %s", got)
	}
}

// When nobody is left, the error lists all that would be lost.
func TestStrictErrorListsLosses(t *testing.T) {
	s := newStand(t)
	x := exchange("auto", false)
	x.Req.Routing = &scri.Routing{Strict: true, Chain: "narrow"}
	x.Req.Seed, x.Req.N = scri.RawJSON("7"), 2
	_, err := s.ask(t, x)
	if err == nil || err.Kind != scri.ErrUnsupported {
		t.Fatalf("%v", err)
	}
	for _, want := range []string{"strict: the translation would lose something", "dropped /seed", "dropped /n"} {
		if !strings.Contains(err.Message, want) {
			t.Errorf("%q lacks %q", err.Message, want)
		}
	}
	if !strings.Contains(err.Hint, "/api/v1/capabilities") {
		t.Errorf("hint %q", err.Hint)
	}
}

// What means the same is no loss.
func TestStrictTakesWhatMeansTheSame(t *testing.T) {
	s := newStand(t)
	x := exchange("cloud1:m", false)
	x.Req.Routing = &scri.Routing{Strict: true}
	x.Req.Messages = append([]scri.Message{{Role: scri.RoleDeveloper, Parts: []scri.Part{scri.TextPart("Be brief.")}}}, x.Req.Messages...)
	resp, err := s.ask(t, x)
	if err != nil || resp.Provider != "cloud1" {
		t.Errorf("%v, %+v", err, resp)
	}
}

func TestWishesThatAreNotKeptAreRefused(t *testing.T) {
	cost := 0.1
	for path, r := range map[string]*scri.Routing{
		"/routing/class":        {Class: "secret"},
		"/routing/max_cost_usd": {MaxCostUSD: &cost},
	} {
		s := newStand(t)
		x := exchange("auto", false)
		x.Req.Routing = r
		if _, err := s.ask(t, x); err == nil || err.Path != path || err.Kind != scri.ErrUnsupported {
			t.Errorf("%s: %v", path, err)
		}
	}
}
