package openai_test

import (
	"net/http"
	"slices"
	"testing"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/dialect/dialecttest"
	"github.com/aratta-gateway/aratta/internal/dialect/openai"
)

// TestLaws asks all laws of every recorded exchange of the dialect.
func TestLaws(t *testing.T) {
	d := openai.New()
	for _, x := range dialecttest.Corpus(t) {
		if x.Dialect != d.Name() {
			continue
		}
		t.Run(x.ID, func(t *testing.T) {
			t.Parallel()
			for _, r := range dialecttest.RunOne([]dialect.Dialect{d}, x) {
				for _, p := range r.Problems {
					t.Errorf("law %s: %s", r.Check, p)
				}
			}
		})
	}
}

func TestRoutes(t *testing.T) {
	var got []string
	for _, r := range openai.New().Routes() {
		got = append(got, r.Method+" "+r.Pattern)
	}
	want := []string{"POST /v1/chat/completions", "GET /v1/models", "GET /v1/models/{model...}"}
	if !slices.Equal(got, want) {
		t.Errorf("routes are %v, not %v", got, want)
	}
	if _, ok := openai.New().(dialect.Lister); !ok {
		t.Error("it does not list models")
	}
	_ = http.MethodGet
}
