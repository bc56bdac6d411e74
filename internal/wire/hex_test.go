package wire

import (
	"encoding/binary"
	"testing"
)

// Every byte at every place among hexadecimal digits.
func TestHex(t *testing.T) {
	for _, digits := range []string{"0000", "9999", "afAF", "FFFF", "1aZ!", "\xff\x80/:"} {
		for at := range 4 {
			for c := range 256 {
				b := []byte(digits)
				b[at] = byte(c)
				if got, want := hex(binary.LittleEndian.Uint32(b)), hex4(b) >= 0; got != want {
					t.Fatalf("%q: %v, want %v", b, got, want)
				}
			}
		}
	}
}
