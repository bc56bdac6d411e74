package app

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func env(pairs ...string) Env {
	return func(name string) (string, bool) {
		for i := 0; i < len(pairs); i += 2 {
			if pairs[i] == name {
				return pairs[i+1], true
			}
		}
		return "", false
	}
}

// load reads and builds a configuration as `aratta config check` does.
func load(t *testing.T, text string, e Env) (*Snapshot, error) {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "config.toml")
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

// What is wrong is named with its place, and with what was probably meant.
func TestConfigErrors(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       []string
	}{
		{"unknown key", "[server]\nprot = 1", []string{":2:1: server.prot: unknown key", `"port"`}},
		{"unknown table", "[routng]", []string{":1:2: routng: unknown key", `"routing"`}},
		{"unknown key in a provider", "[providers.openai]\napi_key = 'sk-secret'", []string{":2:1: providers.openai.api_key", `api_key_env names`}},
		{"a key as the name of its variable", "[providers.openai]\napi_key_env = 'sk-secret'", []string{":2:1: providers.openai.api_key_env", "no name of an environment variable"}},
		{"unknown key in a list of tables", "[[local.ollama.models]]\nname = 'a'\nwindow = 1", []string{":3:1: local.ollama.models.window: unknown key"}},
		{"all unknown keys at once", "[server]\nprot = 1\n[behavior]", []string{"prot", "behavior", `"behaviour"`}},
		{"wrong type", "[server]\nport = 'x'", []string{":2:8: server.port: must be a whole number, not string"}},
		{"no TOML", "[server\n", []string{":1:8: "}},
		{"a port that is none", "[server]\nport = 70000", []string{":2:1: server.port: 70000 is no port"}},
		{"a duration that is none", "[server]\nrequest_timeout = '5q'", []string{":2:19: server.request_timeout", "no duration"}},
		{"a duration beyond all", "[server]\nrequest_timeout = 1e300", []string{":2:1: server.request_timeout: a duration must lie between 0 and a year"}},
		{"a duration that is no number", "[server]\nrequest_timeout = nan", []string{":2:1: server.request_timeout: a duration must lie"}},
		{"a variable that is not set, for the host", "[server]\nhost = '${BIND}'", []string{":2:1: server.host: ${BIND} is not set"}},
		{"a variable that is not set, in a chain", "[chains]\na = ['${X}']", []string{":2:1: chains.a: ${X} is not set"}},
		{"a name that cannot be asked for", "[local.'a:b']\ntype = 'ollama'", []string{":1:2: local.a:b: a name is made of"}},
		{"a name with a line break", "[providers.\"a\\nb\"]\ntype = 'openai'", []string{":1:2: providers.a", "a name is made of"}},
		{"a negative duration", "[server]\ndrain_timeout = -3", []string{":2:1: server.drain_timeout: a duration must lie between 0 and a year"}},
		{"an origin that is none", "[server]\ncors_origins = ['https://a.example', 'https://b.example/']", []string{":2:1: server.cors_origins: ", "https://b.example/", "ends with the host"}},
		{"a collector of gRPC", "[monitoring]\notlp_endpoint = 'grpc://127.0.0.1:4317'", []string{":2:1: monitoring.otlp_endpoint: write the collector's address"}},
		{"a zone that is none", "[monitoring]\ntrace_zones = ['moon']", []string{":2:1: monitoring.trace_zones: ", "moon"}},
		{"a network that is none", "[server]\ntrusted_networks = ['300.0.0.0/8']", []string{"server.trusted_networks"}},
		{"a host that is none", "[media]\nallow_hosts = ['https://images.example']", []string{":2:1: media.allow_hosts: ", "without scheme"}},
		{"a size beyond all", "[media]\nmax_bytes = 1000000000000", []string{":2:1: media.max_bytes: "}},
		{"a network for media that is none", "[media]\nallow_networks = ['10.0.0.0/33']", []string{"media.allow_networks"}},
		{"an unknown provider", "[providers.opnai]", []string{":1:2: providers.opnai", `"openai"`}},
		{"a provider without an address", "[providers.mine]\ndialect = 'openai'", []string{"providers.mine", "base_url"}},
		{"an unknown dialect", "[providers.mine]\ndialect = 'smalltalk'\nbase_url = 'http://h/v1'", []string{"providers.mine", "smalltalk"}},
		{"a name twice", "[local.a]\ntype = 'ollama'\n[providers.a]\ntype = 'openai'", []string{":3:2: providers.a: the name stands under [local] too"}},
		{"a chain that is none", "[chains]\na = 3", []string{":2:1: chains.a: must be a list"}},
		{"an unknown strategy", "[chains.a]\ntargets = ['x']\nstrategy = 'magic'", []string{"chains.a", "confidence_based"}},
		{"an alias in a circle", "[aliases]\na = 'b'\nb = 'a'", []string{":2:1: aliases.a: refers to itself"}},
		{"policy promises safety", "[[policy.rules]]\nwhen = 'true'\naction = 'deny'", []string{"policy: this version does not enforce it"}},
		{"privacy promises safety", "[privacy]\nmask_for = ['cloud']", []string{":1:2: privacy: this version does not enforce it"}},
		{"budgets promise safety", "[budgets]\nper_day = 1.0", []string{":1:2: budgets: this version does not enforce it"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := load(t, c.text, env())
			if err == nil {
				t.Fatal("accepted")
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q lacks %q", err, want)
				}
			}
			if strings.Contains(err.Error(), "sk-secret") {
				t.Errorf("the error holds a secret: %v", err)
			}
		})
	}
}

