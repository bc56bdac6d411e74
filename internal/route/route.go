package route

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aratta-gateway/aratta/scri"
)

// Names that are always understood, whatever is configured.
const (
	NameAuto      = "auto"      // the default chain
	NameLocal     = "local"     // local targets first; others only by fallback
	NameSovereign = "sovereign" // local targets alone, whatever fails
	DefaultChain  = "default"
)

// Installed tells which models a local runtime has now, and whether that is
// known at all.
type Installed func(ctx context.Context, provider string) (names []string, known bool)

// Target is one place where a request may be answered.
type Target struct {
	Provider string
	Model    string // "" = the provider's default, settled when it is asked
	Zone     string
	Asked    bool // the client named this model itself: that it does not exist is the client's error
	Weight   float64
}

// String returns "provider:model".
func (t Target) String() string {
	if t.Model == "" {
		return t.Provider
	}
	return t.Provider + ":" + t.Model
}

// Needs is what a request demands of a target.
type Needs struct {
	Tokens int64        // of the prompt alone: a quick estimate that is rather too high
	Closer func() int64 // a better one, made where the quick one would keep a target out; nil = there is none
	Tools  bool
	Vision bool
	Embed  bool // vectors are wanted, and all of them from one model
}

// Fit returns the estimate to hold against a window of that many tokens.
func (n *Needs) Fit(window int64) int64 {
	if n.Tokens <= window || n.Closer == nil {
		return n.Tokens
	}
	return n.Closer()
}

// Query is what a plan is made for.
type Query struct {
	Model     string // as asked
	Chain     string // a chain the caller wishes; "" = none
	Needs     Needs
	Sovereign bool                    // nothing may leave zone local
	Facts     func() *Facts           // what conditions look at, made when there are any; nil = none holds
	Allow     func(zone string) error // the verdict
}

// Plan is the targets to ask, in order.
type Plan struct {
	Chain   string
	Targets []Target
	Reasons []scri.Reason

	first [1]scri.Reason // memory of Reasons
}

// Router makes plans. It is immutable and safe for concurrent use.
type Router struct {
	entries   []Entry // in the order in which they are preferred
	index     map[string]*Entry
	aliases   map[string]string
	presumed  map[string]bool   // those of the aliases that nobody configured
	away      map[string]string // default aliases that lead nowhere, and whose providers would have to be on
	chains    map[string][]Target
	implicit  []Target // the default chain where none is configured
	outside   []Target // of providers with a condition that stand in no chain: they may come before the default one
	fallback  bool
	byDefault string
	installed Installed
	known     []string // providers by their names, on or not
	sought    []string
	off       map[string]string   // providers that are configured and not on, and why
	offIn     map[string][]string // of them, those that a chain would ask

	conditional bool // some provider has a condition
}

// New checks the configuration against the providers that are on and returns
// its router. What names a provider that is not on is left out with a warning;
// what cannot be understood at all is an error.
func New(cfg Config, entries []Entry, installed Installed) (*Router, []string, error) {
	r := &Router{
		chains: map[string][]Target{}, index: map[string]*Entry{},
		fallback: orTrue(cfg.Behaviour.EnableFallback), installed: installed, known: cfg.Known, sought: cfg.Sought,
		off: cfg.Off, offIn: map[string][]string{},
	}
	r.entries = slices.Clone(entries)
	preferLocal := orTrue(cfg.Behaviour.PreferLocal)
	slices.SortStableFunc(r.entries, func(a, b Entry) int {
		if preferLocal && (a.Zone == "local") != (b.Zone == "local") {
			return boolCmp(a.Zone == "local")
		}
		return cmp.Or(cmp.Compare(a.Priority, b.Priority), boolCmp2(a.Name, b.Name, cfg.Behaviour.DefaultProvider))
	})
	for i := range r.entries {
		e := &r.entries[i]
		r.index[e.Name] = e
		r.conditional = r.conditional || e.Condition != nil
		if e.answers() {
			r.implicit = append(r.implicit, Target{Provider: e.Name, Model: e.Default, Zone: e.Zone})
		}
	}
	r.withDefaults(cfg.Aliases, cfg.Chains, cfg.Defaults)
	warn := r.setDefault(cfg.Behaviour.DefaultProvider)
	if _, configured := cfg.Chains[DefaultChain]; !configured {
		for i := range r.entries {
			if e := &r.entries[i]; !e.answers() {
				warn = append(warn, fmt.Sprintf("providers.%s: without default_model it answers only requests that name one of its models", e.Name))
			}
		}
	}
	if err := r.checkAliases(); err != nil {
		return nil, nil, err
	}
	warn = append(warn, r.setChains(cfg.Chains)...)
	r.setOff(cfg.Chains)
	warn = append(warn, r.setOutside()...)
	return r, append(warn, r.suspectAliases()...), nil
}

