package app

import (
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/aratta-gateway/aratta/internal/dialect/all"
	"github.com/aratta-gateway/aratta/internal/sim"
)

// A person is led from nothing to an answer.
func TestWizard(t *testing.T) {
	ollama := httptest.NewServer(sim.New(sim.Options{Name: "ollama", Dialect: all.Get("ollama"), Models: []string{"tiny:1b", "big-coder:7b"}}))
	t.Cleanup(ollama.Close)
	dir := machine(t, ollama.URL)
	x := atTerminal(t, dir, []string{"OPENAI_API_KEY=sk-not-to-be-seen"}, "init")
	x.shows("ollama +runs, with 2 models")
	x.shows("vllm +does not run")
	x.shows(`keys for +openai \(OPENAI_API_KEY\)`)
	x.shows("Which local runtimes shall answer")
	x.types(enter)
	x.shows("Which model of ollama answers")
	x.types(down + enter)
	x.shows("May cloud providers be asked")
	x.types("y")
	x.shows("Which cloud providers")
	x.shows("openai +its key is in OPENAI_API_KEY")
	x.types(enter)
	x.shows("Which model of openai answers")
	x.types(enter)
	x.shows("Names for these models")
	x.types(" " + enter)
	x.shows("Other names")
	x.types("work = ollama:tiny:1b" + enter)
	x.shows(`work = "ollama:tiny:1b"`)
	x.shows("Write this to")
	x.types("y")
	x.shows(`simulated answer of ollama \((tiny:1b|big-coder:7b)\)\. You asked: Say hello`)
	x.ends(0)
	if strings.Contains(x.text(), "not-to-be-seen") {
		t.Error("the screen shows a key")
	}
	text, err := os.ReadFile(dir + "/config.toml")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"[local.ollama]\ndefault_model = ", "[providers.openai]   # key: OPENAI_API_KEY\n", `code = "ollama:big-coder:7b"`, `default = ["ollama", "openai"]`} {
		if !strings.Contains(string(text), want) {
			t.Errorf("no %s in\n%s", want, text)
		}
	}
	if info, err := os.Stat(dir + "/config.toml"); err != nil || info.Mode().Perm() != 0o600 {
		t.Error(info.Mode(), err)
	}
}

// What stands there is not touched without a yes, nor where a person leaves.
func TestWizardLeavesFilesAlone(t *testing.T) {
	for _, c := range []struct {
		name, keys string
		code       int
	}{{"no", "n", 1}, {"interrupt", ctrlC, 130}} {
		t.Run(c.name, func(t *testing.T) {
			dir := machine(t, "")
			if err := os.WriteFile(dir+"/config.toml", []byte("# mine\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			x := atTerminal(t, dir, nil, "init")
			x.shows(`config\.toml exists\. Write a new one\?`)
			x.types(c.keys)
			x.ends(c.code)
			if text, err := os.ReadFile(dir + "/config.toml"); string(text) != "# mine\n" {
				t.Errorf("%s %v", text, err)
			}
		})
	}
}

// What stands there already is proposed, and what is not asked for is named.
func TestWizardProposesWhatStands(t *testing.T) {
	ollama := httptest.NewServer(sim.New(sim.Options{Name: "ollama", Dialect: all.Get("ollama"), Models: []string{"tiny:1b", "big-coder:7b"}}))
	t.Cleanup(ollama.Close)
	dir := machine(t, "")
	before := `[server]
port = 8085
max_body_mb = 8
[local.ollama]
base_url = "` + ollama.URL + `"
default_model = "tiny:1b"
[local.gpu]
type = "ollama"
base_url = "http://127.0.0.1:1"
[providers.openai]
default_model = "made-for-us"
[aliases]
work = "ollama:tiny:1b"
code = "ollama:big-coder:7b"
`
	if err := os.WriteFile(dir+"/config.toml", []byte(before), 0o600); err != nil {
		t.Fatal(err)
	}
	x := atTerminal(t, dir, []string{"ARATTA_PORT=9999"}, "init")
	x.shows(`config\.toml exists\. Write a new one\?`)
	x.types("y")
	x.shows("ollama +runs at " + ollama.URL + ", with 2 models")
	for _, question := range []string{
		"Which local runtimes shall answer", "Which model of ollama answers", "May cloud providers be asked", "Which cloud providers",
		"Which model of openai answers", "Names for these models", "Other names",
	} {
		x.shows(question)
		x.types(enter)
	}
	x.shows(`^Left out, as no question asked for it: local\.gpu, server\.max_body_mb \(kept in config\.toml\.old\)`)
	x.shows("Write this to")
	x.types("y")
	x.ends(0)
	text, err := os.ReadFile(dir + "/config.toml")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"[local.ollama]\nbase_url = \"" + ollama.URL + "\"\ndefault_model = \"tiny:1b\"\n", "[providers.openai]   # key: OPENAI_API_KEY\ndefault_model = \"made-for-us\"\n",
		`code = "ollama:big-coder:7b"`, `work = "ollama:tiny:1b"`, `default = ["ollama", "openai"]`, "\nport = 8085\n",
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("no %s in\n%s", want, text)
		}
	}
	if old, err := os.ReadFile(dir + "/config.toml.old"); string(old) != before {
		t.Errorf("%s %v", old, err)
	}
}

// Ollama's own variable is read as Ollama reads it.
func TestOllamaHost(t *testing.T) {
	for given, want := range map[string]string{
		"": "", "0.0.0.0": "http://127.0.0.1:11434", "0.0.0.0:1234": "http://127.0.0.1:1234", ":1234": "http://127.0.0.1:1234", "gpu.lan": "http://gpu.lan:11434",
		"http://gpu.lan": "http://gpu.lan:80", "https://gpu.lan/ollama/": "https://gpu.lan:443/ollama", "[::1]": "http://[::1]:11434", "::": "http://127.0.0.1:11434",
		"ftp://x": "error", "gpu.lan:many": "error",
	} {
		got, err := ollamaHost(func(string) (string, bool) { return given, true })
		if err != nil {
			got = "error"
		}
		if got != want {
			t.Errorf("%q: %s, want %s", given, got, want)
		}
	}
}
