//go:build !linux

package sock

import (
	"net"
	"sync"
)

func wrap(c net.Conn, _ *sync.Pool) net.Conn { return c }

// WriteBuffers writes v to c as v.WriteTo does.
func WriteBuffers(c net.Conn, v *net.Buffers) (int64, error) { return v.WriteTo(c) }
