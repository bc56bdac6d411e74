package gemini

import (
	"strings"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

const declarations = "functionDeclarations"

// tools reads the tools. The wire groups them into objects: functions together,
// each of Google's own tools by its name. A tool notes with "join" that it shares
// an object with the one before, and with "split" that it does not, where the
// other is usual.
func (d *requestDecoder) tools() {
	if d.list(d.tool) {
		d.unknown.Form("tool")
	} else if len(d.req.Tools) == 0 {
		d.unknown.Form("tools")
	}
}

// tool reads one object of tools.
func (d *requestDecoder) tool() {
	from := len(d.req.Tools)
	var nulls []string
	m := d.Mark()
	for as := range d.Members() {
		switch {
		case d.Kind() == wire.Null && plainWord(as):
			nulls = append(nulls, as+"=null")
			d.Skip()
		case camel(as) == declarations && d.try(d.declarations):
			if as != declarations {
				d.note(from, as) // of the object's functions the first tells how they are called
			}
		default:
			d.req.Tools = append(d.req.Tools, d.ownTool(as))
		}
	}
	if d.Err() != nil {
		return
	}
	list := d.req.Tools[from:]
	if len(list) == 0 { // nobody can say what such a thing is
		d.Rewind(m)
		d.req.Tools = append(d.req.Tools, scri.Tool{Type: "none", Ext: &scri.Ext{Dialect: Name, Members: d.Raw(), Form: "none"}})
		return
	}
	for i := range list {
		fn := list[i].Type == ""
		switch {
		case i == 0 && fn && from > 0 && d.req.Tools[from-1].Type == "":
			noteTool(&list[i], "split")
		case i > 0 && (!fn || list[i-1].Type != ""):
			noteTool(&list[i], "join")
		}
	}
	if nulls != nil {
		noteTool(&list[0], strings.Join(nulls, " "))
	}
}

// note adds a word to the form of the first tool from there on that is a function.
func (d *requestDecoder) note(from int, word string) {
	for i := from; i < len(d.req.Tools); i++ {
		if d.req.Tools[i].Type == "" {
			noteTool(&d.req.Tools[i], word)
			return
		}
	}
}

func noteTool(t *scri.Tool, word string) {
	if t.Ext == nil {
		t.Ext = &scri.Ext{Dialect: Name}
	}
	t.Ext.Form = strings.TrimSpace(t.Ext.Form + " " + word)
}

// ownTool reads one of Google's own tools. What is no object is kept as its value.
func (d *requestDecoder) ownTool(as string) scri.Tool {
	t := scri.Tool{Type: strings.Clone(as), Ext: &scri.Ext{Dialect: Name}}
	if d.Kind() == wire.Object {
		if raw := d.Raw(); len(raw) > 2 {
			t.Ext.Members = raw
		}
		return t
	}
	raw := d.Raw()
	t.Ext.Form = "value"
	t.Ext.Members = append(append([]byte(`{"value":`), raw...), '}')
	return t
}

// declarations reads the functions of one object.
func (d *requestDecoder) declarations() bool {
	from := len(d.req.Tools)
	single := d.list(func() { d.req.Tools = append(d.req.Tools, d.declaration()) })
	if d.Err() != nil || len(d.req.Tools) == from {
		d.req.Tools = d.req.Tools[:from]
		return false
	}
	if single {
		noteTool(&d.req.Tools[from], "single")
	}
	return true
}

func (d *requestDecoder) declaration() scri.Tool {
	var t scri.Tool
	var u dialect.Unknown
	named := false
	for as := range d.Members() {
		if d.KeepNull(&u) {
			continue
		}
		switch n := camel(as); {
		case n == "name":
			t.Name, named = d.Unquoted(), true
		case n == "description":
			if t.Description = scri.QuotedText(d.Str()); t.Description.IsZero() {
				u.Form("description")
			}
		case t.Schema == nil && (n == "parameters" && d.Kind() == wire.Object ||
			n == "parametersJsonSchema" && (d.Kind() == wire.Object || d.Kind() == wire.Bool)):
			name(as, &u)
			t.Schema = d.Raw()
			if n == "parameters" {
				u.Form(n)
				t.Schema = lowered(t.Schema, &u)
			}
		default:
			u.Add(d.Member())
		}
	}
	if !named && d.Err() == nil {
		d.Fail("a function without a name")
	}
	t.Ext = u.Ext(Name)
	return t
}
