package responses

import (
	"strings"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// EncodeResponse appends a whole answer.
func (responses) EncodeResponse(b []byte, in *dialect.Incoming, r *scri.ChatResponse) ([]byte, []scri.Warning) {
	e := &answerEncoder{own: r.Ext.Of(Name) != nil}
	e.answer, e.odd = true, has(r.Ext, formWord)
	e.w.B = dialect.GrowForAnswer(b, r)
	e.seed = seedOf(responseID(r))
	f := scri.Finish{}
	if len(r.Choices) > 0 {
		f = r.Choices[0].Finish
		e.probs = r.Choices[0].LogProbs
	} else {
		e.lose(scri.WarnAdded, "choices/0", "", "", "every answer is one choice")
	}
	at := e.in("choices/0")
	word := ""
	if !e.own || f != (scri.Finish{}) {
		word = e.finishWord(&f, calls(r))
	}
	e.out(at)
	e.status = e.itemStatus(word)
	absent := func(name string) bool { return e.own && (has(r.Ext, "-"+name) || member(r.Ext, name) != nil) }
	e.w.BeginObject()
	e.head(r, word, absent)
	e.w.Key("output")
	e.w.BeginArray()
	e.output(r)
	e.w.EndArray()
	if r.Usage != nil || !absent("usage") {
		e.usage(r.Usage)
	}
	e.echo(r, in)
	e.w.EndObject()
	return e.w.B, e.warn
}

type answerEncoder struct {
	encoder
	own   bool     // the answer is of this dialect
	wrote []string // members that its head has written, of those that an Ext may have
}

const idPrefix = "resp_"

// responseID is the id of an answer as clients of this dialect know them.
func responseID(r *scri.ChatResponse) string {
	if r.Ext.Of(Name) != nil || strings.HasPrefix(r.ID, idPrefix) {
		return r.ID
	}
	from := r.ID
	if from == "" && r.Lineage != nil {
		from = r.Lineage.ID
	}
	id := []byte(idPrefix)
	for i := range len(from) {
		if c := from[i]; c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c == '_' || c == '-' {
			id = append(id, c)
		}
	}
	if len(id) == len(idPrefix) {
		id = append(id, '0')
	}
	return string(id)
}

// itemStatus is how far the last items of an answer have come that ended so.
func (e *encoder) itemStatus(word string) string {
	if status, _ := e.statusOf(word); status == statusIncomplete {
		return statusIncomplete
	}
	return statusCompleted
}

// calls reports whether the first choice calls a tool of the client.
func calls(r *scri.ChatResponse) bool {
	if len(r.Choices) == 0 {
		return false
	}
	for i := range r.Choices[0].Output {
		for j := range r.Choices[0].Output[i].Parts {
			if c := r.Choices[0].Output[i].Parts[j].Call; c != nil && c.Server == "" {
				return true
			}
		}
	}
	return false
}

// head writes who answers, when, and how it went.
func (e *answerEncoder) head(r *scri.ChatResponse, word string, absent func(string) bool) {
	e.wrote = e.wrote[:0]
	str := func(name, v string) {
		if v != "" {
			e.str(name, v)
			e.wrote = append(e.wrote, name)
		}
	}
	str("id", responseID(r))
	if !absent("object") {
		e.str("object", "response")
	}
	switch {
	case !r.Created.IsZero():
		e.w.Key("created_at")
		e.w.Int(r.Created.Unix())
		e.wrote = append(e.wrote, "created_at")
	case !absent("created_at"):
		e.w.Key("created_at")
		e.w.Int(0)
	}
	status, why := e.statusOf(word)
	str("status", status)
	str("model", r.Model)
	if !absent("error") {
		e.w.Key("error")
		e.w.Null()
	}
	switch {
	case why != "" && member(r.Ext, "incomplete_details") == nil:
		e.w.Key("incomplete_details")
		e.w.BeginObject()
		e.str("reason", why)
		e.w.EndObject()
	case !absent("incomplete_details"):
		e.w.Key("incomplete_details")
		e.w.Null()
	}
}

// output writes the items of the first choice and reports what of the others and
// beside it has no place.
func (e *answerEncoder) output(r *scri.ChatResponse) {
	choices := e.in("choices")
	for i := range r.Choices {
		at := e.at(i)
		if i > 0 {
			e.drop("", "there is only one answer here")
			e.out(at)
			continue
		}
		c := &r.Choices[i]
		e.homeless(c.Ext)
		out := e.in("output")
		for j := range c.Output {
			m := e.at(j)
			e.message(&c.Output[j])
			e.out(m)
		}
		e.out(out)
		if len(e.probs) > 0 {
			e.drop("logprobs", "there is no text that they could be of")
		}
		e.out(at)
	}
	e.out(choices)
}

// echo writes what the answer says beside itself: what its own server said, else
// what was asked, as every answer here repeats it.
func (e *answerEncoder) echo(r *scri.ChatResponse, in *dialect.Incoming) {
	if e.own {
		e.previous(r.Ext, previousID(in))
		e.ext(r.Ext, e.wrote...)
		return
	}
	e.foreign(r.Ext)
	var req *scri.ChatRequest
	if in != nil {
		req = in.Req
	}
	e.w.B = appendEcho(e.w.B, req)
}

// previousID is the answer that a request goes on from, or empty.
func previousID(in *dialect.Incoming) string {
	if in == nil || in.Req == nil {
		return ""
	}
	return in.Req.PreviousID
}

// previous writes the id that the client goes on from where the provider, which
// was given the whole conversation in its place, knows of none.
func (e *answerEncoder) previous(x *scri.Ext, id string) {
	const name = "previous_response_id"
	if id == "" || !isNull(member(x, name)) {
		return
	}
	e.str(name, id)
	e.wrote = append(e.wrote, name)
}

// appendEcho appends to an open object what answers repeat of the request.
func appendEcho(b []byte, r *scri.ChatRequest) []byte {
	if r == nil {
		r = &scri.ChatRequest{}
	}
	q := &requestEncoder{r: r, own: true}
	q.target = &dialect.Target{}
	q.w.B = b
	w := &q.w
	null := func(name string) {
		if !one(name, q.said) {
			q.key(name)
			w.Null()
		}
	}
	if len(r.Messages) > 0 && q.instructs(&r.Messages[0]) && has(r.Messages[0].Ext, "instructions") {
		q.key("instructions")
		dialect.WriteText(w, r.Messages[0].Parts[0].Text)
	}
	q.tools()
	q.sampled()
	q.reasoning()
	q.textOptions()
	if r.LogProbs != nil {
		q.key("top_logprobs")
		w.Int(int64(*r.LogProbs))
	}
	q.metadata()
	if r.PreviousID != "" {
		q.key("previous_response_id")
		w.Str(r.PreviousID)
	}
	q.echoes()
	for _, d := range [...]struct{ name, value string }{
		{"tools", "[]"},
		{"tool_choice", `"auto"`},
		{"parallel_tool_calls", "true"},
		{"metadata", "{}"},
		{"text", `{"format":{"type":"text"}}`},
		{"reasoning", `{"effort":null,"summary":null}`},
		{"truncation", `"disabled"`},
		{"store", "true"},
		{"background", "false"},
		{"top_logprobs", "0"},
	} {
		if !one(d.name, q.said) {
			q.key(d.name)
			w.Raw([]byte(d.value))
		}
	}
	for _, name := range [...]string{
		"instructions", "max_output_tokens", "temperature", "top_p", "previous_response_id", "max_tool_calls",
		"prompt_cache_key", "safety_identifier", "service_tier", "user",
	} {
		null(name)
	}
	return w.B
}

// echoes writes those members that only this dialect knows and its answers repeat.
func (e *requestEncoder) echoes() {
	own := e.r.Ext.Of(Name)
	if own == nil || len(own.Members) == 0 {
		return
	}
	s := wire.NewScanner(own.Members)
	for name := range s.Members() {
		if isEcho(name) && !one(name, e.said) && s.Kind() != wire.Null {
			e.say(strings.Clone(name))
			e.w.Raw(s.Member())
		}
	}
}
