package app

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/dialect/all"
	"github.com/aratta-gateway/aratta/internal/fetch"
	"github.com/aratta-gateway/aratta/internal/gateway"
	"github.com/aratta-gateway/aratta/internal/overlay"
	"github.com/aratta-gateway/aratta/internal/provider"
	"github.com/aratta-gateway/aratta/internal/route"
	"github.com/aratta-gateway/aratta/internal/session"
	"github.com/aratta-gateway/aratta/internal/tracing"
	"github.com/aratta-gateway/aratta/scri"
)

// Snapshot is everything that one configuration means, built whole. It is
// immutable; a changed configuration makes another.
type Snapshot struct {
	Config    *Loaded
	Gateway   *gateway.Gateway
	Router    *route.Router
	Providers []*provider.Provider // those that are on: local ones and then the others by their names, then what was found
	Off       []*provider.Provider // those that are configured and not on
	Sought    []*provider.Provider // local runtimes that a start would look for
	Warnings  []string

	Own []*ownRuntime // local runtimes that the gateway starts itself

	Certificate *tls.Certificate // that clients are shown; nil = they ask over plain HTTP

	lookFor  time.Duration     // who listens on this machine may take so long to say so
	off      map[string]string // of those that the configuration wants on, why they are not
	overlays *overlay.Active   // in force for its providers; alone of all this it may change
}

// BuildOptions are what a snapshot is built with besides the configuration.
type BuildOptions struct {
	Version  string
	Env      Env
	Log      *slog.Logger
	Discover bool            // look for local runtimes that are not configured
	Port     int             // that the gateway listens on; 0 = the one that is configured
	Presume  bool            // take in what Discover would without asking anybody, to tell what a start would make
	Sessions *session.Store  // answers that are kept; nil = a store of this snapshot alone
	Tracer   *tracing.Tracer // nil = nobody is told
	LookFor  time.Duration   // see IO; 0 = a moment
}

// Build makes the snapshot of a configuration. It connects to nobody but, with
// Discover, to the usual ports of local runtimes.
func Build(ctx context.Context, l *Loaded, o BuildOptions) (_ *Snapshot, err error) {
	catalogue, err := l.catalogue()
	if err != nil {
		return nil, err
	}
	overlays, err := loadOverlays(l.Home)
	if err != nil {
		return nil, err
	}
	active := new(overlay.Active)
	active.Replace(overlays)
	s := &Snapshot{Config: l, lookFor: cmp.Or(o.LookFor, discoverFor), off: map[string]string{}, overlays: active, Warnings: append(slices.Clone(l.Warnings), waiting(overlays, time.Now())...)}
	defer func() {
		if err != nil { // or what was asked meanwhile would stay connected
			s.close()
		}
	}()
	if s.Certificate, err = l.certificate(); err != nil {
		return nil, err
	}
	if s.Certificate != nil {
		if why := stale(s.Certificate, time.Now()); why != "" {
			s.Warnings = append(s.Warnings, keyCert+": "+why)
		}
	}
	deps := l.deps(catalogue, o)
	deps.Overlays = active
	options := gateway.Options{
		Sessions: o.Sessions, Strict: isTrue(l.Routing.Strict), EchoModel: l.Server.EchoModel, Media: fetcher(&l.Media, o.Version), Log: o.Log,
		LookAhead: int64(l.Server.MaxBodyMB) << 20,
	}
	if o.Tracer != nil {
		deps.Traceparent, deps.TraceZones, options.Trace = tracing.Parent, l.Monitoring.traced(), o.Tracer.Attempt
	}
	if err := s.providers(l, deps); err != nil {
		return nil, err
	}
	if err := s.notItself(l, o.Port); err != nil {
		return nil, err
	}
	if err := s.runtimes(l); err != nil {
		return nil, err
	}
	if o.Discover || o.Presume {
		s.discover(ctx, l, deps, o)
	}
	if s.Router, err = s.router(l, catalogue.Names()); err != nil {
		return nil, err
	}
	options.Router, options.Providers, options.Off, options.Relays = s.Router, s.Providers, s.notOn(), s.relays(l)
	s.Gateway = gateway.New(options)
	return s, nil
}

// deps is what providers are built with.
func (l *Loaded) deps(c *provider.Catalogue, o BuildOptions) provider.Deps {
	return provider.Deps{
		Dialects: known, Catalogue: c, Version: o.Version, LookupEnv: o.Env,
		Timeouts: provider.Timeouts{
			Connect: l.Resilience.ConnectTimeout.Duration, Headers: l.Resilience.HeaderTimeout.Duration,
			FirstToken: l.Resilience.FirstTokenTimeout.Duration, Idle: l.Resilience.IdleTimeout.Duration,
			Total: l.Server.RequestTimeout.Duration,
		},
	}
}

