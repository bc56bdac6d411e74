package wire

import "bytes"

// Valid checks raw strictly: one JSON value and nothing else, UTF-8, escapes,
// depth, and no repeated name in any object. The error is a *[SyntaxError].
func Valid(raw []byte) error {
	var s Scanner
	s.Reset(raw)
	s.validate()
	return s.End()
}

func (s *Scanner) validate() {
	switch s.Kind() {
	case Object:
		for range s.Members() {
			s.validate()
		}
	case Array:
		for range s.Elements() {
			s.validate()
		}
	default:
		s.Skip()
	}
}

// Compact returns raw without the white space outside its strings: raw itself
// when there is none.
func Compact(raw []byte) []byte {
	for i := 0; i < len(raw); i++ {
		switch raw[i] {
		case '"':
			end := closing(raw, i+1)
			if end < 0 {
				return raw
			}
			i = end
		case ' ', '\n', '\r', '\t':
			return AppendCompact(append(make([]byte, 0, len(raw)), raw[:i]...), raw[i:])
		}
	}
	return raw
}

// AppendCompact appends raw without the white space outside its strings.
func AppendCompact(b, raw []byte) []byte {
	from := 0
	for i := 0; i < len(raw); i++ {
		switch raw[i] {
		case '"':
			end := closing(raw, i+1)
			if end < 0 {
				return append(b, raw[from:]...)
			}
			i = end
		case ' ', '\n', '\r', '\t':
			b = append(b, raw[from:i]...)
			from = i + 1
		}
	}
	return append(b, raw[from:]...)
}

// trim cuts the white space at both ends.
func trim(raw []byte) []byte { return bytes.Trim(raw, " \t\r\n") }
