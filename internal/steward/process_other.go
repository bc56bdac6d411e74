//go:build !unix

package steward

import (
	"os/exec"
	"syscall"
)

func apart() *syscall.SysProcAttr { return nil }

// ask ends a runtime: there is no way to ask for it.
func ask(c *exec.Cmd) { kill(c) }

func kill(c *exec.Cmd) { _ = c.Process.Kill() }
