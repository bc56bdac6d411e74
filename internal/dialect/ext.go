package dialect

import (
	"bytes"
	"slices"
	"strconv"
	"strings"

	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// Unknown gathers the members of one wire object that its decoder has no word
// for, and the words of its spelling, to make an Ext of them. The zero Unknown
// is ready for use.
type Unknown struct {
	members []byte
	form    string
}

// Add takes a member, `"name":value`, as [wire.Scanner.Member] returns it.
func (u *Unknown) Add(member []byte) {
	if len(member) == 0 {
		return // the scanner has met an error
	}
	if len(u.members) == 0 {
		u.members = append(make([]byte, 0, len(member)+2), '{')
	} else {
		u.members = append(u.members, ',')
	}
	u.members = append(u.members, member...)
}

// Slight begins a word of a form that names a member whose loss loses nothing:
// it repeats what was asked, says the default, or is the name that the dialect's
// own server gave to a piece of the telling.
const Slight = "~"

// Put takes in what an Ext holds already. It may be nil.
func (u *Unknown) Put(e *scri.Ext) {
	if e == nil {
		return
	}
	if obj := bytes.TrimSpace(e.Members); len(obj) > 2 {
		u.Add(obj[1 : len(obj)-1])
	}
	if e.Form != "" {
		u.Form(e.Form)
	}
}

// Form notes how something was spelled.
func (u *Unknown) Form(word string) {
	if u.form != "" {
		u.form += " "
	}
	u.form += word
}

// Spelled returns the words of spelling.
func (u *Unknown) Spelled() string { return u.form }

// Empty reports whether no member was added.
func (u *Unknown) Empty() bool { return len(u.members) == 0 }

// Object returns the members as one JSON object, or nil.
func (u *Unknown) Object() scri.RawJSON {
	if len(u.members) == 0 {
		return nil
	}
	n := len(u.members)
	return append(u.members[:n:n], '}')
}

// Ext returns what was gathered, or nil if there was nothing.
func (u *Unknown) Ext(dialect string) *scri.Ext {
	if len(u.members) == 0 && u.form == "" {
		return nil
	}
	return &scri.Ext{Dialect: dialect, Members: u.Object(), Form: u.form}
}

// Formed reports whether an Ext of the dialect own notes the word of spelling.
func Formed(e *scri.Ext, own, word string) bool {
	return e != nil && e.Form != "" && e.Dialect == own && HasWord(e.Form, word)
}

// HasWord reports whether a form has the word.
func HasWord(form, word string) bool {
	if form == word {
		return true
	}
	if len(form) <= len(word) {
		return false
	}
	for w := range strings.FieldsSeq(form) {
		if w == word {
			return true
		}
	}
	return false
}

// Foreign reports each member of an Ext that belongs to another dialect and says
// something (it is neither null nor [Slight]) as dropped, at "<path>/ext/<name>". path is a function because it is built
// only where there is something to report.
func Foreign(warn *[]scri.Warning, e *scri.Ext, own string, path func() string) {
	if e == nil || e.Dialect == own || len(e.Members) == 0 {
		return
	}
	from, more := len(*warn), 0
	s := wire.NewScanner(e.Members)
	for name := range s.Members() {
		if s.Kind() == wire.Null || IsSlight(e, name) {
			continue
		}
		if more++; more > maxForeign {
			continue
		}
		*warn = append(*warn, scri.Warning{
			Code: scri.WarnDropped, Path: path() + "/ext/" + Escape(name),
			Detail: "a member that only " + e.Dialect + " knows",
		})
	}
	if more > maxForeign { // one for all
		*warn = append((*warn)[:from], scri.Warning{
			Code: scri.WarnDropped, Path: path() + "/ext",
			Detail: strconv.Itoa(more) + " members that only " + e.Dialect + " knows",
		})
	}
}

// Object writes the members of one object and remembers their names, so that an
// Ext adds only what is not said yet.
type Object struct {
	*wire.Writer

	names []string
}

// Begin opens the object.
func (o *Object) Begin(w *wire.Writer) {
	o.Writer, o.names = w, o.names[:0]
	w.BeginObject()
}

// Put writes the name of a member, whose value comes next.
func (o *Object) Put(name string) {
	o.Key(name)
	o.names = append(o.names, name)
}

// PutStr writes a member that is a string.
func (o *Object) PutStr(name, v string) {
	o.Put(name)
	o.Str(v)
}

// End closes the object with what an Ext of the dialect own adds. It tells of
// members that are said otherwise, and of those of another dialect.
func (o *Object) End(e *scri.Ext, own string, warn *[]scri.Warning, path func() string) {
	if e.Of(own) == nil {
		Foreign(warn, e, own, path)
	} else if len(e.Members) > 2 {
		s := wire.NewScanner(e.Members)
		for name := range s.Members() {
			switch {
			case !slices.Contains(o.names, name):
				o.Raw(s.Member())
			case s.Kind() != wire.Null:
				*warn = append(*warn, scri.Warning{Code: scri.WarnDropped, Path: path() + "/ext/" + Escape(name), Detail: "it is said otherwise here"})
			default:
			}
		}
	}
	o.EndObject()
}

// IsSlight reports whether losing the member of e loses nothing.
func IsSlight(e *scri.Ext, name string) bool {
	if !strings.Contains(e.Form, Slight) {
		return false
	}
	for w := range strings.FieldsSeq(e.Form) {
		if w[:1] == Slight && w[1:] == name {
			return true
		}
	}
	return false
}

// maxForeign bounds how many members of one object are reported one by one.
const maxForeign = 100

// Escape writes a name as one token of a JSON pointer.
func Escape(name string) string {
	if !strings.ContainsAny(name, "~/") {
		return name
	}
	return strings.ReplaceAll(strings.ReplaceAll(name, "~", "~0"), "/", "~1")
}
