package app

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
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
	notes    []string    // what is strange
}

// candidate is a provider that a configuration could name.
type candidate struct {
	name   string
	spec   *provider.Spec
	ready  bool             // it listens, or its key is there
	models []scri.ModelInfo // for conversations: installed, or of the catalogue
	best   string           // the model that it would choose by itself
	base   string           // where it listens, if not at its usual place
}

// survey looks for local runtimes where they usually listen, or where the former
// configuration or OLLAMA_HOST says, and for keys in the environment. Nobody else is
// asked, and no key is read further than whether it is there.
func (p *program) survey(ctx context.Context, was former) (*survey, error) {
	l, err := Read("", nil, p.Env)
	if err != nil {
		return nil, err
	}
	o := BuildOptions{Version: p.version, Env: p.Env, Discover: true, LookFor: p.LookFor}
	if was.Loaded != nil { // or the gateway itself could be taken for a runtime
		l.Server.Host, l.Server.Port = was.Server.Host, was.Server.Port
	}
	found := &survey{}
	elsewhere, err := found.elsewhere(ctx, l, o, was)
	if err != nil {
		return nil, err
	}
	l.Local = map[string]provider.Entry{}
	for name, base := range elsewhere {
		l.Local[name] = provider.Entry{BaseURL: base}
	}
	s, err := Build(ctx, l, o)
	if err != nil {
		return nil, err
	}
	defer s.Gateway.Close()
	c, err := l.catalogue()
	if err != nil {
		return nil, err
	}
	for _, name := range runtimes() {
		spec, ok := c.Spec(name)
		if !ok {
			continue
		}
		r := candidate{name: name, spec: spec, base: elsewhere[name]}
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

// elsewhere are the addresses of runtimes that listen elsewhere than usual. What makes
// no sense is noted instead.
func (s *survey) elsewhere(ctx context.Context, l *Loaded, o BuildOptions, was former) (map[string]string, error) {
	c, err := l.catalogue()
	if err != nil {
		return nil, err
	}
	at := map[string]string{}
	switch base, err := ollamaHost(o.Env); {
	case err != nil:
		s.notes = append(s.notes, err.Error())
	case base != "" && !usualOllama(base):
		at[runtimes()[0]] = base
	}
	if was.Loaded != nil {
		for _, name := range runtimes() {
			if e, named := was.entry(was.Local, name); named && e.BaseURL != "" {
				at[name] = e.BaseURL
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(at)) {
		q, err := provider.New(provider.Local, name, provider.Entry{BaseURL: at[name]}, l.deps(c, o))
		if err != nil {
			s.notes = append(s.notes, fmt.Sprintf("%s at %s: %s", name, at[name], entryError(err, "local."+name)))
			delete(at, name)
			continue
		}
		if l.listensAt(q, l.Server.Port) || another(ctx, q) { // clients of Ollama are pointed at gateways by its variable
			delete(at, name)
		}
		q.Close()
	}
	return at, nil
}

// another reports whether a gateway like this one answers in place of a runtime.
func another(ctx context.Context, q *provider.Provider) bool {
	ctx, cancel := context.WithTimeout(provider.WithPermit(ctx, provider.For(q.Zone(), q.Host())), askFor)
	defer cancel()
	list, err := q.List(ctx)
	return err == nil && ofGateway(list)
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
	runs, not := "runs", "does not run"
	if r.base != "" {
		runs, not = "runs at "+r.base, "does not run at "+r.base
	}
	switch {
	case r.spec.Zone == provider.ZoneCloud && r.ready:
		return "its key is in " + cmp.Or(r.spec.Auth.Env, "the environment")
	case r.spec.Zone == provider.ZoneCloud:
		return "wants a key in " + cmp.Or(r.spec.Auth.Env, "the environment")
	case !r.ready:
		return not
	case len(r.models) == 0:
		return runs + ", but has no model for conversations"
	case len(r.models) == 1:
		return runs + ", with " + r.models[0].ID
	default:
		return fmt.Sprintf("%s, with %d models", runs, len(r.models))
	}
}

// has finds a model by its name as people write it.
func (r *candidate) has(name string) (id string, there bool) {
	for i := range r.models {
		if id := r.models[i].ID; id == name || id == name+":latest" {
			return id, true
		}
	}
	return "", false
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
	for _, n := range s.notes {
		fmt.Fprintln(w, "  note:", n)
	}
}

// askFor bounds the questions to a runtime that listens.
const askFor = 5 * time.Second
