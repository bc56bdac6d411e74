package overlay

import (
	"bytes"
	"slices"
	"strconv"

	"github.com/aratta-gateway/aratta/internal/wire"
)

// tree is a JSON document that is looked into only as far as somebody asks, and
// written again with everything else as it stood.
type tree struct {
	doc     []byte
	root    *node
	err     error // the document is no JSON where somebody looked; nothing of it may be used
	changed bool
	sound   bool // the document is known to be JSON

	scan    wire.Scanner
	nodes   []node   // a chunk that new nodes are taken from
	members []member // likewise
	items   []*node  // likewise
	placed  []place
	found   []*node // scratch of all
	first   []*node // scratch of one
	shared  []*node // scratch of pairings
	notes   []note  // scratch of a run's warnings
	text    []byte  // likewise
	work    job     // what a run does
	request Request // what it does it to
}

// node is one value of a tree. raw is how it stands while nothing below it has
// been changed, else nil; children are there once it is open.
type node struct {
	raw     []byte
	parent  *node
	members []member // of an object
	items   []*node  // of an array
	kind    wire.Kind
	open    bool
}

// member is one member of an object.
type member struct {
	name   string
	quoted []byte // as it stands, quotes included; nil = to be quoted
	value  *node
}

const (
	nodeChunk   = 64
	memberChunk = 64

	// spareMembers may be added to the document itself before its list must grow.
	spareMembers = 4
)

// load lays the tree over a document, which must not change while it is in use.
func (t *tree) load(doc []byte) {
	t.forget()
	t.doc, t.err, t.changed, t.sound = doc, nil, false, false
	t.root = t.node(doc, nil)
}

// release forgets the document, so that a tree kept for later holds nothing.
func (t *tree) release() {
	t.scan.Reset(nil)
	t.forget()
	clear(t.placed[:cap(t.placed)])
	for _, list := range [][]*node{t.found, t.first, t.shared} {
		clear(list[:cap(list)])
	}
	t.notes, t.text = t.notes[:0], t.text[:0]
	t.doc, t.root, t.err, t.work, t.request = nil, nil, nil, job{}, Request{}
}

// forget lets go of the nodes, and leaves their memory clear.
func (t *tree) forget() {
	clear(t.nodes)
	clear(t.members)
	clear(t.items)
	t.nodes, t.members, t.items = t.nodes[:0], t.members[:0], t.items[:0]
}

// bytes returns the document as it is now.
func (t *tree) bytes() []byte {
	if !t.changed || t.err != nil {
		return t.doc
	}
	return t.appendTo(nil)
}

// appendTo appends the document as it is now to b, with room for what ops add.
func (t *tree) appendTo(b []byte) []byte {
	return t.root.appendTo(slices.Grow(b, len(t.doc)+len(t.doc)/8+64))
}

func (t *tree) node(raw []byte, parent *node) *node {
	if len(t.nodes) == cap(t.nodes) {
		t.nodes = make([]node, 0, nodeChunk)
	}
	t.nodes = t.nodes[:len(t.nodes)+1]
	n := &t.nodes[len(t.nodes)-1] // which is clear
	n.raw, n.parent, n.kind = raw, parent, kindOf(raw)
	return n
}

func kindOf(raw []byte) wire.Kind {
	for _, c := range raw {
		switch c {
		case ' ', '\t', '\n', '\r':
			continue
		case '"':
			return wire.String
		case '{':
			return wire.Object
		case '[':
			return wire.Array
		case 't', 'f':
			return wire.Bool
		case 'n':
			return wire.Null
		default:
			if c == '-' || c >= '0' && c <= '9' {
				return wire.Number
			}
			return wire.Invalid
		}
	}
	return wire.Invalid
}

// enter makes the children of an object or array known.
func (t *tree) enter(n *node) {
	if n.open || t.err != nil {
		return
	}
	n.open = true
	switch {
	case n.kind != wire.Object && n.kind != wire.Array, (n.parent != nil || t.sound) && t.walk(n):
		return
	case n.kind == wire.Object:
		t.enterObject(n)
	default:
		t.enterArray(n)
	}
	if err := t.scan.End(); err != nil {
		t.err = err
	}
}

