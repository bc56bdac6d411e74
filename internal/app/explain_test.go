package app

import (
	"strings"
	"testing"

	"github.com/aratta-gateway/aratta/scri"
)

// What an answer cost is told without zeros that say nothing, and a reason about nobody has no gap.
func TestExplain(t *testing.T) {
	n := int64(3)
	for usd, want := range map[float64]string{0: "3 tokens in, 3 out, 0 USD\n", 0.000186: ", 0.000186 USD\n", 0.00000005: ", 0.00000005 USD\n", 10: ", 10 USD\n"} {
		var b strings.Builder
		explain(&b, &scri.ChatResponse{
			Usage: &scri.Usage{Input: &n, Output: &n},
			Lineage: &scri.Lineage{CostUSD: &usd, Reasons: []scri.Reason{
				{Stage: "resolve", Code: "default_chain", Detail: "why"}, {Stage: "resolve", Code: "installed", Target: "a:b", Detail: "how"},
			}},
		})
		if got := b.String(); !strings.HasSuffix(got, want) || !strings.Contains(got, "resolve: default_chain: why\n  resolve: installed a:b: how\n") {
			t.Errorf("%g: %s", usd, got)
		}
	}
}
