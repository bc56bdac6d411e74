package overlay

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/aratta-gateway/aratta/internal/wire"
)

// shape is a tree as far as it goes: names and scalars in their order.
func shape(t *tree, n *node) any {
	switch n.kind {
	case wire.Object:
		list := []any{"object"}
		for _, m := range t.object(n) {
			list = append(list, m.name, string(m.quoted), shape(t, m.value))
		}
		return list
	case wire.Array:
		list := []any{"array"}
		for _, v := range t.elements(n) {
			list = append(list, shape(t, v))
		}
		return list
	default:
		return string(n.json())
	}
}

// FuzzWalk: a document that is known to be sound has the same tree as one that is
// looked at; one that is none after all does no harm.
func FuzzWalk(f *testing.F) {
	for _, s := range []string{
		`{"a":1,"b":[true,null,-1.5e+3,"x\"]}",{}],"c":{"d":"\\","\u0065\"":[[]]}}`, " { \"a\" : [ ] , \"b\" : { } } ",
		`{"a":1,"a":2}`, `{"a":{"b":1,"b":2}}`, `[1,2`, `{"`, `{"a"`, `{"a":`, `{"a":1`, `{"a":1}x`, `[}`, `["\`, `"a"`, ``,
		`{"a":0,"b":0,"c":0,"d":0,"e":0,"f":0,"g":0,"h":0,"i":0,"j":0,"k":0,"l":0,"m":0,"n":0,"o":0,"p":0,"q":0,"r":0,"s":0,"t":0,"u":0,"v":0,"w":0,"x":0,"y":0,"z":0}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		var sound, any tree
		sound.load(doc)
		sound.sound = true
		fast := shape(&sound, sound.root)
		if wire.Valid(doc) != nil { // repeated names included
			return
		}
		any.load(doc)
		if diff := cmp.Diff(shape(&any, any.root), fast); diff != "" || sound.err != nil {
			t.Errorf("(-looked at +walked)\n%s%v", diff, sound.err)
		}
		if sound.touch(sound.root); wire.Valid(sound.bytes()) != nil || !wire.Equal(sound.bytes(), doc) {
			t.Errorf("written again as %s", sound.bytes())
		}
	})
}

// Names that repeat leave a document to whoever reads it.
func TestRepeatedNames(t *testing.T) {
	for _, doc := range []string{`{"a":1,"a":2}`, `{"a":{"b":1,"b":2}}`} {
		var tr tree
		tr.load([]byte(doc))
		tr.sound = true
		shape(&tr, tr.root)
		if tr.touch(tr.root); tr.err == nil || string(tr.bytes()) != doc {
			t.Fatalf("%s: %v, written as %s", doc, tr.err, tr.bytes())
		}
	}
}

// A list that turns out to be none is left to the scanner, however many members its
// elements have.
func TestBrokenLists(t *testing.T) {
	for n := range memberChunk {
		doc := `{"list":[` + strings.Repeat(`{"a":1,"b":2,"c":3},`, n) + `0 x]}`
		var tr tree
		tr.load([]byte(doc))
		tr.sound = true
		shape(&tr, tr.root)
		if tr.touch(tr.root); tr.err == nil || string(tr.bytes()) != doc {
			t.Fatalf("%s: %v, written as %s", doc, tr.err, tr.bytes())
		}
	}
}
