package dialect

import (
	"testing"

	"github.com/aratta-gateway/aratta/scri"
)

// What comes with every word costs no memory again, and what came with the words of the
// client's own dialect costs nothing at all.
func TestUntoldMembersCostNothingAgain(t *testing.T) {
	ev := &scri.StreamEvent{Kind: scri.EventDelta, Ext: &scri.Ext{Dialect: "other", Members: scri.RawJSON(`{"token_id":7,"nothing":null}`)}}
	if strange(ev, "other") || !strange(ev, "own") {
		t.Error("only another dialect's members are strange")
	}
	var u untold
	var warn []scri.Warning
	u.note(&warn, ev)
	if n := testing.AllocsPerRun(100, func() { u.note(&warn, ev) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
	if len(warn) != 1 || warn[0].Path != "/events/token_id" {
		t.Errorf("%v", warn)
	}
}
