package provider

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/http/httpguts"

	"github.com/aratta-gateway/aratta/internal/sock"
	"github.com/aratta-gateway/aratta/internal/term"
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
// reader's buffer. docs/adr/0005 has the figures.
//
// What it does not do: encrypt, use proxies, compress, follow redirects, switch
// protocols, or give trailers to anybody. It takes no framing that net/http
// refuses, and a connection is used again only when request and answer are
// known to have ended on it, to the byte.
type h1 struct {
	dial    DialFunc
	address string
	near    bool      // the upstream is no cloud, and has no secret with the gateway: see kept
	drafts  sync.Pool // of *draft
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

// firstRead is how much is read with the head of an answer: a short one whole.
const firstRead = 32 << 10

// draft is what is needed while a request is written.
type draft struct {
	head   []byte
	pieces [][]byte // of head and body
	rest   net.Buffers
}

// desk is what is needed while the head of an answer is read. It is large, so it is
// taken when something has come: a model may think for minutes before.
type desk struct {
	src limitedConn
	br  *bufio.Reader
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
	return tellsAlive && base.Scheme == "http" && proxy == nil && !strings.ContainsFunc(base.Host, odd)
}

func newH1(base *url.URL, dial DialFunc) *h1 {
	port := base.Port()
	if port == "" {
		port = "80"
	}
	t := &h1{address: net.JoinHostPort(base.Hostname(), port)}
	t.dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		type dialed struct {
			c   net.Conn
			err error
		}
		// On a stack of its own: to dial takes a large one, and that of a stream has its
		// size for as long as the stream lasts.
		done := make(chan dialed, 1)
		go func() {
			c, err := dial(ctx, network, address)
			done <- dialed{c, err}
		}()
		d := <-done // dial heeds ctx
		if d.err != nil {
			return nil, d.err
		}
		return sock.Wrap(d.c), nil
	}
	t.drafts.New = func() any { return new(draft) }
	t.desks.New = func() any { return &desk{br: bufio.NewReaderSize(nil, firstRead)} }
	return t
}

// inMemory is the body of a request that h1 sends as it is.
type inMemory struct {
	pieces [][]byte
	size   int       // of all of them
	one    [1][]byte // memory of pieces
}

func (*inMemory) Read([]byte) (int, error) { return 0, io.EOF }
func (*inMemory) Close() error             { return nil }

// RoundTrip sends a request and reads the head of its answer. The body of the
// answer must be closed, or read to its end. The request's body is not touched
// any more when it returns.
func (t *h1) RoundTrip(req *http.Request) (*http.Response, error) {
	body, err := bodyOf(req)
	if err != nil {
		return nil, err
	}
	conn, kept, err := t.take(req.Context())
	if err != nil {
		return nil, err
	}
	resp, again, err := t.exchange(req, body, conn)
	if err != nil && again && kept { // the server closed it just now
		if conn, err = t.dial(req.Context(), "tcp", t.address); err == nil {
			resp, _, err = t.exchange(req, body, conn)
		}
	}
	return resp, err
}

func bodyOf(req *http.Request) (*inMemory, error) {
	if req.Body == nil {
		return &inMemory{}, nil
	}
	if m, ok := req.Body.(*inMemory); ok {
		return m, nil
	}
	b, err := io.ReadAll(req.Body)
	return &inMemory{pieces: [][]byte{b}, size: len(b)}, errors.Join(err, req.Body.Close())
}

// exchange sends a request over a connection and reads the head of the answer.
// After an error it tells whether the request may be sent once more, as nobody
// can have worked on it: nothing of it was written; or nothing was answered,
// and to do it twice is as good as once.
func (t *h1) exchange(req *http.Request, body *inMemory, conn net.Conn) (resp *http.Response, again bool, err error) {
	ctx := req.Context()
	a := &h1Answer{t: t, conn: conn}
	// Whoever reads or writes then wakes with an error.
	a.unwatch = term.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	d := t.drafts.Get().(*draft)
	if d.head, err = appendHead(d.head[:0], req, body.size); err == nil {
		err = a.write(ctx, d, body)
		t.putDraft(d)
		if err == nil || a.wrote && a.mayHaveAnswered(ctx) {
			var rerr error
			if resp, rerr = a.readHead(req.Method); rerr == nil {
				return resp, false, nil
			}
			err = cmp.Or(err, rerr)
		}
		again = !a.wrote || a.silent() && (req.Method == http.MethodGet || req.Method == http.MethodHead)
	}
	if cause := term.Cause(ctx); cause != nil {
		again, err = false, cause
	}
	a.putDesk()
	return nil, again, errors.Join(err, a.Close())
}

// silent reports whether nothing of an answer was read.
func (a *h1Answer) silent() bool { return a.desk == nil || a.desk.src.left == maxHead }

// mayHaveAnswered prepares reading what a server said before it refused to read
// on: it is in memory already.
func (a *h1Answer) mayHaveAnswered(ctx context.Context) bool {
	a.last = true
	return a.conn.SetReadDeadline(time.Now().Add(drainWait)) == nil && ctx.Err() == nil
}

const (
	onePiece   = 4 << 10                // up to which size a body is copied behind its head
	stallAfter = 200 * time.Millisecond // without progress, writing goes on beside reading
)

