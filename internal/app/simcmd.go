package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/aratta-gateway/aratta/internal/sim"
)

func (p *program) simCommand() *cobra.Command {
	var providers, models []string
	var control, recorded string
	var pace, load time.Duration
	cmd := &cobra.Command{
		Use: "sim", Short: "Run simulated providers, with faults switched at run time",
		Long: `Run simulated providers: the real wire formats in front of a script, or of recorded
answers. They are for tests and for trying things out; every answer says that it
is simulated. Faults are switched while it runs:

  curl -X PUT  http://127.0.0.1:9900/ollama/fault -d '{"kind":"refuse"}'
  curl -X PUT  http://127.0.0.1:9900/openai/fault -d '{"kind":"rate_limit","retry_after":2,"times":1}'
  curl -X DELETE http://127.0.0.1:9900/ollama/fault
  curl http://127.0.0.1:9900/

Faults: ` + faultNames(),
		Example: "  aratta sim --provider ollama=127.0.0.1:11434 --provider anthropic=127.0.0.1:9001 --pace 20ms",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if pace < 0 || load < 0 {
				return &usageError{errors.New("--pace and --load must not be negative")}
			}
			ctx, stop := interruptible(cmd.Context())
			defer stop()
			farm := &sim.Farm{}
			defer func() { _ = farm.Close() }() // the process ends with it
			o := sim.Options{Models: models, Pace: pace, LoadTime: load}
			if len(models) == 0 {
				o.Models, o.Any = []string{demoModel}, true // who lists nothing is not asked by a gateway in front
			}
			for _, spec := range providers {
				name, addr, err := p.addSim(ctx, farm, spec, o, recorded)
				if err != nil {
					return err
				}
				fmt.Fprintf(p.Out, "simulated %s at http://%s\n", name, addr)
			}
			return p.runControl(ctx, farm, control)
		},
	}
	f := cmd.Flags()
	f.StringSliceVar(&providers, "provider", []string{"ollama=127.0.0.1:11434"}, "`[NAME:]DIALECT=ADDRESS`, again for more; port 0 takes a free one")
	f.StringSliceVar(&models, "model", nil, "models that they list and answer for (default: they list "+demoModel+" and answer for any)")
	f.StringVar(&control, "control", "127.0.0.1:9900", "address of the control")
	f.StringVar(&recorded, "recorded", "", "`FOLDER` of recorded exchanges: a request that equals one gets its answer")
	f.DurationVar(&pace, "pace", 20*time.Millisecond, "time between the tokens of an answer")
	f.DurationVar(&load, "load", 0, "what the first request of each model waits for")
	return cmd
}

func dialectNames() string {
	var list []string
	for _, d := range Dialects() {
		list = append(list, d.Name())
	}
	return strings.Join(list, ", ")
}

func faultNames() string {
	var list []string
	for _, f := range sim.Faults() {
		list = append(list, string(f))
	}
	return strings.Join(list, ", ")
}

// addSim puts one provider, written "name:dialect=address", into the farm.
func (p *program) addSim(ctx context.Context, farm *sim.Farm, spec string, o sim.Options, recorded string) (name, addr string, err error) {
	who, addr, ok := strings.Cut(spec, "=")
	if !ok {
		return "", "", &usageError{fmt.Errorf("--provider %q: write DIALECT=ADDRESS", spec)}
	}
	name, dia, ok := strings.Cut(who, ":")
	if !ok {
		dia = name
	}
	d, ok := known(dia)
	if !ok {
		return "", "", &usageError{fmt.Errorf("--provider %q: dialect %q is none of %s", spec, dia, dialectNames())}
	}
	o.Name, o.Dialect = name, d
	if recorded != "" {
		if o.Cases, err = sim.Recorded(recorded, d.Name()); err != nil {
			return "", "", fmt.Errorf("--recorded: %w", err)
		}
	}
	addr, err = farm.Add(ctx, sim.New(o), addr)
	return name, addr, err
}

// runControl serves the control until ctx ends.
func (p *program) runControl(ctx context.Context, farm *sim.Farm, addr string) error {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", addr)
	if err != nil {
		return fmt.Errorf("control: %w", err)
	}
	fmt.Fprintf(p.Out, "control at http://%s (interrupt to stop)\n", l.Addr())
	srv := &http.Server{Handler: farm.Control(), ReadHeaderTimeout: 10 * time.Second}
	stopped := context.AfterFunc(ctx, func() { _ = srv.Close() })
	defer stopped()
	if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
