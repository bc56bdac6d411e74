package gemini

import (
	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/scri"
)

// result writes what a function gave back.
func (e *encoder) result(p *scri.Part) bool {
	r := p.Result
	switch {
	case r == nil, r.Server != "":
		e.Drop("", "the result of a call that the provider ran itself")
		return false
	case e.answer:
		e.Drop("", "an answer holds no results")
		return false
	}
	e.w.BeginObject()
	e.key(p.Ext, "functionResponse")
	in := e.In("result")
	e.w.BeginObject()
	call := e.calls.Find(r.CallID)
	id := r.CallID != "" && !formed(r.Ext, "-id") && (call == nil || !call.Made)
	if id {
		e.w.Key("id")
		e.w.Str(r.CallID)
	}
	said := make([]string, 0, 4)
	if id {
		said = append(said, "id")
	}
	name := r.Name
	if name == "" && !formed(r.Ext, "-name") && !formed(r.Ext, "name") && call != nil && call.Name != "" {
		name = call.Name
		e.Tell(scri.WarnAdded, "name", "", name, "a response names its function here")
	}
	if name != "" || !formed(r.Ext, "-name") {
		e.w.Key("name")
		e.w.Str(name)
		said = append(said, "name")
	}
	response, parts := e.resultParts(r)
	if response {
		said = append(said, "response")
	}
	if parts {
		said = append(said, "parts")
	}
	e.ext(r.Ext, said...)
	e.Out(in)
	e.w.EndObject()
	e.tail(p, "functionResponse")
	e.w.EndObject()
	return true
}

// resultParts writes the texts of a result, then its media, and reports what of
// both it wrote.
func (e *encoder) resultParts(r *scri.ToolResult) (response, media bool) {
	texts, late := 0, false
	for i := range r.Parts {
		switch p := &r.Parts[i]; {
		case readable(p):
			late = late || media
			texts++
		default:
			media = true
		}
	}
	if late {
		e.Tell(scri.WarnChanged, "content", "", "", "texts come before media")
	}
	in := e.In("content")
	defer e.Out(in)
	response = e.response(r, texts)
	if !media {
		if formed(r.Ext, "parts") {
			e.w.Key("parts")
			e.w.Raw([]byte("[]"))
		}
		return response, formed(r.Ext, "parts")
	}
	before := len(e.w.B)
	e.w.Key("parts")
	e.w.BeginArray()
	some := false
	for i := range r.Parts {
		p := &r.Parts[i]
		if readable(p) {
			continue
		}
		at := e.At(i)
		switch p.Kind {
		case scri.PartMedia, scri.PartOpaque:
			some = e.part(p) || some
		default:
			e.Drop("", "a response holds texts and media")
		}
		e.Out(at)
	}
	if !some {
		e.w.B = e.w.B[:before]
		return response, false
	}
	e.w.EndArray()
	return response, true
}

func isText(p *scri.Part) bool {
	switch p.Kind {
	case scri.PartText, scri.PartThinking, scri.PartRefusal:
		return true
	default:
		return false
	}
}

// readable reports whether a part of a result is given as text: a document in plain
// text, too.
func readable(p *scri.Part) bool {
	return isText(p) || p.Kind == scri.PartMedia && p.Media != nil && p.Media.Data.IsZero() && !p.Media.Text.IsZero()
}

// response writes the object that a function gave back, unless there was none. The
// node is the list of parts.
func (e *encoder) response(r *scri.ToolResult, texts int) bool {
	if formed(r.Ext, "-response") && texts == 0 && !r.Error {
		return false
	}
	e.w.Key("response")
	if texts == 0 && !r.Error {
		e.w.Raw([]byte("{}"))
		return true
	}
	if texts == 1 && !r.Error && formed(r.Ext, "json") {
		for i := range r.Parts {
			if p := &r.Parts[i]; p.Kind == scri.PartText && e.object(p) {
				return true
			}
		}
	}
	e.w.BeginObject()
	switch {
	case r.Error:
		e.w.Key("error")
	case formed(r.Ext, "result"):
		e.w.Key("result")
	default:
		e.w.Key("output")
	}
	if texts == 0 {
		e.w.Str("")
	}
	if texts > 1 {
		e.w.BeginArray()
	}
	for i := range r.Parts {
		if p := &r.Parts[i]; readable(p) {
			at := e.At(i)
			e.resultText(p)
			e.Out(at)
		}
	}
	if texts > 1 {
		e.w.EndArray()
	}
	e.w.EndObject()
	return true
}

// object writes a text that is a JSON object as such.
func (e *encoder) object(p *scri.Part) bool {
	start := len(e.w.B)
	e.w.B = p.Text.AppendText(e.w.B)
	raw := e.w.B[start:]
	if !e.isObject(raw) {
		e.w.B = e.w.B[:start]
		return false
	}
	return true
}

// resultText writes one text of a result.
func (e *encoder) resultText(p *scri.Part) {
	if m := p.Media; p.Kind == scri.PartMedia {
		dialect.WriteText(&e.w, m.Text)
		e.Tell(scri.WarnChanged, "", string(p.Kind), string(scri.PartText), "a document in plain text is given as such")
		return
	}
	dialect.WriteText(&e.w, p.Text)
	if p.Kind != scri.PartText {
		e.Tell(scri.WarnChanged, "kind", string(p.Kind), string(scri.PartText), "")
	}
	if p.Cache != nil {
		e.Drop("cache", "prompts are cached without marks here")
	}
	if len(p.Citations) > 0 {
		e.Drop("citations", "a history has none here")
	}
	if p.Signature != nil {
		e.Drop("signature", "")
	}
	e.Homeless(p.Ext)
}
