package gateway

import (
	"context"

	"github.com/aratta-gateway/aratta/scri"
)

// admitted refuses what no target could make sense of.
func admitted[T any](_ *Gateway, next step[T]) step[T] {
	return func(ctx context.Context, c *call) (none T, err error) {
		if c.Embed != nil {
			err = c.Embed.Validate()
		} else {
			err = c.Req.Validate()
		}
		if err == nil {
			err = enforceable(c.Wishes())
		}
		if err != nil {
			return none, err
		}
		c.Warnings = append(c.Warnings, unkept(c.Exchange)...)
		return next(ctx, c)
	}
}

// unkept tells which wishes have no effect in this version.
func unkept(x *scri.Exchange) (list []scri.Warning) {
	const detail = "has no effect in this version"
	if x.Req != nil && x.Req.Session != "" {
		list = append(list, scri.Warning{Code: scri.WarnDropped, Path: "/session", Detail: detail})
	}
	if w := x.Wishes(); w != nil && w.MaxLatencyMS != nil {
		list = append(list, scri.Warning{Code: scri.WarnDropped, Path: "/routing/max_latency_ms", Detail: detail})
	}
	return list
}

// enforceable refuses wishes that promise safety and that this version does not
// keep: to answer as if it did would be to break them.
func enforceable(r *scri.Routing) error {
	var path string
	switch {
	case r == nil:
		return nil
	case r.Class != "":
		path = "/routing/class"
	case r.MaxCostUSD != nil:
		path = "/routing/max_cost_usd"
	default:
		return nil
	}
	return &scri.Error{
		Kind: scri.ErrUnsupported, Path: path, Message: "this version does not enforce it, and will not answer as if it did",
		Hint: "leave it out; routing.sovereign keeps a request in zone local",
	}
}
