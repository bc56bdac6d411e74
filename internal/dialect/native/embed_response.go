package native

import (
	"slices"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// DecodeEmbedResponse reads vectors: each a list of numbers, a string in base64, or
// an object that says more.
func (native) DecodeEmbedResponse(a *dialect.Answer, _ *scri.EmbedRequest) (*scri.EmbedResponse, error) {
	d := &decoder{lenient: true}
	d.Reset(a.Body)
	if d.Peek("error") != nil {
		if e := decodeError(a); e != nil {
			return nil, e
		}
	}
	r := new(scri.EmbedResponse)
	var x extra
	there := false
	for name := range d.Members() {
		if name == "embeddings" && d.Kind() == wire.Array {
			there = true
			for i := range d.Elements() {
				r.Embeddings = append(r.Embeddings, d.embedding(i))
			}
			continue
		}
		if d.Kind() == wire.Null && (name == "usage" || name == "lineage") || d.null(&x) {
			continue
		}
		d.embedHead(r, &x, name)
	}
	if !there && d.Err() == nil {
		d.Fail("embeddings are missing")
	}
	if err := d.End(); err != nil {
		return nil, dialect.Unreadable(err)
	}
	r.Ext = x.result()
	return r, nil
}

func (d *decoder) embedHead(r *scri.EmbedResponse, x *extra, name string) {
	head := scri.ChatResponse{ID: r.ID, Model: r.Model, Provider: r.Provider, Usage: r.Usage, Warnings: r.Warnings, Lineage: r.Lineage}
	if name == "created" { // of chats alone
		x.keep(d.Member())
		return
	}
	d.headMember(&head, x, name)
	r.ID, r.Model, r.Provider, r.Usage, r.Warnings, r.Lineage = head.ID, head.Model, head.Provider, head.Usage, head.Warnings, head.Lineage
}

func (d *decoder) embedding(i int) scri.Embedding {
	v := scri.Embedding{Index: i}
	switch d.Kind() {
	case wire.Array:
		v.Encoding, v.Values = scri.EncodingFloat, scri.RawJSON(d.Raw())
		return v
	case wire.String:
		v.Encoding, v.Values = scri.EncodingBase64, scri.RawJSON(d.Raw())
		return v
	case wire.Object, wire.Invalid:
	default:
		d.Fail("a vector must be a list of numbers, a string or an object")
		return v
	}
	var x extra
	indexed := false
	for name := range d.Members() {
		if d.null(&x) {
			continue
		}
		switch name {
		case "index":
			v.Index, indexed = d.number(0, scri.MaxEmbedInputs-1), true
		case "encoding":
			v.Encoding = d.plain()
		case "values":
			v.Values = d.raw("a list of numbers or a string", wire.Array, wire.String)
		case "ext":
			d.ext(&x, false)
		default:
			x.keep(d.Member())
		}
	}
	if v.Values == nil && d.Err() == nil {
		d.Fail("values are missing")
	}
	if !indexed {
		x.word("-index")
	}
	if v.Encoding == "" {
		v.Encoding = defaultEncoding(v.Values)
		x.word("-encoding")
	}
	if v.Ext = x.result(); simpleVector(&v, i) {
		x.word("object")
		v.Ext = x.result()
	}
	return v
}

// defaultEncoding is what values are if nobody says.
func defaultEncoding(values []byte) string {
	if len(values) > 0 && values[0] == '"' {
		return scri.EncodingBase64
	}
	return scri.EncodingFloat
}

// simpleVector reports whether the vector at i needs nothing but its values.
func simpleVector(v *scri.Embedding, i int) bool {
	return v.Index == i && v.Ext == nil && (v.Encoding == scri.EncodingFloat || v.Encoding == scri.EncodingBase64)
}

// EncodeEmbedResponse writes vectors, as numbers unless the client wants them
// otherwise.
func (native) EncodeEmbedResponse(b []byte, in *dialect.Incoming, r *scri.EmbedResponse) ([]byte, []scri.Warning, error) {
	e := new(encoder)
	e.B = dialect.GrowForVectors(b, r)
	at := e.begin()
	e.str("id", r.ID)
	e.always("model", r.Model, r.Ext)
	e.str("provider", r.Provider)
	e.key("embeddings")
	e.BeginArray()
	list, err := dialect.Vectors(in.Embed, r)
	if err != nil {
		return nil, nil, err
	}
	exact := true
	for i := range list {
		same, err := e.embedding(&list[i], i)
		if err != nil {
			return nil, nil, err
		}
		exact = exact && same
	}
	e.EndArray()
	e.usage(r.Usage, r.Ext, true)
	if !e.lineage(r.Lineage, r.Ext) && !misfit(r.Ext, "lineage") {
		e.key("lineage")
		e.Null()
	}
	var lost []scri.Warning
	if !exact {
		lost = []scri.Warning{dialect.Inexact()}
	}
	e.warnings(slices.Concat(r.Warnings, lost), r.Ext)
	e.end(at, r.Ext)
	return e.B, lost, nil
}

func (e *encoder) embedding(v *dialect.Vector, i int) (exact bool, err error) {
	out := *v.Embedding
	if out.Encoding = v.As; simpleVector(&out, i) {
		return dialect.WriteVector(&e.Writer, v.Embedding, v.As)
	}
	at := e.begin()
	if v.Index != i || !formHas(v.Ext, "-index") {
		e.key("index")
		e.Int(int64(v.Index))
	}
	if v.As != defaultEncoding(v.Values) || !formHas(v.Ext, "-encoding") {
		e.key("encoding")
		e.Str(v.As)
	}
	e.key("values")
	if exact, err = dialect.WriteVector(&e.Writer, v.Embedding, v.As); err != nil {
		return false, err
	}
	e.end(at, v.Ext)
	return exact, nil
}
