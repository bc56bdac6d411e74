package gateway

import (
	"context"

	"github.com/aratta-gateway/aratta/internal/policy"
	"github.com/aratta-gateway/aratta/internal/route"
	"github.com/aratta-gateway/aratta/scri"
)

// planned lists the targets that are asked, in order.
func (g *Gateway) planned(next step) step {
	return func(ctx context.Context, c *call) (scri.Stream, error) {
		plan, err := g.plan(ctx, c.Req, c.verdict, c.needs)
		if err != nil {
			return nil, err
		}
		c.plan = plan
		c.Lineage.Chain, c.Lineage.Reasons = plan.Chain, append(c.Lineage.Reasons, plan.Reasons...)
		s, err := next(ctx, c)
		if err != nil {
			return nil, c.blamed(err)
		}
		return s, nil
	}
}

func (g *Gateway) plan(ctx context.Context, r *scri.ChatRequest, v policy.Verdict, n route.Needs) (*route.Plan, error) {
	q := route.Query{Model: r.Model, Needs: n, Sovereign: v.Sovereign(), Allow: func(zone string) error { return v.Allows(policy.Zone(zone)) }}
	if r.Routing != nil {
		q.Chain = r.Routing.Chain
	}
	return g.router.Plan(ctx, q)
}
