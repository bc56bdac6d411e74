package scri

import (
	"maps"
	"slices"
)

func (w *walker) request(r *ChatRequest) *ChatRequest {
	c := cow[ChatRequest]{v: r}
	if v, ok := each(w, "messages", r.Messages, (*walker).message); ok {
		c.own().Messages = v
	}
	if v, ok := each(w, "tools", r.Tools, (*walker).tool); ok {
		c.own().Tools = v
	}
	if v, ok := inside(w, "tool_choice", r.ToolChoice, (*walker).toolChoice); ok {
		c.own().ToolChoice = v
	}
	if v, ok := w.raw("seed", r.Seed); ok {
		c.own().Seed = v
	}
	if v, ok := w.strs("stop", r.Stop); ok {
		c.own().Stop = v
	}
	if v, ok := w.text("suffix", r.Suffix); ok {
		c.own().Suffix = v
	}
	if v, ok := inside(w, "reasoning", r.Reasoning, (*walker).reasoning); ok {
		c.own().Reasoning = v
	}
	if v, ok := inside(w, "format", r.Format, (*walker).format); ok {
		c.own().Format = v
	}
	if v, ok := w.str("user", r.User); ok {
		c.own().User = v
	}
	if v, ok := w.table("metadata", r.Metadata); ok {
		c.own().Metadata = v
	}
	if v, ok := w.str("previous_id", r.PreviousID); ok {
		c.own().PreviousID = v
	}
	if v, ok := inside(w, "ext", r.Ext, (*walker).ext); ok {
		c.own().Ext = v
	}
	return c.v
}

func (w *walker) response(r *ChatResponse) *ChatResponse {
	c := cow[ChatResponse]{v: r}
	if v, ok := w.str("id", r.ID); ok {
		c.own().ID = v
	}
	if v, ok := each(w, "choices", r.Choices, (*walker).choice); ok {
		c.own().Choices = v
	}
	if v, ok := inside(w, "usage", r.Usage, (*walker).usage); ok {
		c.own().Usage = v
	}
	if v, ok := each(w, "warnings", r.Warnings, (*walker).warning); ok {
		c.own().Warnings = v
	}
	if v, ok := inside(w, "ext", r.Ext, (*walker).ext); ok {
		c.own().Ext = v
	}
	return c.v
}

func (w *walker) choice(v *Choice) *Choice {
	c := cow[Choice]{v: v}
	if v, ok := each(w, "output", v.Output, (*walker).message); ok {
		c.own().Output = v
	}
	if v, ok := inside(w, "finish", &v.Finish, (*walker).finish); ok {
		c.own().Finish = *v
	}
	if v, ok := each(w, "logprobs", v.LogProbs, (*walker).logProb); ok {
		c.own().LogProbs = v
	}
	if v, ok := inside(w, "ext", v.Ext, (*walker).ext); ok {
		c.own().Ext = v
	}
	return c.v
}

func (w *walker) finish(f *Finish) *Finish {
	c := cow[Finish]{v: f}
	if v, ok := w.str("raw", f.Raw); ok {
		c.own().Raw = v
	}
	if v, ok := w.str("detail", f.Detail); ok {
		c.own().Detail = v
	}
	return c.v
}

func (w *walker) logProb(p *TokenLogProb) *TokenLogProb {
	c := cow[TokenLogProb]{v: p}
	if v, ok := w.text("token", p.Token); ok {
		c.own().Token = v
		c.own().Bytes = nil // they are those of the token as it was
	}
	if v, ok := each(w, "top", p.Top, (*walker).logProb); ok {
		c.own().Top = v
	}
	if v, ok := inside(w, "ext", p.Ext, (*walker).ext); ok {
		c.own().Ext = v
	}
	return c.v
}

func (w *walker) usage(u *Usage) *Usage {
	c := cow[Usage]{v: u}
	if v, ok := w.raw("raw", u.Raw); ok {
		c.own().Raw = v
	}
	return c.v
}

func (w *walker) warning(g *Warning) *Warning {
	c := cow[Warning]{v: g}
	if v, ok := w.str("path", g.Path); ok {
		c.own().Path = v
	}
	if v, ok := w.str("from", g.From); ok {
		c.own().From = v
	}
	if v, ok := w.str("to", g.To); ok {
		c.own().To = v
	}
	if v, ok := w.str("detail", g.Detail); ok {
		c.own().Detail = v
	}
	return c.v
}

func (w *walker) message(m *Message) *Message {
	c := cow[Message]{v: m}
	if v, ok := w.str("id", m.ID); ok {
		c.own().ID = v
	}
	if v, ok := w.str("name", m.Name); ok {
		c.own().Name = v
	}
	if v, ok := each(w, "content", m.Parts, (*walker).part); ok {
		c.own().Parts = v
	}
	if v, ok := inside(w, "ext", m.Ext, (*walker).ext); ok {
		c.own().Ext = v
	}
	return c.v
}

func (w *walker) part(p *Part) *Part {
	c := cow[Part]{v: p}
	if v, ok := w.text("text", p.Text); ok {
		c.own().Text = v
	}
	if v, ok := inside(w, "media", p.Media, (*walker).media); ok {
		c.own().Media = v
	}
	if v, ok := inside(w, "call", p.Call, (*walker).call); ok {
		c.own().Call = v
	}
	if v, ok := inside(w, "result", p.Result, (*walker).toolResult); ok {
		c.own().Result = v
	}
	if v, ok := each(w, "citations", p.Citations, (*walker).citation); ok {
		c.own().Citations = v
	}
	if v, ok := inside(w, "cache", p.Cache, (*walker).cache); ok {
		c.own().Cache = v
	}
	if v, ok := w.raw("raw", p.Raw); ok {
		c.own().Raw = v
	}
	if v, ok := inside(w, "ext", p.Ext, (*walker).ext); ok {
		c.own().Ext = v
	}
	return c.v
}

