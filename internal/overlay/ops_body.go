package overlay

import (
	"bytes"
	"math"
	"strconv"

	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

func appendUnquote(raw []byte) []byte { return wire.AppendUnquote(nil, raw) }

// buildDrop: drop path [prune].
func buildDrop(b *builder) {
	p, prune := b.node("path"), b.flag("prune")
	b.step.body = func(j *job) {
		for _, n := range j.t.all(p) {
			if n.parent == nil || !j.ok(n) {
				continue
			}
			j.warnAt(scri.WarnDropped, p, n, n.json(), nil)
			j.replaced(n)
			up := n.parent
			j.t.remove(n)
			for prune && up.parent != nil && j.t.empty(up) {
				n, up = up, up.parent
				j.t.remove(n)
			}
			j.did = true
		}
	}
}

// buildDropItem: drop_item path match. path is a list, or its elements.
func buildDropItem(b *builder) {
	p := b.node("path")
	match := b.matcher("match")
	b.step.body = func(j *job) {
		var items []*node
		for _, n := range j.t.all(p) {
			if n.parent != nil && n.parent.kind == wire.Array {
				items = append(items, n)
			} else {
				items = append(items, j.t.elements(n)...)
			}
		}
		for _, n := range items {
			if match.fits(j.t, n) && j.ok(n) {
				j.warn(scri.WarnDropped, n, n.json(), nil)
				j.replaced(n)
				j.t.remove(n)
				j.did = true
			}
		}
	}
}

// buildSet: set path value [if_absent].
func buildSet(b *builder) {
	p := b.place("path")
	b.need("value")
	value, absent := b.json("value"), b.flag("if_absent")
	b.step.stayPut = absent
	b.step.body = func(j *job) {
		for _, pl := range j.t.places(j.t.root, p.segs, p.add, false) {
			j.setOne(p, pl, value, absent)
		}
		if len(j.t.all(p)) == 0 { // nothing there: make what may be made
			if j.step.when != nil && j.step.when.own && !j.ok(nil) {
				return
			}
			for _, pl := range j.t.places(j.t.root, p.segs, p.add, true) {
				j.setOne(p, pl, value, absent)
			}
		}
	}
}

func (j *job) setOne(p *path, pl place, value []byte, absent bool) {
	switch {
	case pl.node != nil && (absent || pl.node.is(value)), !j.ok(pl.node):
		return
	case pl.node != nil:
		j.replaced(pl.node)
		j.warnAt(scri.WarnChanged, p, pl.node, pl.node.json(), value)
		j.t.replace(pl.node, value)
	default:
		j.warnAt(scri.WarnAdded, p, j.t.fill(pl, value), nil, value)
	}
	j.did = true
}

// buildMapEnum: map_enum path map.
func buildMapEnum(b *builder) {
	p := b.node("path")
	table := b.table("map", b.need("map"))
	b.step.body = func(j *job) {
		for _, n := range j.t.all(p) {
			e := lookup(table, n)
			if e == nil || !j.ok(n) {
				continue
			}
			j.warnAt(scri.WarnChanged, p, n, n.json(), e.to)
			j.replaced(n)
			if e.to == nil {
				j.t.remove(n)
			} else {
				j.t.replace(n, e.to)
			}
			j.did = true
		}
	}
}

// lookup finds a scalar in a table by its text.
func lookup(table []entry, n *node) *entry {
	switch n.kind {
	case wire.String, wire.Number, wire.Bool, wire.Null:
	default:
		return nil
	}
	raw := bytes.TrimSpace(n.raw)
	for i := range table {
		e := &table[i]
		if bytes.Equal(raw, e.quoted) || n.kind != wire.String && string(raw) == e.from ||
			n.kind == wire.String && bytes.IndexByte(raw, '\\') >= 0 && n.text() == e.from {
			return e
		}
	}
	return nil
}

// buildMapRole: map_role from to [path].
func buildMapRole(b *builder) {
	from, to := quote(b.word("from")), quote(b.word("to"))
	paths := b.rolePaths()
	b.step.body = func(j *job) {
		for _, p := range paths {
			for _, n := range j.t.all(p) {
				if n.is(from) && j.ok(n) {
					j.warnAt(scri.WarnChanged, p, n, from, to)
					j.replaced(n)
					j.t.replace(n, to)
					j.did = true
				}
			}
		}
	}
}

// rolePaths are where formats keep the roles of a history, unless path says.
func (b *builder) rolePaths() []*path {
	if b.opt("path") != nil {
		return []*path{b.node("path")}
	}
	var list []*path
	for _, s := range []string{"messages[*].role", "input[*].role", "contents[*].role"} {
		p, err := compilePath(s)
		if err != nil {
			panic(err) // cannot be: constants, all tested
		}
		list = append(list, p)
	}
	return list
}

// buildClamp: clamp path [min] [max].
func buildClamp(b *builder) {
	p := b.node("path")
	lo, hi := b.bound("min", math.Inf(-1)), b.bound("max", math.Inf(1))
	if b.err == nil && (b.v.get("min") == nil && b.v.get("max") == nil || lo > hi) {
		b.failAt(b.v, "want min, or max, or both in order")
	}
	low, high := b.json("min"), b.json("max")
	b.step.body = func(j *job) {
		for _, n := range j.t.all(p) {
			x, ok := n.number()
			if !ok || !j.ok(n) {
				continue
			}
			to := low
			if x > hi {
				to = high
			} else if x >= lo {
				continue
			}
			j.warnAt(scri.WarnChanged, p, n, n.json(), to)
			j.replaced(n)
			j.t.replace(n, to)
			j.did = true
		}
	}
}

func (b *builder) bound(key string, none float64) float64 {
	v := b.opt(key)
	if v == nil {
		return none
	}
	x, err := strconv.ParseFloat(v.text, 64)
	if v.kind != wire.Number || err != nil {
		b.failAt(v, "%s: want a number, got %s", key, v.word())
		return none
	}
	return x
}

func (n *node) number() (float64, bool) {
	if n == nil || n.kind != wire.Number {
		return 0, false
	}
	x, err := strconv.ParseFloat(string(bytes.TrimSpace(n.raw)), 64)
	return x, err == nil
}

// buildExclusive: exclusive paths keep.
func buildExclusive(b *builder) {
	paths := b.paths("paths")
	keep := b.word("keep")
	at := -1
	for i, p := range paths {
		if p.text == keep {
			at = i
		}
	}
	if b.err == nil && at < 0 {
		b.failAt(b.v.get("keep"), "keep: %q is none of paths", keep)
	}
	b.step.body = func(j *job) {
		there, kept := 0, -1
		for i, p := range paths {
			if j.t.one(p) != nil {
				there++
				if kept < 0 || i == at {
					kept = i
				}
			}
		}
		if there < 2 {
			return
		}
		for i, p := range paths {
			if i == kept {
				continue
			}
			for _, n := range j.t.all(p) {
				j.warnAt(scri.WarnDropped, p, n, n.json(), nil)
				j.replaced(n)
				j.t.remove(n)
				j.did = true
			}
		}
	}
}

// matcher compares an element with a pattern: a mapping whose members it must
// have (null: or not have), a list or value that it must be, or a path that it
// must have.
type matcher struct {
	whole []byte
	parts []part
	path  *path
}

type part struct {
	path *path
	is   []byte // nil for null: absent will do
}

func (a *args) matcher(key string) *matcher {
	v := a.need(key)
	m := &matcher{}
	switch {
	case v.kind == wire.String && len(v.text) > 1 && v.text[0] == '$':
		m.path = a.pathOf(key, v)
	case v.kind == wire.Object && len(v.members) > 0:
		for _, e := range v.members {
			p, err := compilePath(e.key)
			if err != nil || p.add {
				a.err = orElse(a.err, a.src.fail(e.line, e.col, "%s: %s: %q is no path", a.what, key, e.key))
				return m
			}
			is := e.val.json()
			if e.val.kind == wire.Null {
				is = nil
			}
			m.parts = append(m.parts, part{p, is})
		}
	case v.kind == wire.Object, v.kind == wire.Null:
		a.failAt(v, "%s: say what has to match", key)
	default:
		m.whole = v.json()
	}
	return m
}

func (m *matcher) fits(t *tree, n *node) bool {
	switch {
	case m.path != nil:
		list := t.find(nil, n, m.path.segs)
		return len(list) > 0 && list[0].kind != wire.Null
	case m.whole != nil:
		return n.is(m.whole)
	}
	for _, p := range m.parts {
		list := t.find(nil, n, p.path.segs)
		switch {
		case len(list) == 0 && p.is == nil:
		case len(list) == 0:
			return false
		case p.is == nil && list[0].kind != wire.Null, p.is != nil && !list[0].is(p.is):
			return false
		}
	}
	return true
}
