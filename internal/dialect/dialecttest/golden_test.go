package dialecttest_test

import (
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/aratta-gateway/aratta/internal/dialect/all"
	"github.com/aratta-gateway/aratta/internal/dialect/dialecttest"
)

// TestGolden shows what each dialect makes of each hand-written example of each
// other, with the warnings, as files that a reader can judge.
func TestGolden(t *testing.T) {
	for _, c := range dialecttest.Cases(t) {
		from := all.Get(c.Dialect)
		if from == nil {
			t.Errorf("%s: no dialect is called %q", c.File, c.Dialect)
			continue
		}
		for _, to := range all.Table() {
			file := c.Golden(to.Name())
			got, err := c.Translate(from, to)
			if err != nil {
				t.Errorf("%s: %v", file, err)
				continue
			}
			if got == "" { // the dialect has no such thing
				continue
			}
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
				continue
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Error(err)
				continue
			}
			if d := cmp.Diff(string(want), got); d != "" {
				t.Errorf("%s (-want +got):\n%s", file, d)
			}
		}
	}
}

// TestLawsOfExamples asks all laws of the hand-written examples: none may fail.
func TestLawsOfExamples(t *testing.T) {
	for _, c := range dialecttest.Cases(t) {
		t.Run(c.Kind+"/"+c.Dialect+"/"+c.Name, func(t *testing.T) {
			x, err := c.Exchange()
			if err != nil {
				t.Fatal(err)
			}
			results := dialecttest.RunOne(all.Table(), x)
			if len(results) == 0 {
				t.Error("no law applies")
			}
			for _, r := range results {
				if len(r.Problems) > 0 {
					t.Errorf("law %s %s:\n\t%s", r.Check, r.Target, r.Problems)
				}
			}
		})
	}
}
