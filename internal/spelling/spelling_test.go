package spelling

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pelletier/go-toml/v2"
)

func options() Options {
	keys := map[string][]string{
		"providers":  {"type", "dialect", "base_url", "default_model", "models", "api_key_env", "api_key_file", "priority", "zone", "use_when", "condition", "enabled"},
		"routing":    {"strategy", "strict"},
		"monitoring": {"prometheus", "health_check_interval"},
	}
	return Options{
		Name: "some/file.yaml", Keys: func(table string) []string { return keys[table] },
		Local: func(kind string) bool { return kind == "ollama" || kind == "vllm" },
	}
}

func TestRead(t *testing.T) {
	for _, c := range []struct{ name, yaml, want string }{
		{"nothing", "", ""},
		{"only comments", "# nothing\n", ""},
		{"the canonical tables", "server: {port: 9000}\nproviders:\n  openai:\n    enabled: true\nchains:\n  a: [x, y]\n", `
[server]
port = 9000

[providers.openai]
enabled = true

[chains]
a = ["x", "y"]
`},
		{"a ladder listens on 8080", "providers:\n  primary: {type: ollama}\n", `
[server]
# the default of this spelling
port = 8080

[local.ollama]

[chains]
default = ["ollama"]
`},
		{"unless it names another port", "version: '2.3'\nserver:\n  port: 9\n", `
# version: 2.3 needs no key, it named the spelling

[server]
port = 9
`},
		{"the primary stands first wherever it is written", `
providers:
  fallback:
    - {name: openai, api_key: "${K}", models: [{name: m, context_window: 5}, n]}
  primary: {name: big, type: vllm, models: [q]}
server: {port: 1}
`, `
[server]
port = 1

[providers.openai]
api_key_env = "K"
models = [
  { name = "m", context_window = 5 },
  "n",
]
default_model = "m"

[local.big]
type = "vllm"
models = ["q"]
default_model = "q"

[chains]
default = ["big", "openai"]
`},
		{"a list has no chain but the one it names", `
providers:
  - {name: a, type: openai, model: m}
  - {name: near, dialect: openai, base_url: "http://h/v1", zone: local, api_key: ""}
routing: {default_chain: [near, a], local_first: false, cache_ttl: 1.5}
monitoring: {prometheus_enabled: yes, fallback_metrics: null}
`, `
[providers.a]
type = "openai"
default_model = "m"

[local.near]
dialect = "openai"
base_url = "http://h/v1"
zone = "local"

[chains]
default = ["near", "a"]

[behaviour]
prefer_local = false

[cache]
ttl = 1.5

[monitoring]
# fallback_metrics: null has no equivalent
prometheus = "yes"
`},
		{"anchors, merges, long texts, odd names", `
base: &b {zone: cloud, enabled: false}
providers:
  x.y:
    <<: *b
    enabled: true
    note: |
      two
      lines "quoted"
    tag: !!str 5
`, `
[base]
zone = "cloud"
enabled = false

[providers."x.y"]
enabled = true
note = "two\nlines \"quoted\"\n"
tag = "5"
zone = "cloud"
`},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, err := Read([]byte(c.yaml), options())
			if err != nil {
				t.Fatal(err)
			}
			want := strings.TrimPrefix(c.want, "\n")
			if !strings.HasPrefix(want, "#") && want != "" {
				want = "\n" + want
			}
			if diff := cmp.Diff("# From file.yaml, by aratta config convert.\n"+want, string(d.TOML)); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
			if err := toml.Unmarshal(d.TOML, &map[string]any{}); err != nil {
				t.Error(err)
			}
		})
	}
}

