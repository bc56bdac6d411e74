package openai

import (
	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// DecodeRequest reads a request for a chat completion.
func (chat) DecodeRequest(in *dialect.Incoming) (*scri.ChatRequest, error) {
	d := dialect.ReaderAt[request](in.Desk)
	d.desk = in.Desk
	d.Reset(in.Body)
	d.turns = min(4+len(in.Body)/2048, 1024)
	d.read()
	if err := d.End(); err != nil {
		return nil, dialect.Invalid(err)
	}
	if !d.messages {
		e := dialect.Missing("/messages")
		e.Hint = "send the conversation as a list of messages"
		return nil, e
	}
	if d.missing != nil {
		return nil, d.missing
	}
	return &d.r, nil
}

// request is the decoder of a whole request.
type request struct {
	decoder
	asked
	sub      *decoder // of members that are looked at apart
	toolRoom []scri.Tool
}

// asked is what was read of a request.
type asked struct {
	r        scri.ChatRequest
	u        dialect.Unknown
	messages bool
	turns    int // room for messages: a guess by the size of the body
	missing  *scri.Error

	maxTokens, maxCompletion   []byte // members, as several of them may say one thing
	effort, reasoned, thinking []byte
	withLogProbs, topLogProbs  []byte
	choice, functionChoice     []byte
	topLogProbsN               int64

	// What r points to.
	temperature, topP, frequency, presence float64
	max, topK                              int64
	top                                    int // log-probabilities
}

// Forget makes the decoder ready for the next request.
func (d *request) Forget() {
	d.forget()
	if d.sub != nil {
		d.sub.forget()
		d.sub.forms = nil // they are those of the request
	}
	if d.r.Tools != nil {
		d.toolRoom = dialect.Clear(d.r.Tools)
	}
	d.asked = asked{}
}

func (d *request) read() {
	for member := range d.Members() {
		if d.Kind() == wire.Null {
			if member == "messages" {
				d.Fail("messages must be a list")
				return
			}
			d.u.Add(d.Member())
			continue
		}
		if !d.scalar(member) && !d.list(member) && !d.paired(member) {
			d.u.Add(d.Member())
		}
	}
	if d.Err() != nil {
		return
	}
	d.limits()
	d.alternatives()
	d.effortOf()
	d.toolChoice()
	if len(d.r.Tools) == 0 && (d.r.ToolChoice != nil || d.r.ParallelTools != nil) {
		d.u.Form("choice")
	}
	d.r.Ext = d.u.Ext(name)
}

// scalar reads members that are one value.
func (d *request) scalar(member string) bool {
	r, u := &d.r, &d.u
	switch member {
	case "model":
		if r.Model = d.Unquoted(); r.Model == "" {
			u.Form("model=")
		}
	case "stream":
		if r.Stream = d.Bool(); !r.Stream {
			u.Form("stream=false")
		}
	case "temperature":
		r.Temperature = d.float(&d.temperature, u)
	case "top_p":
		r.TopP = d.float(&d.topP, u)
	case "frequency_penalty":
		r.FrequencyPenalty = d.float(&d.frequency, u)
	case "presence_penalty":
		r.PresencePenalty = d.float(&d.presence, u)
	case "parallel_tool_calls":
		r.ParallelTools = d.boolean(u)
	case "seed":
		r.Seed = d.Number()
	case "user":
		if r.User = d.Unquoted(); r.User == "" {
			u.Form("user=")
		}
	case "top_k":
		if n, ok := d.integer(u); ok {
			d.topK = n
			r.TopK = &d.topK
			u.Form("top_k")
		}
	case "n":
		d.answers()
	default:
		return false
	}
	return true
}

func (d *request) answers() {
	m := d.Mark()
	n, _ := d.integer(&d.u)
	switch {
	case n > 0 && n < 1<<20:
		d.r.N = int(n)
	case d.Err() == nil:
		d.Rewind(m)
		d.Fail("n must be a number of answers of at least 1")
	}
}

// list reads members that are lists or objects.
func (d *request) list(member string) bool {
	switch member {
	case "messages":
		d.conversation()
	case "tools":
		d.tools()
	case "functions":
		d.functions()
	case "stop":
		d.r.Stop = dialect.OpenAIStop(&d.Scanner, &d.u)
	case "response_format":
		if !d.try(d.format) {
			d.r.Format = nil
			d.u.Add(d.Member())
		}
	case "stream_options":
		dialect.OpenAIStreamOptions(&d.Scanner, &d.u)
	case "metadata":
		if !d.try(d.metadata) {
			d.r.Metadata = nil
			d.u.Add(d.Member())
		}
	default:
		return false
	}
	return true
}

// paired keeps members that can only be understood with others.
func (d *request) paired(member string) bool {
	var at *[]byte
	switch member {
	case "max_tokens":
		at = &d.maxTokens
	case "max_completion_tokens":
		at = &d.maxCompletion
	case "reasoning_effort":
		if d.Kind() != wire.String {
			d.Unquoted() // which refuses it
			return true
		}
		at = &d.effort
	case "reasoning":
		at = &d.reasoned
	case "thinking":
		at = &d.thinking
	case "logprobs":
		if d.Kind() == wire.String { // the reader refuses it where it stands
			d.Bool()
			return true
		}
		at = &d.withLogProbs
	case "top_logprobs":
		m := d.Mark()
		if d.topLogProbsN = d.Int(); d.Err() != nil {
			return true
		}
		d.Rewind(m)
		at = &d.topLogProbs
	case "tool_choice":
		at = &d.choice
	case "function_call":
		at = &d.functionChoice
	default:
		return false
	}
	if member == "max_tokens" || member == "max_completion_tokens" {
		m := d.Mark()
		if n := d.Int(); d.Err() != nil {
			return true
		} else if d.r.MaxTokens == nil || member == "max_completion_tokens" {
			d.max = n
			d.r.MaxTokens = &d.max
		}
		d.Rewind(m)
	}
	*at = d.Member()
	return true
}

// limits: max_completion_tokens says it where both are there.
func (d *request) limits() {
	if d.maxCompletion == nil {
		if d.maxTokens != nil {
			d.u.Form("max_tokens")
		}
		return
	}
	d.u.Form("max_completion_tokens")
	if d.maxTokens != nil {
		d.u.Add(d.maxTokens)
	}
}

func (d *request) alternatives() {
	on := value(d.withLogProbs)
	d.top = int(d.topLogProbsN)
	switch {
	case on == nil:
		if d.topLogProbs != nil {
			d.r.LogProbs = &d.top
			d.u.Form("nologprobs")
		}
	case string(on) == "true":
		d.r.LogProbs = &d.top
		if d.top == 0 && d.topLogProbs != nil {
			d.u.Form("top_logprobs=0")
		}
	case string(on) == "false" && d.topLogProbs == nil:
		d.u.Form("logprobs=false")
	default: // switched off with a number beside it, or a number as elsewhere
		d.u.Add(d.withLogProbs)
		if d.topLogProbs != nil {
			d.u.Add(d.topLogProbs)
		}
	}
}

func (d *request) conversation() {
	d.messages = true
	if d.Kind() != wire.Array {
		d.Fail("messages must be a list")
		return
	}
	for i := range d.Elements() {
		if d.r.Messages == nil {
			d.r.Messages = d.desk.Messages(d.turns)
		}
		d.r.Messages = append(d.r.Messages, scri.Message{})
		m := &d.r.Messages[i]
		d.message(m)
		if d.Err() != nil {
			return
		}
		if m.Role == "" && d.missing == nil {
			d.missing = dialect.Missing(d.Pointer() + "/role")
		}
	}
}

func (d *request) metadata() bool {
	m := map[string]string{}
	for member := range d.Members() {
		if d.Kind() != wire.String {
			return false
		}
		m[member] = d.Unquoted()
	}
	if d.r.Metadata = m; len(m) == 0 {
		return false
	}
	return true
}

// format reads response_format.
func (d *request) format() bool {
	var outer, u dialect.Unknown
	f := new(scri.Format)
	form, schema := "", false
	for member := range d.Members() {
		switch member {
		case "type":
			switch d.Unquoted() {
			case "text":
				f.Kind = scri.FormatText
			case "json_object":
				f.Kind = scri.FormatJSON
			case "json_schema":
				f.Kind = scri.FormatJSONSchema
			default:
				return false
			}
		case "json_schema":
			schema = true
			form = d.schema(f, &u)
		default:
			return false
		}
	}
	if f.Kind == "" || !outer.Empty() || schema != (f.Kind == scri.FormatJSONSchema) {
		return false
	}
	f.Ext = d.ext(&u, form)
	d.r.Format = f
	return true
}

func (d *request) schema(f *scri.Format, u *dialect.Unknown) (form string) {
	form = "noname"
	for member := range d.Members() {
		switch {
		case member == "name" && d.Kind() == wire.String:
			if f.Name = d.Unquoted(); f.Name != "" {
				form = ""
			} else {
				form = "name="
			}
		case member == "schema" && dialect.IsSchema(d.Kind()):
			f.Schema = d.Raw()
		case member == "strict" && d.Kind() == wire.Bool:
			f.Strict = d.boolean(u)
		default:
			u.Add(d.Member())
		}
	}
	return form
}

// effortOf reads the several ways to ask for thinking. The first that is there
// says it; the others are kept as they stand.
func (d *request) effortOf() {
	for _, w := range []struct {
		member []byte
		read   func(s *decoder) *scri.Reasoning
	}{{d.effort, readEffort}, {d.reasoned, readReasoning}, {d.thinking, readThinking}} {
		if w.member == nil {
			continue
		}
		if d.r.Reasoning == nil {
			if d.sub == nil {
				d.sub = new(decoder)
			}
			sub := d.sub
			sub.forms = d.forms
			sub.Reset(value(w.member))
			d.r.Reasoning = w.read(sub)
			d.forms = sub.forms
			if d.r.Reasoning != nil && sub.Err() == nil {
				continue
			}
			d.r.Reasoning = nil
		}
		d.u.Add(w.member)
	}
}

func readEffort(s *decoder) *scri.Reasoning {
	return nonEmpty(&scri.Reasoning{Effort: s.Unquoted(), Ext: s.form("reasoning_effort")})
}

func nonEmpty(r *scri.Reasoning) *scri.Reasoning {
	if r.Effort == "" && r.Budget == nil {
		return nil
	}
	return r
}

// readReasoning reads OpenRouter's {"effort","max_tokens","exclude","enabled"}.
func readReasoning(s *decoder) *scri.Reasoning {
	r := new(scri.Reasoning)
	var u dialect.Unknown
	for member := range s.Members() {
		switch {
		case member == "effort" && s.Kind() == wire.String:
			r.Effort = s.Unquoted()
		case member == "max_tokens" && s.Kind() == wire.Number:
			n := s.Int()
			r.Budget = &n
		default:
			u.Add(s.Member())
		}
	}
	r.Ext = s.ext(&u, "reasoning")
	return nonEmpty(r)
}

// readThinking reads the {"type":"enabled","budget_tokens":n} of DeepSeek, Z.ai
// and others.
func readThinking(s *decoder) *scri.Reasoning {
	r := new(scri.Reasoning)
	var u dialect.Unknown
	for member := range s.Members() {
		switch {
		case member == "type":
			switch s.Unquoted() {
			case "enabled":
				r.Effort = "on"
			case "disabled":
				r.Effort = "none"
			default:
				return nil
			}
		case member == "budget_tokens" && s.Kind() == wire.Number:
			n := s.Int()
			r.Budget = &n
		default:
			u.Add(s.Member())
		}
	}
	if r.Effort == "" {
		return nil
	}
	r.Ext = s.ext(&u, "thinking")
	return r
}
