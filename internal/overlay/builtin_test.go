package overlay

import (
	"slices"
	"testing"
	"time"
)

// TestBuiltins runs the examples that stand with the built-in overlays. Each has
// one, and its evidence.
func TestBuiltins(t *testing.T) {
	list, err := Builtins()
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range list {
		if len(o.Evidence) == 0 || len(o.Cases) == 0 {
			t.Errorf("%s: %d pieces of evidence and %d examples; want some of both", o.ID, len(o.Evidence), len(o.Cases))
		}
		for i := range o.Cases {
			if err := o.Try(&o.Cases[i]); err != nil {
				t.Error(err)
			}
		}
	}
}

// Read one by one, the built-in overlays are what they are read together, place
// and all; none ever expires.
func TestShelf(t *testing.T) {
	list, err := Builtins()
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, o := range list {
		ids = append(ids, o.ID)
	}
	got := newShelf().of(&Target{Builtin: ids}, nil)
	if len(got) != len(list) {
		t.Fatalf("%d on the shelf, %d in the files", len(got), len(list))
	}
	for i, o := range list {
		if g := got[i]; g.Name() != o.Name() || g.Line != o.Line || len(g.steps) != len(o.steps) || !g.Expires.IsZero() {
			t.Errorf("%s in line %d with %d steps, expires %v; want %s in line %d with %d, never", g.Name(), g.Line, len(g.steps), g.Expires, o.Name(), o.Line, len(o.steps))
		}
	}
}

// A person's overlay takes the place of the built-in one with its id.
func TestShelfOverridden(t *testing.T) {
	id := BuiltinIDs()[0]
	own := mustParse(t, User, "{id: "+id+", version: 77, ops: [{op: drop, path: a}]}")
	if got := WithBuiltins(own...).For(Target{Builtin: []string{id}}, time.Time{}).Names(); !slices.Equal(got, []string{id + "@77"}) {
		t.Errorf("in force: %q", got)
	}
}
