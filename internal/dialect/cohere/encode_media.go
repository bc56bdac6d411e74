package cohere

import (
	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// image writes an image as an item of a content.
func (e *encoder) image(p *scri.Part) {
	m := p.Media
	in := e.In("media")
	if m.Name != "" {
		e.Drop("name", "an image has no name")
	}
	if m.FileID != "" {
		e.Drop("file_id", "ids of files belong to whoever gave them")
	}
	if !m.Text.IsZero() {
		e.Drop("text", "an image has no text")
	}
	e.open(typeImage)
	e.w.Key(typeImage)
	e.w.BeginObject()
	e.w.Key("url")
	if m.Data.IsZero() {
		dialect.WriteText(&e.w, m.URL)
		if m.Type != anyImage {
			e.Tell(scri.WarnChanged, "type", m.Type, anyImage, "the type of what is referred to is not sent")
		}
	} else {
		typ := m.Type
		if !dialect.FitsDataURL(typ) {
			if typ = dialect.SniffImage(m.Data); typ == "" {
				typ = "image/png"
			}
			e.Tell(scri.WarnChanged, "type", m.Type, typ, "the type had to be guessed")
		}
		if !m.URL.IsZero() {
			e.Drop("url", "the data itself is sent")
		}
		e.w.Comma()
		e.w.B = dialect.AppendDataURL(e.w.B, typ, m.Data)
	}
	e.Ext(&e.w, m.Ext, nil)
	e.Out(in)
	e.w.EndObject()
	e.Ext(&e.w, p.Ext, nil)
	e.w.EndObject()
}

// documentItem writes a document as an item of a content.
func (e *encoder) documentItem(p *scri.Part) {
	e.open(typeDocument)
	e.w.Key("document")
	e.w.BeginObject()
	e.document(p)
	e.w.EndObject()
	e.Ext(&e.w, p.Ext, nil)
	e.w.EndObject()
}

// isDocument reports whether a part can be one of the documents of a request.
func isDocument(p *scri.Part) bool {
	if p.Kind == scri.PartOpaque {
		return formed(p.Ext, formDocument)
	}
	return p.Kind == scri.PartMedia && p.Media != nil && !p.Media.Text.IsZero() && !isImage(p.Media) && !formed(p.Ext, formItem)
}

// requestDocument writes one of the documents of the request.
func (e *encoder) requestDocument(p *scri.Part) {
	e.ornaments(p)
	switch {
	case p.Kind == scri.PartOpaque:
		e.w.Raw(p.Raw)
	case formed(p.Ext, "string") && p.Media.Name == "" && p.Media.Ext == nil && p.Media.Type == mimePlain && len(p.Ext.Members) == 0:
		dialect.WriteText(&e.w, p.Media.Text)
	default:
		e.w.BeginObject()
		e.document(p)
		e.Ext(&e.w, p.Ext, nil)
		e.w.EndObject()
	}
}

// document writes the members of a document.
func (e *encoder) document(p *scri.Part) {
	m := p.Media
	in := e.In("media")
	for _, f := range []struct {
		there bool
		name  string
	}{{!m.Data.IsZero(), "data"}, {!m.URL.IsZero(), "url"}, {m.FileID != "", "file_id"}} {
		if f.there {
			e.Drop(f.name, "the text itself is sent")
		}
	}
	object := m.Type == mimeJSON && isObject(m.Text)
	id := m.Name
	if !object && m.Type != mimePlain {
		e.Tell(scri.WarnChanged, "type", m.Type, mimePlain, "documents are plain text here")
	}
	e.w.Key("data")
	switch {
	case object:
		e.w.Comma()
		e.w.B = m.Text.AppendText(e.w.B)
	case formed(m.Ext, "data") && (id == "" || formed(m.Ext, "id")):
		dialect.WriteText(&e.w, m.Text)
	default:
		e.w.BeginObject()
		if !formed(m.Ext, "id") {
			e.str("title", m.Name)
			id = ""
		}
		e.text("text", m.Text)
		e.w.EndObject()
	}
	e.str("id", id)
	e.Ext(&e.w, m.Ext, func(name string) bool { return name == "data" || name == "id" && id != "" })
	e.Out(in)
}

// isObject reports whether a text is a JSON object that is more than a title and
// a text: else it is told by these.
func isObject(t scri.Text) bool {
	raw := t.AppendText(nil)
	s := wire.NewScanner(raw)
	if s.Kind() != wire.Object {
		return false
	}
	if s.Skip(); s.End() != nil || wire.Valid(raw) != nil {
		return false
	}
	_, _, plain := plainData(raw)
	return !plain
}
