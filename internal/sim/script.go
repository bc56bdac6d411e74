package sim

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/aratta-gateway/aratta/scri"
)

// Script returns the answers of the simulated provider: text that says what it
// is and repeats what was asked, a call of the first tool that may be called,
// thoughts where reasoning is asked for, JSON where a format is, log-
// probabilities on demand; cut at max_tokens and stop sequences. The same
// request always gets the same answer, but for its date.
func Script(provider string) func(*scri.ChatRequest) (*scri.ChatResponse, error) {
	return func(r *scri.ChatRequest) (*scri.ChatResponse, error) {
		n := max(r.N, 1)
		resp := &scri.ChatResponse{ID: "sim-" + provider, Model: r.Model, Created: time.Now().UTC().Truncate(time.Second)}
		var out int64
		for range n {
			c, tokens := choice(provider, r)
			resp.Choices = append(resp.Choices, c)
			out += tokens
		}
		in := promptTokens(r)
		resp.Usage = &scri.Usage{Input: &in, Output: &out}
		return resp, nil
	}
}

func choice(provider string, r *scri.ChatRequest) (scri.Choice, int64) {
	m := scri.Message{Role: scri.RoleAssistant}
	var tokens int64
	if wantsThoughts(r) {
		thought := "A simulated thought about the question."
		m.Parts = append(m.Parts, scri.Part{Kind: scri.PartThinking, Text: scri.NewText(thought)})
		tokens += words(thought)
	}
	if t := wantedTool(r); t != nil {
		args := sample(t.Schema, 0)
		b, err := json.Marshal(args)
		if err != nil || args == nil {
			b = []byte("{}")
		}
		m.Parts = append(m.Parts, scri.Part{Kind: scri.PartToolCall, Call: &scri.ToolCall{
			ID: fmt.Sprintf("call_sim_%d", len(r.Messages)), Name: t.Name, Args: scri.NewText(string(b)),
		}})
		return scri.Choice{Output: []scri.Message{m}, Finish: scri.Finish{Reason: scri.FinishToolCalls}}, tokens + words(string(b))
	}
	text, finish := cut(say(provider, r), r)
	m.Parts = append(m.Parts, scri.TextPart(text))
	c := scri.Choice{Output: []scri.Message{m}, Finish: finish}
	if r.LogProbs != nil {
		c.LogProbs = logProbs(text)
	}
	return c, tokens + words(text)
}

func wantsThoughts(r *scri.ChatRequest) bool {
	return r.Reasoning != nil && r.Reasoning.Effort != "none" && r.Reasoning.Effort != "off" &&
		(r.Reasoning.Effort != "" || r.Reasoning.Budget != nil)
}

// wantedTool is the tool to call: the named one, or the first function, unless
// the tools are off or the last message answers a call.
func wantedTool(r *scri.ChatRequest) *scri.Tool {
	mode, name := scri.ToolsAuto, ""
	if r.ToolChoice != nil {
		mode, name = r.ToolChoice.Mode, r.ToolChoice.Name
	}
	if mode == scri.ToolsNone || len(r.Messages) == 0 || answersCall(&r.Messages[len(r.Messages)-1]) {
		return nil
	}
	for i := range r.Tools {
		t := &r.Tools[i]
		if t.Type == "" && (name == "" || t.Name == name) {
			return t
		}
	}
	return nil
}

func answersCall(m *scri.Message) bool {
	for i := range m.Parts {
		if m.Parts[i].Kind == scri.PartToolResult {
			return true
		}
	}
	return false
}

// say is the text of an answer.
func say(provider string, r *scri.ChatRequest) string {
	if f := r.Format; f != nil && f.Kind != scri.FormatText {
		v := sample(f.Schema, 0)
		if v == nil {
			v = map[string]any{"simulated": true}
		}
		b, err := json.Marshal(v)
		if err == nil {
			return string(b)
		}
	}
	asked := lastText(r)
	if asked == "" {
		asked = "nothing in words"
	}
	return fmt.Sprintf("This is a simulated answer of %s (%s). You asked: %s", provider, r.Model, asked)
}

