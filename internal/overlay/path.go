package overlay

import (
	"errors"
	"fmt"
	"strings"

	"github.com/theory/jsonpath"
	"github.com/theory/jsonpath/spec"

	"github.com/aratta-gateway/aratta/internal/wire"
)

// path is a compiled JSONPath. What stands behind the last names may be absent:
// see tree.places.
type path struct {
	text    string
	segs    []segment
	add     bool   // ends in [+]: a new element of the array
	pointer string // to what it leads to (RFC 6901), if it is names only, else ""
}

// segment is one step of a path.
type segment struct {
	text    string // canonical
	name    string // of a step that is one plain name, else ""
	descend bool   // ..
	sels    []selector
}

// selector picks children: exactly one of its fields says which.
type selector struct {
	name   *string
	index  *int
	slice  *spec.SliceSelector
	filter *filter
	wild   bool
}

// longestPath bounds what is given to the parser, which nests as deep as the text does.
const longestPath = 4 << 10

// compilePath reads RFC 9535 JSONPath ("$" first), or the short form: names
// joined by dots, where a filter's bare names mean members of the element, and
// [+] at the end means one more element.
func compilePath(text string) (*path, error) {
	p := &path{text: text}
	body, add := strings.CutSuffix(text, "[+]")
	p.add = add
	if body == "" {
		return nil, errors.New("an empty path")
	}
	if len(body) > longestPath {
		return nil, fmt.Errorf("longer than %d bytes", longestPath)
	}
	full := body
	if body[0] != '$' || len(body) > 1 && body[1] != '.' && body[1] != '[' {
		var err error
		if full, err = lengthen(body); err != nil {
			return nil, err
		}
	}
	q, err := jsonpath.Parse(full)
	if err != nil {
		return nil, fmt.Errorf("%s", strings.TrimPrefix(err.Error(), "jsonpath: "))
	}
	for _, s := range q.Query().Segments() {
		p.segs = append(p.segs, compileSegment(s))
	}
	p.pointer = p.fixedPointer()
	return p, nil
}

func compileSegment(s *spec.Segment) segment {
	seg := segment{text: s.String(), descend: s.IsDescendant()}
	for _, sel := range s.Selectors() {
		switch v := sel.(type) {
		case spec.Name:
			name := string(v)
			seg.sels = append(seg.sels, selector{name: &name})
		case spec.Index:
			i := int(v)
			seg.sels = append(seg.sels, selector{index: &i})
		case spec.SliceSelector:
			seg.sels = append(seg.sels, selector{slice: &v})
		case *spec.FilterSelector:
			seg.sels = append(seg.sels, selector{filter: compileFilter(v)})
		default:
			seg.sels = append(seg.sels, selector{wild: true})
		}
	}
	if len(seg.sels) == 1 && seg.sels[0].name != nil && !seg.descend {
		seg.name = *seg.sels[0].name
	}
	return seg
}

// lengthen turns the short form into RFC 9535.
func lengthen(short string) (string, error) {
	var b strings.Builder
	b.WriteByte('$')
	for i := 0; i < len(short); {
		switch short[i] {
		case '.':
			if i == 0 || i == len(short)-1 || short[i+1] == '[' {
				return "", fmt.Errorf("a dot without a name at position %d", i+1)
			}
			if i++; short[i] == '.' {
				b.WriteString("..")
				i++
				n := nameLen(short[i:])
				if n == 0 {
					return "", fmt.Errorf("no name at position %d", i+1)
				}
				writeName(&b, short[i:i+n])
				i += n
			}
		case '[':
			n, err := bracketLen(short[i:])
			if err != nil {
				return "", err
			}
			inner := short[i+1 : i+n-1]
			if rest, ok := strings.CutPrefix(strings.TrimSpace(inner), "?"); ok {
				inner = "?" + lengthenFilter(rest)
			}
			b.WriteString("[" + inner + "]")
			i += n
		default:
			n := nameLen(short[i:])
			if n == 0 {
				return "", fmt.Errorf("no name at position %d", i+1)
			}
			writeName(&b, short[i:i+n])
			i += n
		}
	}
	return b.String(), nil
}

