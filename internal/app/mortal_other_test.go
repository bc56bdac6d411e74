//go:build !linux

package app

import "os/exec"

// startMortal starts a program, which ends with this one only where the system can do
// that. wait is called when it has started.
func startMortal(_ *exec.Cmd, start func() error, wait func()) error {
	err := start()
	if err == nil {
		go wait()
	}
	return err
}
