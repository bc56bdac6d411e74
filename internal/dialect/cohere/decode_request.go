package cohere

import (
	"slices"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// DecodeRequest reads a request for a chat.
func (cohere) DecodeRequest(in *dialect.Incoming) (*scri.ChatRequest, error) {
	d := &requestDecoder{decoder: newDecoder(in.Body), req: new(scri.ChatRequest)}
	d.request()
	if err := d.End(); err != nil {
		return nil, dialect.Invalid(err)
	}
	if !d.messages {
		return nil, dialect.Missing("/messages")
	}
	return d.req, nil
}

type requestDecoder struct {
	*decoder
	req      *scri.ChatRequest
	u        dialect.Unknown
	docs     []scri.Part
	strict   *bool
	messages bool
}

func (d *requestDecoder) request() {
	for name := range d.Members() {
		if name == "model" && d.Null() {
			continue // it is written in any case
		}
		if !d.KeepNull(&d.u) && !d.scalar(name) && !d.tree(name) {
			d.u.Add(d.Member())
		}
	}
	r := d.req
	if len(d.docs) > 0 {
		i := 0
		for i < len(r.Messages) && r.Messages[i].Role == scri.RoleSystem {
			i++
		}
		m := scri.Message{Role: scri.RoleUser, Parts: d.docs, Ext: &scri.Ext{Dialect: Name, Form: "documents"}}
		r.Messages = slices.Insert(r.Messages, i, m)
	}
	switch {
	case d.strict == nil:
	case len(r.Tools) == 0:
		d.u.Add(append([]byte(`"strict_tools":`), wordOf(*d.strict)...))
	default:
		d.u.Form("strict")
		for i := range r.Tools {
			r.Tools[i].Strict = d.strict
		}
	}
	if r.ToolChoice != nil && len(r.Tools) == 0 {
		d.u.Form("choice")
	}
	if outside(r.TopP, leastP, mostP) || outside(r.FrequencyPenalty, 0, mostPenalty) || outside(r.PresencePenalty, 0, mostPenalty) ||
		r.TopK != nil && (*r.TopK < 0 || *r.TopK > mostK) {
		d.u.Form("range")
	}
	r.Ext = d.ext(&d.u)
}

func wordOf(b bool) string {
	if b {
		return "true"
	}
	return "false"
}

func outside(v *float64, least, most float64) bool { return v != nil && (*v < least || *v > most) }

// scalar reads a member that is one plain value.
func (d *requestDecoder) scalar(name string) bool {
	r := d.req
	switch name {
	case "model":
		r.Model = d.Unquoted()
	case "max_tokens":
		r.MaxTokens = new(d.Int())
	case "temperature":
		r.Temperature = new(d.Float())
	case "p":
		r.TopP = new(d.Float())
	case "k":
		r.TopK = new(d.Int())
	case "frequency_penalty":
		r.FrequencyPenalty = new(d.Float())
	case "presence_penalty":
		r.PresencePenalty = new(d.Float())
	case "seed":
		r.Seed = d.Number()
	case "stream":
		if r.Stream = d.Bool(); !r.Stream {
			d.u.Form("stream")
		}
	case "logprobs":
		if d.Bool() {
			r.LogProbs = new(0)
		} else {
			d.u.Form("logprobs")
		}
	case "strict_tools":
		d.strict = new(d.Bool())
	case "tool_choice":
		return d.toolChoice()
	default:
		return false
	}
	return true
}

// toolChoice reads whether a tool must be called; another word stays as it is.
func (d *requestDecoder) toolChoice() bool {
	m := d.Mark()
	switch d.Unquoted() {
	case "REQUIRED":
		d.req.ToolChoice = &scri.ToolChoice{Mode: scri.ToolsRequired}
	case "NONE":
		d.req.ToolChoice = &scri.ToolChoice{Mode: scri.ToolsNone}
	default:
		if d.Err() == nil {
			d.Rewind(m)
			return false
		}
	}
	return true
}

// tree reads a member that is a list or an object.
func (d *requestDecoder) tree(name string) bool {
	r := d.req
	switch name {
	case "messages":
		d.messages = true
		for range d.Elements() {
			var m scri.Message
			d.message(&m)
			r.Messages = append(r.Messages, m)
		}
	case "tools":
		for range d.Elements() {
			r.Tools = append(r.Tools, d.tool())
		}
		if len(r.Tools) == 0 {
			d.u.Form("tools")
		}
	case "documents":
		for range d.Elements() {
			d.docs = append(d.docs, d.requestDocument())
		}
		if len(d.docs) == 0 {
			d.u.Form("documents")
		}
	case "stop_sequences":
		for range d.Elements() {
			r.Stop = append(r.Stop, d.Unquoted())
		}
		if len(r.Stop) == 0 {
			d.u.Form("stop")
		}
	case "response_format":
		return d.format()
	case "thinking":
		return d.thinking()
	default:
		return false
	}
	return true
}

// requestDocument reads one of the documents of the request.
func (d *requestDecoder) requestDocument() (p scri.Part) {
	if d.Some() {
		return scri.Part{
			Kind: scri.PartMedia, Media: &scri.Media{Type: mimePlain, Text: scri.QuotedText(d.Str())},
			Ext: &scri.Ext{Dialect: Name, Form: "string"},
		}
	}
	if d.Kind() != wire.Object && d.Kind() != wire.String {
		d.Fail("expected a document or its text but got %s", d.Kind())
		return p
	}
	if d.Kind() == wire.Object && d.try(func() bool {
		p = scri.Part{Kind: scri.PartMedia, Media: d.document()}
		return true
	}) {
		return p
	}
	return opaque(d.Raw(), formDocument)
}

// tool reads one tool: a function, or something newer.
func (d *requestDecoder) tool() scri.Tool {
	var t scri.Tool
	var u, inner dialect.Unknown
	typ := dialect.Word(d.Peek("type"))
	function := typ == typeFunction || typ == ""
	said := false
	for name := range d.Members() {
		switch {
		case d.KeepNull(&u):
		case name == "type" && typ != "":
			d.Skip()
		case name == "name" && !function:
			d.Take(&u, &t.Name)
		case name == typeFunction && function:
			d.toolFunction(&t, &u, &inner)
			said = true
		default:
			u.Add(d.Member())
		}
	}
	if !function {
		if t.Type = typ; u.Empty() {
			t.Ext = &scri.Ext{Dialect: Name} // says whose tool it is
			return t
		}
	}
	d.Need(said || !function, typeFunction)
	if typ == "" {
		d.Need(false, "type")
	}
	if obj := inner.Object(); obj != nil {
		u.Add(append([]byte(`"function":`), obj...))
		u.Form("+inner")
	}
	t.Ext = d.ext(&u)
	return t
}

func (d *requestDecoder) toolFunction(t *scri.Tool, u, inner *dialect.Unknown) {
	for name := range d.Members() {
		switch {
		case name == "name":
			t.Name = d.Unquoted()
		case d.KeepNull(inner):
		case name == "description":
			if t.Description = scri.QuotedText(d.Str()); t.Description.IsZero() {
				u.Form("description")
			}
		case name == "parameters" && d.Schema():
			t.Schema = d.Raw()
		default:
			inner.Add(d.Member())
		}
	}
	if t.Schema == nil {
		u.Form("schemaless")
	}
}

// format reads the shape that an answer must have; another one stays a member.
func (d *requestDecoder) format() bool {
	f := new(scri.Format)
	switch dialect.Word(d.Peek("type")) {
	case typeText:
		f.Kind = scri.FormatText
	case "json_object":
		f.Kind = scri.FormatJSON
	default:
		return false
	}
	var u dialect.Unknown
	for name := range d.Members() {
		switch {
		case d.KeepNull(&u):
		case name == "type":
			d.Skip()
		case name == "json_schema" && f.Kind == scri.FormatJSON && d.Schema():
			f.Kind, f.Schema = scri.FormatJSONSchema, d.Raw()
		default:
			u.Add(d.Member())
		}
	}
	f.Ext = d.ext(&u)
	d.req.Format = f
	return true
}

// thinking reads what the model may think.
func (d *requestDecoder) thinking() bool {
	r := new(scri.Reasoning)
	typ := dialect.Word(d.Peek("type"))
	if typ != "enabled" && typ != "disabled" {
		return false
	}
	var u dialect.Unknown
	for name := range d.Members() {
		switch {
		case d.KeepNull(&u):
		case name == "type":
			d.Skip()
		case name == "token_budget" && typ == "enabled":
			r.Budget = new(d.Int())
		default:
			u.Add(d.Member())
		}
	}
	switch {
	case typ == "disabled":
		r.Effort = "none"
	case r.Budget == nil:
		r.Effort = "on"
	}
	r.Ext = d.ext(&u)
	d.req.Reasoning = r
	return true
}
