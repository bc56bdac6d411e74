package app

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/aratta-gateway/aratta/internal/nearest"
)

// flagError says of a flag that makes no sense what is wanted in its place.
func flagError(cmd *cobra.Command, err error) error {
	if e, ok := errors.AsType[*pflag.InvalidValueError](err); ok {
		return &usageError{fmt.Errorf("--%s: %q is no %s", e.GetFlag().Name, e.GetValue(), wanted(e.GetFlag()))}
	}
	if e, ok := errors.AsType[*pflag.NotExistError](err); ok {
		var names []string
		cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
		if near := nearest.Name(e.GetSpecifiedName(), names); near != "" {
			err = fmt.Errorf("%w; did you mean --%s?", err, near)
		}
	}
	return &usageError{err}
}

// wanted is what a flag takes, after "is no".
func wanted(f *pflag.Flag) string {
	if f.Name == "port" {
		return fmt.Sprintf("port: write a number up to %d, or 0 for any that is free", mostPort)
	}
	switch f.Value.Type() {
	case "int":
		return "whole number"
	case "duration":
		return `duration: write "20ms", "90s" or "10m"`
	case "bool":
		return "true or false"
	default:
		return "value that it takes"
	}
}

// checkPort refuses a --port that is none before anything is done.
func checkPort(cmd *cobra.Command) error {
	f := cmd.Flags().Lookup("port")
	if f == nil || !f.Changed {
		return nil
	}
	if n, err := strconv.Atoi(f.Value.String()); err != nil || n < 0 || n > mostPort {
		return &usageError{fmt.Errorf("--port: %q is no %s", f.Value.String(), wanted(f))}
	}
	return nil
}
