package anthropic

import (
	"strconv"
	"strings"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// encoder writes the objects of the dialect and notes what it could not say.
type encoder struct {
	w      wire.Writer
	answer bool   // what is written goes to a client, not to a provider
	path   []byte // JSON pointer of the node that is being written
	warn   []scri.Warning
	check  wire.Scanner // of arguments
}

// in goes down to a member of the node, at to an item; out goes back.
func (e *encoder) in(name string) int {
	n := len(e.path)
	e.path = append(append(e.path, '/'), name...)
	return n
}

func (e *encoder) at(i int) int {
	n := len(e.path)
	e.path = strconv.AppendInt(append(e.path, '/'), int64(i), 10)
	return n
}

func (e *encoder) out(n int) { e.path = e.path[:n] }

// lose notes what happened to the node, or to a member of it.
func (e *encoder) lose(code, member, from, to, detail string) {
	path := string(e.path)
	if member != "" {
		path += "/" + member
	}
	e.warn = append(e.warn, scri.Warning{Code: code, Path: path, From: from, To: to, Detail: detail})
}

func (e *encoder) drop(member, detail string) { e.lose(scri.WarnDropped, member, "", "", detail) }

// foreign reports the members that only another dialect knows.
func (e *encoder) foreign(x *scri.Ext) {
	if x == nil || x.Dialect == Name {
		return
	}
	dialect.Foreign(&e.warn, x, Name, func() string { return string(e.path) })
}

// homeless reports all members of an Ext that has no object of its own here.
func (e *encoder) homeless(x *scri.Ext) {
	if x != nil {
		dialect.Foreign(&e.warn, x, "", func() string { return string(e.path) })
	}
}

// ext writes the members that only this dialect knows.
func (e *encoder) ext(x *scri.Ext) {
	if own := x.Of(Name); own != nil {
		e.w.Members(own.Members)
		return
	}
	e.foreign(x)
}

// hasForm reports whether the spelling was noted by this dialect.
func hasForm(x *scri.Ext, word string) bool {
	return dialect.Formed(x, Name, word)
}

func (e *encoder) str(key, v string) {
	if v != "" {
		e.w.Key(key)
		e.w.Str(v)
	}
}

func (e *encoder) text(key string, t scri.Text) {
	e.w.Key(key)
	dialect.WriteText(&e.w, t)
}

func (e *encoder) open(typ string) {
	e.w.BeginObject()
	e.w.Key("type")
	e.w.Str(typ)
}

// tail writes what any block may have.
func (e *encoder) tail(p *scri.Part) {
	e.cache(p.Cache)
	e.ext(p.Ext)
}

func (e *encoder) cache(c *scri.CacheMark) {
	if c == nil {
		return
	}
	e.w.Key("cache_control")
	e.open("ephemeral")
	e.str("ttl", c.TTL)
	in := e.in("cache")
	e.ext(c.Ext)
	e.out(in)
	e.w.EndObject()
}

// part writes a part as a content block and reports whether it could.
func (e *encoder) part(p *scri.Part) bool {
	if p.Signature != nil && p.Kind != scri.PartThinking {
		e.drop("signature", "only thinking is signed here")
	}
	if len(p.Citations) > 0 && p.Kind != scri.PartText {
		e.drop("citations", "only text has citations here")
	}
	switch p.Kind {
	case scri.PartText:
		e.textPart(p)
		return true
	case scri.PartRefusal:
		e.lose(scri.WarnChanged, "kind", string(p.Kind), typeText, "a refusal is a text here")
		e.textPart(p)
		return true
	case scri.PartThinking:
		return e.thinking(p)
	case scri.PartMedia:
		return e.media(p)
	case scri.PartToolCall:
		return e.call(p)
	case scri.PartToolResult:
		return e.result(p)
	case scri.PartOpaque:
		if p.Ext.Of(Name) != nil && len(p.Raw) > 0 {
			e.w.Raw(p.Raw)
			return true
		}
		e.drop("", "a block that only another dialect knows")
		return false
	default:
		e.lose(scri.WarnDropped, "", string(p.Kind), "", "a part of an unknown kind")
		return false
	}
}

func (e *encoder) textPart(p *scri.Part) {
	e.open(typeText)
	e.text("text", p.Text)
	e.citations(p)
	e.tail(p)
	e.w.EndObject()
}

// thinking writes thoughts. A provider takes back only those that it signed; a
// client gets all of them.
func (e *encoder) thinking(p *scri.Part) bool {
	s := p.Signature
	if s != nil && s.Dialect != Name {
		if p.Text.IsZero() || s.Redacted || !e.answer {
			e.drop("", "thoughts that only another provider can read")
			return false
		}
		e.drop("signature", "a signature of another provider")
		s = nil
	}
	bare := hasForm(p.Ext, "unsigned")
	if s == nil && !e.answer && !bare && !hasForm(p.Ext, "signature") {
		e.drop("", "thoughts without a signature cannot be sent back")
		return false
	}
	if s != nil && s.Redacted {
		e.open(typeRedacted)
		e.text("data", s.Value)
	} else {
		e.open(typeThinking)
		e.text("thinking", p.Text)
		switch {
		case s != nil:
			e.text("signature", s.Value)
		case !bare:
			e.text("signature", scri.Text{})
		}
	}
	if p.Cache != nil && p.Ext.Of(Name) == nil {
		e.drop("cache", "thoughts hold no cache breakpoint")
		e.foreign(p.Ext)
	} else {
		e.tail(p)
	}
	e.w.EndObject()
	return true
}

func (e *encoder) call(p *scri.Part) bool {
	c := p.Call
	typ := typeToolUse
	switch {
	case c == nil:
		e.drop("", "a call of nothing")
		return false
	case c.Server != "" && (c.Type == typeServerToolUse || c.Type == typeMCPToolUse):
		typ = c.Type
	case c.Server != "":
		e.lose(scri.WarnDropped, "", c.Type, "", "a call that another provider ran itself")
		return false
	}
	in := e.in("call")
	if typ == typeToolUse && c.Type != "" {
		e.lose(scri.WarnChanged, "type", c.Type, "", "every call is a call of a function here")
	}
	e.open(typ)
	e.str("id", c.ID)
	e.str("name", c.Name)
	if typ == typeMCPToolUse {
		e.str("server_name", c.Server)
	}
	e.w.Key("input")
	e.args(c.Args)
	e.homeless(c.Ext)
	e.out(in)
	e.tail(p)
	e.w.EndObject()
	return true
}

// args writes the arguments of a call, which must be an object.
func (e *encoder) args(t scri.Text) {
	if to, why := dialect.WriteArgs(&e.w, t, &e.check); why != "" {
		e.lose(scri.WarnChanged, "args", "", to, why)
	}
}

func (e *encoder) result(p *scri.Part) bool {
	r := p.Result
	if r == nil {
		e.drop("", "a result of nothing")
		return false
	}
	if own := p.Ext.Of(Name); own != nil && r.Server != "" {
		typ, _, _ := strings.Cut(own.Form, " ")
		if strings.HasSuffix(typ, suffixToolResult) {
			e.serverResult(p, typ)
			return true
		}
	}
	if r.Server != "" {
		e.drop("", "a result of a tool that another provider ran itself")
		return false
	}
	in := e.in("result")
	e.open(typeToolResult)
	e.str("tool_use_id", r.CallID)
	if r.Name != "" {
		e.drop("name", "a result names its call, not the tool")
	}
	e.resultContent(p)
	if r.Error || hasForm(p.Ext, "is_error") {
		e.w.Key("is_error")
		e.w.Bool(r.Error)
	}
	e.homeless(r.Ext)
	e.out(in)
	e.tail(p)
	e.w.EndObject()
	return true
}

func (e *encoder) resultContent(p *scri.Part) {
	parts := p.Result.Parts
	if len(parts) == 0 && !hasForm(p.Ext, "list") {
		return
	}
	e.w.Key("content")
	if len(parts) == 1 && bare(&parts[0]) {
		dialect.WriteText(&e.w, parts[0].Text)
		return
	}
	e.list(parts)
}

// refused reports whether a part is a text of nothing but white space, of which
// the API would make a refusal of all, and tells if anything is lost with it.
func (e *encoder) refused(p *scri.Part) bool {
	if p.Kind != scri.PartText || p.Ext.Of(Name) != nil || !blank(p.Text) {
		return false
	}
	if !p.Text.IsZero() || p.Cache != nil || len(p.Citations) > 0 || p.Ext != nil || p.Signature != nil {
		e.drop("", "a text of white space is refused here")
	}
	return true
}

// list writes parts as a list of blocks.
func (e *encoder) list(parts []scri.Part) {
	e.w.BeginArray()
	in := e.in("content")
	for i := range parts {
		at := e.at(i)
		if !e.refused(&parts[i]) {
			e.part(&parts[i])
		}
		e.out(at)
	}
	e.out(in)
	e.w.EndArray()
}

// bare reports whether a part is nothing but a text.
func bare(p *scri.Part) bool {
	if p.Kind != scri.PartText || p.Cache != nil || p.Signature != nil || len(p.Citations) > 0 {
		return false
	}
	return p.Ext == nil || p.Ext.Dialect == Name && len(p.Ext.Members) == 0 && (p.Ext.Form == "" || p.Ext.Form == "empty")
}

// serverResult writes what a tool of this API's own answered, as it came.
func (e *encoder) serverResult(p *scri.Part, typ string) {
	r := p.Result
	in := e.in("result")
	e.open(typ)
	e.str("tool_use_id", r.CallID)
	e.w.Key("content")
	one := len(r.Parts) == 1
	switch {
	case one && hasForm(p.Ext, "object") && r.Parts[0].Kind == scri.PartOpaque:
		e.w.Raw(r.Parts[0].Raw)
	case one && hasForm(p.Ext, "string") && bare(&r.Parts[0]):
		dialect.WriteText(&e.w, r.Parts[0].Text)
	default:
		e.list(r.Parts)
	}
	if r.Error || hasForm(p.Ext, "is_error") {
		e.w.Key("is_error")
		e.w.Bool(r.Error)
	}
	e.homeless(r.Ext)
	e.out(in)
	e.tail(p)
	e.w.EndObject()
}
