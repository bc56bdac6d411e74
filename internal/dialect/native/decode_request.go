package native

import (
	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// DecodeRequest reads a chat or count request.
func (native) DecodeRequest(in *dialect.Incoming) (*scri.ChatRequest, error) {
	d := new(decoder)
	d.Reset(in.Body)
	req := new(scri.ChatRequest)
	var x extra
	d.request(req, &x)
	if err := d.end(); err != nil {
		return nil, err
	}
	if in.Route.Stream == dialect.Always && !req.Stream {
		req.Stream = true
		x.word("stream:route")
	}
	req.Ext = x.result()
	return req, nil
}

func (d *decoder) request(req *scri.ChatRequest, x *extra) {
	asked := false
	for name := range d.Members() {
		if d.null(x) {
			continue
		}
		switch name {
		case "model":
			req.Model = d.str(x, name)
		case "messages":
			req.Messages, asked = d.messages(), true
		case "tools":
			req.Tools = list(d, x, name, d.tool)
		case "tool_choice":
			req.ToolChoice = d.toolChoice(x)
		case "reasoning":
			req.Reasoning = d.reasoning()
		case "format":
			req.Format = d.format()
		case "user":
			req.User = d.str(x, name)
		case "metadata":
			req.Metadata = d.metadata(x)
		case "suffix":
			req.Suffix = d.text(x, name)
		case "session":
			req.Session = d.str(x, name)
		case "previous_id":
			req.PreviousID = d.str(x, name)
		case "routing":
			d.child(x, name, func(c *extra) { req.Routing = d.routing(c) })
		case "stream":
			req.Stream = d.flag(x, name)
		case "ext":
			d.ext(x, false)
		default:
			d.sampling(req, x, name)
		}
	}
	d.require(asked, "messages")
}

func (d *decoder) sampling(req *scri.ChatRequest, x *extra, name string) {
	switch name {
	case "parallel_tools":
		req.ParallelTools = d.boolPtr()
	case "max_tokens":
		req.MaxTokens = d.intPtr()
	case "top_k":
		req.TopK = d.intPtr()
	case "seed":
		req.Seed = d.raw("a number", wire.Number)
	case "temperature":
		req.Temperature = d.floatPtr()
	case "top_p":
		req.TopP = d.floatPtr()
	case "frequency_penalty":
		req.FrequencyPenalty = d.floatPtr()
	case "presence_penalty":
		req.PresencePenalty = d.floatPtr()
	case "stop":
		req.Stop = d.stop(x)
	case "n":
		if req.N = d.number(0, maxChoices); req.N == 0 {
			x.zero(name, "0")
		}
	case "logprobs":
		req.LogProbs = new(d.number(-1, maxChoices))
	default:
		x.keep(d.Member())
	}
}

func (d *decoder) stop(x *extra) []string {
	if d.Kind() == wire.String {
		x.word("stop:string")
		return []string{d.plain()}
	}
	return d.strings(x, "stop")
}

func (d *decoder) metadata(x *extra) map[string]string {
	out := map[string]string{}
	for name := range d.Members() {
		out[name] = d.plain()
	}
	if len(out) == 0 {
		x.zero("metadata", "{}")
		return nil
	}
	return out
}

func (d *decoder) tool() scri.Tool {
	var t scri.Tool
	var x extra
	for name := range d.Members() {
		if d.null(&x) {
			continue
		}
		switch name {
		case "type":
			t.Type = d.str(&x, name)
		case "name":
			t.Name = d.str(&x, name)
		case "description":
			t.Description = d.text(&x, name)
		case "schema":
			t.Schema = d.raw("an object", wire.Object, wire.Bool)
		case "strict":
			t.Strict = d.boolPtr()
		case "cache":
			t.Cache = d.cache()
		case "ext":
			d.ext(&x, false)
		default:
			x.keep(d.Member())
		}
	}
	t.Type = x.typeOf(t.Type)
	t.Ext = x.result()
	return t
}

// typeOf is the type of a tool or a call, of which the rest was read. Those who
// come from elsewhere say "function" where the language says nothing; what
// another dialect carries along under that name is nothing of ours.
func (x *extra) typeOf(t string) string {
	if t != "function" || x.ext != nil && len(x.members) == 0 {
		return t
	}
	x.word("type:function")
	return ""
}

func (d *decoder) toolChoice(x *extra) *scri.ToolChoice {
	t := new(scri.ToolChoice)
	if d.Kind() == wire.String {
		x.word("tool_choice:string")
		t.Mode = d.plain()
		return t
	}
	var c extra
	there := false
	for name := range d.Members() {
		if d.null(&c) {
			continue
		}
		switch name {
		case "mode":
			t.Mode, there = d.plain(), true
		case "name":
			t.Name = d.str(&c, name)
		case "ext":
			d.ext(&c, false)
		default:
			c.keep(d.Member())
		}
	}
	d.require(there, "mode")
	t.Ext = c.result()
	return t
}

func (d *decoder) reasoning() *scri.Reasoning {
	r := new(scri.Reasoning)
	var x extra
	for name := range d.Members() {
		if d.null(&x) {
			continue
		}
		switch name {
		case "effort":
			r.Effort = d.str(&x, name)
		case "budget":
			r.Budget = d.intPtr()
		case "summary":
			r.Summary = d.str(&x, name)
		case "ext":
			d.ext(&x, false)
		default:
			x.keep(d.Member())
		}
	}
	r.Ext = x.result()
	return r
}

func (d *decoder) format() *scri.Format {
	f := new(scri.Format)
	var x extra
	there := false
	for name := range d.Members() {
		if d.null(&x) {
			continue
		}
		switch name {
		case "kind":
			f.Kind, there = d.plain(), true
		case "name":
			f.Name = d.str(&x, name)
		case "schema":
			f.Schema = d.raw("an object", wire.Object, wire.Bool)
		case "strict":
			f.Strict = d.boolPtr()
		case "ext":
			d.ext(&x, false)
		default:
			x.keep(d.Member())
		}
	}
	d.require(there, "kind")
	f.Ext = x.result()
	return f
}

// wishes are the members of "routing".
const wishes = "sovereign, strict, no_cache, class, chain, max_cost_usd, max_latency_ms"

func (d *decoder) routing(x *extra) *scri.Routing {
	r := new(scri.Routing)
	for name := range d.Members() {
		if d.null(x) {
			continue
		}
		switch name {
		case "sovereign":
			r.Sovereign = d.flag(x, name)
		case "strict":
			r.Strict = d.flag(x, name)
		case "no_cache":
			r.NoCache = d.flag(x, name)
		case "class":
			r.Class = d.str(x, name)
		case "chain":
			r.Chain = d.str(x, name)
		case "max_cost_usd":
			r.MaxCostUSD = d.floatPtr()
		case "max_latency_ms":
			r.MaxLatencyMS = d.floatPtr()
		default:
			d.Fail("no such wish: routing knows %s", wishes)
		}
	}
	return r
}
