package app

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/aratta-gateway/aratta/internal/dialect/all"
	"github.com/aratta-gateway/aratta/internal/dialect/dialecttest"
	"github.com/aratta-gateway/aratta/internal/sim"
)

// gate is a provider that stops in the middle of each answer until it is opened.
type gate struct {
	*sim.Sim
	opened  chan struct{}
	waiting chan struct{} // closed when an answer stands before the gate
	once    sync.Once
}

func newGate(t *testing.T) (g *gate, url string) {
	t.Helper()
	g = &gate{
		Sim:    sim.New(sim.Options{Name: "slow", Dialect: all.Get("openai"), Models: []string{"m"}}),
		opened: make(chan struct{}), waiting: make(chan struct{}),
	}
	ts := httptest.NewServer(g)
	t.Cleanup(ts.Close)
	return g, ts.URL
}

func (g *gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	g.Sim.ServeHTTP(&gated{ResponseWriter: w, g: g, r: r}, r)
}

type gated struct {
	http.ResponseWriter
	g      *gate
	r      *http.Request
	writes int
}

func (w *gated) Flush() {
	if f, ok := w.ResponseWriter.(http.Flusher); ok {
		f.Flush()
	}
}

func (w *gated) Write(b []byte) (int, error) {
	if w.writes++; w.writes == midway {
		w.g.once.Do(func() { close(w.g.waiting) })
		select {
		case <-w.g.opened:
		case <-w.r.Context().Done():
			return 0, w.r.Context().Err()
		}
	}
	return w.ResponseWriter.Write(b)
}