func TestConfigMeaning(t *testing.T) {
	const text = `
[server]
port = 9000
request_timeout = 90
drain_timeout = "1m"
trusted_networks = ["172.17.0.0/16"]

[local.ollama]
base_url = "http://${GPU}:11434"

[local.lost]
type = "vllm"
base_url = "http://${NOWHERE}:8000"

[providers.anthropic]
[providers.openai]
enabled = false
[providers.xai]

[cache]
enabled = true

[routing]
stream_guard = "prefix"
`
	s, err := load(t, text, env("GPU", "gpu2.lan", "ANTHROPIC_API_KEY", "k", "ARATTA_PORT", "9001", "ARATTA_API_KEYS", "one, two"))
	if err != nil {
		t.Fatal(err)
	}
	var on []string
	for _, p := range s.Providers {
		on = append(on, p.Name()+"@"+p.Host())
	}
	if want := []string{"ollama@gpu2.lan:11434", "anthropic@api.anthropic.com"}; !slices.Equal(on, want) {
		t.Errorf("on: %v, want %v", on, want)
	}
	c := s.Config
	if c.Server.Port != 9001 {
		t.Errorf("port %d: the environment must override the file", c.Server.Port)
	}
	if c.Server.RequestTimeout.Duration != 90*time.Second || c.Server.DrainTimeout.Duration != time.Minute {
		t.Errorf("durations: %v, %v", c.Server.RequestTimeout, c.Server.DrainTimeout)
	}
	if !slices.Equal(c.Keys, []string{"one", "two"}) {
		t.Errorf("keys %v", c.Keys)
	}
	warnings := strings.Join(s.Warnings, "\n")
	for _, want := range []string{"local.lost: switched off: ${NOWHERE} is not set", "providers.xai", "XAI_API_KEY", "cache: has no effect", "routing.stream_guard"} {
		if !strings.Contains(warnings, want) {
			t.Errorf("warnings lack %q:\n%s", want, warnings)
		}
	}
	if strings.Contains(warnings, "providers.openai") {
		t.Errorf("a provider that was switched off on purpose needs no warning:\n%s", warnings)
	}
}

// Variables are taken in chains as well, which have no type of their own.
func TestVariablesInChains(t *testing.T) {
	const text = "[local.ollama]\n[chains]\na = ['${WHO}:m']\n[chains.b]\ntargets = ['${WHO}:m']"
	s, err := load(t, text, env("WHO", "ollama"))
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Warnings) > 0 {
		t.Error(s.Warnings)
	}
}

// What comes from the environment is not blamed on the file.
func TestWrongEnvironment(t *testing.T) {
	for name, value := range map[string]string{"ARATTA_PORT": "70000", "LOG_LEVEL": "loud"} {
		_, err := load(t, "[server]\nport = 8084", env(name, value))
		if err == nil || !strings.HasPrefix(err.Error(), name+": ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A host in the environment overrides one that cannot be known.
func TestHostOverrides(t *testing.T) {
	s, err := load(t, "[server]\nhost = '${BIND}'", env("ARATTA_HOST", "127.0.0.1"))
	if err != nil || s.Config.Server.Host != "127.0.0.1" {
		t.Error(err)
	}
}

// A key that lies in the environment opens nothing by itself.
func TestNoTableNoCloud(t *testing.T) {
	s, err := load(t, "", env("OPENAI_API_KEY", "k", "ANTHROPIC_API_KEY", "k"))
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Providers) != 0 {
		t.Errorf("on: %v", s.Providers)
	}
}

// The contract is read whole; what it promises and is not built stops the start.
func TestContract(t *testing.T) {
	b := example(t, "config.toml")
	_, err := load(t, b, env())
	if err == nil || strings.Count(err.Error(), "does not enforce it") != 3 || strings.Contains(err.Error(), "unknown key") {
		t.Fatalf("got %v, want exactly policy, privacy and budgets refused", err)
	}
	var rest []string
	keep := true
	for line := range strings.Lines(b) {
		if strings.HasPrefix(line, "[") {
			table := strings.TrimLeft(line, "[")
			keep = !strings.HasPrefix(table, "policy") && !strings.HasPrefix(table, "privacy") && !strings.HasPrefix(table, "budgets")
		}
		if keep {
			rest = append(rest, line)
		}
	}
	s, err := load(t, strings.Join(rest, ""), env("ANTHROPIC_API_KEY", "k", "OPENAI_API_KEY", "k", "ONPREM_KEY", "k"))
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Providers) != 5 {
		t.Errorf("on: %v, want ollama, anthropic, claude-coder, onprem, openai", s.Providers)
	}
}

func TestMissingFile(t *testing.T) {
	home := t.TempDir()
	l, err := Load("", env("ARATTA_HOME", home))
	if err != nil || l.File != "" || l.Server.Port != 8084 {
		t.Errorf("no file at home: %v, %v; want defaults", l, err)
	}
	if _, err := Load(filepath.Join(home, "none.toml"), env()); err == nil {
		t.Error("a file that was named and is not there was accepted")
	}
}

// The start says who may ask, networks that are trusted included.
func TestOpenTo(t *testing.T) {
	for _, c := range []struct{ text, keys, want string }{
		{"", "", "loopback alone; set ARATTA_API_KEYS for others"},
		{"", "k", "loopback, and others with a key"},
		{"[server]\ntrusted_networks = ['10.0.0.0/8']", "", "loopback, 10.0.0.0/8 alone; set ARATTA_API_KEYS for others"},
	} {
		s, err := load(t, c.text, env("ARATTA_API_KEYS", c.keys))
		if err != nil {
			t.Fatal(err)
		}
		if got := s.Config.openTo(); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}
