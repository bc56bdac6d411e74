package openai

import (
	"strings"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// decoder reads requests and answers. What it makes aliases the document.
type decoder struct {
	wire.Scanner

	lenient bool // an answer: what does not fit is kept in Ext instead of refused
	own     bool // plain strings are copied, as the document will be overwritten

	thoughts, content, calls, tail []scri.Part   // of the message at hand
	slab                           []scri.Part   // where finished lists are cut from
	desk                           *dialect.Desk // of a request; else nil
	callSlab                       dialect.Slab[scri.ToolCall]
	resultSlab                     dialect.Slab[scri.ToolResult]

	forms []*scri.Ext // one for each spelling seen, shared by all who have it

	made  []string // ids made for calls without one that no result has taken yet
	seed  string   // what made ids begin with
	whole []byte   // an answer whose id is to be the seed
	count int      // calls seen
}

// maxForms bounds how many spellings are looked through for one that was seen.
const maxForms = 64

// maxKeptForms is up to how many are kept for the next request.
const maxKeptForms = 16

// form returns an Ext that says nothing but a spelling.
func (d *decoder) form(word string) *scri.Ext {
	for _, e := range d.forms {
		if e.Form == word {
			return e
		}
	}
	e := &scri.Ext{Dialect: name, Form: strings.Clone(word)}
	if len(d.forms) < maxForms {
		d.forms = append(d.forms, e)
	}
	return e
}

// ext is u's Ext, shared where it holds no members.
func (d *decoder) ext(u *dialect.Unknown, form string) *scri.Ext {
	if u.Empty() {
		if form == "" {
			return nil
		}
		return d.form(form)
	}
	return &scri.Ext{Dialect: name, Members: u.Object(), Form: form}
}

// is reports whether the next value is of kind k and wanted. A null goes to u;
// in an answer, so does whatever does not fit. In a request the reader that is
// called next refuses it.
func (d *decoder) is(k wire.Kind, u *dialect.Unknown) bool {
	got := d.Kind()
	if got == k {
		return true
	}
	if got == wire.Null || d.lenient && got != wire.Invalid {
		u.Add(d.Member())
		return false
	}
	return true
}

// integer reads a whole number; in an answer anything else goes to u.
func (d *decoder) integer(u *dialect.Unknown) (int64, bool) {
	if !d.is(wire.Number, u) {
		return 0, false
	}
	m := d.Mark()
	n := d.Int()
	if d.lenient && d.misfit() {
		d.Rewind(m)
		u.Add(d.Member())
		return 0, false
	}
	return n, d.Err() == nil
}

// float reads a number into a place, and returns that if there was one.
func (d *decoder) float(into *float64, u *dialect.Unknown) *float64 {
	if !d.is(wire.Number, u) {
		return nil
	}
	*into = d.Float()
	return into
}

func (d *decoder) boolean(u *dialect.Unknown) *bool {
	if !d.is(wire.Bool, u) {
		return nil
	}
	b := d.Bool()
	return &b
}

// misfit reports whether what was read is sound JSON of the wrong type.
func (d *decoder) misfit() bool {
	return d.Err() != nil && dialect.Misfit(d.Err())
}

// try reads a value with f. If it does not fit, the walk is back before the
// value and try reports false; broken JSON stays broken.
func (d *decoder) try(f func() bool) bool {
	m := d.Mark()
	if f() && d.Err() == nil {
		return true
	}
	if d.Err() != nil && !d.misfit() {
		return true
	}
	d.Rewind(m)
	return false
}

// keep copies a scratch list to one of its own, cut from a slab.
func (d *decoder) keep(list ...[]scri.Part) []scri.Part {
	n := 0
	for _, l := range list {
		n += len(l)
	}
	if n == 0 {
		return nil
	}
	d.room(n)
	from := len(d.slab)
	for _, l := range list {
		d.slab = append(d.slab, l...)
	}
	return d.slab[from:len(d.slab):len(d.slab)]
}

// room sees to it that the slab has room for n parts.
func (d *decoder) room(n int) {
	if cap(d.slab)-len(d.slab) < n {
		d.slab = d.desk.Parts(max(n, min(64, 4+2*cap(d.slab))))
	}
}

// forget makes the decoder ready for another document. The words of spelling are its
// own, and many clients use the same.
func (d *decoder) forget() {
	d.Reset(nil)
	d.thoughts, d.content = dialect.Clear(d.thoughts), dialect.Clear(d.content)
	d.calls, d.tail = dialect.Clear(d.calls), dialect.Clear(d.tail)
	d.made = dialect.Clear(d.made)
	d.callSlab.Clear()
	d.resultSlab.Clear()
	d.slab, d.desk, d.whole, d.seed, d.count = nil, nil, nil, "", 0
	if len(d.forms) > maxKeptForms {
		d.forms = nil
	}
}

// plain reads a string; see own.
func (d *decoder) plain() string { return d.copied(d.Unquoted()) }

func (d *decoder) copied(s string) string {
	if d.own {
		return strings.Clone(s)
	}
	return s
}

func (d *decoder) opaque() scri.Part {
	return scri.Part{Kind: scri.PartOpaque, Raw: d.Raw(), Ext: d.form("")}
}
