package gateway

import (
	"context"

	"github.com/aratta-gateway/aratta/internal/policy"
	"github.com/aratta-gateway/aratta/scri"
)

// judged decides where the request may go, once for all its attempts.
func (g *Gateway) judged(next step) step {
	return func(ctx context.Context, c *call) (scri.Stream, error) {
		c.verdict = g.verdict(c.Req)
		return next(ctx, c)
	}
}

func (g *Gateway) verdict(r *scri.ChatRequest) policy.Verdict {
	return policy.Decide(policy.Input{
		Sovereign: g.router.Sovereign(r.Model) || r.Routing != nil && r.Routing.Sovereign,
	})
}
