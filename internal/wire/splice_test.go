package wire_test

import (
	"bytes"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/aratta-gateway/aratta/internal/wire"
)

// What a client wrote as we do stays in one piece, however many strings it is.
func TestSplice(t *testing.T) {
	long := `"` + strings.Repeat("x", 2000) + `"`
	src := []byte(`{"model":"a","list":[{"t":` + long + `},{"t":"short"},{"t":` + long + `},{"t": ` + long + `}]}`)
	var w wire.Writer
	w.Splice(src, 0)
	w.BeginObject()
	w.Key("model")
	w.Str("another")
	w.Key("list")
	w.BeginArray()
	s := wire.NewScanner(src)
	for name := range s.Members() {
		if name != "list" {
			continue
		}
		for range s.Elements() {
			for range s.Members() {
				w.BeginObject()
				w.Key("t")
				w.Quoted(s.Str())
				w.EndObject()
			}
		}
	}
	w.EndArray()
	w.EndObject()
	if s.Err() != nil {
		t.Fatal(s.Err())
	}
	want := `{"model":"another","list":[{"t":` + long + `},{"t":"short"},{"t":` + long + `},{"t":` + long + `}]}`
	pieces := w.Pieces()
	if got := string(bytes.Join(pieces, nil)); got != want {
		t.Errorf("%s", got)
	}
	// What is before the first string, it and all up to the second long one, the
	// third, which has white space before it, and what is between and after these.
	if len(pieces) != 5 || len(pieces[1]) < 2*len(long) {
		t.Errorf("%d pieces", len(pieces))
	}
}

// Pieces or not, strings of the source or of others: it is the same document.
func TestSpliceAnything(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		words := rapid.SliceOfN(rapid.StringMatching(`[a-z]{0,12}`), 1, 8).Draw(t, "words")
		var src []byte
		var quoted [][]byte
		for _, word := range words {
			src = append(src, rapid.SampledFrom([]string{",", ", ", "{", `:`, ""}).Draw(t, "glue")...)
			at := len(src)
			src = append(append(append(src, '"'), word...), '"')
			quoted = append(quoted, []byte{byte(at), byte(len(src))})
		}
		for i, q := range quoted {
			quoted[i] = src[q[0]:q[1]]
		}
		quoted = append(quoted, []byte(`"elsewhere"`))
		var one, several wire.Writer
		several.Splice(src, rapid.IntRange(1, 8).Draw(t, "least"))
		for range rapid.IntRange(0, 12).Draw(t, "strings") {
			q := quoted[rapid.IntRange(0, len(quoted)-1).Draw(t, "which")]
			for _, w := range []*wire.Writer{&one, &several} {
				w.Quoted(q)
			}
		}
		got := several.B
		if p := several.Pieces(); p != nil {
			got = bytes.Join(p, nil)
		}
		if !bytes.Equal(got, one.B) {
			t.Errorf("%s, want %s", got, one.B)
		}
	})
}
