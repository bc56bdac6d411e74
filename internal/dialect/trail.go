package dialect

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// Trail is where an encoder stands in the value that it writes, and what it had
// to report so far. Own is the dialect that is written.
type Trail struct {
	Own  string
	Warn []scri.Warning
	path []byte
}

// In goes down to a member of the node, At to an item of it. Both return what
// Out goes back to.
func (t *Trail) In(name string) int {
	n := len(t.path)
	t.path = append(append(t.path, '/'), name...)
	return n
}

// At goes down to an item of the node.
func (t *Trail) At(i int) int {
	n := len(t.path)
	t.path = strconv.AppendInt(append(t.path, '/'), int64(i), 10)
	return n
}

// Out goes back to where In or At has begun.
func (t *Trail) Out(n int) { t.path = t.path[:n] }

// Part goes to a part of an answer, or with a negative part to its message.
func (t *Trail) Part(choice, message, part int) {
	t.path = t.path[:0]
	t.In("choices")
	t.At(choice)
	t.In("output")
	t.At(message)
	if part >= 0 {
		t.In("content")
		t.At(part)
	}
}

// Path is the JSON pointer of the node.
func (t *Trail) Path() string { return string(t.path) }

// Tell notes what happened to the node, or to a member of it.
func (t *Trail) Tell(code, member, from, to, detail string) {
	path := string(t.path)
	if member != "" {
		path += "/" + member
	}
	t.Warn = append(t.Warn, scri.Warning{Code: code, Path: path, From: from, To: to, Detail: detail})
}

// Drop notes that the node, or a member of it, could not be said.
func (t *Trail) Drop(member, detail string) { t.Tell(scri.WarnDropped, member, "", "", detail) }

// Foreign reports the members that only another dialect knows.
func (t *Trail) Foreign(x *scri.Ext) {
	if x != nil && x.Dialect != t.Own {
		Foreign(&t.Warn, x, t.Own, t.Path)
	}
}

// Homeless reports all members of an Ext whose object the format has not.
func (t *Trail) Homeless(x *scri.Ext) {
	if x != nil {
		Foreign(&t.Warn, x, "", t.Path)
	}
}

// Ext writes the members that only the own dialect knows, but not those named,
// which are written already.
func (t *Trail) Ext(w *wire.Writer, x *scri.Ext, but func(name string) bool) {
	own := x.Of(t.Own)
	if own == nil {
		t.Foreign(x)
		return
	}
	if len(own.Members) == 0 {
		return
	}
	if but == nil {
		w.Members(own.Members)
		return
	}
	s := wire.NewScanner(own.Members)
	for name := range s.Members() {
		switch {
		case !but(name):
			w.Raw(s.Member())
		case s.Kind() != wire.Null:
			t.Drop("ext/"+Escape(name), "it is said otherwise")
		}
	}
}

// Tools writes a list of tools, less those that only another provider has. begin opens
// the list. It returns how many were written.
func (t *Trail) Tools(list []scri.Tool, begin func(), write func(*scri.Tool)) (n int) {
	in := t.In("tools")
	for i := range list {
		at := t.At(i)
		if tool := &list[i]; tool.Type != "" && tool.Ext.Of(t.Own) == nil {
			t.Tell(scri.WarnDropped, "", tool.Type, "", "a tool that only another provider has")
		} else {
			if n++; n == 1 {
				begin()
			}
			write(tool)
		}
		t.Out(at)
	}
	t.Out(in)
	return n
}

// ExtLess writes the members that only the own dialect knows, less one that was
// taken from it.
func (t *Trail) ExtLess(w *wire.Writer, x *scri.Ext, taken string) {
	own := x.Of(t.Own)
	if own == nil || len(own.Members) == 0 {
		t.Foreign(x)
		return
	}
	s := wire.NewScanner(own.Members)
	for name := range s.Members() {
		if m := s.Member(); name != taken {
			w.Raw(m)
		}
	}
}

// Member is the value that an Ext of the dialect holds under a name, or nil.
func Member(x *scri.Ext, own, name string) []byte {
	if x = x.Of(own); x == nil || len(x.Members) == 0 {
		return nil
	}
	return wire.NewScanner(x.Members).Peek(name)
}

// Once is what a stream has reported already, so that it does not repeat itself with
// each event. The zero Once has reported nothing.
type Once struct{ told map[string]bool }

const maxOnce = 1024

// First reports whether nothing was said of key yet. Beyond a bound nothing is first
// any more.
func (o *Once) First(key string) bool {
	if o.told[key] || len(o.told) >= maxOnce {
		return false
	}
	if o.told == nil {
		o.told = map[string]bool{}
	}
	o.told[key] = true
	return true
}

// Any reports whether something was reported.
func (o *Once) Any() bool { return len(o.told) > 0 }

// Drop notes in warn that what a pointer names could not be said, if that is new.
func (o *Once) Drop(warn *[]scri.Warning, path, detail string) {
	if o.First(path) {
		*warn = append(*warn, scri.Warning{Code: scri.WarnDropped, Path: path, Detail: detail})
	}
}

// Belated notes in warn what the end of an answer tells of it otherwise than the
// beginning did, or tells first, in a format that has said so by then. What only the
// dialect own compares is told if the answer is its own.
func Belated(warn *[]scri.Warning, told, late *scri.ChatResponse, own string) {
	note := func(path, before, now string) {
		code, detail := scri.WarnChanged, "another was told at the beginning"
		if before == "" {
			code, detail = scri.WarnDropped, "it came after the beginning"
		}
		if now != "" && now != before {
			*warn = append(*warn, scri.Warning{Code: code, Path: path, From: strings.Clone(now), To: before, Detail: detail})
		}
	}
	note("/model", told.Model, late.Model)
	if late.Ext.Of(own) == nil {
		return
	}
	note("/id", told.ID, late.ID)
	if late.Created.IsZero() {
		return
	}
	before := ""
	if !told.Created.IsZero() {
		before = told.Created.Format(time.RFC3339Nano)
	}
	note("/created", before, late.Created.Format(time.RFC3339Nano))
}

// Begun is how far the parts of a stream have begun, which are told in their order. The
// zero Begun knows of none.
type Begun struct{ message, parts int }

// Note takes in that the part of an event begins.
func (b *Begun) Note(ev *scri.StreamEvent) {
	if ev.Message > b.message {
		b.message, b.parts = ev.Message, 0
	}
	if ev.Message == b.message {
		b.parts = max(b.parts, ev.Part+1)
	}
}

// Has reports whether the part of an event has begun.
func (b *Begun) Has(ev *scri.StreamEvent) bool {
	return ev.Message < b.message || ev.Message == b.message && ev.Part < b.parts
}

// maxCited bounds of how many parts it is remembered how many sources were told.
const maxCited = 1024

// Cited is how many sources were told of the parts that are over, as one may go on in
// another block. The zero Cited knows of none.
type Cited struct{ list []cited }

type cited struct{ message, part, n int }

// Note takes in how many a part had that is over now.
func (c *Cited) Note(message, part, n int) {
	if n > 0 && len(c.list) < maxCited {
		c.list = append(c.list, cited{message, part, n})
	}
}

// Of is how many the part of an event had when it was last over.
func (c *Cited) Of(ev *scri.StreamEvent) int {
	for _, p := range slices.Backward(c.list) {
		if p.message == ev.Message && p.part == ev.Part {
			return p.n
		}
	}
	return 0
}