func orTrue(b *bool) bool { return b == nil || *b }

func boolCmp(first bool) int {
	if first {
		return -1
	}
	return 1
}

// boolCmp2 puts the name that is first before the other.
func boolCmp2(a, b, first string) int {
	if (a == first) == (b == first) {
		return 0
	}
	return boolCmp(a == first)
}

func (r *Router) setDefault(name string) (warn []string) {
	if _, ok := r.index[name]; ok {
		r.byDefault = name
		return nil
	}
	if len(r.entries) > 0 {
		r.byDefault = r.entries[0].Name
	}
	if name != "" {
		warn = append(warn, fmt.Sprintf("behaviour.default_provider: %q is not used: %s", name, r.unresolved(name)))
	}
	return warn
}

// checkAliases follows each alias to its end.
func (r *Router) checkAliases() error {
	for _, name := range slices.Sorted(maps.Keys(r.aliases)) {
		seen := map[string]bool{}
		for at := name; ; {
			if seen[at] {
				return fmt.Errorf("aliases.%s: refers to itself", name)
			}
			seen[at] = true
			next, ok := r.aliases[at]
			if !ok {
				break
			}
			at = next
		}
	}
	return nil
}

func (r *Router) setChains(chains map[string]Chain) (warn []string) {
	for _, name := range slices.Sorted(maps.Keys(chains)) {
		if slices.Contains([]string{"", NameAuto, "*", NameLocal, NameSovereign}, plain(name)) {
			warn = append(warn, fmt.Sprintf("chains.%s: the name has a meaning of its own, the chain cannot be asked for by it", name))
		}
		var list []Target
		for i, s := range chains[name].Targets {
			t, ok := r.target(s)
			if !ok {
				warn = append(warn, fmt.Sprintf("chains.%s: target %q is left out: %s", name, s, r.unresolved(s)))
				continue
			}
			if t.Model == "" && !r.index[t.Provider].answers() {
				warn = append(warn, fmt.Sprintf("chains.%s: target %q is left out: it names no model, and providers.%s has no default_model", name, s, t.Provider))
				continue
			}
			if w := chains[name].Weights; w != nil {
				t.Weight = w[i]
			}
			list = append(list, t)
		}
		switch {
		case len(list) > 0:
		case name == DefaultChain:
			// Not all of them: a mistake in a name must not open a cloud that it did not name.
			r.implicit = slices.DeleteFunc(r.implicit, func(t Target) bool { return t.Zone != "local" })
			warn = append(warn, "chains.default: no target is left, local providers alone stand in its place")
		default:
			warn = append(warn, fmt.Sprintf("chains.%s: no target is left, the chain is not usable", name))
		}
		r.chains[name] = list
	}
	return warn
}

// setOff finds the providers that chains would ask if they were on. Where no default
// chain is configured all would stand in it.
func (r *Router) setOff(chains map[string]Chain) {
	say := func(chain, name string) {
		if why, ok := r.off[name]; ok {
			if says := name + " is off: " + why; !slices.Contains(r.offIn[chain], says) { // a chain may name it with several models
				r.offIn[chain] = append(r.offIn[chain], says)
			}
		}
	}
	for chain, c := range chains {
		for _, t := range c.Targets {
			name, _, _ := strings.Cut(t, ":")
			say(chain, name)
		}
	}
	if _, ok := chains[DefaultChain]; !ok {
		for _, name := range slices.Sorted(maps.Keys(r.off)) {
			say(DefaultChain, name)
		}
	}
}

// Off tells of the providers that stand in a chain, or in the default one, and could
// not be asked because they are not on: their names, each with the reason.
func (r *Router) Off(chain string) []string {
	switch {
	case chain != "":
		return r.offIn[chain]
	case r.fallback:
		return r.offIn[DefaultChain]
	default:
		return nil // nobody is asked but who was named
	}
}

// setOutside finds the providers with a condition that stand in no chain.
func (r *Router) setOutside() (warn []string) {
	if len(r.chains[DefaultChain]) == 0 {
		return nil // all stand in the default one
	}
	for i := range r.entries {
		e := &r.entries[i]
		stands := func(list []Target) bool {
			return slices.ContainsFunc(list, func(t Target) bool { return t.Provider == e.Name })
		}
		switch {
		case e.Condition == nil || slices.ContainsFunc(slices.Collect(maps.Values(r.chains)), stands):
		case !e.answers():
			warn = append(warn, fmt.Sprintf("providers.%s.condition: has no effect, as it stands in no chain and has no default_model", e.Name))
		default:
			r.outside = append(r.outside, Target{Provider: e.Name, Model: e.Default, Zone: e.Zone})
		}
	}
	return warn
}

