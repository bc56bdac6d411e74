package openai

import (
	"slices"
	"strconv"
	"strings"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// fields is what of a message has to wait until the whole of it was seen.
type fields struct {
	role      string
	name      string
	callID    string
	form      string
	reasoning [3][]byte // members of reasoning_content, reasoning, reasoning_details, as they stand
	citations []scri.Citation
	hasCall   bool // tool_call_id was there
	content   bool
	odd       dialect.Unknown // what a tool's message has that only assistants say
}

func (f *fields) note(word string) {
	if f.form != "" {
		f.form += " "
	}
	f.form += word
}

// role returns r without allocating for the usual ones.
func role(r string) scri.Role {
	switch r {
	case "user":
		return scri.RoleUser
	case "assistant":
		return scri.RoleAssistant
	case "tool", "function":
		return scri.RoleTool
	case "system":
		return scri.RoleSystem
	case "developer":
		return scri.RoleDeveloper
	default:
		return scri.Role(r)
	}
}

// bare reads a message that is a role and a text, as nearly all are.
func (d *decoder) bare(m *scri.Message) bool {
	at := d.Mark()
	who, text, ok := d.Pair("role", "content")
	if !ok {
		return false
	}
	switch string(who) {
	case `"user"`:
		m.Role = scri.RoleUser
	case `"assistant"`:
		m.Role = scri.RoleAssistant
	case `"system"`:
		m.Role = scri.RoleSystem
	case `"developer"`:
		m.Role = scri.RoleDeveloper
	default:
		d.Rewind(at)
		return false
	}
	if len(text) == len(`""`) {
		d.Rewind(at)
		return false
	}
	p := scri.Part{Kind: scri.PartText, Text: scri.QuotedText(text)}
	if d.lenient {
		d.content = append(d.content[:0], p)
		m.Parts = d.given(&d.content)
		return true
	}
	d.room(1)
	d.slab = append(d.slab, p)
	n := len(d.slab)
	m.Parts = d.slab[n-1 : n : n]
	return true
}

// message reads a message of a request or an answer.
func (d *decoder) message(m *scri.Message) {
	if d.bare(m) {
		return
	}
	var f fields
	var u dialect.Unknown
	d.thoughts, d.content = d.thoughts[:0], d.content[:0]
	d.calls, d.tail = d.calls[:0], d.tail[:0]
	result := !d.lenient && role(dialect.Word(d.Peek("role"))) == scri.RoleTool
	for member := range d.Members() {
		if member == "content" {
			f.content = true
			d.messageContent(&f, &u)
		} else if !d.speaker(member, &f, &u) {
			switch {
			case !result:
				d.messageField(member, &f, &u)
			case isSpeech(member):
				f.odd.Add(d.Member())
			default:
				u.Add(d.Member())
			}
		}
	}
	if d.Err() != nil {
		return
	}
	d.reasoning(&f, &u)
	d.cite(&f)
	switch m.Role = role(f.role); {
	case m.Role != scri.RoleTool:
	case d.lenient:
		m.Role = scri.Role(f.role) // nothing was asked of the client's tools that they could answer
	default:
		d.result(m, &f, &u)
		return
	}
	if f.hasCall {
		u.Add(append([]byte(`"tool_call_id":`), wire.AppendQuote(nil, f.callID)...))
	}
	if f.role == "" && d.lenient {
		m.Role = scri.RoleAssistant // nobody else speaks in an answer
	}
	if f.role == "" && !dialect.HasWord(f.form, "role=") {
		f.note("norole")
	}
	if !f.content {
		f.note("nocontent")
	}
	m.Name = f.name
	m.Parts = d.said()
	m.Ext = d.ext(&u, f.form)
}

// said is the parts of the message at hand, in their order. Where an answer has but
// one kind of them the list itself is given away: there is seldom another message.
func (d *decoder) said() []scri.Part {
	rest := len(d.thoughts) + len(d.tail)
	switch {
	case d.lenient && rest+len(d.calls) == 0:
		return d.given(&d.content)
	case d.lenient && rest+len(d.content) == 0:
		return d.given(&d.calls)
	default:
		return d.keep(d.thoughts, d.content, d.tail, d.calls)
	}
}

// given is a scratch list that is gone then; nil if it is empty.
func (d *decoder) given(scratch *[]scri.Part) []scri.Part {
	list := slices.Clip(*scratch)
	if len(list) == 0 {
		return nil
	}
	*scratch = nil
	return list
}

// speaker reads the members that say who speaks.
func (d *decoder) speaker(member string, f *fields, u *dialect.Unknown) bool {
	var at *string
	switch member {
	case "role":
		at = &f.role
	case "name":
		at = &f.name
	case "tool_call_id":
		at = &f.callID
	default:
		return false
	}
	if !d.is(wire.String, u) {
		return true
	}
	*at = d.Unquoted()
	switch {
	case member == "tool_call_id":
		f.hasCall = true
	case *at == "":
		f.note(member + "=")
	}
	return true
}

// isSpeech reports whether a member says something where an assistant speaks.
func isSpeech(member string) bool {
	return isOneOf(member, "tool_calls", fieldContent, fieldReasoning, fieldDetails, "refusal", "audio", "function_call", "annotations")
}

// messageField reads the members that only assistants have.
func (d *decoder) messageField(member string, f *fields, u *dialect.Unknown) {
	switch member {
	case "tool_calls":
		d.toolCalls(f, u)
	case fieldContent:
		f.reasoning[0] = d.Member()
	case fieldReasoning:
		f.reasoning[1] = d.Member()
	case fieldDetails:
		f.reasoning[2] = d.Member()
	case "refusal":
		if d.Kind() != wire.String {
			u.Add(d.Member())
			return
		}
		if q := d.Str(); len(q) > 2 {
			d.tail = append(d.tail, scri.Part{Kind: scri.PartRefusal, Text: scri.QuotedText(q)})
		} else {
			f.note("norefusal")
		}
	case "audio":
		if !d.try(func() bool { return d.audio() }) {
			u.Add(d.Member())
		}
	case "function_call":
		if !d.try(func() bool { return d.functionCall() }) {
			u.Add(d.Member())
		}
	case "annotations":
		if d.Kind() != wire.Array || !d.try(func() bool { return d.annotations(f) }) {
			f.citations = nil
			u.Add(d.Member())
		}
	default:
		u.Add(d.Member())
	}
}

func (d *decoder) messageContent(f *fields, u *dialect.Unknown) {
	switch d.Kind() {
	case wire.String:
		if q := d.Str(); len(q) > 2 {
			d.content = append(d.content, scri.Part{Kind: scri.PartText, Text: scri.QuotedText(q)})
		} else {
			f.note("empty")
		}
	case wire.Array:
		f.note("list")
		for range d.Elements() {
			d.part()
		}
	case wire.Null:
		d.Skip()
		f.note("null")
	default:
		if d.lenient {
			u.Add(d.Member())
			f.note("other")
			return
		}
		d.Fail("content must be a string, a list of parts or null")
	}
}

// result makes the message of a tool out of what was read.
func (d *decoder) result(m *scri.Message, f *fields, u *dialect.Unknown) {
	r := d.resultSlab.Next()
	r.CallID, r.Name, r.Parts = f.callID, f.name, d.keep(d.content)
	form := f.form
	if !f.content {
		form = strings.TrimSpace(form + " nocontent")
	}
	switch {
	case f.role == "function":
		form = strings.TrimSpace(form + " function")
		if !f.hasCall {
			r.CallID = d.unanswered()
		}
	case f.callID == "":
		if r.CallID = d.unanswered(); f.hasCall {
			form = strings.TrimSpace(form + " id=")
		} else {
			form = strings.TrimSpace(form + " noid")
		}
	}
	// What the tool's message holds beside its content belongs to the message, unless
	// it would be said by whoever the message may become; how the result is spelled,
	// to the result.
	r.Ext = d.ext(&f.odd, form)
	m.Ext = d.ext(u, "")
	own := [1]scri.Part{{Kind: scri.PartToolResult, Result: r}}
	m.Parts = d.keep(d.thoughts, own[:], d.tail, d.calls)
}

// unanswered takes the id of the oldest call that came without one.
func (d *decoder) unanswered() string {
	if len(d.made) == 0 {
		return ""
	}
	id := d.made[0]
	d.made = d.made[1:]
	return id
}

// makeID makes an id for a call that came without.
func (d *decoder) makeID() string {
	if d.seed == "" && d.whole != nil {
		d.seed = seedIn(d.whole)
	}
	id := "call_" + d.seed + strconv.Itoa(d.count)
	d.made = append(d.made, id)
	return id
}

func (d *decoder) toolCalls(f *fields, u *dialect.Unknown) {
	if d.Kind() != wire.Array {
		if d.is(wire.Array, u) {
			d.Skip()
			d.Fail("tool_calls must be a list")
		}
		return
	}
	n := len(d.calls)
	for i := range d.Elements() {
		d.count++
		if !d.try(func() bool { return d.toolCall(i) }) {
			p := d.opaque()
			p.Ext = d.form("tool_calls")
			d.calls = append(d.calls[:n+i], p)
		}
	}
	if len(d.calls) == n {
		f.note("tool_calls[]")
	}
}

// callFields is what of a call has to wait until the whole of it was seen.
type callFields struct {
	u, inner dialect.Unknown
	form     string
	object   string // the object that holds the name
	named    bool
	id       bool
	typed    bool
}

// toolCall reads one of tool_calls.
func (d *decoder) toolCall(i int) bool {
	var f callFields
	c := d.callSlab.Next()
	for member := range d.Members() {
		switch member {
		case "id":
			d.callID(c, &f)
		case "type":
			d.callType(c, &f)
		case "index":
			m := d.Mark()
			if d.Int() == int64(i) && d.Err() == nil {
				f.form += " index"
				continue
			}
			d.Rewind(m)
			f.u.Add(d.Member())
		case "function":
			f.named, f.object = d.function(c, "arguments", &f.inner), member
		case "custom":
			f.named, f.object = d.function(c, "input", &f.inner), member
		default:
			f.u.Add(d.Member())
		}
	}
	if !f.named || (c.Type == "custom") != (f.object == "custom") {
		return false
	}
	f.form += addInner(&f.u, &f.inner, c.Type)
	if !f.typed {
		f.form += " notype"
	}
	if c.ID == "" {
		if c.ID, c.MadeID = d.makeID(), true; !f.id {
			f.form += " noid"
		}
	}
	d.calls = append(d.calls, scri.Part{Kind: scri.PartToolCall, Call: c, Ext: d.ext(&f.u, strings.TrimPrefix(f.form, " "))})
	return true
}

func (d *decoder) callID(c *scri.ToolCall, f *callFields) {
	f.id = true
	if d.Kind() == wire.Null {
		f.form += " id=null"
		d.Skip()
		return
	}
	if d.is(wire.String, &f.u) {
		if c.ID = d.Unquoted(); c.ID == "" {
			f.form += " id="
		}
	}
}

func (d *decoder) callType(c *scri.ToolCall, f *callFields) {
	if !d.is(wire.String, &f.u) {
		return
	}
	m := d.Mark()
	f.typed = true
	switch c.Type = d.Unquoted(); c.Type {
	case "function":
		c.Type = ""
	case "":
		f.form += " type="
	case "custom":
	default: // a provider's own, which may have the shape of a function
		d.Rewind(m)
		f.u.Add(d.Member())
		c.Type, f.typed = "", false
	}
}

// addInner keeps the unknown members of the object inside a call below the
// name of that object.
func addInner(u, inner *dialect.Unknown, typ string) (form string) {
	if inner.Empty() {
		return ""
	}
	if typ == "" {
		typ = "function"
	}
	u.Add(append([]byte(`"`+typ+`":`), inner.Object()...))
	return " +inner"
}

// function reads the name and arguments of a call.
func (d *decoder) function(c *scri.ToolCall, arguments string, u *dialect.Unknown) bool {
	form, named, nulls := "noargs", false, ""
	for member := range d.Members() {
		switch {
		case member == "name" && d.Kind() == wire.String:
			c.Name = d.Unquoted()
			named = c.Name != ""
		case member == arguments && d.Kind() == wire.String:
			c.Args, form = scri.QuotedText(d.Str()), ""
			if c.Args.IsZero() {
				form = "empty"
			}
		case member == arguments && d.Kind() == wire.Object:
			c.Args, form = scri.PlainText(d.Raw()), "object"
		case d.Kind() == wire.Null && plainWord(member) && len(nulls) < maxForm:
			nulls += " " + member + "=null"
			d.Skip()
		default:
			u.Add(d.Member())
		}
	}
	if form = strings.TrimPrefix(form+nulls, " "); form != "" {
		c.Ext = d.form(form)
	}
	return named
}

// functionCall reads the older spelling of a call.
func (d *decoder) functionCall() bool {
	c := &scri.ToolCall{MadeID: true}
	d.count++
	var u, inner dialect.Unknown
	if !d.function(c, "arguments", &inner) {
		return false
	}
	c.ID = d.makeID()
	form := "function_call" + addInner(&u, &inner, "")
	d.calls = append(d.calls, scri.Part{Kind: scri.PartToolCall, Call: c, Ext: d.ext(&u, form)})
	return true
}
