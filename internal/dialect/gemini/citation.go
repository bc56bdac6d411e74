package gemini

import (
	"slices"
	"unicode/utf8"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// support is one claim of an answer with its sources.
type support struct {
	part       int // of the content; -1 = not said
	start, end int // bytes of the part's text
	quote      scri.Text
	sources    []int
}

// source is where a claim comes from.
type source struct{ url, title, document string }

// grounding is what the metadata of a candidate say of its sources.
type grounding struct {
	sources  []source
	supports []support
	more     bool // they say what no citation tells
}

// derived marks citations that come of metadata which stand in the Ext of their
// choice as well.
const derived = "derived"

// readGrounding reads groundingMetadata, and the older citationMetadata. What does
// not fit says nothing.
func readGrounding(raw, recited []byte) (g grounding) {
	g.more = recited != nil
	for _, doc := range [...][]byte{raw, recited} {
		s := wire.NewScanner(doc)
		if s.Kind() != wire.Object {
			g.more = g.more || doc != nil
			continue
		}
		for name := range s.Members() {
			if s.Kind() != wire.Array {
				g.more = true
				continue
			}
			g.list(s, name)
		}
	}
	g.more = g.more || slices.Contains(g.used(), false)
	return g
}

// used tells of each source whether a claim names it.
func (g *grounding) used() []bool {
	used := make([]bool, len(g.sources))
	for _, sup := range g.supports {
		g.more = g.more || len(sup.sources) == 0
		for _, n := range sup.sources {
			if n < len(used) {
				used[n] = true
			} else {
				g.more = true
			}
		}
	}
	return used
}

// list reads a list of sources, of claims, or of both in one.
func (g *grounding) list(s *wire.Scanner, name string) {
	for range s.Elements() {
		switch name {
		case "groundingChunks":
			g.sources = append(g.sources, g.source(s))
		case "groundingSupports":
			g.supports = append(g.supports, g.support(s))
		case "citationSources", "citations":
			g.recited(s)
		default:
			g.more = true
		}
	}
}

// recited reads a source that the answer repeats.
func (g *grounding) recited(s *wire.Scanner) {
	if s.Kind() != wire.Object {
		return
	}
	sup := support{part: -1, sources: []int{len(g.sources)}}
	var src source
	for name := range s.Members() {
		field(s, name, &src)
		place(s, name, &sup)
	}
	g.sources, g.supports = append(g.sources, src), append(g.supports, sup)
}

func (g *grounding) source(s *wire.Scanner) (src source) {
	if s.Kind() != wire.Object {
		g.more = true
		return src
	}
	kinds := 0
	for name := range s.Members() { // their name says nothing more
		kinds++
		g.more = g.more || name != "web" && name != "retrievedContext" || s.Kind() != wire.Object || kinds > 1
		if s.Kind() != wire.Object {
			continue
		}
		for name := range s.Members() {
			g.more = !field(s, name, &src) || g.more
		}
	}
	return src
}

// field reads a member of a source, if it is known.
func field(s *wire.Scanner, name string, src *source) bool {
	if s.Kind() != wire.String {
		return false
	}
	switch name {
	case "uri":
		src.url = s.Unquoted()
	case "title":
		src.title = s.Unquoted()
	case "documentName", "fileSearchStore":
		src.document = s.Unquoted()
		return name == "documentName"
	default:
		return false
	}
	return true
}

func (g *grounding) support(s *wire.Scanner) (sup support) {
	sup.part = -1
	if s.Kind() != wire.Object {
		g.more = true
		return sup
	}
	for name := range s.Members() {
		switch {
		case name == "segment" && s.Kind() == wire.Object:
			for name := range s.Members() {
				g.more = !place(s, name, &sup) || g.more
			}
		case name == "groundingChunkIndices" && s.Kind() == wire.Array:
			for range s.Elements() {
				if n := dialect.Count(s); n != nil {
					sup.sources = append(sup.sources, int(min(*n, 1<<20)))
				} else {
					g.more = true
				}
			}
		default:
			g.more = true
		}
	}
	return sup
}

// place reads a member of a claim's place, if it is known.
func place(s *wire.Scanner, name string, sup *support) bool {
	switch name {
	case "text":
		if s.Kind() != wire.String {
			return false
		}
		sup.quote = scri.QuotedText(s.Str())
	case "partIndex", "startIndex", "endIndex":
		n := dialect.Count(s)
		if n == nil {
			return false
		}
		v := int(min(*n, 1<<30))
		switch name {
		case "partIndex":
			sup.part = v
		case "startIndex":
			sup.start = v
		default:
			sup.end = v
		}
	default:
		return false
	}
	return true
}

// each calls f for each source of each claim. runes gives the place of a byte.
func (g *grounding) each(f func(sup *support, c scri.Citation)) {
	for i := range g.supports {
		sup := &g.supports[i]
		for _, n := range sup.sources {
			if n >= len(g.sources) {
				continue
			}
			src := g.sources[n]
			f(sup, scri.Citation{
				Quote: sup.quote, URL: src.url, Title: src.title, Document: src.document,
				Ext: &scri.Ext{Dialect: Name, Form: derived},
			})
		}
	}
}

// told marks metadata of which the citations tell everything.
const told = dialect.Slight + "groundingMetadata"

// cite gives the texts of a choice the citations that the metadata tell, and notes
// whether those are all that the metadata say.
func cite(output []scri.Message, c *candidate) {
	if len(c.sources) == 0 && len(c.recited) == 0 || len(output) == 0 {
		return
	}
	parts := output[0].Parts
	texts := make([]string, len(parts))
	g := readGrounding(c.sources, c.recited)
	numbered := slices.ContainsFunc(g.supports, func(s support) bool { return s.part >= 0 })
	g.each(func(sup *support, cit scri.Citation) {
		i := max(sup.part, 0) // zero is left out
		if !numbered || i >= len(parts) || parts[i].Kind != scri.PartText {
			for i = len(parts) - 1; i >= 0 && parts[i].Kind != scri.PartText; i-- {
			}
		}
		if i < 0 {
			g.more = true
			return
		}
		if texts[i] == "" {
			texts[i] = parts[i].Text.String()
		}
		if sup.start <= sup.end && sup.end <= len(texts[i]) {
			cit.Start = utf8.RuneCountInString(texts[i][:sup.start])
			cit.End = cit.Start + utf8.RuneCountInString(texts[i][sup.start:sup.end])
		} else {
			g.more = true
		}
		parts[i].Citations = append(parts[i].Citations, cit)
	})
	if !g.more {
		c.rest.Form(told)
	}
}

// isDerived reports whether a citation is told by metadata already.
func isDerived(c *scri.Citation) bool { return formed(c.Ext, derived) }
