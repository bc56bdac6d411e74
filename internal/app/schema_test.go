package app

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pelletier/go-toml/v2"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

func compiled(t *testing.T) *jsonschema.Schema {
	t.Helper()
	text, err := Schema()
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("config.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("config.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func valid(t *testing.T, s *jsonschema.Schema, text string) error {
	t.Helper()
	var v map[string]any
	if err := toml.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	return s.Validate(v)
}

// The schema knows what the program knows: it takes the contract, and what the
// program refuses for its type or name it refuses too.
func TestSchema(t *testing.T) {
	s := compiled(t)
	for _, bad := range []string{
		"[server]\nprot = 1\n", "[server]\nport = \"x\"\n", "[local.a]\ndialect = \"klingon\"\n", "[local.a]\nzone = \"moon\"\n",
		"aliases = {a = 1}\n", "[chains]\nc = 1\n", "[media]\nallow_networks = [1]\n",
	} {
		if valid(t, s, bad) == nil {
			t.Errorf("takes %q", bad)
		}
	}
	for _, good := range []string{
		"", "[chains]\nc = [\"a:m\"]\nd = {targets = [\"a\"], strategy = \"priority\"}\n",
		"[server]\nrequest_timeout = 90\ndrain_timeout = \"10s\"\n[local.a]\nmodels = [\"m\", {name = \"n\", context_window = 8192}]\n",
	} {
		if err := valid(t, s, good); err != nil {
			t.Errorf("refuses %q: %v", good, err)
		}
	}
	if err := valid(t, s, example(t, "config.toml")); err != nil {
		t.Errorf("refuses the contract: %v", err)
	}
}

// What is shown says where it comes from, and shows no secret.
func TestSettings(t *testing.T) {
	e := env("ARATTA_PORT", "9000", "SECRET", "s3cret", "PASSWORD", "pa55")
	l, err := Read("config.toml", []byte(`[server]
max_body_mb = 64

[providers.x]
dialect = "openai"
base_url = "http://127.0.0.1:1"
headers = {X-Key = "${SECRET}"}
models = ["m", {name = "n"}]

[chains]
default = ["x"]

[database]
url = "postgres://me:${PASSWORD}@db/aratta"
`), e)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]Setting{}
	for _, s := range l.Settings(e) {
		got[s.Key] = s
	}
	for key, want := range map[string]Setting{
		"server.host":               {Value: "0.0.0.0", Source: "default"},
		"server.port":               {Value: 9000, Source: "ARATTA_PORT"},
		"server.max_body_mb":        {Value: 64, Source: "config.toml:2:1"},
		"server.drain_timeout":      {Value: "30s", Source: "default"},
		"providers.x.headers.X-Key": {Value: "***", Source: "config.toml:7:1"},
		"database.url":              {Value: "postgres://***@db/aratta", Source: "config.toml:14:1"},
	} {
		if s := got[key]; s.Value != want.Value || s.Source != want.Source {
			t.Errorf("%s: %v from %s, want %v from %s", key, s.Value, s.Source, want.Value, want.Source)
		}
	}
	var out bytes.Buffer
	p := &program{IO: IO{Out: &out, Env: e}}
	p.file = filepath.Join(t.TempDir(), "config.toml")
	if err := os.WriteFile(p.file, l.Text, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, asJSON := range []bool{false, true} {
		if err := p.showConfig(asJSON); err != nil {
			t.Fatal(err)
		}
	}
	if text := out.String(); strings.Contains(text, "s3cret") || strings.Contains(text, "pa55") || !strings.Contains(text, `chains.default = ["x"]`) {
		t.Errorf("shown:\n%s", text)
	}
}
