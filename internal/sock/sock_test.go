package sock_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"runtime"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/aratta-gateway/aratta/internal/sock"
)

// pair is a wrapped connection and the other end of it.
func pair(t *testing.T) (wrapped, peer net.Conn) {
	t.Helper()
	var lc net.ListenConfig
	l, err := lc.Listen(t.Context(), "tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	var d net.Dialer
	peer, err = d.DialContext(t.Context(), "tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	wrapped, err = sock.NewListener(l).Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = wrapped.Close(); _ = peer.Close() })
	return wrapped, peer
}

func random(n int) []byte {
	b := make([]byte, n)
	r := rand.New(rand.NewPCG(1, uint64(n)))
	for i := 0; i < n; i += 8 {
		copy(b[i:], binary.LittleEndian.AppendUint64(nil, r.Uint64()))
	}
	return b
}

// What is written arrives, however large it is and in however many pieces, and
// also when the other side does not take it at once.
func TestEverythingArrives(t *testing.T) {
	for _, pieces := range [][]int{{1}, {100, 0, 5}, {0}, {200 << 10}, {64 << 10, 1 << 10, 64 << 10}, {3 << 20}, {10, 3 << 20, 10}, {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}} {
		for _, together := range []bool{false, true} {
			c, peer := pair(t)
			var want []byte
			var bufs net.Buffers
			for _, n := range pieces {
				p := random(n)
				want = append(want, p...)
				bufs = append(bufs, p)
			}
			var wg sync.WaitGroup
			wg.Go(func() {
				defer c.Close()
				if together {
					n, err := sock.WriteBuffers(c, &bufs, nil)
					if err != nil || n != int64(len(want)) || n > 0 && len(bufs) != 0 {
						t.Errorf("WriteBuffers of %v = %d, %v, and %d pieces left", pieces, n, err, len(bufs))
					}
					return
				}
				for _, p := range bufs {
					if n, err := c.Write(p); n != len(p) || err != nil {
						t.Errorf("Write of %d bytes = %d, %v", len(p), n, err)
					}
				}
			})
			got, err := io.ReadAll(peer)
			wg.Wait()
			if err != nil || !bytes.Equal(got, want) {
				t.Errorf("%v arrived as %d of %d bytes, %v", pieces, len(got), len(want), err)
			}
		}
	}
}

func TestReadsWhatComes(t *testing.T) {
	for _, buffer := range []int{100, 4 << 10, 256 << 10, 1 << 20} {
		c, peer := pair(t)
		want := random(700 << 10)
		var wg sync.WaitGroup
		wg.Go(func() {
			_, _ = peer.Write(want) // what is missing is seen below
			_ = peer.Close()
		})
		var got []byte
		buf := make([]byte, buffer)
		for {
			n, err := c.Read(buf)
			got = append(got, buf[:n]...)
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		wg.Wait()
		if !bytes.Equal(got, want) {
			t.Errorf("with a buffer of %d bytes %d of %d arrived", buffer, len(got), len(want))
		}
	}
}

func TestNothingReadIntoNothing(t *testing.T) {
	c, _ := pair(t)
	if n, err := c.Read(nil); n != 0 || err != nil {
		t.Errorf("Read(nil) = %d, %v", n, err)
	}
}

func TestDeadlines(t *testing.T) {
	c, _ := pair(t)
	past := time.Unix(1, 0)
	_ = c.SetReadDeadline(past)
	if _, err := c.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a read after its time: %v", err)
	}
	_ = c.SetWriteDeadline(past)
	if _, err := c.Write([]byte("x")); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a write after its time: %v", err)
	}
	v := net.Buffers{[]byte("x"), []byte("y")}
	if n, err := sock.WriteBuffers(c, &v, nil); n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) || len(v) != 2 {
		t.Errorf("WriteBuffers after its time: %d, %v, and %d pieces left", n, err, len(v))
	}
	var ne net.Error
	if _, err := c.Write([]byte("x")); !errors.As(err, &ne) || !ne.Timeout() {
		t.Errorf("%v is no timeout", err)
	}
	_ = c.SetDeadline(time.Time{})
	if _, err := c.Write([]byte("x")); err != nil {
		t.Errorf("after the deadline was taken back: %v", err)
	}
}

// Whoever waits is woken by a deadline and by Close.
func TestWaitersAreWoken(t *testing.T) {
	for name, wake := range map[string]func(net.Conn){
		"deadline": func(c net.Conn) { _ = c.SetDeadline(time.Unix(1, 0)) },
		"close":    func(c net.Conn) { _ = c.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			c, _ := pair(t)
			full := random(200 << 10)
			errs := make(chan error, 3)
			go func() { _, err := c.Read(make([]byte, 1)); errs <- err }()
			go func() { _, err := c.Read(make([]byte, 1)); errs <- err }() // waits behind the other one
			go func() {
				for { // until nobody takes it any more
					if _, err := c.Write(full); err != nil {
						errs <- err
						return
					}
				}
			}()
			wake(c)
			for range cap(errs) {
				if err := <-errs; err == nil {
					t.Error("somebody was told that all is well")
				}
			}
		})
	}
}

