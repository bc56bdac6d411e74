package provider

import (
	"strings"
	"testing"
)

// The embedded catalogue loads, and names what the project promises.
func TestBuiltinCatalogue(t *testing.T) {
	c, err := Load(Builtin(), "")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range strings.Fields("ollama vllm llamacpp lmstudio sglang localai anthropic openai xai") {
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
