package sock

import (
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// Unpace has a connection that is about to be made within this machine send at once
// what it is given. BBR, which some systems use for all connections, waits before each
// packet, with a timer of its own, so as not to fill the queues of a network. Here is
// none, and timers are dear on a virtual machine.
func Unpace(c syscall.RawConn) {
	_ = c.Control(func(fd uintptr) { // what cannot be told goes on as it was
		if how, err := unix.GetsockoptString(int(fd), unix.IPPROTO_TCP, unix.TCP_CONGESTION); err == nil && strings.HasPrefix(how, "bbr") {
			_ = unix.SetsockoptString(int(fd), unix.IPPROTO_TCP, unix.TCP_CONGESTION, "reno") // which every system has
		}
	})
}
