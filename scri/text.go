package scri

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"unicode/utf8"
	"unsafe"
)

// RawJSON is one JSON value, verbatim. Nil means absent. Its bytes are shared
// and must not be changed.
type RawJSON []byte

// MarshalJSON returns the value as it stands, or null when absent.
func (r RawJSON) MarshalJSON() ([]byte, error) {
	if len(r) == 0 {
		return []byte("null"), nil
	}
	return r, nil
}

// UnmarshalJSON keeps a copy of the value.
func (r *RawJSON) UnmarshalJSON(b []byte) error {
	*r = bytes.Clone(b)
	return nil
}

// Equal reports whether both hold the same bytes.
func (r RawJSON) Equal(o RawJSON) bool { return bytes.Equal(r, o) }

type textForm uint8

const (
	formPlain   textForm = iota // s is the text
	formQuoted                  // s is a JSON string with its quotes, escapes inside
	formLiteral                 // s is a JSON string with its quotes and no escape: the text is s less its ends
)

// Text is an immutable text: a Go string, or the quoted JSON string it came as.
// A quoted one is unescaped only when somebody reads it, and is written to any
// dialect as it stands. The zero Text is empty.
type Text struct {
	s    string
	form textForm
}

// NewText returns the text s.
func NewText(s string) Text { return Text{s: s} }

// PlainText returns the text whose UTF-8 bytes are b. It does not copy: b must
// not change while the Text is in use.
func PlainText(b []byte) Text { return Text{s: alias(b)} }

// QuotedText returns the text of the JSON string q, quotes included. q must be
// a valid JSON string in valid UTF-8. It does not copy: q must not change while
// the Text is in use.
func QuotedText(q []byte) Text {
	if len(q) <= 2 {
		return Text{}
	}
	if bytes.IndexByte(q, '\\') < 0 {
		return Text{s: alias(q), form: formLiteral}
	}
	return Text{s: alias(q), form: formQuoted}
}

func alias(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// String returns the text itself, unescaped; an escaped half of a surrogate pair
// is U+FFFD. It allocates only where there are escapes to resolve.
func (t Text) String() string {
	switch t.form {
	case formLiteral:
		return t.s[1 : len(t.s)-1]
	case formQuoted:
		return alias(t.AppendText(make([]byte, 0, len(t.s)-2)))
	default:
		return t.s
	}
}

// IsZero reports whether the text is empty.
func (t Text) IsZero() bool { return t.s == "" }

// Size is the number of bytes the text occupies as it is held, which is its
// length in UTF-8 or, with escapes, a little more. It costs nothing.
func (t Text) Size() int {
	if t.form != formPlain {
		return len(t.s) - 2
	}
	return len(t.s)
}

// AppendText appends the unescaped text to b.
func (t Text) AppendText(b []byte) []byte {
	switch t.form {
	case formLiteral:
		return append(b, t.s[1:len(t.s)-1]...)
	case formQuoted:
		return appendUnescaped(b, t.s[1:len(t.s)-1])
	default:
		return append(b, t.s...)
	}
}

// AppendJSON appends the text to b as a JSON string with its quotes. One that
// came quoted is written as it came, else an ill-formed byte becomes U+FFFD.
func (t Text) AppendJSON(b []byte) []byte {
	if t.form != formPlain {
		return append(b, t.s...)
	}
	b = append(b, '"')
	b = appendEscaped(b, t.s)
	return append(b, '"')
}

// Quoted returns the JSON string that the text came as, quotes included, or nil
// if it did not come as one. It must not be changed.
func (t Text) Quoted() []byte {
	if t.form == formPlain {
		return nil
	}
	return unsafe.Slice(unsafe.StringData(t.s), len(t.s))
}

// AppendJSONInner is AppendJSON without the quotes, to build one JSON string
// from several texts.
func (t Text) AppendJSONInner(b []byte) []byte {
	if t.form != formPlain {
		return append(b, t.s[1:len(t.s)-1]...)
	}
	return appendEscaped(b, t.s)
}

// Clone returns a Text with bytes of its own.
func (t Text) Clone() Text { return Text{s: strings.Clone(t.s), form: t.form} }

// Equal reports whether both are the same text, however they are held.
func (t Text) Equal(o Text) bool {
	if t.form == o.form && t.s == o.s {
		return true
	}
	return t.String() == o.String()
}

// MarshalJSON returns the JSON string.
func (t Text) MarshalJSON() ([]byte, error) { return t.AppendJSON(nil), nil }

// UnmarshalJSON keeps a copy of the JSON string b.
func (t *Text) UnmarshalJSON(b []byte) error {
	if len(b) < 2 || b[0] != '"' {
		if string(b) == "null" {
			return nil
		}
		return &json.UnmarshalTypeError{Value: "non-string", Type: reflect.TypeFor[Text]()}
	}
	if !utf8.Valid(b) { // encoding/json lets it pass
		*t = QuotedText(bytes.ToValidUTF8(b, []byte("\ufffd")))
		return nil
	}
	*t = QuotedText(bytes.Clone(b))
	return nil
}
