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

// timed is a context whose time is over when a test says so.
type timed struct {
	context.Context //nolint:containedctx // it is one itself
	over            chan struct{}
}

func (c timed) Done() <-chan struct{} { return c.over }

func (c timed) Err() error {
	select {
	case <-c.over:
		return context.DeadlineExceeded
	default:
		return nil
	}
}

// The message says once that time is over.
func TestTimeIsOverOnce(t *testing.T) {
	s := newStand(t)
	s.Models(t.Context()) // which is asked before the first conversation
	s.local.Set(sim.Fault{Kind: sim.StallHeaders})
	ctx := timed{t.Context(), make(chan struct{})}
	go func() {
		for n := 0; n == 0; time.Sleep(time.Millisecond) {
			_, n = s.local.Last()
		}
		close(ctx.over)
	}()
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

// What is counted elsewhere has been sent there: that is told like an answer's
// attempt, and kept in where an answer would be.
func TestCountsAreAttemptsToo(t *testing.T) {
	s := newStand(t)
	x := exchange("cloud1:m", false)
	if _, err := s.Count(t.Context(), x); err != nil {
		t.Fatal(err)
	}
	if got := outcomes(x.Lineage); got != "cloud1 ok" {
		t.Errorf("lineage %q", got)
	}
	s.first.Set(sim.Fault{Kind: sim.RateLimit})
	x = exchange("cloud1:m", false)
	n, err := s.Count(t.Context(), x)
	if err != nil || !n.Estimated {
		t.Errorf("%+v, %v", n, err)
	}
	if got := outcomes(x.Lineage); got != "cloud1 failed rate_limited" {
		t.Errorf("lineage %q", got)
	}
	x = exchange("cloud1:m", false)
	x.Req.Routing = &scri.Routing{Class: "secret"}
	if _, err := s.Count(t.Context(), x); scri.AsError(err) == nil || scri.AsError(err).Path != "/routing/class" {
		t.Errorf("a class that is not enforced: %v", err)
	}
}

// Wishes that this version does not know how to keep are told as dropped.
func TestWishesWithoutEffectAreTold(t *testing.T) {
	ms := 100.0
	s := newStand(t)
	x := exchange("auto", false)
	x.Req.Session, x.Req.Routing = "s1", &scri.Routing{MaxLatencyMS: &ms}
	resp, err := s.ask(t, x)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, w := range resp.Warnings {
		got = append(got, w.Code+" "+w.Path)
	}
	if list := strings.Join(got, ", "); !strings.Contains(list, "dropped /routing/max_latency_ms") || !strings.Contains(list, "dropped /session") {
		t.Errorf("warnings: %s", list)
	}
}

// A message that is as long as a page helps nobody and fills the log.
func TestLongMessagesOfUpstreamsAreCut(t *testing.T) {
	h := newHouse(t, route.Config{}, room{
		name: "far", dialect: "openai", zone: "cloud", entry: defaults(),
		handler: says(500, "application/json", `{"error":{"message":"`+strings.Repeat("Ж", 20_000)+`"}}`),
	})
	_, err := h.ask(t, exchange("auto", false))
	if err == nil || len(err.Message) > 5000 || h.log.Len() > 10_000 {
		t.Errorf("a message of %d bytes, a log of %d", len(err.Message), h.log.Len())
	}
}

// To go on from an answer needs somebody who has kept it: others are not asked,
// as they would answer to half a conversation.
func TestGoingOnNeedsWhoKeptTheAnswer(t *testing.T) {
	h := newHouse(t, route.Config{},
		room{name: "near", dialect: "ollama", zone: "local", entry: defaults()},
		room{name: "far", dialect: "responses", zone: "cloud", entry: defaults()})
	x := exchange("auto", false)
	x.In.PreviousID = "resp_1"
	x.Req = x.In
	resp, err := h.ask(t, x)
	if err != nil || resp.Provider != "far" {
		t.Fatalf("%v", err)
	}
	if _, n := h.sims["near"].Last(); n != 0 {
		t.Error("who keeps no answers was asked to go on from one")
	}
	if r, _ := h.sims["far"].Last(); !strings.Contains(string(r.Body), `"previous_response_id":"resp_1"`) {
		t.Errorf("the provider got %s", r.Body)
	}
}
