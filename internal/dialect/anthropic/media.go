package anthropic

import (
	"encoding/base64"
	"strings"
	"unicode/utf8"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

const (
	mimePDF   = "application/pdf"
	mimePlain = "text/plain"
	anyImage  = "image/*"
)

func (d *decoder) image() scri.Part {
	p := scri.Part{Kind: scri.PartMedia}
	var u dialect.Unknown
	for name := range d.Members() {
		if d.KeepNull(&u) {
			continue
		}
		switch name {
		case "type":
			d.Skip()
		case "source":
			p.Media = d.source(anyImage, anyImage)
		case "cache_control":
			p.Cache = d.cache(&u)
		default:
			u.Add(d.Member())
		}
	}
	d.Need(p.Media != nil, "source")
	if p.Media != nil && !strings.HasPrefix(p.Media.Type, "image/") {
		d.Fail("an image of type %q", p.Media.Type)
	}
	p.Ext = u.Ext(Name)
	return p
}

func (d *decoder) document() scri.Part {
	p := scri.Part{Kind: scri.PartMedia}
	var u dialect.Unknown
	title := ""
	for name := range d.Members() {
		if d.KeepNull(&u) {
			continue
		}
		switch {
		case name == "type":
			d.Skip()
		case name == "source":
			p.Media = d.source(mimePDF, "")
		case name == "title" && !d.Empty():
			title = d.Unquoted()
		case name == "cache_control":
			p.Cache = d.cache(&u)
		default:
			u.Add(d.Member())
		}
	}
	d.Need(p.Media != nil, "source")
	if m := p.Media; m != nil {
		m.Name = title
		if strings.HasPrefix(m.Type, "image/") || !m.Data.IsZero() && textual(m.Type) {
			d.Fail("a document of type %q", m.Type)
		}
	}
	p.Ext = u.Ext(Name)
	return p
}

// textual reports whether bytes of the type are a text.
func textual(mime string) bool {
	return strings.HasPrefix(mime, "text/") || mime == "application/json" || mime == "application/xml"
}

// source reads where a medium comes from. The types are what is known of one
// that is given by its address or by a file's id.
func (d *decoder) source(ofURL, ofFile string) *scri.Media {
	typ := dialect.Word(d.Peek("type"))
	m := new(scri.Media)
	var u dialect.Unknown
	mime := ""
	for name := range d.Members() {
		if d.KeepNull(&u) {
			continue
		}
		switch {
		case name == "type":
			d.Skip()
		case name == "media_type" && (typ == "base64" || typ == "text"):
			mime = d.Unquoted()
		case name == "data" && typ == "base64":
			m.Data = scri.QuotedText(d.Str())
		case name == "data" && typ == "text", name == "content" && typ == "content":
			m.Text = scri.QuotedText(d.Str())
		case name == "url" && typ == "url":
			m.URL = scri.QuotedText(d.Str())
		case name == "file_id" && typ == "file":
			m.FileID = d.Unquoted()
		default:
			u.Add(d.Member())
		}
	}
	var there bool
	switch typ {
	case "base64":
		there = !m.Data.IsZero() && mime != ""
	case "text":
		there = !m.Text.IsZero() && mime == mimePlain
	case "content":
		there, mime = !m.Text.IsZero(), mimePlain
		u.Form("content")
	case "url":
		there, mime = !m.URL.IsZero(), ofURL
	case "file":
		there, mime = m.FileID != "", ofFile
	default:
		there = false
	}
	d.Need(there, "what the source names")
	m.Type, m.Ext = mime, u.Ext(Name)
	return m
}

// searchResult reads a search result of one plain text; richer ones do not fit.
func (d *decoder) searchResult() scri.Part {
	m := &scri.Media{Type: mimePlain}
	p := scri.Part{Kind: scri.PartMedia, Media: m}
	var u dialect.Unknown
	u.Form(typeSearchResult)
	for name := range d.Members() {
		if d.KeepNull(&u) {
			continue
		}
		switch {
		case name == "type":
			d.Skip()
		case name == "title" && !d.Empty():
			m.Name = d.Unquoted()
		case name == "content":
			m.Text = d.onlyText()
		case name == "cache_control":
			p.Cache = d.cache(&u)
		default:
			u.Add(d.Member())
		}
	}
	d.Need(!m.Text.IsZero(), "content")
	p.Ext = u.Ext(Name)
	return p
}

// onlyText reads a list of exactly one text block with nothing but its text.
func (d *decoder) onlyText() (t scri.Text) {
	for i := range d.Elements() {
		d.Need(i == 0 && d.Kind() == wire.Object && dialect.Word(d.Peek("type")) == typeText, "a single text")
		for name := range d.Members() {
			switch name {
			case "type":
				d.Skip()
			case "text":
				t = scri.QuotedText(d.Str())
			default:
				d.Fail("%s beside the text", name)
			}
		}
	}
	return t
}

// media writes an image or a document, if the medium is one.
func (e *encoder) media(p *scri.Part) bool {
	m := p.Media
	typ := typeDocument
	switch {
	case m == nil, m.Data.IsZero() && m.URL.IsZero() && m.FileID == "" && m.Text.IsZero():
		e.drop("", "a medium without content")
		return false
	case e.answer:
		e.drop("", "an answer holds no media here")
		return false
	case strings.HasPrefix(m.Type, "audio/"), strings.HasPrefix(m.Type, "video/"):
		e.lose(scri.WarnDropped, "", m.Type, "", "only images and documents are understood")
		return false
	case strings.HasPrefix(m.Type, "image/") && m.Text.IsZero(), m.Type == "" && dialect.SniffImage(m.Data) != "":
		typ = typeImage
	case hasForm(p.Ext, typeSearchResult) && !m.Text.IsZero():
		e.searchResult(p)
		return true
	}
	e.w.BeginObject()
	e.w.Key("type")
	e.w.Str(typ)
	in := e.in("media")
	if typ == typeDocument {
		e.str("title", m.Name)
	} else if m.Name != "" {
		e.drop("name", "an image has no name")
	}
	e.w.Key("source")
	e.source(m, typ)
	e.out(in)
	e.tail(p)
	e.w.EndObject()
	return true
}

func (e *encoder) searchResult(p *scri.Part) {
	e.w.BeginObject()
	e.w.Key("type")
	e.w.Str(typeSearchResult)
	e.str("title", p.Media.Name)
	e.w.Key("content")
	e.w.BeginArray()
	e.w.BeginObject()
	e.w.Key("type")
	e.w.Str(typeText)
	e.text("text", p.Media.Text)
	e.w.EndObject()
	e.w.EndArray()
	in := e.in("media")
	e.homeless(p.Media.Ext)
	e.out(in)
	e.tail(p)
	e.w.EndObject()
}

// source writes where a medium comes from: the first of its bytes, its text,
// its file and its address that there is.
func (e *encoder) source(m *scri.Media, typ string) {
	e.w.BeginObject()
	e.w.Key("type")
	switch {
	case !m.Data.IsZero():
		e.bytesSource(m, typ)
	case !m.Text.IsZero():
		e.textSource(m)
	case m.FileID != "":
		e.w.Str("file")
		e.str("file_id", m.FileID)
		e.assumed(m, typ, "")
	default:
		e.w.Str("url")
		e.text("url", m.URL)
		e.assumed(m, typ, mimePDF)
	}
	if !m.Data.IsZero() || !m.Text.IsZero() || m.FileID != "" {
		if !m.URL.IsZero() {
			e.drop("url", "the content itself is sent")
		}
	}
	if (!m.Data.IsZero() || !m.Text.IsZero()) && m.FileID != "" {
		e.drop("file_id", "the content itself is sent")
	}
	if !m.Data.IsZero() && !m.Text.IsZero() {
		e.drop("text", "the bytes themselves are sent")
	}
	e.ext(m.Ext)
	e.w.EndObject()
}

func (e *encoder) bytesSource(m *scri.Media, typ string) {
	mime := m.Type
	if typ == typeDocument && textual(mime) {
		if b, err := base64.StdEncoding.DecodeString(m.Data.String()); err == nil && len(b) > 0 && utf8.Valid(b) {
			e.lose(scri.WarnChanged, "data", "base64", "text", "a document in plain text is sent as such")
			e.lose(scri.WarnAdded, "text", "", "", "what the bytes say")
			if mime != mimePlain {
				e.lose(scri.WarnChanged, "type", mime, mimePlain, "")
			}
			e.w.Str("text")
			e.str("media_type", mimePlain)
			e.text("data", scri.PlainText(b))
			return
		}
	}
	switch {
	case mime == "" || strings.HasSuffix(mime, "/*"):
		was := mime
		if mime = dialect.SniffImage(m.Data); mime == "" {
			mime = mimePDF
			if typ == typeImage {
				mime = "image/png"
			}
		}
		e.lose(scri.WarnChanged, "type", was, mime, "the type had to be guessed")
	case mime == "image/jpg":
		mime = "image/jpeg"
		e.lose(scri.WarnChanged, "type", m.Type, mime, "")
	}
	e.w.Str("base64")
	e.str("media_type", mime)
	e.text("data", m.Data)
}

func (e *encoder) textSource(m *scri.Media) {
	if m.Type != mimePlain {
		e.lose(scri.WarnChanged, "type", m.Type, mimePlain, "documents are plain text here")
	}
	if hasForm(m.Ext, "content") {
		e.w.Str("content")
		e.text("content", m.Text)
		return
	}
	e.w.Str("text")
	e.str("media_type", mimePlain)
	e.text("data", m.Text)
}

// assumed reports when the type of a medium that is only referred to cannot be
// said and will be taken for another.
func (e *encoder) assumed(m *scri.Media, typ, document string) {
	becomes := document
	if typ == typeImage {
		becomes = anyImage
	}
	if m.Type != becomes {
		e.lose(scri.WarnChanged, "type", m.Type, becomes, "the type of what is referred to is not sent")
	}
}
