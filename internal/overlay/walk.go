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
	var end int
	if n.kind == wire.Object {
		members, end = t.walkMembers(n, n.raw, space(n.raw, 0), members)
	} else {
		items, end = t.walkElements(n, n.raw, space(n.raw, 0), items)
		members = len(t.members) // those of elements stay, maybe in another chunk than before
	}
	if end >= 0 && space(n.raw, end) == len(n.raw) {
		return true
	}
	t.unwind(members, items)
	return false
}

// unwind takes back what was added to the lists since they were so long.
func (t *tree) unwind(members, items int) {
	clear(t.members[members:])
	clear(t.items[items:])
	t.members, t.items = t.members[:members], t.items[:items]
}

// walkMembers makes the members of n known, an object that begins at b[i]. It returns
// where their list begins from now on in t.members, and the index behind the object,
// or -1 if the scanner must look at it.
func (t *tree) walkMembers(n *node, b []byte, i, from int) (list, end int) {
	i = space(b, i+1)
	for i < len(b) && b[i] == '"' {
		key := i
		i = stringEnd(b, i)
		quoted, list := b[key:i:i], t.members[from:]
		if len(quoted) < 2 || len(list) == fewMembers {
			return from, -1
		}
		name := wire.Text(quoted)
		for k := range list {
			if list[k].name == name {
				return from, -1
			}
		}
		if i = space(b, i); i >= len(b) || b[i] != ':' {
			return from, -1
		}
		at := space(b, i+1)
		i = valueEnd(b, at)
		from = t.addMember(from, member{name, quoted, t.node(b[at:i:i], n)})
		if i = space(b, i); i >= len(b) || b[i] != ',' {
			break
		}
		i = space(b, i+1)
	}
	if i >= len(b) || b[i] != '}' {
		return from, -1
	}
	t.listed(n, from)
	return from, i + 1
}

// walkElements is walkMembers for an array.
func (t *tree) walkElements(n *node, b []byte, i, from int) (list, end int) {
	i = space(b, i+1)
	for i < len(b) && b[i] != ']' {
		var v *node
		v, i = t.element(n, b, i)
		from = t.addItem(from, v)
		if i = space(b, i); i >= len(b) || b[i] != ',' {
			break
		}
		i = space(b, i+1)
	}
	if i >= len(b) || b[i] != ']' {
		return from, -1
	}
	n.items = t.items[from:len(t.items):len(t.items)]
	return from, i + 1
}

// element is the element that begins at b[i], and the index behind it. Who looks at
// the elements of a list looks into them: the members of an object are found on the
// way to its end.
func (t *tree) element(n *node, b []byte, i int) (*node, int) {
	v := t.node(b[i:], n)
	end := -1
	if v.kind == wire.Object {
		var from int
		if from, end = t.walkMembers(v, b, i, len(t.members)); end < 0 {
			t.unwind(from, len(t.items))
		}
		v.open = end >= 0
	}
	if end < 0 {
		end = valueEnd(b, i)
	}
	v.raw = b[i:end:end]
	return v, end
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
