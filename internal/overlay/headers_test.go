package overlay

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestHeaders: what overlays make of headers depends on the request where they say so,
// whatever the requests before were, and nobody's headers are written into.
func TestHeaders(t *testing.T) {
	const with, without = `{"a":1}`, `{}`
	plain, other := http.Header{"X-Given": {"g"}}, http.Header{"X-Given": {"h"}, "X-A": {"own"}}
	type asked struct {
		header http.Header
		body   string
		want   string // headers, then warnings
	}
	for ops, requests := range map[string][]asked{
		`{op: header_set, header: X-A, value: v}, {op: header_set, header: X-B, value: w, if_absent: true}`: {
			{plain, with, "X-A=v X-B=w X-Given=g"},
			{plain, without, "X-A=v X-B=w X-Given=g"},
			{other, with, "X-A=v X-B=w X-Given=h"},
			{plain, with, "X-A=v X-B=w X-Given=g"},
			{nil, with, "X-A=v X-B=w"},
		},
		`{op: header_set, header: X-A, value: v, when: {present: a}}`: {
			{plain, with, "X-A=v X-Given=g"}, {plain, without, "X-Given=g"}, {plain, with, "X-A=v X-Given=g"},
		},
		`{op: header_set, header: X-A, value: v}, {op: header_drop, header: X-Given}`: {
			{plain, with, "X-A=v; dropped /header/X-Given"}, {plain, with, "X-A=v; dropped /header/X-Given"},
		},
		// The second is for where the first did nothing.
		`{op: header_set, header: X-A, value: v, if_absent: true}, {op: set, path: b, value: 1, fallback: true}`: {
			{plain, with, "X-A=v X-Given=g"}, {other, with, "X-A=own X-Given=h; added /b"}, {plain, with, "X-A=v X-Given=g"},
		},
		`{op: drop, path: a}, {op: header_set, header: X-A, value: v, fallback: true}`: {
			{plain, with, "X-Given=g; dropped /a"}, {plain, without, "X-A=v X-Given=g"},
		},
	} {
		p := planOf(t, "{id: x, version: 1, ops: ["+ops+"]}")
		for i, r := range requests {
			before := r.header.Clone()
			q, run := Request{Body: []byte(r.body), Header: r.header}, p.Begin(nil)
			if err := run.Request(&q); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(before, r.header); diff != "" {
				t.Errorf("%s: request %d was written into\n%s", ops, i, diff)
			}
			if got := strings.Join(append([]string{spelled(q.Header)}, told(run.Warnings)...), "; "); got != r.want {
				t.Errorf("%s: request %d has %q, want %q", ops, i, got, r.want)
			}
		}
	}
}

// spelled is a header in the order of its names.
func spelled(h http.Header) string {
	var b strings.Builder
	if h.Write(&b) != nil {
		return ""
	}
	return strings.Join(strings.Fields(strings.ReplaceAll(b.String(), ": ", "=")), " ")
}

// TestBodiesMayShareMemory: what is told of a request is not in the memory of its
// bodies, which somebody else may get.
func TestBodiesMayShareMemory(t *testing.T) {
	p := planOf(t, `{id: x, version: 1, ops: [{op: clamp, path: n, max: 5}, {op: drop, path: "list[*].kind"}, {op: map_enum, path: kind, map: {some: other}}]}`)
	body := []byte(`{"n":9,"kind":"some","list":[{"kind":"mine"}]}`)
	q, run := Request{Body: body}, p.Begin(nil)
	if err := run.Request(&q); err != nil {
		t.Fatal(err)
	}
	if want := `{"n":5,"kind":"other","list":[{}]}`; string(q.Body) != want || string(body) != `{"n":9,"kind":"some","list":[{"kind":"mine"}]}` {
		t.Fatalf("%s became %s, want %s", body, q.Body, want)
	}
	buf := q.Buf
	clear(body)
	second := Request{Body: []byte(`{"n":7}`), Buf: buf}
	if err := p.Begin(nil).Request(&second); err != nil {
		t.Fatal(err)
	}
	if string(second.Body) != `{"n":5}` || &second.Body[0] != &buf[0] {
		t.Errorf("%s is not in the memory that was given", second.Body)
	}
	var got []string
	for _, w := range run.Warnings {
		got = append(got, w.Code+" "+w.Path+" "+w.From+" "+w.To)
	}
	if diff := cmp.Diff([]string{"changed /n 9 5", "dropped /list/0/kind mine ", "changed /kind some other"}, got); diff != "" {
		t.Error(diff)
	}
}
