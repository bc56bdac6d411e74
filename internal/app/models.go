package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/aratta-gateway/aratta/scri"
)

func (p *program) modelsCommand() *cobra.Command {
	var asJSON bool
	var url string
	cmd := &cobra.Command{
		Use: "models", Short: "List what can be asked for: names, chains, and each provider's models",
		Long: `Ask the running gateway what can be asked for. Where none runs, the list is made
from the configuration, with the runtimes that listen now. Prices are US dollars for a
million tokens, in and out. At the end stands what the gateway notes besides: runtimes
that are down, default models that are not installed, providers that are off.
A key for a gateway that wants one is taken from ARATTA_API_KEY.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, stop := interruptible(cmd.Context())
			defer stop()
			base, err := p.base(url)
			if err != nil {
				return err
			}
			list, err := p.models(ctx, base)
			if away, ok := errors.AsType[*unreached](err); ok && url == "" {
				if list, err = p.byConfiguration(ctx); err == nil {
					fmt.Fprintf(p.Err, "no gateway runs at %s; this is what one would have by the configuration\n", away.url)
				}
			}
			if err != nil {
				return err
			}
			if !slices.ContainsFunc(list.Models, func(m scri.ModelInfo) bool { return m.Provider != "" }) {
				fmt.Fprintln(p.Err, "no provider tells of a model; the last lines say why")
			}
			return p.printModels(list, asJSON)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "as JSON")
	cmd.Flags().StringVar(&url, "url", "", "address of the gateway (default: that of the configuration)")
	cmd.AddCommand(p.pullCommand())
	return cmd
}

// byConfiguration is what a gateway that starts now would list.
func (p *program) byConfiguration(ctx context.Context) (*scri.ModelList, error) {
	l, err := p.loadToAsk()
	if err != nil {
		return nil, err
	}
	s, err := Build(ctx, l, BuildOptions{Version: p.version, Env: p.Env, Discover: true, LookFor: p.LookFor})
	if err != nil {
		return nil, err
	}
	defer s.Gateway.Close()
	return s.Gateway.Models(ctx), nil
}

func (p *program) printModels(list *scri.ModelList, asJSON bool) error {
	if asJSON {
		return p.asJSON(list)
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
	for _, n := range list.Notes {
		fmt.Fprintf(w, "%s\t%s\t%s\n", oneLine(n.Name), dash(n.Zone), oneLine(n.Why))
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
