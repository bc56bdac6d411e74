package wire

import (
	"math"
	"strconv"
	"unsafe"
)

// Str consumes a string and returns it quoted as it stands. Its escapes are
// known to be legal.
func (s *Scanner) Str() []byte {
	if !s.want(String) {
		return nil
	}
	start := s.pos
	end := s.str(start)
	if end < 0 {
		return nil
	}
	s.pos = end
	return s.doc[start:end:end]
}

// Unquoted consumes a string and returns its text. It aliases the document
// when there is nothing to unescape; half a surrogate pair becomes U+FFFD.
func (s *Scanner) Unquoted() string {
	q := s.Str()
	if q == nil {
		return ""
	}
	return s.text(s.pos-len(q)+1, s.pos-1)
}

// text is the string whose content is doc[start:end].
func (s *Scanner) text(start, end int) string {
	content := s.doc[start:end]
	if s.hasEscape(content) {
		content = appendUnescaped(make([]byte, 0, len(content)), content, false)
	}
	return alias(content)
}

// alias makes a string of b without copying: documents are not modified while
// what was read from them is in use.
func alias(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// Number consumes a number and returns it as it stands.
func (s *Scanner) Number() []byte {
	if !s.want(Number) {
		return nil
	}
	return s.Raw()
}

// Int consumes a number that is an integer, however it is written (1.0 and
// 1e3 are), and fits into 64 bits.
func (s *Scanner) Int() int64 {
	start := s.Mark()
	tok := s.Number()
	if tok == nil {
		return 0
	}
	if n, err := strconv.ParseInt(alias(tok), 10, 64); err == nil {
		return n
	}
	// Up to 2^53 a float says exactly which integer it is.
	if f, err := strconv.ParseFloat(alias(tok), 64); err == nil && f == math.Trunc(f) && math.Abs(f) <= 1<<53 {
		return int64(f)
	}
	s.Rewind(start)
	s.pos = s.space(s.pos)
	s.mismatch("64-bit integer")
	return 0
}

// Float consumes a number.
func (s *Scanner) Float() float64 {
	start := s.Mark()
	tok := s.Number()
	if tok == nil {
		return 0
	}
	f, err := strconv.ParseFloat(alias(tok), 64)
	if err != nil {
		s.Rewind(start)
		s.pos = s.space(s.pos)
		s.mismatch("64-bit number")
		return 0
	}
	return f
}

// Bool consumes true or false.
func (s *Scanner) Bool() bool {
	if !s.want(Bool) {
		return false
	}
	raw := s.Raw()
	return len(raw) == len("true")
}

// Null consumes a null when that is next and reports whether it was.
func (s *Scanner) Null() bool {
	return s.Kind() == Null && s.Raw() != nil
}
