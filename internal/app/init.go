package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/aratta-gateway/aratta/scri"
)

func (p *program) initCommand() *cobra.Command {
	var o initOptions
	cmd := &cobra.Command{
		Use: "init", Short: "Find what runs here, write a configuration, and try it with one request",
		Long: `Look for local runtimes (Ollama, vLLM, llama.cpp, LM Studio) and for the keys of cloud
providers in the environment, ask which of them shall answer, write the configuration
with comments, and send one request through a gateway built from it.

Ollama is looked for where OLLAMA_HOST says, too. Where there is a configuration
already, its answers are proposed.

With --yes nothing is asked: all runtimes that listen take part, and cloud providers
only with --cloud, those whose key is set. An existing file is not touched without a
yes or --force, and is kept beside the new one as FILE.old (or FILE.old.2, where that is
taken). No key is written or shown.

The exit code is 0 when the file was written, whether or not anything can answer yet.`,
		Example: `  aratta init
  aratta init --yes
  aratta init --yes --cloud --provider ollama --provider anthropic --model anthropic=claude-sonnet-5 --alias work=anthropic`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, stop := interruptible(cmd.Context())
			defer stop()
			return p.initialise(ctx, &o)
		},
	}
	f := cmd.Flags()
	f.BoolVarP(&o.yes, "yes", "y", false, "ask nothing")
	f.BoolVar(&o.force, "force", false, "write a new file where there is one; the old one is kept as FILE.old")
	f.BoolVar(&o.json, "json", false, "tell what came of it as JSON; with --yes")
	f.BoolVar(&o.noRequest, "no-request", false, "do not send the request at the end")
	f.BoolVar(&o.cloud, "cloud", false, "cloud providers may be used")
	f.StringSliceVar(&o.providers, "provider", nil, "use this `PROVIDER`, again for more, instead of all that are found")
	f.StringSliceVar(&o.models, "model", nil, "`PROVIDER=MODEL` that answers when none is named, again for more")
	f.StringSliceVar(&o.aliases, "alias", nil, "`NAME=TARGET`, a name for a model, again for more")
	offer(cmd, "provider", p.completeProviders)
	return cmd
}

type initOptions struct {
	wish
	yes, force, json, noRequest bool
}

// initialised is what came of it, for programs.
type initialised struct {
	File      string            `json:"file"`
	Kept      string            `json:"kept,omitempty"` // where the old file is
	Local     []initProvider    `json:"local"`
	Cloud     []initProvider    `json:"cloud"`
	Aliases   map[string]string `json:"aliases"`
	Answer    *initAnswer       `json:"answer"` // null: nothing was asked, or nobody answered
	Error     string            `json:"error,omitempty"`
	NextSteps []string          `json:"next_steps,omitempty"` // where nothing can answer yet
}

type initProvider struct {
	Name   string   `json:"name"`
	Ready  bool     `json:"ready"`              // it listens, or its key is there
	Used   bool     `json:"used"`               // it stands in the configuration
	Base   string   `json:"base_url,omitempty"` // where it listens, if not at its usual place
	Models []string `json:"models"`             // installed, or known
	Model  string   `json:"default_model,omitempty"`
	Key    string   `json:"key_variable,omitempty"`
}

type initAnswer struct {
	Provider string `json:"provider"`
	Model    string `json:"model"`
	Text     string `json:"text"`
}

