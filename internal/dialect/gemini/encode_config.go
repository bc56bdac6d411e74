package gemini

import (
	"strings"

	"github.com/aratta-gateway/aratta/scri"
)

// config writes the members of generationConfig; what was said is left out of
// what came as unknown.
type configEncoder struct {
	*requestEncoder
	said []string
}

func (c *configEncoder) member(name string) {
	c.key(c.own, name)
	c.said = append(c.said, name)
}

func (c *configEncoder) float(name string, v *float64) {
	if v != nil {
		c.member(name)
		c.w.Float(*v)
	}
}

func (c *configEncoder) int(name string, v *int64) {
	if v != nil {
		c.member(name)
		c.w.Int(*v)
	}
}

// generationConfig writes the wishes for the answer. all: not just what counts.
func (e *requestEncoder) generationConfig(all bool) {
	c := &configEncoder{requestEncoder: e}
	before := len(e.w.B)
	e.member("generationConfig")
	e.w.BeginObject()
	empty := len(e.w.B)
	c.format()
	if all {
		c.sampling()
		c.reasoning()
		c.logs()
	}
	x := nested(e.req.Ext, "generationConfig")
	if x != nil {
		e.ext(x, c.said...)
	}
	if len(e.w.B) == empty && (x == nil || string(x.Members) != "{}") {
		e.w.B = e.w.B[:before]
		if x == nil { // or it is a null that stays one
			e.said = e.said[:len(e.said)-1]
		}
		return
	}
	e.w.EndObject()
}

func (c *configEncoder) sampling() {
	r := c.req
	c.float("temperature", r.Temperature)
	c.float("topP", r.TopP)
	c.int("topK", r.TopK)
	c.int("maxOutputTokens", r.MaxTokens)
	c.float("presencePenalty", r.PresencePenalty)
	c.float("frequencyPenalty", r.FrequencyPenalty)
	if len(r.Seed) > 0 {
		c.member("seed")
		c.w.Raw(r.Seed)
	}
	if r.N != 0 {
		c.member("candidateCount")
		c.w.Int(int64(r.N))
	}
	own := formed(c.own, "stop")
	if len(r.Stop) == 0 && !own {
		return
	}
	c.member("stopSequences")
	c.w.BeginArray()
	in := c.In("stop")
	for i, s := range r.Stop {
		if i >= maxStops && !own {
			c.Drop(itoa(int64(i)), "five stop sequences are the most")
			continue
		}
		c.w.Str(s)
	}
	c.Out(in)
	c.w.EndArray()
}

func (c *configEncoder) logs() {
	n := c.req.LogProbs
	switch {
	case n != nil:
		c.member("responseLogprobs")
		c.w.Bool(true)
		if *n > 0 || formed(c.own, "logprobs") {
			c.member("logprobs")
			c.w.Int(int64(*n))
		}
		if *n < 0 {
			c.Tell(scri.WarnChanged, "logprobs", itoa(int64(*n)), "0", "there is no such number of alternatives")
		}
	case c.t.LogProbs:
		c.member("responseLogprobs")
		c.w.Bool(true)
		c.said = append(c.said, "logprobs")
		c.Tell(scri.WarnAdded, "logprobs", "", "", "to measure confidence")
	case formed(c.own, "logs"):
		c.member("responseLogprobs")
		c.w.Bool(false)
	}
}

// format writes the shape that the answer must have.
func (c *configEncoder) format() {
	f := c.req.Format
	if f == nil {
		return
	}
	in := c.In("format")
	defer c.Out(in)
	mime := mimeJSON
	switch f.Kind {
	case scri.FormatText:
		mime = mimeText
	case scri.FormatJSON, scri.FormatJSONSchema:
	default:
		c.Drop("", "there is no such format here")
		return
	}
	if !formed(f.Ext, "-mime") {
		c.member("responseMimeType")
		c.w.Str(mime)
	}
	schema := f.Kind == scri.FormatJSONSchema && c.isObject(f.Schema)
	switch {
	case schema && formed(f.Ext, "responseSchema"):
		c.member("responseSchema")
		c.raw(raised(f.Schema, f.Ext))
	case schema && c.older:
		c.member("responseSchema")
		c.raw(c.reduced(f.Schema))
	case schema:
		c.member("responseJsonSchema")
		c.raw(f.Schema)
	case f.Kind == scri.FormatJSONSchema:
		c.Tell(scri.WarnChanged, "kind", f.Kind, scri.FormatJSON, "there is no schema to keep to")
		fallthrough
	default:
		if len(f.Schema) > 0 {
			c.Drop("schema", "a schema is an object, of a format that has one")
		}
	}
	if f.Name != "" {
		c.Drop("name", "a schema has no name here")
	}
	if f.Strict != nil {
		c.Drop("strict", "every schema is kept to strictly here")
	}
	if f.Ext.Of(Name) == nil {
		c.Foreign(f.Ext)
	} else if len(f.Ext.Members) > 0 {
		c.Homeless(f.Ext)
	}
}

