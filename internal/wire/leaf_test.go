package wire_test

import (
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/aratta-gateway/aratta/internal/wire"
)

func TestStrings(t *testing.T) {
	tests := []struct{ doc, want string }{
		{`""`, ""},
		{`"a"`, "a"},
		{`"\"\\\/\b\f\n\r\t"`, "\"\\/\b\f\n\r\t"},
		{`"\u0041\u00e9\u20AC"`, "Aé€"},
		{`"\ud83d\ude00!"`, "😀!"},
		{`"\ud83d"`, "\ufffd"},
		{`"\ude00\ud83d"`, "\ufffd\ufffd"},
		{`"\ud83d\u0041"`, "\ufffdA"},
		{`"\ud83d\ud83d\ude00"`, "\ufffd😀"},
		{`"\\\\"`, `\\`},
		{`"\\"`, `\`},
		{`"\\\""`, `\"`},
		{`"ends in a backslash \\"`, `ends in a backslash \`},
		{`"` + strings.Repeat(`x\n`, 50) + `"`, strings.Repeat("x\n", 50)},
		{`"` + strings.Repeat("x", 300) + `\t"`, strings.Repeat("x", 300) + "\t"},
		{`"Привет, мир"`, "Привет, мир"},
		{"\"\u2028\x7f\"", "\u2028\x7f"},
	}
	for _, tt := range tests {
		s := wire.NewScanner([]byte(tt.doc))
		if got := s.Unquoted(); got != tt.want || s.End() != nil {
			t.Errorf("Unquoted %s = %q, %v, want %q", tt.doc, got, s.Err(), tt.want)
		}
		s.Reset([]byte(" " + tt.doc + " "))
		if got := string(s.Str()); got != tt.doc || s.End() != nil {
			t.Errorf("Str %s = %s, %v", tt.doc, got, s.Err())
		}
		if got := wire.AppendUnquote([]byte("+"), []byte(tt.doc)); string(got) != "+"+tt.want {
			t.Errorf("AppendUnquote %s = %q, want %q", tt.doc, got, tt.want)
		}
	}
}

// AppendUnquote takes what is no JSON string as it stands.
func TestAppendUnquoteGarbage(t *testing.T) {
	for in, want := range map[string]string{
		``: ``, `"`: ``, `abc`: `abc`, `"abc`: `abc`, `"a\`: `a\`, `"a\"`: `a"`, `"\q\u12\n"`: `\q\u12` + "\n", `"a"b"`: `a"b"`,
	} {
		if got := string(wire.AppendUnquote(nil, []byte(in))); got != want {
			t.Errorf("AppendUnquote(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestInts(t *testing.T) {
	for doc, want := range map[string]int64{
		"0": 0, "-0": 0, "42": 42, "-7": -7, "1.0": 1, "1e3": 1000, "100.00": 100, "1.5e1": 15,
		"9223372036854775807": math.MaxInt64, "-9223372036854775808": math.MinInt64,
	} {
		s := wire.NewScanner([]byte(doc))
		if got := s.Int(); got != want || s.End() != nil {
			t.Errorf("Int %s = %d, %v", doc, got, s.Err())
		}
	}
	for doc, want := range map[string]string{
		"1.5":                  "at byte 0: want 64-bit integer, got number",
		"15259210161316577000": "at byte 0: want 64-bit integer, got number", // a seed seen in real traffic
		"1e400":                "at byte 0: want 64-bit integer, got number",
		` "1"`:                 "at byte 1: want number, got string",
		"null":                 "at byte 0: want number, got null",
	} {
		s := wire.NewScanner([]byte(doc))
		if got := s.Int(); got != 0 || s.Err() == nil || s.Err().Error() != "unexpected JSON value "+want {
			t.Errorf("Int %s = %d, %v, want %s", doc, got, s.Err(), want)
		}
	}
}

func TestFloats(t *testing.T) {
	for doc, want := range map[string]float64{"0": 0, "-1.5": -1.5, "1e-7": 1e-7, "1E+2": 100, "15259210161316577000": 15259210161316577000} {
		s := wire.NewScanner([]byte(doc))
		if got := s.Float(); got != want || s.End() != nil {
			t.Errorf("Float %s = %g, %v", doc, got, s.Err())
		}
	}
	for _, doc := range []string{"1e400", "true", "[]", "{}", "", "1.", "--1"} {
		s := wire.NewScanner([]byte(doc))
		if got := s.Float(); got != 0 || s.Err() == nil {
			t.Errorf("Float %s = %g, %v", doc, got, s.Err())
		}
	}
}

func TestBoolsAndNull(t *testing.T) {
	s := wire.NewScanner([]byte(`[true, false, null, 1, null]`))
	var got []bool
	for i := range s.Elements() {
		if i < 2 {
			got = append(got, s.Bool())
		} else {
			got = append(got, s.Null())
		}
	}
	if d := cmp.Diff([]bool{true, false, true, false, true}, got); d != "" || s.End() != nil {
		t.Error(d, s.Err())
	}
	s.Reset([]byte("1"))
	if s.Bool() || s.Err().Error() != "unexpected JSON value at byte 0: want bool, got number" {
		t.Error(s.Err())
	}
	for _, doc := range []string{"nil", "tru", "falsy", "n"} {
		s.Reset([]byte(doc))
		if s.Null() || s.Bool() || s.Err() == nil {
			t.Errorf("%s: %v", doc, s.Err())
		}
	}
}

func TestRawTokens(t *testing.T) {
	s := wire.NewScanner([]byte(` {"n": -1.50E+3 , "r": [ 1 , {"a" : "]"} ] ,"e":{},"f":[ ]} `))
	var got []string
	for name := range s.Members() {
		if name == "n" {
			got = append(got, string(s.Number()))
			continue
		}
		got = append(got, string(s.Member()))
	}
	want := []string{"-1.50E+3", `"r": [ 1 , {"a" : "]"} ]`, `"e":{}`, `"f":[ ]`}
	if d := cmp.Diff(want, got); d != "" || s.End() != nil {
		t.Error(d, s.Err())
	}
}

// What was returned cannot be appended to over the document.
func TestResultsAreClipped(t *testing.T) {
	doc := []byte(`{"a":"x","b":[1]}`)
	s := wire.NewScanner(doc)
	for name := range s.Members() {
		var b []byte
		if name == "a" {
			b = s.Str()
		} else {
			b = s.Member()
		}
		_ = append(b, '!')
	}
	if string(doc) != `{"a":"x","b":[1]}` {
		t.Errorf("document changed: %s", doc)
	}
}

func TestScannerAllocatesNothing(t *testing.T) {
	s := wire.NewScanner(nil)
	for _, doc := range [][]byte{[]byte(chunk), body(8<<10, proseText), body(8<<10, codeText)} {
		n := testing.AllocsPerRun(100, func() {
			s.Reset(doc)
			decode(s)
			if s.End() != nil {
				t.Fatal(s.Err())
			}
		})
		if n != 0 {
			t.Errorf("%v allocations for %.40s", n, doc)
		}
	}
}

// A Scanner for one use lies on the stack: it is made for many a value of a document.
func TestScannerForOneUseAllocatesNothing(t *testing.T) {
	doc := []byte(chunk)
	n := testing.AllocsPerRun(100, func() {
		var s wire.Scanner
		s.Reset(doc)
		for name := range s.Members() {
			if name == "choices" {
				for range s.Elements() {
					s.Peek("index")
				}
			}
		}
		if s.End() != nil {
			t.Fatal(s.Err())
		}
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
}
