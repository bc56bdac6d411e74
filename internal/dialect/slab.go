package dialect

// maxKeptSlab is how many pieces are kept from one request to the next.
const maxKeptSlab = 1 << 10

// Slab gives out pieces of memory one after the other. Once cleared, it has room for
// as many again. The zero Slab is empty.
type Slab[T any] struct {
	room []T
	at   int // in room
	used int // in all
}

// Next returns a piece that is zero.
func (s *Slab[T]) Next() *T {
	if s.at == len(s.room) {
		s.room, s.at = make([]T, min(32, 1+s.used)), 0
	}
	p := &s.room[s.at]
	s.at++
	s.used++
	return p
}

// Clear takes all pieces back. Nobody may read them any more.
func (s *Slab[T]) Clear() {
	if want := min(s.used, maxKeptSlab); want > len(s.room) {
		s.room = make([]T, want)
	} else {
		clear(s.room[:s.at])
	}
	s.at, s.used = 0, 0
}

// Clear empties a list that is used again, as far as it is not too large for that.
func Clear[T any](list []T) []T {
	if cap(list) > maxKeptSlab {
		return nil
	}
	clear(list[:cap(list)])
	return list[:0]
}
