package cohere

import (
	"strconv"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/scri"
)

// Ranges that the API documents; it refuses what lies outside.
const (
	leastP, mostP = 0.01, 0.99
	mostPenalty   = 1
	mostK         = 500
)

func (e *requestEncoder) sampling() {
	r := e.req
	asCame := formed(r.Ext, "range")
	e.integer("max_tokens", r.MaxTokens)
	e.float("temperature", "temperature", r.Temperature, 0, 0)
	if asCame {
		e.float("p", "top_p", r.TopP, 0, 0)
		e.float("frequency_penalty", "frequency_penalty", r.FrequencyPenalty, 0, 0)
		e.float("presence_penalty", "presence_penalty", r.PresencePenalty, 0, 0)
		e.integer("k", r.TopK)
	} else {
		e.float("p", "top_p", r.TopP, leastP, mostP)
		e.float("frequency_penalty", "frequency_penalty", r.FrequencyPenalty, 0, mostPenalty)
		e.float("presence_penalty", "presence_penalty", r.PresencePenalty, 0, mostPenalty)
		e.topK()
	}
	if len(r.Seed) > 0 {
		e.key("seed")
		e.w.Raw(r.Seed)
	}
	if len(r.Stop) > 0 || formed(r.Ext, "stop") {
		e.key("stop_sequences")
		e.w.BeginArray()
		for _, s := range r.Stop {
			e.w.Str(s)
		}
		e.w.EndArray()
	}
	e.logProbs()
}

func (e *requestEncoder) integer(key string, v *int64) {
	if v != nil {
		e.key(key)
		e.w.Int(*v)
	}
}

// float writes a number, moved into its range if there is one.
func (e *requestEncoder) float(key, field string, v *float64, least, most float64) {
	if v == nil {
		return
	}
	f := *v
	if least < most {
		if f = min(max(f, least), most); f != *v {
			e.Tell(scri.WarnChanged, field, ftoa(*v), ftoa(f), "the nearest that is allowed here")
		}
	}
	e.key(key)
	e.w.Float(f)
}

func ftoa(f float64) string { return strconv.FormatFloat(f, 'g', -1, 64) }

func (e *requestEncoder) topK() {
	k := e.req.TopK
	if k != nil && (*k < 0 || *k > mostK) {
		in := min(max(*k, 0), mostK)
		e.Tell(scri.WarnChanged, "top_k", strconv.FormatInt(*k, 10), strconv.FormatInt(in, 10), "the nearest that is allowed here")
		k = &in
	}
	e.integer("k", k)
}

func (e *requestEncoder) logProbs() {
	n := e.req.LogProbs
	switch {
	case n != nil:
		if *n != 0 {
			e.Tell(scri.WarnChanged, "logprobs", strconv.Itoa(*n), "0", "only the chosen tokens are told here")
		}
	case e.t.LogProbs && !formed(e.req.Ext, "logprobs"):
		e.Tell(scri.WarnAdded, "logprobs", "", "0", "asked for to judge the answer")
	case formed(e.req.Ext, "logprobs"):
		e.key("logprobs")
		e.w.Bool(false)
		return
	default:
		return
	}
	e.key("logprobs")
	e.w.Bool(true)
}

// tools writes the tools and what the model is to do with them.
func (e *requestEncoder) tools() {
	r := e.req
	begin := func() {
		e.key("tools")
		e.w.BeginArray()
	}
	n := e.Tools(r.Tools, begin, e.tool)
	switch {
	case n > 0:
		e.w.EndArray()
	case formed(r.Ext, "tools"):
		e.key("tools")
		e.w.Raw([]byte("[]"))
	}
	e.strict()
	e.toolChoice(n)
}

func (e *requestEncoder) tool(t *scri.Tool) {
	if t.Cache != nil {
		e.Drop("cache", "prompts are cached without being told")
		if t.Cache.Ext != nil {
			in := e.In("cache")
			e.Homeless(t.Cache.Ext)
			e.Out(in)
		}
	}
	if t.Type != "" {
		e.open(t.Type)
		e.str("name", t.Name)
		e.Ext(&e.w, t.Ext, nil)
		e.w.EndObject()
		return
	}
	e.open(typeFunction)
	e.w.Key(typeFunction)
	e.w.BeginObject()
	e.w.Key("name")
	e.w.Str(t.Name)
	if !t.Description.IsZero() || formed(t.Ext, "description") {
		e.text("description", t.Description)
	}
	switch {
	case len(t.Schema) > 0:
		e.w.Key("parameters")
		e.w.Raw(t.Schema)
	case !formed(t.Ext, "schemaless"):
		e.w.Key("parameters")
		e.w.Raw([]byte(`{"type":"object","properties":{}}`))
		e.Tell(scri.WarnAdded, "schema", "", "", "every tool needs a schema here")
	}
	e.inner(t.Ext)
	e.w.EndObject()
}

