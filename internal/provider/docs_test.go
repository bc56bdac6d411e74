package provider

import (
	"cmp"
	"flag"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the documents anew")

const (
	entriesBegin = "<!-- the catalogue's entries, written by go test ./internal/provider -update -->\n"
	entriesEnd   = "<!-- end -->\n"
)

// The documents say what the catalogue says.
func TestDocumentedCatalogue(t *testing.T) {
	c := builtin(t)
	const file = "../../docs/providers.md"
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(b), entriesBegin)
	_, after, closed := strings.Cut(rest, entriesEnd)
	if !ok || !closed {
		t.Fatalf("%s has no place for the entries", file)
	}
	written(t, file, before+entriesBegin+entryTable(c)+entriesEnd+after)
	written(t, "../../docs/models.md", modelTables(c))
}

func written(t *testing.T, file, want string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(want), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if got, err := os.ReadFile(file); err != nil || string(got) != want {
		t.Errorf("%s is not what the catalogue says (%v); write it with -update", file, err)
	}
}

func entryTable(c *Catalogue) string {
	var b strings.Builder
	b.WriteString("| entry | dialect | zone | address | key | wants to know | can |\n|---|---|---|---|---|---|---|\n")
	order := func(a, b string) int {
		x, _ := c.Spec(a)
		y, _ := c.Spec(b)
		return cmp.Or(slices.Index(zones(), x.Zone)-slices.Index(zones(), y.Zone), strings.Compare(a, b))
	}
	for _, name := range slices.SortedFunc(slices.Values(c.Names()), order) {
		s, _ := c.Spec(name)
		zone := s.Zone
		if s.Region != "" {
			zone += ", " + s.Region
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | `%s` | %s | %s | %s |\n", name, s.Dialect, zone, s.BaseURL, keyOf(s), paramsOf(s), strings.Join(s.Capabilities, ", "))
	}
	return b.String()
}

func keyOf(s *Spec) string {
	switch a := s.Auth; {
	case a.Env == "":
		return ""
	case a.Optional:
		return "`" + a.Env + "`, if set"
	case a.Scheme == AuthHeader:
		return fmt.Sprintf("`%s` as `%s`", a.Env, a.Name)
	case a.Scheme == AuthBearer:
		return "`" + a.Env + "`"
	default:
		return fmt.Sprintf("`%s` (%s)", a.Env, a.Scheme)
	}
}

func paramsOf(s *Spec) string {
	var list []string
	for _, name := range sorted(s.Params) {
		if p := s.Params[name]; p.By == "" {
			text := "`" + name + "`"
			if p.Default != "" {
				text += " (" + p.Default + ")"
			}
			list = append(list, text)
		}
	}
	return strings.Join(list, ", ")
}

func sorted(m map[string]Param) []string {
	var list []string
	for name := range m {
		list = append(list, name)
	}
	slices.Sort(list)
	return list
}

func modelTables(c *Catalogue) string {
	var b strings.Builder
	b.WriteString("# Models that the catalogue knows\n\nWritten by `go test ./internal/provider -update`. Prices are US dollars for a million tokens, true on their day and\n" +
		"as told by their source; what is empty is not known. Other models can be asked for all the same.\n")
	for _, name := range c.Names() {
		s, _ := c.Spec(name)
		if len(s.Models) == 0 {
			continue
		}
		fmt.Fprintf(&b, "\n## %s\n\n| model | context | output | in | cached | out | as of |\n|---|--:|--:|--:|--:|--:|---|\n", name)
		for i := range s.Models {
			b.WriteString(modelRow(&s.Models[i]))
		}
	}
	return b.String()
}

func modelRow(m *Model) string {
	whole := func(n int64) string {
		if n == 0 {
			return ""
		}
		return strconv.FormatInt(n, 10)
	}
	price := func(v *float64) string {
		if v == nil {
			return ""
		}
		return strconv.FormatFloat(*v, 'f', -1, 64)
	}
	p := m.Prices
	if p == nil {
		p = &Prices{}
	}
	name := "`" + m.Name + "`"
	if m.Retired != "" {
		name += " (retired)"
	}
	when := p.AsOf
	if p.Source != "" {
		when += ", " + p.Source
	}
	if p.UpTo > 0 {
		when += ", up to " + whole(p.UpTo) + " in"
	}
	return fmt.Sprintf("| %s | %s | %s | %s | %s | %s | %s |\n", name, whole(m.ContextWindow), whole(m.MaxOutput), price(p.Input), price(p.CacheRead), price(p.Output), when)
}
