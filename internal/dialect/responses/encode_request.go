package responses

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// EncodeRequest writes the request for the target.
func (responses) EncodeRequest(r *scri.ChatRequest, t *dialect.Target) (*dialect.Outgoing, []scri.Warning, error) {
	if t == nil {
		t = &dialect.Target{}
	}
	e := &requestEncoder{r: r, own: r.Ext.Of(Name) != nil}
	e.target = t
	t.Begin(&e.w, r)
	e.request()
	return &dialect.Outgoing{
		Method: http.MethodPost, Path: "/responses", Header: e.header(), Body: e.w.B, Pieces: e.w.Pieces(),
	}, e.warn, nil
}

type requestEncoder struct {
	encoder
	r    *scri.ChatRequest
	own  bool // it came in this dialect
	said []string
}

// header is what the format needs, and what of the client's belongs to it: the
// betas it wants, and how a coding agent tells its sessions apart.
func (e *requestEncoder) header() http.Header {
	h := http.Header{"Content-Type": {"application/json"}}
	if e.r.Stream {
		h["Accept"] = []string{"text/event-stream"}
	}
	for name, v := range e.target.Header {
		switch lower := strings.ToLower(name); {
		case lower == "openai-beta", lower == "originator", lower == "session_id", lower == "conversation_id",
			lower == "session-id", lower == "thread-id", lower == "x-openai-subagent", lower == "x-client-request-id",
			strings.HasPrefix(lower, "x-codex-"):
			h[name] = v
		}
	}
	return h
}

func (e *requestEncoder) request() {
	r := e.r
	e.w.BeginObject()
	model := e.target.Model
	if model == "" {
		model = r.Model
	}
	if model != "" || has(r.Ext, "model=") {
		e.key("model")
		e.w.Str(model)
	}
	e.conversation()
	e.tools()
	e.sampling()
	e.reasoning()
	e.textOptions()
	e.include()
	e.labels()
	e.unsaid()
	e.others()
	e.w.EndObject()
}

// key writes the name of a member, and notes that it is said.
func (e *requestEncoder) key(name string) {
	e.say(name)
	e.w.Key(name)
}

func (e *requestEncoder) say(name string) {
	if e.own {
		e.said = append(e.said, name)
	}
}

// others writes the members that only this dialect knows. They do not say again
// what the typed fields have said.
func (e *requestEncoder) others() {
	own := e.r.Ext.Of(Name)
	if own == nil {
		e.foreign(e.r.Ext)
		return
	}
	if len(own.Members) == 0 {
		return
	}
	s := wire.NewScanner(own.Members)
	for name := range s.Members() {
		switch {
		case !slices.Contains(e.said, name):
			e.w.Raw(s.Member())
		case s.Kind() != wire.Null && name != "text" && name != "include":
			e.drop("ext/"+dialect.Escape(name), "it is said otherwise")
		}
	}
}

// conversation writes instructions and input.
func (e *requestEncoder) conversation() {
	list := e.r.Messages
	i := 0
	if len(list) > 0 && e.instructs(&list[0]) {
		i = 1
		e.key("instructions")
		dialect.WriteText(&e.w, list[0].Parts[0].Text)
	}
	if i == len(list) && !has(e.r.Ext, "input[]") && e.own { // with a previous answer it may be left out
		return
	}
	e.key("input")
	if m := list[i:]; has(e.r.Ext, "input") && len(m) == 1 && m[0].Role == scri.RoleUser && m[0].Ext == nil &&
		m[0].ID == "" && m[0].Name == "" && len(m[0].Parts) == 1 && bare(&m[0].Parts[0]) {
		dialect.WriteText(&e.w, m[0].Parts[0].Text)
		return
	}
	e.w.BeginArray()
	in := e.in("messages")
	for ; i < len(list); i++ {
		at := e.at(i)
		e.message(&list[i])
		e.out(at)
	}
	e.out(in)
	e.w.EndArray()
}

// instructs reports whether a first message is a field of its own.
func (e *requestEncoder) instructs(m *scri.Message) bool {
	if m.Role != scri.RoleSystem || m.ID != "" || m.Name != "" || len(m.Parts) != 1 || !bare(&m.Parts[0]) {
		return false
	}
	return has(m.Ext, "instructions") || !e.own && m.Ext == nil
}

func (e *requestEncoder) sampling() {
	r := e.r
	e.sampled()
	if r.Stream || has(r.Ext, "stream=false") {
		e.key("stream")
		e.w.Bool(r.Stream)
	}
}

