package openai

import (
	"slices"
	"strconv"

	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// variantFunctions is the format as it was before there were tools, which GigaChat's
// first version still speaks: functions and function_call, one call a message, its
// arguments and results as JSON, a schema for answers beside its type.
const variantFunctions = "functions"

func (e *encoder) older() bool { return e.target != nil && e.target.Variant == variantFunctions }

// apart gives each call of a message a message of its own, with its result behind it,
// as one message can call one function alone. The places of the messages as they were
// are kept for warnings.
func (e *encoder) apart(list []scri.Message) []scri.Message {
	e.names = map[string]string{}
	var out []scri.Message
	for i := range list {
		m := &list[i]
		n := 0
		for j := range m.Parts {
			if c := m.Parts[j].Call; c != nil {
				e.names[c.ID] = c.Name
				n++
			}
		}
		if n < 2 {
			out, e.places = append(out, *m), append(e.places, i)
			continue
		}
		e.tell(scri.WarnChanged, "/messages/"+strconv.Itoa(i), "one message calls one function, so each call has its own")
		first := true
		var rest []scri.Part
		for j := range m.Parts {
			p := m.Parts[j]
			if p.Call == nil || first {
				rest = append(rest, p)
				first = first && p.Call == nil
				continue
			}
			out, e.places = append(out, scri.Message{Role: m.Role, Parts: rest}), append(e.places, i)
			rest = []scri.Part{p}
		}
		out, e.places = append(out, scri.Message{Role: m.Role, Parts: rest}), append(e.places, i)
		out[len(out)-n].Ext, out[len(out)-n].ID, out[len(out)-n].Name = m.Ext, m.ID, m.Name
	}
	return beside(out, &e.places)
}

// beside moves each result behind its call.
func beside(list []scri.Message, places *[]int) []scri.Message {
	for i := 0; i < len(list); i++ {
		id := callOf(&list[i])
		if id == "" || i+1 < len(list) && answers(&list[i+1], id) {
			continue
		}
		for j := i + 1; j < len(list) && (callOf(&list[j]) != "" || list[j].Role == scri.RoleTool); j++ {
			if len(list[j].Parts) == 1 && answers(&list[j], id) {
				m, at := list[j], (*places)[j]
				list = slices.Insert(slices.Delete(list, j, j+1), i+1, m)
				*places = slices.Insert(slices.Delete(*places, j, j+1), i+1, at)
				break
			}
		}
	}
	return list
}

func callOf(m *scri.Message) string {
	for i := range m.Parts {
		if c := m.Parts[i].Call; c != nil {
			return c.ID
		}
	}
	return ""
}

func answers(m *scri.Message, id string) bool {
	return slices.ContainsFunc(m.Parts, func(p scri.Part) bool { return p.Result != nil && p.Result.CallID == id })
}

// functionChoice writes function_call for what may be called. That something must be
// called can be said of one function alone.
func (e *encoder) functionChoice(r *scri.ChatRequest) {
	if r.ParallelTools != nil {
		e.dropped("/parallel_tools", "one call at a time is all there is")
	}
	c := r.ToolChoice
	if c == nil {
		return
	}
	e.foreign(c.Ext, func() string { return "/tool_choice" })
	called := c.Name
	if c.Mode == scri.ToolsRequired && len(r.Tools) == 1 {
		called = r.Tools[0].Name
	}
	switch {
	case called != "":
		e.Key("function_call")
		e.BeginObject()
		e.str("name", called)
		e.EndObject()
	case c.Mode == scri.ToolsRequired:
		e.warn = append(e.warn, scri.Warning{Code: scri.WarnChanged, Path: "/tool_choice", From: c.Mode, To: scri.ToolsAuto, Detail: "that one of several must be called cannot be said"})
		e.str("function_call", scri.ToolsAuto)
	default:
		e.str("function_call", c.Mode)
	}
}

// functionCalled writes the call of a message, with its arguments as an object.
func (e *encoder) functionCalled(p *scri.Part, path string) {
	e.Key("function_call")
	e.BeginObject()
	e.str("name", p.Call.Name)
	e.Key("arguments")
	args := p.Call.Args.String()
	switch {
	case args == "":
		e.Raw([]byte("{}"))
	case isObject(args):
		e.Raw([]byte(args))
	default:
		e.tell(scri.WarnChanged, path+"/call/arguments", "no JSON object, so it is told as the text that it is")
		e.BeginObject()
		e.str("_invalid_json", args)
		e.EndObject()
	}
	e.EndObject()
}

func isObject(s string) bool {
	b := []byte(s)
	return wire.Valid(b) == nil && wire.NewScanner(b).Kind() == wire.Object
}

// functionResult writes what a function gave, which must be JSON.
func (e *encoder) functionResult(p *scri.Part, i int, extra *scri.Ext) {
	r := p.Result
	e.BeginObject()
	e.str("role", "function")
	name := r.Name
	if name == "" {
		name = e.names[r.CallID]
	}
	if name != "" {
		e.str("name", name)
	}
	text := ""
	for j := range r.Parts {
		if r.Parts[j].Kind != scri.PartText {
			e.dropped(e.partPath(i)+"/result/content/"+strconv.Itoa(j), "a function's result holds text only")
			continue
		}
		text += r.Parts[j].Text.String()
	}
	if wire.Valid([]byte(text)) != nil {
		e.tell(scri.WarnChanged, e.partPath(i)+"/result", "a function's result must be JSON, so the text is put into an object")
		w := wire.Writer{}
		w.BeginObject()
		w.Key("result")
		w.Str(text)
		w.EndObject()
		text = string(w.B)
	}
	e.str("content", text)
	e.extra(extra)
	e.extra(r.Ext)
	e.EndObject()
}

// flatFormat writes a schema for answers as servers of this variant have it.
func (e *encoder) flatFormat(f *scri.Format) {
	e.foreign(f.Ext, func() string { return "/format" })
	if f.Name != "" {
		e.dropped("/format/name", "a schema has no name")
	}
	e.Key("response_format")
	e.BeginObject()
	e.str("type", "json_schema")
	e.Key("schema")
	e.Raw(f.Schema)
	e.boolean("strict", f.Strict)
	e.EndObject()
}

// modern makes of the older call in an answer one as all clients expect it.
func modern(p *scri.Part) {
	if p.Call == nil || !has(p.Ext, variantCall) {
		return
	}
	if len(members(p.Ext)) == 0 {
		p.Ext = nil
	}
	if len(members(p.Call.Ext)) == 0 {
		p.Call.Ext = nil
	}
}

// variantCall is the word for a call in the older spelling.
const variantCall = "function_call"

func modernFinish(f *scri.Finish) {
	if f != nil && f.Raw == variantCall {
		f.Raw = "tool_calls"
	}
}

func modernAnswer(r *scri.ChatResponse) {
	for i := range r.Choices {
		c := &r.Choices[i]
		modernFinish(&c.Finish)
		for j := range c.Output {
			for k := range c.Output[j].Parts {
				modern(&c.Output[j].Parts[k])
			}
		}
	}
}

// modernStream is a stream whose older calls are told as all clients expect them.
type modernStream struct {
	*stream
}

func (s modernStream) Next() (*scri.StreamEvent, error) {
	e, err := s.stream.Next()
	if err != nil {
		return e, err
	}
	if e.Whole != nil {
		modern(e.Whole)
	}
	modernFinish(e.Finish)
	return e, nil
}

var _ scri.Stream = modernStream{}
