package native

import (
	"net/http"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

const pathEmbed = "/api/v1/embed"

var _ dialect.Embedder = native{}

// DecodeEmbedRequest reads a request for vectors.
func (native) DecodeEmbedRequest(in *dialect.Incoming) (*scri.EmbedRequest, error) {
	d := new(decoder)
	d.Reset(in.Body)
	req := new(scri.EmbedRequest)
	var x extra
	asked := false
	for name := range d.Members() {
		if d.null(&x) {
			continue
		}
		asked = asked || name == "input"
		d.embedMember(req, &x, name)
	}
	d.require(asked, "input")
	if err := d.end(); err != nil {
		return nil, err
	}
	req.Ext = x.result()
	return req, nil
}

func (d *decoder) embedMember(req *scri.EmbedRequest, x *extra, name string) {
	switch name {
	case "model":
		req.Model = d.str(x, name)
	case "input":
		req.Input = d.embedInputs(x)
	case "task":
		req.Task = d.str(x, name)
	case "dimensions":
		req.Dimensions = d.intPtr()
	case "encoding":
		if d.Kind() == wire.String {
			x.word("encoding:string")
			req.Encodings = []string{d.plain()}
			return
		}
		req.Encodings = d.strings(x, name)
	case "truncate":
		req.Truncate = d.str(x, name)
	case "user":
		req.User = d.str(x, name)
	case "routing":
		d.child(x, name, func(c *extra) { req.Routing = d.routing(c) })
	case "ext":
		d.ext(x, false)
	default:
		x.keep(d.Member())
	}
}

// embedInputs reads one input or a list of them. A list of numbers is one input.
func (d *decoder) embedInputs(x *extra) []scri.EmbedInput {
	one := d.Kind() != wire.Array
	at := d.Mark()
	if !one {
		for range d.Elements() {
			one = d.Kind() == wire.Number
			break
		}
		d.Rewind(at)
	}
	if one {
		x.word("input:one")
		return []scri.EmbedInput{d.embedInput()}
	}
	return list(d, x, "input", d.embedInput)
}

func (d *decoder) embedInput() scri.EmbedInput {
	switch d.Kind() {
	case wire.String:
		return scri.EmbedInput{Text: scri.QuotedText(d.Str())}
	case wire.Array:
		return scri.EmbedInput{Tokens: d.tokens()}
	case wire.Object, wire.Invalid:
	default:
		d.Fail("an input must be a text, a list of tokens or an object")
		return scri.EmbedInput{}
	}
	var in scri.EmbedInput
	var x extra
	for name := range d.Members() {
		if d.null(&x) {
			continue
		}
		switch name {
		case "text":
			in.Text = d.text(&x, name)
		case "tokens":
			in.Tokens = d.tokens()
		case "content":
			in.Parts = d.content(&x, name)
		case "title":
			in.Title = d.text(&x, name)
		case "ext":
			d.ext(&x, false)
		default:
			x.keep(d.Member())
		}
	}
	if in.Ext = x.result(); in.Bare() || in.BareTokens() {
		x.word("object")
		in.Ext = x.result()
	}
	return in
}

// tokens reads a list of whole numbers.
func (d *decoder) tokens() scri.RawJSON {
	at := d.Mark()
	n := 0
	for range d.Elements() {
		d.Int()
		n++
	}
	if n == 0 {
		d.Fail("an input without tokens")
	}
	if d.Err() != nil {
		return nil
	}
	d.Rewind(at)
	return scri.RawJSON(d.Raw())
}

// EncodeEmbedRequest writes a request for vectors. Nothing is lost on this way.
func (native) EncodeEmbedRequest(req *scri.EmbedRequest, t *dialect.Target) (*dialect.Outgoing, []scri.Warning, error) {
	e := new(encoder)
	at := e.begin()
	if t != nil && t.Model != "" {
		e.str("model", t.Model)
	} else {
		e.str("model", req.Model)
	}
	e.key("input")
	if len(req.Input) == 1 && formHas(req.Ext, "input:one") {
		e.embedInput(&req.Input[0])
	} else {
		e.BeginArray()
		for i := range req.Input {
			e.embedInput(&req.Input[i])
		}
		e.EndArray()
	}
	e.str("task", req.Task)
	e.intPtr("dimensions", req.Dimensions)
	if len(req.Encodings) == 1 && formHas(req.Ext, "encoding:string") {
		e.key("encoding")
		e.Str(req.Encodings[0])
	} else {
		e.strings("encoding", req.Encodings)
	}
	e.str("truncate", req.Truncate)
	e.str("user", req.User)
	if req.Routing != nil {
		e.routing(req.Routing, req.Ext)
	}
	e.end(at, req.Ext)
	return &dialect.Outgoing{Method: http.MethodPost, Path: pathEmbed, Header: http.Header{"Content-Type": {"application/json"}}, Body: e.B}, nil, nil
}

func (e *encoder) embedInput(in *scri.EmbedInput) {
	switch {
	case in.Bare():
		dialect.WriteText(&e.Writer, in.Text)
		return
	case in.BareTokens():
		e.Raw(in.Tokens)
		return
	}
	at := e.begin()
	e.text("text", in.Text)
	e.raw("tokens", in.Tokens)
	if bare(in.Parts) {
		e.key("content")
		dialect.WriteText(&e.Writer, in.Parts[0].Text)
	} else if len(in.Parts) > 0 {
		e.key("content")
		e.partList(in.Parts)
	}
	e.text("title", in.Title)
	e.end(at, in.Ext)
}
