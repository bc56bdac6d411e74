package native

import (
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// decoder reads the objects of the dialect. Texts and raw values alias the
// document.
type decoder struct {
	wire.Scanner

	lenient bool // answers: what does not fit is kept aside instead of refused
	own     bool // plain strings are copied, as the document will be overwritten
	missing *scri.Error

	parts []scri.Part // scratch for lists of parts, nested ones behind each other
	room  []scri.Part // where finished lists are cut from
	typed *scri.Ext   // of parts whose only oddity is that their kind is spelled "type"
}

// end returns the first error, that of trailing bytes included.
func (d *decoder) end() error {
	if err := d.End(); err != nil {
		return dialect.Invalid(err)
	}
	if d.missing != nil {
		return d.missing
	}
	return nil
}

// require notes that the object just read lacks a field.
func (d *decoder) require(there bool, field string) {
	if !there && !d.lenient && d.missing == nil && d.Err() == nil {
		d.missing = dialect.Missing(d.Pointer() + "/" + field)
		d.missing.Message = `the field "` + field + `" is required`
	}
}

// mark is a place to come back to.
type mark struct {
	at      wire.Mark
	missing *scri.Error
}

func (d *decoder) mark() mark { return mark{d.Mark(), d.missing} }

// misfit reports whether what was read since m is sound JSON that does not fit.
func (d *decoder) misfit(m mark) bool {
	return d.missing != m.missing || d.Err() != nil && unfit(d.Err())
}

func unfit(err error) bool {
	var e *wire.TypeError
	return errors.As(err, &e)
}

func (d *decoder) back(m mark) {
	d.Rewind(m.at)
	d.missing = m.missing
}

// null keeps a member that is null, which says nothing.
func (d *decoder) null(x *extra) bool {
	if d.Kind() != wire.Null {
		return false
	}
	x.keep(d.Member())
	return true
}

// try reads a member of an answer with f, or keeps it aside when it does not
// fit; then it reports false.
func (d *decoder) try(x *extra, f func()) bool {
	if !d.lenient {
		f()
		return true
	}
	m := d.mark()
	f()
	if !d.misfit(m) {
		return true
	}
	d.back(m)
	x.keep(d.Member())
	return false
}

// child reads an object that has no Ext of its own. When it holds something
// that has no place, the whole of it is kept with the object around as well.
func (d *decoder) child(x *extra, name string, f func(c *extra)) {
	m := d.Mark()
	c := extra{name: name}
	f(&c)
	if c.form != "" {
		x.word(c.form)
	}
	if !c.odd || d.Err() != nil {
		return
	}
	d.Rewind(m)
	x.keep(d.Member())
}

func (d *decoder) plain() string {
	s := d.Unquoted()
	if d.own {
		s = strings.Clone(s)
	}
	return s
}

func (d *decoder) str(x *extra, name string) string {
	s := d.plain()
	if s == "" {
		x.zero(name, `""`)
	}
	return s
}

func (d *decoder) text(x *extra, name string) scri.Text {
	t := scri.QuotedText(d.Str())
	if t.IsZero() {
		x.zero(name, `""`)
	}
	return t
}

func (d *decoder) flag(x *extra, name string) bool {
	v := d.Bool()
	if !v {
		x.zero(name, "false")
	}
	return v
}

func (d *decoder) int64(x *extra, name string) int64 {
	n := d.Int()
	if n == 0 {
		x.zero(name, "0")
	}
	return n
}

// number reads how many of something there are, or which of them is meant: small,
// and never negative.
func (d *decoder) number(least, most int64) int {
	n := d.Int()
	if n < least || n > most {
		d.Fail("must be between %d and %d", least, most)
		return 0
	}
	return int(n)
}

func (d *decoder) float(x *extra, name string) float64 {
	f := d.Float()
	if f == 0 {
		x.zero(name, "0")
	}
	return f
}

func (d *decoder) intPtr() *int64     { return new(d.Int()) }
func (d *decoder) floatPtr() *float64 { return new(d.Float()) }
func (d *decoder) boolPtr() *bool     { return new(d.Bool()) }

// raw takes a value of one of the kinds as it stands.
func (d *decoder) raw(want string, kinds ...wire.Kind) scri.RawJSON {
	k := d.Kind()
	if k == wire.Invalid || slices.Contains(kinds, k) {
		return scri.RawJSON(d.Raw())
	}
	d.Fail("must be %s, not %s", want, k)
	return nil
}

func (d *decoder) time() time.Time {
	m := d.Mark()
	t, err := time.Parse(time.RFC3339Nano, d.Unquoted())
	if err != nil && d.Err() == nil {
		d.Rewind(m)
		d.Fail("must be a time as RFC 3339 has it")
	}
	return t
}

func (d *decoder) strings(x *extra, name string) []string {
	var out []string
	for range d.Elements() {
		out = append(out, d.plain())
	}
	if len(out) == 0 {
		x.zero(name, "[]")
	}
	return out
}

// list reads an array with f for each element.
func list[T any](d *decoder, x *extra, name string, f func() T) []T {
	var out []T
	for range d.Elements() {
		out = append(out, f())
	}
	if len(out) == 0 {
		x.zero(name, "[]")
	}
	return out
}

// ext reads the member "ext". One that claims to be native is taken as such
// only where unknown members have no place of their own.
func (d *decoder) ext(x *extra, own bool) {
	m := d.mark()
	e, odd := d.extension()
	if d.misfit(m) && d.lenient {
		odd = true
	} else if d.Err() != nil || d.missing != m.missing {
		return
	}
	d.back(m)
	raw := d.Member()
	if odd || e.Dialect == Name && !own {
		x.keep(raw)
		return
	}
	x.ext, x.extRaw = e, raw
}

// extension reads an Ext and reports whether there was more than it can hold.
func (d *decoder) extension() (*scri.Ext, bool) {
	e := new(scri.Ext)
	odd, named := false, false
	for name := range d.Members() {
		switch name {
		case "dialect":
			e.Dialect, named = d.plain(), true
		case "members":
			e.Members = d.raw("an object", wire.Object)
		case "form":
			e.Form = d.plain()
			odd = odd || e.Form == ""
		default:
			odd = true
		}
	}
	d.require(named, "dialect")
	return e, odd || !named
}
