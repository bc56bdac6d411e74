package scri

import (
	"testing"
	"unsafe"
)

// A replay that is taken whole, as most are, has no room for events.
func TestReplayIsSmall(t *testing.T) {
	if n := unsafe.Sizeof(replay{}); n > 128 {
		t.Errorf("%d bytes", n)
	}
	if s := Replay(&ChatResponse{}).(*replay); s.said != nil || Whole(s) == nil || s.said != nil {
		t.Error("it has room for events before there is one")
	}
}
