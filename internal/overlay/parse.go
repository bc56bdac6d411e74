package overlay

import (
	"regexp"
	"slices"
	"time"

	"github.com/aratta-gateway/aratta/internal/wire"
)

// Parse reads the overlays of one file, a YAML document each, and compiles them.
// An error is a *scri.Error that names file, line, column and what is wrong
// there; then nothing of the file is to be used.
func Parse(file string, raw []byte, origin Origin) ([]*Overlay, error) {
	return parseAt(file, 0, raw, origin)
}

// parseAt parses a part of a file that has so many lines before it.
func parseAt(file string, lines int, raw []byte, origin Origin) ([]*Overlay, error) {
	src := &source{file: file, lines: lines}
	docs, err := src.documents(raw)
	if err != nil {
		return nil, err
	}
	if len(docs) == 0 {
		return nil, src.fail(1, 1, "no overlay in it")
	}
	var list []*Overlay
	for _, d := range docs {
		o, err := src.overlay(d, origin)
		if err != nil {
			return nil, err
		}
		if i := slices.IndexFunc(list, func(p *Overlay) bool { return p.ID == o.ID }); i >= 0 {
			return nil, src.fail(o.Line, 1, "overlay %q stands in line %d already", o.ID, list[i].Line)
		}
		list = append(list, o)
	}
	return list, nil
}

