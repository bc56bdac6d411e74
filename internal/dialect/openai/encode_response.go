package openai

import (
	"strconv"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/scri"
)

// EncodeResponse writes a chat completion.
func (chat) EncodeResponse(b []byte, _ *dialect.Incoming, r *scri.ChatResponse) ([]byte, []scri.Warning) {
	e := &encoder{}
	e.B = append(dialect.GrowForAnswer(b, r), '{') // without a comma, whatever b ends in
	e.head(r, "chat.completion")
	e.Key("choices")
	e.BeginArray()
	for i := range r.Choices {
		e.choice = i
		e.answerChoice(&r.Choices[i])
	}
	e.EndArray()
	if r.Usage != nil {
		e.usage(r.Usage)
	}
	e.extra(r.Ext)
	e.EndObject()
	return e.B, e.warnings()
}

// head writes what an answer or a chunk of one begins with.
func (e *encoder) head(r *scri.ChatResponse, object string) {
	e.foreign(r.Ext, func() string { return "" })
	switch {
	case r.ID != "":
		e.str("id", r.ID)
	case r.Ext.Of(name) == nil:
		e.str("id", madeID(r))
	case !has(r.Ext, "noid"):
		e.str("id", "")
	}
	if !has(r.Ext, "noobject") {
		e.str("object", object)
	}
	if !r.Created.IsZero() {
		e.Key("created")
		e.Int(r.Created.Unix())
	} else if !has(r.Ext, "nocreated") {
		e.Key("created")
		e.Int(0)
	}
	if r.Model != "" || !has(r.Ext, "nomodel") {
		e.str("model", r.Model)
	}
}

// madeID is an id for an answer that has none: its lineage's, where it has one.
func madeID(r *scri.ChatResponse) string {
	if r.Lineage != nil && r.Lineage.ID != "" {
		return "chatcmpl-" + r.Lineage.ID
	}
	return "chatcmpl-0"
}

func (e *encoder) answerChoice(c *scri.Choice) {
	e.foreign(c.Ext, e.choicePath)
	e.called = false
	e.BeginObject()
	if !has(c.Ext, "noindex") {
		e.Key("index")
		e.Int(int64(e.choice))
	}
	if len(c.Output) > 0 || !has(c.Ext, "nomessage") {
		e.Key("message")
		e.BeginObject()
		e.output(c)
		e.EndObject()
	}
	if !has(c.Ext, "nofinish") {
		e.finishReason(&c.Finish, e.called, has(c.Ext, "finish="))
	}
	e.logProbs(c.LogProbs, c.Ext)
	if has(c.Ext, "+logprobs") {
		e.extra(c.Ext, "logprobs")
	} else {
		e.extra(c.Ext)
	}
	e.EndObject()
}

func (e *encoder) choicePath() string { return "/choices/" + strconv.Itoa(e.choice) }

// output writes what was said. Several messages of an answer become one: how
// they are grouped says nothing.
func (e *encoder) output(c *scri.Choice) {
	for i := range c.Output {
		e.msg = i
		m := &c.Output[i]
		e.foreign(m.Ext, e.messagePath)
		if m.ID != "" {
			e.dropped(e.messagePath()+"/id", "messages have no id")
		}
	}
	switch len(c.Output) {
	case 0:
		e.str("role", string(scri.RoleAssistant))
		e.Key("content")
		e.Null()
	case 1:
		e.speech(&c.Output[0], c.Output[0].Parts, 0, true)
	default:
		m := c.Output[0]
		m.Parts = nil
		for i := range c.Output {
			m.Parts = append(m.Parts, c.Output[i].Parts...)
		}
		e.lengths = e.lengths[:0]
		for i := range c.Output {
			e.lengths = append(e.lengths, len(c.Output[i].Parts))
		}
		e.speech(&m, m.Parts, 0, true)
		e.lengths = e.lengths[:0]
	}
}
