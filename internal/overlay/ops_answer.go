package overlay

import (
	"crypto/rand"
	"strconv"
	"strings"

	"github.com/aratta-gateway/aratta/internal/wire"
)

// buildResponseRename: response_rename from to, in an answer or its events.
func buildResponseRename(b *builder) {
	p := b.pairing()
	b.step.body = func(j *job) {
		p.each(j, func(base, n *node) {
			name := p.to.last()
			if name != "" && len(p.from.segs) == p.common+1 && len(p.to.segs) == p.common+1 && j.t.get(n.parent, name) == nil {
				j.t.rename(n, name)
				j.did = true
				return
			}
			j.moveOne(&p, base, n, &carrier{keep: true})
		})
	}
}

// buildResponseDefault: response_default path value [event] [flag]. It fills what
// is absent or null, or what a condition on the value says.
func buildResponseDefault(b *builder) {
	p, v := b.place("path"), b.need("value")
	event, flag := b.text("event"), b.text("flag")
	make := b.defaultValue(v)
	b.step.body = func(j *job) {
		if event != "" && eventType(j.t, j.frame) != event {
			return
		}
		for _, pl := range j.t.places(j.t.root, p.segs, false, true) {
			if !j.lacks(pl) {
				continue
			}
			if raw, ok := make(j, pl); ok {
				j.fillDefault(pl, raw, flag)
			}
		}
	}
}

// lacks reports whether a place is to be filled.
func (j *job) lacks(pl place) bool {
	if j.step.when != nil && j.step.when.own {
		return j.ok(pl.node)
	}
	return pl.node == nil || pl.node.kind == wire.Null
}

func (j *job) fillDefault(pl place, raw []byte, flag string) {
	switch {
	case raw == nil && pl.node == nil:
		return
	case raw == nil:
		j.t.remove(pl.node)
	default:
		n := j.t.fill(pl, raw)
		if flag != "" && n.parent != nil {
			j.t.put(n.parent, flag, []byte("true"))
		}
	}
	j.did = true
}

// computed makes the value for a place; ok is false for none, nil removes what
// is there.
type computed func(j *job, pl place) (raw []byte, ok bool)

// defaultValue reads a value, or the name of a computed one: $position_by_id,
// $generated_or_previous, or $EVENT.PATH, which is what an earlier event said.
func (b *builder) defaultValue(v *val) computed {
	step := b.step
	if v.kind != wire.String || !strings.HasPrefix(v.text, "$") {
		raw := v.json()
		return func(*job, place) ([]byte, bool) { return raw, true }
	}
	switch v.text {
	case "$position_by_id":
		return func(j *job, pl place) ([]byte, bool) {
			return strconv.AppendInt(nil, int64(j.keys(step).position(j, pl.parent, "")), 10), true
		}
	case "$generated_or_previous":
		return func(j *job, pl place) ([]byte, bool) { return j.keys(step).id(j, pl) }
	}
	event, rest, ok := strings.Cut(v.text[1:], ".")
	p, err := compilePath(rest)
	if !ok || err != nil || event == "" {
		known := []string{"$position_by_id", "$generated_or_previous", "$message_start.message.usage"}
		b.failAt(v, "value: %q is no computed value; it is one of $position_by_id, $generated_or_previous, $EVENT.PATH%s", v.text, suggest(v.text, known))
		return nil
	}
	step.recall = &recall{event, p}
	return func(j *job, _ place) ([]byte, bool) {
		raw, _ := j.run.state[step].([]byte)
		return raw, raw != nil
	}
}

// recall is a value of an event that later ones need.
type recall struct {
	event string
	path  *path
}

// note keeps the value, if this is its event.
func (r *recall) note(j *job) {
	if eventType(j.t, j.frame) != r.event {
		return
	}
	if n := j.t.one(r.path); n != nil && n.kind != wire.Null {
		j.run.keep(j.step, append([]byte(nil), n.json()...))
	}
}

// maxKeys bounds what is remembered of the calls of one stream.
const maxKeys = 1 << 10

// keyState remembers the calls of one stream by the list that they stand in.
type keyState struct {
	lists map[string]*keyList
}

type keyList struct {
	order []string       // ids in the order in which they came first
	index map[string]int // of an id
	last  int            // index of the call that was seen last
	byPos map[string]string
}

func (j *job) keys(s *step) *keyState {
	k, ok := j.run.state[s].(*keyState)
	if !ok {
		k = &keyState{lists: map[string]*keyList{}}
		j.run.keep(s, k)
	}
	return k
}

// list is the state of the list that an element stands in: the choice, say.
func (k *keyState) list(t *tree, element *node) *keyList {
	key := location(t, element.parent)
	l := k.lists[key]
	if l == nil {
		l = &keyList{index: map[string]int{}, byPos: map[string]string{}}
		if len(k.lists) < maxKeys {
			k.lists[key] = l
		}
	}
	return l
}

// location names where a node stands; elements that say their index are called
// by it, so that one element is the same in all events.
func location(t *tree, n *node) string {
	var parts []string
	for ; n != nil && n.parent != nil; n = n.parent {
		if n.parent.kind == wire.Array {
			if i := t.get(n, "index"); i != nil && i.kind == wire.Number {
				parts = append(parts, string(i.raw))
				continue
			}
			for i, e := range n.parent.items {
				if e == n {
					parts = append(parts, strconv.Itoa(i))
				}
			}
		} else if i := n.parent.member(n); i >= 0 {
			parts = append(parts, n.parent.members[i].name)
		}
	}
	if len(parts) == 1 {
		return strings.Clone(parts[0]) // a name lies in the event, whose memory is used again
	}
	return strings.Join(parts, "/")
}

// position is the index of an element: that of its id, in the order in which ids
// came; without one, that of the call seen last, or with fallback "index" its own.
func (k *keyState) position(j *job, element *node, fallback string) int {
	return k.positionBy(j, element, "id", fallback)
}

func (k *keyState) positionBy(j *job, element *node, by, fallback string) int {
	l := k.list(j.t, element)
	id := j.t.get(element, by).text()
	if id == "" {
		if own, ok := j.t.get(element, "index").number(); ok && fallback == "index" && own >= 0 && own < float64(len(l.order)) {
			l.last = int(own)
		}
		return l.last
	}
	i, known := l.index[id]
	if !known {
		i = len(l.order)
		if i < maxKeys {
			l.index[id] = i
			l.order = append(l.order, id)
		}
	}
	l.last = i
	return i
}

// id is the id that a call had before at the same index; one that begins gets a
// new one, and what continues nothing known says none.
func (k *keyState) id(j *job, pl place) ([]byte, bool) {
	l := k.list(j.t, pl.parent)
	pos, _, _ := strings.Cut(location(j.t, pl.parent), "/")
	if id := l.byPos[pos]; id != "" && j.t.get(j.callNode(pl.parent), "name").text() == "" {
		return quote(id), true
	}
	if j.t.get(j.callNode(pl.parent), "name").text() == "" {
		return nil, pl.node != nil
	}
	id := "call_" + rand.Text()
	l.remember(pos, id)
	return quote(id), true
}

func (l *keyList) remember(pos, id string) {
	if len(l.byPos) < maxKeys {
		l.byPos[pos] = id
	}
}

// callNode is where the name of a call stands: in its function, or in itself.
func (j *job) callNode(n *node) *node {
	if f := j.t.get(n, "function"); f != nil {
		return f
	}
	return n
}
