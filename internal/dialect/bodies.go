package dialect

import "sync"

// maxKeptBody is up to which size memory for bodies is kept.
const maxKeptBody = 4 << 20

// Bodies is memory for the bodies of requests, which is used again: to allocate,
// clear and collect a megabyte for each turn of an agent costs as much as to
// send it. Whoever puts memory back must know that nobody reads it any more.
// Where the race detector runs it is overwritten then, so that tests tell.
//
// The zero Bodies is empty. What lies unused is left to the garbage collector.
type Bodies struct{ pool sync.Pool } // of *[]byte

// Take returns memory: a slice of length 0, maybe without any capacity.
func (b *Bodies) Take() *[]byte {
	if buf, ok := b.pool.Get().(*[]byte); ok {
		return buf
	}
	return new([]byte)
}

// Put takes memory back.
func (b *Bodies) Put(buf *[]byte) {
	if cap(*buf) == 0 || cap(*buf) > maxKeptBody {
		return
	}
	*buf = (*buf)[:cap(*buf)]
	spoil(*buf)
	*buf = (*buf)[:0]
	b.pool.Put(buf)
}
