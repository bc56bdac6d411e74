package cohere

import (
	"strconv"
	"strings"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// decoder reads the objects of the dialect. Texts and raw values alias the
// document.
type decoder struct {
	dialect.Decoder
	answer bool // what does not fit is kept in Ext instead of refused
	sub    *decoder
	forms  []*scri.Ext // one for each spelling seen, shared by all who have it
	calls  int         // seen so far
}

func newDecoder(doc []byte) *decoder {
	d := new(decoder)
	d.Reset(doc)
	return d
}

// inside returns a decoder of a value that was read raw.
func (d *decoder) inside(raw []byte) *decoder {
	if d.sub == nil {
		d.sub = &decoder{answer: d.answer}
	}
	d.sub.Reset(raw)
	return d.sub
}

// maxForms bounds how many spellings are remembered.
const maxForms = 64

// ext is u's Ext, shared where it says nothing but a spelling.
func (d *decoder) ext(u *dialect.Unknown) *scri.Ext {
	x := u.Ext(Name)
	if x == nil || len(x.Members) > 0 {
		return x
	}
	for _, known := range d.forms {
		if known.Form == x.Form {
			return known
		}
	}
	if len(d.forms) < maxForms {
		d.forms = append(d.forms, x)
	}
	return x
}

// try reads a value with f. If it does not fit, the walk is back before the
// value and try reports false; broken JSON stays broken.
func (d *decoder) try(f func() bool) bool {
	m := d.Mark()
	if f() && d.Err() == nil {
		return true
	}
	if d.Err() != nil && !dialect.Misfit(d.Err()) {
		return true
	}
	d.Rewind(m)
	return false
}

// item reads one item of a content. Whatever does not fit one of the kinds is
// carried along as it stands.
func (d *decoder) item() (p scri.Part) {
	if d.try(func() (ok bool) {
		p, ok = d.known(dialect.Word(d.Peek("type")))
		return ok
	}) {
		return p
	}
	return opaque(d.Raw(), "")
}

func opaque(raw []byte, form string) scri.Part {
	return scri.Part{Kind: scri.PartOpaque, Raw: raw, Ext: &scri.Ext{Dialect: Name, Form: form}}
}

func (d *decoder) known(typ string) (scri.Part, bool) {
	switch {
	case typ == typeText, typ == typeThinking:
		return d.text(typ), true
	case d.answer: // which hold nothing else
		return scri.Part{}, false
	case typ == typeImage:
		return d.image(), true
	case typ == typeDocument:
		return d.documentItem(), true
	default:
		return scri.Part{}, false
	}
}

// text reads a text or a thought, which stand in a member of their type's name.
func (d *decoder) text(typ string) scri.Part {
	p := scri.Part{Kind: scri.PartText}
	if typ == typeThinking {
		p.Kind = scri.PartThinking
	}
	var u dialect.Unknown
	there := false
	for name := range d.Members() {
		switch {
		case d.KeepNull(&u):
		case name == "type":
			d.Skip()
		case name == typ:
			p.Text, there = scri.QuotedText(d.Str()), true
		default:
			u.Add(d.Member())
		}
	}
	d.Need(there, typ)
	p.Ext = d.ext(&u)
	return p
}

func (d *decoder) image() scri.Part {
	m := &scri.Media{Type: anyImage}
	p := scri.Part{Kind: scri.PartMedia, Media: m}
	var u, inner dialect.Unknown
	for name := range d.Members() {
		switch {
		case d.KeepNull(&u):
		case name == "type":
			d.Skip()
		case name == typeImage:
			for name := range d.Members() {
				if name == "url" {
					m.URL = scri.QuotedText(d.Str())
				} else {
					inner.Add(d.Member())
				}
			}
		default:
			u.Add(d.Member())
		}
	}
	d.Need(!m.URL.IsZero(), "url")
	if typ, data, ok := dialect.SplitDataURL(m.URL); ok && typ != "" && !data.IsZero() && !strings.HasSuffix(typ, "*") {
		m.Type, m.Data, m.URL = typ, data, scri.Text{}
	}
	d.Need(isImage(m), "an image")
	m.Ext, p.Ext = d.ext(&inner), d.ext(&u)
	return p
}

// documentItem reads a document that stands in a content.
func (d *decoder) documentItem() (p scri.Part) {
	var u dialect.Unknown
	u.Form(formItem)
	for name := range d.Members() {
		switch {
		case d.KeepNull(&u):
		case name == "type":
			d.Skip()
		case name == "document" && p.Media == nil:
			p.Media = d.document()
		default:
			u.Add(d.Member())
		}
	}
	d.Need(p.Media != nil, "document")
	p.Kind, p.Ext = scri.PartMedia, d.ext(&u)
	return p
}

// document reads the object that holds a document and, perhaps, its id.
func (d *decoder) document() *scri.Media {
	m := &scri.Media{Type: mimePlain}
	var u dialect.Unknown
	id, title := "", ""
	for name := range d.Members() {
		switch {
		case name == "id" && d.Some():
			id = d.Unquoted()
		case name == "data" && d.Some():
			m.Text = scri.QuotedText(d.Str())
			u.Form("data")
		case name == "data" && d.Kind() == wire.Object:
			raw := d.Raw()
			var plain bool
			if title, m.Text, plain = plainData(raw); !plain {
				m.Type, m.Text = mimeJSON, scri.PlainText(raw)
			}
		default:
			u.Add(d.Member())
		}
	}
	d.Need(!m.Text.IsZero(), "data")
	switch m.Name = title; {
	case id == "":
	case title == "":
		m.Name = id
		u.Form("id")
	default:
		u.Add(append([]byte(`"id":`), wire.AppendQuote(nil, id)...))
	}
	m.Ext = d.ext(&u)
	return m
}

// plainData takes the data of a document apart that is nothing but a text with,
// perhaps, a title.
func plainData(raw []byte) (title string, text scri.Text, ok bool) {
	d := newDecoder(raw)
	for name := range d.Members() {
		switch {
		case name == "text" && d.Some():
			text = scri.QuotedText(d.Str())
		case name == "title" && d.Some():
			title = d.Unquoted()
		default:
			return "", scri.Text{}, false
		}
	}
	if d.End() != nil || text.IsZero() {
		return "", scri.Text{}, false
	}
	return title, text, true
}

// call reads one of the calls of a message; false: it is of another shape.
func (d *decoder) call() (p scri.Part, ok bool) {
	c := new(scri.ToolCall)
	var u, inner dialect.Unknown
	named, typed, given := false, false, false
	for name := range d.Members() {
		switch {
		case name == "id" && d.Some():
			c.ID, given = d.Unquoted(), true
		case name == "type" && d.Kind() == wire.String:
			if d.Unquoted() != typeFunction {
				return p, false
			}
			typed = true
		case name == typeFunction && d.Kind() == wire.Object:
			named = d.function(c, &u, &inner)
		default:
			u.Add(d.Member())
		}
	}
	if !named {
		return p, false
	}
	if !typed {
		u.Form("-type")
	}
	if !given {
		d.calls++
		c.ID, c.MadeID = "call_"+strconv.Itoa(d.calls), true
		u.Form("noid")
	}
	if obj := inner.Object(); obj != nil {
		u.Add(append([]byte(`"function":`), obj...))
		u.Form("+inner")
	}
	return scri.Part{Kind: scri.PartToolCall, Call: c, Ext: d.ext(&u)}, true
}

// function reads the name and the arguments of a call.
func (d *decoder) function(c *scri.ToolCall, u, inner *dialect.Unknown) (named bool) {
	form := "noargs"
	for name := range d.Members() {
		switch {
		case name == "name" && d.Some():
			c.Name, named = d.Unquoted(), true
		case name == "arguments" && d.Kind() == wire.String:
			c.Args, form = scri.QuotedText(d.Str()), ""
			if c.Args.IsZero() {
				form = "empty"
			}
		default:
			inner.Add(d.Member())
		}
	}
	if form != "" {
		u.Form(form)
	}
	return named
}
