package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aratta-gateway/aratta/internal/dialect/all"
	"github.com/aratta-gateway/aratta/internal/sim"
	"github.com/aratta-gateway/aratta/internal/telemetry"
)

// aFile is a gateway that reads its configuration from a file.
type aFile struct {
	*live
	path string
	url  string
	log  *logBuffer
}

// provider is a configuration with one provider.
func oneProvider(url, more string) string {
	return fmt.Sprintf("%s\n[providers.up]\ndialect = \"openai\"\nbase_url = %q\napi_key_env = \"LAB_KEY\"\ndefault_model = \"m\"\nmodels = [\"m\"]\n", more, url)
}

func newFile(t testing.TB, text string) *aFile {
	t.Helper()
	f := newQuiet(t, text)
	ts := httptest.NewServer(f.live)
	t.Cleanup(ts.Close)
	f.url = ts.URL
	return f
}

// newQuiet is one that nobody can reach, so that it may be in a bubble of synctest.
func newQuiet(t testing.TB, text string) *aFile {
	t.Helper()
	f := &aFile{path: filepath.Join(t.TempDir(), "config.toml"), log: &logBuffer{}}
	f.write(t, text)
	e := env("LAB_KEY", labKey, "ARATTA_HOME", filepath.Dir(f.path))
	l, err := Load(f.path, e)
	if err != nil {
		t.Fatal(err)
	}
	f.live = &live{version: "test", env: e, file: f.path, log: slog.New(slog.NewJSONHandler(f.log, nil)), lookFor: patience / 4, meter: telemetry.New("test"), override: func(*Loaded) {}}
	if err := f.begin(t.Context(), l); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.close)
	return f
}

func (f *aFile) write(t testing.TB, text string) {
	t.Helper()
	if err := os.WriteFile(f.path, []byte(text), 0o640); err != nil {
		t.Fatal(err)
	}
}

func (f *aFile) do(t testing.TB, method, path, body string, header ...string) (int, http.Header, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, f.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, res.Header, string(b)
}

func (f *aFile) chat(t testing.TB, model string) (int, string) {
	t.Helper()
	status, _, body := f.do(t, "POST", "/v1/chat/completions", fmt.Sprintf(`{"model":%q,"messages":[{"role":"user","content":"hello"}]}`, model))
	return status, body
}

func simURL(t testing.TB) string {
	t.Helper()
	ts := httptest.NewServer(sim.New(sim.Options{Name: "up", Dialect: all.Get("openai"), Models: []string{"m"}}))
	t.Cleanup(ts.Close)
	return ts.URL
}

// Whoever asks while the configuration is changed a hundred times is answered,
// whole and as a stream.
func TestReloadUnderLoad(t *testing.T) {
	const requests, reloads, clients = 4_000, 100, 8
	url := simURL(t)
	f := newFile(t, oneProvider(url, ""))
	var asked atomic.Int64
	var wg sync.WaitGroup
	for i := range clients {
		body, end := `{"model":"auto","messages":[{"role":"user","content":"hello"}]}`, `"finish_reason":"stop"`
		if i%2 == 0 {
			body, end = strings.Replace(body, "{", `{"stream":true,`, 1), "data: [DONE]\n\n"
		}
		wg.Go(func() {
			for asked.Add(1) <= requests {
				if status, _, got := f.do(t, "POST", "/v1/chat/completions", body); status != http.StatusOK || !strings.Contains(got, end) {
					t.Errorf("%d: %s", status, got)
					return
				}
			}
		})
	}
	for i := range reloads {
		for asked.Load() < int64(i*requests/reloads) && !t.Failed() {
			time.Sleep(time.Millisecond)
		}
		f.write(t, oneProvider(url, fmt.Sprintf("aliases = {n%d = \"up:m\"}", i)))
		if _, err := f.Reload(t.Context()); err != nil {
			t.Error(err)
		}
	}
	wg.Wait()
	if status, body := f.chat(t, fmt.Sprintf("n%d", reloads-1)); status != http.StatusOK {
		t.Errorf("the last alias: %d: %s", status, body)
	}
}

