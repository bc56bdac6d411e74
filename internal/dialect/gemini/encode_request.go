package gemini

import (
	"net/http"
	"slices"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/scri"
)

// EncodeRequest writes the request for the target. A stream is asked for as
// server-sent events.
func (gemini) EncodeRequest(req *scri.ChatRequest, t *dialect.Target) (*dialect.Outgoing, []scri.Warning, error) {
	e := newRequestEncoder(req, t)
	e.body(true)
	e.unsaid()
	path := modelPath(e.model, verbGenerate)
	if req.Stream {
		path = modelPath(e.model, verbStream) + "?alt=sse"
	}
	return e.outgoing(path), e.Warn, nil
}

// EncodeCountRequest writes the request to count the tokens of req.
func (gemini) EncodeCountRequest(req *scri.ChatRequest, t *dialect.Target) (*dialect.Outgoing, []scri.Warning, error) {
	e := newRequestEncoder(req, t)
	if onlyContents(req) {
		e.w.BeginObject()
		e.contents(0)
		e.w.EndObject()
		return e.outgoing(modelPath(e.model, verbCount)), e.Warn, nil
	}
	e.w.BeginObject()
	e.w.Key("generateContentRequest")
	e.counting = true
	e.body(false)
	e.w.EndObject()
	return e.outgoing(modelPath(e.model, verbCount)), e.Warn, nil
}

// onlyContents reports whether nothing but the conversation counts.
func onlyContents(req *scri.ChatRequest) bool {
	return len(req.Tools) == 0 && req.Format == nil && (len(req.Messages) == 0 || !leads(&req.Messages[0])) &&
		(req.Ext.Of(Name) == nil || len(req.Ext.Members) == 0)
}

type requestEncoder struct {
	encoder
	req      *scri.ChatRequest
	t        *dialect.Target
	own      *scri.Ext // of the request, if it is ours
	model    string
	counting bool
	said     []string // members of the request that are written
}

func newRequestEncoder(req *scri.ChatRequest, t *dialect.Target) *requestEncoder {
	if t == nil {
		t = &dialect.Target{}
	}
	e := &requestEncoder{req: req, t: t, own: req.Ext.Of(Name), model: t.Model}
	if e.model == "" {
		e.model = req.Model
	}
	e.Own, e.gen, e.older = Name, generation(e.model), ownSchemas(e.model)
	t.Begin(&e.w, req)
	return e
}

func (e *requestEncoder) outgoing(path string) *dialect.Outgoing {
	return &dialect.Outgoing{Method: http.MethodPost, Path: path, Header: header(), Body: e.w.B, Pieces: e.w.Pieces()}
}

// key writes the name of a member of the request.
func (e *requestEncoder) member(name string) {
	e.key(e.own, name)
	e.said = append(e.said, name)
}

// body writes the object of a request.
func (e *requestEncoder) body(whole bool) {
	e.w.BeginObject()
	switch word, bare := spelled(e.own, "model"); {
	case bare && word == "bare":
		e.w.Key("model")
		e.w.Str(e.model)
	case e.counting, formed(e.own, "model"):
		e.w.Key("model")
		e.w.Str("models/" + e.model)
	}
	e.said = append(e.said, "model") // it stands in the path
	rest := e.system()
	e.tools()
	if whole || e.req.ToolChoice != nil {
		e.toolConfig()
	}
	e.generationConfig(whole)
	e.contents(rest)
	e.ext(e.req.Ext, e.said...)
	e.w.EndObject()
}

// unsaid reports what a request may hold that has no place here.
func (e *requestEncoder) unsaid() {
	r := e.req
	for _, f := range []struct {
		there bool
		name  string
	}{
		{r.ParallelTools != nil, "parallel_tools"},
		{r.User != "", "user"},
		{len(r.Metadata) > 0, "metadata"},
		{r.Session != "", "session"},
		{r.PreviousID != "", "previous_id"},
		{!r.Suffix.IsZero(), "suffix"},
		{r.Routing != nil, "routing"},
	} {
		if f.there {
			e.Drop(f.name, "there is no such field here")
		}
	}
}

// leads reports whether a message is the system's.
func leads(m *scri.Message) bool {
	return (m.Role == scri.RoleSystem || m.Role == scri.RoleDeveloper) && !formed(m.Ext, "raw")
}

// system writes what the system says before all else, and returns the index of
// the first message behind it.
func (e *requestEncoder) system() int {
	list := e.req.Messages
	n := 0
	for n < len(list) && leads(&list[n]) && (n == 0 || list[n].Ext.Of(Name) == nil) {
		n++
	}
	if n == 0 {
		return 0
	}
	before := len(e.w.B)
	e.member("systemInstruction")
	e.w.BeginObject()
	first := &list[0]
	if word, ok := spelled(first.Ext, "role"); ok {
		e.w.Key("role")
		e.w.Str(word)
	} else if formed(first.Ext, "role") {
		e.w.Key("role")
		e.w.Str("")
	}
	some, said := e.turnParts(0, n)
	in := e.In("messages")
	at := e.At(0)
	e.ext(first.Ext, append(said, "role")...)
	e.Out(at)
	e.Out(in)
	if !some && first.Ext.Of(Name) == nil {
		e.w.B = e.w.B[:before]
		e.said = e.said[:len(e.said)-1]
		return n
	}
	e.w.EndObject()
	return n
}

