package server

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aratta-gateway/aratta/internal/dialect/all"
	"github.com/aratta-gateway/aratta/scri"
)

// hearing notes what was asked of it.
type hearing struct {
	toy

	asked *scri.Exchange
}

func (h *hearing) Chat(ctx context.Context, x *scri.Exchange) (scri.Stream, error) {
	h.asked = x
	return h.toy.Chat(ctx, x)
}

func (h *hearing) Count(ctx context.Context, x *scri.Exchange) (*scri.CountResponse, error) {
	h.asked = x
	return h.toy.Count(ctx, x)
}

func (h *hearing) Embed(ctx context.Context, x *scri.Exchange) (*scri.EmbedResponse, error) {
	h.asked = x
	return h.toy.Embed(ctx, x)
}

// A client of any API may wish for strictness in a header; what is no wish is refused.
func TestStrictHeader(t *testing.T) {
	for _, c := range []struct {
		header string
		status int
		strict bool
	}{
		{"", 200, false},
		{"true", 200, true},
		{"1", 200, true},
		{"false", 200, false},
		{"maybe", 400, false},
	} {
		h := &hearing{}
		s := New(Options{Gateway: h, Dialects: all.Table(), MaxBody: 1 << 20})
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "http://localhost/v1/chat/completions", strings.NewReader(`{"model":"m","messages":[{"role":"user","content":"hi"}]}`))
		r.RemoteAddr = "127.0.0.1:5000"
		if c.header != "" {
			r.Header.Set("X-Aratta-Strict", c.header)
		}
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		if w.Code != c.status {
			t.Errorf("%q: status %d: %s", c.header, w.Code, w.Body)
		}
		if c.status != 200 {
			if h.asked != nil || !strings.Contains(w.Body.String(), "X-Aratta-Strict") {
				t.Errorf("%q: %s", c.header, w.Body)
			}
			continue
		}
		if got := h.asked.Req.Routing != nil && h.asked.Req.Routing.Strict; got != c.strict {
			t.Errorf("%q: strict %v", c.header, got)
		}
		if h.asked.In.Routing != nil {
			t.Errorf("%q: what came in was changed", c.header)
		}
	}
}

// What may not leave is a wish of any API too, for counts and vectors as for chats.
func TestSovereignHeader(t *testing.T) {
	const body = `{"model":"m","max_tokens":9,"input":"hi","messages":[{"role":"user","content":"hi"}]}`
	for value, want := range map[string]bool{"": false, "false": false, "0": false, "true": true, "1": true, "please": true} {
		for _, path := range []string{"/v1/chat/completions", "/v1/messages", "/v1/messages/count_tokens", "/v1/embeddings", "/api/v1/chat", "/api/v1/count"} {
			h := &hearing{}
			s := New(Options{Gateway: h, Dialects: all.Table(), MaxBody: 1 << 20})
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "http://localhost"+path, strings.NewReader(body))
			r.RemoteAddr = "127.0.0.1:5000"
			r.Header.Set("X-Aratta-Sovereign", value)
			s.ServeHTTP(httptest.NewRecorder(), r)
			if h.asked == nil {
				t.Errorf("%s: nothing was asked", path)
			} else if w := h.asked.Wishes(); (w != nil && w.Sovereign) != want || w != nil && w.Strict {
				t.Errorf("%s, %q: wishes %+v", path, value, w)
			}
		}
	}
}

// The matrix of translations is told by the gateway itself.
func TestCapabilities(t *testing.T) {
	s, log := logging()
	w := ask(t, s, "GET", "/api/v1/capabilities", "")
	var m struct {
		Dialects     []string
		Features     []struct{ Name, Side string }
		Translations []struct {
			Client, Provider string
			Features         map[string]struct {
				State    string
				Loss     bool
				Warnings []scri.Warning
			}
		}
	}
	if err := json.Unmarshal(w.Body.Bytes(), &m); err != nil || w.Code != 200 {
		t.Fatal(w.Code, err)
	}
	n := len(all.Table())
	if len(m.Dialects) != n || len(m.Translations) != n*n || len(m.Features) < 40 {
		t.Errorf("%d dialects, %d translations, %d features", len(m.Dialects), len(m.Translations), len(m.Features))
	}
	for _, tr := range m.Translations {
		if c := tr.Features["seed"]; tr.Client == "openai" && tr.Provider == "anthropic" && (c.State != "lost" || !c.Loss || c.Warnings[0].Path != "/seed") {
			t.Errorf("seed: %+v", c)
		}
	}
	if !strings.Contains(log.String(), `"op":"capabilities"`) {
		t.Errorf("log: %s", log)
	}
}
