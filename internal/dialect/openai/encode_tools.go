package openai

import (
	"strconv"
	"strings"

	"github.com/aratta-gateway/aratta/scri"
)

// tools writes tools or functions, tool_choice or function_call.
func (e *encoder) tools(r *scri.ChatRequest) {
	written := 0
	for _, older := range [...]bool{false, true} {
		n := 0
		for i := range r.Tools {
			t := &r.Tools[i]
			if (has(t.Ext, "functions") || e.older()) != older || (!older || e.older()) && !e.usable(t, i) {
				continue
			}
			switch {
			case n > 0:
			case older:
				e.Key("functions")
				e.BeginArray()
			default:
				e.Key("tools")
				e.BeginArray()
			}
			n++
			e.tool(t, i, older)
		}
		if n > 0 {
			e.EndArray()
		}
		written += n
	}
	for _, empty := range [...]string{"tools", "functions"} {
		if len(r.Tools) == 0 && has(r.Ext, empty+"[]") {
			e.Key(empty)
			e.BeginArray()
			e.EndArray()
		}
	}
	if written == 0 && !has(r.Ext, "choice") {
		e.noChoice(r)
		return
	}
	if e.older() {
		e.functionChoice(r)
		return
	}
	e.toolChoice(r.ToolChoice)
	e.boolean("parallel_tool_calls", r.ParallelTools)
}

// noChoice tells that nothing is said of how to choose among no tools: providers
// refuse it.
func (e *encoder) noChoice(r *scri.ChatRequest) {
	if r.ToolChoice != nil {
		e.dropped("/tool_choice", "there is no tool to choose")
	}
	if r.ParallelTools != nil {
		e.dropped("/parallel_tools", "there is no tool to call")
	}
}

// usable tells of a tool that only its own provider has.
func (e *encoder) usable(t *scri.Tool, i int) bool {
	if t.Type == "" || t.Ext.Of(name) != nil {
		return true
	}
	e.dropped("/tools/"+strconv.Itoa(i), "only its own provider has this tool")
	return false
}

func (e *encoder) tool(t *scri.Tool, i int, older bool) {
	path := func() string { return "/tools/" + strconv.Itoa(i) }
	e.foreign(t.Ext, path)
	if t.Cache != nil && !ownCache(t.Cache) {
		e.dropped(path()+"/cache", "prompts are cached without being told")
	}
	if older {
		if e.older() && t.Strict != nil {
			e.dropped(path()+"/strict", "the provider does not know it")
			plain := *t
			plain.Strict = nil
			t = &plain
		}
		e.functionTool(t)
		return
	}
	e.BeginObject()
	if t.Type != "" {
		if has(t.Ext, "function") {
			e.str("type", "function")
		} else {
			e.str("type", t.Type)
		}
		if t.Name != "" && has(t.Ext, "name") {
			e.str("name", t.Name)
		}
		e.extra(t.Ext)
		e.EndObject()
		return
	}
	if !has(t.Ext, "notype") {
		e.str("type", "function")
	}
	e.Key("function")
	e.functionTool(t)
	if ownCache(t.Cache) {
		e.cache(t.Cache)
	}
	if has(t.Ext, "+function") {
		e.extra(t.Ext, "function")
	} else {
		e.extra(t.Ext)
	}
	e.EndObject()
}

func (e *encoder) functionTool(t *scri.Tool) {
	e.BeginObject()
	e.str("name", t.Name)
	if !t.Description.IsZero() || has(t.Ext, "description=") {
		e.text("description", t.Description)
	}
	if len(t.Schema) > 0 {
		e.Key("parameters")
		e.Raw(t.Schema)
	}
	e.boolean("strict", t.Strict)
	e.nulls(t.Ext)
	if has(t.Ext, "+function") {
		e.Members(nested(t.Ext, "function"))
	}
	e.EndObject()
}

// nulls writes the members that were null.
func (e *encoder) nulls(x *scri.Ext) {
	if x.Of(name) == nil {
		return
	}
	for w := range strings.FieldsSeq(x.Form) {
		if key, ok := strings.CutSuffix(w, "=null"); ok {
			e.Key(key)
			e.Null()
		}
	}
}

func (e *encoder) toolChoice(c *scri.ToolChoice) {
	if c == nil {
		return
	}
	e.foreign(c.Ext, func() string { return "/tool_choice" })
	older := has(c.Ext, "function_call")
	key := "tool_choice"
	if older {
		key = "function_call"
	}
	switch {
	case c.Mode == scri.ToolsNamed && older:
		e.Key(key)
		e.BeginObject()
		e.str("name", c.Name)
		e.EndObject()
	case c.Mode == scri.ToolsNamed:
		e.Key(key)
		e.BeginObject()
		e.str("type", "function")
		e.Key("function")
		e.BeginObject()
		e.str("name", c.Name)
		e.EndObject()
		e.EndObject()
	case c.Mode == scri.ToolsRequired && has(c.Ext, "any"):
		e.str(key, "any")
	default:
		e.str(key, c.Mode)
	}
}
