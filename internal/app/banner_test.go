package app

import (
	"net/http/httptest"
	"os"
	"syscall"
	"testing"

	"github.com/aratta-gateway/aratta/internal/dialect/all"
	"github.com/aratta-gateway/aratta/internal/sim"
)

// At a terminal the gateway says what it found, what is missing and how to get it,
// and where to point clients.
func TestServeAtTerminal(t *testing.T) {
	ollama := httptest.NewServer(sim.New(sim.Options{Name: "ollama", Dialect: all.Get("ollama"), Models: []string{"tiny:1b", "big:7b"}}))
	t.Cleanup(ollama.Close)
	dir := machine(t, ollama.URL)
	if err := os.WriteFile(dir+"/config.toml", []byte("[providers.openai]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	x := atTerminal(t, dir, nil, "serve", "--host", "127.0.0.1", "--port", "0")
	x.shows(`^Aratta v1\.2\.3-test at http://127\.0\.0\.1:\d+, open to loopback alone; set ARATTA_API_KEYS for others$`)
	x.shows(`^  ollama +local +2 models, big:7b answers when none is named$`)
	x.shows(`^  openai +cloud +off: no key: the environment variable OPENAI_API_KEY is not set$`)
	x.shows(`^  vllm +local +not found; start it: vllm serve MODEL`)
	x.shows(`^  Anthropic +ANTHROPIC_BASE_URL=http://127\.0\.0\.1:\d+$`)
	x.shows(`^  Cohere +CO_API_URL=http://127\.0\.0\.1:\d+$`)
	x.types(ctrlC)
	x.ends(0)
}

// Whoever closes the window ends the gateway in it, which SIGHUP alone does not.
func TestServeEndsWithTerminal(t *testing.T) {
	x := atTerminal(t, machine(t, ""), nil, "serve", "--host", "127.0.0.1", "--port", "0")
	x.shows("^Ctrl-C stops it")
	hangUp := func() {
		if err := x.cmd.Process.Signal(syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
	}
	hangUp()
	x.shows("configuration: loaded anew")
	if err := x.pty.Close(); err != nil {
		t.Fatal(err)
	}
	hangUp() // what it logs of it ends the last read of the terminal, which is closed with that
	x.ends(0)
}

// Where nothing can answer, that is said.
func TestServeWithNobodyAtTerminal(t *testing.T) {
	x := atTerminal(t, machine(t, ""), nil, "serve", "--host", "127.0.0.1", "--port", "0")
	x.shows("^No configuration, all defaults; `aratta init` writes one\\.$")
	x.shows(`^  ollama +local +down: nobody listens at 127\.0\.0\.1:1; start it: ollama serve \(not installed\? https://ollama\.com/download\)$`)
	x.shows("^Nothing can answer yet")
	x.types(ctrlC)
	x.ends(0)
}
