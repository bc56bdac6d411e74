package overlay

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"

	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// Bounds of an overlay file.
const (
	maxFile  = 1 << 20
	maxNest  = 64
	maxValue = 1 << 16 // values in one file
)

// val is one value of a YAML document with its place. Order is kept.
type val struct {
	kind    wire.Kind
	text    string // of a scalar: the text of a string, the JSON of any other
	members []pair
	items   []*val
	line    int
	col     int
}

type pair struct {
	key       string
	line, col int
	val       *val
}

// source is one file on its way in.
type source struct {
	file  string
	lines int // that stand before it
	count int
}

// fail is an error with its place.
func (s *source) fail(line, col int, format string, args ...any) *scri.Error {
	return &scri.Error{Kind: scri.ErrInvalid, Message: fmt.Sprintf("%s:%d:%d: %s", s.file, max(line, 1), max(col, 1), fmt.Sprintf(format, args...))}
}

// documents reads the YAML documents of a file; JSON is YAML too.
func (s *source) documents(raw []byte) (list []*val, err error) {
	if len(raw) > maxFile {
		return nil, s.fail(1, 1, "larger than %d bytes", maxFile)
	}
	tree, err := s.tree(raw)
	if err != nil {
		return nil, err
	}
	for _, d := range tree.Docs {
		if d.Body == nil {
			continue
		}
		if _, only := d.Body.(*ast.CommentGroupNode); only {
			continue
		}
		v, err := s.value(d.Body, 0)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	return list, nil
}

// yamlError is what the YAML package says with its place.
type yamlError interface {
	GetToken() *token.Token
	GetMessage() string
}

// tree turns panics of the YAML package, which some broken files cause, into errors.
func (s *source) tree(raw []byte) (tree *ast.File, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = s.fail(1, 1, "cannot be read as YAML (%v)", r)
		}
	}()
	tree, err = parser.ParseBytes(raw, 0)
	if err == nil {
		return tree, nil
	}
	if ye, ok := err.(yamlError); ok && ye.GetToken() != nil {
		pos := ye.GetToken().Position
		return nil, s.fail(s.lines+pos.Line, pos.Column, "%s", ye.GetMessage())
	}
	return nil, s.fail(1, 1, "%v", err)
}

func (s *source) placeOf(n ast.Node) (line, col int) {
	if n == nil || n.GetToken() == nil {
		return s.lines + 1, 1
	}
	p := n.GetToken().Position
	return s.lines + p.Line, p.Column
}

func (s *source) value(n ast.Node, depth int) (*val, error) {
	line, col := s.placeOf(n)
	v := &val{line: line, col: col}
	if s.count++; s.count > maxValue || depth > maxNest {
		return nil, s.fail(line, col, "too large or too deep")
	}
	switch n := n.(type) {
	case nil:
		v.kind, v.text = wire.Null, "null"
	case *ast.NullNode:
		v.kind, v.text = wire.Null, "null"
	case *ast.StringNode:
		v.kind, v.text = wire.String, n.Value
	case *ast.LiteralNode:
		v.kind, v.text = wire.String, n.Value.Value
	case *ast.BoolNode:
		v.kind, v.text = wire.Bool, strconv.FormatBool(n.Value)
	case *ast.IntegerNode:
		v.kind, v.text = wire.Number, number(n.GetToken().Value, fmt.Sprint(n.Value))
	case *ast.FloatNode:
		v.kind, v.text = wire.Number, number(n.GetToken().Value, strconv.FormatFloat(n.Value, 'g', -1, 64))
	case *ast.SequenceNode:
		v.kind = wire.Array
		for _, e := range n.Values {
			item, err := s.value(e, depth+1)
			if err != nil {
				return nil, err
			}
			v.items = append(v.items, item)
		}
	case *ast.MappingValueNode:
		v.kind = wire.Object
		v.line, v.col = s.placeOf(n.Key)
		return v, s.member(v, n, depth)
	case *ast.MappingNode:
		v.kind = wire.Object
		if len(n.Values) > 0 {
			v.line, v.col = s.placeOf(n.Values[0].Key)
		}
		for _, m := range n.Values {
			if err := s.member(v, m, depth); err != nil {
				return nil, err
			}
		}
	default:
		return nil, s.fail(line, col, "anchors, aliases, tags and special numbers are not taken here")
	}
	return v, nil
}

