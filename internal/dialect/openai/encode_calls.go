package openai

import (
	"bytes"
	"strconv"

	"github.com/aratta-gateway/aratta/scri"
)

// calls writes tool_calls, and function_call for a call that was spelled so.
func (e *encoder) calls(parts []scri.Part, base int, skip []bool) {
	n := 0
	for i := range parts {
		p := &parts[i]
		if skipped(skip, i) || placeOf(p) != callField {
			continue
		}
		e.called = true
		e.ornaments(p, base+i)
		if p.Call != nil {
			e.foreign(p.Call.Ext, func() string { return e.partPath(base+i) + "/call" })
		}
		if e.older() && p.Call != nil {
			e.functionCalled(p, e.partPath(base+i))
			continue
		}
		if has(p.Ext, "function_call") {
			e.Key("function_call")
			e.function(p, "arguments")
			continue
		}
		if n == 0 {
			e.Key("tool_calls")
			e.BeginArray()
		}
		e.call(p, n)
		n++
	}
	if n > 0 {
		e.EndArray()
	}
}

func (e *encoder) call(p *scri.Part, n int) {
	if p.Kind == scri.PartOpaque {
		e.Raw(p.Raw)
		return
	}
	c := p.Call
	e.BeginObject()
	if has(p.Ext, "index") {
		e.Key("index")
		e.Int(int64(n))
	}
	switch {
	case !c.MadeID:
		e.str("id", c.ID)
	case has(p.Ext, "id="):
		e.str("id", "")
	case has(p.Ext, "id=null"):
		e.Key("id")
		e.Null()
	case !has(p.Ext, "noid") && !e.aside(p.Ext, "id"):
		e.str("id", c.ID)
	}
	if c.Type == "custom" {
		e.str("type", c.Type)
		e.Key("custom")
		e.function(p, "input")
	} else {
		switch {
		case has(p.Ext, "type="):
			e.str("type", "")
		case !has(p.Ext, "notype"):
			e.str("type", "function")
		}
		e.Key("function")
		e.function(p, "arguments")
	}
	e.outer(p)
	e.EndObject()
}

// aside reports whether an Ext holds a member that did not fit.
func (*encoder) aside(x *scri.Ext, member string) bool {
	return len(members(x)) > 0 && nested(x, member) != nil
}

// outer writes what a call has beside the object inside it.
func (e *encoder) outer(p *scri.Part) {
	if has(p.Ext, "+inner") {
		e.extra(p.Ext, "function", "custom")
	} else {
		e.extra(p.Ext)
	}
}

// inner writes what the object inside a call has beside name and arguments.
func (e *encoder) inner(p *scri.Part) {
	if !has(p.Ext, "+inner") {
		return
	}
	if p.Call.Type == "custom" {
		e.Members(nested(p.Ext, "custom"))
	} else {
		e.Members(nested(p.Ext, "function"))
	}
}

func (e *encoder) function(p *scri.Part, arguments string) {
	c := p.Call
	e.BeginObject()
	e.str("name", c.Name)
	switch {
	case has(c.Ext, "object") && !c.Args.IsZero():
		e.Key(arguments)
		e.B = c.Args.AppendText(e.B)
	case !c.Args.IsZero():
		e.text(arguments, c.Args)
	case has(c.Ext, "noargs"):
	case has(c.Ext, "empty") || has(p.Ext, "empty") || c.Type == "custom":
		e.str(arguments, "")
	default:
		e.str(arguments, "{}") // no arguments; an empty string is no JSON
	}
	e.nulls(c.Ext)
	e.inner(p)
	e.EndObject()
}

// result writes the message of a tool.
func (e *encoder) result(p *scri.Part, i int, extra *scri.Ext) {
	r := p.Result
	if r == nil || r.Server != "" {
		e.dropped(e.partPath(i), "a tool that the provider ran has no place here")
		return
	}
	e.ornaments(p, i)
	e.foreign(r.Ext, func() string { return e.partPath(i) + "/result" })
	if r.Error {
		e.dropped(e.partPath(i)+"/result/error", "whether a tool failed is told in its text only")
	}
	if e.older() {
		e.functionResult(p, i, extra)
		return
	}
	e.BeginObject()
	if has(r.Ext, "function") {
		e.str("role", "function")
	} else {
		e.str("role", "tool")
		switch {
		case has(r.Ext, "id="):
			e.str("tool_call_id", "")
		case !has(r.Ext, "noid"):
			e.str("tool_call_id", r.CallID)
		}
	}
	if r.Name != "" || has(r.Ext, "name=") {
		e.str("name", r.Name)
	}
	e.within = i + 1
	e.resultContent(r)
	e.within = 0
	e.extra(extra)
	e.extra(r.Ext)
	e.EndObject()
}

