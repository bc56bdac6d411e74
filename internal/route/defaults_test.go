package route

import (
	"slices"
	"strings"
	"testing"

	"github.com/aratta-gateway/aratta/scri"
)

// The default aliases lead to whoever is on; what the configuration says comes
// first; those that lead nowhere say so.
func TestDefaultAliases(t *testing.T) {
	near := Entry{Name: "ollama", Dialect: "ollama", Zone: "local", Chooses: true}
	claude := Entry{Name: "anthropic", Dialect: "anthropic", Zone: "cloud", Priority: 100, Default: "d"}
	gpt := Entry{Name: "openai", Dialect: "openai", Zone: "cloud", Priority: 100, Models: []Model{{Name: "text-embedding-3-large", Caps: map[string]bool{"embeddings": true}}}}
	for _, c := range []struct {
		name    string
		entries []Entry
		own     map[string]string
		asked   string
		want    string // targets, or a part of the error
	}{
		{"on", []Entry{near, claude}, nil, "opus", "anthropic:claude-opus-4-8 ollama anthropic:d"},
		{"the second that could answer", []Entry{near, gpt}, nil, "reason", "openai:gpt-5.5 ollama"},
		{"local first", []Entry{near, claude}, nil, "fast", "ollama anthropic:d"},
		{"overridden", []Entry{near, claude}, map[string]string{"opus": "anthropic:mine"}, "opus", "anthropic:mine ollama anthropic:d"},
		{"nobody is on for it", []Entry{near}, nil, "opus", `the alias "opus" leads nowhere: provider anthropic is not on`},
		{"of several nobody", []Entry{near}, nil, "image", `of the providers openai, google none is on`},
		{"somebody has a model of that name", []Entry{near, {Name: "azure", Dialect: "openai", Zone: "cloud", Priority: 100, Models: []Model{{Name: "o3"}}}}, nil, "o3", "azure:o3 ollama"},
	} {
		r, _, err := New(Config{Aliases: c.own, Defaults: DefaultAliases()}, c.entries, nil)
		if err != nil {
			t.Fatal(err)
		}
		p, err := r.Plan(t.Context(), Query{Model: c.asked, Allow: func(string) error { return nil }})
		var got string
		if err != nil {
			e := scri.AsError(err)
			if e.Kind != scri.ErrNotFound || e.Path != "/model" || !strings.Contains(e.Hint, "[providers.") {
				t.Errorf("%s: %v %+v", c.name, err, e)
			}
			got = e.Message
		} else {
			var list []string
			for _, target := range p.Targets {
				list = append(list, target.String())
			}
			got = strings.Join(list, " ")
		}
		if got != c.want && (err == nil || !strings.Contains(got, c.want)) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// Every name that is promised is there, and what is away is not among the names
// that can be asked for.
func TestDefaultAliasNames(t *testing.T) {
	r, warn, err := New(Config{Defaults: DefaultAliases()}, []Entry{{Name: "ollama", Dialect: "ollama", Zone: "local"}}, nil)
	if err != nil || len(warn) > 0 {
		t.Fatal(err, warn)
	}
	for name := range strings.FieldsSeq("local sovereign fast reason code cheap opus sonnet haiku gpt gpt-mini o3 gemini gemini-pro image grok grok-reason embed embed-small") {
		there := slices.Contains(r.Names(), name)
		if away := r.Away()[name] != ""; there == away {
			t.Errorf("%s: there %t, away %t", name, there, away)
		}
	}
}
