//go:build !linux

package sock

import (
	"context"
	"net"
	"syscall"
)

func wrap(c net.Conn, _ *listener) net.Conn { return c }

// WriteBuffers writes v to c as v.WriteTo does.
func WriteBuffers(c net.Conn, v *net.Buffers, _ *Kept) (int64, error) { return v.WriteTo(c) }

// Kept is what is kept of a body in the kernel, on Linux.
type Kept struct{}

// Keep returns nil, as nothing is kept here.
func Keep(context.Context, []byte) *Kept { return nil }

// Close lets go of what is kept.
func (*Kept) Close() {}

// Unpace does nothing here.
func Unpace(syscall.RawConn) {}

type pipes struct{}

func (pipes) close() {}
