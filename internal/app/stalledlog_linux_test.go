package app

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/aratta-gateway/aratta/internal/mortal"
)

// mutedProcess is an aratta whose log goes to a pipe.
type mutedProcess struct {
	cmd   *exec.Cmd
	end   chan struct{}
	r, w  *os.File // of the pipe
	lines *bufio.Reader
}

// intoPipe starts aratta serve; what waits in the pipe already is left there.
func intoPipe(t *testing.T, full bool, args ...string) *mutedProcess {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	p := &mutedProcess{r: r, w: w, lines: bufio.NewReader(r), end: make(chan struct{})}
	if full {
		p.fill(t)
	}
	dir := machine(t, "")
	p.cmd = exec.Command("aratta", append([]string{"serve", "--host", "127.0.0.1"}, args...)...)
	p.cmd.Env = []string{"HOME=" + dir, "ARATTA_HOME=" + dir, "PATH=" + os.Getenv("PATH"), "GORACE=" + os.Getenv("GORACE")}
	p.cmd.Stderr = w
	if err := mortal.Start(p.cmd, p.cmd.Start, func() { _ = p.cmd.Wait(); close(p.end) }); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill()
		<-p.end
		r.Close()
		w.Close()
	})
	return p
}

// fill fills the pipe to the last byte.
func (p *mutedProcess) fill(t *testing.T) {
	t.Helper()
	c, err := p.w.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	for _, piece := range []string{strings.Repeat("\n", 4096), "\n"} {
		for full := false; !full; {
			err = c.Write(func(fd uintptr) bool {
				// Not to block is a property of the pipe's end, which the process has, too.
				if err := syscall.SetNonblock(int(fd), true); err != nil {
					t.Error(err)
				}
				_, err := syscall.Write(int(fd), []byte(piece))
				full = err != nil && !errors.Is(err, syscall.EINTR)
				if err := syscall.SetNonblock(int(fd), false); err != nil {
					t.Error(err)
				}
				return true
			})
			if err != nil {
				t.Fatal(err)
			}
		}
	}
}

// until reads the log up to a line that matches, and returns its first group.
func (p *mutedProcess) until(t *testing.T, pattern string, each func(line string)) string {
	t.Helper()
	re := regexp.MustCompile(pattern)
	if err := p.r.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	for {
		line, err := p.lines.ReadString('\n')
		if each != nil {
			each(line)
		}
		if m := re.FindStringSubmatch(line); m != nil {
			return m[len(m)-1]
		}
		if err != nil {
			t.Fatalf("the log does not say %s: %v", pattern, err)
		}
	}
}

// endsWith is the exit code, once it has ended.
func (p *mutedProcess) endsWith(t *testing.T, code int) {
	t.Helper()
	select {
	case <-p.end:
		if got := p.cmd.ProcessState.ExitCode(); got != code {
			t.Errorf("exit code %d, want %d: %s", got, code, p.cmd.ProcessState)
		}
	case <-time.After(patience):
		t.Fatal("it did not end")
	}
}

// ask sends requests that each have a line in the log.
func ask(t *testing.T, url string, requests int) {
	t.Helper()
	const workers = 2
	var work sync.WaitGroup
	for range workers {
		work.Go(func() {
			for range requests / workers {
				res, err := (&http.Client{Timeout: patience}).Get(url + "/nowhere/" + strings.Repeat("x", 300))
				if err != nil {
					t.Error(err)
					return
				}
				_, _ = io.Copy(io.Discard, res.Body)
				res.Body.Close()
				if res.StatusCode != http.StatusNotFound {
					t.Error(res.Status)
				}
			}
		})
	}
	work.Wait()
}

// dropped is the metric of lines that are left out.
func dropped(t *testing.T, url string) int {
	t.Helper()
	res, err := (&http.Client{Timeout: patience}).Get(url + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`(?m)^aratta_log_lines_dropped_total (\S+)$`).FindSubmatch(b)
	if m == nil {
		t.Fatalf("%s", b)
	}
	n, err := strconv.ParseFloat(string(m[1]), 64)
	if err != nil {
		t.Fatal(err)
	}
	return int(n)
}

