package sock

import (
	"context"
	"sync"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	leastSpliced = 16 << 10 // smaller parts of one are written out of memory
	mostSkipped  = 64 << 10 // so much between two parts is read away, in pieces of
	skipPiece    = 4 << 10
)

// Kept is the part of a body that is in memory and in the kernel as well. One
// goroutine reads the body; any may write it or close the Kept then.
type Kept struct {
	conn *Conn
	pipe pipe
	mem  []byte

	mu       sync.Mutex
	from, to int  // mem[from:to] is in the pipe
	begun    bool // from and to are set
	full     bool // nothing more is taken
	spoilt   bool // what is in the pipe is not known
	busy     bool // somebody writes out of it
	closed   bool
}

// Keep has what is read into mem from the connection of ctx kept in the kernel too,
// as far as that can be done: a body that WriteBuffers sends on as it came then costs no
// second copy. It returns nil when nothing will be kept.
//
// The Kept must be closed before mem is used for anything else.
func Keep(ctx context.Context, mem []byte) *Kept {
	c, ok := HolderOf(ctx).(*Conn)
	if !ok || len(mem) < LeastKept || c.pipes == nil {
		return nil
	}
	p, ok := c.pipes.take()
	if !ok {
		return nil
	}
	k := &Kept{conn: c, pipe: p, mem: mem}
	c.kept.Store(k)
	return k
}

// Close lets go of what is kept. A nil Kept has nothing, and may be closed again.
func (k *Kept) Close() {
	if k == nil {
		return
	}
	k.conn.kept.CompareAndSwap(k, nil)
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.closed {
		k.closed = true
		k.letGo()
	}
}

// letGo gives the pipe back when nobody needs it any more. The caller has the lock.
func (k *Kept) letGo() {
	if !k.closed || k.busy {
		return
	}
	if k.to-k.from <= mostSkipped {
		k.skip(k.to)
	}
	k.conn.pipes.put(k.pipe, k.from == k.to && !k.spoilt)
	k.mem = nil // the context of a stream knows k for as long as it lasts
}

// receive reads into p what has come, as read does, and keeps it if it continues what
// is kept.
func (k *Kept) receive(fd uintptr, p []byte) (int, syscall.Errno) {
	if k == nil {
		return read(fd, p)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	at, ok := within(p, k.mem)
	if !ok || k.closed || k.full || k.begun && at != k.to {
		return read(fd, p)
	}
	// A look and a move, not a move and a read: what is kept must not be taken out
	// of the pipe again.
	n, e := peek(fd, p)
	if e != 0 || n == 0 {
		return n, e
	}
	if !k.begun {
		k.begun, k.from, k.to = true, at, at
	}
	moved := 0
	for moved < n {
		m, e := splice(fd, uintptr(k.pipe.w), n-moved, 0)
		if e == syscall.EINTR {
			continue
		}
		if e != 0 || m == 0 { // no room in the pipe
			k.full = true
			break
		}
		moved += m
	}
	k.to += moved
	if moved == n {
		return n, 0
	}
	m, e := read(fd, p[moved:n])
	if e != 0 && moved > 0 {
		return moved, 0
	}
	return moved + m, e
}

// claim lets the caller write out of k, and nobody else until release.
func (k *Kept) claim() bool {
	if k == nil {
		return false
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.closed || k.busy || k.to-k.from < leastSpliced {
		return false
	}
	k.busy, k.full = true, true
	return true
}

func (k *Kept) release() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.busy = false
	k.letGo()
}

// next tells where in p that begins what can be written out of k, and how much.
// For who has claimed it.
func (k *Kept) next(p []byte) (at, n int) {
	if k == nil || len(p) == 0 || k.to-k.from < leastSpliced {
		return len(p), 0
	}
	if start, ok := within(p[:1], k.mem); ok && start > k.from && k.skips(start, len(p)) {
		k.skip(start)
	}
	at, ok := within(k.mem[k.from:k.from+1], p)
	if !ok {
		return len(p), 0
	}
	if n = min(len(p)-at, k.to-k.from); n < leastSpliced {
		return len(p), 0
	}
	return at, n
}

// skips reports whether it is worth it to begin at start, with n bytes of memory.
func (k *Kept) skips(start, n int) bool {
	return start-k.from <= mostSkipped && min(k.to, start+n)-start >= leastSpliced
}

// skip takes what is before start out of the pipe.
func (k *Kept) skip(start int) {
	b := make([]byte, min(skipPiece, start-k.from))
	for k.from < start {
		n, e := read(uintptr(k.pipe.r), b[:min(len(b), start-k.from)])
		if e == syscall.EINTR {
			continue
		}
		if e != 0 || n == 0 { // it is all there, so this cannot be
			k.from, k.spoilt = k.to, true
			return
		}
		k.from += n
	}
}

// send writes n bytes out of k. For who has claimed it.
func (k *Kept) send(fd uintptr, n int, more bool) (int, syscall.Errno) {
	flags := 0
	if more {
		flags = unix.SPLICE_F_MORE
	}
	n, e := splice(uintptr(k.pipe.r), fd, n, flags)
	switch {
	case e == syscall.EINVAL, e == 0 && n == 0: // this cannot be, but memory has it all the same
		k.from, k.spoilt = k.to, true
		return 0, 0
	case e == 0:
		k.from += n
	}
	return n, e
}

// within returns where in b the memory of p lies, if all of it does.
func within(p, b []byte) (int, bool) {
	if len(p) == 0 || len(p) > len(b) {
		return 0, false
	}
	off := uintptr(unsafe.Pointer(unsafe.SliceData(p))) - uintptr(unsafe.Pointer(unsafe.SliceData(b)))
	return int(off), off <= uintptr(len(b)-len(p))
}
