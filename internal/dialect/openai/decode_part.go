package openai

import (
	"strings"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// part reads an item of a content list and appends what it is to d.content.
func (d *decoder) part() {
	n := len(d.content)
	typ := dialect.Word(d.Peek("type"))
	if d.try(func() bool { return d.typed(typ) }) {
		return
	}
	d.content = append(d.content[:n], d.opaque())
}

func (d *decoder) typed(typ string) bool {
	switch typ {
	case "text":
		return d.textPart()
	case "image_url":
		return d.urlPart("image_url") // a word of our own, as typ may alias a buffer
	case "video_url":
		return d.urlPart("video_url")
	case "file_url":
		return d.urlPart("file_url")
	case "audio_url":
		return d.urlPart("audio_url")
	case "input_audio":
		return d.audioPart()
	case "file":
		return d.filePart()
	case "refusal":
		return d.refusalPart()
	case "thinking":
		return d.thinkingPart()
	default:
		return false
	}
}

// outer reads the members that any part may have.
func (d *decoder) outer(p *scri.Part, member string, u *dialect.Unknown) {
	switch member {
	case "type":
		d.Skip()
	case "cache_control":
		if p.Cache = d.cache(); p.Cache == nil {
			u.Add(d.Member())
		}
	default:
		u.Add(d.Member())
	}
}

// cache reads a cache mark; nil when it is none that the language knows.
func (d *decoder) cache() *scri.CacheMark {
	c := new(scri.CacheMark)
	var u dialect.Unknown
	known := d.try(func() bool {
		ok := false
		for member := range d.Members() {
			switch member {
			case "type":
				ok = d.plain() == "ephemeral"
			case "ttl":
				if d.is(wire.String, &u) {
					c.TTL = d.plain()
				}
			default:
				u.Add(d.Member())
			}
		}
		return ok
	})
	if !known || d.Err() != nil {
		return nil
	}
	c.Ext = &scri.Ext{Dialect: name, Members: u.Object()}
	return c
}

func (d *decoder) textPart() bool {
	p := scri.Part{Kind: scri.PartText}
	var u dialect.Unknown
	ok := false
	for member := range d.Members() {
		if member == "text" {
			p.Text, ok = scri.QuotedText(d.Str()), true
			continue
		}
		d.outer(&p, member, &u)
	}
	p.Ext = d.ext(&u, "")
	d.content = append(d.content, p)
	return ok
}

func (d *decoder) refusalPart() bool {
	p := scri.Part{Kind: scri.PartRefusal}
	var u dialect.Unknown
	ok := false
	for member := range d.Members() {
		if member == "refusal" {
			p.Text, ok = scri.QuotedText(d.Str()), true
			continue
		}
		d.outer(&p, member, &u)
	}
	p.Ext = d.ext(&u, "item")
	d.content = append(d.content, p)
	return ok
}

// inner reads the object that is the member of a part named as its type.
func (d *decoder) inner(m *scri.Media, f func(member string, u *dialect.Unknown) (form string)) {
	var u dialect.Unknown
	form := ""
	for member := range d.Members() {
		if w := f(member, &u); w != "" {
			form = strings.TrimPrefix(form+" "+w, " ")
		}
	}
	m.Ext = d.ext(&u, form)
}

// urlPart reads what is given by its address: {"type":t,t:{"url":...}}.
func (d *decoder) urlPart(typ string) bool {
	m := new(scri.Media)
	p := scri.Part{Kind: scri.PartMedia, Media: m}
	var u dialect.Unknown
	ok := false
	for member := range d.Members() {
		if member != typ {
			d.outer(&p, member, &u)
			continue
		}
		if d.Kind() == wire.String {
			m.Ext, ok = d.form("string"), true
			d.address(m, typ)
			continue
		}
		d.inner(m, func(member string, u *dialect.Unknown) string {
			if member == "url" {
				d.address(m, typ)
				ok = true
			} else {
				u.Add(d.Member())
			}
			return ""
		})
	}
	form := typ
	if typ == "image_url" && strings.HasPrefix(m.Type, "image/") && !d.lenient {
		form = "" // in answers, where images are rare, it tells that the part has its place
	}
	p.Ext = d.ext(&u, form)
	d.content = append(d.content, p)
	return ok
}

// address reads a URL, that of the data itself included.
func (d *decoder) address(m *scri.Media, typ string) {
	u := scri.QuotedText(d.Str())
	if t, data, ok := dialect.SplitDataURL(u); ok && t != "" && !strings.HasSuffix(t, "*") && !data.IsZero() {
		m.Type, m.Data = d.copied(t), data
		return
	}
	m.URL = u
	switch typ {
	case "image_url":
		m.Type = "image/*"
	case "video_url":
		m.Type = "video/*"
	case "audio_url":
		m.Type = "audio/*"
	}
}

func (d *decoder) audioPart() bool {
	m := new(scri.Media)
	p := scri.Part{Kind: scri.PartMedia, Media: m}
	var u dialect.Unknown
	ok, known := false, false
	for member := range d.Members() {
		if member != "input_audio" {
			d.outer(&p, member, &u)
			continue
		}
		d.inner(m, func(member string, u *dialect.Unknown) string {
			switch member {
			case "data":
				m.Data = scri.QuotedText(d.Str())
				ok = true
			case "format":
				format := d.plain()
				m.Type = dialect.AudioType(format)
				known = dialect.AudioFormat(m.Type) == format
			default:
				u.Add(d.Member())
			}
			return ""
		})
	}
	p.Ext = d.ext(&u, "input_audio")
	d.content = append(d.content, p)
	return ok && known
}

func (d *decoder) filePart() bool {
	m := new(scri.Media)
	p := scri.Part{Kind: scri.PartMedia, Media: m}
	var u dialect.Unknown
	ok := false
	for member := range d.Members() {
		if member != "file" {
			d.outer(&p, member, &u)
			continue
		}
		d.inner(m, func(member string, u *dialect.Unknown) string {
			switch member {
			case "file_data":
				ok = true
				return d.fileData(m)
			case "file_id":
				m.FileID, ok = d.plain(), true
			case "filename":
				if m.Name = d.plain(); m.Name == "" {
					return "filename="
				}
			default:
				u.Add(d.Member())
			}
			return ""
		})
	}
	p.Ext = d.ext(&u, "file")
	d.content = append(d.content, p)
	return ok
}

func (d *decoder) fileData(m *scri.Media) string {
	t := scri.QuotedText(d.Str())
	if typ, data, ok := dialect.SplitDataURL(t); ok && typ != "" && !strings.HasSuffix(typ, "*") && !data.IsZero() {
		m.Type, m.Data = d.copied(typ), data
		return ""
	}
	if s := t.String(); strings.HasPrefix(s, "https://") || strings.HasPrefix(s, "http://") || strings.HasPrefix(s, "data:") {
		m.URL = t
		return ""
	}
	m.Data = t
	return "bare"
}
