package provider

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aratta-gateway/aratta/scri"
)

// The embedded catalogue loads, and names what the project promises.
func TestBuiltinCatalogue(t *testing.T) {
	c, err := Load("")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range c.Names() {
		c.Spec(name) // which panics where an entry cannot be read
	}
	for name := range strings.FieldsSeq(`
		ollama vllm llamacpp lmstudio sglang localai
		anthropic openai xai cohere together fireworks mistral groq deepseek openrouter perplexity cerebras
		nvidia huggingface moonshot zai dashscope minimax azure azure-v1 google vertex vertex-anthropic yandex gigachat cloudru`) {
		s, ok := c.Spec(name)
		if !ok {
			t.Errorf("no %s in the catalogue", name)
			continue
		}
		if s.BaseURL == "" || s.Health == "" {
			t.Errorf("%s: base_url %q, health %q", name, s.BaseURL, s.Health)
		}
		if s.Zone == ZoneLocal && len(s.Models) > 0 {
			t.Errorf("%s: a local runtime has what is installed, not what a list says", name)
		}
	}
}

func loadFiles(t testing.TB, files map[string]string) *Catalogue {
	t.Helper()
	c, err := tryFiles(t, files)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func tryFiles(t testing.TB, files map[string]string) (*Catalogue, error) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return Load(dir)
}

// A user's file with a known name keeps what it does not mention.
func TestUserFileOverrides(t *testing.T) {
	c := loadFiles(t, map[string]string{"openai.yaml": `
base_url: https://eu.api.openai.com/v1
region: eu
models:
  - name: gpt-4.1-mini
    context_window: 1000
  - name: gpt-9
    prices: {as_of: 2026-01-01, input: 1, output: 2}
`})
	s, _ := c.Spec("openai")
	if s.BaseURL != "https://eu.api.openai.com/v1" || s.Region != "eu" || s.Zone != ZoneCloud || s.Auth.Env != "OPENAI_API_KEY" {
		t.Errorf("got %+v", s)
	}
	mini, ok := s.Model("gpt-4.1-mini")
	if !ok || mini.ContextWindow != 1000 || mini.Prices == nil || *mini.Prices.Input != 0.4 {
		t.Errorf("gpt-4.1-mini: %+v", mini)
	}
	if _, ok := s.Model("gpt-9"); !ok {
		t.Error("gpt-9 was not added")
	}
	if _, ok := s.Model("gpt-4o"); !ok {
		t.Error("gpt-4o was lost")
	}
}

func TestUserFileExtends(t *testing.T) {
	c := loadFiles(t, map[string]string{
		"b.yaml": "extends: a\nregion: b\n",
		"a.yaml": "extends: vllm\nbase_url: http://gpu:8000/v1\nregion: a\n",
	})
	b, _ := c.Spec("b")
	if b == nil || b.Name != "b" || b.Region != "b" || b.BaseURL != "http://gpu:8000/v1" || b.Zone != ZoneLocal || b.Health != "/health" {
		t.Errorf("got %+v", b)
	}
}

// Errors say where and what, and what was perhaps meant.
func TestCatalogueErrors(t *testing.T) {
	const head = "dialect: openai\nzone: cloud\nbase_url: https://h/v1\n"
	for name, c := range map[string]struct{ text, want string }{
		"unknown key":        {head + "regoin: eu\n", `x.yaml:4:1: unknown field "regoin" did you mean "region"?`},
		"unknown inner key":  {head + "auth: {scheme: bearer, evn: K}\n", `x.yaml:4:24: unknown field "evn" did you mean "env"?`},
		"wrong type":         {head + "models:\n  - name: m\n    context_window: much\n", "x.yaml:6:21: wrong type"},
		"bad zone":           {"dialect: openai\nzone: clud\n", `x.yaml:2:7: zone: "clud" is none of local, private, cloud`},
		"no dialect":         {"zone: cloud\n", "dialect: missing"},
		"bad auth":           {head + "auth:\n  scheme: basic\n", `x.yaml:5:11: auth.scheme: "basic" is none of`},
		"header name":        {head + "auth: {scheme: header}\n", "auth.name: missing"},
		"capability":         {head + "capabilities: [chat, tols]\n", `x.yaml:4:22: capabilities[1]: unknown capability "tols"; did you mean "tools"?`},
		"undated price":      {head + "models:\n  - name: m\n    prices: {input: 1}\n", "as_of: prices need the day"},
		"negative price":     {head + "models:\n  - name: m\n    prices: {as_of: 2025-01-01, input: -1}\n", "x.yaml:6:40: models[0].prices.input: negative"},
		"bad date":           {head + "models:\n  - name: m\n    retired: soon\n", `models[0].retired: "soon" is no date`},
		"nameless model":     {head + "models:\n  - context_window: 5\n", "a model without a name"},
		"model twice":        {head + "models: [{name: m}, {name: m}]\n", `"m" is listed twice`},
		"syntax":             {"dialect: [\n", "x.yaml:"},
		"duplicate":          {"zone: cloud\nzone: local\n", "x.yaml:2:1: mapping key \"zone\" already defined"},
		"empty":              {"", "want one YAML document"},
		"two documents":      {head + "---\n" + head, "want one YAML document"},
		"credentials in URL": {"dialect: openai\nzone: cloud\nbase_url: https://u:p@h/v1\n", "x.yaml:3:11: base_url: base_url must not hold credentials"},
		"extends nobody":     {"extends: opnai\n", `there is no provider "opnai" in the catalogue; did you mean "openai"?`},
		"list":               {"- a\n", "x.yaml:1:"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := tryFiles(t, map[string]string{"x.yaml": c.text})
			e := wantError(t, err, scri.ErrInvalid)
			if got := e.Message + " " + e.Hint; !strings.Contains(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
	_, err := tryFiles(t, map[string]string{"a.yaml": "extends: b\n", "b.yaml": "extends: a\n"})
	wantError(t, err, scri.ErrInvalid, "circle")
}

func TestModelNames(t *testing.T) {
	s, _ := builtin(t).Spec("openai")
	for asked, want := range map[string]string{
		"gpt-4o":                  "gpt-4o",
		"gpt-4o-2024-08-06":       "gpt-4o",
		"gpt-4o-2024-05-13":       "gpt-4o-2024-05-13",
		"gpt-4.1-mini-2025-04-14": "gpt-4.1-mini",
		"gpt-4o-latest":           "gpt-4o",
		"gpt-4o-audio-preview":    "",
		"ft:gpt-4o:me":            "",
	} {
		got := ""
		if m, ok := s.Model(asked); ok {
			got = m.Name
		}
		if got != want {
			t.Errorf("%s is taken for %q, want %q", asked, got, want)
		}
	}
}

func FuzzCatalogueFile(f *testing.F) {
	for _, name := range []string{"ollama", "anthropic"} {
		b, err := embedded.ReadFile("catalogue/" + name + ".yaml")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(b))
	}
	f.Add("extends: openai\nmodels: [{name: m, prices: {as_of: 2025-01-01}}]\n")
	f.Fuzz(func(t *testing.T, text string) {
		d, err := parseDocument("f.yaml", []byte(text))
		if err == nil {
			err = (&Catalogue{own: map[string]*Spec{}}).addAll([]*document{d})
		}
		if err != nil {
			if e, ok := errors.AsType[*scri.Error](err); !ok || !strings.HasPrefix(e.Message, "f.yaml:") {
				t.Errorf("an error without a place: %v", err)
			}
		}
	})
}
