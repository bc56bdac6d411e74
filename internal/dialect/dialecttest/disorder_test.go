package dialecttest_test

import (
	"bytes"
	"fmt"
	"hash/fnv"
	"net/http"
	"slices"
	"testing"

	"github.com/aratta-gateway/aratta/internal/dialect/all"
	"github.com/aratta-gateway/aratta/internal/dialect/dialecttest"
)

// disorders are what becomes of a stream when a provider, or somebody between, tells its
// event i wrongly.
var disorders = map[string]func(events [][]byte, i int) [][]byte{
	"left out":         func(e [][]byte, i int) [][]byte { return slices.Delete(e, i, i+1) },
	"told twice":       func(e [][]byte, i int) [][]byte { return slices.Insert(e, i, e[i]) },
	"told first":       func(e [][]byte, i int) [][]byte { return slices.Insert(slices.Delete(e, i, i+1), 0, e[i]) },
	"told last":        func(e [][]byte, i int) [][]byte { return append(slices.Delete(e, i, i+1), e[i]) },
	"of another place": func(e [][]byte, i int) [][]byte { return slices.Replace(e, i, i+1, moved(e[i])) },
	"of no name":       func(e [][]byte, i int) [][]byte { return slices.Replace(e, i, i+1, unnamed(e[i])) },
}

// moved is an event that is about what has the next number.
func moved(event []byte) []byte {
	for _, name := range []string{`index":`, `index": `, `Index":`, `"part":`} {
		if at := bytes.Index(event, []byte(name)); at >= 0 && at+len(name) < len(event) && event[at+len(name)]-'0' < 9 {
			event = bytes.Clone(event)
			event[at+len(name)]++
			break
		}
	}
	return event
}

// unnamed is an event of a type that nobody knows.
func unnamed(event []byte) []byte {
	event = bytes.Replace(event, []byte("event: "), []byte("event: x_"), 1)
	event = bytes.Replace(event, []byte(`"type":"`), []byte(`"type":"x_`), 1)
	event = bytes.Replace(event, []byte(`"type": "`), []byte(`"type": "x_`), 1)
	return bytes.Replace(event, []byte(`"kind":"`), []byte(`"kind":"x_`), 1)
}

// TestLawsOfDisorder asks the laws of each example of a stream again, with one of its
// events told wrongly: what can be read then keeps the laws all the same.
func TestLawsOfDisorder(t *testing.T) {
	for _, c := range dialecttest.Cases(t) {
		if c.Kind != "stream" {
			continue
		}
		t.Run(c.Dialect+"/"+c.Name, func(t *testing.T) {
			t.Parallel()
			end := []byte("\n\n")
			if !bytes.Contains(c.Data, end) {
				end = []byte("\n")
			}
			n := len(bytes.SplitAfter(bytes.TrimSpace(c.Data), end))
			for what, f := range disorders {
				for i := range n {
					what := fmt.Sprintf("event %d of %d %s", i, n, what)
					if rare(c.Dialect + c.Name + what) {
						continue
					}
					events := bytes.SplitAfter(append(bytes.TrimSpace(c.Data), end...), end)
					x, err := c.With(bytes.Join(f(slices.Clone(events[:n]), i), nil)).Exchange()
					if err != nil || len(x.Stream) == 0 {
						continue
					}
					x.RespHeader = http.Header{}
					if d := all.Get(c.Dialect); !dialecttest.Readable(d, x) {
						for _, p := range dialecttest.Law3(d, x.RespHeader, x.Stream, nil) {
							t.Errorf("%s: %s", what, p)
						}
						continue
					}
					for _, r := range dialecttest.RunOne(all.Table(), x) {
						if len(r.Problems) > 0 {
							t.Errorf("%s: law %s %s: %q", what, r.Check, r.Target, r.Problems)
						}
					}
				}
			}
		})
	}
}

// rare leaves out seven of eight, always the same ones, unless -rounds asks for more.
func rare(what string) bool {
	h := fnv.New32a()
	h.Write([]byte(what))
	return int(h.Sum32()%8) >= *rounds
}
