package app

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/aratta-gateway/aratta/internal/provider"
	"github.com/aratta-gateway/aratta/internal/route"
	"github.com/aratta-gateway/aratta/scri"
)

func (p *program) modelsCommand() *cobra.Command {
	var asJSON bool
	var url string
	cmd := &cobra.Command{
		Use: "models", Short: "List what can be asked for: names, chains, and each provider's models",
		Long: `Ask the running gateway what can be asked for. Where none runs, the list is made
from the configuration, with the runtimes that listen now. Prices are US dollars for a
million tokens, in and out. Which of the configuration's
runtimes are down, and which providers are off, stands at the end.
A key for a gateway that wants one is taken from ARATTA_API_KEY.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, stop := interruptible(cmd.Context())
			defer stop()
			base, err := p.base(url)
			if err != nil {
				return err
			}
			list, err := p.models(ctx, base)
			away, none := errors.AsType[*unreached](err)
			none = none && url == ""
			if err != nil && !none {
				return err
			}
			var notes []note
			if url == "" { // the gateway of this configuration
				own, what, err := p.byConfiguration(ctx)
				if err != nil && none {
					return err
				}
				notes = what
				if none {
					fmt.Fprintf(p.Err, "no gateway runs at %s; this is what one would have by the configuration\n", away.url)
					list = own
				}
			}
			if !slices.ContainsFunc(list.Models, func(m scri.ModelInfo) bool { return m.Provider != "" }) {
				fmt.Fprintln(p.Err, "no provider tells of a model; `aratta chat --why` says why one does not answer")
			}
			return p.printModels(list, notes, asJSON)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "as JSON")
	cmd.Flags().StringVar(&url, "url", "", "address of the gateway (default: that of the configuration)")
	cmd.AddCommand(p.pullCommand())
	return cmd
}

// note is a line about a provider that has nothing to ask for.
type note struct {
	Name string `json:"name"`
	Zone string `json:"zone,omitempty"`
	Why  string `json:"why"`
}

// byConfiguration is what a gateway that starts now would list, and what it
// would have to say of those who have nothing.
func (p *program) byConfiguration(ctx context.Context) (*scri.ModelList, []note, error) {
	l, err := Load(p.file, p.Env)
	if err != nil {
		return nil, nil, err
	}
	s, err := Build(ctx, l, BuildOptions{Version: p.version, Env: p.Env, Discover: true})
	if err != nil {
		return nil, nil, err
	}
	defer s.Gateway.Close()
	list := s.Gateway.Models(ctx)
	var notes []note
	for _, q := range s.Providers {
		if q.Zone() != provider.ZoneLocal {
			continue
		}
		switch installed, err := q.List(provider.WithPermit(ctx, provider.For(q.Zone(), q.Host()))); {
		case err != nil:
			notes = append(notes, note{q.Name(), q.Zone(), "down: " + scri.AsError(err).Message})
		case len(installed) == 0:
			notes = append(notes, note{q.Name(), q.Zone(), "has no model"})
		}
	}
	notes = append(notes, away(s.Router)...)
	for _, q := range s.Off {
		notes = append(notes, note{q.Name(), q.Zone(), "off: " + q.Disabled()})
	}
	return list, notes, nil
}

// away tells of the default aliases that lead nowhere, together where they want the
// same providers.
func away(r *route.Router) []note {
	names := map[string][]string{}
	for name, who := range r.Away() {
		names[who] = append(names[who], name)
	}
	var notes []note
	for _, who := range slices.Sorted(maps.Keys(names)) {
		slices.Sort(names[who])
		notes = append(notes, note{Name: strings.Join(names[who], ", "), Why: "lead nowhere: not on: " + who})
	}
	return notes
}

func (p *program) printModels(list *scri.ModelList, notes []note, asJSON bool) error {
	if asJSON {
		return p.asJSON(struct {
			*scri.ModelList
			Notes []note `json:"notes,omitempty"` // what of the configuration has nothing to ask for, and why
		}{list, notes})
	}
	w := tabwriter.NewWriter(printable(p.Out), 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "MODEL\tZONE\tCONTEXT\tPRICE")
	for i := range list.Models {
		m := &list.Models[i]
		window := "-"
		if m.ContextWindow > 0 {
			window = fmt.Sprint(m.ContextWindow)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", m.ID, dash(m.Zone), window, price(m)+aside(m))
	}
	for _, n := range notes {
		fmt.Fprintf(w, "%s\t%s\t%s\n", n.Name, dash(n.Zone), n.Why)
	}
	return w.Flush()
}

// price is what a million tokens cost, in and out.
func price(m *scri.ModelInfo) string {
	if m.PriceIn == nil || m.PriceOut == nil {
		return "-"
	}
	return fmt.Sprintf("$%g / $%g", *m.PriceIn, *m.PriceOut)
}

// aside is what else there is to say of a model in a list.
func aside(m *scri.ModelInfo) string {
	switch {
	case len(m.Means) > 0:
		return "  asks " + strings.Join(m.Means, ", then ")
	case m.Loaded:
		return "  loaded"
	case m.SizeBytes > 0:
		return "  " + bytesText(m.SizeBytes)
	default:
		return ""
	}
}
