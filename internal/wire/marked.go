package wire

import "math/bits"

const windowSize = windowBlocks * 64

// Marked is what was found in a large document while it came, so that nobody has to
// fetch it from memory again to look for the ends of its strings. The zero Marked
// knows nothing; its memory is used again after Reset.
type Marked struct {
	n     int      // bytes that are marked: whole windows
	carry uint64   // what the last of them asks of the next, see mark
	some  []uint64 // of each window, which blocks have any mark
	first []int    // of each window, where the marks of these blocks begin
	marks []marks
	block [windowBlocks]marks
}

// Extend marks what has come since the last time. doc is all that has come; it may
// lie elsewhere now.
func (m *Marked) Extend(doc []byte) {
	if !canMark() {
		return
	}
	for len(doc)-m.n >= windowSize {
		var some uint64
		m.carry, some = mark(m.block[:], doc[m.n:m.n+windowSize], m.carry)
		m.some, m.first = append(m.some, some), append(m.first, len(m.marks))
		for ; some != 0; some &= some - 1 {
			m.marks = append(m.marks, m.block[bits.TrailingZeros64(some)])
		}
		m.n += windowSize
	}
}

// Reset forgets the document.
func (m *Marked) Reset() {
	m.n, m.carry = 0, 0
	m.some, m.first, m.marks = m.some[:0], m.first[:0], m.marks[:0]
}

// Size is about how many bytes of memory m holds.
func (m *Marked) Size() int { return 16 * (cap(m.some) + cap(m.marks)) }

// take makes the window one that was marked before.
func (m *Marked) take(w *window, k int) {
	w.base, w.end = k*windowSize, (k+1)*windowSize
	w.some = m.some[k]
	found := m.marks[m.first[k]:]
	for some := w.some; some != 0; some &= some - 1 {
		w.marks[bits.TrailingZeros64(some)] = found[0]
		found = found[1:]
	}
}
