package gateway_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/aratta-gateway/aratta/internal/dialect/all"
	"github.com/aratta-gateway/aratta/internal/provider"
	"github.com/aratta-gateway/aratta/internal/route"
	"github.com/aratta-gateway/aratta/internal/sim"
	"github.com/aratta-gateway/aratta/scri"
)

// An upstream that repeats what it was sent, wherever it may write something,
// does not write it into the log. What an operator needs is there all the same.
func TestTheLogDoesNotRepeatUpstreams(t *testing.T) {
	const told = "a private question"
	openai := `{"error":{"message":"bad: a private question","type":"a private question","code":"a private question"}}`
	for name, c := range map[string]struct {
		dialect, mime, body string
		status              int
		has                 string
	}{
		"openai":           {"openai", "application/json", openai, 500, "status=500"},
		"openai, its code": {"openai", "application/json", `{"error":{"message":"a private question","code":"good_code"}}`, 400, "code=good_code"},
		"openai, in a 200": {"openai", "application/json", openai, 200, "kind="},
		"openai, stream":   {"openai", "text/event-stream", "data: " + openai + "\n\n", 200, "kind="},
		"openai, late": {
			"openai", "text/event-stream", `data: {"id":"c","choices":[{"index":0,"delta":{"content":"x"}}]}` + "\n\ndata: " + openai + "\n\n",
			200, "answer broke off",
		},
		"openai, unreadable": {"openai", "application/json", `{"a private question":{"a private question"}}`, 200, "hint=\"check that base_url"},
		"anthropic": {
			"anthropic", "application/json",
			`{"type":"error","error":{"type":"api_error","message":"a private question"},"request_id":"a private question"}`, 500, "status=500",
		},
		"ollama":         {"ollama", "application/json", `{"error":"a private question"}`, 500, "status=500"},
		"ollama, stream": {"ollama", "application/x-ndjson", `{"error":"a private question"}` + "\n", 200, "kind="},
		"native": {
			"native", "application/json",
			`{"error":{"kind":"unavailable","message":"a private question","hint":"a private question","request_id":"a private question"}}`, 503, "status=503",
		},
		"native, stream": {
			"native", "text/event-stream",
			`data: {"kind":"error","error":{"kind":"unavailable","message":"a private question","hint":"a private question"}}` + "\n\n", 200, "kind=",
		},
		"a page":     {"openai", "text/html", "<p>a private question", 502, "status=502"},
		"a redirect": {"openai", "text/plain", told, 307, "status=307"},
	} {
		t.Run(name, func(t *testing.T) {
			stream := strings.Contains(name, "stream") || strings.Contains(name, "late")
			h := newHouse(t, route.Config{}, room{
				name: "far", dialect: c.dialect, zone: "cloud", entry: defaults(), handler: says(c.status, c.mime, c.body),
			})
			_, err := h.ask(t, exchange("auto", stream))
			if err == nil {
				t.Fatal("it was answered")
			}
			log := h.log.String()
			if strings.Contains(log, told) || !strings.Contains(log, c.has) || !strings.Contains(log, "provider=far") || !strings.Contains(log, "kind="+string(err.Kind)) {
				t.Errorf("the log, of %v:\n%s", err, log)
			}
		})
	}
}

// What the gateway itself says of a failure is logged.
func TestTheLogTellsOwnErrors(t *testing.T) {
	s := newStand(t)
	s.local.Set(sim.Fault{Kind: sim.Refuse})
	if _, err := s.ask(t, exchange("auto", false)); err != nil {
		t.Fatal(err)
	}
	if want := "error=\"the connection was closed before an answer\""; !strings.Contains(s.log.String(), want) {
		t.Errorf("the log lacks %s:\n%s", want, s.log.String())
	}
}

// A model that the configuration names and its provider does not know is not the
// client's mistake; one that the client names is.
func TestWhoIsToBlameForAnUnknownModel(t *testing.T) {
	unknown := func() http.Handler {
		return says(404, "application/json", `{"error":{"message":"The model does not exist","type":"invalid_request_error","param":null,"code":"model_not_found"}}`)
	}
	for _, c := range []struct {
		model  string
		kind   scri.ErrorKind
		status int
	}{
		{"auto", scri.ErrUnavailable, 503},
		{"", scri.ErrUnavailable, 503},
		{"far", scri.ErrUnavailable, 503},
		{"far:m", scri.ErrNotFound, 404},
		{"far:other", scri.ErrNotFound, 404},
	} {
		h := newHouse(t, route.Config{},
			room{name: "near", dialect: "ollama", zone: "local", entry: defaults()},
			room{name: "far", dialect: "openai", zone: "cloud", entry: provider.Entry{DefaultModel: "m"}, handler: unknown()})
		h.sims["near"].Set(sim.Fault{Kind: sim.Refuse})
		_, err := h.ask(t, exchange(c.model, false))
		if err == nil || err.Kind != c.kind || err.HTTPStatus() != c.status || (err.Path == "/model") != (c.kind == scri.ErrNotFound) {
			t.Errorf("%q: %+v", c.model, err)
		}
	}
}

// What a runtime could not tell is asked again as soon as it has answered
// something, so that nobody is told of an outage that is over.
func TestAnAnswerEndsAnOutage(t *testing.T) {
	modes(t, func(t *testing.T, stream bool) {
		lists := 0
		well := sim.New(sim.Options{Name: "near", Dialect: all.Get("ollama"), Models: []string{"m"}})
		near := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/api/tags" {
				if lists++; lists == 1 {
					w.WriteHeader(http.StatusInternalServerError)
					return
				}
			}
			well.ServeHTTP(w, r)
		})
		h := newHouse(t, route.Config{}, room{name: "near", dialect: "ollama", zone: "local", entry: provider.Entry{DefaultModel: "m"}, handler: near})
		for range 2 {
			if _, err := h.ask(t, exchange("auto", stream)); err != nil {
				t.Fatal(err)
			}
		}
		if lists != 2 {
			t.Errorf("asked for its models %d times, want once more after it answered", lists)
		}
	})
}
