package sdktest

import (
	"cmp"
	"context"
	"strings"
	"testing"
	"time"

	"github.com/anthropics/anthropic-sdk-go"
	anthropicoption "github.com/anthropics/anthropic-sdk-go/option"
	"github.com/ollama/ollama/api"
	openaioption "github.com/openai/openai-go/v3/option"

	"github.com/aratta-gateway/aratta/internal/sim"
	"github.com/aratta-gateway/aratta/scri"
)

// told is an error as each SDK tells it. Ollama's has a status and a text alone.
type told struct {
	status       int
	others       map[string]int // statuses of APIs that have another
	openai, code string         // type and code
	anthropic    string         // type
	google       string         // status
}

func (w told) check(t *testing.T, c client, err error) failure {
	t.Helper()
	if err == nil {
		t.Fatal("the SDK saw no error")
	}
	f, ok := c.failure(err)
	if !ok {
		t.Fatalf("the SDK does not know this error: %v", err)
	}
	status := cmp.Or(w.others[c.name()], w.status)
	kind, code := w.openai, w.code
	switch c.name() {
	case "ollama":
		kind, code = "", ""
	case "anthropic":
		kind, code = w.anthropic, ""
	case "google":
		kind, code = w.google, ""
	}
	if f.status != status || f.kind != kind || f.code != code {
		t.Errorf("status %d, type %q, code %q; want %d, %q, %q (%s)", f.status, f.kind, f.code, status, kind, code, f.message)
	}
	if f.message == "" {
		t.Error("the error says nothing")
	}
	return f
}

func notFound() told {
	return told{status: 404, openai: "invalid_request_error", code: "model_not_found", anthropic: "not_found_error", google: "NOT_FOUND"}
}

// TestErrors: what a provider refuses reaches the SDK as an error of its own
// type, with the status and the words that its own API has for it.
func TestErrors(t *testing.T) {
	for name, tt := range map[string]struct {
		refusal scri.Error
		want    told
	}{
		"invalid request": {
			scri.Error{Kind: scri.ErrInvalid, Message: "temperature is too high"},
			told{status: 400, openai: "invalid_request_error", anthropic: "invalid_request_error", google: "INVALID_ARGUMENT"},
		},
		"too long": {
			scri.Error{Kind: scri.ErrContextLength, Message: "the prompt is longer than the context window"},
			told{status: 400, openai: "invalid_request_error", code: "context_length_exceeded", anthropic: "invalid_request_error", google: "INVALID_ARGUMENT"},
		},
		"overloaded": {
			scri.Error{Kind: scri.ErrOverloaded, Message: "no capacity"},
			told{
				status: 503, others: map[string]int{"anthropic": 529},
				openai: "server_error", code: "overloaded", anthropic: "overloaded_error", google: "UNAVAILABLE",
			},
		},
		"the gateway's key is refused": {
			scri.Error{Kind: scri.ErrAuth, Message: "invalid key"},
			told{
				status: 503, others: map[string]int{"anthropic": 500, "ollama": 502, "google": 500},
				openai: "server_error", code: "unavailable", anthropic: "api_error", google: "INTERNAL",
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			matrix(t, func(t *testing.T, c client, u *upstream, stream bool) {
				refusal := tt.refusal
				u.refuses(t, &refusal)
				_, err := c.send(t.Context(), hello(u.only()), stream, func() {})
				f := tt.want.check(t, c, err)
				if !strings.Contains(f.message, tt.refusal.Message) {
					t.Errorf("message: %q, want the provider's %q in it", f.message, tt.refusal.Message)
				}
			})
		})
	}
}

// TestUnknownModel: nobody has it, or its provider does not.
func TestUnknownModel(t *testing.T) {
	matrix(t, func(t *testing.T, c client, u *upstream, stream bool) {
		u.says(t, said("never said"))
		for _, name := range []string{u.name + ":no-such-model", "nobody:no-such-model"} {
			_, err := c.send(t.Context(), hello(name), stream, func() {})
			f := notFound().check(t, c, err)
			if !strings.Contains(f.message, "no-such-model") {
				t.Errorf("message: %q, want the model's name in it", f.message)
			}
		}
	})
}

