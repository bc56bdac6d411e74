package ollama

import (
	"net/http"
	"slices"
	"strconv"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// EncodeRequest writes the body of /api/chat, or of /api/generate for a request
// that came to us there and still fits it.
func (ollama) EncodeRequest(req *scri.ChatRequest, t *dialect.Target) (*dialect.Outgoing, []scri.Warning, error) {
	if t == nil {
		t = new(dialect.Target)
	}
	e := &writer{req: req, t: t, own: req.Ext.Of(Name)}
	e.speech.losses = &e.losses
	t.Begin(&e.w, req)
	e.w.BeginObject()
	e.model()
	path := pathChat
	if e.generate = e.fitsGenerate(); e.generate {
		path = pathGenerate
		e.prompt()
	} else {
		e.messages()
	}
	e.stream()
	e.tools()
	e.format()
	e.options()
	e.think()
	e.logprobs()
	e.keepAlive()
	e.uncut()
	e.rest()
	e.w.EndObject()
	e.unsaid()
	out := &dialect.Outgoing{
		Method: http.MethodPost, Path: path, Body: e.w.B, Pieces: e.w.Pieces(),
	}
	return out, e.warn, nil
}

// writer writes one request.
type writer struct {
	req *scri.ChatRequest
	t   *dialect.Target
	own *scri.Ext // of the request, if it is ours
	w   wire.Writer
	losses
	speech   speech
	names    []string // members that are written
	calls    dialect.CallBook
	generate bool
}

func (e *writer) key(name string) {
	e.w.Key(name)
	e.names = append(e.names, name)
}

func (e *writer) model() {
	model := e.t.Model
	if model == "" {
		model = e.req.Model
	}
	if model != "" || formed(e.own, "+model") {
		e.key("model")
		e.w.Str(model)
	}
}

func (e *writer) stream() {
	if e.req.Stream && (formed(e.own, "-stream") || member(e.own, "stream") != nil) {
		return // it is so by default, and was left to that
	}
	e.key("stream")
	e.w.Bool(e.req.Stream)
}

func (e *writer) tools() {
	req := e.req
	if c := req.ToolChoice; c != nil {
		switch c.Mode {
		case scri.ToolsAuto:
			e.add(scri.WarnEmulated, "/tool_choice", "what Ollama does anyway")
		case scri.ToolsNone:
			e.add(scri.WarnEmulated, "/tool_choice", "by leaving the tools out")
			if len(req.Tools) > 0 {
				e.add(scri.WarnEmulated, "/tools", "left out, as none may be called")
			}
			return
		default:
			e.drop("/tool_choice", "Ollama cannot be made to call a tool")
		}
	}
	if len(req.Tools) == 0 && !formed(e.own, "+tools") {
		return
	}
	e.key("tools")
	e.w.BeginArray()
	for i := range req.Tools {
		e.tool(&req.Tools[i], index("/tools", i))
	}
	e.w.EndArray()
}

func (e *writer) tool(t *scri.Tool, path string) {
	own := t.Ext.Of(Name)
	if formed(own, "raw") {
		e.w.BeginObject()
		if t.Type != "" || formed(own, "+type") {
			e.w.Key("type")
			e.w.Str(t.Type)
		}
		if t.Name != "" || formed(own, "+name") {
			e.w.Key("name")
			e.w.Str(t.Name)
		}
		rest(&e.w, own, false, func(name string) bool {
			return name == "type" && t.Type != "" || name == "name" && t.Name != ""
		})
		e.w.EndObject()
		return
	}
	if t.Type != "" {
		e.drop(path, "Ollama has no tools of type "+t.Type)
		return
	}
	e.toolLoss(t, path)
	e.w.BeginObject()
	if !formed(own, "-type") && string(member(own, "type")) != "null" {
		e.w.Key("type")
		e.w.Str("function")
	}
	e.w.Key("function")
	e.w.BeginObject()
	if t.Name != "" || !formed(own, "-name") {
		e.w.Key("name")
		e.w.Str(t.Name)
	}
	if !t.Description.IsZero() || formed(own, "+description") {
		e.w.Key("description")
		e.w.B = t.Description.AppendJSON(e.w.B)
	}
	if len(t.Schema) > 0 {
		e.w.Key("parameters")
		e.w.Raw(t.Schema)
	}
	if raw := member(own, "function"); isObject(raw) {
		rest(&e.w, &scri.Ext{Dialect: Name, Members: raw}, false, func(name string) bool {
			return name == "name" && t.Name != "" || name == "description" && !t.Description.IsZero() ||
				name == "parameters" && len(t.Schema) > 0
		})
	}
	e.w.EndObject()
	rest(&e.w, own, false, func(name string) bool { return name == "function" })
	e.w.EndObject()
}

func (e *writer) toolLoss(t *scri.Tool, path string) {
	if t.Strict != nil {
		e.drop(path+"/strict", "")
	}
	if t.Cache != nil {
		e.drop(path+"/cache", "Ollama caches prompts by itself")
	}
	e.foreign(t.Ext, func() string { return path })
}

func (e *writer) format() {
	f := e.req.Format
	if f == nil {
		if formed(e.own, "+format") {
			e.key("format")
			e.w.Str("")
		}
		return
	}
	e.homeless(f.Ext, func() string { return "/format" })
	if f.Name != "" {
		e.drop("/format/name", "")
	}
	if f.Strict != nil {
		e.drop("/format/strict", "Ollama keeps to a schema anyway")
	}
	switch {
	case f.Kind == scri.FormatText:
		e.add(scri.WarnEmulated, "/format/kind", "what Ollama does anyway")
	case f.Kind == scri.FormatJSONSchema && isObject(f.Schema):
		e.key("format")
		e.w.Raw(f.Schema)
	default:
		if f.Kind != scri.FormatJSON {
			e.change("/format/kind", f.Kind, scri.FormatJSON, "there is no schema to keep to")
		}
		if f.Schema != nil {
			e.drop("/format/schema", "Ollama takes a schema that is an object")
		}
		e.key("format")
		e.w.Str("json")
	}
}

func (e *writer) logprobs() {
	n := e.req.LogProbs
	switch {
	case n != nil:
		e.key("logprobs")
		e.w.Bool(true)
		if *n > 0 || formed(e.own, "+top_logprobs") {
			e.key("top_logprobs")
			e.w.Int(int64(min(*n, mostTop)))
		}
		if *n < 0 || *n > mostTop {
			e.change("/logprobs", strconv.Itoa(*n), strconv.Itoa(max(0, min(*n, mostTop))), "there is no such number of alternatives")
		}
	case e.t.LogProbs:
		e.key("logprobs")
		e.w.Bool(true)
		e.add(scri.WarnAdded, "/logprobs", "to measure confidence")
		if member(e.own, "top_logprobs") != nil {
			e.names = append(e.names, "top_logprobs")
			e.drop("/ext/top_logprobs", "it would ask for more than is wanted")
		}
	default:
		if v, ok := spelled(e.own, "logprobs"); ok && v == "false" {
			e.key("logprobs")
			e.w.Bool(false)
		}
	}
}

// keepAlive asks for what the target wants unless the client did.
func (e *writer) keepAlive() {
	if raw := member(e.own, "keep_alive"); e.t.KeepAlive == "" || raw != nil && string(raw) != "null" {
		return
	}
	e.key("keep_alive")
	writeKeepAlive(&e.w, e.t.KeepAlive)
	e.add(scri.WarnAdded, "/ext/keep_alive", "set for this model")
}

// uncut asks for a refusal where the target wants it and the client said nothing.
func (e *writer) uncut() {
	if !e.t.Uncut || member(e.own, "truncate") != nil {
		return
	}
	e.key("truncate")
	e.w.Bool(false)
	e.add(scri.WarnAdded, "/ext/truncate", "so that a prompt that is too long is not cut in silence")
}

func writeKeepAlive(w *wire.Writer, v string) {
	if s := wire.NewScanner([]byte(v)); s.Number() != nil && s.End() == nil {
		w.Raw([]byte(v)) // seconds; as a string it would need a unit
	} else {
		w.Str(v)
	}
}

// rest writes what only Ollama knows, and reports what only others know.
func (e *writer) rest() {
	e.foreign(e.req.Ext, func() string { return "" })
	onlyThere := [...]string{"suffix", "template", "context", "raw"}
	came := formed(e.own, VariantGenerate)
	rest(&e.w, e.own, false, func(name string) bool {
		if came && !e.generate && slices.Contains(onlyThere[:], name) {
			e.drop("/ext/"+name, "only /api/generate knows it")
			return true
		}
		if !slices.Contains(e.names, name) {
			return false
		}
		if name != "options" && name != "top_logprobs" && present(e.own.Members, name) {
			e.drop("/ext/"+name, "it is said otherwise")
		}
		return true
	})
	if !e.generate {
		return
	}
	for _, name := range onlyThere {
		if !formed(e.own, "+"+name) || slices.Contains(e.names, name) {
			continue
		}
		e.w.Key(name)
		if name == "raw" {
			e.w.Bool(false)
		} else {
			e.w.Str("")
		}
	}
}

// unsaid reports the wishes that Ollama has no word for.
func (e *writer) unsaid() {
	req := e.req
	if req.ParallelTools != nil {
		e.drop("/parallel_tools", "")
	}
	switch {
	case req.N == 1:
		e.add(scri.WarnEmulated, "/n", "Ollama gives one answer")
	case req.N != 0:
		e.drop("/n", "Ollama gives one answer")
	}
	if req.User != "" {
		e.drop("/user", "")
	}
	if len(req.Metadata) > 0 {
		e.drop("/metadata", "")
	}
	if req.Session != "" {
		e.drop("/session", "it is the gateway's")
	}
	if req.Routing != nil {
		e.drop("/routing", "it is the gateway's")
	}
	if !req.Suffix.IsZero() && !e.generate {
		e.drop("/suffix", "only /api/generate knows it, which takes one text")
	}
	if req.PreviousID != "" {
		e.drop("/previous_id", "Ollama keeps no answers")
	}
}
