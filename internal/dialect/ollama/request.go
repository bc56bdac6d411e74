package ollama

import (
	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// DecodeRequest reads the body of /api/chat or /api/generate. Of the routes that
// are about models it reads which model is meant.
func (ollama) DecodeRequest(in *dialect.Incoming) (*scri.ChatRequest, error) {
	if in.Route.Op != scri.OpChat {
		return decodeAbout(in)
	}
	d := &reader{
		s: wire.NewScanner(in.Body), req: &scri.ChatRequest{Stream: true},
		generate: in.Route.Variant == VariantGenerate,
	}
	d.ids.Prefix = "call_"
	if err := d.read(); err != nil {
		return nil, err
	}
	return d.req, nil
}

// decodeAbout reads the body of a request about a model; lists have none.
func decodeAbout(in *dialect.Incoming) (*scri.ChatRequest, error) {
	req := new(scri.ChatRequest)
	if in.Route.Op != scri.OpModel {
		return req, nil
	}
	s := wire.NewScanner(in.Body)
	for name := range s.Members() {
		if name != "model" && (name != "name" || req.Model != "") || s.Null() {
			continue
		}
		if m := s.Unquoted(); m != "" {
			req.Model = m
		}
	}
	if err := s.End(); err != nil {
		return nil, dialect.Invalid(err)
	}
	if req.Model == "" {
		return nil, dialect.Missing("/model")
	}
	return req, nil
}

// reader reads one request.
type reader struct {
	s        *wire.Scanner
	req      *scri.ChatRequest
	generate bool
	rest     dialect.Unknown
	msg      message
	ids      dialect.CallIDs
	calls    dialect.CallBook

	sawStream, sawMessages bool
	logprobs               bool
	topLogprobs            int64
	sawTop                 bool

	prompt, system       scri.Text // of /api/generate
	sawPrompt, sawSystem bool
}

func (d *reader) read() error {
	s := d.s
	for name := range s.Members() {
		if s.Kind() == wire.Null {
			if name == "messages" {
				d.sawMessages = true
			}
			if name == "stream" {
				d.sawStream = true
			}
			d.rest.Add(s.Member())
			continue
		}
		if d.generate && d.generateMember(name) {
			continue
		}
		d.member(name)
	}
	if err := s.End(); err != nil {
		return dialect.Invalid(err)
	}
	if !d.generate && !d.sawMessages { // which loads or unloads the model, as none of them do
		d.rest.Form("-messages")
	}
	d.finish()
	return nil
}

func (d *reader) member(name string) {
	s := d.s
	switch name {
	case "model":
		if d.req.Model = s.Unquoted(); d.req.Model == "" {
			d.rest.Form("+model")
		}
	case "messages":
		if d.generate {
			d.rest.Add(s.Member())
			return
		}
		d.sawMessages = true
		d.messages()
	case "stream":
		d.sawStream = true
		d.req.Stream = s.Bool()
	case "tools":
		d.tools()
	case "format":
		d.format()
	case "options":
		d.options()
	case "think":
		d.think()
	case "logprobs":
		if d.logprobs = s.Bool(); !d.logprobs {
			d.rest.Form("logprobs=false")
		}
	case "top_logprobs":
		d.top()
	default:
		d.rest.Add(s.Member())
	}
}

// mostTop is how many alternatives of a token Ollama tells at most.
const mostTop = 20

// top reads how many alternatives are wanted. Without logprobs, which may stand
// behind it, it says nothing that has a typed field.
func (d *reader) top() {
	d.sawTop = true
	if d.topLogprobs = d.s.Int(); d.s.Err() == nil && (d.topLogprobs < 0 || d.topLogprobs > mostTop) {
		d.s.Fail("top_logprobs must be between 0 and 20")
	}
}

// finish puts together what stood in several members.
func (d *reader) finish() {
	if !d.sawStream {
		d.rest.Form("-stream")
	}
	switch {
	case d.logprobs:
		d.req.LogProbs = new(int(d.topLogprobs))
		if d.sawTop && d.topLogprobs == 0 {
			d.rest.Form("+top_logprobs")
		}
	case d.sawTop:
		var w wire.Writer
		w.Key("top_logprobs")
		w.Int(d.topLogprobs)
		d.rest.Add(w.B)
	}
	if d.generate {
		d.finishGenerate()
	}
	d.req.Ext = d.rest.Ext(Name)
}

func (d *reader) messages() {
	n := 0
	for range d.s.Elements() {
		n++
		d.msg.reset()
		before := len(d.msg.calls)
		d.msg.read(d.s, true, true, &d.ids)
		if d.s.Err() != nil {
			return
		}
		for i := range d.msg.calls[before:] {
			if c := d.msg.calls[i].Call; c != nil {
				d.calls.Add(dialect.CallRef{ID: c.ID, Name: c.Name, Made: c.MadeID})
			}
		}
		role := d.msg.forms()
		var parts []scri.Part
		if role == scri.RoleTool {
			parts = []scri.Part{{Kind: scri.PartToolResult, Result: d.result()}}
		} else {
			parts = d.msg.parts()
		}
		d.req.Messages = append(d.req.Messages, scri.Message{Role: role, Parts: parts, Ext: d.msg.rest.Ext(Name)})
	}
	if n == 0 {
		d.rest.Form("+messages")
	}
}

// result makes the tool result of a message of the role tool.
func (d *reader) result() *scri.ToolResult {
	m := &d.msg
	r := &scri.ToolResult{CallID: m.callID, Name: m.toolName}
	if !m.content.IsZero() {
		r.Parts = append(r.Parts, scri.Part{Kind: scri.PartText, Text: m.content})
	}
	for _, data := range m.images {
		r.Parts = append(r.Parts, image(data))
	}
	switch {
	case m.toolName != "":
	case m.seen&sawToolName != 0:
		m.rest.Form("+tool_name")
	default:
		m.rest.Form("-tool_name")
	}
	if m.callID != "" {
		d.calls.Answer(m.callID)
		return r
	}
	if m.seen&sawCallID != 0 {
		m.rest.Form("+tool_call_id")
	}
	m.rest.Form("-tool_call_id")
	r.CallID = d.calls.Take(m.toolName)
	return r
}

func (d *reader) tools() {
	n := 0
	for range d.s.Elements() {
		n++
		d.req.Tools = append(d.req.Tools, readTool(d.s))
	}
	if n == 0 {
		d.rest.Form("+tools")
	}
}

// readTool reads one tool. One of another type, or of another shape, is taken
// along as it is.
func readTool(s *wire.Scanner) scri.Tool {
	start := s.Mark()
	if kind := s.Peek("type"); kind == nil || string(kind) == `"function"` || string(kind) == "null" {
		if t, ok := readFunctionTool(s); ok || s.Err() != nil && !dialect.Misfit(s.Err()) {
			return t
		}
		s.Rewind(start)
	}
	var t scri.Tool
	var u dialect.Unknown
	for name := range s.Members() {
		switch {
		case name == "type" && s.Kind() == wire.String:
			if t.Type = s.Unquoted(); t.Type == "" {
				u.Form("+type")
			}
		case name == "name" && s.Kind() == wire.String:
			if t.Name = s.Unquoted(); t.Name == "" {
				u.Form("+name")
			}
		default:
			u.Add(s.Member())
		}
	}
	u.Form("raw")
	t.Ext = u.Ext(Name)
	return t
}

func readFunctionTool(s *wire.Scanner) (scri.Tool, bool) {
	var t scri.Tool
	var u, fn dialect.Unknown
	typed, seen := false, false
	for name := range s.Members() {
		switch {
		case s.Kind() == wire.Null:
			typed = typed || name == "type"
			u.Add(s.Member())
		case name == "type":
			typed = true
			s.Skip()
		case name == "function":
			seen = true
			readToolFunction(s, &t, &u, &fn)
		default:
			u.Add(s.Member())
		}
	}
	if !typed {
		u.Form("-type")
	}
	addNested(&u, "function", &fn)
	t.Ext = u.Ext(Name)
	return t, seen && s.Err() == nil
}

func readToolFunction(s *wire.Scanner, t *scri.Tool, u, fn *dialect.Unknown) {
	named := false
	for name := range s.Members() {
		switch {
		case s.Kind() == wire.Null:
			fn.Add(s.Member())
		case name == "name":
			t.Name = s.Unquoted()
			named = true
		case name == "description":
			if t.Description = scri.QuotedText(s.Str()); t.Description.IsZero() {
				u.Form("+description")
			}
		case name == "parameters" && dialect.IsSchema(s.Kind()):
			t.Schema = s.Raw()
		default:
			fn.Add(s.Member())
		}
	}
	if !named {
		u.Form("-name")
	}
}
