package openai_test

import (
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/dialect/dialecttest"
	"github.com/aratta-gateway/aratta/internal/dialect/openai"
)

// TestLaws asks all laws of every recorded exchange of the dialect.
func TestLaws(t *testing.T) {
	d := openai.New()
	for _, x := range dialecttest.Corpus(t) {
		if x.Dialect == d.Name() {
			t.Run(x.ID, func(t *testing.T) { keeps(t, d, x) })
		}
	}
}

// TestLawsOfExamples asks them of the examples in testdata.
func TestLawsOfExamples(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("testdata", "*", "*.*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		kind := filepath.Base(filepath.Dir(file))
		if filepath.Ext(file) == ".golden" || kind == "error" || kind == "fuzz" {
			continue
		}
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		x := &dialecttest.Exchange{
			ID: file, Dialect: "openai", Wire: "openai-chat", Status: http.StatusOK,
			Header: http.Header{}, RespHeader: http.Header{},
		}
		switch kind {
		case "request":
			x.Request = b
		case "response":
			x.Body = b
		case "stream":
			if x.Stream = b; strings.Contains(file, "error") || strings.Contains(file, "truncated") {
				x.Features = []string{"stream-error"}
			}
		}
		t.Run(file, func(t *testing.T) { keeps(t, openai.New(), x) })
	}
}

func keeps(t *testing.T, d dialect.Dialect, x *dialecttest.Exchange) {
	t.Helper()
	for _, r := range dialecttest.RunOne([]dialect.Dialect{d}, x) {
		for _, p := range r.Problems {
			t.Errorf("law %s: %s", r.Check, p)
		}
	}
}

func TestRoutes(t *testing.T) {
	var got []string
	for _, r := range openai.New().Routes() {
		got = append(got, r.Method+" "+r.Pattern)
	}
	want := []string{"POST /v1/chat/completions", "POST /v1/embeddings", "GET /v1/models", "GET /v1/models/{model...}"}
	if !slices.Equal(got, want) {
		t.Errorf("routes are %v, not %v", got, want)
	}
}
