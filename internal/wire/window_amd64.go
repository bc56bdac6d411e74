package wire

import "golang.org/x/sys/cpu"

// canMark reports whether this machine can look at 64 bytes at a time.
func canMark() bool { return cpu.X86.HasAVX2 }

// wide reports whether it does so in one piece. Processors before those that have
// VBMI2, too, clock down for a while when they do.
func wide() bool { return cpu.X86.HasAVX512BW && cpu.X86.HasAVX512VBMI2 }

// mark looks at up to 64 blocks of 64 bytes that begin at src, and reports which
// of them have any mark, the first one in bit 0. carry says what the byte
// before it asks of the first one, the result what the last one asks of the byte
// behind it: bit 0 that it is escaped, bit 1 that it is the second of a rune.
func mark(out []marks, src []byte, carry uint64) (carried, some uint64) {
	return markBlocks(out, src, carry, wide())
}

func markBlocks(out []marks, src []byte, carry uint64, wide bool) (carried, some uint64) {
	blocks := len(src) / 64
	if blocks == 0 {
		return carry, 0
	}
	_ = out[:blocks]
	if wide {
		carried, some = markAVX512(&out[0], &src[0], blocks, carry)
	} else {
		carried, some = markAVX2(&out[0], &src[0], blocks, carry)
	}
	return carried, some >> (64 - blocks)
}

//go:noescape
func markAVX2(out *marks, src *byte, blocks int, carry uint64) (carried, some uint64)

//go:noescape
func markAVX512(out *marks, src *byte, blocks int, carry uint64) (carried, some uint64)