func (e *encoder) resultContent(r *scri.ToolResult) {
	said := scri.Message{Role: scri.RoleTool, Ext: r.Ext}
	list := has(r.Ext, "list")
	var skip []bool
	n, media := 0, false
	for i := range r.Parts {
		p := &r.Parts[i]
		at := placeOf(p)
		reason := ""
		switch {
		case at != contentField:
			reason = "a tool's result holds text only"
		case p.Kind == scri.PartMedia && !list:
			if reason = e.refuseMedia(p); reason == "" {
				e.move(p, i)
				media = true
			}
		}
		if reason != "" || p.Kind == scri.PartMedia && !list {
			if skip == nil {
				skip = make([]bool, len(r.Parts))
			}
			skip[i] = true
			if reason != "" {
				e.dropped(e.partPath(i), reason)
			}
			continue
		}
		n++
	}
	if media && n == 0 {
		e.str("content", "")
		return
	}
	e.content(&said, r.Parts, 0, skip, n)
}

// move puts media of a result aside: tools may say text only, so a user shows
// them when all results of the turn are told.
func (e *encoder) move(p *scri.Part, i int) {
	if len(e.moved) == 0 {
		e.tell(scri.WarnEmulated, "/messages", "what a tool shows comes in a user message after the results")
	}
	e.tell(scri.WarnEmulated, e.partPath(i), "shown in a user message after the results")
	e.moved = append(e.moved, p)
}

func (e *encoder) showMoved() {
	if len(e.moved) == 0 {
		return
	}
	e.BeginObject()
	e.str("role", "user")
	e.Key("content")
	e.BeginArray()
	told := len(e.warn) // that they moved, which covers all that becomes of them
	for i, p := range e.moved {
		e.media(p, i)
	}
	e.warn = e.warn[:told]
	e.EndArray()
	e.EndObject()
	e.moved = e.moved[:0]
}

// annotations writes the citations of the texts, behind those of other kinds,
// and reports whether there were any.
func (e *encoder) annotations(m *scri.Message, parts []scri.Part, base int, skip []bool) bool {
	n := 0
	for i := range parts {
		p := &parts[i]
		if skipped(skip, i) {
			continue
		}
		for k := range p.Citations {
			c := &p.Citations[k]
			path := func() string { return e.partPath(base+i) + "/citations/" + strconv.Itoa(k) }
			if !e.canCite(c) {
				e.dropped(path(), "only addresses can be cited, and only in answers")
				continue
			}
			if n == 0 {
				e.Key("annotations")
				e.BeginArray()
				if others := bytes.TrimSpace(nested(m.Ext, "annotations")); len(others) > 2 && others[0] == '[' {
					e.B = append(e.B, others[1:len(others)-1]...)
				}
			}
			n++
			e.citation(c, path)
		}
	}
	switch {
	case n > 0:
		e.EndArray()
	case has(m.Ext, "annotations[]"):
		e.Key("annotations")
		e.BeginArray()
		e.EndArray()
	}
	return n > 0
}

func (e *encoder) canCite(c *scri.Citation) bool {
	return c.URL != "" && (e.answer() || c.Ext.Of(name) != nil)
}

func (e *encoder) citation(c *scri.Citation, path func() string) {
	e.foreign(c.Ext, path)
	if c.Document != "" {
		e.dropped(path()+"/document", "only addresses can be cited")
	}
	e.BeginObject()
	e.str("type", "url_citation")
	e.Key("url_citation")
	e.BeginObject()
	if !has(c.Ext, "noindex") || c.Start != 0 || c.End != 0 {
		e.Key("start_index")
		e.Int(int64(c.Start))
		e.Key("end_index")
		e.Int(int64(c.End))
	}
	e.str("url", c.URL)
	if c.Title != "" || has(c.Ext, "title=") {
		e.str("title", c.Title)
	}
	if !c.Quote.IsZero() || has(c.Ext, "content=") {
		e.text("content", c.Quote)
	}
	if has(c.Ext, "+url_citation") {
		e.Members(nested(c.Ext, "url_citation"))
		e.EndObject()
		e.extra(c.Ext, "url_citation")
	} else {
		e.EndObject()
		e.extra(c.Ext)
	}
	e.EndObject()
}
