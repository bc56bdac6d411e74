package dialecttest

import (
	"encoding/json"
	"fmt"
	"hash/maphash"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/scri"
)

// A node is one value of a request or an answer, made comparable: texts without
// their escapes, JSON by value, numbers by value, absent members left out.
type node struct {
	name  string // as a member: its name, for Ext with the dialect before it
	path  string // JSON pointer into the value it was made of
	shape shape
	val   string  // of a scalar
	kids  []*node // members or items
	hash  uint64

	item   bool // stands in a list: lost or added as one
	shared bool // belongs to the message, though it is shown in each of its parts
	made   bool // an id that was made: whatever stands here says nothing
	empty  bool // an empty text or message: its loss loses nothing
}

type shape uint8

const (
	scalar shape = iota
	object
	list
)

func (n *node) kid(name string) *node {
	if n == nil {
		return nil
	}
	for _, k := range n.kids {
		if k.name == name {
			return k
		}
	}
	return nil
}

func (n *node) value(name string) string {
	if k := n.kid(name); k != nil {
		return k.val
	}
	return ""
}

var seed = maphash.MakeSeed()

// seal computes the hash once all kids are there.
func (n *node) seal() *node {
	var h maphash.Hash
	h.SetSeed(seed)
	h.WriteByte(byte(n.shape))
	h.WriteString(n.val)
	sum := h.Sum64()
	for i, k := range n.kids {
		var kh maphash.Hash
		kh.SetSeed(seed)
		kh.WriteString(k.name)
		v := kh.Sum64() ^ k.hash*0x9E3779B97F4A7C15
		if n.shape == list {
			v = (v + uint64(i)) * 0xBF58476D1CE4E5B9
		}
		sum += v ^ v>>29
	}
	n.hash = sum
	return n
}

func (n *node) add(k *node) {
	if k != nil {
		n.kids = append(n.kids, k)
	}
}

// A builder makes the tree of one value.
type builder struct {
	strict bool            // spellings of the dialect count too
	made   map[string]bool // ids of calls that were made, not given
}

// left out whatever is compared: the gateway's own, and what is no content.
var ignored = map[string]bool{
	"ChatResponse.warnings": true, "ChatResponse.lineage": true, "ChatResponse.provider": true,
	"ToolCall.made_id": true, "Signature.provider": true, "Signature.model": true,
}

// left out between two dialects: each has words of its own for how an answer ended and
// what it took, and its own way of naming an answer or none. What an answer is called and
// when it was made is said of the telling: whoever tells it in another format names it anew.
var spelling = map[string]bool{
	"ChatResponse.id": true, "ChatResponse.created": true,
	"Usage.raw": true, "Usage.dialect": true, "Finish.raw": true, "Finish.dialect": true, "Signature.dialect": true,
}

func requestTree(r *scri.ChatRequest, strict bool) *node {
	b := &builder{strict: strict, made: map[string]bool{}}
	b.findMade(r.Messages)
	return b.build(reflect.ValueOf(r).Elem(), "", "")
}

func responseTree(r *scri.ChatResponse, strict bool) *node {
	b := &builder{strict: strict, made: map[string]bool{}}
	for _, c := range r.Choices {
		b.findMade(c.Output)
	}
	return b.build(reflect.ValueOf(r).Elem(), "", "")
}

func (b *builder) findMade(messages []scri.Message) {
	for i := range messages {
		for j := range messages[i].Parts {
			if c := messages[i].Parts[j].Call; c != nil && c.MadeID {
				b.made[c.ID] = true
			}
		}
	}
}

// build returns the node of v, or nil when it is absent.
func (b *builder) build(v reflect.Value, name, path string) *node {
	switch x := v.Interface().(type) {
	case scri.Text:
		if x.IsZero() {
			return nil
		}
		return leaf(name, path, x.String())
	case scri.RawJSON:
		if len(x) == 0 {
			return nil
		}
		return leaf(name, path, canonical(x))
	case *scri.Ext:
		return b.ext(x, name, path)
	case time.Time:
		if x.IsZero() {
			return nil
		}
		return leaf(name, path, x.UTC().Format(time.RFC3339Nano))
	case []scri.Message:
		return b.turns(x, name, path)
	case []int:
		if len(x) == 0 {
			return nil
		}
		return leaf(name, path, fmt.Sprint(x))
	}
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return nil
		}
		if n := b.build(v.Elem(), name, path); n != nil {
			return n
		}
		return leaf(name, path, fmt.Sprint(v.Elem().Interface())) // zero, but said
	case reflect.Struct:
		return b.members(v, name, path)
	case reflect.Slice:
		return b.items(v, name, path)
	case reflect.Map:
		n := &node{name: name, path: path, shape: object}
		for _, k := range v.MapKeys() {
			n.add(leaf(k.String(), path+"/"+escape(k.String()), v.MapIndex(k).String()))
		}
		if len(n.kids) == 0 {
			return nil
		}
		slices.SortFunc(n.kids, func(a, b *node) int { return strings.Compare(a.name, b.name) })
		return n.seal()
	case reflect.Float64:
		if v.Float() == 0 {
			return nil
		}
		return leaf(name, path, strconv.FormatFloat(v.Float(), 'g', -1, 64))
	default:
		if v.IsZero() {
			return nil
		}
		return leaf(name, path, fmt.Sprint(v.Interface()))
	}
}

