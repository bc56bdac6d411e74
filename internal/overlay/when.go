package overlay

import (
	"bytes"
	"slices"

	"github.com/aratta-gateway/aratta/internal/wire"
)

// cond is a condition of an op: all its tests hold. Some ask the request, as the
// overlay found it: they are facts, settled before the overlay's first op. Others
// ask the value that the op is about to act on.
type cond struct {
	tests []test
	own   bool // some test asks the value
}

// test is one line of a condition.
type test struct {
	kind  testKind
	fact  int      // index of the fact
	list  [][]byte // JSON: what the value may be
	types []wire.Kind
	flag  bool
	sub   []*cond
}

type testKind uint8

const (
	testFact  testKind = iota
	testIn             // the value is one of list
	testEmpty          // the value says nothing, or (flag false) something
	testType           // the value is of one of types
	testWas            // an earlier op of the overlay replaced one of list
	testNot            // sub does not hold
	testAny            // one of sub holds
)

// fact is a question about the request.
type fact struct {
	path *path
	list [][]byte // what it may be; nil = there, or (absent) not there
	none bool     // absent
}

func (f *fact) holds(t *tree) bool {
	n := t.one(f.path)
	if f.list == nil {
		return (n == nil) == f.none
	}
	if n == nil {
		return slices.ContainsFunc(f.list, isNull)
	}
	return slices.ContainsFunc(f.list, n.is)
}

func isNull(raw []byte) bool { return string(raw) == "null" }

// condKeys are the words of a condition; any other key is a path.
func condKeys() []string {
	return []string{"present", "absent", "equals", "in", "empty", "type", "was", "not", "any"}
}

// cond reads a condition. Facts are added to those of the overlay.
func (a *args) cond(key string, facts *[]fact) *cond {
	v := a.opt(key)
	if v == nil {
		return nil
	}
	return a.condOf(v, facts)
}

func (a *args) condOf(v *val, facts *[]fact) *cond {
	c := &cond{}
	if v.kind == wire.String { // is_array
		t, ok := kindWord(trimIs(v.text))
		if !ok {
			a.failAt(v, "when: %q is no condition; write a mapping, or is_array, is_object, is_string, is_number, is_bool, is_null", v.text)
		}
		c.tests, c.own = []test{{kind: testType, types: []wire.Kind{t}}}, true
		return c
	}
	if v.kind != wire.Object || len(v.members) == 0 {
		a.failAt(v, "when: want a mapping, got %s", v.word())
		return c
	}
	for _, m := range v.members {
		a.condLine(c, m, facts)
	}
	return c
}

func trimIs(s string) string {
	if len(s) > 3 && s[:3] == "is_" {
		return s[3:]
	}
	return ""
}

func kindWord(s string) (wire.Kind, bool) {
	for _, k := range []wire.Kind{wire.Null, wire.Bool, wire.Number, wire.String, wire.Array, wire.Object} {
		if k.String() == s {
			return k, true
		}
	}
	return wire.Invalid, false
}

func (a *args) condLine(c *cond, m pair, facts *[]fact) {
	add := func(f fact) {
		*facts = append(*facts, f)
		c.tests = append(c.tests, test{kind: testFact, fact: len(*facts) - 1})
	}
	own := func(t test) {
		c.tests, c.own = append(c.tests, t), true
	}
	switch m.key {
	case "present", "absent":
		for _, p := range a.pathList("when."+m.key, m.val) {
			add(fact{path: p, none: m.key == "absent"})
		}
	case "equals":
		own(test{kind: testIn, list: [][]byte{m.val.json()}})
	case "in":
		own(test{kind: testIn, list: a.values("when.in", m.val)})
	case "empty":
		if m.val.kind != wire.Bool {
			a.failAt(m.val, "when.empty: want true or false, got %s", m.val.word())
		}
		own(test{kind: testEmpty, flag: m.val.text == "true"})
	case "type":
		t := test{kind: testType}
		for _, w := range oneOrList(m.val) {
			k, ok := kindWord(w.text)
			if !ok {
				a.failAt(w, "when.type: %q is none of null, bool, number, string, array, object", w.text)
			}
			t.types = append(t.types, k)
		}
		own(t)
	case "was":
		var list [][]byte
		for _, w := range oneOrList(m.val) {
			list = append(list, w.json())
		}
		c.tests = append(c.tests, test{kind: testWas, list: list})
	case "not":
		sub := a.condOf(m.val, facts)
		c.own = c.own || sub.own
		c.tests = append(c.tests, test{kind: testNot, sub: []*cond{sub}})
	case "any":
		t := test{kind: testAny}
		for _, e := range oneOrList(m.val) {
			sub := a.condOf(e, facts)
			c.own = c.own || sub.own
			t.sub = append(t.sub, sub)
		}
		c.tests = append(c.tests, t)
	default:
		p, err := compilePath(m.key)
		if err != nil || p.add {
			a.err = orElse(a.err, a.src.fail(m.line, m.col, "%s: when: %q is neither a word of conditions nor a path%s", a.what, m.key, suggest(m.key, condKeys())))
			return
		}
		var list [][]byte
		for _, w := range oneOrList(m.val) {
			list = append(list, w.json())
		}
		add(fact{path: p, list: list})
	}
}

func orElse[T any](a, b *T) *T {
	if a != nil {
		return a
	}
	return b
}

func oneOrList(v *val) []*val {
	if v.kind == wire.Array {
		return v.items
	}
	return []*val{v}
}

func (a *args) pathList(key string, v *val) []*path {
	var list []*path
	for _, e := range oneOrList(v) {
		list = append(list, a.pathOf(key, e))
	}
	if len(list) == 0 {
		a.failAt(v, "%s: want a path", key)
	}
	return list
}

func (a *args) values(key string, v *val) [][]byte {
	if v.kind != wire.Array || len(v.items) == 0 {
		a.failAt(v, "%s: want a list, got %s", key, v.word())
	}
	var list [][]byte
	for _, e := range v.items {
		list = append(list, e.json())
	}
	return list
}

// holds asks the facts, and the value n where a test is about it; n may be nil:
// nothing is there.
func (c *cond) holds(j *job, n *node) bool {
	if c == nil {
		return true
	}
	for i := range c.tests {
		if !c.tests[i].holds(j, n) {
			return false
		}
	}
	return true
}

func (t *test) holds(j *job, n *node) bool {
	switch t.kind {
	case testFact:
		return t.fact < len(j.facts) && j.facts[t.fact]
	case testIn:
		if n == nil {
			return slices.ContainsFunc(t.list, isNull)
		}
		return slices.ContainsFunc(t.list, n.is)
	case testEmpty:
		return (n == nil || j.t.empty(n)) == t.flag
	case testType:
		return n != nil && slices.Contains(t.types, n.kind)
	case testWas:
		return slices.ContainsFunc(t.list, func(v []byte) bool {
			return slices.ContainsFunc(j.was, func(old []byte) bool { return bytes.Equal(old, v) || wire.Equal(old, v) })
		})
	case testNot:
		return !t.sub[0].holds(j, n)
	default:
		return slices.ContainsFunc(t.sub, func(s *cond) bool { return s.holds(j, n) })
	}
}

// wantsWas reports whether a test asks what earlier ops replaced.
func (c *cond) wantsWas() bool {
	if c == nil {
		return false
	}
	return slices.ContainsFunc(c.tests, func(t test) bool {
		return t.kind == testWas || slices.ContainsFunc(t.sub, (*cond).wantsWas)
	})
}
