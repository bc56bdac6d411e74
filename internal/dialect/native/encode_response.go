package native

import (
	"reflect"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// EncodeResponse writes a whole answer. Nothing is lost on this way.
func (native) EncodeResponse(b []byte, _ *dialect.Incoming, r *scri.ChatResponse) ([]byte, []scri.Warning) {
	e := new(encoder)
	e.B = b
	if cap(b)-len(b) < 512 {
		e.B = append(make([]byte, 0, len(b)+responseSize(r)), b...)
	}
	e.response(r)
	return e.B, nil
}

func responseSize(r *scri.ChatResponse) int {
	n := 1024
	for i := range r.Choices {
		for j := range r.Choices[i].Output {
			n += 2 * dialect.PartsSize(r.Choices[i].Output[j].Parts)
		}
	}
	return n
}

func (e *encoder) response(r *scri.ChatResponse) {
	at := e.begin()
	e.always("id", r.ID, r.Ext)
	switch len(r.Choices) {
	case 0:
		e.view(new(scri.Choice), nil)
	case 1:
		e.view(&r.Choices[0], r.Ext)
	default:
		e.view(&r.Choices[0], nil)
	}
	e.always("model", r.Model, r.Ext)
	e.always("provider", r.Provider, r.Ext)
	e.time("created", r.Created)
	e.usage(r.Usage, r.Ext, true)
	if !e.lineage(r.Lineage, r.Ext) && !misfit(r.Ext, "lineage") {
		e.key("lineage")
		e.Null()
	}
	e.warnings(r.Warnings, r.Ext)
	switch {
	case len(r.Choices) != 1:
		e.key("choices")
		e.choices(r.Choices)
	case r.Choices[0].Ext != nil:
		e.key("choice_ext")
		e.ext(r.Choices[0].Ext)
	}
	e.end(at, r.Ext)
}

// always writes a member that every answer has.
func (e *encoder) always(name, v string, x *scri.Ext) {
	if v == "" && misfit(x, name) {
		return
	}
	e.key(name)
	e.Str(v)
}

// misfit reports whether the native Ext keeps a value for a known member that
// could not be read.
func misfit(x *scri.Ext, name string) bool {
	x = x.Of(Name)
	return x != nil && len(x.Members) > 0 && wire.NewScanner(x.Members).Peek(name) != nil
}

// head writes a ChatResponse as an event has it.
func (e *encoder) head(r *scri.ChatResponse) {
	at := e.begin()
	e.str("id", r.ID)
	e.str("model", r.Model)
	e.str("provider", r.Provider)
	e.time("created", r.Created)
	if len(r.Choices) > 0 {
		e.key("choices")
		e.choices(r.Choices)
	}
	e.usage(r.Usage, r.Ext, false)
	e.lineage(r.Lineage, r.Ext)
	e.warnings(r.Warnings, r.Ext)
	e.end(at, r.Ext)
}

func (e *encoder) choices(list []scri.Choice) {
	e.BeginArray()
	for i := range list {
		c := &list[i]
		at := e.begin()
		e.view(c, c.Ext)
		e.end(at, c.Ext)
	}
	e.EndArray()
}

// simple reports whether the output is one message of the assistant and nothing
// but its parts.
func simple(c *scri.Choice) bool {
	if len(c.Output) != 1 {
		return false
	}
	m := &c.Output[0]
	return m.Role == scri.RoleAssistant && m.ID == "" && m.Name == "" && m.Ext == nil
}

// view writes a choice: as text, as it is, and how it ended. x is the Ext of the
// object that is open.
func (e *encoder) view(c *scri.Choice, x *scri.Ext) {
	e.key("role")
	e.Str(string(scri.RoleAssistant))
	e.key("content")
	e.joined(c.Output, scri.PartText)
	e.key("parts")
	if len(c.Output) == 1 {
		e.partList(c.Output[0].Parts)
	} else {
		e.allParts(c.Output)
	}
	if !simple(c) {
		e.key("output")
		e.messages(c.Output)
	}
	e.key("tool_calls")
	e.calls(c.Output)
	e.key("thinking")
	e.joined(c.Output, scri.PartThinking)
	e.key("finish_reason")
	e.Str(string(c.Finish.Reason))
	e.finish(&c.Finish, x)
	each(e, "logprobs", c.LogProbs, e.logProb)
}

// joined writes the texts of one kind of parts as one string.
func (e *encoder) joined(list []scri.Message, kind scri.PartKind) {
	e.B = append(e.B, '"')
	for i := range list {
		for j := range list[i].Parts {
			if p := &list[i].Parts[j]; p.Kind == kind {
				e.B = p.Text.AppendJSONInner(e.B)
			}
		}
	}
	e.B = append(e.B, '"')
}

func (e *encoder) allParts(list []scri.Message) {
	e.BeginArray()
	for i := range list {
		for j := range list[i].Parts {
			e.part(&list[i].Parts[j])
		}
	}
	e.EndArray()
}

// calls writes the calls that are the client's to answer, without their Ext.
func (e *encoder) calls(list []scri.Message) {
	e.BeginArray()
	for i := range list {
		for j := range list[i].Parts {
			p := &list[i].Parts[j]
			if p.Kind != scri.PartToolCall || p.Call == nil || p.Call.Server != "" {
				continue
			}
			c := *p.Call
			c.Ext = nil
			e.call(&c)
		}
	}
	e.EndArray()
}

func (e *encoder) finish(f *scri.Finish, x *scri.Ext) {
	if e.asItWas(x, "finish", func(d *decoder) bool { return *d.finish(new(extra)) == *f }) {
		return
	}
	e.key("finish")
	at := e.begin()
	e.str("reason", string(f.Reason))
	e.str("raw", f.Raw)
	e.str("dialect", f.Dialect)
	e.str("detail", f.Detail)
	e.child(at, x, "finish")
}

// usage writes the counts; in an answer all that its users may count on, unknown
// ones as null.
func (e *encoder) usage(u *scri.Usage, x *scri.Ext, all bool) {
	if u == nil {
		if all && !misfit(x, "usage") {
			e.key("usage")
			e.Null()
		}
		return
	}
	if e.asItWas(x, "usage", func(d *decoder) bool { return reflect.DeepEqual(d.usage(new(extra)), u) }) {
		return
	}
	e.key("usage")
	at := e.begin()
	e.counts(u, all)
	e.child(at, x, "usage")
}

func (e *encoder) counts(u *scri.Usage, all bool) {
	e.count("input_tokens", u.Input, all)
	e.count("output_tokens", u.Output, all)
	if u.Input != nil || u.Output != nil || all {
		e.key("total_tokens")
		if u.Input != nil || u.Output != nil {
			e.Int(u.Total())
		} else {
			e.Null()
		}
	}
	e.intPtr("cache_read_tokens", u.CacheRead)
	e.intPtr("cache_write_tokens", u.CacheWrite)
	e.intPtr("reasoning_tokens", u.Thinking)
	e.flag("estimated", u.Estimated)
	e.raw("raw", u.Raw)
	e.str("dialect", u.Dialect)
}

// count writes a number that is null rather than absent when it must be there.
func (e *encoder) count(name string, n *int64, must bool) {
	if n == nil && must {
		e.key(name)
		e.Null()
		return
	}
	e.intPtr(name, n)
}

func (e *encoder) warnings(list []scri.Warning, x *scri.Ext) {
	if len(list) == 0 || e.asItWas(x, "warnings", func(d *decoder) bool {
		return reflect.DeepEqual(d.warnings(new(extra)), list)
	}) {
		return
	}
	each(e, "warnings", list, e.warning)
}

func (e *encoder) warning(w *scri.Warning) {
	at := e.begin()
	e.key("code")
	e.Str(w.Code)
	e.key("path")
	e.Str(w.Path)
	e.str("from", w.From)
	e.str("to", w.To)
	e.str("detail", w.Detail)
	e.end(at, nil)
}
