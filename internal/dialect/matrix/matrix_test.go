package matrix

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/aratta-gateway/aratta/internal/dialect/all"
	"github.com/aratta-gateway/aratta/internal/dialect/dialecttest"
)

var update = flag.Bool("update", false, "write the generated files")

// TestPage compares docs/translation.md with what the dialects do.
func TestPage(t *testing.T) {
	got := Make(all.Table()).Page()
	file := filepath.Join(dialecttest.Root(t), "docs", "translation.md")
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(string(got), "\n")); d != "" {
		t.Errorf("docs/translation.md is not what the dialects do; look at what changed, then write it with -update (-: listed, +: now):\n%s", d)
	}
}

// What the dialects report of the probes is the truth: law 4.
func TestReportsAreTrue(t *testing.T) {
	for _, f := range features() {
		for _, client := range all.Table() {
			for _, provider := range all.Table() {
				name := f.Name + "/" + client.Name() + "/" + provider.Name()
				if f.ask != nil {
					if r, ok := f.request(client); ok {
						for _, p := range dialecttest.Law4Request(provider, r) {
							t.Errorf("%s: %s", name, p)
						}
					}
					continue
				}
				r := reply()
				f.answer(r, provider.Name())
				for _, p := range dialecttest.Law4Response(client, base(), r) {
					t.Errorf("%s: %s", name, p)
				}
			}
		}
	}
}

// Some cells that anybody knows: the rows mean what they say.
func TestCells(t *testing.T) {
	m := Make(all.Table())
	for _, c := range []struct {
		client, provider, feature string
		want                      State
		loss                      bool
	}{
		{"openai", "anthropic", "seed", Lost, true},
		{"openai", "anthropic", "tools", Native, false},
		{"openai", "anthropic", "temperature_above_1", Changed, true},
		{"openai", "openai", "seed", Native, false},
		{"openai", "anthropic", "developer", Changed, false},
		{"anthropic", "openai", "cache_mark", Lost, false},
		{"anthropic", "anthropic", "signed_thoughts", Native, false},
		{"ollama", "openai", "tool_choice_required", Unsaid, false},
		{"native", "ollama", "tool_choice_required", Lost, true},
		{"openai", "anthropic", "answer_signature", Lost, false},
	} {
		got, err := m.Of(c.client, c.provider, c.feature)
		if err != nil || got.State != c.want || got.Loss != c.loss {
			t.Errorf("%s -> %s, %s: %+v, %v", c.client, c.provider, c.feature, got, err)
		}
	}
	if _, err := m.Of("openai", "openai", "levitation"); err == nil {
		t.Error("levitation is known")
	}
}
