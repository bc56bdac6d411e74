package gateway_test

import (
	"strings"
	"testing"

	"github.com/aratta-gateway/aratta/internal/route"
	"github.com/aratta-gateway/aratta/internal/sim"
	"github.com/aratta-gateway/aratta/scri"
)

// Another gateway in zone local must not send out what is sovereign: it is told,
// however the wish was spelled.
func TestSovereignIsToldToAGatewayBehind(t *testing.T) {
	for _, x := range []*scri.Exchange{
		exchange("sovereign", false),
		exchange("quiet", false),
		func() *scri.Exchange {
			x := exchange("auto", false)
			x.Req.Routing = &scri.Routing{Sovereign: true}
			return x
		}(),
	} {
		h := newHouse(t, route.Config{Aliases: map[string]string{"quiet": "sovereign"}}, room{name: "behind", dialect: "native", zone: "local", entry: defaults()})
		if _, err := h.ask(t, x); err != nil {
			t.Fatal(err)
		}
		if last, _ := h.sims["behind"].Last(); !strings.Contains(string(last.Body), `"sovereign":true`) {
			t.Errorf("%q: sent %s", x.In.Model, last.Body)
		}
	}
}

// The name that promises most is understood however a client dresses it up.
func TestSovereignIsSovereignInAnySpelling(t *testing.T) {
	for _, name := range []string{"Sovereign", "sovereign:latest", " sovereign ", "quiet"} {
		cfg := route.Config{Aliases: map[string]string{"quiet": "Sovereign"}}
		h := newHouse(t, cfg, room{name: "near", dialect: "ollama", zone: "local", entry: defaults()}, room{name: "far", dialect: "openai", zone: "cloud", entry: defaults()})
		h.sims["near"].Set(sim.Fault{Kind: sim.Refuse})
		if _, err := h.ask(t, exchange(name, false)); err == nil {
			t.Errorf("%q was answered", name)
		}
		if _, n := h.sims["far"].Last(); n != 0 {
			t.Errorf("%q reached the cloud", name)
		}
	}
}

// Whoever wishes sovereignty without naming a model gets a local one, even
// where the default chain has none.
func TestSovereignFindsLocalTargetsBesideTheChain(t *testing.T) {
	cfg := route.Config{Chains: map[string]route.Chain{"default": {Targets: []string{"far"}}}}
	h := newHouse(t, cfg, room{name: "near", dialect: "ollama", zone: "local", entry: defaults()}, room{name: "far", dialect: "openai", zone: "cloud", entry: defaults()})
	x := exchange("auto", false)
	x.Req.Routing = &scri.Routing{Sovereign: true}
	resp, err := h.ask(t, x)
	if err != nil || resp.Provider != "near" {
		t.Errorf("%+v, %v; want an answer from near", resp, err)
	}
}
