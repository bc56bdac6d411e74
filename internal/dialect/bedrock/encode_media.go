package bedrock

import (
	"strconv"
	"strings"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/scri"
)

// media writes an image, a document, a film or a sound, if the API can be shown
// it: it takes bytes, and what lies in S3.
func (e *encoder) media(p *scri.Part) bool {
	m := p.Media
	own := p.Ext.Of(Name) != nil || m != nil && m.Ext.Of(Name) != nil
	switch {
	case m == nil, m.Data.IsZero() && m.URL.IsZero() && m.FileID == "" && m.Text.IsZero():
		e.Drop("", "a medium without content")
		return false
	case e.answer && !own:
		e.Drop("", "an answer holds no media here")
		return false
	case formed(p.Ext, blockSearch) && !m.Text.IsZero():
		e.search(p)
		return true
	}
	mime := e.typeOf(m)
	block, format := formatOf(mime)
	switch {
	case block == "":
		e.Tell(scri.WarnDropped, "", m.Type, "", "a format that is not understood")
		return false
	case m.Data.IsZero() && (m.Text.IsZero() || block != blockDocument) && !s3(m):
		e.Drop("", "only its bytes can be sent, or where in S3 they are")
		return false
	}
	in := e.In("media")
	if mime != m.Type {
		e.Tell(scri.WarnChanged, "type", m.Type, mime, "the type had to be guessed")
	}
	guard := formed(p.Ext, "guard")
	if guard {
		e.w.BeginObject()
		e.w.Key(blockGuard)
	}
	e.open(block)
	e.str("format", format)
	if block == blockDocument {
		e.docName(m, own)
	} else if m.Name != "" {
		e.Drop("name", "only documents have names")
	}
	e.source(m, block)
	e.Out(in)
	e.inner(p.Ext, func(name string) bool { return name == "format" || name == "source" || name == "name" && m.Name != "" })
	e.w.EndObject()
	if guard {
		e.w.EndObject()
	}
	e.beside(p.Ext)
	return true
}

// typeOf is the type of a medium, guessed where only its kind is known.
func (e *encoder) typeOf(m *scri.Media) string {
	switch mime := m.Type; mime {
	case "image/jpg":
		return "image/jpeg"
	case "", "image/*":
		if sniffed := dialect.SniffImage(m.Data); sniffed != "" {
			return sniffed
		}
		if mime != "" && !m.Data.IsZero() {
			return "image/png"
		}
		if !m.Text.IsZero() {
			return mimePlain
		}
		return mime
	default:
		if block, _ := formatOf(mime); block == "" && !m.Text.IsZero() {
			return mimePlain
		}
		return mime
	}
}

func s3(m *scri.Media) bool { return strings.HasPrefix(m.URL.String(), "s3://") }

// source writes where a medium comes from: its bytes, its text, its place in S3.
func (e *encoder) source(m *scri.Media, block string) {
	e.w.Key("source")
	e.w.BeginObject()
	if m.FileID != "" {
		e.Drop("file_id", "ids of files belong to whoever gave them")
	}
	switch {
	case !m.Data.IsZero():
		e.text("bytes", m.Data)
		if !m.Text.IsZero() {
			e.Drop("text", "the bytes themselves are sent")
		}
	case !m.Text.IsZero() && block == blockDocument:
		e.plain(m)
	default:
		e.w.Key("s3Location")
		e.w.BeginObject()
		e.text("uri", m.URL)
		e.Ext(&e.w, m.Ext, func(name string) bool { return name == "uri" })
		e.w.EndObject()
		e.w.EndObject()
		if !m.Text.IsZero() {
			e.Drop("text", "the bytes themselves are sent")
		}
		return
	}
	if !m.URL.IsZero() {
		e.Drop("url", "the content itself is sent")
	}
	if m.Ext.Of(Name) != nil {
		e.Homeless(m.Ext)
	}
	e.Foreign(m.Ext)
	e.w.EndObject()
}

func (e *encoder) plain(m *scri.Media) {
	if !formed(m.Ext, "content") {
		e.text("text", m.Text)
		return
	}
	e.w.Key("content")
	e.w.BeginArray()
	e.w.BeginObject()
	e.text("text", m.Text)
	e.w.EndObject()
	e.w.EndArray()
}

// docName writes the name of a document, which it must have, of letters that the
// API allows.
func (e *encoder) docName(m *scri.Media, own bool) {
	e.docs++
	name := m.Name
	if !own {
		if name = plainName(m.Name); name == "" {
			name = "document " + strconv.Itoa(e.docs)
		}
		switch {
		case name == m.Name:
		case m.Name == "":
			e.Tell(scri.WarnAdded, "name", "", name, "every document has a name here")
		default:
			e.Tell(scri.WarnChanged, "name", m.Name, name, "not all characters are allowed")
		}
	}
	e.str("name", name)
}

// plainName is a name of the characters that are allowed, with single spaces.
func plainName(name string) string {
	var b strings.Builder
	space := false
	for _, r := range name {
		ok := r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' || strings.ContainsRune("-()[]", r)
		if !ok {
			space = b.Len() > 0
			continue
		}
		if space {
			b.WriteByte(' ')
			space = false
		}
		if b.WriteRune(r); b.Len() >= 200 {
			break
		}
	}
	return b.String()
}

// search writes a search result.
func (e *encoder) search(p *scri.Part) {
	in := e.In("media")
	e.open(blockSearch)
	e.str("title", p.Media.Name)
	e.plain(&scri.Media{Text: p.Media.Text, Ext: &scri.Ext{Dialect: Name, Form: "content"}})
	e.Homeless(p.Media.Ext)
	e.Out(in)
	e.done(p.Ext, func(name string) bool { return name == "title" && p.Media.Name != "" || name == "content" })
}
