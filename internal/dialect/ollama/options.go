package ollama

import (
	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// options reads the model's parameters: those that every dialect knows into
// their fields, the others into an object of their own in Ext.
func (d *reader) options() {
	s, req := d.s, d.req
	var u dialect.Unknown
	n := 0
	for name := range s.Members() {
		n++
		if s.Kind() == wire.Null {
			u.Add(s.Member())
			continue
		}
		switch name {
		case "temperature":
			req.Temperature = new(s.Float())
		case "top_p":
			req.TopP = new(s.Float())
		case "frequency_penalty":
			req.FrequencyPenalty = new(s.Float())
		case "presence_penalty":
			req.PresencePenalty = new(s.Float())
		case "top_k":
			req.TopK = new(s.Int())
		case "seed":
			req.Seed = s.Number()
		case "num_predict":
			d.numPredict(&u)
		case "stop":
			d.stop()
		default:
			u.Add(s.Member())
		}
	}
	if n == 0 {
		d.rest.Form("+options")
	}
	addNested(&d.rest, "options", &u)
}

// numPredict reads the limit of the answer. What is below zero has a meaning of
// its own: no limit, or as much as the context holds.
func (d *reader) numPredict(u *dialect.Unknown) {
	at := d.s.Mark()
	n := d.s.Int()
	if d.s.Err() == nil && n < 0 {
		d.s.Rewind(at)
		u.Add(d.s.Member())
		return
	}
	d.req.MaxTokens = &n
}

func (d *reader) stop() {
	n := 0
	for range d.s.Elements() {
		n++
		d.req.Stop = append(d.req.Stop, d.s.Unquoted())
	}
	if n == 0 {
		d.rest.Form("+stop")
	}
}

// The words of Reasoning.Effort that are booleans here.
const (
	effortOn   = "on"
	effortNone = "none"
)

// think reads whether and how much the model may think.
func (d *reader) think() {
	switch d.s.Kind() {
	case wire.Bool:
		effort := effortNone
		if d.s.Bool() {
			effort = effortOn
		}
		d.req.Reasoning = &scri.Reasoning{Effort: effort}
	case wire.String:
		at := d.s.Mark()
		word := d.s.Unquoted()
		if !isLevel(word) {
			d.s.Rewind(at)
			d.s.Fail("think must be true, false, \"low\", \"medium\", \"high\" or \"max\"")
			return
		}
		d.req.Reasoning = &scri.Reasoning{Effort: word}
	default:
		d.s.Fail("think must be true, false, \"low\", \"medium\", \"high\" or \"max\"")
	}
}

func isLevel(word string) bool {
	switch word {
	case "low", "medium", "high", "max":
		return true
	default:
		return false
	}
}

// format reads the shape that the answer shall have.
func (d *reader) format() {
	s := d.s
	switch s.Kind() {
	case wire.Object:
		d.req.Format = &scri.Format{Kind: scri.FormatJSONSchema, Schema: s.Raw()}
	case wire.String:
		at := s.Mark()
		switch s.Unquoted() {
		case "json":
			d.req.Format = &scri.Format{Kind: scri.FormatJSON}
		case "":
			d.rest.Form("+format")
		default:
			s.Rewind(at)
			s.Fail("format must be \"json\" or a JSON schema")
		}
	default:
		s.Fail("format must be \"json\" or a JSON schema")
	}
}

// generateMember reads what only /api/generate has, and reports whether name
// was such a member.
func (d *reader) generateMember(name string) bool {
	s := d.s
	switch name {
	case "prompt":
		d.prompt, d.sawPrompt = scri.QuotedText(s.Str()), true
	case "system":
		d.system, d.sawSystem = scri.QuotedText(s.Str()), true
	case "images":
		d.msg.readImages(s)
	case "suffix":
		if d.req.Suffix = scri.QuotedText(s.Str()); d.req.Suffix.IsZero() {
			d.rest.Form("+suffix")
		}
	case "template":
		d.emptyOr(name, wire.String, `""`)
	case "raw":
		d.emptyOr(name, wire.Bool, "false")
	case "tools": // not there
		d.rest.Add(s.Member())
	default:
		return false
	}
	return true
}

// emptyOr takes a member along, or only notes that it said nothing.
func (d *reader) emptyOr(name string, kind wire.Kind, empty string) {
	if d.s.Kind() != kind {
		d.s.Fail("%s must be a %s", name, kind)
		return
	}
	at := d.s.Mark()
	if string(d.s.Raw()) == empty {
		d.rest.Form("+" + name)
		return
	}
	d.s.Rewind(at)
	d.rest.Add(d.s.Member())
}

// finishGenerate makes a conversation of system and prompt.
func (d *reader) finishGenerate() {
	d.rest.Form(VariantGenerate)
	if !d.system.IsZero() {
		d.req.Messages = append(d.req.Messages, scri.Message{
			Role: scri.RoleSystem, Parts: []scri.Part{{Kind: scri.PartText, Text: d.system}},
		})
	} else if d.sawSystem {
		d.rest.Form("+system")
	}
	d.msg.content = d.prompt
	if parts := d.msg.parts(); parts != nil {
		d.req.Messages = append(d.req.Messages, scri.Message{Role: scri.RoleUser, Parts: parts})
	}
	if d.prompt.IsZero() && d.sawPrompt {
		d.rest.Form("+prompt")
	}
	if formed(d.msg.rest.Ext(Name), "+images") {
		d.rest.Form("+images")
	}
}
