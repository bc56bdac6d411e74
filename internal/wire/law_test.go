package wire_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/aratta-gateway/aratta/internal/wire"
)

// decodeAny walks a document to the value that encoding/json makes of it.
func decodeAny(s *wire.Scanner) any {
	switch s.Kind() {
	case wire.Null:
		s.Null()
		return nil
	case wire.Bool:
		return s.Bool()
	case wire.Number:
		return json.Number(s.Number())
	case wire.String:
		return s.Unquoted()
	case wire.Array:
		a := []any{}
		for range s.Elements() {
			a = append(a, decodeAny(s))
		}
		return a
	case wire.Object:
		o := map[string]any{}
		for name := range s.Members() {
			o[name] = decodeAny(s)
		}
		return o
	default:
		s.Skip()
		return nil
	}
}

// decodeStd is what decodeAny is compared with.
func decodeStd(doc []byte) (v any, err error) {
	d := json.NewDecoder(bytes.NewReader(doc))
	d.UseNumber()
	err = d.Decode(&v)
	return v, err
}

// grammatical and unique say whether a document is to be accepted, in the words
// of two other implementations.
func grammatical(doc []byte) bool {
	return json.Valid(doc) && utf8.Valid(doc) && depth(doc) <= wire.MaxDepth
}

func unique(doc []byte) bool {
	return jsontext.Value(doc).IsValid(jsontext.AllowInvalidUTF8(true)) // that is: half surrogates
}

// depth is the nesting of a sound document.
func depth(doc []byte) (deepest int) {
	now, str := 0, false
	for i := 0; i < len(doc); i++ {
		switch c := doc[i]; {
		case str && c == '\\':
			i++
		case c == '"':
			str = !str
		case str:
		case c == '[', c == '{':
			now++
			deepest = max(deepest, now)
		case c == ']', c == '}':
			now--
		}
	}
	return deepest
}

// checkDocument holds the laws of the scanner on any bytes at all.
func checkDocument(t interface{ Errorf(string, ...any) }, doc []byte) {
	before := bytes.Clone(doc)
	sound, strict := grammatical(doc), grammatical(doc) && unique(doc)
	s := wire.NewScanner(doc)
	raw := s.Raw()
	if err := s.End(); (err == nil) != sound {
		t.Errorf("%q: Raw: %v, encoding/json accepts: %v", doc, err, sound)
	}
	if sound && !bytes.Equal(raw, bytes.Trim(doc, " \t\r\n")) {
		t.Errorf("%q: Raw = %q", doc, raw)
	}
	if err := wire.Valid(doc); (err == nil) != strict {
		t.Errorf("%q: Valid: %v, jsontext accepts: %v", doc, err, strict)
	}
	s.Reset(doc)
	got := decodeAny(s)
	if err := s.End(); (err == nil) != strict {
		t.Errorf("%q: walk: %v, jsontext accepts: %v", doc, err, strict)
	}
	if strict {
		if want, err := decodeStd(doc); err != nil || !cmp.Equal(got, want) {
			t.Errorf("%q: walked to %#v, want %#v, %v", doc, got, want, err)
		}
	}
	small := wire.Compact(doc)
	if sound {
		var want bytes.Buffer
		if err := json.Compact(&want, doc); err != nil || !bytes.Equal(small, want.Bytes()) {
			t.Errorf("%q: Compact = %q", doc, small)
		}
	}
	if wire.Equal(doc, small) != strict || wire.Equal(doc, doc) != strict {
		t.Errorf("%q: is not Equal to itself or to %q", doc, small)
	}
	if !bytes.Equal(before, doc) {
		t.Errorf("%q was changed to %q", before, doc)
	}
}