// A request under way keeps what it began with; the next has the new.
func TestReloadKeepsStreams(t *testing.T) {
	g, url := newGate(t)
	f := newFile(t, oneProvider(url, ""))
	res := g.stream(t, f.url)
	old := f.now.Load()
	f.write(t, "[aliases]\nonly = \"nobody:m\"\n")
	if _, err := f.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := old.n.Load(); n != 1 {
		t.Errorf("%d hold what was in force, want the one stream", n)
	}
	if status, body := f.chat(t, "m"); status == http.StatusOK {
		t.Errorf("a model that is gone answers: %s", body)
	}
	close(g.opened)
	if b, err := io.ReadAll(res.Body); err != nil || !strings.Contains(string(b), "[DONE]") {
		t.Errorf("the stream was cut: %v after %s", err, b)
	}
}

// Who asks for a reload and leaves does not take away what is found meanwhile.
func TestReloadOfSomebodyWhoLeft(t *testing.T) {
	f := newFile(t, "")
	f.discover = true
	own := filepath.Join(filepath.Dir(f.path), "providers", "lmstudio.yaml")
	if err := errors.Join(os.MkdirAll(filepath.Dir(own), 0o700), os.WriteFile(own, []byte("base_url: "+simURL(t)+"\n"), 0o600)); err != nil {
		t.Fatal(err)
	}
	gone, leave := context.WithCancel(t.Context())
	leave()
	if _, err := f.Reload(gone); err != nil {
		t.Fatal(err)
	}
	if status, body := f.chat(t, "lmstudio:m"); status != http.StatusOK {
		t.Errorf("%d %s", status, body)
	}
}

// A file that changes is in force soon after; one with a mistake changes nothing
// but the log, which has its place.
func TestConfigIsLoadedAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newQuiet(t, "")
		done := make(chan struct{})
		ctx, stop := context.WithCancel(t.Context())
		go func() {
			defer close(done)
			f.watchFiles(ctx)
		}()
		synctest.Wait()
		has := func(text, alias string, want bool) {
			t.Helper()
			f.write(t, text)
			time.Sleep(2 * watchEvery)
			synctest.Wait()
			if _, ok := f.now.Load().Config.Aliases[alias]; ok != want {
				t.Errorf("after %q the alias %s is in force: %v", text, alias, ok)
			}
		}
		has("aliases = {one = \"up:m\"}", "one", true)
		has("aliases = {one = 17}", "one", true)
		has("aliases = {one = \"up:m\"}", "one", true)
		if text := f.log.String(); strings.Count(text, "the file says again what is in force") != 1 {
			t.Errorf("the log does not say that the mistake is gone: %s", text)
		}
		has("aliases = {two = \"up:m\"}\n", "two", true)
		before := f.now.Load()
		has("aliases = {two = \"up:m\"}\n", "two", true)
		if f.now.Load() != before {
			t.Error("the same text was loaded anew")
		}
		stop()
		<-done
		if text := f.log.String(); !strings.Contains(text, "config.toml:1:") || strings.Count(text, "what was in force stays") != 1 {
			t.Errorf("the log does not say what was wrong where, once: %s", text)
		}
	})
}

// As long as a file of the catalogue has a mistake nothing is said to be well again, whatever
// is touched.
func TestCatalogueWithAMistake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newQuiet(t, "# mine\n")
		dir := providerDir(filepath.Dir(f.path))
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		done := make(chan struct{})
		ctx, stop := context.WithCancel(t.Context())
		go func() {
			defer close(done)
			f.watchFiles(ctx)
		}()
		synctest.Wait()
		for i, step := range []func() error{
			func() error { return os.WriteFile(filepath.Join(dir, "x.yaml"), []byte("nonsense: 1\n"), 0o600) },
			func() error { return os.Chtimes(f.path, time.Now(), time.Now()) },
		} {
			if err := step(); err != nil {
				t.Fatal(err)
			}
			time.Sleep(2 * watchEvery)
			synctest.Wait()
			if text := f.log.String(); strings.Count(text, "what was in force stays") != i+1 || strings.Contains(text, "says again") {
				t.Errorf("step %d: %s", i, text)
			}
		}
		stop()
		<-done
	})
}

