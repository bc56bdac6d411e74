// The system must tell whether an idle connection is still open, see alive.

//go:build unix

package provider

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// socket is a server on a real socket that does what a test says with each of its
// connections, the first one being number 1.
type socket struct {
	*h1
	base  string
	dials atomic.Int32
	done  sync.WaitGroup
}

func listen(t testing.TB, serve func(n int, c *net.TCPConn, r *bufio.Reader)) *socket {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &socket{base: "http://" + l.Addr().String()}
	w.done.Go(func() {
		for n := 1; ; n++ {
			c, err := l.Accept()
			if err != nil {
				return
			}
			w.done.Go(func() {
				defer c.Close()
				serve(n, c.(*net.TCPConn), bufio.NewReader(c))
			})
		}
	})
	base, err := url.Parse(w.base)
	if err != nil {
		t.Fatal(err)
	}
	w.h1 = newH1(base, func(ctx context.Context, network, address string) (net.Conn, error) {
		w.dials.Add(1)
		return (&net.Dialer{}).DialContext(ctx, network, address)
	})
	t.Cleanup(func() {
		w.CloseIdleConnections()
		l.Close()
		w.done.Wait() // each connection must have been closed by somebody
	})
	return w
}

func (w *socket) ask(ctx context.Context, method string, body []byte) (*http.Response, error) {
	return w.RoundTrip(asking(ctx, method, w.base, body))
}

func asking(ctx context.Context, method, base string, body []byte) *http.Request {
	req, err := http.NewRequestWithContext(ctx, method, base+"/v1/x?y=z", nil)
	if err != nil {
		panic(err)
	}
	if len(body) > 0 {
		half := len(body) / 2
		req.Body, req.ContentLength = &inMemory{pieces: [][]byte{body[:half], body[half:]}, size: len(body)}, int64(len(body))
	}
	return req
}

// read asks and reads the whole answer.
func (w *socket) read(t *testing.T, method string, body []byte) (status int, text string, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // a hang is a failure
	defer cancel()
	resp, err := w.ask(ctx, method, body)
	if err != nil {
		return 0, "", err
	}
	b, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(b), errors.Join(err, resp.Body.Close())
}

const fine = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine"

