package gemini

import (
	"errors"
	"strconv"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

var errNoVectors = errors.New("an answer without embeddings")

// DecodeEmbedResponse reads one vector, or a list of them.
func (g gemini) DecodeEmbedResponse(a *dialect.Answer, req *scri.EmbedRequest) (*scri.EmbedResponse, error) {
	d := &vectorDecoder{req: req}
	d.Reset(a.Body)
	failed := false
	for as := range d.Members() {
		if d.KeepNull(&d.u) {
			continue
		}
		switch n := camel(as); {
		case n == "embedding" && d.Kind() == wire.Object:
			d.vector()
		case n == "embeddings" && d.Kind() == wire.Array:
			d.there = true
			for range d.Elements() {
				d.vector()
			}
		case n == "predictions" && d.Kind() == wire.Array:
			d.there = true
			for range d.Elements() {
				d.prediction()
			}
		case n == "usageMetadata" && d.Kind() == wire.Object:
			name(as, &d.u)
			raw := d.Raw()
			if d.r.Usage = decodeUsage(raw); d.r.Usage == nil {
				d.u.Add(append([]byte(strconv.Quote(as)+":"), raw...))
			} else {
				d.r.Usage.Output = nil // nothing is put out
			}
		default:
			failed = failed || n == "error"
			d.u.Add(d.Member())
		}
	}
	err := d.End()
	if err == nil && !d.there {
		if failed {
			return nil, g.DecodeError(a)
		}
		err = errNoVectors
	}
	if err != nil {
		return nil, dialect.Unreadable(err)
	}
	d.r.Ext = d.u.Ext(Name)
	return &d.r, nil
}

type vectorDecoder struct {
	decoder
	req   *scri.EmbedRequest
	r     scri.EmbedResponse
	u     dialect.Unknown
	there bool
}

// vector reads one vector.
func (d *vectorDecoder) vector() {
	d.there = true
	if len(d.r.Embeddings) >= scri.MaxEmbedInputs {
		d.Fail("more vectors than inputs")
		return
	}
	v := scri.Embedding{Index: len(d.r.Embeddings), Encoding: scri.EncodingFloat}
	var u dialect.Unknown
	for n := range d.Members() {
		if n == "values" && d.Kind() == wire.Array {
			v.Values = d.Raw()
			continue
		}
		u.Add(d.Member())
	}
	if v.Values == nil {
		d.Fail("a vector without values")
		return
	}
	v.Ext = u.Ext(Name)
	d.r.Embeddings = append(d.r.Embeddings, v)
}

// EncodeEmbedResponse writes one vector, or a list of them for who asked for a list.
func (gemini) EncodeEmbedResponse(b []byte, in *dialect.Incoming, resp *scri.EmbedResponse) ([]byte, []scri.Warning, error) {
	list, err := dialect.Vectors(in.Embed, resp)
	if err != nil {
		return nil, nil, err
	}
	e := &encoder{answer: true}
	e.Own = Name
	e.w.B = append(dialect.GrowForVectors(b, resp), '{')
	if in.Route.Verb == verbPredict {
		if err := e.predictions(list, resp); err != nil {
			return nil, nil, err
		}
		e.ext(resp.Ext, "predictions")
		e.w.EndObject()
		return e.w.B, e.Warn, nil
	}
	one := in.Route.Verb == verbEmbed && len(list) == 1
	if one {
		e.w.Key("embedding")
	} else {
		e.w.Key("embeddings")
		e.w.BeginArray()
	}
	for i := range list {
		v := &list[i]
		e.w.BeginObject()
		e.w.Key("values")
		if _, err := dialect.WriteVector(&e.w, v.Embedding, scri.EncodingFloat); err != nil {
			return nil, nil, err
		}
		at := e.In("embeddings/" + strconv.Itoa(v.At))
		if x := v.Ext; x != nil && dialect.IsSlight(x, "embeddings") { // its tokens are counted with all
			e.ExtLess(&e.w, x, "embeddings")
		} else {
			e.ext(x, "values")
		}
		e.Out(at)
		e.w.EndObject()
	}
	if !one {
		e.w.EndArray()
	}
	if u := resp.Usage; u != nil && (u.Dialect == Name && len(u.Raw) > 0 || u.Input != nil) {
		e.key(resp.Ext, "usageMetadata")
		if u.Dialect == Name && len(u.Raw) > 0 {
			e.raw(u.Raw)
		} else {
			if u.Estimated {
				e.Drop("usage/estimated", "an estimate cannot be told from a count")
			}
			e.w.BeginObject()
			e.count("promptTokenCount", u.Input)
			e.w.EndObject()
		}
	}
	e.ext(resp.Ext, "embedding", "embeddings")
	e.w.EndObject()
	return e.w.B, e.Warn, nil
}
