package mortal

import (
	"os/exec"
	"syscall"
)

// Bind has the kernel kill a program that is not started yet when the thread that
// starts it ends, and so with this program at the latest.
func Bind(cmd *exec.Cmd) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL
}
