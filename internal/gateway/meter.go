package gateway

import (
	"context"
	"log/slog"

	"github.com/aratta-gateway/aratta/scri"
)

// metered sees to it that an error says which request it belongs to. What is
// counted over all requests will be counted here.
func (g *Gateway) metered(next step) step {
	return func(ctx context.Context, c *call) (scri.Stream, error) {
		s, err := next(ctx, c)
		if err == nil {
			return s, nil
		}
		e := scri.AsError(err)
		if e.RequestID == "" {
			e.RequestID = c.ID
		}
		return nil, e
	}
}

// levelOf is how loudly an error of an attempt is logged: what a person must
// mend is an error, what passes by itself a warning.
func levelOf(e *scri.Error) slog.Level {
	switch e.Kind {
	case scri.ErrCanceled:
		return slog.LevelInfo
	case scri.ErrAuth, scri.ErrPermission, scri.ErrQuota, scri.ErrPolicy, scri.ErrInternal:
		return slog.LevelError
	default:
		return slog.LevelWarn
	}
}

func attrs(c *call, a *scri.Attempt, e *scri.Error) []slog.Attr {
	list := []slog.Attr{
		slog.String("request_id", c.ID), slog.String("provider", a.Provider), slog.String("model", a.Model),
		slog.String("zone", a.Zone), slog.String("kind", string(e.Kind)), slog.String("error", e.Message),
		slog.Float64("took_ms", a.TookMS),
	}
	if e.Status != 0 {
		list = append(list, slog.Int("status", e.Status))
	}
	if e.Code != "" {
		list = append(list, slog.String("code", e.Code))
	}
	if e.RequestID != "" && e.RequestID != c.ID {
		list = append(list, slog.String("upstream_request_id", e.RequestID))
	}
	return list
}
