package cohere

import (
	"math"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// ofText is the type of a citation that is about the text of an answer, not
// about its plan or its thoughts.
const ofText = "TEXT_CONTENT"

// citation reads one citation and the index of the content that it is about, -1
// if it says none.
func (d *decoder) citation() (c scri.Citation, index int64) {
	var u dialect.Unknown
	index = -1
	start, end := false, false
	for name := range d.Members() {
		switch {
		case name == "start":
			c.Start, start = d.offset(), true
		case name == "end":
			c.End, end = d.offset(), true
		case name == "text" && d.Some():
			c.Quote = scri.QuotedText(d.Str())
		case name == "content_index" && d.Kind() == wire.Number:
			index = int64(d.offset())
			u.Form("index")
		case name == "type" && d.Kind() == wire.String:
			if d.Unquoted() != ofText {
				d.Fail("a citation of something else than text")
			}
			u.Form("type")
		case name == "sources" && d.Kind() == wire.Array:
			d.sources(&c, &u)
		default:
			u.Add(d.Member())
		}
	}
	d.Need(start == end, "an end of the span")
	if !start {
		u.Form("nospan")
	}
	c.Ext = d.ext(&u)
	return c, index
}

func (d *decoder) offset() int {
	n := d.Int()
	if n < 0 || n > math.MaxInt32 {
		d.Fail("%d is no place in a text", n)
		return 0
	}
	return int(n)
}

// sources reads where a citation comes from. The fields tell of the first
// source; all is kept where that is not all.
func (d *decoder) sources(c *scri.Citation, u *dialect.Unknown) {
	raw := d.Raw()
	src, all := firstSource(raw)
	c.Document, c.Title, c.URL = src.id, src.title, src.url
	if all && src.typ != "" {
		u.Form(src.typ)
		return
	}
	u.Add(append([]byte(`"sources":`), raw...))
}

type source struct{ typ, id, title, url string }

// firstSource reads the first of the sources, and tells whether it is the only
// one and nothing but what it returns.
func firstSource(raw []byte) (src source, all bool) {
	d := newDecoder(raw)
	n := 0
	all = true
	for range d.Elements() {
		if n++; n > 1 || d.Kind() != wire.Object {
			all = false
			d.Skip()
			continue
		}
		for name := range d.Members() {
			switch {
			case name == "type" && d.Some():
				if typ := d.Unquoted(); typ == typeDocument || typ == typeTool {
					src.typ = typ
				} else {
					all = false
				}
			case name == "id" && d.Some():
				src.id = d.Unquoted()
			case (name == "document" || name == "tool_output") && d.Kind() == wire.Object:
				all = d.sourceData(&src) && all
				if (name == "document") != (src.typ == typeDocument) {
					all = false // or its type comes later
				}
			default:
				all = false
				d.Skip()
			}
		}
	}
	return src, all && n == 1
}

// sourceData reads the title and the address of a source.
func (d *decoder) sourceData(src *source) (all bool) {
	all = true
	any := false
	for name := range d.Members() {
		switch {
		case name == "title" && d.Some():
			src.title, any = d.Unquoted(), true
		case name == "url" && d.Some():
			src.url, any = d.Unquoted(), true
		default:
			all = false
			d.Skip()
		}
	}
	return all && any
}

// citations writes the citations of the texts, and reports whether it did.
func (e *encoder) citations(m *scri.Message, parts []scri.Part) bool {
	some := false
	first := e.firstText(parts)
	for i := range parts {
		p := &parts[i]
		if len(p.Citations) == 0 || e.index[i] < 0 {
			continue
		}
		if p.Kind != scri.PartText && p.Kind != scri.PartRefusal {
			continue // it was told
		}
		if !some {
			e.w.Key("citations")
			e.w.BeginArray()
			some = true
		}
		at := e.at(i)
		in := e.In("citations")
		for k := range p.Citations {
			at := e.At(k)
			e.citation(&p.Citations[k], e.index[i], first == i)
			e.Out(at)
		}
		e.Out(in)
		e.Out(at)
	}
	switch {
	case some:
		e.w.EndArray()
	case formed(m.Ext, "citations"):
		e.w.Key("citations")
		e.w.Raw([]byte("[]"))
		some = true
	}
	return some
}

// firstText is the first of the parts that is written as a text, or -1.
func (e *encoder) firstText(parts []scri.Part) int {
	for i := range parts {
		if e.index[i] >= 0 && (parts[i].Kind == scri.PartText || parts[i].Kind == scri.PartRefusal) {
			return i
		}
	}
	return -1
}

// citation writes one citation of the content item index; first: it is the text
// that is meant where no index is said.
func (e *encoder) citation(c *scri.Citation, index int, first bool) {
	own := c.Ext.Of(Name) != nil
	e.w.BeginObject()
	start, end := e.offset("start", c.Start), e.offset("end", c.End)
	if start != 0 || end != 0 || own && !formed(c.Ext, "nospan") {
		e.w.Key("start")
		e.w.Int(int64(start))
		e.w.Key("end")
		e.w.Int(int64(end))
	}
	if !c.Quote.IsZero() {
		e.text("text", c.Quote)
	}
	kept := e.sources(c)
	if !own || formed(c.Ext, "type") {
		e.str("type", ofText)
	}
	if !first || formed(c.Ext, "index") {
		e.w.Key("content_index")
		e.w.Int(int64(index))
	}
	e.Ext(&e.w, c.Ext, func(name string) bool {
		switch name {
		case "sources":
			return !kept
		case "start", "end":
			return start != 0 || end != 0
		case "text":
			return !c.Quote.IsZero()
		default:
			return name == "type" && formed(c.Ext, "type") || name == "content_index" && (!first || formed(c.Ext, "index"))
		}
	})
	e.w.EndObject()
}

// offset is n if it is a place in a text, else 0.
func (e *encoder) offset(name string, n int) int {
	if n < 0 || n > math.MaxInt32 {
		e.Drop(name, "no text has such a place")
		return 0
	}
	return n
}

// sources writes where a citation comes from, unless its Ext holds all of it and
// still agrees; kept: it does.
func (e *encoder) sources(c *scri.Citation) (kept bool) {
	src, _ := firstSource(dialect.Member(c.Ext, Name, "sources"))
	if src.id == c.Document && src.title == c.Title && src.url == c.URL {
		typed := formed(c.Ext, typeDocument) || formed(c.Ext, typeTool)
		if c.Document == "" && c.Title == "" && c.URL == "" && !typed || len(dialect.Member(c.Ext, Name, "sources")) > 0 {
			return true
		}
	}
	typ, data := typeDocument, "document"
	if formed(c.Ext, typeTool) {
		typ, data = typeTool, "tool_output"
	}
	e.w.Key("sources")
	e.w.BeginArray()
	e.open(typ)
	e.str("id", c.Document)
	if c.Title != "" || c.URL != "" {
		e.w.Key(data)
		e.w.BeginObject()
		e.str("title", c.Title)
		e.str("url", c.URL)
		e.w.EndObject()
	}
	e.w.EndObject()
	e.w.EndArray()
	return false
}
