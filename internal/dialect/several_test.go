package dialect

import (
	"context"
	"errors"
	"testing"

	"github.com/aratta-gateway/aratta/scri"
)

// What every answer took is told, those that failed included; the cost of all is
// known where that of each is.
func TestSeveralAnswersAreAccountedFor(t *testing.T) {
	usd := func(v float64) *float64 { return &v }
	for _, c := range []struct {
		name     string
		costs    []*float64 // of each answer
		fails    bool       // the last one
		attempts int
		want     *float64
	}{
		{"all known", []*float64{usd(1), usd(2), usd(4)}, false, 3, usd(7)},
		{"one unknown", []*float64{usd(1), nil, usd(4)}, false, 3, nil},
		{"the last fails", []*float64{usd(1), usd(2), nil}, true, 3, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			n := 0
			h := func(_ context.Context, x *scri.Exchange) (scri.Stream, error) {
				x.Lineage.Attempts = append(x.Lineage.Attempts, scri.Attempt{Provider: "p"})
				x.Lineage.CostUSD = c.costs[n]
				if n++; c.fails && n == len(c.costs) {
					return nil, errors.New("no more")
				}
				return scri.Replay(&scri.ChatResponse{ID: "a", Choices: []scri.Choice{{Finish: scri.Finish{Reason: scri.FinishStop}}}}), nil
			}
			x := &scri.Exchange{Lineage: &scri.Lineage{}}
			s, err := askAll(t.Context(), h, x, []*scri.ChatRequest{{}, {}})
			if err != nil {
				t.Fatal(err)
			}
			for err == nil {
				_, err = s.Next()
			}
			if scri.Ended(err) == c.fails {
				t.Errorf("it ended with %v", err)
			}
			got := x.Lineage
			if len(got.Attempts) != c.attempts || (got.CostUSD == nil) != (c.want == nil) || c.want != nil && *got.CostUSD != *c.want {
				t.Errorf("%d attempts, cost %v", len(got.Attempts), got.CostUSD)
			}
		})
	}
}
