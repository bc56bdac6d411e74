package gateway_test

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/dialect/all"
	"github.com/aratta-gateway/aratta/internal/gateway"
	"github.com/aratta-gateway/aratta/internal/provider"
	"github.com/aratta-gateway/aratta/internal/route"
	"github.com/aratta-gateway/aratta/internal/sim"
)

// room is one provider of a house, simulated unless it has a handler.
type room struct {
	name, dialect, zone string
	entry               provider.Entry
	handler             http.Handler
	chooses             bool // what is installed decides which model answers
}

// house is a gateway in front of the rooms, asked in their order.
type house struct {
	*stand
	sims map[string]*sim.Sim
	opt  gateway.Options
}

func newHouse(t *testing.T, cfg route.Config, rooms ...room) *house {
	t.Helper()
	h := &house{stand: &stand{}, sims: map[string]*sim.Sim{}}
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
	for i, r := range rooms {
		if r.handler == nil {
			h.sims[r.name] = sim.New(sim.Options{Name: r.name, Dialect: all.Get(r.dialect), Models: []string{"m", "n"}})
			r.handler = h.sims[r.name]
		}
		ts := httptest.NewServer(r.handler)
		t.Cleanup(ts.Close)
		kind := provider.Remote
		if r.zone == "local" {
			kind = provider.Local
		}
		e := r.entry
		e.Dialect, e.Zone, e.BaseURL, e.Priority = r.dialect, r.zone, ts.URL, &i
		p, err := provider.New(kind, r.name, e, deps)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, p)
		told := route.Entry{Name: r.name, Dialect: r.dialect, Zone: r.zone, Priority: i, Default: e.DefaultModel}
		if r.chooses {
			told.Default, told.Chooses = "", true
		}
		entries = append(entries, told)
	}
	r, _, err := route.New(cfg, entries, nil)
	if err != nil {
		t.Fatal(err)
	}
	h.opt = gateway.Options{Router: r, Providers: list, Log: slog.New(slog.NewTextHandler(&h.log, nil))}
	h.Gateway = gateway.New(h.opt)
	t.Cleanup(h.Close)
	return h
}

// defaults is an entry whose default model is m.
func defaults() provider.Entry { return provider.Entry{DefaultModel: "m"} }

// A provider that is away does not make all others wait in a row, and what is
// in memory is told with the runtime's own words.
func TestModelsAndWhatIsLoaded(t *testing.T) {
	var arrived sync.WaitGroup
	arrived.Add(2)
	lists := func(loaded string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch r.URL.Path {
			case "/api/ps":
				_, _ = io.WriteString(w, `{"models":[`+loaded+`]}`)
			case "/api/tags": // answered only when the other was asked, too
				arrived.Done()
				arrived.Wait()
				_, _ = io.WriteString(w, `{"models":[{"name":"m","model":"m"},{"name":"n","model":"n"}]}`)
			}
		})
	}
	h := newHouse(t, route.Config{},
		room{name: "one", dialect: "ollama", zone: "local", handler: lists(`{"name":"n","model":"n","expires_at":"2030-01-01T00:00:00Z"}`)},
		room{name: "two", dialect: "ollama", zone: "local", handler: lists("")})
	var ids []string
	for _, m := range h.Models(t.Context()).Models {
		if m.Loaded {
			m.ID += "!"
		}
		ids = append(ids, m.ID)
	}
	if got := strings.Join(ids, " "); got != "auto local sovereign one:m one:n! two:m two:n" {
		t.Errorf("models %s", got)
	}
	loaded := h.Loaded(t.Context()).Models
	if len(loaded) != 1 || loaded[0].ID != "one:n" || !strings.Contains(string(loaded[0].Raw), "2030") {
		t.Errorf("loaded %+v", loaded)
	}
}
