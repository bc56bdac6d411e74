package app

import (
	"io"
	"sync"
	"time"
)

const (
	logWait = 100 * time.Millisecond // how long a line may lie before it is written
	logSize = 64 << 10               // how much may lie
)

// lineBuffer gathers lines of the log, as one write for each request costs as
// much as a tenth of the request. It holds no more than logSize: whoever logs
// when it is full writes it out, and waits for that.
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
