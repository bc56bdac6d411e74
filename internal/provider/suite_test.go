package provider

import (
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/dialect/all"
	"github.com/aratta-gateway/aratta/internal/sim"
	"github.com/aratta-gateway/aratta/scri"
)

// simulated is a catalogue entry in front of a simulator that speaks its dialect.
func simulated(t *testing.T, spec *Spec, patience time.Duration) (*Provider, *sim.Sim, *atomic.Int32) {
	t.Helper()
	s := sim.New(sim.Options{Name: spec.Name, Dialect: all.Get(spec.Dialect), Models: []string{"m"}})
	var conns atomic.Int32
	srv := httptest.NewUnstartedServer(s)
	srv.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			conns.Add(1)
		}
	}
	srv.Start()
	t.Cleanup(srv.Close)
	kind := Remote
	if spec.Zone == ZoneLocal {
		kind = Local
	}
	c := builtin(t)
	p, err := New(kind, spec.Name, Entry{BaseURL: srv.URL}, Deps{
		Dialects:  func(n string) (dialect.Dialect, bool) { d := all.Get(n); return d, d != nil },
		Catalogue: c, Version: "test", LookupEnv: func(name string) (string, bool) { return theKey, name == spec.Auth.Env },
		Timeouts: Timeouts{Headers: patience, FirstToken: patience, Idle: patience},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p, s, &conns
}

func question(stream bool) *scri.ChatRequest {
	return &scri.ChatRequest{Stream: stream, Messages: []scri.Message{
		{Role: scri.RoleUser, Parts: []scri.Part{{Kind: scri.PartText, Text: scri.NewText("Say it in a few words.")}}},
	}}
}

// Every entry of the catalogue answers through its own dialect: whole, streamed,
// over one connection; lists its models; and is found to be there.
func TestCatalogueAgainstSimulator(t *testing.T) {
	c := builtin(t)
	for _, name := range c.Names() {
		t.Run(name, func(t *testing.T) {
			spec, _ := c.Spec(name)
			p, s, conns := simulated(t, spec, time.Minute)
			for i := range 6 {
				st, _, err := p.Chat(allowed(t, p), question(i%2 == 0), Call{Model: "m"})
				if err != nil {
					t.Fatal(err)
				}
				resp, err := scri.Collect(st)
				if err != nil {
					t.Fatal(err)
				}
				if err := st.Close(); err != nil {
					t.Error(err)
				}
				if len(resp.Choices) != 1 || resp.Choices[0].Finish.Reason != scri.FinishStop || resp.Usage.Total() == 0 {
					t.Errorf("answer %d: %+v, usage %+v", i, resp, resp.Usage)
				}
			}
			if last, served := s.Last(); served != 6 || last.Header.Get("User-Agent") != "aratta/test" || last.Header.Get("Content-Type") != "application/json" {
				t.Errorf("%d served, the last with %v", served, last.Header)
			}
			if n := conns.Load(); n != 1 {
				t.Errorf("%d connections", n)
			}
			if list := p.Models(allowed(t, p)); len(list) == 0 || list[0].ID != "m" || list[0].Zone != spec.Zone {
				t.Errorf("models %+v", list)
			}
			if h, err := p.Probe(allowed(t, p)); err != nil {
				t.Errorf("probe %+v: %v", h, err)
			}
		})
	}
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
		p, s, _ := simulated(t, spec, 300*time.Millisecond)
		for kind, kinds := range fitting {
			t.Run(name+"/"+string(kind), func(t *testing.T) {
				s.Set(sim.Fault{Kind: kind})
				st, _, err := p.Chat(allowed(t, p), question(true), Call{Model: "m"})
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
