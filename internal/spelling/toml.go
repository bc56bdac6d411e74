package spelling

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// writer writes a tree as TOML and notes where each line of it came from.
type writer struct {
	b      strings.Builder
	line   int
	places map[string]Place
	lines  []Place // by line of the TOML, from 1
}

// put writes one line.
func (w *writer) put(at Place, s string) {
	w.b.WriteString(s)
	w.b.WriteByte('\n')
	w.line++
	for len(w.lines) <= w.line {
		w.lines = append(w.lines, at)
	}
	w.lines[w.line] = at
}

func (w *writer) notes(list []string) {
	for _, n := range list {
		for l := range strings.SplitSeq(n, "\n") {
			w.put(Place{}, strings.TrimRight("# "+strings.Map(noControl, l), " "))
		}
	}
}

// noControl keeps characters out of comments that may not stand there.
func noControl(r rune) rune {
	if r < ' ' && r != '\t' || r == 0x7f {
		return ' '
	}
	return r
}

func (w *writer) place(name string, at Place) {
	if _, ok := w.places[name]; !ok {
		w.places[name] = at
	}
}

// table writes what stands below a header: values first, then tables, as TOML
// has it.
func (w *writer) table(path []string, t *table) {
	for i := range t.keys {
		k := &t.keys[i]
		if isTable(k.value) || isTables(k.value) || isNothing(k.value) {
			continue
		}
		w.place(dotted(append(path, k.name)), k.at)
		if k.note != "" {
			w.notes([]string{k.note})
		}
		w.value(k)
	}
	for i := range t.keys {
		k := &t.keys[i]
		below := append(slices.Clip(path), k.name)
		switch {
		case isNothing(k.value):
		case isTable(k.value):
			w.place(dotted(below), k.at)
			w.header(k.at, "[", below, "]", k.value.table, len(k.value.table.keys) == 0 || hasValues(k.value.table))
			w.table(below, k.value.table)
		case isTables(k.value):
			w.place(dotted(below), k.at)
			for _, item := range k.value.list {
				w.header(item.at, "[[", below, "]]", item.table, true)
				w.table(below, item.table)
			}
		}
	}
}

// header writes the line that begins a table; one that only holds other tables
// needs none.
func (w *writer) header(at Place, open string, path []string, end string, t *table, needed bool) {
	if !needed && len(t.notes) == 0 {
		return
	}
	if w.line > 0 {
		w.put(Place{}, "")
	}
	names := make([]string, len(path))
	for i, p := range path {
		names[i] = bare(p)
	}
	w.put(at, open+strings.Join(names, ".")+end)
	w.notes(t.notes)
}

func hasValues(t *table) bool {
	for i := range t.keys {
		if v := t.keys[i].value; !isTable(v) && !isTables(v) && !isNothing(v) {
			return true
		}
	}
	return false
}

// value writes key = value. Of a list that holds tables among others each item
// has its own line.
func (w *writer) value(k *key) {
	mixed := false
	for _, item := range k.value.list {
		mixed = mixed || item.table != nil
	}
	if !mixed {
		w.put(k.at, bare(k.name)+" = "+inline(k.value))
		return
	}
	w.put(k.at, bare(k.name)+" = [")
	for _, item := range k.value.list {
		w.put(item.at, "  "+inline(item)+",")
	}
	w.put(k.at, "]")
}

func isTable(n *node) bool   { return n.table != nil }
func isNothing(n *node) bool { return n.table == nil && !n.isList && n.scalar == nil }

// isTables reports whether a list can be written as [[tables]].
func isTables(n *node) bool {
	for _, item := range n.list {
		if item.table == nil {
			return false
		}
	}
	return len(n.list) > 0
}

// inline writes a value within a line.
func inline(n *node) string {
	switch {
	case n.table != nil:
		var parts []string
		for _, k := range n.table.keys {
			if !isNothing(k.value) {
				parts = append(parts, bare(k.name)+" = "+inline(k.value))
			}
		}
		if len(parts) == 0 {
			return "{}"
		}
		return "{ " + strings.Join(parts, ", ") + " }"
	case n.isList:
		parts := make([]string, len(n.list))
		for i, item := range n.list {
			parts[i] = inline(item)
		}
		return "[" + strings.Join(parts, ", ") + "]"
	}
	switch v := n.scalar.(type) {
	case nil:
		return `""` // a list may hold nothing, TOML may not
	case string:
		return quote(v)
	case float64:
		return float(v)
	default:
		return fmt.Sprint(v)
	}
}

func float(v float64) string {
	switch {
	case math.IsNaN(v):
		return "nan"
	case math.IsInf(v, 0):
		return strings.ToLower(strings.TrimPrefix(strconv.FormatFloat(v, 'g', -1, 64), "+"))
	}
	s := strconv.FormatFloat(v, 'f', -1, 64)
	if !strings.Contains(s, ".") {
		s += ".0"
	}
	return s
}

// quote writes a basic string of TOML.
func quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for i, r := range s {
		switch {
		case r == utf8.RuneError && !strings.HasPrefix(s[i:], "\uFFFD"):
			b.WriteString("\uFFFD")
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case r < ' ' || r == 0x7f:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// bare writes a key, in quotes where it must have them.
func bare(s string) string {
	if s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '_'
	}) {
		return s
	}
	return quote(s)
}

func dotted(path []string) string { return strings.Join(path, ".") }
