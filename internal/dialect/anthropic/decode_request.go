package anthropic

import (
	"strings"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// DecodeRequest reads a request for a message or for a count of its tokens.
func (anthropic) DecodeRequest(in *dialect.Incoming) (*scri.ChatRequest, error) {
	d := &requestDecoder{decoder: newDecoder(in.Body), req: new(scri.ChatRequest)}
	d.request()
	if err := d.End(); err != nil {
		return nil, dialect.Invalid(err)
	}
	if d.missing != nil {
		return nil, d.missing
	}
	if !d.messages {
		return nil, dialect.Missing("/messages")
	}
	return d.req, nil
}

type requestDecoder struct {
	*decoder
	req      *scri.ChatRequest
	unknown  dialect.Unknown
	messages bool
	missing  *scri.Error
	system   []scri.Part
	hasSys   bool

	// What is put together once all members are known.
	thinking string // its type
	think    scri.Reasoning
	reason   dialect.Unknown // members of thinking
	effort   string
	config   dialect.Unknown // members of output_config that have no field
	hasConf  bool            // the object was there
	confUsed bool            // a field was made of a member
}

func (d *requestDecoder) request() {
	for name := range d.Members() {
		if (name == "model" || name == "max_tokens") && d.Null() {
			continue // they are written in any case
		}
		if !d.KeepNull(&d.unknown) && !d.scalar(name) && !d.tree(name) {
			d.unknown.Add(d.Member())
		}
	}
	r := d.req
	if d.hasSys {
		r.Messages = append([]scri.Message{{Role: scri.RoleSystem, Parts: d.system}}, r.Messages...)
	}
	d.reasoning()
	if d.hasConf {
		d.remainder("output_config", &d.config, d.confUsed)
	}
	if r.Temperature != nil && *r.Temperature > 1 {
		d.unknown.Form("temperature")
	}
	if r.Temperature != nil && r.TopP != nil {
		d.unknown.Form("top_p")
	}
	if r.ToolChoice != nil && len(r.Tools) == 0 {
		d.unknown.Form("choice")
	}
	r.Ext = d.unknown.Ext(Name)
}

// reasoning puts together what thinking and output_config said of it. Where
// thinking is off the effort is about the answer, and has no field.
func (d *requestDecoder) reasoning() {
	r := &d.think
	switch {
	case d.thinking == "" && d.effort == "":
		return
	case d.thinking == "":
		d.reason.Form("effort")
	case d.thinking == "disabled":
		r.Effort = "none"
		if d.effort != "" {
			d.config.Add(append([]byte(`"effort":`), wire.AppendQuote(nil, d.effort)...))
			d.effort = ""
		}
	default:
		d.reason.Form(d.thinking)
		if d.effort == "" && r.Budget == nil {
			r.Effort = "on"
		}
	}
	if d.effort != "" {
		r.Effort, d.confUsed = d.effort, true
	}
	r.Ext = d.reason.Ext(Name)
	d.req.Reasoning = r
}

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
	case "top_p":
		r.TopP = new(d.Float())
	case "top_k":
		r.TopK = new(d.Int())
	case "stream":
		if r.Stream = d.Bool(); !r.Stream {
			d.unknown.Form("stream")
		}
	default:
		return false
	}
	return true
}

// tree reads a member that is a list or an object.
func (d *requestDecoder) tree(name string) bool {
	switch name {
	case "system":
		d.hasSys = true
		d.system = d.content()
		if len(d.system) == 0 {
			d.hasSys = false
			d.unknown.Form("system")
		}
	case "messages":
		d.messages = true
		d.history()
	case "tools":
		for range d.Elements() {
			d.req.Tools = append(d.req.Tools, d.tool())
		}
		if len(d.req.Tools) == 0 {
			d.unknown.Form("tools")
		}
	case "tool_choice":
		return d.toolChoice()
	case "stop_sequences":
		d.stop()
	case "metadata":
		return d.metadata()
	case "thinking":
		return d.thinkingConfig()
	case "output_config":
		return d.outputConfig()
	case "output_format":
		return d.format("output_format")
	default:
		return false
	}
	return true
}

func (d *requestDecoder) history() {
	for range d.Elements() {
		d.req.Messages = append(d.req.Messages, d.message())
	}
}

