package anthropic

import (
	"net/http"
	"slices"
	"strings"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// defaultMaxTokens bounds an answer where neither the request nor the model's
// facts do, as the format demands a bound.
const defaultMaxTokens = 4096

// EncodeRequest writes the request for the target.
func (anthropic) EncodeRequest(req *scri.ChatRequest, t *dialect.Target) (*dialect.Outgoing, []scri.Warning, error) {
	e := newRequestEncoder(req, t)
	e.w.BeginObject()
	e.named()
	e.w.Key("max_tokens")
	e.w.Int(e.limit())
	e.reasoning()
	e.sampling()
	e.body()
	e.metadata()
	if req.Stream || hasForm(req.Ext, "stream") {
		e.w.Key("stream")
		e.w.Bool(req.Stream)
	}
	e.unsaid()
	e.others(nil)
	e.w.EndObject()
	return e.outgoing(e.path()), e.warn, nil
}

// EncodeCountRequest writes the request to count the tokens of req: only what
// counts, as the API refuses all else.
func (anthropic) EncodeCountRequest(req *scri.ChatRequest, t *dialect.Target) (*dialect.Outgoing, []scri.Warning, error) {
	e := newRequestEncoder(req, t)
	e.w.BeginObject()
	e.str("model", e.model())
	e.reasoning()
	e.body()
	e.others([]string{
		"service_tier", "container", "inference_geo", "speed", "metadata", "stop_sequences", "stream",
		"max_tokens", "temperature", "top_p", "top_k",
	})
	e.w.EndObject()
	return e.outgoing(e.countPath()), e.warn, nil
}

// others writes the members that only this dialect knows, less those that are
// refused at this place. They do not say again what the typed fields have said.
func (e *requestEncoder) others(refused []string) {
	own := e.req.Ext.Of(Name)
	if own == nil {
		e.foreign(e.req.Ext)
		return
	}
	if len(own.Members) == 0 {
		return
	}
	s := wire.NewScanner(own.Members)
	for name := range s.Members() {
		switch {
		case slices.Contains(refused, name):
		case !e.said(name):
			e.w.Raw(s.Member())
		case s.Kind() != wire.Null:
			e.drop("ext/"+dialect.Escape(name), "it is said otherwise")
		}
	}
}

// said reports whether a member of a request has a typed field that is set.
func (e *requestEncoder) said(name string) bool {
	r := e.req
	switch name {
	case "model", "max_tokens", "messages":
		return true
	case "anthropic_version":
		return e.vertex()
	case "stream":
		return r.Stream || hasForm(r.Ext, name)
	case "temperature":
		return r.Temperature != nil
	case "top_p":
		return r.TopP != nil
	case "top_k":
		return r.TopK != nil
	case "stop_sequences":
		return len(r.Stop) > 0 || hasForm(r.Ext, "stop")
	case "system":
		return len(r.Messages) > 0 && leads(&r.Messages[0]) || hasForm(r.Ext, name)
	case "tools":
		return len(r.Tools) > 0 || hasForm(r.Ext, name)
	case "tool_choice":
		return r.ToolChoice != nil || r.ParallelTools != nil
	case "thinking":
		return e.thinking != ""
	case "metadata":
		return r.User != ""
	default:
		return false
	}
}

type requestEncoder struct {
	encoder
	req *scri.ChatRequest
	t   *dialect.Target

	forced   bool   // thinking is brought about by other means
	thinking string // the type that is asked for, "" = none
	effort   string // for output_config
	budget   int64
	max      int64
	tools    int // how many could be written
}

func newRequestEncoder(req *scri.ChatRequest, t *dialect.Target) *requestEncoder {
	if t == nil {
		t = &dialect.Target{}
	}
	e := &requestEncoder{req: req, t: t}
	t.Begin(&e.w, req)
	return e
}

// outgoing carries of the client's header what belongs to the format: the betas it
// wants, and how Claude Code and Anthropic's SDKs tell who they are.
func (e *requestEncoder) outgoing(path string) *dialect.Outgoing {
	h := header()
	for name, v := range e.t.Header {
		if name == "Anthropic-Beta" || name == "X-App" || strings.HasPrefix(name, "X-Claude-Code-") || strings.HasPrefix(name, "X-Stainless-") {
			h[name] = v
		}
	}
	return &dialect.Outgoing{Method: http.MethodPost, Path: path, Header: h, Body: e.w.B, Pieces: e.w.Pieces()}
}

func (e *requestEncoder) model() string {
	if e.t.Model != "" {
		return e.t.Model
	}
	return e.req.Model
}

// limit is the bound of the answer, which the format demands.
func (e *requestEncoder) limit() int64 {
	e.max = defaultMaxTokens
	switch {
	case e.req.MaxTokens != nil:
		e.max = *e.req.MaxTokens
		return e.max
	case e.t.MaxOutput > 0:
		e.max = e.t.MaxOutput
	}
	e.lose(scri.WarnAdded, "max_tokens", "", itoa(e.max), "the format demands a limit")
	return e.max
}

// body writes what a count is about, too.
func (e *requestEncoder) body() {
	e.outputConfig()
	e.tools = e.encoder.tools(e.req)
	e.toolChoice(e.req, e.tools)
	rest := e.system()
	e.w.Key("messages")
	e.w.BeginArray()
	in := e.in("messages")
	e.history(rest)
	e.out(in)
	e.w.EndArray()
}

func (e *requestEncoder) sampling() {
	r := e.req
	warm := r.Temperature != nil && e.temperature(*r.Temperature)
	if r.TopP != nil {
		switch {
		case e.forced && *r.TopP < 0.95:
			e.drop("top_p", "not possible together with thinking")
		case warm && !hasForm(r.Ext, "top_p"):
			e.drop("top_p", "newer models take either temperature or top_p")
		default:
			e.w.Key("top_p")
			e.w.Float(*r.TopP)
		}
	}
	if r.TopK != nil {
		if e.forced {
			e.drop("top_k", "not possible together with thinking")
		} else {
			e.w.Key("top_k")
			e.w.Int(*r.TopK)
		}
	}
	e.stop()
}

// temperature writes the temperature and reports whether it could.
func (e *requestEncoder) temperature(v float64) bool {
	switch {
	case e.forced && v != 1:
		e.drop("temperature", "not possible together with thinking")
		return false
	case v > 1 && !hasForm(e.req.Ext, "temperature"):
		e.lose(scri.WarnChanged, "temperature", "", "1", "the highest that is allowed here")
		v = 1
	}
	e.w.Key("temperature")
	e.w.Float(v)
	return true
}

func (e *requestEncoder) stop() {
	asCame := hasForm(e.req.Ext, "stop")
	if len(e.req.Stop) == 0 && !asCame {
		return
	}
	before, some := len(e.w.B), asCame
	e.w.Key("stop_sequences")
	e.w.BeginArray()
	in := e.in("stop")
	for i, s := range e.req.Stop {
		if !asCame && strings.TrimSpace(s) == "" {
			e.drop(itoa(int64(i)), "a stop sequence of white space is refused here")
			continue
		}
		e.w.Str(s)
		some = true
	}
	e.out(in)
	if !some {
		e.w.B = e.w.B[:before]
		return
	}
	e.w.EndArray()
}

// metadata writes the user's id and whatever else came in the same object.
func (e *requestEncoder) metadata() {
	if len(e.req.Metadata) > 0 {
		e.drop("metadata", "only the user's id can be told")
	}
	if e.req.User == "" {
		return
	}
	e.w.Key("metadata")
	e.w.BeginObject()
	e.str("user_id", e.req.User)
	e.w.Members(e.takeMember("metadata"))
	e.w.EndObject()
}

// takeMember returns a member of the request's own Ext and leaves it out of
// what is written later.
func (e *requestEncoder) takeMember(name string) []byte {
	own := e.req.Ext.Of(Name)
	if own == nil || len(own.Members) == 0 {
		return nil
	}
	s := wire.NewScanner(own.Members)
	found := s.Peek(name)
	if found == nil {
		return nil
	}
	var rest dialect.Unknown
	for n := range s.Members() {
		if n != name {
			rest.Add(s.Member())
		}
	}
	r := *e.req
	r.Ext = &scri.Ext{Dialect: Name, Members: rest.Object(), Form: own.Form}
	e.req = &r
	return found
}

// unsaid reports what a request may hold that has no place here.
func (e *requestEncoder) unsaid() {
	r := e.req
	for _, f := range []struct {
		there bool
		name  string
	}{
		{len(r.Seed) > 0, "seed"},
		{r.FrequencyPenalty != nil, "frequency_penalty"},
		{r.PresencePenalty != nil, "presence_penalty"},
		{r.N != 0, "n"},
		{r.LogProbs != nil, "logprobs"},
		{r.Session != "", "session"},
		{r.PreviousID != "", "previous_id"},
		{!r.Suffix.IsZero(), "suffix"},
		{r.Routing != nil, "routing"},
	} {
		if f.there {
			e.drop(f.name, "there is no such field here")
		}
	}
}

// system writes the system text that stands before everything else, and returns
// the index of the first message behind it.
func (e *requestEncoder) system() int {
	list := e.req.Messages
	n := 0
	for n < len(list) && leads(&list[n]) {
		n++
	}
	if n == 0 {
		if hasForm(e.req.Ext, "system") {
			e.w.Key("system")
			e.w.Raw([]byte("[]"))
		}
		return 0
	}
	before, some := len(e.w.B), false
	e.w.Key("system")
	if one := &list[0]; n == 1 && len(one.Parts) == 1 && bare(&one.Parts[0]) && one.Role == scri.RoleSystem &&
		one.Name == "" && one.ID == "" && one.Ext == nil && (!blank(one.Parts[0].Text) || one.Parts[0].Ext != nil) {
		dialect.WriteText(&e.w, one.Parts[0].Text)
		return n
	}
	e.w.BeginArray()
	in := e.in("messages")
	for i := range n {
		m := &list[i]
		at := e.at(i)
		if m.Role == scri.RoleDeveloper {
			e.lose(scri.WarnChanged, "role", string(m.Role), string(scri.RoleSystem), "")
		}
		e.envelope(m)
		e.homelessIn(m)
		some = e.turnParts(m.Parts, true) || some
		e.out(at)
	}
	e.out(in)
	if !some {
		e.w.B = e.w.B[:before]
		return n
	}
	e.w.EndArray()
	return n
}

// leads reports whether a message is system text that can stand before all else.
func leads(m *scri.Message) bool {
	switch m.Role {
	case scri.RoleSystem:
		return !hasForm(m.Ext, "inline")
	case scri.RoleDeveloper:
		return !hasForm(m.Ext, "role")
	default:
		return false
	}
}

// envelope reports what of a message beside its parts has no place.
func (e *requestEncoder) envelope(m *scri.Message) {
	if m.ID != "" {
		e.drop("id", "messages have no ids here")
	}
	if m.Name != "" {
		e.drop("name", "speakers have no names here")
	}
	e.foreign(m.Ext)
}

// homelessIn reports the own members of messages that are written into another
// object than their own.
func (e *requestEncoder) homelessIn(m *scri.Message) {
	if m.Ext.Of(Name) != nil {
		e.homeless(m.Ext)
	}
}

// turnParts writes the parts of a message into the open list.
func (e *requestEncoder) turnParts(parts []scri.Part, system bool) bool {
	some := false
	in := e.in("content")
	for i := range parts {
		p := &parts[i]
		at := e.at(i)
		switch {
		case e.refused(p):
		case system && p.Kind == scri.PartMedia:
			e.drop("", "a system prompt is text")
		default:
			some = e.part(p) || some
		}
		e.out(at)
	}
	e.out(in)
	return some
}

// history writes the messages from the one at index i on. Neighbouring results
// of tools are one message of the user.
func (e *requestEncoder) history(i int) {
	list := e.req.Messages
	for i < len(list) {
		end := i + 1
		for results(&list[i]) && end < len(list) && results(&list[end]) {
			end++
		}
		e.turn(i, end)
		i = end
	}
}

// results reports whether a message holds results of tools and nothing else. A
// role that is unknown here and was said all the same stays what it is.
func results(m *scri.Message) bool {
	return m.Role == scri.RoleTool && !hasForm(m.Ext, "role") &&
		!slices.ContainsFunc(m.Parts, func(p scri.Part) bool { return p.Kind != scri.PartToolResult })
}

// turn writes the messages i to end as one. A message of which nothing can be
// said is left out, as it would be refused.
func (e *requestEncoder) turn(i, end int) {
	m := &e.req.Messages[i]
	before := len(e.w.B)
	e.w.BeginObject()
	e.w.Key("role")
	at := e.at(i)
	e.w.Str(e.role(m))
	e.out(at)
	e.w.Key("content")
	some := end == i+1 && e.bareContent(i)
	if !some {
		e.w.BeginArray()
		for k := i; k < end; k++ {
			at := e.at(k)
			e.envelope(&e.req.Messages[k])
			if k > i {
				e.homelessIn(&e.req.Messages[k])
			}
			some = e.turnParts(e.req.Messages[k].Parts, false) || some
			e.out(at)
		}
		e.w.EndArray()
	}
	if !some && !hasForm(m.Ext, "list") {
		e.w.B = e.w.B[:before]
		at := e.at(i)
		e.homelessIn(m)
		e.out(at)
		return
	}
	if own := m.Ext.Of(Name); own != nil {
		e.w.Members(own.Members)
	}
	e.w.EndObject()
}

// bareContent writes the content of a message that is one text and no more.
func (e *requestEncoder) bareContent(i int) bool {
	m := &e.req.Messages[i]
	if len(m.Parts) != 1 || !bare(&m.Parts[0]) || m.Parts[0].Ext == nil && blank(m.Parts[0].Text) {
		return false
	}
	at := e.at(i)
	e.envelope(m)
	e.out(at)
	dialect.WriteText(&e.w, m.Parts[0].Text)
	return true
}

func (e *requestEncoder) role(m *scri.Message) string {
	role := m.Role
	if hasForm(m.Ext, "role") {
		return string(role)
	}
	switch role {
	case scri.RoleUser, scri.RoleAssistant, scri.RoleSystem:
		return string(role)
	case scri.RoleDeveloper:
		role = scri.RoleSystem
	case scri.RoleTool:
		role = scri.RoleUser
		for i := range m.Parts {
			if m.Parts[i].Kind != scri.PartToolResult {
				e.lose(scri.WarnChanged, "role", string(m.Role), string(role), "")
				break
			}
		}
		return string(role)
	default:
		role = scri.RoleUser
	}
	e.lose(scri.WarnChanged, "role", string(m.Role), string(role), "")
	return string(role)
}
