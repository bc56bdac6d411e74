package app

import (
	"encoding/json"
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"
)

func (p *program) modelsCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "models", Short: "List what can be asked for: names, chains, and each provider's models",
		RunE: func(cmd *cobra.Command, _ []string) error {
			l, err := Load(p.file, p.Env)
			if err != nil {
				return err
			}
			s, err := Build(cmd.Context(), l, BuildOptions{Version: p.version, Env: p.Env, Discover: true})
			if err != nil {
				return err
			}
			defer s.Gateway.Close()
			list := s.Gateway.Models(cmd.Context())
			if asJSON {
				enc := json.NewEncoder(p.Out)
				enc.SetIndent("", "  ")
				return enc.Encode(list)
			}
			w := tabwriter.NewWriter(p.Out, 0, 0, 2, ' ', 0)
			fmt.Fprintln(w, "MODEL\tZONE\tCONTEXT")
			for _, m := range list.Models {
				zone, window := m.Zone, "-"
				if zone == "" {
					zone = "-"
				}
				if m.ContextWindow > 0 {
					window = fmt.Sprint(m.ContextWindow)
				}
				fmt.Fprintf(w, "%s\t%s\t%s\n", m.ID, zone, window)
			}
			for _, q := range s.Off {
				fmt.Fprintf(w, "%s\t%s\toff: %s\n", q.Name(), q.Zone(), q.Disabled())
			}
			return w.Flush()
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "as JSON")
	return cmd
}
