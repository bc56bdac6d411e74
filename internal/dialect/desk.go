package dialect

import "github.com/aratta-gateway/aratta/scri"

// Desk is memory that requests are decoded into, one after the other. What is
// made in it is gone when the exchange is over, as the body is that it aliases.
// A nil Desk gives new memory.
type Desk struct {
	messages []scri.Message
	parts    []scri.Part
	usedUp   int // parts that did not fit

	reader  Reader // what decoded the last request, or decodes this one
	reading bool   // this one
}

// Reader is what a request is decoded with, and may be made of: Forget makes it ready
// for the next one. It must let go of all that it had to do with the last one.
type Reader interface{ Forget() }

// ReaderAt returns the reader of the desk, which was told to forget, or a new one: if
// there is no desk, or none of that type, or one that is at work.
func ReaderAt[T any, P interface {
	*T
	Reader
}](d *Desk) P {
	if d == nil || d.reading {
		return new(T)
	}
	p, ok := d.reader.(P)
	if !ok {
		p = new(T)
		d.reader = p
	}
	d.reading = true
	return p
}

// Bounds of what is kept from one request to the next.
const (
	maxKeptMessages = 1 << 12
	maxKeptParts    = 1 << 13
)

// Messages returns an empty list with room for at least n messages. It is for
// one list a request.
func (d *Desk) Messages(n int) []scri.Message {
	if d == nil || n > maxKeptMessages {
		return make([]scri.Message, 0, n)
	}
	if cap(d.messages) < n {
		d.messages = make([]scri.Message, 0, n+n/4) // the next one is longer by a turn
	}
	return d.messages[:0]
}

// Parts returns an empty list with room for at least n parts; at the first call
// of a request, all the room there is.
func (d *Desk) Parts(n int) []scri.Part {
	if d == nil {
		return make([]scri.Part, 0, n)
	}
	if d.usedUp == 0 && cap(d.parts) >= n {
		d.usedUp = cap(d.parts)
		return d.parts[:0]
	}
	d.usedUp += n
	return make([]scri.Part, 0, n)
}

// clear makes the desk ready for the next request. Nobody may read what the last
// one left there.
func (d *Desk) clear() {
	clear(d.messages[:cap(d.messages)])
	clear(d.parts[:cap(d.parts)])
	if want := min(d.usedUp, maxKeptParts); want > cap(d.parts) {
		d.parts = make([]scri.Part, 0, want)
	}
	d.usedUp = 0
	if d.reading {
		d.reader.Forget()
		d.reading = false
	}
}
