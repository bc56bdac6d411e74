package dialect

import (
	"testing"

	"github.com/aratta-gateway/aratta/scri"
)

// A desk gives clean memory to each request, and the same again to the next one.
func TestDesk(t *testing.T) {
	var d Desk
	for round := range 3 {
		messages := d.Messages(2)
		parts := d.Parts(3)
		more := d.Parts(5)
		if len(messages) != 0 || cap(messages) < 2 || len(parts) != 0 || cap(parts) < 3 || cap(more) < 5 {
			t.Fatalf("round %d: room for %d messages, %d and %d parts", round, cap(messages), cap(parts), cap(more))
		}
		for i, m := range messages[:2] {
			if m.Role != "" || m.Parts != nil {
				t.Errorf("round %d: message %d is %v", round, i, m)
			}
		}
		for _, p := range append(parts[:3:3], more[:5]...) {
			if p.Kind != "" || !p.Text.IsZero() {
				t.Errorf("round %d: a part is %v", round, p)
			}
		}
		messages = append(messages, scri.Message{Role: scri.RoleUser}, scri.Message{Role: scri.RoleTool})
		parts = append(parts, scri.TextPart("a"), scri.TextPart("b"), scri.TextPart("c"))
		more = append(more, scri.TextPart("d"))
		if messages[1].Role != scri.RoleTool || parts[2].Text.String() != "c" || more[0].Text.String() != "d" {
			t.Errorf("round %d: two lists share memory", round)
		}
		d.clear()
	}
	if got := cap(d.Parts(1)); got < 8 {
		t.Errorf("after three rounds of 8 parts there is room for %d", got)
	}
}

// What one large request took is not held for ever.
func TestDeskIsBounded(t *testing.T) {
	var d Desk
	d.Messages(maxKeptMessages + 1)
	d.Parts(1)
	d.Parts(maxKeptParts)
	d.clear()
	if cap(d.messages) > 0 || cap(d.parts) > maxKeptParts {
		t.Errorf("%d messages and %d parts are kept", cap(d.messages), cap(d.parts))
	}
	if (*Desk)(nil).Messages(1) == nil || cap((*Desk)(nil).Parts(2)) < 2 {
		t.Error("no desk gives no memory")
	}
}
