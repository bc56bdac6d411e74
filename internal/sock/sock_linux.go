package sock

import (
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Conn is a TCP connection. Like any other it may be read, written and closed by
// several goroutines at once.
type Conn struct {
	net.Conn // tcp
	tcp      *net.TCPConn
	raw      syscall.RawConn
	in, out  transfer // each with its deadline
	held     held
	kept     atomic.Pointer[Kept]
	pipes    *pipes // nil: nothing is kept
}

// transfer is the call under way in one direction. What it needs is kept, as it
// would be allocated for each call otherwise.
type transfer struct {
	deadline deadline
	waited   bool // the call under way was about to
	patient  bool // peek waits

	mu   sync.Mutex
	step func(fd uintptr) (done bool)
	peek func(fd uintptr) (done bool)
	p    []byte
	v    net.Buffers // in place of p
	kept *Kept       // where p is kept too; out of which v is written
	iov  [maxPieces]unix.Iovec
	n    int
	err  syscall.Errno
}

// maxPieces is how many pieces are written by one direct call.
const maxPieces = 8

func wrap(c net.Conn, of *listener) net.Conn {
	tcp, ok := c.(*net.TCPConn)
	if !ok || !direct {
		return c
	}
	raw, err := tcp.SyscallConn()
	if err != nil { // whoever uses it will be told
		return c
	}
	w := &Conn{Conn: tcp, tcp: tcp, raw: raw}
	if of != nil {
		w.held.pool, w.pipes = &of.held, &of.pipes
	}
	w.in.step, w.out.step, w.in.peek = w.in.read, w.out.write, w.in.look
	w.in.deadline.tell, w.out.deadline.tell = tcp.SetReadDeadline, tcp.SetWriteDeadline
	return w
}

// NetConn returns the connection beneath, for what a Conn has no word for; not for
// reading and writing, or for deadlines.
func (c *Conn) NetConn() net.Conn { return c.tcp }

// Read reads as net.Conn has it.
func (c *Conn) Read(p []byte) (int, error) {
	c.letGo()
	t := &c.in
	if len(p) == 0 || len(p) > most || !t.mu.TryLock() {
		defer t.deadline.wait()()
		return c.tcp.Read(p)
	}
	defer t.mu.Unlock()
	t.p, t.kept, t.n, t.err = p, c.kept.Load(), 0, 0
	err := t.call(c.raw.Read, t.step)
	t.p, t.kept = nil, nil
	switch {
	case err != nil:
		return 0, err
	case t.err != 0:
		return 0, c.failed("read", t.err)
	case t.n == 0:
		return 0, io.EOF
	default:
		return t.n, nil
	}
}

// Quiet reports whether nothing has come that was not read, the end of the
// connection included. It does not wait.
func (c *Conn) Quiet() bool {
	t := &c.in
	if !t.mu.TryLock() {
		return false
	}
	defer t.mu.Unlock()
	t.err = 0
	return t.call(c.raw.Read, t.peek) == nil && t.err == syscall.EAGAIN
}

// Await waits until something has come that was not read, the end of the connection
// included; its error is one that Read would give. It is for who wants no memory to read
// into while he waits.
func (c *Conn) Await() error {
	c.letGo()
	t := &c.in
	if !t.mu.TryLock() {
		return nil
	}
	defer t.mu.Unlock()
	t.patient, t.err = true, 0
	defer func() { t.patient = false }()
	switch err := t.call(c.raw.Read, t.peek); {
	case err != nil:
		return err
	case t.err != 0 && t.err != syscall.EAGAIN: // the kernel tells it once: Read would take it for an end
		return c.failed("read", t.err)
	default:
		return nil
	}
}

// Write writes as net.Conn has it.
func (c *Conn) Write(p []byte) (int, error) {
	if c.held.on.Load() {
		if done, err := c.hold(p); done {
			return len(p), err
		} else if err != nil {
			return 0, err
		}
	}
	return c.send(p)
}

func (c *Conn) send(p []byte) (int, error) {
	t := &c.out
	if len(p) == 0 || len(p) > most || !t.mu.TryLock() {
		defer t.deadline.wait()()
		return c.tcp.Write(p)
	}
	defer t.mu.Unlock()
	t.p = p
	n, err := c.write(t)
	t.p = nil
	return n, err
}

// WriteBuffers writes v to c as v.WriteTo does. What lies in the memory of k and is kept
// there is not copied again; k may be nil.
func WriteBuffers(c net.Conn, v *net.Buffers, k *Kept) (int64, error) {
	w, ok := c.(*Conn)
	if !ok {
		return v.WriteTo(c)
	}
	size := 0
	for _, p := range *v {
		size += len(p)
	}
	t := &w.out
	if size == 0 || size > most || len(*v) > maxPieces || !t.mu.TryLock() {
		defer t.deadline.wait()()
		return v.WriteTo(w.tcp)
	}
	defer t.mu.Unlock()
	t.v = *v
	if k.claim() {
		t.kept = k
		defer k.release()
	}
	n, err := w.write(t)
	*v, t.v, t.kept = t.v, nil, nil
	clear(t.iov[:])
	return int64(n), err
}

func (c *Conn) write(t *transfer) (int, error) {
	t.n, t.err = 0, 0
	err := t.call(c.raw.Write, t.step)
	if err == nil && t.err != 0 {
		err = c.failed("write", t.err)
	}
	return t.n, err
}

// call has the runtime make steps until one of them is done.
func (t *transfer) call(run func(func(fd uintptr) bool) error, step func(fd uintptr) bool) error {
	for {
		err := run(step)
		if t.waited {
			t.waited = false
			t.deadline.end()
		}
		if !t.deadline.stale(err) {
			return err
		}
	}
}

// wait is the end of a step that has to.
func (t *transfer) wait() (done bool) {
	if !t.waited {
		t.waited = true
		t.deadline.begin()
	}
	return false
}

func (c *Conn) failed(call string, e syscall.Errno) error {
	return &net.OpError{
		Op: call, Net: "tcp", Source: c.LocalAddr(), Addr: c.RemoteAddr(),
		Err: os.NewSyscallError(call, e),
	}
}

func (t *transfer) read(fd uintptr) bool {
	for {
		n, e := t.kept.receive(fd, t.p)
		switch e {
		case syscall.EINTR:
		case syscall.EAGAIN:
			return t.wait()
		default:
			t.n, t.err = n, e
			return true
		}
	}
}

func (t *transfer) look(fd uintptr) bool {
	if t.patient && t.waited {
		return true // who reads will see why it was woken
	}
	var b [1]byte
	_, t.err = peek(fd, b[:])
	if t.patient && t.err == syscall.EAGAIN {
		return t.wait()
	}
	return true
}

func (t *transfer) write(fd uintptr) bool {
	for {
		n, e, more := t.push(fd)
		switch {
		case !more:
			return true
		case e == syscall.EINTR:
		case e == syscall.EAGAIN:
			return t.wait()
		case e != 0:
			t.err = e
			return true
		default:
			t.n += n
			t.consume(n)
		}
	}
}

// push makes the call for what is left; more is false when that is nothing.
func (t *transfer) push(fd uintptr) (n int, e syscall.Errno, more bool) {
	if t.v == nil {
		if len(t.p) == 0 {
			return 0, 0, false
		}
		n, e = write(fd, t.p)
		return n, e, true
	}
	t.consume(0)
	if len(t.v) == 0 {
		return 0, 0, false
	}
	k, flags := 0, 0
	for i, p := range t.v {
		at, kept := t.kept.next(p)
		if kept > 0 && at == 0 && k == 0 {
			n, e = t.kept.send(fd, kept, kept < len(p) || i < len(t.v)-1)
			return n, e, true
		}
		if at > 0 {
			t.iov[k].Base = &p[0]
			t.iov[k].SetLen(at)
			k++
		}
		if kept > 0 {
			flags = syscall.MSG_MORE // it leaves with what is kept
			break
		}
	}
	n, e = writev(fd, t.iov[:k], flags)
	return n, e, true
}

// consume takes n bytes off what is left.
func (t *transfer) consume(n int) {
	if t.v == nil {
		t.p = t.p[n:]
		return
	}
	for len(t.v) > 0 && n >= len(t.v[0]) {
		n -= len(t.v[0])
		t.v[0] = nil
		t.v = t.v[1:]
	}
	if len(t.v) > 0 {
		t.v[0] = t.v[0][n:]
	}
}

func read(fd uintptr, p []byte) (int, syscall.Errno) {
	n, _, e := syscall.RawSyscall(syscall.SYS_READ, fd, uintptr(unsafe.Pointer(&p[0])), uintptr(len(p)))
	return int(n), e
}

// peek reads into p what has come, and leaves it there. It does not wait.
func peek(fd uintptr, p []byte) (int, syscall.Errno) {
	n, _, e := syscall.RawSyscall6(unix.SYS_RECVFROM, fd, uintptr(unsafe.Pointer(&p[0])), uintptr(len(p)), syscall.MSG_PEEK|syscall.MSG_DONTWAIT, 0, 0)
	return int(n), e
}

func write(fd uintptr, p []byte) (int, syscall.Errno) {
	n, _, e := syscall.RawSyscall(syscall.SYS_WRITE, fd, uintptr(unsafe.Pointer(&p[0])), uintptr(len(p)))
	return int(n), e
}

func writev(fd uintptr, v []unix.Iovec, flags int) (int, syscall.Errno) {
	if flags == 0 {
		n, _, e := syscall.RawSyscall(syscall.SYS_WRITEV, fd, uintptr(unsafe.Pointer(&v[0])), uintptr(len(v)))
		return int(n), e
	}
	m := unix.Msghdr{Iov: &v[0]}
	m.SetIovlen(len(v))
	n, _, e := syscall.RawSyscall(unix.SYS_SENDMSG, fd, uintptr(unsafe.Pointer(&m)), uintptr(flags|syscall.MSG_DONTWAIT|syscall.MSG_NOSIGNAL))
	return int(n), e
}

// splice moves up to n bytes from one to the other, one of which is a pipe.
func splice(from, to uintptr, n, flags int) (int, syscall.Errno) {
	r, _, e := syscall.RawSyscall6(syscall.SYS_SPLICE, from, 0, to, 0, uintptr(n), uintptr(flags|unix.SPLICE_F_MOVE|unix.SPLICE_F_NONBLOCK))
	return int(r), e
}
