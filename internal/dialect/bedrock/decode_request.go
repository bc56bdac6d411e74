package bedrock

import (
	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// DecodeRequest reads a request for a message. The model stands in the path.
func (bedrock) DecodeRequest(in *dialect.Incoming) (*scri.ChatRequest, error) {
	d := &requestDecoder{decoder: newDecoder(in.Body), req: &scri.ChatRequest{Stream: in.Route.Stream == dialect.Always}}
	if in.Param != nil {
		d.req.Model = in.Param(paramModel)
	}
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
	system   []scri.Part
	messages bool
	tools    bool // there was a toolConfig
}

func (d *requestDecoder) request() {
	for name := range d.Members() {
		if (name == "messages" || !d.KeepNull(&d.u)) && !d.member(name) {
			d.u.Add(d.Member())
		}
	}
	r := d.req
	if len(d.system) > 0 {
		r.Messages = append([]scri.Message{{Role: scri.RoleSystem, Parts: d.system}}, r.Messages...)
	}
	if !d.tools && calls(r.Messages) {
		d.u.Form("toolless")
	}
	if r.ToolChoice != nil && len(r.Tools) == 0 {
		d.u.Form("choice")
	}
	r.Ext = d.u.Ext(Name)
}

// calls reports whether a history holds calls of tools, or their results.
func calls(list []scri.Message) bool {
	for i := range list {
		for j := range list[i].Parts {
			if k := list[i].Parts[j].Kind; k == scri.PartToolCall || k == scri.PartToolResult {
				return true
			}
		}
	}
	return false
}

func (d *requestDecoder) member(name string) bool {
	switch name {
	case "system":
		if d.system = d.blocks(); len(d.system) == 0 {
			d.u.Form("system")
		}
	case "messages":
		d.messages = true
		d.history()
	case "inferenceConfig":
		d.inference()
	case "toolConfig":
		d.tools = true
		d.toolConfig()
	case "requestMetadata":
		return d.metadata()
	case "outputConfig":
		return d.output()
	case "additionalModelRequestFields":
		return d.fields()
	default:
		return false
	}
	return true
}

func (d *requestDecoder) history() {
	for range d.Elements() {
		var m scri.Message
		var u dialect.Unknown
		content := false
		for name := range d.Members() {
			switch name {
			case "role":
				m.Role = scri.Role(d.Unquoted())
			case "content":
				if m.Parts, content = d.blocks(), true; len(m.Parts) == 0 {
					u.Form("empty")
				}
			default:
				u.Add(d.Member())
			}
		}
		d.Need(m.Role != "", "role")
		d.Need(content, "content")
		if m.Role != scri.RoleUser && m.Role != scri.RoleAssistant {
			u.Form("role")
		}
		if n := len(d.req.Messages); n > 0 && d.req.Messages[n-1].Role == m.Role {
			u.Form("apart")
		}
		m.Ext = u.Ext(Name)
		d.req.Messages = append(d.req.Messages, m)
	}
}

// rest keeps what of an object has no field; used: something of it has.
func (d *requestDecoder) rest(name string, rest *dialect.Unknown, used bool) {
	if obj := rest.Object(); obj != nil {
		d.u.Add(append([]byte(`"`+name+`":`), obj...))
	} else if !used {
		d.u.Form(name)
	}
}

func (d *requestDecoder) inference() {
	var rest dialect.Unknown
	used := false
	r := d.req
	for name := range d.Members() {
		if d.KeepNull(&rest) {
			continue
		}
		switch name {
		case "maxTokens":
			r.MaxTokens = new(d.Int())
		case "temperature":
			r.Temperature = new(d.Float())
		case "topP":
			r.TopP = new(d.Float())
		case "stopSequences":
			for range d.Elements() {
				r.Stop = append(r.Stop, d.Unquoted())
			}
			if len(r.Stop) == 0 {
				d.u.Form("stop")
			}
		default:
			rest.Add(d.Member())
			continue
		}
		used = true
	}
	d.rest("inferenceConfig", &rest, used)
}

func (d *requestDecoder) toolConfig() {
	var rest dialect.Unknown
	used := false
	for name := range d.Members() {
		switch {
		case d.KeepNull(&rest):
		case name == "tools":
			for range d.Elements() {
				d.tool()
			}
			if used = true; len(d.req.Tools) == 0 {
				d.u.Form("tools")
			}
		case name == "toolChoice" && d.choice():
			used = true
		default:
			rest.Add(d.Member())
		}
	}
	d.rest("toolConfig", &rest, used)
}

// tool reads one tool, or the cache point of the tool before it.
func (d *requestDecoder) tool() {
	r := d.req
	if n := len(r.Tools); n > 0 && r.Tools[n-1].Cache == nil && d.Peek(blockCache) != nil {
		m := d.Mark()
		if c := d.cachePoint(); c != nil {
			r.Tools[n-1].Cache = c
			return
		}
		d.Rewind(m)
	}
	var t scri.Tool
	var u, beside dialect.Unknown
	spec := d.Peek("toolSpec") != nil
	for name := range d.Members() {
		switch {
		case name == "toolSpec":
			d.spec(&t, &u)
		case !spec && t.Type == "" && d.Kind() == wire.Object:
			t.Type = name
			for name := range d.Members() {
				if name == "name" && d.Some() {
					t.Name = d.Unquoted()
				} else {
					u.Add(d.Member())
				}
			}
		default:
			beside.Add(d.Member())
		}
	}
	d.Need(spec || t.Type != "", "toolSpec")
	if obj := beside.Object(); obj != nil {
		u.Add(append([]byte(`"_block":`), obj...))
		u.Form("+block")
	}
	if t.Ext = u.Ext(Name); t.Ext == nil && t.Type != "" {
		t.Ext = &scri.Ext{Dialect: Name} // says whose tool it is
	}
	r.Tools = append(r.Tools, t)
}

func (d *requestDecoder) spec(t *scri.Tool, u *dialect.Unknown) {
	for name := range d.Members() {
		switch {
		case name == "name":
			t.Name = d.Unquoted()
		case d.KeepNull(u):
		case name == "description":
			if t.Description = scri.QuotedText(d.Str()); t.Description.IsZero() {
				u.Form("description")
			}
		case name == "strict" && d.Kind() == wire.Bool:
			t.Strict = new(d.Bool())
			u.Form("strict")
		case name == "inputSchema":
			for name := range d.Members() {
				if name != "json" || !d.Schema() {
					d.Fail("%s as a schema", name)
				}
				t.Schema = d.Raw()
			}
			if t.Schema == nil {
				u.Form("inputSchema")
			}
		default:
			u.Add(d.Member())
		}
	}
	if t.Schema == nil {
		u.Form("schemaless")
	}
}

// choice reads which tool must be called; another way to say it stays a member.
func (d *requestDecoder) choice() bool {
	c := new(scri.ToolChoice)
	m := d.Mark()
	var u dialect.Unknown
	n := 0
	for name := range d.Members() {
		n++
		switch name {
		case "auto":
			c.Mode = scri.ToolsAuto
		case "any":
			c.Mode = scri.ToolsRequired
		case "tool":
			c.Mode = scri.ToolsNamed
		default:
			n = 2
		}
		if n > 1 || d.Kind() != wire.Object {
			n = 2
			d.Skip()
			continue
		}
		for name := range d.Members() {
			if name == "name" && c.Mode == scri.ToolsNamed && d.Some() {
				c.Name = d.Unquoted()
			} else {
				u.Add(d.Member())
			}
		}
	}
	if n != 1 || c.Mode == scri.ToolsNamed && c.Name == "" {
		if d.Err() == nil {
			d.Rewind(m)
			return false
		}
	}
	c.Ext = u.Ext(Name)
	d.req.ToolChoice = c
	return true
}

// metadata reads the texts that are to stand in the provider's log.
func (d *requestDecoder) metadata() bool {
	m := d.Mark()
	all := map[string]string{}
	for name := range d.Members() {
		if d.Kind() != wire.String {
			d.Rewind(m)
			return false
		}
		all[name] = d.Unquoted()
	}
	if len(all) == 0 && d.Err() == nil {
		d.Rewind(m)
		return false
	}
	d.req.Metadata = all
	return true
}

// output reads the shape that the answer must have, if that is all there is.
func (d *requestDecoder) output() bool {
	f := &scri.Format{Kind: scri.FormatJSONSchema}
	text := newDecoder(d.Peek("textFormat"))
	if dialect.Word(text.peekIn("type")) != scri.FormatJSONSchema {
		return false
	}
	schema := newDecoder(newDecoder(text.peekIn("structure")).peekIn("jsonSchema"))
	var u dialect.Unknown
	if schema.Kind() != wire.Object {
		return false
	}
	for name := range schema.Members() {
		switch {
		case name == "schema" && schema.Some():
			raw := []byte(schema.Unquoted())
			if wire.Valid(raw) != nil || !newDecoder(raw).Schema() {
				return false
			}
			f.Schema = raw
		case name == "name" && schema.Some():
			f.Name = schema.Unquoted()
		default:
			u.Add(schema.Member())
		}
	}
	if f.Schema == nil || d.more() {
		return false
	}
	d.Skip()
	f.Ext = u.Ext(Name)
	d.req.Format = f
	return true
}

// more reports whether the output configuration says more than the one schema.
func (d *requestDecoder) more() bool {
	s := newDecoder(d.peek())
	n := 0
	for range s.Members() {
		n++
		for name := range s.Members() {
			if name == "type" {
				s.Skip()
				continue
			}
			for range s.Members() {
				n++
				s.Skip()
			}
			n++
		}
	}
	return n != 3 || s.End() != nil
}

// peekIn is the value of a member of the object ahead, or nil.
func (d *decoder) peekIn(name string) []byte {
	if d.Kind() != wire.Object {
		return nil
	}
	return d.Peek(name)
}

// fields reads what goes to the model as it stands: of it, how Claude is asked to
// think has fields.
func (d *requestDecoder) fields() bool {
	if d.Kind() != wire.Object {
		return false
	}
	var rest dialect.Unknown
	used := false
	for name := range d.Members() {
		switch {
		case name == "thinking" && d.thinkingConfig(), name == "top_k" && d.topK():
			used = true
		default:
			rest.Add(d.Member())
		}
	}
	d.rest("additionalModelRequestFields", &rest, used)
	return true
}

func (d *requestDecoder) topK() bool {
	if d.Kind() != wire.Number {
		return false
	}
	m := d.Mark()
	n := d.Int()
	if d.Err() != nil {
		d.Rewind(m)
		return false
	}
	d.req.TopK = &n
	d.u.Form("top_k")
	return true
}

func (d *requestDecoder) thinkingConfig() bool {
	typ := ""
	if d.Kind() == wire.Object {
		typ = dialect.Word(d.Peek("type"))
	}
	r := new(scri.Reasoning)
	switch typ {
	case "enabled", "adaptive":
	case "disabled":
		r.Effort = "none"
	default:
		return false
	}
	m := d.Mark()
	var u dialect.Unknown
	u.Form(typ)
	for name := range d.Members() {
		switch {
		case name == "type":
			d.Skip()
		case name == "budget_tokens" && typ == "enabled" && d.Kind() == wire.Number:
			r.Budget = new(d.Int())
		default:
			u.Add(d.Member())
		}
	}
	if d.Err() != nil && dialect.Misfit(d.Err()) {
		d.Rewind(m)
		return false
	}
	if r.Effort == "" && r.Budget == nil {
		r.Effort = "on"
	}
	r.Ext = u.Ext(Name)
	d.req.Reasoning = r
	return true
}
