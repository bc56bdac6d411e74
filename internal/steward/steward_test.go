package steward

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/aratta-gateway/aratta/internal/sock/socktest"
)

// The test binary is a runtime when it is called with these words.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == "fake" {
		fake(os.Args[2], os.Args[3:])
		return
	}
	goleak.VerifyTestMain(m)
}

// fake is a runtime: it listens at the first argument.
func fake(how string, args []string) {
	fmt.Println("loading the model")
	switch how {
	case "dies":
		fmt.Fprint(os.Stderr, "out of memory")
		os.Exit(3)
	case "sleeps":
		select {}
	case "stubborn":
		signal.Ignore(syscall.SIGTERM)
	case "family": // which has a child, as Ollama has its runners
		child := exec.Command(os.Args[0], "fake", "serves", args[1])
		child.Stdout = os.Stdout
		if err := child.Start(); err != nil {
			panic(err)
		}
	}
	var asked atomic.Int32
	http.HandleFunc("/health", func(w http.ResponseWriter, _ *http.Request) {
		if asked.Add(1) < 3 { // as while a model loads
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	http.HandleFunc("/die", func(http.ResponseWriter, *http.Request) {
		fmt.Println("a private question")
		os.Exit(4)
	})
	if err := http.ListenAndServe(args[0], nil); err != nil {
		panic(err)
	}
}

// journal is a log that is read while it is written.
type journal struct {
	mu   sync.Mutex
	b    bytes.Buffer
	more chan struct{}
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	select {
	case j.more <- struct{}{}:
	default:
	}
	return j.b.Write(p)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.b.String()
}

// says waits until the log has a text n times.
func (j *journal) says(t *testing.T, text string, n int) {
	t.Helper()
	late := time.After(time.Minute)
	for strings.Count(j.String(), text) < n {
		select {
		case <-j.more:
		case <-late:
			t.Fatalf("the log does not say %q:\n%s", text, j)
		}
	}
}

func begin(t *testing.T, addr string, after <-chan struct{}, command ...string) (*Steward, *journal) {
	t.Helper()
	j := &journal{more: make(chan struct{}, 1)}
	quick := timing{poll: 5 * time.Millisecond, patience: time.Minute, grace: time.Minute, pause: time.Millisecond, steady: time.Hour}
	if slices.Contains(command, "stubborn") { // or everybody would wait for it
		quick.grace = time.Millisecond
	}
	s := keep(Options{
		Name: "fake", Command: command, Env: os.Environ(), Probe: "http://" + addr + "/health", After: after,
		Log: slog.New(slog.NewTextHandler(j, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}, quick)
	t.Cleanup(s.Stop)
	return s, j
}

// A runtime is started, waited for, started again when it dies, and stopped; what
// it says once it can be asked is in no log.
func TestLife(t *testing.T) {
	addr := socktest.FreeAddr(t)
	s, j := begin(t, addr, nil, os.Args[0], "fake", "serves", addr)
	<-s.Ready()
	if !socktest.Listens(addr) {
		t.Fatalf("is ready and does not answer:\n%s", j)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+addr+"/die", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	if res, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(req); err == nil {
		res.Body.Close()
	}
	j.says(t, "runtime: answers", 2)
	s.Stop()
	if socktest.Listens(addr) {
		t.Error("answers after it was stopped")
	}
	for _, want := range []string{`line="loading the model"`, "exit status 4", "runtime: stopped"} {
		if !strings.Contains(j.String(), want) {
			t.Errorf("the log does not say %s:\n%s", want, j)
		}
	}
	if strings.Contains(j.String(), "private") {
		t.Errorf("the log says what the runtime was asked:\n%s", j)
	}
}

// What runs already is left alone and never stopped.
func TestLeftAlone(t *testing.T) {
	ts := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(ts.Close)
	addr := strings.TrimPrefix(ts.URL, "http://")
	s, j := begin(t, addr, nil, os.Args[0], "fake", "serves", addr)
	<-s.Done()
	s.Stop()
	if !socktest.Listens(addr) || strings.Contains(j.String(), "started") || !strings.Contains(j.String(), "left alone") {
		t.Errorf("%s", j)
	}
}

// What cannot run is not started for ever, and the log says why it died.
func TestGivenUp(t *testing.T) {
	s, j := begin(t, socktest.FreeAddr(t), nil, os.Args[0], "fake", "dies")
	<-s.Ready()
	<-s.Done()
	if n := strings.Count(j.String(), "runtime: started"); n != mostStarts || !strings.Contains(j.String(), "loading the model | out of memory") || !strings.Contains(j.String(), "not started any more") {
		t.Errorf("%d starts:\n%s", n, j)
	}
}

// What is not there, or is no program, is not said to have ended, nor tried again.
func TestNotInstalled(t *testing.T) {
	text := filepath.Join(t.TempDir(), "notes.txt")
	if err := os.WriteFile(text, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, program := range []string{"no-such-runtime", text, text + ".exe"} {
		s, j := begin(t, socktest.FreeAddr(t), nil, program, "serve")
		<-s.Ready()
		<-s.Done()
		if got := j.String(); strings.Count(got, "\n") != 1 || !strings.Contains(got, "is not installed, or cannot be run") || !strings.Contains(got, "local.fake.command") {
			t.Errorf("%s", got)
		}
	}
}

// What does not end when it is asked to is killed, and what it has started with it.
func TestEnd(t *testing.T) {
	for _, how := range []string{"stubborn", "family"} {
		t.Run(how, func(t *testing.T) {
			addr, child := socktest.FreeAddr(t), socktest.FreeAddr(t)
			s, j := begin(t, addr, nil, os.Args[0], "fake", how, addr, child)
			<-s.Ready()
			for how == "family" && !socktest.Listens(child) {
				time.Sleep(time.Millisecond)
			}
			s.Stop()
			if socktest.Listens(addr) || socktest.Listens(child) || (how == "stubborn") != strings.Contains(j.String(), "is killed") {
				t.Errorf("%s", j)
			}
		})
	}
}

// A stop does not wait for a runtime that is not ready, and one that shall follow
// another waits for its end.
func TestStopBefore(t *testing.T) {
	s, j := begin(t, socktest.FreeAddr(t), nil, os.Args[0], "fake", "sleeps")
	j.says(t, "runtime: started", 1)
	next, k := begin(t, socktest.FreeAddr(t), s.Done(), os.Args[0], "fake", "dies")
	before := make(chan struct{})
	last, _ := begin(t, socktest.FreeAddr(t), before, os.Args[0], "fake", "dies")
	if k.String() != "" {
		t.Errorf("did not wait:\n%s", k)
	}
	s.Stop()
	<-s.Ready()
	<-next.Done()
	if !strings.Contains(k.String(), "runtime: started") {
		t.Errorf("%s", k)
	}
	last.Stop()
	select {
	case <-last.Done():
		t.Error("who comes after it does not wait for the one before it")
	default:
	}
	close(before)
	<-last.Done()
}

// Whatever a runtime says, a line of the log has an end, and few are kept.
func TestOutput(t *testing.T) {
	var log bytes.Buffer
	o := &output{log: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))}
	for i := range 100 {
		fmt.Fprintf(o, "line %d\n\n", i)
	}
	if _, err := io.Copy(o, strings.NewReader(strings.Repeat("x", 1<<20)+"\xff\n")); err != nil {
		t.Fatal(err)
	}
	if len(o.part) > mostLine || len(o.last) != mostLines || log.Len() > 1<<18 {
		t.Errorf("%d bytes of a line, %d lines, %d bytes of log", len(o.part), len(o.last), log.Len())
	}
	for _, l := range o.last {
		if len(l) > 300 {
			t.Errorf("a line of %d bytes", len(l))
		}
	}
}
