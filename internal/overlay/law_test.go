package overlay

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/aratta-gateway/aratta/internal/wire"
)

// lawOps are ops with the names at the top of a document that they speak of.
var lawOps = []struct {
	op    string
	names []string
}{
	{`{op: rename, from: a, to: x}`, []string{"a", "x"}},
	{`{op: rename, from: "a[*].b", to: "a[*].c"}`, []string{"a"}},
	{`{op: move, from: a.b, to: x.y, merge: true}`, []string{"a", "x"}},
	{`{op: move, from: "a[*]", to: "x[+]", leave: null}`, []string{"a", "x"}},
	{`{op: wrap, from: a, to: "x[0]", template: {v: $value}}`, []string{"a", "x"}},
	{`{op: drop, path: a}`, []string{"a"}},
	{`{op: drop, path: "a..b", prune: true}`, []string{"a"}},
	{`{op: drop_item, path: a, match: {b: null}}`, []string{"a"}},
	{`{op: set, path: a.b.c, value: {k: [1]}}`, []string{"a"}},
	{`{op: set, path: "a[?b].c", value: 1, if_absent: true}`, []string{"a"}},
	{`{op: map_enum, path: "a.*", map: {x: y, "1": 2, "true": null}}`, []string{"a"}},
	{`{op: clamp, path: "a..*", min: 0, max: 1}`, []string{"a"}},
	{`{op: constraint, expr: a > x.b}`, []string{"a", "x"}},
	{`{op: exclusive, paths: [a, x], keep: x}`, []string{"a", "x"}},
	{`{op: convert, path: "a[*]", to: string}`, []string{"a"}},
	{`{op: convert, path: a, to: array, when: {not: is_array}}`, []string{"a"}},
	{`{op: schema_drop, root: a, keyword: [b, x]}`, []string{"a"}},
	{`{op: schema_rewrite, root: a, keyword: b, to: c}`, []string{"a"}},
	{`{op: id_rewrite, paths: ["a..*", x], max_length: 3, strategy: truncate-hash}`, []string{"a", "x"}},
}

// TestTouchesNothingElse: what an overlay does not name stays as it was, byte for
// byte and in its order, within the documents as beside what it edits.
func TestTouchesNothingElse(t *testing.T) {
	plans := make([]*Plan, len(lawOps))
	for i, l := range lawOps {
		plans[i] = planOf(t, "{id: x, version: 1, ops: ["+l.op+"]}")
	}
	rapid.Check(t, func(t *rapid.T) {
		i := rapid.IntRange(0, len(lawOps)-1).Draw(t, "op")
		doc := document().Draw(t, "doc")
		q := Request{Body: doc, Model: "m", Buf: bytes.Repeat([]byte{'x'}, rapid.IntRange(0, 200).Draw(t, "room"))}
		was := bytes.Clone(doc)
		if err := plans[i].Begin(nil).Request(&q); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(was, doc) {
			t.Fatalf("%s wrote into the body it was given", lawOps[i].op)
		}
		if wire.Valid(q.Body) != nil {
			t.Fatalf("%s made %s of %s", lawOps[i].op, q.Body, doc)
		}
		before, after := rest(doc, lawOps[i].names), rest(q.Body, lawOps[i].names)
		if !slices.Equal(before, after) {
			t.Fatalf("%s\nof %s\nmade %s\nother members were %q\nand are %q", lawOps[i].op, doc, q.Body, before, after)
		}
	})
}

// TestTwiceIsOnce: overlays that name no new place for an old value change nothing
// the second time.
func TestTwiceIsOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := rapid.SampledFrom(lawOps).Draw(t, "op")
		if strings.Contains(l.op, "[+]") || strings.Contains(l.op, "[0]") || strings.Contains(l.op, "to: array") || strings.Contains(l.op, "prune") ||
			strings.Contains(l.op, "map_enum") { // where 1 becomes 2, say
			t.Skip("it moves on")
		}
		p := planOf(t, "{id: x, version: 1, ops: ["+l.op+"]}")
		once := Request{Body: document().Draw(t, "doc")}
		if err := p.Begin(nil).Request(&once); err != nil {
			t.Fatal(err)
		}
		twice := Request{Body: once.Body}
		if err := p.Begin(nil).Request(&twice); err != nil {
			t.Fatal(err)
		}
		if !wire.Equal(once.Body, twice.Body) {
			t.Fatalf("%s: once %s, twice %s", l.op, once.Body, twice.Body)
		}
	})
}

