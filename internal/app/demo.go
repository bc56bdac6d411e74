package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/aratta-gateway/aratta/internal/provider"
	"github.com/aratta-gateway/aratta/internal/sim"
)

func (p *program) demoCommand() *cobra.Command {
	var o demoOptions
	cmd := &cobra.Command{
		Use: "demo", Short: "Show the gateway at work with simulated providers: no model, no key, no configuration",
		Long: `Start the gateway together with simulated providers, ask it a few questions, and
show who answers and why: a local model, then a cloud provider because the local
one fails, and nobody where nothing may leave. A real Ollama that listens on this
machine is used instead of the simulated one. Nothing is read from or written to
your files, and nothing leaves this machine.

Afterwards the gateway stays up to be tried, until it is interrupted.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, stop := interruptible(cmd.Context())
			defer stop()
			return p.demo(ctx, o)
		},
	}
	f := cmd.Flags()
	f.BoolVar(&o.once, "once", false, "stop after the show")
	f.IntVar(&o.port, "port", defaultPort, "port of the gateway; when it is in use a free one is taken")
	f.StringVar(&o.ollama, "ollama", "http://localhost:11434", "`ADDRESS` of a real Ollama, used when it listens and has a model; \"\" = none")
	return cmd
}

type demoOptions struct {
	once   bool
	port   int
	ollama string
}

const (
	demoPace  = 15 * time.Millisecond
	demoKey   = "ARATTA_DEMO_KEY"
	demoModel = "demo-model"
	demoEmbed = "demo-embed"
)

// demo is the show.
func (p *program) demo(ctx context.Context, o demoOptions) error {
	if o.port < 0 || o.port > mostPort {
		return &usageError{fmt.Errorf("--port: %d is no port", o.port)}
	}
	farm := &sim.Farm{}
	defer func() { _ = farm.Close() }() // the process ends with it
	addrs := map[string]string{}
	for _, s := range []struct{ name, dialect string }{{"local-sim", "ollama"}, {"cloud-sim", "anthropic"}} {
		o := sim.Options{Models: []string{demoModel}, Pace: demoPace}
		if s.dialect == "ollama" {
			o.Models = append(o.Models, demoEmbed)
		} else {
			o.Any = true // coding agents ask for the models that they know
		}
		_, addr, err := p.addSim(ctx, farm, s.name+":"+s.dialect+"=127.0.0.1:0", o, "")
		if err != nil {
			return err
		}
		addrs[s.name] = addr
	}
	l, err := p.demoConfig(o.port, addrs)
	if err != nil {
		return err
	}
	if o.port != 0 && l.Server.Port == 0 {
		fmt.Fprintf(p.Out, "(port %d is in use, so the gateway listens at another)\n", o.port)
	}
	realModel := p.addRealOllama(ctx, l, o.ollama)
	quiet := &program{IO: IO{In: p.In, Out: p.Out, Err: p.Err, Env: demoEnv(p.Env)}, version: p.version}
	return quiet.whileServing(ctx, l, serving{}, func(url string) error {
		if err := p.show(ctx, farm, url, realModel); err != nil && ctx.Err() == nil {
			return err
		}
		if !o.once && ctx.Err() == nil {
			p.invite(url)
			<-ctx.Done()
		}
		return nil
	})
}

// demoEnv gives the simulated cloud its key, which is none, and hides keys of
// clients: the demo listens on loopback alone.
func demoEnv(env Env) Env {
	return func(name string) (string, bool) {
		switch name {
		case demoKey:
			return "simulated", true
		case "LOG_LEVEL":
			if s, ok := env(name); ok {
				return s, true
			}
			return "error", true
		case "ARATTA_API_KEYS", "ARATTA_HOST", "ARATTA_PORT":
			return "", false
		default:
			return env(name)
		}
	}
}

func (p *program) demoConfig(port int, addrs map[string]string) (*Loaded, error) {
	text := fmt.Sprintf(`
[server]
host = "127.0.0.1"

[local.local-sim]
type = "ollama"
base_url = "http://%s"
default_model = %q

[providers.cloud-sim]
dialect = "anthropic"
base_url = "http://%s"
api_key_env = %q
default_model = %q
models = [%q]

[chains]
default = ["local-sim", "cloud-sim"]
simulated = ["local-sim", "cloud-sim"]
`, addrs["local-sim"], demoModel, addrs["cloud-sim"], demoKey, demoModel, demoModel)
	l := &Loaded{File: "demo", Home: ""}
	err := l.parse([]byte(text), demoEnv(p.Env))
	l.Server.Port = freePort(port) // after parsing, as 0 would become the default there
	return l, err
}

// freePort is the port if it can be listened on, else 0: any other.
func freePort(port int) int {
	l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port)) //nolint:noctx // it returns at once
	if err != nil {
		return 0
	}
	_ = l.Close() // it was opened to see whether it can be
	return port
}

// addRealOllama puts an Ollama that listens on this machine in front of the
// default chain, and returns the model that will answer, or "".
func (p *program) addRealOllama(ctx context.Context, l *Loaded, base string) string {
	if base == "" {
		return ""
	}
	entry := provider.Entry{Type: "ollama", BaseURL: base}
	probe := &Loaded{Config: Config{Local: map[string]provider.Entry{"ollama": entry}}}
	s, err := Build(ctx, probe, BuildOptions{Version: p.version, Env: p.Env, LookFor: p.LookFor})
	if err != nil || len(s.Providers) == 0 {
		return ""
	}
	defer s.Gateway.Close()
	ctx, cancel := context.WithTimeout(ctx, s.lookFor)
	defer cancel()
	o := s.Providers[0]
	permitted := provider.WithPermit(ctx, provider.For(o.Zone(), o.Host()))
	if list, err := o.List(permitted); err != nil || len(list) == 0 || ofGateway(list) {
		return ""
	}
	model := o.ResolveLocal(permitted).Model
	if model == "" {
		return ""
	}
	l.Local["ollama"] = entry
	l.Chains["default"] = []any{"ollama", "cloud-sim"}
	return model
}

// show asks the questions and prints what happens.
func (p *program) show(ctx context.Context, farm *sim.Farm, url, realModel string) error {
	ask := func(title, model, prompt string) error {
		fmt.Fprintf(p.Out, "\n%s\n> %s\n", p.bold(title), prompt)
		c := &chatting{p: &program{IO: IO{In: p.In, Out: p.Out, Err: p.Out, Env: p.Env}}, url: url, model: model, why: true}
		return c.ask(ctx, prompt)
	}
	local, chain := "SIMULATED local model", ""
	if realModel != "" {
		local = "Ollama on this machine, " + realModel
	}
	fmt.Fprintf(p.Out, "%s\nlocal: %s\ncloud: SIMULATED provider in this process; nothing leaves this machine\n", p.bold("Aratta demo"), local)
	if err := ask("1. The local model answers first.", chain, "In one sentence: what is a gateway?"); err != nil {
		return err
	}
	if err := farm.Set(ctx, "local-sim", sim.Fault{Kind: sim.Refuse}); err != nil {
		return err
	}
	if err := ask("2. The (simulated) local runtime is down: a cloud provider answers, and the answer says why.", "simulated", "And when it fails?"); err != nil {
		return err
	}
	fmt.Fprintf(p.Out, "\n%s\n> And my secrets?\n", p.bold("3. The same with \"sovereign\": nothing may leave, so nobody answers."))
	// The chain of the simulated ones alone: a real Ollama behind them might answer.
	c := &chatting{p: &program{IO: IO{In: p.In, Out: p.Out, Err: p.Out, Env: p.Env}}, url: url, model: "simulated", sovereign: true}
	err := c.ask(ctx, "And my secrets?")
	if err == nil {
		return errors.New("something answered that must not have")
	}
	fmt.Fprintln(p.Out, plainError(err))
	return farm.Set(ctx, "local-sim", sim.Fault{})
}

func (p *program) bold(s string) string {
	if terminal(p.Out) {
		return "\x1b[1m" + s + "\x1b[0m"
	}
	return s
}

// invite tells what to try.
func (p *program) invite(url string) {
	fmt.Fprintf(p.Out, `
%s It speaks OpenAI's, Anthropic's, Gemini's, Cohere's, Ollama's and its own API at %s

  curl %s/v1/chat/completions -d '{"model":"auto","messages":[{"role":"user","content":"Hello"}]}'
  %s chat --url %s --why "Hello"

%s
Interrupt (Ctrl-C) to stop.
`, p.bold("Your turn."), url, url, called(os.Args[0]), url, pointers(url))
}

// called is how the program was started, for people who shall start it again.
func called(arg0 string) string {
	switch {
	case strings.Contains(arg0, "go-build"):
		return "go run ./cmd/aratta"
	case strings.ContainsAny(arg0, " '\"\\$"):
		return filepath.Base(arg0)
	default:
		return arg0
	}
}
