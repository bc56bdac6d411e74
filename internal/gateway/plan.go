package gateway

import (
	"context"
	"net/http"
	"strings"
	"sync"

	"github.com/aratta-gateway/aratta/internal/policy"
	"github.com/aratta-gateway/aratta/internal/route"
	"github.com/aratta-gateway/aratta/scri"
)

// planned lists the targets that are asked, in order.
func planned[T any](g *Gateway, next step[T]) step[T] {
	return func(ctx context.Context, c *call) (none T, err error) {
		if c.plan, err = g.plan(ctx, c); err != nil {
			return none, err
		}
		c.Lineage.Chain, c.Lineage.Reasons = c.plan.Chain, append(c.Lineage.Reasons, c.plan.Reasons...)
		answer, err := next(ctx, c)
		if err != nil {
			return none, c.blamed(err)
		}
		return answer, nil
	}
}

func (g *Gateway) plan(ctx context.Context, c *call) (*route.Plan, error) {
	q := route.Query{
		Model: c.Model(), Needs: c.needs, Sovereign: c.verdict.Sovereign(),
		Allow: func(zone string) error { return c.verdict.Allows(policy.Zone(zone)) },
	}
	if c.Embed == nil && g.router.Conditional() { // or the model, and with it the space of the vectors, would depend on what is embedded
		q.Facts = sync.OnceValue(func() *route.Facts { return g.facts(c) })
	}
	if w := c.Wishes(); w != nil {
		q.Chain = w.Chain
	}
	return g.router.Plan(ctx, q)
}

// facts is what conditions may know of a request.
func (g *Gateway) facts(c *call) *route.Facts {
	r := c.Req
	return &route.Facts{
		Prompt: sync.OnceValue(func() string { return prompt(r) }),
		Text:   sync.OnceValue(func() string { return wholeText(r) }),
		Tokens: c.needs.Fit(0), Stream: r.Stream, Tools: c.needs.Tools, Vision: c.needs.Vision,
		Model: r.Model, Metadata: r.Metadata, Now: c.start,
		Header: sync.OnceValue(func() map[string]string { return plainHeader(c.Header) }),
	}
}

// prompt is the last text of the user.
func prompt(r *scri.ChatRequest) string {
	for i := len(r.Messages) - 1; i >= 0; i-- {
		if m := &r.Messages[i]; m.Role == scri.RoleUser {
			if s := texts(m.Parts); s != "" {
				return s
			}
		}
	}
	return ""
}

// wholeText is all that was said.
func wholeText(r *scri.ChatRequest) string {
	var list []string
	for i := range r.Messages {
		if s := texts(r.Messages[i].Parts); s != "" {
			list = append(list, s)
		}
	}
	return strings.Join(list, "\n")
}

func texts(parts []scri.Part) string {
	var list []string
	for i := range parts {
		if p := &parts[i]; p.Kind == scri.PartText {
			if s := p.Text.String(); s != "" {
				list = append(list, s)
			}
		}
	}
	return strings.Join(list, "\n")
}

// plainHeader is the client's header without what proves who somebody is.
func plainHeader(h http.Header) map[string]string {
	m := make(map[string]string, len(h))
	for name, values := range h {
		switch name {
		case "Authorization", "Proxy-Authorization", "Cookie", "X-Api-Key", "Api-Key", "X-Goog-Api-Key":
		default:
			m[strings.ToLower(name)] = strings.Join(values, ", ")
		}
	}
	return m
}
