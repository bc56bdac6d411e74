package gateway_test

import (
	"fmt"
	"hash/crc32"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/dialect/responses"
	"github.com/aratta-gateway/aratta/internal/provider"
	"github.com/aratta-gateway/aratta/internal/route"
	"github.com/aratta-gateway/aratta/scri"
)

// respond asks a house in the words of the Responses API and returns the id of
// the answer and the body of it.
func respond(t *testing.T, h *house, key, body string) (id, answer string, status int) {
	t.Helper()
	d := responses.New()
	s := dialect.Serve(d, d.Routes()[0], h.Chat, dialect.ServeOptions{Keeps: true, Admit: func(*http.Request) (string, scri.Caller, *scri.Error) {
		return fmt.Sprintf("req_%08x", crc32.ChecksumIEEE([]byte(body))), scri.Caller{Key: key}, nil
	}})
	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/v1/responses", strings.NewReader(body)))
	answer = w.Body.String()
	if _, rest, ok := strings.Cut(answer, `"id":"resp_`); ok {
		id, _, _ = strings.Cut("resp_"+rest, `"`)
	}
	return id, answer, w.Code
}

// An answer can be gone on from by its id, whoever is asked then: the target gets
// the whole conversation, without the instructions of the turn before.
func TestGoingOnFromAnAnswer(t *testing.T) {
	modes(t, func(t *testing.T, streamed bool) {
		stream := ""
		if streamed {
			stream = `,"stream":true`
		}
		h := newHouse(t, route.Config{},
			room{name: "near", dialect: "ollama", zone: "local", entry: defaults()},
			room{name: "far", dialect: "anthropic", zone: "cloud", entry: defaults()},
			room{name: "own", dialect: "responses", zone: "cloud", entry: defaults()})
		first, body, status := respond(t, h, "", `{"model":"near:m","instructions":"be a pirate","input":"my name is Ada"`+stream+`}`)
		if status != 200 || !strings.HasPrefix(first, "resp_aratta_") {
			t.Fatalf("%d %s", status, body)
		}
		second, body, status := respond(t, h, "", `{"model":"far:m","instructions":"be plain","input":[{"role":"user","content":"what is it?"}],"previous_response_id":"`+first+`"`+stream+`}`)
		if status != 200 || !strings.Contains(body, `"previous_response_id":"`+first+`"`) {
			t.Fatalf("%d %s", status, body)
		}
		seen, _ := h.sims["far"].Last()
		for _, want := range []string{"my name is Ada", "what is it?", "be plain", `"role":"assistant"`} {
			if !strings.Contains(string(seen.Body), want) {
				t.Errorf("the target got no %q: %s", want, seen.Body)
			}
		}
		if strings.Contains(string(seen.Body), "pirate") {
			t.Errorf("instructions were carried over: %s", seen.Body)
		}
		_, body, status = respond(t, h, "", `{"model":"own:m","input":"and mine?","previous_response_id":"`+second+`"}`)
		seen, _ = h.sims["own"].Last()
		if status != 200 || !strings.Contains(body, `"previous_response_id":"`+second+`"`) || strings.Contains(string(seen.Body), "previous_response_id") || strings.Contains(string(seen.Body), "_aratta_") ||
			!strings.Contains(string(seen.Body), "my name is Ada") {
			t.Errorf("%d %s; a provider that keeps answers got %s", status, body, seen.Body)
		}
		if a := h.Answer(scri.Caller{}, second); a == nil {
			t.Error("the answer is not there to be read")
		}
	})
}

