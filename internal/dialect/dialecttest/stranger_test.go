package dialecttest_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/aratta-gateway/aratta/internal/dialect/all"
	"github.com/aratta-gateway/aratta/internal/dialect/dialecttest"
)

// TestLawsOfStrangers asks the laws again of exchanges with members that nobody
// knows, in any place: they too must come back or be reported.
func TestLawsOfStrangers(t *testing.T) {
	table := all.Table()
	for _, x := range dialecttest.Corpus(t) {
		if x.Dialect == "" || x.Status != 200 || x.Has("stream-error") {
			continue
		}
		t.Run(x.Dialect+"/"+x.ID, func(t *testing.T) {
			t.Parallel()
			rnd := rand.New(rand.NewPCG(uint64(len(x.Body)), uint64(len(x.Request))))
			for range *rounds {
				y := *x
				y.Request = dialecttest.Stranger(x.Request, rnd, 2+rnd.IntN(4))
				if y.Body = dialecttest.Stranger(x.Body, rnd, 2+rnd.IntN(4)); x.Stream != nil {
					y.Body, y.Chunks = nil, nil
					y.Stream = dialecttest.StrangerStream(x.Stream, rnd, 6+rnd.IntN(60))
				}
				for _, r := range dialecttest.RunOne(table, &y) {
					if len(r.Problems) > 0 && !strings.Contains(r.Problems[0], "/x_stranger_") { // where only strings may stand, it is refused
						b := y.Request
						if x.Stream != nil {
							b = y.Stream
						} else if strings.Contains(r.Check, "answer") || strings.Contains(r.Check, "stream") {
							b = y.Body
						}
						t.Fatalf("law %s %s:\n\t%s\n%s", r.Check, r.Target, strings.Join(r.Problems, "\n\t"), b)
					}
				}
			}
		})
	}
}

// TestStreamsCarryStrangers puts one unknown member into one event of a stream
// after the other: none may vanish.
func TestStreamsCarryStrangers(t *testing.T) {
	for _, x := range dialecttest.Corpus(t) {
		if x.Dialect == "" || x.Stream == nil || x.Has("stream-error") {
			continue
		}
		t.Run(x.Dialect+"/"+x.ID, func(t *testing.T) {
			t.Parallel()
			for _, p := range dialecttest.LawCarried(all.Get(x.Dialect), x.RespHeader, x.Stream) {
				t.Error(p)
			}
		})
	}
}
