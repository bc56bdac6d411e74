//go:build !amd64

package wire

func canMark() bool { return false }

func wide() bool { return false }

func mark(out []marks, src []byte, carry uint64) (carried, some uint64) {
	return markBlocks(out, src, carry, wide())
}

func markBlocks([]marks, []byte, uint64, bool) (carried, some uint64) {
	panic("wire: there is no mark for this machine")
}
