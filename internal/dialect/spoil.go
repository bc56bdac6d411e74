//go:build !race

package dialect

func spoil([]byte) {}
