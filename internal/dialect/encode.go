package dialect

import (
	"maps"
	"slices"

	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// Begin sets a writer up for a request to the target: with memory for it, and
// with the client's request where long texts may stay. The body is w.B, or
// w.Pieces if there are any.
func (t *Target) Begin(w *wire.Writer, req *scri.ChatRequest) {
	if t == nil {
		t = &Target{}
	}
	w.B = t.Buf[:0]
	if t.Source == nil { // else little is written besides
		w.B = slices.Grow(w.B, size(req))
	}
	w.Splice(t.Source, t.Piece)
}

// WriteText writes a text as it came, and leaves it where it came if it is long
// and w may.
func WriteText(w *wire.Writer, t scri.Text) {
	if q := t.Quoted(); q != nil {
		w.Quoted(q)
		return
	}
	w.Comma()
	w.B = t.AppendJSON(w.B)
}

// size is about how many bytes a request takes in any dialect, so that the memory
// for it does not have to grow.
func size(req *scri.ChatRequest) int {
	n := 1024 + extSize(req.Ext)
	for i := range req.Messages {
		n += 64 + PartsSize(req.Messages[i].Parts)
	}
	for i := range req.Tools {
		t := &req.Tools[i]
		n += 128 + len(t.Schema) + t.Description.Size() + extSize(t.Ext)
	}
	if req.Format != nil {
		n += len(req.Format.Schema)
	}
	return n + n/32
}

// PartsSize is about how many bytes parts take.
func PartsSize(parts []scri.Part) int {
	n := 0
	for i := range parts {
		p := &parts[i]
		n += 48 + p.Text.Size() + len(p.Raw) + extSize(p.Ext)
		if p.Media != nil {
			n += 128 + p.Media.Data.Size() + p.Media.Text.Size() + p.Media.URL.Size()
		}
		if p.Call != nil {
			n += 96 + p.Call.Args.Size()
		}
		if p.Result != nil {
			n += 96 + PartsSize(p.Result.Parts)
		}
		if p.Signature != nil {
			n += p.Signature.Value.Size()
		}
	}
	return n
}

// GrowForAnswer makes room in b for an answer, about as much as it takes in any
// dialect.
func GrowForAnswer(b []byte, r *scri.ChatResponse) []byte {
	n := 320 + extSize(r.Ext)
	for i := range r.Choices {
		c := &r.Choices[i]
		n += 64 + extSize(c.Ext)
		for j := range c.Output {
			n += PartsSize(c.Output[j].Parts) + extSize(c.Output[j].Ext)
		}
		for j := range c.LogProbs {
			n += 80 * (1 + len(c.LogProbs[j].Top))
		}
	}
	if r.Usage != nil {
		n += max(len(r.Usage.Raw), 128)
	}
	return slices.Grow(b, n)
}

func extSize(e *scri.Ext) int {
	if e == nil {
		return 0
	}
	return len(e.Members)
}

// WriteMetadata writes a request's metadata as an object, in the order of its names.
func WriteMetadata(w *wire.Writer, m map[string]string) {
	w.BeginObject()
	for _, k := range slices.Sorted(maps.Keys(m)) {
		w.Str(k) // which is anybody's, and may need escapes
		w.B = append(w.B, ':')
		w.Str(m[k])
	}
	w.EndObject()
}
