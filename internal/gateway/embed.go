package gateway

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aratta-gateway/aratta/internal/policy"
	"github.com/aratta-gateway/aratta/internal/provider"
	"github.com/aratta-gateway/aratta/internal/route"
	"github.com/aratta-gateway/aratta/scri"
)

// embed asks one target for vectors.
func (g *Gateway) embed(ctx context.Context, c *call, t *route.Target) (*scri.EmbedResponse, error) {
	p := g.providers[t.Provider]
	ctx, at := g.begin(ctx, c, p, t)
	resp, info, err := g.sendEmbed(ctx, c, p, at)
	if errors.Is(err, errTried) {
		c.Lineage.Attempts = c.Lineage.Attempts[:at]
		return nil, err
	}
	if info != nil {
		c.Lineage.Attempts[at].Overlays = info.Overlays
	}
	if err != nil {
		g.failed(ctx, c, at, err)
		return nil, err
	}
	g.embedded(c, p, at, resp)
	c.Warnings = append(c.Warnings, info.Warnings...)
	if info.Calls > 1 {
		c.Lineage.Reasons = append(c.Lineage.Reasons, scri.Reason{
			Stage: "attempt", Code: "split", Target: target(&c.Lineage.Attempts[at]), Detail: fmt.Sprintf("%d inputs in %d calls", len(c.Embed.Input), info.Calls),
		})
	}
	resp.Lineage, resp.Warnings = c.Lineage, append(c.Warnings, resp.Warnings...)
	return resp, nil
}

// sendEmbed settles the model and sends the request. The first target settles it for
// those behind it: vectors of different models do not mix.
func (g *Gateway) sendEmbed(ctx context.Context, c *call, p *provider.Provider, at int) (*scri.EmbedResponse, *provider.Info, error) {
	a := &c.Lineage.Attempts[at]
	permit, err := c.verdict.Permit(policy.Zone(p.Zone()), p.Host())
	if err != nil {
		return nil, nil, err
	}
	ctx = provider.WithPermit(ctx, permit)
	if a.Model == "" {
		model, why := p.ResolveEmbedding(ctx)
		if model == "" {
			return nil, nil, &scri.Error{Kind: scri.ErrUnavailable, Provider: p.Name(), Message: why, Path: "/model"}
		}
		a.Model = model
		c.Lineage.Reasons = append(c.Lineage.Reasons, scri.Reason{Stage: "resolve", Code: "installed", Target: target(a), Detail: why})
	}
	if c.model == "" {
		c.model = a.Model
	} else if !route.Alike(c.model, a.Model) {
		c.Lineage.Reasons = append(c.Lineage.Reasons, scri.Reason{Stage: "plan", Code: "skipped", Target: target(a), Detail: route.NoMix})
		return nil, nil, errTried
	}
	longest, _ := embedTokens(c.Embed)
	resp, info, err := p.Embed(ctx, c.embedOutward(p.Dialect()), &provider.Call{
		Model: a.Model, Tokens: longest, Header: c.ownHeader(p), Check: g.strictly(c, nil),
	})
	return resp, info, err
}

// embedOutward is outward for a request for vectors.
func (c *call) embedOutward(dialect string) *scri.EmbedRequest {
	told := dialect == "native" && c.verdict.Sovereign()
	if c.Embed.Routing == nil && !told {
		return c.Embed
	}
	out := *c.Embed
	out.Routing = nil
	if told {
		out.Routing = &scri.Routing{Sovereign: true}
	}
	return &out
}

// embedded closes the attempt that answered.
func (g *Gateway) embedded(c *call, p *provider.Provider, at int, resp *scri.EmbedResponse) {
	if resp.Usage == nil || resp.Usage.Input == nil {
		_, all := embedTokens(c.Embed)
		resp.Usage = &scri.Usage{Input: &all, Estimated: true}
	}
	a := &c.Lineage.Attempts[at]
	a.Outcome, a.Usage, a.TookMS = "ok", resp.Usage, millis(g.now().Sub(a.Start))
	a.FirstMS = a.TookMS
	priced := *resp.Usage
	priced.Output = new(int64)
	a.CostUSD = p.Price(a.Model, &priced)
	c.Lineage.CostUSD = total(c.Lineage.Attempts, at)
	p.Answered()
	resp.Provider = a.Provider
	if g.echoModel && c.Embed.Model != "" {
		resp.Model = c.Embed.Model
	}
}

// embedTokens estimates how many tokens the longest input has, and all together.
func embedTokens(r *scri.EmbedRequest) (longest, all int64) {
	for i := range r.Input {
		in := &r.Input[i]
		var needs route.Needs
		n := int64(plainSize(in.Text)+measure(in.Parts, &needs, plainSize))/bytesPerToken + needs.Tokens
		if in.Tokens != nil {
			n = int64(strings.Count(string(in.Tokens), ","))
		}
		n++
		longest = max(longest, n)
		all += n
	}
	return longest, all
}
