package sdktest

import (
	"os/exec"
	"runtime"
	"syscall"
)

// startMortal starts a program that ends with this one, however that ends: a test that
// runs out of time, or is killed, leaves nothing behind. wait is called when it has
// started, and returns when it has ended.
func startMortal(cmd *exec.Cmd, start func() error, wait func()) error {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL
	started := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // it is the thread with which the program ends
		defer runtime.UnlockOSThread()
		err := start()
		started <- err
		if err == nil {
			wait()
		}
	}()
	return <-started
}
