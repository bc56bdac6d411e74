package gateway_test

import (
	"context"
	"io"
	"math"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aratta-gateway/aratta/internal/provider"
	"github.com/aratta-gateway/aratta/internal/route"
	"github.com/aratta-gateway/aratta/internal/sim"
	"github.com/aratta-gateway/aratta/scri"
)

// says is an upstream with one answer.
func says(status int, mime, body string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", mime)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	})
}

// A client that leaves in the middle of an answer is no failure of the upstream.
func TestLeavingEarlyIsNoFailure(t *testing.T) {
	h := newHouse(t, route.Config{}, room{name: "near", dialect: "ollama", zone: "local", entry: defaults()})
	h.sims["near"].Set(sim.Fault{Kind: sim.StallStream, After: 1})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	x := exchange("auto", true)
	s, err := h.Chat(ctx, x)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for err == nil {
		var e *scri.StreamEvent
		if e, err = s.Next(); err == nil && e.Content() {
			cancel()
		}
	}
	if e := scri.AsError(err); e.Kind != scri.ErrCanceled {
		t.Errorf("got %v, want canceled", err)
	}
	if got := x.Lineage.Attempts[0].Outcome; got != "canceled" {
		t.Errorf("outcome %q, want canceled", got)
	}
}

// Nor is it one where the upstream has said nothing yet.
func TestLeavingBeforeTheAnswerIsNoFailure(t *testing.T) {
	modes(t, func(t *testing.T, stream bool) {
		h := newHouse(t, route.Config{}, room{name: "near", dialect: "ollama", zone: "local", entry: defaults()})
		h.Models(t.Context()) // which is asked before the first conversation
		h.sims["near"].Set(sim.Fault{Kind: sim.StallHeaders})
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go func() {
			for served := 0; served == 0; time.Sleep(time.Millisecond) {
				_, served = h.sims["near"].Last()
			}
			cancel()
		}()
		x := exchange("auto", stream)
		_, err := h.Chat(ctx, x)
		if e := scri.AsError(err); e.Kind != scri.ErrCanceled {
			t.Errorf("got %v, want canceled", err)
		}
		if got := x.Lineage.Attempts[0].Outcome; got != "canceled" {
			t.Errorf("outcome %q, want canceled", got)
		}
		if log := h.log.String(); strings.Contains(log, "failed") || strings.Contains(log, "level=WARN") {
			t.Errorf("the client's leaving is held against the provider: %s", log)
		}
	})
}

// The time until the first content is not told of an attempt that had none.
func TestAFailedAttemptHadNoFirstContent(t *testing.T) {
	s := newStand(t)
	s.local.Set(sim.Fault{Kind: sim.ServerError})
	x := exchange("auto", false)
	if _, err := s.ask(t, x); err != nil {
		t.Fatal(err)
	}
	failed, ok := x.Lineage.Attempts[0], x.Lineage.Attempts[1]
	if failed.FirstMS != 0 || failed.TookMS <= 0 || ok.FirstMS <= 0 || ok.TookMS < ok.FirstMS {
		t.Errorf("failed: first %v took %v; ok: first %v took %v", failed.FirstMS, failed.TookMS, ok.FirstMS, ok.TookMS)
	}
}

// What was not counted has no price: unknown is not free.
func TestUnknownUsageIsNotFree(t *testing.T) {
	modes(t, func(t *testing.T, stream bool) {
		body, mime := `{"choices":[{"message":{"role":"assistant","content":"hi"},"finish_reason":"stop"}]}`, "application/json"
		if stream {
			body, mime = `data: {"choices":[{"delta":{"content":"hi"},"finish_reason":"stop"}]}`+"\n\ndata: [DONE]\n\n", "text/event-stream"
		}
		h := newHouse(t, route.Config{}, room{name: "openai", dialect: "openai", zone: "cloud", entry: provider.Entry{DefaultModel: "gpt-4.1-mini"}, handler: says(200, mime, body)})
		x := exchange("auto", stream)
		if _, err := h.ask(t, x); err != nil {
			t.Fatal(err)
		}
		if c := x.Lineage.CostUSD; c != nil {
			t.Errorf("cost %v, want none: nobody counted", *c)
		}
	})
}

