package openai

import (
	"strings"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/scri"
)

// list writes the content as a list of parts.
func (e *encoder) list(parts []scri.Part, base int, skip []bool) {
	e.BeginArray()
	for i := 0; i < len(parts); i++ {
		p := &parts[i]
		if skipped(skip, i) || placeOf(p) != contentField {
			continue
		}
		switch p.Kind {
		case scri.PartOpaque:
			e.Raw(p.Raw)
		case scri.PartMedia:
			e.ornaments(p, base+i)
			e.media(p, base+i)
		case scri.PartThinking:
			i += e.thinkingItem(parts[i:])
		default:
			e.ornaments(p, base+i)
			e.textItem(p)
		}
	}
	e.EndArray()
}

func (e *encoder) textItem(p *scri.Part) {
	e.BeginObject()
	if p.Kind == scri.PartRefusal {
		e.str("type", "refusal")
		e.text("refusal", p.Text)
	} else {
		e.str("type", "text")
		e.text("text", p.Text)
	}
	e.partTail(p)
}

// partTail writes what any part may have, and closes it.
func (e *encoder) partTail(p *scri.Part) {
	if ownCache(p.Cache) {
		e.cache(p.Cache)
	}
	e.extra(p.Ext)
	e.EndObject()
}

func (e *encoder) cache(c *scri.CacheMark) {
	e.Key("cache_control")
	e.BeginObject()
	e.str("type", "ephemeral")
	if c.TTL != "" {
		e.str("ttl", c.TTL)
	}
	e.extra(c.Ext)
	e.EndObject()
}

// thinkingItem writes Mistral's item of thoughts and returns how many further
// parts went into it.
func (e *encoder) thinkingItem(parts []scri.Part) (more int) {
	p := &parts[0]
	e.BeginObject()
	e.str("type", "thinking")
	if has(p.Ext, "string") {
		e.text("thinking", p.Text)
		e.partTail(p)
		return 0
	}
	e.Key("thinking")
	e.BeginArray()
	for i := 0; i < len(parts) && (i == 0 || has(parts[i].Ext, "item+")); i++ {
		e.BeginObject()
		e.str("type", "text")
		e.text("text", parts[i].Text)
		e.EndObject()
		more = i
	}
	e.EndArray()
	e.partTail(p)
	return more
}

// refuseMedia says why media cannot be written into a content list, or "".
func (e *encoder) refuseMedia(p *scri.Part) string {
	m := p.Media
	switch {
	case m == nil:
		return "there is nothing in it"
	case p.Ext.Of(name) != nil || m.Ext.Of(name) != nil:
		return ""
	case e.answer():
		return "answers hold text only"
	case strings.HasPrefix(m.Type, "video/"):
		return "there is no place for films"
	case !m.Text.IsZero() || !m.Data.IsZero():
		return ""
	case strings.HasPrefix(m.Type, "image/") && !m.URL.IsZero():
		return ""
	case !m.URL.IsZero():
		return "only images may be given by their address"
	default:
		return "ids of files belong to whoever gave them"
	}
}

// media writes an image, a sound or a file.
func (e *encoder) media(p *scri.Part, i int) {
	m := p.Media
	e.foreign(m.Ext, func() string { return e.partPath(i) + "/media" })
	form := e.mediaType(p)
	switch form {
	case "input_audio":
		e.audioItem(p)
	case "file":
		e.fileItem(p, i)
	case "text":
		e.tell(scri.WarnChanged, e.partPath(i), "a document in plain text became a text")
		e.BeginObject()
		e.str("type", "text")
		e.text("text", m.Text)
		e.EndObject()
	default:
		e.urlItem(p, i, form)
	}
}

// mediaType is the type of the part that holds it.
func (e *encoder) mediaType(p *scri.Part) string {
	if own := p.Ext.Of(name); own != nil {
		for _, w := range []string{"input_audio", "file", "video_url", "file_url", "audio_url", "image_url"} {
			if dialect.HasWord(own.Form, w) {
				return w
			}
		}
	}
	m := p.Media
	switch {
	case !m.Text.IsZero() && m.Data.IsZero() && m.URL.IsZero():
		return "text"
	case strings.HasPrefix(m.Type, "audio/"):
		return "input_audio"
	case strings.HasPrefix(m.Type, "video/"):
		return "video_url"
	case strings.HasPrefix(m.Type, "image/"), m.Data.IsZero():
		return "image_url"
	default:
		return "file"
	}
}

