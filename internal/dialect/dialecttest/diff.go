package dialecttest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/aratta-gateway/aratta/scri"
)

// Difference is one place in which a value differs from what became of it.
type Difference struct {
	Path   string // JSON pointer into the value before; "" for what was added
	To     string // JSON pointer into the value after; "" for what was lost
	Before string
	After  string
	Soft   bool // so slight that it needs no warning, and may have one

	also []string // further places where a warning about it may point
	part bool     // a whole part was lost or added
	kind string   // the kind of that part
	core string   // that part without its speaker
	cite []*node  // the sources that were lost or added alone, less a text

	joined bool // its text went into a neighbour's, or came out of it
}

// String returns path, before and after.
func (d *Difference) String() string {
	switch {
	case d.To == "":
		return fmt.Sprintf("%s: lost %s", d.Path, short(d.Before))
	case d.Path == "":
		return fmt.Sprintf("%s: added %s", d.To, short(d.After))
	case d.Before == d.After:
		return fmt.Sprintf("%s: moved to %s", d.Path, d.To)
	default:
		return fmt.Sprintf("%s: %s became %s", d.Path, short(d.Before), short(d.After))
	}
}

// DiffRequests returns how b differs from a, as far as it matters between two
// dialects: how neighbouring messages of one speaker are grouped, ids that were
// made, spellings and nulls do not.
func DiffRequests(a, b *scri.ChatRequest) []Difference {
	return diffTrees(requestTree(a, false), requestTree(b, false))
}

// DiffResponses does so for answers.
func DiffResponses(a, b *scri.ChatResponse) []Difference {
	return diffTrees(responseTree(a, false), responseTree(b, false))
}

// DiffResponsesStrict compares two answers of one dialect: its own words count too.
func DiffResponsesStrict(a, b *scri.ChatResponse) []Difference {
	return diffTrees(responseTree(a, true), responseTree(b, true))
}

func diffTrees(a, b *node) []Difference {
	d := &differ{kept: map[string]bool{}, seen: map[string]bool{}}
	d.compare(a, b)
	d.elsewhere()
	d.answered(a)
	return slices.DeleteFunc(d.out, func(x Difference) bool { return d.kept[x.Path] || d.kept[x.To] })
}

type differ struct {
	out  []Difference
	kept map[string]bool // paths of shared members that are equal somewhere
	seen map[string]bool
}

func (d *differ) report(x Difference) {
	key := x.Path + "\x00" + x.To + "\x00" + x.After
	if !d.seen[key] {
		d.seen[key] = true
		d.out = append(d.out, x)
	}
}

func (d *differ) compare(a, b *node) {
	switch {
	case a == nil && b == nil:
	case a != nil && a.made, b != nil && b.made:
		d.made(a, b)
	case a == nil:
		d.added(b)
	case b == nil:
		d.lost(a)
	case a.hash == b.hash:
		d.keep(a, b)
	case a.shape == object && b.shape == object:
		for _, k := range a.kids {
			from := len(d.out)
			d.compare(k, b.kid(k.name))
			if k.name == "role" && a.kid("result") != nil { // who gave it is told of where it stands, too
				for i := from; i < len(d.out); i++ {
					d.out[i].also = append(d.out[i].also, a.path)
				}
			}
		}
		for _, k := range b.kids {
			if a.kid(k.name) == nil {
				from := len(d.out)
				d.compare(nil, k)
				d.placed(from, a, b)
			}
		}
	case a.shape == list && b.shape == list:
		d.lists(a, b)
	default:
		d.report(Difference{Path: a.path, To: b.path, Before: a.text(), After: b.text()})
	}
}

// placed lets what was added to a node be told of by where the node was before, too.
func (d *differ) placed(from int, a, b *node) {
	for i := from; i < len(d.out); i++ {
		if rest, ok := strings.CutPrefix(d.out[i].To, b.path+"/"); ok {
			d.out[i].also = append(d.out[i].also, a.path+"/"+rest)
		}
	}
}

// made tells softly of ids of which one was made.
func (d *differ) made(a, b *node) {
	x := Difference{Soft: true}
	if a != nil {
		x.Path, x.Before = a.path, a.val
	}
	if b != nil {
		x.To, x.After = b.path, b.val
	}
	d.report(x)
}

// keep notes which shared members have survived.
func (d *differ) keep(a, b *node) {
	if a.shared {
		d.kept[a.path], d.kept[b.path] = true, true
	}
	if !a.item && !a.shared || a.shape != object || b.shape != object {
		return
	}
	for _, k := range a.kids {
		if o := b.kid(k.name); o != nil && k.shared {
			d.keep(k, o)
		}
	}
}

// slight reports whether losing or adding the node says nothing: an empty text,
// no arguments, an object without members that is no mark by itself, that no
// token is a part of others, which some formats say always.
func (n *node) slight() bool {
	return n.empty || n.val == "0" && strings.HasSuffix(n.name, "_tokens") && strings.HasPrefix(n.path, "/usage/") && n.name != "input_tokens" && n.name != "output_tokens" || n.made || n.name == "args" && n.val == "{}" ||
		n.shape == object && !n.item && len(n.kids) == 0 && n.name != "cache"
}

