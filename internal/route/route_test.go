package route_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/aratta-gateway/aratta/internal/route"
	"github.com/aratta-gateway/aratta/scri"
)

// house is a gateway with a local runtime and two clouds.
func house() []route.Entry {
	return []route.Entry{
		{Name: "openai", Dialect: "openai", Zone: "cloud", Priority: 2, Default: "gpt-4.1-mini", Models: []route.Model{
			{Name: "gpt-4.1-mini", Window: 1_000_000}, {Name: "o3-mini", Window: 200_000, Caps: map[string]bool{"vision": false}},
		}},
		{Name: "anthropic", Dialect: "anthropic", Zone: "cloud", Priority: 1, Default: "claude-sonnet-4-5", Models: []route.Model{
			{Name: "claude-sonnet-4-5", Window: 200_000},
		}},
		{Name: "ollama", Dialect: "ollama", Zone: "local", Models: []route.Model{{Name: "llama3.1:8b", Window: 8192}}},
	}
}

func installed(_ context.Context, provider string) ([]string, bool) {
	return []string{"llama3.1:8b", "qwen3:latest"}, provider == "ollama"
}

func config() route.Config {
	return route.Config{
		Aliases: map[string]string{"fast": "ollama:llama3.1:8b", "quick": "fast", "smart": "careful"},
		Chains: map[string]route.Chain{
			"default": {Targets: []string{"ollama:llama3.1:8b", "openai:gpt-4.1-mini", "anthropic"}},
			"careful": {Targets: []string{"anthropic:claude-sonnet-4-5", "mistral:large"}},
		},
	}
}

func everywhere(string) error { return nil }

func onlyLocal(zone string) error {
	if zone == "local" {
		return nil
	}
	return &scri.Error{Kind: scri.ErrPolicy, Message: "zone " + zone + " is closed"}
}

