package provider

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/http/httpguts"
)

// transport sends requests over connections that it keeps.
type transport interface {
	http.RoundTripper
	CloseIdleConnections()
}

// h1 is the transport for upstreams that are spoken to directly and unencrypted,
// as local runtimes are. net/http keeps two goroutines and two buffers for each
// connection, which is half the memory of an idle stream and a fifth of the
// time of a small request; and it copies large bodies through small buffers. h1
// works in its caller's goroutine: it writes head and body in one piece, has
// net/http read the head of the answer, and reads the body straight into its
// reader's buffer.
//
// What it does not do: encrypt, use proxies, or read an answer while a request
// is still being written.
type h1 struct {
	dial    DialFunc
	address string
	desks   sync.Pool // of *desk

	mu     sync.Mutex
	idle   []idleConn // the newest last
	sweep  *time.Timer
	closed bool
}

type idleConn struct {
	net.Conn
	since time.Time
}

// desk is what is needed while a request is written and the head of its answer
// is read.
type desk struct {
	head  []byte
	parts [2][]byte
	both  net.Buffers
	src   limitedConn
	br    *bufio.Reader
}

// limitedConn ends with an error when more is read than was allowed.
type limitedConn struct {
	net.Conn
	left int
}

var errHead = fmt.Errorf("the head of the answer is larger than %d KiB", maxHead>>10)

func (b *limitedConn) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errHead
	}
	n, err := b.Conn.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}

// h1Fits reports whether h1 can speak to an address.
func h1Fits(base, proxy *url.URL) bool {
	odd := func(r rune) bool { return r >= 0x80 || r == '%' } // names to be encoded, and zones of addresses
	return base.Scheme == "http" && proxy == nil && !strings.ContainsFunc(base.Host, odd)
}

func newH1(base *url.URL, dial DialFunc) *h1 {
	port := base.Port()
	if port == "" {
		port = "80"
	}
	t := &h1{dial: dial, address: net.JoinHostPort(base.Hostname(), port)}
	t.desks.New = func() any { return &desk{br: bufio.NewReader(nil)} }
	return t
}

// inMemory is the body of a request that h1 sends as it is.
type inMemory struct{ b []byte }

func (*inMemory) Read([]byte) (int, error) { return 0, io.EOF }
func (*inMemory) Close() error             { return nil }

// RoundTrip sends a request and reads the head of its answer. The body of the
// answer must be closed, or read to its end.
func (t *h1) RoundTrip(req *http.Request) (*http.Response, error) {
	body, err := bodyOf(req)
	if err != nil {
		return nil, err
	}
	ctx := req.Context()
	conn, err := t.take(ctx)
	if err != nil {
		return nil, err
	}
	a := &h1Answer{t: t, conn: conn, desk: t.desks.Get().(*desk)}
	// Whoever reads or writes then wakes with an error.
	a.unwatch = context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	resp, err := a.exchange(req, body)
	if err != nil {
		a.putDesk()
		return nil, errors.Join(err, a.Close())
	}
	return resp, nil
}

func bodyOf(req *http.Request) ([]byte, error) {
	if req.Body == nil {
		return nil, nil
	}
	if m, ok := req.Body.(*inMemory); ok {
		return m.b, nil
	}
	b, err := io.ReadAll(req.Body)
	return b, errors.Join(err, req.Body.Close())
}

// onePiece is up to which size a body is copied behind its head.
const onePiece = 4 << 10

// exchange writes the request and reads the head of the answer.
func (a *h1Answer) exchange(req *http.Request, body []byte) (*http.Response, error) {
	d := a.desk
	var err error
	if d.head, err = appendHead(d.head[:0], req, len(body)); err != nil {
		return nil, err
	}
	if len(body) <= onePiece {
		d.head = append(d.head, body...)
		_, err = a.conn.Write(d.head)
	} else {
		d.parts = [2][]byte{d.head, body}
		d.both = d.parts[:]
		_, err = d.both.WriteTo(a.conn)
		d.parts, d.both = [2][]byte{}, nil
	}
	if err != nil {
		// A server may refuse a request before it has read it; what it said then is
		// in memory already.
		if a.conn.SetReadDeadline(time.Now().Add(drainWait)) != nil || req.Context().Err() != nil {
			return nil, err
		}
		a.last = true
	}
	resp, rerr := a.readHead()
	if rerr != nil {
		if err == nil {
			err = rerr
		}
		return nil, err
	}
	return resp, nil
}