// sampled writes how the model is to choose its words.
func (e *requestEncoder) sampled() {
	r := e.r
	if r.MaxTokens != nil {
		e.key("max_output_tokens")
		e.w.Int(*r.MaxTokens)
	}
	float := func(name string, v *float64) {
		if v != nil {
			e.key(name)
			e.w.Float(*v)
		}
	}
	float("temperature", r.Temperature)
	float("top_p", r.TopP)
	if e.own {
		float("frequency_penalty", r.FrequencyPenalty)
		float("presence_penalty", r.PresencePenalty)
	}
}

// reasoning writes how much the model may think.
func (e *requestEncoder) reasoning() {
	t := e.r.Reasoning
	if t == nil {
		return
	}
	in := e.in("reasoning")
	defer e.out(in)
	own := t.Ext.Of(Name) != nil || e.own
	effort, code := t.Effort, ""
	if !own || t.Budget != nil {
		effort, code = dialect.EffortWord(t)
	}
	if t.Budget != nil {
		e.drop("budget", "effort is given in words only")
	}
	switch {
	case code == scri.WarnDropped:
		e.drop("effort", "models that cannot think, and most that can, refuse to be told not to")
	case code != "":
		e.lose(code, "effort", t.Effort, effort, "")
	}
	summary := t.Summary
	if summary == "none" && !own {
		e.drop("summary", "nothing is shown unless it is asked for")
		summary = ""
	}
	if effort == "" && summary == "" {
		e.foreign(t.Ext)
		if t.Effort == "" && t.Summary == "" && t.Budget == nil && t.Ext.Of(Name) == nil {
			e.drop("", "it asks for nothing")
		}
		return
	}
	e.key("reasoning")
	e.w.BeginObject()
	e.str("effort", effort)
	e.str("summary", summary)
	e.ext(t.Ext)
	e.w.EndObject()
}

// textOptions writes the shape that the answer must have.
func (e *requestEncoder) textOptions() {
	f := e.r.Format
	rest := member(e.r.Ext, "text")
	if f == nil && rest == nil {
		return
	}
	if f == nil && !has(e.r.Ext, "+text") { // null
		return
	}
	e.key("text")
	e.w.BeginObject()
	if f != nil {
		e.w.Key("format")
		e.format(f)
	}
	if len(rest) > 0 && rest[0] == '{' {
		s := wire.NewScanner(rest)
		for name := range s.Members() {
			if f == nil || name != "format" {
				e.w.Raw(s.Member())
			}
		}
	}
	e.w.EndObject()
}

func (e *requestEncoder) format(f *scri.Format) {
	in := e.in("format")
	defer e.out(in)
	switch f.Kind {
	case scri.FormatJSONSchema:
		e.open("json_schema")
		switch {
		case f.Name != "":
			e.str("name", f.Name)
		case has(f.Ext, "name="):
			e.w.Key("name")
			e.w.Str("")
		case has(f.Ext, "noname"):
		default:
			e.lose(scri.WarnAdded, "name", "", "response", "a schema must have a name")
			e.str("name", "response")
		}
		if len(f.Schema) > 0 {
			e.w.Key("schema")
			e.w.Raw(f.Schema)
		}
		if f.Strict != nil {
			e.w.Key("strict")
			e.w.Bool(*f.Strict)
		}
	default:
		if f.Kind == scri.FormatJSON {
			e.open("json_object")
		} else {
			e.open(f.Kind)
		}
		if f.Name != "" || len(f.Schema) > 0 || f.Strict != nil {
			e.drop("", "only json_schema has a schema")
		}
	}
	e.ext(f.Ext)
	e.w.EndObject()
}

// include writes what the answer is to hold beside itself, and how many
// alternatives of each token.
func (e *requestEncoder) include() {
	r := e.r
	wanted := r.LogProbs != nil
	if wanted && (*r.LogProbs > 0 || has(r.Ext, "noinclude") || has(r.Ext, "top_logprobs=0")) {
		e.key("top_logprobs")
		e.w.Int(int64(*r.LogProbs))
	} else if wanted && *r.LogProbs < 0 {
		e.lose(scri.WarnChanged, "logprobs", strconv.Itoa(*r.LogProbs), "0", "there is no such number of alternatives")
	}
	listed := member(r.Ext, "include")
	known := listed != nil && strings.Contains(string(listed), `"`+logProbsWanted+`"`)
	add := wanted && !has(r.Ext, "noinclude") && !known
	if !wanted && e.target.LogProbs && !known {
		add = true
		e.lose(scri.WarnAdded, "include", "", logProbsWanted, "so that the answer can be judged")
	}
	if !add {
		return
	}
	e.key("include")
	e.w.BeginArray()
	if len(listed) > 0 && listed[0] == '[' {
		s := wire.NewScanner(listed)
		for range s.Elements() {
			e.w.Raw(s.Raw())
		}
	}
	e.w.Str(logProbsWanted)
	e.w.EndArray()
}

