package scri

import (
	"slices"
	"strconv"
)

// Texts calls visit with every string of r that a human or a model could read,
// and its JSON pointer: texts, names, ids and descriptions, the strings and the
// names of members inside schemas, arguments, raw values and extensions, texts
// in base64. The path of a member's name is that of the member with a # behind.
//
// Left out are the words of the language (roles, kinds, types, modes), those
// that say where the request goes (model, session, routing) or whose something
// is, bytes that are no text, and signatures. Raw values that are not valid, and
// arguments that are no JSON, are visited as one text.
func Texts(r *ChatRequest, visit func(path, text string)) {
	w := reader(visit)
	w.request(r)
}

// EditTexts returns r with edit applied to what [Texts] visits: a text for which
// edit returns true becomes the one it returned. The result shares with r what
// did not change, and is r itself if nothing did; r is not touched. A raw value
// that is not strictly valid JSON, or in which edit made two names equal, is an
// error of kind invalid with its path. Who makes a text longer or shorter sees
// to it himself what becomes of citations, which count its runes.
func EditTexts(r *ChatRequest, edit func(path, text string) (string, bool)) (*ChatRequest, error) {
	w := walker{edit: edit, strict: true}
	out := w.request(r)
	if w.err != nil {
		return nil, w.err
	}
	return out, nil
}

// ResponseTexts is [Texts] for an answer. What the gateway itself tells in the
// lineage is left out.
func ResponseTexts(r *ChatResponse, visit func(path, text string)) {
	w := reader(visit)
	w.response(r)
}

// EditResponseTexts is [EditTexts] for an answer.
func EditResponseTexts(r *ChatResponse, edit func(path, text string) (string, bool)) (*ChatResponse, error) {
	w := walker{edit: edit, strict: true}
	out := w.response(r)
	if w.err != nil {
		return nil, w.err
	}
	return out, nil
}

func reader(visit func(path, text string)) walker {
	return walker{edit: func(path, text string) (string, bool) {
		visit(path, text)
		return "", false
	}}
}

// walker walks a tree and copies what changes on the way: each of its methods
// returns the node it was given, or a changed copy.
type walker struct {
	edit   func(path, text string) (string, bool)
	strict bool   // refuse raw values that are not valid
	path   []byte // JSON pointer to where it is
	err    *Error // the first
}

// enter goes into a member; leave(what it returned) comes back.
func (w *walker) enter(name string) int {
	n := len(w.path)
	w.path = append(append(w.path, '/'), name...)
	return n
}

func (w *walker) leave(n int) { w.path = w.path[:n] }

// fail keeps the first error.
func (w *walker) fail(message string) {
	if w.err == nil {
		w.err = &Error{Kind: ErrInvalid, Path: string(w.path), Message: message}
	}
}

// visit gives a text to edit, and reports whether it is another afterwards.
func (w *walker) visit(path, s string) (string, bool) {
	if w.err != nil {
		return s, false
	}
	out, ok := w.edit(path, s)
	if !ok || out == s {
		return s, false
	}
	return out, true
}

func (w *walker) str(name, s string) (string, bool) {
	if s == "" {
		return s, false
	}
	return w.visit(string(w.path)+"/"+name, s)
}

func (w *walker) text(name string, t Text) (Text, bool) {
	if t.IsZero() {
		return t, false
	}
	s, ok := w.visit(string(w.path)+"/"+name, t.String())
	if !ok {
		return t, false
	}
	return NewText(s), true
}

// cow is a node that is copied when it is first changed.
type cow[T any] struct {
	v    *T
	mine bool
}

func (c *cow[T]) own() *T {
	if !c.mine {
		v := *c.v
		c.v, c.mine = &v, true
	}
	return c.v
}

// each walks a list.
func each[T any](w *walker, name string, list []T, walk func(*walker, *T) *T) ([]T, bool) {
	changed := false
	at := w.enter(name)
	for i := range list {
		n := len(w.path)
		w.path = strconv.AppendInt(append(w.path, '/'), int64(i), 10)
		old := &list[i]
		v := walk(w, old)
		w.leave(n)
		if v == old {
			continue
		}
		if !changed {
			list, changed = slices.Clone(list), true
		}
		list[i] = *v
	}
	w.leave(at)
	return list, changed
}

// inside walks the node behind a member, which may be absent.
func inside[T any](w *walker, name string, v *T, walk func(*walker, *T) *T) (*T, bool) {
	if v == nil {
		return nil, false
	}
	at := w.enter(name)
	out := walk(w, v)
	w.leave(at)
	return out, out != v
}
