package app

import (
	"bytes"
	"context"
	"encoding/json"
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
	"github.com/aratta-gateway/aratta/internal/server"
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
	f.live = &live{version: "test", env: e, file: f.path, log: slog.New(slog.NewJSONHandler(f.log, nil)), meter: telemetry.New("test"), override: func(*Loaded) {}}
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
	const requests, reloads, clients = 10_000, 100, 8
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

// The configuration can be read and written over the API, by whoever knows what
// he replaces.
func TestConfigAPI(t *testing.T) {
	url := simURL(t)
	text := oneProvider(url, "# mine\n")
	f := newFile(t, text)
	status, h, body := f.do(t, "GET", "/api/v1/config", "")
	tag := h.Get("Etag")
	if status != http.StatusOK || body != text || tag == "" || h.Get("Content-Type") != "application/toml" {
		t.Fatalf("GET: %d %v %q", status, h, body)
	}
	if status, _, body = f.do(t, "GET", "/api/v1/config", "", "If-None-Match", tag); status != http.StatusNotModified || body != "" {
		t.Errorf("GET of what is known: %d %q", status, body)
	}
	next := oneProvider(url, "# mine too\naliases = {mine = \"up:m\"}")
	for _, c := range []struct {
		name, match, text string
		status            int
		says              string
	}{
		{"without saying what it replaces", "", next, http.StatusPreconditionRequired, "If-Match is missing"},
		{"of another text", `"0123"`, next, http.StatusPreconditionFailed, "is another by now"},
		{"with a mistake", tag, "[server]\nprot = 1\n", http.StatusBadRequest, `config.toml:2:1: server.prot: unknown key; did you mean \"port\"?`},
		{"that cannot be built", tag, text + "\n[providers.new]\ntype = \"opneai\"\n", http.StatusBadRequest, `did you mean \"openai\"?`},
		{"too large", tag, strings.Repeat("#", 5<<20), http.StatusRequestEntityTooLarge, "4 MB"},
	} {
		h := []string{"If-Match", c.match}
		if c.match == "" {
			h = nil
		}
		status, _, body := f.do(t, "PUT", "/api/v1/config", c.text, h...)
		if status != c.status || !strings.Contains(body, c.says) {
			t.Errorf("PUT %s: %d %s, want %d with %s", c.name, status, body, c.status, c.says)
		}
		if b, err := os.ReadFile(f.path); err != nil || string(b) != text {
			t.Errorf("PUT %s changed the file: %v", c.name, err)
		}
	}
	if status, _ := f.chat(t, "mine"); status == http.StatusOK {
		t.Error("an alias answers that nobody wrote")
	}
	status, h, body = f.do(t, "PUT", "/api/v1/config", next, "If-Match", tag)
	var done server.Reloaded
	if err := json.Unmarshal([]byte(body), &done); status != http.StatusOK || err != nil || h.Get("Etag") == tag {
		t.Fatalf("PUT: %d %v %s, %v", status, h, body, err)
	}
	if status, body := f.chat(t, "mine"); status != http.StatusOK {
		t.Errorf("the new alias: %d %s", status, body)
	}
	info, err := os.Stat(f.path)
	if err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("the file's permissions: %v, %v", info.Mode(), err)
	}
	tag = h.Get("Etag")
	f.write(t, next+"[servr]\n") // by hand, with a mistake: it is shown, and not lost
	if _, _, body := f.do(t, "GET", "/api/v1/config", ""); body != next+"[servr]\n" {
		t.Errorf("GET of a file with a mistake: %s", body)
	}
	if status, _, body := f.do(t, "PUT", "/api/v1/config", next, "If-Match", tag); status != http.StatusPreconditionFailed {
		t.Errorf("PUT over what was written by hand: %d %s", status, body)
	}
	f.write(t, oneProvider(url, "aliases = {third = \"up:m\"}\nserver = {port = 9999}"))
	for range 2 { // as long as it is not in force
		if status, _, body := f.do(t, "POST", "/api/v1/config/reload", ""); status != http.StatusOK || !strings.Contains(body, `"at_next_start":["server.port"]`) {
			t.Errorf("reload: %d %s", status, body)
		}
	}
	if status, body := f.chat(t, "third"); status != http.StatusOK {
		t.Errorf("after a reload: %d %s", status, body)
	}
}

