package route_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/aratta-gateway/aratta/internal/route"
	"github.com/aratta-gateway/aratta/scri"
)

// clouds is a house without a local runtime.
func clouds() []route.Entry {
	return slices.DeleteFunc(house(), func(e route.Entry) bool { return e.Zone == "local" })
}

// What cannot be served says why in words that are true.
func TestRefusalsSayWhy(t *testing.T) {
	off := false
	for _, c := range []struct {
		name    string
		cfg     route.Config
		entries []route.Entry
		query   route.Query
		kind    scri.ErrorKind
		want    []string
		not     []string
	}{
		{
			"local, nobody near, no fallback",
			route.Config{Behaviour: route.Behaviour{EnableFallback: &off}},
			clouds(),
			route.Query{Model: "local"},
			scri.ErrUnavailable,
			[]string{"no local model", "[local]", "enable_fallback"},
			[]string{"no provider is on"},
		},
		{"nobody at all", route.Config{}, nil, route.Query{}, scri.ErrUnavailable, []string{"no provider is on"}, nil},
		{
			"a chain that is empty",
			route.Config{Chains: map[string]route.Chain{"careful": {Targets: []string{"mistral:large"}}}},
			house(),
			route.Query{Model: "careful"},
			scri.ErrUnavailable,
			[]string{`chain "careful"`, "config check"},
			[]string{"no provider is on"},
		},
		{
			"sovereign against a pinned cloud",
			route.Config{Behaviour: route.Behaviour{EnableFallback: &off}},
			house(),
			route.Query{Model: "openai:o3-mini", Allow: onlyLocal},
			scri.ErrPolicy,
			[]string{"openai:o3-mini: zone cloud is closed"},
			[]string{"o3-mini: ;"},
		},
		{
			"an inferred one",
			route.Config{Behaviour: route.Behaviour{EnableFallback: &off}},
			house(),
			route.Query{Model: "claude-next", Allow: onlyLocal},
			scri.ErrPolicy,
			[]string{"anthropic:claude-next: zone cloud is closed"},
			[]string{"by its name"},
		},
		{
			"too long for whom it may go to",
			config(),
			house(),
			route.Query{Needs: route.Needs{Tokens: 100_000}, Allow: onlyLocal},
			scri.ErrContextLength,
			[]string{"8192", "zone cloud is closed", "shorten"},
			[]string{"nearer zone"},
		},
		{
			"images for the blind",
			route.Config{Behaviour: route.Behaviour{EnableFallback: &off}},
			house(),
			route.Query{Model: "openai:o3-mini", Needs: route.Needs{Vision: true}},
			scri.ErrUnsupported,
			[]string{"cannot see images"},
			nil,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, _, err := route.New(c.cfg, c.entries, installed)
			if err != nil {
				t.Fatal(err)
			}
			if c.query.Allow == nil {
				c.query.Allow = everywhere
			}
			p, err := r.Plan(t.Context(), c.query)
			if err == nil {
				t.Fatalf("planned %v", p.Targets)
			}
			e := scri.AsError(err)
			text := e.Message + " | " + e.Hint
			if e.Kind != c.kind {
				t.Errorf("kind %s, want %s (%s)", e.Kind, c.kind, text)
			}
			for _, w := range c.want {
				if !strings.Contains(text, w) {
					t.Errorf("%q does not say %q", text, w)
				}
			}
			for _, w := range c.not {
				if strings.Contains(text, w) {
					t.Errorf("%q says %q", text, w)
				}
			}
		})
	}
}

// Open models are asked of a local runtime that does not say what it has,
// before the default provider is.
func TestOpenModelsAreLocal(t *testing.T) {
	entries := append(house(), route.Entry{Name: "vllm", Dialect: "openai", Zone: "local"})
	r, _, err := route.New(route.Config{Behaviour: route.Behaviour{DefaultProvider: "openai"}}, entries, installed)
	if err != nil {
		t.Fatal(err)
	}
	for model, want := range map[string]string{
		"Llama-4-Scout":            "vllm:Llama-4-Scout ",
		"meta-llama/Llama-4-Scout": "vllm:meta-llama/Llama-4-Scout ",
		"mistral-small":            "vllm:mistral-small ",
		"gpt-oss:20b":              "vllm:gpt-oss:20b ",
		"something":                "openai:something ",
	} {
		got := planned(r.Plan(t.Context(), route.Query{Model: model, Allow: everywhere}))
		if !strings.HasPrefix(got, want) {
			t.Errorf("%s: %s, want %s first", model, got, want)
		}
	}
}

// A slip in the name of an installed model is met with that name.
func TestSuggestionsKnowWhatIsInstalled(t *testing.T) {
	r, _, err := route.New(config(), house(), func(context.Context, string) ([]string, bool) { return []string{"qwen3-coder:30b"}, true })
	if err != nil {
		t.Fatal(err)
	}
	_, err = r.Plan(t.Context(), route.Query{Model: "qwen3-coder:3b", Allow: everywhere})
	e := scri.AsError(err)
	if !strings.Contains(e.Hint, `"qwen3-coder:30b"`) || strings.Contains(e.Message, "provider") {
		t.Errorf("%s | %s", e.Message, e.Hint)
	}
}

// What will not work is said at the start.
func TestStartWarnsOfTargetsWithoutAModel(t *testing.T) {
	entries := append(house(), route.Entry{Name: "xai", Dialect: "openai", Zone: "cloud"})
	cfg := config()
	cfg.Chains["default"] = route.Chain{Targets: []string{"ollama", "xai"}}
	_, warn, err := route.New(cfg, entries, installed)
	if err != nil || !slices.ContainsFunc(warn, func(w string) bool {
		return strings.Contains(w, "chains.default") && strings.Contains(w, "default_model") && strings.Contains(w, "xai")
	}) {
		t.Errorf("%v, %v", warn, err)
	}
	_, warn, err = route.New(route.Config{}, entries, installed)
	if err != nil || len(warn) != 1 || !strings.Contains(warn[0], "providers.xai") || !strings.Contains(warn[0], "default_model") {
		t.Errorf("%v, %v", warn, err)
	}
	cfg = config()
	cfg.Chains["local"] = route.Chain{Targets: []string{"ollama"}}
	_, warn, err = route.New(cfg, house(), installed)
	if err != nil || !slices.ContainsFunc(warn, func(w string) bool { return strings.Contains(w, "chains.local") }) {
		t.Errorf("%v, %v", warn, err)
	}
}

// A slip in the name of a provider that is on is met with its name; one that is known and not on is no slip.
func TestSuggestionsKnowWhoIsOn(t *testing.T) {
	r, _, err := route.New(config(), house(), installed)
	if err != nil {
		t.Fatal(err)
	}
	for model, want := range map[string]string{"olama:tiny": `"ollama:tiny"`, "opnai/something": `"openai/something"`, "nobody:tiny": `"auto"`} {
		_, err = r.Plan(t.Context(), route.Query{Model: model, Allow: everywhere})
		if e := scri.AsError(err); !strings.Contains(e.Hint, want) {
			t.Errorf("%s: %s | %s", model, e.Message, e.Hint)
		}
	}
}
