package ollama_test

import (
	"encoding/json"
	"testing"

	"pgregory.net/rapid"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/dialect/dialecttest"
	"github.com/aratta-gateway/aratta/internal/dialect/ollama"
	"github.com/aratta-gateway/aratta/scri/scritest"
)

// TestLawsOfRecorded asks the laws of what real servers said.
func TestLawsOfRecorded(t *testing.T) {
	table := []dialect.Dialect{ollama.New()}
	n := 0
	for _, x := range dialecttest.Corpus(t) {
		if x.Dialect != ollama.Name {
			continue
		}
		n++
		for _, r := range dialecttest.RunOne(table, x) {
			if r.NA != "" {
				t.Errorf("%s: law %s could not be asked: %s", x.ID, r.Check, r.NA)
			}
			for _, p := range r.Problems {
				t.Errorf("%s: law %s: %s", x.ID, r.Check, p)
			}
		}
	}
	if n == 0 {
		t.Error("nothing of Ollama was recorded")
	}
}

// TestLawsOfGenerated asks them of what nobody ever said.
func TestLawsOfGenerated(t *testing.T) {
	d := ollama.New()
	t.Run("request", func(t *testing.T) {
		rapid.Check(t, func(rt *rapid.T) {
			x := scritest.Request().Draw(rt, "request")
			kept(rt, x, "4", dialecttest.Law4Request(d, x))
			kept(rt, x, "7", dialecttest.Law7(d, x))
		})
	})
	t.Run("response", func(t *testing.T) {
		rapid.Check(t, func(rt *rapid.T) {
			r := scritest.Response().Draw(rt, "response")
			r.Choices = r.Choices[:1] // which of several is left is a test of its own
			kept(rt, r, "4", dialecttest.Law4Response(d, nil, r))
			kept(rt, r, "4, replayed", dialecttest.Law4Replay(d, nil, r))
		})
	})
}

func kept(t *rapid.T, v any, law string, problems []string) {
	t.Helper()
	if len(problems) == 0 {
		return
	}
	j, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	t.Fatalf("law %s: %q\n%s", law, problems, j)
}
