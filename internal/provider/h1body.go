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
	desk    *desk       // from the first byte of an answer until what it has beyond the head is consumed
	unwatch func() bool // ends the watch over the context
	over    atomic.Bool // the connection was given back or closed

	framing framing
	left    int64 // of a body with a length
	chunks  chunks
	last    bool       // the connection cannot be used again
	wrote   bool       // anything of the request
	rest    chan error // tells how writing ended that goes on beside reading; else nil
	err     error      // what ended reading
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
	a.last = a.last || resp.Close || resp.StatusCode < 200
	switch {
	case resp.Body == http.NoBody:
		// Where none may be, one is announced: perhaps it comes all the same.
		a.last = a.last || len(resp.TransferEncoding) > 0 ||
			resp.StatusCode == http.StatusNoContent && resp.Header.Get("Content-Length") != ""
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
		if a.over.Load() { // what lies in the buffer too
			a.putDesk()
			a.err = http.ErrBodyReadAfterClose
			break
		}
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
		if a.buffered() > 0 {
			return a.desk.br.Read(p)
		}
		a.putDesk()
	}
	return a.conn.Read(p)
}

// buffered is how many bytes came with the head and were not read yet.
func (a *h1Answer) buffered() int {
	if a.desk == nil {
		return 0
	}
	return a.desk.br.Buffered()
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
	more := a.buffered() > 0 || a.chunks.excess
	a.putDesk()
	if !a.over.CompareAndSwap(false, true) {
		return
	}
	// When the watch cannot be ended any more, a deadline was set or will be.
	if a.unwatch() && a.err == io.EOF && !a.last && !more && a.written() { //nolint:errorlint // exactly this one is set at the end
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