func TestPlan(t *testing.T) {
	const standard = "ollama:llama3.1:8b openai:gpt-4.1-mini anthropic:claude-sonnet-4-5"
	for _, c := range []struct {
		name  string
		query route.Query
		want  string // targets, or the kind of the error
	}{
		{"no model: the default chain", route.Query{}, standard},
		{"auto", route.Query{Model: "auto"}, standard},
		{"star", route.Query{Model: "*"}, standard},
		{"an alias, the chain behind it", route.Query{Model: "fast"}, standard},
		{"an alias of an alias", route.Query{Model: "quick"}, standard},
		{"an alias of a chain", route.Query{Model: "smart"}, "anthropic:claude-sonnet-4-5"},
		{"a chain; who is not on is left out", route.Query{Model: "careful"}, "anthropic:claude-sonnet-4-5"},
		{"a chain wished for", route.Query{Model: "gpt-4.1-mini", Chain: "careful"}, "anthropic:claude-sonnet-4-5"},
		{"pinned, fallback behind it", route.Query{Model: "openai:o3-mini"}, "openai:o3-mini " + standard},
		{"pinned with a slash", route.Query{Model: "openai/o3-mini"}, "openai:o3-mini " + standard},
		{"a configured model's own name", route.Query{Model: "o3-mini"}, "openai:o3-mini " + standard},
		{"an installed model's own name", route.Query{Model: "qwen3"}, "ollama:qwen3:latest " + standard},
		{"a model nobody lists, by its family", route.Query{Model: "claude-next"}, "anthropic:claude-next " + standard},
		{"a family that is not on: the default chain", route.Query{Model: "gemini-3-pro"}, standard},
		{"local first, then the others", route.Query{Model: "local"}, "ollama:llama3.1:8b ollama " + strings.TrimPrefix(standard, "ollama:llama3.1:8b ")},
		{"sovereign: local alone", route.Query{Model: "sovereign", Allow: onlyLocal}, "ollama:llama3.1:8b ollama"},
		{"a pinned cloud that the verdict forbids", route.Query{Model: "openai:o3-mini", Allow: onlyLocal}, "ollama:llama3.1:8b"},
		{"a chain that the verdict forbids whole", route.Query{Model: "careful", Allow: onlyLocal}, "error policy"},
		{"a model nobody has", route.Query{Model: "nonsense"}, "error not_found"},
		{"a provider that is not on", route.Query{Model: "groq:llama"}, "error not_found"},
		{"a chain nobody configured", route.Query{Chain: "other"}, "error not_found"},
		{"too long for the local window", route.Query{Needs: route.Needs{Tokens: 100_000}}, "openai:gpt-4.1-mini anthropic:claude-sonnet-4-5"},
		{"images go past those who cannot see", route.Query{Model: "openai:o3-mini", Needs: route.Needs{Vision: true}}, standard},
		{"too long for everybody", route.Query{Needs: route.Needs{Tokens: 9_000_000}}, "error context_length"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, _, err := route.New(config(), house(), installed)
			if err != nil {
				t.Fatal(err)
			}
			if c.query.Allow == nil {
				c.query.Allow = everywhere
			}
			if got := planned(r.Plan(t.Context(), c.query)); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func planned(p *route.Plan, err error) string {
	if err != nil {
		return "error " + string(scri.AsError(err).Kind)
	}
	var list []string
	for _, t := range p.Targets {
		list = append(list, t.String())
	}
	return strings.Join(list, " ")
}

func TestFallbackOff(t *testing.T) {
	off := false
	cfg := config()
	cfg.Behaviour.EnableFallback = &off
	r, _, err := route.New(cfg, house(), installed)
	if err != nil {
		t.Fatal(err)
	}
	for model, want := range map[string]string{
		"":               "ollama:llama3.1:8b",
		"openai:o3-mini": "openai:o3-mini",
		"local":          "ollama:llama3.1:8b",
	} {
		if got := planned(r.Plan(t.Context(), route.Query{Model: model, Allow: everywhere})); got != want {
			t.Errorf("%q: %s, want %s", model, got, want)
		}
	}
}

func TestNoChainConfigured(t *testing.T) {
	far := false
	for _, c := range []struct {
		name string
		b    route.Behaviour
		want string
	}{
		{"local first, then by priority", route.Behaviour{}, "ollama anthropic:claude-sonnet-4-5 openai:gpt-4.1-mini"},
		{"by priority alone", route.Behaviour{PreferLocal: &far}, "ollama anthropic:claude-sonnet-4-5 openai:gpt-4.1-mini"},
	} {
		r, warn, err := route.New(route.Config{Behaviour: c.b}, house(), nil)
		if err != nil || len(warn) > 0 {
			t.Fatal(err, warn)
		}
		if got := planned(r.Plan(t.Context(), route.Query{Allow: everywhere})); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

func TestUnknownNamesSuggestWhatWasMeant(t *testing.T) {
	r, _, err := route.New(config(), house(), installed)
	if err != nil {
		t.Fatal(err)
	}
	_, err = r.Plan(t.Context(), route.Query{Model: "carefool", Allow: everywhere})
	e := scri.AsError(err)
	if e.Path != "/model" || !strings.Contains(e.Hint, `"careful"`) {
		t.Errorf("path %q, hint %q: want /model and a suggestion", e.Path, e.Hint)
	}
}

func TestConfigurationIsChecked(t *testing.T) {
	cfg := config()
	cfg.Aliases = map[string]string{"a": "b", "b": "a"}
	if _, _, err := route.New(cfg, house(), nil); err == nil || !strings.Contains(err.Error(), "aliases.a") {
		t.Errorf("an alias in a circle: %v", err)
	}
	_, warn, err := route.New(config(), house(), nil)
	if err != nil || !slices.ContainsFunc(warn, func(w string) bool { return strings.Contains(w, `"mistral:large"`) }) {
		t.Errorf("a target that is not on: %v, %v, want a warning", warn, err)
	}
}

func TestParseChain(t *testing.T) {
	for _, c := range []struct {
		in      any
		want    route.Chain
		ignored []string
		err     string
	}{
		{[]any{"a:b", "c"}, route.Chain{Targets: []string{"a:b", "c"}}, nil, ""},
		{map[string]any{"targets": []any{"a"}, "strategy": "weighted", "weights": []any{int64(1)}}, route.Chain{Targets: []string{"a"}, Strategy: "weighted", Weights: []float64{1}}, []string{"strategy", "weights"}, ""},
		{map[string]any{"targets": []any{"a", "b"}, "weights": []any{int64(1)}}, route.Chain{}, nil, "1 weights for 2 targets"},
		{map[string]any{"targets": []any{"a"}, "weights": []any{-0.5}}, route.Chain{}, nil, "not negative"},
		{map[string]any{"targets": []any{"a"}, "strategy": "magic"}, route.Chain{}, nil, "strategy"},
		{map[string]any{"target": []any{"a"}}, route.Chain{}, nil, `"target"`},
		{map[string]any{"strategy": "cost"}, route.Chain{}, nil, "targets are missing"},
		{[]any{}, route.Chain{}, nil, "at least one"},
		{[]any{1}, route.Chain{}, nil, "target 1"},
		{"a", route.Chain{}, nil, "list"},
	} {
		got, ignored, err := route.ParseChain(c.in)
		if c.err != "" {
			if err == nil || !strings.Contains(err.Error(), c.err) {
				t.Errorf("%v: %v, want an error about %s", c.in, err, c.err)
			}
			continue
		}
		if err != nil || !cmp.Equal(got, c.want) || !cmp.Equal(ignored, c.ignored) {
			t.Errorf("%v: %+v, ignored %v, %v", c.in, got, ignored, err)
		}
	}
}

// Whatever is asked: a plan never holds a zone that the verdict closed, no target
// twice, and says no reason twice.
func TestNoPlanLeaves(t *testing.T) {
	r, _, err := route.New(config(), house(), installed)
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		model := rapid.OneOf(
			rapid.SampledFrom(append(r.Names(), "openai:x", "gpt-5", "claude", "llama3.1:8b", "")),
			rapid.StringMatching(`[a-z]{1,9}[:/]?[a-z0-9.:]{0,9}`),
		).Draw(t, "model")
		p, err := r.Plan(t.Context(), route.Query{Model: model, Allow: onlyLocal, Needs: route.Needs{Tokens: rapid.Int64Range(0, 1e7).Draw(t, "tokens")}})
		if err != nil {
			return
		}
		seen := map[string]bool{}
		for _, x := range p.Targets {
			if x.Zone != "local" || seen[x.String()] {
				t.Fatalf("model %q: plan %v", model, p.Targets)
			}
			seen[x.String()] = true
		}
		said := map[scri.Reason]bool{}
		for _, x := range p.Reasons {
			if said[x] {
				t.Fatalf("model %q: %+v is said twice", model, x)
			}
			said[x] = true
		}
	})
}

func ExampleRouter_Plan() {
	r, _, _ := route.New(config(), house(), installed)
	p, _ := r.Plan(context.Background(), route.Query{Model: "o3-mini", Allow: everywhere})
	fmt.Println(p.Targets)
	// Output: [openai:o3-mini ollama:llama3.1:8b openai:gpt-4.1-mini anthropic:claude-sonnet-4-5]
}

// Who asks for a provider that is not on learns why, whether a model is named with it.
func TestUnknownNamesSayWhoIsOff(t *testing.T) {
	cfg := config()
	cfg.Off = map[string]string{"groq": "no key: the environment variable GROQ_API_KEY is not set"}
	cfg.Known = []string{"groq", "cohere"}
	r, _, err := route.New(cfg, house(), installed)
	if err != nil {
		t.Fatal(err)
	}
	for model, want := range map[string]string{
		"groq": `the provider "groq" is off: no key: `, "groq:x": `the provider "groq" is off: no key: `,
		"cohere": `a provider "cohere" is not on`, "cohere:x": `a provider "cohere" is not on`, "someone:x": `a provider "someone" is not on`,
	} {
		_, err := r.Plan(t.Context(), route.Query{Model: model, Allow: everywhere})
		if e := scri.AsError(err); e.Kind != scri.ErrNotFound || !strings.Contains(e.Message, want) {
			t.Errorf("%s: %v, want %s", model, e, want)
		}
	}
}
