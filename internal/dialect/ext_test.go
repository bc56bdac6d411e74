package dialect_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/scri"
)

// Few members are reported each, more than anybody reads as one.
func TestForeignIsBounded(t *testing.T) {
	for n, want := range map[int]int{0: 0, 3: 3, 100: 100, 101: 1, 5000: 1} {
		var b strings.Builder
		b.WriteString(`{"null":null`)
		for i := range n {
			b.WriteString(`,"a` + strconv.Itoa(i) + `":1`)
		}
		b.WriteString(`}`)
		warn := []scri.Warning{{Path: "/before"}}
		dialect.Foreign(&warn, &scri.Ext{Dialect: "other", Members: scri.RawJSON(b.String())}, "own", func() string { return "/x" })
		if len(warn) != 1+want {
			t.Errorf("%d members made %d warnings", n, len(warn)-1)
		}
		if n > 100 && warn[1].Path != "/x/ext" {
			t.Errorf("the path is %s", warn[1].Path)
		}
	}
}
