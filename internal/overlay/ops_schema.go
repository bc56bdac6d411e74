package overlay

import (
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// schemas calls f with every schema at or below the roots: objects that stand
// where JSON Schema has schemas. Names of properties are no keywords, and
// values (const, enum, default, examples) are no schemas.
func (j *job) schemas(root *path, f func(n *node)) {
	for _, n := range j.t.find(nil, j.t.root, root.segs) {
		j.schema(n, f)
	}
}

func (j *job) schema(n *node, f func(n *node)) {
	if n.kind != wire.Object {
		return
	}
	f(n)
	for _, m := range append([]member(nil), j.t.object(n)...) {
		switch m.name {
		case "properties", "patternProperties", "$defs", "definitions", "dependentSchemas":
			for _, p := range append([]member(nil), j.t.object(m.value)...) {
				j.schema(p.value, f)
			}
		case "anyOf", "oneOf", "allOf", "prefixItems", "any_of":
			for _, e := range j.t.elements(m.value) {
				j.schema(e, f)
			}
		case "items":
			for _, e := range j.t.elements(m.value) {
				j.schema(e, f)
			}
			j.schema(m.value, f)
		case "additionalProperties", "additionalItems", "unevaluatedProperties", "unevaluatedItems", "contains",
			"propertyNames", "not", "if", "then", "else", "contentSchema":
			j.schema(m.value, f)
		}
	}
}

// keywords reads one keyword or several.
func (b *builder) keywords() []string {
	b.need("keyword")
	list := b.texts("keyword")
	if b.err == nil && len(list) == 0 {
		b.failAt(b.v.get("keyword"), "keyword: say which")
	}
	return list
}

// buildSchemaDrop: schema_drop root keyword.
func buildSchemaDrop(b *builder) {
	root, words := b.node("root"), b.keywords()
	b.step.body = func(j *job) {
		j.schemas(root, func(n *node) {
			for _, w := range words {
				if v := j.t.get(n, w); v != nil && j.ok(v) {
					j.warn(scri.WarnDropped, v, v.json(), nil)
					j.t.remove(v)
					j.did = true
				}
			}
		})
	}
}

// buildSchemaSet: schema_set root keyword value [where] [if_absent].
func buildSchemaSet(b *builder) {
	root, word := b.node("root"), b.word("keyword")
	b.need("value")
	value, absent := b.json("value"), b.flag("if_absent")
	var where *filter
	if b.opt("where") != nil {
		p := b.pathOf("where", &val{kind: wire.String, text: "x[?" + b.text("where") + "]", line: b.v.get("where").line, col: b.v.get("where").col})
		if b.err == nil {
			where = p.segs[1].sels[0].filter
		}
	}
	b.step.body = func(j *job) {
		j.schemas(root, func(n *node) {
			old := j.t.get(n, word)
			if where != nil && !where.holds(j.t, n) || !j.ok(old) || old != nil && (absent || old.is(value)) {
				return
			}
			if old == nil {
				j.warn(scri.WarnAdded, j.t.put(n, word, value), nil, value)
			} else {
				j.warn(scri.WarnChanged, old, old.json(), value)
				j.t.replace(old, value)
			}
			j.did = true
		})
	}
}

// buildSchemaRewrite: schema_rewrite root keyword to [template]. One keyword
// becomes another; type+nullable turns a list of types into one and a flag.
func buildSchemaRewrite(b *builder) {
	root, word, to := b.node("root"), b.word("keyword"), b.word("to")
	if to == "type+nullable" {
		b.step.body = func(j *job) {
			j.schemas(root, func(n *node) {
				if v := j.t.get(n, word); v != nil && v.kind == wire.Array && j.ok(v) {
					j.nullable(n, v)
				}
			})
		}
		return
	}
	tmpl := &template{raw: []byte(`"$value"`), parts: true}
	if v := b.opt("template"); v != nil {
		tmpl = compileTemplate(v)
	}
	b.step.body = func(j *job) {
		j.schemas(root, func(n *node) {
			v := j.t.get(n, word)
			if v == nil || !j.ok(v) {
				return
			}
			raw := tmpl.fill(v.json())
			switch have := j.t.get(n, to); {
			case to == word:
				j.t.replace(v, raw)
			case have != nil: // what says more stays
				j.warn(scri.WarnDropped, v, v.json(), nil)
				j.t.remove(v)
			default:
				j.t.replace(v, raw)
				j.t.rename(v, to)
			}
			j.did = true
		})
	}
}

// nullable turns ["string","null"] into "string" with nullable: true, and several
// types into anyOf.
func (j *job) nullable(n, types *node) {
	var list [][]byte
	null := false
	for _, e := range j.t.elements(types) {
		if e.text() == "null" {
			null = true
			continue
		}
		list = append(list, e.json())
	}
	switch {
	case len(list) == 0:
		return // null alone: the format has no word for it
	case len(list) == 1:
		j.t.replace(types, list[0])
	case j.t.get(n, "anyOf") != nil:
		return // would take what stands there
	default:
		raw := []byte{'['}
		for i, t := range list {
			if i > 0 {
				raw = append(raw, ',')
			}
			raw = append(append(append(raw, `{"type":`...), t...), '}')
		}
		j.t.replace(types, append(raw, ']'))
		j.t.rename(types, "anyOf")
	}
	if null {
		j.t.put(n, "nullable", []byte("true"))
	}
	j.did = true
}