// Every answer ends where its framing says, and the connection serves the next
// request only where it is certain that it ended.
func TestH1Framing(t *testing.T) {
	const chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
	long := strings.Repeat("x", 3<<10)
	for name, c := range map[string]struct {
		method, answer string
		status         int // 0 = an error instead of a head
		body           string
		broken         bool // the body ends with an error
		kept           bool // the connection is used again
	}{
		"length":                   {answer: fine, status: 200, body: "fine", kept: true},
		"length twice the same":    {answer: strings.Replace(fine, "\r\n\r\n", "\r\nContent-Length: 4\r\n\r\n", 1), status: 200, body: "fine", kept: true},
		"lengths that differ":      {answer: strings.Replace(fine, "\r\n\r\n", "\r\nContent-Length: 5\r\n\r\n", 1)},
		"negative length":          {answer: "HTTP/1.1 200 OK\r\nContent-Length: -4\r\n\r\nfine"},
		"length with a plus":       {answer: "HTTP/1.1 200 OK\r\nContent-Length: +4\r\n\r\nfine"},
		"length beyond 64 bits":    {answer: "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\nfine"},
		"length, but cut":          {answer: "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 9\r\n\r\nfine", status: 200, body: "fine", broken: true},
		"length and more":          {answer: fine + "HTTP/1.1 200 OK\r\n", status: 200, body: "fine"},
		"no length at all":         {answer: "HTTP/1.1 200 OK\r\nServer: close\r\n\r\nfine", status: 200, body: "fine"},
		"HTTP/1.0":                 {answer: "HTTP/1.0 200 OK\r\nServer: close\r\n\r\nfine", status: 200, body: "fine"},
		"HTTP/1.0 with length":     {answer: "HTTP/1.0 200 OK\r\nContent-Length: 4\r\n\r\nfine", status: 200, body: "fine"},
		"HTTP/1.0 kept":            {answer: "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 4\r\n\r\nfine", status: 200, body: "fine", kept: true},
		"HTTP/1.0 knows no chunks": {answer: "HTTP/1.0 200 OK\r\nServer: close\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", status: 200, body: "0\r\n\r\n"},
		"Connection: close":        {answer: "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 4\r\n\r\nfine", status: 200, body: "fine"},
		"204":                      {answer: "HTTP/1.1 204 No\r\n\r\n", status: 204, kept: true},
		"204 with a body":          {answer: "HTTP/1.1 204 No\r\nContent-Length: 4\r\n\r\nfine", status: 204},
		"204 with chunks":          {answer: "HTTP/1.1 204 No\r\nTransfer-Encoding: chunked\r\n\r\n", status: 204},
		"304":                      {answer: "HTTP/1.1 304 No\r\nContent-Length: 4\r\n\r\n", status: 304, kept: true},
		"HEAD":                     {method: http.MethodHead, answer: "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n", status: 200, kept: true},
		"100, 103, then it":        {answer: "HTTP/1.1 100 Continue\r\n\r\n" + strings.Repeat("HTTP/1.1 103 Hints\r\nLink: x\r\n\r\n", 20) + fine, status: 200, body: "fine", kept: true},
		"endless 103":              {answer: strings.Repeat("HTTP/1.1 103 Hints\r\nLink: x\r\n\r\n", 10000) + fine},
		"101":                      {answer: "HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n" + fine},
		"a large head":             {answer: "HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", maxHead) + "\r\n\r\n"},
		"two encodings":            {answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
		"another encoding":         {answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"},
		"a name with a blank":      {answer: "HTTP/1.1 200 OK\r\nServer: close\r\nContent-Length : 2\r\n\r\nfine", status: 200, body: "fine"},

		"chunks":                       {answer: chunked + "2\r\nfi\r\n2\r\nne\r\n0\r\n\r\n", status: 200, body: "fine", kept: true},
		"chunks win over a length":     {answer: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nfine\r\n0\r\n\r\n", status: 200, body: "fine", kept: true},
		"chunks with extensions":       {answer: chunked + "4;a=b;c=\"d\"\r\nfine\r\n0;e\r\n\r\n", status: 200, body: "fine", kept: true},
		"chunks with zeros and blanks": {answer: chunked + "0000000000000004 \t\r\nfine\r\n00\r\n\r\n", status: 200, body: "fine", kept: true},
		"chunks with a trailer":        {answer: chunked + "4\r\nfine\r\n0\r\nA: b\r\n\r\n", status: 200, body: "fine"},
		"chunks and more":              {answer: chunked + "4\r\nfine\r\n0\r\n\r\nHTTP/1.1 200 OK\r\n", status: 200, body: "fine"},
		"chunks, but cut":              {answer: "HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nfine\r\n0\r\n", status: 200, body: "fine", broken: true},
		"a chunk beyond 64 bits":       {answer: chunked + "4\r\nfine\r\n10000000000000004\r\nfine", status: 200, body: "fine", broken: true},
		"a chunk that overflows":       {answer: chunked + "FFFFFFFFFFFFFFFC\r\nfine\r\n0\r\n\r\n", status: 200, broken: true},
		"a chunk with a sign":          {answer: chunked + "+4\r\nfine\r\n0\r\n\r\n", status: 200, broken: true},
		"a chunk with a prefix":        {answer: chunked + "0x4\r\nfine\r\n0\r\n\r\n", status: 200, broken: true},
		"a chunk without a size":       {answer: chunked + "\r\nfine\r\n0\r\n\r\n", status: 200, broken: true},
		"a chunk with junk":            {answer: chunked + "4 x\r\nfine\r\n0\r\n\r\n", status: 200, broken: true},
		"a chunk line with LF":         {answer: chunked + "4\nfine\r\n0\r\n\r\n", status: 200, broken: true},
		"an extension with LF":         {answer: chunked + "4;a\nfine\r\n0\r\n\r\n", status: 200, broken: true},
		"a chunk line with CR":         {answer: chunked + "4\rx\r\nfine\r\n0\r\n\r\n", status: 200, broken: true},
		"a chunk longer than it says":  {answer: chunked + "4\r\nfinest\r\n0\r\n\r\n", status: 200, body: "fine", broken: true},
		"a chunk that ends with LF":    {answer: chunked + "4\r\nfine\n0\r\n\r\n", status: 200, body: "fine", broken: true},
		"an end with LF":               {answer: chunked + "4\r\nfine\r\n0\r\n\n", status: 200, body: "fine", broken: true},
		"a folded trailer":             {answer: chunked + "4\r\nfine\r\n0\r\nA: b\r\n c\r\n\r\n", status: 200, body: "fine", broken: true},
		"an endless trailer":           {answer: chunked + "4\r\nfine\r\n0\r\nA: " + long + "\r\nB: " + long + "\r\n\r\n", status: 200, body: "fine", broken: true},
		"an endless extension":         {answer: chunked + "4;" + long + long + "\r\nfine\r\n0\r\n\r\n", status: 200, broken: true},
	} {
		t.Run(name, func(t *testing.T) {
			if c.method == "" {
				c.method = http.MethodPost
			}
			w := listen(t, func(n int, conn *net.TCPConn, r *bufio.Reader) {
				for i := 0; request(r) == nil; i++ {
					if n > 1 || i > 0 {
						say(conn, fine)
						continue
					}
					say(conn, c.answer)
					if strings.Contains(c.answer, "close") {
						return
					}
				}
			})
			status, body, err := w.read(t, c.method, []byte("question"))
			if status != c.status || body != c.body || (err != nil) != (c.broken || c.status == 0) {
				t.Errorf("got %d %q, %v", status, body, err)
			}
			if status, body, err = w.read(t, http.MethodPost, nil); status != 200 || body != "fine" || err != nil {
				t.Errorf("then got %d %q, %v", status, body, err)
			}
			if kept := w.dials.Load() == 1; kept != c.kept {
				t.Errorf("kept is %v", kept)
			}
		})
	}
}

// What the server did not read is sent again, what it may have read is not.
func TestH1StaleConnections(t *testing.T) {
	for name, c := range map[string]struct {
		method string
		serve  func(*net.TCPConn, *bufio.Reader) // after the first answer, on the first connection
		fails  bool
		dials  int32
	}{
		"closed while idle":            {http.MethodPost, func(*net.TCPConn, *bufio.Reader) {}, false, 2},
		"reset while idle":             {http.MethodPost, func(c *net.TCPConn, _ *bufio.Reader) { _ = c.SetLinger(0) }, false, 2},
		"said something while idle":    {http.MethodPost, func(c *net.TCPConn, _ *bufio.Reader) { say(c, "HTTP/1.1 408 Slow\r\nContent-Length: 0\r\n\r\n") }, false, 2},
		"a POST was read":              {http.MethodPost, func(_ *net.TCPConn, r *bufio.Reader) { _ = request(r) }, true, 1},
		"a GET was read":               {http.MethodGet, func(_ *net.TCPConn, r *bufio.Reader) { _ = request(r) }, false, 2},
		"a GET was answered, but half": {http.MethodGet, func(c *net.TCPConn, r *bufio.Reader) { _ = request(r); say(c, "HTTP/1.1 2") }, true, 1},
	} {
		t.Run(name, func(t *testing.T) {
			ended := make(chan struct{})
			w := listen(t, func(n int, conn *net.TCPConn, r *bufio.Reader) {
				for request(r) == nil {
					say(conn, fine)
					if n == 1 {
						c.serve(conn, r)
						_ = conn.Close()
						close(ended)
						return
					}
				}
			})
			if _, _, err := w.read(t, http.MethodPost, []byte("1")); err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(name, "was") || strings.Contains(name, "while") {
				<-ended
			}
			_, body, err := w.read(t, c.method, nil)
			if (err != nil) != c.fails || !c.fails && body != "fine" {
				t.Errorf("%q, %v", body, err)
			}
			if n := w.dials.Load(); n != c.dials {
				t.Errorf("%d connections, want %d", n, c.dials)
			}
		})
	}
}

// An answer that comes before the request is written is the answer.
func TestH1EarlyAnswers(t *testing.T) {
	const refusal = "HTTP/1.1 413 Large\r\nContent-Length: 5\r\n\r\nlarge"
	huge := bytes.Repeat([]byte("x"), 32<<20) // more than sockets hold
	for name, c := range map[string]struct {
		serve func(*net.TCPConn, *bufio.Reader)
		want  int
	}{
		"closed at once":        {func(c *net.TCPConn, _ *bufio.Reader) { say(c, refusal) }, 413},
		"open, but not reading": {nil, 413},
		"streams, then reads": {func(c *net.TCPConn, r *bufio.Reader) {
			say(c, "HTTP/1.1 200 OK\r\nContent-Length: 33554432\r\n\r\n")
			_, _ = c.Write(huge)
			_ = request(r)
		}, 200},
	} {
		t.Run(name, func(t *testing.T) {
			stop := make(chan struct{})
			w := listen(t, func(_ int, conn *net.TCPConn, r *bufio.Reader) {
				if c.serve != nil {
					c.serve(conn, r)
					return
				}
				say(conn, refusal)
				<-stop
			})
			status, body, err := w.read(t, http.MethodPost, huge)
			close(stop)
			if status != c.want || err != nil || len(body) != map[int]int{413: 5, 200: len(huge)}[c.want] {
				t.Errorf("%d, %d bytes, %v", status, len(body), err)
			}
		})
	}
}
