package completions

import (
	"errors"
	"strconv"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

const object = "text_completion"

var errNoChoices = errors.New("a completion without choices")

// DecodeResponse reads a whole answer. An error in the body of a 200 is returned as
// one.
func (completions) DecodeResponse(a *dialect.Answer) (*scri.ChatResponse, error) {
	d := &answerReader{}
	d.Reset(a.Body)
	if dialect.OpenAIFailed(&d.Scanner) {
		return nil, dialect.OpenAIErrorIn(a.Body, Name)
	}
	d.read()
	err := d.End()
	if err == nil && len(d.r.Choices) == 0 {
		err = errNoChoices
	}
	if err != nil {
		e := dialect.Unreadable(err)
		e.Raw, e.Dialect = a.Body, Name
		return nil, e
	}
	return &d.r, nil
}

// answerReader reads one answer.
type answerReader struct {
	wire.Scanner
	r   scri.ChatResponse
	u   dialect.Unknown
	use dialect.OpenAIUsage
}

func (d *answerReader) read() {
	var id, obj, model, created bool
	for name := range d.Members() {
		switch {
		case name == "id" && d.Kind() == wire.String:
			d.r.ID, id = d.Unquoted(), true
		case name == "object" && d.is(object):
			obj = true
		case name == "model" && d.Kind() == wire.String:
			d.r.Model, model = d.Unquoted(), true
		case name == "created" && d.Kind() == wire.Number:
			created = d.created()
		case name == "choices" && d.Kind() == wire.Array:
			for range d.Elements() {
				d.choice()
			}
		case name == "usage" && d.Kind() == wire.Object:
			var s wire.Scanner
			d.use.Read(&s, d.Raw(), Name)
			d.r.Usage = &d.use.Usage
		default:
			d.u.Add(d.Member())
		}
	}
	for _, w := range []struct {
		there bool
		word  string
	}{{id, "noid"}, {obj, "noobject"}, {model, "nomodel"}, {created, "nocreated"}} {
		if !w.there {
			d.u.Form(w.word)
		}
	}
	if d.r.Ext = d.u.Ext(Name); d.r.Ext == nil {
		d.r.Ext = &scri.Ext{Dialect: Name} // which says that what was to be echoed was
	}
}

// is consumes the next value if it is this string.
func (d *answerReader) is(word string) bool {
	if d.Kind() != wire.String {
		return false
	}
	m := d.Mark()
	if dialect.Word(d.Str()) == word {
		return true
	}
	d.Rewind(m)
	return false
}

// created reads a time in whole seconds. What is no such time is kept aside.
func (d *answerReader) created() bool {
	m := d.Mark()
	n := d.Int()
	if d.Err() != nil && dialect.Misfit(d.Err()) {
		d.Rewind(m)
		d.u.Add(d.Member())
		return false
	}
	if t, ok := dialect.Moment(n); ok {
		d.r.Created = t
	} else if n != 0 {
		d.Rewind(m)
		d.u.Add(d.Member())
		return false
	}
	return true
}

func (d *answerReader) choice() {
	if d.Kind() != wire.Object {
		d.Fail("a choice must be an object")
		return
	}
	i := len(d.r.Choices)
	var c scri.Choice
	var u dialect.Unknown
	m := scri.Message{Role: scri.RoleAssistant}
	index, text, ended, tokens := false, false, false, false
	for name := range d.Members() {
		switch {
		case name == "index" && d.number(i):
			index = true
		case name == "text" && d.Kind() == wire.String:
			if t := scri.QuotedText(d.Str()); !t.IsZero() {
				m.Parts = []scri.Part{{Kind: scri.PartText, Text: t}}
			}
			text = true
		case name == "finish_reason" && d.Kind() == wire.String:
			c.Finish, ended = finishOf(d.Unquoted()), true
			if c.Finish.Raw == "" {
				u.Form("finish=")
				c.Finish = scri.Finish{}
			}
		case name == "logprobs":
			tokens = true
			c.LogProbs = logProbs(&d.Scanner, &u, false)
		default:
			u.Add(d.Member())
		}
	}
	c.Output = []scri.Message{m}
	for _, w := range []struct {
		there bool
		word  string
	}{{index, "noindex"}, {text, "notext"}, {ended, "nofinish"}, {tokens, "nologprobs"}} {
		if !w.there {
			u.Form(w.word)
		}
	}
	c.Ext = u.Ext(Name)
	d.r.Choices = append(d.r.Choices, c)
}

// number consumes the next value if it is this number.
func (d *answerReader) number(n int) bool {
	if d.Kind() != wire.Number {
		return false
	}
	m := d.Mark()
	if string(d.Number()) == strconv.Itoa(n) {
		return true
	}
	d.Rewind(m)
	return false
}

// finishOf is how an answer ended, by the provider's word.
func finishOf(word string) scri.Finish {
	return scri.Finish{Reason: reason(word), Raw: word, Dialect: Name}
}

func reason(word string) scri.FinishReason {
	switch word {
	case "":
		return ""
	case "stop", "eos", "end_turn":
		return scri.FinishStop
	case "length":
		return scri.FinishLength
	case "content_filter":
		return scri.FinishContentFilter
	case "error", "insufficient_system_resource":
		return scri.FinishError
	default:
		return scri.FinishOther
	}
}

// finishWord is the word for how an answer ended, and tells at the node, which is its
// choice, what it cannot say.
func (e *encoder) finishWord(f *scri.Finish) string {
	if f.Dialect == Name && f.Raw != "" && reason(f.Raw) == f.Reason {
		return f.Raw
	}
	if f.Detail != "" {
		e.Drop("finish/detail", "only a reason is given")
	}
	word := "stop"
	switch f.Reason {
	case "":
		return ""
	case scri.FinishLength:
		word = "length"
	case scri.FinishContentFilter, scri.FinishRefusal:
		word = "content_filter"
	case scri.FinishError:
		word = "error"
	default:
	}
	if reason(word) != f.Reason {
		e.Tell(scri.WarnChanged, "finish/reason", string(f.Reason), word, "")
	}
	return word
}
