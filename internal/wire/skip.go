package wire

import (
	"bytes"
	"encoding/binary"
	"math/bits"
)

// Raw consumes the next value and returns its bytes as they stand, aliasing
// the document. Its grammar has been checked; whether names repeat inside it
// has not: see [Valid].
func (s *Scanner) Raw() []byte {
	if s.err != nil {
		return nil
	}
	start := s.space(s.pos)
	end := s.jump(start)
	if end < 0 {
		return nil
	}
	s.pos = end
	return s.doc[start:end:end]
}

// Skip consumes the next value.
func (s *Scanner) Skip() { s.Raw() }

// Peek returns the raw value of a member of the next value without consuming
// anything: nil when that is no object or has no such member. It is cheap for
// members near the front.
func (s *Scanner) Peek(name string) []byte {
	if s.Kind() != Object {
		return nil
	}
	before := s.Mark()
	v := s.peek(name)
	s.Rewind(before) // what is broken will be found again by whoever consumes it
	return v
}

func (s *Scanner) peek(name string) []byte {
	i := s.space(s.pos + 1)
	for i < len(s.doc) && s.doc[i] == '"' {
		end, value := s.name(i)
		if value < 0 {
			return nil
		}
		found := s.text(i+1, end-1) == name
		s.pos = value
		v := s.Raw()
		if found {
			return v
		}
		if i = s.space(s.pos); v == nil || i >= len(s.doc) || s.doc[i] != ',' {
			return nil
		}
		i = s.space(i + 1)
	}
	return nil
}

// kinds remembers which of up to MaxDepth open brackets are braces.
type kinds [MaxDepth / 64]uint64

func (k *kinds) set(depth int, object bool) {
	bit := uint64(1) << (depth & 63)
	if object {
		k[depth>>6&1] |= bit
	} else {
		k[depth>>6&1] &^= bit
	}
}

func (k *kinds) object(depth int) bool { return k[depth>>6&1]>>(depth&63)&1 != 0 }

// jump returns the index after the value at i, strings jumped over, everything
// else checked. Negative: failed.
func (s *Scanner) jump(i int) int {
	var open kinds
	return s.through(i, 0, MaxDepth-s.depth, &open)
}

// jumpOut is jump from after a value of an object or array that was entered, to
// the index after the end of that one.
func (s *Scanner) jumpOut(i int, object bool) int {
	var open kinds
	open.set(0, object)
	i, depth := s.after(i, 1, &open)
	if i < 0 || depth == 0 {
		return i
	}
	return s.through(i, depth, MaxDepth-s.depth+1, &open)
}

// through goes from the value at i on until all that is open has been closed;
// there is room for so much.
func (s *Scanner) through(i, depth, room int, open *kinds) int {
	for {
		i = s.space(i)
		if i >= len(s.doc) {
			return s.ended(i)
		}
		switch c := s.doc[i]; c {
		case '"':
			i = s.str(i)
		case '{', '[':
			if depth >= room {
				return s.tooDeep(i)
			}
			open.set(depth, c == '{')
			i = s.space(i + 1)
			if i < len(s.doc) && s.doc[i] == c+2 { // } is { + 2, ] is [ + 2
				i++
				break
			}
			depth++
			if c == '{' {
				_, i = s.name(i)
			}
			if i < 0 {
				return i
			}
			continue
		default:
			i = s.scalar(i)
		}
		if i, depth = s.after(i, depth, open); i < 0 || depth == 0 {
			return i
		}
	}
}

// after goes on behind a value: over the brackets that close there and the
// comma, up to the value that follows.
func (s *Scanner) after(i, depth int, open *kinds) (int, int) {
	for i >= 0 && depth > 0 {
		i = s.space(i)
		if i >= len(s.doc) {
			return s.ended(i), depth
		}
		object := open.object(depth - 1)
		switch c := s.doc[i]; {
		case c == ',' && object:
			_, i = s.name(s.space(i + 1))
			return i, depth
		case c == ',':
			return i + 1, depth
		case c == '}' && object, c == ']' && !object:
			i++
			depth--
		default:
			return s.unexpected(i, "after a value"), depth
		}
	}
	return i, depth
}

// name returns the index after the quoted name that stands at i, and that of
// its value.
func (s *Scanner) name(i int) (end, value int) {
	if i >= len(s.doc) {
		return 0, s.ended(i)
	}
	if s.doc[i] != '"' {
		return 0, s.unexpected(i, "where a name should begin")
	}
	if end = s.str(i); end < 0 {
		return 0, end
	}
	i = s.space(end)
	if i >= len(s.doc) {
		return 0, s.ended(i)
	}
	if s.doc[i] != ':' {
		return 0, s.unexpected(i, "after a name")
	}
	return end, s.space(i + 1)
}