// contents writes the messages from the one at index i on. Neighbouring results
// of tools are one content, as the API wants all results of a turn together.
func (e *requestEncoder) contents(i int) {
	list := e.req.Messages
	if i == len(list) && member(e.own, "contents") != nil {
		return // a null that stays one
	}
	e.member("contents")
	single := formed(e.own, "content") && len(list)-i == 1
	if !single {
		e.w.BeginArray()
	}
	for i < len(list) {
		end := i + 1
		for results(&list[i]) && end < len(list) && results(&list[end]) {
			end++
		}
		e.turn(i, end)
		i = end
	}
	if !single {
		e.w.EndArray()
	}
}

// results reports whether a message of a tool holds results and nothing else.
func results(m *scri.Message) bool {
	return m.Role == scri.RoleTool && m.Ext.Of(Name) == nil &&
		!slices.ContainsFunc(m.Parts, func(p scri.Part) bool { return p.Kind != scri.PartToolResult })
}

// turn writes the messages i to end as one content. One of which nothing can be
// said is left out, as it would be refused.
func (e *requestEncoder) turn(i, end int) {
	m := &e.req.Messages[i]
	before := len(e.w.B)
	e.w.BeginObject()
	in := e.In("messages")
	at := e.At(i)
	role := e.role(m)
	e.Out(at)
	e.Out(in)
	some, said := e.turnParts(i, end)
	if role {
		said = append(said, "role")
	}
	if !some && m.Ext.Of(Name) == nil {
		e.w.B = e.w.B[:before]
		return
	}
	in = e.In("messages")
	at = e.At(i)
	e.ext(m.Ext, said...)
	e.Out(at)
	e.Out(in)
	e.w.EndObject()
}

// role writes who speaks, unless nobody said.
func (e *requestEncoder) role(m *scri.Message) bool {
	role := roleUser
	switch {
	case formed(m.Ext, "raw"):
		role = string(m.Role)
	case m.Role == scri.RoleUser:
		switch {
		case formed(m.Ext, "-role"):
			return false
		case formed(m.Ext, "role"):
			role = ""
		}
	case m.Role == scri.RoleAssistant:
		role = roleModel
	case m.Role == scri.RoleTool:
		if word, ok := spelled(m.Ext, "role"); ok {
			role = word
		} else if slices.ContainsFunc(m.Parts, func(p scri.Part) bool { return p.Kind != scri.PartToolResult }) || len(m.Parts) == 0 {
			e.Tell(scri.WarnChanged, "role", string(m.Role), string(scri.RoleUser), "")
		}
	default:
		e.Tell(scri.WarnChanged, "role", string(m.Role), string(scri.RoleUser), "")
	}
	e.w.Key("role")
	e.w.Str(role)
	return true
}

// turnParts writes the parts of the messages i to end, and reports whether there
// were any and which members it wrote.
func (e *requestEncoder) turnParts(i, end int) (some bool, said []string) {
	m := &e.req.Messages[i]
	in := e.In("messages")
	defer e.Out(in)
	before := len(e.w.B)
	single := formed(m.Ext, "part") && end == i+1 && len(m.Parts) == 1
	e.w.Key("parts")
	if !single {
		e.w.BeginArray()
	}
	for k := i; k < end; k++ {
		at := e.At(k)
		some = e.message(k, k > i) || some
		e.Out(at)
	}
	if !some && !formed(m.Ext, "list") {
		e.w.B = e.w.B[:before]
		return false, nil
	}
	if !single {
		e.w.EndArray()
	}
	return true, []string{"parts"}
}

// message writes the parts of one message. joined: it has no object of its own.
func (e *requestEncoder) message(k int, joined bool) (some bool) {
	m := &e.req.Messages[k]
	if m.ID != "" {
		e.Drop("id", "messages have no ids here")
	}
	if m.Name != "" {
		e.Drop("name", "speakers have no names here")
	}
	if joined {
		e.Homeless(m.Ext)
	}
	if m.Role == scri.RoleDeveloper && !formed(m.Ext, "raw") {
		e.Tell(scri.WarnChanged, "role", string(m.Role), string(scri.RoleSystem), "")
	}
	in := e.In("content")
	signed := false
	for i := range m.Parts {
		at := e.At(i)
		p := &m.Parts[i]
		if p.Kind == scri.PartToolCall && !signed {
			signed = true
			if e.gen >= 3 && p.Signature == nil && p.Call != nil && p.Call.Server == "" && p.Ext.Of(Name) == nil && e.current(k) {
				q := *p
				q.Signature = &scri.Signature{Value: scri.NewText(unsigned), Dialect: Name}
				p = &q
				e.Tell(scri.WarnAdded, "signature", "", unsigned, "the model refuses calls of others without it")
			}
		}
		some = e.part(p) || some
		e.Out(at)
	}
	e.Out(in)
	return some
}

// current reports whether a message belongs to the turn that is going on: nobody
// but tools has spoken since.
func (e *requestEncoder) current(k int) bool {
	for _, m := range e.req.Messages[k+1:] {
		if m.Role == scri.RoleUser && slices.ContainsFunc(m.Parts, func(p scri.Part) bool { return p.Kind != scri.PartToolResult }) {
			return false
		}
	}
	return true
}
