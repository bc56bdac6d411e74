package dialect

import "github.com/aratta-gateway/aratta/internal/wire"

// Decoder reads the objects of a dialect, and keeps what it does not take. Texts and
// raw values alias the document.
type Decoder struct{ wire.Scanner }

// KeepNull keeps a member that is null, which says nothing, and reports whether it
// is.
func (d *Decoder) KeepNull(u *Unknown) bool {
	if d.Kind() != wire.Null {
		return false
	}
	u.Add(d.Member())
	return true
}

// Some reports whether the next value is a string that says something.
func (d *Decoder) Some() bool {
	if d.Kind() != wire.String {
		return false
	}
	m := d.Mark()
	q := d.Str()
	d.Rewind(m)
	return len(q) > 2
}

// Take takes a string that says something; anything else is kept as it stands.
func (d *Decoder) Take(u *Unknown, into *string) {
	if d.Some() {
		*into = d.Unquoted()
		return
	}
	u.Add(d.Member())
}

// Need makes an item that lacks something misfit its kind.
func (d *Decoder) Need(there bool, what string) {
	if !there && d.Err() == nil {
		d.Fail("%s is missing", what)
	}
}