func (p *program) initialise(ctx context.Context, o *initOptions) error {
	file := cmp.Or(p.file, usualFile(p.Env))
	_, missing := os.Stat(file)
	exists := missing == nil
	switch {
	case !o.yes && o.json:
		return &usageError{errors.New("--json goes with --yes")}
	case !o.yes && (!terminal(p.In) || !terminal(p.Err)):
		return &usageError{errors.New("there is no terminal to ask at; --yes asks nothing")}
	case o.yes && exists && !o.force:
		return fmt.Errorf("%s exists; --force writes a new one and keeps the old one as %s", file, keptAs(file))
	}
	kept := ""
	if exists {
		kept = keptAs(file)
	}
	was, mistake := former{}, error(nil)
	if exists && !o.yes {
		was.Loaded, mistake = Load(p.file, p.Env.inFile())
	}
	s, err := p.survey(ctx, was)
	if err != nil {
		return err
	}
	if mistake != nil {
		s.notes = append(s.notes, "the file that stands there has a mistake, so its answers are not proposed: "+mistake.Error())
	}
	c, err := s.choose(&o.wish, was)
	if err != nil {
		return err
	}
	s.notes = append(s.notes, s.uninstalled(c)...)
	if o.yes {
		for _, n := range s.notes {
			fmt.Fprintln(printable(p.Err), "warning:", n)
		}
	} else {
		if err := p.converse(ctx, file, kept, o.force, s, c); err != nil {
			return err
		}
		if was.Loaded != nil {
			if keys := was.lost(s); len(keys) > 0 {
				fmt.Fprintf(printable(p.Err), "\nLeft out, as no question asked for it: %s (kept in %s)\n", strings.Join(keys, ", "), filepath.Base(kept))
			}
		}
	}
	text := s.text(c)
	if err := p.writeConfig(ctx, file, kept, text, !o.yes); err != nil {
		return err
	}
	return p.finish(ctx, file, kept, o, s, c)
}

// keptAs is where the file of before is kept: where no other is.
func keptAs(file string) string {
	name := file + ".old"
	for i := 2; ; i++ {
		if _, err := os.Lstat(name); err != nil { // whoever writes there is told of any other reason
			return name
		}
		name = fmt.Sprintf("%s.old.%d", file, i)
	}
}

// converse asks a person. A file that stands there is to be kept, unless kept is "".
func (p *program) converse(ctx context.Context, file, kept string, force bool, s *survey, c *choices) error {
	w := &wizard{ctx, p}
	if kept != "" && !force {
		yes := false
		if err := w.confirm(file+" exists. Write a new one?", "The old one is kept as "+kept+".", &yes); err != nil {
			return err
		}
		if !yes {
			return errNothingWritten
		}
	}
	s.tell(printable(p.Err))
	fmt.Fprintln(p.Err)
	return w.choose(s, c)
}

var errNothingWritten = errors.New("nothing was written")

// writeConfig checks the text as `aratta config check` does, shows it to a person
// for a yes, and writes it. What stood there is kept.
func (p *program) writeConfig(ctx context.Context, file, kept string, text []byte, ask bool) error {
	l, err := Read(file, text, p.Env)
	if err != nil {
		return fmt.Errorf("what would be written is not valid: %w", err)
	}
	made, err := Build(ctx, l, BuildOptions{Version: p.version, Env: p.Env, Presume: true})
	if err != nil {
		return fmt.Errorf("what would be written is not valid: %w", err)
	}
	defer made.Gateway.Close()
	if ask {
		fmt.Fprintf(printable(p.Err), "\n%s\n", text)
		yes := true
		if err := (&wizard{ctx, p}).confirm("Write this to "+file+"?", "", &yes); err != nil {
			return err
		}
		if !yes {
			return errNothingWritten
		}
	}
	for _, w := range made.Warnings {
		fmt.Fprintln(printable(p.Err), "warning:", w)
	}
	if kept != "" {
		old, err := os.ReadFile(file)
		if err == nil {
			err = writeWhole(kept, old)
		}
		if err != nil {
			return err
		}
	}
	if err := writeWhole(file, text); err != nil {
		return err
	}
	return os.Chmod(file, 0o600)
}