func writeName(b *strings.Builder, name string) {
	if name == "*" {
		b.WriteString("[*]")
		return
	}
	b.WriteByte('[')
	b.Write(quote(name))
	b.WriteByte(']')
}

// nameLen is how long the name is that s begins with.
func nameLen(s string) int {
	if n := strings.IndexAny(s, ".[]"); n >= 0 {
		return n
	}
	return len(s)
}

// bracketLen is how long the bracket is that s begins with, quotes respected.
func bracketLen(s string) (int, error) {
	depth, quoted := 0, byte(0)
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case quoted != 0:
			switch c {
			case '\\':
				i++
			case quoted:
				quoted = 0
			}
		case c == '\'' || c == '"':
			quoted = c
		case c == '[':
			depth++
		case c == ']':
			if depth--; depth == 0 {
				return i + 1, nil
			}
		}
	}
	return 0, errors.New("a bracket is not closed")
}

// lengthenFilter puts "@." before the bare names of a filter.
func lengthenFilter(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); {
		j := i + tokenLen(s[i:])
		word := s[i:j]
		if nameByte(s[i]) && bareName(s, i, j) {
			b.WriteString("@.")
		}
		b.WriteString(word)
		i = j
	}
	return b.String()
}

// tokenLen is how long the word, number or quoted text is that s begins with, or
// 1 for anything else.
func tokenLen(s string) int {
	c, j := s[0], 1
	switch {
	case c == '\'' || c == '"':
		for j < len(s) && s[j] != c {
			if s[j] == '\\' {
				j++
			}
			j++
		}
		return min(j+1, len(s))
	case nameByte(c):
		for j < len(s) && wordByte(s[j]) {
			j++
		}
	case wordByte(c): // a number with what may belong to it
		for j < len(s) && (wordByte(s[j]) || s[j] == '.') {
			j++
		}
	}
	return j
}

// bareName reports whether the word s[i:j] is a name that nothing says the place of.
func bareName(s string, i, j int) bool {
	switch s[i:j] {
	case "true", "false", "null":
		return false
	}
	if i > 0 && (s[i-1] == '.' || s[i-1] == '@' || s[i-1] == '$') {
		return false
	}
	return j == len(s) || s[j] != '(' // a function
}

func nameByte(c byte) bool { return wordByte(c) && (c < '0' || c > '9') }

func wordByte(c byte) bool {
	return c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c >= 0x80
}

// fixedPointer is the pointer to the one place where a path of names leads.
func (p *path) fixedPointer() string {
	var b []byte
	for i := range p.segs {
		if p.add || p.segs[i].name == "" {
			return ""
		}
		b = appendToken(append(b, '/'), p.segs[i].name)
	}
	return string(b)
}

// last is the name that the path ends in, or "".
func (p *path) last() string {
	if p.add || len(p.segs) == 0 {
		return ""
	}
	return p.segs[len(p.segs)-1].name
}

// common is how many first segments two paths share.
func (p *path) common(q *path) int {
	n := 0
	for n < len(p.segs) && n < len(q.segs) && p.segs[n].text == q.segs[n].text {
		n++
	}
	return n
}

// find appends the nodes below n that the segments select.
func (t *tree) find(dst []*node, n *node, segs []segment) []*node {
	for len(segs) > 0 && segs[0].name != "" { // most paths are names only
		if n = t.get(n, segs[0].name); n == nil {
			return dst
		}
		segs = segs[1:]
	}
	if len(segs) == 0 {
		return append(dst, n)
	}
	s := &segs[0]
	for i := range s.sels {
		dst = t.pick(dst, n, &s.sels[i], segs[1:])
	}
	if s.descend {
		for _, m := range t.object(n) {
			dst = t.find(dst, m.value, segs)
		}
		for _, v := range t.elements(n) {
			dst = t.find(dst, v, segs)
		}
	}
	return dst
}

