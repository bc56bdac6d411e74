package ollama

import (
	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// options writes the model's parameters: the typed ones, what came in our own
// Ext, and the context window that the target asks for.
func (e *writer) options() {
	raw := member(e.own, "options")
	own := isObject(raw)
	numCtx := e.t.NumCtx > 0 && (!own || !present(raw, "num_ctx"))
	if !own && !numCtx && !e.hasOptions() && !formed(e.own, "+options") && !formed(e.own, "+stop") {
		return
	}
	e.key("options")
	w := &e.w
	w.BeginObject()
	req := e.req
	number(w, "temperature", req.Temperature)
	number(w, "top_p", req.TopP)
	number(w, "frequency_penalty", req.FrequencyPenalty)
	number(w, "presence_penalty", req.PresencePenalty)
	if req.TopK != nil {
		w.Key("top_k")
		w.Int(*req.TopK)
	}
	if len(req.Seed) > 0 {
		w.Key("seed")
		w.Raw(req.Seed)
	}
	if req.MaxTokens != nil {
		w.Key("num_predict")
		w.Int(*req.MaxTokens)
	}
	if len(req.Stop) > 0 || formed(e.own, "+stop") {
		w.Key("stop")
		w.BeginArray()
		for _, s := range req.Stop {
			w.Str(s)
		}
		w.EndArray()
	}
	if numCtx {
		w.Key("num_ctx")
		w.Int(e.t.NumCtx)
		e.add(scri.WarnAdded, "/ext/options/num_ctx", "the context window set for this model")
	}
	if own {
		rest(w, &scri.Ext{Dialect: Name, Members: raw}, false, func(name string) bool {
			return name == "num_ctx" && numCtx || e.hasOption(name)
		})
	}
	w.EndObject()
}

func number(w *wire.Writer, name string, v *float64) {
	if v != nil {
		w.Key(name)
		w.Float(*v)
	}
}

// present reports whether the object has the member with a value.
func present(raw []byte, name string) bool {
	v := wire.NewScanner(raw).Peek(name)
	return v != nil && string(v) != "null"
}

func (e *writer) hasOptions() bool {
	for _, name := range [...]string{
		"temperature", "top_p", "frequency_penalty", "presence_penalty", "top_k", "seed", "num_predict", "stop",
	} {
		if e.hasOption(name) {
			return true
		}
	}
	return false
}

// hasOption reports whether the option has a typed field that is set.
func (e *writer) hasOption(name string) bool {
	req := e.req
	switch name {
	case "temperature":
		return req.Temperature != nil
	case "top_p":
		return req.TopP != nil
	case "frequency_penalty":
		return req.FrequencyPenalty != nil
	case "presence_penalty":
		return req.PresencePenalty != nil
	case "top_k":
		return req.TopK != nil
	case "seed":
		return len(req.Seed) > 0
	case "num_predict":
		return req.MaxTokens != nil
	case "stop":
		return len(req.Stop) > 0
	default:
		return false
	}
}

// think writes whether and how much the model may think.
func (e *writer) think() {
	r := e.req.Reasoning
	if r == nil {
		return
	}
	e.homeless(r.Ext, func() string { return "/reasoning" })
	if r.Summary != "" {
		e.drop("/reasoning/summary", "Ollama shows all thoughts")
	}
	effort := r.Effort
	if e.t.Thinking == dialect.ThinkingNone && (effort != effortNone || r.Budget != nil) {
		e.drop("/reasoning", "the model cannot think")
		return
	}
	if r.Budget != nil {
		e.drop("/reasoning/budget", "Ollama bounds thoughts by words alone")
		if effort == "" {
			effort = effortOn
			if *r.Budget <= 0 {
				effort = effortNone
			}
			e.add(scri.WarnAdded, "/reasoning/effort", "for the budget")
		}
	}
	if effort == "" {
		if r.Summary == "" {
			e.drop("/reasoning", "it asks for nothing")
		}
		return
	}
	word := level(effort)
	if e.t.Thinking == dialect.ThinkingSwitch && isLevel(word) {
		word = effortOn // which is all that it takes
	}
	if word != effort {
		e.change("/reasoning/effort", effort, word, "")
	}
	e.key("think")
	switch word {
	case effortOn:
		e.w.Bool(true)
	case effortNone:
		e.w.Bool(false)
	default:
		e.w.Str(word)
	}
}

// level is the nearest word that Ollama knows.
func level(effort string) string {
	switch {
	case effort == effortNone || effort == effortOn || isLevel(effort):
		return effort
	case effort == "minimal":
		return "low"
	case effort == "xhigh":
		return "high"
	case effort == "off" || effort == "disabled":
		return effortNone
	default:
		return effortOn
	}
}
