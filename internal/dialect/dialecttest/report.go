package dialecttest

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aratta-gateway/aratta/internal/dialect"
)

type tally struct {
	exchanges    map[string]bool
	passed, fail int
}

func (t *tally) count(r *Result) {
	if t.exchanges == nil {
		t.exchanges = map[string]bool{}
	}
	t.exchanges[r.X.Wire+r.X.ID] = true
	switch {
	case r.NA != "":
	case len(r.Problems) > 0:
		t.fail++
	default:
		t.passed++
	}
}

// Report writes docs/conformance.md: what was asked of which exchanges, and what
// failed. It holds nothing that two runs would say differently.
func Report(table []dialect.Dialect, corpus []*Exchange, results []Result) []byte {
	var b bytes.Buffer
	names := make([]string, len(table))
	for i, d := range table {
		names[i] = d.Name()
	}
	fmt.Fprint(&b, head)
	section(&b, "By law", []string{"law"}, results, func(r *Result) []string { return []string{r.Check} })
	section(&b, "By dialect and provider", []string{"dialect", "provider"}, results, func(r *Result) []string { return []string{r.X.Dialect + " | " + r.X.Provider} })
	pairs(&b, names, results)
	section(&b, "By feature", []string{"feature"}, results, func(r *Result) []string { return r.X.Feature() })
	failures(&b, results)
	notAsked(&b, corpus, results)
	return b.Bytes()
}

const head = `# Conformance

What the dialects make of recorded provider traffic. Written by a test, not by hand:

    go test ./internal/dialect/dialecttest -run TestConformance -update

Without ` + "`-update`" + ` the test fails when this file is not what the run gives: when something
fails that is not listed, and when something listed passes.

Each exchange is asked, as far as it has the parts for it:

| law | what must hold |
|---|---|
| 1 request, 1 answer, 1 stream | decoded and encoded again in its dialect it is the same JSON value; a stream adds up to the same answer |
| 2 replay | an answer that is told as a stream and put together is the same |
| 3 cuts | a stream gives the same events however its bytes are cut: byte by byte, as recorded, in two |
| 4 request, 4 answer, 4 stream | for each dialect it is translated to, what differs afterwards is what the warnings say: no silent loss, no false alarm |
| 5 truncation | a stream cut before its finish is an error, and unfinished parts have no signature |
| 6 request, 6 answer | for each dialect it is told in: each string that somebody said is one that ` + "`Texts`" + ` visits |
| 7 bytes | for each dialect: tool schemas and arguments byte for byte, tools in their order |
| error kind, error told | an error is read as what it is, and in each dialect told so that it is read as the same, or as its nearest where the format has no word for it |

Laws 2 and 6 are tested over made-up values in package scri, too. The dialect ` + "`native`" + ` has no recordings: it is a target of
each translation, and what is written in it is read and written again like any other.
`

func section(b *bytes.Buffer, title string, columns []string, results []Result, keys func(*Result) []string) {
	groups := map[string]*tally{}
	for i := range results {
		for _, k := range keys(&results[i]) {
			if groups[k] == nil {
				groups[k] = &tally{}
			}
			groups[k].count(&results[i])
		}
	}
	fmt.Fprintf(b, "\n## %s\n\n| %s | exchanges | checks passed | failed |\n|%s---|---|---|\n", title, strings.Join(columns, " | "), strings.Repeat("---|", len(columns)))
	for _, k := range slices.Sorted(maps.Keys(groups)) {
		t := groups[k]
		fmt.Fprintf(b, "| %s | %d | %d | %d |\n", k, len(t.exchanges), t.passed, t.fail)
	}
}

// pairs shows the translations: from the dialect of a row to that of a column.
func pairs(b *bytes.Buffer, names []string, results []Result) {
	groups := map[[2]string]*tally{}
	from := map[string]bool{}
	for i := range results {
		r := &results[i]
		if r.Target == "" {
			continue
		}
		from[r.X.Dialect] = true
		k := [2]string{r.X.Dialect, r.Target}
		if groups[k] == nil {
			groups[k] = &tally{}
		}
		groups[k].count(r)
	}
	fmt.Fprintf(b, "\n## By pair\n\nChecks passed / failed, from the dialect of the row to that of the column.\n\n| | %s |\n|---|%s\n", strings.Join(names, " | "), strings.Repeat("---|", len(names)))
	for _, f := range slices.Sorted(maps.Keys(from)) {
		fmt.Fprintf(b, "| %s |", f)
		for _, to := range names {
			t := groups[[2]string{f, to}]
			if t == nil {
				t = &tally{}
			}
			fmt.Fprintf(b, " %d / %d |", t.passed, t.fail)
		}
		b.WriteByte('\n')
	}
}

func failures(b *bytes.Buffer, results []Result) {
	fmt.Fprint(b, "\n## Failures\n\n")
	none := true
	for i := range results {
		r := &results[i]
		if len(r.Problems) == 0 {
			continue
		}
		none = false
		fmt.Fprintf(b, "- `%s/%s`: %s", r.X.Dialect, r.X.ID, r.Check)
		if r.Target != "" {
			fmt.Fprintf(b, " to %s", r.Target)
		}
		for i, p := range r.Problems {
			if i == 5 {
				fmt.Fprintf(b, "\n  - and %d more", len(r.Problems)-i)
				break
			}
			fmt.Fprintf(b, "\n  - %s", strings.ReplaceAll(short(p), "\n", " "))
		}
		b.WriteByte('\n')
	}
	if none {
		fmt.Fprint(b, "None.\n")
	}
}

func notAsked(b *bytes.Buffer, corpus []*Exchange, results []Result) {
	fmt.Fprint(b, "\n## Not asked\n\n")
	for i := range results {
		if r := &results[i]; r.NA != "" {
			check := r.Check
			if r.Target != "" {
				check += " to " + r.Target
			}
			fmt.Fprintf(b, "- `%s/%s`: %s: %s\n", r.X.Dialect, r.X.ID, check, r.NA)
		}
	}
	asked := map[*Exchange]bool{}
	for i := range results {
		asked[results[i].X] = true
	}
	other := map[string]int{}
	for _, x := range corpus {
		if !asked[x] {
			other[x.Wire]++
		}
	}
	fmt.Fprint(b, "\nRecorded exchanges of formats that no dialect here speaks:\n\n| format | exchanges |\n|---|---|\n")
	names := slices.SortedFunc(maps.Keys(other), func(a, b string) int { return cmp.Compare(a, b) })
	for _, k := range names {
		fmt.Fprintf(b, "| %s | %d |\n", k, other[k])
	}
}
