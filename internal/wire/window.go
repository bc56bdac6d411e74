package wire

import (
	"bytes"
	"math/bits"
	"unicode/utf8"
)

const (
	windowBlocks = 64      // of 64 bytes each: what is marked is still in the first cache when it is walked
	leastMarked  = 1 << 10 // documents below it are not worth the memory for marks
)

// window is the part of a large document that is marked: where strings end, and
// which bytes of them must be looked at one by one. It is marked as the walk
// arrives, so that a document is read from memory once.
type window struct {
	base, end int    // which bytes are marked
	carry     uint64 // what the last byte asks of the one at end, see mark
	some      uint64 // which blocks have any mark
	marks     [windowBlocks]marks
}

// marks are those of 64 bytes, the first one's in bit 0. They mean something
// inside strings only.
type marks struct {
	quotes uint64 // not escaped
	odd    uint64 // below 0x20, escaped and no escape of two bytes, of a rune of more than two bytes, or where one of two is broken
}

// forward marks what follows the window.
func (w *window) forward(doc []byte) { w.fill(doc, w.end) }

// open marks what follows the opening quote at i.
func (w *window) open(doc []byte, i int) {
	w.carry = 0
	w.fill(doc, i+1)
}

func (w *window) fill(doc []byte, base int) {
	w.base = base
	w.end = min(base+len(w.marks)*64, len(doc))
	part := doc[w.base:w.end]
	whole := len(part) &^ 63
	w.carry, w.some = mark(w.marks[:], part[:whole], w.carry)
	if whole < len(part) {
		var last [64]byte
		copy(last[:], part[whole:])
		w.carry, _ = mark(w.marks[whole/64:], last[:], w.carry)
		w.some |= 1 << (whole / 64)
		// What is beyond the end is zero, and odd: nobody may look there.
		w.marks[whole/64].odd &= 1<<(len(part)-whole) - 1
	}
}

// strMarked is str for a document that is marked.
func (s *Scanner) strMarked(i int) int {
	w := s.win
	if i+1 < w.base || i+1 >= w.end {
		w.open(s.doc, i)
	}
	known := i + 1 // all before it is known to be legal
	for from := i + 1; ; from = w.base {
		k := (from - w.base) >> 6
		mask := ^uint64(0) << ((from - w.base) & 63) // of the first block
		for some := w.some >> k << k; some != 0; some &= some - 1 {
			if next := bits.TrailingZeros64(some); next > k {
				k, mask = next, ^uint64(0)
			}
			m := &w.marks[k&(windowBlocks-1)]
			quotes, odd := m.quotes&mask, m.odd&mask
			at := w.base + k<<6
			if quotes != 0 {
				odd &= quotes ^ (quotes - 1) // the quote itself may stand where a rune should go on
			}
			if odd != 0 {
				if known = s.look(at, odd, known); known < 0 {
					return -1
				}
			}
			if quotes != 0 {
				return at + bits.TrailingZeros64(quotes) + 1
			}
		}
		if w.end >= len(s.doc) {
			s.syntax(i, msgOpen)
			return -1
		}
		w.forward(s.doc)
	}
}

// look checks the odd bytes among the 64 at an index, of which those before
// known need it no more, and returns up to where all is known now; -1: failed.
func (s *Scanner) look(at int, odd uint64, known int) int {
	for {
		if d := known - at; d >= 64 {
			return known
		} else if d > 0 {
			odd &= ^uint64(0) << d
		}
		if odd == 0 {
			return known
		}
		p := at + bits.TrailingZeros64(odd)
		odd &= odd - 1
		var n int
		switch before := s.doc[p-1]; {
		case before >= 0xc2 && before <= 0xdf: // a rune of two bytes that does not go on
			s.syntax(p-1, msgRune)
			return -1
		case before == '\\' && escaped(s.doc[:p]):
			p--
			for p+n < len(s.doc) && s.doc[p+n] == '\\' { // seldom alone: these are the letters of other scripts
				m := escape(s.doc[p+n:])
				if m == 0 {
					s.syntax(p+n, msgEscape)
					return -1
				}
				n += m
			}
		case s.doc[p] >= utf8.RuneSelf:
			if n = runes(s.doc[p:], '"'); n == 0 {
				s.syntax(p, msgRune)
				return -1
			}
		default:
			s.syntax(p, "control character in string")
			return -1
		}
		known = p + n
	}
}

// escaped reports whether what follows b, which ends inside a string, is escaped.
func escaped(b []byte) bool {
	return (len(b)-len(bytes.TrimRight(b, `\`)))&1 == 1
}
