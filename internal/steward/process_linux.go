package steward

import "syscall"

// apart gives a runtime a process group of its own, so that an interrupt at the
// terminal does not end it before the requests that it still answers, and lets it
// end when this process is killed.
func apart() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
}
