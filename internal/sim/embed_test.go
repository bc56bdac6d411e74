package sim_test

import (
	"testing"

	"github.com/aratta-gateway/aratta/internal/sim"
)

func near(a, b []float32) float64 {
	var sum float64
	for i := range a {
		sum += float64(a[i]) * float64(b[i])
	}
	return sum
}

// The same text has the same vector of length one, and texts that have words in
// common are nearer than others.
func TestVectorsOfSimilarTextsAreNear(t *testing.T) {
	cat := sim.Vector("The cat sat on the mat.", 256)
	if n := near(cat, sim.Vector("the CAT sat on the mat", 256)); n < 0.999999 || n > 1.000001 {
		t.Errorf("the same words are %v apart", n)
	}
	like, unlike := near(cat, sim.Vector("a cat on a mat", 256)), near(cat, sim.Vector("quarterly revenue rose", 256))
	if like < unlike+0.2 {
		t.Errorf("similar: %v, different: %v", like, unlike)
	}
	if n := len(sim.Vector("", 7)); n != 7 {
		t.Errorf("nothing has %d dimensions, want 7", n)
	}
}