// appendHead writes the head of a request.
func appendHead(b []byte, req *http.Request, length int) ([]byte, error) {
	b = append(append(b, req.Method...), ' ')
	b = append(append(b, req.URL.RequestURI()...), " HTTP/1.1\r\nHost: "...)
	b = append(append(b, req.URL.Host...), '\r', '\n')
	for name, values := range req.Header {
		if !httpguts.ValidHeaderFieldName(name) {
			return b, fmt.Errorf("header %q cannot be sent", name)
		}
		for _, v := range values {
			if !httpguts.ValidHeaderFieldValue(v) { // and not told either: it may be the key
				return b, fmt.Errorf("the value of header %q cannot be sent", name)
			}
			b = append(append(b, name...), ": "...)
			b = append(append(b, v...), '\r', '\n')
		}
	}
	if length > 0 || req.Method != http.MethodGet {
		b = append(strconv.AppendInt(append(b, "Content-Length: "...), int64(length), 10), '\r', '\n')
	}
	return append(b, '\r', '\n'), nil
}

// maxInformational bounds the 1xx answers before the real one.
const maxInformational = 5

func (a *h1Answer) readHead() (*http.Response, error) {
	d := a.desk
	d.src = limitedConn{a.conn, maxHead}
	d.br.Reset(&d.src)
	for range maxInformational {
		resp, err := http.ReadResponse(d.br, nil)
		if err != nil {
			return nil, err
		}
		if resp.StatusCode >= 200 {
			a.begin(resp)
			return resp, nil
		}
		if resp.StatusCode == http.StatusSwitchingProtocols {
			return nil, errors.New("the server wants to speak another protocol")
		}
	}
	return nil, errors.New("the server gives no final answer")
}

// take returns a connection that lay idle, or a new one.
func (t *h1) take(ctx context.Context) (net.Conn, error) {
	for {
		t.mu.Lock()
		n := len(t.idle) - 1
		if n < 0 {
			t.mu.Unlock()
			return t.dial(ctx, "tcp", t.address)
		}
		c := t.idle[n].Conn
		t.idle[n] = idleConn{}
		t.idle = t.idle[:n]
		t.mu.Unlock()
		if alive(c) {
			return c, nil
		}
		_ = c.Close() // the server has closed it already
	}
}

// put keeps a connection for the next request.
func (t *h1) put(c net.Conn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed || len(t.idle) >= idlePerHost {
		_ = c.Close() // nothing is under way on it
		return
	}
	t.idle = append(t.idle, idleConn{c, time.Now()})
	if t.sweep == nil {
		t.sweep = time.AfterFunc(idleFor, t.expire)
	}
}

// expire closes the connections that nobody needed for long.
func (t *h1) expire() {
	t.mu.Lock()
	defer t.mu.Unlock()
	now, n := time.Now(), 0
	for n < len(t.idle) && now.Sub(t.idle[n].since) >= idleFor {
		_ = t.idle[n].Close() // nothing is under way on it
		n++
	}
	t.idle = append(t.idle[:0:0], t.idle[n:]...)
	t.sweep = nil
	if len(t.idle) > 0 && !t.closed {
		t.sweep = time.AfterFunc(idleFor-now.Sub(t.idle[0].since), t.expire)
	}
}

// CloseIdleConnections closes what is idle, and later what becomes idle.
func (t *h1) CloseIdleConnections() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
	for _, c := range t.idle {
		_ = c.Close() // nothing is under way on it
	}
	t.idle = nil
	if t.sweep != nil {
		t.sweep.Stop()
	}
}
