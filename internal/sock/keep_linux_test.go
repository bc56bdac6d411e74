package sock_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
	"weak"

	"golang.org/x/sys/unix"
	"pgregory.net/rapid"

	"github.com/aratta-gateway/aratta/internal/sock"
)

// keeping is a listener whose connections keep what is read.
type keeping struct {
	net.Listener
	t testing.TB
}

func newKeeping(t testing.TB) *keeping {
	t.Helper()
	var lc net.ListenConfig
	l, err := lc.Listen(t.Context(), "tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	k := &keeping{sock.NewListener(l), t}
	t.Cleanup(func() { _ = k.Close() })
	c, _ := k.pair()
	if kept := sock.Keep(sock.WithConn(t.Context(), c), make([]byte, 1<<20)); kept == nil {
		t.Skip("nothing is kept here: another system than Linux, or the race detector")
	} else {
		kept.Close()
	}
	return k
}

// pair is an accepted connection and the other end of it.
func (k *keeping) pair() (accepted, peer net.Conn) {
	k.t.Helper()
	var d net.Dialer
	peer, err := d.DialContext(k.t.Context(), "tcp", k.Addr().String())
	if err != nil {
		k.t.Fatal(err)
	}
	accepted, err = k.Accept()
	if err != nil {
		k.t.Fatal(err)
	}
	k.t.Cleanup(func() { _ = accepted.Close(); _ = peer.Close() })
	return accepted, peer
}

// receive reads body, of which the first bytes were read before, and keeps it. Some in
// the midst are read elsewhere.
func (k *keeping) receive(body []byte, first, aside int, write func(net.Conn)) (mem []byte, kept *sock.Kept) {
	k.t.Helper()
	c, peer := k.pair()
	var wg sync.WaitGroup
	wg.Go(func() { write(peer) })
	defer wg.Wait()
	mem = make([]byte, len(body))
	if _, err := io.ReadFull(c, mem[:first]); err != nil {
		k.t.Fatal(err)
	}
	kept = sock.Keep(sock.WithConn(k.t.Context(), c), mem)
	half := len(mem) / 2
	elsewhere := make([]byte, aside)
	for _, p := range [][]byte{mem[first:half], elsewhere, mem[half+aside:]} {
		if _, err := io.ReadFull(c, p); err != nil {
			k.t.Fatal(err)
		}
	}
	copy(mem[half:], elsewhere)
	if !bytes.Equal(mem, body) {
		k.t.Fatal("something else was read than was written")
	}
	return mem, kept
}

// send writes pieces with what is kept, and returns what arrived.
func (k *keeping) send(pieces [][]byte, kept *sock.Kept) []byte {
	k.t.Helper()
	c, peer := k.pair()
	want := 0
	for _, p := range pieces {
		want += len(p)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		defer c.Close()
		v := net.Buffers(pieces)
		if n, err := sock.WriteBuffers(c, &v, kept); n != int64(want) || err != nil || n > 0 && len(v) != 0 {
			k.t.Errorf("WriteBuffers of %d bytes = %d, %v, and %d pieces left", want, n, err, len(v))
		}
	})
	got, err := io.ReadAll(peer)
	if err != nil {
		k.t.Error(err)
	}
	wg.Wait()
	return got
}

func writeAll(body []byte) func(net.Conn) {
	return func(c net.Conn) { _, _ = c.Write(body) } // the reader tells
}

