package cohere

import (
	"slices"
	"strings"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// encoder writes the objects of the dialect and notes what it could not say.
type encoder struct {
	dialect.Trail
	w      wire.Writer
	answer bool // what is written goes to a client, not to a provider

	// The message that is being written: its parts from base on, or those of
	// several messages of an answer, of these lengths.
	base    int
	lengths []int
	places  []place
	index   []int // of each part in the content, -1 = not in it
}

func (e *encoder) str(key, v string) {
	if v != "" {
		e.w.Key(key)
		e.w.Str(v)
	}
}

func (e *encoder) text(key string, t scri.Text) {
	e.w.Key(key)
	dialect.WriteText(&e.w, t)
}

func (e *encoder) open(typ string) {
	e.w.BeginObject()
	e.w.Key("type")
	e.w.Str(typ)
}

// at goes to part i of what is being written.
func (e *encoder) at(i int) int {
	if e.lengths == nil {
		n := e.In("content")
		e.At(e.base + i)
		return n
	}
	m := 0
	for m < len(e.lengths)-1 && i >= e.lengths[m] {
		i -= e.lengths[m]
		m++
	}
	n := e.At(m)
	e.In("content")
	e.At(i)
	return n
}

// place is where in a message a part is written. The order is that in which a
// decoder puts the parts back.
type place uint8

const (
	nowhere place = iota
	planPlace
	contentPlace
	callPlace
)

// sort finds the place of each part, and tells of those that have none. It
// reports how many there are in each place.
func (e *encoder) sort(parts []scri.Part, role scri.Role) (n [callPlace + 1]int) {
	e.places, e.index = e.places[:0], e.index[:0]
	last, ordered := nowhere, true
	for i := range parts {
		p := &parts[i]
		at := e.at(i)
		where := e.place(p, role, n[planPlace] > 0)
		e.Out(at)
		index := -1
		if where == contentPlace {
			index = n[contentPlace]
		}
		if n[where]++; where != nowhere {
			ordered = ordered && where >= last
			last = where
		}
		e.places, e.index = append(e.places, where), append(e.index, index)
	}
	if ordered {
		return n
	}
	const why = "the plan comes first and calls last here"
	if e.lengths == nil {
		e.Tell(scri.WarnChanged, "content", "", "", why)
	}
	for m := range e.lengths {
		at := e.At(m)
		e.Tell(scri.WarnChanged, "content", "", "", why)
		e.Out(at)
	}
	return n
}

// place is where the part goes that is the node.
func (e *encoder) place(p *scri.Part, role scri.Role, planned bool) place {
	switch p.Kind {
	case scri.PartText, scri.PartRefusal:
		return contentPlace
	case scri.PartThinking:
		if s := p.Signature; s != nil && (s.Redacted || p.Text.IsZero()) {
			e.Drop("", "thoughts that only another provider can read")
			return nowhere
		}
		if formed(p.Ext, formPlan) && !planned && role == scri.RoleAssistant {
			return planPlace
		}
		return contentPlace
	case scri.PartMedia:
		return e.mediaPlace(p, role)
	case scri.PartToolCall:
		switch {
		case p.Call == nil:
			e.Drop("", "a call of nothing")
		case p.Call.Server != "":
			e.Tell(scri.WarnDropped, "", p.Call.Type, "", "a call that another provider ran itself")
		default:
			return callPlace
		}
		return nowhere
	case scri.PartToolResult:
		e.Drop("", "a result of a tool that another provider ran itself")
		return nowhere
	case scri.PartOpaque:
		if p.Ext.Of(Name) == nil || len(p.Raw) == 0 {
			e.Drop("", "an item that only another dialect knows")
			return nowhere
		}
		if formed(p.Ext, formCalls) {
			return callPlace
		}
		return contentPlace
	default:
		e.Tell(scri.WarnDropped, "", string(p.Kind), "", "a part of an unknown kind")
		return nowhere
	}
}

func (e *encoder) mediaPlace(p *scri.Part, role scri.Role) place {
	m := p.Media
	switch {
	case m == nil:
		e.Drop("", "a medium without content")
	case e.answer:
		e.Drop("", "an answer holds no media here")
	case !m.Text.IsZero(), formed(p.Ext, formItem):
		return contentPlace
	case !isImage(m):
		e.Tell(scri.WarnDropped, "", m.Type, "", "only images and texts are understood")
	case role != scri.RoleUser:
		e.Drop("", "only a user shows images here")
	default:
		return contentPlace
	}
	return nowhere
}

// isImage reports whether a medium is an image that can be shown.
func isImage(m *scri.Media) bool {
	if m.Data.IsZero() && m.URL.IsZero() {
		return false
	}
	return strings.HasPrefix(m.Type, "image/") || m.Type == "" && dialect.SniffImage(m.Data) != ""
}

// ornaments tells of what the part that is the node has beside its content and
// its Ext.
func (e *encoder) ornaments(p *scri.Part) {
	if p.Cache != nil {
		e.Drop("cache", "prompts are cached without being told")
		if p.Cache.Ext != nil {
			in := e.In("cache")
			e.Homeless(p.Cache.Ext)
			e.Out(in)
		}
	}
	if p.Signature != nil {
		e.Drop("signature", "nothing is signed here")
	}
	if len(p.Citations) > 0 && p.Kind != scri.PartText && p.Kind != scri.PartRefusal {
		e.Drop("citations", "only text has citations here")
	}
	if p.Kind == scri.PartRefusal {
		e.Tell(scri.WarnChanged, "kind", string(p.Kind), typeText, "a refusal is a text here")
	}
}

// written are the members of a message that are written, so that its Ext does
// not say them again.
type written []string

func (w *written) has(name string) bool { return slices.Contains(*w, name) }

// speech writes the members of a message that is no tool's, but for its role,
// and reports which.
func (e *encoder) speech(m *scri.Message, parts []scri.Part, n [callPlace + 1]int) (done written) {
	done = make(written, 0, 8)
	if n[planPlace] > 0 {
		i := slices.Index(e.places, planPlace)
		at := e.at(i)
		e.ornaments(&parts[i])
		e.homelessPlan(&parts[i])
		e.text("tool_plan", parts[i].Text)
		e.Out(at)
		done = append(done, "tool_plan")
	} else if formed(m.Ext, formPlan) {
		e.w.Key("tool_plan")
		e.w.Str("")
		done = append(done, "tool_plan")
	}
	if e.content(m, parts, n[contentPlace]) {
		done = append(done, "content")
	}
	if m.Role != scri.RoleAssistant {
		e.uncited(parts)
	} else if e.citations(m, parts) {
		done = append(done, "citations")
	}
	switch {
	case n[callPlace] > 0:
		e.calls(parts)
		done = append(done, "tool_calls")
	case formed(m.Ext, formCalls):
		e.w.Key("tool_calls")
		e.w.Raw([]byte("[]"))
		done = append(done, "tool_calls")
	}
	return done
}

// uncited tells of citations where only assistants cite.
func (e *encoder) uncited(parts []scri.Part) {
	for i := range parts {
		if len(parts[i].Citations) > 0 && e.index[i] >= 0 {
			at := e.at(i)
			e.Drop("citations", "only the assistant cites here")
			e.Out(at)
		}
	}
}

// homelessPlan tells of members of a plan, which is a bare text.
func (e *encoder) homelessPlan(p *scri.Part) {
	if p.Ext != nil && len(p.Ext.Members) > 0 {
		e.Homeless(p.Ext)
	}
}

// content writes the n parts that belong there, and reports whether it did.
func (e *encoder) content(m *scri.Message, parts []scri.Part, n int) bool {
	switch {
	case n == 0 && formed(m.Ext, "empty"):
		e.w.Key("content")
		e.w.Str("")
		return true
	case n == 0 && formed(m.Ext, "list"):
		e.w.Key("content")
		e.w.Raw([]byte("[]"))
		return true
	case n == 0:
		return false
	}
	e.w.Key("content")
	one := slices.Index(e.places, contentPlace)
	if n == 1 && e.asString(m, &parts[one]) {
		at := e.at(one)
		e.ornaments(&parts[one])
		e.Foreign(parts[one].Ext)
		dialect.WriteText(&e.w, parts[one].Text)
		e.Out(at)
		return true
	}
	e.w.BeginArray()
	for i := range parts {
		if e.places[i] == contentPlace {
			at := e.at(i)
			e.item(&parts[i])
			e.Out(at)
		}
	}
	e.w.EndArray()
	return true
}

// asString reports whether a content that is this part alone is a string.
func (e *encoder) asString(m *scri.Message, p *scri.Part) bool {
	if p.Kind != scri.PartText && p.Kind != scri.PartRefusal || p.Text.IsZero() {
		return false
	}
	if own := p.Ext.Of(Name); own != nil && len(own.Members) > 0 {
		return false
	}
	if e.answer {
		return formed(m.Ext, "string")
	}
	return !formed(m.Ext, "list")
}

// item writes a part as an item of a content.
func (e *encoder) item(p *scri.Part) {
	e.ornaments(p)
	switch {
	case p.Kind == scri.PartOpaque:
		e.w.Raw(p.Raw)
		return
	case p.Kind == scri.PartMedia && (formed(p.Ext, formItem) && !isImage(p.Media)):
		e.documentItem(p)
		return
	case p.Kind == scri.PartMedia && isImage(p.Media):
		e.image(p)
		return
	case p.Kind == scri.PartMedia:
		e.Tell(scri.WarnChanged, "", "document", typeText, "a document behind a question is a text here")
		e.open(typeText)
		e.text("text", p.Media.Text)
		e.w.EndObject()
		return
	case p.Kind == scri.PartThinking:
		e.open(typeThinking)
		e.text("thinking", p.Text)
	default:
		e.open(typeText)
		e.text("text", p.Text)
	}
	e.Ext(&e.w, p.Ext, nil)
	e.w.EndObject()
}

// calls writes the calls of a message.
func (e *encoder) calls(parts []scri.Part) {
	e.w.Key("tool_calls")
	e.w.BeginArray()
	for i := range parts {
		if e.places[i] == callPlace {
			at := e.at(i)
			e.call(&parts[i], true)
			e.Out(at)
		}
	}
	e.w.EndArray()
}

// call writes one call; with its arguments, or as the beginning of one.
func (e *encoder) call(p *scri.Part, args bool) {
	e.ornaments(p)
	if p.Kind == scri.PartOpaque {
		e.w.Raw(p.Raw)
		return
	}
	c := p.Call
	in := e.In("call")
	if c.Type != "" {
		e.Tell(scri.WarnChanged, "type", c.Type, "", "every call is a call of a function here")
	}
	e.Homeless(c.Ext)
	e.Out(in)
	e.w.BeginObject()
	if !c.MadeID || !formed(p.Ext, "noid") {
		e.w.Key("id")
		e.w.Str(c.ID)
	}
	if !formed(p.Ext, "-type") {
		e.str("type", typeFunction)
	}
	e.w.Key(typeFunction)
	e.w.BeginObject()
	e.w.Key("name")
	e.w.Str(c.Name)
	switch {
	case !c.Args.IsZero():
		e.text("arguments", c.Args)
	case formed(p.Ext, "noargs") && args:
	case formed(p.Ext, "empty") || !args:
		e.w.Key("arguments")
		e.w.Str("")
	default:
		e.w.Key("arguments")
		e.w.Str("{}")
	}
	e.inner(p.Ext)
	e.w.EndObject()
}

// inner ends the function of a call or of a tool with what its Ext keeps of it,
// and writes the rest behind it.
func (e *encoder) inner(x *scri.Ext) {
	if !formed(x, "+inner") {
		e.w.EndObject()
		e.Ext(&e.w, x, nil)
		return
	}
	e.w.Members(dialect.Member(x, Name, typeFunction))
	e.w.EndObject()
	e.ExtLess(&e.w, x, typeFunction)
}
