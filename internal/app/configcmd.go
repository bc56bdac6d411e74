package app

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/aratta-gateway/aratta/internal/provider"
)

func (p *program) configCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "config", Short: "Look after the configuration"}
	var checkJSON bool
	check := &cobra.Command{
		Use: "check [FILE]", Short: "Check a configuration and say what would be built from it",
		Long: `Check a configuration without starting anything. Errors name the file, line and
column, and the nearest known key. Nobody is asked: which local runtimes listen is
found out at the start. The exit code is 0 when the gateway would start.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			file := p.file
			if len(args) == 1 {
				file = args[0]
			}
			l, err := Load(file, p.Env)
			if err != nil {
				return err
			}
			s, err := Build(cmd.Context(), l, BuildOptions{Version: p.version, Env: p.Env, Presume: true})
			if err != nil {
				return err
			}
			defer s.Gateway.Close()
			if checkJSON {
				return p.asJSON(s.checked())
			}
			s.report(p)
			return nil
		},
	}
	check.Flags().BoolVar(&checkJSON, "json", false, "what would be built as JSON; mistakes are told in words all the same")
	var asJSON bool
	show := &cobra.Command{
		Use: "show", Short: "Print what the configuration means, and where each value comes from",
		Long: `Print every value that is set, with its source: a place in the file, a variable of
the environment, or the default. What may be a secret is masked.`,
		RunE: func(*cobra.Command, []string) error { return p.showConfig(asJSON) },
	}
	show.Flags().BoolVar(&asJSON, "json", false, "as JSON")
	describe := &cobra.Command{
		Use: "schema", Short: "Print the JSON Schema of the configuration, for editors",
		RunE: func(*cobra.Command, []string) error {
			text, err := Schema()
			if err == nil {
				_, err = fmt.Fprintf(p.Out, "%s\n", text)
			}
			return err
		},
	}
	cmd.AddCommand(check, show, describe, p.convertCommand())
	return cmd
}

func (p *program) convertCommand() *cobra.Command {
	return &cobra.Command{
		Use: "convert FILE", Short: "Print a configuration in YAML as the canonical TOML",
		Long: `Print a configuration that is written in YAML, in any of its spellings, as the
canonical TOML, which means the same. Comments tell what has no equivalent. Variables
(${NAME}) stay as they are. The file is not changed.`,
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			text, err := Convert(args[0], Home(p.Env))
			if err == nil {
				_, err = p.Out.Write(text)
			}
			return err
		},
	}
}

// checkedProvider is what `config check` tells of a provider.
type checkedProvider struct {
	Name     string `json:"name"`
	Table    string `json:"table"` // local, providers
	State    string `json:"state"` // on, off, sought: looked for at the start
	Why      string `json:"why,omitempty"`
	Dialect  string `json:"dialect"`
	Zone     string `json:"zone"`
	Priority int    `json:"priority"`
	Host     string `json:"host"`
}

// checked is what `config check` tells, for programs.
type checked struct {
	File      string              `json:"file"` // "" = none, all defaults
	Warnings  []string            `json:"warnings"`
	Providers []checkedProvider   `json:"providers"`
	Chains    map[string][]string `json:"chains"`
}

func (s *Snapshot) checked() *checked {
	out := &checked{File: s.Config.File, Warnings: append([]string{}, s.Warnings...), Providers: []checkedProvider{}, Chains: map[string][]string{}}
	for _, of := range []struct {
		state string
		list  []*provider.Provider
	}{{"on", s.Providers}, {"off", s.Off}, {"sought", s.Sought}} {
		for _, q := range of.list {
			out.Providers = append(out.Providers, checkedProvider{
				Name: q.Name(), Table: string(q.Kind()), State: of.state, Why: q.Disabled(),
				Dialect: q.Dialect(), Zone: q.Zone(), Priority: q.Priority(), Host: q.Host(),
			})
		}
	}
	for _, l := range s.Router.Ladders() {
		out.Chains[l.Name] = []string{}
		for _, t := range slices.Concat(l.OnCondition, l.Targets) {
			out.Chains[l.Name] = append(out.Chains[l.Name], t.String())
		}
	}
	return out
}

// report prints what a configuration makes.
func (s *Snapshot) report(p *program) {
	for _, w := range s.Warnings {
		fmt.Fprintln(p.Err, "warning:", w)
	}
	for _, q := range s.Providers {
		how := "on"
		if q.Kind() == provider.Local && !s.Config.mentions(q.Name()) {
			how = "on without a table"
		}
		fmt.Fprintf(p.Out, "%s.%s: %s, dialect %s, zone %s, priority %d, %s\n", q.Kind(), q.Name(), how, q.Dialect(), q.Zone(), q.Priority(), q.Host())
	}
	for _, q := range s.Off {
		fmt.Fprintf(p.Out, "%s.%s: off, %s\n", q.Kind(), q.Name(), q.Disabled())
	}
	for _, q := range s.Sought {
		fmt.Fprintf(p.Out, "%s.%s: looked for at the start, %s\n", q.Kind(), q.Name(), q.Host())
	}
	for _, l := range s.Router.Ladders() {
		var names []string
		for _, t := range l.OnCondition {
			names = append(names, t.String()+" on its condition")
		}
		for _, t := range l.Targets {
			names = append(names, t.String())
		}
		if len(names) == 0 {
			names = []string{"nobody"}
		}
		fmt.Fprintf(p.Out, "chain %s: %s\n", l.Name, strings.Join(names, ", "))
	}
	file, end := s.Config.File, "ok"
	if file == "" {
		file, end = "no file at "+filepath.Join(s.Config.Home, "config.toml"), "ok, all defaults"
	}
	switch n := len(s.Warnings); n {
	case 0:
	case 1:
		end += ", with a warning"
	default:
		end += fmt.Sprintf(", with %d warnings", n)
	}
	fmt.Fprintf(p.Out, "%s: %s\n", file, end)
}
