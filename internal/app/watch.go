package app

import (
	"bytes"
	"context"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// watchFiles puts the configuration into force anew whenever its file or the
// files of the catalogue are others than before, until ctx ends. It looks every so
// often: that works on every file system, those of containers included.
func (g *live) watchFiles(ctx context.Context) {
	file, dir := g.file, providerDir(Home(g.env))
	if file == "" {
		file = usualFile(g.env)
	}
	state := func() (text, catalogue string) {
		entries, err := os.ReadDir(dir)
		if err != nil {
			return stamp(file), ""
		}
		var files []string
		for _, e := range entries {
			if strings.HasSuffix(e.Name(), ".yaml") {
				files = append(files, filepath.Join(dir, e.Name()))
			}
		}
		return stamp(file), stamp(files...)
	}
	text, catalogue := state()
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		t, c := state()
		if t == text && c == catalogue {
			continue
		}
		same := c == catalogue && g.inForce(file)
		text, catalogue = t, c
		if !same { // written by Replace, or merely touched
			_, _ = g.Reload(ctx) // which logs what is wrong
		}
	}
}

// inForce reports whether a file's text is in force.
func (g *live) inForce(file string) bool {
	b, err := os.ReadFile(file)
	return err == nil && bytes.Equal(b, g.now.Load().Config.Text)
}

// watchSignals puts the configuration into force anew at each SIGHUP.
func (g *live) watchSignals(ctx context.Context) {
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	defer signal.Stop(hup)
	for {
		select {
		case <-ctx.Done():
			return
		case <-hup:
			_, _ = g.Reload(ctx) // which logs what is wrong
		}
	}
}
