package server

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aratta-gateway/aratta/internal/dialect/all"
	"github.com/aratta-gateway/aratta/internal/dialect/dialecttest"
	"github.com/aratta-gateway/aratta/internal/telemetry"
	"github.com/aratta-gateway/aratta/scri"
)

// The description has every route once, with the parameters of its path.
func TestOpenAPI(t *testing.T) {
	s := wholeServer()
	w := ask(t, s, "GET", "/openapi.json", "")
	var doc struct {
		OpenAPI string                               `json:"openapi"`
		Paths   map[string]map[string]map[string]any `json:"paths"`
	}
	if err := json.Unmarshal(w.Body.Bytes(), &doc); err != nil || doc.OpenAPI != "3.1.0" {
		t.Fatalf("%v, version %q", err, doc.OpenAPI)
	}
	ids, n := map[string]bool{}, 0
	for path, ops := range doc.Paths {
		if !strings.HasPrefix(path, "/") || strings.Contains(path, "$") || strings.Contains(path, "...") {
			t.Errorf("a path %q", path)
		}
		for method, op := range ops {
			n++
			id, _ := op["operationId"].(string)
			if id == "" || ids[id] || op["summary"] == "" {
				t.Errorf("%s %s: operation %q, summary %q", method, path, id, op["summary"])
			}
			ids[id] = true
			params, _ := op["parameters"].([]any)
			if want := strings.Count(path, "{"); len(params) != want {
				t.Errorf("%s %s has %d parameters, want %d", method, path, len(params), want)
			}
		}
	}
	if n < len(s.table) || n < 60 {
		t.Errorf("%d operations of %d routes: some stand twice in the table", n, len(s.table))
	}
}

// Every route of the table is in the documents.
func TestTable(t *testing.T) {
	s := wholeServer()
	text, err := os.ReadFile(filepath.Join(dialecttest.Root(t), "docs", "api.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range s.table {
		fixed, verb, _ := strings.Cut(l.path, "{")
		if _, v, ok := strings.Cut(verb, ":"); ok && !strings.Contains(string(text), ":"+v) {
			t.Errorf("docs/api.md does not know the verb %s of %s", v, l.path)
		}
		if fixed = strings.TrimSuffix(fixed, "/"); !strings.Contains(string(text), fixed) {
			t.Errorf("docs/api.md does not know %s", l.path)
		}
	}
}

// What the log and the metrics say of a health check is what its asker got.
func TestHealthIsLogged(t *testing.T) {
	var log bytes.Buffer
	s := New(Options{
		Gateway: toy{}, Dialects: all.Table(), Log: slog.New(slog.NewJSONHandler(&log, nil)), Meter: telemetry.New("1"),
		Health: func(context.Context) []scri.ProviderHealth { return []scri.ProviderHealth{{Provider: "p"}} },
	})
	if w := ask(t, s, "GET", "/api/v1/health", ""); w.Code != http.StatusServiceUnavailable || !strings.Contains(log.String(), `"status":503`) {
		t.Errorf("%d is logged as %s", w.Code, &log)
	}
	if w := ask(t, s, "GET", "/metrics", ""); !strings.Contains(w.Body.String(), `op="health",outcome="unavailable",provider=""} 1`) {
		t.Errorf("it is counted as %s", w.Body)
	}
}
