package wire

import (
	"bytes"
	"math/big"
)

// Equal reports whether a and b are the same JSON value: the order of members,
// white space, escapes and the spelling of numbers (1.0 is 1, -0 is 0) do not
// matter; numbers are compared exactly, however long. What [Valid] refuses
// equals nothing.
func Equal(a, b []byte) bool {
	if Valid(a) != nil || Valid(b) != nil {
		return false
	}
	return equal(trim(a), trim(b))
}

func equal(a, b []byte) bool {
	if bytes.Equal(a, b) {
		return true
	}
	k := kindOf(a[0])
	if k != kindOf(b[0]) {
		return false
	}
	switch k {
	case String:
		return bytes.Equal(appendUnescaped(nil, a[1:len(a)-1], true), appendUnescaped(nil, b[1:len(b)-1], true))
	case Number:
		return equalNumbers(a, b)
	case Array:
		return equalArrays(a, b)
	case Object:
		return equalObjects(a, b)
	default:
		return false
	}
}

func equalArrays(a, b []byte) bool {
	x, y := elementsOf(a), elementsOf(b)
	if len(x) != len(y) {
		return false
	}
	for i := range x {
		if !equal(x[i], y[i]) {
			return false
		}
	}
	return true
}

func elementsOf(raw []byte) (all [][]byte) {
	s := NewScanner(raw)
	for range s.Elements() {
		all = append(all, s.Raw())
	}
	return all
}

func equalObjects(a, b []byte) bool {
	s := NewScanner(a)
	members := make(map[string][]byte)
	for name := range s.Members() {
		members[name] = s.Raw()
	}
	s.Reset(b)
	n := 0
	for name := range s.Members() {
		v, ok := members[name]
		if !ok || !equal(v, s.Raw()) {
			return false
		}
		n++
	}
	return n == len(members)
}

// equalNumbers compares sign, digits without zeros at the ends, and exponent.
func equalNumbers(a, b []byte) bool {
	na, da, ea := decimal(a)
	nb, db, eb := decimal(b)
	if len(da) == 0 || len(db) == 0 {
		return len(da) == len(db) // zero has no sign here
	}
	return na == nb && bytes.Equal(da, db) && ea.Cmp(eb) == 0
}

// decimal splits a number into digits * 10^exp. The exponent is a big one:
// nothing in JSON bounds it.
func decimal(tok []byte) (negative bool, digits []byte, exp *big.Int) {
	if tok[0] == '-' {
		negative, tok = true, tok[1:]
	}
	exp = new(big.Int)
	if i := bytes.IndexAny(tok, "eE"); i >= 0 {
		exp.SetString(string(bytes.TrimPrefix(tok[i+1:], []byte("+"))), 10)
		tok = tok[:i]
	}
	whole, frac, _ := bytes.Cut(tok, []byte("."))
	digits = append(append(digits, whole...), frac...)
	kept := bytes.TrimRight(digits, "0")
	exp.Add(exp, big.NewInt(int64(len(digits)-len(kept)-len(frac))))
	return negative, bytes.TrimLeft(kept, "0"), exp
}
