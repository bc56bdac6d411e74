package native

import (
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

func (d *decoder) messages() []scri.Message {
	var out []scri.Message
	for range d.Elements() {
		if len(out) == cap(out) { // grows slowly enough for append, but seldom
			out = append(make([]scri.Message, 0, 16+2*cap(out)), out...)
		}
		out = append(out, scri.Message{})
		d.message(&out[len(out)-1])
	}
	return out
}

func (d *decoder) message(m *scri.Message) {
	var x extra
	there := false
	for name := range d.Members() {
		if d.null(&x) {
			continue
		}
		switch name {
		case "role":
			m.Role = roleOf(d.Unquoted(), d.own)
			there = m.Role != ""
		case "id":
			m.ID = d.str(&x, name)
		case "name":
			m.Name = d.str(&x, name)
		case "content":
			m.Parts = d.content(&x, name)
		case "ext":
			d.ext(&x, false)
		default:
			x.keep(d.Member())
		}
	}
	d.require(there, "role")
	m.Ext = x.result()
}

// content reads a string or a list of parts.
func (d *decoder) content(x *extra, name string) []scri.Part {
	switch d.Kind() {
	case wire.String:
		out := d.cut(1)
		out[0] = scri.Part{Kind: scri.PartText, Text: scri.QuotedText(d.Str())}
		return out
	case wire.Array, wire.Invalid:
		return d.partList(x, name)
	default:
		d.Fail("must be a string or a list of parts")
		return nil
	}
}

func (d *decoder) partList(x *extra, name string) []scri.Part {
	start := len(d.parts)
	for range d.Elements() {
		d.parts = append(d.parts, scri.Part{})
		var p scri.Part // not in the scratch: nested lists move it
		d.part(&p)
		d.parts[len(d.parts)-1] = p
	}
	n := len(d.parts) - start
	if n == 0 {
		x.zero(name, "[]")
		return nil
	}
	out := d.cut(n)
	copy(out, d.parts[start:])
	clear(d.parts[start:])
	d.parts = d.parts[:start]
	return out
}

// cut returns room for n parts. Many short lists share one piece of memory:
// they live and die together.
func (d *decoder) cut(n int) []scri.Part {
	if n > len(d.room) {
		if n > 8 {
			return make([]scri.Part, n)
		}
		d.room = make([]scri.Part, 16)
	}
	out := d.room[:n:n]
	d.room = d.room[n:]
	return out
}

// roleOf returns the constant of a known role, so that it needs no bytes.
func roleOf(s string, own bool) scri.Role {
	switch r := scri.Role(s); r {
	case scri.RoleUser:
		return scri.RoleUser
	case scri.RoleAssistant:
		return scri.RoleAssistant
	case scri.RoleTool:
		return scri.RoleTool
	case scri.RoleSystem:
		return scri.RoleSystem
	case scri.RoleDeveloper:
		return scri.RoleDeveloper
	default:
		if own {
			return scri.Role(string([]byte(s)))
		}
		return r
	}
}

// partKind returns the constant of a known kind, or "".
func partKind(s string) scri.PartKind {
	switch scri.PartKind(s) {
	case scri.PartText:
		return scri.PartText
	case scri.PartThinking:
		return scri.PartThinking
	case scri.PartRefusal:
		return scri.PartRefusal
	case scri.PartMedia:
		return scri.PartMedia
	case scri.PartToolCall:
		return scri.PartToolCall
	case scri.PartToolResult:
		return scri.PartToolResult
	case scri.PartOpaque:
		return scri.PartOpaque
	default:
		return ""
	}
}

// part reads a part. One of a kind nobody knows is carried as it stands; so is
// in an answer one that does not fit its kind, while a request is refused.
func (d *decoder) part(p *scri.Part) {
	if k := d.Kind(); k != wire.Object && k != wire.Invalid && !d.lenient {
		d.Fail(`must be an object with a "kind"`)
		return
	}
	spelled := "kind"
	kind, told := d.kindOf("kind")
	if !told {
		spelled = "type"
		kind, told = d.kindOf("type")
	}
	d.require(told, "kind")
	m := d.mark()
	if kind != "" {
		p.Kind = kind
		d.partOf(p, spelled)
		if !d.lenient || !d.misfit(m) {
			return
		}
		d.back(m)
	}
	*p = scri.Part{Kind: scri.PartOpaque, Raw: d.Raw(), Ext: &scri.Ext{Dialect: Name}}
}

// kindOf looks at the kind of the part that comes next. It reports whether
// there is one at all; one that is not known is "".
func (d *decoder) kindOf(name string) (kind scri.PartKind, there bool) {
	raw := d.Peek(name)
	if len(raw) < 2 || raw[0] != '"' {
		return "", false
	}
	return partKind(string(raw[1 : len(raw)-1])), true
}

func (d *decoder) partOf(p *scri.Part, spelled string) {
	var x extra
	for name := range d.Members() {
		if (name != "raw" || p.Kind != scri.PartOpaque) && d.null(&x) { // what stands there may have been a null
			continue
		}
		switch name {
		case spelled:
			d.Skip()
		case "text":
			p.Text = d.text(&x, name)
		case "media":
			p.Media = d.media()
		case "call":
			p.Call = d.call()
		case "result":
			p.Result = d.result()
		case "citations":
			p.Citations = list(d, &x, name, d.citation)
		case "signature":
			d.child(&x, name, func(c *extra) { p.Signature = d.signature(c) })
		case "cache":
			p.Cache = d.cache()
		case "raw":
			p.Raw = scri.RawJSON(d.Raw())
		case "ext":
			d.ext(&x, p.Kind == scri.PartOpaque)
		default:
			x.keep(d.Member())
		}
	}
	d.partExt(p, &x, spelled)
}

func (d *decoder) partExt(p *scri.Part, x *extra, spelled string) {
	if spelled == "type" {
		if x.ext == nil && x.members == nil && x.form == "" {
			if d.typed == nil {
				d.typed = &scri.Ext{Dialect: Name, Form: "kind:type"}
			}
			p.Ext = d.typed
			return
		}
		x.word("kind:type")
	}
	p.Ext = x.result()
	if p.Kind == scri.PartOpaque && asItStood(p) {
		own := *p.Ext
		own.Form = "wrapped"
		p.Ext = &own
	}
}
