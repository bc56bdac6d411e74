package gemini

import (
	"slices"
	"strings"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// toolWriter writes the list of tools: objects that hold functions, or one of
// Google's own tools, or what a client has put together.
type toolWriter struct {
	*requestEncoder
	open  bool     // an object is
	decls bool     // its list of functions is
	names []string // of the members of the object
	last  string   // type of the tool before
	any   bool
}

func (e *requestEncoder) tools() {
	list := e.req.Tools
	if len(list) == 0 {
		if formed(e.own, "tools") {
			e.member("tools")
			e.w.Raw([]byte("[]"))
		}
		return
	}
	t := toolWriter{requestEncoder: e}
	before := len(e.w.B)
	single := formed(e.own, "tool")
	e.member("tools")
	if !single {
		e.w.BeginArray()
	}
	in := e.In("tools")
	for i := range list {
		at := e.At(i)
		t.tool(&list[i])
		e.Out(at)
	}
	t.close()
	e.Out(in)
	if !t.any {
		e.w.B = e.w.B[:before]
		e.said = e.said[:len(e.said)-1]
		return
	}
	if !single {
		e.w.EndArray()
	}
}

// close ends the object that is open.
func (t *toolWriter) close() {
	if t.decls {
		t.w.EndArray()
	}
	if t.open {
		t.w.EndObject()
	}
	t.open, t.decls, t.names = false, false, t.names[:0]
}

func (t *toolWriter) tool(x *scri.Tool) {
	own := x.Ext.Of(Name)
	fn := x.Type == ""
	if !fn && own == nil {
		t.Tell(scri.WarnDropped, "", x.Type, "", "a tool that only another provider has")
		return
	}
	t.any = true
	if formed(own, "none") {
		t.close()
		t.raw(own.Members)
		t.last = x.Type
		return
	}
	name := x.Type
	if fn {
		name = spelling(own, declarations)
	}
	shared := t.open && (fn && t.decls && !formed(own, "split") || formed(own, "join") && (fn && t.decls || !slices.Contains(t.names, name)))
	if !shared {
		t.close()
		t.open = true
		t.w.BeginObject()
	}
	t.nulls(own, name)
	if fn {
		t.function(x, name)
	} else {
		t.provider(x)
	}
	t.last = x.Type
}

// nulls writes members of the object that are null.
func (t *toolWriter) nulls(own *scri.Ext, but string) {
	if own == nil || !strings.Contains(own.Form, "=null") {
		return
	}
	for w := range strings.FieldsSeq(own.Form) {
		if name, ok := strings.CutSuffix(w, "=null"); ok && name != but && !slices.Contains(t.names, name) {
			if t.decls {
				t.w.EndArray()
				t.decls = false
			}
			t.w.Key(name)
			t.w.Null()
			t.names = append(t.names, name)
		}
	}
}

// provider writes one of Google's own tools.
func (t *toolWriter) provider(x *scri.Tool) {
	if t.decls {
		t.w.EndArray()
		t.decls = false
	}
	t.names = append(t.names, x.Type)
	t.w.Str(x.Type)
	t.w.B = append(t.w.B, ':')
	own := x.Ext.Of(Name)
	switch {
	case formed(own, "value"):
		t.raw(wire.NewScanner(own.Members).Peek("value"))
	case len(own.Members) > 0:
		t.raw(own.Members)
	default:
		t.w.Raw([]byte("{}"))
	}
	t.losses(x)
	if x.Name != "" {
		t.Drop("name", "it has a type alone")
	}
	if !x.Description.IsZero() {
		t.Drop("description", "it has a type alone")
	}
	if len(x.Schema) > 0 {
		t.Drop("schema", "it has a type alone")
	}
}

func (t *toolWriter) losses(x *scri.Tool) {
	if x.Strict != nil {
		t.Drop("strict", "there is no such field here")
	}
	if x.Cache != nil {
		t.Drop("cache", "prompts are cached without marks here")
	}
}

func (t *toolWriter) function(x *scri.Tool, name string) {
	if !t.decls {
		t.names = append(t.names, name)
		t.w.Key(name)
		if !formed(x.Ext, "single") {
			t.decls = true
			t.w.BeginArray()
		}
	}
	t.w.BeginObject()
	t.w.Key("name")
	t.w.Str(x.Name)
	said := append(make([]string, 0, 3), "name")
	if !x.Description.IsZero() || formed(x.Ext, "description") {
		t.w.Key("description")
		dialect.WriteText(&t.w, x.Description)
		said = append(said, "description")
	}
	if len(x.Schema) > 0 {
		field, schema := "parametersJsonSchema", x.Schema
		switch {
		case formed(x.Ext, "parameters"):
			field, schema = "parameters", raised(x.Schema, x.Ext)
		case t.older:
			field, schema = "parameters", t.reduced(x.Schema)
		}
		t.key(x.Ext, field)
		t.raw(schema)
		said = append(said, field)
	}
	t.losses(x)
	t.ext(x.Ext, said...)
	t.w.EndObject()
}

// toolConfig writes whether and which tools must be called.
func (e *requestEncoder) toolConfig() {
	c := e.req.ToolChoice
	word := ""
	if c != nil {
		if word = modeOf(c); word == "" {
			e.Tell(scri.WarnDropped, "tool_choice", c.Mode, "", "there is no such choice here")
			c = nil
		}
	}
	raw := member(e.own, "toolConfig")
	if c == nil && (len(raw) == 0 || raw[0] != '{') {
		return // or it is a null that stays one
	}
	e.member("toolConfig")
	e.w.BeginObject()
	if c != nil {
		e.key(e.own, "functionCallingConfig")
		e.choice(c, word)
	}
	if x := nested(e.req.Ext, "toolConfig"); x != nil {
		if c != nil {
			e.ext(x, "functionCallingConfig")
		} else {
			e.ext(x)
		}
	}
	e.w.EndObject()
}

func modeOf(c *scri.ToolChoice) string {
	switch c.Mode {
	case scri.ToolsAuto:
		return "AUTO"
	case scri.ToolsNone:
		return "NONE"
	case scri.ToolsRequired, scri.ToolsNamed:
		return "ANY"
	default:
		return ""
	}
}

func (e *requestEncoder) choice(c *scri.ToolChoice, word string) {
	in := e.In("tool_choice")
	e.w.BeginObject()
	said := append(make([]string, 0, 2), "mode")
	if raw := member(c.Ext, "mode"); c.Mode == scri.ToolsAuto && len(raw) > 0 && raw[0] == '"' {
		said = said[:0]
	} else {
		if w, ok := spelled(c.Ext, "mode"); ok && strings.EqualFold(w, word) {
			word = w
		}
		e.w.Key("mode")
		e.w.Str(word)
	}
	switch {
	case c.Mode == scri.ToolsNamed:
		e.key(c.Ext, "allowedFunctionNames")
		e.w.BeginArray()
		e.w.Str(c.Name)
		e.w.EndArray()
		said = append(said, "allowedFunctionNames")
	case c.Name != "":
		e.Drop("name", "a name belongs to the mode tool")
	}
	e.ext(c.Ext, said...)
	e.w.EndObject()
	e.Out(in)
}
