package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/aratta-gateway/aratta/internal/nearest"
	"github.com/aratta-gateway/aratta/scri"
)

// IO is what a command reads and writes, so that tests can stand in.
type IO struct {
	In       io.Reader
	Out, Err io.Writer
	Env      Env
	LookFor  time.Duration // bounds each look at who listens on this machine; 0 = a moment
}

// program is what all commands share.
type program struct {
	IO
	version string
	file    string       // --config
	https   *http.Client // see client; nil = not needed yet
	serving bool         // it must end though nobody reads what it says
}

// Main runs the command line and returns the exit code: 0, or 1 for a failure,
// or 2 for a command line that makes no sense, or 130 for an interrupt that left
// something undone.
func Main(ctx context.Context, version string, args []string, streams IO) int {
	if streams.Env == nil {
		streams.Env = os.LookupEnv
	}
	p := &program{IO: streams, version: version}
	root := p.root() //nolint:contextcheck // cobra hands each command its context
	root.SetArgs(args)
	root.SetIn(streams.In)
	root.SetOut(streams.Out)
	root.SetErr(streams.Err)
	cmd, err := root.ExecuteContextC(ctx)
	if err == nil {
		return 0
	}
	errs := printable(streams.Err)
	if p.serving {
		errs = brief{errs}
	}
	fmt.Fprintln(errs, "aratta:", plainError(err))
	if _, ok := errors.AsType[*usageError](err); ok {
		fmt.Fprintf(errs, "`%s --help` shows what there is\n", cmd.CommandPath())
		return 2
	}
	if errors.Is(err, errInterrupted) {
		return interruptedCode
	}
	return 1
}

// errInterrupted ends what a person interrupted before it was done.
var errInterrupted = errors.New("interrupted")

// interruptedCode is what shells expect of it.
const interruptedCode = 130

// usageError is a command line that makes no sense.
type usageError struct{ error }

func (e *usageError) Unwrap() error { return e.error }

// plainError is an error for people: what happened, and what to do.
func plainError(err error) string {
	text := err.Error()
	if e, ok := errors.AsType[*scri.Error](err); ok {
		if e.Hint != "" {
			text += "\n  " + e.Hint
		}
		if e.RequestID != "" {
			text += "\n  request " + e.RequestID
		}
	}
	return text
}

func (p *program) root() *cobra.Command {
	var version bool
	root := &cobra.Command{
		Use:   "aratta",
		Short: "Local-first AI gateway",
		Long: `Aratta stands between applications and every language model. Local models
answer first, on your own hardware; cloud providers are the reserve. Applications
speak the API that they know: OpenAI's, Anthropic's, Gemini's, Cohere's, Ollama's, or
Aratta's own.

Begin with your own models:      aratta init

Try it with no model and no key:  aratta demo`,
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if version { // cobra's own flag brings templates, and they a fifth of the binary
				return p.printVersion()
			}
			return cmd.Help()
		},

		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error { return checkPort(cmd) },
	}
	root.Flags().BoolVarP(&version, "version", "v", false, "print the version")
	root.SetFlagErrorFunc(flagError)
	root.PersistentFlags().StringVar(&p.file, "config", "", "configuration `FILE` (default ~/.aratta/config.toml, or config.toml in $ARATTA_HOME)")
	root.AddCommand(p.initCommand(), p.serveCommand(), p.demoCommand(), p.chatCommand(), p.modelsCommand(), p.healthCommand(), p.catalogueCommand(), p.configCommand(), p.overlayCommand(), p.simCommand(), p.versionCommand())
	root.InitDefaultCompletionCmd() // here, so that its arguments are looked at as those of the others
	strictArgs(root)
	return root
}

// interruptible returns a context that ends at the first SIGINT or SIGTERM. The
// second ends the process at once.
func interruptible(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGINT, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	return ctx, stop
}

// strictArgs makes arguments that a command or one below it does not take an
// error about the command line.
func strictArgs(c *cobra.Command) {
	if c.Args == nil {
		c.Args = cobra.NoArgs
		if c.ValidArgsFunction == nil {
			c.ValidArgsFunction = cobra.NoFileCompletions
		}
	}
	args := c.Args
	c.Args = func(cmd *cobra.Command, list []string) error {
		err := args(cmd, list)
		if err == nil {
			return nil
		}
		var names []string
		for _, sub := range cmd.Commands() {
			names = append(names, sub.Name())
		}
		if near := nearest.Name(strings.Join(list[:min(1, len(list))], ""), names); near != "" {
			err = fmt.Errorf("%w; did you mean %q?", err, near)
		}
		return &usageError{err}
	}
	if !c.Runnable() { // or cobra does not look at its arguments
		c.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	}
	for _, sub := range c.Commands() {
		strictArgs(sub)
	}
}

func (p *program) versionCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "version", Short: "Print the version",
		RunE: func(*cobra.Command, []string) error {
			if asJSON {
				return p.asJSON(map[string]string{"version": p.version, "go": runtime.Version(), "os": runtime.GOOS, "arch": runtime.GOARCH})
			}
			return p.printVersion()
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "as JSON")
	return cmd
}

func (p *program) printVersion() error {
	_, err := fmt.Fprintln(p.Out, "aratta", p.version)
	return err
}

func logLevel(s string) slog.Level {
	switch strings.ToLower(s) {
	case "debug":
		return slog.LevelDebug
	case "warn":
		return slog.LevelWarn
	case "error":
		return slog.LevelError
	default:
		return slog.LevelInfo
	}
}
