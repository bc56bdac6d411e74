package wire_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/aratta-gateway/aratta/internal/wire"
)

// A decoder names the members it knows and carries the others along.
func ExampleScanner() {
	doc := []byte(`{"role": "user", "content": [{"text": "hi"}, 7], "x": {"y": [1]}}`)
	s := wire.NewScanner(doc)
	for name := range s.Members() {
		switch name {
		case "role":
			fmt.Println("role", s.Unquoted())
		case "content":
			for i := range s.Elements() {
				fmt.Println("part", i, s.Kind(), string(s.Peek("text")), string(s.Raw()))
			}
		default:
			fmt.Println("unknown", string(s.Member()))
		}
	}
	fmt.Println(s.End())
	// Output:
	// role user
	// part 0 object "hi" {"text": "hi"}
	// part 1 number  7
	// unknown "x": {"y": [1]}
	// <nil>
}

// An unknown shape is tried, given up and carried along instead.
func ExampleScanner_Rewind() {
	s := wire.NewScanner([]byte(`{"content": {"odd": 1}}`))
	for range s.Members() {
		m := s.Mark()
		if s.Unquoted(); s.Err() != nil {
			fmt.Println(s.Err())
			s.Rewind(m)
			fmt.Println("kept", string(s.Raw()))
		}
	}
	fmt.Println(s.End())
	// Output:
	// unexpected JSON value at byte 12 (/content): want string, got object
	// kept {"odd": 1}
	// <nil>
}

func TestKind(t *testing.T) {
	for doc, want := range map[string]wire.Kind{
		"": wire.Invalid, " ": wire.Invalid, "}": wire.Invalid, ",": wire.Invalid, "x": wire.Invalid, "+1": wire.Invalid,
		"null": wire.Null, " true": wire.Bool, "\t\r\nfalse": wire.Bool, "-1": wire.Number, "0": wire.Number, "9": wire.Number,
		`""`: wire.String, "[]": wire.Array, "{}": wire.Object,
	} {
		if got := wire.NewScanner([]byte(doc)).Kind(); got != want {
			t.Errorf("Kind of %q = %v, want %v", doc, got, want)
		}
	}
}

