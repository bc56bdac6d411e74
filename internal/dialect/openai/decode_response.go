package openai

import (
	"bytes"
	"hash/fnv"
	"strconv"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// DecodeResponse reads a chat completion. An error in the body of a 200 is
// returned as one.
func (c chat) DecodeResponse(a *dialect.Answer) (*scri.ChatResponse, error) {
	d := response{a: new(answered)}
	d.lenient, d.whole = true, a.Body
	d.content = d.a.parts[:0]
	d.Reset(a.Body)
	d.read()
	err := d.End()
	if (err != nil || d.suspect || !d.choices) && failed(a.Body) {
		e := c.DecodeError(a)
		e.Status = 0
		e.Kind = dialect.OpenAIErrorIn(a.Body, name).Kind
		return nil, e
	}
	if err != nil {
		return nil, unreadable(a, err)
	}
	r := &d.a.r
	if len(r.Choices) == 0 {
		return nil, unreadable(a, errNoChoices)
	}
	if a.Target != nil && a.Target.Variant == variantFunctions {
		modernAnswer(r)
	}
	return r, nil
}

// failed reports whether a body tells of an error instead of an answer.
func failed(body []byte) bool {
	var s wire.Scanner
	s.Reset(body)
	return dialect.OpenAIFailed(&s)
}

// unreadable is the error about a body that is no answer.
func unreadable(a *dialect.Answer, err error) *scri.Error {
	e := dialect.Unreadable(err)
	e.Raw, e.Dialect = a.Body, name
	return e
}

// response reads an answer into a. It is apart, so that nothing of the reading stays
// where the answer does.
type response struct {
	decoder
	a       *answered
	u       dialect.Unknown
	choices bool // the member was there
	suspect bool // as was one that tells of an error
}

// answered is an answer and room for what nearly each has once.
type answered struct {
	r      scri.ChatResponse
	use    usage
	ext    scri.Ext
	choice [1]scri.Choice
	output [1]scri.Message
	parts  [1]scri.Part
}

// idSeed makes ids of one answer differ from those of another.
func idSeed(id []byte) string {
	h := fnv.New32a()
	_, _ = h.Write(id) // never fails
	return strconv.FormatUint(uint64(h.Sum32()), 36) + "_"
}

// seedIn is the seed of ids that are made for an answer.
func seedIn(whole []byte) string {
	var s wire.Scanner
	s.Reset(whole)
	return idSeed(s.Peek("id"))
}

func (d *response) read() {
	r := &d.a.r
	id, object, model, created := false, false, false, false
	for member := range d.Members() {
		switch {
		case member == "id" && d.Kind() == wire.String:
			r.ID, id = d.Unquoted(), true
		case member == "object" && dialect.Word(d.next()) == "chat.completion":
			object = true
			d.Skip()
		case member == "model" && d.Kind() == wire.String:
			r.Model, model = d.Unquoted(), true
		case member == "created" && d.Kind() == wire.Number:
			created = d.created()
		case member == "choices":
			d.choices = true
			d.answers()
		case member == "usage" && d.Kind() == wire.Object:
			raw := d.Raw()
			var s wire.Scanner
			readUsage(&s, &d.a.use, raw)
			r.Usage = &d.a.use.Usage
		default:
			d.suspect = d.suspect || member == "error"
			d.u.Add(d.Member())
		}
	}
	for _, w := range []struct {
		there bool
		word  string
	}{{id, "noid"}, {object, "noobject"}, {model, "nomodel"}, {created, "nocreated"}} {
		if !w.there {
			d.u.Form(w.word)
		}
	}
	d.a.ext = scri.Ext{Dialect: name, Members: d.u.Object(), Form: d.u.Spelled()}
	r.Ext = &d.a.ext
}

func (d *response) answers() {
	if d.Kind() != wire.Array {
		d.u.Add(d.Member())
		return
	}
	d.a.r.Choices = d.a.choice[:0]
	for range d.Elements() {
		d.choice()
	}
}

// next is the next value if it is a string, without consuming it.
func (d *decoder) next() []byte {
	if d.Kind() != wire.String {
		return nil
	}
	m := d.Mark()
	q := d.Str()
	d.Rewind(m)
	return q
}

// created reads a time in whole seconds; 0 is as good as none. What is no such
// time is kept aside, as if none were told.
func (d *response) created() bool {
	m := d.Mark()
	n, ok := d.integer(&d.u)
	if !ok || n == 0 {
		return ok
	}
	if d.a.r.Created, ok = dialect.Moment(n); !ok {
		d.Rewind(m)
		d.u.Add(d.Member())
	}
	return ok
}

func (d *response) choice() {
	i := len(d.a.r.Choices)
	var c scri.Choice
	var u dialect.Unknown
	if d.Kind() != wire.Object {
		d.Fail("a choice must be an object")
		return
	}
	index, message, ended, raw := false, false, false, ""
	for member := range d.Members() {
		switch {
		case member == "index" && string(d.peekNumber()) == strconv.Itoa(i):
			index = true
			d.Skip()
		case member == "message" && d.Kind() == wire.Object:
			var m scri.Message
			d.message(&m)
			message = true
			if c.Output = d.a.output[:]; i > 0 {
				c.Output = make([]scri.Message, 1)
			}
			c.Output[0] = m
		case member == "finish_reason" && d.Kind() == wire.String:
			raw, ended = d.Unquoted(), true
		case member == "logprobs":
			d.logProbs(&c.LogProbs, &u)
		default:
			u.Add(d.Member())
		}
	}
	if !index {
		u.Form("noindex")
	}
	if !message {
		u.Form("nomessage")
	}
	switch {
	case !ended:
		u.Form("nofinish")
	case raw == "":
		u.Form("finish=")
	}
	c.Finish = finish(raw, calls(c.Output))
	if raw == "" {
		c.Finish = scri.Finish{}
	}
	c.Ext = u.Ext(name)
	d.a.r.Choices = append(d.a.r.Choices, c)
}

// peekNumber is the next value if it is a number, without consuming it.
func (d *decoder) peekNumber() []byte {
	if d.Kind() != wire.Number {
		return nil
	}
	m := d.Mark()
	n := d.Number()
	d.Rewind(m)
	return bytes.TrimSpace(n)
}

func calls(output []scri.Message) bool {
	for i := range output {
		for j := range output[i].Parts {
			if output[i].Parts[j].Kind == scri.PartToolCall {
				return true
			}
		}
	}
	return false
}