func (t *tree) enterArray(n *node) {
	t.scan.Reset(n.raw)
	from := len(t.items)
	for range t.scan.Elements() {
		if raw := t.scan.Raw(); raw != nil {
			from = t.addItem(from, t.node(raw, n))
		}
	}
	n.items = t.items[from:len(t.items):len(t.items)]
}

// addItem adds to the list that begins at from in t.items. It returns where the
// list begins from now on.
func (t *tree) addItem(from int, v *node) int {
	if len(t.items) == cap(t.items) {
		list := t.items[from:]
		t.items = append(make([]*node, 0, max(memberChunk, 2*len(list))), list...)
		from = 0
	}
	t.items = append(t.items, v)
	return from
}

func (t *tree) enterObject(n *node) {
	t.scan.Reset(n.raw)
	from := len(t.members)
	for name := range t.scan.Members() {
		m := t.scan.Member()
		if m == nil {
			break
		}
		end := keyEnd(m, name)
		from = t.addMember(from, member{name, m[:end:end], t.node(value(m[end:]), n)})
	}
	t.listed(n, from)
}

// addMember adds to the list that begins at from in t.members. It returns where the
// list begins from now on.
func (t *tree) addMember(from int, m member) int {
	if len(t.members) == cap(t.members) {
		list := t.members[from:]
		t.members = append(make([]member, 0, max(memberChunk, 2*len(list))), list...)
		from = 0
	}
	t.members = append(t.members, m)
	return from
}

// listed gives a node the members from there on. The document itself gets some room
// for more.
func (t *tree) listed(n *node, from int) {
	to, room := len(t.members), 0
	if n.parent == nil {
		room = min(spareMembers, cap(t.members)-to)
		t.members = t.members[:to+room]
	}
	n.members = t.members[from : to : to+room]
}

