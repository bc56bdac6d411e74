package anthropic

import (
	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// tool reads one tool: the client's own, or one that the API brings along.
func (d *requestDecoder) tool() scri.Tool {
	var t scri.Tool
	var u dialect.Unknown
	typ := dialect.Word(d.Peek("type"))
	own := typ == "" || typ == "custom"
	if typ == "custom" {
		u.Form("custom")
	}
	for name := range d.Members() {
		if d.KeepNull(&u) {
			continue
		}
		switch {
		case name == "type" && !own:
			d.str(&u, &t.Type)
		case name == "type" && typ == "custom":
			d.Skip()
		case name == "name":
			d.str(&u, &t.Name)
		case name == "cache_control":
			t.Cache = d.cache(&u)
		case name == "description" && own:
			if t.Description = scri.QuotedText(d.Str()); t.Description.IsZero() {
				u.Form("description")
			}
		case name == "input_schema" && own && d.Schema():
			t.Schema = d.Raw()
		case name == "strict" && own:
			t.Strict = new(d.Bool())
		default:
			u.Add(d.Member())
		}
	}
	if own && t.Schema == nil {
		u.Form("schemaless")
	}
	t.Ext = u.Ext(Name)
	if t.Ext == nil && !own {
		t.Ext = &scri.Ext{Dialect: Name} // says whose tool it is
	}
	return t
}

// toolChoice reads which tool must be called; a type that is not known, and a choice
// of a tool that is not named, stay an unknown member.
func (d *requestDecoder) toolChoice() bool {
	c := new(scri.ToolChoice)
	typ := dialect.Word(d.Peek("type"))
	if typ == "tool" && dialect.Word(d.Peek("name")) == "" {
		return false
	}
	switch typ {
	case "auto":
		c.Mode = scri.ToolsAuto
	case "any":
		c.Mode = scri.ToolsRequired
	case "none":
		c.Mode = scri.ToolsNone
	case "tool":
		c.Mode = scri.ToolsNamed
	default:
		if d.Kind() != wire.Object {
			d.Fail(`expected an object such as {"type":"auto"} but got %s`, d.Kind())
		}
		return false
	}
	var u dialect.Unknown
	for name := range d.Members() {
		if d.KeepNull(&u) {
			continue
		}
		switch {
		case name == "type":
			d.Skip()
		case name == "name" && typ == "tool":
			d.str(&u, &c.Name)
		case name == "disable_parallel_tool_use" && typ != "none":
			d.req.ParallelTools = new(!d.Bool())
		default:
			u.Add(d.Member())
		}
	}
	c.Ext = u.Ext(Name)
	d.req.ToolChoice = c
	return true
}

// tools writes the tools that can be told to this API.
func (e *encoder) tools(req *scri.ChatRequest) int {
	if len(req.Tools) == 0 {
		if hasForm(req.Ext, "tools") {
			e.w.Key("tools")
			e.w.Raw([]byte("[]"))
		}
		return 0
	}
	before, n := len(e.w.B), 0
	e.w.Key("tools")
	e.w.BeginArray()
	in := e.in("tools")
	for i := range req.Tools {
		at := e.at(i)
		if e.tool(&req.Tools[i]) {
			n++
		}
		e.out(at)
	}
	e.out(in)
	if n == 0 {
		e.w.B = e.w.B[:before]
		return 0
	}
	e.w.EndArray()
	return n
}

func (e *encoder) tool(t *scri.Tool) bool {
	if t.Type != "" && t.Ext.Of(Name) == nil {
		e.lose(scri.WarnDropped, "", t.Type, "", "a tool that only another provider has")
		return false
	}
	e.w.BeginObject()
	switch {
	case t.Type != "":
		e.str("type", t.Type)
	case hasForm(t.Ext, "custom"):
		e.str("type", "custom")
	}
	e.str("name", t.Name)
	if t.Type == "" {
		if !t.Description.IsZero() || hasForm(t.Ext, "description") {
			e.text("description", t.Description)
		}
		e.schema(t)
		if t.Strict != nil {
			e.w.Key("strict")
			e.w.Bool(*t.Strict)
		}
	}
	e.cache(t.Cache)
	e.ext(t.Ext)
	e.w.EndObject()
	return true
}

func (e *encoder) schema(t *scri.Tool) {
	switch {
	case len(t.Schema) > 0:
		e.w.Key("input_schema")
		e.w.Raw(t.Schema)
	case !hasForm(t.Ext, "schemaless"):
		e.w.Key("input_schema")
		e.w.Raw([]byte(`{"type":"object","properties":{}}`))
		e.lose(scri.WarnAdded, "schema", "", "", "every tool needs a schema here")
	}
}

// toolChoice writes which tool must be called, and whether several may be.
func (e *encoder) toolChoice(req *scri.ChatRequest, tools int) {
	c, parallel := req.ToolChoice, req.ParallelTools
	typ := choiceType(c)
	switch {
	case tools == 0 && !hasForm(req.Ext, "choice"), c != nil && typ == "":
		if c != nil {
			e.lose(scri.WarnDropped, "tool_choice", c.Mode, "", "there is nothing of the kind to choose from")
		}
		if parallel != nil {
			e.drop("parallel_tools", "there is nothing to call")
		}
		return
	case c == nil && parallel == nil:
		return
	case c == nil && *parallel:
		e.drop("parallel_tools", "that is the default")
		return
	case c == nil:
		e.lose(scri.WarnAdded, "tool_choice", "", "auto", "it holds the wish for one call at a time")
	}
	e.w.Key("tool_choice")
	e.open(typ)
	if c != nil && c.Mode == scri.ToolsNamed {
		e.str("name", c.Name)
	} else if c != nil && c.Name != "" {
		e.drop("tool_choice/name", "")
	}
	switch {
	case parallel != nil && typ == "none":
		e.drop("parallel_tools", "no tool is to be called")
	case parallel != nil:
		e.w.Key("disable_parallel_tool_use")
		e.w.Bool(!*parallel)
	}
	if c != nil {
		in := e.in("tool_choice")
		e.ext(c.Ext)
		e.out(in)
	}
	e.w.EndObject()
}

func choiceType(c *scri.ToolChoice) string {
	if c == nil {
		return "auto"
	}
	switch c.Mode {
	case scri.ToolsAuto:
		return "auto"
	case scri.ToolsRequired:
		return "any"
	case scri.ToolsNone:
		return "none"
	case scri.ToolsNamed:
		return "tool"
	default:
		return ""
	}
}
