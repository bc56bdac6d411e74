package app

import (
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

func TestCollectorObeysGOGC(t *testing.T) {
	stop := paceCollector(func(string) (string, bool) { return "50", true })
	stop()
}

func TestCollectorGivesRoom(t *testing.T) {
	stop := paceCollector(func(string) (string, bool) { return "", false })
	percent := debug.SetGCPercent(defaultPercent)
	stop()
	if percent < largePercent || percent > heapRoom*100/leastHeap {
		t.Errorf("%d%%", percent)
	}
}
