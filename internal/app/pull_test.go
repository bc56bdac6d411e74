package app

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/aratta-gateway/aratta/internal/dialect/all"
	"github.com/aratta-gateway/aratta/internal/sim"
)

// At a terminal a pull is a bar.
func TestPullAtTerminal(t *testing.T) {
	ollama := httptest.NewServer(sim.New(sim.Options{Name: "ollama", Dialect: all.Get("ollama")}))
	t.Cleanup(ollama.Close)
	x := atTerminal(t, machine(t, ollama.URL), nil, "models", "pull", "llama3.2:3b")
	x.shows(`^pulling 5a1dadacafe0  █{24} 100%  2\.0 GB of 2\.0 GB$`)
	x.shows(`^ollama:llama3\.2:3b is there: aratta chat`)
	x.ends(0)
}

// The bar tells how fast it is and how long it will take.
func TestBar(t *testing.T) {
	var b bytes.Buffer
	now := time.Unix(0, 0)
	line := &bar{w: &b, width: 100, now: func() time.Time { return now }}
	line.show(&pulled{Status: "pulling x", Total: 4e9, Completed: 1e9})
	b.Reset()
	now = now.Add(10 * time.Second)
	line.show(&pulled{Status: "pulling x", Total: 4e9, Completed: 2e9})
	if got := b.String(); got != "\r\x1b[Kpulling x  ████████████░░░░░░░░░░░░  50%  2.0 GB of 4.0 GB  100.0 MB/s  20s left" {
		t.Errorf("%q", got)
	}
}

// Whatever answers in place of an Ollama, a pull ends in words; and it is only done
// when the runtime says so.
func TestPullWithStrangers(t *testing.T) {
	for _, c := range []struct{ name, answer, out, errs string }{
		{"broken off", `{"status":"pulling manifest"}`, "pulling manifest\n", "goes on from there"},
		{"no json", "hello", "", "does not fetch models as Ollama does"},
		{"an error", `{"error":"write /x: no space left on device"}`, "", "ollama rm MODEL"},
		{"too old", `{"error":"pull model manifest: 412: The model you are attempting to pull requires a newer version of Ollama."}`, "", "bring Ollama up to date"},
		{"no way out", `{"error":"pull model manifest: Get \"https://registry.ollama.ai/v2/library/m/manifests/latest\": dial tcp: lookup registry.ollama.ai: no such host"}`, "", "Ollama does not reach its library"},
		{"escapes", "{\"status\":\"a\\u001b[2Jb\"}\n{\"status\":\"success\"}", "a[2Jb\nsuccess\nollama:m is there: aratta chat -m ollama:m\n", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			ts := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, c.answer) }))
			t.Cleanup(ts.Close)
			code, out, errs := runAt(t.Context(), t, ts.URL)
			if out != c.out || !strings.Contains(errs, c.errs) || (code == 0) != (c.errs == "") {
				t.Errorf("%d %q %q", code, out, errs)
			}
		})
	}
}

// An interrupt ends a pull, and says how to go on.
func TestPullInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	ts := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	}))
	t.Cleanup(ts.Close)
	if code, _, errs := runAt(ctx, t, ts.URL); code != 130 || errs != "stopped; the same command goes on from here\naratta: interrupted\n" {
		t.Errorf("%d %q", code, errs)
	}
}

// runAt pulls the model m from a server in place of Ollama.
func runAt(ctx context.Context, t *testing.T, url string) (code int, out, errs string) {
	t.Helper()
	file := t.TempDir() + "/config.toml"
	if err := os.WriteFile(file, []byte("[local.ollama]\nbase_url = \""+url+"\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return run(ctx, nil, "--config", file, "models", "pull", "m")
}