// A file that is gone, as while an editor writes it, leaves what was in force: all
// defaults in its place would drop providers and open what it closed.
func TestConfigIsGone(t *testing.T) {
	f := newFile(t, "[server]\nconfig_api = false\n")
	f.file = "" // it is the usual one
	if err := os.Remove(f.path); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Reload(t.Context()); err == nil || !strings.Contains(err.Error(), "config.toml is gone") {
		t.Errorf("%v", err)
	}
	if status, _, _ := f.do(t, "GET", "/api/v1/config", ""); status != http.StatusNotFound {
		t.Errorf("the configuration is open: %d", status)
	}
	f.write(t, "# mine\n")
	if _, err := f.Reload(t.Context()); err != nil {
		t.Error(err)
	}
}

// SIGHUP loads the file anew, and a second stop signal is not needed after it.
func TestHangup(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "config.toml")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("")
	p, err := startProcess(dir, nil, "serve", "--host", "127.0.0.1", "--port", "0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.kill)
	addr, err := p.says(listening)
	if err != nil {
		t.Fatal(err)
	}
	text := "[aliases]\nmine = \"ollama:m\"\n"
	write(text)
	if err := p.signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	if _, err := p.says("configuration: loaded anew"); err != nil {
		t.Fatal(err)
	}
	f := &aFile{url: "http://" + addr}
	if status, _, body := f.do(t, "GET", "/api/v1/config", ""); status != http.StatusOK || body != text {
		t.Errorf("in force: %d %q", status, body)
	}
	if err := p.signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := p.ended(); err != nil {
		t.Error(err)
	}
}

// What is counted is told at /metrics, as JSON too, and goes on when the
// configuration is loaded anew; who turns it off finds nothing there.
func TestMetricsAreTold(t *testing.T) {
	g, url := newGate(t)
	f := newFile(t, oneProvider(url, ""))
	res := g.stream(t, f.url)
	if _, err := f.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	_, _, text := f.do(t, "GET", "/metrics", "")
	for _, line := range []string{`aratta_open_streams{ingress="openai"} 1`, `aratta_config_loads_total{outcome="ok"} 2`, `aratta_config_loads_total{outcome="failed"} 0`, `aratta_build_info{version="test"} 1`} {
		if !strings.Contains(text, line) {
			t.Errorf("no %s in\n%s", line, text)
		}
	}
	close(g.opened)
	if _, err := io.ReadAll(res.Body); err != nil {
		t.Error(err)
	}
	const ended = `aratta_requests_total{alias="default",ingress="openai",op="chat",outcome="ok",provider="up"} 1`
	for range 1000 { // the client may see the end a moment before it is counted
		if _, _, text = f.do(t, "GET", "/metrics", ""); strings.Contains(text, ended) {
			break
		}
	}
	if !strings.Contains(text, ended) || !strings.Contains(text, `aratta_open_streams{ingress="openai"} 0`) {
		t.Errorf("after the end:\n%s", text)
	}
	if status, _, body := f.do(t, "GET", "/api/v1/metrics", ""); status != http.StatusOK || !strings.Contains(body, `"name":"aratta_requests_total"`) {
		t.Errorf("as JSON: %d %s", status, body)
	}
	f.write(t, "monitoring = {prometheus = false}\n")
	if _, err := f.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	if status, _, body := f.do(t, "GET", "/metrics", ""); status != http.StatusNotFound {
		t.Errorf("turned off: %d %s", status, body)
	}
}

// A request that comes when everything is over is told so, and does not wait.
func TestRequestAfterTheEnd(t *testing.T) {
	g := &live{}
	g.now.Store(&running{})
	w := httptest.NewRecorder()
	g.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/health", http.NoBody))
	if w.Code != http.StatusServiceUnavailable {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// Who still changes the configuration when the gateway stops starts nothing any more
// that nobody would stop.
func TestNoChangeAfterTheEnd(t *testing.T) {
	f := newQuiet(t, "# mine\n")
	f.close()
	if _, err := f.Reload(t.Context()); err == nil || !strings.Contains(err.Error(), "the gateway stops") {
		t.Errorf("a reload: %v", err)
	}
	if _, err := f.Replace(t.Context(), []byte("# another\n"), func([]byte) bool { return true }); err == nil {
		t.Error("a text is put into force")
	}
	if n := f.alive.n.Load(); n != 0 {
		t.Errorf("%d snapshots are left", n)
	}
	if b, err := os.ReadFile(f.path); err != nil || string(b) != "# mine\n" {
		t.Errorf("the file is %s, %v", b, err)
	}
}
