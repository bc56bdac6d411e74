package wire

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// markSlowly is mark, one byte at a time.
func markSlowly(out []marks, src []byte, carry uint64) (carried, some uint64) {
	escaped, goesOn := carry&1 != 0, carry&2 != 0
	for i, c := range src {
		m := &out[i/64]
		bit := uint64(1) << (i % 64)
		if i%64 == 0 {
			*m = marks{}
		}
		if c == '"' && !escaped {
			m.quotes |= bit
		}
		leads, follows := c >= 0xc2 && c <= 0xdf, c >= 0x80 && c <= 0xbf
		if c < ' ' || c >= 0x80 && !leads && !follows || follows != goesOn || escaped && !strings.ContainsRune(`"\/bfnrt`, rune(c)) {
			m.odd |= bit
		}
		escaped, goesOn = c == '\\' && !escaped, leads
	}
	if escaped {
		carried = 1
	}
	if goesOn {
		carried |= 2
	}
	for i := range src {
		if m := out[i/64]; m != (marks{}) {
			some |= 1 << (i / 64)
		}
	}
	return carried, some
}

// ways are those in which this machine can mark.
func ways() []bool {
	if wide() {
		return []bool{false, true}
	}
	return []bool{false}
}

// Every byte, escaped and not, and runs of backslashes of every length over the
// borders of blocks.
func TestMark(t *testing.T) {
	if !canMark() {
		t.Skip("this machine does not mark")
	}
	check := func(src []byte, carry uint64) {
		t.Helper()
		var want [windowBlocks]marks
		wantCarry, wantSome := markSlowly(want[:], src, carry)
		for _, wide := range ways() {
			var got [windowBlocks]marks
			gotCarry, gotSome := markBlocks(got[:], src, carry, wide)
			if got != want || gotCarry != wantCarry || gotSome != wantSome {
				t.Fatalf("%q carry %d, wide %t:\n%x %d %x\n%x %d %x", src, carry, wide,
					got[:len(src)/64], gotCarry, gotSome, want[:len(src)/64], wantCarry, wantSome)
			}
		}
	}
	for c := range 256 {
		for at := range 64 {
			src := []byte(strings.Repeat("x", 64))
			src[at] = byte(c)
			check(src, 0)
			check(src, 1)
			check(src, 2)
			if at > 0 {
				src[at-1] = '\\'
				check(src, 0)
				src[at-1] = 0xd0
				check(src, 0)
			}
		}
	}
	for from := range 130 {
		for n := range 192 - from {
			src := []byte(strings.Repeat(`"`, 192))
			copy(src[from:], strings.Repeat(`\`, n))
			check(src, 0)
			check(src, 1)
		}
	}
	r := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		src := make([]byte, 64*(1+r.IntN(windowBlocks)))
		for i := range src {
			src[i] = "\\\\\\\\\"nu\xd0\xb6\xe2/"[r.IntN(11)]
		}
		check(src, uint64(r.IntN(4)))
	}
}

// scan walks doc to its end and returns the error, with marks or without.
func scan(doc []byte, marked bool) error {
	var s Scanner
	s.Reset(doc)
	if !marked && s.marked {
		s.marked = false
		f := survey(doc)
		if s.ctrl, s.escapes = f.ctrl, f.escapes; f.msg != "" {
			s.syntax(f.at, f.msg)
		}
	}
	s.validate()
	return s.End()
}

// fault is an error less the pointer, which only a walk knows.
func fault(err error) string {
	if e, ok := errors.AsType[*SyntaxError](err); ok {
		return fmt.Sprint(e.Offset, e.Msg)
	}
	return fmt.Sprint(err)
}

// A document is refused for the same reason at the same place whether it is
// marked or not, wherever the borders of its blocks and windows are.
func TestMarkedAndNot(t *testing.T) {
	piece := rapid.OneOf(
		rapid.SampledFrom([]string{`\n`, `\t`, `\"`, `\\`, `\/`, `\u00e9`, `\ud83d\ude00`, "a", " ", "ж", "жжжж, жжж", "€", "😀", `","`, `",{"x":"y"},"`, `\r\n`}),
		rapid.StringMatching(`[ -!#-\[\]-~]{0,70}`),
		rapid.Custom(func(t *rapid.T) string { return strings.Repeat("x", rapid.IntRange(0, 9000).Draw(t, "n")) }),
		rapid.Custom(func(t *rapid.T) string { return strings.Repeat(`\n`, rapid.IntRange(0, 90).Draw(t, "n")) }),
		rapid.Custom(func(t *rapid.T) string { return strings.Repeat(`\\`, rapid.IntRange(0, 5000).Draw(t, "n")) }),
	)
	odd := rapid.SampledFrom([]string{"", "", "\n", "\x1f", "\x00", `\q`, `\u00g0`, `\u12`, `\ж`, "\\\n", `"`, "\xff", "\xd0", "\xd0\xd0", "\xd0\xb6\xb6", "\xc1\xbf", "\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80"})
	rapid.Check(t, func(t *rapid.T) {
		draw := func(b *strings.Builder) {
			for range rapid.IntRange(0, 20).Draw(t, "pieces") {
				b.WriteString(piece.Draw(t, "piece"))
			}
		}
		var text strings.Builder
		draw(&text)
		text.WriteString(odd.Draw(t, "odd"))
		draw(&text)
		doc := []byte(`[["` + text.String() + `"],"` + strings.Repeat("y", leastMarked) + `"]`)
		if got, want := fault(scan(doc, true)), fault(scan(doc, false)); got != want {
			t.Fatalf("%q: %s, without marks %s", doc, got, want)
		}
	})
}

// Whoever goes back finds what was there.
func TestMarkedRewind(t *testing.T) {
	long := strings.Repeat(`\"é`, 3000)
	doc := []byte(`{"a":["` + long + `",7],"b":"` + long + `"}`)
	s := NewScanner(doc)
	for name := range s.Members() {
		for range 3 {
			m := s.Mark()
			first := string(s.Raw())
			s.Rewind(m)
			if again := string(s.Raw()); again != first || len(again) < len(long) {
				t.Fatalf("%s: %.40q, then %.40q", name, first, again)
			}
			s.Rewind(m)
		}
		s.Skip()
	}
	if err := s.End(); err != nil {
		t.Fatal(err)
	}
}

func FuzzMarked(f *testing.F) {
	f.Add(uint16(60), `{"a":"\\\"\u00e9é","b":[1,"x"]}`)
	f.Add(uint16(4090), `"жжж\\\\\\\\`)
	f.Fuzz(func(t *testing.T, pad uint16, doc string) {
		long := []byte(`["` + strings.Repeat("p", int(pad)+leastMarked) + `",` + doc + `]`)
		if got, want := scan(long, true), scan(long, false); (got == nil) != (want == nil) {
			t.Fatalf("%q: %v, without marks %v", doc, got, want)
		}
	})
}