// Whatever is made of a body that is kept, in pieces of it and of other memory, in any
// order: what arrives is what the pieces say.
func TestKeptArrives(t *testing.T) {
	k := newKeeping(t)
	rapid.Check(t, func(rt *rapid.T) {
		size := rapid.IntRange(200<<10, 2<<20).Draw(rt, "size")
		body := random((size + 7) &^ 7)
		mem, kept := k.receive(body, rapid.IntRange(0, 8<<10).Draw(rt, "first"), rapid.SampledFrom([]int{0, 0, 1, 20 << 10}).Draw(rt, "aside"), writeAll(body))
		defer kept.Close()
		for range rapid.IntRange(1, 2).Draw(rt, "times") {
			var pieces [][]byte
			var want []byte
			for range rapid.IntRange(0, 9).Draw(rt, "pieces") {
				var p []byte
				switch from := rapid.IntRange(0, len(mem)).Draw(rt, "from"); rapid.IntRange(0, 3).Draw(rt, "kind") {
				case 0:
					p = []byte("another piece of memory")
				case 1:
					p = mem[from:min(len(mem), from+rapid.IntRange(0, 40<<10).Draw(rt, "short"))]
				case 2: // what follows the piece before
					if n := len(pieces); n > 0 && cap(pieces[n-1]) > len(pieces[n-1]) {
						at := len(mem) - cap(pieces[n-1]) + len(pieces[n-1]) + rapid.IntRange(0, 5).Draw(rt, "gap")
						if at >= 0 && at < len(mem) {
							p = mem[at:]
						}
					}
				default:
					p = mem[from:]
				}
				pieces, want = append(pieces, p), append(want, p...)
			}
			if got := k.send(pieces, kept); !bytes.Equal(got, want) {
				rt.Fatalf("%d bytes arrived that are not the %d that were written", len(got), len(want))
			}
		}
	})
}

// A body that comes in many small pieces of memory, here the pages of a file, does not
// fit the pipe.
func TestKeptInPart(t *testing.T) {
	k := newKeeping(t)
	body := random(3 << 20)
	name := filepath.Join(t.TempDir(), "body")
	if err := os.WriteFile(name, body, 0o600); err != nil {
		t.Fatal(err)
	}
	mem, kept := k.receive(body, 100, 0, func(c net.Conn) {
		f, err := os.Open(name)
		if err != nil {
			t.Error(err)
			return
		}
		defer f.Close()
		if n, err := c.(*net.TCPConn).ReadFrom(f); n != int64(len(body)) || err != nil {
			t.Error(n, err)
		}
	})
	defer kept.Close()
	if got := k.send([][]byte{[]byte("head"), mem}, kept); !bytes.Equal(got, append([]byte("head"), body...)) {
		t.Fatal("something else arrived")
	}
}

// Once a body is let go, its memory is what is written, whatever was kept of it.
func TestKeptIsLetGo(t *testing.T) {
	k := newKeeping(t)
	body := random(1 << 20)
	mem, kept := k.receive(body, 0, 0, writeAll(body))
	kept.Close()
	kept.Close()
	clear(mem)
	if got := k.send([][]byte{mem}, kept); !bytes.Equal(got, make([]byte, len(body))) {
		t.Fatal("what was let go was sent")
	}
}

// What was let go of holds no memory, as the context of a stream knows it to its end.
func TestKeptHoldsNoMemory(t *testing.T) {
	k := newKeeping(t)
	body := random(1 << 20)
	for _, sent := range []bool{false, true} {
		mem, kept := k.receive(body, 0, 0, writeAll(body))
		if sent {
			k.send([][]byte{mem}, kept)
		}
		w := weak.Make(&mem[0])
		kept.Close()
		runtime.GC()
		if w.Value() != nil {
			t.Errorf("the memory of a body is held after Close (sent: %v)", sent)
		}
		runtime.KeepAlive(kept)
	}
}

// Two may send the same body at once, here the second while the first cannot go on.
func TestKeptForTwo(t *testing.T) {
	k := newKeeping(t)
	body := random(2 << 20)
	mem, kept := k.receive(body, 0, 0, writeAll(body))
	defer kept.Close()
	c, peer := k.narrow()
	var wg sync.WaitGroup
	wg.Go(func() {
		defer c.Close()
		v := net.Buffers{[]byte("head"), mem}
		if _, err := sock.WriteBuffers(c, &v, kept); err != nil {
			t.Error(err)
		}
	})
	head := make([]byte, 1000)
	if _, err := io.ReadFull(peer, head); err != nil {
		t.Fatal(err)
	}
	if got := k.send([][]byte{mem}, kept); !bytes.Equal(got, body) {
		t.Error("something else arrived at the second")
	}
	rest, err := io.ReadAll(peer)
	if err != nil || !bytes.Equal(append(head, rest...), append([]byte("head"), body...)) {
		t.Error("something else arrived at the first", err)
	}
	wg.Wait()
}

