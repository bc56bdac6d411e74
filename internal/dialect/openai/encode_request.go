package openai

import (
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// EncodeRequest writes a request for a chat completion.
func (chat) EncodeRequest(r *scri.ChatRequest, t *dialect.Target) (*dialect.Outgoing, []scri.Warning, error) {
	e := &encoder{target: t}
	t.Begin(&e.Writer, r)
	e.request(r)
	out := &dialect.Outgoing{
		Method: http.MethodPost, Path: "/chat/completions", Body: e.B, Pieces: e.Pieces(),
	}
	if r.Stream {
		out.Header = http.Header{"Accept": {"text/event-stream"}}
	}
	return out, e.warnings(), nil
}

func (e *encoder) request(r *scri.ChatRequest) {
	e.BeginObject()
	model := e.target.Model
	if model == "" {
		model = r.Model
	}
	if model != "" || has(r.Ext, "model=") {
		e.str("model", model)
	}
	streaming := e.streaming(r)
	if e.older() {
		e.messages(e.apart(r.Messages))
	} else {
		e.messages(r.Messages)
	}
	e.tools(r)
	e.sampling(r)
	e.thinking(r)
	e.format(r.Format)
	e.labels(r)
	e.foreign(r.Ext, func() string { return "" })
	e.others(r, func(member string) bool {
		switch member {
		case "model":
			return model != "" || has(r.Ext, "model=")
		case "stream_options":
			return streaming
		case "logprobs":
			return r.LogProbs == nil && e.target.LogProbs || r.LogProbs != nil && !has(r.Ext, "nologprobs")
		default:
			return typed(r, member)
		}
	})
	e.EndObject()
}

// others writes the members that only this dialect knows. They do not say again
// what the typed fields have said.
func (e *encoder) others(r *scri.ChatRequest, said func(member string) bool) {
	raw := members(r.Ext)
	if len(raw) == 0 {
		return
	}
	var s wire.Scanner
	s.Reset(raw)
	for member := range s.Members() {
		switch {
		case !said(member):
			e.Raw(s.Member())
		case s.Kind() != wire.Null && member != "stream_options": // of which the rest was written
			e.dropped("/ext/"+dialect.Escape(member), "it is said otherwise")
		}
	}
}

// typed reports whether a member of a request has a typed field that is set.
func typed(r *scri.ChatRequest, member string) bool {
	switch member {
	case "messages":
		return true
	case "stream":
		return r.Stream || has(r.Ext, "stream=false")
	case "temperature":
		return r.Temperature != nil
	case "top_p":
		return r.TopP != nil
	case "frequency_penalty":
		return r.FrequencyPenalty != nil
	case "presence_penalty":
		return r.PresencePenalty != nil
	case "max_completion_tokens":
		return r.MaxTokens != nil
	case "max_tokens": // may stand beside the newer one
		return r.MaxTokens != nil && !has(r.Ext, "max_completion_tokens")
	case "seed":
		return len(r.Seed) > 0
	case "n":
		return r.N > 0
	case "stop":
		return len(r.Stop) > 0
	case "tools":
		return len(r.Tools) > 0
	case "tool_choice":
		return r.ToolChoice != nil && !has(r.ToolChoice.Ext, "function_call")
	case "parallel_tool_calls":
		return r.ParallelTools != nil
	case "response_format":
		return r.Format != nil
	case "user":
		return r.User != ""
	case "metadata":
		return len(r.Metadata) > 0
	default:
		return false
	}
}

// streaming writes stream and stream_options, and reports whether it wrote these.
func (e *encoder) streaming(r *scri.ChatRequest) bool {
	switch {
	case r.Stream:
		e.boolean("stream", &r.Stream)
	case has(r.Ext, "stream=false"):
		e.boolean("stream", &r.Stream)
	}
	asked := has(r.Ext, "usage")
	add := e.target.WantUsage && r.Stream && !asked
	if add {
		e.tell(scri.WarnAdded, "/stream_options/include_usage", "so that the tokens can be counted")
	}
	denied := has(r.Ext, "usage=false") && !add
	rest := has(r.Ext, "+stream_options")
	if !asked && !add && !denied && !rest && !has(r.Ext, "stream_options") {
		return false
	}
	e.Key("stream_options")
	e.BeginObject()
	var said []string
	if asked || add || denied {
		e.Key("include_usage")
		e.Bool(!denied)
		said = []string{"include_usage"}
	}
	if rest {
		e.extra(&scri.Ext{Dialect: name, Members: nested(r.Ext, "stream_options")}, said...)
	}
	e.EndObject()
	return true
}

func (e *encoder) sampling(r *scri.ChatRequest) {
	if r.MaxTokens != nil {
		key := "max_tokens"
		if has(r.Ext, "max_completion_tokens") || !has(r.Ext, key) && wantsCompletionTokens(e.target.Model) {
			key = "max_completion_tokens"
		}
		e.Key(key)
		e.Int(*r.MaxTokens)
	}
	e.float("temperature", r.Temperature)
	e.float("top_p", r.TopP)
	e.float("frequency_penalty", r.FrequencyPenalty)
	e.float("presence_penalty", r.PresencePenalty)
	if r.TopK != nil {
		if has(r.Ext, "top_k") {
			e.Key("top_k")
			e.Int(*r.TopK)
		} else {
			e.dropped("/top_k", "the format has no top_k")
		}
	}
	if len(r.Seed) > 0 {
		e.Key("seed")
		e.Raw(r.Seed)
	}
	if r.N > 0 {
		e.Key("n")
		e.Int(int64(r.N))
	}
	e.stop(r)
	e.alternatives(r)
}

// wantsCompletionTokens reports whether OpenAI's own models of that name refuse
// max_tokens. Others may not know the newer name, and ignore it.
func wantsCompletionTokens(model string) bool {
	model = model[strings.LastIndexByte(model, '/')+1:]
	if len(model) > 1 && model[0] == 'o' && model[1] >= '1' && model[1] <= '9' {
		return true
	}
	v, ok := strings.CutPrefix(model, "gpt-")
	return ok && v != "" && v[0] >= '5' && v[0] <= '9'
}

func (e *encoder) stop(r *scri.ChatRequest) {
	switch {
	case len(r.Stop) == 1 && has(r.Ext, "stop"):
		e.str("stop", r.Stop[0])
	case len(r.Stop) > 0 || has(r.Ext, "stop[]"):
		e.Key("stop")
		e.BeginArray()
		for _, s := range r.Stop {
			e.Str(s)
		}
		e.EndArray()
	}
}

func (e *encoder) alternatives(r *scri.ChatRequest) {
	switch {
	case r.LogProbs != nil:
		if !has(r.Ext, "nologprobs") {
			e.Key("logprobs")
			e.Bool(true)
		}
		if *r.LogProbs != 0 || has(r.Ext, "top_logprobs=0") || has(r.Ext, "nologprobs") {
			e.Key("top_logprobs")
			e.Int(int64(*r.LogProbs))
		}
	case e.target.LogProbs:
		e.tell(scri.WarnAdded, "/logprobs", "so that the answer can be judged")
		e.Key("logprobs")
		e.Bool(true)
	case has(r.Ext, "logprobs=false"):
		e.Key("logprobs")
		e.Bool(false)
	}
}

// thinking writes how much the model may think, as it was asked for or as
// OpenAI has it.
func (e *encoder) thinking(r *scri.ChatRequest) {
	t := r.Reasoning
	if t == nil {
		return
	}
	e.foreign(t.Ext, func() string { return "/reasoning" })
	own := t.Ext.Of(name)
	if t.Summary != "" {
		e.dropped("/reasoning/summary", "thoughts are shown as the provider likes")
	}
	switch {
	case hasForm(own, "thinking") && (t.Effort == "on" || t.Effort == "none"):
		e.Key("thinking")
		e.BeginObject()
		if t.Effort == "on" {
			e.str("type", "enabled")
		} else {
			e.str("type", "disabled")
		}
		e.budget("budget_tokens", t.Budget)
		e.extra(own)
		e.EndObject()
	case hasForm(own, "reasoning") || own == nil && e.spelling() == fieldDetails:
		e.Key("reasoning")
		e.BeginObject()
		if t.Effort != "" {
			e.str("effort", t.Effort)
		}
		e.budget("max_tokens", t.Budget)
		e.extra(own)
		e.EndObject()
	case hasForm(own, "reasoning_effort") && t.Effort != "" && t.Budget == nil:
		e.str("reasoning_effort", t.Effort)
	default:
		e.effort(t)
	}
}

func hasForm(own *scri.Ext, w string) bool { return own != nil && dialect.HasWord(own.Form, w) }

func (e *encoder) budget(key string, n *int64) {
	if n != nil {
		e.Key(key)
		e.Int(*n)
	}
}

// effort writes reasoning_effort; a budget of tokens becomes the nearest word.
func (e *encoder) effort(t *scri.Reasoning) {
	if t.Budget != nil {
		e.dropped("/reasoning/budget", "effort is given in words only")
	}
	effort, code := dialect.EffortWord(t)
	switch code {
	case scri.WarnDropped:
		e.dropped("/reasoning/effort", "models that cannot think, and most that can, refuse to be told not to")
	case scri.WarnEmulated:
		e.tell(scri.WarnEmulated, "/reasoning/effort", "written as "+effort)
	}
	if effort != "" {
		e.str("reasoning_effort", effort)
	}
}

func (e *encoder) format(f *scri.Format) {
	if f == nil {
		return
	}
	if e.older() && f.Kind == scri.FormatJSONSchema && len(f.Schema) > 0 {
		e.flatFormat(f)
		return
	}
	e.foreign(f.Ext, func() string { return "/format" })
	e.Key("response_format")
	e.BeginObject()
	switch f.Kind {
	case scri.FormatJSON:
		e.str("type", "json_object")
	case scri.FormatJSONSchema:
		e.str("type", "json_schema")
		e.Key("json_schema")
		e.BeginObject()
		e.formatName(f)
		if len(f.Schema) > 0 {
			e.Key("schema")
			e.Raw(f.Schema)
		}
		e.boolean("strict", f.Strict)
		e.extra(f.Ext)
		e.EndObject()
	default:
		e.str("type", f.Kind)
	}
	e.EndObject()
	if f.Kind != scri.FormatJSONSchema && (f.Name != "" || len(f.Schema) > 0 || f.Strict != nil) {
		e.dropped("/format", "only json_schema has a schema")
	}
}

func (e *encoder) formatName(f *scri.Format) {
	switch {
	case f.Name != "":
		e.str("name", f.Name)
	case has(f.Ext, "name="):
		e.str("name", "")
	case has(f.Ext, "noname"):
	default:
		e.tell(scri.WarnAdded, "/format/name", "a schema must have a name")
		e.str("name", "response")
	}
}

// labels writes who asks and what for.
func (e *encoder) labels(r *scri.ChatRequest) {
	if r.User != "" || has(r.Ext, "user=") {
		e.str("user", r.User)
	}
	if len(r.Metadata) > 0 {
		e.Key("metadata")
		e.BeginObject()
		for _, k := range slices.Sorted(maps.Keys(r.Metadata)) {
			e.Str(k)
			e.B = append(e.B, ':')
			e.Str(r.Metadata[k])
		}
		e.EndObject()
	}
	if r.Session != "" {
		e.dropped("/session", "the gateway keeps it")
	}
	if r.PreviousID != "" {
		e.dropped("/previous_id", "the provider keeps no conversation")
	}
	if !r.Suffix.IsZero() {
		e.dropped("/suffix", "a conversation has no end to reach")
	}
	if r.Routing != nil {
		e.dropped("/routing", "it is for the gateway")
	}
}
