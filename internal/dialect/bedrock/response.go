package bedrock

import (
	"errors"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// DecodeResponse reads a whole answer.
func (bedrock) DecodeResponse(a *dialect.Answer) (*scri.ChatResponse, error) {
	d := newDecoder(a.Body)
	r, spoken := d.response()
	if err := d.End(); err != nil {
		return nil, dialect.Unreadable(err)
	}
	if !spoken {
		if s := wire.NewScanner(a.Body); s.Peek("message") != nil || s.Peek("__type") != nil {
			return nil, decodeError(a, "", a.Body)
		}
		return nil, dialect.Unreadable(errors.New("it has no message"))
	}
	if a.Target != nil {
		r.Model = a.Target.Model // the wire does not say
	}
	return r, nil
}

// response reads an answer, and tells whether it has a message.
func (d *decoder) response() (r *scri.ChatResponse, spoken bool) {
	r = new(scri.ChatResponse)
	c := scri.Choice{Output: []scri.Message{{Role: scri.RoleAssistant}}}
	var u, out dialect.Unknown
	stop := ""
	for name := range d.Members() {
		switch {
		case name == "output" && d.Kind() == wire.Object:
			for name := range d.Members() {
				if name == "message" && d.Kind() == wire.Object && !spoken {
					d.answer(&c.Output[0])
					spoken = true
				} else {
					out.Add(d.Member())
				}
			}
		case name == "stopReason":
			d.Take(&u, &stop)
		case name == "usage" && d.Kind() == wire.Object:
			r.Usage = decodeUsage(d.Raw())
		default:
			u.Add(d.Member())
		}
	}
	if obj := out.Object(); obj != nil {
		u.Add(append([]byte(`"output":`), obj...))
	}
	c.Finish = finishOf(stop)
	r.Choices = []scri.Choice{c}
	if r.Ext = u.Ext(Name); r.Ext == nil {
		r.Ext = &scri.Ext{Dialect: Name} // says whose words these are
	}
	return r, spoken
}

// answer reads the message of an answer.
func (d *decoder) answer(m *scri.Message) {
	var u dialect.Unknown
	role, content := false, false
	for name := range d.Members() {
		switch {
		case name == "role" && d.Some():
			m.Role, role = scri.Role(d.Unquoted()), true
		case name == "content" && d.Kind() == wire.Array:
			m.Parts, content = d.blocks(), true
		default:
			u.Add(d.Member())
		}
	}
	if !role {
		u.Form("-role")
	}
	if !content {
		u.Form("-content")
	}
	m.Ext = u.Ext(Name)
}

// EncodeResponse appends a whole answer.
func (bedrock) EncodeResponse(b []byte, _ *dialect.Incoming, r *scri.ChatResponse) ([]byte, []scri.Warning) {
	e := &encoder{answer: true}
	e.Own = Name
	e.w.B = dialect.GrowForAnswer(b, r)
	own := r.Ext.Of(Name) != nil
	e.w.BeginObject()
	e.w.Key("output")
	e.w.BeginObject()
	called := e.message(r)
	if raw := dialect.Member(r.Ext, Name, "output"); len(raw) > 0 && raw[0] == '{' {
		e.w.Members(raw)
	}
	e.w.EndObject()
	c := &scri.Choice{}
	if len(r.Choices) > 0 {
		c = &r.Choices[0]
	} else {
		e.Tell(scri.WarnAdded, "choices/0", "", "", "every answer is one choice")
	}
	stop := !own || c.Finish.Reason != ""
	if stop {
		in := e.In("choices/0")
		e.w.Key("stopReason")
		e.w.Str(e.stopReason(&c.Finish, called))
		e.Out(in)
	}
	if r.Usage != nil {
		e.w.Key("usage")
		e.usage(r.Usage)
	}
	e.others(r.Ext, stop, r.Usage != nil)
	e.w.EndObject()
	return e.w.B, e.Warn
}

// others writes the members of an answer that only this dialect knows.
func (e *encoder) others(x *scri.Ext, stop, usage bool) {
	own := x.Of(Name)
	if own == nil {
		e.Foreign(x)
		return
	}
	s := wire.NewScanner(own.Members)
	for name := range s.Members() {
		m := s.Member()
		if name == "output" && len(m) > 0 && m[len(m)-1] == '}' || name == "stopReason" && stop || name == "usage" && usage {
			continue
		}
		e.w.Raw(m)
	}
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
	if len(c.LogProbs) > 0 {
		e.Drop("logprobs", "there is no such field here")
	}
	e.Homeless(c.Ext)
	e.In("output")
	first := &scri.Message{Role: scri.RoleAssistant}
	if len(c.Output) > 0 && r.Ext.Of(Name) != nil {
		first = &c.Output[0]
	}
	e.w.Key("message")
	e.w.BeginObject()
	if !formed(first.Ext, "-role") {
		e.str("role", string(first.Role))
	}
	before := len(e.w.B)
	e.w.Key("content")
	e.w.BeginArray()
	some := !formed(first.Ext, "-content")
	for j := range c.Output {
		m := &c.Output[j]
		at := e.At(j)
		e.said(m, j == 0 && first == m)
		content := e.In("content")
		for k := range m.Parts {
			at := e.At(k)
			if e.part(&m.Parts[k]) {
				some = true
				called = called || m.Parts[k].Call != nil && m.Parts[k].Call.Server == ""
			}
			e.Out(at)
		}
		e.Out(content)
		e.Out(at)
	}
	if !some {
		e.w.B = e.w.B[:before]
	} else {
		e.w.EndArray()
	}
	if first.Ext.Of(Name) != nil {
		at := e.At(0)
		e.Ext(&e.w, first.Ext, func(name string) bool {
			return name == "role" && !formed(first.Ext, "-role") || name == "content" && some
		})
		e.Out(at)
	}
	e.w.EndObject()
	return called
}

// said reports what of an answer's message has no place; own: it is this API's.
func (e *encoder) said(m *scri.Message, own bool) {
	if m.ID != "" {
		e.Drop("id", "messages have no ids here")
	}
	if m.Name != "" {
		e.Drop("name", "speakers have no names here")
	}
	if own {
		return
	}
	if m.Role != scri.RoleAssistant && m.Role != "" {
		e.Tell(scri.WarnChanged, "role", string(m.Role), string(scri.RoleAssistant), "")
	}
	e.Homeless(m.Ext)
}
