package native

import (
	"slices"
	"strings"
	"time"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// encoder writes the objects of the dialect. It remembers the names written in
// the open objects, so that an Ext adds only what is not there yet.
type encoder struct {
	wire.Writer

	names []string
}

// begin opens an object; what it returns goes to end.
func (e *encoder) begin() int {
	e.BeginObject()
	return len(e.names)
}

func (e *encoder) key(name string) {
	e.Key(name)
	e.names = append(e.names, name)
}

// end closes an object with what its Ext adds.
func (e *encoder) end(base int, x *scri.Ext) {
	if x != nil {
		if x.Dialect == Name {
			e.own(base, x)
			e.zeros(base, x, "")
		} else {
			e.key("ext")
			e.ext(x)
		}
	}
	e.names = e.names[:base]
	e.EndObject()
}

// child closes an object without an Ext, which stands as name in one that has x.
func (e *encoder) child(base int, x *scri.Ext, name string) {
	if x = x.Of(Name); x != nil {
		e.zeros(base, x, name+".")
	}
	e.names = e.names[:base]
	e.EndObject()
}

// ext writes an Ext with all that it is.
func (e *encoder) ext(x *scri.Ext) {
	e.BeginObject()
	e.Key("dialect")
	e.Str(x.Dialect)
	if len(x.Members) > 0 {
		e.Key("members")
		e.Raw(x.Members)
	}
	if x.Form != "" {
		e.Key("form")
		e.Str(x.Form)
	}
	e.EndObject()
}

func (e *encoder) written(base int, name string) bool {
	return slices.Contains(e.names[base:], name)
}

// own writes the members of a native Ext beside the typed ones, which win.
func (e *encoder) own(base int, x *scri.Ext) {
	if len(x.Members) <= 2 {
		return
	}
	s := wire.NewScanner(x.Members)
	for name := range s.Members() {
		if !e.written(base, name) { // its own names do not repeat
			e.Raw(s.Member())
		}
	}
}

// zeros writes the members that were there with their zero value and still have
// it. The words come with a prefix for objects that have no Ext.
func (e *encoder) zeros(base int, x *scri.Ext, prefix string) {
	if x.Form == "" {
		return
	}
	for word := range strings.FieldsSeq(x.Form) {
		name, value, ok := strings.Cut(word, "=")
		if !ok {
			continue
		}
		if name, ok = strings.CutPrefix(name, prefix); !ok || !memberName(name) || e.written(base, name) {
			continue
		}
		if prefix == "" && misfit(x, name) {
			continue
		}
		switch value {
		case "false", "0", `""`, "[]", "{}":
			e.key(name)
			e.B = append(e.B, value...)
		default:
		}
	}
}

// memberName reports whether a word of a form, which may come from elsewhere, is
// the name of a member.
func memberName(s string) bool {
	for i := range len(s) {
		if c := s[i]; c != '_' && (c < 'a' || c > 'z') {
			return false
		}
	}
	return s != ""
}

// asItWas writes a member verbatim as the native Ext around it has it, when that
// still means the same: agrees is asked with a decoder at the value. It reports
// whether it did.
func (e *encoder) asItWas(x *scri.Ext, name string, agrees func(d *decoder) bool) bool {
	if x = x.Of(Name); x == nil || len(x.Members) == 0 {
		return false
	}
	raw := wire.NewScanner(x.Members).Peek(name)
	if raw == nil {
		return false
	}
	d := new(decoder)
	d.Reset(raw)
	if !agrees(d) || d.end() != nil {
		return false
	}
	e.key(name)
	e.Raw(raw)
	return true
}

func (e *encoder) str(name, s string) {
	if s != "" {
		e.key(name)
		e.Str(s)
	}
}

func (e *encoder) text(name string, t scri.Text) {
	if !t.IsZero() {
		e.key(name)
		dialect.WriteText(&e.Writer, t)
	}
}

func (e *encoder) raw(name string, r scri.RawJSON) {
	if len(r) > 0 {
		e.key(name)
		e.Raw(r)
	}
}

func (e *encoder) flag(name string, v bool) {
	if v {
		e.key(name)
		e.Bool(v)
	}
}

func (e *encoder) int(name string, n int64) {
	if n != 0 {
		e.key(name)
		e.Int(n)
	}
}

func (e *encoder) float(name string, f float64) {
	if f != 0 {
		e.key(name)
		e.Float(f)
	}
}

func (e *encoder) intPtr(name string, p *int64) {
	if p != nil {
		e.key(name)
		e.Int(*p)
	}
}

func (e *encoder) floatPtr(name string, p *float64) {
	if p != nil {
		e.key(name)
		e.Float(*p)
	}
}

func (e *encoder) boolPtr(name string, p *bool) {
	if p != nil {
		e.key(name)
		e.Bool(*p)
	}
}

func (e *encoder) time(name string, t time.Time) {
	if !t.IsZero() {
		e.key(name)
		e.B = append(e.B, '"')
		e.B = t.AppendFormat(e.B, time.RFC3339Nano)
		e.B = append(e.B, '"')
	}
}

func (e *encoder) strings(name string, list []string) {
	if len(list) == 0 {
		return
	}
	e.key(name)
	e.BeginArray()
	for _, s := range list {
		e.Str(s)
	}
	e.EndArray()
}

// each writes a list with f for each element, or nothing for an empty one.
func each[T any](e *encoder, name string, list []T, f func(v *T)) {
	if len(list) == 0 {
		return
	}
	e.key(name)
	e.BeginArray()
	for i := range list {
		f(&list[i])
	}
	e.EndArray()
}
