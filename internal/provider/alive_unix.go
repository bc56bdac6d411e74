//go:build unix

package provider

import (
	"errors"
	"net"
	"syscall"
)

// tellsAlive says whether alive can be relied on.
const tellsAlive = true

// alive reports whether an idle connection can be used: whether nothing has
// come on it, the end included. It does not wait.
func alive(c net.Conn) bool {
	if q, ok := c.(interface{ Quiet() bool }); ok { // see package sock
		return q.Quiet()
	}
	sc, ok := c.(syscall.Conn)
	if !ok {
		return true // nobody can tell; writing will
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return false
	}
	quiet := false
	err = raw.Read(func(fd uintptr) bool {
		var b [1]byte
		_, _, err := syscall.Recvfrom(int(fd), b[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		quiet = errors.Is(err, syscall.EAGAIN)
		return true
	})
	return err == nil && quiet
}