// What is wrong is named with its place in the YAML, and with what was meant.
func TestFaults(t *testing.T) {
	for _, c := range []struct{ name, yaml, want string }{
		{"no YAML", "a: [", "1:4: sequence end token ']' not found"},
		{"a list", "- a", "1:1: must be keys with values"},
		{"a key twice", "a: 1\na: 2", `2:1: mapping key "a" already defined`},
		{"two documents", "a: 1\n---\nb: 2", "3:1: a second document"},
		{"an alias of nothing", "a: *b", "1:4: *b refers to nothing above it"},
		{"a version to come", "version: 3.0\n", `1:1: version: "3" is not known`},
		{"a provider without a name", "providers:\n  - {model: m}", "2:6: providers[0]: has no name and no type"},
		{"a provider that is none", "providers: [x]", "1:13: providers[0]: must be a table"},
		{"a name that is none", "providers:\n  - name: 7", "2:5: providers[0].name: must be a text"},
		{"a name twice", "providers:\n  - name: a\n  - name: a", `3:5: providers[1]: the name "a" stands there twice`},
		{"a misspelt key of a provider", "providers:\n  - name: a\n    modell: x", `3:5: providers[0].modell: unknown key; did you mean "model"?`},
		{"a canonical one", "providers:\n  - name: a\n    base-url: x", `3:5: providers[0].base-url: unknown key; did you mean "base_url"?`},
		{"a misspelt part of a ladder", "providers:\n  primery: {}\nversion: '2.3'", `2:3: providers.primery: unknown key; did you mean "primary"?`},
		{"a misspelt key of routing", "providers: []\nrouting:\n  defaultchain: [a]", `3:3: routing.defaultchain: unknown key; did you mean "default_chain"?`},
		{"one thing said twice", "providers: []\nrouting: {default_chain: [a]}\nchains: {default: [b]}", "2:11: routing.default_chain: says what chains.default says"},
		{"a model said twice", "providers:\n  - {name: a, model: x, default_model: y}", "2:15: providers[0].model: says what default_model says"},
		{"a ladder of something else", "providers: {primary: [a]}", "1:13: providers.primary: must be a table"},
		{"a fallback of something else", "providers: {fallback: {a: b}}", "1:13: providers.fallback: must be a list"},
		{"a key in the file", "providers:\n  - name: a\n    api_key: sk-secret", "3:5: providers[0].api_key: a key does not stand in the configuration"},
		{"half a key in the file", "providers:\n  - name: a\n    api_key: sk-secret${X}", "3:5: providers[0].api_key: a key does not stand"},
		{"aliases that stand for very much", "a: &a [x,x,x,x,x,x,x,x,x,x]\n" + doubling(), "too large"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Read([]byte(c.yaml), options())
			if _, ok := errors.AsType[*Fault](err); !ok || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
			if err != nil && strings.Contains(err.Error(), "sk-secret") {
				t.Error("the error holds a secret")
			}
		})
	}
}

func doubling() string {
	var b strings.Builder
	for c := 'b'; c < 'j'; c++ {
		b.WriteString(string(c) + ": &" + string(c) + " [" + strings.Repeat("*"+string(c-1)+",", 9) + "*" + string(c-1) + "]\n")
	}
	return b.String()
}

// Each line of the TOML knows where it came from.
func TestPlaces(t *testing.T) {
	d, err := Read([]byte("providers:\n  - name: a\n    model: m\n    models: [x]\nrouting:\n  default_chain: [a]\n  strategy: cost\n"), options())
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]Place{
		"providers.a":               {2, 5},
		"providers.a.default_model": {3, 5},
		"providers.a.models":        {4, 5},
		"chains.default":            {6, 3},
		"routing.strategy":          {7, 3},
	} {
		if d.Places[key] != want {
			t.Errorf("%s: %v, want %v", key, d.Places[key], want)
		}
	}
	for i, line := range strings.Split(string(d.TOML), "\n") {
		if line == `default_model = "m"` && d.Lines[i+1] != (Place{3, 5}) {
			t.Errorf("line %d: %v", i+1, d.Lines[i+1])
		}
	}
}

func TestIs(t *testing.T) {
	for file, want := range map[string]bool{"a.yaml": true, "a/b.YML": true, "a.toml": false, "yaml": false, "": false} {
		if Is(file) != want {
			t.Errorf("%s: %v", file, !want)
		}
	}
}

// Whatever stands in a file: no panic, and what comes out is TOML.
func FuzzRead(f *testing.F) {
	for _, s := range []string{
		"", "a: 1", "providers:\n  primary: {type: ollama, models: [{name: a}, b]}\n  fallback: []\n", "providers: [{name: a, api_key: '${X}'}]",
		"a: &x {b: c}\nd:\n  <<: *x\n  e: [*x, 1, null, .inf, 1e3]", "version: 2\n\"q\\u0000\": |\n  \t#\x7f",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := Read(b, options())
		if err != nil {
			if _, ok := errors.AsType[*Fault](err); !ok {
				t.Fatalf("%T", err)
			}
			return
		}
		if err := toml.Unmarshal(d.TOML, &map[string]any{}); err != nil {
			t.Fatalf("%v\n%s", err, d.TOML)
		}
	})
}
