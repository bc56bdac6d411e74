package anthropic

import (
	"strings"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// Types of citations.
const (
	citeChars  = "char_location"
	citePages  = "page_location"
	citeBlocks = "content_block_location"
	citeWeb    = "web_search_result_location"
	citeSearch = "search_result_location"
)

func (d *decoder) citations() []scri.Citation {
	var out []scri.Citation
	for range d.Elements() {
		out = append(out, d.citation())
	}
	return out
}

// citation reads one citation. The positions in it are places in the source,
// not in the text, and stay in the Ext; the type is its form.
func (d *decoder) citation() scri.Citation {
	typ := dialect.Word(d.Peek("type"))
	switch typ {
	case citeChars, citePages, citeBlocks, citeWeb, citeSearch:
	default:
		if d.Kind() != wire.Object {
			d.Fail("a citation is no object")
			return scri.Citation{}
		}
		return scri.Citation{Ext: &scri.Ext{Dialect: Name, Members: d.Raw()}}
	}
	var c scri.Citation
	var u dialect.Unknown
	u.Form(typ)
	for name := range d.Members() {
		into := citationField(&c, typ, name)
		switch {
		case name == "type":
			d.Skip()
		case !d.Some():
			u.Add(d.Member())
		case name == "cited_text":
			c.Quote = scri.QuotedText(d.Str())
		case name == "source" && typ == citeSearch:
			setSource(&c, d.Unquoted())
		case into != nil:
			*into = d.Unquoted()
		default:
			u.Add(d.Member())
		}
	}
	c.Ext = u.Ext(Name)
	return c
}

// citationField is where a string member of a citation goes, or nil.
func citationField(c *scri.Citation, typ, name string) *string {
	switch name {
	case "title":
		if typ == citeWeb || typ == citeSearch {
			return &c.Title
		}
	case "document_title":
		if typ != citeWeb && typ != citeSearch {
			return &c.Title
		}
	case "url":
		if typ == citeWeb {
			return &c.URL
		}
	case "file_id":
		if typ != citeWeb && typ != citeSearch {
			return &c.Document
		}
	}
	return nil
}

// setSource files the source of a search result, which is an address or any
// other name for it.
func setSource(c *scri.Citation, s string) {
	if strings.Contains(s, "://") {
		c.URL = s
	} else {
		c.Document = s
	}
}

// citations writes the citations of a text.
func (e *encoder) citations(p *scri.Part) {
	form := hasForm(p.Ext, "citations")
	if len(p.Citations) == 0 && !form {
		return
	}
	before := len(e.w.B)
	e.w.Key("citations")
	e.w.BeginArray()
	some := form
	in := e.in("citations")
	for i := range p.Citations {
		at := e.at(i)
		some = e.citation(&p.Citations[i]) || some
		e.out(at)
	}
	e.out(in)
	if !some {
		e.w.B = e.w.B[:before]
		return
	}
	e.w.EndArray()
}

// citation writes one citation if the dialect can say it.
func (e *encoder) citation(c *scri.Citation) bool {
	own := c.Ext.Of(Name)
	typ := ""
	if own != nil {
		typ = own.Form
		if typ == "" && c.Quote.IsZero() && c.URL == "" && c.Title == "" && c.Document == "" && len(own.Members) > 0 {
			e.w.Raw(own.Members)
			return true
		}
	}
	switch {
	case typ == citeWeb && !e.answer && wire.NewScanner(own.Members).Peek("encrypted_index") == nil:
		e.drop("", "a citation that was not made by this API cannot be sent back to it")
		return false
	case typ != "":
	case e.answer && c.URL != "":
		typ = citeWeb
	default:
		e.drop("", "no such citation can be made here")
		return false
	}
	e.w.BeginObject()
	e.w.Key("type")
	e.w.Str(typ)
	if !c.Quote.IsZero() {
		e.w.Key("cited_text")
		e.w.B = c.Quote.AppendJSON(e.w.B)
	}
	e.citationNames(c, typ)
	if c.Start != 0 {
		e.drop("start", "a citation is about the whole text")
	}
	if c.End != 0 {
		e.drop("end", "a citation is about the whole text")
	}
	e.ext(c.Ext)
	e.w.EndObject()
	return true
}

func (e *encoder) citationNames(c *scri.Citation, typ string) {
	title, document := "document_title", "file_id"
	switch typ {
	case citeWeb:
		title, document = "title", ""
	case citeSearch:
		title, document = "title", "source"
	}
	e.str(title, c.Title)
	switch {
	case c.Document == "":
	case document == "" || document == "source" && c.URL != "":
		e.drop("document", "")
	default:
		e.str(document, c.Document)
	}
	switch {
	case c.URL == "":
	case typ == citeWeb:
		e.str("url", c.URL)
	case typ == citeSearch:
		e.str("source", c.URL)
	default:
		e.drop("url", "")
	}
}
