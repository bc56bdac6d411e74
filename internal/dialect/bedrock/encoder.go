package bedrock

import (
	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// encoder writes the objects of the dialect and notes what it could not say.
type encoder struct {
	dialect.Trail
	w      wire.Writer
	answer bool // what is written goes to a client, not to a provider
	inside bool // of a result
	docs   int  // documents so far: each needs a name
	check  wire.Scanner
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

// open begins a block.
func (e *encoder) open(block string) {
	e.w.BeginObject()
	e.w.Key(block)
	e.w.BeginObject()
}

// done ends a block: what only this dialect knows of it goes into its object,
// and beside it.
func (e *encoder) done(x *scri.Ext, has func(name string) bool) {
	e.inner(x, has)
	e.w.EndObject()
	e.beside(x)
}

func (e *encoder) inner(x *scri.Ext, has func(name string) bool) {
	e.Ext(&e.w, e.within(x), has)
}

// within is an Ext less what stood beside the block's own object.
func (e *encoder) within(x *scri.Ext) *scri.Ext {
	if !formed(x, "+block") {
		return x
	}
	var u dialect.Unknown
	s := wire.NewScanner(x.Members)
	for name := range s.Members() {
		if m := s.Member(); name != "_block" {
			u.Add(m)
		}
	}
	return &scri.Ext{Dialect: Name, Members: u.Object()}
}

func (e *encoder) beside(x *scri.Ext) {
	if formed(x, "+block") {
		e.w.Members(dialect.Member(x, Name, "_block"))
	}
	e.w.EndObject()
}

// refused reports whether a part is a text of nothing but white space, of which
// the API would make a refusal of all, and tells if anything is lost with it.
func (e *encoder) refused(p *scri.Part) bool {
	if p.Kind != scri.PartText && p.Kind != scri.PartRefusal || p.Ext.Of(Name) != nil || !blank(p.Text) {
		return false
	}
	if len(p.Citations) > 0 && (e.answer || ownCitations(p)) {
		return false
	}
	if p.Cache != nil || len(p.Citations) > 0 || p.Ext != nil || p.Signature != nil || !p.Text.IsZero() && !e.answer {
		e.Drop("", "a text of white space is refused here")
		return true
	}
	return p.Text.IsZero()
}

// part writes a part as a block, and a cache point behind it, and reports
// whether it could.
func (e *encoder) part(p *scri.Part) bool {
	if e.refused(p) {
		return false
	}
	if p.Signature != nil && p.Kind != scri.PartThinking {
		e.Drop("signature", "only thinking is signed here")
	}
	if len(p.Citations) > 0 && p.Kind != scri.PartText && p.Kind != scri.PartRefusal {
		e.Drop("citations", "only text has citations here")
	}
	if !e.block(p) {
		return false
	}
	switch {
	case p.Cache == nil:
	case e.answer || e.inside || p.Kind == scri.PartThinking && p.Cache.Ext.Of(Name) == nil:
		e.Drop("cache", "no cache point can stand here")
	default:
		e.cache(p.Cache)
	}
	return true
}

func (e *encoder) cache(c *scri.CacheMark) {
	e.open(blockCache)
	e.w.Key("type")
	e.w.Str("default")
	e.str("ttl", c.TTL)
	in := e.In("cache")
	e.Ext(&e.w, c.Ext, func(name string) bool { return name == "type" || name == "ttl" && c.TTL != "" })
	e.Out(in)
	e.w.EndObject()
	e.w.EndObject()
}

// block writes a part as a block and reports whether it could.
func (e *encoder) block(p *scri.Part) bool {
	switch p.Kind {
	case scri.PartText:
		e.textBlock(p)
		return true
	case scri.PartRefusal:
		e.Tell(scri.WarnChanged, "kind", string(p.Kind), string(scri.PartText), "a refusal is a text here")
		e.textBlock(p)
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
		e.Drop("", "a block that only another dialect knows")
	default:
		e.Tell(scri.WarnDropped, "", string(p.Kind), "", "a part of an unknown kind")
	}
	return false
}

func (e *encoder) textBlock(p *scri.Part) {
	cited := len(p.Citations) > 0 || formed(p.Ext, "cited")
	if cited && !e.answer && p.Ext.Of(Name) == nil && !ownCitations(p) {
		e.Drop("citations", "citations that were not made by this API cannot be sent back to it")
		cited = false
	}
	switch {
	case formed(p.Ext, "json"):
		e.w.BeginObject()
		e.w.Key(blockJSON)
		e.w.B = p.Text.AppendText(e.w.B)
		e.inner(p.Ext, nil)
		e.beside(p.Ext)
	case formed(p.Ext, "guard"):
		e.open(blockGuard)
		e.w.Key("text")
		e.w.BeginObject()
		e.text("text", p.Text)
		e.inner(p.Ext, func(name string) bool { return name == "text" })
		e.w.EndObject()
		e.w.EndObject()
		e.beside(p.Ext)
	case cited:
		e.cited(p)
	default:
		e.w.BeginObject()
		e.text(blockText, p.Text)
		e.inner(p.Ext, func(name string) bool { return name == blockText })
		e.beside(p.Ext)
	}
}

// ownCitations reports whether the citations of a text are this API's.
func ownCitations(p *scri.Part) bool {
	for i := range p.Citations {
		if p.Citations[i].Ext.Of(Name) == nil {
			return false
		}
	}
	return true
}

func (e *encoder) cited(p *scri.Part) {
	e.open(blockCited)
	if !p.Text.IsZero() || formed(p.Ext, "empty") {
		e.w.Key("content")
		e.w.BeginArray()
		e.w.BeginObject()
		e.text("text", p.Text)
		e.w.EndObject()
		e.w.EndArray()
	}
	if len(p.Citations) > 0 || formed(p.Ext, "none") {
		e.w.Key("citations")
		e.w.BeginArray()
		in := e.In("citations")
		for i := range p.Citations {
			at := e.At(i)
			e.citation(&p.Citations[i])
			e.Out(at)
		}
		e.Out(in)
		e.w.EndArray()
	}
	e.done(p.Ext, func(name string) bool {
		return name == "citations" && len(p.Citations) > 0 || name == "content" && !p.Text.IsZero()
	})
}

// thinking writes thoughts. A provider takes back only those that it signed; a
// client gets all of them.
func (e *encoder) thinking(p *scri.Part) bool {
	s := p.Signature
	if s != nil && s.Dialect != Name {
		if p.Text.IsZero() || s.Redacted || !e.answer {
			e.Drop("", "thoughts that only another provider can read")
			return false
		}
		e.Drop("signature", "a signature of another provider")
		s = nil
	}
	if s == nil && p.Text.IsZero() && p.Ext.Of(Name) == nil {
		if p.Ext != nil && len(p.Ext.Members) > 0 {
			e.Drop("", "there is no thought to read")
		}
		return false // says nothing
	}
	e.open(blockThinking)
	if s != nil && s.Redacted {
		e.text("redactedContent", s.Value)
	} else {
		e.w.Key("reasoningText")
		e.w.BeginObject()
		e.text("text", p.Text)
		switch {
		case s != nil:
			e.text("signature", s.Value)
		case formed(p.Ext, "signature"):
			e.text("signature", scri.Text{})
		}
		e.w.EndObject()
	}
	e.done(p.Ext, nil)
	return true
}

func (e *encoder) call(p *scri.Part) bool {
	c := p.Call
	switch {
	case c == nil:
		e.Drop("", "a call of nothing")
		return false
	case c.Server != "" && c.Type != "server_tool_use":
		e.Tell(scri.WarnDropped, "", c.Type, "", "a call that another provider ran itself")
		return false
	case c.Server != "" && c.Server != server:
		e.Drop("call/server", "the API runs its tools itself")
	}
	in := e.In("call")
	if c.Server == "" && c.Type != "" {
		e.Tell(scri.WarnChanged, "type", c.Type, "", "every call is a call of a function here")
	}
	e.open(blockCall)
	e.w.Key("toolUseId")
	e.w.Str(c.ID)
	e.w.Key("name")
	e.w.Str(c.Name)
	e.w.Key("input")
	e.args(c.Args)
	switch {
	case c.Server != "":
		e.str("type", c.Type)
	case formed(p.Ext, "type"):
		e.str("type", "tool_use")
	}
	e.Homeless(c.Ext)
	e.Out(in)
	e.done(p.Ext, func(name string) bool {
		return name == "name" || name == "type" && (c.Server != "" || formed(p.Ext, "type"))
	})
	return true
}

// args writes the arguments of a call, which must be an object.
func (e *encoder) args(t scri.Text) {
	if to, why := dialect.WriteArgs(&e.w, t, &e.check); why != "" {
		e.Tell(scri.WarnChanged, "args", "", to, why)
	}
}

func (e *encoder) result(p *scri.Part) bool {
	r := p.Result
	switch {
	case r == nil:
		e.Drop("", "a result of nothing")
		return false
	case r.Server != "" && (p.Ext.Of(Name) == nil || r.Server != server):
		e.Drop("", "a result of a tool that another provider ran itself")
		return false
	}
	in := e.In("result")
	if r.Server == "" && r.Name != "" {
		e.Drop("name", "a result names its call, not the tool")
	}
	e.open(blockResult)
	e.w.Key("toolUseId")
	e.w.Str(r.CallID)
	some := len(r.Parts) > 0 || formed(p.Ext, "list") || p.Ext.Of(Name) == nil
	if some {
		e.w.Key("content")
		e.w.BeginArray()
		list := e.In("content")
		e.inside = true
		for i := range r.Parts {
			at := e.At(i)
			e.resultPart(&r.Parts[i])
			e.Out(at)
		}
		e.inside = false
		e.Out(list)
		e.w.EndArray()
	}
	switch {
	case r.Error:
		e.str("status", "error")
	case formed(p.Ext, "status"):
		e.str("status", "success")
	}
	if r.Server != "" {
		e.str("type", r.Name+"_result")
	}
	e.Homeless(r.Ext)
	e.Out(in)
	e.done(p.Ext, func(name string) bool {
		return name == "content" && some || name == "status" && (r.Error || formed(p.Ext, "status")) || name == "type" && r.Server != ""
	})
	return true
}

// resultPart writes one part of a result, which holds texts and media.
func (e *encoder) resultPart(p *scri.Part) {
	switch p.Kind {
	case scri.PartThinking, scri.PartToolCall, scri.PartToolResult:
		e.Drop("", "a result holds texts and media only")
		return
	default:
	}
	if len(p.Citations) > 0 && p.Ext.Of(Name) == nil {
		e.Drop("citations", "results cite nothing here")
		q := *p
		q.Citations = nil
		p = &q
	}
	e.part(p)
}