// A log that nobody reads holds up no request and no stop, and no line goes
// missing without being counted.
func TestStalledLog(t *testing.T) {
	p := intoPipe(t, false, "--port", "0")
	url := "http://" + p.until(t, listening, nil)
	p.fill(t)
	const requests = 3000
	ask(t, url, requests)
	n := dropped(t, url)
	if n == 0 || n == requests {
		t.Errorf("%d lines of %d are left out", n, requests)
	}
	logged := 0
	told, err := strconv.Atoi(p.until(t, `"level":"WARN","msg":"lines of the log were left out.*","lines":(\d+)`, func(line string) {
		if strings.Contains(line, `"msg":"request"`) {
			logged++
		}
	}))
	if err != nil || told != n || logged != requests-n {
		t.Errorf("%v: it tells of %d lines, counted are %d; %d are there", err, told, n, logged)
	}
	ask(t, url, 4)
	for range 4 {
		p.until(t, `"msg":"request"`, nil)
	}
	if again := dropped(t, url); again != n {
		t.Errorf("%d lines more are left out", again-n)
	}

	p.fill(t)
	ask(t, url, 4)
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	p.endsWith(t, 0)
}

// stands waits until nothing can be written to the terminal: the system tells it of
// what was typed when it likes to.
func (x *tty) stands() {
	x.t.Helper()
	c, err := x.pty.SyscallConn()
	if err != nil {
		x.t.Fatal(err)
	}
	var n int
	if cerr := c.Control(func(fd uintptr) { n, err = unix.IoctlGetInt(int(fd), unix.TIOCGPTN) }); cerr != nil || err != nil {
		x.t.Fatal(cerr, err)
	}
	fd, err := unix.Open(fmt.Sprint("/dev/pts/", n), unix.O_WRONLY|unix.O_NOCTTY, 0)
	if err != nil {
		x.t.Fatal(err)
	}
	defer unix.Close(fd)
	for late := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		out := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}
		if _, err := unix.Poll(out, 0); err != nil && !errors.Is(err, unix.EINTR) {
			x.t.Fatal(err)
		} else if err == nil && out[0].Revents&unix.POLLOUT == 0 {
			return
		}
		if time.Now().After(late) {
			x.t.Fatal("the terminal takes what is written")
		}
	}
}

// Nor does a terminal that is stopped.
func TestStoppedTerminal(t *testing.T) {
	x := atTerminal(t, machine(t, ""), nil, "serve", "--host", "127.0.0.1", "--port", "0")
	x.shows("Ctrl-C stops it")
	url := regexp.MustCompile(`http://127\.0\.0\.1:\d+`).FindString(x.text())
	x.types("\x13") // Ctrl-S
	x.stands()
	ask(t, url, 4)
	before := x.text()
	if err := x.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	x.ends(0)
	if after := x.text(); after != before {
		t.Errorf("it was not stopped:\n%s", after)
	}
}

// An error at the start has its exit code though nobody is told.
func TestStalledFromTheStart(t *testing.T) {
	p := intoPipe(t, false, "--port", "0")
	addr := p.until(t, listening, nil)
	other := intoPipe(t, true, "--port", addr[strings.LastIndexByte(addr, ':')+1:])
	other.endsWith(t, 1)
}

// Who reads the log may go: the gateway stays, and ends well.
func TestReaderOfTheLogGoes(t *testing.T) {
	p := intoPipe(t, false, "--port", "0")
	url := "http://" + p.until(t, listening, nil)
	p.r.Close()
	ask(t, url, 4)
	late := time.Now().Add(patience)
	for n := 0; n < 4; n = dropped(t, url) {
		if time.Now().After(late) {
			t.Fatalf("%d lines are left out, not 4", n)
		}
	}
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	p.endsWith(t, 0)
}

// What happens at the start stands in order, the error that ends it last.
func TestStartInOrder(t *testing.T) {
	p := intoPipe(t, false, "--port", "0")
	addr := p.until(t, listening, nil)
	other := intoPipe(t, false, "--port", fmt.Sprint(addr[strings.LastIndexByte(addr, ':')+1:]))
	other.until(t, "^aratta: port .* is in use", nil)
	other.endsWith(t, 1)
}