func (w *walker) media(m *Media) *Media {
	c := cow[Media]{v: m}
	if v, ok := w.str("name", m.Name); ok {
		c.own().Name = v
	}
	if v, ok := w.data("data", m.Type, m.Data); ok {
		c.own().Data = v
	}
	if v, ok := w.url("url", m.URL); ok {
		c.own().URL = v
	}
	if v, ok := w.str("file_id", m.FileID); ok {
		c.own().FileID = v
	}
	if v, ok := w.text("text", m.Text); ok {
		c.own().Text = v
	}
	if v, ok := inside(w, "ext", m.Ext, (*walker).ext); ok {
		c.own().Ext = v
	}
	return c.v
}

func (w *walker) call(t *ToolCall) *ToolCall {
	c := cow[ToolCall]{v: t}
	if v, ok := w.str("id", t.ID); ok {
		c.own().ID = v
	}
	if v, ok := w.str("name", t.Name); ok {
		c.own().Name = v
	}
	if v, ok := w.args("args", t.Args); ok {
		c.own().Args = v
	}
	if v, ok := w.str("server", t.Server); ok {
		c.own().Server = v
	}
	if v, ok := inside(w, "ext", t.Ext, (*walker).ext); ok {
		c.own().Ext = v
	}
	return c.v
}

func (w *walker) toolResult(r *ToolResult) *ToolResult {
	c := cow[ToolResult]{v: r}
	if v, ok := w.str("call_id", r.CallID); ok {
		c.own().CallID = v
	}
	if v, ok := w.str("name", r.Name); ok {
		c.own().Name = v
	}
	if v, ok := each(w, "content", r.Parts, (*walker).part); ok {
		c.own().Parts = v
	}
	if v, ok := w.str("server", r.Server); ok {
		c.own().Server = v
	}
	if v, ok := inside(w, "ext", r.Ext, (*walker).ext); ok {
		c.own().Ext = v
	}
	return c.v
}

func (w *walker) citation(t *Citation) *Citation {
	c := cow[Citation]{v: t}
	if v, ok := w.text("quote", t.Quote); ok {
		c.own().Quote = v
	}
	if v, ok := w.str("url", t.URL); ok {
		c.own().URL = v
	}
	if v, ok := w.str("title", t.Title); ok {
		c.own().Title = v
	}
	if v, ok := w.str("document", t.Document); ok {
		c.own().Document = v
	}
	if v, ok := inside(w, "ext", t.Ext, (*walker).ext); ok {
		c.own().Ext = v
	}
	return c.v
}

func (w *walker) cache(m *CacheMark) *CacheMark {
	c := cow[CacheMark]{v: m}
	if v, ok := inside(w, "ext", m.Ext, (*walker).ext); ok {
		c.own().Ext = v
	}
	return c.v
}

func (w *walker) tool(t *Tool) *Tool {
	c := cow[Tool]{v: t}
	if v, ok := w.str("name", t.Name); ok {
		c.own().Name = v
	}
	if v, ok := w.text("description", t.Description); ok {
		c.own().Description = v
	}
	if v, ok := w.raw("schema", t.Schema); ok {
		c.own().Schema = v
	}
	if v, ok := inside(w, "cache", t.Cache, (*walker).cache); ok {
		c.own().Cache = v
	}
	if v, ok := inside(w, "ext", t.Ext, (*walker).ext); ok {
		c.own().Ext = v
	}
	return c.v
}

func (w *walker) toolChoice(t *ToolChoice) *ToolChoice {
	c := cow[ToolChoice]{v: t}
	if v, ok := w.str("name", t.Name); ok {
		c.own().Name = v
	}
	if v, ok := inside(w, "ext", t.Ext, (*walker).ext); ok {
		c.own().Ext = v
	}
	return c.v
}

func (w *walker) reasoning(r *Reasoning) *Reasoning {
	c := cow[Reasoning]{v: r}
	if v, ok := inside(w, "ext", r.Ext, (*walker).ext); ok {
		c.own().Ext = v
	}
	return c.v
}

func (w *walker) format(f *Format) *Format {
	c := cow[Format]{v: f}
	if v, ok := w.str("name", f.Name); ok {
		c.own().Name = v
	}
	if v, ok := w.raw("schema", f.Schema); ok {
		c.own().Schema = v
	}
	if v, ok := inside(w, "ext", f.Ext, (*walker).ext); ok {
		c.own().Ext = v
	}
	return c.v
}

// ext walks the members of an extension, as if they stood in it directly.
func (w *walker) ext(e *Ext) *Ext {
	c := cow[Ext]{v: e}
	if v, ok := w.members(e.Members); ok {
		c.own().Members = v
	}
	return c.v
}

func (w *walker) strs(name string, list []string) ([]string, bool) {
	return each(w, name, list, func(w *walker, s *string) *string {
		if v, ok := w.visit(string(w.path), *s); ok {
			return &v
		}
		return s
	})
}

func (w *walker) table(name string, in map[string]string) (map[string]string, bool) {
	at := w.enter(name)
	out := make(map[string]string, len(in))
	changed := false
	for _, k := range slices.Sorted(maps.Keys(in)) {
		path := string(w.path) + "/" + escapePointer(k)
		key, renamed := w.visit(path+"#", k)
		v, ok := w.visit(path, in[k])
		changed = changed || renamed || ok
		if _, twice := out[key]; twice {
			w.fail("two names became one")
		}
		out[key] = v
	}
	w.leave(at)
	if !changed {
		return in, false
	}
	return out, true
}
