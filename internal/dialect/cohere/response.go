package cohere

import (
	"errors"
	"slices"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// DecodeResponse reads a whole answer.
func (cohere) DecodeResponse(a *dialect.Answer) (*scri.ChatResponse, error) {
	d := newDecoder(a.Body)
	d.answer = true
	r, spoken := d.response()
	if a.Target != nil {
		r.Model = a.Target.Model // the wire does not say
	}
	if err := d.End(); err != nil {
		return nil, dialect.Unreadable(err)
	}
	if !spoken {
		if dialect.Word(wire.NewScanner(a.Body).Peek("message")) != "" || wire.NewScanner(a.Body).Peek("error") != nil {
			return nil, decodeError(a, a.Body)
		}
		return nil, dialect.Unreadable(errors.New("it has no message"))
	}
	return r, nil
}

// response reads an answer, and tells whether it has a message.
func (d *decoder) response() (r *scri.ChatResponse, spoken bool) {
	r = new(scri.ChatResponse)
	c := scri.Choice{Output: make([]scri.Message, 1)}
	var u dialect.Unknown
	finish := ""
	for name := range d.Members() {
		switch {
		case name == "id":
			d.Take(&u, &r.ID)
		case name == "message" && d.Kind() == wire.Object:
			d.message(&c.Output[0])
			spoken = true
		case name == "finish_reason":
			d.Take(&u, &finish)
		case name == "usage" && d.Kind() == wire.Object:
			r.Usage = decodeUsage(d.Raw())
		case name == "logprobs" && d.logProbs(&c.LogProbs):
		default:
			u.Add(d.Member())
		}
	}
	c.Finish = finishOf(finish)
	r.Choices = []scri.Choice{c}
	if r.Ext = d.ext(&u); r.Ext == nil {
		r.Ext = &scri.Ext{Dialect: Name} // says whose words these are
	}
	return r, spoken
}

// EncodeResponse appends a whole answer.
func (cohere) EncodeResponse(b []byte, _ *dialect.Incoming, r *scri.ChatResponse) ([]byte, []scri.Warning) {
	e := &encoder{answer: true}
	e.Own = Name
	e.w.B = dialect.GrowForAnswer(b, r)
	e.w.BeginObject()
	own := r.Ext.Of(Name) != nil
	done := written{}
	if id := answerID(r); id != "" {
		e.str("id", id)
		done = append(done, "id")
	}
	called := e.message(r)
	c := &scri.Choice{}
	if len(r.Choices) > 0 {
		c = &r.Choices[0]
	} else {
		e.Tell(scri.WarnAdded, "choices/0", "", "", "every answer is one choice")
	}
	in := e.In("choices/0")
	if !own || c.Finish.Reason != "" {
		e.str("finish_reason", e.finishWord(&c.Finish, called))
		done = append(done, "finish_reason")
	}
	if len(c.LogProbs) > 0 {
		e.w.Key("logprobs")
		e.tokens(c.LogProbs)
		done = append(done, "logprobs")
	}
	e.Out(in)
	if r.Usage != nil {
		e.w.Key("usage")
		e.usage(r.Usage)
		done = append(done, "usage")
	}
	e.Ext(&e.w, r.Ext, func(name string) bool { return name == "message" || done.has(name) })
	e.w.EndObject()
	return e.w.B, e.Warn
}

// answerID is what an answer is called: another dialect's may have no name.
func answerID(r *scri.ChatResponse) string {
	if r.ID == "" && r.Ext.Of(Name) == nil && r.Lineage != nil {
		return r.Lineage.ID
	}
	return r.ID
}

func (e *encoder) tokens(list []scri.TokenLogProb) {
	e.w.BeginArray()
	in := e.In("logprobs")
	whole := true
	for i := range list {
		at := e.At(i)
		whole = e.logProb(&list[i]) && whole
		e.Out(at)
	}
	if !whole {
		e.Drop("", onlyTokens)
	}
	e.Out(in)
	e.w.EndArray()
}

// message writes the message of an answer: all that its first choice says.
func (e *encoder) message(r *scri.ChatResponse) (called bool) {
	in := e.In("choices")
	defer e.Out(in)
	for i := 1; i < len(r.Choices); i++ {
		at := e.At(i)
		e.Drop("", "there is only one answer here")
		e.Out(at)
	}
	var c scri.Choice
	if len(r.Choices) > 0 {
		c = r.Choices[0]
	}
	e.At(0)
	e.Homeless(c.Ext)
	e.In("output")
	e.lengths = append(e.lengths[:0], 0)[:0]
	var m scri.Message
	for j := range c.Output {
		at := e.At(j)
		e.said(&c.Output[j], j == 0 && r.Ext.Of(Name) != nil)
		if x := c.Output[j].Ext.Of(Name); x != nil {
			if m.Ext == nil {
				m.Ext = x
			} else {
				e.Homeless(x)
			}
		}
		e.Out(at)
		e.lengths = append(e.lengths, len(c.Output[j].Parts))
		if m.Parts == nil {
			m.Parts = c.Output[j].Parts
		} else if len(c.Output[j].Parts) > 0 {
			m.Parts = append(slices.Clip(m.Parts), c.Output[j].Parts...)
		}
		if j == 0 && r.Ext.Of(Name) != nil {
			m.Role = c.Output[j].Role
		}
	}
	if m.Role == "" {
		m.Role = scri.RoleAssistant
	}
	role := m.Role
	m.Role = scri.RoleAssistant
	n := e.sort(m.Parts, m.Role)
	e.w.Key("message")
	e.w.BeginObject()
	named := !formed(m.Ext, "-role")
	if named {
		e.str("role", string(role))
	}
	done := e.speech(&m, m.Parts, n)
	if named {
		done = append(done, "role")
	}
	if n[planPlace]+n[contentPlace]+n[callPlace] == 0 && m.Ext == nil {
		e.w.Key("content")
		e.w.Raw([]byte("[]"))
	}
	e.Ext(&e.w, m.Ext, done.has)
	e.w.EndObject()
	return n[callPlace] > 0
}

// said reports what of an answer's message has no place. own: its role is written as
// it stands.
func (e *encoder) said(m *scri.Message, own bool) {
	if m.ID != "" {
		e.Drop("id", "only the answer has an id here")
	}
	if m.Name != "" {
		e.Drop("name", "speakers have no names here")
	}
	if m.Role != scri.RoleAssistant && m.Role != "" && !own {
		e.Tell(scri.WarnChanged, "role", string(m.Role), string(scri.RoleAssistant), "")
	}
	e.Foreign(m.Ext)
}
