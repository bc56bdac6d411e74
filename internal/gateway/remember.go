package gateway

import (
	"context"
	"log/slog"
	"strings"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/session"
	"github.com/aratta-gateway/aratta/scri"
)

// remembered makes the whole conversation of a request that goes on from an
// answer, and keeps the answer where the client wants that. So any target can go
// on, whoever answered before and whatever it keeps itself.
func remembered[T any](g *Gateway, next step[T]) step[T] {
	return func(ctx context.Context, c *call) (none T, err error) {
		if c.Req == nil {
			return next(ctx, c)
		}
		before, err := g.recall(c)
		if err != nil {
			return none, err
		}
		answer, err := next(ctx, c)
		if err != nil || c.Keep == nil || !c.Keep.Store {
			return answer, err
		}
		if s, ok := any(g.keeping(ctx, c, before, any(answer))).(T); ok {
			return s, nil
		}
		return answer, nil
	}
}

// recall puts what was said before into the request, if it goes on from an answer
// that is known here. An id that is not may be one that a provider knows.
func (g *Gateway) recall(c *call) (*session.Turn, error) {
	id := c.Req.PreviousID
	if id == "" {
		return nil, nil
	}
	t := g.sessions.Get(whose(c.Caller), id)
	switch {
	case t == nil && strings.Contains(id, dialect.Made):
		return nil, forgotten("", id)
	case t == nil:
		return nil, nil
	}
	aside := 0
	if c.Keep != nil {
		aside = c.Keep.Aside
	}
	r := *c.Req
	r.PreviousID = ""
	history := t.History()
	r.Messages = make([]scri.Message, 0, len(c.Req.Messages)+len(history))
	r.Messages = append(r.Messages, c.Req.Messages[:aside]...)
	r.Messages = append(r.Messages, history...)
	r.Messages = append(r.Messages, c.Req.Messages[aside:]...)
	if t.Sovereign { // what was said then may not leave now either
		var w scri.Routing
		if r.Routing != nil {
			w = *r.Routing
		}
		w.Sovereign = true
		r.Routing = &w
	}
	c.Req = &r
	c.Lineage.Reasons = append(c.Lineage.Reasons, scri.Reason{Stage: "session", Code: "continued", Detail: "goes on from " + t.ID})
	return t, nil
}

// keeping returns the answer, if it is a stream, as one that is kept when it has
// come to a clean end; else nil.
func (g *Gateway) keeping(ctx context.Context, c *call, before *session.Turn, answer any) scri.Stream {
	s, ok := answer.(scri.Stream)
	if !ok {
		return nil
	}
	if c.In.Size() > g.sessions.Most() {
		g.unkept(ctx, c)
		return s
	}
	return &keeper{
		Stream: s, g: g, c: c, ctx: ctx, into: scri.NewCollector(g.sessions.Most()),
		turn: &session.Turn{Request: c.In.Clone(), Aside: c.Keep.Aside, Before: before, Sovereign: c.verdict.Sovereign()},
	}
}

// unkept tells the operator that an answer is not kept.
func (g *Gateway) unkept(ctx context.Context, c *call) {
	g.log.LogAttrs(ctx, slog.LevelWarn, "answer is too large to be kept", slog.String("request_id", c.ID))
}

// whose says whose answers a caller may see.
func whose(c scri.Caller) session.Caller {
	return session.Caller{Key: c.Key, Loopback: c.Loopback && c.Key == ""}
}

// keeper is the stream of an answer that is kept at its end, before the client
// can know its id to be good.
type keeper struct {
	scri.Stream
	g    *Gateway
	c    *call
	ctx  context.Context // of the exchange, for the log
	into *scri.Collector // nil: it is kept, or will not be
	turn *session.Turn
}

func (k *keeper) Next() (*scri.StreamEvent, error) {
	e, err := k.Stream.Next()
	switch {
	case k.into == nil:
	case err == nil:
		if k.into.Add(e) != nil {
			k.into = nil
			if e.Kind != scri.EventError {
				k.g.unkept(k.ctx, k.c)
			}
		}
	case scri.Ended(err):
		if r := k.into.Response(); r != nil {
			k.put(r)
		}
		k.into = nil
	default:
		k.into = nil
	}
	return e, err
}

// Pending reports whether Next would not wait.
func (k *keeper) Pending() bool { return scri.Pending(k.Stream) }

// Whole returns the answer if it came whole and nothing was read of it.
func (k *keeper) Whole() *scri.ChatResponse {
	r := scri.Whole(k.Stream)
	if r != nil && k.into != nil {
		k.into = nil
		k.put(r)
	}
	return r
}

// put keeps a copy of an answer: one small string of it may hold all that came from
// upstream in memory.
func (k *keeper) put(r *scri.ChatResponse) {
	r = r.Clone()
	r.Lineage, r.Warnings = nil, nil
	k.turn.ID, k.turn.Response = r.ID, r
	if r.ID != "" && !k.g.sessions.Put(whose(k.c.Caller), k.turn) {
		k.g.unkept(k.ctx, k.c)
	}
}

// Answer returns an answer that is kept for the caller, or nil.
func (g *Gateway) Answer(c scri.Caller, id string) *session.Turn { return g.sessions.Get(whose(c), id) }

// Forget deletes an answer that is kept for the caller, and reports whether there
// was one.
func (g *Gateway) Forget(c scri.Caller, id string) bool { return g.sessions.Delete(whose(c), id) }
