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
func (d *Decoder) Some() bool { return len(d.PeekString()) > 2 }

// Empty reports whether the next value is a string that says nothing.
func (d *Decoder) Empty() bool { return len(d.PeekString()) == 2 }

// PeekString is the next value, quoted, if it is a string, else nil. It is left where
// it is.
func (d *Decoder) PeekString() []byte {
	if d.Kind() != wire.String {
		return nil
	}
	m := d.Mark()
	defer d.Rewind(m)
	return d.Str()
}

// Schema reports whether the next value may be a JSON Schema. Another is kept as it
// stands: nobody else would take it for one.
func (d *Decoder) Schema() bool { return IsSchema(d.Kind()) }

// IsSchema reports whether a value may be a JSON Schema.
func IsSchema(k wire.Kind) bool { return k == wire.Object || k == wire.Bool }

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
