package gateway

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/aratta-gateway/aratta/internal/fetch"
	"github.com/aratta-gateway/aratta/internal/policy"
	"github.com/aratta-gateway/aratta/internal/provider"
	"github.com/aratta-gateway/aratta/internal/route"
	"github.com/aratta-gateway/aratta/internal/session"
	"github.com/aratta-gateway/aratta/scri"
)

// Options are what a gateway is built from. All but Log and Now are required.
type Options struct {
	Router    *route.Router
	Providers []*provider.Provider
	Strict    bool               // refuse translations that lose something, whoever asks
	EchoModel bool               // answer with the asked model's name instead of the one that answered
	Media     *fetch.Fetcher     // of images and files that are given by their address; nil = they are not fetched
	Off       []scri.ModelNote   // what of the configuration is not on, for the list of models
	Relays    map[scri.Op]string // who carries what names no model, as a chain names targets
	Sessions  *session.Store     // answers that are kept; nil = a store of this gateway alone
	LookAhead int64              // of a body that is passed on, into memory, to find its model; 0 = DefaultLookAhead
	Log       *slog.Logger
	Now       func() time.Time
	// Trace is told of each attempt at a host when it begins, and returns the context
	// for what is done for it; nil = nobody is told.
	Trace func(ctx context.Context, a *scri.Attempt, host string) context.Context
}

// Gateway answers exchanges. It may be used by many goroutines and never changes; a
// changed configuration makes a new one.
type Gateway struct {
	router    *route.Router
	list      []*provider.Provider
	providers map[string]*provider.Provider
	strict    bool
	echoModel bool
	fetch     *fetch.Fetcher
	off       []scri.ModelNote
	relays    map[scri.Op]string
	lookAhead int64
	sessions  *session.Store
	log       *slog.Logger
	now       func() time.Time
	trace     func(ctx context.Context, a *scri.Attempt, host string) context.Context // see Options
	chat      step[scri.Stream]
	vectors   step[*scri.EmbedResponse]
	probed    probed
	replaced  replaced
}

// New builds a gateway.
func New(o Options) *Gateway {
	g := &Gateway{
		router: o.Router, list: o.Providers, providers: map[string]*provider.Provider{},
		strict: o.Strict, echoModel: o.EchoModel, fetch: o.Media, log: o.Log, now: o.Now, trace: o.Trace,
	}
	if g.relays, g.lookAhead = o.Relays, o.LookAhead; g.lookAhead <= 0 {
		g.lookAhead = DefaultLookAhead
	}
	if g.sessions = o.Sessions; g.sessions == nil {
		g.sessions = session.New(session.Limits{}, o.Now)
	}
	if g.log == nil {
		g.log = slog.New(slog.DiscardHandler)
	}
	if g.now == nil {
		g.now = time.Now
	}
	g.probed.turn = make(chan struct{}, 1)
	g.off = o.Off
	for _, p := range o.Providers {
		g.providers[p.Name()] = p
	}
	g.chat = pipeline(g, asked(g, g.attempt))
	g.vectors = pipeline(g, asked(g, g.embed))
	return g
}

// Close ends the providers' connections. It is called when the last exchange of
// this gateway is over.
func (g *Gateway) Close() {
	for _, p := range g.list {
		p.Close()
	}
}

