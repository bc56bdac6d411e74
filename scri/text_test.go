package scri

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

func TestText(t *testing.T) {
	tests := []struct {
		name  string
		text  Text
		want  string
		json  string
		size  int
		empty bool
	}{
		{name: "zero", text: Text{}, json: `""`, empty: true},
		{name: "plain", text: NewText("a\n\"b\"\\ é 😀"), want: "a\n\"b\"\\ é 😀", json: `"a\n\"b\"\\ é 😀"`, size: 14},
		{name: "plain bytes", text: PlainText([]byte("a<b")), want: "a<b", json: `"a<b"`, size: 3},
		{name: "plain controls", text: NewText("\x00\b\f\t\r\x1f\x7f"), want: "\x00\b\f\t\r\x1f\x7f", json: `"\u0000\b\f\t\r\u001f` + "\x7f" + `"`, size: 7},
		{name: "plain ill-formed", text: NewText("a\xffb\xe2\x82"), want: "a\xffb\xe2\x82", json: `"a` + "\ufffd" + "b\ufffd" + `"`, size: 5},
		{name: "quoted empty", text: QuotedText([]byte(`""`)), json: `""`, empty: true},
		{name: "quoted without escapes", text: QuotedText([]byte(`"héllo"`)), want: "héllo", json: `"héllo"`, size: 6},
		{name: "quoted", text: QuotedText([]byte(`"\u0041\/\n\"\\\b\f\r\t"`)), want: "A/\n\"\\\b\f\r\t", json: `"\u0041\/\n\"\\\b\f\r\t"`, size: 22},
		{name: "quoted pair", text: QuotedText([]byte(`"\ud83D\uDe00!"`)), want: "😀!", json: `"\ud83D\uDe00!"`, size: 13},
		{name: "quoted high half alone", text: QuotedText([]byte(`"\ud83d!"`)), want: "\ufffd!", json: `"\ud83d!"`, size: 7},
		{name: "quoted low half alone", text: QuotedText([]byte(`"\ude00"`)), want: "\ufffd", json: `"\ude00"`, size: 6},
		{name: "quoted two high halves", text: QuotedText([]byte(`"\ud83d\ud83d\ude00"`)), want: "\ufffd😀", json: `"\ud83d\ud83d\ude00"`, size: 18},
		{name: "quoted no escape of JSON", text: QuotedText([]byte(`"\x\u12g4\u1"`)), want: `\x\u12g4\u1`, json: `"\x\u12g4\u1"`, size: 11},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.text.String(); got != tt.want {
				t.Errorf("String = %q, want %q", got, tt.want)
			}
			if got := string(tt.text.AppendText([]byte("> "))); got != "> "+tt.want {
				t.Errorf("AppendText = %q", got)
			}
			if got := string(tt.text.AppendJSON(nil)); got != tt.json {
				t.Errorf("AppendJSON = %s, want %s", got, tt.json)
			}
			if got := `"` + string(tt.text.AppendJSONInner(nil)) + `"`; got != tt.json {
				t.Errorf("AppendJSONInner = %s, want %s", got, tt.json)
			}
			if tt.text.Size() != tt.size || tt.text.IsZero() != tt.empty {
				t.Errorf("Size, IsZero = %d, %v", tt.text.Size(), tt.text.IsZero())
			}
			if c := tt.text.Clone(); !c.Equal(tt.text) || !c.Equal(NewText(tt.want)) || c.Equal(NewText("other")) {
				t.Error("a clone differs")
			}
		})
	}
}

func TestTextUnmarshal(t *testing.T) {
	tests := []struct{ in, want, err string }{
		{in: `"a\u0041"`, want: "aA"},
		{in: `null`},
		{in: "\"a\xff\"", want: "a\ufffd"},
		{in: `1`, err: "json: cannot unmarshal"},
		{in: `{}`, err: "json: cannot unmarshal"},
	}
	for _, tt := range tests {
		var got Text
		err := json.Unmarshal([]byte(tt.in), &got)
		if tt.err == "" && err != nil || tt.err != "" && (err == nil || !strings.HasPrefix(err.Error(), tt.err)) {
			t.Errorf("%s: error %v, want %q", tt.in, err, tt.err)
		}
		if got.String() != tt.want {
			t.Errorf("%s: %q, want %q", tt.in, got.String(), tt.want)
		}
	}
}

// FuzzText holds the text's own escaping against jsontext.
func FuzzText(f *testing.F) {
	for _, s := range []string{"", "plain", "a\"b\\c\nd\x00", "é😀\u2028", "\xff\xc3", `\ud83d\ude00`, `\ud83d`, strings.Repeat("x", 31) + "\x7f\x1f"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		valid := strings.ToValidUTF8(s, "\ufffd")
		want, err := jsontext.AppendQuote(nil, valid)
		if err != nil {
			t.Fatal(err)
		}
		quoted := NewText(s).AppendJSON(nil)
		if string(quoted) != string(want) {
			t.Fatalf("AppendJSON(%q) = %s, want %s", s, quoted, want)
		}
		back := QuotedText(quoted)
		if back.String() != valid || string(back.AppendJSON(nil)) != string(quoted) || !back.Equal(NewText(valid)) {
			t.Fatalf("%q came back as %q", valid, back.String())
		}
		// s as the inside of a JSON string, where it is one.
		in := `"` + s + `"`
		plain, err := jsontext.AppendUnquote(nil, in)
		if err == nil && QuotedText([]byte(in)).String() != string(plain) {
			t.Fatalf("QuotedText(%s) = %q, want %q", in, QuotedText([]byte(in)).String(), plain)
		}
		if utf8.ValidString(s) && !utf8.ValidString(QuotedText([]byte(in)).String()) {
			t.Fatalf("%q: ill-formed", in)
		}
	})
}

func BenchmarkText(b *testing.B) {
	line := "func main() {\tfmt.Println(\"hello, wörld\") }\n"
	code := strings.Repeat(line, 1<<20/len(line))
	ascii := strings.Repeat("no escape in here. ", 1<<20/19)
	quoted := QuotedText(NewText(code).AppendJSON(nil))
	buf := make([]byte, 0, 4<<20)
	run := func(name string, f func()) {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(1 << 20)
			b.ReportAllocs()
			for b.Loop() {
				f()
			}
		})
	}
	run("escape plain", func() { buf = NewText(ascii).AppendJSON(buf[:0]) })
	run("escape code", func() { buf = NewText(code).AppendJSON(buf[:0]) })
	run("unescape code", func() { buf = quoted.AppendText(buf[:0]) })
	run("copy quoted", func() { buf = quoted.AppendJSON(buf[:0]) })
	run("jsontext escape code", func() { buf, _ = jsontext.AppendQuote(buf[:0], code) })
	run("jsontext unescape code", func() { buf, _ = jsontext.AppendUnquote(buf[:0], quoted.AppendJSON(nil)) })
}
