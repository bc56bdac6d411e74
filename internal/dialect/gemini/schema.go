package gemini

import (
	"bytes"
	"slices"
	"strconv"
	"strings"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// Google's schemas name types in capitals, which JSON Schema does not know. The
// names are as long in either spelling, so that nothing else of a schema changes
// when they are spelled otherwise, and a Form can say which of them were.

// typeNames are the types of a schema in Google's spelling.
var typeNames = [...]string{"STRING", "NUMBER", "INTEGER", "BOOLEAN", "ARRAY", "OBJECT", "NULL"}

// lowered is a schema with its types as JSON Schema spells them. The form "upper"
// says that all were in capitals, "upper=1,2" which of them.
func lowered(schema scri.RawJSON, u *dialect.Unknown) scri.RawJSON {
	types := typesOf(schema)
	var which []string
	var out scri.RawJSON
	for i, at := range types {
		end := bytes.IndexByte(schema[at:], '"')
		if !slices.Contains(typeNames[:], string(schema[at:at+end])) {
			continue
		}
		which = append(which, strconv.Itoa(i))
		if out == nil {
			out = slices.Clone(schema)
		}
		copy(out[at:], bytes.ToLower(out[at:at+end]))
	}
	switch {
	case out == nil:
		return schema
	case len(which) == len(types):
		u.Form("upper")
	default:
		u.Form("upper=" + strings.Join(which, ","))
	}
	return out
}

// raised is a schema with its types as Google spelled them, by the Form.
func raised(schema scri.RawJSON, x *scri.Ext) scri.RawJSON {
	which, some := spelled(x, "upper")
	if !some && !formed(x, "upper") {
		return schema
	}
	var chosen map[string]bool
	if some {
		chosen = map[string]bool{}
		for w := range strings.SplitSeq(which, ",") {
			chosen[w] = true
		}
	}
	out := slices.Clone(schema)
	for i, at := range typesOf(schema) {
		end := bytes.IndexByte(schema[at:], '"')
		upper := bytes.ToUpper(schema[at : at+end])
		if (chosen == nil || chosen[strconv.Itoa(i)]) && slices.Contains(typeNames[:], string(upper)) {
			copy(out[at:], upper)
		}
	}
	return out
}

// typesOf finds the types in a schema: where the text of each begins.
func typesOf(schema scri.RawJSON) []int {
	var t typeFinder
	t.s.Reset(schema)
	t.schema()
	return t.at
}

type typeFinder struct {
	s  wire.Scanner
	at []int
}

// schema goes through a schema, or a list of them.
func (t *typeFinder) schema() {
	switch t.s.Kind() {
	case wire.Array:
		for range t.s.Elements() {
			t.schema()
		}
	case wire.Object:
		for name := range t.s.Members() {
			switch {
			case name == "type" && t.s.Kind() == wire.String:
				if q := t.s.Str(); len(q) > 2 && bytes.IndexByte(q, '\\') < 0 {
					t.at = append(t.at, t.s.Offset()-len(q)+1)
				}
			case t.s.Kind() != wire.Object && t.s.Kind() != wire.Array, isData(name):
			case isMap(name) && t.s.Kind() == wire.Object:
				for range t.s.Members() {
					t.schema()
				}
			default:
				t.schema()
			}
		}
	default:
	}
}

// isData reports whether a keyword's value is no schema, whatever it looks like.
func isData(name string) bool {
	switch name {
	case "enum", "const", "default", "example", "examples", "required":
		return true
	default:
		return false
	}
}

// isMap reports whether a keyword's value holds schemas by names.
func isMap(name string) bool {
	switch name {
	case "properties", "patternProperties", "$defs", "defs", "definitions", "dependentSchemas":
		return true
	default:
		return false
	}
}
