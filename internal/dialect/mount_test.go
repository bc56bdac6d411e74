package dialect_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/aratta-gateway/aratta/internal/dialect"
)

// Routes of one pattern are told apart by what follows the last colon of the
// path, which a model's name may hold too.
func TestMountTellsVerbsApart(t *testing.T) {
	const pattern = "/v1beta/models/{model...}"
	routes := []dialect.Route{
		{Method: "GET", Pattern: pattern},
		{Method: "POST", Pattern: pattern, Verb: "say"},
		{Method: "POST", Pattern: pattern, Verb: "count"},
	}
	mux := http.NewServeMux()
	dialect.Mount(routes, func(r dialect.Route) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			_, _ = io.WriteString(w, r.Verb+" "+req.PathValue("model"))
		})
	}, http.NotFoundHandler(), func(method, pattern string, h http.Handler) { mux.Handle(method+" "+pattern, h) })
	for _, c := range []struct {
		method, path string
		status       int
		body         string
	}{
		{"POST", "/v1beta/models/m:say", 200, "say m"},
		{"POST", "/v1beta/models/ollama:qwen3:8b:count", 200, "count ollama:qwen3:8b"},
		{"POST", "/v1beta/models/vendor/m:say", 200, "say vendor/m"},
		{"GET", "/v1beta/models/m:8b", 200, " m:8b"},
		{"POST", "/v1beta/models/m:sing", 404, "404 page not found\n"},
		{"POST", "/v1beta/models/m", 404, "404 page not found\n"},
	} {
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, httptest.NewRequest(c.method, c.path, nil))
		if w.Code != c.status || w.Body.String() != c.body {
			t.Errorf("%s %s: %d %q", c.method, c.path, w.Code, w.Body.String())
		}
	}
}
