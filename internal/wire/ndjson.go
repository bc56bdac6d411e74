package wire

import "io"

// NDJSON reads newline-delimited JSON: each line that is not blank is a frame,
// the last one with or without its newline.
type NDJSON struct {
	source
	begun bool // the byte order mark is behind us
	ready bool
	next  span
	frame Frame
}

var _ FrameReader = (*NDJSON)(nil)

// NewNDJSON reads lines from r. One that is larger than maxBytes (16 MiB when
// that is not positive) is a *[TooLargeError].
func NewNDJSON(r io.Reader, maxBytes int) *NDJSON {
	if maxBytes <= 0 {
		maxBytes = defaultMax
	}
	return &NDJSON{source: source{r: r, max: maxBytes}}
}

// Next returns the next line that is not blank, without its line end.
func (n *NDJSON) Next() (*Frame, error) {
	for !n.Pending() {
		if n.err != nil {
			return nil, n.err
		}
		n.fill()
	}
	n.ready = false
	n.frame = Frame{Data: n.buf[n.next.from:n.next.to:n.next.to], Retry: -1}
	n.base = n.pos
	return &n.frame, nil
}

// Pending reports whether a whole line is in memory.
func (n *NDJSON) Pending() bool {
	for !n.ready {
		if !n.line() {
			return false
		}
	}
	return true
}

// line takes one line in, if a whole one is in memory.
func (n *NDJSON) line() bool {
	if !n.begun {
		if n.begun = n.mark(); !n.begun {
			return false
		}
	}
	start := n.pos
	end := n.find('\n', &n.lf)
	if n.over(end - n.base) {
		return false
	}
	last := end == n.end
	if last && (start == end || n.err != io.EOF) { //nolint:errorlint // behind a wrapped io.EOF something broke off
		return false
	}
	if n.pos = end + 1; last {
		n.pos = end
	}
	for start < end && isSpace(n.buf[end-1]) {
		end--
	}
	for start < end && isSpace(n.buf[start]) {
		start++
	}
	n.next, n.ready = span{start, end}, start < end
	if !n.ready {
		n.base = n.pos
	}
	return true
}

func isSpace(c byte) bool { return c == ' ' || c == '\r' || c == '\t' }
