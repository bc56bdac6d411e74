package provider

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/aratta-gateway/aratta/scri"
)

// unchunk takes the frame off in pieces of n bytes.
func unchunk(framed []byte, n int) (string, chunks, error) {
	var c chunks
	var out []byte
	for len(framed) > 0 {
		piece := bytes.Clone(framed[:min(n, len(framed))])
		framed = framed[len(piece):]
		k, err := c.unwrap(piece)
		out = append(out, piece[:k]...)
		if err != nil {
			return string(out), c, err
		}
	}
	return string(out), c, nil
}

// Whatever is accepted means the same to net/http, however it is cut.
func FuzzChunks(f *testing.F) {
	f.Add([]byte("3\r\nabc\r\n0\r\n\r\n"), 2)
	f.Add([]byte("1;x\r\na\r\n0\r\nA: b\r\n\r\n"), 1)
	f.Fuzz(func(t *testing.T, framed []byte, n int) {
		got, state, err := unchunk(framed, max(n&0xff, 1))
		again, _, err2 := unchunk(framed, len(framed)+1)
		if got != again || (err == nil) != (err2 == nil) {
			t.Fatalf("cut: %q, %v; whole: %q, %v", got, err, again, err2)
		}
		if err != nil || state.state != chunkEnd || state.excess {
			return
		}
		want, herr := io.ReadAll(httputil.NewChunkedReader(bytes.NewReader(framed)))
		if herr == nil && string(want) != got {
			t.Fatalf("%q, net/http reads %q", got, want)
		}
	})
}

// raw is a server that answers each request with the same bytes.
func raw(t *testing.T, answer string) *Provider {
	t.Helper()
	mem := &memory{serve: func(c net.Conn, r *bufio.Reader) {
		for request(r) == nil {
			if _, err := io.WriteString(c, answer); err != nil {
				return
			}
			if strings.Contains(answer, "close") {
				return
			}
		}
	}}
	return build(t, Remote, "test", Entry{Dialect: "plain", BaseURL: "http://api.example"}, Deps{Dial: mem.dial})
}

func TestH1ReadsEveryFraming(t *testing.T) {
	for name, c := range map[string]struct {
		answer string
		want   string
		err    scri.ErrorKind
	}{
		"length":         {"HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n{\"text\":\"x\"}", "x", ""},
		"chunks":         {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"tex\r\n7\r\nt\":\"x\"}\r\n0\r\n\r\n", "x", ""},
		"close":          {"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{\"text\":\"x\"}", "x", ""},
		"informational":  {"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n{\"text\":\"x\"}", "x", ""},
		"other protocol": {"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", "", scri.ErrUnavailable},
		"endless head":   {"HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", maxHead), "", scri.ErrUnavailable},
		"garbage":        {"SSH-2.0-x\r\n\r\n", "", scri.ErrUnavailable},
		"bad chunks":     {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", "", scri.ErrTruncated},
		"half a body":    {"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 99\r\n\r\n{", "", scri.ErrTruncated},
		"encodings":      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", "", scri.ErrUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			p := raw(t, c.answer)
			defer p.Close()
			for range 3 {
				got, err := chat(allowed(t, p), p, false)
				if c.err != "" {
					wantError(t, err, c.err)
				} else if got != c.want || err != nil {
					t.Fatalf("%q, %v", got, err)
				}
			}
		})
	}
}

// A server may refuse a large body before it has read it.
func TestH1EarlyRefusal(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Connection", "close")
		w.WriteHeader(http.StatusRequestEntityTooLarge)
		_, _ = io.WriteString(w, "too much")
	}))
	t.Cleanup(srv.Close)
	p := build(t, Remote, "test", Entry{Dialect: "plain", BaseURL: srv.URL}, Deps{})
	_, _, err := p.Chat(allowed(t, p), &scri.ChatRequest{User: strings.Repeat("x", 8<<20)}, &Call{Model: "m"})
	if e, ok := errors.AsType[*scri.Error](err); !ok || e.Status != http.StatusRequestEntityTooLarge && e.Kind != scri.ErrUnavailable {
		t.Errorf("got %v", err)
	}
}

// A connection that the server closed while it lay idle is not used.
func TestH1DropsClosedConnections(t *testing.T) {
	n := 0
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	closed := make(chan struct{})
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			if request(bufio.NewReader(c)) == nil {
				n++
				_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n{\"text\":\"x\"}")
			}
			_ = c.Close() // and does not say so beforehand
			closed <- struct{}{}
		}
	}()
	p := build(t, Remote, "test", Entry{Dialect: "plain", BaseURL: "http://" + l.Addr().String()}, Deps{})
	for i := range 5 {
		if got, err := chat(allowed(t, p), p, false); got != "x" || err != nil {
			t.Fatalf("request %d: %q, %v", i, got, err)
		}
		<-closed
	}
	if n != 5 {
		t.Errorf("%d requests arrived", n)
	}
}

func TestH1SendsNothingOdd(t *testing.T) {
	for name, h := range map[string]http.Header{
		"name":  {"X Y": {"z"}},
		"value": {"X-Key": {"hush\r\nHost: elsewhere"}},
	} {
		req := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "http://api.example/chat", nil)
		req.Header = h
		b, err := appendHead(nil, req, 0)
		if err == nil || strings.Contains(err.Error(), "hush") || strings.Contains(string(b), "hush") {
			t.Errorf("%s: %q, %v", name, b, err)
		}
	}
	for base, fits := range map[string]bool{
		"http://127.0.0.1:1": true, "http://gpu.lan": true, "https://127.0.0.1": false,
		"http://münchen.lan": false, "http://[fe80::1%25eth0]:1": false,
	} {
		if got := h1Fits(mustURL(t, base), nil); got != fits {
			t.Errorf("%s: %v", base, got)
		}
	}
	if h1Fits(mustURL(t, "http://x"), mustURL(t, "http://proxy:1")) {
		t.Error("h1 knows no proxies")
	}
}

// Bodies, heads and ends come in any pieces.
func TestH1PiecesOfAnyKind(t *testing.T) {
	const answer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\na\nb\nEN\r\n2\r\nD\n\r\n0\r\n\r\n"
	mem := &memory{serve: func(c net.Conn, r *bufio.Reader) {
		for request(r) == nil {
			if _, err := io.Copy(c, iotest.OneByteReader(strings.NewReader(strings.Replace(answer, "OK\r\n", "OK\r\nContent-Type: text/event-stream\r\n", 1)))); err != nil {
				return
			}
		}
	}}
	p := build(t, Remote, "test", Entry{Dialect: "plain", BaseURL: "http://api.example"}, Deps{Dial: mem.dial})
	defer p.Close()
	for range 3 {
		if got, err := chat(allowed(t, p), p, true); got != "ab" || err != nil {
			t.Fatalf("%q, %v", got, err)
		}
	}
}
