package nearest_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aratta-gateway/aratta/internal/nearest"
)

// A long word is like nothing only because it is long.
func TestLongWords(t *testing.T) {
	word := strings.Repeat("x", 1000)
	if got := nearest.Name(word, []string{"a", "", "port", strings.Repeat("y", 60)}); got != "" {
		t.Errorf("%q", got)
	}
	if got := nearest.Name(word, []string{"a", word + "y"}); got != word+"y" {
		t.Errorf("%q", got)
	}
}

func ExampleName() {
	keys := []string{"host", "port", "max_body_mb", "drain_timeout"}
	fmt.Println(nearest.Name("prot", keys))
	fmt.Println(nearest.Name("drain_time", keys))
	fmt.Printf("%q\n", nearest.Name("colour", keys))
	fmt.Printf("%q\n", nearest.Name("hits", keys))
	// Output:
	// port
	// drain_timeout
	// ""
	// ""
}
