package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/aratta-gateway/aratta/internal/mortal"
)

// The CPUs: what is measured has one to itself.
const (
	cpuProxies = "0"
	cpuLoad    = "1"
)

// stand is the place of measuring: a folder of binaries and what runs of them.
type stand struct {
	dir     string
	mock    *process
	cost    int64     // bytes of the stripped binary
	verbose io.Writer // for what loadgen says; may be nil

	profiled bool // Aratta writes CPU profiles
	profiles int  // so many
}

// gcflags are those of a release's build; the Makefile says why.
const gcflags = "all=-d=pgoinlinebudget=200"

// process is one that was started here.
type process struct {
	cmd  *exec.Cmd
	log  *os.File
	port int
}

// build makes the binaries: those of the load from the folder shared, Aratta
// from the module that this program belongs to, with the flags of its Makefile.
func (s *stand) build(ctx context.Context, shared string) error {
	root, err := s.goTool(ctx, "", "list", "-m", "-f", "{{.Dir}}")
	if err != nil {
		return err
	}
	bin := s.dir + string(filepath.Separator)
	var tags []string
	if s.profiled {
		tags = []string{"-tags", "profile"}
	}
	for _, b := range []struct {
		dir  string
		args []string
	}{
		{shared, []string{"build", "-o", bin, "./cmd/..."}},
		{filepath.Join(shared, "refproxy"), []string{"build", "-o", bin, "."}},
		{root, append([]string{"build", "-trimpath", "-gcflags", gcflags, "-ldflags", "-s -w", "-o", bin}, append(tags, "./cmd/aratta")...)},
	} {
		if _, err := s.goTool(ctx, b.dir, b.args...); err != nil {
			return err
		}
	}
	fi, err := os.Stat(filepath.Join(s.dir, "aratta"))
	if err != nil {
		return err
	}
	s.cost = fi.Size()
	return nil
}

func (s *stand) goTool(ctx context.Context, dir string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("go %s: %w\n%s", strings.Join(args, " "), err, stderr.String())
	}
	return strings.TrimSpace(string(out)), nil
}

// start runs one of the binaries on a CPU, with what it says in a file.
// home is where Aratta keeps its files.
func (s *stand) start(ctx context.Context, cpu string, port int, home, name string, args ...string) (*process, error) {
	log, err := os.OpenFile(filepath.Join(s.dir, name+".log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	cmd := s.command(ctx, cpu, name, args...)
	cmd.Stdout, cmd.Stderr = log, log
	if cpu == cpuProxies {
		cmd.Env = append(os.Environ(), "GOMAXPROCS=1", "ARATTA_HOME="+home, "LOG_LEVEL=", "ARATTA_HOST=", "ARATTA_PORT=", "ARATTA_API_KEYS=")
	}
	if err := cmd.Start(); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", name, err), log.Close())
	}
	return &process{cmd: cmd, log: log, port: port}, nil
}

// command is a binary of the stand, bound to a CPU. It dies with this program
// and with ctx.
func (s *stand) command(ctx context.Context, cpu, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "taskset", append([]string{"-c", cpu, filepath.Join(s.dir, name)}, args...)...)
	cmd.WaitDelay = time.Second
	mortal.Bind(cmd)
	return cmd
}

// stopWait is how long a process may take to end.
const stopWait = 3 * time.Second

// stop ends a process and waits for it.
func (p *process) stop() {
	if p == nil {
		return
	}
	// Told to end first, so that it can write its profile.
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	kill := time.AfterFunc(stopWait, func() { _ = p.cmd.Process.Kill() }) // it may be gone already
	_ = p.cmd.Wait()                                                      // how it ended does not matter
	kill.Stop()
	_ = p.log.Truncate(0) // a log grows by some megabytes a second under load
	_ = p.log.Close()
}

func (p *process) pid() string { return strconv.Itoa(p.cmd.Process.Pid) }

// said is the end of what a process wrote.
func (p *process) said() string {
	b, err := os.ReadFile(p.log.Name())
	if err != nil {
		return err.Error()
	}
	return string(b[max(0, len(b)-2000):])
}

func (s *stand) startMock(ctx context.Context) (err error) {
	port, err := freePort(ctx)
	if err != nil {
		return err
	}
	s.mock, err = s.start(ctx, cpuLoad, port, s.dir, "mockllm", "-addr", hostPort(port))
	if err != nil {
		return err
	}
	return s.answers(ctx, s.mock, "GET", "/__stats", "")
}

// profile sets the mock's behaviour.
func (s *stand) profile(ctx context.Context, change string) error {
	const usual = "/__config?latency_us=0&tokens=100&gap_us=0&per_write=1&pad_bytes=0&err_every=0"
	if err := s.answers(ctx, s.mock, "GET", usual, ""); err != nil || change == "" {
		return err
	}
	return s.answers(ctx, s.mock, "GET", "/__config?"+change, "")
}

// proxy starts the yardstick or Aratta.
func (s *stand) proxy(ctx context.Context, kind string) (*process, error) {
	port, err := freePort(ctx)
	if err != nil {
		return nil, err
	}
	if kind == procStd {
		return s.start(ctx, cpuProxies, port, s.dir, "refproxy", "-mode", "std", "-addr", hostPort(port), "-upstream", "http://"+hostPort(s.mock.port))
	}
	home, err := s.home(kind)
	if err != nil {
		return nil, err
	}
	file := filepath.Join(home, "config.toml")
	if err := os.WriteFile(file, config(s.mock.port), 0o600); err != nil {
		return nil, err
	}
	args := []string{"serve", "--config", file, "--host", "127.0.0.1", "--port", strconv.Itoa(port)}
	if s.profiled {
		s.profiles++
		args = append(args, "--cpuprofile", filepath.Join(s.dir, fmt.Sprintf("aratta-%d.pprof", s.profiles)))
	}
	return s.start(ctx, cpuProxies, port, home, "aratta", args...)
}

// chat waits until a target gives its first answer.
func (s *stand) chat(ctx context.Context, p *process, target string) error {
	t := targets()[target]
	return s.answers(ctx, p, "POST", t.path(), t.hello())
}

// startWait is how long a process may take until it answers.
const startWait = 15 * time.Second

// answers asks a process until it answers with 200.
func (s *stand) answers(ctx context.Context, p *process, method, path, body string) error {
	ctx, cancel := context.WithTimeout(ctx, startWait)
	defer cancel()
	for last := errors.New("never asked"); ; {
		if ctx.Err() != nil {
			return fmt.Errorf("%s does not answer: %w\n%s", filepath.Base(p.log.Name()), last, p.said())
		}
		if last = ask(ctx, method, "http://"+hostPort(p.port)+path, body); last == nil {
			return nil
		}
		time.Sleep(200 * time.Microsecond)
	}
}

func ask(ctx context.Context, method, url, body string) error {
	req, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Close = true
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %.300s", resp.Status, b)
	}
	return err
}

func hostPort(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

// freePort finds a port that nobody uses.
func freePort(ctx context.Context) (int, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp4", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}
