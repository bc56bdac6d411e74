package gateway

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/aratta-gateway/aratta/internal/provider"
	"github.com/aratta-gateway/aratta/scri"
)

// notes tells of what is configured and is not in the list of models as somebody
// may expect it: providers that have none, default models that are not installed,
// aliases that lead nowhere, and what is not on.
func (g *Gateway) notes(ctx context.Context, models []scri.ModelInfo) []scri.ModelNote {
	var list []scri.ModelNote
	for _, p := range g.list {
		if why := g.noteOf(ctx, p, models); why != "" {
			list = append(list, scri.ModelNote{Name: p.Name(), Zone: p.Zone(), Why: why})
		}
	}
	return slices.Concat(list, g.leadNowhere(), g.off)
}

// noteOf is what there is to note of a provider that was just asked for its models,
// or "".
func (g *Gateway) noteOf(ctx context.Context, p *provider.Provider, models []scri.ModelInfo) string {
	ctx = provider.WithPermit(ctx, provider.For(p.Zone(), p.Host()))
	if slices.ContainsFunc(models, func(m scri.ModelInfo) bool { return m.Provider == p.Name() }) {
		return g.substitute(ctx, p)
	}
	if _, err := p.List(ctx); err != nil {
		e := scri.AsError(err)
		if e.Kind == scri.ErrUnsupported || p.Zone() == provider.ZoneCloud {
			return "does not say which models it has: " + e.Message
		}
		return "down: " + e.Message
	}
	return "has no model"
}

// leadNowhere tells of the default aliases that do, together where they want the
// same providers.
func (g *Gateway) leadNowhere() (list []scri.ModelNote) {
	names := map[string][]string{}
	for name, who := range g.router.Away() {
		names[who] = append(names[who], name)
	}
	for _, who := range slices.Sorted(maps.Keys(names)) {
		slices.Sort(names[who])
		list = append(list, scri.ModelNote{Name: strings.Join(names[who], ", "), Why: "lead nowhere: not on: " + who})
	}
	return list
}

// Substitutes looks which local runtimes have not the default model that is
// configured, so that another answers in its place, and logs those that it has not
// logged yet. It asks all at once. What comes back is for people.
func (g *Gateway) Substitutes(ctx context.Context) []string {
	told := make([]string, len(g.list))
	var all sync.WaitGroup
	for i, p := range g.list {
		if p.Entry().DefaultModel == "" || p.Zone() != provider.ZoneLocal {
			continue
		}
		all.Go(func() {
			if why := g.substitute(provider.WithPermit(ctx, provider.For(p.Zone(), p.Host())), p); why != "" {
				told[i] = string(p.Kind()) + "." + p.Name() + ": " + why
			}
		})
	}
	all.Wait()
	return slices.DeleteFunc(told, func(s string) bool { return s == "" })
}

// substitute is Substitutes for one provider.
func (g *Gateway) substitute(ctx context.Context, p *provider.Provider) string {
	if p.Entry().DefaultModel == "" || p.Zone() != provider.ZoneLocal {
		return ""
	}
	c := p.ResolveLocal(ctx)
	if c.Instead == "" {
		return ""
	}
	g.tellReplaced(ctx, p, &c)
	return c.Why
}

// replaced is which models were logged to answer in place of a default model, by
// their providers.
type replaced struct {
	mu    sync.Mutex
	known map[string]string
}

// tellReplaced logs that a model answers in place of the default one, once.
func (g *Gateway) tellReplaced(ctx context.Context, p *provider.Provider, c *provider.Choice) {
	g.replaced.mu.Lock()
	known := g.replaced.known[p.Name()] == c.Model
	if g.replaced.known == nil {
		g.replaced.known = map[string]string{}
	}
	g.replaced.known[p.Name()] = c.Model
	g.replaced.mu.Unlock()
	if !known {
		g.log.LogAttrs(ctx, slog.LevelWarn, "default model is not installed", slog.String("provider", p.Name()),
			slog.String("default_model", c.Instead), slog.String("answers", c.Model))
	}
}

// substituted is the warning of an answer that a model gives in place of the
// default one.
func substituted(c *provider.Choice) scri.Warning {
	return scri.Warning{Code: scri.WarnChanged, Path: "/model", From: c.Instead, To: c.Model, Detail: c.Why}
}
