package server

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/aratta-gateway/aratta/internal/overlay"
	"github.com/aratta-gateway/aratta/internal/provider"
)

// tenOverlays all find something to do in the request of the benchmark; they are
// those of internal/bench.
const tenOverlays = `
{id: a, version: 1, ops: [{op: rename, from: max_tokens, to: max_completion_tokens}]}
---
{id: b, version: 1, ops: [{op: clamp, path: temperature, max: 0.5}]}
---
{id: c, version: 1, ops: [{op: map_role, from: system, to: developer}]}
---
{id: d, version: 1, ops: [{op: set, path: top_p, value: 0.9, if_absent: true}]}
---
{id: e, version: 1, ops: [{op: set, path: user, value: somebody}]}
---
{id: f, version: 1, ops: [{op: exclusive, paths: [temperature, top_p], keep: temperature}]}
---
{id: g, version: 1, ops: [{op: move, from: user, to: metadata.user}]}
---
{id: h, version: 1, ops: [{op: map_enum, path: temperature, map: {"0.5": 0.25}}]}
---
{id: i, version: 1, ops: [{op: header_set, header: X-Team, value: blue}]}
---
{id: j, version: 1, ops: [{op: query_set, param: api-version, value: "2026-01-01"}]}
`

// memoryConn is a connection to a provider that answers each write at once and
// always the same, so that the benchmark has nothing of the kernel's in it.
type memoryConn struct {
	net.Conn
	answer []byte
	left   []byte
	last   []byte // request
}

func (c *memoryConn) Write(p []byte) (int, error) {
	c.left, c.last = c.answer, append(c.last[:0], p...)
	return len(p), nil
}

func (c *memoryConn) Read(p []byte) (int, error) {
	if len(c.left) == 0 {
		return 0, io.EOF
	}
	n := copy(p, c.left)
	c.left = c.left[n:]
	return n, nil
}

func (*memoryConn) Close() error                     { return nil }
func (*memoryConn) SetDeadline(time.Time) error      { return nil }
func (*memoryConn) SetReadDeadline(time.Time) error  { return nil }
func (*memoryConn) SetWriteDeadline(time.Time) error { return nil }

// way is the whole way of a request: table of routes, dialect, pipeline, provider,
// overlays, and all the way back.
type way struct {
	s      *Server
	conn   *memoryConn
	req    http.Request
	body   bytes.Reader
	text   []byte
	header http.Header
	code   int
	size   int
}

func (w *way) Header() http.Header         { return w.header }
func (w *way) WriteHeader(code int)        { w.code = code }
func (w *way) Write(p []byte) (int, error) { w.size += len(p); return len(p), nil }

// What net/http's own can do, too: to be refused costs more.
func (*way) FlushError() error                { return nil }
func (*way) SetReadDeadline(time.Time) error  { return nil }
func (*way) SetWriteDeadline(time.Time) error { return nil }
func (*way) EnableFullDuplex() error          { return nil }

func newWay(b *testing.B, overlays string) *way {
	b.Helper()
	const answer = `{"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"Hello, how may I help?"},"finish_reason":"stop"}],"usage":{"prompt_tokens":9,"completion_tokens":7,"total_tokens":16}}`
	w := &way{conn: &memoryConn{
		answer: fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(answer), answer),
	}}
	var list []*overlay.Overlay
	if overlays != "" {
		var err error
		if list, err = overlay.Parse("ten.yaml", []byte(overlays), overlay.User); err != nil {
			b.Fatal(err)
		}
	}
	active := new(overlay.Active)
	active.Replace(overlay.WithBuiltins(list...))
	w.s = assembled(b, "http://127.0.0.1:1/v1", func(d *provider.Deps) {
		d.Overlays, d.Dial = active, func(context.Context, string, string) (net.Conn, error) { return w.conn, nil }
	})
	text := strings.Repeat("how are you today? ", 11)
	w.text = fmt.Appendf(nil, `{"model":"mock:m","messages":[{"role":"system","content":%[1]q},{"role":"user","content":%[1]q},{"role":"assistant","content":%[1]q},{"role":"user","content":%[1]q}],"temperature":0.7,"max_tokens":256}`, text)
	w.req = http.Request{
		Method: http.MethodPost, URL: &url.URL{Path: "/v1/chat/completions"}, Host: "127.0.0.1", RemoteAddr: "127.0.0.1:1234",
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, ContentLength: int64(len(w.text)),
		Header: http.Header{"Content-Type": {"application/json"}, "User-Agent": {"bench"}},
	}
	w.ask(b)
	return w
}

// ask sends one request all the way.
func (w *way) ask(b *testing.B) {
	r := w.req
	w.body.Reset(w.text)
	r.Body = io.NopCloser(&w.body)
	w.header = make(http.Header) // as net/http does
	w.code, w.size = 0, 0
	if w.s.ServeHTTP(w, &r); w.code != http.StatusOK || w.size == 0 {
		b.Fatalf("status %d, %d bytes", w.code, w.size)
	}
}

// BenchmarkRequestTenOverlays is what ten active overlays cost a request of 1 KB
// in all: edits, what is made anew because of them, and what is told of them. As the
// third it measures the first two in turn, in short windows, and gives the median of
// the differences.
func BenchmarkRequestTenOverlays(b *testing.B) {
	plain, ten := newWay(b, ""), newWay(b, tenOverlays)
	if bytes.Contains(plain.conn.last, []byte("max_completion_tokens")) || !bytes.Contains(ten.conn.last, []byte(`"max_completion_tokens":256,"temperature":0.25,"metadata":{"user":"somebody"}`)) {
		b.Fatalf("sent %s and %s", plain.conn.last, ten.conn.last)
	}
	for name, w := range map[string]*way{"none": plain, "ten": ten} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				w.ask(b)
			}
		})
	}
	b.Run("difference", func(b *testing.B) {
		const window = 250
		took := func(w *way) time.Duration {
			begin := spent(b)
			for range window {
				w.ask(b)
			}
			return spent(b) - begin
		}
		var more []time.Duration
		for b.Loop() {
			one := took(plain)
			two := took(ten) + took(ten)
			more = append(more, two-one-took(plain))
		}
		slices.Sort(more)
		b.ReportMetric(float64(more[len(more)/2].Nanoseconds())/(2*window), "ns-added/request")
	})
}

// spent is the CPU time of this process, which a busy machine lengthens less than
// the time on the wall.
func spent(b *testing.B) time.Duration {
	b.Helper()
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_PROCESS_CPUTIME_ID, &t); err != nil {
		b.Fatal(err)
	}
	return time.Duration(t.Nano())
}
