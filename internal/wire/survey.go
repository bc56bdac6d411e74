package wire

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf8"
)

// Bytes are looked at eight at a time, as one little-endian word.
const (
	eachOne   = 0x0101010101010101
	eachHigh  = 0x8080808080808080
	eachSpace = 0x2020202020202020
	eachSlash = '\\' * eachOne
	eachQuote = '"' * eachOne
)

// findings are what one pass over a whole document tells.
type findings struct {
	ctrl    bool // some byte is below 0x20
	escapes bool // some byte is a backslash
	at      int  // where msg applies
	msg     string
}

// survey checks UTF-8 and every escape of doc. A backslash outside a string is
// an error to any walker, so escapes can be paired without knowing where the
// strings are; nobody has to look at them again.
func survey(doc []byte) (f findings) {
	low := uint64(eachSpace) // zero once a control byte is known: then they are not looked for
	i := 0
	for {
		// A byte's high bit in m: not ASCII, below 0x20, or a backslash. A
		// borrow can only mark bytes above one that is marked rightly.
		for len(doc)-i >= 16 {
			x := binary.LittleEndian.Uint64(doc[i:])
			y := binary.LittleEndian.Uint64(doc[i+8:])
			mx := x | (x - low) | ((x ^ eachSlash) - eachOne)
			my := y | (y - low) | ((y ^ eachSlash) - eachOne)
			if (mx|my)&eachHigh == 0 {
				i += 16
				continue
			}
			if mx &= eachHigh; mx != 0 {
				i += bits.TrailingZeros64(mx) >> 3
			} else {
				i += 8 + bits.TrailingZeros64(my&eachHigh)>>3
			}
			break
		}
		if i >= len(doc) {
			return f
		}
		switch c := doc[i]; {
		case c >= utf8.RuneSelf:
			n := runes(doc[i:])
			if i += n; n == 0 {
				f.at, f.msg = i, "invalid UTF-8"
				return f
			}
		case c == '\\':
			f.escapes = true
			n := escape(doc[i:])
			if n == 0 {
				f.at, f.msg = i, "invalid escape in string"
				return f
			}
			i += n
		case c < ' ' && !f.ctrl:
			f.ctrl, low = true, 0
		default: // only in the last 15 bytes
			i++
		}
	}
}

// runes returns the length of the run of runes at the start of b, single ASCII
// characters between them included, or 0 when the first is broken. Cyrillic
// and the like is four letters a step.
func runes(b []byte) int {
	i := 0
	for {
		for len(b)-i >= 8 {
			x := binary.LittleEndian.Uint64(b[i:])
			if x&0xc0e0c0e0c0e0c0e0 != 0x80c080c080c080c0 || // leader, follower
				(x&0x001e001e001e001e+0x00ff00ff00ff00ff)&0x0100010001000100 != 0x0100010001000100 { // overlong
				break
			}
			i += 8
		}
		if len(b)-i < 2 {
			break
		}
		c, d := b[i], b[i+1]
		switch {
		case c >= utf8.RuneSelf:
			if c >= 0xc2 && c <= 0xdf && d&0xc0 == 0x80 {
				i += 2
				continue
			}
			r, n := utf8.DecodeRune(b[i:])
			if r == utf8.RuneError && n == 1 {
				return i
			}
			i += n
		case c >= ' ' && c != '\\' && d >= utf8.RuneSelf:
			i++
		default:
			return i
		}
	}
	return i
}

// escape returns the length of the escape that b begins with, or 0.
func escape(b []byte) int {
	if len(b) < 2 {
		return 0
	}
	switch b[1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2
	case 'u':
		if len(b) >= 6 && hex4(b[2:6]) >= 0 {
			return 6
		}
	}
	return 0
}

// hex4 returns the value of four hexadecimal digits, or -1.
func hex4(b []byte) rune {
	var r rune
	for _, c := range b[:4] {
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		case 'A' <= c && c <= 'F':
			c -= 'A' - 10
		default:
			return -1
		}
		r = r<<4 | rune(c)
	}
	return r
}
