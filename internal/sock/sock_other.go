//go:build !linux

package sock

import "net"

// Wrap returns c.
func Wrap(c net.Conn) net.Conn { return c }

// WriteBuffers writes v to c as v.WriteTo does.
func WriteBuffers(c net.Conn, v *net.Buffers) (int64, error) { return v.WriteTo(c) }
