package app

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"runtime"
	"sync"
	"syscall"
	"time"

	"github.com/aratta-gateway/aratta/internal/journal"
)

const (
	logWait  = 100 * time.Millisecond // how long a line may lie before it is written
	logSize  = 64 << 10               // how much lies before it is written sooner
	logRoom  = 1 << 20                // how much waits for a reader who takes nothing
	logLeave = time.Second            // how long a stop waits for one
)

// lineBuffer gathers lines of the log, as one write for each costs a few percent
// of a small request, and more where somebody waits to read it. A goroutine writes
// them, so that who logs never waits for who reads. While that one takes nothing, as
// of a pipe that nobody empties, logRoom waits besides what is being written; what
// comes then is left out, counted at once, and told of in its place once lines are
// taken again. So are lines whose write fails.
// Warnings and errors do not lie, see urgent; a crash takes the other lines of the
// last logWait with it.
type lineBuffer struct {
	lineOptions
	w     io.Writer
	wake  chan struct{} // holds one when there is something to write now
	timer *time.Timer   // fires when something has lain for long enough
	ended chan struct{} // closed when the goroutine is over

	mu      sync.Mutex
	buf     []byte
	missing int  // lines behind those of buf that had no room
	armed   bool // the timer runs
	closed  bool // what lies leaves, and then the goroutine ends
	over    bool // it has ended

	// The goroutine's own.
	spare []byte // to be buf again
	owed  int    // lines left out that nobody was told of
	torn  bool   // what was written last is no whole line
}

// lineOptions are what a lineBuffer does with lines.
type lineOptions struct {
	eager   bool                   // nothing lies: somebody looks on
	leftOut func(lines int)        // is told at once of lines that are left out; it must not log
	notice  func(lines int) []byte // the line that tells of them
}

func newLineBuffer(w io.Writer, o lineOptions) *lineBuffer {
	b := &lineBuffer{lineOptions: o, w: w, wake: make(chan struct{}, 1), timer: time.NewTimer(time.Hour), ended: make(chan struct{})}
	b.timer.Stop()
	go b.run()
	return b
}

// Write takes one or more whole lines. It never waits for the reader.
func (b *lineBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	if b.over {
		defer b.mu.Unlock()
		return b.w.Write(p)
	}
	full := b.add(p)
	b.mu.Unlock()
	if full && b.hurry() {
		runtime.Gosched() // or who logs much keeps the processor from who writes
	}
	return len(p), nil
}

// add puts lines behind those that lie, or leaves them out, and says whether so much
// lies that it is to be written. b is locked.
func (b *lineBuffer) add(p []byte) (full bool) {
	if b.missing > 0 || len(b.buf) > 0 && len(b.buf)+len(p) > logRoom {
		// Once one is left out those behind it are, too, so that the gap has one place.
		n := countLines(p)
		b.missing += n
		b.leftOut(n)
		return false
	}
	b.buf = append(b.buf, p...)
	if b.eager || b.closed || len(b.buf) >= logSize {
		return true
	}
	if !b.armed {
		b.armed = true
		b.timer.Reset(logWait)
	}
	return false
}

// hurry has what lies written now; false = it will be anyway.
func (b *lineBuffer) hurry() bool {
	select {
	case b.wake <- struct{}{}:
		return true
	default:
		return false
	}
}

// run writes what lies until the buffer is closed and empty. It alone uses w.
func (b *lineBuffer) run() {
	defer close(b.ended)
	for open := true; open; {
		select {
		case <-b.wake:
		case <-b.timer.C:
		}
		var lines []byte
		var missing int
		if lines, missing, open = b.take(); len(lines) > 0 {
			b.pass(lines, missing)
		}
		if b.spare = lines; cap(lines) > 2*logSize {
			b.spare = nil // it grew while nobody took any
		}
	}
}

// take takes what lies, and the number of lines that are missing behind it. It is
// over (open is false) when nothing comes any more.
func (b *lineBuffer) take() (lines []byte, missing int, open bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.timer.Stop()
	b.armed = false
	if b.closed && len(b.buf) == 0 {
		b.over = true
		return nil, 0, false
	}
	lines, missing = b.buf, b.missing
	b.buf, b.missing = b.spare[:0], 0
	if b.closed {
		b.hurry() // to see whether that was all
	}
	return lines, missing, true
}