// Documents of every shape, spelled in every way.
func documents() *rapid.Generator[string] {
	space := rapid.SampledFrom([]string{"", "", "", " ", "\n", "\t", "\r\n  "})
	number := rapid.OneOf(
		rapid.Custom(func(t *rapid.T) string { return fmt.Sprint(rapid.Int64().Draw(t, "int")) }),
		rapid.Custom(func(t *rapid.T) string {
			f, _ := json.Marshal(rapid.Float64Range(-1e300, 1e300).Draw(t, "float"))
			return string(f)
		}),
		rapid.StringMatching(`-?(0|[1-9][0-9]{0,25})(\.[0-9]{1,9})?([eE][+-]?[0-9]{1,3})?`),
	)
	word := rapid.OneOf(
		rapid.StringMatching(`[a-c]{0,2}`), // meets itself
		rapid.String(),
		rapid.StringMatching(`[ -~\n\t"\\]{0,80}`),
		rapid.StringMatching(`[а-яё ]{0,40}`),
	)
	str := rapid.Custom(func(t *rapid.T) string {
		return spell(word.Draw(t, "text"), rapid.SliceOfN(rapid.IntRange(0, 3), 1, 8).Draw(t, "spelling"))
	})
	var value func(deep int) *rapid.Generator[string]
	value = func(deep int) *rapid.Generator[string] {
		leaf := rapid.OneOf(str, number, rapid.SampledFrom([]string{"null", "true", "false"}))
		if deep == 0 {
			return leaf
		}
		list := func(begin, end string, one func(t *rapid.T) string) *rapid.Generator[string] {
			return rapid.Custom(func(t *rapid.T) string {
				var parts []string
				for range rapid.IntRange(0, 6).Draw(t, "n") {
					parts = append(parts, space.Draw(t, "ws")+one(t)+space.Draw(t, "ws"))
				}
				return begin + strings.Join(parts, ",") + end
			})
		}
		inner := value(deep - 1)
		return rapid.OneOf(
			leaf,
			list("[", "]", func(t *rapid.T) string { return inner.Draw(t, "element") }),
			list("{", "}", func(t *rapid.T) string {
				return str.Draw(t, "name") + space.Draw(t, "ws") + ":" + space.Draw(t, "ws") + inner.Draw(t, "value")
			}),
		)
	}
	return rapid.Custom(func(t *rapid.T) string {
		return space.Draw(t, "ws") + value(4).Draw(t, "document") + space.Draw(t, "ws")
	})
}

// spell quotes text with more escapes than it needs.
func spell(text string, how []int) string {
	b := []byte{'"'}
	i := 0
	for _, r := range text {
		h := how[i%len(how)]
		i++
		switch {
		case h == 0 && r < 0x10000:
			b = fmt.Appendf(b, `\u%04x`, r)
		case h == 1 && r < 0x10000:
			b = fmt.Appendf(b, `\u%04X`, r)
		case h == 1 && r == '/':
			b = append(b, `\/`...)
		default:
			q := wire.AppendQuote(nil, string(r))
			b = append(b, q[1:len(q)-1]...)
		}
	}
	return string(append(b, '"'))
}

func TestWalkIsEncodingJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		checkDocument(t, []byte(documents().Draw(t, "doc")))
	})
}

// A document that was damaged somewhere is refused by all or by none.
func TestDamagedDocuments(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		doc := []byte(documents().Draw(t, "doc"))
		at := rapid.IntRange(0, len(doc)-1).Draw(t, "at")
		with := []byte(rapid.SampledFrom([]string{"", "\"", "\\", ",", ":", "{", "}", "[", "]", "0", "-", "\n", "\x00", "\xff", "\xd0", "\\u12", "é", "a"}).Draw(t, "with"))
		keep := rapid.IntRange(0, 1).Draw(t, "keep")
		doc = slices.Concat(doc[:at], with, doc[at+keep:])
		checkDocument(t, doc)
	})
}

// However a walk wanders, it stays inside the document and says the same at its
// end as one that skips: nothing it does makes a sound document unsound.
func TestWandering(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		doc := []byte(documents().Draw(t, "doc"))
		s := wire.NewScanner(doc)
		turns := rapid.SliceOfN(rapid.IntRange(0, 9), 1, 20).Draw(t, "turns")
		wander(s, turns, 0)
		err := s.End()
		if err != nil && unique(doc) {
			t.Fatalf("%q: %v", doc, err)
		}
	})
}

// wander reads the next value in one of many ways and returns how many steps it
// took; it never reads a value as another kind than it is.
func wander(s *wire.Scanner, turns []int, n int) int {
	turn := turns[n%len(turns)]
	n++
	m := s.Mark()
	switch {
	case turn == 0:
		s.Skip()
	case turn == 1:
		s.Raw()
	case turn == 2:
		s.Fail("given up")
		s.Rewind(m)
		s.Raw()
	case turn == 3 && n > 1: // leaves it to the loop around it
	case s.Kind() == wire.Object:
		s.Peek("a")
		for range s.Members() {
			if n = wander(s, turns, n); turns[n%len(turns)] == 4 {
				break
			}
		}
		if turn == 5 {
			s.Rewind(m)
			s.Raw()
		}
	case s.Kind() == wire.Array:
		for range s.Elements() {
			if n = wander(s, turns, n); turns[n%len(turns)] == 4 {
				break
			}
		}
	default:
		decodeAny(s)
	}
	return n
}

