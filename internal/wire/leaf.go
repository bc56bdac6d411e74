package wire

import (
	"bytes"
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

// Text returns the text of a quoted string that is known to be sound. It aliases q
// when there is nothing to unescape.
func Text(q []byte) string {
	content := q[1 : len(q)-1]
	if bytes.IndexByte(content, '\\') >= 0 {
		content = appendUnescaped(make([]byte, 0, len(content)), content, false)
	}
	return alias(content)
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

// Pair consumes the next value if it is an object of just these two members, in
// this order, and both are strings, which it returns quoted as they stand. Else
// nothing is consumed, and no error recorded: whoever walks the value finds it.
// Most of a conversation is such objects, and this is several times as quick as
// to walk them.
func (s *Scanner) Pair(first, second string) (a, b []byte, ok bool) {
	if s.err != nil || s.depth >= MaxDepth || first == second {
		return nil, nil, false
	}
	i, a := s.stringMember(s.space(s.pos), '{', first)
	if a == nil {
		return nil, nil, false
	}
	if i, b = s.stringMember(i, ',', second); b == nil || i >= len(s.doc) || s.doc[i] != '}' {
		return nil, nil, false
	}
	s.pos = i + 1
	return a, b, true
}

// stringMember returns the value of the member of that name that stands at i
// behind before, and what follows it; nil if it does not or is no string.
func (s *Scanner) stringMember(i int, before byte, name string) (next int, value []byte) {
	if i >= len(s.doc) || s.doc[i] != before {
		return i, nil
	}
	i = s.space(i + 1)
	end := i + len(name) + 2 // of the quoted name
	if end >= len(s.doc) || s.doc[i] != '"' || s.doc[end-1] != '"' || string(s.doc[i+1:end-1]) != name {
		return i, nil
	}
	if i = s.space(end); i >= len(s.doc) || s.doc[i] != ':' {
		return i, nil
	}
	if i = s.space(i + 1); i >= len(s.doc) || s.doc[i] != '"' {
		return i, nil
	}
	if end = s.str(i); end < 0 {
		s.err = nil
		return i, nil
	}
	return s.space(end), s.doc[i:end:end]
}
