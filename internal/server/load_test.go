package server

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/dialect/all"
	"github.com/aratta-gateway/aratta/scri"
)

// oneModel is a gateway that has one model and refuses what has no messages.
type oneModel struct{ Gateway }

func (oneModel) Chat(context.Context, *scri.Exchange) (scri.Stream, error) {
	return nil, &scri.Error{Kind: scri.ErrInvalid, Message: "there is no message"}
}

func (oneModel) Model(_ context.Context, name string) (*scri.ModelInfo, error) {
	if name != "there" {
		return nil, &scri.Error{Kind: scri.ErrNotFound, Message: "no model " + name}
	}
	return &scri.ModelInfo{ID: name}, nil
}

// TestLoad: Ollama's clients load a model by a chat about nothing; nobody else's do.
func TestLoad(t *testing.T) {
	s := New(Options{Gateway: oneModel{}, Dialects: []dialect.Dialect{all.Get("ollama"), all.Get("openai")}})
	for _, tt := range []struct {
		path, body string
		status     int
		want       string
	}{
		{"/api/generate", `{"model":"there"}`, 200, `"done":true,"done_reason":"load"`},
		{"/api/generate", `{"model":"there","stream":false,"keep_alive":"5m"}`, 200, `"done":true,"done_reason":"load"`},
		{"/api/chat", `{"model":"there","messages":[]}`, 200, `"done":true,"done_reason":"load"`},
		{"/api/generate", `{"model":"elsewhere"}`, 404, "elsewhere"},
		{"/api/generate", `{"model":"there","prompt":"Hello"}`, 400, "there is no message"},
		{"/v1/chat/completions", `{"model":"there","messages":[]}`, 400, "there is no message"},
	} {
		t.Run(tt.path+" "+tt.body, func(t *testing.T) {
			w := httptest.NewRecorder()
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, tt.path, strings.NewReader(tt.body))
			r.RemoteAddr, r.Host = "127.0.0.1:1234", "127.0.0.1"
			s.ServeHTTP(w, r)
			if w.Code != tt.status || !strings.Contains(w.Body.String(), tt.want) {
				t.Errorf("%d %s, want %d and %s in it", w.Code, w.Body, tt.status, tt.want)
			}
		})
	}
}
