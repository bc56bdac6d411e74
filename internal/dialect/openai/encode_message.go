package openai

import (
	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/scri"
)

// place is where in a message a part is written. The order is that in which a
// decoder that sees only the message puts the parts back.
type place uint8

const (
	nowhere place = iota
	thoughtField
	contentField
	audioField
	refusalField
	callField
	resultPlace
)

func placeOf(p *scri.Part) place {
	switch p.Kind {
	case scri.PartText:
		return contentField
	case scri.PartMedia:
		if has(p.Ext, "audio") {
			return audioField
		}
		return contentField
	case scri.PartThinking:
		if has(p.Ext, "item") || has(p.Ext, "item+") {
			return contentField
		}
		return thoughtField
	case scri.PartRefusal:
		if has(p.Ext, "item") {
			return contentField
		}
		return refusalField
	case scri.PartToolCall:
		return callField
	case scri.PartToolResult:
		return resultPlace
	case scri.PartOpaque:
		switch {
		case p.Ext.Of(name) == nil:
			return nowhere
		case has(p.Ext, "tool_calls"):
			return callField
		default:
			return contentField
		}
	default:
		return nowhere
	}
}

// messages writes the conversation.
func (e *encoder) messages(list []scri.Message) {
	e.Key("messages")
	e.BeginArray()
	for i := range list {
		e.msg = i
		e.message(&list[i])
	}
	e.showMoved()
	e.EndArray()
}

// message writes one message, or several: each result of a tool is one here.
func (e *encoder) message(m *scri.Message) {
	if len(e.moved) == 0 && bare(m) {
		e.BeginObject()
		e.str("role", string(m.Role))
		e.text("content", m.Parts[0].Text)
		e.EndObject()
		return
	}
	e.foreign(m.Ext, e.messagePath)
	if m.ID != "" {
		e.dropped(e.messagePath()+"/id", "messages have no id")
	}
	results := 0
	for i := range m.Parts {
		if m.Parts[i].Kind == scri.PartToolResult {
			results++
		}
	}
	if results == 0 {
		e.spoken(e.byUser(m), m.Parts, 0, true)
		return
	}
	if m.Name != "" {
		e.dropped(e.messagePath()+"/name", "results of tools have no speaker's name")
	}
	if dialect.OddResults(m) {
		e.tell(scri.WarnChanged, e.messagePath()+"/role", "results are a tool's")
	}
	extra := m.Ext
	for i := 0; i < len(m.Parts); {
		if m.Parts[i].Kind == scri.PartToolResult {
			e.result(&m.Parts[i], i, extra)
			extra = nil
			i++
			continue
		}
		end := i
		for end < len(m.Parts) && m.Parts[end].Kind != scri.PartToolResult {
			end++
		}
		e.between(m, i, end)
		i = end
	}
}

// bare reports whether a message is a role and a text and nothing else.
func bare(m *scri.Message) bool {
	if len(m.Parts) != 1 || m.Ext != nil || m.ID != "" || m.Name != "" || isTool(m.Role) {
		return false
	}
	p := &m.Parts[0]
	return p.Kind == scri.PartText && !p.Text.IsZero() && p.Ext == nil && p.Cache == nil && p.Signature == nil && len(p.Citations) == 0
}

// between writes what a message says between results of tools.
func (e *encoder) between(m *scri.Message, from, end int) {
	said := scri.Message{Role: e.byUser(m).Role}
	e.spoken(&said, m.Parts[from:end], from, false)
}

// isTool reports whether whatever a speaker says is taken for a result, now or in
// the older API.
func isTool(r scri.Role) bool { return r == scri.RoleTool || r == "function" }

// byUser gives what a tool says beside its results to the user: of a message of
// a tool everybody would make a result.
func (e *encoder) byUser(m *scri.Message) *scri.Message {
	if !isTool(m.Role) {
		return m
	}
	e.tell(scri.WarnChanged, e.messagePath()+"/role", "only a result is a tool's")
	said := *m
	said.Role = scri.RoleUser
	return &said
}

