package overlay

import (
	"hash/maphash"
	"slices"
	"strings"

	"github.com/aratta-gateway/aratta/internal/wire"
)

// echo keeps a field of an answer and puts it back into the history that the
// next request brings.
type echo struct {
	from   *path // in a whole answer
	stream *path // in an event
	to     *path // in a request
	key    *path // below the parent of both: what tells the turn
}

// buildEcho: echo from to key [stream_from].
func buildEcho(b *builder) {
	e := &echo{to: b.node("to"), key: b.node("key")}
	text := b.word("from")
	text, ok := strings.CutPrefix(text, "response.")
	if b.err == nil && !ok {
		b.failAt(b.v.get("from"), "from: want response. and a path")
	}
	if b.err != nil {
		return
	}
	v := *b.v.get("from")
	v.text = text
	e.from = b.pathOf("from", &v)
	// Events of a stream hold the same under another name where the format says
	// delta for a part of a message.
	v.text = strings.Replace(text, "].message.", "].delta.", 1)
	e.stream = b.pathOf("from", &v)
	if b.opt("stream_from") != nil {
		e.stream = b.node("stream_from")
	}
	for _, p := range []*path{e.from, e.stream, e.to} {
		if b.err == nil && (p.last() == "" || len(p.segs) < 2) {
			b.failAt(b.v, "%q does not end in a name below something", p.text)
		}
	}
	if b.err == nil && (e.to.segs[0].name == "" || len(e.to.segs) < 3) {
		b.failAt(b.v.get("to"), "to: want a list of turns first, like messages[*]")
	}
	b.step.echo = e
	b.step.body = e.restore
}

// restore puts back what earlier answers held, where it is missing.
func (e *echo) restore(j *job) {
	turns := j.t.get(j.t.root, e.to.segs[0].name)
	if turns == nil || turns.kind != wire.Array {
		return
	}
	h := j.run.prefix(j.t, turns)
	name := e.to.last()
	for _, n := range j.t.find(nil, j.t.root, e.to.segs[:len(e.to.segs)-1]) {
		if n.kind != wire.Object {
			continue
		}
		if old := j.t.get(n, name); old != nil && old.kind != wire.Null {
			continue
		}
		at := turnOf(turns, n)
		key, ok := e.keyOf(j.t, n)
		if at < 0 || !ok {
			continue
		}
		if raw := j.run.plan.mem.get(h.conversation, h.key(at, j.o.ID, e.to.text, key)); raw != nil {
			j.t.put(n, name, raw)
			j.did = true
		}
	}
}

// turnOf is the index of the turn that a node is part of.
func turnOf(turns, n *node) int {
	for ; n != nil; n = n.parent {
		if n.parent == turns {
			for i, e := range turns.items {
				if e == n {
					return i
				}
			}
		}
	}
	return -1
}

// keyOf is what the key selects below n, as one text.
func (e *echo) keyOf(t *tree, n *node) (string, bool) {
	var b strings.Builder
	for _, k := range t.find(nil, n, e.key.segs) {
		if k.kind == wire.Null {
			continue
		}
		writeCanonical(&b, t, k)
		b.WriteByte(0)
	}
	return b.String(), b.Len() > 0
}

// writeCanonical writes a value so that spelling and order do not matter.
func writeCanonical(b *strings.Builder, t *tree, n *node) {
	switch n.kind {
	case wire.Object:
		list := append([]member(nil), t.object(n)...)
		for range list { // few members: take the least of those left
			least := -1
			for i := range list {
				if list[i].value != nil && (least < 0 || list[i].name < list[least].name) {
					least = i
				}
			}
			b.Write(quote(list[least].name))
			writeCanonical(b, t, list[least].value)
			list[least].value = nil
		}
		b.WriteByte('}')
	case wire.Array:
		for _, v := range t.elements(n) {
			writeCanonical(b, t, v)
			b.WriteByte(',')
		}
		b.WriteByte(']')
	case wire.String:
		b.Write(quote(n.text()))
	default:
		b.Write(wire.Compact(n.json()))
	}
}

// prefixes are the fingerprints of a history, turn by turn.
type prefixes struct {
	conversation uint64
	sums         []uint64 // of the turns before each, and of all
}

