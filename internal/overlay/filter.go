package overlay

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"

	"github.com/theory/jsonpath/spec"

	"github.com/aratta-gateway/aratta/internal/wire"
)

// filter is a filter expression. The simple ones (members that are there, or
// equal something, joined by && and ||) are answered by the tree, others by the
// JSONPath library over decoded values.
type filter struct {
	simple [][]term // or of ands
	full   *spec.FilterSelector
	root   bool // full looks at the root too
}

// term asks what is below the element.
type term struct {
	segs  []segment // below the element
	equal []byte    // JSON; nil = there at all
	not   bool
}

func compileFilter(f *spec.FilterSelector) *filter {
	c := &filter{full: f, root: strings.Contains(f.String(), "$")}
	for _, and := range f.LogicalOr {
		var terms []term
		for _, e := range and {
			t, ok := compileTerm(e)
			if !ok {
				c.simple = nil
				return c
			}
			terms = append(terms, t)
		}
		c.simple = append(c.simple, terms)
	}
	return c
}

func compileTerm(e spec.BasicExpr) (term, bool) {
	switch v := e.(type) {
	case *spec.ExistExpr:
		segs, ok := below(v.PathQuery)
		return term{segs: segs}, ok
	case *spec.NonExistExpr:
		segs, ok := below(v.PathQuery)
		return term{segs: segs, not: true}, ok
	case *spec.CompExpr:
		return compileComparison(v.String())
	default:
		return term{}, false
	}
}

// below are the steps of a query that begins at the element.
func below(q *spec.PathQuery) ([]segment, bool) {
	if !strings.HasPrefix(q.String(), "@") {
		return nil, false
	}
	var segs []segment
	for _, s := range q.Segments() {
		segs = append(segs, compileSegment(s))
	}
	return segs, len(segs) > 0
}

// compileComparison reads the library's canonical spelling of a comparison of
// one member with a literal: @["type"] == "text".
func compileComparison(s string) (term, bool) {
	rest, ok := strings.CutPrefix(s, `@["`)
	if !ok {
		return term{}, false
	}
	name, rest, ok := strings.Cut(rest, `"] `)
	if !ok || strings.ContainsAny(name, `"\`) || name == "" {
		return term{}, false
	}
	t := term{segs: []segment{{name: name}}}
	switch {
	case strings.HasPrefix(rest, "== "):
	case strings.HasPrefix(rest, "!= "):
		t.not = true
	default:
		return term{}, false
	}
	lit := rest[3:]
	if lit == "" || lit[0] == '@' || lit[0] == '$' {
		return term{}, false
	}
	if text, err := strconv.Unquote(lit); err == nil && lit[0] == '"' {
		t.equal = quote(text)
		return t, true
	}
	t.equal = []byte(lit)
	return t, wire.Valid(t.equal) == nil
}

func (f *filter) holds(t *tree, n *node) bool {
	if f.simple == nil {
		return f.ask(t, n)
	}
	for _, and := range f.simple {
		if allHold(t, n, and) {
			return true
		}
	}
	return false
}

func allHold(t *tree, n *node, terms []term) bool {
	for i := range terms {
		var near [1]*node
		list := t.find(near[:0], n, terms[i].segs)
		is := len(list) > 0 && (terms[i].equal == nil || list[0].is(terms[i].equal))
		if is == terms[i].not {
			return false
		}
	}
	return true
}

// ask lets the library decide.
func (f *filter) ask(t *tree, n *node) bool {
	var root any
	if f.root {
		root = decoded(t.root)
	}
	return f.full.Eval(decoded(n), root)
}

func decoded(n *node) any {
	var v any
	d := json.NewDecoder(bytes.NewReader(n.json()))
	d.UseNumber()
	if d.Decode(&v) != nil {
		return nil
	}
	return v
}
