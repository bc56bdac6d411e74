package sock_test

import (
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"
)

// lapse lets a deadline for reading and one for writing pass while somebody waits.
func lapse(t *testing.T, c net.Conn) {
	t.Helper()
	if err := c.SetDeadline(time.Now().Add(time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("read: %v", err)
	}
	for full := random(200 << 10); ; { // until nobody takes it any more
		if _, err := c.Write(full); err != nil {
			if !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Fatalf("write: %v", err)
			}
			return
		}
	}
}

// A deadline that has passed binds nobody once there is another one, whoever was told of
// which.
func TestDeadlineIsForgotten(t *testing.T) {
	for name, next := range map[string]time.Time{"none": {}, "a later one": time.Now().Add(time.Hour)} {
		t.Run(name, func(t *testing.T) {
			c, peer := pair(t)
			lapse(t, c)
			if err := c.SetDeadline(next); err != nil {
				t.Fatal(err)
			}
			if q, ok := c.(interface{ Quiet() bool }); ok && !q.Quiet() {
				t.Error("nothing came, and it is not quiet")
			}
			go func() { _, _ = io.Copy(io.Discard, peer) }() // until it is closed
			if _, err := c.Write([]byte("x")); err != nil {
				t.Errorf("write: %v", err)
			}
			if _, err := peer.Write([]byte("y")); err != nil {
				t.Fatal(err)
			}
			if _, err := c.Read(make([]byte, 1)); err != nil {
				t.Errorf("read: %v", err)
			}
		})
	}
}

// Whoever waits already is bound by what is set then, be it sooner or later.
func TestDeadlineOfWhoWaits(t *testing.T) {
	c, _ := pair(t)
	if err := c.SetReadDeadline(time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	errs := make(chan error, 2)
	for range cap(errs) { // the second waits behind the first
		go func() { _, err := c.Read(make([]byte, 1)); errs <- err }()
	}
	for range cap(errs) {
		if err := c.SetReadDeadline(time.Now().Add(time.Millisecond)); err != nil {
			t.Fatal(err)
		}
		if err := <-errs; !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatal(err)
		}
	}
}

// One that has passed before anybody waited ends the wait at once, and one that
// nobody waits for ends nothing.
func TestDeadlineBeforeTheWait(t *testing.T) {
	c, peer := pair(t)
	if err := c.SetReadDeadline(time.Now().Add(-time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatal(err)
	}
	_ = peer.Close()
	if err := c.SetReadDeadline(time.Time{}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
}
