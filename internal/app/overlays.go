package app

import (
	"context"
	"path/filepath"
	"time"

	"github.com/aratta-gateway/aratta/internal/overlay"
)

// overlayDir is where a person's overlays lie.
func overlayDir(home string) string {
	if home == "" {
		return ""
	}
	return filepath.Join(home, "overlays")
}

// providerDir is where a person's catalogue files lie.
func providerDir(home string) string {
	if home == "" {
		return ""
	}
	return filepath.Join(home, "providers")
}

// loadOverlays reads a person's overlays; the built-in ones act beside them.
func loadOverlays(home string) (*overlay.Set, error) {
	own, err := ownOverlays(home)
	if err != nil {
		return nil, err
	}
	return overlay.WithBuiltins(own...), nil
}

func ownOverlays(home string) ([]*overlay.Overlay, error) {
	dir := overlayDir(home)
	if dir == "" {
		return nil, nil
	}
	return overlay.LoadDir(dir)
}

// watchOverlays puts overlays into force as their files change, until ctx ends.
// Files with a mistake change nothing.
func (g *live) watchOverlays(ctx context.Context, home string) {
	dir := overlayDir(home)
	if dir == "" {
		return
	}
	watch(ctx, func() string { return stampDir(dir) }, func() {
		set, err := loadOverlays(home)
		if err != nil {
			g.log.ErrorContext(ctx, "overlays: the files have a mistake; what was in force stays", "error", plainError(err))
			return
		}
		g.turn.Lock() // or a reload under way would put what it read before in their place
		defer g.turn.Unlock()
		g.now.Load().overlays.Replace(set)
		g.log.InfoContext(ctx, "overlays: loaded anew", "overlays", len(set.All()))
	})
}

// waiting lists warnings about overlays that are there and do nothing.
func waiting(set *overlay.Set, now time.Time) []string {
	var list []string
	for _, o := range set.All() {
		switch {
		case o.Origin == overlay.Builtin || o.Disabled:
		case o.Waits():
			list = append(list, "overlay "+o.Name()+": waits for approval, see "+o.File)
		case o.Expired(now):
			list = append(list, "overlay "+o.Name()+": expired on "+o.Expires.Format(time.DateOnly)+", see "+o.File)
		}
	}
	return list
}
