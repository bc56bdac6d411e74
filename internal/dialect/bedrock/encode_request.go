package bedrock

import (
	"net/http"
	"slices"
	"strings"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// EncodeRequest writes the request for the target.
func (bedrock) EncodeRequest(req *scri.ChatRequest, t *dialect.Target) (*dialect.Outgoing, []scri.Warning, error) {
	if t == nil {
		t = &dialect.Target{}
	}
	model := t.Model
	if model == "" {
		model = req.Model
	}
	e := &requestEncoder{req: req, t: t, claude: strings.Contains(model, "anthropic") || strings.Contains(model, "claude")}
	e.Own = Name
	t.Begin(&e.w, req)
	e.w.BeginObject()
	rest := e.system()
	e.w.Key("messages")
	e.w.BeginArray()
	e.history(rest)
	e.w.EndArray()
	e.think()
	e.inference()
	e.toolConfig()
	e.fields()
	e.format()
	e.metadata()
	e.unsaid()
	e.others()
	e.w.EndObject()
	return &dialect.Outgoing{
		Method: http.MethodPost, Path: path(model, req.Stream),
		Body: e.w.B, Pieces: e.w.Pieces(),
	}, e.Warn, nil
}

type requestEncoder struct {
	encoder
	req    *scri.ChatRequest
	t      *dialect.Target
	claude bool     // the model is one of Anthropic's
	has    []string // members that are written

	thinking string // the type that is asked for, "" = none
	budget   *int64
	forced   bool // thinking is brought about by other means
}

func (e *requestEncoder) key(name string) {
	e.w.Key(name)
	e.has = append(e.has, name)
}

// rest writes what else the client said in an object of its own.
func (e *requestEncoder) rest(name string, has func(name string) bool) {
	if raw := dialect.Member(e.req.Ext, Name, name); len(raw) > 0 && raw[0] == '{' {
		in := e.In("ext/" + name)
		e.Ext(&e.w, &scri.Ext{Dialect: Name, Members: raw}, has)
		e.Out(in)
	}
}

// there reports whether something is said of an object for its own sake.
func (e *requestEncoder) there(name string) bool {
	raw := dialect.Member(e.req.Ext, Name, name)
	return formed(e.req.Ext, name) || len(raw) > 0 && raw[0] == '{'
}

// others writes the members that only this dialect knows, less what was written
// into the objects that the typed fields made.
func (e *requestEncoder) others() {
	own := e.req.Ext.Of(Name)
	if own == nil {
		e.Foreign(e.req.Ext)
		return
	}
	s := wire.NewScanner(own.Members)
	for name := range s.Members() {
		object, null := s.Kind() == wire.Object, s.Kind() == wire.Null
		switch m := s.Member(); {
		case name != "messages" && name != "model" && name != "stream" && !slices.Contains(e.has, name):
			e.w.Raw(m)
		case !null && (!object || name == "messages" || name == "model" || name == "system" || name == "requestMetadata" || name == "outputConfig"):
			e.Drop("ext/"+dialect.Escape(name), "it is said otherwise")
		}
	}
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

// system writes the system text that stands before everything else, and returns
// the index of the first message behind it.
func (e *requestEncoder) system() int {
	list := e.req.Messages
	n, some := 0, formed(e.req.Ext, "system")
	before := len(e.w.B)
	e.key("system")
	e.w.BeginArray()
	in := e.In("messages")
	for n < len(list) && (list[n].Role == scri.RoleSystem || list[n].Role == scri.RoleDeveloper) && !formed(list[n].Ext, "role") {
		m := &list[n]
		at := e.At(n)
		if m.Role == scri.RoleDeveloper {
			e.Tell(scri.WarnChanged, "role", string(m.Role), string(scri.RoleSystem), "")
		}
		e.envelope(m)
		if m.Ext.Of(Name) != nil {
			e.Homeless(m.Ext)
		}
		content := e.In("content")
		for i := range m.Parts {
			at := e.At(i)
			if p := &m.Parts[i]; p.Kind == scri.PartMedia && p.Ext.Of(Name) == nil {
				e.Drop("", "a system prompt is text")
			} else {
				some = e.part(p) || some
			}
			e.Out(at)
		}
		e.Out(content)
		e.Out(at)
		n++
	}
	e.Out(in)
	if !some {
		e.w.B = e.w.B[:before]
		e.has = e.has[:0]
		return n
	}
	e.w.EndArray()
	return n
}

// role is the side that says a message: only two are known.
func (e *requestEncoder) role(m *scri.Message) string {
	switch {
	case formed(m.Ext, "role"), m.Role == scri.RoleAssistant:
		return string(m.Role)
	default:
		return string(scri.RoleUser)
	}
}

// told reports a role that was changed. Results of tools are the user's anyway.
func (e *requestEncoder) told(m *scri.Message, role string) {
	if string(m.Role) == role {
		return
	}
	if m.Role == scri.RoleTool && !slices.ContainsFunc(m.Parts, func(p scri.Part) bool { return p.Kind != scri.PartToolResult }) {
		return
	}
	e.Tell(scri.WarnChanged, "role", string(m.Role), role, "")
}

// history writes the messages from the one at index i on, neighbours of one side
// as one.
func (e *requestEncoder) history(i int) {
	list := e.req.Messages
	in := e.In("messages")
	for i < len(list) {
		end := i + 1
		for end < len(list) && e.role(&list[i]) == e.role(&list[end]) && !formed(list[end].Ext, "apart") {
			end++
		}
		e.turn(i, end)
		i = end
	}
	e.Out(in)
}

// turn writes the messages i to end as one. What holds nothing is left out, as it
// would be refused.
func (e *requestEncoder) turn(i, end int) {
	first := &e.req.Messages[i]
	role := e.role(first)
	before := len(e.w.B)
	e.w.BeginObject()
	e.w.Key("role")
	e.w.Str(role)
	e.w.Key("content")
	e.w.BeginArray()
	some := false
	for k := i; k < end; k++ {
		m := &e.req.Messages[k]
		at := e.At(k)
		e.told(m, role)
		e.envelope(m)
		if k > i && m.Ext.Of(Name) != nil {
			e.Homeless(m.Ext)
		}
		content := e.In("content")
		for j := range m.Parts {
			at := e.At(j)
			some = e.part(&m.Parts[j]) || some
			e.Out(at)
		}
		e.Out(content)
		e.Out(at)
	}
	if !some && !formed(first.Ext, "empty") {
		e.w.B = e.w.B[:before]
		if first.Ext.Of(Name) != nil {
			at := e.At(i)
			e.Homeless(first.Ext)
			e.Out(at)
		}
		return
	}
	e.w.EndArray()
	if first.Ext.Of(Name) != nil {
		at := e.At(i)
		e.Ext(&e.w, first.Ext, func(name string) bool { return name == "role" || name == "content" })
		e.Out(at)
	}
	e.w.EndObject()
}
