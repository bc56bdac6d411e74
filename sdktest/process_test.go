package sdktest

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/aratta-gateway/aratta/internal/mortal"
)

// patience bounds every wait for something that must happen.
const patience = time.Minute

// binary is what buildAratta built.
type binary string

// buildAratta builds the program as users do.
func buildAratta(ctx context.Context, dir string) (binary, error) {
	path := filepath.Join(dir, "aratta")
	flags, env := buildFlags()
	args := append([]string{"build", "-o", path}, flags...)
	cmd := exec.CommandContext(ctx, "go", append(args, "./cmd/aratta")...)
	cmd.Dir = ".."
	cmd.Env = append(os.Environ(), env...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building aratta: %w\n%s", err, out)
	}
	return binary(path), nil
}

// process is a running aratta.
type process struct {
	url string
	cmd *exec.Cmd
	out lines
	end chan struct{} // closed when it has ended
	err error         // how, valid after end
}

// serve starts `aratta serve` with a configuration, and waits until it is ready.
func (b binary) serve(ctx context.Context, dir, config string, env ...string) (*process, error) {
	file := filepath.Join(dir, "config.toml")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		return nil, err
	}
	return b.serveFile(ctx, dir, file, env...)
}

// serveFile does it with a file that is there.
func (b binary) serveFile(ctx context.Context, dir, file string, env ...string) (*process, error) {
	p, err := b.start(dir, env, "serve", "--config", file, "--port", "0")
	if err != nil {
		return nil, err
	}
	line, err := p.wait(ctx, `"msg":"listening"`)
	if err == nil {
		err = p.ready(ctx, line)
	}
	if err != nil {
		return nil, errors.Join(err, p.stop(ctx))
	}
	return p, nil
}

// ready reads the address from the log and asks there whether all is well.
func (p *process) ready(ctx context.Context, line string) error {
	var told struct {
		Address string `json:"address"`
	}
	if err := json.Unmarshal([]byte(line), &told); err != nil {
		return fmt.Errorf("log line %q: %w", line, err)
	}
	p.url = "http://" + told.Address
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.url+"/health", http.NoBody)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("not ready: %w", err)
	}
	defer resp.Body.Close()
	if body, _ := io.ReadAll(resp.Body); resp.StatusCode != http.StatusOK || !strings.Contains(string(body), `"ok"`) {
		return fmt.Errorf("not ready: %s: %s", resp.Status, body)
	}
	return nil
}

// start runs the program in an environment of its own, away from the user's files.
func (b binary) start(dir string, env []string, args ...string) (*process, error) {
	// Without a context: it is stopped by a signal, as operators do it.
	p := &process{cmd: exec.Command(string(b), args...), end: make(chan struct{})}
	p.cmd.Env = append([]string{"HOME=" + dir, "ARATTA_HOME=" + dir, "PATH=" + os.Getenv("PATH"), briefly()}, env...)
	p.out.more = make(chan struct{})
	r, w := io.Pipe()
	p.cmd.Stdout, p.cmd.Stderr = w, w
	read := make(chan struct{})
	if err := mortal.Start(p.cmd, p.cmd.Start, func() {
		p.err = p.cmd.Wait()
		_ = w.Close()
		<-read
		close(p.end)
	}); err != nil {
		return nil, err
	}
	go func() {
		defer close(read)
		s := bufio.NewScanner(r)
		s.Buffer(nil, 1<<20)
		for s.Scan() {
			p.out.add(s.Text())
		}
		_, _ = io.Copy(io.Discard, r) // a line beyond the buffer must not stop the program
	}()
	return p, nil
}

// briefly has a program that looks for races end at once: it sleeps for a second
// otherwise, in case one still happens, and here many are started.
func briefly() string { return "GORACE=" + cmp.Or(os.Getenv("GORACE"), "atexit_sleep_ms=20") }

// wait returns the first line of the output that contains s.
func (p *process) wait(ctx context.Context, s string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		line, more := p.out.find(s)
		if line != "" {
			return line, nil
		}
		select {
		case <-more:
		case <-p.end:
			if line, _ := p.out.find(s); line != "" {
				return line, nil
			}
			return "", fmt.Errorf("aratta ended before it said %q: %w\n%s", s, p.err, p.out.all())
		case <-ctx.Done():
			return "", fmt.Errorf("aratta did not say %q: %w\n%s", s, ctx.Err(), p.out.all())
		}
	}
}

// stop asks the program to end, and reports an end that is not a clean one.
func (p *process) stop(ctx context.Context) error {
	if err := p.terminate(); err != nil {
		return err
	}
	return p.ended(ctx)
}

func (p *process) terminate() error {
	err := p.cmd.Process.Signal(syscall.SIGTERM)
	if errors.Is(err, os.ErrProcessDone) {
		return nil
	}
	return err
}

// ended waits for the end and reports one with an exit code that is not 0.
func (p *process) ended(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	select {
	case <-p.end:
	case <-ctx.Done():
		_ = p.cmd.Process.Kill()
		<-p.end
		return fmt.Errorf("aratta did not stop: %w\n%s", ctx.Err(), p.out.all())
	}
	if p.err != nil {
		return fmt.Errorf("aratta ended with %w\n%s", p.err, p.out.all())
	}
	return nil
}

// lines is what a program has written so far.
type lines struct {
	mu   sync.Mutex
	list []string
	more chan struct{} // closed when the next line comes
}

func (l *lines) add(s string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.list = append(l.list, s)
	close(l.more)
	l.more = make(chan struct{})
}

func (l *lines) find(s string) (line string, more <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, line := range l.list {
		if strings.Contains(line, s) {
			return line, l.more
		}
	}
	return "", l.more
}

func (l *lines) all() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.list, "\n")
}
