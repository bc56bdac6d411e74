package route

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aratta-gateway/aratta/internal/nearest"
	"github.com/aratta-gateway/aratta/scri"
)

// resolve lists the targets for what was asked, best first, before anything is
// removed. It writes what it decided into p.
func (r *Router) resolve(ctx context.Context, q Query, p *Plan) ([]Target, error) {
	if q.Chain != "" {
		c, ok := r.chains[q.Chain]
		if !ok {
			return nil, r.unknown("/routing/chain", "chain", q.Chain)
		}
		p.Chain = q.Chain
		p.reason("resolve", "chain", "", "wished by the caller")
		return c, nil
	}
	name, aliased := r.meant(q.Model)
	switch special := plain(name); special {
	case "", NameAuto, "*":
		if q.Sovereign { // the chain may have nobody whom that leaves
			return r.local(NameSovereign, p)
		}
		p.Chain = DefaultChain
		p.reason("resolve", "default_chain", "", "")
		return r.defaultChain(), nil
	case NameLocal, NameSovereign:
		return r.local(special, p)
	}
	if t, ok := r.pinned(name); ok {
		code := "pinned"
		if aliased {
			code = "alias"
		}
		t.Asked = !aliased
		p.reason("resolve", code, t.String(), "")
		return r.behind([]Target{t}), nil
	}
	if c, ok := r.chains[name]; ok {
		p.Chain = name
		p.reason("resolve", "chain", "", "")
		return c, nil
	}
	if e, ok := r.index[name]; ok {
		t := Target{Provider: e.Name, Model: e.Default, Zone: e.Zone}
		p.reason("resolve", "provider", t.String(), "")
		return r.behind([]Target{t}), nil
	}
	return r.bare(ctx, name, p)
}

// meant follows aliases to the name that is meant.
func (r *Router) meant(asked string) (name string, aliased bool) {
	for name = asked; ; aliased = true {
		next, ok := r.aliases[name]
		if !ok {
			return name, aliased
		}
		name = next
	}
}

// plain is a name without what clients dress it up with: Ollama's put a tag
// behind every name.
func plain(name string) string {
	return strings.ToLower(strings.TrimSuffix(strings.TrimSpace(name), ":latest"))
}

// Sovereign reports whether asking for a model means that nothing may leave
// zone local. An alias of that name cannot take the meaning away.
func (r *Router) Sovereign(model string) bool {
	name, _ := r.meant(model)
	return plain(name) == NameSovereign || plain(model) == NameSovereign
}

// behind puts the default chain behind the targets, where fallback is on.
func (r *Router) behind(first []Target) []Target {
	if !r.fallback {
		return first
	}
	return slices.Concat(first, r.defaultChain())
}

// local puts local targets first. For sovereign the verdict removes the others.
func (r *Router) local(name string, p *Plan) ([]Target, error) {
	var first []Target
	for _, t := range slices.Concat(r.defaultChain(), r.implicit) {
		if t.Zone == "local" {
			first = append(first, t)
		}
	}
	p.reason("resolve", name, "", "")
	if name == NameLocal {
		return r.behind(first), nil
	}
	if len(first) == 0 {
		return nil, &scri.Error{
			Kind: scri.ErrUnavailable, Message: "no local model is configured, and sovereign allows nothing else",
			Hint: "start a local runtime (ollama serve) or configure one under [local]",
		}
	}
	return first, nil
}

// bare resolves a model's own name: a hint, whose target comes first.
func (r *Router) bare(ctx context.Context, name string, p *Plan) ([]Target, error) {
	var hits []Target
	for i := range r.entries {
		e := &r.entries[i]
		if m, ok := e.model(name); ok {
			hits = append(hits, Target{Provider: e.Name, Model: m.Name, Zone: e.Zone})
		} else if names, known := r.has(ctx, e); known {
			if j := slices.IndexFunc(names, func(n string) bool { return sameModel(n, name) }); j >= 0 {
				hits = append(hits, Target{Provider: e.Name, Model: names[j], Zone: e.Zone})
			}
		}
	}
	if len(hits) > 0 {
		p.reason("resolve", "model", hits[0].String(), "")
		return r.behind(hits), nil
	}
	family, cloud := familyOf(name)
	if e := r.family(family); e != nil {
		t := Target{Provider: e.Name, Model: name, Zone: e.Zone, Asked: true}
		p.reason("resolve", "inferred", t.String(), "by its name a model of "+family)
		return r.behind([]Target{t}), nil
	}
	if cloud && len(r.defaultChain()) > 0 {
		p.Chain = DefaultChain
		p.reason("resolve", "default_chain", "", fmt.Sprintf("%q is by its name a model of %s, which is not on", name, family))
		return r.defaultChain(), nil
	}
	return r.unlisted(ctx, name, p)
}

