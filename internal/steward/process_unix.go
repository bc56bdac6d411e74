//go:build unix

package steward

import (
	"os/exec"
	"syscall"
)

// ask asks a runtime to end, and all that it has started.
func ask(c *exec.Cmd) { _ = syscall.Kill(-c.Process.Pid, syscall.SIGTERM) }

// kill ends what is left of them.
func kill(c *exec.Cmd) { _ = syscall.Kill(-c.Process.Pid, syscall.SIGKILL) }