var (
	idPattern   = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,99}$`)
	datePattern = regexp.MustCompile(`^\d{4}-\d{2}(-\d{2})?$`)
)

func (s *source) overlay(v *val, origin Origin) (*Overlay, error) {
	a := s.args(v, "overlay")
	o := &Overlay{Origin: origin, File: s.file, Line: v.line}
	o.ID = a.word("id")
	if a.err == nil && !idPattern.MatchString(o.ID) {
		a.failAt(v.get("id"), "id: %q is none; use a-z, 0-9, dot, dash, underscore", o.ID)
	}
	o.Version = a.text("version")
	if a.need("version"); a.err == nil && o.Version == "" {
		a.failAt(v.get("version"), "version: say which")
	}
	o.Note = a.text("note")
	if e := a.opt("enabled"); e != nil {
		o.Disabled = !a.flag("enabled")
	}
	o.match(a)
	o.evidence(a)
	o.Expires = a.date("expires")
	o.approval(a)
	o.ops(a)
	cases := a.opt("cases")
	if err := a.done(); err != nil {
		return nil, err
	}
	return o, o.cases(s, cases)
}

func (o *Overlay) match(a *args) {
	v := a.opt("match")
	if v == nil {
		return
	}
	m := a.src.args(v, "match")
	o.Match = Match{
		Provider: m.text("provider"), Dialect: canonicalDialect(m.text("dialect")), Model: m.text("model"), BaseURL: m.text("base_url"),
	}
	o.Match.providers, o.Match.models = m.globs("provider"), m.globs("model")
	if d := m.opt("dialect"); d != nil && !slices.Contains(dialects(), o.Match.Dialect) {
		m.failAt(d, "dialect: %q is not known%s", d.text, suggest(d.text, dialects()))
	}
	if m.oneOf("op", "chat", OpEmbed) == OpEmbed {
		o.Match.Op = OpEmbed
	}
	if m.opt("direction") != nil {
		o.Match.Direction = At(m.oneOf("direction", directions()...))
	}
	if err := m.done(); err != nil {
		a.err = orElse(a.err, m.err)
	}
}

func directions() []string {
	return []string{string(AtRequest), string(AtHeaders), string(AtPath), string(AtResponse), string(AtStream)}
}

func (o *Overlay) evidence(a *args) {
	v := a.opt("evidence")
	if v == nil {
		return
	}
	for _, e := range oneOrList(v) {
		m := a.src.args(e, "evidence")
		ev := Evidence{Sentence: m.word("sentence"), Date: m.text("date"), Source: m.word("source")}
		if m.err == nil && !datePattern.MatchString(ev.Date) {
			m.failAt(m.need("date"), "date: %q is no day or month like 2026-05-17 or 2026-05", ev.Date)
		}
		if err := m.done(); err != nil {
			a.err = orElse(a.err, m.err)
			return
		}
		o.Evidence = append(o.Evidence, ev)
	}
}

func (a *args) date(key string) time.Time {
	v := a.opt(key)
	if v == nil {
		return time.Time{}
	}
	t, err := time.Parse(time.DateOnly, v.text)
	if err != nil {
		a.failAt(v, "%s: %q is no day like 2026-05-17", key, v.text)
	}
	return t
}

// approval reads who must agree, or has agreed.
func (o *Overlay) approval(a *args) {
	v := a.opt("approval")
	if v == nil {
		return
	}
	if v.kind == wire.String {
		a.oneOf("approval", "operator")
		o.Approval.Needed = true
		return
	}
	m := a.src.args(v, "approval")
	o.Approval = Approval{Needed: true, By: m.word("by"), Date: m.text("date")}
	if err := m.done(); err != nil {
		a.err = orElse(a.err, m.err)
	}
}

func (o *Overlay) ops(a *args) {
	if o.Disabled && a.v.get("ops") == nil {
		a.opt("ops")
		return
	}
	v := a.need("ops")
	if a.err == nil && (v.kind != wire.Array || len(v.items) == 0) {
		a.failAt(v, "ops: want a list, got %s", v.word())
	}
	for _, e := range v.items {
		if a.err != nil {
			return
		}
		o.op(a, e)
	}
}

// op compiles one op.
func (o *Overlay) op(a *args, v *val) {
	m := a.src.args(v, "op")
	name := m.word("op")
	if m.err != nil {
		a.err = m.err
		return
	}
	def, known := defs()[name]
	if !known {
		at := v.get("op")
		a.err = a.src.fail(at.line, at.col, "unknown op %q%s", name, suggest(name, opNames()))
		return
	}
	m.what = "op " + name
	if o.Match.Op == OpEmbed && slices.Contains([]string{"base_url", "dialect", "echo", "force_stream_aggregate", "inline_media"}, name) {
		m.failAt(v, "it is for chats: match.op must not be embed")
	}
	st := &step{name: name, detail: "overlay " + o.Name() + ": " + name, models: m.globs("models")}
	if f := m.opt("fallback"); f != nil && (f.kind == wire.Bool || name != "stream_rekey") { // which has a word of its own there
		st.fallback = m.flag("fallback")
	}
	m.text("note")
	st.scope = m.scope()
	st.at = o.where(m, def)
	st.when = m.cond("when", &o.facts)
	if st.when != nil && st.when.own && !def.own {
		m.failAt(m.v.get("when"), "when: this op has no value of its own to ask; write {PATH: value}")
	}
	if m.opt("approval") != nil {
		m.oneOf("approval", "operator")
		o.Approval.Needed = true
	}
	o.was = o.was || st.when.wantsWas()
	b := &builder{args: m, step: st, origin: o.Origin, facts: &o.facts}
	if m.err == nil {
		def.build(b)
	}
	if m.err == nil && o.Origin == Healed && st.personal != "" {
		m.failAt(v, "only people may write %s", st.personal)
	}
	if err := m.done(); err != nil {
		a.err = orElse(a.err, m.err)
		return
	}
	o.steps = append(o.steps, st)
}

// where settles what an op works on.
func (o *Overlay) where(m *args, def opDef) At {
	at := def.at[0]
	if slices.Contains(def.at, o.Match.Direction) {
		at = o.Match.Direction
	}
	v := m.opt("at")
	if v != nil {
		at = At(v.text)
	}
	if !slices.Contains(def.at, at) {
		words := make([]string, len(def.at))
		for i, w := range def.at {
			words[i] = string(w)
		}
		m.failAt(v, "at: %q is no place for this op%s", v.text, suggest(v.text, words))
	}
	if d := o.Match.Direction; m.err == nil && d != "" && at != d {
		m.failAt(m.v, "acts on the %s, and match.direction says %s", at, d)
	}
	return at
}

// scope reads what narrows one op: provider=NAME, base_url=HOST/PATH, or
// deployment, which says that the model is the name of a deployment.
func (a *args) scope() scope {
	v := a.opt("scope")
	if v == nil {
		return scope{}
	}
	s, ok := readScope(v.text)
	if !ok {
		a.failAt(v, "scope: %q is none of provider=NAME, base_url=HOST/PATH, deployment", v.text)
	}
	return s
}