// TestEmptyConversation is refused by the gateway itself.
func TestEmptyConversation(t *testing.T) {
	for _, c := range clients(shared.aratta.url) {
		t.Run(c.name(), func(t *testing.T) {
			if c.name() == "ollama" {
				t.Skip("there it means to load the model")
			}
			_, err := c.send(t.Context(), &ask{model: "auto"}, false, func() {})
			f := told{status: 400, openai: "invalid_request_error", anthropic: "invalid_request_error", google: "INVALID_ARGUMENT"}.check(t, c, err)
			field := "messages"
			if c.name() == "google" {
				field = "contents"
			}
			if !strings.Contains(f.message, field) {
				t.Errorf("message: %q, want it to name %s", f.message, field)
			}
		})
	}
}

func TestRateLimit(t *testing.T) {
	matrix(t, func(t *testing.T, c client, u *upstream, stream bool) {
		u.fails(t, sim.Fault{Kind: sim.RateLimit, RetryAfter: 7})
		_, err := c.send(t.Context(), hello(u.only()), stream, func() {})
		f := told{status: 429, openai: "rate_limit_error", code: "rate_limit_exceeded", anthropic: "rate_limit_error", google: "RESOURCE_EXHAUSTED"}.check(t, c, err)
		if got := f.header.Get("Retry-After"); got != "7" {
			t.Errorf("Retry-After: %q, want 7", got)
		}
	})
}

// TestRetry: the SDKs' own retries do as Retry-After says, and then succeed.
func TestRetry(t *testing.T) {
	for _, c := range []client{
		newOpenAI(shared.aratta.url, openaioption.WithMaxRetries(1)), newAnthropic(shared.aratta.url, anthropicoption.WithMaxRetries(1)),
	} {
		t.Run(c.name(), func(t *testing.T) {
			u := shared.providers[0]
			u.fails(t, sim.Fault{Kind: sim.RateLimit, Times: 1, RetryAfter: 1})
			start := time.Now()
			g := must(t, c, hello(u.only()), true)
			if took := time.Since(start); took < time.Second || g.text != "never said" {
				t.Errorf("%q after %s, want an answer after a second", g.text, took)
			}
		})
	}
}

// TestFallback: whatever happens to a provider before it has said something, the
// SDK gets the reserve's answer and no error, and the headers say why.
func TestFallback(t *testing.T) {
	for _, f := range []sim.Fault{
		{Kind: sim.Refuse},
		{Kind: sim.RateLimit},
		{Kind: sim.ServerError},
		{Kind: sim.ServerError, Status: 404},
		{Kind: sim.ErrorIn200},
		{Kind: sim.ErrorFirst},
		{Kind: sim.Reset, After: -1},
	} {
		t.Run(string(f.Kind), func(t *testing.T) {
			matrix(t, func(t *testing.T, c client, u *upstream, stream bool) {
				if f.Kind == sim.ErrorFirst && !stream {
					t.Skip("a fault of streams")
				}
				u.fails(t, f)
				shared.reserve.says(t, said("The reserve answers."))
				g := must(t, c, hello(u.orReserve()), stream)
				if g.text != "The reserve answers." {
					t.Errorf("text: %q", g.text)
				}
				if who := g.header.Get("X-Aratta-Provider"); who != "reserve" {
					t.Errorf("X-Aratta-Provider: %q, want the reserve", who)
				}
				if why := g.header.Get("X-Aratta-Decision"); !strings.HasPrefix(why, "fallback; "+u.name+"=") {
					t.Errorf("X-Aratta-Decision: %q, want it to tell of a fallback from %s", why, u.name)
				}
			})
		})
	}
}

