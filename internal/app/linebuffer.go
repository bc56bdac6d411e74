package app

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"sync"
	"time"
)

const (
	logWait = 100 * time.Millisecond // how long a line may lie before it is written
	logSize = 64 << 10               // how much may lie
)

// lineBuffer gathers lines of the log, as one write for each costs a few percent
// of a small request, and more where somebody waits to read it. It holds no more
// than logSize: whoever logs when it is full writes it out, and waits for that.
// Warnings and errors do not lie, see urgent; a crash takes the other lines of the
// last logWait with it.
type lineBuffer struct {
	w io.Writer

	mu     sync.Mutex
	buf    []byte
	timer  *time.Timer
	armed  bool // the timer runs
	closed bool
}

func newLineBuffer(w io.Writer) *lineBuffer {
	b := &lineBuffer{w: w}
	b.timer = time.AfterFunc(time.Hour, b.due)
	b.timer.Stop()
	return b
}

// Write takes one or more whole lines.
func (b *lineBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.buf = append(b.buf, p...); len(b.buf) >= logSize || b.closed {
		return len(p), b.flush()
	}
	if !b.armed {
		b.armed = true
		b.timer.Reset(logWait)
	}
	return len(p), nil
}

// due writes out what has lain for long enough.
func (b *lineBuffer) due() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.armed = false
	_ = b.flush() // the next to write meets the same failure
}

// Flush writes out what is there.
func (b *lineBuffer) Flush() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.flush()
}

func (b *lineBuffer) flush() error {
	if len(b.buf) == 0 {
		return nil
	}
	_, err := b.w.Write(b.buf)
	b.buf = b.buf[:0]
	return err
}

// Close writes out what is there. What is written later is not held back.
func (b *lineBuffer) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	b.timer.Stop()
	return b.flush()
}

// urgent is a handler on a lineBuffer that writes out warnings and errors at once,
// and what lies before them: what they tell of may be the end of the process.
type urgent struct {
	slog.Handler
	b *lineBuffer
}

// Handle writes a record.
func (u urgent) Handle(ctx context.Context, r slog.Record) error {
	err := u.Handler.Handle(ctx, r)
	if r.Level >= slog.LevelWarn {
		err = errors.Join(err, u.b.Flush())
	}
	return err
}

// WithAttrs returns a handler that adds attributes.
func (u urgent) WithAttrs(list []slog.Attr) slog.Handler {
	return urgent{u.Handler.WithAttrs(list), u.b}
}

// WithGroup returns a handler that opens a group.
func (u urgent) WithGroup(name string) slog.Handler { return urgent{u.Handler.WithGroup(name), u.b} }
