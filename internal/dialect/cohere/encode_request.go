package cohere

import (
	"net/http"
	"slices"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/scri"
)

// EncodeRequest writes the request for the target.
func (cohere) EncodeRequest(req *scri.ChatRequest, t *dialect.Target) (*dialect.Outgoing, []scri.Warning, error) {
	if t == nil {
		t = &dialect.Target{}
	}
	e := &requestEncoder{req: req, t: t}
	e.Own = Name
	t.Begin(&e.w, req)
	e.w.BeginObject()
	e.w.Key("model")
	if t.Model != "" {
		e.w.Str(t.Model)
	} else {
		e.w.Str(req.Model)
	}
	if req.Stream || formed(req.Ext, "stream") {
		e.w.Key("stream")
		e.w.Bool(req.Stream)
	}
	e.tools()
	e.documents()
	e.w.Key("messages")
	e.w.BeginArray()
	e.history()
	e.w.EndArray()
	e.sampling()
	e.format()
	e.thinking()
	e.unsaid()
	e.Ext(&e.w, req.Ext, e.said)
	e.w.EndObject()
	return &dialect.Outgoing{
		Method: http.MethodPost, Path: pathChat,
		Body: e.w.B, Pieces: e.w.Pieces(),
	}, e.Warn, nil
}

type requestEncoder struct {
	encoder
	req *scri.ChatRequest
	t   *dialect.Target

	docs, end, endPart int // the messages docs to end, and what of end is before endPart, are documents
	has                written
}

// said reports whether a member of the request is written already.
func (e *requestEncoder) said(name string) bool {
	switch name {
	case "model", "messages":
		return true
	case "stream":
		return e.req.Stream || formed(e.req.Ext, "stream")
	default:
		return e.has.has(name)
	}
}

// key begins a member of the request.
func (e *requestEncoder) key(name string) {
	e.w.Key(name)
	e.has = append(e.has, name)
}

// region finds the documents: what users show before anything else was said.
func (e *requestEncoder) region() {
	list := e.req.Messages
	i := 0
	for i < len(list) && (list[i].Role == scri.RoleSystem || list[i].Role == scri.RoleDeveloper) {
		i++
	}
	e.docs = i
	for ; i < len(list) && list[i].Role == scri.RoleUser && len(list[i].Parts) > 0; i++ {
		k := 0
		for k < len(list[i].Parts) && isDocument(&list[i].Parts[k]) {
			k++
		}
		if e.endPart = k; k < len(list[i].Parts) {
			break
		}
		e.endPart = 0
	}
	e.end = i
}

func (e *requestEncoder) documents() {
	e.region()
	if e.docs == e.end && e.endPart == 0 {
		if formed(e.req.Ext, "documents") {
			e.key("documents")
			e.w.Raw([]byte("[]"))
		}
		return
	}
	e.key("documents")
	e.w.BeginArray()
	in := e.In("messages")
	for i := e.docs; i <= e.end && i < len(e.req.Messages); i++ {
		m := &e.req.Messages[i]
		at := e.At(i)
		parts := m.Parts
		if i == e.end {
			parts = parts[:e.endPart]
		} else {
			e.envelope(m)
			if m.Ext.Of(Name) != nil {
				e.Homeless(m.Ext)
			}
		}
		e.base, e.lengths = 0, nil
		for k := range parts {
			at := e.at(k)
			e.requestDocument(&parts[k])
			e.Out(at)
		}
		e.Out(at)
	}
	e.Out(in)
	e.w.EndArray()
}

// envelope reports what of a message beside its parts has no place.
func (e *requestEncoder) envelope(m *scri.Message) {
	if m.ID != "" {
		e.Drop("id", "messages have no ids here")
	}
	if m.Name != "" {
		e.Drop("name", "speakers have no names here")
	}
	e.Foreign(m.Ext)
}

func (e *requestEncoder) history() {
	in := e.In("messages")
	for i := range e.req.Messages {
		if i >= e.docs && i < e.end {
			continue
		}
		from := 0
		if i == e.end {
			from = e.endPart
		}
		at := e.At(i)
		e.message(&e.req.Messages[i], from)
		e.Out(at)
	}
	e.Out(in)
}

// message writes one message, or several: each result of a tool is one here.
func (e *requestEncoder) message(m *scri.Message, from int) {
	e.envelope(m)
	own := m.Ext.Of(Name)
	said := *m
	if said.Ext = own; from == len(m.Parts) {
		e.spoken(&said, nil, 0)
		return
	}
	if dialect.OddResults(m) {
		e.Tell(scri.WarnChanged, "role", string(m.Role), string(scri.RoleTool), "results are a tool's")
	}
	for i := from; i < len(m.Parts); {
		if isResult(&m.Parts[i]) {
			e.result(&said, &m.Parts[i], i)
			i++
		} else {
			end := i
			for end < len(m.Parts) && !isResult(&m.Parts[end]) {
				end++
			}
			if m.Role == scri.RoleTool && !formed(own, "role") {
				e.Tell(scri.WarnChanged, "role", string(m.Role), string(scri.RoleUser), "only a result is a tool's")
				said.Role = scri.RoleUser
			}
			e.spoken(&said, m.Parts[i:end], i)
			i = end
		}
		said.Ext = nil // it goes with the first
	}
}

