package dialecttest

import (
	"path"
	"strings"
)

// lists compares two lists item by item: what stands in another place has
// moved, and texts that were put together or taken apart belong together.
func (d *differ) lists(a, b *node) {
	if a.name == "choices" { // their number is their name
		for _, p := range steps(0, len(a.kids), len(b.kids)) {
			switch {
			case p.b < 0:
				d.lost(a.kids[p.a])
			case p.a < 0:
				d.added(b.kids[p.b])
			default:
				d.compare(a.kids[p.a], b.kids[p.b])
			}
		}
		return
	}
	pairs := align(a.kids, b.kids)
	movedA, movedB := d.moved(a, b, pairs)
	for i, p := range pairs {
		if p.a >= 0 && movedA[p.a] {
			p.a = -1
		}
		if p.b >= 0 && movedB[p.b] {
			p.b = -1
		}
		switch {
		case p.a < 0 && p.b < 0:
		case p.b < 0:
			from := len(d.out)
			d.lost(a.kids[p.a])
			d.link(from, a, b, pairs, i)
		case p.a < 0:
			from := len(d.out)
			d.added(b.kids[p.b])
			d.link(from, a, b, pairs, i)
		default:
			from := len(d.out)
			d.compare(a.kids[p.a], b.kids[p.b])
			d.link(from, a, b, pairs, i)
		}
	}
}

// moved finds items that were lost here and came back there. A pair that has
// little in common is given up for it.
func (d *differ) moved(a, b *node, pairs []pair) (inA, inB map[int]bool) {
	inA, inB = map[int]bool{}, map[int]bool{}
	loose := func(p pair) bool {
		return p.a < 0 || p.b < 0 || likeness(a.kids[p.a], b.kids[p.b]) < sure
	}
	var unsure []pair
	for _, p := range pairs {
		if loose(p) {
			unsure = append(unsure, p)
		}
	}
	for _, p := range unsure {
		if p.a < 0 {
			continue
		}
		best, at := sure-1, -1
		for _, q := range unsure {
			if q.b < 0 || inB[q.b] || !sameSort(a.kids[p.a], b.kids[q.b]) {
				continue
			}
			if s := likeness(a.kids[p.a], b.kids[q.b]); s > best {
				best, at = s, q.b
			}
		}
		if at < 0 {
			continue
		}
		x, y := a.kids[p.a], b.kids[at]
		inA[p.a], inB[at] = true, true
		d.report(Difference{Path: x.path, To: y.path, Before: x.text(), After: x.text(), Soft: x.empty, also: append(passed(a, pairs, p.a, at), path.Dir(x.path))})
		d.compare(x, y)
	}
	return inA, inB
}

// passed returns the items near by that the item i, which moved to j, has changed
// places with: who of them moved is a matter of view.
func passed(a *node, pairs []pair, i, j int) (paths []string) {
	for _, p := range pairs {
		if p.a >= 0 && p.b >= 0 && (p.a > i) != (p.b > j) && p.a-i <= reach && i-p.a <= reach {
			paths = append(paths, a.kids[p.a].path)
		}
	}
	return paths
}

// reach is how far apart items may be that became of one another.
const reach = 8

// link lets the differences reported since from, which are about pair i, be
// explained by a warning about a neighbour that one of the texts went into, or
// came out of.
func (d *differ) link(from int, a, b *node, pairs []pair, i int) {
	if from == len(d.out) {
		return
	}
	var also []string
	some := false
	for _, step := range []int{-1, 1} {
		near := true // nothing else stands between
		for k := i + step; k >= 0 && k < len(pairs) && k-i <= reach && i-k <= reach; k += step {
			whole := joined(a, b, pairs[i], pairs[k])
			if !whole && (!near || !idle(a, pairs[k])) {
				near = false // thoughts are joined past what was said between them
				continue
			}
			some = some || whole
			if pairs[k].a >= 0 {
				also = append(also, a.kids[pairs[k].a].path)
			}
			if pairs[k].b >= 0 {
				also = append(also, b.kids[pairs[k].b].path)
			}
		}
	}
	if pairs[i].a < 0 {
		also = append(also, unfolded(a, pairs, i)...)
	}
	if also == nil {
		return
	}
	for j := from; j < len(d.out); j++ {
		d.out[j].also = append(d.out[j].also, also...)
		d.out[j].joined = d.out[j].joined || some
	}
}

// idle reports whether a pair is a message that says nothing and went: what was put
// together of those around it went past it.
func idle(a *node, p pair) bool { return p.a >= 0 && p.b < 0 && a.kids[p.a].empty }

// joined reports whether the text of one pair, before or after, holds a text
// of the other pair that stood alone on the other side.
func joined(a, b *node, p, q pair) bool {
	pa, pb, qa, qb := textOf(a, p.a), textOf(b, p.b), textOf(a, q.a), textOf(b, q.b)
	into := func(whole, part, partAfter string) bool {
		return part != "" && part != partAfter && strings.Contains(whole, part)
	}
	return into(pb, qa, qb) || into(qb, pa, pb) || into(pa, qb, qa) || into(qa, pb, pa)
}

func textOf(n *node, i int) string {
	if i < 0 {
		return ""
	}
	k := n.kids[i]
	if v := k.value("kind"); v == "text" || v == "thinking" || v == "refusal" {
		return k.value("text")
	}
	return ""
}

// sameSort reports whether two items can be one in another place: another
// speaker's part of another kind with the same words is not.
func sameSort(a, b *node) bool {
	return a.value("kind") == b.value("kind") || a.value("role") == b.value("role")
}

// unfolded returns the results of tools that were lost near where pair i was added:
// one that finds no call may have been told in parts of another kind.
func unfolded(a *node, pairs []pair, i int) (paths []string) {
	for _, step := range []int{-1, 1} {
		for k := i + step; k >= 0 && k < len(pairs) && k-i <= reach && i-k <= reach; k += step {
			if pairs[k].a >= 0 && pairs[k].b < 0 && a.kids[pairs[k].a].kid("result") != nil {
				paths = append(paths, a.kids[pairs[k].a].path)
			}
		}
	}
	return paths
}