// Whoever is not on the machine may not, whatever his key.
func TestConfigIsForTheMachineAlone(t *testing.T) {
	f := newFile(t, "")
	f.env = env("ARATTA_API_KEYS", "sk-client", "ARATTA_HOME", filepath.Dir(f.path))
	if _, err := f.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ peer, header string }{{"192.0.2.7:5000", ""}, {"127.0.0.1:5000", "X-Forwarded-For"}, {"127.0.0.1:5000", "Origin"}} {
		for _, path := range []string{"GET /api/v1/config", "PUT /api/v1/config", "POST /api/v1/config/reload"} {
			method, path, _ := strings.Cut(path, " ")
			r := httptest.NewRequestWithContext(t.Context(), method, "http://localhost"+path, bytes.NewReader(nil))
			r.RemoteAddr = c.peer
			r.Header.Set("Authorization", "Bearer sk-client")
			if c.header != "" {
				r.Header.Set(c.header, "https://example.com")
			}
			w := httptest.NewRecorder()
			f.ServeHTTP(w, r)
			if w.Code != http.StatusForbidden {
				t.Errorf("%s %s of %s with %q: %d %s", method, path, c.peer, c.header, w.Code, w.Body)
			}
		}
	}
}

// Names are no proof: whoever gives them in the local network can point one at the
// machine of somebody who looks at his page.
func TestConfigIsForNoNameOfTheNetwork(t *testing.T) {
	f := newFile(t, "")
	for host, want := range map[string]int{
		"127.0.0.1:8084": http.StatusOK, "[::1]:8084": http.StatusOK, "localhost": http.StatusOK, "LOCALHOST.:8084": http.StatusOK,
		"tv.local:8084": http.StatusForbidden, "router": http.StatusForbidden, "192.168.0.9:8084": http.StatusForbidden,
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/api/v1/config/reload", nil)
		r.Host, r.RemoteAddr = host, "127.0.0.1:5000"
		r.Header.Set("Origin", "http://"+host)
		w := httptest.NewRecorder()
		if f.ServeHTTP(w, r); w.Code != want {
			t.Errorf("%s: %d %s", host, w.Code, w.Body)
		}
	}
}

// A text that cannot be written is no mistake of who sent it, and is not in force.
func TestConfigThatCannotBeWritten(t *testing.T) {
	f := newFile(t, "# mine\n")
	f.env = env("ARATTA_HOME", t.TempDir())
	dir := filepath.Dir(f.path)
	if err := errors.Join(os.RemoveAll(dir), os.WriteFile(dir, nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	status, _, body := f.do(t, "PUT", "/api/v1/config", "# another\n", "If-Match", "*")
	if status != http.StatusInternalServerError || !strings.Contains(body, "not written") {
		t.Errorf("%d %s", status, body)
	}
	if _, _, body := f.do(t, "GET", "/api/v1/config", ""); body != "# mine\n" {
		t.Errorf("in force is %q", body)
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

// Where the file alone shall say what holds, nobody sees or changes the
// configuration over HTTP, and nobody opens that again but in the file.
func TestConfigAPIOff(t *testing.T) {
	url := simURL(t)
	f := newFile(t, oneProvider(url, "[server]\nconfig_api = false\n"))
	for _, c := range [][2]string{{"GET", "/api/v1/config"}, {"PUT", "/api/v1/config"}, {"POST", "/api/v1/config/reload"}} {
		if status, _, body := f.do(t, c[0], c[1], "", "If-Match", "*"); status != http.StatusNotFound {
			t.Errorf("%s %s: %d %s", c[0], c[1], status, body)
		}
	}
	f.write(t, oneProvider(url, ""))
	if _, err := f.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	if status, _, _ := f.do(t, "GET", "/api/v1/config", ""); status != http.StatusOK {
		t.Errorf("opened in the file: %d", status)
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
