package openai

import (
	"errors"
	"strconv"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

var errNoData = errors.New("embeddings without data")

// DecodeEmbedResponse reads a list of embeddings. Numbers stay as they are.
func (c chat) DecodeEmbedResponse(a *dialect.Answer, req *scri.EmbedRequest) (*scri.EmbedResponse, error) {
	d := &embedResponse{req: req}
	d.lenient = true
	d.Reset(a.Body)
	if d.Kind() == wire.Object && dialect.OpenAIFailed(&d.Scanner) {
		return nil, c.failure(a)
	}
	there := false
	for member := range d.Members() {
		if member == "data" && d.Kind() == wire.Array {
			there = true
			d.data()
			continue
		}
		d.member(member)
	}
	err := d.End()
	if err == nil && !there {
		err = errNoData
	}
	if err != nil {
		return nil, unreadable(a, err)
	}
	if !d.listed {
		d.u.Form("-object")
	}
	d.r.Ext = d.u.Ext(name)
	return &d.r, nil
}

// failure reads the error that came in place of an answer.
func (c chat) failure(a *dialect.Answer) *scri.Error {
	e := c.DecodeError(a)
	if a.Status < 400 {
		e.Kind = dialect.OpenAIErrorIn(a.Body, name).Kind
	}
	return e
}

type embedResponse struct {
	decoder
	req    *scri.EmbedRequest
	r      scri.EmbedResponse
	u      dialect.Unknown
	use    usage
	listed bool // object is "list"
}

func (d *embedResponse) member(member string) {
	r, u := &d.r, &d.u
	switch member {
	case "object":
		d.listed = d.said("list", u)
	case "id":
		if d.is(wire.String, u) {
			r.ID = d.Unquoted()
		}
	case "model":
		if d.is(wire.String, u) {
			r.Model = d.Unquoted()
		}
	case "usage":
		if d.is(wire.Object, u) {
			d.usage(d.Raw())
		}
	default:
		u.Add(d.Member())
	}
}

// said reports whether a member has the word that it always has; another is kept.
func (d *embedResponse) said(word string, u *dialect.Unknown) bool {
	at := d.Mark()
	if dialect.Word(d.Raw()) == word {
		return true
	}
	d.Rewind(at)
	u.Add(d.Member())
	return false
}

// usage reads the counts. Nothing is put out, so the total is what was put in.
func (d *embedResponse) usage(raw []byte) {
	var s wire.Scanner
	readUsage(&s, &d.use, raw)
	if s.Err() != nil {
		return
	}
	if d.use.Input == nil {
		total := int64(-1)
		s.Reset(raw)
		for member := range s.Members() {
			if member == "total_tokens" {
				number(&s, &total)
			}
		}
		if total >= 0 {
			d.use.Input = &total
		}
	}
	d.use.Output = nil
	d.r.Usage = &d.use.Usage
}

func (d *embedResponse) data() {
	if d.req != nil {
		d.r.Embeddings = make([]scri.Embedding, 0, len(d.req.Input))
	}
	for i := range d.Elements() {
		v := scri.Embedding{Index: i}
		var u dialect.Unknown
		if d.Kind() != wire.Object {
			d.Fail("an embedding must be an object")
			return
		}
		d.embedding(&v, &u)
		v.Ext = d.ext(&u, u.Spelled())
		d.r.Embeddings = append(d.r.Embeddings, v)
	}
}

func (d *embedResponse) embedding(v *scri.Embedding, u *dialect.Unknown) {
	object, index := false, false
	for member := range d.Members() {
		switch member {
		case "object":
			object = d.said("embedding", u)
		case "index":
			if n, ok := d.integer(u); ok && n >= 0 && n < scri.MaxEmbedInputs {
				v.Index, index = int(n), true
			} else if ok {
				d.Fail("an index of an embedding that nobody asked for")
			}
		case "embedding":
			v.Values = d.Raw()
			v.Encoding = dialect.GotEncoding(d.req, v.Values)
		default:
			u.Add(d.Member())
		}
	}
	if v.Values == nil && d.Err() == nil {
		d.Fail("an embedding without values")
	}
	if !object {
		u.Form("-object")
	}
	if !index {
		u.Form("-index")
	}
}

// EncodeEmbedResponse writes a list of embeddings, as numbers or in base64 as the
// client wants them.
func (chat) EncodeEmbedResponse(b []byte, in *dialect.Incoming, resp *scri.EmbedResponse) ([]byte, []scri.Warning, error) {
	e := &embedWriter{}
	e.w.B = dialect.GrowForVectors(b, resp)
	e.Begin(&e.w)
	if !has(resp.Ext, "-object") {
		e.PutStr("object", "list")
	}
	e.Put("data")
	e.BeginArray()
	exact := true
	want := dialect.Wanted(in.Embed)
	for i := range resp.Embeddings {
		same, err := e.embedding(&resp.Embeddings[i], i, want)
		if err != nil {
			return nil, nil, err
		}
		exact = exact && same
	}
	e.EndArray()
	if !exact {
		e.warn = append(e.warn, dialect.Inexact())
	}
	if resp.ID != "" {
		e.PutStr("id", resp.ID)
	}
	if resp.Model != "" {
		e.PutStr("model", resp.Model)
	}
	if resp.Usage != nil {
		e.usage(resp.Usage)
	}
	e.End(resp.Ext, name, &e.warn, root)
	return e.B, e.warn, nil
}

func (e *embedWriter) embedding(v *scri.Embedding, i int, want string) (exact bool, err error) {
	var o dialect.Object
	o.Begin(e.Writer)
	if !has(v.Ext, "-object") {
		o.PutStr("object", "embedding")
	}
	if !has(v.Ext, "-index") {
		o.Put("index")
		o.Int(int64(v.Index))
	}
	o.Put("embedding")
	if exact, err = dialect.WriteVector(e.Writer, v, want); err != nil {
		return false, err
	}
	o.End(v.Ext, name, &e.warn, func() string { return "/embeddings/" + strconv.Itoa(i) })
	return exact, nil
}

// usage writes the counts; clients count on both.
func (e *embedWriter) usage(u *scri.Usage) {
	if u.Dialect == name && len(u.Raw) > 0 {
		e.Put("usage")
		e.Raw(u.Raw)
		return
	}
	if u.Estimated {
		e.tell(scri.WarnDropped, "/usage/estimated", "counts cannot be marked as estimated")
	}
	if u.Input == nil {
		return
	}
	e.Put("usage")
	e.BeginObject()
	e.Key("prompt_tokens")
	e.Int(*u.Input)
	e.Key("total_tokens")
	e.Int(*u.Input)
	e.EndObject()
}
