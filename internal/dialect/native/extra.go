package native

import (
	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/scri"
)

// extra gathers what an object says beyond its typed fields.
type extra struct {
	members []byte    // unknown ones and nulls: `"a":1,"b":null`
	form    string    // words of Ext.Form
	ext     *scri.Ext // of the member "ext", when it is another dialect's
	extRaw  []byte    // that member as it stood

	// For objects that have no Ext.
	name string // of the object in the one around it
	deep bool   // it holds more objects, so that a name here does not say where
	odd  bool   // something was met that has no place here
}

// keep takes along a member that the typed fields cannot hold.
func (x *extra) keep(member []byte) {
	switch {
	case len(member) == 0: // the scanner has failed
	case x.name != "":
		x.odd = true
	default:
		if len(x.members) > 0 {
			x.members = append(x.members, ',')
		}
		x.members = append(x.members, member...)
	}
}

// word remembers a spelling.
func (x *extra) word(w string) {
	if x.form != "" {
		x.form += " "
	}
	x.form += w
}

// zero remembers that a known member was there with its zero value.
func (x *extra) zero(name, value string) {
	switch {
	case x.name == "":
		x.word(name + "=" + value)
	case x.deep:
		x.odd = true
	default:
		x.word(x.name + "." + name + "=" + value)
	}
}

// result is the Ext of the object.
func (x *extra) result() *scri.Ext {
	if x.ext != nil && len(x.members) == 0 {
		return x.ext
	}
	if x.ext != nil {
		x.keep(x.extRaw)
	}
	if len(x.members) == 0 && x.form == "" {
		return nil
	}
	e := &scri.Ext{Dialect: Name, Form: x.form}
	if len(x.members) > 0 {
		e.Members = make(scri.RawJSON, 0, len(x.members)+2)
		e.Members = append(append(append(e.Members, '{'), x.members...), '}')
	}
	return e
}

// formHas reports whether the native form of an object has the word.
func formHas(e *scri.Ext, word string) bool {
	return dialect.Formed(e, Name, word)
}
