// Package mend makes tool calls of what local models write as text: many of them
// know a form of their own for calls, and their runtime does not always read it.
//
// It does so only where nothing else can be meant: the form is a known one, all in
// it that looks like a call is one, each names a tool of the request, and its
// arguments are a JSON object. Everything else stays the text that it was.
package mend

import (
	"encoding/hex"
	"hash/fnv"
	"strconv"
	"strings"

	"github.com/aratta-gateway/aratta/scri"
)

// maxHeld bounds the text that may still turn out to be a call.
const maxHeld = 256 << 10

// Mender mends the answers to one request.
type Mender struct {
	tools tools
	alone bool   // an answer that is nothing but JSON may be a call
	seed  string // of ids
	made  int
}

// New returns what mends answers to r, or nil when there is nothing to mend: no
// tools, or none may be called. The ids of calls are made of seed.
func New(r *scri.ChatRequest, seed string) *Mender {
	if len(r.Tools) == 0 || r.ToolChoice != nil && r.ToolChoice.Mode == "none" {
		return nil
	}
	wantsJSON := r.Format != nil && r.Format.Kind != scri.FormatText
	return &Mender{tools: tools{r.Tools}, alone: !wantsJSON, seed: seed}
}

// part is the call that was found.
func (m *Mender) part(f found) scri.Part {
	h := fnv.New64a()
	_, _ = h.Write([]byte(m.seed + "\x00" + strconv.Itoa(m.made))) // never fails
	m.made++
	return scri.Part{Kind: scri.PartToolCall, Call: &scri.ToolCall{
		ID: "call_" + hex.EncodeToString(h.Sum(nil)), Name: f.name, Args: scri.NewText(f.args), MadeID: true,
	}}
}

func warning(path, form string) scri.Warning {
	return scri.Warning{
		Code: scri.WarnChanged, Path: path, From: string(scri.PartText), To: string(scri.PartToolCall),
		Detail: "the model wrote the call as text (" + form + ")",
	}
}

// path is where a part stands in an answer.
func path(choice, message, part int) string {
	return "/choices/" + strconv.Itoa(choice) + "/output/" + strconv.Itoa(message) + "/content/" + strconv.Itoa(part)
}

// Whole returns the answer with its calls, and r itself when there are none to be
// made. r is not changed.
func (m *Mender) Whole(r *scri.ChatResponse) *scri.ChatResponse {
	var out *scri.ChatResponse
	for i := range r.Choices {
		c, warnings := m.choice(i, &r.Choices[i])
		if c == nil {
			continue
		}
		if out == nil {
			copied := *r
			copied.Choices = append([]scri.Choice(nil), r.Choices...)
			copied.Warnings = append([]scri.Warning(nil), r.Warnings...)
			out = &copied
		}
		out.Choices[i] = *c
		out.Warnings = append(out.Warnings, warnings...)
	}
	if out == nil {
		return r
	}
	return out
}

// choice returns a choice with its calls; nil = there are none to be made.
func (m *Mender) choice(n int, c *scri.Choice) (*scri.Choice, []scri.Warning) {
	var warnings []scri.Warning
	out := *c
	out.Output = append([]scri.Message(nil), c.Output...)
	for i := range out.Output {
		msg := &out.Output[i]
		var parts []scri.Part
		for j := range msg.Parts {
			p := msg.Parts[j]
			calls, rest, form := m.find(msg.Role, &p)
			if len(calls) == 0 {
				parts = append(parts, p)
				continue
			}
			if rest != "" {
				p.Text = scri.NewText(rest)
				parts = append(parts, p)
			}
			for _, f := range calls {
				warnings = append(warnings, warning(path(n, i, len(parts)), form))
				parts = append(parts, m.part(f))
			}
		}
		msg.Parts = parts
	}
	if len(warnings) == 0 {
		return nil, nil
	}
	out.Finish = called(out.Finish)
	return &out, warnings
}

// find finds the calls in a part of an answer.
func (m *Mender) find(role scri.Role, p *scri.Part) (calls []found, rest, form string) {
	if role != scri.RoleAssistant || p.Kind != scri.PartText || len(p.Citations) > 0 || p.Text.Size() > maxHeld {
		return nil, "", ""
	}
	text := p.Text.String()
	if look(text, m.alone) == plain {
		return nil, "", ""
	}
	return m.tools.parse(text, m.alone)
}

// called is how an answer with calls ends.
func called(f scri.Finish) scri.Finish {
	if f.Reason == scri.FinishStop && strings.TrimSpace(f.Detail) == "" {
		return scri.Finish{Reason: scri.FinishToolCalls}
	}
	return f
}
