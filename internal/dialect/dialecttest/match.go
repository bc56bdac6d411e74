package dialecttest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/aratta-gateway/aratta/scri"
)

// Match compares what was lost with what was said to be lost, and returns each
// silent loss and each false alarm. Every difference needs a warning that
// points to it, to what it is part of, or to something in it; every warning
// needs such a difference.
func Match(diffs []Difference, warnings []scri.Warning) []string {
	var out []string
	for i := range diffs {
		d := &diffs[i]
		if !d.Soft && !slices.ContainsFunc(warnings, func(w scri.Warning) bool { return explains(&w, d) }) {
			out = append(out, "silent: "+d.String())
		}
	}
	for i := range warnings {
		w := &warnings[i]
		if msg := malformed(w); msg != "" {
			out = append(out, msg)
			continue
		}
		if !slices.ContainsFunc(diffs, func(d Difference) bool { return about(w, &d) }) {
			out = append(out, fmt.Sprintf("false alarm: %s %s %s", w.Code, w.Path, short(strings.TrimSpace(w.Detail))))
		}
	}
	return out
}

func malformed(w *scri.Warning) string {
	switch w.Code {
	case scri.WarnDropped, scri.WarnChanged, scri.WarnEmulated, scri.WarnAdded:
	default:
		return fmt.Sprintf("warning with unknown code %q at %s", w.Code, w.Path)
	}
	if !strings.HasPrefix(w.Path, "/") {
		return fmt.Sprintf("warning %s without a path: %q", w.Code, w.Path)
	}
	return ""
}

// explains is about, without what is too vague to explain a loss: all messages
// at once, or an ornament for the part that it adorned.
func explains(w *scri.Warning, d *Difference) bool {
	if w.Path == "" || (w.Path == "/messages" || w.Path == "/choices") && d.Path != w.Path && d.To != w.Path {
		return false
	}
	if !about(w, d) || w.Code == scri.WarnChanged && strings.HasSuffix(w.Path, "/content") && !d.arrangement() {
		return false
	}
	if d.part {
		for _, p := range []string{d.Path, d.To} {
			rest, below := strings.CutPrefix(w.Path, p+"/")
			if p == "" || !below {
				continue
			}
			switch first, _, _ := strings.Cut(rest, "/"); first {
			case "cache", "citations", "signature", "ext":
				return false
			}
		}
	}
	return true
}

// arrangement reports whether the difference can come of parts being put in
// another order or their texts together: what a change of a whole content means.
func (d *Difference) arrangement() bool {
	if d.part {
		return d.kind == string(scri.PartText) || d.kind == "" || // "": moved, or a message without parts
			d.kind == string(scri.PartThinking) && d.joined
	}
	if d.Before == d.After {
		return true
	}
	at := d.Path
	if at == "" {
		at = d.To
	}
	last := at[strings.LastIndexByte(at, '/')+1:]
	return last == "text" || last == "kind"
}

// about reports whether a warning points to a difference, above or below it.
func about(w *scri.Warning, d *Difference) bool {
	if related(w.Path, d.Path) || related(w.Path, d.To) {
		return true
	}
	return slices.ContainsFunc(d.also, func(p string) bool { return related(w.Path, p) })
}

// related reports whether two pointers are equal or one lies below the other.
func related(p, q string) bool {
	if p == "" || q == "" {
		return false
	}
	return p == q || strings.HasPrefix(p, q+"/") || strings.HasPrefix(q, p+"/")
}
