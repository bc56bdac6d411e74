package gemini_test

import (
	"testing"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/dialect/dialecttest"
	"github.com/aratta-gateway/aratta/internal/dialect/gemini"
)

// TestLaws asks all laws of all recorded exchanges of the dialect.
func TestLaws(t *testing.T) {
	table := []dialect.Dialect{gemini.New()}
	asked := 0
	for _, r := range dialecttest.Run(table, dialecttest.Corpus(t)) {
		if r.NA != "" {
			t.Logf("%s: %s: not asked: %s", r.X.ID, r.Check, r.NA)
			continue
		}
		asked++
		for _, p := range r.Problems {
			t.Errorf("%s: law %s %s: %s", r.X.ID, r.Check, r.Target, p)
		}
	}
	if asked == 0 {
		t.Fatal("no law was asked")
	}
}