func leaf(name, path, val string) *node {
	return (&node{name: name, path: path, val: val}).seal()
}

func (b *builder) members(v reflect.Value, name, path string) *node {
	n := &node{name: name, path: path, shape: object}
	typ := v.Type()
	for i := range typ.NumField() {
		tag, _, _ := strings.Cut(typ.Field(i).Tag.Get("json"), ",")
		full := typ.Name() + "." + tag
		if tag == "-" || tag == "" || ignored[full] || !b.strict && spelling[full] {
			continue
		}
		k := b.build(v.Field(i), tag, path+"/"+tag)
		if k == nil {
			continue
		}
		switch full {
		case "ToolCall.args":
			k.val = canonicalArgs(k.val)
			k.seal()
		case "ToolCall.id", "ToolResult.call_id":
			k.made = b.made[k.val]
		case "Part.raw", "Choice.finish":
			k.seal()
		}
		n.add(k)
	}
	if p, ok := reflect.TypeAssert[scri.Part](v); ok {
		b.part(n, &p)
	}
	return n.seal()
}

// part adjusts the node of a part: an opaque one is of its dialect, and a text
// of nothing says nothing.
func (b *builder) part(n *node, p *scri.Part) {
	if p.Kind == scri.PartOpaque && p.Ext != nil {
		if raw := n.kid("raw"); raw != nil {
			raw.val = p.Ext.Dialect + " " + raw.val
			raw.seal()
		}
	}
	said := p.Kind == scri.PartText || p.Kind == scri.PartRefusal || p.Kind == scri.PartThinking
	n.empty = said && len(n.kids) == 1
}

func (b *builder) items(v reflect.Value, name, path string) *node {
	if v.Len() == 0 {
		return nil
	}
	n := &node{name: name, path: path, shape: list}
	for i := range v.Len() {
		at := path + "/" + strconv.Itoa(i)
		k := b.build(v.Index(i), "", at)
		if k == nil {
			k = leaf("", at, "")
		}
		k.item = true
		n.add(k)
	}
	return n.seal()
}

// turns shows a list of messages as the list of their parts, each with its
// speaker: how they are grouped into neighbouring messages says nothing.
func (b *builder) turns(messages []scri.Message, name, path string) *node {
	n := &node{name: name, path: path, shape: list}
	for i := range messages {
		m := &messages[i]
		at := path + "/" + strconv.Itoa(i)
		for j := range m.Parts {
			part := b.members(reflect.ValueOf(m.Parts[j]), "", at+"/content/"+strconv.Itoa(j))
			speaker := m.Role
			if m.Parts[j].Kind == scri.PartToolResult && (speaker == scri.RoleUser || speaker == "") {
				speaker = scri.RoleTool // some have no such speaker
			}
			b.turn(part, m, speaker, at)
			n.add(part)
		}
		if len(m.Parts) == 0 {
			none := &node{path: at, shape: object, empty: true}
			b.turn(none, m, m.Role, at)
			n.add(none)
		}
	}
	if len(n.kids) == 0 {
		return nil
	}
	return n.seal()
}

func (b *builder) turn(part *node, m *scri.Message, speaker scri.Role, at string) {
	part.item = true
	shared := func(k *node) {
		if k != nil {
			k.shared = true
			part.add(k)
		}
	}
	part.add(leaf("role", at+"/role", string(speaker)))
	if m.ID != "" {
		shared(leaf("message.id", at+"/id", m.ID))
	}
	if m.Name != "" {
		shared(leaf("message.name", at+"/name", m.Name))
	}
	if e := b.ext(m.Ext, "message.ext", at+"/ext"); e != nil {
		for _, k := range e.kids {
			k.shared = true
		}
		shared(e)
	}
	part.seal()
}

// ext shows the members of an Ext that say something. They are of their
// dialect: the same name in another's Ext is another member.
func (b *builder) ext(e *scri.Ext, name, path string) *node {
	if e == nil || len(e.Members) == 0 {
		return nil
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(e.Members, &members); err != nil {
		return leaf(name, path, "invalid members: "+string(e.Members))
	}
	n := &node{name: name, path: path, shape: object}
	for k, v := range members {
		if string(v) != "null" && (b.strict || !dialect.IsSlight(e, k)) {
			n.add(leaf(e.Dialect+":"+k, path+"/"+escape(k), canonicalSaid(v)))
		}
	}
	if len(n.kids) == 0 {
		return nil
	}
	slices.SortFunc(n.kids, func(a, b *node) int { return strings.Compare(a.name, b.name) })
	return n.seal()
}

func escape(name string) string {
	return strings.NewReplacer("~", "~0", "/", "~1").Replace(name)
}
