package overlay

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/aratta-gateway/aratta/internal/nearest"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// args reads the keys of one mapping. The first error wins; keys that nobody
// asked for are one, told with the nearest of those that were asked for.
type args struct {
	src   *source
	v     *val
	what  string // for messages: "op rename"
	asked []string
	err   *scri.Error
}

func (s *source) args(v *val, what string) *args {
	a := &args{src: s, v: v, what: what}
	if v.kind != wire.Object {
		a.err = s.fail(v.line, v.col, "%s: want a mapping, got %s", what, v.word())
	}
	return a
}

func (a *args) failAt(v *val, format string, rest ...any) {
	if a.err == nil {
		a.err = a.src.fail(v.line, v.col, "%s: %s", a.what, fmt.Sprintf(format, rest...))
	}
}

// done reports the first error, keys that mean nothing included.
func (a *args) done() error {
	for _, m := range a.v.members {
		if a.err != nil {
			break
		}
		if !slices.Contains(a.asked, m.key) {
			a.err = a.src.fail(m.line, m.col, "%s: unknown key %q%s", a.what, m.key, suggest(m.key, a.asked))
		}
	}
	if a.err != nil {
		return a.err
	}
	return nil
}

// suggest is a clause with the nearest known word, or all of a few.
func suggest(word string, known []string) string {
	if near := nearest.Name(word, known); near != "" {
		return fmt.Sprintf("; did you mean %q?", near)
	}
	if len(known) <= 12 {
		return "; known are " + strings.Join(known, ", ")
	}
	return ""
}

// opt returns the value of a key, or nil.
func (a *args) opt(key string) *val {
	if !slices.Contains(a.asked, key) {
		a.asked = append(a.asked, key)
	}
	return a.v.get(key)
}

// need returns the value of a key that must be there.
func (a *args) need(key string) *val {
	v := a.opt(key)
	if v == nil {
		a.failAt(a.v, "%s is missing", key)
		return &val{kind: wire.Null, text: "null", line: a.v.line, col: a.v.col}
	}
	return v
}

// text returns a string, "" when the key is absent.
func (a *args) text(key string) string {
	v := a.opt(key)
	switch {
	case v == nil:
		return ""
	case v.kind == wire.String, v.kind == wire.Number:
		return v.text
	default:
		a.failAt(v, "%s: want a text, got %s", key, v.word())
		return ""
	}
}

// word returns a string that must be there and say something.
func (a *args) word(key string) string {
	v := a.need(key)
	if a.err != nil {
		return ""
	}
	if v.kind != wire.String || v.text == "" {
		a.failAt(v, "%s: want a text, got %s", key, v.word())
	}
	return v.text
}

// flag returns a bool, false when the key is absent.
func (a *args) flag(key string) bool {
	v := a.opt(key)
	if v == nil {
		return false
	}
	if v.kind != wire.Bool {
		a.failAt(v, "%s: want true or false, got %s", key, v.word())
	}
	return v.text == "true"
}

// json returns a value as JSON, nil when the key is absent.
func (a *args) json(key string) []byte {
	if v := a.opt(key); v != nil {
		return v.json()
	}
	return nil
}

// path returns a compiled path that must be there.
func (a *args) path(key string) *path {
	v := a.need(key)
	if a.err != nil {
		return &path{}
	}
	return a.pathOf(key, v)
}

func (a *args) pathOf(key string, v *val) *path {
	if v.kind != wire.String {
		a.failAt(v, "%s: want a path, got %s", key, v.word())
		return &path{}
	}
	p, err := compilePath(v.text)
	if err != nil {
		a.failAt(v, "%s: %q is no path: %v", key, v.text, err)
		return &path{}
	}
	return p
}

// place is path for somewhere that one value may be put: the new element of a
// list included, but not the document itself.
func (a *args) place(key string) *path {
	p := a.path(key)
	if a.err == nil && len(p.segs) == 0 {
		a.failAt(a.v.get(key), "%s: want something below the document", key)
	}
	return p
}

