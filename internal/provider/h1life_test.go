//go:build unix

package provider

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/scri"
)

// In whatever phase the caller goes, RoundTrip or Read says why, the connection
// is closed, and nothing goes on: the server's side ends.
func TestH1Cancellation(t *testing.T) {
	reason := errors.New("the test's reason")
	huge := bytes.Repeat([]byte("x"), 32<<20)
	for name, c := range map[string]struct {
		body []byte
		head string // what the server says at once
		all  bool   // it reads the request first
	}{
		"while writing":            {huge, "", false},
		"while waiting":            {nil, "", true},
		"in the head":              {nil, "HTTP/1.1 200 OK\r\nA:", true},
		"in the body":              {nil, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx", true},
		"in chunks":                {nil, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nx", true},
		"in the body, and writing": {huge, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx", false},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancelCause(t.Context())
			w := listen(t, func(_ int, conn *net.TCPConn, r *bufio.Reader) {
				if c.all && request(r) != nil {
					return
				}
				say(conn, c.head)
				if !strings.Contains(c.head, "\r\n\r\n") {
					time.AfterFunc(stallAfter/4, func() { cancel(reason) })
				}
				<-ctx.Done()
				_, _ = io.Copy(io.Discard, r) // ends when the client closes
			})
			resp, err := w.ask(ctx, http.MethodPost, c.body)
			if strings.Contains(c.head, "\r\n\r\n") {
				time.AfterFunc(stallAfter/4, func() { cancel(reason) })
				if err != nil {
					t.Fatal(err)
				}
				if _, err = io.ReadAll(resp.Body); err == nil {
					t.Error("the body ends well")
				}
			} else if !errors.Is(err, reason) {
				t.Errorf("got %v", err)
			}
			if len(w.idle) != 0 {
				t.Error("the connection was kept")
			}
		})
	}
	t.Run("while dialling", func(t *testing.T) {
		tr := newH1(&url.URL{Scheme: "http", Host: "x"}, func(ctx context.Context, _, _ string) (net.Conn, error) {
			<-ctx.Done()
			return nil, context.Cause(ctx)
		})
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(reason)
		if _, err := tr.RoundTrip(asking(ctx, http.MethodGet, "http://x", nil)); !errors.Is(err, reason) {
			t.Errorf("got %v", err)
		}
	})
}

// A cancellation that comes as an answer ends never hits the next request.
func TestH1LateCancellation(t *testing.T) {
	w := listen(t, func(_ int, conn *net.TCPConn, r *bufio.Reader) {
		for request(r) == nil {
			say(conn, fine)
		}
	})
	for range 500 {
		ctx, cancel := context.WithCancel(t.Context())
		resp, err := w.ask(ctx, http.MethodPost, []byte("x"))
		if err != nil {
			t.Fatal(err)
		}
		var gone sync.WaitGroup
		gone.Go(cancel)
		_, _ = io.ReadAll(resp.Body) // may fail, as it was canceled
		if _, text, err := w.read(t, http.MethodPost, bytes.Repeat([]byte("y"), 9000)); err != nil || text != "fine" {
			t.Fatalf("the next request: %q, %v", text, err)
		}
		gone.Wait()
	}
}

// Close ends a body that somebody reads, may be called again, and after the end
// of the answer leaves the connection to whoever has it now.
func TestH1Close(t *testing.T) {
	w := listen(t, func(_ int, conn *net.TCPConn, r *bufio.Reader) {
		for request(r) == nil {
			say(conn, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf")
		}
	})
	resp, err := w.ask(t.Context(), http.MethodPost, nil)
	if err != nil {
		t.Fatal(err)
	}
	read := make(chan error)
	go func() {
		_, err := io.ReadAll(resp.Body)
		read <- err
	}()
	for range 3 {
		if err := resp.Body.Close(); err != nil {
			t.Error(err)
		}
	}
	if err := <-read; err == nil {
		t.Error("half a body ends well")
	}
	if resp, err = w.ask(t.Context(), http.MethodPost, nil); err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if n, err := resp.Body.Read(make([]byte, 9)); n != 0 || !errors.Is(err, http.ErrBodyReadAfterClose) {
		t.Errorf("after Close Read gives %d, %v", n, err)
	}

	w = listen(t, func(_ int, conn *net.TCPConn, r *bufio.Reader) {
		for request(r) == nil {
			say(conn, fine)
		}
	})
	if resp, err = w.ask(t.Context(), http.MethodPost, nil); err != nil {
		t.Fatal(err)
	}
	_, _ = io.ReadAll(resp.Body)
	next, err := w.ask(t.Context(), http.MethodPost, nil) // on the same connection
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close() // of the first, late
	if b, err := io.ReadAll(next.Body); string(b) != "fine" || err != nil || w.dials.Load() != 1 {
		t.Errorf("%q, %v, %d connections", b, err, w.dials.Load())
	}
}

// counted is a connection that only counts who closes it.
type counted struct {
	net.Conn
	closed *int
}

func (c counted) Close() error { *c.closed++; return nil }

// The pool is bounded, what lies too long is closed, and the timer ends.
func TestH1Pool(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr, closed := newH1(&url.URL{Scheme: "http", Host: "x"}, nil), 0
		for range idlePerHost + 5 {
			tr.put(counted{nil, &closed})
		}
		if closed != 5 || len(tr.idle) != idlePerHost {
			t.Errorf("%d closed, %d kept", closed, len(tr.idle))
		}
		time.Sleep(idleFor / 2)
		if c, kept, err := tr.take(t.Context()); !kept || err != nil {
			t.Error(err)
		} else {
			tr.put(c) // used now
		}
		time.Sleep(idleFor/2 + time.Second)
		if tr.mu.Lock(); closed != 5+idlePerHost-1 || len(tr.idle) != 1 || tr.sweep == nil {
			t.Errorf("%d closed, %d kept", closed, len(tr.idle))
		}
		tr.mu.Unlock()
		time.Sleep(idleFor)
		if tr.mu.Lock(); len(tr.idle) != 0 || tr.sweep != nil {
			t.Errorf("%d kept", len(tr.idle))
		}
		tr.mu.Unlock()
		tr.put(counted{nil, &closed})
		tr.CloseIdleConnections()
		tr.put(counted{nil, &closed}) // under way when it was closed
		if closed != idlePerHost+7 || len(tr.idle) != 0 {
			t.Errorf("%d closed, %d kept", closed, len(tr.idle))
		}
	})
}