// close ends the connections of providers that serve nobody yet.
func (s *Snapshot) close() {
	for _, p := range s.Providers {
		p.Close()
	}
}

// fetcher builds what gets media by their addresses, or nil.
func fetcher(m *MediaConfig, version string) *fetch.Fetcher {
	if m.Fetch != nil && !*m.Fetch {
		return nil
	}
	return fetch.New(fetch.Options{
		MaxBytes: m.MaxBytes, Timeout: m.Timeout.Duration, Hosts: m.AllowHosts, Networks: m.AllowNetworks, Version: version,
	})
}

// providers builds what is configured.
func (s *Snapshot) providers(l *Loaded, deps provider.Deps) error {
	var errs []error
	build := func(kind provider.Kind, table map[string]provider.Entry) {
		for _, name := range slices.Sorted(maps.Keys(table)) {
			e := table[name]
			key := string(kind) + "." + name
			if vars := l.unsetBelow(key); len(vars) > 0 {
				s.Warnings = append(s.Warnings, key+": switched off: "+notSet(vars))
				s.off[name] = notSet(vars)
				continue
			}
			p, err := provider.New(kind, name, e, deps)
			if err != nil {
				at := key
				if path := scri.AsError(err).Path; path != "" { // the key below
					at = join(key, strings.TrimPrefix(path, "/"))
				}
				errs = append(errs, &Problem{File: l.File, Key: at, Text: entryError(err, key)})
				continue
			}
			for _, n := range p.Notes() {
				s.Warnings = append(s.Warnings, key+": "+n)
			}
			if p.Disabled() != "" {
				s.turnOff(p, key)
				continue
			}
			s.Providers = append(s.Providers, p)
		}
	}
	build(provider.Local, l.Local)
	build(provider.Remote, l.Providers)
	return l.located(errors.Join(errs...))
}

// notOn is what the list of models notes of what is configured and not on.
func (s *Snapshot) notOn() (list []scri.ModelNote) {
	for _, q := range s.Off {
		list = append(list, scri.ModelNote{Name: q.Name(), Zone: q.Zone(), Why: "off: " + q.Disabled()})
	}
	for _, name := range slices.Sorted(maps.Keys(s.off)) {
		if !slices.ContainsFunc(s.Off, func(q *provider.Provider) bool { return q.Name() == name }) { // it could not be built
			list = append(list, scri.ModelNote{Name: name, Why: "off: " + s.off[name]})
		}
	}
	return list
}

// turnOff notes a provider that is configured and cannot be on.
func (s *Snapshot) turnOff(p *provider.Provider, key string) {
	s.Off = append(s.Off, p)
	why, wanted := p.Disabled(), p.Entry().Enabled
	if wanted == nil || *wanted {
		s.off[p.Name()] = why
	}
	if wanted == nil {
		s.Warnings = append(s.Warnings, key+": "+why)
	}
}

// entryError is what a provider says of its table, without the table's name.
func entryError(err error, key string) string {
	e := scri.AsError(err)
	text := strings.TrimPrefix(e.Message, "["+key+"] ")
	switch {
	case e.Hint == "":
	case strings.HasSuffix(text, "?"):
		text += " (" + e.Hint + ")"
	default:
		text += "; " + e.Hint
	}
	return text
}

// unsetBelow lists the variables that a table uses and that are not set.
func (l *Loaded) unsetBelow(key string) []string {
	var vars []string
	for k, names := range l.unset {
		if k == key || strings.HasPrefix(k, key+".") {
			vars = append(vars, names...)
		}
	}
	slices.Sort(vars)
	return slices.Compact(vars)
}

// router tells routing what it must know of the providers, and which others could be.
func (s *Snapshot) router(l *Loaded, others []string) (*route.Router, error) {
	cfg := route.Config{Off: s.off, Behaviour: l.Behaviour, Aliases: l.Aliases, Defaults: route.DefaultAliases(), Chains: map[string]route.Chain{}, Known: others}
	for _, p := range s.Sought {
		cfg.Sought = append(cfg.Sought, p.Name())
	}
	cfg.Known = slices.AppendSeq(cfg.Known, maps.Keys(l.Local))
	cfg.Known = slices.AppendSeq(cfg.Known, maps.Keys(l.Providers))
	for _, name := range slices.Sorted(maps.Keys(l.Chains)) {
		c, ignored, err := route.ParseChain(l.Chains[name])
		if err != nil {
			return nil, l.located(&Problem{File: l.File, Key: "chains." + name, Text: err.Error()})
		}
		for _, key := range ignored {
			s.Warnings = append(s.Warnings, "chains."+name+"."+key+": has no effect in this version")
		}
		cfg.Chains[name] = c
	}
	entries := make([]route.Entry, 0, len(s.Providers))
	byName := map[string]*provider.Provider{}
	for _, p := range s.Providers {
		e, err := s.entry(p)
		if err != nil {
			return nil, l.located(err)
		}
		entries = append(entries, e)
		byName[p.Name()] = p
	}
	r, warnings, err := route.New(cfg, entries, installed(byName))
	if err != nil {
		return nil, l.located(l.problem(err))
	}
	s.Warnings = append(s.Warnings, warnings...)
	for i, w := range s.Warnings {
		s.Warnings[i] = l.placed(w)
	}
	return r, nil
}

