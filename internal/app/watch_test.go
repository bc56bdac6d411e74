package app

import (
	"context"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestWatch(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "overlays") // which may come later
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		var calls atomic.Int32
		done := make(chan struct{})
		go func() {
			defer close(done)
			watch(ctx, func() string { return stampDir(dir) }, func() { calls.Add(1) })
		}()
		step := func(want int, what string, change func() error) {
			t.Helper()
			if err := change(); err != nil {
				t.Fatal(err)
			}
			time.Sleep(watchEvery + watchEvery/2)
			synctest.Wait()
			if got := int(calls.Load()); got != want {
				t.Errorf("%s: %d calls, want %d", what, got, want)
			}
		}
		file := filepath.Join(dir, "a.yaml")
		step(0, "nothing", func() error { return nil })
		step(0, "an empty folder", func() error { return os.Mkdir(dir, 0o700) })
		step(1, "a file", func() error { return os.WriteFile(file, []byte("a"), 0o600) })
		step(1, "another kind of file", func() error { return os.WriteFile(filepath.Join(dir, "b.txt"), nil, 0o600) })
		step(2, "a longer file", func() error { return os.WriteFile(file, []byte("ab"), 0o600) })
		step(3, "no file", func() error { return os.Remove(file) })
		stop()
		<-done
	})
}
