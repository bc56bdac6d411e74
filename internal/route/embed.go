package route

import (
	"context"
	"slices"
	"strings"

	"github.com/aratta-gateway/aratta/scri"
)

// NameEmbed is the alias or chain that is asked for vectors where no model is named.
const NameEmbed = "embed"

// NoMix is why another model does not stand in for one that makes vectors.
const NoMix = "vectors of different models do not mix"

// Alike reports whether two names are of one model, so that vectors of both can be
// compared: the same name, a maker before a slash left out on one side at most.
func Alike(a, b string) bool {
	a, b = plain(a), plain(b)
	makerA, nameA, hasA := strings.Cut(a, "/")
	makerB, nameB, hasB := strings.Cut(b, "/")
	switch {
	case hasA && hasB:
		return makerA == makerB && nameA == nameB
	case hasA:
		return nameA == b
	case hasB:
		return nameB == a
	default:
		return a == b
	}
}

// embedding resolves names that name no model: to what the configuration has chosen
// for vectors, else to whatever embedding model a local runtime has.
func (r *Router) embedding(ctx context.Context, q *Query, name string, p *Plan) ([]Target, error) {
	_, alias := r.aliases[NameEmbed]
	alias = alias && !r.presumed[NameEmbed] // without a model what is installed answers, or what somebody chose
	_, chain := r.chains[NameEmbed]
	target, known := r.target(NameEmbed)
	local := name == NameLocal || name == NameSovereign
	if !local && (alias || chain) || local && known && target.Zone == "local" {
		chosen := *q
		chosen.Model = NameEmbed
		return r.resolve(ctx, chosen, p)
	}
	var list []Target
	for i := range r.entries {
		if e := &r.entries[i]; e.Zone == "local" {
			list = append(list, Target{Provider: e.Name, Zone: e.Zone})
		}
	}
	if len(list) == 0 {
		return nil, &scri.Error{
			Kind: scri.ErrInvalid, Path: "/model", Message: "no embedding model is named, and no local runtime is configured that could have one",
			Hint: "name one, or set aliases." + NameEmbed + " in the configuration",
		}
	}
	p.reason("resolve", "local", "", "the embedding model that is installed")
	return list, nil
}

// withModel puts whoever else has the model of the targets behind them.
func (r *Router) withModel(ctx context.Context, first []Target) []Target {
	list := slices.Clone(first)
	model := first[0].Model
	if model == "" {
		return list
	}
	for i := range r.entries {
		e := &r.entries[i]
		for j := range e.Models {
			if Alike(e.Models[j].Name, model) {
				list = append(list, Target{Provider: e.Name, Model: e.Models[j].Name, Zone: e.Zone})
			}
		}
		names, _ := r.has(ctx, e)
		for _, n := range names {
			if Alike(n, model) {
				list = append(list, Target{Provider: e.Name, Model: n, Zone: e.Zone})
			}
		}
	}
	return list
}

// alike leaves out all targets that have another model than the first: also where
// the first may not be asked, as what answers must not depend on that.
func (p *Plan) alike(list []Target) []Target {
	var out []Target
	for _, t := range list {
		if t.Model != "" && list[0].Model != "" && !Alike(t.Model, list[0].Model) {
			p.reason("plan", "skipped", t.String(), NoMix)
			continue
		}
		out = append(out, t)
	}
	return out
}