// entry is what routing must know of a provider.
func (s *Snapshot) entry(p *provider.Provider) (route.Entry, error) {
	spec, own := p.Spec(), p.Entry()
	e := route.Entry{
		Name: p.Name(), Dialect: p.Dialect(), Zone: p.Zone(), Region: p.Region(), Priority: p.Priority(), Default: own.DefaultModel,
		Chooses: p.Kind() == provider.Local, Caps: caps(spec.Capabilities), UseWhen: own.UseWhen, CostPerDay: own.CostLimitPerDay,
	}
	if p.Zone() == provider.ZoneLocal {
		e.Default = "" // what is installed decides, see provider.ResolveModel
		e.Caps = nil   // and what it can do depends on the model
	} else if e.Default == "" && len(own.Models) > 0 {
		e.Default = own.Models[0].Name
	}
	if !p.Embeds() {
		if e.Caps == nil {
			e.Caps = map[string]bool{}
		}
		e.Caps["embeddings"] = false
	}
	for i := range spec.Models {
		m := &spec.Models[i]
		for _, name := range append([]string{m.Name}, m.Aliases...) {
			e.Models = append(e.Models, model(name, m, own))
		}
	}
	named := func(m route.Model) bool { return m.Name == e.Default }
	if e.Default != "" && !slices.ContainsFunc(e.Models, named) {
		known, ok := spec.Model(e.Default)
		if !ok {
			known = &provider.Model{}
		}
		e.Models = append(e.Models, model(e.Default, known, own))
	}
	return e, s.condition(p, &e)
}

// condition gives an entry its condition.
func (s *Snapshot) condition(p *provider.Provider, e *route.Entry) error {
	c := p.Entry().Condition
	if c == nil {
		return nil
	}
	key := string(p.Kind()) + "." + p.Name() + ".condition"
	var warn string
	var err error
	if e.Condition, warn, err = route.NewCondition(c.PromptContains, c.Match, c.When); err != nil {
		at, text, _ := strings.Cut(err.Error(), ": ")
		if text == "" {
			return &Problem{File: s.Config.File, Key: key, Text: at}
		}
		return &Problem{File: s.Config.File, Key: key + "." + at, Text: text}
	}
	if warn != "" {
		s.Warnings = append(s.Warnings, key+"."+warn)
	}
	return nil
}

// model is what routing must know of a model, called name.
func model(name string, m *provider.Model, own *provider.Entry) route.Model {
	out := route.Model{Name: name, Window: m.ContextWindow, Caps: caps(m.Capabilities)}
	if m.Prices != nil {
		out.PriceIn, out.PriceOut = m.Prices.Input, m.Prices.Output
	}
	for i := range own.Models {
		if own.Models[i].Name == name {
			out.SpecializedFor = own.Models[i].SpecializedFor
		}
	}
	return out
}

// caps makes a closed list of abilities into what routing asks for: what a list
// does not name is not there; no list says nothing.
func caps(list []string) map[string]bool {
	if len(list) == 0 {
		return nil
	}
	m := map[string]bool{"tools": false, "vision": false, "embeddings": false}
	for _, c := range list {
		m[c] = true
	}
	return m
}

// installed asks local runtimes for their models. To ask is a request of the
// gateway's own without anybody's data; it goes to the runtime and nowhere else.
func installed(byName map[string]*provider.Provider) route.Installed {
	return func(ctx context.Context, name string) ([]string, bool) {
		p, ok := byName[name]
		if !ok {
			return nil, false
		}
		list, err := p.List(provider.WithPermit(ctx, provider.For(p.Zone(), p.Host())))
		if err != nil {
			return nil, false
		}
		names := make([]string, len(list))
		for i := range list {
			names[i] = list[i].ID
		}
		return names, true
	}
}

// known finds a dialect by its name.
func known(name string) (dialect.Dialect, bool) {
	d := all.Get(name)
	return d, d != nil
}

// Dialects lists the dialects that the server speaks.
func Dialects() []dialect.Dialect { return all.Table() }