func (e *encoder) urlItem(p *scri.Part, i int, typ string) {
	m := p.Media
	if p.Ext.Of(name) == nil && m.Ext.Of(name) == nil {
		e.unnamed(m, i)
	}
	e.BeginObject()
	e.str("type", typ)
	e.Key(typ)
	if has(m.Ext, "string") {
		e.address(m)
		e.partTail(p)
		return
	}
	e.BeginObject()
	e.Key("url")
	e.address(m)
	e.extra(m.Ext)
	e.EndObject()
	e.partTail(p)
}

// unnamed tells of what an image cannot have.
func (e *encoder) unnamed(m *scri.Media, i int) {
	if m.Name != "" {
		e.dropped(e.partPath(i)+"/media/name", "images have no name")
	}
	if m.FileID != "" {
		e.dropped(e.partPath(i)+"/media/file_id", "ids of files belong to whoever gave them")
	}
	if !m.Text.IsZero() {
		e.dropped(e.partPath(i)+"/media/text", "images have no text")
	}
	switch {
	case m.Data.IsZero():
		if m.Type != "image/*" && !m.URL.IsZero() {
			e.dropped(e.partPath(i)+"/media/type", "what an address leads to is not said")
		}
	case !m.URL.IsZero():
		e.dropped(e.partPath(i)+"/media/url", "the data itself is there")
		fallthrough
	default:
		if known(m) != m.Type {
			e.tell(scri.WarnChanged, e.partPath(i)+"/media/type", "the data says what it is")
		}
	}
}

// known is the type of media, sniffed or guessed where only the kind is known.
func known(m *scri.Media) string {
	if dialect.FitsDataURL(m.Type) {
		return m.Type
	}
	picture := strings.HasPrefix(m.Type, "image/")
	t := dialect.SniffImage(m.Data)
	switch {
	case t != "" && (m.Type == "" || picture):
		return t
	case picture:
		return "image/png" // a URL of data must say something, and the reader looks himself
	default:
		return "application/octet-stream"
	}
}

func (e *encoder) address(m *scri.Media) {
	if m.Data.IsZero() {
		e.B = m.URL.AppendJSON(e.B)
		return
	}
	e.B = dialect.AppendDataURL(e.B, known(m), m.Data)
}

func (e *encoder) audioItem(p *scri.Part) {
	m := p.Media
	e.BeginObject()
	e.str("type", "input_audio")
	e.Key("input_audio")
	e.BeginObject()
	e.text("data", m.Data)
	e.str("format", dialect.AudioFormat(m.Type))
	e.extra(m.Ext)
	e.EndObject()
	e.partTail(p)
}

func (e *encoder) fileItem(p *scri.Part, i int) {
	m := p.Media
	if p.Ext.Of(name) == nil {
		if m.FileID != "" {
			e.dropped(e.partPath(i)+"/media/file_id", "ids of files belong to whoever gave them")
		}
		if !m.URL.IsZero() {
			e.dropped(e.partPath(i)+"/media/url", "the data itself is there")
		}
		if !m.Text.IsZero() {
			e.dropped(e.partPath(i)+"/media/text", "the data itself is there")
		}
		if known(m) != m.Type {
			e.tell(scri.WarnChanged, e.partPath(i)+"/media/type", "a type must be said")
		}
	}
	e.BeginObject()
	e.str("type", "file")
	e.Key("file")
	e.BeginObject()
	if m.FileID != "" && p.Ext.Of(name) != nil {
		e.str("file_id", m.FileID)
	}
	if m.Name != "" || has(m.Ext, "filename=") {
		e.str("filename", m.Name)
	}
	switch {
	case has(m.Ext, "bare"):
		e.text("file_data", m.Data)
	case !m.Data.IsZero():
		e.Key("file_data")
		e.address(m)
	case !m.URL.IsZero():
		e.text("file_data", m.URL)
	}
	e.extra(m.Ext)
	e.EndObject()
	e.partTail(p)
}