// strict says whether calls keep to their schemas: here all tools' do, or none's.
func (e *requestEncoder) strict() {
	tools := e.req.Tools
	yes, no := 0, 0
	for i := range tools {
		switch s := tools[i].Strict; {
		case s == nil:
		case *s:
			yes++
		default:
			no++
		}
	}
	switch {
	case yes+no == 0:
		return
	case yes == len(tools), no == len(tools) && formed(e.req.Ext, "strict"):
		e.key("strict_tools")
		e.w.Bool(yes > 0)
		return
	}
	in := e.In("tools")
	for i := range tools {
		if tools[i].Strict != nil {
			at := e.At(i)
			e.Drop("strict", "either all tools are strict here or none is")
			e.Out(at)
		}
	}
	e.Out(in)
}

func (e *requestEncoder) toolChoice(tools int) {
	if e.req.ParallelTools != nil {
		e.Drop("parallel_tools", "the model decides itself")
	}
	c := e.req.ToolChoice
	if c == nil {
		return
	}
	in := e.In("tool_choice")
	defer e.Out(in)
	word := ""
	switch c.Mode {
	case scri.ToolsNone:
		word = "NONE"
	case scri.ToolsRequired:
		word = "REQUIRED"
	case scri.ToolsNamed:
		word = "REQUIRED"
	}
	switch {
	case tools == 0 && !formed(e.req.Ext, "choice"):
		e.Tell(scri.WarnDropped, "", c.Mode, "", "there is nothing to choose from")
		return
	case word == "":
		e.Tell(scri.WarnDropped, "", c.Mode, "", "the model chooses when nothing is said")
		return
	case c.Mode == scri.ToolsNamed:
		e.Tell(scri.WarnChanged, "mode", c.Mode, scri.ToolsRequired, "which tool it is cannot be said")
	}
	if c.Name != "" {
		e.Drop("name", "which tool it is cannot be said")
	}
	e.Homeless(c.Ext)
	e.key("tool_choice")
	e.w.Str(word)
}

func (e *requestEncoder) format() {
	f := e.req.Format
	if f == nil {
		return
	}
	in := e.In("format")
	defer e.Out(in)
	typ := "json_object"
	switch f.Kind {
	case scri.FormatText:
		typ = typeText
	case scri.FormatJSON, scri.FormatJSONSchema:
	default:
		e.Tell(scri.WarnDropped, "", f.Kind, "", "a shape that is not known here")
		return
	}
	e.key("response_format")
	e.open(typ)
	schema := f.Kind == scri.FormatJSONSchema
	switch {
	case schema && len(f.Schema) > 0:
		e.w.Key("json_schema")
		e.w.Raw(f.Schema)
	case schema:
		e.Tell(scri.WarnChanged, "kind", f.Kind, scri.FormatJSON, "there is no schema")
	case len(f.Schema) > 0:
		e.Drop("schema", "it is not asked for")
	}
	if f.Name != "" {
		e.Drop("name", "a schema has no name here")
	}
	if f.Strict != nil {
		e.Drop("strict", "every schema is kept to here")
	}
	e.Ext(&e.w, f.Ext, func(name string) bool { return name == "json_schema" && schema })
	e.w.EndObject()
}

// thinking asks for thoughts, or for none. An effort is a budget here.
func (e *requestEncoder) thinking() {
	r := e.req.Reasoning
	if r == nil {
		return
	}
	in := e.In("reasoning")
	defer e.Out(in)
	if r.Summary != "" {
		e.Drop("summary", "thoughts are shown as they are")
	}
	typ, budget := "enabled", r.Budget
	switch {
	case r.Effort == "none":
		typ = "disabled"
		if budget != nil {
			e.Drop("budget", "thinking is off")
			budget = nil
		}
	case budget != nil:
		if r.Effort != "" {
			e.Drop("effort", "the budget says it")
		}
	case r.Effort == "on":
	case r.Effort != "":
		budget = new(dialect.BudgetOf(r.Effort))
		told := strconv.FormatInt(*budget, 10)
		e.Tell(scri.WarnEmulated, "effort", r.Effort, told, "an effort is a budget of tokens here")
		e.Tell(scri.WarnAdded, "budget", "", told, "it stands for the effort")
	default:
		e.Foreign(r.Ext)
		if r.Summary == "" {
			e.Drop("", "it asks for nothing")
		}
		return
	}
	e.key("thinking")
	e.open(typ)
	if budget != nil {
		e.w.Key("token_budget")
		e.w.Int(*budget)
	}
	e.Ext(&e.w, r.Ext, func(name string) bool { return name == "type" || name == "token_budget" && budget != nil })
	e.w.EndObject()
}

// unsaid reports what a request may hold that has no place here.
func (e *requestEncoder) unsaid() {
	r := e.req
	for _, f := range []struct {
		there bool
		name  string
	}{
		{r.N != 0, "n"},
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