// TestBrokenStream: an answer that breaks off after its first words is an error
// for the SDK and never a clean end, in all the ways in which it may break.
func TestBrokenStream(t *testing.T) {
	long := said(strings.Repeat("a word and another ", 20))
	call := answer(calling("call_1", "get_weather", `{"city":"`+strings.Repeat("a word and another ", 20)+`"}`))
	for _, kind := range []sim.FaultKind{sim.Cut, sim.Reset, sim.HalfRune, sim.ErrorSecond} {
		t.Run(string(kind), func(t *testing.T) {
			matrix(t, func(t *testing.T, c client, u *upstream, stream bool) {
				if !stream {
					t.Skip("a fault of streams")
				}
				a := hello(u.orReserve())
				a.tools = []tool{weather()}
				for what, full := range map[string]*scri.ChatResponse{"text": long, "call": call} {
					u.says(t, full)
					shared.reserve.says(t, said("too late"))
					after := 8
					if (u.format == "ollama" || u.format == "gemini") && what == "call" {
						after = 1 // there a call is one piece, and the end the next
					}
					u.sim.Set(sim.Fault{Kind: kind, After: after})
					pieces := 0
					g, err := c.send(t.Context(), a, true, func() { pieces++ })
					u.sim.Set(sim.Fault{})
					if err == nil {
						t.Errorf("%s: a clean end: %q, %+v, finish %q", what, g.text, g.calls, g.finish)
						continue
					}
					if f, _ := c.failure(err); f.message == "" {
						t.Errorf("%s: the error says nothing: %v", what, err)
					}
					if what == "text" && pieces == 0 {
						t.Errorf("%s: nothing came before the break", what)
					}
				}
			})
		})
	}
}

// TestBrokenAnswer: a whole answer that breaks off is an error of the API.
func TestBrokenAnswer(t *testing.T) {
	matrix(t, func(t *testing.T, c client, u *upstream, stream bool) {
		if stream {
			t.Skip("see TestBrokenStream")
		}
		u.says(t, said("never said"))
		u.sim.Set(sim.Fault{Kind: sim.Reset, After: -1})
		t.Cleanup(func() { u.sim.Set(sim.Fault{}) })
		_, err := c.send(t.Context(), hello(u.only()), stream, func() {})
		if err == nil {
			t.Fatal("the SDK saw no error")
		}
		if f, ok := c.failure(err); !ok || f.status < 500 {
			t.Errorf("status %d (%v), want one of the server's", f.status, err)
		}
	})
}

// TestWhatIsNotThere: what this version does not speak is a 404 of the SDK's own
// kind, and not taken for an unknown model.
func TestWhatIsNotThere(t *testing.T) {
	url := shared.aratta.url
	o, a, l := newOpenAI(url), newAnthropic(url), newOllama(url)
	for name, tt := range map[string]struct {
		c   client
		ask func(ctx context.Context) error
	}{
		"vector stores": {o, func(ctx context.Context) error {
			_, err := o.sdk.VectorStores.Get(ctx, "vs_1")
			return err
		}},
		"text completions": {a, func(ctx context.Context) error {
			_, err := a.sdk.Completions.New(ctx, anthropic.CompletionNewParams{Model: "auto", MaxTokensToSample: 1, Prompt: "x"}) //nolint:staticcheck // deprecated, so never built here
			return err
		}},
		"pull": {l, func(ctx context.Context) error {
			return l.sdk.Pull(ctx, &api.PullRequest{Model: "llama3"}, func(api.ProgressResponse) error { return nil })
		}},
	} {
		t.Run(name, func(t *testing.T) {
			err := tt.ask(t.Context())
			if f, ok := tt.c.failure(err); !ok || f.status != 404 || f.message == "" || f.code == "model_not_found" {
				t.Errorf("%+v, %v; want a 404 about the path", f, err)
			}
		})
	}
}