// number keeps how a number is spelled where JSON spells it so too.
func number(spelled, decimal string) string {
	if wire.Valid([]byte(spelled)) == nil {
		return spelled
	}
	return decimal
}

func (s *source) member(v *val, m *ast.MappingValueNode, depth int) error {
	line, col := s.placeOf(m.Key)
	var key string
	switch k := m.Key.(type) {
	case *ast.StringNode:
		key = k.Value
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.NullNode:
		key = k.GetToken().Value
	default:
		return s.fail(line, col, "not a plain key")
	}
	for _, p := range v.members {
		if p.key == key {
			return s.fail(line, col, "%s: a second time", key)
		}
	}
	child, err := s.value(m.Value, depth+1)
	if err != nil {
		return err
	}
	v.members = append(v.members, pair{key, line, col, child})
	return nil
}

// get returns the value of a key, or nil.
func (v *val) get(key string) *val {
	for i := range v.members {
		if v.members[i].key == key {
			return v.members[i].val
		}
	}
	return nil
}

// json is the value as JSON.
func (v *val) json() []byte { return v.appendJSON(nil) }

func (v *val) appendJSON(b []byte) []byte {
	switch v.kind {
	case wire.String:
		return wire.AppendQuote(b, v.text)
	case wire.Array:
		b = append(b, '[')
		for i, e := range v.items {
			if i > 0 {
				b = append(b, ',')
			}
			b = e.appendJSON(b)
		}
		return append(b, ']')
	case wire.Object:
		b = append(b, '{')
		for i, m := range v.members {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(wire.AppendQuote(b, m.key), ':')
			b = m.val.appendJSON(b)
		}
		return append(b, '}')
	default:
		return append(b, v.text...)
	}
}

// word is what a value is called in messages.
func (v *val) word() string {
	switch v.kind {
	case wire.Array:
		return "a list"
	case wire.Object:
		return "a mapping"
	case wire.String:
		return "a text"
	default:
		return v.kind.String()
	}
}

// template is JSON with places in it for a value: the string "$value" is the
// value itself, "$json" its JSON as a text, and "$value" or "$json" within a
// longer text its text.
type template struct {
	raw   []byte
	parts bool // there is a place in it
}

func compileTemplate(v *val) *template {
	raw := v.json()
	return &template{raw: raw, parts: bytes.Contains(raw, []byte("$value")) || bytes.Contains(raw, []byte("$json"))}
}

// fill returns the JSON with a value put into its places.
func (t *template) fill(value []byte) []byte {
	if !t.parts {
		return t.raw
	}
	var tr tree
	tr.load(t.raw)
	tr.fillTemplate(tr.root, value)
	return tr.bytes()
}

func (t *tree) fillTemplate(n *node, value []byte) {
	switch n.kind {
	case wire.Array:
		for _, v := range t.elements(n) {
			t.fillTemplate(v, value)
		}
	case wire.Object:
		for _, m := range t.object(n) {
			t.fillTemplate(m.value, value)
		}
	case wire.String:
		switch s := n.text(); {
		case s == "$value":
			t.replace(n, value)
		case s == "$json":
			t.replace(n, quote(string(wire.Compact(value))))
		case strings.Contains(s, "$value"), strings.Contains(s, "$json"):
			text := string(wire.Compact(value))
			s = strings.ReplaceAll(s, "$json", text)
			if kindOf(value) == wire.String {
				text = string(wire.AppendUnquote(nil, bytes.TrimSpace(value)))
			}
			t.replace(n, quote(strings.ReplaceAll(s, "$value", text)))
		}
	default:
	}
}
