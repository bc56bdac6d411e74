package gemini

import (
	"bytes"
	"encoding/base64"
	"path"
	"strings"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/scri"
)

// part writes the part that is the node, and reports whether it could.
func (e *encoder) part(p *scri.Part) bool {
	switch p.Kind {
	case scri.PartText, scri.PartThinking, scri.PartRefusal:
		return e.text(p)
	case scri.PartMedia:
		return e.media(p)
	case scri.PartToolCall:
		return e.call(p)
	case scri.PartToolResult:
		return e.result(p)
	case scri.PartOpaque:
		if p.Ext.Of(Name) == nil {
			e.Drop("", "a part that only its own dialect knows")
			return false
		}
		e.raw(p.Raw)
		return true
	default:
		e.Drop("", "there is no "+string(p.Kind)+" here")
		return false
	}
}

// tail writes what any part may have, and reports what none can.
func (e *encoder) tail(p *scri.Part, written ...string) {
	e.signature(p)
	if p.Cache != nil {
		e.Drop("cache", "prompts are cached without marks here")
	}
	if len(p.Citations) > 0 {
		e.citations(p)
	}
	if p.Signature != nil {
		written = append(written, "thoughtSignature")
	}
	e.ext(p.Ext, written...)
}

func (e *encoder) signature(p *scri.Part) {
	s := p.Signature
	switch {
	case s == nil && formed(p.Ext, "signature"):
		e.key(p.Ext, "thoughtSignature")
		e.w.Str("")
	case s == nil:
	case s.Dialect != Name || s.Redacted:
		e.Drop("signature", "a signature of another API")
	default:
		e.key(p.Ext, "thoughtSignature")
		dialect.WriteText(&e.w, s.Value)
	}
}

// silent reports whether a text says nothing and is nothing but a text.
func silent(p *scri.Part) bool {
	return p.Text.IsZero() && p.Signature == nil && len(p.Citations) == 0 && p.Cache == nil && p.Ext.Of(Name) == nil
}

func (e *encoder) text(p *scri.Part) bool {
	if s := p.Signature; s != nil && s.Redacted {
		e.Drop("", "hidden thoughts, which only their issuer can read")
		return false
	}
	if silent(p) {
		if p.Ext != nil || p.Kind != scri.PartText {
			e.Drop("", "there is no text in it")
		}
		return false
	}
	if p.Kind == scri.PartRefusal {
		e.Tell(scri.WarnChanged, "kind", string(p.Kind), string(scri.PartText), "")
	}
	e.w.BeginObject()
	if !p.Text.IsZero() || !formed(p.Ext, "-text") {
		e.w.Key("text")
		dialect.WriteText(&e.w, p.Text)
	}
	said := append(make([]string, 0, 3), "text")
	if p.Kind == scri.PartThinking || formed(p.Ext, "thought") {
		e.w.Key("thought")
		e.w.Bool(p.Kind == scri.PartThinking)
		said = append(said, "thought")
	}
	e.tail(p, said...)
	e.w.EndObject()
	return true
}

// media writes bytes or an address.
func (e *encoder) media(p *scri.Part) bool {
	m := p.Media
	switch {
	case m == nil, m.Data.IsZero() && m.URL.IsZero() && m.Text.IsZero():
		e.Drop("", "a medium without content, or one that another provider keeps")
		return false
	}
	field := "inlineData"
	if m.Data.IsZero() && m.Text.IsZero() {
		field = "fileData"
	}
	e.w.BeginObject()
	e.key(p.Ext, field)
	in := e.In("media")
	e.w.BeginObject()
	said := append(make([]string, 0, 4), "data")
	if field == "fileData" {
		said[0] = "fileUri"
	}
	if e.mediaType(m) {
		said = append(said, "mimeType")
	}
	switch {
	case !m.Data.IsZero():
		e.w.Key("data")
		dialect.WriteText(&e.w, m.Data)
		e.unsaid(m, !m.URL.IsZero(), !m.Text.IsZero())
	case !m.Text.IsZero():
		e.w.Key("data")
		e.w.Comma()
		e.w.B = append(e.w.B, '"')
		e.w.B = base64.StdEncoding.AppendEncode(e.w.B, []byte(m.Text.String()))
		e.w.B = append(e.w.B, '"')
		e.Tell(scri.WarnChanged, "text", "text", "data", "a text is sent as bytes")
		e.Tell(scri.WarnAdded, "data", "", "", "the bytes of the text")
		e.unsaid(m, !m.URL.IsZero(), false)
	default:
		e.key(m.Ext, "fileUri")
		dialect.WriteText(&e.w, m.URL)
		e.unsaid(m, false, false)
	}
	if m.Name != "" {
		if formed(m.Ext, "named") {
			e.key(m.Ext, "displayName")
			e.w.Str(m.Name)
			said = append(said, "displayName")
		} else {
			e.Drop("name", "the API takes no names of media")
		}
	}
	e.ext(m.Ext, said...)
	e.Out(in)
	e.w.EndObject()
	e.tail(p, field)
	e.w.EndObject()
	return true
}

