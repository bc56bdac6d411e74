package bedrock

import (
	"slices"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// think decides whether and how thinking is asked for. Only Claude's way of it
// is known.
func (e *requestEncoder) think() {
	r := e.req.Reasoning
	if r == nil {
		return
	}
	in := e.In("reasoning")
	defer e.Out(in)
	for _, typ := range [...]string{"enabled", "adaptive", "disabled"} {
		if formed(r.Ext, typ) && (typ == "disabled") == (r.Effort == "none") {
			e.thinking, e.budget = typ, r.Budget
		}
	}
	switch {
	case e.thinking != "":
		return
	case !e.claude:
		e.Drop("", "this model cannot be asked for it through this API")
		return
	case r.Effort == "none":
		if e.thinking = "disabled"; r.Budget != nil {
			e.Drop("budget", "thinking is off")
		}
	case r.Effort == "" && r.Budget == nil:
		e.Foreign(r.Ext)
		if r.Summary == "" {
			e.Drop("", "it asks for nothing")
		}
	default:
		e.emulate(r)
	}
	if r.Summary != "" {
		e.Drop("summary", "what is shown cannot be said")
	}
}

// emulate asks for a budget of thinking that stands for an effort.
func (e *requestEncoder) emulate(r *scri.Reasoning) {
	if why := dialect.NoThinking(e.req, Name); why != "" {
		e.Drop("", why)
		return
	}
	limit := e.t.MaxOutput
	if e.req.MaxTokens != nil {
		limit = *e.req.MaxTokens
	}
	want := dialect.BudgetOf(r.Effort)
	if r.Budget != nil {
		want = *r.Budget
	}
	budget := max(dialect.LeastBudget, want)
	if limit > 0 && budget >= limit {
		budget = max(dialect.LeastBudget, limit/2)
	}
	if limit > 0 && budget >= limit {
		e.Drop("", "the limit of the answer leaves no room to think")
		return
	}
	e.thinking, e.budget, e.forced = "enabled", &budget, true
	switch {
	case r.Budget == nil:
		e.Tell(scri.WarnEmulated, "effort", r.Effort, itoa(budget), "an effort is a budget of tokens here")
		e.Tell(scri.WarnAdded, "budget", "", itoa(budget), "it stands for the effort")
	case budget != *r.Budget:
		e.Tell(scri.WarnChanged, "budget", itoa(*r.Budget), itoa(budget), "to fit the limits of the API")
	}
	if r.Budget != nil && r.Effort != "" {
		e.Drop("effort", "the budget says it")
	}
}

func (e *requestEncoder) inference() {
	r := e.req
	temperature, topP := r.Temperature, r.TopP
	if e.forced && temperature != nil && *temperature != 1 {
		e.Drop("temperature", "not possible together with thinking")
		temperature = nil
	}
	if e.forced && topP != nil && *topP < 0.95 {
		e.Drop("top_p", "not possible together with thinking")
		topP = nil
	}
	if temperature != nil && *temperature > 1 && r.Ext.Of(Name) == nil {
		e.Tell(scri.WarnChanged, "temperature", "", "1", "the highest that is allowed here")
		temperature = new(1.0)
	}
	stop := len(r.Stop) > 0 || formed(r.Ext, "stop")
	if r.MaxTokens == nil && temperature == nil && topP == nil && !stop && !e.there("inferenceConfig") {
		return
	}
	e.key("inferenceConfig")
	e.w.BeginObject()
	if r.MaxTokens != nil {
		e.w.Key("maxTokens")
		e.w.Int(*r.MaxTokens)
	}
	e.float("temperature", temperature)
	e.float("topP", topP)
	if stop {
		e.w.Key("stopSequences")
		e.w.BeginArray()
		for _, s := range r.Stop {
			e.w.Str(s)
		}
		e.w.EndArray()
	}
	e.rest("inferenceConfig", func(name string) bool {
		return name == "maxTokens" && r.MaxTokens != nil || name == "temperature" && temperature != nil ||
			name == "topP" && topP != nil || name == "stopSequences" && stop
	})
	e.w.EndObject()
}

func (e *requestEncoder) float(key string, v *float64) {
	if v != nil {
		e.w.Key(key)
		e.w.Float(*v)
	}
}

// toolConfig writes the tools and which of them must be called. A history with
// calls needs tools, whatever the request says.
func (e *requestEncoder) toolConfig() {
	r := e.req
	if r.ParallelTools != nil {
		e.Drop("parallel_tools", "the model decides itself")
	}
	history := calls(r.Messages)
	none := r.ToolChoice != nil && r.ToolChoice.Mode == scri.ToolsNone
	if none && !history && len(r.Tools) > 0 {
		e.Tell(scri.WarnEmulated, "tools", "", "", "no tool is to be called, so none is named")
		e.Tell(scri.WarnEmulated, "tool_choice", scri.ToolsNone, "", "no tool is named")
		return
	}
	before := len(e.w.B)
	e.w.Key("toolConfig")
	e.w.BeginObject()
	n := e.tools()
	if n == 0 && history && !formed(r.Ext, "toolless") && !e.there("toolConfig") && !formed(r.Ext, "tools") {
		n = e.mentioned()
	}
	said := e.choice(n)
	if n == 0 && !said && !e.there("toolConfig") && !formed(r.Ext, "tools") {
		e.w.B = e.w.B[:before]
		return
	}
	e.rest("toolConfig", func(name string) bool { return name == "tools" && n != 0 || name == "toolChoice" && said })
	e.w.EndObject()
	e.has = append(e.has, "toolConfig")
}

func (e *requestEncoder) tools() (n int) {
	begin := func() {
		e.w.Key("tools")
		e.w.BeginArray()
	}
	n = e.Tools(e.req.Tools, begin, e.tool)
	switch {
	case n > 0:
		e.w.EndArray()
	case formed(e.req.Ext, "tools"):
		e.w.Key("tools")
		e.w.Raw([]byte("[]"))
	}
	return n
}

func (e *requestEncoder) tool(t *scri.Tool) {
	if t.Type != "" {
		e.open(t.Type)
		e.str("name", t.Name)
	} else {
		e.open("toolSpec")
		e.w.Key("name")
		e.w.Str(t.Name)
		if !t.Description.IsZero() || formed(t.Ext, "description") {
			e.text("description", t.Description)
		}
		switch {
		case len(t.Schema) > 0:
			e.w.Key("inputSchema")
			e.w.BeginObject()
			e.w.Key("json")
			e.w.Raw(t.Schema)
			e.w.EndObject()
		case formed(t.Ext, "inputSchema"):
			e.w.Raw([]byte(`"inputSchema":{}`))
		case !formed(t.Ext, "schemaless"):
			e.w.Raw([]byte(`"inputSchema":{"json":{"type":"object","properties":{}}}`))
			e.Tell(scri.WarnAdded, "schema", "", "", "every tool needs a schema here")
		}
		switch {
		case t.Strict == nil:
		case formed(t.Ext, "strict"):
			e.w.Key("strict")
			e.w.Bool(*t.Strict)
		default:
			e.Drop("strict", "not every model here knows it")
		}
	}
	e.done(t.Ext, func(name string) bool { return name == "name" && t.Name != "" })
	if t.Cache != nil {
		e.cache(t.Cache)
	}
}

// mentioned writes tools for the calls of the history, which are refused without,
// and reports whether there are any: below 0, as nothing can be chosen from them.
func (e *requestEncoder) mentioned() int {
	var names []string
	for i := range e.req.Messages {
		for j := range e.req.Messages[i].Parts {
			if c := e.req.Messages[i].Parts[j].Call; c != nil && c.Server == "" && !slices.Contains(names, c.Name) {
				names = append(names, c.Name)
			}
		}
	}
	if names == nil {
		return 0
	}
	e.Tell(scri.WarnAdded, "tools", "", "", "a history with calls needs the tools that it names")
	e.w.Key("tools")
	e.w.BeginArray()
	for _, name := range names {
		e.open("toolSpec")
		e.w.Key("name")
		e.w.Str(name)
		e.w.Raw([]byte(`"inputSchema":{"json":{"type":"object"}}`))
		e.w.EndObject()
		e.w.EndObject()
	}
	e.w.EndArray()
	return -1
}

// choice writes which tool must be called, and reports whether it did.
func (e *requestEncoder) choice(tools int) bool {
	c := e.req.ToolChoice
	if c == nil {
		return false
	}
	in := e.In("tool_choice")
	defer e.Out(in)
	word := ""
	switch c.Mode {
	case scri.ToolsAuto:
		word = "auto"
	case scri.ToolsRequired:
		word = "any"
	case scri.ToolsNamed:
		word = "tool"
	}
	if word == "" || tools <= 0 && c.Ext.Of(Name) == nil && e.req.Ext.Of(Name) == nil {
		e.Tell(scri.WarnDropped, "", c.Mode, "", "there is no such choice here")
		return false
	}
	e.w.Key("toolChoice")
	e.open(word)
	if word == "tool" {
		e.str("name", c.Name)
	} else if c.Name != "" {
		e.Drop("name", "")
	}
	e.Ext(&e.w, c.Ext, func(name string) bool { return name == "name" && word == "tool" })
	e.w.EndObject()
	e.w.EndObject()
	return true
}

// fields writes what goes to the model as it stands.
func (e *requestEncoder) fields() {
	const name = "additionalModelRequestFields"
	r := e.req
	topK := r.TopK
	switch {
	case topK == nil, formed(r.Ext, "top_k"):
	case !e.claude:
		e.Drop("top_k", "this model cannot be told through this API")
		topK = nil
	case e.forced:
		e.Drop("top_k", "not possible together with thinking")
		topK = nil
	}
	if topK == nil && e.thinking == "" && !e.there(name) {
		return
	}
	e.key(name)
	e.w.BeginObject()
	if e.thinking != "" {
		e.w.Key("thinking")
		e.w.BeginObject()
		e.str("type", e.thinking)
		if e.budget != nil && e.thinking == "enabled" {
			e.w.Key("budget_tokens")
			e.w.Int(*e.budget)
		}
		in := e.In("reasoning")
		e.Ext(&e.w, r.Reasoning.Ext, func(name string) bool { return name == "type" || name == "budget_tokens" && e.budget != nil })
		e.Out(in)
		e.w.EndObject()
	}
	if topK != nil {
		e.w.Key("top_k")
		e.w.Int(*topK)
	}
	e.rest(name, func(name string) bool {
		return name == "thinking" && e.thinking != "" || name == "top_k" && topK != nil
	})
	e.w.EndObject()
}

// format writes the schema that the answer must have, as a text.
func (e *requestEncoder) format() {
	f := e.req.Format
	if f == nil {
		return
	}
	in := e.In("format")
	defer e.Out(in)
	if f.Kind != scri.FormatJSONSchema || len(f.Schema) == 0 {
		e.Tell(scri.WarnDropped, "", f.Kind, "", "only a JSON schema can be asked for")
		return
	}
	e.key("outputConfig")
	e.w.Raw([]byte(`{"textFormat":{"type":"json_schema","structure":{"jsonSchema":{`))
	e.w.Key("schema")
	e.w.B = wire.AppendQuote(e.w.B, string(f.Schema))
	e.str("name", f.Name)
	if f.Strict != nil {
		e.Drop("strict", "every schema is kept to here")
	}
	e.Ext(&e.w, f.Ext, func(name string) bool { return name == "schema" || name == "name" && f.Name != "" })
	e.w.B = append(e.w.B, "}}}}"...)
}

func (e *requestEncoder) metadata() {
	if len(e.req.Metadata) == 0 {
		return
	}
	e.key("requestMetadata")
	dialect.WriteMetadata(&e.w, e.req.Metadata)
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
		{r.User != "", "user"},
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
