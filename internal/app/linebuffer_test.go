package app

import (
	"log/slog"
	"runtime/debug"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestLineBuffer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out logBuffer
		b := newLineBuffer(&out)
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

// What an operator must not miss is written at once, with what led to it.
func TestWarningsDoNotLie(t *testing.T) {
	for level, want := range map[slog.Level]int{slog.LevelInfo: 0, slog.LevelWarn: 2, slog.LevelError: 2} {
		synctest.Test(t, func(t *testing.T) {
			var out logBuffer
			log, done := (&program{IO: IO{Err: &out}}).logger("info")
			log.Info("before")
			log.With("a", 1).WithGroup("g").Log(t.Context(), level, "it", "b", 2)
			if got := strings.Count(out.String(), "\n"); got != want {
				t.Errorf("%s: %d lines written, want %d", level, got, want)
			}
			if err := done(); err != nil || strings.Count(out.String(), "\n") != 2 || !strings.Contains(out.String(), `"a":1,"g":{"b":2}`) {
				t.Errorf("%v: %s", err, out.String())
			}
		})
	}
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
