package app

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aratta-gateway/aratta/internal/overlay"
)

// TestOverlaysAreLoadedAnew: files that change are in force soon after, and a
// mistake changes nothing but the log, which has its place.
func TestOverlaysAreLoadedAnew(t *testing.T) {
	home := t.TempDir()
	file := filepath.Join(home, "overlays", "mine.yaml")
	if err := os.Mkdir(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		var log bytes.Buffer
		g := &live{log: slog.New(slog.NewTextHandler(&log, nil))}
		g.now.Store(&running{Snapshot: &Snapshot{overlays: new(overlay.Active)}})
		done := make(chan struct{})
		go func() {
			defer close(done)
			g.watchOverlays(ctx, home)
		}()
		write := func(text string) {
			t.Helper()
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			time.Sleep(2 * watchEvery)
			synctest.Wait()
		}
		version := func() string {
			for _, o := range g.now.Load().overlays.Set().All() {
				if o.ID == "mine" {
					return o.Version
				}
			}
			return "none"
		}
		synctest.Wait()
		write("{id: mine, version: 1, ops: [{op: drop, path: a}]}")
		if got := version(); got != "1" {
			t.Errorf("version %s is in force, want 1", got)
		}
		write("{id: mine, version: 22, ops: [{op: dorp, path: a}]}")
		if got := version(); got != "1" {
			t.Errorf("after a mistake version %s is in force", got)
		}
		write("{id: mine, version: 333, ops: [{op: drop, path: a}]}")
		if got := version(); got != "333" {
			t.Errorf("version %s is in force, want 333", got)
		}
		stop()
		<-done
		if text := log.String(); !strings.Contains(text, "mine.yaml:1:36: unknown op") || !strings.Contains(text, "did you mean") {
			t.Errorf("the log does not say what is wrong where: %s", text)
		}
	})
}
