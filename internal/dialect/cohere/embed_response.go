package cohere

import (
	"errors"
	"slices"
	"strconv"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// Words of Ext.Form of an answer with vectors.
const (
	formTexts  = "texts"          // the texts of the request are repeated
	formFloats = "floats"         // the vectors are a list, not lists by their types
	formNoType = "-response_type" // it is not said
)

var errNoEmbeddings = errors.New("an answer without embeddings")

// DecodeEmbedResponse reads vectors, which are grouped by their types.
func (c cohere) DecodeEmbedResponse(a *dialect.Answer, req *scri.EmbedRequest) (*scri.EmbedResponse, error) {
	d := &embedAnswer{decoder: newDecoder(a.Body), req: req}
	d.answer = true
	for name := range d.Members() {
		if !d.KeepNull(&d.u) {
			d.member(name)
		}
	}
	err := d.End()
	if err == nil && !d.there {
		if d.failed {
			return nil, c.DecodeError(a)
		}
		err = errNoEmbeddings
	}
	if err != nil {
		return nil, dialect.Unreadable(err)
	}
	if !d.typed {
		d.u.Form(formNoType)
	}
	d.r.Ext = d.u.Ext(Name)
	return &d.r, nil
}

type embedAnswer struct {
	*decoder

	req                  *scri.EmbedRequest
	r                    scri.EmbedResponse
	u                    dialect.Unknown
	there, typed, failed bool
}

func (d *embedAnswer) member(name string) {
	switch {
	case name == "id":
		d.Take(&d.u, &d.r.ID)
	case name == "embeddings" && d.Kind() == wire.Object:
		d.there = true
		for typ := range d.Members() {
			d.vectors(typ)
		}
	case name == "embeddings" && d.Kind() == wire.Array:
		d.there = true
		d.u.Form(formFloats)
		d.vectors(scri.EncodingFloat)
	case name == "texts" && d.echo():
		d.u.Form(formTexts)
	case name == "meta" && d.Kind() == wire.Object:
		d.meta()
	case name == "response_type":
		at := d.Mark()
		if word := dialect.Word(d.Raw()); word == d.responseType() {
			d.typed = true
			return
		}
		d.Rewind(at)
		d.typed = false
		d.u.Add(d.Member())
	case name == "message":
		d.failed = true
		d.u.Add(d.Member())
	default:
		d.u.Add(d.Member())
	}
}

func (d *embedAnswer) responseType() string { return responseType(d.u.Spelled()) }

// responseType is what an answer calls its own shape.
func responseType(form string) string {
	if dialect.HasWord(form, formFloats) {
		return "embeddings_floats"
	}
	return "embeddings_by_type"
}

func (d *embedAnswer) vectors(typ string) {
	if d.Kind() != wire.Array {
		d.Skip() // a type that was not asked for is null
		return
	}
	for i := range d.Elements() {
		if i >= scri.MaxEmbedInputs {
			d.Fail("more vectors than inputs")
			return
		}
		d.r.Embeddings = append(d.r.Embeddings, scri.Embedding{Index: i, Encoding: string([]byte(typ)), Values: d.Raw()})
	}
}

// echo reports whether a list repeats the texts of the request, and goes over it.
func (d *embedAnswer) echo() bool {
	at := d.Mark()
	same, n := d.req != nil && d.Kind() == wire.Array, 0
	if same {
		for i := range d.Elements() {
			if d.Kind() != wire.String || i >= len(d.req.Input) || d.req.Input[i].Parts != nil || d.Unquoted() != d.req.Input[i].Text.String() {
				same = false
				break
			}
			n++
		}
	}
	if same && n == len(d.req.Input) && d.Err() == nil {
		return true
	}
	d.Rewind(at)
	return false
}

// meta reads what the answer cost. All of it is usage, as the provider tells it.
func (d *embedAnswer) meta() {
	raw := d.Raw()
	s := d.inside(raw)
	var tokens *int64
	for name := range s.Members() {
		if name != "billed_units" || s.Kind() != wire.Object {
			continue
		}
		for name := range s.Members() {
			if name != "input_tokens" && name != "image_tokens" {
				continue
			}
			if n := dialect.Count(&s.Scanner); n != nil {
				if tokens != nil {
					*n += *tokens
				}
				tokens = n
			}
		}
	}
	d.r.Usage = &scri.Usage{Input: tokens, Raw: raw, Dialect: Name}
}

// EncodeEmbedResponse writes vectors, grouped by the types that the client wants.
func (cohere) EncodeEmbedResponse(b []byte, in *dialect.Incoming, resp *scri.EmbedResponse) ([]byte, []scri.Warning, error) {
	list, err := dialect.Vectors(in.Embed, resp)
	if err != nil {
		return nil, nil, err
	}
	var types []string
	for i := range list {
		if !slices.Contains(types, list[i].As) {
			types = append(types, list[i].As)
		}
	}
	slices.SortStableFunc(list, func(a, b dialect.Vector) int { return slices.Index(types, a.As) - slices.Index(types, b.As) })
	e := &embedEncoder{}
	e.enc.Own, e.enc.answer = Name, true
	e.enc.w.B = dialect.GrowForVectors(b, resp)
	e.Begin(&e.enc.w)
	if resp.ID != "" {
		e.PutStr("id", resp.ID)
	}
	if err := e.vectors(list, resp); err != nil {
		return nil, nil, err
	}
	if e.echoes(in, resp) {
		e.Put("texts")
		e.BeginArray()
		for i := range in.Embed.Input {
			dialect.WriteText(e.Writer, in.Embed.Input[i].Text)
		}
		e.EndArray()
	}
	if resp.Usage != nil {
		e.meta(resp.Usage)
	}
	if !formed(resp.Ext, formNoType) {
		form := ""
		if x := resp.Ext.Of(Name); x != nil {
			form = x.Form
		}
		e.PutStr("response_type", responseType(form))
	}
	e.End(resp.Ext, Name, &e.enc.Warn, func() string { return "" })
	return e.B, e.enc.Warn, nil
}

// echoes reports whether the texts of the request are repeated, as Cohere does.
func (e *embedEncoder) echoes(in *dialect.Incoming, resp *scri.EmbedResponse) bool {
	if in.Embed == nil || resp.Ext.Of(Name) != nil {
		return in.Embed != nil && formed(resp.Ext, formTexts)
	}
	for i := range in.Embed.Input {
		if !in.Embed.Input[i].Bare() {
			return false
		}
	}
	return true
}

func (e *embedEncoder) vectors(list []dialect.Vector, resp *scri.EmbedResponse) error {
	e.Put("embeddings")
	flat := formed(resp.Ext, formFloats)
	if !flat {
		e.BeginObject()
	}
	exact := true
	for i := range list {
		v := &list[i]
		first := i == 0 || list[i-1].As != v.As
		if first && i > 0 {
			e.EndArray()
		}
		if first {
			if !flat {
				e.Str(v.As)
				e.B = append(e.B, ':')
			}
			e.BeginArray()
		}
		same, err := dialect.WriteVector(e.Writer, v.Embedding, v.As)
		if err != nil {
			return err
		}
		exact = exact && same
		dialect.Foreign(&e.enc.Warn, v.Ext, Name, func() string { return "/embeddings/" + strconv.Itoa(v.At) })
	}
	if len(list) > 0 {
		e.EndArray()
	} else if flat {
		e.BeginArray()
		e.EndArray()
	}
	if !flat {
		e.EndObject()
	}
	if !exact {
		e.enc.Warn = append(e.enc.Warn, dialect.Inexact())
	}
	return nil
}

// meta writes what the answer cost.
func (e *embedEncoder) meta(u *scri.Usage) {
	e.Put("meta")
	if u.Dialect == Name && len(u.Raw) > 0 {
		e.Raw(u.Raw)
		return
	}
	if u.Estimated {
		e.enc.Drop("usage/estimated", "an estimate cannot be told from a count")
	}
	e.BeginObject()
	e.Key("api_version")
	e.Raw([]byte(`{"version":"2"}`))
	if u.Input != nil {
		e.Key("billed_units")
		e.BeginObject()
		e.Key("input_tokens")
		e.Int(*u.Input)
		e.EndObject()
	}
	e.EndObject()
}
