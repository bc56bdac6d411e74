package app

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestWatch(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "overlays") // which may come later
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		began := time.Now()
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
		write := func(text string) error { return os.WriteFile(file, []byte(text), 0o600) }
		beforeLook := func() { time.Sleep(watchEvery - time.Since(began)%watchEvery - writtenFor/4) }
		step(4, "a file that is written in pieces", func() error {
			beforeLook()
			for _, text := range []string{"", "a", "ab"} {
				if err := write(text); err != nil {
					return err
				}
				time.Sleep(writtenFor * 3 / 4)
			}
			return nil
		})
		step(4, "a file that is gone for a moment", func() error {
			info, err := os.Stat(file)
			if err != nil {
				return err
			}
			beforeLook()
			err = os.Remove(file)
			time.Sleep(writtenFor * 3 / 4)
			return errors.Join(err, write("ab"), os.Chtimes(file, info.ModTime(), info.ModTime()))
		})
		step(6, "a file that is written without end", func() error {
			for i := range 100 {
				if err := write(strings.Repeat("a", i)); err != nil {
					return err
				}
				time.Sleep(writtenFor / 2)
				if calls.Load() == 5 {
					return write("the end")
				}
			}
			return errors.New("it was waited for")
		})
		stop()
		<-done
	})
}
