package steward

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"

	"github.com/aratta-gateway/aratta/internal/discreet"
)

// Bounds of what is kept of a runtime's output.
const (
	mostLines = 8
	mostLine  = 4 << 10
)

// output is what a runtime says. Until it answers, nobody can have asked it
// anything: its lines go to the log (level debug), and the last of them tell why it
// died. From then on they may hold what it was asked, and are thrown away.
type output struct {
	log  *slog.Logger
	name string

	mu     sync.Mutex
	hushed bool
	part   []byte // of a line
	last   []string
}

// Write takes what a runtime says.
func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.hushed {
		return len(p), nil
	}
	o.part = append(o.part, p...)
	for {
		line, rest, ok := bytes.Cut(o.part, []byte("\n"))
		if !ok {
			break
		}
		o.line(line)
		o.part = append(o.part[:0], rest...)
	}
	if len(o.part) > mostLine {
		o.line(o.part)
		o.part = o.part[:0]
	}
	return len(p), nil
}

func (o *output) line(b []byte) {
	s := discreet.Clip(strings.TrimSpace(strings.ToValidUTF8(string(b), "?")))
	if s == "" {
		return
	}
	if o.last = append(o.last, s); len(o.last) > mostLines {
		o.last = append(o.last[:0], o.last[1:]...)
	}
	o.log.Debug("runtime: says", "name", o.name, "line", s)
}

// hush throws away what comes from now on, and what came.
func (o *output) hush() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.hushed, o.part, o.last = true, nil, nil
}

// why is err with the last lines, if it ended before it answered.
func (o *output) why(err error) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.part) > 0 {
		o.line(o.part)
	}
	if len(o.last) == 0 {
		return err
	}
	if err == nil {
		err = errors.New("it ended without a failure")
	}
	return fmt.Errorf("%w; it said: %s", err, strings.Join(o.last, " | "))
}
