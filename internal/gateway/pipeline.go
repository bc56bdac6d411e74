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
	model   string              // whose vectors are answered with; "" until a target settled it

	attempts [1]scri.Attempt // memory of the lineage's: mostly there is one
	reasons  [2]scri.Reason  // likewise
}

// begun is the call of an exchange that comes in now.
func (g *Gateway) begun(x *scri.Exchange) *call {
	c := &call{Exchange: x, start: g.now()}
	x.Lineage.Attempts, x.Lineage.Reasons = append(c.attempts[:0], x.Lineage.Attempts...), append(c.reasons[:0], x.Lineage.Reasons...)
	return c
}

// step answers a call with a T; a stage wraps the steps behind it into one more.
type step[T any] func(ctx context.Context, c *call) (T, error)

// pipeline puts the stages around the attempts. Reading it from the top is
// following a request; what a stage does on the way back happens in reverse
// order. The seam for what is not built: cache between verdict and plan.
func pipeline[T any](g *Gateway, attempts step[T]) step[T] {
	run := attempts
	for _, wrap := range []func(*Gateway, step[T]) step[T]{ // innermost first
		planned[T],
		judged[T],
		classified[T],
		remembered[T],
		admitted[T],
		metered[T],
	} {
		run = wrap(g, run)
	}
	return run
}

// Chat answers a chat exchange. It is a scri.Handler.
func (g *Gateway) Chat(ctx context.Context, x *scri.Exchange) (scri.Stream, error) {
	return g.chat(ctx, g.begun(x))
}

// Embed answers an embed exchange.
func (g *Gateway) Embed(ctx context.Context, x *scri.Exchange) (*scri.EmbedResponse, error) {
	return g.vectors(ctx, g.begun(x))
}
