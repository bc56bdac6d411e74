package app

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/aratta-gateway/aratta/internal/nearest"
	"github.com/aratta-gateway/aratta/internal/provider"
	"github.com/aratta-gateway/aratta/internal/route"
	"github.com/aratta-gateway/aratta/scri"
)

// completeFor is how long somebody waits at most who pressed Tab.
const completeFor = time.Second

// offer has shells complete the values of a flag.
func offer(cmd *cobra.Command, flag string, with cobra.CompletionFunc) {
	_ = cmd.RegisterFlagCompletionFunc(flag, with) // it fails for a flag that there is not, or that has one
}

// completeModels offers the names that the running gateway at *url can be asked for.
func (p *program) completeModels(url *string) cobra.CompletionFunc {
	return func(cmd *cobra.Command, _ []string, begun string) ([]string, cobra.ShellCompDirective) {
		var list []string
		for _, m := range p.askable(cmd.Context(), *url) {
			list = append(list, cobra.CompletionWithDesc(m.ID, whatItIs(&m)))
		}
		return begins(list, begun), cobra.ShellCompDirectiveNoFileComp
	}
}

// whatItIs says in a few words what a name of a list stands for, or nothing.
func whatItIs(m *scri.ModelInfo) string {
	switch {
	case len(m.Means) > 0:
		return oneLine("asks " + strings.Join(m.Means, ", then "))
	case m.ID == route.NameLocal:
		return "a local model; others only when it fails"
	case m.ID == route.NameSovereign:
		return "a local model or nobody"
	default:
		return strings.TrimSpace(m.Zone + aside(m))
	}
}

// completePull offers what the Ollamas of the configuration have, of which there may
// be a newer version, and the model to begin with.
func (p *program) completePull(cmd *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var list []string
	l, err := p.loadToAsk()
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	s, err := Build(cmd.Context(), l, BuildOptions{Version: p.version, Env: p.Env, Presume: true})
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	defer s.Gateway.Close()
	able := s.pullers()
	for _, m := range p.askable(cmd.Context(), "") {
		if slices.ContainsFunc(able, func(q *provider.Provider) bool { return q.Name() == m.Provider }) {
			list = append(list, cobra.CompletionWithDesc(m.ID, "installed"))
		}
	}
	for _, q := range able {
		if e := q.Spec().Example; e != "" {
			list = append(list, cobra.CompletionWithDesc(e, "small, to begin with"))
			break
		}
	}
	return begins(list, begun), cobra.ShellCompDirectiveNoFileComp
}

// completeProviders offers the providers of the catalogue.
func (p *program) completeProviders(_ *cobra.Command, _ []string, begun string) ([]string, cobra.ShellCompDirective) {
	l, err := Read("", nil, p.Env)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	c, err := l.catalogue()
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return begins(c.Names(), begun), cobra.ShellCompDirectiveNoFileComp
}

// askable is what the gateway at url, or that of the configuration, can be asked for,
// as far as it tells at once.
func (p *program) askable(ctx context.Context, url string) []scri.ModelInfo {
	ctx, cancel := context.WithTimeout(ctx, max(completeFor, p.LookFor))
	defer cancel()
	base, err := p.base(url)
	if err != nil {
		return nil
	}
	list, err := p.models(ctx, base)
	if err != nil {
		return nil
	}
	return list.Models
}

func begins(list []string, with string) []string {
	return slices.DeleteFunc(list, func(s string) bool { return !strings.HasPrefix(s, with) })
}

// offered reports whether a gateway that tells this list can be asked for a name: note
// is what there is to say of it, and why says that it cannot. helps means that why
// says more than that there is none.
func offered(list *scri.ModelList, name string) (note, why string, helps bool) {
	var names []string
	meant := map[string]string{} // by what is left of them without a tag
	providers := map[string]bool{}
	for i := range list.Models {
		m := &list.Models[i]
		providers[m.Provider] = true
		if m.ID == name || m.Model != "" && (m.Model == name || m.Model == name+":latest") {
			return "", "", false
		}
		names = append(names, m.ID)
		if m.Model != "" {
			bare, _, _ := strings.Cut(m.Model, ":")
			names = append(names, m.Model, bare)
			meant[bare] = m.Model
		}
	}
	head, _, pinned := strings.Cut(name, ":")
	switch {
	case name == "*" || providers[name]:
		return "", "", false
	case pinned && providers[head]:
		return head + " does not list it, and is asked for it all the same", "", false
	}
	for _, n := range list.Notes {
		if slices.Contains(strings.Split(n.Name, ", "), name) || pinned && n.Name == head {
			return "", n.Name + ": " + n.Why, true
		}
	}
	text := fmt.Sprintf("there is no %q", name)
	if near := nearest.Name(name, names); near != "" {
		near = cmp.Or(meant[near], near)
		return "", text + fmt.Sprintf("; did you mean %q?", near), true
	}
	return "", text, false
}