// unsaid reports what a medium holds beside what is sent of it.
func (e *encoder) unsaid(m *scri.Media, url, text bool) {
	if url {
		e.Drop("url", "the content itself is sent")
	}
	if text {
		e.Drop("text", "the bytes themselves are sent")
	}
	if m.FileID != "" {
		e.Drop("file_id", "it names a file of another provider")
	}
}

// mediaType writes the type, which must be a definite one, if there is any.
func (e *encoder) mediaType(m *scri.Media) bool {
	typ := m.Type
	switch {
	case m.Ext.Of(Name) != nil, typ != "" && !strings.HasSuffix(typ, "*"):
	case !m.Data.IsZero():
		if typ = dialect.SniffImage(m.Data); typ == "" {
			typ = "application/octet-stream"
			if strings.HasPrefix(m.Type, "image/") {
				typ = "image/png"
			}
		}
	case !m.Text.IsZero():
		typ = mimeText
	default:
		typ = typeOfName(m.URL.String())
	}
	if typ != m.Type {
		e.Tell(scri.WarnChanged, "type", m.Type, typ, "the API wants to know exactly")
	}
	if typ == "" && !formed(m.Ext, "type") {
		return false
	}
	e.key(m.Ext, "mimeType")
	e.w.Str(typ)
	return true
}

// typeOfName is what the end of an address says of what is there, or "".
func typeOfName(url string) string {
	url, _, _ = strings.Cut(url, "?")
	switch strings.ToLower(path.Ext(url)) {
	case ".png":
		return "image/png"
	case ".jpg", ".jpeg":
		return "image/jpeg"
	case ".webp":
		return "image/webp"
	case ".gif":
		return "image/gif"
	case ".pdf":
		return "application/pdf"
	default:
		return ""
	}
}

// unsigned stands for the signature of a call that another model made. Models of
// the third generation refuse calls of the current turn without any.
const unsigned = "skip_thought_signature_validator"

func (e *encoder) call(p *scri.Part) bool {
	c := p.Call
	if c == nil || c.Server != "" {
		e.Drop("", "a call that the provider ran itself")
		return false
	}
	e.calls.Add(dialect.CallRef{ID: c.ID, Name: c.Name, Made: c.MadeID})
	e.w.BeginObject()
	e.key(p.Ext, "functionCall")
	in := e.In("call")
	if c.Type != "" {
		e.Drop("type", "there are functions alone here")
	}
	e.w.BeginObject()
	if c.ID != "" && !c.MadeID {
		e.w.Key("id")
		e.w.Str(c.ID)
	}
	e.w.Key("name")
	e.w.Str(c.Name)
	if !c.Args.IsZero() || !formed(c.Ext, "-args") {
		e.w.Key("args")
		e.args(c.Args)
	}
	e.callExt(c)
	e.w.EndObject()
	e.Out(in)
	e.tail(p, "functionCall")
	e.w.EndObject()
	return true
}

func (e *encoder) callExt(c *scri.ToolCall) {
	said := append(make([]string, 0, 3), "name")
	if c.ID != "" && !c.MadeID {
		said = append(said, "id")
	}
	if !c.Args.IsZero() || !formed(c.Ext, "-args") {
		said = append(said, "args")
	}
	e.ext(c.Ext, said...)
}

// args writes arguments as the object that they must be.
func (e *encoder) args(args scri.Text) {
	if args.IsZero() {
		e.w.B = append(e.w.B, "{}"...)
		return
	}
	start := len(e.w.B)
	e.w.B = args.AppendText(e.w.B)
	raw := bytes.TrimSpace(e.w.B[start:])
	if !e.isObject(raw) {
		e.w.B = append(e.w.B[:start], `{"_invalid_json":`...)
		e.w.B = args.AppendJSON(e.w.B)
		e.w.B = append(e.w.B, '}')
		e.Tell(scri.WarnChanged, "args", "", "", "the arguments are no JSON object")
		return
	}
	if e.line && bytes.ContainsAny(raw, "\n\r") {
		raw = bytes.Clone(raw)
		e.w.B = e.w.B[:start]
		e.raw(raw)
		return
	}
	e.w.B = append(e.w.B[:start], raw...)
}
