//go:build !linux

package mortal

import "os/exec"

// Bind does nothing here.
func Bind(*exec.Cmd) {}
