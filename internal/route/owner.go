package route

import (
	"context"
)

// Owners lists who is known, or by the model's name likely, to have a model, the
// preferred first: what a request is passed on to that no other model can
// answer. A provider's name alone stands for it with no model. Nobody is behind
// them: chains and the names that mean one have no owner, nor have models that
// nobody is known to have.
func (r *Router) Owners(ctx context.Context, model string) []Target {
	name, aliased := r.meant(model)
	switch plain(name) {
	case "", NameAuto, "*", NameLocal, NameSovereign:
		return nil
	}
	if t, ok := r.pinned(name); ok {
		t.Asked = !aliased
		return []Target{t}
	}
	if _, ok := r.chains[name]; ok {
		return nil
	}
	if e, ok := r.index[name]; ok {
		return []Target{{Provider: e.Name, Zone: e.Zone}}
	}
	if hits := r.having(ctx, name); len(hits) > 0 {
		return hits
	}
	if e := r.ofFamily(ctx, familyOf(name)); e != nil {
		return []Target{{Provider: e.Name, Model: name, Zone: e.Zone, Asked: true}}
	}
	return nil
}

// Owner is the provider that a target of the configuration stands for, or "".
// It asks nobody.
func (r *Router) Owner(target string) string {
	t, ok := r.target(target)
	if !ok {
		return ""
	}
	return t.Provider
}

// Means is the name that a model leads to, aliases followed, and whether it
// names a model at all: a chain, or a name that means one, does not.
func (r *Router) Means(model string) (name string, isModel bool) {
	name, _ = r.meant(model)
	switch plain(name) {
	case "", NameAuto, "*", NameLocal, NameSovereign:
		return name, false
	}
	_, chain := r.chains[name]
	return name, !chain
}