func (t *tree) pick(dst []*node, n *node, sel *selector, rest []segment) []*node {
	switch {
	case sel.name != nil:
		if v := t.get(n, *sel.name); v != nil {
			dst = t.find(dst, v, rest)
		}
	case sel.index != nil:
		items := t.elements(n)
		if i := from(*sel.index, len(items)); i >= 0 && i < len(items) {
			dst = t.find(dst, items[i], rest)
		}
	case sel.slice != nil:
		items := t.elements(n)
		lower, upper := sel.slice.Bounds(len(items))
		step := sel.slice.Step()
		for i := lower; step > 0 && i < upper; i += step {
			dst = t.find(dst, items[i], rest)
		}
		for i := upper; step < 0 && lower < i; i += step {
			dst = t.find(dst, items[i], rest)
		}
	default:
		for _, v := range t.elements(n) {
			if sel.wild || sel.filter.holds(t, v) {
				dst = t.find(dst, v, rest)
			}
		}
		for _, m := range t.object(n) {
			if sel.wild || sel.filter.holds(t, m.value) {
				dst = t.find(dst, m.value, rest)
			}
		}
	}
	return dst
}

func from(i, n int) int {
	if i < 0 {
		return i + n
	}
	return i
}

// all returns the nodes that a path selects. The list is the caller's until the
// next call of all.
func (t *tree) all(p *path) []*node {
	t.found = t.find(t.found[:0], t.root, p.segs)
	return t.found
}

// one returns the first node that a path selects, or nil.
func (t *tree) one(p *path) *node {
	t.first = t.find(t.first[:0], t.root, p.segs)
	if len(t.first) > 0 {
		return t.first[0]
	}
	return nil
}

// place is somewhere a value stands, or may be put.
type place struct {
	parent *node
	name   string // of a member that may be absent
	node   *node  // the value there, nil if there is none
	end    bool   // behind the last element of parent
	at     int    // an index of parent, with neither name nor node
}

// places finds where the path below n leads. The names at its end need not
// exist; with make, the objects on the way are made. Steps of other kinds make
// nothing: they select what is there.
// The list is the caller's until the next call of places.
func (t *tree) places(n *node, segs []segment, add, make bool) []place {
	t.placed = t.placed[:0]
	tail := len(segs)
	for tail > 0 && segs[tail-1].name != "" {
		tail--
	}
	if tail == 0 {
		if pl, ok := t.place(n, segs, add, make); ok {
			t.placed = append(t.placed, pl)
		}
		return t.placed
	}
	for _, base := range t.find(nil, n, segs[:tail]) {
		if pl, ok := t.place(base, segs[tail:], add, make); ok {
			t.placed = append(t.placed, pl)
		}
	}
	return t.placed
}

// place follows names below base.
func (t *tree) place(base *node, names []segment, add, make bool) (place, bool) {
	if len(names) == 0 && !add {
		return place{parent: base.parent, node: base}, true
	}
	on := names
	if !add {
		on = names[:len(names)-1]
	}
	for i := range on {
		next := t.get(base, on[i].name)
		if next == nil {
			if !make || base.kind != wire.Object {
				return place{}, false
			}
			empty := "{}"
			if add && i == len(on)-1 {
				empty = "[]"
			}
			next = t.put(base, on[i].name, []byte(empty))
		}
		base = next
	}
	if add {
		return place{parent: base, end: true}, base.kind == wire.Array
	}
	name := names[len(names)-1].name
	return place{parent: base, name: name, node: t.get(base, name)}, base.kind == wire.Object
}

// fill puts a value into a place.
func (t *tree) fill(pl place, raw []byte) *node {
	switch {
	case pl.end:
		return t.insert(pl.parent, len(t.elements(pl.parent)), raw)
	case pl.node != nil:
		t.replace(pl.node, raw)
		return pl.node
	default:
		return t.put(pl.parent, pl.name, raw)
	}
}
