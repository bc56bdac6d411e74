package responses

import (
	"strings"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/scri"
)

// part writes a part of a message's content, and reports whether it could.
func (e *encoder) part(p *scri.Part, role string) bool {
	switch p.Kind {
	case scri.PartText:
		e.ornaments(p)
		e.textPart(p, role)
	case scri.PartRefusal:
		e.ornaments(p)
		if role != string(scri.RoleAssistant) && p.Ext.Of(Name) == nil {
			e.lose(scri.WarnChanged, "kind", string(p.Kind), string(scri.PartText), "only the assistant refuses")
			e.textPart(p, role)
			return true
		}
		e.open(typeRefusal)
		e.text(typeRefusal, p.Text)
		e.ext(p.Ext, nestedLight, nestedHeavy)
		e.w.EndObject()
	case scri.PartMedia:
		e.ornaments(p)
		return e.media(p)
	case scri.PartOpaque:
		if p.Ext.Of(Name) != nil && len(p.Raw) > 0 {
			e.w.Raw(p.Raw)
			return true
		}
		e.drop("", "a part that only another dialect knows")
		return false
	default:
		e.lose(scri.WarnDropped, "", string(p.Kind), "", "it has no place here")
		return false
	}
	return true
}

func (e *encoder) textPart(p *scri.Part, role string) {
	typ := textType(role)
	for _, w := range [...]string{typeInputText, typeOutputText, "text"} {
		if has(p.Ext, w) {
			typ = w
		}
	}
	e.open(typ)
	e.text("text", p.Text)
	switch {
	case typ == typeOutputText:
		e.annotations(p)
		e.textProbs(p)
	case len(p.Citations) > 0 && p.Ext.Of(Name) == nil:
		e.drop("citations", "only the assistant's texts have sources here")
	default:
		if has(p.Ext, "annotations") || len(p.Citations) > 0 {
			e.annotations(p)
		}
		if has(p.Ext, "logprobs") {
			e.textProbs(p)
		}
	}
	e.ext(p.Ext, nestedLight, nestedHeavy)
	e.w.EndObject()
}

// annotations writes where a text comes from. Each answer has the list.
func (e *encoder) annotations(p *scri.Part) {
	empty := has(p.Ext, "annotations") || e.answer && p.Ext.Of(Name) == nil
	if len(p.Citations) == 0 && !empty {
		return
	}
	before := len(e.w.B)
	e.w.Key("annotations")
	e.w.BeginArray()
	some := empty
	in := e.in("citations")
	for i := range p.Citations {
		at := e.at(i)
		some = e.annotation(&p.Citations[i]) || some
		e.out(at)
	}
	e.out(in)
	if !some {
		e.w.B = e.w.B[:before]
		return
	}
	e.w.EndArray()
}

// annotation writes one citation if the dialect can say it.
func (e *encoder) annotation(c *scri.Citation) bool {
	own := c.Ext.Of(Name)
	if own != nil && own.Form == "raw" && c.URL == "" && c.Document == "" {
		e.w.Raw(own.Members)
		return true
	}
	typ := citeURL
	for _, w := range [...]string{citeFile, citeContainer, citePath} {
		if has(c.Ext, w) {
			typ = w
		}
	}
	if own == nil && c.URL == "" {
		typ = citeFile
	}
	if typ == citeURL && c.URL == "" || typ != citeURL && c.Document == "" {
		e.drop("", "a source needs an address, or the id of a file")
		return false
	}
	e.open(typ)
	if typ == citeURL {
		e.str("url", c.URL)
		e.str("title", c.Title)
		if c.Document != "" {
			e.drop("document", "the address says it")
		}
	} else {
		e.str("file_id", c.Document)
		e.str("filename", c.Title)
		if c.URL != "" {
			e.drop("url", "a file has no address")
		}
	}
	switch {
	case typ == citeURL && !has(c.Ext, "noindex"), own != nil && !has(c.Ext, "noindex"):
		e.w.Key("start_index")
		e.w.Int(int64(c.Start))
		e.w.Key("end_index")
		e.w.Int(int64(c.End))
	default:
		if c.Start != 0 {
			e.drop("start", "a file is cited as a whole")
		}
		if c.End != 0 {
			e.drop("end", "a file is cited as a whole")
		}
	}
	if !c.Quote.IsZero() {
		e.drop("quote", "what is cited is not repeated")
	}
	e.ext(c.Ext)
	e.w.EndObject()
	return true
}

// textProbs writes the tokens of a text.
func (e *encoder) textProbs(p *scri.Part) {
	own := p.Ext.Of(Name)
	n := 0
	switch {
	case !e.answer:
		if !has(p.Ext, "logprobs") {
			return
		}
	case own == nil:
		n = len(e.probs)
	default:
		if n = min(tokensOf(own), len(e.probs)); n == 0 && !has(p.Ext, "logprobs") {
			return
		}
	}
	e.w.Key("logprobs")
	path := e.path
	e.path = append(e.path[:0:0], "/choices/0/logprobs"...)
	e.tokens(e.probs[:n], true)
	e.path = path
	e.probs = e.probs[n:]
}

