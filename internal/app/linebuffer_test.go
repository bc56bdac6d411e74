package app

import (
	"fmt"
	"log/slog"
	"math"
	"runtime/debug"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aratta-gateway/aratta/internal/journal"
)

func TestLineBuffer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out logBuffer
		b := newLineBuffer(&out, lineOptions{leftOut: func(n int) { t.Error(n, "lines are left out") }})
		write := func(s string) {
			t.Helper()
			if n, err := b.Write([]byte(s)); n != len(s) || err != nil {
				t.Fatal(n, err)
			}
		}
		expect := func(want string) {
			t.Helper()
			synctest.Wait()
			if got := out.String(); got != want {
				t.Fatalf("written: %.80q, want %.80q", got, want)
			}
			out.reset()
		}
		write("one\n")
		write("two\n")
		expect("")
		time.Sleep(logWait)
		expect("one\ntwo\n")

		time.Sleep(10 * logWait)
		write("three\n")
		time.Sleep(logWait / 2)
		expect("")
		time.Sleep(logWait)
		expect("three\n")

		long := strings.Repeat("x", logSize-1) + "\n"
		write(long) // full: nothing waits
		expect(long)

		write("last\n")
		if err := b.Close(); err != nil {
			t.Fatal(err)
		}
		expect("last\n")
		write("later\n")
		expect("later\n")
	})
}

// What every request logs has the short way, with the same text.
func TestRequestsLogTheShortWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out logBuffer
		log, lines := (&program{IO: IO{Err: &out}}).logger("info", nil)
		if _, ok := log.Handler().(*journal.Handler); !ok {
			t.Errorf("a log for machines has the handler %T", log.Handler())
		}
		journal.Log(t.Context(), log, slog.LevelInfo, "request", slog.Int("e", 5), slog.Float64("f", 6.5))
		if err := lines.Close(); err != nil || strings.Count(out.String(), `"msg":"request","e":5,"f":6.5}`) != 1 {
			t.Errorf("%v: %s", err, out.String())
		}
	})
}

// What an operator must not miss is written at once, with what led to it.
func TestWarningsDoNotLie(t *testing.T) {
	for level, want := range map[slog.Level]int{slog.LevelInfo: 0, slog.LevelWarn: 2, slog.LevelError: 2} {
		synctest.Test(t, func(t *testing.T) {
			var out logBuffer
			log, lines := (&program{IO: IO{Err: &out}}).logger("info", nil)
			log.Info("before")
			log.With("a", 1).WithGroup("g").Log(t.Context(), level, "it", "b", 2)
			synctest.Wait()
			if got := strings.Count(out.String(), "\n"); got != want {
				t.Errorf("%s: %d lines written, want %d", level, got, want)
			}
			if err := lines.Close(); err != nil || strings.Count(out.String(), "\n") != 2 || !strings.Contains(out.String(), `"a":1,"g":{"b":2}`) {
				t.Errorf("%v: %s", err, out.String())
			}
		})
	}
}

// reader is who takes the log, when it is let.
type reader struct {
	logBuffer
	let  chan int   // how much of a write it takes
	fail chan error // how the write ends then
}

func newReader() *reader { return &reader{let: make(chan int), fail: make(chan error)} }

func (r *reader) Write(p []byte) (int, error) {
	n := min(<-r.let, len(p))
	_, _ = r.logBuffer.Write(p[:n])
	return n, <-r.fail
}

// take lets one write through.
func (r *reader) take() {
	r.let <- math.MaxInt
	r.fail <- nil
}

// tear fails one write behind its first n bytes.
func (r *reader) tear(n int) {
	r.let <- n
	r.fail <- syscall.ENOSPC
}

// gapped is a buffer for a reader, which counts what is left out.
func gapped(r *reader) (b *lineBuffer, leftOut *int) {
	leftOut = new(int) // under the buffer's lock, or in its goroutine
	return newLineBuffer(r, lineOptions{
		leftOut: func(n int) { *leftOut += n },
		notice:  func(n int) []byte { return fmt.Appendf(nil, "- %d -\n", n) },
	}), leftOut
}

