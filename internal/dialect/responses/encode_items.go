package responses

import (
	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// message writes what somebody said and did as items into the open list.
func (e *encoder) message(m *scri.Message) {
	if m.ID != "" {
		e.drop("id", "ids belong to items, not to messages")
	}
	if m.Name != "" {
		e.drop("name", "speakers have no names here")
	}
	if m.Role == scri.RoleAssistant || e.answer && !e.input {
		if m.Role != scri.RoleAssistant && m.Role != "" {
			e.lose(scri.WarnChanged, "role", string(m.Role), string(scri.RoleAssistant), "nobody else speaks in an answer")
		}
		e.homeless(m.Ext)
		e.turn(m.Parts)
		return
	}
	if m.Ext.Of(Name) == nil {
		e.foreign(m.Ext)
	}
	if len(m.Parts) == 0 {
		if m.Ext.Of(Name) != nil {
			e.speech(m, 0, 0)
		}
		return
	}
	if dialect.OddResults(m) {
		e.lose(scri.WarnChanged, "role", string(m.Role), string(scri.RoleTool), "results are a tool's")
	}
	for i := 0; i < len(m.Parts); {
		end := i
		for end < len(m.Parts) && inContent(&m.Parts[end]) {
			end++
		}
		if end > i {
			e.speech(m, i, end)
			i = end
			continue
		}
		for end < len(m.Parts) && !inContent(&m.Parts[end]) {
			end++
		}
		in := e.in("content")
		e.parts(m.Parts, i, end, m.Role)
		e.out(in)
		i = end
	}
}

// inContent reports whether a part belongs into the content of a message, and is
// no item of its own.
func inContent(p *scri.Part) bool {
	switch p.Kind {
	case scri.PartText, scri.PartRefusal:
		return true
	case scri.PartMedia:
		return !has(p.Ext, "image")
	case scri.PartOpaque:
		return has(p.Ext, "part") || p.Ext.Of(Name) == nil
	default:
		return false
	}
}

// speech writes the parts i to end of somebody who is no assistant as one item.
func (e *encoder) speech(m *scri.Message, i, end int) {
	role := m.Role
	switch {
	case role == scri.RoleUser, role == scri.RoleSystem, role == scri.RoleDeveloper, has(m.Ext, "role"):
	default:
		role = scri.RoleUser
		e.lose(scri.WarnChanged, "role", string(m.Role), string(role), "")
	}
	before := len(e.w.B)
	e.w.BeginObject()
	if has(m.Ext, "type") {
		e.str("type", typeMessage)
	}
	e.w.Key("role")
	e.w.Str(string(role))
	e.w.Key("content")
	in := e.in("content")
	some := true
	if p := m.Parts[i:end]; len(p) == 1 && bare(&p[0]) && !has(m.Ext, "list") {
		dialect.WriteText(&e.w, p[0].Text)
	} else {
		some = e.content(m.Parts, i, end, string(role)) || i == end
	}
	e.out(in)
	if !some && (i > 0 || m.Ext.Of(Name) == nil) {
		e.w.B = e.w.B[:before]
		return
	}
	if i == 0 && m.Ext.Of(Name) != nil {
		e.ext(m.Ext)
	}
	e.w.EndObject()
	e.items++
}

// content writes the parts i to end as a list, and reports whether there is
// anything in it.
func (e *encoder) content(parts []scri.Part, i, end int, role string) bool {
	e.w.BeginArray()
	some := false
	for ; i < end; i++ {
		at := e.atPart(i)
		some = e.part(&parts[i], role) || some
		e.out(at)
	}
	e.w.EndArray()
	return some
}

// turn writes the assistant's parts.
func (e *encoder) turn(parts []scri.Part) {
	in := e.in("content")
	e.parts(parts, 0, len(parts), scri.RoleAssistant)
	e.out(in)
}

// parts writes the parts i to stop as items. The node is their list.
func (e *encoder) parts(parts []scri.Part, i, stop int, role scri.Role) {
	for i < stop {
		end := i + 1
		switch p := &parts[i]; {
		case p.Kind == scri.PartThinking:
			for end < stop && sameThought(&parts[end-1], &parts[end]) {
				end++
			}
			e.thought(parts, i, end)
		case p.Kind != scri.PartMedia && inContent(p):
			for end < stop && parts[end].Kind != scri.PartMedia && inContent(&parts[end]) && !has(parts[end].Ext, "item") {
				end++
			}
			e.said(parts, i, end)
		default:
			at := e.atPart(i)
			e.item(p, role)
			e.out(at)
		}
		i = end
	}
}

// sameThought reports whether q goes on with the item of p.
func sameThought(p, q *scri.Part) bool {
	if q.Kind != scri.PartThinking || has(q.Ext, "item") || signed(p) {
		return false
	}
	return !has(p.Ext, typeThought) || has(q.Ext, typeThought)
}

// signed reports whether a thought holds what only this API can read.
func signed(p *scri.Part) bool {
	return p.Signature != nil && p.Signature.Dialect == Name && !p.Signature.Value.IsZero()
}

// said writes texts of the assistant as one item.
func (e *encoder) said(parts []scri.Part, i, end int) {
	head := parts[i].Ext
	if e.answer && head.Of(Name) == nil {
		for i < end && mute(&parts[i]) {
			i++
		}
		if i == end {
			return
		}
	}
	before := len(e.w.B)
	e.w.BeginObject()
	if !has(head, "notype") {
		e.str("type", typeMessage)
	}
	if e.answer && head.Of(Name) == nil {
		e.str("id", e.newID("msg"))
		e.str("status", e.status)
	}
	e.str("role", string(scri.RoleAssistant))
	e.w.Key("content")
	some := true
	if end == i+1 && has(head, "string") && parts[i].Kind == scri.PartText && len(parts[i].Citations) == 0 {
		at := e.atPart(i)
		e.ornaments(&parts[i])
		e.out(at)
		dialect.WriteText(&e.w, parts[i].Text)
	} else {
		some = e.content(parts, i, end, string(scri.RoleAssistant))
	}
	if !some {
		e.w.B = e.w.B[:before]
		return
	}
	e.nested(head)
	e.w.EndObject()
	e.items++
}

// mute reports whether a text says nothing at all.
func mute(p *scri.Part) bool {
	return p.Kind == scri.PartText && p.Text.IsZero() && len(p.Citations) == 0 && p.Ext == nil && p.Cache == nil && p.Signature == nil
}

// nested writes the members of the item that a part began, less those named.
func (e *encoder) nested(x *scri.Ext, less ...string) {
	if own := x.Of(Name); own == nil || len(own.Members) == 0 {
		return
	}
	for _, name := range [...]string{nestedLight, nestedHeavy} {
		if obj := member(x, name); obj != nil && obj[0] == '{' {
			e.ext(&scri.Ext{Dialect: Name, Members: obj}, less...)
		}
	}
}

// thought writes what the model thought as one item. A provider takes back only
// what it, or one like it, has said.
func (e *encoder) thought(parts []scri.Part, i, end int) {
	var secret scri.Text
	summary, content, wrote := 0, has(parts[i].Ext, "content"), 0
	first := -1
	for j := i; j < end; j++ {
		at := e.atPart(j)
		p := &parts[j]
		switch why := e.unwanted(p); {
		case why != "":
			e.drop("", why)
			p = nil
		case signed(p):
			secret = p.Signature.Value
		case p.Signature != nil:
			e.drop("signature", "another's signature proves nothing here")
		default:
		}
		if p != nil {
			e.ornaments(p)
			if p.Ext.Of(Name) == nil {
				e.foreign(p.Ext)
			}
			if first < 0 {
				first = j
			}
			wrote++
			switch {
			case e.isThought(p):
				content = true
			case !bodiless(p):
				summary++
			}
		}
		e.out(at)
	}
	if wrote == 0 {
		return
	}
	head := parts[first].Ext
	e.open(typeReasoning)
	if e.answer && head.Of(Name) == nil {
		e.str("id", e.newID("rs"))
	}
	if summary > 0 || !has(head, "nosummary") {
		e.w.Key("summary")
		e.texts(parts, i, end, false)
	}
	var written []string
	if content {
		e.w.Key("content")
		e.texts(parts, i, end, true)
		written = append(written, "content")
	}
	if !secret.IsZero() {
		e.text("encrypted_content", secret)
		written = append(written, "encrypted_content")
	}
	e.nested(head, written...)
	e.w.EndObject()
	e.items++
}

// isThought reports whether a part is the thought itself, not a summary of it.
func (e *encoder) isThought(p *scri.Part) bool {
	if p.Ext.Of(Name) == nil && e.target != nil {
		return e.target.Reasoning == typeThought
	}
	return has(p.Ext, typeThought)
}

// unwanted says why a thought cannot be told, or "".
func (e *encoder) unwanted(p *scri.Part) string {
	own := p.Ext.Of(Name) != nil
	switch {
	case signed(p):
		return ""
	case p.Signature != nil && (p.Signature.Redacted || p.Text.IsZero() && !own):
		return "thoughts that only another provider can read"
	case e.answer:
		return ""
	case has(p.Ext, "secret"):
		return "thoughts of another provider"
	case own && isMinted(dialect.Word(wire.NewScanner(member(p.Ext, nestedLight)).Peek("id"))):
		return "thoughts of another model"
	case own || e.target.Reasoning == typeThought:
		return ""
	default:
		return "only thoughts of this API can be sent back to it"
	}
}

// bodiless reports whether a thought is none of the texts of its item.
func bodiless(p *scri.Part) bool {
	return p.Text.IsZero() && !has(p.Ext, "summary") && !has(p.Ext, typeThought)
}

// texts writes the summaries of a thought, or the thought itself.
func (e *encoder) texts(parts []scri.Part, i, end int, thoughts bool) {
	e.w.BeginArray()
	for ; i < end; i++ {
		p := &parts[i]
		if bodiless(p) || e.isThought(p) != thoughts || e.unwanted(p) != "" {
			continue
		}
		typ := typeSummary
		if thoughts {
			typ = typeThought
		}
		e.open(typ)
		e.text("text", p.Text)
		if p.Ext.Of(Name) != nil {
			e.ext(p.Ext, nestedLight, nestedHeavy)
		}
		e.w.EndObject()
	}
	e.w.EndArray()
}

// item writes a part that is an item of its own.
func (e *encoder) item(p *scri.Part, role scri.Role) {
	e.ornaments(p)
	switch p.Kind {
	case scri.PartToolCall:
		e.call(p, role)
	case scri.PartToolResult:
		e.result(p)
	case scri.PartMedia:
		e.image(p)
	case scri.PartOpaque:
		if p.Ext.Of(Name) != nil && len(p.Raw) > 0 {
			e.w.Raw(p.Raw)
		} else {
			e.drop("", "an item that only another dialect knows")
		}
	default:
		e.lose(scri.WarnDropped, "", string(p.Kind), "", "a part of an unknown kind")
	}
	e.items++
}

func (e *encoder) call(p *scri.Part, role scri.Role) {
	c := p.Call
	switch {
	case c == nil:
		e.drop("", "a call of nothing")
		return
	case c.Server != "":
		e.serverCall(p)
		return
	case role != scri.RoleAssistant && role != "":
		n := len(e.path)
		e.path = e.path[:parentOf(parentOf(n, e.path), e.path)]
		e.lose(scri.WarnChanged, "role", string(role), string(scri.RoleAssistant), "only the assistant calls tools")
		e.path = e.path[:n]
	}
	in := e.in("call")
	typ, args, prefix := typeCall, "arguments", "fc"
	switch c.Type {
	case "":
	case custom:
		typ, args, prefix = typeCustom, "input", "ctc"
	default:
		e.lose(scri.WarnChanged, "type", c.Type, "", "every call is a call of a function here")
	}
	e.open(typ)
	own := p.Ext.Of(Name) != nil
	if e.answer && !own {
		e.str("id", e.newID(prefix))
	}
	id := c.ID
	if id == "" {
		id = e.newID("call")
		e.lose(scri.WarnAdded, "id", "", id, "every call has an id here")
	}
	e.str("call_id", id)
	e.w.Key("name")
	e.w.Str(c.Name)
	if c.Args.IsZero() && c.Type != custom && !own {
		e.str(args, "{}")
	} else {
		e.text(args, c.Args)
	}
	e.homeless(c.Ext)
	e.out(in)
	if e.answer && !own {
		e.str("status", e.status)
	}
	e.ext(p.Ext)
	e.w.EndObject()
}

// parentOf is where the pointer that is path[:n] loses its last token.
func parentOf(n int, path []byte) int {
	for n > 0 {
		if n--; path[n] == '/' {
			break
		}
	}
	return n
}

// serverCall writes a call of a tool that the API has run itself.
func (e *encoder) serverCall(p *scri.Part) {
	c := p.Call
	args := argsMember(c.Type)
	if args == "" || p.Ext.Of(Name) == nil {
		e.lose(scri.WarnDropped, "", c.Type, "", "a call that another provider ran itself")
		return
	}
	in := e.in("call")
	e.open(c.Type)
	e.str("id", c.ID)
	if c.Type == typeMCPCall {
		e.str("name", c.Name)
		e.str("server_label", c.Server)
		e.text(args, c.Args)
	} else {
		e.w.Key(args)
		e.w.Raw([]byte(c.Args.String()))
	}
	e.homeless(c.Ext)
	e.out(in)
	e.ext(p.Ext)
	e.w.EndObject()
}

// result writes what a tool of the client answered.
func (e *encoder) result(p *scri.Part) {
	r := p.Result
	switch {
	case r == nil:
		e.drop("", "a result of nothing")
		return
	case r.Server != "":
		e.drop("", "a result of a tool that another provider ran itself")
		return
	case e.answer && !e.input:
		e.drop("", "an answer holds no results")
		return
	}
	in := e.in("result")
	if has(p.Ext, custom) {
		e.open(typeCustomOut)
	} else {
		e.open(typeOutput)
	}
	e.str("call_id", r.CallID)
	if r.Name != "" {
		e.drop("name", "a result names its call, not the tool")
	}
	if r.Error {
		e.drop("error", "a failure cannot be told from a success")
	}
	e.w.Key("output")
	switch {
	case len(r.Parts) == 1 && bare(&r.Parts[0]) && !has(p.Ext, "list"):
		dialect.WriteText(&e.w, r.Parts[0].Text)
	case len(r.Parts) == 0 && !has(p.Ext, "list"):
		e.w.Str("")
	default:
		at := e.in("content")
		e.content(r.Parts, 0, len(r.Parts), "")
		e.out(at)
	}
	e.homeless(r.Ext)
	e.out(in)
	e.ext(p.Ext)
	e.w.EndObject()
}
