package wire

import (
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

// A stream that once had a large frame does not stay large.
func TestBufferShrinks(t *testing.T) {
	small := strings.Repeat("data: small\n\n", 100)
	s := NewSSE(io.MultiReader(
		iotest.OneByteReader(strings.NewReader(small)),
		strings.NewReader("data: "+strings.Repeat("x", 300_000)+"\n\n"),
		iotest.OneByteReader(strings.NewReader(small)),
	), 0)
	var sizes []int
	for {
		if _, err := s.Next(); err != nil {
			break
		}
		sizes = append(sizes, len(s.buf))
	}
	if len(sizes) != 201 || sizes[99] != firstBuffer || sizes[100] < 300_000 || sizes[200] != firstBuffer {
		t.Errorf("%d frames, buffer %d at first, %d for the large frame, %d at last", len(sizes), sizes[99], sizes[100], sizes[len(sizes)-1])
	}
}
