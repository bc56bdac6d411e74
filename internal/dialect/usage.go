package dialect

import "github.com/aratta-gateway/aratta/internal/wire"

// Count reads a number of tokens, which some write as 12.0. Anything else says
// nothing, and neither does one below zero: that is nil.
func Count(s *wire.Scanner) *int64 {
	if s.Kind() != wire.Number {
		return nil
	}
	const most = 1 << 53 // beyond it not all JSON readers agree
	m := s.Mark()
	f := s.Float()
	if s.Err() != nil {
		s.Rewind(m)
		return nil
	}
	if f < 0 || f > most || f != float64(int64(f)) {
		return nil
	}
	return new(int64(f))
}

// Counted is a number of tokens; one that was not told is none.
func Counted(n *int64) int64 {
	if n == nil {
		return 0
	}
	return *n
}

// Within is the count of a part, which is no more than its whole, whatever is told.
func Within(part, whole *int64) *int64 {
	if part != nil && whole != nil && *part > *whole {
		return new(*whole)
	}
	return part
}