func TestPeerIsGone(t *testing.T) {
	c, peer := pair(t)
	_ = peer.(*net.TCPConn).SetLinger(0)
	_ = peer.Close()
	if _, err := c.Read(make([]byte, 1)); err == nil {
		t.Error("a connection that was reset gave something to read")
	}
	var err error
	for range 3 {
		_, err = c.Write([]byte("x"))
	}
	var op *net.OpError
	if !errors.As(err, &op) || op.Op != "write" {
		t.Errorf("a write to nobody: %v", err)
	}
}

// A connection that is no TCP connection stays what it is.
func TestOthersStay(t *testing.T) {
	a, b := net.Pipe()
	defer a.Close()
	defer b.Close()
	if sock.Wrap(a) != a {
		t.Error("a pipe was wrapped")
	}
	v := net.Buffers{[]byte("a"), []byte("b")}
	go func() { _, _ = sock.WriteBuffers(a, &v, nil); _ = a.Close() }()
	if got, err := io.ReadAll(b); string(got) != "ab" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
}

// net/http's server works over it: requests on one connection, large bodies, a
// client that leaves while its answer is being made.
func TestServer(t *testing.T) {
	var lc net.ListenConfig
	l, err := lc.Listen(t.Context(), "tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	came, left := make(chan struct{}), make(chan struct{})
	h := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/wait" {
			close(came)
			<-r.Context().Done()
			close(left)
			return
		}
		b, _ := io.ReadAll(r.Body) // the client sees what is missing
		_, _ = w.Write(b)
	})}
	go func() { _ = h.Serve(sock.NewListener(l)) }() // ends with Close
	defer h.Close()
	url := "http://" + l.Addr().String()
	for _, n := range []int{0, 10, 5 << 10, 2 << 20} {
		want := random(n)
		req, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, url, bytes.NewReader(want))
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%d bytes came back as %d, %v", n, len(got), err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	req, _ := http.NewRequestWithContext(ctx, http.MethodGet, url+"/wait", nil)
	go func() { <-came; cancel() }()
	if resp, err := http.DefaultClient.Do(req); err == nil {
		_ = resp.Body.Close()
		t.Error("a request that was given up was answered")
	}
	<-left
}

// A connection is quiet until something comes on it, its end included.
func TestQuiet(t *testing.T) {
	for _, end := range []bool{false, true} {
		c, peer := pair(t)
		q, ok := c.(interface{ Quiet() bool })
		if !ok {
			t.Skip("connections stay as they are here")
		}
		if !q.Quiet() {
			t.Error("nothing was sent, and it is not quiet")
		}
		if end {
			_ = peer.Close()
		} else if _, err := peer.Write([]byte("x")); err != nil {
			t.Fatal(err)
		}
		for q.Quiet() { // until it has come; the test's own time limit ends this
			runtime.Gosched()
		}
		if b, err := io.ReadAll(io.LimitReader(c, 1)); err != nil || len(b) == 1 == end {
			t.Errorf("after a look %q, %v is read", b, err)
		}
		if _ = c.Close(); q.Quiet() {
			t.Error("closed, and it is quiet")
		}
	}
}

// Whoever awaits something is woken by bytes, which stay to be read, by the end of the
// connection, and by what ends a Read.
func TestAwait(t *testing.T) {
	gone := errors.New("the connection is closed")
	for name, c := range map[string]struct {
		do   func(c, peer net.Conn) error
		want error
	}{
		"bytes":   {func(_, peer net.Conn) error { _, err := peer.Write([]byte("x")); return err }, nil},
		"its end": {func(_, peer net.Conn) error { return peer.Close() }, nil},
		"reset": {func(_, peer net.Conn) error {
			return errors.Join(peer.(*net.TCPConn).SetLinger(0), peer.Close())
		}, syscall.ECONNRESET},
		"deadline": {func(c, _ net.Conn) error { return c.SetReadDeadline(time.Unix(1, 0)) }, os.ErrDeadlineExceeded},
		"Close":    {func(c, _ net.Conn) error { return c.Close() }, gone},
	} {
		for _, before := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s/before=%v", name, before), func(t *testing.T) {
				conn, peer := pair(t)
				a, ok := conn.(interface{ Await() error })
				if !ok {
					t.Skip("connections stay as they are here")
				}
				errs := make(chan error, 1)
				if !before {
					go func() { errs <- a.Await() }()
				}
				if err := c.do(conn, peer); err != nil {
					t.Fatal(err)
				}
				if before {
					errs <- a.Await()
				}
				err := <-errs
				b, rerr := io.ReadAll(io.LimitReader(conn, 1))
				if name == "reset" && err == nil {
					err = rerr // one of both tells it
				}
				if name == "Close" && err != nil {
					err = c.want // whatever it says
				}
				if !errors.Is(err, c.want) {
					t.Fatalf("%v, want %v", err, c.want)
				}
				if name == "bytes" && (rerr != nil || string(b) != "x") {
					t.Errorf("%q, %v is read after it", b, rerr)
				}
			})
		}
	}
}
