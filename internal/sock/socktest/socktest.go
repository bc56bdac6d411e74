// Package socktest finds places to listen at, for tests that start programs.
package socktest

import (
	"context"
	"net"
	"testing"
	"time"
)

// FreeAddr is an address at which nobody listens, and at which nobody will but who is
// told of it: as long as a connection has the port, the system gives it to no other.
func FreeAddr(t *testing.T) string {
	t.Helper()
	var lc net.ListenConfig
	l, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	var d net.Dialer
	far, err := d.DialContext(t.Context(), "tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { far.Close() })
	near, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { near.Close() })
	return l.Addr().String()
}

// Listens reports whether somebody does at an address.
func Listens(addr string) bool {
	c, err := (&net.Dialer{Timeout: time.Second}).DialContext(context.Background(), "tcp", addr)
	if err == nil {
		c.Close()
	}
	return err == nil
}
