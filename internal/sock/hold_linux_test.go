package sock_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/aratta-gateway/aratta/internal/sock"
)

// holding is a connection that holds what is written, and the other end of it, which
// can tell whether something came.
func holding(t *testing.T) (net.Conn, sock.Holder, interface{ Quiet() bool }) {
	t.Helper()
	c, peer := pair(t)
	h := sock.HolderOf(sock.WithConn(t.Context(), c))
	q, ok := sock.Wrap(peer).(interface{ Quiet() bool })
	if h == nil || !ok {
		t.Skip("connections hold nothing here: another system than Linux, or the race detector")
	}
	h.Hold()
	return c, h, q
}

func TestHeldUntil(t *testing.T) {
	for what, let := range map[string]func(net.Conn, sock.Holder) error{
		"Release":         func(_ net.Conn, h sock.Holder) error { return h.Release() },
		"Read":            func(c net.Conn, _ sock.Holder) error { go c.Read(make([]byte, 1)); return nil }, // ends with the connection
		"SetReadDeadline": func(c net.Conn, _ sock.Holder) error { return c.SetReadDeadline(time.Now().Add(time.Hour)) },
		"SetDeadline":     func(c net.Conn, _ sock.Holder) error { return c.SetDeadline(time.Time{}) },
		"CloseWrite":      func(c net.Conn, _ sock.Holder) error { return c.(*sock.Conn).CloseWrite() },
		"Close":           func(c net.Conn, _ sock.Holder) error { return c.Close() },
		"too much": func(c net.Conn, _ sock.Holder) error {
			_, err := c.Write(make([]byte, 64<<10))
			return err
		},
		"ReadFrom": func(c net.Conn, _ sock.Holder) error {
			_, err := c.(io.ReaderFrom).ReadFrom(bytes.NewReader([]byte("z")))
			return err
		},
	} {
		t.Run(what, func(t *testing.T) {
			c, h, peer := holding(t)
			for _, s := range []string{"a", "bc", "d"} {
				if n, err := io.WriteString(c, s); n != len(s) || err != nil {
					t.Fatal(n, err)
				}
			}
			if !peer.Quiet() {
				t.Error("something was sent at once")
			}
			if err := let(c, h); err != nil {
				t.Fatal(err)
			}
			got := make([]byte, 4)
			if _, err := io.ReadFull(peer.(io.Reader), got); string(got) != "abcd" || err != nil {
				t.Errorf("%q came: %v", got, err)
			}
		})
	}
}

// What is written beside what is held comes after it, and a connection that was
// closed says so at last.
func TestHeldInOrder(t *testing.T) {
	c, h, peer := holding(t)
	want := random(200 << 10)
	go func() {
		for p := range slices.Chunk(want, 7000) {
			if _, err := c.Write(p); err != nil {
				break // the other side misses it
			}
		}
		_ = h.Release() // the same
	}()
	got := make([]byte, len(want))
	if _, err := io.ReadFull(peer.(io.Reader), got); err != nil || !bytes.Equal(got, want) {
		t.Errorf("other bytes came: %v", err)
	}
	h.Hold()
	_ = c.Close() // that is what is tried
	h.Hold()
	if _, err := c.Write(want[:10]); err != nil {
		t.Errorf("holding: %v", err)
	}
	if h.Release() == nil {
		t.Error("what is held was sent over a closed connection")
	}
	if _, err := c.Write(want[:10]); err == nil {
		t.Error("a later write does not fail")
	}
}

// A server whose handler holds what it writes ends its answers as any other.
func TestHeldByAServer(t *testing.T) {
	body := random(20 << 10)
	for _, c := range []struct {
		what, closing string
		flush         bool
	}{{"kept", "", false}, {"flushed", "", true}, {"closed", "close", false}} {
		t.Run(c.what, func(t *testing.T) {
			l, err := new(net.ListenConfig).Listen(t.Context(), "tcp4", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			s := &http.Server{
				ReadHeaderTimeout: time.Minute,
				ConnContext:       func(ctx context.Context, c net.Conn) context.Context { return sock.WithConn(ctx, c) },
				Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if c.closing != "" {
						w.Header().Set("Connection", c.closing)
					}
					if h := sock.HolderOf(r.Context()); h != nil {
						h.Hold()
					}
					_, _ = w.Write(body)
					if c.flush {
						w.(http.Flusher).Flush()
					}
				}),
			}
			go s.Serve(sock.NewListener(l)) // ends with Close
			defer s.Close()
			for range 3 {
				req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+l.Addr().String(), bytes.NewReader(body))
				if err != nil {
					t.Fatal(err)
				}
				r, err := http.DefaultClient.Do(req)
				if err != nil {
					t.Fatal(err)
				}
				got, err := io.ReadAll(r.Body)
				_ = r.Body.Close()
				if err != nil || !bytes.Equal(got, body) {
					t.Fatalf("%d bytes came: %v", len(got), err)
				}
			}
		})
	}
}
