// Package freeform lets tools that are called with a text instead of JSON (of type
// custom, at OpenAI) reach models that know functions alone: such a tool becomes a
// function with one argument, the text, and a call of it becomes a call of the tool
// again. A grammar that the text must follow is told to the model, but nobody holds
// it to that.
package freeform

import (
	"encoding/json"
	"slices"
	"strconv"

	"github.com/aratta-gateway/aratta/scri"
)

const (
	custom   = "custom" // the type of such tools and calls
	argument = "input"  // of the function

	schema = `{"type":"object","properties":{"` + argument + `":{"type":"string","description":"The whole text for the tool, as it is."}},` +
		`"required":["` + argument + `"],"additionalProperties":false}`
)

// Tools are the tools of one request that have become functions. They are not
// changed once they are made.
type Tools struct{ names []string }

// Functions returns the request for a target of a dialect, in which tools called
// with a text, and what was called of them before, are functions. Tools that came
// in the target's own dialect stay as they are. Where there are none, it returns r
// itself and nil.
func Functions(r *scri.ChatRequest, dialect string) (*scri.ChatRequest, *Tools, []scri.Warning) {
	t := &Tools{}
	var warnings []scri.Warning
	var tools []scri.Tool
	for i := range r.Tools {
		f := &r.Tools[i]
		if f.Type != custom || f.Name == "" || f.Ext.Of(dialect) != nil {
			continue
		}
		if tools == nil {
			tools = slices.Clone(r.Tools)
		}
		detail := "the model is asked for one argument, " + argument
		description, grammar := about(f.Ext)
		if grammar != "" {
			detail += "; the grammar is told in the description, and not enforced"
			description += "\n\nThe text in " + argument + " must follow this grammar:\n" + grammar
		}
		tools[i] = scri.Tool{Name: f.Name, Description: scri.NewText(description), Schema: scri.RawJSON(schema), Cache: f.Cache}
		t.names = append(t.names, f.Name)
		warnings = append(warnings, scri.Warning{
			Code: scri.WarnChanged, Path: "/tools/" + strconv.Itoa(i) + "/type", From: custom, To: "function", Detail: detail,
		})
	}
	if tools == nil {
		return r, nil, nil
	}
	out := *r
	out.Tools, out.Messages = tools, t.called(r.Messages)
	return &out, t, warnings
}

// called returns the messages with calls of the tools as calls of functions.
func (t *Tools) called(list []scri.Message) []scri.Message {
	var out []scri.Message
	for i := range list {
		var parts []scri.Part
		for j := range list[i].Parts {
			c := list[i].Parts[j].Call
			if c == nil || c.Type != custom || !slices.Contains(t.names, c.Name) {
				continue
			}
			if parts == nil {
				parts = slices.Clone(list[i].Parts)
			}
			f := *c
			args := append([]byte(`{"`+argument+`":`), c.Args.AppendJSON(nil)...)
			f.Type, f.Args = "", scri.NewText(string(append(args, '}')))
			parts[j].Call = &f
		}
		if parts == nil {
			continue
		}
		if out == nil {
			out = slices.Clone(list)
		}
		out[i].Parts = parts
	}
	if out == nil {
		return list
	}
	return out
}

// about reads what a tool does, and the grammar of its text, wherever the dialect
// that it came in has them.
func about(x *scri.Ext) (description, grammar string) {
	if x == nil || len(x.Members) == 0 {
		return "", ""
	}
	type told struct {
		Description string
		Format      struct{ Syntax, Definition string }
	}
	var s struct {
		told
		Custom told
	}
	if json.Unmarshal(x.Members, &s) != nil { // it is no tool that anybody knows
		return "", ""
	}
	if s.Description == "" && s.Format.Definition == "" {
		s.told = s.Custom
	}
	if grammar = s.Format.Definition; grammar != "" && s.Format.Syntax != "" {
		grammar = "(" + s.Format.Syntax + ")\n" + grammar
	}
	return s.Description, grammar
}

// text is what a call of the function gives to the tool. Arguments that are not
// what was asked for are taken for the text itself, as the model wrote them.
func text(args string) string {
	var members map[string]json.RawMessage
	if json.Unmarshal([]byte(args), &members) != nil || len(members) != 1 {
		return args
	}
	var s *string
	if json.Unmarshal(members[argument], &s) != nil || s == nil {
		return args
	}
	return *s
}

// is reports whether a part is a call of one of the tools.
func (t *Tools) is(p *scri.Part) bool {
	return p != nil && p.Kind == scri.PartToolCall && p.Call != nil && p.Call.Type == "" && p.Call.Server == "" &&
		slices.Contains(t.names, p.Call.Name)
}

// of makes a call of the tool from one of its function.
func of(p scri.Part, args string) scri.Part {
	c := *p.Call
	c.Type, c.Args = custom, scri.NewText(text(args))
	p.Call = &c
	return p
}

// whole returns the answer with calls of the tools, and r itself where it has none.
func (t *Tools) whole(r *scri.ChatResponse) *scri.ChatResponse {
	found := false
	out := *r
	out.Choices = slices.Clone(r.Choices)
	for i := range out.Choices {
		c := &out.Choices[i]
		c.Output = slices.Clone(c.Output)
		for j := range c.Output {
			m := &c.Output[j]
			m.Parts = slices.Clone(m.Parts)
			for k := range m.Parts {
				if p := &m.Parts[k]; t.is(p) {
					*p, found = of(*p, p.Call.Args.String()), true
				}
			}
		}
	}
	if !found {
		return r
	}
	return &out
}