// finish sends the one request and tells what came of it all.
func (p *program) finish(ctx context.Context, file, kept string, o *initOptions, s *survey, c *choices) error {
	out := &initialised{File: file, Kept: kept, Aliases: c.aliases, Local: summary(s.runtimes, c.locals, c), Cloud: summary(s.clouds, c.clouds, c)}
	if !o.json {
		fmt.Fprintf(p.Out, "wrote %s\n", file)
	}
	l, err := Load(p.file, p.Env)
	if err != nil {
		return err
	}
	switch {
	case !s.answers(c):
		out.NextSteps = gettingModel(s)
		if !o.json {
			fmt.Fprintln(p.Out, "\nNothing can answer yet. To get a model that runs on this machine:")
			for _, step := range out.NextSteps {
				fmt.Fprintln(p.Out, "  "+step)
			}
			p.tellNext(l.url())
		}
	case !o.noRequest:
		url := l.url()
		if err := p.tryOut(ctx, l, out, o.json); err != nil {
			return err
		}
		if !o.json {
			p.tellNext(url)
		}
	}
	if o.json {
		return p.asJSON(out)
	}
	return nil
}

// tellNext says what to do with a configuration.
func (p *program) tellNext(url string) {
	fmt.Fprintf(p.Out, "\nNext:\n  aratta serve    run the gateway at %s\n  aratta chat     talk to it\n", url)
}

// answers reports whether anything of what was chosen can answer now.
func (s *survey) answers(c *choices) bool {
	able := func(list []candidate, chosen []string) bool {
		for i := range list {
			for _, name := range chosen {
				if list[i].name == name && list[i].ready && c.models[name] != "" {
					return true
				}
			}
		}
		return false
	}
	return able(s.runtimes, c.locals) || able(s.clouds, c.clouds)
}

func summary(list []candidate, chosen []string, c *choices) []initProvider {
	out := []initProvider{}
	for i := range list {
		r := &list[i]
		x := initProvider{Name: r.name, Ready: r.ready, Base: r.base, Key: r.spec.Auth.Env, Models: []string{}}
		for _, name := range chosen {
			x.Used = x.Used || name == r.name
		}
		if x.Used {
			x.Model = c.models[r.name]
		}
		if !x.Used && !r.ready {
			continue
		}
		for j := range r.models {
			x.Models = append(x.Models, r.models[j].ID)
		}
		out = append(out, x)
	}
	return out
}

// firstQuestion is what the gateway is tried with.
const firstQuestion = "Say hello in one short sentence."

// tryOut runs the gateway of the configuration on a port of loopback, asks it one
// question and shows the answer. That nobody answers is told and is no error.
func (p *program) tryOut(ctx context.Context, l *Loaded, out *initialised, silent bool) error {
	l.Server.Host, l.Server.Port = "127.0.0.1", 0
	l.LogLevel = "error"
	quiet := &program{IO: p.IO, version: p.version}
	if silent {
		quiet.Out, quiet.Err = io.Discard, io.Discard
	}
	return quiet.whileServing(ctx, l, serving{discover: true}, func(url string) error {
		fmt.Fprintf(quiet.Out, "\nOne request through it (Ctrl-C leaves it):\n> %s\n", firstQuestion)
		c := &chatting{p: quiet, url: url, why: true}
		err := c.ask(ctx, firstQuestion)
		switch {
		case errors.Is(err, errInterrupted):
			return err
		case err != nil:
			out.Error = err.Error()
			fmt.Fprintf(printable(quiet.Err), "Nobody answered: %s\nThe configuration is written all the same; `aratta config check` and `aratta health` tell more.\n", plainError(err))
		default:
			out.Answer = &initAnswer{Provider: c.last.Provider, Model: c.last.Model, Text: strings.TrimSpace(textOf(c.last))}
		}
		return nil
	})
}

// textOf is what an answer says.
func textOf(r *scri.ChatResponse) string {
	var b strings.Builder
	for _, choice := range r.Choices {
		for _, m := range choice.Output {
			for _, part := range m.Parts {
				if part.Kind == scri.PartText {
					b.WriteString(part.Text.String())
				}
			}
		}
	}
	return b.String()
}

// gettingModel tells a person without any model how to get one.
func gettingModel(s *survey) []string {
	r := &s.runtimes[0] // Ollama
	pull := strings.ReplaceAll(r.spec.Pull, "{model}", r.spec.Example)
	if r.ready {
		return []string{pull + "   (or: aratta models pull " + r.spec.Example + ")"}
	}
	return []string{"install Ollama (" + r.spec.Install + "), if it is not there", r.spec.Start, pull}
}
