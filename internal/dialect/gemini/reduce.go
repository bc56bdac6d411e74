package gemini

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// Models before 2.5 know schemas as Google's own message alone: some keywords of
// OpenAPI, each of one type, and no references. For them a schema is reduced to
// that. One that needs it not is sent as it came.

// Bounds of what is made of one schema.
const (
	maxRefs    = 512     // looked up
	maxNested  = 32      // within each other
	maxReduced = 1 << 20 // bytes
	maxTold    = 100     // losses of one schema that are named
)

// ownSchemas reports whether a model takes schemas in Google's own spelling alone.
// Of those with names of their own (tuned ones, names of a gateway) it is not known,
// and they are newer, more likely than not.
func ownSchemas(model string) bool {
	_, name, ok := strings.Cut(model, "gemini-")
	return ok && (strings.HasPrefix(name, "1.") || strings.HasPrefix(name, "2.0") || name == "pro" || strings.HasPrefix(name, "pro-vision"))
}

// reducer writes a schema with what Google's own message can hold.
type reducer struct {
	e    *encoder // whose node is what has the schema
	root scri.RawJSON
	w    wire.Writer
	open []string // references that are being written out
	refs int
	told map[string]bool // by place
}

// reduced returns the schema, of the member "schema" of the node, as older models
// take it, and tells what is lost.
func (e *encoder) reduced(schema scri.RawJSON) scri.RawJSON {
	before := len(e.Warn)
	r := reducer{e: e, root: schema, told: map[string]bool{}}
	r.schema(schema, "")
	if len(e.Warn) == before {
		return schema
	}
	return r.w.B
}

// tell notes what became of a place in the schema, once: what a reference names may
// be written more than once.
func (r *reducer) tell(code, at, from, to, detail string) {
	switch {
	case r.told[at] || len(r.told) > maxTold:
	case len(r.told) == maxTold:
		r.told[at] = true
		r.e.Tell(scri.WarnDropped, "schema", "", "", "and more than is told here")
	default:
		r.told[at] = true
		r.e.Tell(code, "schema"+at, from, to, detail)
	}
}

func (r *reducer) drop(at string) {
	r.tell(scri.WarnDropped, at, "", "", "schemas for this model have no such keyword")
}

// schema writes one schema; at is its place in the whole.
func (r *reducer) schema(raw []byte, at string) {
	if wire.NewScanner(raw).Kind() != wire.Object {
		r.tell(scri.WarnChanged, at, string(raw), "{}", "a schema is an object for this model")
		raw = []byte("{}")
	}
	r.w.BeginObject()
	o := object{reducer: r}
	o.members(raw, at)
	r.w.EndObject()
}

// object is one schema that is written, of the members of one or more.
type object struct {
	*reducer
	has []string // keywords that are written
}

// key begins a member, if the object has none of that name.
func (o *object) key(name string) bool {
	if slices.Contains(o.has, name) {
		return false
	}
	o.has = append(o.has, name)
	o.w.Key(name)
	return true
}

func (o *object) raw(name string, value []byte, at string) {
	switch {
	case o.key(name):
		o.w.Raw(value)
	case name == "title", name == "description", name == "default": // the nearest is meant
	default:
		o.tell(scri.WarnDropped, at, "", "", "it is said otherwise")
	}
}

// members writes what a schema says, and after it what it refers to, which it
// overrules.
func (o *object) members(raw []byte, at string) {
	s := wire.NewScanner(raw)
	var after []func()
	for name := range s.Members() {
		name = strings.Clone(name)
		kind, value, place := s.Kind(), s.Raw(), at+"/"+dialect.Escape(name)
		switch name {
		case "type":
			o.types(raw, value, place)
		case "title", "description", "nullable", "default", "example", "minItems", "maxItems", "propertyOrdering", "required",
			"minProperties", "maxProperties", "minimum", "maximum", "minLength", "maxLength", "pattern":
			o.raw(name, value, place)
		case "format":
			o.format(value, place)
		case "enum", "const":
			o.enum(raw, name, value, place)
		case "properties":
			o.properties(kind, value, place)
		case "items":
			if kind != wire.Object || !o.key(name) {
				o.drop(place)
				continue
			}
			o.schema(value, place)
		case "anyOf", "oneOf":
			o.anyOf(kind, name, value, place)
		case "$ref":
			after = append(after, func() { o.ref(value, place) })
		case "allOf":
			after = append(after, func() { o.allOf(kind, value, place) })
		case "$defs", "definitions":
			o.tell(scri.WarnChanged, place, "", "", "each is written out where it is used")
		default:
			o.drop(place)
		}
	}
	for _, f := range after {
		f()
	}
}

