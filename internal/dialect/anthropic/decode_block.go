package anthropic

import (
	"strings"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// Types of content blocks that stand for a kind of part.
const (
	typeText          = "text"
	typeThinking      = "thinking"
	typeRedacted      = "redacted_thinking"
	typeImage         = "image"
	typeDocument      = "document"
	typeSearchResult  = "search_result"
	typeToolUse       = "tool_use"
	typeServerToolUse = "server_tool_use"
	typeMCPToolUse    = "mcp_tool_use"
	typeToolResult    = "tool_result"
	typeMCPToolResult = "mcp_tool_result"
	suffixToolResult  = "_tool_result"

	// server is who runs the tools of the API itself; MCP servers have names.
	server    = "server"
	mcpServer = "mcp"
)

// decoder reads the objects of the dialect. Texts and raw values alias the
// document.
type decoder struct {
	dialect.Decoder
}

func newDecoder(doc []byte) *decoder {
	d := new(decoder)
	d.Reset(doc)
	return d
}

// str takes a string that says something; an empty one is kept as it stands.
func (d *decoder) str(u *dialect.Unknown, into *string) {
	if d.Empty() {
		u.Add(d.Member())
		return
	}
	*into = d.Unquoted()
}

// block reads one content block. Whatever does not fit one of the kinds is
// carried along as it stands.
func (d *decoder) block() scri.Part {
	m := d.Mark()
	p, ok := d.known(dialect.Word(d.Peek("type")))
	if ok && d.Err() == nil {
		return p
	}
	if ok && !dialect.Misfit(d.Err()) {
		return scri.Part{}
	}
	d.Rewind(m)
	return opaque(d.Raw())
}

func opaque(raw []byte) scri.Part {
	return scri.Part{Kind: scri.PartOpaque, Raw: raw, Ext: &scri.Ext{Dialect: Name}}
}

func (d *decoder) known(typ string) (scri.Part, bool) {
	switch typ {
	case typeText:
		return d.text(), true
	case typeThinking:
		return d.thinking(), true
	case typeRedacted:
		return d.redacted(), true
	case typeImage:
		return d.image(), true
	case typeDocument:
		return d.document(), true
	case typeSearchResult:
		return d.searchResult(), true
	case typeToolUse, typeServerToolUse, typeMCPToolUse:
		return d.toolUse(typ), true
	case typeToolResult:
		return d.toolResult(), true
	}
	if strings.HasSuffix(typ, suffixToolResult) && !strings.ContainsAny(typ, " ") {
		return d.serverResult(typ), true
	}
	return scri.Part{}, false
}

func (d *decoder) text() scri.Part {
	p := scri.Part{Kind: scri.PartText}
	var u dialect.Unknown
	there := false
	for name := range d.Members() {
		if d.KeepNull(&u) {
			continue
		}
		switch name {
		case "type":
			d.Skip()
		case "text":
			p.Text, there = scri.QuotedText(d.Str()), true
		case "citations":
			if p.Citations = d.citations(); p.Citations == nil {
				u.Form("citations")
			}
		case "cache_control":
			p.Cache = d.cache(&u)
		default:
			u.Add(d.Member())
		}
	}
	d.Need(there, "text")
	if blank(p.Text) {
		u.Form("empty")
	}
	p.Ext = u.Ext(Name)
	return p
}

// blank reports whether a text is nothing but white space, as far as anybody
// writes such.
func blank(t scri.Text) bool { return t.Size() <= 64 && strings.TrimSpace(t.String()) == "" }

func (d *decoder) thinking() scri.Part {
	p := scri.Part{Kind: scri.PartThinking}
	var u dialect.Unknown
	there, form := false, "unsigned"
	for name := range d.Members() {
		if d.KeepNull(&u) {
			continue
		}
		switch name {
		case "type":
			d.Skip()
		case "thinking":
			p.Text, there = scri.QuotedText(d.Str()), true
		case "signature":
			form = "signature"
			if v := scri.QuotedText(d.Str()); !v.IsZero() {
				p.Signature = &scri.Signature{Value: v, Dialect: Name}
			}
		case "cache_control":
			p.Cache = d.cache(&u)
		default:
			u.Add(d.Member())
		}
	}
	d.Need(there, "thinking")
	if p.Signature == nil {
		u.Form(form)
	}
	p.Ext = u.Ext(Name)
	return p
}

func (d *decoder) redacted() scri.Part {
	p := scri.Part{Kind: scri.PartThinking}
	var u dialect.Unknown
	for name := range d.Members() {
		if d.KeepNull(&u) {
			continue
		}
		switch name {
		case "type":
			d.Skip()
		case "data":
			p.Signature = &scri.Signature{Value: scri.QuotedText(d.Str()), Dialect: Name, Redacted: true}
		case "cache_control":
			p.Cache = d.cache(&u)
		default:
			u.Add(d.Member())
		}
	}
	d.Need(p.Signature != nil, "data")
	p.Ext = u.Ext(Name)
	return p
}

func (d *decoder) toolUse(typ string) scri.Part {
	c := new(scri.ToolCall)
	p := scri.Part{Kind: scri.PartToolCall, Call: c}
	switch typ {
	case typeServerToolUse:
		c.Type, c.Server = typ, server
	case typeMCPToolUse:
		c.Type = typ
	}
	var u dialect.Unknown
	there := false
	for name := range d.Members() {
		if d.KeepNull(&u) {
			continue
		}
		switch {
		case name == "type":
			d.Skip()
		case name == "id":
			d.str(&u, &c.ID)
		case name == "name":
			d.str(&u, &c.Name)
		case name == "input":
			c.Args, there = d.input(), true
		case name == "server_name" && typ == typeMCPToolUse:
			d.str(&u, &c.Server)
		case name == "cache_control":
			p.Cache = d.cache(&u)
		default:
			u.Add(d.Member())
		}
	}
	d.Need(c.ID != "", "id")
	d.Need(c.Name != "", "name")
	d.Need(there, "input")
	d.Need(c.Server != "" || typ == typeToolUse, "server_name")
	p.Ext = u.Ext(Name)
	return p
}

// input reads the arguments of a call, which must be an object.
func (d *decoder) input() scri.Text {
	if d.Kind() != wire.Object {
		d.Fail("input is no object")
		return scri.Text{}
	}
	return scri.PlainText(d.Raw())
}

func (d *decoder) toolResult() scri.Part {
	r := new(scri.ToolResult)
	p := scri.Part{Kind: scri.PartToolResult, Result: r}
	var u dialect.Unknown
	for name := range d.Members() {
		if d.KeepNull(&u) {
			continue
		}
		switch name {
		case "type":
			d.Skip()
		case "tool_use_id":
			d.str(&u, &r.CallID)
		case "content":
			if r.Parts = d.content(); len(r.Parts) == 0 {
				u.Form("list")
			}
		case "is_error":
			if r.Error = d.Bool(); !r.Error {
				u.Form("is_error")
			}
		case "cache_control":
			p.Cache = d.cache(&u)
		default:
			u.Add(d.Member())
		}
	}
	p.Ext = u.Ext(Name)
	return p
}

// content reads a string or a list of blocks.
func (d *decoder) content() []scri.Part {
	if d.Kind() == wire.String {
		p := scri.Part{Kind: scri.PartText, Text: scri.QuotedText(d.Str())}
		if blank(p.Text) {
			p.Ext = &scri.Ext{Dialect: Name, Form: "empty"}
		}
		return []scri.Part{p}
	}
	if d.Kind() != wire.Array {
		d.Fail("expected a string or a list of content blocks but got %s", d.Kind())
		return nil
	}
	var out []scri.Part
	for range d.Elements() {
		out = append(out, d.block())
	}
	return out
}

// serverResult reads what a tool that the provider runs itself answered.
func (d *decoder) serverResult(typ string) scri.Part {
	r := &scri.ToolResult{Server: server, Name: strings.TrimSuffix(typ, suffixToolResult)}
	if typ == typeMCPToolResult {
		r.Server, r.Name = mcpServer, ""
	}
	p := scri.Part{Kind: scri.PartToolResult, Result: r}
	var u dialect.Unknown
	u.Form(typ)
	there := false
	for name := range d.Members() {
		if d.KeepNull(&u) {
			continue
		}
		switch name {
		case "type":
			d.Skip()
		case "tool_use_id":
			d.str(&u, &r.CallID)
		case "content":
			there = true
			r.Parts = d.serverContent(typ, &u)
		case "is_error":
			if r.Error = d.Bool(); !r.Error {
				u.Form("is_error")
			}
		case "cache_control":
			p.Cache = d.cache(&u)
		default:
			u.Add(d.Member())
		}
	}
	d.Need(there, "content")
	p.Ext = u.Ext(Name)
	return p
}

func (d *decoder) serverContent(typ string, u *dialect.Unknown) []scri.Part {
	switch {
	case d.Kind() == wire.String:
		u.Form("string")
		return d.content()
	case d.Kind() == wire.Object:
		u.Form("object")
		return []scri.Part{opaque(d.Raw())}
	case typ == typeMCPToolResult:
		return d.content()
	}
	var out []scri.Part
	for range d.Elements() {
		out = append(out, opaque(d.Raw()))
	}
	return out
}

// cache reads a prompt-cache breakpoint; one of a type that is not known is
// kept as an unknown member.
func (d *decoder) cache(u *dialect.Unknown) *scri.CacheMark {
	if dialect.Word(d.Peek("type")) != "ephemeral" {
		u.Add(d.Member())
		return nil
	}
	c := new(scri.CacheMark)
	var own dialect.Unknown
	for name := range d.Members() {
		switch {
		case name == "type":
			d.Skip()
		case name == "ttl" && d.Some():
			c.TTL = d.Unquoted()
		default:
			own.Add(d.Member())
		}
	}
	c.Ext = own.Ext(Name)
	return c
}
