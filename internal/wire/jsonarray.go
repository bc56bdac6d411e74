package wire

import "io"

// JSONArray reads a JSON array element by element as it comes: each element is a
// frame. A document that is no array is one frame. What stands between the
// elements is not looked at closely, nor what is in them: that is for whoever
// reads the frames.
type JSONArray struct {
	source
	begun  bool // the byte order mark is behind us
	inside bool // of the array
	closed bool // the array is over
	ready  bool
	next   span
	frame  Frame

	// Of the value under construction.
	from   int // where it begins, relative to base; -1 = it has not begun
	depth  int
	quoted bool // within a string
	escape bool // behind a backslash
}

var _ FrameReader = (*JSONArray)(nil)

// NewJSONArray reads elements from r. One that is larger than maxBytes (16 MiB
// when that is not positive) is a *[TooLargeError].
func NewJSONArray(r io.Reader, maxBytes int) *JSONArray {
	if maxBytes <= 0 {
		maxBytes = defaultMax
	}
	return &JSONArray{source: source{r: r, max: maxBytes}, from: -1}
}

// Closed reports whether the array has come to its end.
func (a *JSONArray) Closed() bool { return a.closed }

// Look returns how the body begins, as [SSE.Look] does.
func (a *JSONArray) Look(n int) ([]byte, error) {
	for a.end-a.pos < n && a.err == nil {
		a.fill()
	}
	return a.buf[a.pos:a.end:a.end], a.err
}

// Next returns the next element, without white space around it. One that was cut
// off by the end of the stream is a frame, too.
func (a *JSONArray) Next() (*Frame, error) {
	for !a.Pending() {
		if a.err != nil {
			return nil, a.err
		}
		a.fill()
	}
	a.ready = false
	a.frame = Frame{Data: a.buf[a.next.from:a.next.to:a.next.to], Retry: -1}
	a.base = a.pos
	return &a.frame, nil
}

// Pending reports whether a whole element is in memory.
func (a *JSONArray) Pending() bool {
	if a.ready {
		return true
	}
	if !a.begun {
		if a.begun = a.mark(); !a.begun {
			return false
		}
	}
	for a.pos < a.end && !a.ready {
		if a.from < 0 {
			a.between()
		} else {
			a.within()
		}
	}
	if !a.ready && a.from >= 0 && a.err == io.EOF { //nolint:errorlint // behind a wrapped io.EOF something broke off
		a.done(a.end)
	}
	if !a.ready && a.over(a.end-a.base) {
		a.from = -1
	}
	return a.ready
}

// between goes on to where the next element begins.
func (a *JSONArray) between() {
	switch c := a.buf[a.pos]; {
	case isSpace(c), c == '\n', c == ',' && a.inside:
	case c == '[' && !a.inside && !a.closed:
		a.inside = true
	case c == ']' && a.inside:
		a.inside, a.closed = false, true
	default:
		a.base, a.from = a.pos, 0
		a.depth, a.quoted, a.escape = 0, false, false
		return
	}
	a.pos++
	a.base = a.pos
}

// within goes on to where the element ends.
func (a *JSONArray) within() {
	for ; a.pos < a.end; a.pos++ {
		switch c := a.buf[a.pos]; {
		case a.escape:
			a.escape = false
		case a.quoted:
			a.quoted = c != '"'
			a.escape = c == '\\'
		case c == '"':
			a.quoted = true
		case c == '{', c == '[':
			a.depth++
		case (c == ',' || c == ']') && a.depth == 0 && a.inside: // a number or the like
			a.done(a.pos)
			return
		case c == '}', c == ']':
			if a.depth--; a.depth <= 0 {
				a.pos++
				a.done(a.pos)
				return
			}
		}
	}
}

// done ends the element before end.
func (a *JSONArray) done(end int) {
	from := a.base + a.from
	for end > from && (isSpace(a.buf[end-1]) || a.buf[end-1] == '\n') {
		end--
	}
	if a.from = -1; a.over(end - from) {
		return
	}
	a.next, a.ready = span{from, end}, true
}
