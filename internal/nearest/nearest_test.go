package nearest_test

import (
	"fmt"

	"github.com/aratta-gateway/aratta/internal/nearest"
)

func ExampleName() {
	keys := []string{"host", "port", "max_body_mb", "drain_timeout"}
	fmt.Println(nearest.Name("prot", keys))
	fmt.Println(nearest.Name("drain_time", keys))
	fmt.Printf("%q\n", nearest.Name("colour", keys))
	// Output:
	// port
	// drain_timeout
	// ""
}
