// Package spelling reads configurations that are written in YAML, in any of
// their spellings, and writes them as the canonical TOML: the one path on which
// every configuration is checked.
//
// There are three: the canonical tables in YAML; "ladder", whose providers are
// one primary and a list to fall back on; and "list", whose providers are a
// list. The latter two have some keys of their own, which mean a canonical one.
package spelling

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/aratta-gateway/aratta/internal/nearest"
)

// Place is a line and a column, from 1; the zero place is none.
type Place struct{ Line, Column int }

// Fault is what is wrong with a file, and where.
type Fault struct {
	Place
	Key  string // dotted, as canonical TOML has it where there is such a key; may be ""
	Text string
}

func (f *Fault) Error() string {
	s := f.Text
	if f.Key != "" {
		s = f.Key + ": " + s
	}
	return fmt.Sprintf("%d:%d: %s", f.Line, f.Column, s)
}

// Options are what the package must be told of the canonical configuration.
type Options struct {
	Name  string                      // of the file, for the comment at the top
	Keys  func(table string) []string // keys that [table] may have; for "providers" those of one provider
	Local func(kind string) bool      // whether a catalogue entry of that name is a local runtime
}

// Document is a configuration in its canonical spelling.
type Document struct {
	TOML    []byte
	Places  map[string]Place // where each key stands in the YAML, by its dotted canonical name
	Lines   []Place          // where each line of TOML came from, from index 1; zero = from nowhere
	Without []Fault          // what has no equivalent
}

// Is reports whether a file is written in YAML, by its name.
func Is(file string) bool {
	ext := strings.ToLower(filepath.Ext(file))
	return ext == ".yaml" || ext == ".yml"
}

// ladderPort is where the ladder spelling listens when it names no port.
const ladderPort = 8080

// Read reads a YAML text. Errors are *Fault.
func Read(raw []byte, o Options) (*Document, error) {
	root, err := read(raw)
	if err != nil {
		return nil, err
	}
	c := &converter{Options: o, in: root.table, out: &table{}}
	if err := c.convert(); err != nil {
		return nil, err
	}
	w := &writer{places: c.places(), lines: []Place{{}}}
	w.notes([]string{"From " + filepath.Base(o.Name) + ", by aratta config convert."})
	w.notes(c.out.notes)
	w.table(nil, c.out)
	return &Document{TOML: []byte(w.b.String()), Places: w.places, Lines: w.lines, Without: c.without}, nil
}

// converter makes one tree into the other.
type converter struct {
	Options
	in, out *table
	without []Fault
}

// alike are keys of the other spellings that mean a canonical one.
func alike() map[string]string {
	return map[string]string{
		"routing.default_chain":         "chains.default",
		"routing.local_first":           "behaviour.prefer_local",
		"routing.cache_enabled":         "cache.enabled",
		"routing.cache_ttl":             "cache.ttl",
		"monitoring.prometheus_enabled": "monitoring.prometheus",
		"monitoring.fallback_metrics":   "", // has no equivalent
	}
}

func (c *converter) places() map[string]Place {
	at := map[string]Place{}
	for _, f := range c.without {
		at[f.Key] = f.Place
	}
	return at
}

// convert tells the spelling by the shape of providers.
func (c *converter) convert() error {
	providers := c.in.get("providers")
	ladder := c.in.get("version") != nil
	list := false
	if providers != nil {
		list = providers.value.isList
		if t := providers.value.table; t != nil {
			ladder = ladder || t.get("primary") != nil || t.get("fallback") != nil
		}
	}
	if !ladder && !list { // the canonical tables
		*c.out = *c.in
		return nil
	}
	if err := c.version(); err != nil {
		return err
	}
	server := c.out.below("server", Place{})
	for i := range c.in.keys {
		k := &c.in.keys[i]
		switch {
		case k.name == "version":
		case k.name == "providers":
			var err error
			if list {
				err = c.list(k)
			} else {
				err = c.ladder(k)
			}
			if err != nil {
				return err
			}
		case k.value.table != nil:
			if err := c.table(k); err != nil {
				return err
			}
		default:
			c.out.keys = append(c.out.keys, *k)
		}
	}
	if ladder && !list && server.get("port") == nil {
		server.keys = append(server.keys, key{name: "port", value: &node{scalar: int64(ladderPort)}, note: "the default of this spelling"})
	}
	if len(server.keys) == 0 && len(server.notes) == 0 {
		c.out.remove("server")
	}
	return nil
}

// version checks the version that the ladder spelling names.
func (c *converter) version() error {
	k := c.in.get("version")
	if k == nil {
		return nil
	}
	if v := fmt.Sprint(k.value.scalar); v != "2" && !strings.HasPrefix(v, "2.") {
		return &Fault{Place: k.at, Key: "version", Text: fmt.Sprintf("%q is not known; this spelling has 2.3", v)}
	}
	c.out.notes = append(c.out.notes, fmt.Sprintf("version: %v needs no key, it named the spelling", k.value.scalar))
	return nil
}

// table carries a table over, its keys of this spelling under the canonical ones.
func (c *converter) table(k *key) error {
	others := alike()
	own := c.Keys(k.name)
	for _, e := range k.value.table.keys {
		from := k.name + "." + e.name
		to, translated := others[from]
		if !translated {
			if c.unknown(k.name, e.name, own) {
				return c.misspelt(from, e, slices.Concat(own, below(others, k.name)))
			}
			c.out.below(k.name, k.at).keys = append(c.out.below(k.name, k.at).keys, e)
			continue
		}
		if to == "" {
			c.out.below(k.name, k.at).notes = append(c.out.below(k.name, k.at).notes, fmt.Sprintf("%s: %s has no equivalent", e.name, shown(e.value)))
			c.without = append(c.without, Fault{Place: e.at, Key: from, Text: "has no equivalent, and no effect"})
			continue
		}
		where, name, _ := strings.Cut(to, ".")
		if both := c.in.get(where); both != nil && both.value.table != nil && both.value.table.get(name) != nil {
			return &Fault{Place: e.at, Key: from, Text: "says what " + to + " says; keep one of them"}
		}
		c.out.below(where, e.at).add(name, e.at, e.value)
	}
	if len(k.value.table.keys) == 0 {
		c.out.below(k.name, k.at)
	}
	return nil
}

// unknown reports whether a table cannot have a key; of tables that have any
// keys, and of those that are unknown themselves, that is not said here.
func (c *converter) unknown(table, name string, own []string) bool {
	return (table == "routing" || table == "monitoring") && len(own) > 0 && !slices.Contains(own, name)
}

func (c *converter) misspelt(key string, e key, known []string) error {
	f := &Fault{Place: e.at, Key: key, Text: "unknown key"}
	if near := nearest.Name(e.name, known); near != "" {
		f.Text += fmt.Sprintf("; did you mean %q?", near)
	}
	return f
}

// below lists the keys of one table.
func below(others map[string]string, table string) (list []string) {
	for _, k := range slices.Sorted(maps.Keys(others)) {
		if t, name, _ := strings.Cut(k, "."); t == table {
			list = append(list, name)
		}
	}
	return list
}

// shown is a value in a comment.
func shown(n *node) string {
	if isNothing(n) {
		return "null"
	}
	return inline(n)
}
