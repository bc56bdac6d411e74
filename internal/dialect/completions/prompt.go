package completions

import (
	"slices"
	"strings"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/scri"
)

// prompt writes the text that is to be gone on with: what a user says, or a
// conversation with a label before each turn.
func (e *requestEncoder) prompt() {
	text, asked := e.lone()
	switch {
	case !asked:
		text = scri.NewText(e.transcript())
	case len(e.req.Messages) == 0:
		e.Tell(scri.WarnAdded, "messages", "", "", "there must be a text")
	}
	e.key("prompt")
	if formed(e.req.Ext, "prompt[]") {
		e.w.BeginArray()
		defer e.w.EndArray()
	}
	dialect.WriteText(&e.w, text)
}

// lone is the text of a request that holds nothing but what a user says.
func (e *requestEncoder) lone() (text scri.Text, ok bool) {
	var all []string
	for i := range e.req.Messages {
		m := &e.req.Messages[i]
		if m.Role != scri.RoleUser {
			return text, false
		}
		for j := range m.Parts {
			p := &m.Parts[j]
			if p.Kind != scri.PartText {
				return text, false
			}
			if !p.Text.IsZero() {
				text = p.Text
				all = append(all, p.Text.String())
			}
		}
	}
	in := e.In("messages")
	for i := range e.req.Messages {
		m := &e.req.Messages[i]
		at := e.At(i)
		e.envelope(m)
		within, spoke := e.In("content"), false
		for j := range m.Parts {
			at := e.At(j)
			e.ornaments(&m.Parts[j])
			spoke = spoke || !m.Parts[j].Text.IsZero()
			e.Out(at)
		}
		e.Out(within)
		if len(all) > 1 && spoke {
			e.Tell(scri.WarnChanged, "content", "", "", "texts are joined")
		}
		e.Out(at)
	}
	e.Out(in)
	if len(all) > 1 {
		text = scri.NewText(strings.Join(all, "\n\n"))
	}
	return text, true
}

// envelope reports what of a message beside its parts has no place.
func (e *requestEncoder) envelope(m *scri.Message) {
	if m.ID != "" {
		e.Drop("id", "a text has no messages")
	}
	if m.Name != "" {
		e.Drop("name", "speakers have no names here")
	}
	e.Homeless(m.Ext)
}

// ornaments tells of what the part that is the node has beside its content.
func (e *requestEncoder) ornaments(p *scri.Part) {
	if p.Cache != nil {
		e.Drop("cache", "prompts are cached without being told")
	}
	if p.Signature != nil {
		e.Drop("signature", "nothing is signed here")
	}
	if len(p.Citations) > 0 {
		e.Drop("citations", "a text has no citations here")
	}
	e.Homeless(p.Ext)
}

// label is what stands before the turn of a speaker.
func label(r scri.Role) string {
	switch r {
	case scri.RoleSystem, scri.RoleDeveloper:
		return ""
	case scri.RoleUser:
		return "User: "
	case scri.RoleAssistant:
		return "Assistant: "
	case scri.RoleTool:
		return "Tool: "
	default:
		return string(r) + ": "
	}
}

// transcript writes a conversation as one text, which ends where the model is to go
// on.
func (e *requestEncoder) transcript() string {
	var b strings.Builder
	last, begun := scri.Role(""), false
	in := e.In("messages")
	for i := range e.req.Messages {
		m := &e.req.Messages[i]
		at := e.At(i)
		e.envelope(m)
		said := e.spoken(m)
		if said != "" {
			if last != "" {
				b.WriteString("\n\n")
			}
			b.WriteString(label(m.Role))
			b.WriteString(said)
			last = m.Role
			e.Tell(scri.WarnEmulated, "", string(m.Role), "", "a turn is a labelled piece of one text")
		}
		e.Out(at)
		if said != "" && !begun {
			begun = true
			e.silent(e.req.Messages[:i])
		}
	}
	if first := slices.IndexFunc(e.req.Messages, hasText); !begun && first >= 0 && e.req.Messages[first].Role != scri.RoleUser {
		e.silent(e.req.Messages[:first+1])
	}
	e.Out(in)
	if last != "" && last != scri.RoleAssistant {
		b.WriteString("\n\nAssistant:")
	}
	return b.String()
}

// silent tells of the texts before the first turn with words, whose place that takes.
func (e *requestEncoder) silent(messages []scri.Message) {
	for i := range messages {
		m := &messages[i]
		if !hasText(*m) {
			continue
		}
		at := e.At(i)
		e.Tell(scri.WarnEmulated, "", string(m.Role), "", "a turn without words is no piece of the text")
		e.Out(at)
	}
}

func hasText(m scri.Message) bool {
	return slices.ContainsFunc(m.Parts, func(p scri.Part) bool { return p.Kind == scri.PartText })
}

// spoken is what a message says in words. What cannot be put into words is told of.
func (e *requestEncoder) spoken(m *scri.Message) string {
	var lines []string
	in := e.In("content")
	for j := range m.Parts {
		at := e.At(j)
		if s, ok := e.words(&m.Parts[j]); ok && s != "" {
			lines = append(lines, s)
		}
		e.Out(at)
	}
	e.Out(in)
	return strings.Join(lines, "\n")
}

// words is what a part says. One that says nothing in words is dropped.
func (e *requestEncoder) words(p *scri.Part) (string, bool) {
	switch {
	case p.Kind == scri.PartText || p.Kind == scri.PartRefusal:
		e.ornaments(p)
		return p.Text.String(), true
	case p.Kind == scri.PartMedia && p.Media != nil && !p.Media.Text.IsZero():
		e.ornaments(p)
		return p.Media.Text.String(), true
	case p.Kind == scri.PartToolCall && p.Call != nil && p.Call.Server == "":
		e.ornaments(p)
		return "[calls " + p.Call.Name + " " + p.Call.Args.String() + "]", true
	case p.Kind == scri.PartToolResult && p.Result != nil && p.Result.Server == "":
		e.ornaments(p)
		return e.result(p.Result), true
	case p.Kind == scri.PartThinking:
		e.Drop("", "earlier thoughts are no part of a text")
	default:
		e.Drop("", "only words can be sent here")
	}
	return "", false
}

// result is what a tool has answered, in words.
func (e *requestEncoder) result(r *scri.ToolResult) string {
	in := e.In("result/content")
	defer e.Out(in)
	lines := []string{}
	for i := range r.Parts {
		at := e.At(i)
		p := &r.Parts[i]
		switch {
		case p.Kind == scri.PartText || p.Kind == scri.PartRefusal:
			lines = append(lines, p.Text.String())
		case p.Kind == scri.PartMedia && p.Media != nil && !p.Media.Text.IsZero():
			lines = append(lines, p.Media.Text.String())
		default:
			e.Drop("", "only words can be sent here")
		}
		e.Out(at)
	}
	if said := strings.Join(lines, "\n"); said != "" {
		return said
	}
	return "[no result]"
}