// properties writes the schemas of an object's members.
func (o *object) properties(kind wire.Kind, value []byte, at string) {
	if kind != wire.Object || !o.key("properties") {
		o.drop(at)
		return
	}
	o.w.BeginObject()
	s := wire.NewScanner(value)
	for name := range s.Members() {
		o.w.Key(name)
		o.schema(s.Raw(), at+"/"+dialect.Escape(strings.Clone(name)))
	}
	o.w.EndObject()
}

// anyOf writes alternatives. That no two of them fit at once cannot be said.
func (o *object) anyOf(kind wire.Kind, name string, value []byte, at string) {
	if kind != wire.Array || !o.key("anyOf") {
		o.drop(at)
		return
	}
	if name != "anyOf" {
		o.tell(scri.WarnChanged, at, name, "anyOf", "")
	}
	o.w.BeginArray()
	s := wire.NewScanner(value)
	for i := range s.Elements() {
		o.schema(s.Raw(), at+"/"+strconv.Itoa(i))
	}
	o.w.EndArray()
}

// allOf joins a single schema with the one it stands in; more cannot be said.
func (o *object) allOf(kind wire.Kind, value []byte, at string) {
	var list [][]byte
	if kind == wire.Array {
		s := wire.NewScanner(value)
		for range s.Elements() {
			list = append(list, s.Raw())
		}
	}
	if len(list) != 1 || wire.NewScanner(list[0]).Kind() != wire.Object {
		o.drop(at)
		return
	}
	o.tell(scri.WarnChanged, at, "", "", "it is written where it stands")
	o.members(list[0], at+"/0")
}

// ref writes what a reference names in its place. Of one that leads back to itself
// only the type is left.
func (o *object) ref(value []byte, at string) {
	to := text(value)
	if o.refs++; o.refs > maxRefs {
		o.tell(scri.WarnDropped, at, to, "", "there are too many references")
		return
	}
	raw, ok := o.find(to)
	if !ok || wire.NewScanner(raw).Kind() != wire.Object {
		o.tell(scri.WarnDropped, at, to, "", "it names no schema within this one")
		return
	}
	if slices.Contains(o.open, to) || to == "#" || len(o.open) >= maxNested || len(o.w.B) > maxReduced {
		o.tell(scri.WarnDropped, at, to, "", "it leads back to itself, or to too much")
		if t := wire.NewScanner(raw).Peek("type"); wire.NewScanner(t).Kind() == wire.String && !slices.Contains(o.has, "type") {
			o.raw("type", t, at)
		}
		return
	}
	o.tell(scri.WarnChanged, at, to, "", "what it names is written here")
	o.open = append(o.open, to)
	o.members(raw, strings.TrimPrefix(to, "#"))
	o.open = o.open[:len(o.open)-1]
}

// find returns what a reference within the schema names.
func (r *reducer) find(ref string) ([]byte, bool) {
	if ref == "#" {
		return r.root, true
	}
	path, ok := strings.CutPrefix(ref, "#/")
	if !ok {
		return nil, false
	}
	raw := []byte(r.root)
	for name := range strings.SplitSeq(path, "/") {
		name = strings.ReplaceAll(strings.ReplaceAll(name, "~1", "/"), "~0", "~")
		s := wire.NewScanner(raw)
		if s.Kind() != wire.Object {
			return nil, false
		}
		if raw = s.Peek(name); raw == nil {
			return nil, false
		}
	}
	return raw, true
}

