package responses

import (
	"strings"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// items reads a list of items into d.messages. Neighbouring ones of the
// assistant become one message.
func (d *decoder) items() {
	for range d.Elements() {
		d.item()
	}
	d.flush()
}

// flush ends the assistant's message at hand.
func (d *decoder) flush() {
	if len(d.parts) > 0 {
		d.messages = append(d.messages, scri.Message{Role: scri.RoleAssistant, Parts: d.keep(d.parts)})
		d.parts = d.parts[:0]
	}
}

// item reads one item. Whatever does not fit its kind is carried along as it stands.
func (d *decoder) item() {
	n, probs := len(d.parts), len(d.probs)
	kind := d.Peek("type")
	typ := dialect.Word(kind)
	if odd := typ == "" && !isNull(kind); !odd && d.try(func() bool { return d.known(typ) }) {
		return
	}
	d.parts, d.probs = d.parts[:n], d.probs[:probs]
	if d.Kind() != wire.Object {
		d.Fail("expected an item such as {\"role\":\"user\",\"content\":\"...\"} but got %s", d.Kind())
		return
	}
	role := scri.RoleAssistant
	if strings.HasSuffix(typ, "_output") || strings.HasSuffix(typ, "_response") {
		role = scri.RoleUser
	} else if r := dialect.Word(d.Peek("role")); typ == "" || typ == typeMessage {
		if r != "" {
			role = scri.Role(r)
		} else if typ == "" {
			d.Fail("an item needs a type, or a role")
			return
		}
	}
	p := scri.Part{Kind: scri.PartOpaque, Raw: d.Raw(), Ext: d.form("")}
	if role == scri.RoleAssistant || d.answer {
		d.parts = append(d.parts, p)
		return
	}
	d.flush()
	d.messages = append(d.messages, scri.Message{Role: role, Parts: d.one(p)})
}

func (d *decoder) known(typ string) bool {
	switch typ {
	case "", typeMessage:
		return d.message(typ)
	case typeReasoning:
		return d.reasoning()
	case typeCall:
		return d.call("arguments", "")
	case typeCustom:
		return d.call("input", custom)
	case typeOutput:
		return d.output("")
	case typeCustomOut:
		return d.output(custom)
	case typeImageCall:
		return d.image()
	default:
		if args := argsMember(typ); args != "" {
			return d.serverCall(typ, args)
		}
		return false
	}
}

// message reads what somebody said.
func (d *decoder) message(typ string) bool {
	var v envelope
	role, str := "", false
	first := len(d.parts)
	content, odd := false, false
	var parts []scri.Part
	from := d.Mark()
	if role = dialect.Word(d.Peek("role")); role == "" {
		return false
	}
	d.Rewind(from)
	own := role == string(scri.RoleAssistant)
	if d.answer && !own {
		return false
	}
	for name := range d.Members() {
		switch name {
		case "type", "role":
			d.Skip()
		case "content":
			content = true
			if str = d.Kind() == wire.String; str {
				parts = append(parts, scri.Part{Kind: scri.PartText, Text: scri.QuotedText(d.Str())})
				continue
			}
			if d.Kind() != wire.Array {
				odd = true
				d.Skip()
				continue
			}
			parts = d.content(role, parts)
		default:
			v.add(d, name)
		}
	}
	if !content || odd || own && len(parts) == 0 {
		return false
	}
	if own {
		d.parts = append(d.parts[:first], parts...)
		d.begin(first, &v, typ, str)
		return true
	}
	d.flush()
	m := scri.Message{Role: scri.Role(role), Parts: d.keep(parts)}
	m.Ext = d.speaker(&m, &v, typ, str)
	d.messages = append(d.messages, m)
	return true
}

// begin notes at the parts from first on that they are one item.
func (d *decoder) begin(first int, v *envelope, typ string, str bool) {
	for i := first; i < len(d.parts); i++ {
		p := &d.parts[i]
		var u dialect.Unknown
		u.Put(p.Ext)
		if i > first {
			u.Form("+")
			p.Ext = d.ext(&u)
			continue
		}
		u.Form("item")
		if typ == "" {
			u.Form("notype")
		}
		if str {
			u.Form("string")
		}
		v.nested(&u)
		p.Ext = d.ext(&u)
	}
}

// speaker is the Ext of a message that is no assistant's.
func (d *decoder) speaker(m *scri.Message, v *envelope, typ string, str bool) *scri.Ext {
	u := &v.light
	if obj := v.heavy.Object(); obj != nil {
		u.Add(obj[1 : len(obj)-1])
	}
	if typ != "" {
		u.Form("type")
	}
	if !str && (len(m.Parts) == 0 || len(m.Parts) == 1 && bare(&m.Parts[0])) {
		u.Form("list")
	}
	switch m.Role {
	case scri.RoleUser, scri.RoleSystem, scri.RoleDeveloper:
	default:
		u.Form("role")
	}
	if !u.Empty() {
		u.Form(dialect.Slight + "id " + dialect.Slight + "status")
	}
	return d.ext(u)
}

// bare reports whether a part is nothing but a text.
func bare(p *scri.Part) bool {
	return p.Kind == scri.PartText && p.Cache == nil && p.Signature == nil && len(p.Citations) == 0 && p.Ext == nil
}

// reasoning reads what the model thought: a summary, the thoughts themselves,
// and what only their issuer can read. The latter belongs to the last text.
func (d *decoder) reasoning() bool {
	var v envelope
	var secret scri.Text
	first := len(d.parts)
	var summary, thoughts []scri.Part
	hasSummary, hasContent, hasSecret := false, false, false
	for name := range d.Members() {
		switch {
		case name == "type":
			d.Skip()
		case name == "summary" && d.Kind() == wire.Array:
			hasSummary = true
			summary = d.thoughts(typeSummary, "summary")
		case name == "content" && d.Kind() == wire.Array:
			hasContent = true
			thoughts = d.thoughts(typeThought, typeThought)
		case name == "encrypted_content" && d.Kind() == wire.String:
			secret, hasSecret = scri.QuotedText(d.Str()), true
		case name == "summary" || (name == "content" || name == "encrypted_content") && d.Kind() != wire.Null:
			return false
		default:
			v.add(d, name)
		}
	}
	if hasSecret && secret.IsZero() || !hasSecret && len(summary)+len(thoughts) == 0 && !v.heavy.Empty() {
		return false
	}
	d.parts = append(append(d.parts[:first], summary...), thoughts...)
	if len(d.parts) == first {
		d.parts = append(d.parts, scri.Part{Kind: scri.PartThinking})
	}
	if hasSecret {
		last := &d.parts[len(d.parts)-1]
		last.Signature = &scri.Signature{Value: secret, Dialect: Name, Redacted: last.Text.IsZero()}
		var u dialect.Unknown
		u.Put(last.Ext)
		u.Form("secret")
		last.Ext = d.ext(&u)
	}
	head := &d.parts[first]
	var u dialect.Unknown
	u.Put(head.Ext)
	if !hasSummary {
		u.Form("nosummary")
	}
	if hasContent && len(thoughts) == 0 {
		u.Form("content")
	}
	head.Ext = d.ext(&u)
	d.begin(first, &v, typeReasoning, false)
	return true
}

// thoughts reads a list of texts of the type.
func (d *decoder) thoughts(typ, word string) (list []scri.Part) {
	for range d.Elements() {
		p := scri.Part{Kind: scri.PartThinking}
		var u dialect.Unknown
		there, typed := false, false
		for name := range d.Members() {
			switch name {
			case "type":
				if t := d.Unquoted(); t != typ {
					d.Fail("a text of type %q", t)
				}
				typed = true
			case "text":
				p.Text, there = scri.QuotedText(d.Str()), true
			default:
				u.Add(d.Member())
			}
		}
		d.need(there && typed, "text")
		u.Form(word)
		p.Ext = d.ext(&u)
		list = append(list, p)
	}
	return list
}

// call reads a call of one of the client's tools.
func (d *decoder) call(args, typ string) bool {
	c := d.newCall()
	p := scri.Part{Kind: scri.PartToolCall, Call: c}
	var u dialect.Unknown
	there := false
	for name := range d.Members() {
		switch {
		case name == "type":
			d.Skip()
		case d.null(&u):
		case name == "call_id":
			c.ID = d.Unquoted()
		case name == "name":
			c.Name = d.Unquoted()
		case name == args:
			c.Args, there = scri.QuotedText(d.Str()), true
		case name == "id" || name == "status":
			if raw := d.Member(); !d.begins || dialect.Word(value(raw)) != statusInProgress {
				slight(&u, name, raw)
			}
		default:
			u.Add(d.Member())
		}
	}
	if c.ID == "" || c.Name == "" || !there {
		return false
	}
	if c.Args.IsZero() {
		u.Form("empty")
	}
	c.Type, p.Ext = typ, d.ext(&u)
	d.called = true
	d.parts = append(d.parts, p)
	return true
}

// output reads what a tool of the client answered.
func (d *decoder) output(typ string) bool {
	r := d.newResult()
	p := scri.Part{Kind: scri.PartToolResult, Result: r}
	var u dialect.Unknown
	if typ != "" {
		u.Form(typ)
	}
	there := false
	for name := range d.Members() {
		switch {
		case name == "type":
			d.Skip()
		case d.null(&u):
		case name == "call_id":
			r.CallID = d.Unquoted()
		case name == "output" && d.Kind() == wire.String:
			r.Parts, there = d.one(scri.Part{Kind: scri.PartText, Text: scri.QuotedText(d.Str())}), true
		case name == "output" && d.Kind() == wire.Array:
			there = true
			if r.Parts = d.keep(d.content("", nil)); len(r.Parts) == 0 || len(r.Parts) == 1 && bare(&r.Parts[0]) {
				u.Form("list")
			}
		case name == "id" || name == "status":
			slight(&u, name, d.Member())
		default:
			u.Add(d.Member())
		}
	}
	if r.CallID == "" || !there || d.answer {
		return false
	}
	p.Ext = d.ext(&u)
	d.flush()
	d.messages = append(d.messages, scri.Message{Role: scri.RoleTool, Parts: d.one(p)})
	return true
}

// serverCall reads a call of a tool that the provider runs itself, with what
// came of it as members that only this dialect knows.
func (d *decoder) serverCall(typ, args string) bool {
	c := d.newCall()
	p := scri.Part{Kind: scri.PartToolCall, Call: c}
	c.Type, c.Server = typ, server
	c.Name = strings.TrimSuffix(typ, "_call")
	var u dialect.Unknown
	there, mcp := false, typ == typeMCPCall
	if mcp {
		c.Server, c.Name = "", ""
	}
	for name := range d.Members() {
		switch {
		case name == "type":
			d.Skip()
		case d.null(&u):
		case name == "id" && d.Kind() == wire.String:
			c.ID = d.Unquoted()
		case mcp && name == args && d.Kind() == wire.String:
			c.Args, there = scri.QuotedText(d.Str()), true
		case mcp && name == "name":
			c.Name = d.Unquoted()
		case mcp && name == "server_label":
			c.Server = d.Unquoted()
		case !mcp && name == args:
			c.Args, there = scri.PlainText(d.Raw()), true
		case name == "status":
			slight(&u, name, d.Member())
		default:
			u.Add(d.Member())
		}
	}
	if !there || c.ID == "" || c.Server == "" || c.Name == "" {
		return false
	}
	if p.Ext = d.ext(&u); p.Ext == nil {
		p.Ext = d.form("")
	}
	d.parts = append(d.parts, p)
	return true
}

// image reads a picture that the model made.
func (d *decoder) image() bool {
	m := &scri.Media{Type: "image/png"}
	p := scri.Part{Kind: scri.PartMedia, Media: m}
	var u dialect.Unknown
	for name := range d.Members() {
		switch {
		case name == "type":
			d.Skip()
		case d.null(&u):
		case name == "result" && d.Kind() == wire.String:
			m.Data = scri.QuotedText(d.Str())
		case name == "id" || name == "status":
			slight(&u, name, d.Member())
		case name == "output_format" && d.Kind() == wire.String:
			raw := d.Member()
			m.Type = "image/" + dialect.Word(value(raw))
			slight(&u, name, raw)
		default:
			u.Add(d.Member())
		}
	}
	if m.Data.IsZero() || strings.ContainsAny(m.Type, `" `) {
		return false
	}
	u.Form("image")
	p.Ext = d.ext(&u)
	d.parts = append(d.parts, p)
	return true
}
