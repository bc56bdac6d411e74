package overlay

import (
	"bytes"
	"embed"
	"fmt"
	"slices"
	"sync"
)

//go:embed builtin/*.yaml
var builtinFiles embed.FS

// Builtins are the overlays that come with the program. They act where an entry
// of the catalogue refers to them.
func Builtins() ([]*Overlay, error) {
	return load(builtinFiles, "builtin", "", Builtin)
}

// BuiltinIDs lists the built-in overlays in their order.
func BuiltinIDs() []string {
	s := newShelf()
	ids := make([]string, len(s.items))
	for i := range s.items {
		ids[i] = s.items[i].id
	}
	return ids
}

// shelf holds the built-in overlays, each compiled when a target first refers to
// it: a gateway needs a few of them, and to compile all would take as long as
// everything else at its start.
type shelf struct{ items []shelved }

type shelved struct {
	id      string
	compile func() *Overlay // once
}

// newShelf finds the overlays in their files without reading them as YAML: each is
// a document with its id at the beginning of a line.
func newShelf() *shelf {
	s := &shelf{}
	files, err := builtinFiles.ReadDir("builtin")
	if err != nil {
		panic("overlay: the built-in overlays are gone: " + err.Error()) // cannot be: the directive above names them
	}
	for _, f := range files {
		raw, err := builtinFiles.ReadFile("builtin/" + f.Name())
		if err != nil {
			panic("overlay: the built-in overlays are gone: " + err.Error())
		}
		line := 0
		for doc := range bytes.SplitSeq(raw, []byte("\n---\n")) {
			s.add(f.Name(), line, doc)
			line += bytes.Count(doc, []byte("\n")) + 2
		}
	}
	return s
}

func (s *shelf) add(file string, line int, doc []byte) {
	_, rest, _ := bytes.Cut(append([]byte("\n"), doc...), []byte("\nid: "))
	id, _, _ := bytes.Cut(rest, []byte("\n"))
	s.items = append(s.items, shelved{string(id), sync.OnceValue(func() *Overlay {
		list, err := parseAt(file, line, doc, Builtin)
		if err == nil && (len(list) != 1 || list[0].ID != string(id)) {
			err = fmt.Errorf("%s: line %d begins no overlay %q", file, line+1, id)
		}
		if err != nil { // cannot be: tests read every one
			panic("overlay: built-in: " + err.Error())
		}
		return list[0]
	})})
}

// of lists those overlays on the shelf that a target's entry refers to, without
// those that stand in others already.
func (s *shelf) of(t *Target, others []*Overlay) []*Overlay {
	if s == nil || len(t.Builtin) == 0 {
		return others
	}
	var list []*Overlay
	for i := range s.items {
		p := &s.items[i]
		if slices.Contains(t.Builtin, p.id) && !slices.ContainsFunc(others, func(o *Overlay) bool { return o.ID == p.id }) {
			list = append(list, p.compile())
		}
	}
	return append(list, others...)
}
