package gateway_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/aratta-gateway/aratta/internal/route"
	"github.com/aratta-gateway/aratta/internal/sim"
	"github.com/aratta-gateway/aratta/scri"
)

// An error that ends the request is the one that is told, whatever happened
// before it: who waits and tries again would meet it again.
func TestTheDecisiveErrorIsTold(t *testing.T) {
	invalid := says(400, "application/json", `{"error":{"message":"messages: bad","type":"invalid_request_error"}}`)
	h := newHouse(t, route.Config{},
		room{name: "near", dialect: "ollama", zone: "local", entry: defaults()},
		room{name: "far", dialect: "openai", zone: "cloud", entry: defaults(), handler: invalid},
		room{name: "farther", dialect: "openai", zone: "cloud", entry: defaults()})
	h.sims["near"].Set(sim.Fault{Kind: sim.RateLimit})
	_, err := h.ask(t, exchange("auto", false))
	if err == nil || err.Kind != scri.ErrInvalid || err.RetryAfter != 0 {
		t.Fatalf("got %v, want invalid", err)
	}
	if _, n := h.sims["farther"].Last(); n != 0 {
		t.Error("a target was asked after an error that ends the request")
	}
	if strings.Contains(err.Message, "all ") || !strings.Contains(err.Message, "near:m: ") {
		t.Errorf("message %q: two of three were asked", err.Message)
	}
}

// Targets without a model are named without one.
func TestAFailureNamesTargetsWell(t *testing.T) {
	h := newHouse(t, route.Config{},
		room{name: "near", dialect: "ollama", zone: "local", handler: says(500, "text/plain", "broken")},
		room{name: "far", dialect: "openai", zone: "cloud", entry: defaults()})
	h.sims["far"].Set(sim.Fault{Kind: sim.ServerError})
	_, err := h.ask(t, exchange("auto", false))
	if err == nil || strings.Contains(err.Message, "near::") || !strings.Contains(err.Message, "near: ") {
		t.Errorf("got %v", err)
	}
}

// What an upstream says of itself is not true of this gateway: that its caller
// went away, or that its own inside is broken, lets the next target try.
func TestAnUpstreamsOwnTroubleIsNotOurs(t *testing.T) {
	for _, kind := range []string{"canceled", "internal"} {
		for _, status := range []int{499, 500} {
			body := `{"error":{"kind":"` + kind + `","message":"oh"}}`
			h := newHouse(t, route.Config{},
				room{name: "behind", dialect: "native", zone: "local", entry: defaults(), handler: says(status, "application/json", body)},
				room{name: "far", dialect: "openai", zone: "cloud", entry: defaults()})
			x := exchange("auto", false)
			resp, err := h.ask(t, x)
			if err != nil || resp.Provider != "far" {
				t.Errorf("%s, %d: %v", kind, status, err)
			}
			if got := outcomes(x.Lineage); !strings.HasPrefix(got, "behind failed unavailable") {
				t.Errorf("%s, %d: lineage %s", kind, status, got)
			}
		}
	}
}

// The message says once that time is over.
func TestTimeIsOverOnce(t *testing.T) {
	s := newStand(t)
	s.local.Set(sim.Fault{Kind: sim.StallHeaders})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := s.Chat(ctx, exchange("auto", false))
	e := scri.AsError(err)
	if e == nil || e.Kind != scri.ErrTimeout || strings.Count(e.Message, "whole request") != 1 || e.Hint == "" {
		t.Errorf("got %v (%+v)", err, e)
	}
}

// Who names the provider alone is answered by it.
func TestAProvidersNameAlone(t *testing.T) {
	h := newHouse(t, route.Config{},
		room{name: "near", dialect: "ollama", zone: "local"},
		room{name: "far", dialect: "openai", zone: "cloud", entry: defaults()})
	for _, name := range []string{"near", "far"} {
		if resp, err := h.ask(t, exchange(name, false)); err != nil || resp.Provider != name {
			t.Errorf("%s: %v", name, err)
		}
	}
}