// target reads one target of a chain: provider:model, a provider, an alias, or
// a model that some provider is known to have.
func (r *Router) target(s string) (Target, bool) {
	for range len(r.aliases) + 1 {
		next, ok := r.aliases[s]
		if !ok {
			break
		}
		s = next
	}
	if t, ok := r.pinned(s); ok {
		return t, true
	}
	if e, ok := r.index[s]; ok {
		return Target{Provider: e.Name, Model: e.Default, Zone: e.Zone}, true
	}
	for i := range r.entries {
		if m, ok := r.entries[i].model(s); ok {
			return Target{Provider: r.entries[i].Name, Model: m.Name, Zone: r.entries[i].Zone}, true
		}
	}
	return Target{}, false
}

// pinned reads "provider:model" or "provider/model" of a provider that is on.
func (r *Router) pinned(s string) (Target, bool) {
	i := strings.IndexAny(s, ":/")
	if i <= 0 || i == len(s)-1 {
		return Target{}, false
	}
	e, ok := r.index[s[:i]]
	if !ok {
		return Target{}, false
	}
	return Target{Provider: e.Name, Model: s[i+1:], Zone: e.Zone}, true
}

// defaultChain is the configured one, or all providers in their order.
func (r *Router) defaultChain() []Target {
	if c := r.chains[DefaultChain]; len(c) > 0 {
		return c
	}
	return r.implicit
}

// Conditional reports whether some target has a condition, so that facts are looked at.
func (r *Router) Conditional() bool { return r.conditional }

// Plan returns who is asked for the query, in order. It fails with an error of
// kind not_found for a model that nobody has, and with the reasons when every
// target had to be left out.
func (r *Router) Plan(ctx context.Context, q Query) (*Plan, error) {
	p := new(Plan)
	p.Reasons = p.first[:0]
	list, err := r.resolve(ctx, q, p)
	if err != nil {
		return nil, err
	}
	var why []error
	if q.Needs.Embed {
		list = p.alike(list)
	}
	p.Targets = make([]Target, 0, len(list))
	for i, t := range list {
		if slices.ContainsFunc(list[:i], func(o Target) bool { return o.Provider == t.Provider && o.Model == t.Model }) {
			continue
		}
		if !r.fallback && len(p.Targets) > 0 {
			break
		}
		if err := q.Allow(t.Zone); err != nil {
			why = append(why, err)
			p.reason("verdict", "denied", t.String(), scri.AsError(err).Message)
			continue
		}
		e := r.index[t.Provider]
		m, _ := e.model(t.Model)
		if err := e.cannot(m, &q.Needs); err != nil {
			why = append(why, err)
			p.reason("plan", "skipped", t.String(), err.Message)
			continue
		}
		p.Targets = append(p.Targets, t)
	}
	if len(p.Targets) == 0 {
		return nil, r.nobody(q, p, why)
	}
	return p, nil
}

func (p *Plan) reason(stage, code, target, detail string) {
	p.Reasons = append(p.Reasons, scri.Reason{Stage: stage, Code: code, Target: target, Detail: detail})
}

// nobody explains why a plan is empty. What a target that may be asked cannot do
// says more than that others may not be asked.
func (r *Router) nobody(q Query, p *Plan, why []error) error {
	if len(why) == 0 {
		return r.empty(p)
	}
	e := *scri.AsError(why[0])
	for _, err := range why {
		if x := scri.AsError(err); e.Kind == scri.ErrPolicy || x.Kind == scri.ErrContextLength {
			e = *x
		}
	}
	var list []string
	for _, x := range p.Reasons {
		if x.Stage != "resolve" {
			list = append(list, x.Target+": "+x.Detail)
		}
	}
	e.Message = "no target can take the request for " + asked(q.Model) + ": " + strings.Join(list, "; ")
	return &e
}

// empty explains why nobody stands in a plan from the beginning.
func (r *Router) empty(p *Plan) error {
	if p.Chain != "" && len(r.entries) > 0 {
		return &scri.Error{
			Kind: scri.ErrUnavailable, Message: strings.Join(append([]string{fmt.Sprintf("chain %q has no target that can be asked", p.Chain)}, r.Off(p.Chain)...), "; "),
			Hint: "`aratta config check` says why",
		}
	}
	return &scri.Error{
		Kind: scri.ErrUnavailable, Message: strings.Join(append([]string{"no provider is on"}, r.Off(DefaultChain)...), "; "),
		Hint: "start a local runtime (ollama serve), or add a provider to the configuration and set its key",
	}
}

func asked(model string) string {
	if model == "" {
		return "the default model"
	}
	return fmt.Sprintf("%q", model)
}