// node is path for values that are there.
func (a *args) node(key string) *path {
	p := a.path(key)
	if a.err == nil && p.add {
		a.failAt(a.v.get(key), "%s: [+] names nothing that is there", key)
	}
	return p
}

// texts returns a list of strings, or one as such a list.
func (a *args) texts(key string) []string {
	v := a.opt(key)
	if v == nil {
		return nil
	}
	if v.kind == wire.String {
		return []string{v.text}
	}
	if v.kind != wire.Array {
		a.failAt(v, "%s: want a list of texts, got %s", key, v.word())
	}
	var list []string
	for _, e := range v.items {
		if e.kind != wire.String {
			a.failAt(e, "%s: want a text, got %s", key, e.word())
			break
		}
		list = append(list, e.text)
	}
	return list
}

// paths returns a list of compiled paths, or one as such a list.
func (a *args) paths(key string) []*path {
	v := a.need(key)
	if v.kind == wire.String {
		return []*path{a.pathOf(key, v)}
	}
	if v.kind != wire.Array || len(v.items) == 0 {
		a.failAt(v, "%s: want a list of paths, got %s", key, v.word())
	}
	var list []*path
	for _, e := range v.items {
		list = append(list, a.pathOf(key, e))
	}
	return list
}

// globs returns patterns of names, written a*|b* or as a list; none = all.
func (a *args) globs(key string) globs {
	var list globs
	for _, s := range a.texts(key) {
		for p := range strings.SplitSeq(s, "|") {
			if p = strings.TrimSpace(p); p == "*" {
				return nil
			} else if p != "" {
				list = append(list, strings.ToLower(p))
			}
		}
	}
	return list
}

// oneOf returns one of known words; absent is the first.
func (a *args) oneOf(key string, known ...string) string {
	v := a.opt(key)
	if v == nil {
		return known[0]
	}
	if v.kind != wire.String || !slices.Contains(known, v.text) {
		a.failAt(v, "%s: %q is none of %s%s", key, v.text, strings.Join(known, ", "), suggest(v.text, known))
		return known[0]
	}
	return v.text
}

// pattern returns a regular expression, nil when the key is absent.
func (a *args) pattern(key string) *regexp.Regexp {
	v := a.opt(key)
	if v == nil {
		return nil
	}
	re, err := regexp.Compile(v.text)
	if err != nil {
		a.failAt(v, "%s: %v", key, err)
	}
	return re
}

// table returns a mapping from texts to JSON.
func (a *args) table(key string, v *val) []entry {
	if v.kind != wire.Object || len(v.members) == 0 {
		a.failAt(v, "%s: want a mapping, got %s", key, v.word())
		return nil
	}
	list := make([]entry, len(v.members))
	for i, m := range v.members {
		list[i] = entry{m.key, quote(m.key), m.val.json()}
		if m.val.kind == wire.Null {
			list[i].to = nil
		}
	}
	return list
}

// entry is one line of a table of values. to is nil for null: remove.
type entry struct {
	from   string
	quoted []byte
	to     []byte
}

// globs are patterns of names in lower case; none fit all.
type globs []string

func (g globs) fit(name string) bool {
	if len(g) == 0 {
		return true
	}
	name = strings.ToLower(name)
	return slices.ContainsFunc(g, func(p string) bool { return glob(p, name) })
}

// glob reports whether a pattern fits: * is any text, ? one byte.
func glob(pattern, s string) bool {
	star, mark, i, j := -1, 0, 0, 0
	for j < len(s) {
		switch {
		case i < len(pattern) && pattern[i] == '*':
			star, mark = i, j
			i++
		case i < len(pattern) && (pattern[i] == '?' || pattern[i] == s[j]):
			i++
			j++
		case star >= 0:
			mark++
			i, j = star+1, mark
		default:
			return false
		}
	}
	for i < len(pattern) && pattern[i] == '*' {
		i++
	}
	return i == len(pattern)
}