// Nothing can be written into a head that is no part of it.
func TestH1Heads(t *testing.T) {
	for name, change := range map[string]func(*http.Request){
		"method":         func(r *http.Request) { r.Method = "GET / HTTP/1.1\r\nX: hush" },
		"query":          func(r *http.Request) { r.URL.RawQuery = "a b hush" },
		"query, lines":   func(r *http.Request) { r.URL.RawQuery = "a\r\nhush: b" },
		"opaque":         func(r *http.Request) { r.URL.Opaque = "/\r\nhush" },
		"host":           func(r *http.Request) { r.URL.Host = "x\r\nhush: y" },
		"no host":        func(r *http.Request) { r.URL.Host = "" },
		"name":           func(r *http.Request) { r.Header = http.Header{"X\r\nY": {"hush"}} },
		"value":          func(r *http.Request) { r.Header = http.Header{"X": {"a\nhush: b"}} },
		"second length":  func(r *http.Request) { r.Header = http.Header{"content-length": {"1"}} },
		"encoding":       func(r *http.Request) { r.Header = http.Header{"Transfer-Encoding": {"chunked"}} },
		"second host":    func(r *http.Request) { r.Header = http.Header{"hOST": {"hush"}} },
		"expectation":    func(r *http.Request) { r.Header = http.Header{"expect": {"100-continue"}} },
		"own connection": func(r *http.Request) { r.Header = http.Header{"Connection": {"close"}} },
	} {
		req := asking(t.Context(), http.MethodPost, "http://api.example", nil)
		change(req)
		if b, err := appendHead(nil, req, 3); err == nil || strings.Contains(err.Error(), "hush") {
			t.Errorf("%s: %q, %v", name, b, err)
		}
	}
	req := asking(t.Context(), http.MethodPost, "http://api.example:1", nil)
	req.URL.Path, req.Header = "/a b\r\nc", http.Header{"X-Key": {"k"}}
	b, err := appendHead(nil, req, 3)
	if want := "POST /a%20b%0D%0Ac?y=z HTTP/1.1\r\nHost: api.example:1\r\nX-Key: k\r\nContent-Length: 3\r\n\r\n"; string(b) != want || err != nil {
		t.Errorf("%q, %v", b, err)
	}
}

// lent encodes a request into the memory that it is lent, as dialects do.
type lent struct{ plain }

func (lent) EncodeRequest(req *scri.ChatRequest, t *dialect.Target) (*dialect.Outgoing, []scri.Warning, error) {
	return &dialect.Outgoing{Method: http.MethodPost, Path: "/chat", Body: append(t.Buf[:0], req.User...)}, nil, nil
}

// Each body arrives as it was, or in part; never with a byte of another one,
// though requests share memory, stall and are canceled in the middle.
func TestH1BodiesDoNotMix(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		slow := r.ContentLength%3 == 0
		if slow { // so that writing stalls and goes on beside reading, or is canceled
			_ = http.NewResponseController(w).EnableFullDuplex()
			_, _ = io.WriteString(w, `{"text":"ok"`)
			_ = http.NewResponseController(w).Flush()
			select {
			case <-time.After(stallAfter + 50*time.Millisecond):
			case <-r.Context().Done():
			}
		}
		body, _ := io.ReadAll(r.Body)
		if len(body) > 0 && bytes.Count(body, body[:1]) != len(body) {
			t.Errorf("a body of %d bytes is mixed", len(body))
		}
		if slow {
			_, _ = io.WriteString(w, `}`)
			return
		}
		fmt.Fprint(w, `{"text":"ok"}`)
	}))
	t.Cleanup(srv.Close)
	p := build(t, Remote, "test", Entry{Dialect: "plain", BaseURL: srv.URL}, Deps{})
	p.dialect = lent{}
	var all sync.WaitGroup
	for g := range 8 {
		all.Go(func() {
			for i := range 12 {
				ctx, cancel := context.WithCancel(allowed(t, p))
				if i%4 == 3 {
					time.AfterFunc(time.Duration(i)*time.Millisecond, cancel)
				}
				size := 1 + (i*7919+g*104729)%9000
				if i%5 == 0 {
					size += 9 << 20 // never kept, and more than sockets hold
				} else if i%2 == 0 {
					size += 3 << 20
				}
				s, _, err := p.Chat(ctx, &scri.ChatRequest{User: strings.Repeat(string(rune('a'+(g*12+i)%26)), size)}, &Call{Model: "m"})
				if err == nil {
					_, err = drainText(s)
				}
				if err != nil && i%4 != 3 {
					t.Errorf("request %d of %d bytes: %v", i, size, err)
				}
				cancel()
			}
		})
	}
	all.Wait()
}
