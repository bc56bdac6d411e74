package overlay

import "testing"

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