func checkQuote(t interface{ Errorf(string, ...any) }, text string) {
	q := wire.AppendQuote(nil, text)
	var std string
	if err := json.Unmarshal(q, &std); err != nil || std != string([]rune(text)) {
		t.Errorf("AppendQuote(%q) = %s, which reads %q, %v", text, q, std, err)
	}
	if err := wire.Valid(q); err != nil {
		t.Errorf("AppendQuote(%q) = %s: %v", text, q, err)
	}
	if got := wire.AppendUnquote(nil, q); string(got) != std {
		t.Errorf("AppendUnquote(%s) = %q, want %q", q, got, std)
	}
	if bytes.ContainsAny(q, "\n\r") {
		t.Errorf("AppendQuote(%q) holds a line end", text)
	}
	// Any quoted string at all, and what is none, is read as encoding/json does.
	if own := []byte(text); json.Valid(own) && own[0] == '"' && own[len(own)-1] == '"' && utf8.Valid(own) {
		if err := json.Unmarshal(own, &std); err != nil || string(wire.AppendUnquote(nil, own)) != std {
			t.Errorf("AppendUnquote(%s) = %q, want %q", own, wire.AppendUnquote(nil, own), std)
		}
	} else {
		wire.AppendUnquote(nil, own)
	}
}

func TestQuoteIsEncodingJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.String(), rapid.Custom(func(t *rapid.T) string {
			return string(rapid.SliceOfN(rapid.SampledFrom([]byte("ab\"\\\n\x00 /u\xd0\xb0\xff\xf0\x9f\x98\x80")), 0, 60).Draw(t, "bytes"))
		})).Draw(t, "text")
		checkQuote(t, text)
		checkQuote(t, `"`+text+`"`)
	})
}

// The number encoding/json reads back is the number written.
func TestFloatsRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := rapid.Float64Range(-1e308, 1e308).Draw(t, "f")
		var w wire.Writer
		w.Float(f)
		want, _ := json.Marshal(f)
		if string(w.B) != string(want) {
			t.Fatalf("%s, want %s", w.B, want)
		}
	})
}

// chop reads data in pieces of the given sizes, over and over.
type chop struct {
	data  string
	sizes []int
	n     int
}

func (c *chop) Read(p []byte) (int, error) {
	if c.data == "" {
		return 0, io.EOF
	}
	n := min(len(p), len(c.data), max(c.sizes[c.n%len(c.sizes)], 1))
	c.n++
	copy(p, c.data[:n])
	c.data = c.data[n:]
	return n, nil
}

// Streams of lines that mean something and lines that do not.
func streams() *rapid.Generator[string] {
	line := rapid.OneOf(
		rapid.SampledFrom([]string{"", "", "", "data", "data:", "data: x", "event: e", "id: 1", "retry: 10", "retry: x", ":", ": c", "odd", "{", "\xef\xbb\xbfdata: y"}),
		rapid.StringMatching(`data: [ -~]{0,100}`),
		rapid.StringMatching(`[a-z: ]{0,10}`),
		rapid.Custom(func(t *rapid.T) string { return "data: " + strings.Repeat("ю", rapid.IntRange(0, 5000).Draw(t, "n")) }),
	)
	return rapid.Custom(func(t *rapid.T) string {
		var b strings.Builder
		for range rapid.IntRange(0, 30).Draw(t, "lines") {
			b.WriteString(line.Draw(t, "line"))
			b.WriteString(rapid.SampledFrom([]string{"\n", "\n", "\r\n", "\r", "\n\n", ""}).Draw(t, "end"))
		}
		return b.String()
	})
}

func TestSSEHoweverCut(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		checkSSE(t, streams().Draw(t, "stream"), rapid.SliceOfN(rapid.IntRange(1, 300), 1, 9).Draw(t, "sizes"), 0)
	})
}

func TestNDJSONHoweverCut(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		checkNDJSON(t, streams().Draw(t, "stream"), rapid.SliceOfN(rapid.IntRange(1, 300), 1, 9).Draw(t, "sizes"), 0)
	})
}
