package wire

import (
	"bytes"
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
	next := 0                // no backslash before this index
	for i := 0; i < len(doc); {
		if i == next {
			next = min(i+stretch, len(doc))
			if n := bytes.IndexByte(doc[i:next], '\\'); n >= 0 {
				next = i + n
			}
		}
		i += ascii(doc[i:next], low)
		if i == len(doc) {
			break
		}
		var n int
		switch c := doc[i]; {
		case c >= utf8.RuneSelf:
			n, f.msg = runes(doc[i:], '\\'), msgRune
		case c == '\\':
			f.escapes = true
			n, f.msg = escapes(doc[i:], low), msgEscape
		case c < ' ' && !f.ctrl:
			f.ctrl, low = true, 0
			continue
		default: // the end of a stretch
			continue
		}
		if n == 0 {
			f.at = i
			return f
		}
		f.msg = ""
		i += n
		next = max(next, i)
	}
	return f
}

// stretch is how far a backslash is searched for before the same bytes are
// looked at in another way: near enough for them to be in the first cache.
const stretch = 8 << 10

// ascii returns how many bytes b begins with that are ASCII and, as long as low
// says so, not below 0x20.
func ascii(b []byte, low uint64) int {
	i := 0
	for len(b)-i >= 64 {
		p := (*[64]byte)(b[i:])
		x0, x1, x2, x3 := load(p[0:8]), load(p[8:16]), load(p[16:24]), load(p[24:32])
		x4, x5, x6, x7 := load(p[32:40]), load(p[40:48]), load(p[48:56]), load(p[56:64])
		m := x0 | (x0 - low) | x1 | (x1 - low) | x2 | (x2 - low) | x3 | (x3 - low)
		n := x4 | (x4 - low) | x5 | (x5 - low) | x6 | (x6 - low) | x7 | (x7 - low)
		if (m|n)&eachHigh != 0 {
			break
		}
		i += 64
	}
	for ; len(b)-i >= 8; i += 8 {
		x := load(b[i : i+8])
		if m := (x | (x - low)) & eachHigh; m != 0 {
			return i + bits.TrailingZeros64(m)>>3
		}
	}
	for ; i < len(b); i++ {
		if b[i] >= utf8.RuneSelf || b[i] < byte(low) {
			return i
		}
	}
	return i
}

func load(b []byte) uint64 { return binary.LittleEndian.Uint64(b) }

// escapes returns the length of the run of escapes at the start of b, bytes
// between them included as long as there are not many; 0 when the first is
// broken. Source code has an escape every few bytes, and a branch for each
// would be guessed wrong most of the time, so the usual ones are checked
// thirty-two bytes at a time without any.
func escapes(b []byte, low uint64) int {
	i := 0
	for len(b)-i >= 48 {
		slashes, odd := block((*[33]byte)(b[i:]), low)
		switch {
		case odd == 0 && slashes == 0:
			return i + 32
		case odd == 0:
			i += 32
			continue
		}
		for stop := i + 32; i < stop; {
			if b[i] != '\\' {
				m := special(load(b[i:i+8]), low)
				if m == 0 {
					i += 8
					continue
				}
				i += bits.TrailingZeros64(m) >> 3
			}
			n := escape(b[i:])
			if n == 0 { // or no escape at all
				return i
			}
			i += n
		}
	}
	if b[i] == '\\' {
		i += escape(b[i:])
	}
	return i
}

// block looks at 32 bytes, at whose start no escape is pending, and the one
// after them. The first result is not zero when there is a backslash; the
// second when there is anything but ordinary bytes and the escapes \n, \t, \"
// and \r.
func block(p *[33]byte, low uint64) (slashes, odd uint64) {
	const rest = eachHigh - eachOne // 0x7f; added, it sets the high bit of all but zero bytes
	for k := 0; k < 32; k += 8 {
		x, y := load(p[k:k+8]), load(p[k+1:k+9])
		slash := ^((x ^ eachSlash) + rest)
		other := ((y ^ 'n'*eachOne) + rest) & ((y ^ 't'*eachOne) + rest) &
			((y ^ eachQuote) + rest) & ((y ^ 'r'*eachOne) + rest)
		slashes |= slash
		odd |= x | (x - low) | y | slash&other
	}
	return slashes & eachHigh, odd & eachHigh
}

// special marks the bytes of x that are not ASCII, below 0x20 (if low says so)
// or a backslash, in their high bits. The lowest mark is right; those above it
// may come from a borrow.
func special(x, low uint64) uint64 {
	return (x | (x - low) | ((x ^ eachSlash) - eachOne)) & eachHigh
}

// runes returns the length of the run of runes at the start of b, the one or two
// ASCII characters between words included (none below 0x20, no backslash and no
// stop), or 0 when the first is broken. Cyrillic and the like is four letters a
// step.
func runes(b []byte, stop byte) int {
	i, plain := 0, 0
	for len(b)-i >= 8 {
		x := load(b[i : i+8])
		if x&0xc0e0c0e0c0e0c0e0 == 0x80c080c080c080c0 && // leader, follower, and not overlong
			(x&0x001e001e001e001e+0x00ff00ff00ff00ff)&0x0100010001000100 == 0x0100010001000100 {
			i += 8
			plain = 0
			continue
		}
		c := byte(x)
		switch {
		case c >= 0xc2 && c <= 0xdf && x>>8&0xc0 == 0x80:
			i += 2
			plain = 0
		case c >= utf8.RuneSelf:
			r, n := utf8.DecodeRune(b[i:])
			if r == utf8.RuneError && n == 1 {
				return i
			}
			i += n
			plain = 0
		case c >= ' ' && c != '\\' && c != stop && plain < 2:
			i++
			plain++
		default:
			return i
		}
	}
	for i < len(b) && b[i] >= utf8.RuneSelf {
		r, n := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && n == 1 {
			return i
		}
		i += n
	}
	return i
}

// escape returns the length of the escape that b begins with, or 0.
func escape(b []byte) int {
	const low = 1<<'"' | 1<<'/'
	const high = 1<<('\\'-64) | 1<<('b'-64) | 1<<('f'-64) | 1<<('n'-64) | 1<<('r'-64) | 1<<('t'-64)
	if len(b) < 2 || b[0] != '\\' {
		return 0
	}
	c := b[1]
	legal := uint64(low)
	if c >= 64 {
		legal = high
	}
	if c < 128 && legal>>(c&63)&1 != 0 {
		return 2
	}
	if c == 'u' && len(b) >= 6 && hex(binary.LittleEndian.Uint32(b[2:6])) {
		return 6
	}
	return 0
}

// hex reports whether x is four hexadecimal digits.
func hex(x uint32) bool {
	const one, high = 0x01010101, 0x80808080
	letter := x | 0x20*one
	// High bits: above the last one, or below the first.
	digit := (x + (0x7f-'9')*one) | ^((x | high) - '0'*one)
	alpha := (letter + (0x7f-'f')*one) | ^((letter | high) - 'a'*one)
	return (x|(digit&alpha))&high == 0
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
