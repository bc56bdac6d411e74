package gemini

import (
	"bytes"
	"errors"
	"time"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// answer is one wire object of an answer as it was read: a whole answer, or a piece
// of a stream. It is used again for the next piece.
type answer struct {
	decoder
	quiet bool // nulls and spellings do not matter, as in a stream

	id, model, created string
	usage              []byte
	err                []byte // raw value of the member error
	block              []byte // raw reason why the prompt was blocked
	why                string
	feedback           dialect.Unknown // what else there is beside it
	rest               dialect.Unknown
	cands              []candidate
	listed             bool // there was a list of candidates
}

// candidate is one choice, or a piece of it.
type candidate struct {
	index   int64 // -1 = not said
	content bool  // the object was there
	list    bool  // and its list of parts
	role    string
	said    bool // its role was
	parts   []scri.Part
	inside  dialect.Unknown // other members of content
	finish  string
	detail  string
	tokens  []scri.TokenLogProb
	rest    dialect.Unknown
	sources []byte // groundingMetadata
	recited []byte // citationMetadata
}

func (a *answer) reset(doc []byte) {
	for i := range a.cands {
		a.cands[i].parts = a.cands[i].parts[:0]
	}
	cands := a.cands[:0]
	ids := a.ids
	a.id, a.model, a.created, a.usage, a.err, a.block, a.why = "", "", "", nil, nil, nil, ""
	a.feedback, a.rest, a.cands, a.listed, a.ids = dialect.Unknown{}, dialect.Unknown{}, cands, false, ids
	a.Reset(doc)
}

// read reads the object. A member that does not fit its shape is taken along
// unread.
func (a *answer) read() error {
	for as := range a.Members() {
		if a.Kind() == wire.Null {
			if !a.quiet {
				a.rest.Add(a.Member())
			}
			continue
		}
		if !a.try(func() bool { return a.member(as) }) && a.Err() == nil {
			a.rest.Add(a.Member())
		}
	}
	return a.End()
}

func (a *answer) member(as string) bool {
	switch as {
	case "candidates":
		return a.candidates()
	case "responseId":
		return a.word(&a.id)
	case "modelVersion":
		return a.word(&a.model)
	case "createTime":
		m := a.Mark()
		s := a.Unquoted()
		if _, err := time.Parse(time.RFC3339Nano, s); err != nil {
			a.Rewind(m)
			return false
		}
		a.created = s
	case "usageMetadata":
		m := a.Mark()
		raw := a.Raw()
		if !a.quiet && decodeUsage(raw) == nil {
			a.Rewind(m)
			return false
		}
		a.usage = raw
	case "promptFeedback":
		return a.prompt()
	case "error":
		if a.Kind() != wire.Object {
			return false
		}
		a.err = a.Raw()
	default:
		return false
	}
	return true
}

func (a *answer) word(into *string) bool {
	if a.Empty() {
		return false
	}
	*into = a.Unquoted()
	return true
}

// prompt reads what became of the prompt. Without a reason it is but a member.
func (a *answer) prompt() bool {
	var u dialect.Unknown
	var block []byte
	why := ""
	for as := range a.Members() {
		switch {
		case as == "blockReason" && a.isBlock():
			block = a.Raw()
		case as == "blockReasonMessage" && a.Kind() == wire.String && !a.Empty():
			why = a.Unquoted()
		default:
			u.Add(a.Member())
		}
	}
	if block == nil || a.Err() != nil {
		return false
	}
	a.block, a.why, a.feedback = block, why, u
	return true
}

// isBlock reports whether the next value is a reason: a word, or the number of one.
func (a *answer) isBlock() bool {
	if a.Kind() != wire.Number {
		return a.Some()
	}
	m := a.Mark()
	defer a.Rewind(m)
	return isNumber(string(a.Number()))
}

func (a *answer) candidates() bool {
	n := 0
	if a.Kind() != wire.Array {
		return false
	}
	for range a.Elements() {
		if n == len(a.cands) {
			if n < cap(a.cands) {
				a.cands = a.cands[:n+1]
			} else {
				a.cands = append(a.cands, candidate{})
			}
		}
		c := &a.cands[n]
		*c = candidate{index: -1, parts: c.parts[:0]}
		n++
		if a.Kind() != wire.Object {
			a.cands = a.cands[:0]
			a.Fail("a candidate is no object")
			return false
		}
		for as := range a.Members() {
			if a.Kind() == wire.Null {
				if !a.quiet {
					c.rest.Add(a.Member())
				}
				continue
			}
			if !a.try(func() bool { return a.candidate(c, as) }) && a.Err() == nil {
				c.rest.Add(a.Member())
			}
		}
	}
	a.listed = true
	return true
}

func (a *answer) candidate(c *candidate, as string) bool {
	switch as {
	case "content":
		return a.content(c)
	case "index":
		n := a.Int()
		if a.Err() != nil || n < 0 || n > maxIndex {
			return false
		}
		c.index = n
	case "finishReason":
		return a.finishReason(c)
	case "finishMessage":
		return a.word(&c.detail)
	case "logprobsResult":
		return a.logProbs(&c.tokens, &c.rest)
	case "groundingMetadata":
		m := a.Mark()
		c.sources = a.Raw()
		a.Rewind(m)
		return false // it is a member, too
	case "citationMetadata":
		m := a.Mark()
		c.recited = a.Raw()
		a.Rewind(m)
		return false
	default:
		return false
	}
	return true
}

// maxIndex bounds how many choices an answer may have.
const maxIndex = 1 << 10

func (a *answer) finishReason(c *candidate) bool {
	switch a.Kind() {
	case wire.Number:
		if c.finish = string(a.Number()); isNumber(c.finish) {
			return true
		}
	case wire.String:
		if c.finish = a.Unquoted(); c.finish != "" && !isNumber(c.finish) {
			return true
		}
	default:
	}
	c.finish = ""
	return false
}

func (a *answer) content(c *candidate) bool {
	c.parts, c.inside, c.list, c.said = c.parts[:0], dialect.Unknown{}, false, false
	for as := range a.Members() {
		switch {
		case as == "role" && a.Kind() == wire.String:
			c.role, c.said = a.Unquoted(), true
		case as == "parts" && a.Kind() == wire.Array:
			c.list = true
			for range a.Elements() {
				c.parts = append(c.parts, a.part())
			}
		default:
			c.inside.Add(a.Member())
		}
	}
	c.content = a.Err() == nil
	return c.content
}

// calls reports whether the client is asked to run a function.
func calls(parts []scri.Part) bool {
	for i := range parts {
		if parts[i].Kind == scri.PartToolCall {
			return true
		}
	}
	return false
}

// DecodeResponse reads a whole answer, or one that came as a list of pieces.
func (gemini) DecodeResponse(ans *dialect.Answer) (*scri.ChatResponse, error) {
	body := bytes.TrimSpace(ans.Body)
	if len(body) > 0 && body[0] == '[' {
		copied := *ans
		copied.Stream, copied.Body = bytes.NewReader(body), nil
		return scri.Collect(gemini{}.DecodeStream(&copied))
	}
	var a answer
	a.reset(body)
	a.ids.Prefix = idsOf(dialect.Word(a.Peek("responseId")))
	if err := a.read(); err != nil {
		return nil, dialect.Unreadable(err)
	}
	if a.err != nil && !a.listed {
		return nil, decodeError(ans, body)
	}
	if len(a.cands) == 0 && a.block == nil {
		return nil, dialect.Unreadable(errors.New("an answer without candidates"))
	}
	return a.response(), nil
}

func (a *answer) response() *scri.ChatResponse {
	r := &scri.ChatResponse{ID: a.id, Model: a.model}
	u := &a.rest
	if a.err != nil {
		u.Add(append([]byte(`"error":`), a.err...))
	}
	if a.created != "" {
		r.Created, _ = time.Parse(time.RFC3339Nano, a.created) // read before
		if r.Created = r.Created.UTC(); r.Created.Format(time.RFC3339Nano) != a.created {
			u.Form("createTime=" + a.created)
		}
	}
	if a.usage != nil {
		r.Usage = decodeUsage(a.usage)
	}
	for i := range a.cands {
		r.Choices = append(r.Choices, a.choice(i))
	}
	switch {
	case a.block != nil && len(a.cands) == 0:
		u.Form("blocked")
		addNested(u, "promptFeedback", &a.feedback)
		r.Choices = []scri.Choice{{Finish: a.blocked()}}
	case a.block != nil: // beside candidates it is but a member
		u.Add(append([]byte(`"promptFeedback":`), a.feedbackObject()...))
	}
	r.Ext = u.Ext(Name)
	return r
}

// blocked is how a prompt ended that was not taken.
func (a *answer) blocked() scri.Finish {
	word := string(a.block)
	if a.block[0] == '"' {
		word = scri.QuotedText(a.block).String()
	}
	return scri.Finish{Reason: scri.FinishContentFilter, Raw: word, Dialect: Name, Detail: a.why}
}

// feedbackObject is the feedback put together again.
func (a *answer) feedbackObject() []byte {
	w := wire.Writer{B: []byte{'{'}}
	w.Key("blockReason")
	w.Raw(a.block)
	if a.why != "" {
		w.Key("blockReasonMessage")
		w.Str(a.why)
	}
	w.Members(a.feedback.Object())
	w.EndObject()
	return w.B
}

// addNested adds an object of unknown members as a member itself.
func addNested(u *dialect.Unknown, name string, inner *dialect.Unknown) {
	if obj := inner.Object(); obj != nil {
		u.Add(append([]byte(`"`+name+`":`), obj...))
	}
}

// choice makes a choice of the candidate at i.
func (a *answer) choice(i int) scri.Choice {
	c := &a.cands[i]
	var ch scri.Choice
	u := &c.rest
	switch {
	case c.index < 0:
		u.Form("-index")
	case c.index != int64(i):
		u.Form("index=" + itoa(c.index))
	}
	switch {
	case !c.content:
		u.Form("-content")
	case len(c.parts) == 0 && c.inside.Empty() && (!c.said || plainWord(c.role)):
		u.Form("empty")
		if c.list {
			u.Form("parts")
		}
		if c.said {
			u.Form("role=" + c.role)
		}
	default:
		ch.Output = []scri.Message{c.message()}
	}
	if c.finish != "" || c.detail != "" {
		ch.Finish = scri.Finish{Reason: reasonOf(c.finish, calls(c.parts)), Raw: c.finish, Dialect: Name, Detail: c.detail}
	}
	ch.LogProbs = c.tokens
	cite(ch.Output, c)
	ch.Ext = u.Ext(Name)
	return ch
}

// message makes a message of a candidate's content.
func (c *candidate) message() scri.Message {
	m := scri.Message{Role: scri.RoleAssistant, Parts: c.parts}
	u := &c.inside
	switch {
	case !c.said:
		u.Form("-role")
	case c.role == "":
		u.Form("role")
	case c.role != roleModel:
		u.Form("raw")
		m.Role = scri.Role(c.role)
	}
	if !c.list {
		u.Form("-parts")
	}
	m.Ext = u.Ext(Name)
	return m
}

// idsOf makes ids for the calls of an answer. Those of another answer are others,
// so that they do not meet in one conversation.
func idsOf(id string) string {
	if !plainWord(id) {
		return "call_"
	}
	return "call_" + id + "_"
}
