package overlay

import (
	"bytes"
	"encoding/json"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/theory/jsonpath"
	"pgregory.net/rapid"
)

func TestShortForm(t *testing.T) {
	tests := []struct{ short, full string }{
		{"a", `$["a"]`},
		{"a.b-c", `$["a"]["b-c"]`},
		{"a[*].b", `$["a"][*]["b"]`},
		{"a.*", `$["a"][*]`},
		{"a[3]", `$["a"][3]`},
		{"a[-1]", `$["a"][-1]`},
		{"a[1:3]", `$["a"][1:3]`},
		{"a..b", `$["a"]..["b"]`},
		{"a[?x=='y']", `$["a"][?@.x=='y']`},
		{"a[?x=='it is @.y']", `$["a"][?@.x=='it is @.y']`},
		{"a[?x]", `$["a"][?@.x]`},
		{"a[?!x && y==1.5 || z==true]", `$["a"][?!@.x && @.y==1.5 || @.z==true]`},
		{"a[?b.c]", `$["a"][?@.b.c]`},
		{"a[?@.x]", `$["a"][?@.x]`},
		{"a[?length(x)>2]", `$["a"][?length(@.x)>2]`},
		{"a[?p[?q]]", `$["a"][?@.p[?@.q]]`},
		{"$defs.x", `$["$defs"]["x"]`},
		{"$.a", "$.a"},
	}
	for _, tt := range tests {
		p, err := compilePath(tt.short)
		if err != nil {
			t.Errorf("%s: %v", tt.short, err)
			continue
		}
		want := jsonpath.MustParse(tt.full).String()
		got := "$"
		for _, s := range p.segs {
			got += s.text
		}
		if got != want {
			t.Errorf("%s means %s, want %s", tt.short, got, want)
		}
	}
	for _, bad := range []string{"", "[+]", "a.", ".a.", "a[", "a[?x", "a]", "$.", "a[+].b", "a..", "a.[0]"} {
		if p, err := compilePath(bad); err == nil && (bad != "[+]" || !p.add) {
			t.Errorf("%q is taken for a path", bad)
		}
	}
}

// values draws JSON values with few names, so that paths lead somewhere.
func values() *rapid.Generator[any] {
	scalar := rapid.OneOf(
		rapid.Just[any](nil), rapid.Map(rapid.Bool(), func(b bool) any { return b }),
		rapid.Map(rapid.IntRange(-2, 3), func(n int) any { return n }),
		rapid.Map(rapid.SampledFrom([]string{"", "x", "y", "é\n", `"`}), func(s string) any { return s }),
	)
	return rapid.Deferred(func() *rapid.Generator[any] { return nestedValues(scalar, 3) })
}

func nestedValues(scalar *rapid.Generator[any], depth int) *rapid.Generator[any] {
	if depth == 0 {
		return scalar
	}
	below := nestedValues(scalar, depth-1)
	return rapid.OneOf(
		scalar,
		rapid.Map(rapid.SliceOfN(below, 0, 3), func(l []any) any { return l }),
		rapid.Map(rapid.MapOfN(rapid.SampledFrom([]string{"a", "b", "c", "x"}), below, 0, 4), func(m map[string]any) any { return m }),
	)
}

func marshal(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(err)
	}
	return bytes.TrimSpace(b.Bytes())
}

// TestPathsSelectAsTheLibraryDoes holds our walk over bytes against the library's
// over decoded values.
func TestPathsSelectAsTheLibraryDoes(t *testing.T) {
	paths := []string{
		"$", "$.a", "$['a','b']", "$.a.b", "$.*", "$[*]", "$[0]", "$[-1]", "$[0:2]", "$[::-1]", "$[1:]", "$..a", "$..*", "$..[0]", "$.a[*].b",
		"$[?@.a]", "$[?!@.a]", "$[?@.a == 1]", "$[?@.a != 'x']", "$[?@.a == null]", "$[?@.a && @.b]", "$[?@.a == 'y' || @.b.c]", "$.*[?@.x == true]",
		"$[?@.a < 2]", "$[?@.a == @.b]", "$[?length(@) > 1]", "$[?@.*]", "$[?@..a]", "$[?@ == 'x']", "$[?@.a == $.b]", "$[?match(@.a, 'x|y')]",
		"$..a[?@.b]", "$[?(@.a || @.b) && @.c]", "$[?@.a[?@.b]]", "$[?@['a'] == -1]", `$[?@.a == "\""]`,
	}
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.SampledFrom(paths).Draw(t, "path")
		doc := marshal(values().Draw(t, "doc"))
		p, err := compilePath(text)
		if err != nil {
			t.Fatal(err)
		}
		var tr tree
		tr.load(doc)
		var got, want []string
		for _, n := range tr.all(p) {
			got = append(got, string(n.json()))
		}
		var v any
		d := json.NewDecoder(bytes.NewReader(doc))
		d.UseNumber()
		if err := d.Decode(&v); err != nil {
			t.Fatal(err)
		}
		for _, n := range jsonpath.MustParse(text).Select(v) {
			want = append(want, string(marshal(n)))
		}
		// Members of objects have no order over there.
		for _, list := range [][]string{got, want} {
			for i := range list {
				var v any
				_ = json.Unmarshal([]byte(list[i]), &v)
				list[i] = string(marshal(v))
			}
			slices.Sort(list)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("%s in %s (-library +ours):\n%s", text, doc, diff)
		}
	})
}