// lastText is what the last message says, shortened.
func lastText(r *scri.ChatRequest) string {
	if len(r.Messages) == 0 {
		return ""
	}
	parts := r.Messages[len(r.Messages)-1].Parts
	var b strings.Builder
	for i := range parts {
		b.WriteString(parts[i].Text.String())
		if res := parts[i].Result; res != nil {
			for j := range res.Parts {
				b.WriteString(res.Parts[j].Text.String())
			}
		}
	}
	const most = 400
	if s := []rune(b.String()); len(s) > most {
		return string(s[:most]) + "..."
	}
	return b.String()
}

// cut ends a text where the request says that it must end.
func cut(text string, r *scri.ChatRequest) (string, scri.Finish) {
	f := scri.Finish{Reason: scri.FinishStop}
	for _, s := range r.Stop {
		if i := strings.Index(text, s); i >= 0 && s != "" {
			text, f.Detail = text[:i], s
		}
	}
	if r.MaxTokens != nil && words(text) > *r.MaxTokens && *r.MaxTokens > 0 {
		text = firstWords(text, *r.MaxTokens)
		f = scri.Finish{Reason: scri.FinishLength}
	}
	return text, f
}

// firstWords is s up to the word after the first n, as words counts them.
func firstWords(s string, n int64) string {
	inside := false
	for i, r := range s {
		begins := !inside && !unicode.IsSpace(r)
		inside = !unicode.IsSpace(r)
		if !begins {
			continue
		}
		if n == 0 {
			return s[:i]
		}
		n--
	}
	return s
}

// logProbs gives each word the same high probability.
func logProbs(text string) []scri.TokenLogProb {
	var list []scri.TokenLogProb
	for rest := text; rest != ""; {
		var w string
		w, rest = cutWord(rest)
		list = append(list, scri.TokenLogProb{Token: scri.NewText(w), LogProb: -0.0101})
	}
	return list
}

func words(s string) int64 { return int64(len(strings.Fields(s))) }

// promptTokens counts a word as a token.
func promptTokens(r *scri.ChatRequest) int64 {
	var n int64
	for i := range r.Messages {
		for j := range r.Messages[i].Parts {
			n += words(r.Messages[i].Parts[j].Text.String())
		}
	}
	return max(n, 1)
}

// maxNesting bounds how deep a sample follows a schema.
const maxNesting = 8

// sample makes a value that a JSON Schema allows, as far as its plain keywords
// say; nil for an absent or unreadable schema.
func sample(schema []byte, depth int) any {
	var s struct {
		Type       any                        `json:"type"`
		Enum       []any                      `json:"enum"`
		Const      any                        `json:"const"`
		Properties map[string]json.RawMessage `json:"properties"`
		Required   []string                   `json:"required"`
		Items      json.RawMessage            `json:"items"`
		Minimum    *float64                   `json:"minimum"`
		AnyOf      []json.RawMessage          `json:"anyOf"`
	}
	if depth > maxNesting || json.Unmarshal(schema, &s) != nil {
		return nil
	}
	switch {
	case s.Const != nil:
		return s.Const
	case len(s.Enum) > 0:
		return s.Enum[0]
	case len(s.AnyOf) > 0:
		return sample(s.AnyOf[0], depth+1)
	}
	switch first(s.Type) {
	case "string":
		return "simulated"
	case "integer", "number":
		if s.Minimum != nil {
			return *s.Minimum
		}
		return 1
	case "boolean":
		return true
	case "array":
		if v := sample(s.Items, depth+1); v != nil {
			return []any{v}
		}
		return []any{}
	case "null":
		return nil
	default:
		out := map[string]any{}
		for _, name := range s.Required {
			out[name] = sample(s.Properties[name], depth+1)
		}
		return out
	}
}

func first(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case []any:
		if len(v) > 0 {
			s, _ := v[0].(string)
			return s
		}
	}
	return ""
}
