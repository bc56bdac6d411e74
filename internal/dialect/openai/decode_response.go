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
	d := &response{}
	d.lenient = true
	d.Reset(a.Body)
	if dialect.OpenAIFailed(&d.Scanner) {
		e := c.DecodeError(a)
		e.Status = 0
		e.Kind = dialect.OpenAIErrorIn(a.Body, name).Kind
		return nil, e
	}
	d.read()
	if err := d.End(); err != nil {
		return nil, unreadable(a, err)
	}
	if len(d.r.Choices) == 0 {
		return nil, unreadable(a, errNoChoices)
	}
	if a.Target != nil && a.Target.Variant == variantFunctions {
		modernAnswer(&d.r)
	}
	return &d.r, nil
}

// unreadable is the error about a body that is no answer.
func unreadable(a *dialect.Answer, err error) *scri.Error {
	e := dialect.Unreadable(err)
	e.Raw, e.Dialect = a.Body, name
	return e
}

type response struct {
	decoder
	r   scri.ChatResponse
	u   dialect.Unknown
	use usage
}

// idSeed makes ids of one answer differ from those of another.
func idSeed(id []byte) string {
	h := fnv.New32a()
	_, _ = h.Write(id) // never fails
	return strconv.FormatUint(uint64(h.Sum32()), 36) + "_"
}

func (d *response) read() {
	d.seed = idSeed(d.Peek("id"))
	id, object, model, created := false, false, false, false
	for member := range d.Members() {
		switch {
		case member == "id" && d.Kind() == wire.String:
			d.r.ID, id = d.Unquoted(), true
		case member == "object" && dialect.Word(d.next()) == "chat.completion":
			object = true
			d.Skip()
		case member == "model" && d.Kind() == wire.String:
			d.r.Model, model = d.Unquoted(), true
		case member == "created" && d.Kind() == wire.Number:
			created = d.created()
		case member == "choices" && d.Kind() == wire.Array:
			for range d.Elements() {
				d.choice()
			}
		case member == "usage" && d.Kind() == wire.Object:
			raw := d.Raw()
			var s wire.Scanner
			readUsage(&s, &d.use, raw)
			d.r.Usage = &d.use.Usage
		default:
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
	d.r.Ext = d.ownExt(&d.u)
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
	if d.r.Created, ok = dialect.Moment(n); !ok {
		d.Rewind(m)
		d.u.Add(d.Member())
	}
	return ok
}

func (d *response) choice() {
	i := len(d.r.Choices)
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
			c.Output = []scri.Message{m}
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
	d.r.Choices = append(d.r.Choices, c)
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
