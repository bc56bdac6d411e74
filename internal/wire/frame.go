package wire

import (
	"bytes"
	"io"
	"time"
)

// Frame is one unit of a stream. It is valid until the next call of Next;
// whatever was read out of it without copying is, too.
type Frame struct {
	Event   []byte        // SSE event name, nil when absent
	Data    []byte        // the payload, several data lines joined by \n; a comment's text
	ID      []byte        // SSE id of this very frame, nil when absent
	Retry   time.Duration // SSE reconnection time, -1 when absent
	Comment bool          // an SSE comment: a sign of life, no event
}

// FrameReader reads a stream frame by frame.
type FrameReader interface {
	// Next returns the next frame. It reads from the source only when no whole
	// frame is in memory. io.EOF follows the last frame; any other read error
	// follows the frames that were complete before it. Errors are final.
	Next() (*Frame, error)
	// Pending reports whether another whole frame is in memory already, so that
	// Next will not wait. It leaves the current frame valid and costs little.
	Pending() bool
}

// Lender is a reader that lends memory for what comes at once, so that not each stream
// allocates its own.
type Lender interface {
	// Lend returns memory of so many bytes, until GiveBack. It is for one borrower, who
	// has given back what he had before.
	Lend(size int) []byte
	// GiveBack says that nobody reads any more what was lent. Who does not say it reads
	// until the stream is over.
	GiveBack()
}

const (
	firstBuffer = 1 << 10  // most streams are idle most of the time
	burstBuffer = 32 << 10 // what it grows to because a read fills it
	defaultMax  = 16 << 20 // where a caller names no limit
	smallFrames = 16       // after so many reads a large buffer is given up
)

// source is the part of a stream that is in memory: buf[base:end], lines before
// pos taken in already. A frame under construction begins at base.
type source struct {
	r              io.Reader
	buf            []byte
	base, pos, end int
	lf, cr         int // next '\n' and '\r' from pos on, or up to where there is none
	max            int
	full           bool  // the last read filled the buffer
	lent           bool  // buf belongs to the reader
	small          int   // how often it was found empty since more than firstBuffer was needed
	err            error // of the reader; final
}

// fill reads once, unless the stream is over.
func (s *source) fill() {
	for range 100 { // as bufio does: readers may return nothing now and then
		if s.err != nil {
			return
		}
		s.makeRoom()
		n, err := s.r.Read(s.buf[s.end:])
		s.end += n
		s.full = s.end >= len(s.buf)-len(s.buf)/8 // a reader that takes off frames of its own leaves a little
		s.err = err
		if n > 0 || err != nil {
			return
		}
	}
	s.err = io.ErrNoProgress
}

// makeRoom makes sure that there is room to read into: by dropping what was
// consumed, else by growing. Each byte is moved a bounded number of times. What
// one large frame needed (some streams begin with an echo of the request) is
// given back when the small ones after it do not need it.
func (s *source) makeRoom() {
	kept := s.end - s.base
	if s.end > firstBuffer {
		s.small = 0
	}
	if kept == 0 && s.base > 0 {
		s.small++
		if len(s.buf) > firstBuffer && s.small > smallFrames {
			s.move(firstBuffer)
		} else {
			s.shift(s.buf)
		}
	}
	size := max(len(s.buf), firstBuffer)
	switch {
	case s.full && len(s.buf) < burstBuffer, s.waiting() > size: // a burst: what is read at once is sent at once
		size = max(size, burstBuffer)
	case kept > size/2 && s.end == len(s.buf):
		size *= 2
	}
	switch {
	case size > len(s.buf):
		s.move(size)
	case kept <= size/2 && s.end > size/2 || s.end == len(s.buf):
		s.shift(s.buf)
	}
	s.full = false
}

// waiting is how many bytes the reader has in memory, as far as it tells.
func (s *source) waiting() int {
	if b, ok := s.r.(interface{ Buffered() int }); ok {
		return b.Buffered()
	}
	return 0
}

// move moves what is kept to a buffer of another size.
func (s *source) move(size int) {
	l, lends := s.r.(Lender)
	switch {
	case s.lent:
		s.lent = false
		s.shift(make([]byte, size))
		l.GiveBack()
	case lends && size == burstBuffer:
		s.lent = true
		s.shift(l.Lend(size))
	default:
		s.shift(make([]byte, size))
	}
}

// shift moves what is kept to the start of buf, which may be the same one.
func (s *source) shift(buf []byte) {
	n := copy(buf, s.buf[s.base:s.end])
	s.lf = max(s.lf-s.base, 0)
	s.cr = max(s.cr-s.base, 0)
	s.pos -= s.base
	s.base, s.end, s.buf = 0, n, buf
}

// find returns where the next c from pos on is, or end. at remembers the place,
// so that no byte is searched twice.
func (s *source) find(c byte, at *int) int {
	*at = max(*at, s.pos)
	if *at < s.end && s.buf[*at] != c {
		if i := bytes.IndexByte(s.buf[*at:s.end], c); i >= 0 {
			*at += i
		} else {
			*at = s.end
		}
	}
	return *at
}

// over reports whether a frame of n bytes is too large, and ends the stream.
func (s *source) over(n int) bool {
	if n <= s.max {
		return false
	}
	s.err = &TooLargeError{Max: s.max}
	s.base, s.pos = s.end, s.end
	return true
}

// mark cuts a byte order mark; it is to be called until it returns true.
func (s *source) mark() bool {
	const bom = "\xef\xbb\xbf"
	have := s.buf[s.pos:s.end]
	if len(have) < len(bom) && s.err == nil && bytes.HasPrefix([]byte(bom), have) {
		return false
	}
	if bytes.HasPrefix(have, []byte(bom)) {
		s.pos += len(bom)
		s.base = s.pos
	}
	return true
}

// AppendSSE appends one SSE frame. event may be empty; line ends within data
// make several data lines of it.
func AppendSSE(b []byte, event string, data []byte) []byte {
	if event != "" {
		b = append(append(append(b, "event: "...), event...), '\n')
	}
	b = append(b, "data: "...)
	if bytes.IndexByte(data, '\n') < 0 && bytes.IndexByte(data, '\r') < 0 {
		b = append(b, data...)
		return append(b, '\n', '\n')
	}
	for i, c := range data {
		switch {
		case c == '\n' && i > 0 && data[i-1] == '\r': // the '\r' has begun the new line
		case c == '\n', c == '\r':
			b = append(b, "\ndata: "...)
		default:
			b = append(b, c)
		}
	}
	return append(b, '\n', '\n')
}
