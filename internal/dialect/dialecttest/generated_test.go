package dialecttest_test

import (
	"encoding/json"
	"flag"
	"testing"

	"pgregory.net/rapid"

	"github.com/aratta-gateway/aratta/internal/dialect/all"
	"github.com/aratta-gateway/aratta/internal/dialect/dialecttest"
	"github.com/aratta-gateway/aratta/scri/scritest"
)

// TestLawsOfGenerated asks the laws that need no recording of made-up requests
// and answers, which hold what no client ever sent.
func TestLawsOfGenerated(t *testing.T) {
	if err := flag.Set("rapid.nofailfile", "true"); err != nil { // the failure shows the value as JSON
		t.Fatal(err)
	}
	for _, to := range all.Table() {
		t.Run(to.Name()+"/request", func(t *testing.T) {
			rapid.Check(t, func(rt *rapid.T) {
				x := scritest.Request().Draw(rt, "request")
				told(rt, x, "law 4", dialecttest.Law4Request(to, x))
				told(rt, x, "law 6", dialecttest.Law6Request(to, x))
				told(rt, x, "law 7", dialecttest.Law7(to, x))
			})
		})
		t.Run(to.Name()+"/response", func(t *testing.T) {
			rapid.Check(t, func(rt *rapid.T) {
				r := scritest.Response().Draw(rt, "response")
				x := scritest.Request().Draw(rt, "request")
				told(rt, r, "law 4", dialecttest.Law4Response(to, dialecttest.AsClient(to, x, false), r))
				told(rt, r, "law 6", dialecttest.Law6Response(to, dialecttest.AsClient(to, x, false), r))
				told(rt, r, "law 4, replayed", dialecttest.Law4Replay(to, dialecttest.AsClient(to, x, true), r))
			})
		})
	}
}

func told(t *rapid.T, v any, law string, problems []string) {
	t.Helper()
	if len(problems) == 0 {
		return
	}
	j, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	t.Fatalf("%s: %q\n%s", law, problems, j)
}
