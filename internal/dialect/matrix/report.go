package matrix

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
)

const head = `# What translations carry over

Written by a test, not by hand:

    go test ./internal/dialect/matrix -update

A client speaks one API, the provider another. For each pair the smallest request, or answer, with
each feature is translated; this page shows what the translation reports. That its reports are the
truth, no silent loss and no false alarm, is law 4 in [conformance.md](conformance.md).
` + "`GET /api/v1/capabilities`" + ` gives the same as JSON, with the warnings themselves.

| | |
|---|---|
| ✓ | carried over as it is |
| ~ | carried over by other means, or in other words of the same meaning; a warning says so |
| ! | carried over, but not as it was said; a warning says so, and strict refuses a request with it |
| ✗ | lost; a warning says so, and strict refuses a request with it |
| · | left out without a loss, as defined below; a warning says so |
| | whoever would say it has no word for it |

A request is **strict** when it says so (header ` + "`X-Aratta-Strict: true`" + `, ` + "`routing.strict`" + ` in the SCRI
API) or when ` + "`[routing] strict = true`" + `. A target whose translation of the request would lose something is
then not asked, and the next of the plan is; when none is left the error is ` + "`unsupported`" + ` and lists the losses.
What counts as a loss: everything that is dropped, except marks of prompt caches, which only cost,
signatures, which are nothing to anybody but their issuer, and the name of the tool at a result, whose call has it; and what is changed, except where it means the same:
ids of calls, rewritten in step; the order and the joining of parts, and results that follow their calls; a
medium by its bytes in place of its address; arguments that are no JSON object, wrapped in one; a refusal said
as text; the role developer that became system. What is added (a limit that a format demands) or brought about
by other means is none. Losses of answers are told by warnings alone: they are known when it is too late to ask
somebody else. Events of a stream, and members of events, for which SCRI has no word reach clients of the same API
and of SCRI; for others each kind of them, such as the steps of a search of Responses, is one warning of the exchange,
` + "`dropped`" + ` at ` + "`/events/NAME`" + `: the log and the metrics count it. What a model can do, and not its API, is another matter: see [providers.md](providers.md).
`

// mark is what the page shows of a cell.
func (c Cell) mark() string {
	switch {
	case c.State == Unsaid:
		return ""
	case c.State == Native:
		return "✓"
	case c.State == Lost && c.Loss:
		return "✗"
	case c.State == Lost:
		return "·"
	case c.Loss:
		return "!"
	default:
		return "~"
	}
}

// Page writes docs/translation.md.
func (m *Matrix) Page() []byte {
	var b bytes.Buffer
	b.WriteString(head)
	for _, client := range m.Dialects {
		fmt.Fprintf(&b, "\n## A client of %s\n", client)
		m.side(&b, client, SideRequest, "What it asks reaches a provider of")
		m.side(&b, client, SideAnswer, "What it is told by a provider of")
	}
	return b.Bytes()
}

// side writes the table of one client's requests or answers. What nobody could
// say has no row.
func (m *Matrix) side(b *bytes.Buffer, client, side, title string) {
	fmt.Fprintf(b, "\n%s:\n\n| feature | %s |\n|---|%s\n", title, strings.Join(m.Dialects, " | "), strings.Repeat("---|", len(m.Dialects)))
	for _, f := range m.Features {
		if f.Side != side {
			continue
		}
		marks := make([]string, len(m.Dialects))
		for i, provider := range m.Dialects {
			c, _ := m.Of(client, provider, f.Name) // it is there
			marks[i] = c.mark()
		}
		if slices.ContainsFunc(marks, func(s string) bool { return s != "" }) {
			what := f.What
			if what == "" {
				what = strings.ReplaceAll(f.Name, "_", " ")
			}
			fmt.Fprintf(b, "| %s (`%s`) | %s |\n", what, f.Name, strings.Join(marks, " | "))
		}
	}
}