// str returns the index after the string whose opening quote is at i.
func (s *Scanner) str(i int) int {
	if s.marked {
		return s.strMarked(i)
	}
	end := closing(s.doc, i+1)
	if end < 0 {
		s.syntax(i, msgOpen)
		return -1
	}
	if s.ctrl {
		if at := control(s.doc[i+1 : end]); at >= 0 {
			s.syntax(i+1+at, "control character in string")
			return -1
		}
	}
	return end + 1
}

// closing returns the index of the quote that ends the string whose content
// begins at start, or -1. A quote is escaped when an odd number of backslashes
// stands before it, so no other escape has to be looked at.
func closing(b []byte, start int) int {
	i := start
	for {
		at := quote(b[i:])
		if at < 0 {
			return -1
		}
		i += at
		if i == start || b[i-1] != '\\' {
			return i
		}
		k := i - 1
		for k > start && b[k-1] == '\\' {
			k--
		}
		if (i-k)&1 == 0 {
			return i
		}
		i++
	}
}

// quote is bytes.IndexByte for '"', with the first bytes looked at in place:
// names and words are short, and escaped quotes come in swarms.
func quote(b []byte) int {
	i := 0
	for ; i < 32; i += 8 {
		if len(b)-i < 8 {
			break
		}
		x := binary.LittleEndian.Uint64(b[i:]) ^ eachQuote
		if m := (x - eachOne) &^ x & eachHigh; m != 0 {
			return i + bits.TrailingZeros64(m)>>3
		}
	}
	at := bytes.IndexByte(b[i:], '"')
	if at < 0 {
		return -1
	}
	return i + at
}

// control returns the index of the first byte below 0x20, or -1.
func control(b []byte) int {
	i := 0
	for ; len(b)-i >= 8; i += 8 {
		x := binary.LittleEndian.Uint64(b[i:])
		if m := (x - eachSpace) &^ x & eachHigh; m != 0 {
			return i + bits.TrailingZeros64(m)>>3
		}
	}
	for ; i < len(b); i++ {
		if b[i] < ' ' {
			return i
		}
	}
	return -1
}

// space returns the index of the first byte from i on that is no white space.
func (s *Scanner) space(i int) int {
	for i < len(s.doc) {
		switch s.doc[i] {
		case ' ', '\n', '\r', '\t':
			i++
		default:
			return i
		}
	}
	return i
}

// scalar returns the index after the number or literal at i.
func (s *Scanner) scalar(i int) int {
	var lit string
	switch s.doc[i] {
	case 't':
		lit = "true"
	case 'f':
		lit = "false"
	case 'n':
		lit = "null"
	default:
		end, ok := number(s.doc, i)
		if !ok {
			if end >= len(s.doc) {
				return s.ended(end)
			}
			if end == i {
				return s.unexpected(end, "where a value should begin")
			}
			return s.unexpected(end, "in a number")
		}
		return end
	}
	if !bytes.HasPrefix(s.doc[i:], []byte(lit)) {
		s.syntax(i, "invalid literal, want "+lit)
		return -1
	}
	return i + len(lit)
}

// number returns the index after the number at i, or where it goes wrong.
func number(b []byte, i int) (int, bool) {
	if i < len(b) && b[i] == '-' {
		i++
	}
	first := i
	i = digits(b, i)
	if i == first {
		return i, false
	}
	if b[first] == '0' && i > first+1 {
		return first + 1, false
	}
	if i < len(b) && b[i] == '.' {
		from := i + 1
		if i = digits(b, from); i == from {
			return i, false
		}
	}
	if i < len(b) && b[i]|0x20 == 'e' {
		i++
		if i < len(b) && (b[i] == '+' || b[i] == '-') {
			i++
		}
		from := i
		if i = digits(b, from); i == from {
			return i, false
		}
	}
	return i, true
}

func digits(b []byte, i int) int {
	for i < len(b) && b[i]-'0' < 10 {
		i++
	}
	return i
}

func (s *Scanner) ended(at int) int {
	s.syntax(at, msgEnd)
	return -1
}

func (s *Scanner) unexpected(at int, where string) int {
	s.syntax(at, "unexpected "+show(s.doc[at])+" "+where)
	return -1
}

func (s *Scanner) tooDeep(at int) int {
	s.syntax(at, "nested deeper than 128 levels")
	return -1
}