// unlisted asks the default provider for a model that nobody is known to have,
// unless it is known not to have it either.
func (r *Router) unlisted(ctx context.Context, name string, p *Plan) ([]Target, error) {
	e, ok := r.index[r.byDefault]
	if !ok {
		return nil, r.unknown("/model", "model", name)
	}
	if _, known := r.has(ctx, e); known {
		return nil, r.unknown("/model", "model", name)
	}
	t := Target{Provider: e.Name, Model: name, Zone: e.Zone, Asked: true}
	p.reason("resolve", "default_provider", t.String(), "nobody is known to have the model")
	return r.behind([]Target{t}), nil
}

func (r *Router) has(ctx context.Context, e *Entry) ([]string, bool) {
	if r.installed == nil || e.Zone != "local" {
		return nil, false
	}
	return r.installed(ctx, e.Name)
}

// family finds a provider that serves a family of models: the entry of that
// name, else the first that speaks its dialect.
func (r *Router) family(name string) *Entry {
	if e, ok := r.index[name]; ok {
		return e
	}
	for i := range r.entries {
		if e := &r.entries[i]; e.Dialect == name && name != "openai" {
			return e
		}
	}
	return nil
}

// familyOf infers from a model's name whose it is, and whether that is a cloud
// provider.
func familyOf(model string) (provider string, cloud bool) {
	m := strings.ToLower(model)
	for _, f := range []struct{ prefix, provider string }{
		{"claude", "anthropic"},
		{"gpt-oss", ""},
		{"gpt", "openai"},
		{"chatgpt", "openai"},
		{"codex", "openai"},
		{"gemini", "google"},
		{"grok", "xai"},
		{"command", "cohere"},
	} {
		if strings.HasPrefix(m, f.prefix) {
			return f.provider, f.provider != ""
		}
	}
	if len(m) >= 2 && m[0] == 'o' && m[1] >= '1' && m[1] <= '9' && (len(m) == 2 || m[2] == '-') {
		return "openai", true
	}
	return "", false
}

// unknown is the error for a name that nothing answers to.
func (r *Router) unknown(path, what, name string) error {
	e := &scri.Error{Kind: scri.ErrNotFound, Code: what + "_not_found", Path: path, Message: fmt.Sprintf("%s %q is not known", what, name)}
	if i := strings.IndexAny(name, ":/"); i > 0 {
		if _, on := r.index[name[:i]]; !on {
			e.Message += fmt.Sprintf("; a provider %q is not on", name[:i])
		}
	}
	if near := r.nearest(name); near != "" {
		e.Hint = fmt.Sprintf("did you mean %q? `aratta models` lists all", near)
	} else {
		e.Hint = "`aratta models` lists all, \"auto\" takes the best"
	}
	return e
}

// nearest is the known name most like s, if any is like it at all.
func (r *Router) nearest(s string) string {
	var known []string
	for i := range r.entries {
		for _, m := range r.entries[i].Models {
			known = append(known, m.Name)
		}
	}
	return nearest.Name(s, append(known, r.Names()...))
}

// Names lists the names beside models that can be asked for: local, sovereign,
// chains and aliases.
func (r *Router) Names() []string {
	list := []string{"auto", NameLocal, NameSovereign}
	list = slices.AppendSeq(list, maps.Keys(r.chains))
	list = slices.AppendSeq(list, maps.Keys(r.aliases))
	slices.Sort(list)
	return slices.Compact(list)
}

// Unknown is the error for a model that nothing answers to.
func (r *Router) Unknown(name string) error { return r.unknown("/model", "model", name) }