// What every consumer of a whole value refuses, with the place and the reason.
func TestSyntaxErrors(t *testing.T) {
	deep := strings.Repeat("[", 128) + strings.Repeat("]", 128)
	tests := []struct{ doc, want string }{
		{``, "at byte 0: unexpected end of document"},
		{`  `, "at byte 2: unexpected end of document"},
		{`{`, "at byte 1: unexpected end of document"},
		{`{"a"`, "at byte 4: unexpected end of document"},
		{`{"a":`, "at byte 5: unexpected end of document"},
		{`{"a":1`, "at byte 6: unexpected end of document"},
		{`{"a":1,`, "at byte 7: unexpected end of document"},
		{`{"a":1,}`, "at byte 7: unexpected '}' where a name should begin"},
		{`{,}`, "at byte 1: unexpected ',' where a name should begin"},
		{`{"a" 1}`, "at byte 5: unexpected '1' after a name"},
		{`{"a":1 "b":2}`, "at byte 7: unexpected '\"' after a value"},
		{`{"a":1]`, "at byte 6: unexpected ']' after a value"},
		{`{a:1}`, "at byte 1: unexpected 'a' where a name should begin"},
		{`[1,]`, "at byte 3: unexpected ']' where a value should begin"},
		{`[1 2]`, "at byte 3: unexpected '2' after a value"},
		{`[1}`, "at byte 2: unexpected '}' after a value"},
		{`[`, "at byte 1: unexpected end of document"},
		{`]`, "at byte 0: unexpected ']' where a value should begin"},
		{`1 2`, "at byte 2: unexpected '2' after the top-level value"},
		{`{}}`, "at byte 2: unexpected '}' after the top-level value"},
		{`nul`, "at byte 0: invalid literal, want null"},
		{`truf`, "at byte 0: invalid literal, want true"},
		{`nulls`, "at byte 4: unexpected 's' after the top-level value"},
		{`01`, "at byte 1: unexpected '1' in a number"},
		{`-`, "at byte 1: unexpected end of document"},
		{`-a`, "at byte 1: unexpected 'a' in a number"},
		{`1.`, "at byte 2: unexpected end of document"},
		{`[1.]`, "at byte 3: unexpected ']' in a number"},
		{`[1e+]`, "at byte 4: unexpected ']' in a number"},
		{`.5`, "at byte 0: unexpected '.' where a value should begin"},
		{`+1`, "at byte 0: unexpected '+' where a value should begin"},
		{`NaN`, "at byte 0: unexpected 'N' where a value should begin"},
		{`'a'`, "at byte 0: unexpected ''' where a value should begin"},
		{`"a`, "at byte 0: string without end"},
		{`"a\"`, "at byte 0: string without end"},
		{`"a\\\"`, "at byte 0: string without end"},
		{`"\`, "at byte 1: invalid escape in string"},
		{`"\x41"`, "at byte 1: invalid escape in string"},
		{`"\'"`, "at byte 1: invalid escape in string"},
		{`"\u12g4"`, "at byte 1: invalid escape in string"},
		{`"\u12"`, "at byte 1: invalid escape in string"},
		{`"ok\n` + strings.Repeat("x", 40) + `\q"`, "at byte 45: invalid escape in string"},
		{"\"a\nb\"", "at byte 2: control character in string"},
		{"\"0123456789012345\x00\"", "at byte 17: control character in string"},
		{"{\"a\tb\":1}", "at byte 3: control character in string"},
		{"[1,\x01]", "at byte 3: unexpected byte 0x01 where a value should begin"},
		{"\xef\xbb\xbf{}", "at byte 0: unexpected byte 0xef where a value should begin"},
		{"\"\xff\"", "at byte 1: invalid UTF-8"},
		{"\"abcdefgh абв\xd0\"", "at byte 16: invalid UTF-8"},
		{"\"\xed\xa0\x80\"", "at byte 1: invalid UTF-8"},                          // half a surrogate pair
		{"\"" + "\xc1\xbf\xc1\xbf\xc1\xbf\xc1\xbf\"", "at byte 1: invalid UTF-8"}, // overlong
		{"[" + deep + "]", "at byte 128: nested deeper than 128 levels"},
		{strings.Repeat(`{"a":`, 129), "at byte 640: nested deeper than 128 levels"},
	}
	for _, tt := range tests {
		s := wire.NewScanner([]byte(tt.doc))
		s.Skip()
		err := s.End()
		var syntax *wire.SyntaxError
		if !errors.As(err, &syntax) || err.Error() != "invalid JSON "+tt.want {
			t.Errorf("%.40q: error %v, want %s", tt.doc, err, tt.want)
		}
		if wire.Valid([]byte(tt.doc)) == nil {
			t.Errorf("%.40q: Valid accepts it", tt.doc)
		}
	}
	if err := wire.Valid([]byte(deep)); err != nil {
		t.Errorf("128 levels: %v", err)
	}
}

func TestRepeatedNames(t *testing.T) {
	many := func(last string) string {
		var b strings.Builder
		for i := range 100 {
			fmt.Fprintf(&b, `"name%d":%d,`, i, i)
		}
		return "{" + b.String() + last + ":0}"
	}
	deep := func(last string) string { // in objects of three names, more than a Scanner has room for at first
		const around = `{"a":0,"b":0,"c":`
		return strings.Repeat(around, 40) + `{"a":1,"b":2,` + last + `:3}` + strings.Repeat("}", 40)
	}
	tests := []struct {
		doc     string
		pointer string
		ok      bool
	}{
		{`{"a":1,"b":2,"A":3}`, "", true},
		{`{"a":1,"b":2,"a":3}`, "/a", false},
		{`{"a":1,"\u0061":2}`, "/a", false},
		{`{"\u0061bcdefghijk":1,"abcdefghij\u006b":2}`, "/abcdefghijk", false},
		{`{"a":1,"a\u0000":2}`, "", true},
		{`{"abcdefgh":1,"abcdefgi":2,"abcdefg":3}`, "", true},
		{`{"":1,"":2}`, "/", false},
		{`{"a":{"a":{"a":1}}}`, "", true},
		{`{"x":[0,{"b/~":{"c":1,"c":1}}]}`, "/x/1/b~1~0/c", false},
		{many(`"name100"`), "", true},
		{many(`"name5"`), "/name5", false},
		{many(`"name9\u0039"`), "/name99", false},
		{deep(`"c"`), "", true},
		{deep(`"a"`), strings.Repeat("/c", 40) + "/a", false},
	}
	for _, tt := range tests {
		err := wire.Valid([]byte(tt.doc))
		if tt.ok {
			if err != nil {
				t.Errorf("%.40s: %v", tt.doc, err)
			}
			continue
		}
		var syntax *wire.SyntaxError
		if !errors.As(err, &syntax) || syntax.Pointer != tt.pointer || syntax.Msg != "repeated name in object" {
			t.Errorf("%.40s: %v, want a repeated name at %s", tt.doc, err, tt.pointer)
		}
		s := wire.NewScanner([]byte(tt.doc))
		if s.Skip(); s.End() != nil {
			t.Errorf("%.40s: Skip looks for repeated names: %v", tt.doc, s.Err())
		}
	}
}

// Whatever the body of a loop does, the walk goes on behind the value.
func TestLoopsStayConsistent(t *testing.T) {
	doc := `{"a": {"x": [1, {"y": 2}, 3], "z": "\"}"}, "b": [[1], [2]], "c": 9}`
	bodies := map[string]func(s *wire.Scanner){
		"nothing":      func(*wire.Scanner) {},
		"skip":         func(s *wire.Scanner) { s.Skip() },
		"kind":         func(s *wire.Scanner) { s.Kind() },
		"peek":         func(s *wire.Scanner) { s.Peek("z"); s.Peek("none") },
		"break":        func(s *wire.Scanner) { enter(s, func() bool { return false }) },
		"walk":         func(s *wire.Scanner) { enter(s, func() bool { return true }) },
		"consume once": func(s *wire.Scanner) { enter(s, func() bool { s.Raw(); return false }) },
		"deep break": func(s *wire.Scanner) {
			enter(s, func() bool { enter(s, func() bool { return false }); return true })
		},
		"rewind": func(s *wire.Scanner) {
			m := s.Mark()
			enter(s, func() bool { s.Fail("no"); return true })
			s.Rewind(m)
		},
		"rewind and take": func(s *wire.Scanner) {
			m := s.Mark()
			enter(s, func() bool { enter(s, func() bool { return true }); s.Fail("no"); return true })
			s.Rewind(m)
			s.Raw()
		},
	}
	for name, body := range bodies {
		t.Run(name, func(t *testing.T) {
			s := wire.NewScanner([]byte(doc))
			var names []string
			for name := range s.Members() {
				names = append(names, name)
				if p := s.Pointer(); p != "/"+name {
					t.Errorf("pointer %q at %s", p, name)
				}
				body(s)
			}
			if err := s.End(); err != nil {
				t.Error(err)
			}
			if d := cmp.Diff([]string{"a", "b", "c"}, names); d != "" {
				t.Error(d)
			}
			if p := s.Pointer(); p != "" {
				t.Errorf("pointer %q after the end", p)
			}
		})
	}
}

// enter loops over what is next, if that has an inside.
func enter(s *wire.Scanner, body func() bool) {
	switch s.Kind() {
	case wire.Object:
		for range s.Members() {
			if !body() {
				break
			}
		}
	case wire.Array:
		for range s.Elements() {
			if !body() {
				break
			}
		}
	default:
	}
}

// After an error loops end, getters return zero values, the first error stays.
func TestErrorsAreSticky(t *testing.T) {
	s := wire.NewScanner([]byte(`{"a":[1,"x",3],"b":2}`))
	turns := 0
	for range s.Members() {
		for range s.Elements() {
			turns++
			s.Int()
		}
	}
	if turns != 2 {
		t.Errorf("%d turns, want the loops to end at the second element", turns)
	}
	want := "unexpected JSON value at byte 8 (/a/1): want number, got string"
	if s.Err() == nil || s.Err().Error() != want {
		t.Fatalf("error %v, want %s", s.Err(), want)
	}
	s.Fail("another")
	zero := s.Kind() == wire.Invalid && s.Raw() == nil && s.Str() == nil && s.Unquoted() == "" && s.Int() == 0 &&
		s.Float() == 0 && !s.Bool() && !s.Null() && s.Number() == nil && s.Peek("a") == nil && s.Member() == nil
	for range s.Members() {
		zero = false
	}
	for range s.Elements() {
		zero = false
	}
	if !zero || s.End().Error() != want {
		t.Errorf("something goes on after the error; %v", s.End())
	}
	s.Reset([]byte(`7`))
	if s.Int() != 7 || s.End() != nil {
		t.Errorf("after Reset: %v", s.Err())
	}
}

func TestMark(t *testing.T) {
	s := wire.NewScanner([]byte(`[{"a":1,"a":2}, 5]`))
	for i := range s.Elements() {
		if i == 1 {
			break
		}
		m := s.Mark()
		for range s.Members() {
		}
		if s.Err() == nil {
			t.Fatal("repeated name not found")
		}
		s.Rewind(m)
		if got := string(s.Raw()); got != `{"a":1,"a":2}` || s.Err() != nil {
			t.Fatalf("Raw after Rewind = %s, %v", got, s.Err())
		}
	}
	if err := s.End(); err != nil {
		t.Fatal(err)
	}
	s = wire.NewScanner([]byte("\"\xff\""))
	m := s.Mark()
	s.Skip()
	if s.Rewind(m); s.Err() == nil {
		t.Error("Rewind cleared an error from before the mark")
	}
}

func TestMemberOutsideObject(t *testing.T) {
	for _, doc := range []string{`1`, `[1]`} {
		s := wire.NewScanner([]byte(doc))
		enter(s, func() bool { s.Member(); return true })
		s.Member()
		if s.Err() == nil {
			t.Errorf("Member in %s: no error", doc)
		}
	}
}

func TestPeek(t *testing.T) {
	tests := []struct{ doc, name, want string }{
		{`{"type":"text","n":1}`, "type", `"text"`},
		{`{ "n" : {"type":2} , "type" : [ 1 ] }`, "type", `[ 1 ]`},
		{`{"ty\u0070e":true}`, "type", `true`},
		{`{"n":1}`, "type", ``},
		{`{}`, "type", ``},
		{`["type"]`, "type", ``},
		{`{"n":1,"type":}`, "type", ``},
		{`{"n":[},"type":1}`, "type", ``},
		{`{"type"`, "type", ``},
		{``, "type", ``},
	}
	for _, tt := range tests {
		s := wire.NewScanner([]byte(tt.doc))
		if got := string(s.Peek(tt.name)); got != tt.want || s.Err() != nil {
			t.Errorf("Peek in %s = %s (%v), want %s", tt.doc, got, s.Err(), tt.want)
		}
		if got := string(s.Raw()); s.Err() == nil && got != tt.doc {
			t.Errorf("Peek in %s consumed something: %s is left", tt.doc, got)
		}
	}
}

// The elements of all arrays together are bounded, what is jumped over is not.
func TestMaxElements(t *testing.T) {
	doc := []byte("[[" + strings.Repeat("0,", wire.MaxElements-2) + "0],0]") // two outside
	for _, c := range []struct {
		name string
		doc  []byte
		ok   bool
	}{
		{"one too many", doc, false},
		{"as many as may be", []byte("[" + strings.Repeat("0,", wire.MaxElements-1) + "0]"), true},
	} {
		s := wire.NewScanner(c.doc)
		for range s.Elements() {
			if s.Kind() == wire.Array {
				for range s.Elements() {
					s.Skip()
				}
			}
		}
		if err := s.End(); (err == nil) != c.ok {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	s := wire.NewScanner(doc)
	s.Skip()
	if err := s.End(); err != nil {
		t.Errorf("jumped over: %v", err)
	}
}

// A name of any length leaves a pointer that can be shown.
func TestLongNames(t *testing.T) {
	for _, c := range []struct{ name, shows string }{
		{strings.Repeat("x", 255), strings.Repeat("x", 255)},
		{strings.Repeat("x", 256), strings.Repeat("x", 256) + "…"},
		{strings.Repeat("x", 1<<20), strings.Repeat("x", 256) + "…"},
		{"x" + strings.Repeat("ё", 1<<10), "x" + strings.Repeat("ё", 127) + "…"},
		{strings.Repeat(`\n`, 1<<10), strings.Repeat("\n", 128) + "…"},
		{"x" + strings.Repeat(`\n`, 1<<10), "x" + strings.Repeat("\n", 127) + `\…`},
	} {
		s := wire.NewScanner([]byte(`{"a":{"` + c.name + `":1}}`))
		for range s.Members() {
			for range s.Members() {
				s.Bool()
			}
		}
		var e *wire.TypeError
		if !errors.As(s.Err(), &e) || e.Pointer != "/a/"+c.shows {
			t.Errorf("%.300s, want /a/%.300s", s.Err(), c.shows)
		}
	}
}

func TestPair(t *testing.T) {
	for _, tc := range []struct {
		in   string
		a, b string // quoted, "" = it is none
	}{
		{`{"role":"user","content":"Hi"}`, `"user"`, `"Hi"`},
		{" {\n\"role\" : \"user\" , \"content\" : \"a \\\"b\\\" c\" } ", `"user"`, `"a \"b\" c"`},
		{`{"role":"","content":""}`, `""`, `""`},
		{`{"content":"Hi","role":"user"}`, "", ""},
		{`{"role":"user","content":"Hi","name":"x"}`, "", ""},
		{`{"role":"user","content":["Hi"]}`, "", ""},
		{`{"role":"user"}`, "", ""},
		{`{"role":"user","content":null}`, "", ""},
		{`{"role":"user","content":"H` + "\x01" + `i"}`, "", ""},
		{`{"role":"user","content":"Hi`, "", ""},
		{`{"role":"user","content":"Hi"`, "", ""},
		{`{"r\u006fle":"user","content":"Hi"}`, "", ""},
		{`["role"]`, "", ""},
		{`{}`, "", ""},
		{``, "", ""},
	} {
		for _, doc := range []string{tc.in, tc.in + strings.Repeat(" ", 2<<10)} { // a large one is marked
			s := wire.NewScanner([]byte(doc))
			before := s.Err()
			a, b, ok := s.Pair("role", "content")
			if ok != (tc.a != "") || string(a) != tc.a || tc.a != "" && string(b) != tc.b {
				t.Errorf("Pair of %q = %s, %s, %v", tc.in, a, b, ok)
			}
			if (s.Err() == nil) != (before == nil) {
				t.Errorf("Pair of %q left an error: %v", tc.in, s.Err())
			}
			if ok {
				if err := s.End(); err != nil {
					t.Errorf("behind %q: %v", tc.in, err)
				}
				continue
			}
			whole := wire.NewScanner([]byte(doc))
			if got, want := string(s.Raw()), string(whole.Raw()); got != want {
				t.Errorf("after Pair of %q the value is %q, want %q", tc.in, got, want)
			}
		}
	}
}
