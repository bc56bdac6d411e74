package responses

import (
	"strings"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// textType is the type of a text that somebody says; "" stands for a tool.
func textType(role string) string {
	if role == string(scri.RoleAssistant) {
		return typeOutputText
	}
	return typeInputText
}

// content reads the parts of a message, or of what a tool answered.
func (d *decoder) content(role string, list []scri.Part) []scri.Part {
	for range d.Elements() {
		var p scri.Part
		probs := len(d.probs)
		if d.Kind() != wire.Object {
			d.Fail("a part of the content must be an object")
		}
		typ := dialect.Word(d.Peek("type"))
		if !d.try(func() bool { return d.part(&p, typ, role) }) {
			d.probs = d.probs[:probs]
			p = scri.Part{Kind: scri.PartOpaque, Raw: d.Raw(), Ext: d.form("part")}
		}
		list = append(list, p)
	}
	return list
}

func (d *decoder) part(p *scri.Part, typ, role string) bool {
	switch typ {
	case typeInputText, typeOutputText, "text":
		return d.text(p, typ, role)
	case typeRefusal:
		return d.refusal(p, role)
	case typeImage:
		return d.inputImage(p)
	case typeFile:
		return d.inputFile(p)
	case typeAudio:
		return d.inputAudio(p)
	default:
		return false
	}
}

func (d *decoder) text(p *scri.Part, typ, role string) bool {
	p.Kind = scri.PartText
	var u dialect.Unknown
	there := false
	for name := range d.Members() {
		switch {
		case name == "type":
			d.Skip()
		case name == "text":
			p.Text, there = scri.QuotedText(d.Str()), true
		case name == "annotations" && d.Kind() == wire.Array:
			if p.Citations = d.annotations(); p.Citations == nil {
				u.Form("annotations")
			}
		case name == "logprobs" && d.Kind() == wire.Array:
			d.textProbs(&u)
		default:
			u.Add(d.Member())
		}
	}
	if typ != textType(role) {
		u.Form(strings.Clone(typ))
	}
	p.Ext = d.ext(&u)
	return there
}

// textProbs reads the tokens of a text. In a history they have no place.
func (d *decoder) textProbs(u *dialect.Unknown) {
	n := len(d.probs)
	if d.answer && d.try(func() bool { d.probs = d.tokens(d.probs, true); return true }) {
		if len(d.probs) == n {
			u.Form("logprobs")
		} else {
			u.Form(counted(len(d.probs) - n))
		}
		return
	}
	d.probs = d.probs[:n]
	if raw := d.Member(); string(value(raw)) == "[]" {
		u.Form("logprobs")
	} else {
		u.Add(raw)
	}
}

func (d *decoder) refusal(p *scri.Part, role string) bool {
	p.Kind = scri.PartRefusal
	var u dialect.Unknown
	if role != string(scri.RoleAssistant) {
		u.Form(typeRefusal) // whoever that is, it was called so
	}
	there := false
	for name := range d.Members() {
		switch name {
		case "type":
			d.Skip()
		case typeRefusal:
			p.Text, there = scri.QuotedText(d.Str()), true
		default:
			u.Add(d.Member())
		}
	}
	p.Ext = d.ext(&u)
	return there
}

func (d *decoder) inputImage(p *scri.Part) bool {
	m := new(scri.Media)
	p.Kind, p.Media = scri.PartMedia, m
	var u dialect.Unknown
	there := false
	for name := range d.Members() {
		switch {
		case name == "type":
			d.Skip()
		case d.null(&u):
		case name == "image_url":
			there = d.address(m, "image/*")
		case name == "file_id":
			m.FileID, there = d.Unquoted(), true
			u.Form("file_id")
		case name == "detail" && d.Kind() == wire.String:
			raw := d.Member()
			if dialect.Word(value(raw)) == "auto" {
				slight(&u, name, raw)
			} else {
				u.Add(raw)
			}
		default:
			u.Add(d.Member())
		}
	}
	if m.Type == "" {
		m.Type = "image/*"
	}
	p.Ext = d.ext(&u)
	return there && strings.HasPrefix(m.Type, "image/") && (m.FileID != "" || !m.Data.IsZero() || !m.URL.IsZero())
}

// address reads a URL, that of the data itself included.
func (d *decoder) address(m *scri.Media, typ string) bool {
	u := scri.QuotedText(d.Str())
	if t, data, ok := dialect.SplitDataURL(u); ok && t != "" && !strings.HasSuffix(t, "*") && !data.IsZero() {
		m.Type, m.Data = t, data
		return true
	}
	m.URL, m.Type = u, typ
	return !u.IsZero()
}

func (d *decoder) inputFile(p *scri.Part) bool {
	m := new(scri.Media)
	p.Kind, p.Media = scri.PartMedia, m
	var u dialect.Unknown
	there := 0
	for name := range d.Members() {
		switch {
		case name == "type":
			d.Skip()
		case d.null(&u):
		case name == "file_data":
			there++
			if !d.address(m, "") {
				return false
			}
			if s := m.URL.String(); s != "" && !strings.Contains(s, "://") && !strings.HasPrefix(s, "data:") {
				m.Data, m.URL = m.URL, scri.Text{}
				u.Form("bare")
			}
		case name == "file_url":
			there++
			m.URL = scri.QuotedText(d.Str())
			u.Form("file_url")
		case name == "file_id":
			there++
			m.FileID = d.Unquoted()
		case name == "filename":
			if m.Name = d.Unquoted(); m.Name == "" {
				u.Form("filename=")
			}
		default:
			u.Add(d.Member())
		}
	}
	u.Form("file")
	p.Ext = d.ext(&u)
	return there == 1 && (m.FileID != "" || !m.Data.IsZero() || !m.URL.IsZero())
}

func (d *decoder) inputAudio(p *scri.Part) bool {
	m := new(scri.Media)
	p.Kind, p.Media = scri.PartMedia, m
	var u, inner dialect.Unknown
	format := ""
	for name := range d.Members() {
		switch name {
		case "type":
			d.Skip()
		case typeAudio:
			for name := range d.Members() {
				switch name {
				case "data":
					m.Data = scri.QuotedText(d.Str())
				case "format":
					format = d.Unquoted()
				default:
					inner.Add(d.Member())
				}
			}
		default:
			u.Add(d.Member())
		}
	}
	m.Type, m.Ext = dialect.AudioType(format), d.ext(&inner)
	p.Ext = d.ext(&u)
	return !m.Data.IsZero() && format != "" && dialect.AudioFormat(m.Type) == format
}

// annotations reads where a text comes from.
func (d *decoder) annotations() []scri.Citation {
	var list []scri.Citation
	for range d.Elements() {
		var c scri.Citation
		if !d.try(func() bool { return d.annotation(&c) }) {
			c = scri.Citation{Ext: &scri.Ext{Dialect: Name, Members: d.Raw(), Form: "raw"}}
			if len(c.Ext.Members) == 0 || c.Ext.Members[0] != '{' {
				d.Fail("an annotation is no object")
			}
		}
		list = append(list, c)
	}
	return list
}

// Types of annotations.
const (
	citeURL       = "url_citation"
	citeFile      = "file_citation"
	citeContainer = "container_file_citation"
	citePath      = "file_path"
)

func (d *decoder) annotation(c *scri.Citation) bool {
	typ := dialect.Word(d.Peek("type"))
	var u dialect.Unknown
	switch typ {
	case citeURL: // the usual one
	case citeFile:
		u.Form(citeFile)
	case citeContainer:
		u.Form(citeContainer)
	case citePath:
		u.Form(citePath)
	default:
		return false
	}
	start, end := false, false
	for name := range d.Members() {
		switch {
		case name == "type":
			d.Skip()
		case name == "url" && typ == citeURL:
			c.URL = d.Unquoted()
		case name == "title" && typ == citeURL, name == "filename" && typ != citeURL:
			var s string
			d.said(&u, &s)
			c.Title = s
		case name == "file_id" && typ != citeURL:
			c.Document = d.Unquoted()
		case name == "start_index" && d.Kind() == wire.Number:
			c.Start, start = int(d.Int()), true
		case name == "end_index" && d.Kind() == wire.Number:
			c.End, end = int(d.Int()), true
		default:
			u.Add(d.Member())
		}
	}
	if start != end || c.URL == "" && c.Document == "" {
		return false
	}
	if !start {
		u.Form("noindex")
	}
	if c.Ext = u.Ext(Name); c.Ext == nil {
		c.Ext = d.form("")
	}
	return true
}
