package gateway

import (
	"context"

	"github.com/aratta-gateway/aratta/scri"
)

// admitted refuses what no target could make sense of.
func admitted(next step) step {
	return func(ctx context.Context, c *call) (scri.Stream, error) {
		if err := c.Req.Validate(); err != nil {
			return nil, err
		}
		return next(ctx, c)
	}
}