// pass writes lines, behind what is still to be told of earlier ones, and tells of
// those that are missing behind them. What cannot be written is left out.
func (b *lineBuffer) pass(lines []byte, missing int) {
	if b.owed == 0 || b.tell() {
		lines = b.write(lines)
	}
	if n := countLines(lines); n > 0 {
		b.leftOut(n)
		b.owed += n + missing
		return
	}
	if b.owed += missing; b.owed > 0 {
		b.tell()
	}
}

// tell writes the line about those that are left out.
func (b *lineBuffer) tell() bool {
	line := b.notice(b.owed)
	if b.torn {
		line = append([]byte{'\n'}, line...)
	}
	if len(b.write(line)) > 0 {
		return false
	}
	b.owed = 0
	return true
}

// write returns what could not be written.
func (b *lineBuffer) write(p []byte) (rest []byte) {
	for {
		n, err := b.w.Write(p)
		if n > 0 {
			b.torn = p[n-1] != '\n'
		}
		if err == nil {
			return nil
		}
		p = p[n:]
		if !errors.Is(err, syscall.EAGAIN) {
			return p
		}
		time.Sleep(logWait) // another process that has the pipe, too, does not want to wait for it
	}
}

func countLines(p []byte) int { return bytes.Count(p, []byte{'\n'}) }

// errLogStuck is that somebody does not take what is left of the log.
var errLogStuck = errors.New("nobody takes the log")

// Close has what lies written, for at most logLeave, and fails when not all of it
// was. What is logged later is not held back.
func (b *lineBuffer) Close() error {
	b.mu.Lock()
	b.closed = true
	b.hurry()
	b.mu.Unlock()
	late := time.NewTimer(logLeave)
	defer late.Stop()
	select {
	case <-b.ended:
		if b.owed == 0 {
			return nil
		}
	case <-late.C:
	}
	return errLogStuck
}

// brief is a writer for the last words of a program that must end, though nobody
// may take them.
type brief struct{ io.Writer }

func (b brief) Write(p []byte) (int, error) {
	taken, words := make(chan error, 1), bytes.Clone(p)
	go func() {
		_, err := b.Writer.Write(words)
		taken <- err
	}()
	select {
	case err := <-taken:
		return len(p), err
	case <-time.After(logLeave):
		return 0, errLogStuck
	}
}

// urgent is a handler on a lineBuffer that has warnings and errors written at once,
// and what lies before them: what they tell of may be the end of the process.
type urgent struct {
	slog.Handler
	b *lineBuffer
}

// Handle writes a record.
func (u urgent) Handle(ctx context.Context, r slog.Record) error {
	err := u.Handler.Handle(ctx, r)
	if r.Level >= slog.LevelWarn {
		u.b.hurry()
	}
	return err
}

// WithAttrs returns a handler that adds attributes.
func (u urgent) WithAttrs(list []slog.Attr) slog.Handler {
	return urgent{u.Handler.WithAttrs(list), u.b}
}

// WithGroup returns a handler that opens a group.
func (u urgent) WithGroup(name string) slog.Handler { return urgent{u.Handler.WithGroup(name), u.b} }

// logger writes for people on a terminal and JSON everywhere else, by way of lines.
// leftOut is told how many lines nobody took.
func (p *program) logger(level string, leftOut func(lines int)) (log *slog.Logger, lines *lineBuffer) {
	attended, opt := terminal(p.Err), &slog.HandlerOptions{Level: logLevel(level)}
	handler := func(w io.Writer) slog.Handler {
		if attended {
			return slog.NewTextHandler(w, opt)
		}
		return slog.NewJSONHandler(w, opt)
	}
	notice := func(n int) []byte {
		var line bytes.Buffer
		r := slog.NewRecord(time.Now(), slog.LevelWarn, "lines of the log were left out, as nobody took them", 0)
		r.AddAttrs(slog.Int("lines", n))
		_ = handler(&line).Handle(context.Background(), r) // whatever the level; into memory
		return line.Bytes()
	}
	lines = newLineBuffer(p.Err, lineOptions{eager: attended, leftOut: leftOut, notice: notice})
	var way slog.Handler = urgent{handler(lines), lines}
	if !attended {
		way = journal.New(lines, way) // and what requests log does not hurry
	}
	return slog.New(way), lines
}
