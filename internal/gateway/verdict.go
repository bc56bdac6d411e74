package gateway

import (
	"context"

	"github.com/aratta-gateway/aratta/internal/policy"
	"github.com/aratta-gateway/aratta/scri"
)

// judged decides where the request may go, once for all its attempts.
func judged[T any](g *Gateway, next step[T]) step[T] {
	return func(ctx context.Context, c *call) (T, error) {
		c.verdict = g.verdict(c.Exchange)
		return next(ctx, c)
	}
}

func (g *Gateway) verdict(x *scri.Exchange) policy.Verdict {
	w := x.Wishes()
	return policy.Decide(policy.Input{Sovereign: g.router.Sovereign(x.Model()) || w != nil && w.Sovereign})
}
