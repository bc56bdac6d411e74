package scritest

import (
	"fmt"
	"strings"
	"unicode/utf16"

	"pgregory.net/rapid"

	"github.com/aratta-gateway/aratta/scri"
)

var phrases = []string{
	"Hello", "What is the weather in Zürich?", "line one\nline two\r\n\tindented", `she said "no"`,
	`C:\temp\new`, "日本語のテキスト", "👩‍👩‍👧 family", "e\u0301 combining", "سلام", "\u2028\u2029 separators",
	"<b>&amp;</b>", "{\"json\": [1, 2]}", "```go\nfunc main() {}\n```", "\x00\x1f\x7f", "…", " ", "\ufeff", "null", "0",
	"mail bob@example.org or call +41 44 123 45 67", "a/b~c", "data: [DONE]",
}

// words draws a short text of realistic and of awkward pieces, never empty.
func words(t *rapid.T, label string) string {
	n := rapid.IntRange(1, 4).Draw(t, label+" pieces")
	list := make([]string, n)
	for i := range list {
		if rapid.IntRange(0, 5).Draw(t, label+" random") == 0 {
			list[i] = rapid.StringN(1, 12, 48).Draw(t, label)
			continue
		}
		list[i] = rapid.SampledFrom(phrases).Draw(t, label)
	}
	return strings.Join(list, " ")
}

// String draws a string that is never empty.
func String() *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string { return words(t, "string") })
}

// Text draws a text that is never empty, in any of the ways in which one is held.
func Text() *rapid.Generator[scri.Text] {
	return rapid.Custom(func(t *rapid.T) scri.Text { return textOf(t, words(t, "text")) })
}

// textOf holds s in any of the ways in which a text can be held.
func textOf(t *rapid.T, s string) scri.Text {
	switch rapid.IntRange(0, 3).Draw(t, "form") {
	case 0:
		return scri.NewText(s)
	case 1:
		return scri.PlainText([]byte(s))
	case 2:
		return scri.QuotedText(scri.NewText(s).AppendJSON(nil))
	default:
		return scri.QuotedText(escaped(t, s))
	}
}

// escaped quotes s with escapes where none are needed.
func escaped(t *rapid.T, s string) []byte {
	every := rapid.IntRange(1, 3).Draw(t, "escape every")
	upper := rapid.Bool().Draw(t, "upper case")
	b := []byte{'"'}
	n := 0
	for _, r := range s {
		n++
		if n%every != 0 {
			b = scri.NewText(string(r)).AppendJSONInner(b)
			continue
		}
		if r == '/' {
			b = append(b, `\/`...)
			continue
		}
		format := `\u%04x`
		if upper {
			format = `\u%04X`
		}
		if hi, lo := utf16.EncodeRune(r); hi != '\ufffd' {
			b = fmt.Appendf(b, format+format, hi, lo)
			continue
		}
		b = fmt.Appendf(b, format, r)
	}
	return append(b, '"')
}

// maybe draws a value half of the time, else the zero value.
func maybe[T any](t *rapid.T, label string, g func(*rapid.T) T) T {
	if rapid.Bool().Draw(t, label+"?") {
		return g(t)
	}
	var none T
	return none
}

// seldom draws a value now and then, else the zero value.
func seldom[T any](t *rapid.T, label string, g func(*rapid.T) T) T {
	if rapid.IntRange(0, 6).Draw(t, label+"?") == 3 {
		return g(t)
	}
	var none T
	return none
}

func ptr[T any](t *rapid.T, label string, g *rapid.Generator[T]) *T {
	return maybe(t, label, func(t *rapid.T) *T {
		v := g.Draw(t, label)
		return &v
	})
}

func pick(t *rapid.T, label string, from ...string) string {
	return rapid.SampledFrom(from).Draw(t, label)
}

// object draws a JSON object, spaced and ordered in any way.
func object(t *rapid.T) string {
	values := []string{`1`, `-0.5e10`, `true`, `null`, `"x\u0041\n"`, `[1, "two", {"three":3}]`, `{"a":{"b":[]}}`, `""`, `18446744073709551615`}
	var b strings.Builder
	b.WriteByte('{')
	for i := range rapid.IntRange(0, 3).Draw(t, "members") {
		if i > 0 {
			b.WriteString(pick(t, "comma", ",", ", ", " ,\n"))
		}
		fmt.Fprintf(&b, `"%s_%d":%s`, pick(t, "member", "city", "größe", "a b", "x~y/z"), i, pick(t, "value", values...))
	}
	b.WriteByte('}')
	return b.String()
}

func ext(t *rapid.T) *scri.Ext {
	return &scri.Ext{Dialect: dialect(t), Members: scri.RawJSON(fmt.Sprintf(`{"x_unknown":%s}`, object(t)))}
}

func dialect(t *rapid.T) string {
	return pick(t, "dialect", "openai", "anthropic", "ollama", "gemini")
}

func schema(t *rapid.T) scri.RawJSON {
	return scri.RawJSON(pick(t, "schema",
		`{"type":"object","properties":{"city":{"type":"string","description":"Name of the \"city\""}},"required":["city"]}`,
		`{ "type": "object", "properties": {}, "additionalProperties": false }`,
		`{"type":"object","properties":{"größe":{"type":["number","null"],"enum":[1,2.50,null],"default":null}}}`,
	))
}