func isResult(p *scri.Part) bool {
	return p.Kind == scri.PartToolResult && p.Result != nil && p.Result.Server == ""
}

func isCall(p *scri.Part) bool {
	return p.Kind == scri.PartToolCall && p.Call != nil && p.Call.Server == ""
}

// spoken writes what somebody says who is no tool, unless nothing is left of it.
func (e *requestEncoder) spoken(m *scri.Message, parts []scri.Part, base int) {
	e.base, e.lengths = base, nil
	if m.Role != scri.RoleAssistant && slices.ContainsFunc(parts, func(p scri.Part) bool { return isCall(&p) }) {
		e.Tell(scri.WarnChanged, "role", string(m.Role), string(scri.RoleAssistant), "only the assistant calls tools here")
		said := *m
		said.Role, m = scri.RoleAssistant, &said
	}
	n := e.sort(parts, m.Role)
	if n[planPlace]+n[contentPlace]+n[callPlace] == 0 && !says(m) {
		if m.Ext != nil {
			e.Homeless(m.Ext)
		}
		return
	}
	e.w.BeginObject()
	e.w.Key("role")
	e.role(m)
	done := append(e.speech(m, parts, n), "role")
	e.Ext(&e.w, m.Ext, done.has)
	e.w.EndObject()
}

// says reports whether a message without parts came so.
func says(m *scri.Message) bool {
	return m.Ext != nil && (m.Ext.Form != "" || len(m.Ext.Members) > 0)
}

func (e *requestEncoder) role(m *scri.Message) {
	switch role := m.Role; {
	case role == scri.RoleUser, role == scri.RoleAssistant, role == scri.RoleSystem, formed(m.Ext, "role"):
		e.w.Str(string(role))
	case role == scri.RoleDeveloper:
		e.Tell(scri.WarnChanged, "role", string(role), string(scri.RoleSystem), "")
		e.w.Str(string(scri.RoleSystem))
	default:
		e.Tell(scri.WarnChanged, "role", string(role), string(scri.RoleUser), "")
		e.w.Str(string(scri.RoleUser))
	}
}

// result writes the message of a tool.
func (e *requestEncoder) result(m *scri.Message, p *scri.Part, i int) {
	r := p.Result
	e.base, e.lengths = 0, nil
	in := e.In("content")
	e.At(i)
	e.ornaments(p)
	e.Homeless(p.Ext)
	e.In("result")
	if r.Name != "" {
		e.Drop("name", "a result names its call, not the tool")
	}
	if r.Error {
		e.Drop("error", "whether a tool failed is told in its text only")
	}
	e.Foreign(r.Ext)
	e.w.BeginObject()
	e.w.Key("role")
	e.w.Str(string(scri.RoleTool))
	e.w.Key("tool_call_id")
	e.w.Str(r.CallID)
	said := scri.Message{Role: scri.RoleTool, Ext: r.Ext.Of(Name)}
	done := written{"role", "tool_call_id"}
	if e.resultContent(&said, r.Parts) {
		done = append(done, "content")
	}
	e.Out(in)
	e.Ext(&e.w, m.Ext, done.has)
	e.w.EndObject()
}

func (e *requestEncoder) resultContent(said *scri.Message, parts []scri.Part) bool {
	e.places, e.index = e.places[:0], e.index[:0]
	n := 0
	for k := range parts {
		at := e.at(k)
		where := e.resultPlace(&parts[k])
		e.Out(at)
		if where == contentPlace {
			n++
		}
		e.places, e.index = append(e.places, where), append(e.index, -1)
	}
	if n == 0 {
		if formed(said.Ext, "nocontent") {
			return false
		}
		if !e.content(said, parts, 0) {
			e.w.Key("content")
			e.w.Str("")
		}
		return true
	}
	one := 0
	for e.places[one] != contentPlace {
		one++
	}
	if n == 1 && e.asString(said, &parts[one]) {
		return e.content(said, parts, n)
	}
	e.w.Key("content")
	e.w.BeginArray()
	for k := range parts {
		if e.places[k] != contentPlace {
			continue
		}
		at := e.at(k)
		if p := &parts[k]; p.Kind == scri.PartMedia && !isImage(p.Media) {
			e.ornaments(p)
			e.documentItem(p)
		} else {
			e.item(p)
		}
		e.Out(at)
	}
	e.w.EndArray()
	return true
}

// resultPlace is where a part of a result goes, which may be texts and documents.
func (e *requestEncoder) resultPlace(p *scri.Part) place {
	switch {
	case p.Kind == scri.PartThinking && p.Ext.Of(Name) == nil, p.Kind == scri.PartToolCall, p.Kind == scri.PartToolResult:
		e.Drop("", "a tool's result holds texts and documents only")
		return nowhere
	default:
	}
	where := e.place(p, scri.RoleTool, true)
	if where == callPlace {
		where = contentPlace
	}
	if where == contentPlace && len(p.Citations) > 0 {
		e.Drop("citations", "results of tools cite nothing here")
	}
	return where
}