// message reads one turn.
func (d *requestDecoder) message() scri.Message {
	var m scri.Message
	var u dialect.Unknown
	role, content := false, false
	for name := range d.Members() {
		switch name {
		case "role":
			m.Role = scri.Role(d.Unquoted())
			role = m.Role != ""
		case "content":
			content = true
			if m.Parts = d.content(); len(m.Parts) == 0 {
				u.Form("list")
			}
		default:
			u.Add(d.Member())
		}
	}
	d.require(role, "role")
	d.require(content, "content")
	switch m.Role {
	case scri.RoleUser, scri.RoleAssistant:
	case scri.RoleSystem:
		u.Form("inline")
	default:
		u.Form("role")
	}
	m.Ext = u.Ext(Name)
	return m
}

// require notes that the object just read lacks a field.
func (d *requestDecoder) require(there bool, field string) {
	if !there && d.missing == nil && d.Err() == nil {
		d.missing = dialect.Missing(d.Pointer() + "/" + field)
		d.missing.Message = `the field "` + field + `" is required`
	}
}

func (d *requestDecoder) stop() {
	odd := false
	for range d.Elements() {
		s := d.Unquoted()
		odd = odd || strings.TrimSpace(s) == ""
		d.req.Stop = append(d.req.Stop, s)
	}
	if odd || len(d.req.Stop) == 0 {
		d.unknown.Form("stop")
	}
}

// metadata takes the user's id; whatever else there is stays a member.
func (d *requestDecoder) metadata() bool {
	if d.Kind() != wire.Object {
		return false
	}
	var rest dialect.Unknown
	for name := range d.Members() {
		if name == "user_id" && d.Some() {
			d.req.User = d.Unquoted()
			continue
		}
		rest.Add(d.Member())
	}
	d.remainder("metadata", &rest, d.req.User != "")
	return true
}

// remainder keeps what of an object has no field. used: something of it has.
func (d *requestDecoder) remainder(name string, rest *dialect.Unknown, used bool) {
	obj := rest.Object()
	if obj == nil {
		if used {
			return
		}
		obj = scri.RawJSON("{}")
	}
	d.unknown.Add(append([]byte(`"`+name+`":`), obj...))
}

// thinkingConfig reads what the model may think.
func (d *requestDecoder) thinkingConfig() bool {
	typ := dialect.Word(d.Peek("type"))
	switch typ {
	case "enabled", "adaptive", "disabled":
	default:
		return false
	}
	d.thinking = typ
	for name := range d.Members() {
		if d.KeepNull(&d.reason) {
			continue
		}
		switch {
		case name == "type":
			d.Skip()
		case name == "budget_tokens" && typ == "enabled":
			d.think.Budget = new(d.Int())
		case name == "display" && typ != "disabled":
			d.display()
		default:
			d.reason.Add(d.Member())
		}
	}
	return true
}

func (d *requestDecoder) display() {
	switch m := d.Mark(); d.Unquoted() {
	case "omitted":
		d.think.Summary = "none"
	case "summarized":
		d.think.Summary = "auto"
	default:
		d.Rewind(m)
		d.reason.Add(d.Member())
	}
}

func (d *requestDecoder) outputConfig() bool {
	if d.Kind() != wire.Object {
		return false
	}
	d.hasConf = true
	for name := range d.Members() {
		switch {
		case name == "effort" && d.takeEffort():
		case name == "format" && d.format("output_config"):
			d.confUsed = true
		default:
			d.config.Add(d.Member())
		}
	}
	return true
}

// takeEffort takes an effort, if it is a word that can mean nothing else.
func (d *requestDecoder) takeEffort() bool {
	if !d.Some() {
		return false
	}
	m := d.Mark()
	s := d.Unquoted()
	if s == "none" || s == "on" {
		d.Rewind(m)
		return false
	}
	d.effort = s
	return true
}

// format reads the shape that an answer must have.
func (d *requestDecoder) format(field string) bool {
	if dialect.Word(d.Peek("type")) != scri.FormatJSONSchema || d.req.Format != nil {
		return false
	}
	f := &scri.Format{Kind: scri.FormatJSONSchema}
	var u dialect.Unknown
	if field == "output_format" {
		u.Form(field)
	}
	for name := range d.Members() {
		if d.KeepNull(&u) {
			continue
		}
		switch {
		case name == "type":
			d.Skip()
		case name == "schema" && d.Schema():
			f.Schema = d.Raw()
		default:
			u.Add(d.Member())
		}
	}
	f.Ext = u.Ext(Name)
	d.req.Format = f
	return true
}