func TestAnswersThatAreNotThere(t *testing.T) {
	h := newHouse(t, route.Config{Chains: map[string]route.Chain{"pair": {Targets: []string{"near:m", "far:m"}}}},
		room{name: "near", dialect: "ollama", zone: "local", entry: defaults()},
		room{name: "far", dialect: "anthropic", zone: "cloud", entry: defaults()},
		room{name: "own", dialect: "responses", zone: "cloud", entry: defaults()})
	mine, _, _ := respond(t, h, "", `{"model":"near:m","input":"a secret"}`)
	unstored, _, _ := respond(t, h, "", `{"model":"near:m","input":"not to be kept","store":false}`)
	for _, c := range []struct {
		name, key, model, id string
		status               int
	}{
		{"unknown", "", "near:m", "resp_x", 400},
		{"unknown, to several that keep none", "", "pair", "resp_x", 400},
		{"unknown, to one that keeps its own", "", "own:m", "resp_x", 200},
		{"of this gateway, and gone", "", "own:m", "resp_aratta_gone", 400},
		{"not stored", "", "near:m", unstored, 400},
		{"another caller's", "env1", "near:m", mine, 400},
		{"there", "", "near:m", mine, 200},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, body, status := respond(t, h, c.key, `{"model":"`+c.model+`","input":"go on","previous_response_id":"`+c.id+`"}`)
			want := `{"error":{"message":"Previous response with id '` + c.id + `' not found.","type":"invalid_request_error","param":"previous_response_id","code":"previous_response_not_found"}}`
			if status != c.status || status == 400 && body != want {
				t.Errorf("%d %s", status, body)
			}
		})
	}
}

// What was said in zone local alone does not leave by a later request.
func TestSovereignStaysSo(t *testing.T) {
	h := newHouse(t, route.Config{},
		room{name: "near", dialect: "ollama", zone: "local", entry: defaults()},
		room{name: "far", dialect: "anthropic", zone: "cloud", entry: defaults()})
	id, _, _ := respond(t, h, "", `{"model":"sovereign","input":"a secret"}`)
	_, body, status := respond(t, h, "", `{"model":"far:m","input":"go on","previous_response_id":"`+id+`"}`)
	if _, n := h.sims["far"].Last(); n != 0 || status != 200 {
		t.Errorf("%d %s, and the cloud was asked %d times", status, body, n)
	}
}

// An answer that broke off is not kept.
func TestBrokenAnswersAreNotKept(t *testing.T) {
	h := newHouse(t, route.Config{}, room{
		name: "near", dialect: "ollama", zone: "local", entry: provider.Entry{DefaultModel: "m"},
		handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/api/chat" {
				_, _ = w.Write([]byte(`{"model":"m","message":{"role":"assistant","content":"half"},"done":false}` + "\n"))
			}
		}),
	})
	id, body, _ := respond(t, h, "", `{"model":"near:m","input":"hi","stream":true}`)
	if id == "" || !strings.Contains(body, "response.failed") || h.Answer(scri.Caller{}, id) != nil {
		t.Errorf("%q %s", id, body)
	}
}

// What is kept is what was said, whatever became of the request's memory.
func TestKeptMessages(t *testing.T) {
	h := newHouse(t, route.Config{}, room{name: "near", dialect: "ollama", zone: "local", entry: defaults()})
	id, _, _ := respond(t, h, "", `{"model":"near:m","input":[{"role":"user","content":[{"type":"input_text","text":"look"}]},{"type":"function_call","call_id":"c1","name":"read","arguments":"{\"a\":1}"},{"type":"function_call_output","call_id":"c1","output":"done"}],"tools":[{"type":"function","name":"read","parameters":{"type":"object"}}],"metadata":{"k":"v"}}`)
	for range 3 {
		respond(t, h, "", `{"model":"near:m","input":"`+strings.Repeat("something else ", 100)+`","store":false}`)
	}
	a := h.Answer(scri.Caller{}, id)
	if a == nil {
		t.Fatal("it is not kept")
	}
	r := a.Request
	got := []string{string(r.Messages[0].Role), r.Messages[1].Parts[0].Call.ID, r.Messages[1].Parts[0].Call.Name, r.Messages[2].Parts[0].Result.CallID, r.Tools[0].Name, r.Metadata["k"], r.Model}
	if d := cmp.Diff([]string{"user", "c1", "read", "c1", "read", "v", "near:m"}, got); d != "" {
		t.Error(d)
	}
}
