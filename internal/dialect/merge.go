package dialect

import "github.com/aratta-gateway/aratta/internal/wire"

// MergeMembers lays a later object over an earlier one: what is null or left out
// later stays as it was.
func MergeMembers(before, after []byte) []byte {
	if len(before) == 0 {
		return after
	}
	return layMembers([][]byte{before, after})
}

// layMembers lays each object over those before it. What is no object says nothing.
func layMembers(list [][]byte) []byte {
	type member struct {
		raw  []byte
		null bool
	}
	var members []member
	at := map[string]int{}
	s := wire.NewScanner(nil)
	for _, obj := range list {
		if s.Reset(obj); s.Kind() != wire.Object {
			continue
		}
		for name := range s.Members() {
			m := member{null: s.Kind() == wire.Null, raw: s.Member()}
			switch i, known := at[name]; {
			case !known:
				at[name] = len(members)
				members = append(members, m)
			case !m.null:
				members[i] = m
			default:
			}
		}
	}
	var out Unknown
	for _, m := range members {
		out.Add(m.raw)
	}
	if merged := out.Object(); merged != nil {
		return merged
	}
	return list[0]
}

// Layers lays objects over one another as [MergeMembers] does, however many there
// are, in time that their size bounds. The zero Layers holds none.
type Layers struct {
	first []byte // what came to one already
	more  *moreLayers
}

type moreLayers struct {
	list [][]byte // of which the first is left free
	size int      // of all
}

// layersAtOnce is how much lies about before it is put together.
const layersAtOnce = 4 << 10

// Add lays an object, which Layers keeps, over those before.
func (l *Layers) Add(obj []byte) {
	switch {
	case len(obj) == 0:
		return
	case len(l.first) == 0:
		l.first = obj
		return
	case l.more == nil:
		l.more = &moreLayers{list: make([][]byte, 1, 4)}
	default:
	}
	m := l.more
	m.list, m.size = append(m.list, obj), m.size+len(obj)
	if m.size > len(l.first)+layersAtOnce {
		l.lay()
	}
}

func (l *Layers) lay() {
	m := l.more
	m.list[0] = l.first
	l.first = layMembers(m.list)
	clear(m.list)
	m.list, m.size = m.list[:1], 0
}

// Size is how many bytes are held.
func (l *Layers) Size() int {
	if l.more == nil {
		return len(l.first)
	}
	return len(l.first) + l.more.size
}

// Object is what all came to, or nil.
func (l *Layers) Object() []byte {
	if l.more != nil && l.more.size > 0 {
		l.lay()
	}
	return l.first
}
