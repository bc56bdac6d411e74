package anthropic

import (
	"errors"
	"strings"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// DecodeResponse reads a whole answer.
func (anthropic) DecodeResponse(a *dialect.Answer) (*scri.ChatResponse, error) {
	d := newDecoder(a.Body)
	r, typ, content := d.response()
	if err := d.End(); err != nil {
		return nil, dialect.Unreadable(err)
	}
	if typ == "error" || !content && wire.NewScanner(a.Body).Peek("error") != nil {
		return nil, decodeError(a, a.Body)
	}
	if !content && typ != "message" {
		return nil, dialect.Unreadable(errors.New("it is no message"))
	}
	return r, nil
}

// response reads a message, its type, and whether it has content.
func (d *decoder) response() (r *scri.ChatResponse, typ string, content bool) {
	r = new(scri.ChatResponse)
	m := scri.Message{Role: scri.RoleAssistant}
	var u dialect.Unknown
	var stop, sequence string
	said := map[string]bool{}
	for name := range d.Members() {
		said[name] = true
		switch name {
		case "type":
			if typ = dialect.Word(d.PeekString()); typ == "message" {
				d.Skip()
			} else {
				u.Add(d.Member())
			}
		case "id":
			d.Take(&u, &r.ID)
		case "model":
			d.Take(&u, &r.Model)
		case "role":
			var role string
			if d.Take(&u, &role); role != "" {
				m.Role = scri.Role(role)
			}
		case "content":
			if k := d.Kind(); k == wire.Array || k == wire.String {
				m.Parts, content = d.content(), true
			} else {
				u.Add(d.Member())
			}
		case "stop_reason":
			d.nullable(&u, &stop)
		case "stop_sequence":
			d.nullable(&u, &sequence)
		case "usage":
			if r.Usage = decodeUsage(peekRaw(d)); r.Usage == nil {
				u.Add(d.Member())
			}
		default:
			u.Add(d.Member())
		}
	}
	for _, name := range []string{"type", "role", "content", "stop_reason", "stop_sequence", "usage"} {
		if !said[name] {
			u.Form("-" + name)
		}
	}
	r.Choices = []scri.Choice{{Output: []scri.Message{m}, Finish: finishOf(stop, sequence)}}
	r.Ext = &scri.Ext{Dialect: Name}
	if e := u.Ext(Name); e != nil {
		r.Ext = e
	}
	return r, typ, content
}

// nullable takes a string that is written as null when there is none.
func (d *decoder) nullable(u *dialect.Unknown, into *string) {
	if !d.Null() {
		d.Take(u, into)
	}
}

// peekRaw returns the next value if it is an object, without consuming it if it
// is not.
func peekRaw(d *decoder) []byte {
	if d.Kind() != wire.Object {
		return nil
	}
	return d.Raw()
}

// EncodeResponse appends a whole answer.
func (anthropic) EncodeResponse(b []byte, _ *dialect.Incoming, r *scri.ChatResponse) ([]byte, []scri.Warning) {
	e := &encoder{answer: true}
	e.w.B = dialect.GrowForAnswer(b, r)
	absent := func(name string) bool { return hasForm(r.Ext, "-"+name) || hasMember(r.Ext, name) }
	e.w.BeginObject()
	e.envelope(r)
	if !absent("type") {
		e.str("type", "message")
	}
	if !absent("role") {
		e.str("role", string(roleOf(r)))
	}
	before := len(e.w.B)
	e.w.Key("content")
	e.w.BeginArray()
	empty := len(e.w.B)
	called := e.output(r)
	if len(e.w.B) == empty && absent("content") {
		e.w.B = e.w.B[:before]
	} else {
		e.w.EndArray()
	}
	finish := scri.Finish{}
	if len(r.Choices) > 0 {
		finish = r.Choices[0].Finish
	} else {
		e.lose(scri.WarnAdded, "choices/0", "", "", "every answer is one choice")
	}
	in := e.in("choices/0")
	e.finish(&finish, called, absent)
	e.out(in)
	if r.Usage != nil || !absent("usage") {
		e.w.Key("usage")
		e.usage(r.Usage)
	}
	e.ext(r.Ext)
	e.w.EndObject()
	return e.w.B, e.warn
}

func hasMember(x *scri.Ext, name string) bool {
	own := x.Of(Name)
	return own != nil && len(own.Members) > 0 && wire.NewScanner(own.Members).Peek(name) != nil
}

func roleOf(r *scri.ChatResponse) scri.Role {
	if r.Ext.Of(Name) != nil && len(r.Choices) > 0 && len(r.Choices[0].Output) > 0 {
		if role := r.Choices[0].Output[0].Role; role != "" {
			return role
		}
	}
	return scri.RoleAssistant
}

// envelope writes who answered. The time of it has no place.
func (e *encoder) envelope(r *scri.ChatResponse) {
	id := r.ID
	if r.Ext.Of(Name) == nil {
		id = messageID(r)
	}
	e.str("id", id)
	e.str("model", r.Model)
}

// messageID makes of another dialect's id one as clients of this one know them.
func messageID(r *scri.ChatResponse) string {
	const prefix = "msg_"
	if strings.HasPrefix(r.ID, prefix) {
		return r.ID
	}
	from := r.ID
	if from == "" && r.Lineage != nil {
		from = r.Lineage.ID
	}
	id := []byte(prefix)
	for i := range len(from) {
		if c := from[i]; c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c == '_' || c == '-' {
			id = append(id, c)
		}
	}
	if len(id) == len(prefix) {
		id = append(id, '0')
	}
	return string(id)
}

// output writes the content of the first choice, reports what of the others
// and beside it has no place, and tells whether it calls a tool.
func (e *encoder) output(r *scri.ChatResponse) (called bool) {
	choices := e.in("choices")
	for i := range r.Choices {
		at := e.at(i)
		if i > 0 {
			e.drop("", "there is only one answer here")
			e.out(at)
			continue
		}
		c := &r.Choices[i]
		if len(c.LogProbs) > 0 {
			e.drop("logprobs", "there is no such field here")
		}
		e.homeless(c.Ext)
		out := e.in("output")
		for j := range c.Output {
			m := e.at(j)
			called = e.outputMessage(&c.Output[j], r.Ext.Of(Name) != nil) || called
			e.out(m)
		}
		e.out(out)
		e.out(at)
	}
	e.out(choices)
	return called
}

func (e *encoder) outputMessage(m *scri.Message, own bool) (called bool) {
	e.turn(m, own)
	in := e.in("content")
	for i := range m.Parts {
		p := &m.Parts[i]
		if p.Kind == scri.PartText && p.Text.IsZero() && len(p.Citations) == 0 && p.Signature == nil && p.Ext == nil {
			continue // says nothing
		}
		at := e.at(i)
		if e.part(p) && p.Call != nil && p.Call.Server == "" {
			called = true
		}
		e.out(at)
	}
	e.out(in)
	return called
}

// turn reports what of an answer's message has no place.
func (e *encoder) turn(m *scri.Message, own bool) {
	if m.ID != "" {
		e.drop("id", "only the answer has an id here")
	}
	if m.Name != "" {
		e.drop("name", "speakers have no names here")
	}
	if m.Role != scri.RoleAssistant && m.Role != "" && !own {
		e.lose(scri.WarnChanged, "role", string(m.Role), string(scri.RoleAssistant), "")
	}
	e.homeless(m.Ext)
}
