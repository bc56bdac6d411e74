package dialecttest_test

import (
	"encoding/json"
	"flag"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/aratta-gateway/aratta/internal/dialect/all"
	"github.com/aratta-gateway/aratta/internal/dialect/dialecttest"
	"github.com/aratta-gateway/aratta/scri"
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
				told(rt, r, "law 2", dialecttest.Law2(r))
				client := dialecttest.AsClient(to, x, true)
				told(rt, r, "law 4, replayed", dialecttest.Law4Replay(to, client, r))
				stream, head, _ := dialecttest.WriteStream(to, client, scri.Replay(r))
				told(rt, r, "law 1 of what is written", slices.DeleteFunc(dialecttest.Law1Stream(to, client, head, stream), func(p string) bool {
					// Gemini's sources are repeated at the end, where a reader of the stream no longer knows of which text.
					return to.Name() == "gemini" && strings.Contains(p, "/citations/")
				}))
				told(rt, r, "law 3 of what is written", dialecttest.Law3(to, head, stream, nil))
				told(rt, r, "law 5 of what is written", dialecttest.Law5(to, head, stream))
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