// spoken writes a message, unless nothing is left of it.
func (e *encoder) spoken(m *scri.Message, parts []scri.Part, base int, whole bool) {
	e.showMoved()
	n := len(e.B)
	e.BeginObject()
	if e.speech(m, parts, base, whole) || len(parts) == 0 {
		e.EndObject()
		return
	}
	e.B = e.B[:n]
	if whole {
		e.dropped(e.messagePath(), "nothing of it can be said")
	}
}

// sorted says what a message has to write, and where.
type sorted struct {
	n       [resultPlace + 1]int
	ordered bool
}

// sort looks at the parts and tells of those that have no place.
func (e *encoder) sort(parts []scri.Part, base int, skip *[]bool) sorted {
	s := sorted{ordered: true}
	last := nowhere
	for i := range parts {
		p := &parts[i]
		at := placeOf(p)
		if reason := e.refuse(p, at); reason != "" {
			if *skip == nil {
				*skip = make([]bool, len(parts))
			}
			(*skip)[i] = true
			e.dropped(e.partPath(base+i), reason)
			continue
		}
		if at < last {
			s.ordered = false
		}
		last = at
		s.n[at]++
	}
	return s
}

// refuse says why a part cannot be written, or "".
func (e *encoder) refuse(p *scri.Part, at place) string {
	switch at {
	case nowhere:
		return "only its own dialect can read it"
	case resultPlace:
		return "a tool that the provider ran has no place here"
	case thoughtField:
		return e.refuseThought(p)
	case callField:
		switch {
		case p.Call == nil:
			if p.Kind == scri.PartToolCall {
				return "it calls nothing"
			}
		case p.Call.Server != "":
			return "a tool that the provider ran has no place here"
		case p.Call.Type != "" && p.Call.Type != "custom":
			return "no such kind of call"
		}
	case contentField:
		if p.Kind == scri.PartMedia {
			return e.refuseMedia(p)
		}
	default:
	}
	return ""
}

func (e *encoder) refuseThought(p *scri.Part) string {
	own := p.Ext.Of(name) != nil
	if !own && p.Signature != nil && p.Signature.Redacted {
		return "hidden thoughts belong to whoever hid them"
	}
	if !own && p.Signature != nil && p.Text.IsZero() {
		return "there is no thought to read, only its signature"
	}
	if own || e.answer() || e.spelling() != "" {
		return ""
	}
	return "this provider is not known to take thoughts back"
}

// spelling is the field in which the target wants thoughts, where it is known.
func (e *encoder) spelling() string {
	if e.target != nil && isOneOf(e.target.Reasoning, fieldContent, fieldReasoning, fieldDetails) {
		return e.target.Reasoning
	}
	return ""
}

// speech writes the members of a message that is no tool's, and reports whether
// any of its parts was written.
func (e *encoder) speech(m *scri.Message, parts []scri.Part, base int, whole bool) bool {
	var skip []bool
	s := e.sort(parts, base, &skip)
	if !s.ordered {
		e.tell(scri.WarnChanged, e.messagePath()+"/content", "thoughts come first and calls last here")
	}
	switch {
	case has(m.Ext, "role="):
		e.str("role", "")
	case !has(m.Ext, "norole"):
		e.str("role", string(m.Role))
	}
	if m.Name != "" || has(m.Ext, "name=") {
		e.str("name", m.Name)
	}
	if s.n[thoughtField] > 0 || has(m.Ext, fieldContent+"=") || has(m.Ext, fieldReasoning+"=") {
		e.thoughts(m, parts, base, skip)
	}
	e.content(m, parts, base, skip, s.n[contentField])
	if s.n[refusalField] > 0 {
		e.refusal(parts, base, skip)
	} else if has(m.Ext, "norefusal") {
		e.str("refusal", "")
	}
	if s.n[audioField] > 0 {
		e.audio(parts, skip)
	}
	if s.n[callField] > 0 {
		e.calls(parts, base, skip)
	} else if has(m.Ext, "tool_calls[]") {
		e.Key("tool_calls")
		e.BeginArray()
		e.EndArray()
	}
	cited := e.annotations(m, parts, base, skip)
	switch {
	case whole && cited:
		e.extra(m.Ext, "annotations")
	case whole:
		e.extra(m.Ext)
	}
	return s.n != [resultPlace + 1]int{}
}

