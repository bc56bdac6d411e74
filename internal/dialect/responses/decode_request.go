package responses

import (
	"bytes"
	"strings"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// DecodeRequest reads a request for an answer.
func (responses) DecodeRequest(in *dialect.Incoming) (*scri.ChatRequest, error) {
	d := &request{}
	d.Reset(in.Body)
	d.messages = make([]scri.Message, 0, min(4+len(in.Body)/2048, 1024))
	d.read()
	if err := d.End(); err != nil {
		return nil, dialect.Invalid(err)
	}
	if !d.input && d.r.PreviousID == "" && !d.template {
		e := dialect.Missing("/input")
		e.Hint = "send a text, or the conversation as a list of items"
		return nil, e
	}
	return &d.r, nil
}

// request is the decoder of a whole request.
type request struct {
	decoder
	r        scri.ChatRequest
	u        dialect.Unknown
	input    bool
	template bool // a prompt kept by the provider, or a conversation, stands for the input
	listed   bool // the tools were there

	instructions scri.Text
	hasInstr     bool
	top          []byte // the member top_logprobs
	include      []byte // the member include
}

func (d *request) read() {
	for name := range d.Members() {
		if !d.null(&d.u) && !d.scalar(name) && !d.tree(name) && !d.label(name) {
			d.other(name)
		}
	}
	if d.Err() != nil {
		return
	}
	r := &d.r
	if r.Messages = d.messages; d.hasInstr {
		m := scri.Message{Role: scri.RoleSystem, Parts: d.one(scri.Part{Kind: scri.PartText, Text: d.instructions}), Ext: d.form("instructions")}
		r.Messages = append([]scri.Message{m}, r.Messages...)
	}
	d.probabilities()
	if len(r.Tools) == 0 && (r.ToolChoice != nil || r.ParallelTools != nil) {
		d.u.Form("choice")
	}
	if r.Ext = d.u.Ext(Name); r.Ext == nil {
		r.Ext = d.form("") // tells that the client knows what this API does unasked
	}
}

// scalar reads a member that is one plain value.
func (d *request) scalar(name string) bool {
	r := &d.r
	switch name {
	case "model":
		if r.Model = d.Unquoted(); r.Model == "" {
			d.u.Form("model=")
		}
	case "instructions":
		if d.Kind() != wire.String {
			return false
		}
		d.instructions, d.hasInstr = scri.QuotedText(d.Str()), true
	case "max_output_tokens":
		r.MaxTokens = new(d.Int())
	case "temperature":
		r.Temperature = new(d.Float())
	case "top_p":
		r.TopP = new(d.Float())
	case "frequency_penalty":
		r.FrequencyPenalty = new(d.Float())
	case "presence_penalty":
		r.PresencePenalty = new(d.Float())
	case "parallel_tool_calls":
		r.ParallelTools = new(d.Bool())
	case "stream":
		if r.Stream = d.Bool(); !r.Stream {
			d.u.Form("stream=false")
		}
	case "previous_response_id":
		d.said(&d.u, &r.PreviousID)
	case "user":
		if r.User = d.Unquoted(); r.User == "" {
			d.u.Form("user=")
		}
	default:
		return false
	}
	return true
}

// tree reads a member that is a list or an object.
func (d *request) tree(name string) bool {
	switch name {
	case "input":
		d.conversation()
	case "tools":
		d.listed = true
		d.tools()
	case "tool_choice":
		d.toolChoice()
	case "reasoning":
		if !d.try(d.effort) {
			d.r.Reasoning = nil
			d.u.Add(d.Member())
		}
	case "text":
		d.textOptions()
	case "metadata":
		if !d.try(d.metadata) {
			d.r.Metadata = nil
			d.u.Add(d.Member())
		}
	case "top_logprobs":
		m := d.Mark()
		n := int(d.Int())
		if d.Err() != nil {
			return true
		}
		d.r.LogProbs = &n
		d.Rewind(m)
		d.top = d.Member()
	case "include":
		d.include = d.Member()
	default:
		return false
	}
	return true
}

// label reads members that say where an answer is kept and how a request is
// handled. What is the default, or the gateway's own business, says nothing to a
// provider.
func (d *request) label(name string) bool {
	var none string
	switch name {
	case "store":
		slight(&d.u, name, d.Member())
		return true
	case "prompt", "conversation":
		d.template = true
		return false
	case "background":
		none = "false"
	case "truncation":
		none = `"disabled"`
	case "service_tier":
		none = `"auto"`
	default:
		return false
	}
	if raw := d.Member(); string(value(raw)) == none {
		slight(&d.u, name, raw)
	} else {
		d.u.Add(raw)
	}
	return true
}

func (d *request) other(name string) {
	if name == "instructions" && d.Kind() != wire.Array {
		d.Fail("instructions must be a text")
		return
	}
	d.u.Add(d.Member())
}

func (d *request) conversation() {
	d.input = true
	if d.Kind() == wire.String {
		d.u.Form("input")
		d.messages = append(d.messages, scri.Message{
			Role: scri.RoleUser, Parts: d.one(scri.Part{Kind: scri.PartText, Text: scri.QuotedText(d.Str())}),
		})
		return
	}
	if d.Kind() != wire.Array {
		d.Fail("input must be a text or a list of items")
		return
	}
	d.items()
	if len(d.messages) == 0 && d.Err() == nil {
		d.u.Form("input[]")
	}
}

// logProbsWanted is the entry of include that asks for probabilities of tokens.
const logProbsWanted = "message.output_text.logprobs"

// probabilities puts together what top_logprobs and include say.
func (d *request) probabilities() {
	asked, others := false, false
	if d.include != nil {
		s := wire.NewScanner(value(d.include))
		for range s.Elements() {
			if dialect.Word(s.Raw()) == logProbsWanted && !asked {
				asked = true
			} else {
				others = true
			}
		}
		if s.Err() != nil {
			asked, others = false, true
		}
	}
	switch {
	case asked && !others:
		d.u.Form("include")
	case d.include != nil:
		d.u.Add(d.include)
	}
	top := d.r.LogProbs != nil
	switch {
	case asked && !top:
		d.r.LogProbs = new(int)
	case top && !asked:
		d.u.Form("noinclude")
	case top && *d.r.LogProbs <= 0:
		d.u.Form("top_logprobs=0")
	}
}

func (d *request) metadata() bool {
	m := map[string]string{}
	for name := range d.Members() {
		if d.Kind() != wire.String {
			return false
		}
		m[name] = d.Unquoted()
	}
	d.r.Metadata = m
	return len(m) > 0
}

// effort reads how much the model may think.
func (d *request) effort() bool {
	r := new(scri.Reasoning)
	var u dialect.Unknown
	for name := range d.Members() {
		switch {
		case name == "effort" && d.Kind() == wire.String:
			d.said(&u, &r.Effort)
		case name == "summary" && d.Kind() == wire.String:
			d.said(&u, &r.Summary)
		default:
			u.Add(d.Member())
		}
	}
	r.Ext = d.ext(&u)
	d.r.Reasoning = r
	return r.Effort != "" || r.Summary != ""
}

// textOptions reads the shape that the answer must have, and how long it is to be.
func (d *request) textOptions() {
	var rest dialect.Unknown
	some := false
	for name := range d.Members() {
		if name == "format" && d.Kind() == wire.Object && d.try(d.format) {
			some = true
			continue
		}
		rest.Add(d.Member())
	}
	if rest.Empty() && some || d.Err() != nil {
		return
	}
	obj := rest.Object()
	if obj == nil {
		obj = scri.RawJSON("{}")
	}
	d.u.Form("+text")
	member := append([]byte(`"text":`), obj...)
	if string(bytes.TrimSpace(obj)) == "{}" || string(obj) == `{"verbosity":"medium"}` {
		slight(&d.u, "text", member)
	} else {
		d.u.Add(member)
	}
}

func (d *request) format() bool {
	f := new(scri.Format)
	var u dialect.Unknown
	switch dialect.Word(d.Peek("type")) {
	case "text":
		f.Kind = scri.FormatText
	case "json_object":
		f.Kind = scri.FormatJSON
	case "json_schema":
		f.Kind = scri.FormatJSONSchema
	default:
		return false
	}
	named := false
	for name := range d.Members() {
		switch {
		case name == "type":
			d.Skip()
		case f.Kind != scri.FormatJSONSchema:
			u.Add(d.Member())
		case name == "name" && d.Kind() == wire.String:
			if named = true; len(d.quoted()) > 2 {
				f.Name = d.Unquoted()
			} else {
				d.Skip()
				u.Form("name=")
			}
		case name == "schema" && dialect.IsSchema(d.Kind()):
			f.Schema = d.Raw()
		case name == "strict" && d.Kind() == wire.Bool:
			f.Strict = new(d.Bool())
		default:
			u.Add(d.Member())
		}
	}
	if !named && f.Kind == scri.FormatJSONSchema {
		u.Form("noname")
	}
	f.Ext = d.ext(&u)
	d.r.Format = f
	return true
}

// quoted returns the next value, a string, without consuming it.
func (d *decoder) quoted() []byte {
	m := d.Mark()
	q := d.Str()
	d.Rewind(m)
	return q
}

func (d *request) tools() {
	for range d.Elements() {
		var t scri.Tool
		if !d.try(func() bool { return d.function(&t) }) {
			t = scri.Tool{}
			d.otherTool(&t)
		}
		d.r.Tools = append(d.r.Tools, t)
	}
	if len(d.r.Tools) == 0 && d.Err() == nil {
		d.u.Form("tools[]")
	}
}

// function reads a function; anything else does not fit.
func (d *request) function(t *scri.Tool) bool {
	var u dialect.Unknown
	typed := false
	for name := range d.Members() {
		switch {
		case name == "type":
			if typed = d.Unquoted() == "function"; !typed {
				return false
			}
		case name == "name" && d.Kind() == wire.String:
			t.Name = d.Unquoted()
		case name == "description" && d.Kind() == wire.String:
			if t.Description = scri.QuotedText(d.Str()); t.Description.IsZero() {
				u.Form("description=")
			}
		case name == "parameters" && dialect.IsSchema(d.Kind()):
			t.Schema = d.Raw()
		case name == "strict" && d.Kind() == wire.Bool:
			t.Strict = new(d.Bool())
		default:
			u.Add(d.Member())
		}
	}
	if t.Ext = d.ext(&u); t.Ext == nil {
		t.Ext = d.form("") // one without a schema is not given an empty one
	}
	return typed && t.Name != ""
}

// otherTool carries a tool that is no function: the provider's own, or one that
// is called with a text.
func (d *request) otherTool(t *scri.Tool) {
	if d.Kind() != wire.Object {
		d.Fail("a tool must be an object")
		return
	}
	var u dialect.Unknown
	for name := range d.Members() {
		switch {
		case name == "type" && d.Kind() == wire.String:
			t.Type = d.Unquoted()
		case name == "name" && d.Kind() == wire.String:
			d.said(&u, &t.Name)
		default:
			u.Add(d.Member())
		}
	}
	if t.Type == "" {
		d.Fail("a tool needs a type, and a function a name")
		return
	}
	if t.Type == "function" { // one without its description; "" would make it a sound one
		t.Type = "malformed"
		u.Form("function")
	}
	if t.Ext = d.ext(&u); t.Ext == nil {
		t.Ext = d.form("")
	}
}

// toolChoice reads tool_choice. What is neither a word nor a name is kept as it
// stands.
func (d *request) toolChoice() {
	c := new(scri.ToolChoice)
	if !d.try(func() bool { return d.choice(c) }) {
		d.u.Add(d.Member())
		return
	}
	d.r.ToolChoice = c
}

func (d *request) choice(c *scri.ToolChoice) bool {
	if d.Kind() == wire.String {
		return word(c, d.Unquoted())
	}
	typ := dialect.Word(d.Peek("type"))
	var u dialect.Unknown
	switch typ {
	case "function":
	case custom, "allowed_tools":
		u.Form(strings.Clone(typ))
	default:
		return false
	}
	ok := false
	for name := range d.Members() {
		switch {
		case name == "type":
			d.Skip()
		case name == "name" && typ != "allowed_tools" && d.Kind() == wire.String:
			c.Mode, c.Name = scri.ToolsNamed, d.Unquoted()
			ok = c.Name != ""
		case name == "mode" && typ == "allowed_tools":
			ok = word(c, d.Unquoted())
		default:
			u.Add(d.Member())
		}
	}
	c.Ext = d.ext(&u)
	return ok
}

func word(c *scri.ToolChoice, w string) bool {
	switch w {
	case scri.ToolsAuto, scri.ToolsNone, scri.ToolsRequired:
		c.Mode = w
		return true
	default:
		return false
	}
}