// write writes the request. It is no part of exchange, on whose frame the head of
// the answer is read.
//
//go:noinline
func (a *h1Answer) write(ctx context.Context, d *draft, body *inMemory) error {
	if body.size <= onePiece {
		for _, piece := range body.pieces {
			d.head = append(d.head, piece...)
		}
		n, err := a.conn.Write(d.head)
		a.wrote = n > 0
		return err
	}
	if err := a.conn.SetWriteDeadline(time.Now().Add(stallAfter)); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil { // its deadline was perhaps overwritten
		return err
	}
	d.pieces = append(append(d.pieces[:0], d.head), body.pieces...)
	d.rest = d.pieces
	n, err := sock.WriteBuffers(a.conn, &d.rest, a.t.kept(ctx, body.size))
	a.wrote = n > 0
	var rest []byte
	if errors.Is(err, os.ErrDeadlineExceeded) {
		rest = slices.Concat(d.rest...)
	}
	clear(d.pieces)
	d.rest = nil
	if err != nil && rest == nil {
		return err
	}
	if err := a.conn.SetWriteDeadline(time.Time{}); err != nil {
		return err
	}
	if rest != nil {
		return a.writeOn(ctx, rest)
	}
	return nil
}

func (t *h1) putDraft(d *draft) {
	if cap(d.head) > maxHead {
		d.head = nil // somebody's headers were large; others' are not
	}
	t.drafts.Put(d)
}

// kept is what the kernel has of the client's body. A client on this machine can change
// that after it was checked, if it is out to: what it sent need not be copied either.
// To a runtime that asks for no key it could send anything itself; what goes to a cloud,
// or with a key of the gateway's, is what was checked.
func (t *h1) kept(ctx context.Context, size int) *sock.Kept {
	if !t.near || size < sock.LeastKept {
		return nil
	}
	return sock.KeptOf(ctx)
}

// writeOn writes the rest of a request beside reading, as the server seems to
// wait for somebody to read its answer. The rest is a copy: whose memory the
// body is may use it again. It ends with the connection, or before.
func (a *h1Answer) writeOn(ctx context.Context, rest []byte) error {
	if err := ctx.Err(); err != nil { // its deadline was perhaps overwritten
		return err
	}
	a.wrote = true // or will be
	a.rest = make(chan error, 1)
	go func() {
		_, err := a.conn.Write(rest)
		a.rest <- err
	}()
	return nil
}

// written reports whether the whole request was written.
func (a *h1Answer) written() bool {
	if a.rest == nil {
		return true // or last is set
	}
	select {
	case err := <-a.rest:
		return err == nil
	default:
		return false
	}
}

// appendHead writes the head of a request; for noinline see write.
//
//go:noinline
func appendHead(b []byte, req *http.Request, length int) ([]byte, error) {
	uri, host := req.URL.RequestURI(), req.URL.Host
	blank := func(r rune) bool { return r <= ' ' || r == 0x7f }
	if !httpguts.ValidHeaderFieldName(req.Method) || strings.ContainsFunc(uri, blank) ||
		host == "" || !httpguts.ValidHostHeader(host) {
		return b, errors.New("the address cannot be sent") // nor told: it may hold the key
	}
	b = append(append(b, req.Method...), ' ')
	b = append(append(b, uri...), " HTTP/1.1\r\nHost: "...)
	b = append(append(b, host...), '\r', '\n')
	for name, values := range req.Header {
		if !httpguts.ValidHeaderFieldName(name) || hopHeader(name) || strings.EqualFold(name, "Expect") {
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
	if length > 0 || req.Method != http.MethodGet && req.Method != http.MethodHead {
		b = append(strconv.AppendInt(append(b, "Content-Length: "...), int64(length), 10), '\r', '\n')
	}
	return append(b, '\r', '\n'), nil
}

// readHead reads the head of the final answer; maxHead bounds those before it too.
func (a *h1Answer) readHead(method string) (*http.Response, error) {
	var asked *http.Request // nil stands for GET
	if method == http.MethodHead {
		asked = &http.Request{Method: method}
	}
	if c, ok := a.conn.(interface{ Await() error }); ok {
		if err := c.Await(); err != nil {
			return nil, err
		}
	}
	a.desk = a.t.desks.Get().(*desk)
	a.desk.src = limitedConn{a.conn, maxHead}
	a.desk.br.Reset(&a.desk.src)
	for {
		resp, err := http.ReadResponse(a.desk.br, asked)
		if err != nil {
			return nil, err
		}
		if resp.StatusCode == http.StatusSwitchingProtocols {
			return nil, errors.New("the server wants to speak another protocol")
		}
		if resp.StatusCode < 100 || resp.StatusCode >= 200 {
			a.begin(resp)
			return resp, nil
		}
	}
}

// take returns a connection that was kept, or a new one.
func (t *h1) take(ctx context.Context) (c net.Conn, kept bool, err error) {
	for {
		t.mu.Lock()
		n := len(t.idle) - 1
		if n < 0 {
			t.mu.Unlock()
			c, err = t.dial(ctx, "tcp", t.address)
			return c, false, err
		}
		c = t.idle[n].Conn
		t.idle[n] = idleConn{}
		t.idle = t.idle[:n]
		t.mu.Unlock()
		if alive(c) {
			return c, true, nil
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