// prefix fingerprints the turns of a request. A turn is known by all that was
// said before it: ids alone are counted anew in each conversation by some.
func (r *Run) prefix(t *tree, turns *node) *prefixes {
	if r.before != nil {
		return r.before
	}
	p := &prefixes{}
	var h maphash.Hash
	h.SetSeed(r.plan.mem.seed)
	for _, s := range []string{r.plan.target.Provider, r.plan.target.Dialect} {
		h.WriteString(s)
		h.WriteByte(0)
	}
	asked := false // up to the first question it is one conversation
	for _, n := range t.elements(turns) {
		p.sums = append(p.sums, h.Sum64())
		h.Write(n.json())
		h.WriteByte(0)
		if !asked {
			p.conversation, asked = h.Sum64(), turnRole(t, n) == "user"
		}
	}
	p.sums = append(p.sums, h.Sum64())
	r.before = p
	return p
}

// key names one value of one turn.
func (p *prefixes) key(turn int, parts ...string) turnKey {
	return turnKey{p.sums[turn], strings.Join(parts, "\x00")}
}

// capture keeps what a whole answer holds.
func (e *echo) capture(j *job) {
	if j.run.before == nil {
		return
	}
	for _, n := range j.t.find(nil, j.t.root, e.from.segs[:len(e.from.segs)-1]) {
		if key, ok := e.keyOf(j.t, n); ok {
			if v := j.t.get(n, e.from.last()); v != nil && v.kind != wire.Null {
				j.run.remember(j.o.ID, e, key, v.json())
			}
		}
	}
}

// gathering is what a stream told so far of one turn or one of its parts.
type gathering struct {
	keys  []string
	value []byte // JSON; of texts, all so far
	text  bool
}

// maxGathered bounds the parts of one stream, and maxEcho one kept value.
const (
	maxGathered = 256
	maxEcho     = 256 << 10
)

// gather takes from an event what belongs to the field or its key.
func (e *echo) gather(j *job) {
	if j.run.before == nil {
		return
	}
	parts, _ := j.run.state[j.step].(map[string]*gathering)
	if parts == nil {
		parts = map[string]*gathering{}
		j.run.keep(j.step, parts)
	}
	for _, n := range j.t.find(nil, j.t.root, e.stream.segs[:len(e.stream.segs)-1]) {
		if n.kind != wire.Object {
			continue
		}
		at := location(j.t, n)
		g := parts[at]
		if g == nil {
			if len(parts) >= maxGathered {
				return
			}
			g = &gathering{}
			parts[at] = g
		}
		for _, k := range j.t.find(nil, n, e.key.segs) {
			var b strings.Builder
			if writeCanonical(&b, j.t, k); k.kind != wire.Null && k.text() != "" || k.kind == wire.Object {
				g.key(b.String())
			}
		}
		if v := j.t.get(n, e.stream.last()); v != nil && v.kind != wire.Null {
			g.add(v)
		}
	}
}

func (g *gathering) key(k string) {
	if len(g.keys) < maxGathered && !slices.Contains(g.keys, k) {
		g.keys = append(g.keys, k)
	}
}

func (g *gathering) add(v *node) {
	if len(g.value)+len(v.json()) > maxEcho {
		return
	}
	if v.kind == wire.String {
		g.text = true
		g.value = append(g.value, v.text()...)
		return
	}
	g.text, g.value = false, append(g.value[:0], v.json()...)
}

// settle keeps what a stream told, once it is over.
func (e *echo) settle(r *Run, id string, s *step) {
	parts, _ := r.state[s].(map[string]*gathering)
	for _, g := range parts {
		if len(g.keys) == 0 || g.value == nil {
			continue
		}
		raw := g.value
		if g.text {
			raw = quote(string(g.value))
		}
		r.remember(id, e, strings.Join(g.keys, "\x00")+"\x00", raw)
	}
	delete(r.state, s)
}

// remember keeps a value of the turn that is being answered.
func (r *Run) remember(id string, e *echo, key string, raw []byte) {
	if len(raw) > maxEcho {
		return
	}
	b := r.before
	r.plan.mem.put(b.conversation, b.key(len(b.sums)-1, id, e.to.text, key), append([]byte(nil), raw...))
}
