package spelling

import (
	"errors"
	"fmt"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// maxText and maxNodes bound a file: a configuration is far smaller, and aliases
// within aliases may stand for very much.
const (
	maxText  = 1 << 20
	maxNodes = 100_000
	maxDepth = 32
)

// node is one value of the file: a table, a list, or a scalar (string, int64,
// uint64, float64, bool; nil for nothing).
type node struct {
	at     Place
	table  *table
	list   []*node
	isList bool
	scalar any
}

// table is a table in the order of the file.
type table struct {
	keys  []key
	notes []string // comments at its head
}

// key is a key of a table with its value.
type key struct {
	name  string
	at    Place
	value *node
	note  string // a comment above it
}

func (t *table) get(name string) *key {
	for i := range t.keys {
		if t.keys[i].name == name {
			return &t.keys[i]
		}
	}
	return nil
}

func (t *table) remove(name string) {
	for i := range t.keys {
		if t.keys[i].name == name {
			t.keys = append(t.keys[:i], t.keys[i+1:]...)
			return
		}
	}
}

func (t *table) add(name string, at Place, v *node) {
	t.keys = append(t.keys, key{name: name, at: at, value: v})
}

// below returns the table of that name, made if it is not there.
func (t *table) below(name string, at Place) *table {
	if k := t.get(name); k != nil && k.value.table != nil {
		return k.value.table
	}
	n := &node{at: at, table: &table{}}
	t.add(name, at, n)
	return n.table
}

// reader turns a YAML tree into nodes.
type reader struct {
	anchors map[string]ast.Node
	nodes   int
}

// read parses the text of a file.
func read(raw []byte) (root *node, err error) {
	defer func() {
		if r := recover(); r != nil { // some broken files make the package panic
			err = &Fault{Place: Place{1, 1}, Text: fmt.Sprintf("cannot be read as YAML (%v)", r)}
		}
	}()
	if len(raw) > maxText {
		return nil, &Fault{Place: Place{1, 1}, Text: fmt.Sprintf("larger than %d bytes", maxText)}
	}
	file, err := parser.ParseBytes(raw, 0)
	if err != nil {
		return nil, syntax(err)
	}
	r := &reader{anchors: map[string]ast.Node{}}
	root = &node{at: Place{1, 1}, table: &table{}}
	found := false
	for _, doc := range file.Docs {
		if doc.Body == nil {
			continue
		}
		if _, comment := doc.Body.(*ast.CommentGroupNode); comment {
			continue
		}
		n, err := r.node(doc.Body, 0)
		switch {
		case err != nil:
			return nil, err
		case found:
			return nil, &Fault{Place: n.at, Text: "a second document; a configuration is one"}
		case n.table == nil:
			return nil, &Fault{Place: n.at, Text: "must be keys with values, like \"providers:\""}
		}
		root, found = n, true
	}
	return root, nil
}

// syntax is the parser's error in our words.
func syntax(err error) error {
	var ye yaml.Error
	if !errors.As(err, &ye) || ye.GetToken() == nil {
		return &Fault{Place: Place{1, 1}, Text: err.Error()}
	}
	return &Fault{Place: placeOf(ye.GetToken()), Text: ye.GetMessage()}
}

func placeOf(t *token.Token) Place {
	if t == nil || t.Position == nil {
		return Place{1, 1}
	}
	return Place{t.Position.Line, t.Position.Column}
}

func (r *reader) node(n ast.Node, depth int) (*node, error) {
	out := &node{at: placeOf(n.GetToken())}
	if r.nodes++; r.nodes > maxNodes || depth > maxDepth {
		return nil, &Fault{Place: out.at, Text: "too large: aliases within aliases, or nested too deep"}
	}
	switch n := n.(type) {
	case *ast.NullNode:
	case *ast.BoolNode:
		out.scalar = n.Value
	case *ast.IntegerNode:
		out.scalar = n.Value
	case *ast.FloatNode:
		out.scalar = n.Value
	case *ast.InfinityNode:
		out.scalar = n.Value
	case *ast.StringNode:
		out.scalar = n.Value
	case *ast.LiteralNode:
		out.scalar = n.Value.Value
	case *ast.TagNode:
		return r.tagged(n, depth)
	case *ast.AnchorNode:
		v, err := r.node(n.Value, depth+1)
		r.anchors[n.Name.String()] = n.Value
		return v, err
	case *ast.AliasNode:
		name := n.Value.String()
		to, ok := r.anchors[name]
		if !ok {
			return nil, &Fault{Place: out.at, Text: fmt.Sprintf("*%s refers to nothing above it", name)}
		}
		return r.node(to, depth+1)
	case *ast.SequenceNode:
		out.isList = true
		for _, v := range n.Values {
			item, err := r.node(v, depth+1)
			if err != nil {
				return nil, err
			}
			out.list = append(out.list, item)
		}
	case *ast.MappingNode:
		return out, r.mapping(out, n.Values, depth)
	case *ast.MappingValueNode:
		return out, r.mapping(out, []*ast.MappingValueNode{n}, depth)
	default:
		return nil, &Fault{Place: out.at, Text: "cannot stand in a configuration: " + strings.ToLower(n.Type().String())}
	}
	return out, nil
}

// tagged takes a text as it stands where the tag says that it is one.
func (r *reader) tagged(n *ast.TagNode, depth int) (*node, error) {
	v, err := r.node(n.Value, depth+1)
	if err != nil {
		return nil, err
	}
	if s, ok := n.Value.(ast.ScalarNode); ok && n.Start.Value == "!!str" {
		v.scalar = s.GetToken().Value
	}
	return v, nil
}

func (r *reader) mapping(out *node, values []*ast.MappingValueNode, depth int) error {
	out.table = &table{}
	if len(values) > 0 {
		out.at = placeOf(values[0].Key.GetToken())
	}
	var merged []*node
	for _, v := range values {
		val, err := r.node(v.Value, depth+1)
		if err != nil {
			return err
		}
		at := placeOf(v.Key.GetToken())
		if v.Key.IsMergeKey() {
			merged = append(merged, val)
			continue
		}
		name := v.Key.GetToken().Value
		if out.table.get(name) != nil {
			return &Fault{Place: at, Key: name, Text: "stands here twice"}
		}
		out.table.add(name, at, val)
	}
	for _, m := range merged {
		if m.table == nil {
			return &Fault{Place: m.at, Text: "<<: must name a table"}
		}
		for _, k := range m.table.keys {
			if out.table.get(k.name) == nil {
				out.table.keys = append(out.table.keys, k)
			}
		}
	}
	return nil
}
