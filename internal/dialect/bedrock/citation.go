package bedrock

import (
	"strings"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// citation reads one citation. The places in it are those in the source, not in
// the text, and stay in the Ext as "location".
func (d *decoder) citation() (c scri.Citation) {
	var u dialect.Unknown
	place, web := webURL(d.Peek("location"))
	c.URL = place
	for name := range d.Members() {
		switch {
		case name == "title" && d.Some():
			c.Title = d.Unquoted()
		case name == "source" && d.Some():
			if s := d.Unquoted(); strings.Contains(s, "://") && place == "" {
				c.URL = s
				u.Form("source")
			} else {
				c.Document = s
			}
		case name == "sourceContent" && onlyText(d.peek(), &c.Quote):
			d.Skip()
		case name == "location" && web:
			d.Skip()
		default:
			u.Add(d.Member())
		}
	}
	c.Ext = u.Ext(Name)
	return c
}

// onlyText takes the text of a list that holds one text and nothing else.
func onlyText(raw []byte, into *scri.Text) bool {
	d := newDecoder(raw)
	if d.Kind() != wire.Array {
		return false
	}
	n := 0
	var t scri.Text
	for range d.Elements() {
		for name := range d.Members() {
			if n++; name != "text" || !d.Some() {
				return false
			}
			t = scri.QuotedText(d.Str())
		}
	}
	if n != 1 || d.End() != nil {
		return false
	}
	*into = t
	return true
}

// webURL is the address of a place in the web, and whether there is nothing else.
func webURL(raw []byte) (u string, all bool) {
	d := newDecoder(raw)
	if d.Kind() != wire.Object {
		return "", false
	}
	all = true
	for name := range d.Members() {
		if name != "web" || d.Kind() != wire.Object {
			all = false
			d.Skip()
			continue
		}
		for name := range d.Members() {
			if name == "url" && d.Some() {
				u = d.Unquoted()
			} else {
				all = false
				d.Skip()
			}
		}
	}
	return u, all && u != "" && d.End() == nil
}

// citation writes one citation.
func (e *encoder) citation(c *scri.Citation) {
	e.w.BeginObject()
	e.str("title", c.Title)
	source, place := c.Document, c.URL
	if formed(c.Ext, "source") && c.Document == "" {
		source, place = c.URL, ""
	}
	if source == c.Document && strings.Contains(source, "://") && place == "" {
		e.Drop("document", "it would be taken for an address")
		source = ""
	}
	e.str("source", source)
	if !c.Quote.IsZero() {
		e.w.Key("sourceContent")
		e.w.BeginArray()
		e.w.BeginObject()
		e.text("text", c.Quote)
		e.w.EndObject()
		e.w.EndArray()
	}
	if known, _ := webURL(dialect.Member(c.Ext, Name, "location")); known == place {
		place = "" // it is in the Ext
	}
	if place != "" {
		e.w.Key("location")
		e.w.Raw([]byte(`{"web":{`))
		e.str("url", place)
		e.w.B = append(e.w.B, "}}"...)
	}
	if c.Start != 0 {
		e.Drop("start", "a citation is about the whole text")
	}
	if c.End != 0 {
		e.Drop("end", "a citation is about the whole text")
	}
	e.Ext(&e.w, c.Ext, func(name string) bool {
		return name == "title" && c.Title != "" || name == "source" && source != "" ||
			name == "sourceContent" && !c.Quote.IsZero() || name == "location" && place != ""
	})
	e.w.EndObject()
}
