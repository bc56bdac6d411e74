//go:build !amd64

package wire

func canMark() bool { return false }

func mark([]marks, []byte, uint64) (carried, some uint64) {
	panic("wire: there is no mark for this machine")
}