func planOf(t interface{ Fatal(...any) }, text string) *Plan {
	list, err := Parse("law.yaml", []byte(text), User)
	if err != nil {
		t.Fatal(err)
	}
	return NewSet(list...).For(Target{Dialect: "openai", Model: "m"}, time.Time{})
}

// document draws an object whose members have names in any order, values in any
// spelling, and white space in between.
func document() *rapid.Generator[[]byte] {
	return rapid.Custom(func(t *rapid.T) []byte {
		names := rapid.Permutation([]string{"a", "b", "c", "x", "messages", `\u0061\u0062`}).Draw(t, "names")
		names = names[:rapid.IntRange(0, len(names)).Draw(t, "many")]
		space := rapid.SampledFrom([]string{"", " ", "\n\t"})
		var b bytes.Buffer
		b.WriteByte('{')
		for i, n := range names {
			if i > 0 {
				b.WriteByte(',')
			}
			v := rapid.OneOf(
				rapid.Map(values(), marshal),
				rapid.SampledFrom([][]byte{[]byte(`"\u00e9\/"`), []byte("1.50e0"), []byte(`{"b" : [ 1 , {"b":"xxxxxxx"}]}`), []byte(`[ "abcdef" ]`)}),
			).Draw(t, "value")
			fmt.Fprintf(&b, `%s"%s"%s:%s%s`, space.Draw(t, "s"), n, space.Draw(t, "s"), space.Draw(t, "s"), v)
		}
		b.WriteByte('}')
		return b.Bytes()
	})
}

// rest lists the members of an object that do not have one of the names, as they
// stand.
func rest(doc []byte, names []string) []string {
	var list []string
	s := wire.NewScanner(doc)
	for name := range s.Members() {
		raw := s.Raw()
		if !slices.Contains(names, name) {
			list = append(list, name+"="+string(raw))
		}
	}
	return list
}

// FuzzParse: any file is read or refused with its place.
func FuzzParse(f *testing.F) {
	f.Add([]byte(tenOverlays))
	files, err := builtinFiles.ReadDir("builtin")
	if err != nil {
		f.Fatal(err)
	}
	for _, e := range files {
		raw, err := builtinFiles.ReadFile("builtin/" + e.Name())
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	for _, l := range lawOps {
		f.Add([]byte("{id: x, version: 1, ops: [" + l.op + "]}"))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		list, err := Parse("f.yaml", raw, User)
		if err != nil {
			if !strings.Contains(err.Error(), "f.yaml:") {
				t.Fatalf("no place in %v", err)
			}
			return
		}
		for _, o := range list { // whatever was taken can be run
			for i := range o.Cases {
				_ = o.Try(&o.Cases[i])
			}
		}
	})
}

// FuzzApply: whatever a body, an answer or a stream is, all the built-in overlays
// and ops of every kind leave JSON where JSON was.
func FuzzApply(f *testing.F) {
	list, err := Builtins()
	if err != nil {
		f.Fatal(err)
	}
	var ids []string
	for _, o := range list {
		o.Match.models, o.Match.Dialect, o.Match.providers, o.Approval = nil, "", nil, Approval{} // all at once
		ids = append(ids, o.ID)
		for i := range o.Cases {
			f.Add(o.Cases[i].Before, o.Cases[i].Before)
		}
	}
	for i, l := range lawOps {
		more, err := Parse("law.yaml", []byte(fmt.Sprintf("{id: law-%d, version: 1, ops: [%s]}", i, l.op)), User)
		if err != nil {
			f.Fatal(err)
		}
		list = append(list, more...)
	}
	var plans []*Plan
	set := NewSet(list...)
	for _, d := range dialects() {
		if p := set.For(Target{Dialect: d, Model: "m", Builtin: ids}, time.Time{}); p != nil {
			plans = append(plans, p)
		}
	}
	f.Fuzz(func(t *testing.T, request, answer []byte) {
		for _, p := range plans {
			r := p.Begin(nil)
			q := Request{Body: request, Path: "/v1/chat/completions", Model: "m"}
			if err := r.Request(&q); err != nil {
				continue
			}
			if wire.Valid(request) == nil && wire.Valid(q.Body) != nil {
				t.Fatalf("request %s became %s", request, q.Body)
			}
			if out := r.Response(answer); wire.Valid(answer) == nil && wire.Valid(out) != nil {
				t.Fatalf("answer %s became %s", answer, out)
			}
			in := wire.AppendSSE(wire.AppendSSE(nil, "a", answer), "b", request)
			frames := wire.NewSSE(r.Stream(bytes.NewReader(in), SSE, 0), 0)
			for range 100 {
				if _, err := frames.Next(); err != nil {
					break
				}
			}
		}
	})
}
