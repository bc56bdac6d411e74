package provider

import "sync"

// maxKeptBody is up to which size memory for bodies is kept.
const maxKeptBody = 4 << 20

// bodies is memory for the bodies of requests through h1, which does not touch
// a body any more when it returns. To allocate and clear a megabyte for each
// turn of an agent costs as much as to send it. What lies here was made here:
// no memory of anybody else's can come in.
type bodies struct{ pool sync.Pool } // of *[]byte

// take returns memory to encode a body into: nil, unless it may be used again.
func (b *bodies) take(reuse bool) *[]byte {
	if !reuse {
		return nil
	}
	if buf, ok := b.pool.Get().(*[]byte); ok {
		return buf
	}
	return new([]byte)
}

// put keeps it for the next request: as much as the body of this one took.
func (b *bodies) put(buf *[]byte, took int) {
	if buf == nil || took > maxKeptBody {
		return
	}
	if took > cap(*buf) {
		*buf = make([]byte, 0, took+took/8)
	}
	b.pool.Put(buf)
}
