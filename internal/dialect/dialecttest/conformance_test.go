package dialecttest_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/aratta-gateway/aratta/internal/dialect/all"
	"github.com/aratta-gateway/aratta/internal/dialect/dialecttest"
)

var (
	update = flag.Bool("update", false, "write the generated files")
	rounds = flag.Int("rounds", 1, "how often to change each exchange at random; from 4 on, every value of every example")
	only   = flag.String("only", "", "show what fails among the exchanges whose dialect/id contains this, and compare no document")
)

// TestConformance asks all laws of all recorded exchanges and compares the
// outcome with docs/conformance.md.
func TestConformance(t *testing.T) {
	corpus := dialecttest.Corpus(t)
	table := all.Table()
	if *only != "" {
		for _, x := range corpus {
			if strings.Contains(x.Dialect+"/"+x.ID, *only) {
				show(t, dialecttest.RunOne(table, x))
			}
		}
		return
	}
	got := dialecttest.Report(table, corpus, dialecttest.Run(table, corpus))
	file := filepath.Join(dialecttest.Root(t), "docs", "conformance.md")
	if *update {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(want, got) {
		t.Errorf("docs/conformance.md is not what the run gives; look at what changed, then write it with -update (-: listed, +: now):\n%s",
			cmp.Diff(strings.Split(string(want), "\n"), strings.Split(string(got), "\n")))
	}
}

func show(t *testing.T, results []dialecttest.Result) {
	t.Helper()
	for _, r := range results {
		switch {
		case r.NA != "":
			t.Logf("%s %s %s: not asked: %s", r.X.ID, r.Check, r.Target, r.NA)
		case len(r.Problems) > 0:
			t.Errorf("%s %s %s:\n\t%s", r.X.ID, r.Check, r.Target, strings.Join(r.Problems, "\n\t"))
		}
	}
}
