package ollama

import (
	"net/http"
	"strconv"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// DecodeEmbedResponse reads the answer of /api/embed or /api/embeddings.
func (ollama) DecodeEmbedResponse(a *dialect.Answer, _ *scri.EmbedRequest) (*scri.EmbedResponse, error) {
	d := &embedAnswer{s: wire.NewScanner(a.Body)}
	for name := range d.s.Members() {
		at := d.s.Mark()
		d.member(name)
		if err := d.s.Err(); err != nil && name != "embeddings" && dialect.Misfit(err) {
			d.s.Rewind(at)
			d.rest.Add(d.s.Member())
		}
	}
	if err := d.s.End(); err != nil {
		return nil, dialect.Unreadable(err)
	}
	if !d.there {
		if d.failed {
			return nil, failure(a.Status, a.Header, a.Body)
		}
		return nil, dialect.Unreadable(errNoVectors)
	}
	if raw := d.metrics.Object(); raw != nil {
		d.resp.Usage = &scri.Usage{Input: d.input, Raw: raw, Dialect: Name}
	}
	d.resp.Ext = d.rest.Ext(Name)
	return &d.resp, nil
}

type embedAnswer struct {
	s             *wire.Scanner
	resp          scri.EmbedResponse
	rest, metrics dialect.Unknown
	input         *int64
	there, failed bool
}

func (d *embedAnswer) member(name string) {
	s := d.s
	if s.Kind() == wire.Null {
		d.rest.Add(s.Member())
		return
	}
	switch {
	case name == "model":
		if d.resp.Model = s.Unquoted(); d.resp.Model == "" {
			d.rest.Form("+model")
		}
	case name == "embeddings":
		d.there = true
		for i := range s.Elements() {
			d.vector(i)
		}
	case name == "embedding" && !d.there:
		d.there = true
		d.rest.Form(VariantOld)
		d.vector(0)
	case name == inputCount || duration(name):
		at := s.Mark()
		n := s.Int()
		if s.Err() != nil {
			return
		}
		if name == inputCount {
			d.input = &n
		}
		s.Rewind(at)
		d.metrics.Add(s.Member())
	case name == "error":
		d.failed = true
		d.rest.Add(s.Member())
	default:
		d.rest.Add(s.Member())
	}
}

func (d *embedAnswer) vector(i int) {
	if d.s.Kind() != wire.Array {
		d.s.Fail("a vector must be a list of numbers")
		return
	}
	d.resp.Embeddings = append(d.resp.Embeddings, scri.Embedding{Index: i, Encoding: scri.EncodingFloat, Values: d.s.Raw()})
}

// EncodeEmbedResponse writes the answer of /api/embed or /api/embeddings.
func (ollama) EncodeEmbedResponse(b []byte, in *dialect.Incoming, resp *scri.EmbedResponse) ([]byte, []scri.Warning, error) {
	e := &embedWriter{own: resp.Ext.Of(Name)}
	e.w.B = dialect.GrowForVectors(b, resp)
	e.Begin(&e.w)
	old := in.Route.Variant == VariantOld
	var err error
	if old {
		err = e.oldest(resp)
	} else {
		err = e.vectors(resp)
	}
	if err != nil {
		return nil, nil, err
	}
	e.End(resp.Ext, Name, &e.warn, func() string { return "" })
	return e.B, e.warn, nil
}

func (e *embedWriter) vectors(resp *scri.EmbedResponse) error {
	if resp.Model != "" || formed(e.own, "+model") {
		e.PutStr("model", resp.Model)
	}
	e.Put("embeddings")
	e.BeginArray()
	for i := range resp.Embeddings {
		if err := e.vector(&resp.Embeddings[i], i); err != nil {
			return err
		}
	}
	e.EndArray()
	if u := resp.Usage; u != nil {
		e.usage(u)
	}
	return nil
}

// oldest writes the one vector that /api/embeddings answers with.
func (e *embedWriter) oldest(resp *scri.EmbedResponse) error {
	if len(resp.Embeddings) != 1 {
		return &scri.Error{
			Kind: scri.ErrInternal, Status: http.StatusInternalServerError,
			Message: "there are " + strconv.Itoa(len(resp.Embeddings)) + " vectors for one prompt",
		}
	}
	e.Put("embedding")
	if resp.Usage != nil {
		e.drop("/usage", pathEmbedOld+" has no place for it")
	}
	return e.vector(&resp.Embeddings[0], 0)
}

func (e *embedWriter) vector(v *scri.Embedding, i int) error {
	e.foreign(v.Ext, func() string { return "/embeddings/" + strconv.Itoa(i) })
	_, err := dialect.WriteVector(e.Writer, v, scri.EncodingFloat)
	return err
}

// usage writes the count, and the times as an Ollama told them.
func (e *embedWriter) usage(u *scri.Usage) {
	if u.Dialect == Name && isObject(u.Raw) {
		s := wire.NewScanner(u.Raw)
		for name := range s.Members() {
			if duration(name) && s.Kind() == wire.Number {
				e.Put(name)
				e.Raw(s.Raw())
			}
		}
	}
	if u.Input != nil {
		e.Put(inputCount)
		e.Int(*u.Input)
	}
	if u.Estimated {
		e.drop("/usage/estimated", "")
	}
}