// Count answers a count request: by the target that would be asked first, if it
// counts, else by an estimate that says so. Nobody is sent a conversation for
// being counted who would not be sent it for being answered.
func (g *Gateway) Count(ctx context.Context, x *scri.Exchange) (*scri.CountResponse, error) {
	if err := enforceable(x.Req.Routing); err != nil {
		return nil, err
	}
	c := &call{Exchange: x, start: g.now(), needs: needs(x.Req), verdict: g.verdict(x)}
	plan, err := g.plan(ctx, c)
	if err != nil {
		return nil, err
	}
	x.Lineage.Chain, x.Lineage.Reasons = plan.Chain, append(x.Lineage.Reasons, plan.Reasons...)
	t := plan.Targets[0]
	p := g.providers[t.Provider]
	estimate := &scri.CountResponse{Input: c.needs.Fit(0), Estimated: true, Model: x.Req.Model, Lineage: x.Lineage}
	if t.Model == "" || !p.Counts() {
		return estimate, nil
	}
	permit, err := c.verdict.Permit(policy.Zone(p.Zone()), p.Host())
	if err != nil {
		return nil, err
	}
	req, _ := scri.Port(c.outward(p.Dialect()), c.traits(p))
	ctx, at := g.begin(ctx, c, p, &t)
	n, err := p.Count(provider.WithPermit(ctx, permit), req, &provider.Call{Model: t.Model, Header: c.ownHeader(p), Caller: c.credential(p)})
	if err != nil {
		g.failed(ctx, c, at, err)
		return estimate, nil
	}
	a := &x.Lineage.Attempts[at]
	a.Outcome, a.TookMS = "ok", millis(g.now().Sub(a.Start))
	n.Provider, n.Lineage = t.Provider, x.Lineage
	return n, nil
}

// Models lists what can be asked for: names that the router knows, and each
// provider's models as far as it can tell; and what there is to note of the others.
func (g *Gateway) Models(ctx context.Context) *scri.ModelList {
	l := &scri.ModelList{}
	for _, name := range g.router.Names() {
		l.Models = append(l.Models, scri.ModelInfo{ID: name, Means: g.router.Meaning(name)})
	}
	l.Models = append(l.Models, g.survey(ctx, (*provider.Provider).Models)...)
	l.Notes = g.notes(ctx, l.Models)
	return l
}

// Loaded lists the models that local runtimes have in memory.
func (g *Gateway) Loaded(ctx context.Context) *scri.ModelList {
	return &scri.ModelList{Models: g.survey(ctx, func(p *provider.Provider, ctx context.Context) []scri.ModelInfo {
		list, _ := p.Loaded(ctx) // who does not say has nothing to tell
		return slices.Clone(list)
	})}
}

// survey asks all providers at once, as one that is away may take its time, and
// joins what they say in their order. To ask for models is done on nobody's
// behalf and carries nobody's data.
func (g *Gateway) survey(ctx context.Context, ask func(*provider.Provider, context.Context) []scri.ModelInfo) []scri.ModelInfo {
	told := make([][]scri.ModelInfo, len(g.list))
	var all sync.WaitGroup
	for i, p := range g.list {
		all.Go(func() {
			list := ask(p, provider.WithPermit(ctx, provider.For(p.Zone(), p.Host())))
			for j := range list {
				m := &list[j]
				m.ID, m.Model = p.Name()+":"+m.ID, m.ID
				m.Provider, m.Zone = p.Name(), p.Zone()
			}
			told[i] = list
		})
	}
	all.Wait()
	return slices.Concat(told...)
}

// Model tells about one of the models in Models, by its id or its own name.
func (g *Gateway) Model(ctx context.Context, name string) (*scri.ModelInfo, error) {
	l := g.Models(ctx)
	i := slices.IndexFunc(l.Models, func(m scri.ModelInfo) bool { return m.ID == name })
	if i < 0 { // as Ollama has it, no tag means the latest
		i = slices.IndexFunc(l.Models, func(m scri.ModelInfo) bool { return m.ID == name+":latest" })
	}
	if i < 0 {
		i = slices.IndexFunc(l.Models, func(m scri.ModelInfo) bool { return m.Model == name || m.Model == name+":latest" })
	}
	if i < 0 {
		return nil, g.router.Unknown(ctx, name)
	}
	m := &l.Models[i]
	if p := g.providers[m.Provider]; p != nil && m.ContextWindow == 0 {
		m.ContextWindow, _ = p.Window(provider.WithPermit(ctx, provider.For(p.Zone(), p.Host())), m.Model)
	}
	return m, nil
}
