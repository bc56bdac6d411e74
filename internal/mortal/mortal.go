// Package mortal starts programs that end with this one, however that ends: tests that
// run out of time, or are killed, leave nothing behind. Only Linux can do that;
// elsewhere they are started as any other.
package mortal

import (
	"os/exec"
	"runtime"
)

// Start starts a program that ends with this one. start is what starts cmd, such as its
// Start. wait is called when it has started, and returns when it has ended.
func Start(cmd *exec.Cmd, start func() error, wait func()) error {
	Bind(cmd)
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
