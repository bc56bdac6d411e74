package wire

import (
	"bytes"
	"io"
	"math"
	"time"
)

// garbageText is how much of a body that is no event stream is kept.
const garbageText = 4 << 10

// SSE reads server-sent events as the WHATWG standard has them, with three
// differences: comments are reported, unless one stands within an event; an
// event cut off by the end of the stream is reported, since providers leave the
// last blank line out; each frame has its own id only. Events without data are
// not reported.
type SSE struct {
	source
	begun   bool // the byte order mark is behind us
	ready   bool // next is a whole frame
	skipLF  bool // a '\r' ended the last line, a '\n' right after it belongs to it
	next    parts
	frame   Frame
	garbage int
	text    []byte
}

// parts is a frame under construction, as offsets into the buffer.
type parts struct {
	any, comment bool // a field of it was seen; it is a comment
	data         span
	event, id    named
	retry        time.Duration
}

// span is buf[from:to], absent when from is negative.
type span struct{ from, to int }

// named is the value of a field other than data: a span, or a copy where
// joining data lines would have overwritten it.
type named struct {
	span
	copied []byte
}

var _ FrameReader = (*SSE)(nil)

// NewSSE reads events from r. One that is larger than maxBytes (16 MiB when
// that is not positive), field names included, is a *[TooLargeError].
func NewSSE(r io.Reader, maxBytes int) *SSE {
	if maxBytes <= 0 {
		maxBytes = defaultMax
	}
	s := &SSE{source: source{r: r, max: maxBytes}}
	s.clear()
	return s
}

// Look returns how the body begins: at least n bytes of it, unless it ends or
// breaks off before, which the error tells. It is for use before Next, which
// gives the same bytes again, and what it returns is valid until then.
func (s *SSE) Look(n int) ([]byte, error) {
	for s.end-s.pos < n && s.err == nil {
		s.fill()
	}
	return s.buf[s.pos:s.end:s.end], s.err
}

// Next returns the next event or comment.
func (s *SSE) Next() (*Frame, error) {
	for !s.Pending() {
		if s.err != nil {
			return nil, s.err
		}
		before := s.base
		s.fill()
		s.next.move(s.base - before)
	}
	s.ready = false
	s.frame = Frame{
		Event:   s.named(s.next.event),
		Data:    s.bytes(s.next.data),
		ID:      s.named(s.next.id),
		Retry:   s.next.retry,
		Comment: s.next.comment,
	}
	s.clear()
	s.base = s.pos
	return &s.frame, nil
}

// Pending reports whether a whole event or comment is in memory.
func (s *SSE) Pending() bool {
	for !s.ready {
		if !s.line() {
			return false
		}
	}
	return true
}

// Garbage returns how many lines so far were neither a known field nor a
// comment nor blank: all of them, where the body is no event stream at all.
func (s *SSE) Garbage() int { return s.garbage }

// GarbageText returns the first of those lines, joined by \n, up to 4 KiB.
func (s *SSE) GarbageText() string { return string(s.text) }

// line takes one line in, if a whole one is in memory.
func (s *SSE) line() bool {
	if !s.begun {
		if s.begun = s.mark(); !s.begun {
			return false
		}
	}
	if s.skipLF && s.pos < s.end {
		s.skipLF = false
		if s.buf[s.pos] == '\n' {
			if s.pos++; !s.next.any {
				s.base = s.pos
			}
		}
	}
	start := s.pos
	end := min(s.find('\n', &s.lf), s.find('\r', &s.cr))
	if end == s.end {
		return s.unfinished(start)
	}
	if s.over(end - s.base) {
		return false
	}
	s.pos = end + 1
	if s.buf[end] == '\r' {
		s.skipLF = true
	}
	if start == end {
		s.blank()
	} else {
		s.field(start, end)
	}
	return true
}

// unfinished deals with a line whose end is not in memory.
func (s *SSE) unfinished(start int) bool {
	if s.over(s.end-s.base) || s.err != io.EOF { //nolint:errorlint // behind a wrapped io.EOF something broke off
		return false
	}
	if s.pos = s.end; start < s.end {
		s.field(start, s.end)
	}
	if !s.ready {
		s.blank()
	}
	return s.ready
}

// blank ends the frame, if there is one to end.
func (s *SSE) blank() {
	if s.ready = s.next.data.from >= 0; !s.ready {
		s.clear()
		s.base = s.pos
	}
}

// field takes in the line buf[start:end].
func (s *SSE) field(start, end int) {
	line := s.buf[start:end]
	colon := bytes.IndexByte(line[:min(len(line), len("event:"))], ':')
	value := span{end, end}
	name := line
	if colon >= 0 {
		name = line[:colon]
		value.from = start + colon + 1
		if value.from < end && s.buf[value.from] == ' ' {
			value.from++
		}
	}
	switch string(name) {
	case "data":
		s.addData(value)
	case "event":
		s.next.event = named{span: value}
	case "id":
		if bytes.IndexByte(s.bytes(value), 0) < 0 {
			s.next.id = named{span: value}
		}
	case "retry":
		if d := retry(s.bytes(value)); d >= 0 {
			s.next.retry = d
		}
	case "":
		if !s.next.any {
			s.next.comment, s.next.data, s.ready = true, value, true
		}
		return
	default:
		s.addGarbage(line)
		if !s.next.any {
			s.base = s.pos
		}
		return
	}
	s.next.any = true
}

// addData joins data lines in place: the line end and the field name between
// them leave room for the one byte that joins them.
func (s *SSE) addData(value span) {
	d := &s.next.data
	if d.from < 0 {
		*d = value
		return
	}
	for _, v := range []*named{&s.next.event, &s.next.id} {
		if v.copied == nil && v.from > d.from {
			v.copied = append([]byte{}, s.bytes(v.span)...)
		}
	}
	s.buf[d.to] = '\n'
	n := copy(s.buf[d.to+1:], s.buf[value.from:value.to])
	d.to += 1 + n
}

func (s *SSE) addGarbage(line []byte) {
	s.garbage++
	if len(s.text) > 0 && len(s.text) < garbageText {
		s.text = append(s.text, '\n')
	}
	s.text = append(s.text, line[:min(len(line), garbageText-len(s.text))]...)
}

func (s *SSE) bytes(v span) []byte {
	if v.from < 0 {
		return nil
	}
	return s.buf[v.from:v.to:v.to]
}

func (s *SSE) named(v named) []byte {
	if v.copied != nil {
		return v.copied
	}
	return s.bytes(v.span)
}

func (s *SSE) clear() {
	none := span{-1, -1}
	s.next = parts{event: named{span: none}, data: none, id: named{span: none}, retry: -1}
}

// move follows the buffer's content when that was moved by delta.
func (p *parts) move(delta int) {
	for _, v := range []*span{&p.event.span, &p.data, &p.id.span} {
		if v.from >= 0 {
			v.from += delta
			v.to += delta
		}
	}
}

// retry reads a reconnection time: digits only, else -1.
func retry(b []byte) time.Duration {
	const most = math.MaxInt64 / int64(time.Millisecond)
	n := int64(0)
	for _, c := range b {
		if c < '0' || c > '9' || n > (most-9)/10 {
			return -1
		}
		n = n*10 + int64(c-'0')
	}
	if len(b) == 0 {
		return -1
	}
	return time.Duration(n) * time.Millisecond
}