// types writes the type. Of a list of them null is a keyword of its own, and more
// than one other are alternatives.
func (o *object) types(schema, value []byte, at string) {
	switch wire.NewScanner(value).Kind() {
	case wire.String:
		if !slices.Contains(o.has, "type") { // else what refers to it says more
			o.raw("type", value, at)
		}
		return
	case wire.Array:
	default:
		o.drop(at)
		return
	}
	if slices.Contains(o.has, "type") || slices.Contains(o.has, "anyOf") {
		o.drop(at)
		return
	}
	var list [][]byte
	null := false
	s := wire.NewScanner(value)
	for range s.Elements() {
		switch v := s.Raw(); {
		case text(v) == "null":
			null = true
		case text(v) != "":
			list = append(list, v)
		}
	}
	if null && o.key("nullable") {
		o.w.Bool(true)
	}
	switch {
	case len(list) == 0:
		o.drop(at)
	case len(list) == 1:
		o.tell(scri.WarnChanged, at, string(value), text(list[0]), "a schema has one type for this model")
		o.raw("type", list[0], at)
	case shaped(schema):
		o.tell(scri.WarnDropped, at, string(value), text(list[0]), "a schema has one type for this model")
		o.raw("type", list[0], at)
	default:
		o.tell(scri.WarnChanged, at, "type", "anyOf", "a schema has one type for this model")
		o.key("anyOf")
		o.w.BeginArray()
		for _, t := range list {
			o.w.BeginObject()
			o.w.Key("type")
			o.w.Raw(t)
			o.w.EndObject()
		}
		o.w.EndArray()
	}
}

// shaped reports whether a schema says more of its values than their types, so that
// these cannot become alternatives that stand alone.
func shaped(schema []byte) bool {
	s := wire.NewScanner(schema)
	more := false
	for name := range s.Members() {
		s.Skip()
		switch name {
		case "type", "title", "description", "default", "example", "nullable", "$defs", "definitions", "$schema", "$id", "$comment":
		default:
			more = true
		}
	}
	return more
}

// format writes those formats that are known.
func (o *object) format(value []byte, at string) {
	switch f := text(value); f {
	case "enum", "date-time", "float", "double", "int32", "int64":
		o.raw("format", value, at)
	default:
		o.tell(scri.WarnDropped, at, f, "", "formats for this model are date-time and those of numbers")
	}
}

// enum writes the values that are allowed, which must be texts.
func (o *object) enum(schema []byte, name string, value []byte, at string) {
	list := [][]byte{value}
	if name == "enum" {
		list = list[:0]
		s := wire.NewScanner(value)
		if s.Kind() == wire.Array {
			for range s.Elements() {
				list = append(list, s.Raw())
			}
		}
	} else if wire.NewScanner(schema).Peek("enum") != nil {
		o.drop(at)
		return
	}
	null := false
	texts := slices.DeleteFunc(slices.Clone(list), func(v []byte) bool {
		is := wire.NewScanner(v).Kind() == wire.Null
		null = null || is
		return is
	})
	other := slices.ContainsFunc(texts, func(v []byte) bool { return wire.NewScanner(v).Kind() != wire.String })
	if other || len(texts) == 0 || slices.Contains(o.has, "enum") {
		o.tell(scri.WarnDropped, at, "", "", "only texts can be listed for this model")
		return
	}
	if name == "const" {
		o.tell(scri.WarnChanged, at, "const", "enum", "")
	}
	if null {
		o.tell(scri.WarnChanged, at, "null", "nullable", "only texts can be listed for this model")
		if o.key("nullable") {
			o.w.Bool(true)
		}
	}
	o.key("enum")
	if name == "enum" && !null {
		o.w.Raw(value)
		return
	}
	o.w.BeginArray()
	for _, v := range texts {
		o.w.Raw(v)
	}
	o.w.EndArray()
}

// text is a JSON string's content, or "".
func text(raw []byte) string {
	var s string
	if json.Unmarshal(raw, &s) != nil {
		return ""
	}
	return s
}
