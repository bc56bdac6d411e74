package overlay

import (
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// pairing is a value's way from one path to another. Steps that both begin with
// lead to the same element: messages[*].a to messages[*].b.
type pairing struct {
	from, to *path
	common   int
}

func (b *builder) pairing() pairing {
	p := pairing{from: b.node("from"), to: b.place("to")}
	if b.err != nil {
		return p
	}
	if len(p.from.segs) == 0 {
		b.failAt(b.v.get("from"), "from: want something below the document")
	}
	p.common = min(p.from.common(p.to), len(p.from.segs)-1)
	if !p.to.add {
		p.common = min(p.common, len(p.to.segs)-1)
	}
	for i, s := range p.to.segs[p.common:] {
		index := len(s.sels) == 1 && s.sels[0].index != nil && !s.descend
		if s.name == "" && (!index || i != len(p.to.segs[p.common:])-1) {
			b.failAt(b.v.get("to"), "to: %q leads to several places; only what from begins with too may select", p.to.text)
		}
	}
	return p
}

// each calls f with every value at from and the node that both paths share.
func (p *pairing) each(j *job, f func(base, n *node)) {
	j.t.shared = j.t.find(j.t.shared[:0], j.t.root, p.from.segs[:p.common])
	for _, base := range j.t.shared {
		j.t.found = j.t.find(j.t.found[:0], base, p.from.segs[p.common:])
		for _, n := range j.t.found {
			if n.parent != nil && j.ok(n) {
				f(base, n)
			}
		}
	}
}

// target is where a value goes below base, made if need be. An index at the end
// is a place between elements.
func (p *pairing) target(j *job, base *node) (place, bool) {
	rest := p.to.segs[p.common:]
	if n := len(rest); n > 0 && rest[n-1].name == "" {
		list := j.t.places(base, rest[:n-1], false, false)
		if n > 1 && (len(list) == 0 || list[0].node == nil) {
			if list = j.t.places(base, rest[:n-1], false, true); len(list) > 0 && list[0].node == nil {
				list[0].node = j.t.fill(list[0], []byte("[]"))
			}
		}
		if len(list) == 0 || list[0].node == nil || list[0].node.kind != wire.Array {
			return place{}, false
		}
		arr := list[0].node
		i := *rest[n-1].sels[0].index
		if i < 0 {
			i += len(j.t.elements(arr)) + 1
		}
		return place{parent: arr, at: i}, true
	}
	list := j.t.places(base, rest, p.to.add, true)
	if len(list) == 0 {
		return place{}, false
	}
	return list[0], true
}

// buildRename: rename from to [value_map].
func buildRename(b *builder) {
	p := b.pairing()
	var table []entry
	if v := b.opt("value_map"); v != nil {
		table = b.table("value_map", v)
	}
	name := p.to.last()
	// One member beside the other keeps its place.
	inPlace := name != "" && p.from.last() != "" && len(p.from.segs) == p.common+1 && len(p.to.segs) == p.common+1
	b.step.body = func(j *job) {
		p.each(j, func(base, n *node) {
			if e := lookup(table, n); e != nil {
				j.warn(scri.WarnChanged, n, n.json(), e.to)
				j.replaced(n)
				if j.did = true; e.to == nil {
					j.t.remove(n)
					return
				}
				j.t.replace(n, e.to)
			}
			if inPlace && n.parent.kind == wire.Object && j.t.get(n.parent, name) == nil {
				j.t.rename(n, name)
				j.did = true
				return
			}
			j.moveOne(&p, base, n, &carrier{keep: true})
		})
	}
}

// carrier says how a value is moved.
type carrier struct {
	merge bool
	keep  bool // what stands at the target stays, and the value is dropped
	leave []byte
	tmpl  *template
}

// buildMove: move from to [merge] [leave] [template].
func buildMove(b *builder) {
	p := b.pairing()
	c := &carrier{merge: b.flag("merge"), leave: b.json("leave")}
	if v := b.opt("template"); v != nil {
		c.tmpl = compileTemplate(v)
	}
	b.step.body = func(j *job) {
		p.each(j, func(base, n *node) { j.moveOne(&p, base, n, c) })
	}
}

// buildWrap: wrap from to template.
func buildWrap(b *builder) {
	p := b.pairing()
	c := &carrier{tmpl: compileTemplate(b.need("template"))}
	b.step.body = func(j *job) {
		p.each(j, func(base, n *node) { j.moveOne(&p, base, n, c) })
	}
}

// moveOne takes a value from where it stands and puts it where the pairing leads.
func (j *job) moveOne(p *pairing, base, n *node, c *carrier) {
	raw := n.json()
	if c.tmpl != nil {
		raw = c.tmpl.fill(raw)
	}
	pl, ok := p.target(j, base)
	if !ok || pl.node == n && c.tmpl == nil {
		return
	}
	j.did = true
	if pl.node == n { // the new value in place of the old
		j.t.replace(n, raw)
		return
	}
	if c.keep && pl.node != nil && pl.node.kind != wire.Null {
		j.warn(scri.WarnDropped, n, n.json(), nil)
		j.t.remove(n)
		return
	}
	if c.leave != nil {
		j.t.replace(n, c.leave)
	} else {
		j.t.remove(n)
	}
	switch {
	case pl.end || pl.node != nil || pl.name != "":
		j.settle(pl, raw, c.merge)
	default:
		j.t.insert(pl.parent, pl.at, raw)
	}
}

// settle puts a moved value into its place. Lists join what stands there, and so
// do objects that are to be merged; what stands there counts.
func (j *job) settle(pl place, raw []byte, merge bool) {
	old := pl.node
	if old == nil || old.kind != kindOf(raw) || old.kind != wire.Array && (!merge || old.kind != wire.Object) {
		if old != nil {
			j.warn(scri.WarnChanged, old, old.json(), raw)
		}
		j.t.fill(pl, raw)
		return
	}
	var moved tree
	moved.load(raw)
	if old.kind == wire.Array {
		for _, v := range moved.elements(moved.root) {
			j.t.insert(old, len(j.t.elements(old)), v.json())
		}
		return
	}
	j.mergeInto(old, &moved, moved.root)
}

func (j *job) mergeInto(old *node, from *tree, n *node) {
	for _, m := range from.object(n) {
		have := j.t.get(old, m.name)
		switch {
		case have == nil:
			j.t.put(old, m.name, m.value.json())
		case have.kind == wire.Object && m.value.kind == wire.Object:
			j.mergeInto(have, from, m.value)
		}
	}
}
