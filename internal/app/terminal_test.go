package app

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/charmbracelet/x/vt"
	"github.com/creack/pty"

	"github.com/aratta-gateway/aratta/internal/mortal"
)

// tty is an aratta that a person runs at a terminal, with the screen as it is seen.
type tty struct {
	t    *testing.T
	cmd  *exec.Cmd
	pty  *os.File
	end  chan struct{} // closed when it has ended and all is on the screen
	code int           // valid after end

	mu     sync.Mutex
	screen *vt.Emulator
	more   chan struct{} // closed at the next change
}

// The screen is tall enough for a whole test.
const ttyWidth, ttyHeight = 140, 120

// atTerminal starts aratta at a terminal.
func atTerminal(t *testing.T, dir string, env []string, args ...string) *tty {
	t.Helper()
	x := &tty{t: t, cmd: exec.Command("aratta", args...), end: make(chan struct{}), screen: vt.NewEmulator(ttyWidth, ttyHeight), more: make(chan struct{})}
	x.cmd.Dir = dir
	x.cmd.Env = append([]string{"HOME=" + dir, "ARATTA_HOME=" + dir, "TERM=xterm-256color", "PATH=" + os.Getenv("PATH"), "GORACE=" + os.Getenv("GORACE")}, env...)
	err := mortal.Start(x.cmd, func() (err error) {
		x.pty, err = pty.StartWithSize(x.cmd, &pty.Winsize{Rows: ttyHeight, Cols: ttyWidth})
		return err
	}, x.watch)
	if errors.Is(err, pty.ErrUnsupported) {
		t.Skip("there are no pseudo-terminals here")
	}
	if err != nil {
		t.Fatal(err)
	}
	var work sync.WaitGroup
	work.Go(func() { _, _ = io.Copy(x.pty, x.screen) }) // what the terminal answers
	t.Cleanup(func() {
		_ = x.cmd.Process.Kill()
		<-x.end
		_ = x.pty.Close()
		work.Wait()
	})
	return x
}

// watch puts what the program writes on the screen, until it has ended.
func (x *tty) watch() {
	b := make([]byte, 4096)
	for {
		n, err := x.pty.Read(b)
		x.mu.Lock()
		_, _ = x.screen.Write(b[:n])
		close(x.more)
		x.more = make(chan struct{})
		x.mu.Unlock()
		if err != nil { // EIO: nobody has the other side any more
			break
		}
	}
	if err := x.cmd.Wait(); err != nil {
		x.code = x.cmd.ProcessState.ExitCode()
	}
	if c, ok := x.screen.InputPipe().(io.Closer); ok {
		_ = c.Close()
	}
	close(x.end)
}

// shows waits until the screen shows what matches.
func (x *tty) shows(pattern string) {
	x.t.Helper()
	re := regexp.MustCompile("(?m)" + pattern)
	late := time.After(patience)
	for {
		text, more := x.now()
		if re.MatchString(text) {
			return
		}
		select {
		case <-more:
		case <-x.end:
			if text, _ = x.now(); !re.MatchString(text) {
				x.t.Fatalf("aratta ended and the screen does not show %s:\n%s", pattern, text)
			}
			return
		case <-late:
			x.t.Fatalf("the screen does not show %s:\n%s", pattern, text)
		}
	}
}

func (x *tty) text() string {
	text, _ := x.now()
	return text
}

// now is what the screen shows, and a channel that is closed when that changes.
func (x *tty) now() (text string, more <-chan struct{}) {
	x.mu.Lock()
	defer x.mu.Unlock()
	var lines []string
	for line := range strings.SplitSeq(x.screen.String(), "\n") {
		lines = append(lines, strings.TrimRight(line, " "))
	}
	return strings.TrimRight(strings.Join(lines, "\n"), "\n"), x.more
}

// types types keys.
func (x *tty) types(keys string) {
	x.t.Helper()
	if _, err := io.WriteString(x.pty, keys); err != nil {
		x.t.Fatal(err)
	}
}

// ends waits for the end, which must have this exit code.
func (x *tty) ends(code int) {
	x.t.Helper()
	select {
	case <-x.end:
	case <-time.After(patience):
		x.t.Fatalf("aratta did not end:\n%s", x.text())
	}
	if x.code != code {
		x.t.Fatalf("exit code %d, want %d:\n%s", x.code, code, x.text())
	}
}

// Keys as a terminal sends them.
const (
	enter = "\r"
	down  = "\x1b[B"
	ctrlC = "\x03"
	ctrlD = "\x04"
)

// machine is a folder for the user's files in which the usual places of local
// runtimes lead to nobody, or to the address given.
func machine(t *testing.T, ollama string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	if err := os.Mkdir(dir+"/providers", 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range runtimes() {
		base := "http://127.0.0.1:1"
		if name == "ollama" && ollama != "" {
			base = ollama
		}
		if err := os.WriteFile(dir+"/providers/"+name+".yaml", fmt.Appendf(nil, "name: %s\nbase_url: %s\n", name, base), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}
