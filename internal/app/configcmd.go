package app

import (
	"fmt"

	"github.com/spf13/cobra"
)

func (p *program) configCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "config", Short: "Look after the configuration"}
	check := &cobra.Command{
		Use: "check [FILE]", Short: "Check a configuration and say what would be built from it",
		Long: `Check a configuration without starting anything. Errors name the file, line and
column, and the nearest known key. The exit code is 0 when the gateway would start.`,
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
			s, err := Build(cmd.Context(), l, BuildOptions{Version: p.version, Env: p.Env})
			if err != nil {
				return err
			}
			defer s.Gateway.Close()
			s.report(p)
			return nil
		},
	}
	cmd.AddCommand(check)
	return cmd
}

// report prints what a configuration makes.
func (s *Snapshot) report(p *program) {
	for _, w := range s.Warnings {
		fmt.Fprintln(p.Err, "warning:", w)
	}
	file := s.Config.File
	if file == "" {
		file = "no file"
	}
	for _, q := range s.Providers {
		fmt.Fprintf(p.Out, "%s.%s: on, dialect %s, zone %s, priority %d, %s\n", q.Kind(), q.Name(), q.Dialect(), q.Zone(), q.Priority(), q.Host())
	}
	for _, q := range s.Off {
		fmt.Fprintf(p.Out, "%s.%s: off, %s\n", q.Kind(), q.Name(), q.Disabled())
	}
	fmt.Fprintf(p.Out, "%s: ok\n", file)
}