func (d *differ) lost(a *node) {
	if a.divides() {
		for _, k := range a.kids {
			d.lost(k)
		}
		return
	}
	if a.mute() {
		for _, k := range a.kids {
			if k.name != "kind" && k.name != "role" {
				d.lost(k)
			}
		}
		return
	}
	d.report(Difference{Path: a.path, Before: a.text(), Soft: a.slight(), also: a.outside(), part: a.item && a.kid("kind") != nil, kind: a.sort(), core: a.core(), cite: a.sources()})
}

// mute reports whether a part says nothing itself: only its ornaments can be lost.
func (n *node) mute() bool {
	kind := n.value("kind")
	return n.item && !n.empty && (kind == string(scri.PartText) || kind == string(scri.PartRefusal)) && n.kid("text") == nil
}

func (d *differ) added(b *node) {
	if b.divides() {
		for _, k := range b.kids {
			d.added(k)
		}
		return
	}
	d.report(Difference{To: b.path, After: b.text(), Soft: b.slight() || b.name == "call_id", also: b.outside(), part: b.item && b.kid("kind") != nil, kind: b.sort(), core: b.core(), cite: b.sources()})
}

// core is what a part is, without its speaker and its ornaments.
func (n *node) core() string {
	var b strings.Builder
	for _, k := range []*node{n, n.kid("media"), n.kid("call")} {
		for _, name := range []string{"kind", "text", "data", "url", "file_id", "id", "args", "raw"} {
			if v := k.kid(name); v != nil {
				fmt.Fprintf(&b, "%s:%s\n", name, v.text())
			}
		}
	}
	if r := n.kid("result"); r != nil {
		b.WriteString(r.text())
	}
	return b.String()
}

// elsewhere joins a part that was added with one that was lost in another list:
// what stood in the result of a tool may come after it.
func (d *differ) elsewhere() {
	for i := range d.out {
		b := &d.out[i]
		if !b.part || b.Path != "" {
			continue
		}
		text, isText := strings.CutPrefix(strings.TrimSuffix(b.core, "\n"), "kind:text\ntext:")
		for j := range d.out {
			a := &d.out[j]
			if a.part && a.To == "" && (a.core == b.core || isText && text != "" && strings.Contains(a.core, text)) || a.To == "" && sameSource(a.cite, b.cite) {
				b.also = append(b.also, a.Path)
			}
		}
	}
}

// sources are what a citation, or a text that says nothing itself, cites.
func (n *node) sources() []*node {
	switch {
	case n.mute():
		return n.kid("citations").items()
	case n.item && strings.Contains(n.path, "/citations/"):
		return []*node{n}
	default:
		return nil
	}
}

// sameSource reports whether one of two lists of citations has a source of the other.
func sameSource(a, b []*node) bool {
	return slices.ContainsFunc(a, func(x *node) bool {
		return slices.ContainsFunc(b, func(y *node) bool {
			return slices.ContainsFunc([]string{"url", "document", "quote"}, func(name string) bool {
				return x.value(name) != "" && x.value(name) == y.value(name)
			})
		})
	})
}

// answered lets the result that was added for a call be told of at the call.
func (d *differ) answered(a *node) {
	for i := range d.out {
		b := &d.out[i]
		if id, ok := strings.CutPrefix(b.kind, "tool_result "); ok && b.Path == "" {
			for _, k := range a.kid("messages").items() {
				if c := k.kid("call"); c != nil && c.value("id") == id {
					b.also = append(b.also, k.path)
				}
			}
		}
	}
}

func (n *node) items() []*node {
	if n == nil {
		return nil
	}
	return n.kids
}

// sort is the kind of a part, and for a result the call that it answers.
func (n *node) sort() string {
	if r := n.kid("result"); r != nil {
		return n.value("kind") + " " + r.value("call_id")
	}
	return n.value("kind")
}

// divides reports whether a lost or added node is told of member by member.
func (n *node) divides() bool { return !n.item && n.shape != scalar && len(n.kids) > 0 }

// outside returns the paths of members that do not lie below the node: those of
// the message around a part.
func (n *node) outside() []string {
	var out []string
	for _, k := range n.kids {
		if !related(n.path, k.path) {
			out = append(out, k.path)
		}
	}
	return out
}

// text shows a node.
func (n *node) text() string {
	switch n.shape {
	case scalar:
		return n.val
	case list:
		var parts []string
		for _, k := range n.kids {
			parts = append(parts, k.text())
		}
		return "[" + strings.Join(parts, ", ") + "]"
	default:
		var parts []string
		for _, k := range n.kids {
			parts = append(parts, k.name+":"+k.text())
		}
		return "{" + strings.Join(parts, " ") + "}"
	}
}
