package openai

import (
	"bytes"
	"strings"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// value is what of a member follows its name.
func value(member []byte) []byte {
	if len(member) == 0 {
		return nil
	}
	i := 1
	for i < len(member) && member[i] != '"' { // names of fields hold no escapes
		i++
	}
	i = bytes.IndexByte(member[i:], ':') + i + 1
	return bytes.TrimLeft(member[i:], " \t\r\n")
}

// reasoning makes parts of the up to three members that hold thoughts. Where
// several say the same, there is one part, and its spelling names them all.
func (d *decoder) reasoning(f *fields, u *dialect.Unknown) {
	if f.reasoning[0] == nil && f.reasoning[1] == nil && f.reasoning[2] == nil {
		return
	}
	details := false
	if m := f.reasoning[2]; m != nil {
		if details = d.details(value(m)); !details {
			u.Add(m)
		}
	}
	words := [2]string{fieldContent, fieldReasoning}
	var texts [2]scri.Text
	for i := range words {
		v := value(f.reasoning[i])
		switch {
		case v == nil:
		case v[0] != '"':
			u.Add(f.reasoning[i])
		case len(v) == 2:
			f.note(words[i] + "=")
		default:
			texts[i] = scri.QuotedText(v)
		}
	}
	if details {
		d.doubled(f.reasoning, u, words, texts)
		return
	}
	switch {
	case texts[0].IsZero() && texts[1].IsZero():
	case !texts[0].IsZero() && texts[0].Equal(texts[1]):
		d.thought(texts[0], fieldContent+" "+fieldReasoning)
	default:
		for i, t := range texts {
			if !t.IsZero() {
				d.thought(t, words[i])
			}
		}
	}
}

func (d *decoder) thought(t scri.Text, form string) {
	d.thoughts = append(d.thoughts, scri.Part{Kind: scri.PartThinking, Text: t, Ext: d.form(form)})
}

// doubled deals with texts beside reasoning_details: they repeat what the
// details say, or are kept as they stand.
func (d *decoder) doubled(raw [3][]byte, u *dialect.Unknown, words [2]string, texts [2]scri.Text) {
	var b strings.Builder
	for i := range d.thoughts {
		if s := d.thoughts[i].Signature; s == nil || !s.Redacted {
			b.WriteString(d.thoughts[i].Text.String())
		}
	}
	all := b.String()
	for i, t := range texts {
		switch {
		case t.IsZero():
		case t.String() == all:
			for j := range d.thoughts {
				e := *d.thoughts[j].Ext
				e.Form += " +" + words[i]
				d.thoughts[j].Ext = &e
			}
		default:
			u.Add(raw[i])
		}
	}
}

// details reads the list reasoning_details.
func (d *decoder) details(raw []byte) bool {
	sub := decoder{lenient: true, forms: d.forms}
	sub.Reset(raw)
	ok := sub.Kind() == wire.Array
	if ok {
		for range sub.Elements() {
			ok = ok && sub.detail()
		}
	}
	if !ok || sub.Err() != nil || len(sub.thoughts) == 0 {
		return false
	}
	d.forms = sub.forms
	d.thoughts = append(d.thoughts, sub.thoughts...)
	return true
}

// detail reads one item of reasoning_details.
func (d *decoder) detail() bool {
	p := scri.Part{Kind: scri.PartThinking}
	var u dialect.Unknown
	form := ""
	switch dialect.Word(d.Peek("type")) {
	case "reasoning.text":
		form = "details:text"
	case "reasoning.summary":
		form = "details:summary"
	case "reasoning.encrypted":
		form = "details:encrypted"
	default:
		return false
	}
	for member := range d.Members() {
		switch {
		case member == "type":
			d.Skip()
		case d.Kind() == wire.String && (member == "text" && form == "details:text" || member == "summary" && form == "details:summary"):
			if p.Text = scri.QuotedText(d.Str()); p.Text.IsZero() {
				u.Form("empty")
			}
		case member == "signature" && d.Kind() == wire.String && form == "details:text":
			if q := d.Str(); len(q) > 2 {
				p.Signature = &scri.Signature{Value: scri.QuotedText(q), Dialect: name}
			} else {
				u.Form("unsigned")
			}
		case member == "data" && d.Kind() == wire.String && form == "details:encrypted":
			p.Signature = &scri.Signature{Value: scri.QuotedText(d.Str()), Dialect: name, Redacted: true}
		default:
			u.Add(d.Member())
		}
	}
	if form == "details:encrypted" && p.Signature == nil {
		return false
	}
	u.Form(form)
	p.Ext = u.Ext(name)
	d.thoughts = append(d.thoughts, p)
	return true
}

// thinkingPart reads Mistral's item of a content list: a list of texts.
func (d *decoder) thinkingPart() bool {
	var u dialect.Unknown
	first := len(d.content)
	p := scri.Part{Kind: scri.PartThinking}
	ok := false
	for member := range d.Members() {
		if member != "thinking" {
			d.outer(&p, member, &u)
			continue
		}
		if d.Kind() == wire.String {
			d.content = append(d.content, scri.Part{Kind: scri.PartThinking, Text: scri.QuotedText(d.Str())})
			u.Form("string")
			ok = true
			continue
		}
		ok = true
		for range d.Elements() {
			ok = d.thinkingText() && ok
		}
	}
	if !ok || len(d.content) == first {
		return false
	}
	u.Form("item")
	d.content[first].Ext, d.content[first].Cache = u.Ext(name), p.Cache
	for i := first + 1; i < len(d.content); i++ {
		d.content[i].Ext = d.form("item+")
	}
	return true
}

func (d *decoder) thinkingText() bool {
	p := scri.Part{Kind: scri.PartThinking}
	ok := true
	for member := range d.Members() {
		switch member {
		case "type":
			ok = d.plain() == "text" && ok
		case "text":
			p.Text = scri.QuotedText(d.Str())
		default:
			ok = false
			d.Skip()
		}
	}
	d.content = append(d.content, p)
	return ok
}

// annotations reads a list of URL citations; any other kind is kept as it stands.
func (d *decoder) annotations(f *fields) bool {
	f.citations = nil
	n := 0
	for range d.Elements() {
		n++
		c, ok := d.citation()
		if !ok {
			return false
		}
		f.citations = append(f.citations, c)
	}
	if n == 0 {
		f.note("annotations[]")
	}
	return true
}

func (d *decoder) citation() (c scri.Citation, ok bool) {
	var u, inner dialect.Unknown
	indexes, typed := 0, false
	for member := range d.Members() {
		switch member {
		case "type":
			typed = true
			if d.plain() != "url_citation" {
				return c, false
			}
		case "url_citation":
			for member := range d.Members() {
				indexes += d.citationField(&c, member, &u, &inner)
			}
		default:
			u.Add(d.Member())
		}
	}
	if indexes == 1 || c.URL == "" || !typed {
		return c, false
	}
	if indexes == 0 {
		u.Form("noindex")
	}
	if !inner.Empty() {
		u.Add(append([]byte(`"url_citation":`), inner.Object()...))
		u.Form("+url_citation")
	}
	c.Ext = d.ownExt(&u)
	return c, true
}

// citationField reads a member of a url_citation and returns how many indexes
// it was.
func (d *decoder) citationField(c *scri.Citation, member string, u, inner *dialect.Unknown) int {
	switch {
	case member == "url" && d.Kind() == wire.String:
		c.URL = d.plain()
	case member == "title" && d.Kind() == wire.String:
		if c.Title = d.plain(); c.Title == "" {
			u.Form("title=")
		}
	case member == "content" && d.Kind() == wire.String:
		if c.Quote = scri.QuotedText(d.Str()); c.Quote.IsZero() {
			u.Form("content=")
		}
	case member == "start_index":
		c.Start = int(d.Int())
		return 1
	case member == "end_index":
		c.End = int(d.Int())
		return 1
	default:
		inner.Add(d.Member())
	}
	return 0
}

// ownExt is u's Ext, there even if it is empty: it tells whose the thing is.
func (d *decoder) ownExt(u *dialect.Unknown) *scri.Ext {
	if e := u.Ext(name); e != nil {
		return e
	}
	return d.form("")
}

// cite binds the citations to the text that they are about.
func (d *decoder) cite(f *fields) {
	if len(f.citations) == 0 {
		return
	}
	for i := range d.content {
		if d.content[i].Kind == scri.PartText {
			d.content[i].Citations = f.citations
			return
		}
	}
	// A message of nothing but sources: an empty text to hold them.
	d.content = append(d.content, scri.Part{Kind: scri.PartText, Citations: f.citations, Ext: d.form("made")})
}
