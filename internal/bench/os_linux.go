package main

import (
	"fmt"
	"syscall"
)

// enoughFiles raises the limit of open files for the children; a stream takes
// two of them in a proxy.
func enoughFiles(streams int) error {
	var l syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l); err != nil {
		return err
	}
	want := uint64(2*streams + 200)
	if l.Max < want {
		return fmt.Errorf("%d streams need %d open files, and the hard limit is %d (ulimit -Hn)", streams, want, l.Max)
	}
	l.Cur = l.Max
	return syscall.Setrlimit(syscall.RLIMIT_NOFILE, &l)
}
