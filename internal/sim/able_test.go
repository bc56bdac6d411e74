package sim_test

import (
	"io"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aratta-gateway/aratta/internal/dialect/all"
	"github.com/aratta-gateway/aratta/internal/sim"
)

// A simulated Ollama refuses what a real one does.
func TestWhatOllamaRefuses(t *testing.T) {
	s := sim.New(sim.Options{Name: "ollama", Dialect: all.Get("ollama"), Models: []string{"able", "plain", "gpt-oss"}, Any: true})
	words := strings.Repeat("word ", 5000)
	for _, c := range []struct {
		name, body string
		status     int
		says       string
	}{
		{"thoughts", `{"model":"able","think":true}`, 200, "thinking"},
		{"thoughts of one that has none", `{"model":"plain","think":true}`, 400, `\"plain\" does not support thinking`},
		{"no thoughts of one that has none", `{"model":"plain","think":false}`, 200, ""},
		{"degrees", `{"model":"gpt-oss","think":"high"}`, 200, "thinking"},
		{"degrees of one that has none", `{"model":"able","think":"high"}`, 400, `think value \"high\" is not supported for this model`},
		{"tools of one that has none", `{"model":"plain","tools":[{"type":"function","function":{"name":"f"}}]}`, 400, "library/plain does not support tools"},
		{"a prompt that is cut", `{"model":"able","prompt":"` + words + `"}`, 200, ""},
		{"a prompt that may not be cut", `{"model":"able","truncate":false,"prompt":"` + words + `"}`, 400, "the input length exceeds the context length"},
		{"a prompt in a larger window", `{"model":"able","truncate":false,"options":{"num_ctx":8192},"prompt":"` + words + `"}`, 200, ""},
	} {
		path, body := "/api/generate", strings.Replace(c.body, "{", `{"stream":false,`, 1)
		if !strings.Contains(body, `"prompt"`) {
			path, body = "/api/chat", strings.Replace(body, "{", `{"messages":[{"role":"user","content":"hi"}],`, 1)
		}
		w := httptest.NewRecorder()
		s.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "POST", path, strings.NewReader(body)))
		if got := w.Body.String(); w.Code != c.status || !strings.Contains(got, c.says) {
			t.Errorf("%s: %d %s", c.name, w.Code, got)
		}
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "POST", "/api/show", strings.NewReader(`{"model":"plain"}`)))
	if b, _ := io.ReadAll(w.Body); !strings.Contains(string(b), `"capabilities":["completion"]`) {
		t.Errorf("what it says of a model: %s", b)
	}
}
