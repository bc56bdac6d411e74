//go:build !linux

package main

import "errors"

func enoughFiles(int) error { return errors.New("the load generator runs on Linux only") }
