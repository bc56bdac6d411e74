package wire

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

func TestLookTakesNothing(t *testing.T) {
	const text = " \n\ndata: a\n\ndata: b\n\n"
	for name, r := range map[string]io.Reader{
		"at once": strings.NewReader(text), "byte by byte": iotest.OneByteReader(strings.NewReader(text)),
	} {
		s := NewSSE(r, 0)
		head, err := s.Look(4)
		if len(head) < 4 || !strings.HasPrefix(text, string(head)) || err != nil && !errors.Is(err, io.EOF) {
			t.Fatalf("%s: %q, %v", name, head, err)
		}
		var got []string
		for {
			f, err := s.Next()
			if err != nil {
				break
			}
			got = append(got, string(f.Data))
		}
		if strings.Join(got, " ") != "a b" {
			t.Errorf("%s: %q", name, got)
		}
	}
	s := NewSSE(strings.NewReader("ab"), 0)
	if head, err := s.Look(5); string(head) != "ab" || !errors.Is(err, io.EOF) {
		t.Errorf("a short body: %q, %v", head, err)
	}
}