// Who logs never waits for a reader that takes nothing: what has no room is left
// out, and the reader is told how much in the place where it is missing.
func TestNobodyReadsTheLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newReader()
		b, leftOut := gapped(r)
		begin, line := time.Now(), strings.Repeat("x", 1023)+"\n"
		write := func(s string) {
			if n, err := b.Write([]byte(s)); n != len(s) || err != nil {
				t.Fatal(n, err)
			}
		}
		write("first\n")
		time.Sleep(2 * logWait) // it is being written
		const room = logRoom / 1024
		for range room + 7 {
			write(line)
		}
		write("short\n") // there is room for it, but not in its place
		if *leftOut != 8 || len(b.buf) != logRoom || time.Since(begin) != 2*logWait {
			t.Errorf("%d lines left out, %d bytes wait, %s", *leftOut, len(b.buf), time.Since(begin))
		}
		r.take()
		synctest.Wait() // what waited is being written
		write("later\n")
		r.take()
		r.take() // the notice
		time.Sleep(2 * logWait)
		r.take()
		synctest.Wait()
		if want := "first\n" + strings.Repeat(line, room) + "- 8 -\nlater\n"; r.String() != want {
			t.Errorf("it is told of what is missing elsewhere or not: ...%q", r.String()[max(0, len(r.String())-100):])
		}
		write("last\n")
		time.Sleep(2 * logWait)
		r.take()
		synctest.Wait()
		if cap(b.spare) > 2*logSize || cap(b.buf) > 2*logSize {
			t.Errorf("%d and %d bytes are kept", cap(b.spare), cap(b.buf))
		}
		if err := b.Close(); err != nil || *leftOut != 8 {
			t.Error(err, *leftOut)
		}
	})
}

// A stop waits for who takes nothing, but not long.
func TestLogThatDoesNotLeave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newReader()
		b, _ := gapped(r)
		_, _ = b.Write([]byte("one\n"))
		time.Sleep(2 * logWait)
		_, _ = b.Write([]byte("two\n"))
		begin := time.Now()
		if err := b.Close(); err == nil || time.Since(begin) != logLeave {
			t.Errorf("%v after %s", err, time.Since(begin))
		}
		r.take()
		r.take()
		if err := b.Close(); err != nil || r.String() != "one\ntwo\n" {
			t.Errorf("%v: %q", err, r.String())
		}
	})
}

// What cannot be written, as to a disk that is full, is told of when that is over,
// on a line of its own.
func TestLogThatCannotBeWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newReader()
		b, leftOut := gapped(r)
		write := func(s string, then ...func()) {
			_, _ = b.Write([]byte(s))
			time.Sleep(2 * logWait)
			for _, f := range then {
				f()
			}
			synctest.Wait()
		}
		write("one\ntwo\nthree\n", func() { r.tear(6) })
		write("four\n", func() { r.tear(0) })                     // the notice
		write("five\n", func() { r.tear(3) })                     // half of it
		write("six\n", r.take, r.take)                            // both
		write("seven\n", r.take)                                  // nothing to tell
		write("eight\nnine\n", func() { r.tear(len("eight\n")) }) // between lines
		write("ten\n", r.take, r.take)
		if want := "one\ntw\n- \n- 4 -\nsix\nseven\neight\n- 1 -\nten\n"; r.String() != want || *leftOut != 5 {
			t.Errorf("%d lines are left out: %q, want %q", *leftOut, r.String(), want)
		}
		write("eleven\ntwelve\n", func() { r.let <- 9; r.fail <- syscall.EAGAIN; r.take() }) // that is no failure
		if !strings.HasSuffix(r.String(), "ten\neleven\ntwelve\n") || *leftOut != 5 {
			t.Errorf("a pipe that does not block: %q", r.String())
		}
		write("more\n", func() { r.tear(0) })
		if err := b.Close(); err == nil {
			t.Error("the end is not told of what is missing")
		}
	})
}

func TestCollectorObeysGOGC(t *testing.T) {
	before := debug.SetGCPercent(73)
	defer debug.SetGCPercent(before)
	stop := paceCollector(env("GOGC", "50"))
	during := debug.SetGCPercent(73)
	stop()
	if after := debug.SetGCPercent(73); during != 73 || after != 73 {
		t.Errorf("the pace that GOGC sets became %d%%, then %d%%", during, after)
	}
}

func TestHeapRoom(t *testing.T) {
	const mb = 1 << 20
	for _, c := range []struct {
		what             string
		size, rate, want int64
	}{
		{"nothing to do", 4 * mb, 0, leastRoom},
		{"a little", 4 * mb, 100 * mb, 10 * mb},
		{"busy", 4 * mb, 2000 * mb, mostRoom},
		{"streams that wait", 400 * mb, mb, 50 * mb},
		{"streams that work", 400 * mb, 20 * mb, 160 * mb},
		{"streams, and much besides", 400 * mb, 2000 * mb, 200 * mb},
	} {
		if got := heapRoom(c.size, c.rate); got != c.want {
			t.Errorf("%s: %d MB, want %d", c.what, got/mb, c.want/mb)
		}
	}
}
