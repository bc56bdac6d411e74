package bedrock

import (
	"strings"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

const mimePlain = "text/plain"

// documents are the formats of documents with their media types.
func documents() [][2]string {
	return [][2]string{
		{"pdf", "application/pdf"},
		{"txt", mimePlain},
		{"md", "text/markdown"},
		{"html", "text/html"},
		{"csv", "text/csv"},
		{"doc", "application/msword"},
		{"docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"},
		{"xls", "application/vnd.ms-excel"},
		{"xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
	}
}

// mimeOf is the media type of a format, "" where none is known.
func mimeOf(block, format string) string {
	if block == blockDocument {
		for _, d := range documents() {
			if d[0] == format {
				return d[1]
			}
		}
		return ""
	}
	if format == "" || strings.ContainsAny(format, "/ *") {
		return ""
	}
	return block + "/" + format
}

// formatOf is the block and the format of a media type, "" where there is none.
func formatOf(mime string) (block, format string) {
	for _, d := range documents() {
		if d[1] == mime {
			return blockDocument, d[0]
		}
	}
	for _, block := range []string{blockImage, blockVideo, blockAudio} {
		if rest, ok := strings.CutPrefix(mime, block+"/"); ok && rest != "" && rest != "*" {
			return block, rest
		}
	}
	return "", ""
}

func (d *decoder) media(block string, p *scri.Part, u *dialect.Unknown) {
	m := new(scri.Media)
	p.Kind, p.Media = scri.PartMedia, m
	var inner dialect.Unknown
	there := false
	for name := range d.Members() {
		switch {
		case name == "format" && d.Some():
			m.Type = mimeOf(block, d.Unquoted())
		case name == "name" && d.Some() && block == blockDocument:
			m.Name = d.Unquoted()
		case name == "source" && d.Kind() == wire.Object && !there:
			there = d.source(m, &inner)
		default:
			u.Add(d.Member())
		}
	}
	if block == blockDocument && m.Name == "" {
		u.Form("-name")
	}
	d.Need(m.Type != "", "a known format")
	d.Need(there, "what the source names")
	m.Ext = inner.Ext(Name)
}

// source reads where a medium comes from.
func (d *decoder) source(m *scri.Media, u *dialect.Unknown) (there bool) {
	for name := range d.Members() {
		switch {
		case name == "bytes" && d.Some() && !there:
			m.Data, there = scri.QuotedText(d.Str()), true
		case name == "text" && d.Some() && !there:
			m.Text, there = scri.QuotedText(d.Str()), true
		case name == "content" && !there && onlyText(d.peek(), &m.Text):
			d.Skip()
			u.Form("content")
			there = true
		case name == "s3Location" && d.Kind() == wire.Object && !there:
			for name := range d.Members() {
				if name == "uri" && d.Some() {
					m.URL, there = scri.QuotedText(d.Str()), true
					d.Need(s3(m), "a place in S3")
				} else {
					u.Add(d.Member())
				}
			}
		default:
			d.Fail("%s as a source", name)
		}
	}
	return there
}

// search reads a search result of one plain text; richer ones do not fit.
func (d *decoder) search(p *scri.Part, u *dialect.Unknown) {
	m := &scri.Media{Type: mimePlain}
	p.Kind, p.Media = scri.PartMedia, m
	u.Form(blockSearch)
	for name := range d.Members() {
		switch {
		case name == "title" && d.Some():
			m.Name = d.Unquoted()
		case name == "content" && onlyText(d.peek(), &m.Text):
			d.Skip()
		default:
			u.Add(d.Member())
		}
	}
	d.Need(!m.Text.IsZero(), "content")
}