// media writes an image, a sound or a file that is shown to the model.
func (e *encoder) media(p *scri.Part) bool {
	m := p.Media
	own := p.Ext.Of(Name) != nil
	if why := e.unshown(m, own); why != "" {
		e.drop("", why)
		return false
	}
	if m.Data.IsZero() && m.URL.IsZero() && m.FileID == "" {
		e.lose(scri.WarnChanged, "", string(p.Kind), string(scri.PartText), "a document in plain text became a text")
		e.open(typeInputText)
		e.text("text", m.Text)
		e.ext(p.Ext)
		e.w.EndObject()
		return true
	}
	in := e.in("media")
	if !m.Text.IsZero() {
		e.drop("text", "the data itself is there")
	}
	if !m.URL.IsZero() && !m.Data.IsZero() {
		e.drop("url", "the data itself is there")
	}
	if m.FileID != "" && !own {
		e.drop("file_id", "ids of files belong to whoever gave them")
	}
	switch {
	case strings.HasPrefix(m.Type, "audio/"):
		e.audio(m)
		e.out(in)
		e.ext(p.Ext)
		e.w.EndObject()
		return true
	case has(p.Ext, "file"), !own && !strings.HasPrefix(m.Type, "image/") && (m.Type != "" || dialect.SniffImage(m.Data) == ""):
		e.file(p, own)
	default:
		e.picture(m, own)
	}
	e.homeless(m.Ext)
	e.out(in)
	e.ext(p.Ext)
	e.w.EndObject()
	return true
}

// unshown says why media cannot be shown to the model, or "".
func (e *encoder) unshown(m *scri.Media, own bool) string {
	switch {
	case m == nil:
		return "there is nothing in it"
	case own:
		return ""
	case strings.HasPrefix(m.Type, "video/"):
		return "there is no place for films"
	case strings.HasPrefix(m.Type, "audio/") && (m.Data.IsZero() || m.Type == "audio/"):
		return "a sound is its data in a known format"
	case m.Data.IsZero() && m.URL.IsZero() && m.Text.IsZero():
		return "ids of files belong to whoever gave them"
	default:
		return ""
	}
}

func (e *encoder) audio(m *scri.Media) {
	if m.Name != "" {
		e.drop("name", "sounds have no name")
	}
	e.open(typeAudio)
	e.w.Key(typeAudio)
	e.w.BeginObject()
	e.text("data", m.Data)
	format := dialect.AudioFormat(m.Type)
	if was := dialect.AudioType(format); was != m.Type {
		e.lose(scri.WarnChanged, "type", m.Type, was, "")
	}
	e.str("format", format)
	e.ext(m.Ext)
	e.w.EndObject()
}

func (e *encoder) picture(m *scri.Media, own bool) {
	e.open(typeImage)
	if m.Name != "" {
		e.drop("name", "images have no name")
	}
	switch {
	case !m.Data.IsZero():
		typ := known(m)
		if typ != m.Type {
			e.lose(scri.WarnChanged, "type", m.Type, typ, "the data says what it is")
		}
		e.w.Key("image_url")
		e.w.B = dialect.AppendDataURL(e.w.B, typ, m.Data)
	case !m.URL.IsZero():
		if m.Type != "image/*" {
			e.lose(scri.WarnChanged, "type", m.Type, "image/*", "what an address leads to is not said")
		}
		e.text("image_url", m.URL)
	}
	if own && m.FileID != "" {
		e.str("file_id", m.FileID)
	}
}

// known is the type of data, sniffed or guessed where only the kind is known.
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

func (e *encoder) file(p *scri.Part, own bool) {
	m := p.Media
	e.open(typeFile)
	if m.Name != "" || has(p.Ext, "filename=") {
		e.w.Key("filename")
		e.w.Str(m.Name)
	}
	switch {
	case has(p.Ext, "bare"):
		e.text("file_data", m.Data)
	case !m.Data.IsZero():
		typ := known(m)
		if typ != m.Type {
			e.lose(scri.WarnChanged, "type", m.Type, typ, "a type must be said")
		}
		e.w.Key("file_data")
		e.w.B = dialect.AppendDataURL(e.w.B, typ, m.Data)
	case own && m.FileID != "":
		e.str("file_id", m.FileID)
	case own && !has(p.Ext, "file_url"):
		e.text("file_data", m.URL)
	default:
		if m.Type != "" {
			e.drop("type", "what an address leads to is not said")
		}
		e.text("file_url", m.URL)
	}
}

// image writes a picture that the model made.
func (e *encoder) image(p *scri.Part) {
	m := p.Media
	own := p.Ext.Of(Name) != nil
	if m == nil || m.Data.IsZero() || !strings.HasPrefix(m.Type, "image/") || !e.answer && !own {
		e.drop("", "only pictures that the model made itself have a place here")
		return
	}
	in := e.in("media")
	e.open(typeImageCall)
	if !own {
		e.str("id", e.newID("ig"))
		e.str("status", "completed")
		if m.Type != "image/png" {
			e.str("output_format", strings.TrimPrefix(m.Type, "image/"))
		}
	}
	if m.Name != "" {
		e.drop("name", "images have no name")
	}
	e.text("result", m.Data)
	e.homeless(m.Ext)
	e.out(in)
	e.ext(p.Ext)
	e.w.EndObject()
}
