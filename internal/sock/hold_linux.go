package sock

import (
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"time"
)

// mostHeld is how much is held at most: then it is written all the same.
const mostHeld = 64 << 10

// held is what is written and was not sent yet.
type held struct {
	on   atomic.Bool
	pool *sync.Pool // of *[]byte; nil: nothing is held
	mu   sync.Mutex
	buf  *[]byte
	err  error // of writing what was held
}

// Hold is as Holder has it.
func (c *Conn) Hold() {
	if c.held.pool != nil {
		c.held.on.Store(true)
	}
}

// Release is as Holder has it.
func (c *Conn) Release() error {
	c.held.mu.Lock()
	defer c.held.mu.Unlock()
	c.held.on.Store(false)
	c.flush()
	return c.held.err
}

// letGo releases what is held, if anything is. It does not wait for somebody who is
// about it: to close a connection must end that.
func (c *Conn) letGo() {
	if !c.held.on.Load() || !c.held.mu.TryLock() {
		return
	}
	defer c.held.mu.Unlock()
	c.held.on.Store(false)
	c.flush() // the next Write tells
}

// hold keeps p. It is not done when nothing is held any more, or when p is too large;
// what was held before it is then written.
func (c *Conn) hold(p []byte) (done bool, err error) {
	h := &c.held
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.err != nil || !h.on.Load() {
		return false, h.err
	}
	n := len(p)
	if h.buf != nil {
		n += len(*h.buf)
	}
	if n > mostHeld {
		c.flush()
		return false, h.err
	}
	if h.buf == nil {
		if h.buf, _ = h.pool.Get().(*[]byte); h.buf == nil {
			h.buf = new([]byte)
		}
	}
	*h.buf = append(*h.buf, p...)
	return true, nil
}

// flush writes what is held. The caller has the lock.
func (c *Conn) flush() {
	h := &c.held
	if h.buf == nil {
		return
	}
	if h.err == nil {
		_, h.err = c.send(*h.buf)
	}
	*h.buf = (*h.buf)[:0]
	h.pool.Put(h.buf)
	h.buf = nil
}

// lastWrite is how long Close waits for the other side to take what is held.
const lastWrite = time.Second

// Close sends what is held and closes the connection.
func (c *Conn) Close() error {
	if c.held.on.Load() {
		_ = c.SetWriteDeadline(time.Now().Add(lastWrite)) // it ends now
		c.letGo()
	}
	return c.tcp.Close()
}

// CloseWrite sends what is held and says that there is no more.
func (c *Conn) CloseWrite() error {
	c.letGo()
	return c.tcp.CloseWrite()
}

// SetDeadline is as net.Conn has it.
func (c *Conn) SetDeadline(t time.Time) error {
	c.letGo()
	return errors.Join(c.in.deadline.set(t), c.out.deadline.set(t))
}

// SetReadDeadline is as net.Conn has it.
func (c *Conn) SetReadDeadline(t time.Time) error {
	c.letGo()
	return c.in.deadline.set(t)
}

// SetWriteDeadline is as net.Conn has it.
func (c *Conn) SetWriteDeadline(t time.Time) error { return c.out.deadline.set(t) }

// ReadFrom is as io.ReaderFrom has it.
func (c *Conn) ReadFrom(r io.Reader) (int64, error) {
	c.letGo()
	defer c.out.deadline.wait()()
	return c.tcp.ReadFrom(r)
}