// narrow is a pair that holds little of what is written.
func (k *keeping) narrow() (accepted, peer net.Conn) {
	k.t.Helper()
	accepted, peer = k.pair()
	if err := errors.Join(peer.(*net.TCPConn).SetReadBuffer(64<<10), accepted.(*sock.Conn).NetConn().(*net.TCPConn).SetWriteBuffer(64<<10)); err != nil {
		k.t.Fatal(err)
	}
	return accepted, peer
}

// When the other side takes nothing more, what was not written is known to the byte.
func TestKeptToOneWhoWaits(t *testing.T) {
	k := newKeeping(t)
	body := random(1 << 20)
	mem, kept := k.receive(body, 0, 0, writeAll(body))
	defer kept.Close()
	c, peer := k.narrow()
	if err := c.SetWriteDeadline(time.Now().Add(50 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	v := net.Buffers{[]byte("head"), mem}
	n, err := sock.WriteBuffers(c, &v, kept)
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("%d bytes were written: %v", n, err)
	}
	if err := c.SetWriteDeadline(time.Time{}); err != nil {
		t.Fatal(err)
	}
	go func() { _, _ = sock.WriteBuffers(c, &v, nil); _ = c.Close() }() // the reader tells
	got, err := io.ReadAll(peer)
	if err != nil || !bytes.Equal(got, append([]byte("head"), body...)) {
		t.Fatalf("%d bytes arrived that are not what was written: %v", len(got), err)
	}
}

// What is kept is bounded, and what keeps it is closed with the listener.
func TestKeepingIsBounded(t *testing.T) {
	k := newKeeping(t)
	before := files(t)
	c, _ := k.pair()
	ctx := sock.WithConn(t.Context(), c)
	var all []*sock.Kept
	for range 100 {
		if kept := sock.Keep(ctx, make([]byte, 1<<20)); kept != nil {
			all = append(all, kept)
		}
	}
	if len(all) == 0 || len(all) > 16 {
		t.Errorf("%d bodies are kept at once", len(all))
	}
	for _, kept := range all {
		kept.Close()
	}
	if err := k.Close(); err != nil {
		t.Fatal(err)
	}
	if after := files(t); after > before {
		t.Errorf("%d files are open, and were %d before", after, before)
	}
	for _, ctx := range []context.Context{ctx, t.Context()} {
		kept := sock.Keep(ctx, make([]byte, 1<<20))
		if kept != nil {
			t.Error("something is kept after the end")
		}
		kept.Close()
	}
}

func files(t *testing.T) int {
	t.Helper()
	all, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(all)
}

// A connection to this machine does not wait before its packets.
func TestUnpaced(t *testing.T) {
	k := newKeeping(t)
	how := func(c syscall.RawConn) (name string) {
		if err := c.Control(func(fd uintptr) {
			name, _ = unix.GetsockoptString(int(fd), unix.IPPROTO_TCP, unix.TCP_CONGESTION) // "" fails the test
		}); err != nil {
			t.Fatal(err)
		}
		return name
	}
	var usual string
	d := net.Dialer{Control: func(_, _ string, c syscall.RawConn) error {
		usual = how(c)
		sock.Unpace(c)
		return nil
	}}
	c, err := d.DialContext(t.Context(), "tcp", k.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	raw, err := c.(*net.TCPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	if now := how(raw); now == "" || strings.HasPrefix(now, "bbr") || !strings.HasPrefix(usual, "bbr") && now != usual {
		t.Errorf("%q is %q now", usual, now)
	}
}
