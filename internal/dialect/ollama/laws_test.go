package ollama_test

import (
	"testing"

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

// TestLawsOfGenerated asks them of what nobody ever said, the same each time;
// package dialecttest looks for new examples.
func TestLawsOfGenerated(t *testing.T) {
	d := ollama.New()
	const examples = 400
	for i := range examples {
		x := scritest.Request().Example(i)
		kept(t, x, "4", dialecttest.Law4Request(d, x))
		kept(t, x, "7", dialecttest.Law7(d, x))
		r := scritest.Response().Example(i)
		kept(t, r, "4", dialecttest.Law4Response(d, nil, r))
		kept(t, r, "4, replayed", dialecttest.Law4Replay(d, nil, r))
	}
}

func kept(t *testing.T, v any, law string, problems []string) {
	t.Helper()
	if len(problems) > 0 {
		t.Fatalf("law %s: %q\n%s", law, problems, pretty(t, v))
	}
}
