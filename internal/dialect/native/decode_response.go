package native

import (
	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// Bounds of what an answer may number.
const (
	maxChoices  = 1 << 10
	maxMessages = 1 << 16
	maxParts    = 1 << 20
)

// DecodeResponse reads a whole answer. The exact members (choices, output,
// parts, finish) win over those that only show the same to people.
func (native) DecodeResponse(a *dialect.Answer) (*scri.ChatResponse, error) {
	d := &decoder{lenient: true}
	d.Reset(a.Body)
	if d.Peek("error") != nil {
		if e := decodeError(a); e != nil {
			return nil, e
		}
	}
	r := d.response()
	if err := d.End(); err != nil {
		return nil, dialect.Unreadable(err)
	}
	return r, nil
}

// view is the first choice as the top level of an answer shows it, and every
// choice in a list of several.
type view struct {
	role     scri.Role
	content  scri.Text
	thinking scri.Text
	reason   scri.FinishReason
	calls    []scri.ToolCall
	parts    []scri.Part
	output   []scri.Message
	finish   *scri.Finish
	logProbs []scri.TokenLogProb
	ext      *scri.Ext

	hasParts, hasOutput bool
}

// choice makes the choice that is meant.
func (v *view) choice() scri.Choice {
	c := scri.Choice{LogProbs: v.logProbs, Ext: v.ext, Finish: scri.Finish{Reason: v.reason}}
	if v.finish != nil {
		c.Finish = *v.finish
	}
	if v.hasOutput {
		c.Output = v.output
		return c
	}
	m := scri.Message{Role: v.role, Parts: v.parts}
	if m.Role == "" {
		m.Role = scri.RoleAssistant
	}
	if !v.hasParts {
		m.Parts = v.shown()
	}
	c.Output = []scri.Message{m}
	return c
}

// shown makes parts of what the convenient members show.
func (v *view) shown() []scri.Part {
	var out []scri.Part
	if !v.thinking.IsZero() {
		out = append(out, scri.Part{Kind: scri.PartThinking, Text: v.thinking})
	}
	if !v.content.IsZero() {
		out = append(out, scri.Part{Kind: scri.PartText, Text: v.content})
	}
	for i := range v.calls {
		out = append(out, scri.Part{Kind: scri.PartToolCall, Call: &v.calls[i]})
	}
	return out
}

// member reads what choices and the top level of an answer have in common.
func (v *view) member(d *decoder, x *extra, name string) bool {
	switch name {
	case "role":
		d.try(x, func() { v.role = roleOf(d.Unquoted(), d.own) })
	case "content":
		v.readContent(d, x)
	case "thinking":
		d.try(x, func() { v.thinking = scri.QuotedText(d.Str()) })
	case "tool_calls":
		d.try(x, func() {
			for range d.Elements() {
				v.calls = append(v.calls, *d.call())
			}
		})
	case "parts":
		v.hasParts = d.try(x, func() { v.parts = d.partList(new(extra), name) })
	case "output":
		v.hasOutput = d.try(x, func() { v.output = d.messages() })
	case "finish_reason":
		d.try(x, func() { v.reason = finishReason(d.plain()) })
	case "finish":
		d.try(x, func() { d.child(x, name, func(c *extra) { v.finish = d.finish(c) }) })
	case "logprobs":
		d.try(x, func() { v.logProbs = list(d, x, name, d.logProb) })
	default:
		return false
	}
	return true
}

// readContent reads the text, or takes a list there for the parts.
func (v *view) readContent(d *decoder, x *extra) {
	d.try(x, func() {
		if d.Kind() == wire.Array && !v.hasParts {
			v.parts, v.hasParts = d.partList(new(extra), "content"), true
			return
		}
		v.content = scri.QuotedText(d.Str())
	})
}

// response reads the answer as the top level of a body has it.
func (d *decoder) response() *scri.ChatResponse {
	r := new(scri.ChatResponse)
	var x extra
	var v view
	several := false
	for name := range d.Members() {
		if d.Kind() == wire.Null && shown(name) {
			continue
		}
		if d.null(&x) || v.member(d, &x, name) {
			continue
		}
		switch name {
		case "choices":
			several = d.try(&x, func() { r.Choices = list(d, new(extra), name, d.choice) })
		case "choice_ext":
			var c extra
			d.try(&x, func() { d.ext(&c, true) })
			v.ext = c.result()
		default:
			d.headMember(r, &x, name)
		}
	}
	r.Ext = x.result()
	if !several {
		r.Choices = []scri.Choice{v.choice()}
	}
	return r
}

// shown reports whether an answer always has the member, so that a null there
// is nobody's word.
func shown(name string) bool {
	switch name {
	case "usage", "lineage", "finish", "parts", "tool_calls", "thinking", "content":
		return true
	default:
		return false
	}
}

// head reads a ChatResponse as an event has it: by the names of its fields.
func (d *decoder) head() *scri.ChatResponse {
	r := new(scri.ChatResponse)
	var x extra
	for name := range d.Members() {
		if d.null(&x) {
			continue
		}
		if name == "choices" {
			d.try(&x, func() { r.Choices = list(d, &x, name, d.choice) })
			continue
		}
		d.headMember(r, &x, name)
	}
	r.Ext = x.result()
	return r
}

func (d *decoder) headMember(r *scri.ChatResponse, x *extra, name string) {
	switch name {
	case "id":
		d.try(x, func() { r.ID = d.plain() })
	case "model":
		d.try(x, func() { r.Model = d.plain() })
	case "provider":
		d.try(x, func() { r.Provider = d.plain() })
	case "created":
		d.try(x, func() { r.Created = d.time() })
	case "usage":
		if !d.try(x, func() { d.child(x, name, func(c *extra) { r.Usage = d.usage(c) }) }) {
			r.Usage = nil
		}
	case "warnings":
		if !d.try(x, func() { d.child(x, name, func(c *extra) { r.Warnings = d.warnings(c) }) }) {
			r.Warnings = nil
		}
	case "lineage":
		if !d.try(x, func() { d.child(x, name, func(c *extra) { r.Lineage = d.lineage(c) }) }) {
			r.Lineage = nil
		}
	case "ext":
		d.ext(x, false)
	default:
		x.keep(d.Member())
	}
}

// choice reads an element of "choices".
func (d *decoder) choice() scri.Choice {
	var x extra
	var v view
	for name := range d.Members() {
		if d.Kind() == wire.Null && shown(name) {
			continue
		}
		if d.null(&x) || v.member(d, &x, name) {
			continue
		}
		if name == "ext" {
			d.ext(&x, false)
			continue
		}
		x.keep(d.Member())
	}
	v.ext = x.result()
	return v.choice()
}

func finishReason(s string) scri.FinishReason {
	switch r := scri.FinishReason(s); r {
	case scri.FinishStop:
		return scri.FinishStop
	case scri.FinishToolCalls:
		return scri.FinishToolCalls
	case scri.FinishLength:
		return scri.FinishLength
	default:
		return r
	}
}

func (d *decoder) finish(x *extra) *scri.Finish {
	f := new(scri.Finish)
	for name := range d.Members() {
		if d.null(x) {
			continue
		}
		switch name {
		case "reason":
			f.Reason = finishReason(d.str(x, name))
		case "raw":
			f.Raw = d.str(x, name)
		case "dialect":
			f.Dialect = d.str(x, name)
		case "detail":
			f.Detail = d.str(x, name)
		default:
			x.keep(d.Member())
		}
	}
	return f
}

// usage reads the counts. Those an answer always shows may be null; the total
// is derived.
func (d *decoder) usage(x *extra) *scri.Usage {
	u := new(scri.Usage)
	for name := range d.Members() {
		if d.Kind() == wire.Null && (name == "input_tokens" || name == "output_tokens" || name == "total_tokens") {
			continue
		}
		if d.null(x) {
			continue
		}
		switch name {
		case "input_tokens":
			u.Input = d.intPtr()
		case "output_tokens":
			u.Output = d.intPtr()
		case "cache_read_tokens":
			u.CacheRead = d.intPtr()
		case "cache_write_tokens":
			u.CacheWrite = d.intPtr()
		case "reasoning_tokens":
			u.Thinking = d.intPtr()
		case "total_tokens":
			d.Int()
		case "estimated":
			u.Estimated = d.flag(x, name)
		case "raw":
			u.Raw = scri.RawJSON(d.Raw())
		case "dialect":
			u.Dialect = d.str(x, name)
		default:
			x.keep(d.Member())
		}
	}
	return u
}

func (d *decoder) warnings(x *extra) []scri.Warning {
	x.deep = true
	return list(d, x, "", func() scri.Warning { return d.warning(x) })
}

func (d *decoder) warning(x *extra) scri.Warning {
	var w scri.Warning
	for name := range d.Members() {
		if d.null(x) {
			continue
		}
		switch name {
		case "code":
			w.Code = d.plain()
		case "path":
			w.Path = d.plain()
		case "from":
			w.From = d.str(x, name)
		case "to":
			w.To = d.str(x, name)
		case "detail":
			w.Detail = d.str(x, name)
		default:
			x.keep(d.Member())
		}
	}
	return w
}
