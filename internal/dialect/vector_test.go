package dialect_test

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

func write(t testing.TB, v scri.Embedding, want string) (string, bool) {
	t.Helper()
	var w wire.Writer
	exact, err := dialect.WriteVector(&w, &v, want)
	if err != nil {
		t.Fatalf("%s as %s: %v", v.Values, want, err)
	}
	return string(w.B), exact
}

// Any float32 goes to base64 and back, and is the same; numbers that came are not
// touched where nothing else is wanted.
func TestVectorsKeepTheirNumbers(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		list := rapid.SliceOfN(rapid.Float32(), 1, 20).Draw(rt, "numbers")
		var raw []byte
		var tokens []string
		for _, f := range list {
			raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(f))
			tokens = append(tokens, strconv.FormatFloat(float64(f), 'g', -1, rapid.SampledFrom([]int{32, 64}).Draw(rt, "digits")))
		}
		text := `"` + base64.StdEncoding.EncodeToString(raw) + `"`
		numbers := "[" + strings.Join(tokens, ", ") + "]"

		got, exact := write(t, scri.Embedding{Encoding: scri.EncodingFloat, Values: scri.RawJSON(numbers)}, scri.EncodingBase64)
		if got != text || !exact {
			rt.Fatalf("%s became %s (exact: %v), want %s", numbers, got, exact, text)
		}
		got, _ = write(t, scri.Embedding{Encoding: scri.EncodingBase64, Values: scri.RawJSON(text)}, "")
		var back []float32
		if err := json.Unmarshal([]byte(got), &back); err != nil {
			rt.Fatal(err)
		}
		for i := range list {
			if math.Float32bits(back[i]) != math.Float32bits(list[i]) {
				rt.Fatalf("%v came back as %v", list[i], back[i])
			}
		}
		if got, _ := write(t, scri.Embedding{Encoding: scri.EncodingFloat, Values: scri.RawJSON(numbers)}, ""); got != numbers {
			rt.Fatalf("%s became %s", numbers, got)
		}
	})
}

func TestVectorsThatCannotBeHad(t *testing.T) {
	for _, c := range []struct{ values, got, want, says string }{
		{`"AAA="`, scri.EncodingBase64, "", "no float32s"},
		{`"!"`, scri.EncodingBase64, "", "no base64"},
		{`"AADAfw=="`, scri.EncodingBase64, "", "no number"},
		{`[1e300]`, scri.EncodingFloat, scri.EncodingBase64, "a float32 can hold"},
		{`["x"]`, scri.EncodingFloat, scri.EncodingBase64, "no number"},
		{`[1,[2]]`, scri.EncodingFloat, scri.EncodingBase64, "no number"},
		{`{}`, scri.EncodingFloat, scri.EncodingBase64, "no list"},
		{`[1]`, scri.EncodingFloat, scri.EncodingInt8, "int8 cannot be made"},
		{`"AQI="`, scri.EncodingBytes, scri.EncodingFloat, "did not say what they mean"},
	} {
		var w wire.Writer
		_, err := dialect.WriteVector(&w, &scri.Embedding{Encoding: c.got, Values: scri.RawJSON(c.values)}, c.want)
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s %s as %q: %v, want it to say %q", c.got, c.values, c.want, err, c.says)
		}
	}
	for values, want := range map[string]bool{
		`[0.1234567890123456]`:             false,
		`[0.123456789]`:                    false, // that float32 is 0.123456791
		`[0.123456791]`:                    true,
		`[0.12345679104328156]`:            true, // the same with the digits of a float64
		`[-0.0, 0, 1, -1E-3, 0.1 , 1.50]`:  true,
		`[]`:                               true,
		`[0.1234567890123456789012345678]`: false,
	} {
		if _, exact := write(t, scri.Embedding{Encoding: scri.EncodingFloat, Values: scri.RawJSON(values)}, scri.EncodingBase64); exact != want {
			t.Errorf("%s was called exact: %v", values, exact)
		}
	}
}

// A megabyte of numbers that nobody wants otherwise is moved, not read.
func BenchmarkVectors(b *testing.B) {
	v := scri.Embedding{Encoding: scri.EncodingFloat, Values: scri.RawJSON("[" + strings.Repeat("-0.013776474,", 80_000) + "1]")}
	for _, want := range []string{scri.EncodingFloat, scri.EncodingBase64} {
		b.Run(want, func(b *testing.B) {
			b.SetBytes(int64(len(v.Values)))
			var w wire.Writer
			for b.Loop() {
				w.B = w.B[:0]
				if _, err := dialect.WriteVector(&w, &v, want); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
