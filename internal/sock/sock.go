// Package sock makes TCP connections cheaper to wait on.
//
// Go tells its scheduler before each system call that it may block, so that the
// monitor thread can give the processor to others meanwhile. On a socket that
// does not block this is never needed, but the monitor believes it: it wakes
// every 20 us while requests are served, and takes the processor away from
// calls that merely last longer than that, as a write that wakes its reader
// does on a virtual machine. A Conn makes these calls directly. It waits in
// the runtime's poller as any other connection does; deadlines and Close work
// as they do there.
//
// Where the system is not Linux, or the race detector runs, connections stay as
// they are.
package sock

import "net"

// most is how many bytes are moved by one direct call. The kernel copies them
// in some tens of microseconds; the collector may have to wait for so long.
const most = 256 << 10

// Listener accepts connections that are cheaper to wait on.
type Listener struct{ net.Listener }

// Accept waits for the next connection.
func (l Listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return Wrap(c), nil
}