// reasoning writes how much the model may think.
func (c *configEncoder) reasoning() {
	r := c.req.Reasoning
	if r == nil {
		return
	}
	in := c.In("reasoning")
	defer c.Out(in)
	think := thinking{budget: r.Budget}
	own := formed(r.Ext, "own")
	if own {
		think.own(r)
	} else {
		c.translate(r, &think)
	}
	before := len(c.w.B)
	c.member("thinkingConfig")
	c.w.BeginObject()
	empty := len(c.w.B)
	var said []string
	if think.budget != nil {
		c.key(r.Ext, "thinkingBudget")
		c.w.Int(*think.budget)
		said = append(said, "thinkingBudget")
	}
	if think.level != "" {
		c.key(r.Ext, "thinkingLevel")
		c.w.Str(think.level)
		said = append(said, "thinkingLevel")
	}
	if show, ok := c.shown(r, own, &think); ok {
		c.key(r.Ext, "includeThoughts")
		c.w.Bool(show)
		said = append(said, "includeThoughts")
	}
	c.ext(r.Ext, said...)
	if len(c.w.B) == empty && !own {
		c.w.B = c.w.B[:before]
		c.said = c.said[:len(c.said)-1]
		return
	}
	c.w.EndObject()
}

// thinking is how much is asked for in the words of the API: one of both.
type thinking struct {
	budget *int64
	level  string
}

// own is what was asked for in this dialect.
func (t *thinking) own(r *scri.Reasoning) {
	switch {
	case formed(r.Ext, "off") && r.Effort == effortNone:
		t.budget = new(int64(0))
	case formed(r.Ext, "dynamic") && r.Effort == effortOn:
		t.budget = new(int64(-1))
	default:
		t.level = strings.ToUpper(r.Effort)
		if word, ok := spelled(r.Ext, "level"); ok && strings.EqualFold(word, r.Effort) {
			t.level = word
		}
	}
}

// Budgets that stand for an effort with models of the second generation, in
// tokens, and their limits.
const (
	lowBudget    = 1024
	mediumBudget = 8192
	highBudget   = 24576
	proBudget    = 32768
	proLeast     = 128
)

// translate says in the words of the model's generation what another dialect
// asked for.
func (c *configEncoder) translate(r *scri.Reasoning, t *thinking) {
	second := c.gen == 1 || c.gen == 2
	pro := strings.Contains(c.model, "-pro")
	switch {
	case r.Budget != nil && *r.Budget <= 0:
		word := effortNone
		t.budget = new(int64(0))
		if *r.Budget < 0 {
			word, t.budget = effortOn, new(int64(-1))
		}
		c.Tell(scri.WarnChanged, "budget", itoa(*r.Budget), word, "no budget is a word of its own here")
		switch r.Effort {
		case word:
		case "":
			c.Tell(scri.WarnAdded, "effort", "", word, "")
		default:
			c.Tell(scri.WarnChanged, "effort", r.Effort, word, "the budget says it")
		}
	case r.Budget != nil:
		if r.Effort != "" && r.Effort != effortNone {
			c.Drop("effort", "the budget says it")
		}
		if r.Effort == effortNone {
			t.budget = new(int64(0))
			c.Drop("budget", "thinking is off")
		}
	case r.Effort == effortOn:
		t.budget = new(int64(-1))
	case r.Effort == effortNone && !second && c.gen != 0:
		t.level = "MINIMAL"
		c.Tell(scri.WarnChanged, "effort", r.Effort, "minimal", "this model always thinks")
	case r.Effort == effortNone:
		t.budget = new(int64(0))
	case r.Effort == "":
	case second:
		t.budget = new(budgetOf(r.Effort))
		c.Tell(scri.WarnEmulated, "effort", r.Effort, itoa(*t.budget), "an effort is a budget of tokens for this model")
		c.Tell(scri.WarnAdded, "budget", "", itoa(*t.budget), "it stands for the effort")
	default:
		t.level = levelOf(r.Effort)
		if low := strings.ToLower(t.level); low != r.Effort {
			c.Tell(scri.WarnChanged, "effort", r.Effort, low, "the nearest level")
		}
	}
	if second && t.budget != nil {
		c.clamp(t, pro)
	}
}

// clamp keeps a budget within what models of the second generation take.
func (c *configEncoder) clamp(t *thinking, pro bool) {
	n, most, least := *t.budget, int64(highBudget), int64(0)
	if pro {
		most, least = proBudget, proLeast
	}
	switch {
	case n < 0:
		return
	case n > most:
		n = most
	case n < least:
		n = least
	default:
		return
	}
	what := "budget"
	if c.req.Reasoning.Budget == nil {
		what = "effort"
	}
	c.Tell(scri.WarnChanged, what, itoa(*t.budget), itoa(n), "to fit the limits of the model")
	if what == "effort" {
		c.Tell(scri.WarnAdded, "budget", "", itoa(n), "the least that the model thinks")
	}
	t.budget = &n
}

func budgetOf(effort string) int64 {
	switch effort {
	case "minimal", "low":
		return lowBudget
	case "high", "xhigh", "max":
		return highBudget
	default:
		return mediumBudget
	}
}

func levelOf(effort string) string {
	switch effort {
	case "minimal", "low", "medium", "high":
		return strings.ToUpper(effort)
	case "xhigh", "max":
		return "HIGH"
	default:
		return "MEDIUM"
	}
}

// shown tells whether thoughts are asked to be shown. Other dialects show them
// wherever something is thought.
func (c *configEncoder) shown(r *scri.Reasoning, own bool, t *thinking) (show, said bool) {
	thinks := t.level != "" || t.budget != nil && *t.budget != 0
	switch r.Summary {
	case "":
		if own || !thinks {
			return false, false
		}
		c.Tell(scri.WarnAdded, "summary", "", "auto", "thoughts are shown where they are asked for")
		return true, true
	case "none":
		return false, true
	case "auto":
	default:
		c.Tell(scri.WarnChanged, "summary", r.Summary, "auto", "thoughts are shown or they are not")
	}
	return true, true
}
