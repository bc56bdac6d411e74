package native

import (
	"reflect"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

func (e *encoder) messages(list []scri.Message) {
	e.BeginArray()
	for i := range list {
		e.message(&list[i])
	}
	e.EndArray()
}

func (e *encoder) message(m *scri.Message) {
	at := e.begin()
	e.key("role")
	e.Str(string(m.Role))
	e.str("id", m.ID)
	e.str("name", m.Name)
	if bare(m.Parts) {
		e.key("content")
		dialect.WriteText(&e.Writer, m.Parts[0].Text)
	} else if len(m.Parts) > 0 {
		e.key("content")
		e.partList(m.Parts)
	}
	e.end(at, m.Ext)
}

// bare reports whether the parts are nothing but one text.
func bare(list []scri.Part) bool {
	if len(list) != 1 {
		return false
	}
	p := &list[0]
	return p.Kind == scri.PartText && p.Ext == nil && p.Cache == nil && len(p.Citations) == 0 && p.Signature == nil &&
		p.Media == nil && p.Call == nil && p.Result == nil && len(p.Raw) == 0
}

func (e *encoder) partList(list []scri.Part) {
	e.BeginArray()
	for i := range list {
		e.part(&list[i])
	}
	e.EndArray()
}

func (e *encoder) part(p *scri.Part) {
	if p.Kind == scri.PartOpaque && asItStood(p) {
		e.Raw(p.Raw)
		return
	}
	at := e.begin()
	if formHas(p.Ext, "kind:type") {
		e.key("type")
	} else {
		e.key("kind")
	}
	e.Str(string(p.Kind))
	e.text("text", p.Text)
	if p.Media != nil {
		e.media(p.Media)
	}
	if p.Call != nil {
		e.key("call")
		e.call(p.Call)
	}
	if p.Result != nil {
		e.result(p.Result)
	}
	each(e, "citations", p.Citations, e.citation)
	if p.Signature != nil {
		e.signature(p.Signature, p.Ext)
	}
	if p.Cache != nil {
		e.cache(p.Cache)
	}
	e.raw("raw", p.Raw)
	if p.Kind == scri.PartOpaque && p.Ext.Of(Name) != nil {
		e.key("ext")
		e.ext(&scri.Ext{Dialect: Name, Members: p.Ext.Members})
		e.end(at, nil)
		return
	}
	e.end(at, p.Ext)
}

// asItStood reports whether an opaque part is one of this dialect that nobody
// has touched, and would be read as such again.
func asItStood(p *scri.Part) bool {
	if p.Ext.Of(Name) == nil || len(p.Raw) == 0 || len(p.Ext.Members) > 0 || formHas(p.Ext, "wrapped") {
		return false
	}
	if !p.Text.IsZero() || p.Media != nil || p.Call != nil || p.Result != nil || len(p.Citations) > 0 ||
		p.Signature != nil || p.Cache != nil {
		return false
	}
	d := &decoder{lenient: true}
	d.Reset(p.Raw)
	var again scri.Part
	d.part(&again)
	return d.end() == nil && again.Kind == scri.PartOpaque && again.Ext.Of(Name) != nil &&
		again.Ext.Members == nil && wire.Equal(again.Raw, p.Raw)
}

func (e *encoder) media(m *scri.Media) {
	e.key("media")
	at := e.begin()
	e.str("type", m.Type)
	e.str("name", m.Name)
	e.text("data", m.Data)
	e.text("url", m.URL)
	e.str("file_id", m.FileID)
	e.text("text", m.Text)
	e.end(at, m.Ext)
}

func (e *encoder) call(c *scri.ToolCall) {
	at := e.begin()
	e.str("id", c.ID)
	e.str("name", c.Name)
	e.text("args", c.Args)
	e.typeOf(c.Type, c.Ext)
	e.str("server", c.Server)
	e.flag("made_id", c.MadeID)
	e.end(at, c.Ext)
}

func (e *encoder) typeOf(t string, x *scri.Ext) {
	if t == "" && formHas(x, "type:function") {
		t = "function"
	}
	e.str("type", t)
}

func (e *encoder) result(r *scri.ToolResult) {
	e.key("result")
	at := e.begin()
	e.str("call_id", r.CallID)
	e.str("name", r.Name)
	if bare(r.Parts) && formHas(r.Ext, "content:string") {
		e.key("content")
		dialect.WriteText(&e.Writer, r.Parts[0].Text)
	} else if len(r.Parts) > 0 {
		e.key("content")
		e.partList(r.Parts)
	}
	e.flag("error", r.Error)
	e.str("server", r.Server)
	e.end(at, r.Ext)
}

func (e *encoder) citation(c *scri.Citation) {
	at := e.begin()
	e.int("start", int64(c.Start))
	e.int("end", int64(c.End))
	e.text("quote", c.Quote)
	e.str("url", c.URL)
	e.str("title", c.Title)
	e.str("document", c.Document)
	e.end(at, c.Ext)
}

func (e *encoder) signature(s *scri.Signature, x *scri.Ext) {
	if e.asItWas(x, "signature", func(d *decoder) bool { return reflect.DeepEqual(d.signature(new(extra)), s) }) {
		return
	}
	e.key("signature")
	at := e.begin()
	e.text("value", s.Value)
	e.str("dialect", s.Dialect)
	e.str("provider", s.Provider)
	e.str("model", s.Model)
	e.flag("redacted", s.Redacted)
	e.child(at, x, "signature")
}

func (e *encoder) cache(c *scri.CacheMark) {
	e.key("cache")
	at := e.begin()
	e.str("ttl", c.TTL)
	e.end(at, c.Ext)
}

func (e *encoder) logProb(t *scri.TokenLogProb) {
	at := e.begin()
	e.text("token", t.Token)
	e.key("logprob")
	e.Float(t.LogProb)
	each(e, "bytes", t.Bytes, func(n *int) { e.Int(int64(*n)) })
	each(e, "top", t.Top, e.logProb)
	e.end(at, t.Ext)
}