func skipped(skip []bool, i int) bool { return skip != nil && skip[i] }

// content writes the member content as it was spelled, or as a string where
// that is enough.
func (e *encoder) content(m *scri.Message, parts []scri.Part, base int, skip []bool, n int) {
	if n == 0 || e.nothing(parts) {
		e.noContent(m)
		return
	}
	list := has(m.Ext, "list")
	bare := !list
	for i := range parts {
		if !skipped(skip, i) && placeOf(&parts[i]) == contentField {
			bare = bare && !needsList(&parts[i])
		}
	}
	if !bare || n > 1 && !e.answer() {
		e.Key("content")
		e.list(parts, base, skip)
		return
	}
	if n > 1 {
		e.tell(scri.WarnChanged, e.messagePath()+"/content", "several texts became one")
	}
	e.Key("content")
	if len(parts) == 1 {
		e.ornaments(&parts[0], base)
		dialect.WriteText(&e.Writer, parts[0].Text)
		return
	}
	e.joined(parts, base, skip, contentField)
}

// nothing reports whether the content is only a text that was made to bind
// sources to.
func (e *encoder) nothing(parts []scri.Part) bool {
	for i := range parts {
		if p := &parts[i]; placeOf(p) == contentField && (!has(p.Ext, "made") || !p.Text.IsZero()) {
			return false
		}
	}
	return true
}

// noContent writes the content of a message that has none.
func (e *encoder) noContent(m *scri.Message) {
	switch {
	case has(m.Ext, "nocontent"), has(m.Ext, "other"):
	case has(m.Ext, "list"):
		e.Key("content")
		e.BeginArray()
		e.EndArray()
	case has(m.Ext, "empty"), m.Role != scri.RoleAssistant && !has(m.Ext, "null"):
		e.str("content", "")
	default:
		e.Key("content")
		e.Null()
	}
}

// needsList reports whether a part of the content is more than a bare text.
func needsList(p *scri.Part) bool {
	return p.Kind != scri.PartText || ownCache(p.Cache) || len(members(p.Ext)) > 0
}

func ownCache(c *scri.CacheMark) bool { return c != nil && c.Ext.Of(name) != nil }

// joined writes the texts of one place as one string.
func (e *encoder) joined(parts []scri.Part, base int, skip []bool, at place) {
	e.B = append(e.B, '"')
	for i := range parts {
		p := &parts[i]
		if skipped(skip, i) || placeOf(p) != at {
			continue
		}
		e.ornaments(p, base+i)
		e.B = p.Text.AppendJSONInner(e.B)
	}
	e.B = append(e.B, '"')
}

// ornaments tells of what a part has that cannot be written anywhere.
func (e *encoder) ornaments(p *scri.Part, i int) {
	e.foreign(p.Ext, func() string { return e.partPath(i) })
	if p.Cache != nil && !ownCache(p.Cache) {
		e.dropped(e.partPath(i)+"/cache", "prompts are cached without being told")
	}
	if p.Signature != nil && p.Kind != scri.PartThinking {
		e.dropped(e.partPath(i)+"/signature", "there is no place for signatures")
	}
}

func (e *encoder) refusal(parts []scri.Part, base int, skip []bool) {
	n := 0
	for i := range parts {
		if !skipped(skip, i) && placeOf(&parts[i]) == refusalField {
			n++
		}
	}
	for i := range parts {
		if n > 1 && !skipped(skip, i) && placeOf(&parts[i]) == refusalField {
			e.tell(scri.WarnChanged, e.partPath(base+i), "several refusals became one")
		}
	}
	e.Key("refusal")
	e.joined(parts, base, skip, refusalField)
}
