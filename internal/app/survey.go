package app

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/aratta-gateway/aratta/internal/provider"
	"github.com/aratta-gateway/aratta/scri"
)

// survey is what there is on this machine to build a gateway from, whatever the
// configuration says.
type survey struct {
	runtimes []candidate // the local runtimes that are looked for
	clouds   []candidate // cloud providers; those whose key is in the environment first
}

// candidate is a provider that a configuration could name.
type candidate struct {
	name   string
	spec   *provider.Spec
	ready  bool             // it listens, or its key is there
	models []scri.ModelInfo // for conversations: installed, or of the catalogue
	best   string           // the model that it would choose by itself
}

// survey looks for local runtimes where they usually listen and for keys in the
// environment. Nobody else is asked, and no key is read further than whether it is
// there.
func (p *program) survey(ctx context.Context) (*survey, error) {
	l, err := Read("", nil, p.Env)
	if err != nil {
		return nil, err
	}
	o := BuildOptions{Version: p.version, Env: p.Env, Discover: true}
	s, err := Build(ctx, l, o)
	if err != nil {
		return nil, err
	}
	defer s.Gateway.Close()
	c, err := l.catalogue()
	if err != nil {
		return nil, err
	}
	found := &survey{}
	for _, name := range runtimes() {
		spec, ok := c.Spec(name)
		if !ok {
			continue
		}
		r := candidate{name: name, spec: spec}
		if i := slices.IndexFunc(s.Providers, func(q *provider.Provider) bool { return q.Name() == name }); i >= 0 {
			r.ask(ctx, s.Providers[i])
		}
		found.runtimes = append(found.runtimes, r)
	}
	for _, name := range c.Names() {
		if spec, _ := c.Spec(name); spec.Zone == provider.ZoneCloud {
			found.clouds = append(found.clouds, cloud(spec, l.deps(c, o)))
		}
	}
	slices.SortStableFunc(found.clouds, func(a, b candidate) int { return cmp.Compare(rank(a.ready), rank(b.ready)) })
	return found, nil
}

func rank(ready bool) int {
	if ready {
		return 0
	}
	return 1
}

// ask fills in what a runtime says.
func (r *candidate) ask(ctx context.Context, q *provider.Provider) {
	ctx, cancel := context.WithTimeout(provider.WithPermit(ctx, provider.For(q.Zone(), q.Host())), askFor)
	defer cancel()
	list, err := q.List(ctx)
	if err != nil || ofGateway(list) {
		return // it does not listen, or a gateway has its place
	}
	r.ready = true
	for i := range list {
		if provider.Chats(&list[i]) {
			r.models = append(r.models, list[i])
		}
	}
	r.best = q.ResolveLocal(ctx).Model
}

// cloud is a provider of the catalogue.
func cloud(spec *provider.Spec, deps provider.Deps) candidate {
	r := candidate{name: spec.Name, spec: spec}
	if q, err := provider.New(provider.Remote, spec.Name, provider.Entry{}, deps); err == nil {
		r.ready = q.Disabled() == "" && spec.Auth.Scheme != provider.AuthNone
		q.Close()
	}
	for i := range spec.Models {
		m := &spec.Models[i]
		does := m.Capabilities
		if does == nil {
			does = spec.Capabilities
		}
		if m.Retired == "" && (does == nil || slices.Contains(does, "chat")) {
			r.models = append(r.models, scri.ModelInfo{ID: m.Name, ContextWindow: m.ContextWindow})
		}
	}
	if len(r.models) > 0 {
		r.best = r.models[0].ID
	}
	return r
}

// state says in a few words what there is of it.
func (r *candidate) state() string {
	switch {
	case r.spec.Zone == provider.ZoneCloud && r.ready:
		return "its key is in " + cmp.Or(r.spec.Auth.Env, "the environment")
	case r.spec.Zone == provider.ZoneCloud:
		return "wants a key in " + cmp.Or(r.spec.Auth.Env, "the environment")
	case !r.ready:
		return "does not run"
	case len(r.models) == 0:
		return "runs, but has no model for conversations"
	case len(r.models) == 1:
		return "runs, with " + r.models[0].ID
	default:
		return fmt.Sprintf("runs, with %d models", len(r.models))
	}
}

// get says how to come by what is missing of a runtime, "" where nothing is.
func (r *candidate) get() string {
	pull := strings.ReplaceAll(r.spec.Pull, "{model}", cmp.Or(r.spec.Example, "MODEL"))
	switch {
	case !r.ready:
		return r.spec.Start
	case len(r.models) == 0:
		return pull
	default:
		return ""
	}
}

// tell prints what was found and what is not there.
func (s *survey) tell(w io.Writer) {
	fmt.Fprintln(w, "On this machine:")
	for i := range s.runtimes {
		r := &s.runtimes[i]
		fmt.Fprintf(w, "  %-10s %s", r.name, r.state())
		if how := r.get(); how != "" {
			fmt.Fprintf(w, " (%s)", how)
		}
		fmt.Fprintln(w)
	}
	var keys []string
	for i := range s.clouds {
		if c := &s.clouds[i]; c.ready {
			keys = append(keys, c.name+" ("+cmp.Or(c.spec.Auth.Env, "environment")+")")
		}
	}
	if len(keys) > 0 {
		fmt.Fprintf(w, "  keys for   %s\n", strings.Join(keys, ", "))
	}
}

// askFor bounds the questions to a runtime that listens.
const askFor = 5 * time.Second
