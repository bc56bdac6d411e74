package route_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/aratta-gateway/aratta/internal/route"
)

// What leads to nobody is told with what was probably meant, and what an alias
// cannot do or does besides.
func TestSuspects(t *testing.T) {
	cfg := route.Config{
		Chains: map[string]route.Chain{"default": {Targets: []string{
			"olama", "antropic:claude-opus-4-5", "ollama:m", "mistral:large", "phi4:mini", "openai:", "careful",
		}}, "careful": {Targets: []string{"openai"}}},
		Aliases: map[string]string{
			"sovereign": "openai:o3-mini", "local": "openai:o3-mini", "auto": "ollama", "openai": "ollama",
			"a": "opnai:o3-mini", "b": "mistral", "fine": "llama3.1:8b", "mine": "careful", "best": "claude-next", "c": "a",
		},
		Known: []string{"ollama", "openai", "anthropic", "mistral"},
	}
	_, warn, err := route.New(cfg, house(), nil)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		`chains.default: target "olama" is left out: there is no provider "olama"; did you mean "ollama"?`,
		`chains.default: target "antropic:claude-opus-4-5" is left out: there is no provider "antropic"; did you mean "anthropic:claude-opus-4-5"?`,
		`chains.default: target "mistral:large" is left out: its provider is not on`,
		`chains.default: target "phi4:mini" is left out: no provider, alias or model of the configuration is named "phi4:mini"; a model of a runtime is written "ollama:phi4:mini"`,
		`chains.default: target "openai:" is left out: it names no model`,
		`chains.default: target "careful" is left out: a chain cannot stand in another`,
		`aliases.a: "opnai:o3-mini" leads to nobody: there is no provider "opnai"; did you mean "openai:o3-mini"?`,
		`aliases.auto: takes the place of the default chain`,
		`aliases.b: "mistral" leads to nobody: its provider is not on`,
		`aliases.c: "opnai:o3-mini" leads to nobody: there is no provider "opnai"; did you mean "openai:o3-mini"?`,
		`aliases.local: "openai:o3-mini" is not in zone local, though the name says so`,
		`aliases.openai: hides the provider of that name`,
		`aliases.sovereign: the name keeps its meaning; "openai:o3-mini" is asked only if it is in zone local`,
	}
	if d := cmp.Diff(want, warn); d != "" {
		t.Error(d)
	}
}

func TestLadders(t *testing.T) {
	cfg := route.Config{Chains: map[string]route.Chain{"careful": {Targets: []string{"openai:o3-mini"}}}}
	r, _, err := route.New(cfg, house(), nil)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, l := range r.Ladders() {
		var names []string
		for _, to := range l.Targets {
			names = append(names, to.String())
		}
		got = append(got, l.Name+" "+strings.Join(names, ","))
	}
	if len(got) != 2 || !strings.HasPrefix(got[0], "default ollama") || got[1] != "careful openai:o3-mini" {
		t.Errorf("%q", got)
	}
}

// A provider that a chain names twice is off once.
func TestOff(t *testing.T) {
	cfg := route.Config{
		Off:    map[string]string{"mistral": "no key"},
		Chains: map[string]route.Chain{"default": {Targets: []string{"ollama", "mistral:large", "mistral:small"}}},
	}
	r, _, err := route.New(cfg, house(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := r.Off(route.DefaultChain); len(got) != 1 || got[0] != "mistral is off: no key" {
		t.Errorf("%q", got)
	}
}

// A default chain of which nothing is left is no leave to ask clouds.
func TestMistypedChainStaysLocal(t *testing.T) {
	cfg := route.Config{Chains: map[string]route.Chain{"default": {Targets: []string{"olama"}}}}
	r, warn, err := route.New(cfg, house(), installed)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(strings.Join(warn, "\n"), "local providers alone stand in its place") {
		t.Error(warn)
	}
	for _, model := range []string{"", "auto", "local"} {
		p, err := r.Plan(t.Context(), route.Query{Model: model, Allow: everywhere})
		if err != nil {
			continue // nobody is asked
		}
		for _, to := range p.Targets {
			if to.Zone != "local" {
				t.Errorf("%q asks %s", model, to)
			}
		}
	}
	if p, err := r.Plan(t.Context(), route.Query{Allow: everywhere}); err != nil || len(p.Targets) == 0 {
		t.Errorf("nobody local is asked: %v", err)
	}
}
