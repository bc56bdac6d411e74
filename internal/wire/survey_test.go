package wire

import (
	"encoding/binary"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

// surveySlowly is survey, one character at a time.
func surveySlowly(doc []byte) (f findings) {
	for i := 0; i < len(doc); {
		r, n := utf8.DecodeRune(doc[i:])
		switch {
		case r == utf8.RuneError && n == 1:
			f.at, f.msg = i, "invalid UTF-8"
			return f
		case r < ' ':
			f.ctrl = true
		case r == '\\':
			f.escapes = true
			n = 2
			if i+1 == len(doc) || !strings.ContainsRune(`"\/bfnrtu`, rune(doc[i+1])) ||
				doc[i+1] == 'u' && (len(doc)-i < 6 || hex4(doc[i+2:i+6]) < 0) {
				f.at, f.msg = i, "invalid escape in string"
				return f
			}
		}
		i += n
	}
	return f
}

// Words, blocks and stretches make no difference to what is found.
func TestSurvey(t *testing.T) {
	piece := rapid.OneOf(
		rapid.SampledFrom([]string{`\n`, `\n`, `\t`, `\"`, `\\`, `\u00e9`, `\ud83d\ude00`, "a", " ", "ж", "жжжж", "€", "😀", ", ", `\r\n`}),
		rapid.StringMatching(`[ -\[\]-~]{0,70}`),
		rapid.Custom(func(t *rapid.T) string { return strings.Repeat("x", rapid.IntRange(0, 9000).Draw(t, "n")) }),
		rapid.Custom(func(t *rapid.T) string { return strings.Repeat(`\n`, rapid.IntRange(0, 90).Draw(t, "n")) }),
	)
	rare := rapid.SampledFrom([]string{"", "", "", "", "\n", "\x1f", "\x00", `\q`, `\u00g0`, `\`, "\xff", "\xd0", "\xc1\xbf", "\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80"})
	rapid.Check(t, func(t *rapid.T) {
		var b strings.Builder
		for range 3 {
			for range rapid.IntRange(0, 20).Draw(t, "pieces") {
				b.WriteString(piece.Draw(t, "piece"))
			}
			b.WriteString(rare.Draw(t, "rare"))
		}
		doc := []byte(b.String())
		if got, want := survey(doc), surveySlowly(doc); got != want {
			t.Fatalf("%q: %+v, want %+v", doc, got, want)
		}
	})
}

// Something odd at every place of a block full of escapes.
func TestSurveyBlocks(t *testing.T) {
	for _, odd := range []string{`\q`, `\ж`, `\😀`, "\\\x80", "\\\n", `\u12g4`, `\u00e9`, `\\`, `\\\"`, "ж", "\x1f", "\xff", "\xd0", "\x80"} {
		for at := range 100 {
			doc := []byte(strings.Repeat(`\n a`, 25)[:at] + "." + odd + strings.Repeat(`b\"`, 30))
			if got, want := survey(doc), surveySlowly(doc); got != want {
				t.Errorf("%q: %+v, want %+v", doc, got, want)
			}
		}
	}
}

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
