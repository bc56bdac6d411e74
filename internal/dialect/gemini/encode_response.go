package gemini

import (
	"time"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/scri"
)

// EncodeResponse appends a whole answer.
func (gemini) EncodeResponse(b []byte, _ *dialect.Incoming, r *scri.ChatResponse) ([]byte, []scri.Warning) {
	e := &encoder{Trail: dialect.Trail{Own: Name}, answer: true}
	e.w.B = append(dialect.GrowForAnswer(b, r), '{')
	var said []string
	if isBlocked(r) {
		e.feedback(&r.Choices[0], r.Ext)
		said = append(said, "promptFeedback")
	} else if len(r.Choices) > 0 {
		said = append(said, "candidates")
		e.w.Key("candidates")
		e.w.BeginArray()
		in := e.In("choices")
		for i := range r.Choices {
			at := e.At(i)
			e.choice(i, &r.Choices[i])
			e.Out(at)
		}
		e.Out(in)
		e.w.EndArray()
	}
	if r.Usage != nil {
		e.w.Key("usageMetadata")
		e.usage(r.Usage)
		said = append(said, "usageMetadata")
	}
	e.head(r)
	e.ext(r.Ext, append(said, headed(r)...)...)
	e.w.EndObject()
	return e.w.B, e.Warn
}

// head writes who answered, and when.
func (e *encoder) head(r *scri.ChatResponse) {
	e.str("modelVersion", r.Model)
	e.str("responseId", r.ID)
	if r.Created.IsZero() {
		return
	}
	text := r.Created.UTC().Format(time.RFC3339Nano)
	if word, ok := spelled(r.Ext, "createTime"); ok {
		if t, err := time.Parse(time.RFC3339Nano, word); err == nil && t.Equal(r.Created) {
			text = word
		}
	}
	e.str("createTime", text)
}

// headed lists the members that head writes; what of them has no field stays in Ext.
func headed(r *scri.ChatResponse) (names []string) {
	if r.Model != "" {
		names = append(names, "modelVersion")
	}
	if r.ID != "" {
		names = append(names, "responseId")
	}
	if !r.Created.IsZero() {
		names = append(names, "createTime")
	}
	return names
}

// isBlocked reports whether the answer is a prompt that was not taken, told in this
// dialect.
func isBlocked(r *scri.ChatResponse) bool {
	if !formed(r.Ext, "blocked") || len(r.Choices) != 1 {
		return false
	}
	c := &r.Choices[0]
	return len(c.Output) == 0 && c.Ext == nil && c.Finish.Reason == scri.FinishContentFilter && c.Finish.Dialect == Name && c.Finish.Raw != ""
}

// feedback writes why a prompt was not taken.
func (e *encoder) feedback(c *scri.Choice, x *scri.Ext) {
	e.w.Key("promptFeedback")
	e.w.BeginObject()
	e.w.Key("blockReason")
	if isNumber(c.Finish.Raw) {
		e.w.Raw([]byte(c.Finish.Raw))
	} else {
		e.w.Str(c.Finish.Raw)
	}
	said := append(make([]string, 0, 2), "blockReason")
	if c.Finish.Detail != "" {
		e.str("blockReasonMessage", c.Finish.Detail)
		said = append(said, "blockReasonMessage")
	}
	if own := nested(x, "promptFeedback"); own != nil {
		e.ext(own, said...)
	}
	e.w.EndObject()
}

// choice writes the choice that is the node.
func (e *encoder) choice(i int, c *scri.Choice) {
	e.w.BeginObject()
	said := make([]string, 0, 8)
	called := false
	if e.claims = nil; member(c.Ext, "groundingMetadata") == nil {
		e.claims = new(claims)
	}
	if len(c.Output) > 0 || !formed(c.Ext, "-content") {
		e.w.Key("content")
		called = e.content(c)
		said = append(said, "content")
	}
	said = e.finish(said, &c.Finish, called)
	if e.index(i, c.Ext) {
		said = append(said, "index")
	}
	if len(c.LogProbs) > 0 {
		e.logProbs(c.LogProbs, 0, c.Ext)
		said = append(said, "logprobsResult")
	}
	if e.claims != nil {
		e.claims.write(&e.w)
	}
	e.ext(c.Ext, said...)
	e.w.EndObject()
}

// index writes the number of a choice, where Google would, and reports whether it did.
func (e *encoder) index(i int, x *scri.Ext) bool {
	if formed(x, "-index") {
		return false
	}
	e.w.Key("index")
	if word, ok := spelled(x, "index"); ok && isNumber(word) {
		e.w.Raw([]byte(word))
		return true
	}
	e.w.Int(int64(i))
	return true
}

// content writes what a choice says, and reports whether it calls a function.
func (e *encoder) content(c *scri.Choice) (called bool) {
	e.w.BeginObject()
	if len(c.Output) == 0 && formed(c.Ext, "empty") {
		if formed(c.Ext, "parts") {
			e.w.Key("parts")
			e.w.Raw([]byte("[]"))
		}
		if word, ok := spelled(c.Ext, "role"); ok {
			e.str("role", word)
		}
		e.w.EndObject()
		return false
	}
	var first *scri.Message
	if len(c.Output) > 0 {
		first = &c.Output[0]
	} else {
		first = &scri.Message{Role: scri.RoleAssistant}
	}
	before, some := len(e.w.B), false
	e.w.Key("parts")
	e.w.BeginArray()
	in := e.In("output")
	for j := range c.Output {
		at := e.At(j)
		s, called1 := e.outputParts(&c.Output[j])
		some, called = some || s, called || called1
		e.turnLoss(&c.Output[j], j)
		e.Out(at)
	}
	e.w.EndArray()
	said := append(make([]string, 0, 2), "parts")
	if !some && formed(first.Ext, "-parts") {
		e.w.B = e.w.B[:before]
		said = said[:0]
	}
	at := e.At(0)
	if e.outputRole(first) {
		said = append(said, "role")
	}
	e.ext(first.Ext, said...)
	e.Out(at)
	e.Out(in)
	e.w.EndObject()
	return called
}

// outputRole writes who speaks in an answer, unless nobody said.
func (e *encoder) outputRole(m *scri.Message) bool {
	role := roleModel
	switch {
	case formed(m.Ext, "-role"):
		return false
	case formed(m.Ext, "role"):
		role = ""
	case formed(m.Ext, "raw"):
		role = string(m.Role)
	case m.Role != scri.RoleAssistant:
		e.Tell(scri.WarnChanged, "role", string(m.Role), string(scri.RoleAssistant), "")
	}
	e.w.Key("role")
	e.w.Str(role)
	return true
}

// turnLoss reports what of a message of an answer has no place.
func (e *encoder) turnLoss(m *scri.Message, j int) {
	if m.ID != "" {
		e.Drop("id", "only the answer has an id here")
	}
	if m.Name != "" {
		e.Drop("name", "speakers have no names here")
	}
	if j == 0 {
		return
	}
	if m.Role != scri.RoleAssistant && m.Role != "" {
		e.Tell(scri.WarnChanged, "role", string(m.Role), string(scri.RoleAssistant), "an answer is one content here")
	}
	e.Homeless(m.Ext)
}

func (e *encoder) outputParts(m *scri.Message) (some, called bool) {
	in := e.In("content")
	for i := range m.Parts {
		p := &m.Parts[i]
		at := e.At(i)
		if e.part(p) {
			some = true
			if e.claims != nil {
				e.claims.part++
			}
			called = called || p.Kind == scri.PartToolCall
		}
		e.Out(at)
	}
	e.Out(in)
	return some, called
}
