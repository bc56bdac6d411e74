package overlay

import (
	"bytes"

	"github.com/aratta-gateway/aratta/internal/wire"
)

// What stands below a document was checked when its raw value was taken, or came
// from an overlay; so is a request, which a dialect wrote. It is walked through with
// that in mind: nothing is looked at twice.

// fewMembers is how many names are compared one by one, to tell repeated ones.
const fewMembers = 24

// walk makes the children of an object or array known. It is false, with nothing
// done, for one that the scanner must look at: of many members, or not sound after
// all.
func (t *tree) walk(n *node) bool {
	members, items := len(t.members), len(t.items)
	b := n.raw
	var sound bool
	i := space(b, 0) + 1
	if n.kind == wire.Object {
		members, sound = t.walkMembers(n, space(b, i), members)
	} else {
		items, sound = t.walkElements(n, space(b, i), items)
	}
	if !sound {
		clear(t.members[members:])
		clear(t.items[items:])
		t.members, t.items = t.members[:members], t.items[:items]
	}
	return sound
}

func (t *tree) walkMembers(n *node, i, from int) (int, bool) {
	b := n.raw
	for i < len(b) && b[i] == '"' {
		key := i
		i = stringEnd(b, i)
		quoted, list := b[key:i:i], t.members[from:]
		if len(quoted) < 2 || len(list) == fewMembers {
			return from, false
		}
		name := wire.Text(quoted)
		for k := range list {
			if list[k].name == name {
				return from, false
			}
		}
		if i = space(b, i); i >= len(b) || b[i] != ':' {
			return from, false
		}
		at := space(b, i+1)
		i = valueEnd(b, at)
		from = t.addMember(from, member{name, quoted, t.node(b[at:i:i], n)})
		if i = space(b, i); i >= len(b) || b[i] != ',' {
			break
		}
		i = space(b, i+1)
	}
	if i >= len(b) || b[i] != '}' || space(b, i+1) != len(b) {
		return from, false
	}
	t.listed(n, from)
	return from, true
}

func (t *tree) walkElements(n *node, i, from int) (int, bool) {
	b := n.raw
	for i < len(b) && b[i] != ']' {
		at := i
		i = valueEnd(b, i)
		from = t.addItem(from, t.node(b[at:i:i], n))
		if i = space(b, i); i >= len(b) || b[i] != ',' {
			break
		}
		i = space(b, i+1)
	}
	if i >= len(b) || b[i] != ']' || space(b, i+1) != len(b) {
		return from, false
	}
	n.items = t.items[from:len(t.items):len(t.items)]
	return from, true
}

// space is the index of the next byte that is no white space.
func space(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\n' || b[i] == '\t' || b[i] == '\r') {
		i++
	}
	return i
}

// stringEnd is the index behind the string that begins at i.
func stringEnd(b []byte, i int) int {
	from := i
	for i++; ; i++ {
		n := bytes.IndexByte(b[i:], '"')
		if n < 0 {
			return len(b)
		}
		i += n
		slashes := i
		for slashes > from && b[slashes-1] == '\\' {
			slashes--
		}
		if (i-slashes)%2 == 0 {
			return i + 1
		}
	}
}

// scalarEnd is the index behind the number, true, false or null that begins at i.
func scalarEnd(b []byte, i int) int {
	for ; i < len(b); i++ {
		switch b[i] {
		case ',', ']', '}', ' ', '\n', '\t', '\r':
			return i
		}
	}
	return i
}

// valueEnd is the index behind the value that begins at i.
func valueEnd(b []byte, i int) int {
	depth := 0
	for i < len(b) {
		switch b[i] {
		case '"':
			i = stringEnd(b, i)
		case '{', '[':
			depth++
			i++
			continue
		case '}', ']':
			depth--
			i++
		case ',', ':', ' ', '\n', '\t', '\r':
			i++
			continue
		default:
			i = scalarEnd(b, i)
		}
		if depth <= 0 {
			return i
		}
	}
	return len(b)
}
