package app

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/aratta-gateway/aratta/scri"
)

func (p *program) healthCommand() *cobra.Command {
	var asJSON, live bool
	var url string
	cmd := &cobra.Command{
		Use: "health", Short: "Say whether the gateway runs and which providers it reaches",
		Long: `Ask the running gateway which of its providers can be reached. The exit code is 0
when at least one can, else 1. With --live only whether the gateway itself answers
counts, as for the health check of a container.
A key for a gateway that wants one is taken from ARATTA_API_KEY.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, stop := interruptible(cmd.Context())
			defer stop()
			base, err := p.base(url)
			if err != nil {
				return err
			}
			path := "/api/v1/health"
			if live {
				path = "/health"
			}
			res, err := p.answer(ctx, http.MethodGet, base, path, nil)
			if err != nil {
				return err
			}
			defer res.Body.Close()
			b, err := io.ReadAll(io.LimitReader(res.Body, maxPrompt))
			if err != nil {
				return err
			}
			if res.StatusCode != http.StatusOK && res.StatusCode != http.StatusServiceUnavailable {
				return p.refusal(res, b, base)
			}
			return p.tellHealth(b, asJSON)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "as JSON")
	cmd.Flags().BoolVar(&live, "live", false, "ask only whether the gateway itself answers")
	cmd.Flags().StringVar(&url, "url", "", "address of the gateway (default: that of the configuration)")
	return cmd
}

// reached counts the providers that are.
func reached(list []scri.ProviderHealth) string {
	if len(list) == 0 {
		return ""
	}
	up := 0
	for i := range list {
		if list[i].Up {
			up++
		}
	}
	return fmt.Sprintf("; %d of %d providers reached", up, len(list))
}

// tellHealth prints what a gateway says of itself.
func (p *program) tellHealth(b []byte, asJSON bool) error {
	var h struct {
		Status    string                `json:"status"`
		Version   string                `json:"version"`
		Providers []scri.ProviderHealth `json:"providers"`
	}
	if err := json.Unmarshal(b, &h); err != nil || h.Status == "" {
		return errors.New("what answers there is no Aratta")
	}
	if asJSON {
		if _, err := p.Out.Write(b); err != nil {
			return err
		}
	} else {
		w := tabwriter.NewWriter(printable(p.Out), 0, 0, 2, ' ', 0)
		fmt.Fprintf(w, "gateway\tup\tversion %s%s\n", h.Version, reached(h.Providers))
		for _, x := range h.Providers {
			state, more := "up", fmt.Sprintf("%s, %s", x.Zone, (time.Duration(x.TookMS*1000)*time.Microsecond).Round(100*time.Microsecond))
			if !x.Up {
				state, more = "down", x.Error
				if x.Hint != "" {
					more += "; " + x.Hint
				}
			}
			fmt.Fprintf(w, "%s\t%s\t%s\n", x.Provider, state, more)
		}
		if err := w.Flush(); err != nil {
			return err
		}
	}
	switch h.Status {
	case "down":
		return errors.New("no provider is reached")
	case "no_providers":
		return errors.New("the gateway has no provider; `aratta config check` says why")
	default:
		return nil
	}
}
