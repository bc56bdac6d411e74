package app

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/aratta-gateway/aratta/internal/mortal"
)

// The tests run the program as people do: this binary is it when it is called
// aratta, and enough of curl for the documents.
func TestMain(m *testing.M) {
	if os.Getenv("GORACE") == "" { // or each of many programs that look for races sleeps for a second before it ends
		if err := os.Setenv("GORACE", "atexit_sleep_ms=20"); err != nil {
			panic(err)
		}
	}
	testscript.Main(m, map[string]func(){
		"aratta": func() {
			os.Exit(Main(context.Background(), "v1.2.3-test", os.Args[1:], IO{In: os.Stdin, Out: os.Stdout, Err: os.Stderr, LookFor: patience / 4}))
		},
		"curl": func() {
			if err := curl(os.Args[1:], os.Stdout, os.Stderr); err != nil {
				fmt.Fprintln(os.Stderr, "curl:", err)
				os.Exit(1)
			}
		},
	})
}

// process is a running aratta.
type process struct {
	cmd *exec.Cmd
	out logBuffer // standard output and error, as they come
	end chan struct{}
	err error // valid after end
}

// startProcess starts aratta in a folder, away from the user's files. env comes
// on top of what every process needs.
func startProcess(dir string, env []string, args ...string) (*process, error) {
	cmd := exec.Command("aratta", args...)
	cmd.Dir = dir
	cmd.Env = append([]string{"HOME=" + dir, "ARATTA_HOME=" + dir, "PATH=" + os.Getenv("PATH"), "GORACE=" + os.Getenv("GORACE")}, env...)
	return runProcess(cmd)
}

// runProcess starts a command that is set.
func runProcess(cmd *exec.Cmd) (*process, error) {
	p := &process{cmd: cmd, end: make(chan struct{})}
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
		lines := bufio.NewReader(r)
		for {
			line, err := lines.ReadString('\n')
			_, _ = p.out.Write([]byte(line))
			if err != nil {
				return
			}
		}
	}()
	return p, nil
}

// says waits until the output matches, and returns the first group of the match.
func (p *process) says(pattern string) (string, error) {
	re := regexp.MustCompile(pattern)
	late := time.After(patience)
	for {
		text, more := p.out.now()
		if m := re.FindStringSubmatch(text); m != nil {
			return m[len(m)-1], nil
		}
		select {
		case <-more:
		case <-p.end:
			text, _ = p.out.now()
			if m := re.FindStringSubmatch(text); m != nil {
				return m[len(m)-1], nil
			}
			return "", fmt.Errorf("aratta ended (%w) before it said %s:\n%s", errors.Join(p.err), pattern, text)
		case <-late:
			return "", fmt.Errorf("aratta did not say %s:\n%s", pattern, text)
		}
	}
}

// signal sends a signal.
func (p *process) signal(s os.Signal) error { return p.cmd.Process.Signal(s) }

// ended waits for the end.
func (p *process) ended() error {
	select {
	case <-p.end:
		return p.err
	case <-time.After(patience):
		_ = p.cmd.Process.Kill()
		<-p.end
		return errors.New("aratta did not end")
	}
}

// kill ends the process if it still runs.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.end
}

// listening is in the log line that names the address.
const listening = `"msg":"listening","address":"([^"]+)"`
