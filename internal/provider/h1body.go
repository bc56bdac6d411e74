package provider

import (
	"errors"
	"io"
	"net"
	"net/http"
	"sync/atomic"
)

// h1Answer is one exchange on a connection, and the body of its answer. One
// goroutine reads; another may close it meanwhile.
type h1Answer struct {
	t       *h1
	conn    net.Conn
	desk    *desk       // until what it has read beyond the head is consumed
	unwatch func() bool // ends the watch over the context
	over    atomic.Bool // the connection was given back or closed

	framing framing
	left    int64 // of a body with a length
	chunks  chunks
	last    bool  // the connection cannot be used again
	err     error // what ended reading
}

// framing is how the end of a body is known.
type framing uint8

const (
	byClose framing = iota
	byLength
	byChunks
)

// begin prepares reading the body that follows the head.
func (a *h1Answer) begin(resp *http.Response) {
	a.last = a.last || resp.Close
	switch {
	case resp.Body == http.NoBody:
		a.err = io.EOF
		a.finish()
		return
	case len(resp.TransferEncoding) > 0: // ReadResponse refuses any but chunked
		a.framing = byChunks
	case resp.ContentLength >= 0:
		a.framing, a.left = byLength, resp.ContentLength
	default:
		a.framing, a.last = byClose, true
	}
	resp.Body = a
}

// Read reads what has come of the body, or waits for it.
func (a *h1Answer) Read(p []byte) (int, error) {
	for a.err == nil && len(p) > 0 {
		if a.framing == byLength && int64(len(p)) > a.left {
			p = p[:a.left]
		}
		n, err := a.receive(p)
		n, a.err = a.unframe(p[:n], err)
		if a.err != nil {
			a.finish()
		}
		if n > 0 {
			return n, a.err
		}
	}
	return 0, a.err
}

// receive reads bytes as they are on the line: first those that came with the head.
func (a *h1Answer) receive(p []byte) (int, error) {
	if a.desk != nil {
		if a.desk.br.Buffered() > 0 {
			return a.desk.br.Read(p)
		}
		a.putDesk()
	}
	return a.conn.Read(p)
}

// unframe moves the content within p to its front, and tells whether it ends there.
func (a *h1Answer) unframe(p []byte, err error) (int, error) {
	n := len(p)
	done := false
	switch a.framing {
	case byLength:
		a.left -= int64(n)
		done = a.left == 0
	case byChunks:
		var broken error
		if n, broken = a.chunks.unwrap(p); broken != nil {
			return n, broken
		}
		done = a.chunks.state == chunkEnd
	case byClose:
		return n, err
	}
	switch {
	case done:
		return n, io.EOF
	case errors.Is(err, io.EOF):
		return n, io.ErrUnexpectedEOF
	default:
		return n, err
	}
}

// finish gives the connection back after the end of the answer, or closes it
// when it is of no more use.
func (a *h1Answer) finish() {
	more := a.desk != nil && a.desk.br.Buffered() > 0 || a.chunks.excess
	a.putDesk()
	if !a.over.CompareAndSwap(false, true) {
		return
	}
	if a.unwatch() && a.err == io.EOF && !a.last && !more { //nolint:errorlint // exactly this one is set at the end
		a.t.put(a.conn)
		return
	}
	_ = a.conn.Close() // it is of no more use
}

// putDesk gives the desk back; it is for the reader alone.
func (a *h1Answer) putDesk() {
	if d := a.desk; d != nil {
		a.desk = nil
		d.src.Conn = nil
		a.t.desks.Put(d)
	}
}

// Close ends the connection unless the answer was read to its end.
func (a *h1Answer) Close() error {
	if !a.over.CompareAndSwap(false, true) {
		return nil
	}
	a.unwatch()
	return a.conn.Close()
}

// chunks takes the frame off a chunked body, however its bytes are cut.
type chunks struct {
	state  chunkState
	digits int8
	excess bool // something followed the end
	left   int64
	extra  int // bytes of extensions and trailers that no content makes up for
}

type chunkState uint8

const (
	chunkSize      chunkState = iota // at the digits of a size
	chunkExtension                   // behind them
	chunkData
	chunkDataCR
	chunkDataLF
	chunkTrailer // at the start of a line of the trailer
	chunkTrailerLine
	chunkTrailerLF // the trailer's last line has begun with a CR
	chunkEnd
)

// maxExtra bounds what a body may hold besides content.
const maxExtra = 64 << 10

var errChunks = errors.New("the answer is not properly chunked")

// unwrap moves the content within p to its front and returns its length.
func (c *chunks) unwrap(p []byte) (n int, err error) {
	for i := 0; i < len(p); {
		if c.state == chunkData {
			k := int(min(c.left, int64(len(p)-i)))
			n += copy(p[n:], p[i:i+k])
			i += k
			if c.left -= int64(k); c.left == 0 {
				c.state = chunkDataCR
			}
			continue
		}
		if c.state == chunkEnd {
			c.excess = true
			return n, nil
		}
		if !c.step(p[i]) {
			return n, errChunks
		}
		i++
	}
	return n, nil
}

// step takes one byte that is no content, and reports whether it fits.
func (c *chunks) step(b byte) bool {
	switch c.state {
	case chunkSize:
		if d := hexDigit(b); d >= 0 {
			c.left = c.left<<4 | int64(d)
			c.digits++
			return c.digits <= 15
		}
		c.state = chunkExtension
		return c.digits > 0 && c.extension(b)
	case chunkExtension:
		return c.extension(b)
	case chunkDataCR:
		c.state = chunkDataLF
		return b == '\r'
	case chunkDataLF:
		c.state, c.digits = chunkSize, 0
		return b == '\n'
	case chunkTrailer:
		switch b {
		case '\r':
			c.state = chunkTrailerLF
		case '\n':
			c.state = chunkEnd
		default:
			c.state = chunkTrailerLine
		}
	case chunkTrailerLine:
		if b == '\n' {
			c.state = chunkTrailer
		}
	case chunkTrailerLF:
		c.state = chunkEnd
		return b == '\n'
	default:
	}
	c.extra++
	return c.extra <= maxExtra
}

// extension takes what stands between a size and the end of its line.
func (c *chunks) extension(b byte) bool {
	switch {
	case b != '\n':
		c.extra++
		return c.extra <= maxExtra
	case c.left > 0:
		// As net/http has it: a chunk makes up for its own frame and a little more,
		// or the frames of a long stream would add up.
		c.state, c.extra = chunkData, max(0, c.extra-16-2*int(min(c.left, maxExtra)))
	default:
		c.state = chunkTrailer
	}
	return true
}

func hexDigit(b byte) int {
	switch {
	case b >= '0' && b <= '9':
		return int(b - '0')
	case b >= 'a' && b <= 'f':
		return int(b-'a') + 10
	case b >= 'A' && b <= 'F':
		return int(b-'A') + 10
	default:
		return -1
	}
}
