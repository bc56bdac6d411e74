package openai

import (
	"strings"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

func (d *request) tools() {
	n := 0
	for range d.Elements() {
		n++
		var t scri.Tool
		if !d.try(func() bool { return d.tool(&t) }) {
			t = scri.Tool{}
			d.foreignTool(&t)
		}
		d.add(t)
	}
	if n == 0 && d.Err() == nil {
		d.u.Form("tools[]")
	}
}

func (d *request) add(t scri.Tool) {
	if d.r.Tools == nil {
		d.r.Tools = d.toolRoom
	}
	d.r.Tools = append(d.r.Tools, t)
}

// tool reads a function; anything else does not fit.
func (d *request) tool(t *scri.Tool) bool {
	var u, inner dialect.Unknown
	form, function, typed := "", false, false
	for member := range d.Members() {
		switch member {
		case "type":
			if d.Unquoted() != "function" {
				return false
			}
			typed = true
		case "function":
			function = true
			form = d.functionTool(t, &inner)
		case "cache_control":
			if t.Cache = d.cache(); t.Cache == nil {
				u.Add(d.Member())
			}
		default:
			u.Add(d.Member())
		}
	}
	if !function || t.Name == "" {
		return false
	}
	if !typed {
		form += " notype"
	}
	if !inner.Empty() {
		u.Add(append([]byte(`"function":`), inner.Object()...))
		form += " +function"
	}
	t.Ext = d.ext(&u, strings.TrimPrefix(form, " "))
	return true
}

// functionTool reads the object that describes a function. Nulls in it become
// words of the spelling, as they say nothing.
func (d *request) functionTool(t *scri.Tool, u *dialect.Unknown) (form string) {
	for member := range d.Members() {
		switch {
		case d.Kind() == wire.Null && plainWord(member) && len(form) < maxForm:
			form += " " + member + "=null"
			d.Skip()
		case member == "name" && d.Kind() == wire.String:
			t.Name = d.Unquoted()
		case member == "description" && d.Kind() == wire.String:
			if t.Description = scri.QuotedText(d.Str()); t.Description.IsZero() {
				form += " description="
			}
		case member == "parameters" && dialect.IsSchema(d.Kind()):
			t.Schema = d.Raw()
		case member == "strict" && d.Kind() == wire.Bool:
			t.Strict = d.boolean(u)
		default:
			u.Add(d.Member())
		}
	}
	return form
}

// maxForm bounds what is noted of nulls as words; further ones are members.
const maxForm = 256

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

// foreignTool carries a tool that is no function: a provider's own, or one with
// a grammar instead of a schema.
func (d *request) foreignTool(t *scri.Tool) {
	var u dialect.Unknown
	form := ""
	if d.Kind() != wire.Object {
		d.Fail("a tool must be an object")
		return
	}
	for member := range d.Members() {
		switch {
		case member == "type" && d.Kind() == wire.String:
			t.Type = d.Unquoted()
		case member == "name" && d.Kind() == wire.String:
			t.Name, form = d.Unquoted(), "name"
		default:
			if raw := d.Peek("name"); t.Name == "" && member == t.Type {
				t.Name = dialect.Word(raw)
			}
			u.Add(d.Member())
		}
	}
	if t.Type == "" {
		d.Fail("a tool needs a type, and a function with a name")
		return
	}
	if t.Type == "function" { // one without its description; "" would make it a sound one
		t.Type, form = "malformed", strings.TrimPrefix(form+" function", " ")
	}
	if t.Ext = d.ext(&u, form); t.Ext == nil {
		t.Ext = d.form("")
	}
}

// functions reads the older spelling of tools.
func (d *request) functions() {
	n := 0
	for range d.Elements() {
		n++
		var t scri.Tool
		var inner, u dialect.Unknown
		form := "functions" + d.functionTool(&t, &inner)
		if !inner.Empty() {
			u.Add(append([]byte(`"function":`), inner.Object()...))
			form += " +function"
		}
		t.Ext = d.ext(&u, form)
		d.add(t)
	}
	if n == 0 && d.Err() == nil {
		d.u.Form("functions[]")
	}
}

// toolChoice reads tool_choice, or function_call as the older spelling of it.
// What is neither a word nor a name is kept as it stands.
func (d *request) toolChoice() {
	if d.choice != nil {
		if d.r.ToolChoice = d.chosen(d.choice, ""); d.r.ToolChoice == nil {
			d.u.Add(d.choice)
		}
	}
	if d.functionChoice != nil {
		if d.r.ToolChoice == nil && d.choice == nil {
			d.r.ToolChoice = d.chosen(d.functionChoice, "function_call")
		} else {
			d.u.Add(d.functionChoice)
			return
		}
		if d.r.ToolChoice == nil {
			d.u.Add(d.functionChoice)
		}
	}
}

func (d *request) chosen(member []byte, form string) *scri.ToolChoice {
	c := new(scri.ToolChoice)
	v := value(member)
	switch w := dialect.Word(v); w {
	case "auto", "none", "required":
		c.Mode = w
	case "any":
		c.Mode, form = scri.ToolsRequired, "any"
	case "":
		if c.Name = chosenName(v, form); c.Name == "" {
			return nil
		}
		c.Mode = scri.ToolsNamed
	default:
		return nil
	}
	if form != "" {
		c.Ext = d.form(form)
	}
	return c
}

// chosenName reads {"type":"function","function":{"name":n}}, or {"name":n} in
// the older spelling; "" if there is anything else.
func chosenName(v []byte, form string) (n string) {
	var s wire.Scanner
	s.Reset(v)
	if form != "" {
		return onlyName(&s)
	}
	for member := range s.Members() {
		switch member {
		case "type":
			if s.Unquoted() != "function" {
				return ""
			}
		case "function":
			if n = onlyName(&s); n == "" {
				return ""
			}
		default:
			return ""
		}
	}
	if s.Err() != nil {
		return ""
	}
	return n
}

func onlyName(s *wire.Scanner) (n string) {
	for member := range s.Members() {
		if member != "name" {
			return ""
		}
		n = s.Unquoted()
	}
	if s.Err() != nil {
		return ""
	}
	return n
}
