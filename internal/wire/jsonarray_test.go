package wire

import (
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

// An array is read element by element, however it is cut.
func TestJSONArray(t *testing.T) {
	for _, c := range []struct {
		in   string
		want []string
	}{
		{`[]`, nil},
		{" [ {\"a\":\"]}\\\"\"} \r\n,\r\n {\"b\":[1,{}]}\n]\n", []string{`{"a":"]}\""}`, `{"b":[1,{}]}`}},
		{`{"error":{"code":503}}`, []string{`{"error":{"code":503}}`}},
		{`[1,"x",true]`, []string{`1`, `"x"`, `true`}},
		{`[{"a":1},{"b":`, []string{`{"a":1}`, `{"b":`}},
		{`[1]],{}`, []string{`1`, `]`, `,{}`}}, // no JSON, but it has an end
		{`[{}}]`, []string{`{}`, `}`}},
	} {
		for how, r := range map[string]io.Reader{
			"at once": strings.NewReader(c.in), "byte by byte": iotest.OneByteReader(strings.NewReader(c.in)),
		} {
			a := NewJSONArray(r, 0)
			var got []string
			for {
				f, err := a.Next()
				if errors.Is(err, io.EOF) {
					break
				}
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, string(f.Data))
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("%s, %s: got %q", c.in, how, got)
			}
		}
	}
	var large *TooLargeError
	if _, err := NewJSONArray(strings.NewReader(`["`+strings.Repeat("x", 100)+`"]`), 50).Next(); !errors.As(err, &large) {
		t.Errorf("a large element: %v", err)
	}
}
