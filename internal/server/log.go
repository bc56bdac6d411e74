package server

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"math"
	"net/http"

	"github.com/aratta-gateway/aratta/internal/discreet"
	"github.com/aratta-gateway/aratta/internal/journal"
	"github.com/aratta-gateway/aratta/scri"
)

// over counts and logs a request that is over.
func (s *Server) over(ctx context.Context, x *scri.Exchange, status int, err *scri.Error) {
	s.ended(ctx, x, status, err)
	s.logged(ctx, x, status, err)
}

// ended counts a request that is over.
func (s *Server) ended(ctx context.Context, x *scri.Exchange, status int, err *scri.Error) {
	counted := err
	if x.Op == opHealth && err == nil && status >= http.StatusInternalServerError {
		counted = &scri.Error{Kind: scri.ErrUnavailable} // it was told in the answer's own words
	}
	s.opt.Meter.Ended(x, counted)
	if s.opt.Tracer != nil {
		s.opt.Tracer.Ended(ctx, x, status, err)
	}
}

// logged writes the request log: one line a request, without content.
func (s *Server) logged(ctx context.Context, x *scri.Exchange, status int, err *scri.Error) {
	level := levelOf(x.Op, status, err)
	if !s.opt.Log.Enabled(ctx, level) {
		return
	}
	l := x.Lineage
	list := make([]slog.Attr, 0, 20)
	list = append(list, slog.String("request_id", x.ID), slog.String("op", string(x.Op)), slog.String("ingress", l.Ingress),
		slog.Int("status", status), slog.String("asked", discreet.Clip(l.Asked)))
	if n := len(l.Attempts); n > 0 {
		a := &l.Attempts[n-1]
		list = append(list, slog.String("provider", a.Provider), slog.String("model", discreet.Clip(a.Model)), slog.String("zone", a.Zone),
			slog.Int("attempts", n), slog.String("outcome", a.Outcome))
		if a.FirstMS > 0 {
			list = append(list, slog.Float64("first_ms", rounded(a.FirstMS)))
		}
		list = append(list, slog.Float64("took_ms", tookMS(l)))
		if u := a.Usage; u != nil && u.Input != nil {
			list = append(list, slog.Int64("input_tokens", *u.Input))
		}
		if u := a.Usage; u != nil && u.Output != nil {
			list = append(list, slog.Int64("output_tokens", *u.Output))
		}
	}
	if d := decision(l); d != "" {
		list = append(list, slog.String("decision", d))
	}
	if n := losses(x.Warnings); n > 0 {
		list = append(list, slog.Int("warnings", n))
	}
	if x.Caller.Key != "" {
		list = append(list, slog.String("key", x.Caller.Key))
	}
	if err != nil {
		list = why(list, err)
	}
	journal.Log(ctx, s.opt.Log, level, "request", list...)
}

// levelOf is how loudly a request is logged: that it failed here or behind is a
// warning, also after a good beginning; what a client did wrong or no longer
// wanted is none. What programs ask every few seconds, and got, nobody wants to read.
func levelOf(op scri.Op, status int, err *scri.Error) slog.Level {
	switch {
	case err == nil && status < http.StatusBadRequest && (op == opMetrics || op == opHealth || op == scri.OpModels || op == scri.OpInfo):
		return slog.LevelDebug
	case err == nil || err.Kind == scri.ErrCanceled:
		return slog.LevelInfo
	case err.Kind == scri.ErrInternal:
		return slog.LevelError
	case status >= http.StatusInternalServerError || status < http.StatusBadRequest:
		return slog.LevelWarn
	default:
		return slog.LevelInfo
	}
}

// losses counts the warnings that tell of something else than was asked. What was
// added besides is none: every stream of some dialects has such.
func losses(list []scri.Warning) (n int) {
	for i := range list {
		if list[i].Code != scri.WarnAdded {
			n++
		}
	}
	return n
}

// noted is the cause of a refusal, with what the log shall hold of it besides.
type noted []slog.Attr

func (noted) Error() string { return "refused by the gateway" }

// complaints logs what net/http says: above all, that connections cannot be taken.
type complaints struct{ log *slog.Logger }

func (c complaints) Write(p []byte) (int, error) {
	level := slog.LevelWarn
	if bytes.HasPrefix(p, []byte("http: TLS handshake error")) { // a client's own doing, as a refusal is
		level = slog.LevelInfo
	}
	c.log.LogAttrs(context.Background(), level, string(bytes.TrimSpace(p)))
	return len(p), nil
}

// why adds what the log may hold of an error. Of those that come from a provider,
// or tell what providers said, it leaves out the text: it may quote what was sent.
func why(list []slog.Attr, err *scri.Error) []slog.Attr {
	list = append(list, slog.String("kind", string(err.Kind)))
	if err.Provider == "" && len(err.Attempts) == 0 {
		list = append(list, slog.String("error", discreet.Clip(err.Message)))
	}
	if err.Provider != "" && err.Status != 0 {
		list = append(list, slog.Int("provider_status", err.Status))
	}
	if code := discreet.Code(err.Code); code != "" {
		list = append(list, slog.String("code", code))
	}
	if err.Path != "" && err.Provider == "" { // or it is a name that the provider gave
		list = append(list, slog.String("path", discreet.Clip(err.Path)))
	}
	if more, ok := errors.AsType[noted](err.Err); ok {
		list = append(list, more...)
	}
	return list
}

// tookMS is how long the attempts took together.
func tookMS(l *scri.Lineage) float64 {
	var sum float64
	for i := range l.Attempts {
		sum += l.Attempts[i].TookMS
	}
	return rounded(sum)
}

// rounded is a time without digits that nobody measured.
func rounded(ms float64) float64 { return math.Round(ms*1000) / 1000 }
