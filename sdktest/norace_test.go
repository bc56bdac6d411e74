//go:build !race

package sdktest

func buildFlags() (flags, env []string) { return nil, []string{"CGO_ENABLED=0"} }