// Anthropic's one-hour cache writes have a price of their own, which only the
// provider's own usage object tells apart.
func TestHourCacheWritesArePriced(t *testing.T) {
	const usage = `"usage":{"input_tokens":10,"cache_creation_input_tokens":1000000,"cache_read_input_tokens":0,"output_tokens":0,"cache_creation":{"ephemeral_5m_input_tokens":0,"ephemeral_1h_input_tokens":1000000}}`
	modes(t, func(t *testing.T, stream bool) {
		body, mime := `{"id":"a","type":"message","role":"assistant","model":"claude-opus-4-5","content":[{"type":"text","text":"hi"}],"stop_reason":"end_turn",`+usage+`}`, "application/json"
		if stream {
			mime = "text/event-stream"
			body = "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"a\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"claude-opus-4-5\",\"content\":[]," + usage + "}}\n\n" +
				"event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n" +
				"event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"hi\"}}\n\n" +
				"event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":0}\n\n" +
				"event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{\"output_tokens\":0}}\n\n" +
				"event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"
		}
		h := newHouse(t, route.Config{}, room{name: "anthropic", dialect: "anthropic", zone: "cloud", entry: provider.Entry{DefaultModel: "claude-opus-4-5"}, handler: says(200, mime, body)})
		x := exchange("auto", stream)
		if _, err := h.ask(t, x); err != nil {
			t.Fatal(err)
		}
		const want = 10 + 10*5e-6
		if c := x.Lineage.CostUSD; c == nil || math.Abs(*c-want) > 1e-9 {
			t.Errorf("cost %v, want %v", c, want)
		}
		if u := x.Lineage.Attempts[0].Usage; u == nil || len(u.Raw) > 0 {
			t.Errorf("usage in the lineage %+v; want the counts alone", u)
		}
	})
}

// Which installed model answered, and why this one, is told.
func TestLineageNamesTheModelThatWasChosen(t *testing.T) {
	h := newHouse(t, route.Config{}, room{name: "near", dialect: "ollama", zone: "local"})
	x := exchange("auto", false)
	if _, err := h.ask(t, x); err != nil {
		t.Fatal(err)
	}
	var told []string
	for _, r := range x.Lineage.Reasons {
		told = append(told, r.Stage+"/"+r.Code+"/"+r.Target+"/"+r.Detail)
	}
	if got := strings.Join(told, "; "); !strings.Contains(got, "resolve/installed/near:m/the largest model installed") || !strings.HasSuffix(got, "attempt/local/near:m/") {
		t.Errorf("reasons: %s", got)
	}
}

// A target that turns out to be one that failed already is not asked again.
func TestTheSameTargetIsAskedOnce(t *testing.T) {
	cfg := route.Config{Chains: map[string]route.Chain{"default": {Targets: []string{"near:m", "near"}}}}
	asked := 0
	near := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/api/chat" {
			asked++
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		_, _ = io.WriteString(w, `{"models":[{"name":"m","model":"m"}]}`)
	})
	h := newHouse(t, cfg, room{name: "near", dialect: "ollama", zone: "local", handler: near})
	_, err := h.ask(t, exchange("auto", false))
	if asked != 1 || err == nil || len(err.Attempts) != 1 {
		t.Errorf("asked %d times: %v", asked, err)
	}
}

// Closing may happen while another goroutine waits in Next.
func TestCloseWhileNextWaits(t *testing.T) {
	h := newHouse(t, route.Config{}, room{name: "near", dialect: "openai", zone: "local", entry: defaults()})
	h.sims["near"].Set(sim.Fault{Kind: sim.StallStream, After: 3})
	x := exchange("auto", true)
	s, err := h.Chat(t.Context(), x)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	content := make(chan struct{}, 100)
	go func() {
		for {
			e, err := s.Next()
			if err != nil {
				ended <- err
				return
			}
			if e.Content() {
				content <- struct{}{}
			}
		}
	}()
	<-content
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if e := scri.AsError(<-ended); e.Kind != scri.ErrCanceled {
		t.Errorf("Next returned %v", e)
	}
	if got := outcomes(x.Lineage); !strings.HasPrefix(got, "near canceled") {
		t.Errorf("lineage %q", got)
	}
}