// labels writes who asks and what for.
func (e *requestEncoder) labels() {
	r := e.r
	if r.User != "" || has(r.Ext, "user=") {
		e.key("user")
		e.w.Str(r.User)
	}
	e.metadata()
	if r.PreviousID != "" {
		e.key("previous_response_id")
		e.w.Str(r.PreviousID)
	}
}

func (e *requestEncoder) metadata() {
	if len(e.r.Metadata) == 0 {
		return
	}
	e.key("metadata")
	dialect.WriteMetadata(&e.w, e.r.Metadata)
}

// unsaid reports what a request may hold that has no place here.
func (e *requestEncoder) unsaid() {
	r := e.r
	for _, f := range []struct {
		there        bool
		name, detail string
	}{
		{r.TopK != nil, "top_k", "the format has no top_k"},
		{len(r.Seed) > 0, "seed", "the format has no seed"},
		{!r.Suffix.IsZero(), "suffix", "a conversation has no end to reach"},
		{len(r.Stop) > 0, "stop", "the format has no stop sequences"},
		{r.N != 0, "n", "there is only one answer here"},
		{r.FrequencyPenalty != nil && !e.own, "frequency_penalty", "the format has no penalties"},
		{r.PresencePenalty != nil && !e.own, "presence_penalty", "the format has no penalties"},
		{r.Session != "", "session", "the gateway keeps it"},
		{r.Routing != nil, "routing", "it is for the gateway"},
	} {
		if f.there {
			e.drop(f.name, f.detail)
		}
	}
}

func (e *requestEncoder) tools() {
	r := e.r
	before, n := len(e.w.B), 0
	if len(r.Tools) > 0 || has(r.Ext, "tools[]") {
		e.w.Key("tools")
		e.w.BeginArray()
		in := e.in("tools")
		for i := range r.Tools {
			t := &r.Tools[i]
			at := e.at(i)
			if e.tool(t) {
				n++
			}
			e.out(at)
		}
		e.out(in)
		e.w.EndArray()
		if n == 0 && len(r.Tools) > 0 {
			e.w.B = e.w.B[:before]
		} else {
			e.say("tools")
		}
	}
	if n == 0 && !has(r.Ext, "choice") {
		if r.ToolChoice != nil {
			e.drop("tool_choice", "there is no tool to choose")
		}
		if r.ParallelTools != nil {
			e.drop("parallel_tools", "there is no tool to call")
		}
		return
	}
	e.toolChoice(r.ToolChoice)
	if r.ParallelTools != nil {
		e.key("parallel_tool_calls")
		e.w.Bool(*r.ParallelTools)
	}
}

func (e *requestEncoder) tool(t *scri.Tool) bool {
	if t.Type != "" && t.Ext.Of(Name) == nil {
		e.lose(scri.WarnDropped, "", t.Type, "", "a tool that only its own provider has")
		return false
	}
	if t.Cache != nil {
		e.drop("cache", "prompts are cached without being told")
	}
	if t.Type != "" {
		typ := t.Type
		if has(t.Ext, "function") {
			typ = "function"
		}
		e.open(typ)
		e.str("name", t.Name)
		e.ext(t.Ext)
		e.w.EndObject()
		return true
	}
	e.open("function")
	e.str("name", t.Name)
	if !t.Description.IsZero() || has(t.Ext, "description=") {
		e.text("description", t.Description)
	}
	switch {
	case len(t.Schema) > 0:
		e.w.Key("parameters")
		e.w.Raw(t.Schema)
	case t.Ext.Of(Name) == nil:
		e.w.Key("parameters")
		e.w.Null()
	}
	if t.Strict != nil {
		e.w.Key("strict")
		e.w.Bool(*t.Strict)
	}
	e.ext(t.Ext)
	e.w.EndObject()
	return true
}

func (e *requestEncoder) toolChoice(c *scri.ToolChoice) {
	if c == nil {
		return
	}
	in := e.in("tool_choice")
	defer e.out(in)
	switch {
	case has(c.Ext, "allowed_tools"):
		e.key("tool_choice")
		e.open("allowed_tools")
		e.str("mode", c.Mode)
		e.ext(c.Ext)
		e.w.EndObject()
	case c.Mode == scri.ToolsNamed:
		typ := "function"
		if has(c.Ext, custom) {
			typ = custom
		}
		e.key("tool_choice")
		e.open(typ)
		e.str("name", c.Name)
		e.ext(c.Ext)
		e.w.EndObject()
	default:
		e.key("tool_choice")
		e.w.Str(c.Mode)
		e.foreign(c.Ext)
		if c.Name != "" {
			e.drop("name", "")
		}
	}
}
