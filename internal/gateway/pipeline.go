// Package gateway is the way of one request: stages around each other, outside
// in, and the attempts at targets innermost. Each stage is one file.
package gateway

import (
	"context"
	"time"

	"github.com/aratta-gateway/aratta/internal/policy"
	"github.com/aratta-gateway/aratta/internal/route"
	"github.com/aratta-gateway/aratta/scri"
)

// call is one request on its way through the stages.
type call struct {
	*scri.Exchange
	start   time.Time
	needs   route.Needs
	verdict policy.Verdict
	plan    *route.Plan
	media   map[string]*fetched // by address; what an attempt needed, for those behind it
}

// step answers a call; a stage wraps the steps behind it into one more.
type step func(ctx context.Context, c *call) (scri.Stream, error)

// pipeline puts the stages around the attempts. Reading it from the top is
// following a request; what a stage does on the way back happens in reverse
// order. Seams for what is not built: session between admit and classify, cache
// between verdict and plan.
func (g *Gateway) pipeline() step {
	run := g.attempts
	for _, wrap := range []func(step) step{ // innermost first
		g.planned,
		g.judged,
		classified,
		admitted,
		g.metered,
	} {
		run = wrap(run)
	}
	return run
}

// Chat answers a chat exchange. It is a scri.Handler.
func (g *Gateway) Chat(ctx context.Context, x *scri.Exchange) (scri.Stream, error) {
	return g.run(ctx, &call{Exchange: x, start: g.now()})
}
