// Package sock makes TCP connections cheaper to wait on.
//
// Go tells its scheduler before each system call that it may block, so that the
// monitor thread can give the processor to others meanwhile. On a socket that
// does not block this is never needed, but the monitor believes it: it wakes
// every 20 us while requests are served, and takes the processor away from
// calls that merely last longer than that, as a write that wakes its reader
// does on a virtual machine. A Conn makes these calls directly. It waits in
// the runtime's poller as any other connection does, and Close works as there.
//
// Deadlines bound who waits: one that passes while nobody does fails nothing, so that
// what has come can still be read. One before the year 2004, as those who want to end
// what another does set it, fails whoever comes, too.
//
// Where the system is not Linux, or the race detector runs, connections stay as
// they are.
package sock

import (
	"context"
	"net"
	"sync"
)

// most is how many bytes are moved by one direct call: the turn of a coding agent
// at once. The kernel copies a megabyte in some hundred microseconds, and no more
// than fits a socket's buffer; the collector may have to wait for so long.
const most = 4 << 20

// LeastKept is from which size on bodies are kept, see [Keep]: smaller ones are copied
// sooner than moved.
const LeastKept = 256 << 10

// NewListener returns a listener like l whose connections are cheaper to wait on, and
// can hold what is written.
func NewListener(l net.Listener) net.Listener { return &listener{Listener: l} }

type listener struct {
	net.Listener
	held  sync.Pool // of *[]byte
	pipes pipes
}

// Accept waits for the next connection.
func (l *listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return wrap(c, l), nil
}

// Close stops listening.
func (l *listener) Close() error {
	l.pipes.close()
	return l.Listener.Close()
}

// Wrap returns a connection like c that is cheaper to wait on, or c itself if it
// is no TCP connection.
func Wrap(c net.Conn) net.Conn { return wrap(c, nil) }

// Holder is a connection that can hold what is written, so that what a server writes
// in pieces leaves in one call: net/http makes five of a stream that comes at once,
// and each costs as much as all that the gateway does with it.
type Holder interface {
	// Hold keeps what is written from now on, up to some tens of kilobytes, until
	// Release; or until the connection is read, closed, or told when reading must
	// end: whoever waits for the other side has said all that he wanted to.
	Hold()
	// Release writes what is held. Its error is also that of the next Write.
	Release() error
}

type holderKey struct{}

// WithConn returns a context that knows the connection it is for.
func WithConn(ctx context.Context, c net.Conn) context.Context {
	if h, ok := c.(Holder); ok {
		return context.WithValue(ctx, holderKey{}, h)
	}
	return ctx
}

// HolderOf returns the connection that the context is for, or nil if it cannot hold.
func HolderOf(ctx context.Context) Holder {
	h, _ := ctx.Value(holderKey{}).(Holder)
	return h
}

type keptKey struct{}

// WithKept returns a context that knows what is kept of the body of its request.
func WithKept(ctx context.Context, k *Kept) context.Context {
	if k == nil {
		return ctx
	}
	return context.WithValue(ctx, keptKey{}, k)
}

// KeptOf returns what is kept of the body of the context's request, or nil.
func KeptOf(ctx context.Context) *Kept {
	k, _ := ctx.Value(keptKey{}).(*Kept)
	return k
}
