package wire_test

import (
	"encoding/json"
	"fmt"
	"math"
	"testing"

	"github.com/aratta-gateway/aratta/internal/wire"
)

func ExampleWriter() {
	var w wire.Writer
	w.BeginObject()
	w.Key("model")
	w.Str("m")
	w.Key("stop")
	w.BeginArray()
	w.Str("a")
	w.Str("{")
	w.EndArray()
	w.Key("n")
	w.Int(1)
	w.Key("opts")
	w.BeginObject()
	w.Members([]byte(` { "x" : 1 } `))
	w.Members([]byte(`{}`))
	w.Raw([]byte(`"y":2`))
	w.EndObject()
	w.Members(nil)
	w.EndObject()
	fmt.Println(string(w.B))
	// Output: {"model":"m","stop":["a","{"],"n":1,"opts":{"x" : 1,"y":2}}
}

func TestWriterCommas(t *testing.T) {
	w := wire.Writer{B: []byte("data: ")}
	w.BeginArray()
	w.Int(-1)
	w.Float(0.5)
	w.Bool(true)
	w.Null()
	w.Raw([]byte("7 \n"))
	w.Raw(nil)
	w.BeginArray()
	w.EndArray()
	w.BeginObject()
	w.EndObject()
	w.Comma()
	w.B = append(w.B, "[]"...)
	w.Str("")
	w.EndArray()
	if got, want := string(w.B), `data: [-1,0.5,true,null,7,null,[],{},[],""]`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestWriterFloat(t *testing.T) {
	for f, want := range map[float64]string{
		0: "0", 1: "1", -2.5: "-2.5", 1e20: "100000000000000000000", 1e21: "1e+21", 1e-6: "0.000001", 1e-7: "1e-7",
		math.Inf(1): "null", math.Inf(-1): "null", 0.1: "0.1", 1 << 53: "9007199254740992", math.MaxFloat64: "1.7976931348623157e+308",
	} {
		var w wire.Writer
		w.Float(f)
		if string(w.B) != want || wire.Valid(w.B) != nil {
			t.Errorf("Float(%g) = %s, want %s", f, w.B, want)
		}
	}
	w := wire.Writer{}
	if w.Float(math.NaN()); string(w.B) != "null" {
		t.Errorf("NaN = %s", w.B)
	}
}

func TestAppendQuote(t *testing.T) {
	for in, want := range map[string]string{
		"":                        `""`,
		"plain <b>&amp;</b>":      `"plain <b>&amp;</b>"`,
		"\"\\/\b\f\n\r\t\x01\x7f": `"\"\\/\b\f\n\r\t\u0001` + "\x7f\"",
		"Привет 😀 \u2028":         "\"Привет 😀 \u2028\"",
		"a\xffb\xc3":              "\"a\ufffdb\ufffd\"",
		"абв\"где\nжз":            `"абв\"где\nжз"`,
	} {
		if got := string(wire.AppendQuote([]byte("+"), in)); got != "+"+want {
			t.Errorf("AppendQuote(%q) = %s, want %s", in, got, want)
		}
		var back string
		if err := json.Unmarshal([]byte(want), &back); err != nil {
			t.Errorf("%s: %v", want, err)
		}
	}
}

func TestCompact(t *testing.T) {
	for in, want := range map[string]string{
		``: ``, `{"a":1}`: `{"a":1}`, " {\n\t\"a b\" : [ 1 , \"\\\" }\" ] } \r\n": `{"a b":[1,"\" }"]}`, `"x`: `"x`, ` "x`: `"x`,
	} {
		if got := string(wire.Compact([]byte(in))); got != want {
			t.Errorf("Compact(%q) = %s, want %s", in, got, want)
		}
		if got := string(wire.AppendCompact([]byte("+"), []byte(in))); got != "+"+want {
			t.Errorf("AppendCompact(%q) = %s, want %s", in, got, want)
		}
	}
	doc := []byte(`{"a":"b c"}`)
	if &wire.Compact(doc)[0] != &doc[0] {
		t.Error("Compact copies what needs no change")
	}
}

func TestEqual(t *testing.T) {
	tests := []struct {
		a, b string
		want bool
	}{
		{`{"a":1,"b":[1,2]}`, ` { "b" : [1.0, 20e-1], "\u0061":1 } `, true},
		{`{"a":1}`, `{"a":1,"b":null}`, false},
		{`{"a":1,"b":null}`, `{"a":1}`, false},
		{`{"a":1}`, `{"b":1}`, false},
		{`[1,2]`, `[2,1]`, false},
		{`[1]`, `[1,1]`, false},
		{`1`, `1.0`, true},
		{`100`, `1e2`, true},
		{`100`, `1E+2`, true},
		{`0.001`, `1e-3`, true},
		{`0`, `-0.0e5`, true},
		{`1`, `-1`, false},
		{`1`, `10`, false},
		{`15259210161316577000`, `15259210161316577001`, false},
		{`15259210161316577000`, `15259210161316577e3`, true},
		{`1e99999999999999999999`, `10e99999999999999999998`, true},
		{`1e99999999999999999999`, `1e99999999999999999998`, false},
		{`"a\n"`, `"a\u000a"`, true},
		{`"\ud83d\ude00"`, `"😀"`, true},
		{`"\ud800"`, `"\ud801"`, false},
		{`"\ud800"`, `"\ufffd"`, false},
		{`null`, `false`, false},
		{`true`, `false`, false},
		{`null`, ` null`, true},
		{`{}`, `[]`, false},
		{`x`, `x`, false},
		{`{"a":1,"a":1}`, `{"a":1,"a":1}`, false},
		{``, ``, false},
	}
	for _, tt := range tests {
		if got := wire.Equal([]byte(tt.a), []byte(tt.b)); got != tt.want {
			t.Errorf("Equal(%s, %s) = %v", tt.a, tt.b, got)
		}
		if got := wire.Equal([]byte(tt.b), []byte(tt.a)); got != tt.want {
			t.Errorf("Equal(%s, %s) = %v", tt.b, tt.a, got)
		}
	}
}
