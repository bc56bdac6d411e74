package wire

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"slices"
	"unicode/utf8"
	"unsafe"
)

// AppendQuote appends s as a JSON string with no more escapes than JSON asks
// for. Invalid UTF-8 becomes U+FFFD.
func AppendQuote(b []byte, s string) []byte {
	b = append(b, '"')
	for {
		n := plain(s)
		b = append(b, s[:n]...)
		if n == len(s) {
			return append(b, '"')
		}
		s = s[n:]
		c := s[0]
		if c >= utf8.RuneSelf { // plain stops only at broken ones
			b = append(b, "\ufffd"...)
			s = s[1:]
			continue
		}
		s = s[1:]
		switch c {
		case '"', '\\':
			b = append(b, '\\', c)
		case '\n':
			b = append(b, '\\', 'n')
		case '\r':
			b = append(b, '\\', 'r')
		case '\t':
			b = append(b, '\\', 't')
		case '\b':
			b = append(b, '\\', 'b')
		case '\f':
			b = append(b, '\\', 'f')
		default:
			const hex = "0123456789abcdef"
			b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
	}
}

// plain returns how many bytes of s stand in a JSON string as they are.
func plain(s string) int {
	b := unsafe.Slice(unsafe.StringData(s), len(s)) // read only
	i := 0
	for {
		for len(b)-i >= 8 {
			x := binary.LittleEndian.Uint64(b[i:])
			m := (x | (x - eachSpace) | ((x ^ eachSlash) - eachOne) | ((x ^ eachQuote) - eachOne)) & eachHigh
			if m != 0 {
				i += bits.TrailingZeros64(m) >> 3
				break
			}
			i += 8
		}
		if i >= len(b) {
			return i
		}
		switch c := b[i]; {
		case c >= utf8.RuneSelf:
			n := runes(b[i:], '"')
			if n == 0 {
				return i
			}
			i += n
		case c < ' ', c == '"', c == '\\':
			return i
		default:
			i++
		}
	}
}

// AppendUnquote appends the text of a quoted JSON string such as Str returns.
// Half a surrogate pair becomes U+FFFD. In what is no JSON string, illegal
// escapes and missing quotes are taken as they stand.
func AppendUnquote(b, quoted []byte) []byte {
	if len(quoted) > 0 && quoted[0] == '"' {
		quoted = quoted[1:]
		if end := closing(quoted, 0); end == len(quoted)-1 && end >= 0 {
			quoted = quoted[:end]
		}
	}
	return appendUnescaped(b, quoted, false)
}

// appendUnescaped resolves the escapes of a string's content. With halves,
// half a surrogate pair is encoded as if it were a rune, so that different
// ones stay different.
func appendUnescaped(b, content []byte, halves bool) []byte {
	b = slices.Grow(b, len(content)) // no escape is shorter than what it stands for
	for {
		n := toBackslash(b[len(b):cap(b)], content)
		b = b[:len(b)+n]
		if content = content[n:]; len(content) == 0 {
			return b
		}
		n = escape(content)
		switch n {
		case 0:
			b = append(b, '\\')
			n = 1
		case 2:
			b = append(b, unescaped(content[1]))
		default:
			r := hex4(content[2:6])
			if low := half(content[6:]); r >= 0xd800 && r < 0xdc00 && low >= 0xdc00 && low < 0xe000 {
				r = 0x10000 + (r-0xd800)<<10 + (low - 0xdc00)
				n = 12
			}
			if halves && r >= 0xd800 && r < 0xe000 {
				b = append(b, 0xe0|byte(r>>12), 0x80|byte(r>>6)&0x3f, 0x80|byte(r)&0x3f)
			} else {
				b = utf8.AppendRune(b, r)
			}
		}
		content = content[n:]
	}
}

// toBackslash copies src up to its first backslash to dst, which has room for
// all of it. The first bytes are copied a word at a time, since escapes come in
// swarms; a word may reach beyond the backslash.
func toBackslash(dst, src []byte) int {
	i := 0
	for i < 32 && len(src)-i >= 8 {
		x := load(src[i : i+8])
		binary.LittleEndian.PutUint64(dst[i:i+8], x)
		x ^= eachSlash
		if m := (x - eachOne) &^ x & eachHigh; m != 0 {
			return i + bits.TrailingZeros64(m)>>3
		}
		i += 8
	}
	end := bytes.IndexByte(src[i:], '\\')
	if end < 0 {
		end = len(src) - i
	}
	return i + copy(dst[i:], src[i:i+end])
}

// half returns the value of the \u escape that b begins with, or -1.
func half(b []byte) rune {
	if len(b) < 6 || b[0] != '\\' || b[1] != 'u' {
		return -1
	}
	return hex4(b[2:6])
}

func unescaped(c byte) byte {
	switch c {
	case 'b':
		return '\b'
	case 'f':
		return '\f'
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	default:
		return c
	}
}
