package scri

import (
	"math"
	"strconv"
)

// maxAnswers is the most answers that one request may ask for.
const maxAnswers = 128

// Validate reports what of the request is certainly wrong, whoever the target
// is, as an error of kind invalid with the path of the field. What only some
// targets refuse, such as an unknown role, is left to them.
func (r *ChatRequest) Validate() error {
	if len(r.Messages) == 0 && r.PreviousID == "" && (r.Ext == nil || len(r.Ext.Members) == 0) { // a provider may keep what is asked
		return invalid("/messages", "there is no message", "send at least one")
	}
	for i := range r.Messages {
		m := &r.Messages[i]
		if m.Role == "" {
			return invalid(messagePath(i)+"/role", "the message has no role", "use system, user, assistant or tool")
		}
		for j := range m.Parts {
			if e := m.Parts[j].check(); e != nil {
				e.Path = partPath(i, j) + e.Path
				return e
			}
		}
	}
	if e := r.checkTools(); e != nil {
		return e
	}
	if e := r.checkNumbers(); e != nil {
		return e
	}
	if e := r.checkFormat(); e != nil {
		return e
	}
	return nil
}

func invalid(path, message, hint string) *Error {
	return &Error{Kind: ErrInvalid, Path: path, Message: message, Hint: hint}
}

// check returns what is wrong with the part, at a path inside it.
func (p *Part) check() *Error {
	missing := func(member string) *Error {
		return invalid("/"+member, "a part of kind "+string(p.Kind)+" needs "+member, "")
	}
	switch p.Kind {
	case PartText, PartThinking, PartRefusal:
		return nil
	case PartMedia:
		if p.Media == nil {
			return missing("media")
		}
		if m := p.Media; m.Data.IsZero() && m.URL.IsZero() && m.Text.IsZero() && m.FileID == "" && m.Ext == nil {
			return invalid("/media", "the medium has neither data nor an address", "give data, url, file_id or text")
		}
	case PartToolCall:
		if p.Call == nil {
			return missing("call")
		}
	case PartToolResult:
		if p.Result == nil {
			return missing("result")
		}
		for i := range p.Result.Parts {
			if e := p.Result.Parts[i].check(); e != nil {
				e.Path = "/result/content/" + strconv.Itoa(i) + e.Path
				return e
			}
		}
	case PartOpaque:
		if len(p.Raw) == 0 {
			return missing("raw")
		}
	case "":
		return invalid("/kind", "the part has no kind", partKinds)
	default:
		return invalid("/kind", "the kind of the part is unknown", partKinds)
	}
	return nil
}

const partKinds = "use text, thinking, refusal, media, tool_call, tool_result or opaque"

func (r *ChatRequest) checkTools() *Error {
	own := false
	for i := range r.Tools {
		t := &r.Tools[i]
		own = own || t.Type != ""
		if t.Type == "" && t.Name == "" {
			return invalid("/tools/"+strconv.Itoa(i)+"/name", "the tool has no name", "")
		}
	}
	c := r.ToolChoice
	if c == nil || c.Ext != nil {
		return nil
	}
	switch c.Mode {
	case ToolsAuto, ToolsNone, ToolsRequired:
		return nil
	case ToolsNamed:
		if c.Name == "" {
			return invalid("/tool_choice/name", "the tool to call is not named", "")
		}
	default:
		return invalid("/tool_choice/mode", "the mode is unknown", "use auto, none, required or tool")
	}
	if own || len(r.Tools) == 0 && r.Ext != nil {
		return nil // a provider's own tools may bring others with them
	}
	for i := range r.Tools {
		if r.Tools[i].Name == c.Name {
			return nil
		}
	}
	return invalid("/tool_choice/name", "no tool has the name of the one to call", "add the tool to tools, or choose another")
}

func (r *ChatRequest) checkNumbers() *Error {
	if r.N < 0 || r.N > maxAnswers {
		return invalid("/n", "the number of answers is out of range", "ask for 1 to "+strconv.Itoa(maxAnswers))
	}
	if r.MaxTokens != nil && *r.MaxTokens < 0 {
		return invalid("/max_tokens", "the number of tokens is negative", "leave it out for no limit")
	}
	// Some targets know -1 as "all" or "as many as you like".
	if r.TopK != nil && *r.TopK < -1 {
		return invalid("/top_k", "the number of candidates is negative", "")
	}
	if r.LogProbs != nil && *r.LogProbs < -1 {
		return invalid("/logprobs", "the number of alternatives is negative", "")
	}
	if r.Reasoning != nil && r.Reasoning.Budget != nil && *r.Reasoning.Budget < -1 {
		return invalid("/reasoning/budget", "the number of tokens is negative", "")
	}
	if len(r.Seed) > 0 && r.Seed[0] != '-' && (r.Seed[0] < '0' || r.Seed[0] > '9') {
		return invalid("/seed", "the seed is no number", "")
	}
	return r.checkFloats()
}

func (r *ChatRequest) checkFloats() *Error {
	floats := [...]struct {
		path string
		v    *float64
	}{
		{"/temperature", r.Temperature},
		{"/top_p", r.TopP},
		{"/frequency_penalty", r.FrequencyPenalty},
		{"/presence_penalty", r.PresencePenalty},
	}
	for _, f := range floats {
		if f.v != nil && !finite(*f.v) {
			return invalid(f.path, "it is no finite number", "")
		}
	}
	return checkWishes(r.Routing)
}

func checkWishes(w *Routing) *Error {
	switch {
	case w == nil:
		return nil
	case w.MaxCostUSD != nil && (!finite(*w.MaxCostUSD) || *w.MaxCostUSD < 0):
		return invalid("/routing/max_cost_usd", "it is no amount", "")
	case w.MaxLatencyMS != nil && (!finite(*w.MaxLatencyMS) || *w.MaxLatencyMS < 0):
		return invalid("/routing/max_latency_ms", "it is no duration", "")
	default:
		return nil
	}
}

func finite(f float64) bool { return !math.IsNaN(f) && !math.IsInf(f, 0) }

func (r *ChatRequest) checkFormat() *Error {
	f := r.Format
	if f == nil || f.Ext != nil {
		return nil
	}
	switch f.Kind {
	case FormatText, FormatJSON:
		return nil
	case FormatJSONSchema:
		if len(f.Schema) == 0 {
			return invalid("/format/schema", "the schema is missing", "")
		}
		return nil
	default:
		return invalid("/format/kind", "the kind is unknown", "use text, json or json_schema")
	}
}
