//go:build profile

package app

import (
	"errors"
	"os"
	"runtime/pprof"

	"github.com/spf13/cobra"
)

// offerProfile adds the flag that writes a CPU profile to a file. Not in every
// build: the profiler makes the binary larger by a fifth.
func offerProfile(cmd *cobra.Command) {
	file := cmd.Flags().String("cpuprofile", "", "write a CPU profile (for go tool pprof) to `FILE`")
	run := cmd.RunE
	cmd.RunE = func(cmd *cobra.Command, args []string) (err error) {
		if *file == "" {
			return run(cmd, args)
		}
		f, err := os.OpenFile(*file, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, f.Close()) }()
		if err := pprof.StartCPUProfile(f); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
		return run(cmd, args)
	}
}
