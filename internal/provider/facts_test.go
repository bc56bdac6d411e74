package provider

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/aratta-gateway/aratta/scri"
)

const litellm = `{
 "sample_spec": {"litellm_provider": "one of https://...", "mode": "one of: chat", "max_tokens": "LEGACY"},
 "gpt-4o": {"litellm_provider": "openai", "mode": "chat", "max_input_tokens": 128000, "max_output_tokens": 16384,
   "input_cost_per_token": 2.4e-06, "output_cost_per_token": 1e-05, "cache_read_input_token_cost": 1.25e-06},
 "gpt-new": {"litellm_provider": "openai", "mode": "chat", "max_input_tokens": 1000, "supports_vision": true, "supports_function_calling": true,
   "input_cost_per_token": 1e-07, "output_cost_per_token": 2e-07, "input_cost_per_token_above_272k_tokens": 3e-07},
 "groq/llama-3.3-70b-versatile": {"litellm_provider": "groq", "mode": "chat", "max_input_tokens": 131072, "input_cost_per_token": 5.9e-07, "output_cost_per_token": 7.9e-07},
 "text-embedding-3-small": {"litellm_provider": "openai", "mode": "embedding", "max_input_tokens": 8191, "input_cost_per_token": 2e-08, "output_cost_per_token": 0.0},
 "dall-e-3": {"litellm_provider": "openai", "mode": "image_generation", "input_cost_per_pixel": 1e-8},
 "stranger": {"litellm_provider": "nobody", "mode": "chat"},
 "free: \"x\"\ny": {"litellm_provider": "openai", "mode": "chat", "input_cost_per_token": -1, "max_input_tokens": "12"}
}`

const modelsDev = `{"openai": {"id": "openai", "env": ["OPENAI_API_KEY"], "models": {
  "gpt-4o": {"id": "gpt-4o", "release_date": "2024-05-13", "tool_call": true, "modalities": {"input": ["text","image"], "output": ["text"]},
    "cost": {"input": 2.5, "output": 10, "cache_read": 1.25, "context_over_200k": {"input": 5}}, "limit": {"context": 128000, "output": 99}},
  "draws": {"modalities": {"output": ["image"]}, "cost": {"input": 1, "output": 1}, "limit": {"context": 1}}}},
 "moonshotai": {"models": {"kimi-k9": {"reasoning": true, "cost": {"input": 1, "output": 2, "tiers": [{"tier": {"size": 64000}, "input": 9}]}, "limit": {"context": 5}}}},
 "elsewhere": {"models": {"m": {}}}}`

func readFacts(t *testing.T, text string) (*Catalogue, *Facts) {
	t.Helper()
	c := builtin(t)
	f, err := c.ReadFacts([]byte(text), time.Date(2026, 7, 2, 0, 0, 0, 0, time.UTC))
	if err != nil {
		t.Fatal(err)
	}
	return c, f
}

// What others say is compared with the catalogue, by its own names.
func TestDiff(t *testing.T) {
	c, f := readFacts(t, litellm)
	want := []Change{
		{"openai", "free: \"x\"\ny", "model", "", "not in the catalogue"},
		{"openai", "gpt-4o", "prices.input", "2.5", "2.4"},
		{"openai", "gpt-new", "model", "", "not in the catalogue"},
	}
	if d := cmp.Diff(want, c.Diff(f, true)); d != "" {
		t.Error(d)
	}
	c, f = readFacts(t, modelsDev)
	want = []Change{{"openai", "gpt-4o", "max_output", "16384", "99"}}
	if d := cmp.Diff(want, c.Diff(f, false)); d != "" {
		t.Error(d)
	}
}

// A file that is laid over an entry changes what it says and keeps the rest.
func TestFactsFile(t *testing.T) {
	c, f := readFacts(t, litellm)
	text, err := c.File(f, "openai", true)
	if err != nil || !strings.HasPrefix(text, Mark+" from litellm.\n") {
		t.Fatal(err, text)
	}
	s, _ := loadFiles(t, map[string]string{"openai.yaml": text}).Spec("openai")
	old, _ := c.Spec("openai")
	m, _ := s.Model("gpt-4o")
	was, _ := old.Model("gpt-4o")
	if *m.Prices.Input != 2.4 || m.Prices.Source != "litellm" || m.Prices.AsOf != "2026-07-02" || m.Released != was.Released || s.Auth.Env != "OPENAI_API_KEY" {
		t.Errorf("gpt-4o %+v %+v", m, m.Prices)
	}
	fresh, ok := s.Model("gpt-new")
	if !ok || fresh.Prices.UpTo != 272000 || *fresh.Prices.Input != 0.1 || strings.Join(fresh.Capabilities, " ") != "chat stream tools vision" {
		t.Errorf("gpt-new %+v", fresh)
	}
	if e, _ := s.Model("text-embedding-3-small"); e.Embedding.Dimensions != 1536 || e.Prices.Output != nil {
		t.Errorf("an embedding model: %+v", e)
	}
	if odd, ok := s.Model("free: \"x\"\ny"); !ok || odd.Prices != nil || odd.ContextWindow != 12 {
		t.Errorf("an odd name: %+v", odd)
	}
	if text, err := c.File(f, "anthropic", true); err != nil || text != "" {
		t.Errorf("anthropic: %q, %v", text, err)
	}
	c, f = readFacts(t, modelsDev)
	text, err = c.File(f, "moonshot", true)
	if err != nil || !strings.Contains(text, "up_to: 64000") || !strings.Contains(text, "source: models.dev") {
		t.Errorf("%q, %v", text, err)
	}
}

func TestFactsErrors(t *testing.T) {
	c := builtin(t)
	for _, text := range []string{"", "[]", "{}", `{"a": {"b": 1}}`, `{"a": 1}`, `{"openai": {"models": [1]}}`} {
		_, err := c.ReadFacts([]byte(text), time.Now())
		wantError(t, err, scri.ErrInvalid)
	}
}

// Every entry can be shown, and what is shown is a file of the catalogue.
func TestShow(t *testing.T) {
	c := builtin(t)
	for _, name := range c.Names() {
		shown, err := c.Show(name)
		if err != nil {
			t.Fatal(err)
		}
		again, err := tryFiles(t, map[string]string{"x.yaml": strings.Replace(string(shown.YAML), "name: "+name+"\n", "name: again\n", 1)})
		if err != nil {
			t.Errorf("%s: %v\n%s", name, err, shown.YAML)
			continue
		}
		s, _ := c.Spec(name)
		got, _ := again.Spec("again")
		got = got.clone()
		got.Name = name
		if d := cmp.Diff(s, got); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
	_, err := c.Show("opnai")
	wantError(t, err, scri.ErrInvalid, `did you mean "openai"?`)
}

func FuzzFacts(f *testing.F) {
	f.Add([]byte(litellm))
	f.Add([]byte(modelsDev))
	c, err := Load("")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		facts, err := c.ReadFacts(raw, time.Unix(1_790_000_000, 0))
		if err != nil {
			return
		}
		c.Diff(facts, true)
		for name := range facts.Models {
			if _, err := c.File(facts, name, true); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}
