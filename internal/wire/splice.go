package wire

import (
	"cmp"
	"unsafe"
)

// leastPiece is from which length on another piece is cheaper than a copy.
const leastPiece = 1 << 10

// cut says that the bytes from:to of the source belong before B[at:].
type cut struct{ at, from, to int }

// Splice lets strings of at least so many bytes (0 = 1 KiB) that lie in src stay
// there: the document is then told by Pieces, and B is only what is between them.
// src must not change while the pieces are in use. A string that was written must
// not be taken back any more.
func (w *Writer) Splice(src []byte, least int) {
	w.src, w.least = src, cmp.Or(least, leastPiece)
}

// Quoted writes a JSON string as it stands, quotes included.
func (w *Writer) Quoted(q []byte) {
	w.Comma()
	from, ok := w.within(q)
	if !ok {
		w.B = append(w.B, q...)
		return
	}
	to := from + len(q) - 1 // its last quote is written, as Comma looks at the last byte
	if n := len(w.cuts); n > 0 {
		// What a client wrote in the same way we do is one piece with what is
		// before it: mostly the whole conversation.
		last := &w.cuts[n-1]
		between := w.B[last.at:]
		if last.to+len(between) == from && string(w.src[last.to:from]) == string(between) {
			w.B = append(w.B[:last.at], '"')
			last.to = to
			return
		}
	}
	w.cuts = append(w.cuts, cut{len(w.B), from, to})
	w.B = append(w.B, '"')
}

// within returns where in the source q lies, if it does and is worth it.
func (w *Writer) within(q []byte) (int, bool) {
	if len(q) < max(w.least, 2) || len(q) > len(w.src) {
		return 0, false
	}
	off := uintptr(unsafe.Pointer(unsafe.SliceData(q))) - uintptr(unsafe.Pointer(unsafe.SliceData(w.src)))
	return int(off), off <= uintptr(len(w.src)-len(q))
}

// Pieces returns the document piece by piece, or nil if it is just B.
func (w *Writer) Pieces() [][]byte {
	if len(w.cuts) == 0 {
		return nil
	}
	pieces := make([][]byte, 0, 2*len(w.cuts)+1)
	at := 0
	for _, c := range w.cuts {
		if c.at > at {
			pieces = append(pieces, w.B[at:c.at])
		}
		pieces = append(pieces, w.src[c.from:c.to])
		at = c.at
	}
	return append(pieces, w.B[at:])
}
