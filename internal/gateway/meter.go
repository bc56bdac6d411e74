package gateway

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log/slog"

	"github.com/aratta-gateway/aratta/internal/discreet"
	"github.com/aratta-gateway/aratta/scri"
)

// metered sees to it that an error says which request it belongs to. What is
// counted over all requests will be counted here.
func metered[T any](_ *Gateway, next step[T]) step[T] {
	return func(ctx context.Context, c *call) (none T, err error) {
		answer, err := next(ctx, c)
		if err == nil {
			return answer, nil
		}
		e := *scri.AsError(err) // which others may have too: providers remember theirs
		if e.RequestID == "" {
			e.RequestID = c.ID
		}
		return none, &e
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

// attrs is what the log holds of a failed attempt: all that tells an operator
// where to look, and nothing that could quote the conversation. What a provider
// says may, so its words stand in the answer's lineage alone.
func attrs(c *call, a *scri.Attempt, e *scri.Error) []slog.Attr {
	list := make([]slog.Attr, 0, 12)
	list = append(list,
		slog.String("request_id", c.ID), slog.String("provider", a.Provider), slog.String("model", discreet.Clip(a.Model)),
		slog.String("zone", a.Zone), slog.String("kind", string(e.Kind)))
	own := ownWords(a, e)
	if own {
		list = append(list, slog.String("error", discreet.Clip(e.Message)))
	}
	if e.Hint != "" && (own || a.Dialect != toldInFull) {
		list = append(list, slog.String("hint", discreet.Clip(e.Hint)))
	}
	if e.Status != 0 {
		list = append(list, slog.Int("status", e.Status))
	}
	if code := discreet.Code(e.Code); code != "" {
		list = append(list, slog.String("code", code))
	}
	if id := discreet.Code(e.RequestID); id != "" && id != c.ID {
		list = append(list, slog.String("upstream_request_id", id))
	}
	return append(list, slog.Float64("took_ms", a.TookMS))
}

// toldInFull is the dialect in which a provider's error may stand for one of this
// gateway, hint and all.
const toldInFull = "native"

// ownWords reports whether the message of an error was written by this program:
// about a connection, a limit or a rule. It is not where a provider answered
// something, be it a status, an error inside a stream or what cannot be read.
func ownWords(a *scri.Attempt, e *scri.Error) bool {
	switch {
	case len(e.Raw) > 0 || e.Status != 0:
		return false
	case e.Err != nil:
		return ofTheWire(e.Err)
	default:
		return a.Dialect != toldInFull
	}
}

// ofTheWire reports whether an error is one of the network, of a wait for it or
// of an end that came too soon. Others, such as those of parsers, may quote what
// was read.
func ofTheWire(err error) bool {
	_, waits := errors.AsType[interface {
		error
		Timeout() bool
	}](err)
	_, unsigned := errors.AsType[x509.UnknownAuthorityError](err)
	_, misnamed := errors.AsType[x509.HostnameError](err)
	_, plain := errors.AsType[tls.RecordHeaderError](err)
	return waits || unsigned || misnamed || plain || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, context.Canceled)
}
