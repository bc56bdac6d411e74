package gemini

import (
	"unicode/utf8"

	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// claims are what the texts of a choice cite, for the metadata that the API tells
// it in.
type claims struct {
	part    int // which part of the content is at hand; -1 = they are not counted
	list    []claim
	sources []source
	known   map[source]int
}

// claim is one citation, at bytes of the text of a part.
type claim struct {
	part, start, end int
	quote            scri.Text
	source           int
}

// add takes in a citation that is about the bytes from start to end.
func (c *claims) add(cit *scri.Citation, start, end int) {
	src := source{url: cit.URL, title: cit.Title, document: cit.Document}
	n, ok := c.known[src]
	if !ok {
		if c.known == nil {
			c.known = map[source]int{}
		}
		n = len(c.sources)
		c.known[src], c.sources = n, append(c.sources, src)
	}
	c.list = append(c.list, claim{c.part, start, end, cit.Quote, n})
}

// write writes them as a member, if there are some.
func (c *claims) write(w *wire.Writer) {
	if len(c.list) == 0 {
		return
	}
	w.Key("groundingMetadata")
	w.BeginObject()
	w.Key("groundingChunks")
	w.BeginArray()
	for _, src := range c.sources {
		kind := "web"
		if src.document != "" {
			kind = "retrievedContext"
		}
		w.BeginObject()
		w.Key(kind)
		w.BeginObject()
		for _, m := range [...]struct{ name, value string }{{"uri", src.url}, {"title", src.title}, {"documentName", src.document}} {
			if m.value != "" {
				w.Key(m.name)
				w.Str(m.value)
			}
		}
		w.EndObject()
		w.EndObject()
	}
	w.EndArray()
	w.Key("groundingSupports")
	w.BeginArray()
	for i := range c.list {
		c.list[i].write(w)
	}
	w.EndArray()
	w.EndObject()
}

func (c *claim) write(w *wire.Writer) {
	w.BeginObject()
	w.Key("segment")
	w.BeginObject()
	for _, m := range [...]struct {
		name  string
		value int
	}{{"partIndex", c.part}, {"startIndex", c.start}, {"endIndex", c.end}} {
		if m.value > 0 || m.value == 0 && m.name == "partIndex" {
			w.Key(m.name)
			w.Int(int64(m.value))
		}
	}
	if !c.quote.IsZero() {
		w.Key("text")
		w.B = c.quote.AppendJSON(w.B)
	}
	w.EndObject()
	w.Key("groundingChunkIndices")
	w.BeginArray()
	w.Int(int64(c.source))
	w.EndArray()
	w.EndObject()
}

// citations takes in those that are not told by the metadata of their choice.
func (e *encoder) citations(p *scri.Part) {
	in := e.In("citations")
	var text string
	for i := range p.Citations {
		c := &p.Citations[i]
		at := e.At(i)
		switch {
		case e.answer && isDerived(c):
		case !e.answer:
			e.Drop("", "the API makes its citations itself")
		case e.claims == nil || !isText(p) || p.Kind == scri.PartThinking:
			e.Drop("", "it has no place in the metadata")
		default:
			if text == "" {
				text = p.Text.String()
			}
			start, end := byteOf(text, c.Start), byteOf(text, c.End)
			e.cite(c, start, end)
		}
		e.Out(at)
	}
	e.Out(in)
}

// cite takes in the citation that is the node. A place below zero is none.
func (e *encoder) cite(c *scri.Citation, start, end int) {
	if start < 0 || end < start {
		if c.Start != 0 {
			e.Drop("start", "it is not within the text")
		}
		if c.End != 0 {
			e.Drop("end", "it is not within the text")
		}
		start, end = 0, 0
	}
	e.Homeless(c.Ext)
	e.claims.add(c, start, end)
}

// byteOf is where a rune of a text begins, or -1 behind it.
func byteOf(text string, r int) int {
	at := 0
	for ; r > 0 && at < len(text); r-- {
		_, n := utf8.DecodeRuneInString(text[at:])
		at += n
	}
	if r != 0 {
		return -1
	}
	return at
}
