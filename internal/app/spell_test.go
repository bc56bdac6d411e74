package app

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/aratta-gateway/aratta/internal/route"
)

// example is the text of one of the configurations that the contract shows.
func example(t *testing.T, name string) string {
	t.Helper()
	dir := os.Getenv("ARATTA_SHARED")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared")
	}
	b, err := os.ReadFile(filepath.Join(dir, "examples", name))
	if err != nil {
		t.Skip("the configuration contract is absent: ", err)
	}
	return string(b)
}

// loadAs reads and builds a text as a file of that name.
func loadAs(t *testing.T, name, text string, e Env) (*Snapshot, error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := Load(file, e)
	if err != nil {
		return nil, err
	}
	s, err := Build(t.Context(), l, BuildOptions{Env: e})
	if err == nil {
		t.Cleanup(s.Gateway.Close)
	}
	return s, err
}

// meaning is what can be seen of a snapshot, without where it was written.
type meaning struct {
	Config    Config
	Ladders   []route.Ladder
	Providers []string
	Warnings  []string
}

func meaningOf(s *Snapshot) meaning {
	m := meaning{Config: s.Config.Config, Ladders: s.Router.Ladders()}
	for _, p := range slices.Concat(s.Providers, s.Off) {
		m.Providers = append(m.Providers, strings.Join([]string{string(p.Kind()), p.Name(), p.Dialect(), p.Zone(), p.Host(), p.Disabled()}, " "))
	}
	for _, w := range s.Warnings {
		if strings.Contains(w, "has no equivalent") {
			continue
		}
		if i := strings.Index(w, ": "); strings.Contains(w[:i], string(filepath.Separator)) { // its place
			w = w[i+2:]
		}
		m.Warnings = append(m.Warnings, w)
	}
	return m
}

// The other spellings run as they are, and mean the same when they are converted.
func TestSpellings(t *testing.T) {
	keys := env("OPENAI_KEY", "k", "ANTHROPIC_KEY", "k")
	for _, c := range []struct {
		file   string
		chain  string
		models []string // of all providers
		say    []string // warnings
	}{
		{
			"aratta-2.3.yaml", "ollama, openai:gpt-4.1-mini, anthropic:claude-3.7-sonnet",
			[]string{"llama3.3:70b", "deepseek-coder-v3:latest", "claude-3.7-sonnet", "gpt-4.1-mini", "o3-mini"},
			[]string{"30:3: monitoring.fallback_metrics: has no equivalent", "17:7: providers.openai.cost_limit_per_day: has no effect"},
		},
		{"lynkr.yaml", "local-llama, gpt-cheap:gpt-3.5-turbo, gpt-smart:gpt-4-turbo", nil, nil},
	} {
		t.Run(c.file, func(t *testing.T) {
			text := example(t, c.file)
			s, err := loadAs(t, c.file, text, keys)
			if err != nil {
				t.Fatal(err)
			}
			if s.Config.Server.Port != 8080 {
				t.Errorf("port %d", s.Config.Server.Port)
			}
			var chain []string
			for _, target := range s.Router.Ladders()[0].Targets {
				chain = append(chain, target.String())
			}
			if got := strings.Join(chain, ", "); got != c.chain {
				t.Errorf("default chain: %s, want %s", got, c.chain)
			}
			var models []string
			for _, p := range s.Providers {
				for _, m := range p.Entry().Models {
					models = append(models, m.Name)
				}
			}
			if !slices.Equal(models, c.models) {
				t.Errorf("models: %q, want %q", models, c.models)
			}
			for _, want := range c.say {
				if !strings.Contains(strings.Join(s.Warnings, "\n"), want) {
					t.Errorf("no warning %q in\n%s", want, strings.Join(s.Warnings, "\n"))
				}
			}
			file := filepath.Join(t.TempDir(), c.file)
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			converted, err := Convert(file, "")
			if err != nil {
				t.Fatal(err)
			}
			again, err := loadAs(t, "config.toml", string(converted), keys)
			if err != nil {
				t.Fatalf("%v\n%s", err, converted)
			}
			if diff := cmp.Diff(meaningOf(s), meaningOf(again), cmp.Comparer(func(a, b Duration) bool { return a == b })); diff != "" {
				t.Errorf("converted, it means something else: -yaml +toml\n%s", diff)
			}
		})
	}
}

// Keys come from the environment; one that is not set turns its provider off.
func TestSpellingWithoutKeys(t *testing.T) {
	s, err := loadAs(t, "lynkr.yaml", example(t, "lynkr.yaml"), env("OPENAI_KEY", "k"))
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Providers) != 3 || len(s.Off) != 1 || !strings.Contains(strings.Join(s.Warnings, "\n"), "providers.claude-coder: no key: the environment variable ANTHROPIC_KEY is not set") {
		t.Errorf("on %v, off %v, %v", s.Providers, s.Off, s.Warnings)
	}
}

// What is wrong in a YAML file is named with its place there.
func TestSpellingErrors(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"no YAML", "server: [", ":1:9: "},
		{"an unknown table", "providers: []\nroutng:\n  strategy: cost\n", `:2:1: routng: unknown key; did you mean "routing"?`},
		{"an unknown key", "server:\n  prot: 1\n", `:2:3: server.prot: unknown key; did you mean "port"?`},
		{"one of a model", "providers:\n- name: openai\n  models:\n  - name: a\n    window: 3\n", ":5:5: providers.openai.models.window: unknown key"},
		{"one of this spelling", "providers:\n- name: openai\n  modell: a\n", `:3:3: providers[0].modell: unknown key; did you mean "model"?`},
		{"a wrong type", "server:\n  host: h\n  port: x\n", ":3:3: server.port: must be a whole number, not string"},
		{"one that is renamed", "providers: []\nrouting:\n  cache_enabled: maybe\n", ":3:3: cache.enabled: must be true or false, not string"},
		{"a value", "providers:\n- name: a\n  type: opnai\n", `:3:3: providers.a.type: type "opnai" is not in the catalogue; did you mean "openai"?`},
		{"a variable that is not set", "server:\n  host: ${BIND}\n", ":2:3: server.host: ${BIND} is not set"},
		{"a chain", "providers: []\nchains:\n  a: 3\n", ":3:3: chains.a: must be a list"},
		{"safety", "providers: []\nbudgets:\n  per_day: 1\n", ":2:1: budgets: this version does not enforce it"},
		{"safety misspelt", "providers: []\nprivacy:\n  mask: [cloud]\n", ":3:3: privacy.mask: this version does not enforce it"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := loadAs(t, "config.yaml", c.text, env())
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
		})
	}
}

// A file that is canonical already is not changed.
func TestConvertCanonical(t *testing.T) {
	file := filepath.Join(t.TempDir(), "config.toml")
	const text = "# mine\n[server]\nport = 1\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := Convert(file, ""); err != nil || string(got) != text {
		t.Errorf("%s, %v", got, err)
	}
}
