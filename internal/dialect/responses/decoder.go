package responses

import (
	"bytes"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// decoder reads items. What it makes aliases the document.
type decoder struct {
	wire.Scanner
	answer bool // the items are a model's answer
	begins bool // it is an item that begins, of which its end has the last word

	messages []scri.Message
	parts    []scri.Part // of the assistant's message at hand
	probs    []scri.TokenLogProb
	called   bool // the assistant calls a tool of the client

	forms []*scri.Ext // one for each spelling seen, shared by all who have it
	slab  []scri.Part // where finished lists are cut from
	calls []scri.ToolCall
	outs  []scri.ToolResult
}

func newDecoder(doc []byte) *decoder {
	d := new(decoder)
	d.Reset(doc)
	return d
}

// maxForms bounds how many spellings are looked through for one that was seen.
const maxForms = 64

// form returns an Ext that says nothing but a spelling.
func (d *decoder) form(words string) *scri.Ext {
	for _, e := range d.forms {
		if e.Form == words {
			return e
		}
	}
	e := &scri.Ext{Dialect: Name, Form: words}
	if len(d.forms) < maxForms {
		d.forms = append(d.forms, e)
	}
	return e
}

// ext is u's Ext, shared where it holds no members.
func (d *decoder) ext(u *dialect.Unknown) *scri.Ext {
	e := u.Ext(Name)
	if e != nil && e.Members == nil {
		return d.form(e.Form)
	}
	return e
}

// newCall and newResult cut one from a slab: conversations of agents hold little else.
func (d *decoder) newCall() *scri.ToolCall {
	if len(d.calls) == 0 {
		d.calls = make([]scri.ToolCall, min(32, 1+len(d.messages)))
	}
	c := &d.calls[0]
	d.calls = d.calls[1:]
	return c
}

func (d *decoder) newResult() *scri.ToolResult {
	if len(d.outs) == 0 {
		d.outs = make([]scri.ToolResult, min(32, 1+len(d.messages)))
	}
	r := &d.outs[0]
	d.outs = d.outs[1:]
	return r
}

// keep copies a list to one of its own, cut from a slab.
func (d *decoder) keep(list []scri.Part) []scri.Part {
	n := len(list)
	if n == 0 {
		return nil
	}
	if cap(d.slab)-len(d.slab) < n {
		d.slab = make([]scri.Part, 0, max(n, min(64, 4+2*cap(d.slab))))
	}
	from := len(d.slab)
	d.slab = append(d.slab, list...)
	return d.slab[from:len(d.slab):len(d.slab)]
}

// one is keep of a single part.
func (d *decoder) one(p scri.Part) []scri.Part { return d.keep([]scri.Part{p}) }

// null keeps a member that is null, which says nothing.
func (d *decoder) null(u *dialect.Unknown) bool {
	if d.Kind() != wire.Null {
		return false
	}
	u.Add(d.Member())
	return true
}

// said takes a string that says something; anything else is kept as it stands.
func (d *decoder) said(u *dialect.Unknown, into *string) {
	if d.Kind() == wire.String {
		m := d.Mark()
		if *into = d.Unquoted(); *into != "" {
			return
		}
		d.Rewind(m)
	}
	u.Add(d.Member())
}

// need makes an item that lacks something misfit its kind.
func (d *decoder) need(there bool, what string) {
	if !there && d.Err() == nil {
		d.Fail("%s is missing", what)
	}
}

// try reads a value with f. If it does not fit, the walk is back before the
// value and try reports false; broken JSON stays broken.
func (d *decoder) try(f func() bool) bool {
	m := d.Mark()
	if f() && d.Err() == nil {
		return true
	}
	if d.Err() != nil && !dialect.Misfit(d.Err()) {
		return true
	}
	d.Rewind(m)
	return false
}

// slight adds a member whose loss loses nothing.
func slight(u *dialect.Unknown, name string, member []byte) {
	if plainWord(name) {
		u.Form(dialect.Slight + name)
	}
	u.Add(member)
}

// plainWord reports whether a name can be a word of a spelling as it is.
func plainWord(s string) bool {
	for i := range len(s) {
		c := s[i]
		if c != '_' && c != '-' && c != '.' && (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'z') {
			return false
		}
	}
	return s != ""
}

// envelope gathers the members of an item beside its content: the name that its
// server gave it and how far it has come, and apart from these whatever nobody
// knows.
type envelope struct {
	light, heavy dialect.Unknown
}

// Names under which the Ext of the first part of an item holds its envelope.
const (
	nestedLight = "item"
	nestedHeavy = "item_ext"
)

func (v *envelope) add(d *decoder, name string) {
	if d.Kind() == wire.Null || name == "id" || name == "status" {
		v.light.Add(d.Member())
		return
	}
	v.heavy.Add(d.Member())
}

// nested puts the envelope into the Ext of the first part of its item.
func (v *envelope) nested(u *dialect.Unknown) {
	if obj := v.light.Object(); obj != nil {
		slight(u, nestedLight, append([]byte(`"`+nestedLight+`":`), obj...))
	}
	if obj := v.heavy.Object(); obj != nil {
		u.Add(append([]byte(`"`+nestedHeavy+`":`), obj...))
	}
}

// value is what of a member follows its name, which is a known one.
func value(member []byte) []byte {
	if len(member) == 0 {
		return nil
	}
	i := 1 + bytes.IndexByte(member[1:], '"')
	i += 1 + bytes.IndexByte(member[i:], ':')
	return bytes.TrimLeft(member[i:], " \t\r\n")
}
