package native

import (
	"maps"
	"net/http"
	"reflect"
	"slices"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/scri"
)

// EncodeRequest writes a chat request. Nothing is lost on this way.
func (native) EncodeRequest(req *scri.ChatRequest, t *dialect.Target) (*dialect.Outgoing, []scri.Warning, error) {
	path := pathChat
	if req.Stream && formHas(req.Ext, "stream:route") {
		path = pathStream
	}
	out, warn := outgoing(path, req, t)
	return out, warn, nil
}

// EncodeCountRequest writes a count request.
func (native) EncodeCountRequest(req *scri.ChatRequest, t *dialect.Target) (*dialect.Outgoing, []scri.Warning, error) {
	out, warn := outgoing(pathCount, req, t)
	return out, warn, nil
}

func outgoing(path string, req *scri.ChatRequest, t *dialect.Target) (*dialect.Outgoing, []scri.Warning) {
	r := *req
	var warn []scri.Warning
	if t != nil && t.Model != "" {
		r.Model = t.Model
	}
	if t != nil && t.LogProbs && r.LogProbs == nil && path != pathCount {
		r.LogProbs = new(int)
		warn = append(warn, scri.Warning{
			Code: scri.WarnAdded, Path: "/logprobs", To: "0", Detail: "log-probabilities are needed to judge the answer",
		})
	}
	e := new(encoder)
	t.Begin(&e.Writer, &r)
	e.request(&r)
	return &dialect.Outgoing{
		Method: http.MethodPost, Path: path, Body: e.B, Pieces: e.Pieces(),
	}, warn
}

func (e *encoder) request(r *scri.ChatRequest) {
	at := e.begin()
	e.str("model", r.Model)
	if r.Stream && !formHas(r.Ext, "stream:route") {
		e.flag("stream", true)
	}
	e.key("messages")
	e.messages(r.Messages)
	each(e, "tools", r.Tools, e.tool)
	if r.ToolChoice != nil {
		e.toolChoice(r.ToolChoice, formHas(r.Ext, "tool_choice:string"))
	}
	e.boolPtr("parallel_tools", r.ParallelTools)
	e.sampling(r)
	if r.Reasoning != nil {
		e.reasoning(r.Reasoning)
	}
	if r.Format != nil {
		e.format(r.Format)
	}
	e.str("user", r.User)
	if len(r.Metadata) > 0 {
		e.key("metadata")
		e.metadata(r.Metadata)
	}
	e.text("suffix", r.Suffix)
	e.str("session", r.Session)
	e.str("previous_id", r.PreviousID)
	if r.Routing != nil {
		e.routing(r.Routing, r.Ext)
	}
	e.end(at, r.Ext)
}

func (e *encoder) sampling(r *scri.ChatRequest) {
	e.intPtr("max_tokens", r.MaxTokens)
	e.intPtr("top_k", r.TopK)
	e.raw("seed", r.Seed)
	e.floatPtr("temperature", r.Temperature)
	e.floatPtr("top_p", r.TopP)
	e.floatPtr("frequency_penalty", r.FrequencyPenalty)
	e.floatPtr("presence_penalty", r.PresencePenalty)
	if len(r.Stop) == 1 && formHas(r.Ext, "stop:string") {
		e.key("stop")
		e.Str(r.Stop[0])
	} else {
		e.strings("stop", r.Stop)
	}
	e.int("n", int64(r.N))
	if r.LogProbs != nil {
		e.key("logprobs")
		e.Int(int64(*r.LogProbs))
	}
}

func (e *encoder) metadata(m map[string]string) {
	e.BeginObject()
	for _, name := range slices.Sorted(maps.Keys(m)) {
		e.Str(name)
		e.B = append(e.B, ':')
		e.Str(m[name])
	}
	e.EndObject()
}

func (e *encoder) tool(t *scri.Tool) {
	at := e.begin()
	e.typeOf(t.Type, t.Ext)
	e.str("name", t.Name)
	e.text("description", t.Description)
	e.raw("schema", t.Schema)
	e.boolPtr("strict", t.Strict)
	if t.Cache != nil {
		e.cache(t.Cache)
	}
	e.end(at, t.Ext)
}

func (e *encoder) toolChoice(t *scri.ToolChoice, short bool) {
	e.key("tool_choice")
	if short && t.Name == "" && t.Ext == nil {
		e.Str(t.Mode)
		return
	}
	at := e.begin()
	e.key("mode")
	e.Str(t.Mode)
	e.str("name", t.Name)
	e.end(at, t.Ext)
}

func (e *encoder) reasoning(r *scri.Reasoning) {
	e.key("reasoning")
	at := e.begin()
	e.str("effort", r.Effort)
	e.intPtr("budget", r.Budget)
	e.str("summary", r.Summary)
	e.end(at, r.Ext)
}

func (e *encoder) format(f *scri.Format) {
	e.key("format")
	at := e.begin()
	e.key("kind")
	e.Str(f.Kind)
	e.str("name", f.Name)
	e.raw("schema", f.Schema)
	e.boolPtr("strict", f.Strict)
	e.end(at, f.Ext)
}

// routing writes the wishes. A null among them, kept in the Ext of the request,
// is no wish.
func (e *encoder) routing(r *scri.Routing, x *scri.Ext) {
	if e.asItWas(x, "routing", func(d *decoder) bool { return reflect.DeepEqual(d.routing(new(extra)), r) }) {
		return
	}
	e.key("routing")
	at := e.begin()
	e.flag("sovereign", r.Sovereign)
	e.flag("strict", r.Strict)
	e.flag("no_cache", r.NoCache)
	e.str("class", r.Class)
	e.str("chain", r.Chain)
	e.floatPtr("max_cost_usd", r.MaxCostUSD)
	e.floatPtr("max_latency_ms", r.MaxLatencyMS)
	e.child(at, x, "routing")
}
