package app

import (
	"bytes"
	"context"
	"os"
	"time"
)

// watchEvery is how often files are looked at; and so long they must be the same, or
// somebody is still writing. Who never ends to write is not waited for.
const (
	watchEvery  = 2 * time.Second
	writtenFor  = 200 * time.Millisecond
	mostWritten = 10
)

// watch calls changed whenever state is another than before, until ctx ends. It looks
// every so often: that works on every file system, those of containers included.
func watch(ctx context.Context, state func() string, changed func()) {
	last := state()
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if now := settled(ctx, last, state); now != last {
			last = now
			changed()
		}
	}
}

// settled is the state, once it stays the same if it is another than before.
func settled(ctx context.Context, last string, state func() string) string {
	now := state()
	for range mostWritten {
		if now == last {
			break
		}
		select {
		case <-ctx.Done():
			return last
		case <-time.After(writtenFor):
		}
		again := state()
		if again == now {
			break
		}
		now = again
	}
	return now
}

// watchFiles puts the configuration into force anew whenever its file or the
// files of the catalogue are others than before, until ctx ends.
func (g *live) watchFiles(ctx context.Context) {
	file, dir := g.file, providerDir(Home(g.env))
	if file == "" {
		file = usualFile(g.env)
	}
	catalogue, wrong := stampDir(dir), false
	watch(ctx, func() string { return stamp(file) + stampDir(dir) }, func() {
		now := stampDir(dir)
		if now == catalogue && g.inForce(file) { // written by Replace, merely touched, or mended
			if wrong {
				g.log.InfoContext(ctx, "configuration: the file says again what is in force")
			}
			wrong = false
			return
		}
		_, err := g.Reload(ctx) // which logs what is wrong
		if wrong = err != nil; !wrong {
			catalogue = now
		}
	})
}

// inForce reports whether a file's text is in force.
func (g *live) inForce(file string) bool {
	b, err := os.ReadFile(file)
	return err == nil && bytes.Equal(b, g.now.Load().Config.Text)
}

// watchSignals puts the configuration into force anew at each SIGHUP, but for that of a
// terminal which is gone: whoever closes a window means the gateway in it to end.
func (g *live) watchSignals(ctx context.Context, hup <-chan os.Signal, gone func() bool, end func()) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-hup:
			if gone() {
				end()
				return
			}
			_, _ = g.Reload(ctx) // which logs what is wrong
		}
	}
}
