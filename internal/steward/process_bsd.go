//go:build unix && !linux

package steward

import "syscall"

// apart gives a runtime a process group of its own, so that an interrupt at the
// terminal does not end it before the requests that it still answers.
func apart() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