// keyEnd is where the quoted name ends that a raw member begins with.
func keyEnd(m []byte, name string) int {
	if n := len(name) + 1; n < len(m) && m[n] == '"' && string(m[1:n]) == name {
		return n + 1
	}
	for i := 1; i < len(m); i++ {
		switch m[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(m)
}

// value is what stands behind a member's colon.
func value(rest []byte) []byte {
	i := 0
	for i < len(rest) && (rest[i] == ':' || rest[i] == ' ' || rest[i] == '\n' || rest[i] == '\t' || rest[i] == '\r') {
		i++
	}
	return rest[i:]
}

// get returns the value of an object's member, or nil.
func (t *tree) get(n *node, name string) *node {
	if n.kind != wire.Object {
		return nil
	}
	t.enter(n)
	for i := range n.members {
		if n.members[i].name == name {
			return n.members[i].value
		}
	}
	return nil
}

// elements returns the elements of an array.
func (t *tree) elements(n *node) []*node {
	if n.kind != wire.Array {
		return nil
	}
	t.enter(n)
	return n.items
}

// object returns the members of an object.
func (t *tree) object(n *node) []member {
	if n.kind != wire.Object {
		return nil
	}
	t.enter(n)
	return n.members
}

// touch notes that something below n, or its list of children, was changed.
func (t *tree) touch(n *node) {
	t.changed = true
	for ; n != nil && n.open && n.raw != nil; n = n.parent { // what is not open has no children any more
		n.raw = nil
	}
}

// replace gives a node another value.
func (t *tree) replace(n *node, raw []byte) {
	t.touch(n.parent)
	t.changed = true
	*n = node{raw: raw, parent: n.parent, kind: kindOf(raw)}
}

// put sets a member of an object: in its place if there is one, else at the end.
func (t *tree) put(n *node, name string, raw []byte) *node {
	if old := t.get(n, name); old != nil {
		t.replace(old, raw)
		return old
	}
	t.touch(n)
	v := t.node(raw, n)
	if len(n.members) == 0 { // such as one that was made for this
		t.listed(n, t.addMember(len(t.members), member{name: name, value: v}))
		return v
	}
	n.members = append(n.members, member{name: name, value: v})
	return v
}

// insert puts an element into an array; an index beyond its end appends.
func (t *tree) insert(n *node, at int, raw []byte) *node {
	t.enter(n)
	t.touch(n)
	v := t.node(raw, n)
	n.items = slices.Insert(n.items, min(max(at, 0), len(n.items)), v)
	return v
}

// remove takes a node out of its parent. The root cannot be removed.
func (t *tree) remove(n *node) {
	p := n.parent
	if p == nil {
		return
	}
	t.touch(p)
	if p.kind == wire.Array {
		if i := slices.Index(p.items, n); i >= 0 {
			p.items = slices.Delete(p.items, i, i+1)
		}
		return
	}
	if i := p.member(n); i >= 0 {
		p.members = slices.Delete(p.members, i, i+1)
	}
}

// rename gives a member another name and leaves it where it stands.
func (t *tree) rename(n *node, name string) {
	if i := n.parent.member(n); i >= 0 {
		t.touch(n.parent)
		n.parent.members[i].name, n.parent.members[i].quoted = name, nil
	}
}

// member is the index of a child in an object.
func (n *node) member(child *node) int {
	for i := range n.members {
		if n.members[i].value == child {
			return i
		}
	}
	return -1
}

// json returns the value as it is now.
func (n *node) json() []byte {
	if n.raw != nil {
		return n.raw
	}
	return n.appendTo(nil)
}

func (n *node) appendTo(b []byte) []byte {
	if n.raw != nil {
		return append(b, n.raw...)
	}
	if n.kind == wire.Array {
		b = append(b, '[')
		for i, v := range n.items {
			if i > 0 {
				b = append(b, ',')
			}
			b = v.appendTo(b)
		}
		return append(b, ']')
	}
	b = append(b, '{')
	for i := range n.members {
		if i > 0 {
			b = append(b, ',')
		}
		m := &n.members[i]
		if m.quoted != nil {
			b = append(b, m.quoted...)
		} else {
			b = wire.AppendQuote(b, m.name)
		}
		b = append(b, ':')
		b = m.value.appendTo(b)
	}
	return append(b, '}')
}

// text returns the text of a string, or "".
func (n *node) text() string {
	if n == nil || n.kind != wire.String {
		return ""
	}
	raw := bytes.TrimSpace(n.raw)
	if bytes.IndexByte(raw, '\\') < 0 && len(raw) >= 2 {
		return string(raw[1 : len(raw)-1])
	}
	return string(wire.AppendUnquote(nil, raw))
}

// pointer is the RFC 6901 pointer of a node.
func (n *node) pointer() string {
	var near [128]byte
	return string(n.appendPointer(near[:0]))
}

func (n *node) appendPointer(b []byte) []byte {
	p := n.parent
	if p == nil {
		return b
	}
	b = append(p.appendPointer(b), '/')
	if p.kind == wire.Array {
		return strconv.AppendInt(b, int64(slices.Index(p.items, n)), 10)
	}
	if i := p.member(n); i >= 0 {
		b = appendToken(b, p.members[i].name)
	}
	return b
}

// appendToken appends a name as a pointer has it.
func appendToken(b []byte, name string) []byte {
	for i := range len(name) {
		switch c := name[i]; c {
		case '~':
			b = append(b, "~0"...)
		case '/':
			b = append(b, "~1"...)
		default:
			b = append(b, c)
		}
	}
	return b
}

// is reports whether a node has the JSON value that raw spells.
func (n *node) is(raw []byte) bool {
	have := n.json()
	if bytes.Equal(have, raw) {
		return true
	}
	switch n.kind {
	case wire.Null, wire.Bool:
		return n.kind == kindOf(raw) && bytes.Equal(bytes.TrimSpace(have), raw)
	case wire.String:
		if bytes.IndexByte(have, '\\') < 0 && bytes.IndexByte(raw, '\\') < 0 {
			return bytes.Equal(bytes.TrimSpace(have), raw)
		}
	default:
	}
	return n.kind == kindOf(raw) && wire.Equal(have, raw)
}

// empty reports whether a value says nothing: null, "", [] or {}.
func (t *tree) empty(n *node) bool {
	switch n.kind {
	case wire.Null:
		return true
	case wire.String:
		return n.text() == ""
	case wire.Array:
		return len(t.elements(n)) == 0
	case wire.Object:
		return len(t.object(n)) == 0
	default:
		return false
	}
}

func quote(s string) []byte { return wire.AppendQuote(nil, s) }