// serveProcess starts `aratta serve` in front of one provider.
func serveProcess(t *testing.T, upstream, more string) (p *process, url string) {
	t.Helper()
	dir := t.TempDir()
	config := more + fmt.Sprintf(`
[local.ollama]
enabled = false
[local.vllm]
enabled = false
[local.llamacpp]
enabled = false
[local.lmstudio]
enabled = false

[providers.slow]
dialect = "openai"
base_url = %q
api_key_env = "SLOW_KEY"
default_model = "m"
models = ["m"]
`, upstream)
	if err := os.WriteFile(filepath.Join(dir, "config.toml"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	p, err := startProcess(dir, []string{"SLOW_KEY=sk-very-secret", "ARATTA_API_KEYS=sk-of-a-client"}, "serve", "--host", "127.0.0.1", "--port", "0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.kill)
	addr, err := p.says(listening)
	if err != nil {
		t.Fatal(err)
	}
	return p, "http://" + addr
}

// stream begins a streamed chat and returns once the provider stands at its gate.
func (g *gate) stream(t *testing.T, url string) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/v1/chat/completions",
		strings.NewReader(`{"model":"auto","stream":true,"messages":[{"role":"user","content":"a private question"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer sk-of-a-client")
	client := &http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { res.Body.Close() })
	if res.StatusCode != http.StatusOK {
		b, _ := io.ReadAll(res.Body)
		t.Fatalf("%s: %s", res.Status, b)
	}
	<-g.waiting
	return res
}

// A stop lets a stream under way end whole, takes no new connection meanwhile,
// and ends the process well. What was logged is JSON, knows each request by its
// id, and holds neither what was said nor a key.
func TestStopDrains(t *testing.T) {
	g, upstream := newGate(t)
	p, url := serveProcess(t, upstream, "")
	res := g.stream(t, url)
	if err := p.signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if _, err := p.says(`"msg":"draining"`); err != nil {
		t.Fatal(err)
	}
	refusedConnection(t, url)
	if err := p.signal(syscall.SIGHUP); err != nil { // as shells do whose terminal is gone, behind the kernel
		t.Fatal(err)
	}
	close(g.opened)
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatalf("the stream was cut: %v after %s", err, b)
	}
	r, err := dialecttest.ReadStream(all.Get("openai"), res.Header, b)
	if err != nil || !strings.HasSuffix(said(r, "text"), "a private question") {
		t.Errorf("the stream did not end whole: %v in %s", err, b)
	}
	if err := p.ended(); err != nil {
		t.Errorf("the process ended with %v", err)
	}
	id := res.Header.Get("X-Aratta-Request-Id")
	text, _ := p.out.now()
	if !strings.Contains(text, `"msg":"stopped"`) {
		t.Errorf("the end is not in the log:\n%s", text)
	}
	found := false
	for line := range strings.Lines(text) {
		var entry struct {
			Msg       string `json:"msg"`
			Level     string `json:"level"`
			Time      string `json:"time"`
			RequestID string `json:"request_id"`
		}
		if err := json.Unmarshal([]byte(line), &entry); err != nil || entry.Msg == "" || entry.Level == "" || entry.Time == "" {
			t.Errorf("a log line that is no record: %s", line)
		}
		found = found || entry.Msg == "request" && entry.RequestID == id
	}
	if !found {
		t.Errorf("the request %s is not in the log:\n%s", id, text)
	}
	for _, secret := range []string{"private question", "simulated answer", "sk-very-secret", "sk-of-a-client"} {
		if strings.Contains(text, secret) {
			t.Errorf("the log holds %q:\n%s", secret, text)
		}
	}
}

// refusedConnection waits until nobody listens any more.
func refusedConnection(t *testing.T, url string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for {
		var d net.Dialer
		c, err := d.DialContext(ctx, "tcp", strings.TrimPrefix(url, "http://"))
		if ctx.Err() != nil {
			t.Fatal("new connections are still taken")
		}
		if err != nil {
			return
		}
		c.Close() // the listener closes right after the log line
	}
}

// When the time to drain is over, what is left is cut, and never looks complete.
func TestDrainTimeoutCuts(t *testing.T) {
	g, upstream := newGate(t)
	p, url := serveProcess(t, upstream, "[server]\ndrain_timeout = \"100ms\"\n")
	res := g.stream(t, url)
	if err := p.signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(res.Body)
	if err == nil {
		_, err = dialecttest.ReadStream(all.Get("openai"), res.Header, b)
	}
	if err == nil || bytes.Contains(b, []byte("[DONE]")) {
		t.Errorf("a stream that was cut looks complete: %s", b)
	}
	if err := p.ended(); err != nil {
		t.Errorf("the process ended with %v", err)
	}
	if _, err := p.says("cut off by the end of drain_timeout"); err != nil {
		t.Error(err)
	}
	if text, _ := p.out.now(); strings.Contains(text, "went away") || !strings.Contains(text, "the gateway stops") {
		t.Errorf("the log says that somebody else ended the stream:\n%s", text)
	}
}

// Who interrupts again does not want to wait for the requests under way.
func TestInterruptAgain(t *testing.T) {
	g, upstream := newGate(t)
	p, url := serveProcess(t, upstream, "[server]\ndrain_timeout = \"1h\"\n")
	g.stream(t, url)
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	late := time.After(patience)
	for running := true; running; {
		_ = p.signal(os.Interrupt) // it may have ended by now
		select {
		case <-p.end:
			running = false
		case <-again.C:
		case <-late:
			t.Fatal("the process still waits")
		}
	}
	var exit *exec.ExitError
	if !errors.As(p.err, &exit) || exit.ExitCode() != -1 {
		t.Errorf("the process ended with %v", p.err)
	}
}

// A client that leaves frees the provider at once.
func TestClientLeaves(t *testing.T) {
	g, upstream := newGate(t)
	p, url := serveProcess(t, upstream, "")
	res := g.stream(t, url)
	res.Body.Close()
	line, err := p.says(`(?m)^(.*"msg":"request".*)$`)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(line, `"kind":"canceled"`) && !strings.Contains(line, `"outcome":"canceled"`) || strings.Contains(line, `"level":"ERROR"`) {
		t.Errorf("the end is logged as %s", line)
	}
	text, _ := p.out.now()
	if strings.Contains(text, "attempt failed") || strings.Contains(text, "broke off") && !strings.Contains(text, `"kind":"canceled"`) {
		t.Errorf("the client's leaving is held against the provider:\n%s", text)
	}
}

func TestPortInUse(t *testing.T) {
	var lc net.ListenConfig
	ln, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	_, port, err := net.SplitHostPort(ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	code := Main(t.Context(), "test", []string{"serve", "--host", "127.0.0.1", "--port", port}, IO{
		In: strings.NewReader(""), Out: &out, Err: &errs, Env: env("ARATTA_HOME", t.TempDir()),
	})
	if want := "aratta: port " + port + " is in use; choose another with --port or server.port"; code != 1 || !strings.HasPrefix(errs.String(), want) {
		t.Errorf("code %d, %s", code, errs.String())
	}
}
