package route

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aratta-gateway/aratta/internal/nearest"
)

// maybe suggests the known name that is most like one that is none, or nothing.
func maybe(name string, known []string) string {
	if near := nearest.Name(name, known); near != "" {
		return fmt.Sprintf("; did you mean %q?", near)
	}
	return ""
}

// unresolved says why a name in the configuration leads to nobody.
func (r *Router) unresolved(s string) string {
	if next, ok := r.aliases[s]; ok {
		s = next
	}
	head, tail := s, ""
	if i := strings.IndexAny(s, ":/"); i > 0 {
		head, tail = s[:i], s[i:]
	}
	_, on := r.index[head]
	switch {
	case on:
		return "it names no model"
	case slices.Contains(r.sought, head):
		return "it takes part only where a start finds the runtime"
	case slices.Contains(r.known, head):
		return "its provider is not on"
	case r.chains[s] != nil:
		return "a chain cannot stand in another"
	}
	if near := nearest.Name(head, r.providers()); near != "" {
		return fmt.Sprintf("there is no provider %q; did you mean %q?", head, near+tail)
	}
	names := slices.AppendSeq(r.modelNames(), maps.Keys(r.aliases))
	why := fmt.Sprintf("no provider, alias or model of the configuration is named %q", s)
	if i := slices.IndexFunc(r.entries, func(e Entry) bool { return e.Zone == "local" }); i >= 0 {
		return why + fmt.Sprintf("; a model of a runtime is written %q", r.entries[i].Name+":"+s)
	}
	return why + maybe(s, names)
}

// providers lists all names of providers.
func (r *Router) providers() []string {
	return slices.Compact(slices.Sorted(func(yield func(string) bool) {
		for i := range r.entries {
			if !yield(r.entries[i].Name) {
				return
			}
		}
		for _, name := range r.known {
			if !yield(name) {
				return
			}
		}
	}))
}

// modelNames lists the models that are known without asking anybody.
func (r *Router) modelNames() (list []string) {
	for i := range r.entries {
		for _, m := range r.entries[i].Models {
			list = append(list, m.Name)
		}
	}
	return list
}

// suspectAliases warns about aliases that do not mean what they seem to.
func (r *Router) suspectAliases() (warn []string) {
	for _, name := range slices.Sorted(maps.Keys(r.aliases)) {
		to, _ := r.meant(name)
		t, found := r.target(to)
		say := func(format string, args ...any) {
			warn = append(warn, "aliases."+name+": "+fmt.Sprintf(format, args...))
		}
		switch plain(name) {
		case NameSovereign:
			say("the name keeps its meaning; %q is asked only if it is in zone local", to)
			continue
		case NameLocal:
			if found && t.Zone != "local" {
				say("%q is not in zone local, though the name says so", to)
			}
		case NameAuto, "*":
			say("takes the place of the default chain")
		}
		if _, ok := r.index[name]; ok {
			say("hides the provider of that name")
		}
		if _, ok := r.chains[name]; ok {
			say("hides the chain of that name")
		}
		if why := r.dangling(to); !found && why != "" {
			say("%q leads to nobody: %s", to, why)
		}
	}
	return warn
}

// dangling says why what an alias means leads to nobody, as far as that is known:
// runtimes may have models that nobody has heard of.
func (r *Router) dangling(to string) string {
	switch plain(to) {
	case "", "*", NameAuto, NameLocal, NameSovereign:
		return ""
	}
	head, _, _ := strings.Cut(strings.ReplaceAll(to, "/", ":"), ":")
	family := familyOf(to)
	switch {
	case r.chains[to] != nil:
		return ""
	case slices.Contains(r.known, head):
		return r.unresolved(to)
	case family.provider != "" || family.open:
		return ""
	case nearest.Name(head, r.providers()) != "":
		return r.unresolved(to)
	}
	if slices.ContainsFunc(r.entries, func(e Entry) bool { return e.Zone == "local" }) {
		return "" // it may be installed there
	}
	return r.unresolved(to)
}

// Ladder is a chain by its name, and whom it comes to.
type Ladder struct {
	Name        string
	OnCondition []Target // who comes first when their condition holds, and else not at all
	Targets     []Target
}

// Ladders lists the chains, the default one first.
func (r *Router) Ladders() []Ladder {
	list := []Ladder{r.ladder(DefaultChain, slices.Concat(r.outside, r.defaultChain()))}
	for _, name := range slices.Sorted(maps.Keys(r.chains)) {
		if name != DefaultChain {
			list = append(list, r.ladder(name, r.chains[name]))
		}
	}
	return list
}

func (r *Router) ladder(name string, chain []Target) Ladder {
	l := Ladder{Name: name}
	for _, t := range chain {
		if r.index[t.Provider].Condition != nil {
			l.OnCondition = append(l.OnCondition, t)
		} else {
			l.Targets = append(l.Targets, t)
		}
	}
	return l
}
