package app

import (
	"bufio"
	"context"
	"io"
)

// lines reads lines without making a caller wait longer than its context.
type lines struct{ ch chan string }

// newLines starts to read r. Its goroutine ends with r, which for a terminal is
// the end of the process.
func newLines(r io.Reader) *lines {
	l := &lines{ch: make(chan string)}
	go func() {
		defer close(l.ch)
		s := bufio.NewScanner(r)
		s.Buffer(nil, maxPrompt)
		for s.Scan() {
			l.ch <- s.Text()
		}
	}()
	return l
}

// next waits for a line; false means that none will come.
func (l *lines) next(ctx context.Context) (string, bool) {
	select {
	case s, ok := <-l.ch:
		return s, ok
	case <-ctx.Done():
		return "", false
	}
}
