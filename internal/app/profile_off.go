//go:build !profile

package app

import "github.com/spf13/cobra"

func offerProfile(*cobra.Command) {}
