package openai

import (
	"bytes"

	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// kept is a member that was seen, with bytes of its own.
type kept struct {
	name string
	raw  []byte // the value
}

// keep notes a member; the last value of a name counts.
func keep(list *[]kept, member string, raw []byte) {
	for i := range *list {
		k := &(*list)[i]
		if k.name == member {
			k.raw = append(k.raw[:0], raw...)
			return
		}
	}
	*list = append(*list, kept{name: string([]byte(member)), raw: bytes.Clone(raw)})
}

// holds reports whether the member is among the list with this value.
func holds(list []kept, member string, raw []byte) bool {
	for i := range list {
		if list[i].name == member {
			return bytes.Equal(list[i].raw, raw)
		}
	}
	return false
}

// object makes one JSON object of the members.
func object(list []kept) scri.RawJSON {
	if len(list) == 0 {
		return nil
	}
	w := wire.Writer{B: []byte{'{'}}
	for i := range list {
		w.Str(list[i].name)
		w.B = append(w.B, ':')
		w.B = wire.AppendCompact(w.B, list[i].raw)
	}
	return append(w.B, '}')
}

// news are the members that something began with, and those that came later or
// with another value.
type news struct {
	known, late []kept
	last        []byte // the object heard last
}

// hear takes in the members of a piece.
func (n *news) hear(obj []byte) {
	if len(obj) == 0 || bytes.Equal(obj, n.last) {
		return
	}
	n.last = append(n.last[:0], obj...)
	for _, k := range keptOf(obj) {
		if !n.told(k) {
			keep(&n.late, k.name, k.raw)
		}
	}
}

// told reports whether the member is as it was at the beginning, and was never
// otherwise since.
func (n *news) told(k kept) bool {
	for i := range n.late {
		if n.late[i].name == k.name {
			return false
		}
	}
	for i := range n.known {
		if n.known[i].name == k.name {
			return bytes.Equal(n.known[i].raw, k.raw)
		}
	}
	return false
}

// keptOf is the members of an object, or of none.
func keptOf(obj []byte) (list []kept) {
	if len(obj) == 0 {
		return nil
	}
	var s wire.Scanner
	s.Reset(obj)
	for member := range s.Members() {
		if raw := s.Raw(); raw != nil {
			keep(&list, member, raw)
		}
	}
	return list
}
