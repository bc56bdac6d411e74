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

// lender lends one piece of memory, and spoils it when it is given back.
type lender struct {
	io.Reader
	t    *testing.T
	buf  []byte
	lent int
	has  bool
}

func (l *lender) Lend(size int) []byte {
	if l.has {
		l.t.Error("lent twice")
	}
	l.has, l.buf = true, make([]byte, size)
	l.lent++
	return l.buf
}

func (l *lender) GiveBack() {
	l.has = false
	clear(l.buf)
}

// What comes at once is read into the reader's memory, which is given back when a larger
// or a smaller one will do.
func TestBurstIsReadIntoWhatIsLent(t *testing.T) {
	frame := func(n int) string { return "data: " + strings.Repeat("x", n) + "\n\n" }
	var in []io.Reader
	var want []int
	for _, burst := range []bool{false, true, false, true} {
		frames := strings.Repeat(frame(100), 100)
		if burst {
			in = append(in, strings.NewReader(frames+frame(300_000)))
		} else {
			in = append(in, iotest.OneByteReader(strings.NewReader(frames)))
		}
		for range 100 {
			want = append(want, 100)
		}
		if burst {
			want = append(want, 300_000)
		}
	}
	l := &lender{Reader: io.MultiReader(in...), t: t}
	s := NewSSE(l, 0)
	for i, n := range want {
		f, err := s.Next()
		if err != nil || len(f.Data) != n || strings.Trim(string(f.Data), "x") != "" {
			t.Fatalf("frame %d of %d bytes: %v, %.20q", i, n, err, f.Data)
		}
		if s.lent != l.has {
			t.Fatalf("frame %d: lent %v, given back %v", i, s.lent, !l.has)
		}
		if i < 100 && l.has {
			t.Fatal("lent for what trickles")
		}
	}
	if l.lent != 2 {
		t.Errorf("lent %d times for two bursts", l.lent)
	}
}
