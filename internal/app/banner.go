package app

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/aratta-gateway/aratta/internal/provider"
	"github.com/aratta-gateway/aratta/scri"
)

// pointers tells where to point clients.
func pointers(url string) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, c := range [][2]string{
		{"OpenAI", "OPENAI_BASE_URL=" + url + "/v1"},
		{"Anthropic", "ANTHROPIC_BASE_URL=" + url},
		{"Ollama", "OLLAMA_HOST=" + url},
		{"Gemini", "GOOGLE_GEMINI_BASE_URL=" + url},
		{"Cohere", "CO_API_URL=" + url},
	} {
		fmt.Fprintf(w, "  %s\t%s\n", c[0], c[1])
	}
	_ = w.Flush() // into memory
	return b.String()
}

// greet tells a person at a terminal what the gateway found, what is missing and
// how to get it, and where to point clients.
func (s *Snapshot) greet(ctx context.Context, out io.Writer, version, url string) {
	l := s.Config
	fmt.Fprintf(out, "Aratta %s at %s, open to %s\n", version, url, l.openTo())
	if l.File == "" {
		fmt.Fprintln(out, "No configuration, all defaults; `aratta init` writes one.")
	} else {
		fmt.Fprintf(out, "Configuration: %s\n", l.File)
	}
	for _, w := range s.Warnings {
		fmt.Fprintln(out, "  warning:", w)
	}
	fmt.Fprintln(out)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	able := false
	for _, q := range s.Providers {
		says, can := standing(ctx, q)
		able = able || can
		fmt.Fprintf(w, "  %s\t%s\t%s\n", q.Name(), q.Zone(), says)
	}
	for _, q := range s.Off {
		fmt.Fprintf(w, "  %s\t%s\toff: %s\n", q.Name(), q.Zone(), q.Disabled())
	}
	for _, spec := range s.notFound() {
		fmt.Fprintf(w, "  %s\t%s\tnot found; start it: %s (not installed? %s)\n", spec.Name, spec.Zone, spec.Start, spec.Install)
	}
	_ = w.Flush() // a terminal that is gone ends the process anyway
	if !able {
		fmt.Fprintln(out, "\nNothing can answer yet: start a runtime that has a model, and ask again. `aratta init` leads the way.")
	}
	fmt.Fprintf(out, "\nPoint clients at it (any key will do from this machine):\n%s\nCtrl-C stops it.\n\n", pointers(url))
}

// standing says in a few words what a provider has to offer, and whether that is
// anything.
func standing(ctx context.Context, q *provider.Provider) (says string, able bool) {
	if q.Zone() != provider.ZoneLocal {
		if model := q.Entry().DefaultModel; model != "" {
			return model + ", when nobody before it answers", true
		}
		return "for requests that name one of its models", true
	}
	ctx, cancel := context.WithTimeout(provider.WithPermit(ctx, provider.For(q.Zone(), q.Host())), askFor)
	defer cancel()
	list, err := q.List(ctx)
	if err != nil {
		e := scri.AsError(err)
		return "down: " + e.Message + "; " + cmp.Or(e.Hint, "see `aratta health`"), false
	}
	c := q.ResolveLocal(ctx)
	switch {
	case c.Model == "":
		return c.Why, false
	case c.Instead != "":
		return fmt.Sprintf("%s; %s", counted(len(list), "model"), oneLine(c.Why)), true
	case len(list) == 1:
		return "1 model, " + oneLine(c.Model), true
	default:
		return fmt.Sprintf("%d models, %s answers when none is named", len(list), oneLine(c.Model)), true
	}
}

// counted is a number of things.
func counted(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// notFound are the runtimes that were looked for and do not listen.
func (s *Snapshot) notFound() (list []*provider.Spec) {
	c, err := s.Config.catalogue()
	if err != nil {
		return nil // it was read a moment ago
	}
	on := map[string]bool{}
	for _, q := range s.Providers {
		on[q.Name()] = true
	}
	for _, name := range runtimes() {
		if spec, ok := c.Spec(name); ok && !on[name] && !s.Config.mentions(name) {
			list = append(list, spec)
		}
	}
	return list
}
