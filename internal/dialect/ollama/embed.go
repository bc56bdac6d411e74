package ollama

import (
	"errors"
	"net/http"
	"strconv"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// VariantOld is the route /api/embeddings: one prompt, and a vector that is not
// brought to length one.
const VariantOld = "embeddings"

const (
	pathEmbed    = "/api/embed"
	pathEmbedOld = "/api/embeddings"
)

var _ dialect.Embedder = ollama{}

var errNoVectors = errors.New("an answer without embeddings")

// DecodeEmbedRequest reads the body of /api/embed or /api/embeddings.
func (ollama) DecodeEmbedRequest(in *dialect.Incoming) (*scri.EmbedRequest, error) {
	d := &embedReader{s: wire.NewScanner(in.Body), old: in.Route.Variant == VariantOld}
	there := false
	field := "input"
	if d.old {
		field = "prompt"
		d.rest.Form(VariantOld)
	}
	for name := range d.s.Members() {
		if d.s.Kind() == wire.Null {
			d.rest.Add(d.s.Member())
			continue
		}
		there = there || name == field
		d.member(name, field)
	}
	if err := d.s.End(); err != nil {
		return nil, dialect.Invalid(err)
	}
	if !there {
		e := dialect.Missing("/" + field)
		e.Hint = "send the text"
		return nil, e
	}
	if d.req.Truncate == "" && !d.old {
		d.rest.Form("-truncate")
	}
	d.req.Ext = d.rest.Ext(Name)
	return &d.req, nil
}

type embedReader struct {
	s    *wire.Scanner
	req  scri.EmbedRequest
	rest dialect.Unknown
	old  bool
}

func (d *embedReader) member(name, field string) {
	s := d.s
	switch {
	case name == "model":
		if d.req.Model = s.Unquoted(); d.req.Model == "" {
			d.rest.Form("+model")
		}
	case name == field && s.Kind() == wire.String:
		d.req.Input = []scri.EmbedInput{{Text: scri.QuotedText(s.Str())}}
		if !d.old {
			d.rest.Form("input=string")
		}
	case name == field && d.old:
		s.Fail("prompt must be a text")
	case name == field:
		for range s.Elements() {
			d.req.Input = append(d.req.Input, scri.EmbedInput{Text: scri.QuotedText(s.Str())})
		}
	case name == "truncate" && !d.old:
		d.req.Truncate = scri.TruncateNone
		if s.Bool() {
			d.req.Truncate = scri.TruncateEnd
		}
	case name == "dimensions" && !d.old:
		d.req.Dimensions = new(s.Int())
	default:
		d.rest.Add(s.Member())
	}
}

// EncodeEmbedRequest writes the body of /api/embed, or of /api/embeddings for a
// request that came to us there and still fits it.
func (ollama) EncodeEmbedRequest(req *scri.EmbedRequest, t *dialect.Target) (*dialect.Outgoing, []scri.Warning, error) {
	if t == nil {
		t = new(dialect.Target)
	}
	for _, word := range req.Encodings {
		if !dialect.Derived([]string{word}) {
			return nil, nil, dialect.NoEncoding(word)
		}
	}
	e := &embedWriter{own: req.Ext.Of(Name), t: t}
	e.Begin(&e.w)
	model := t.Model
	if model == "" {
		model = req.Model
	}
	if model != "" || formed(e.own, "+model") {
		e.PutStr("model", model)
	}
	path := pathEmbed
	if formed(e.own, VariantOld) && len(req.Input) == 1 && req.Dimensions == nil && req.Truncate == "" {
		path = pathEmbedOld
	}
	if err := e.inputs(req, path == pathEmbedOld); err != nil {
		return nil, nil, err
	}
	if path == pathEmbed {
		e.limits(req)
	}
	if req.Task != "" {
		e.drop("/task", "Ollama has no tasks")
	}
	if req.User != "" {
		e.drop("/user", "Ollama has no users")
	}
	e.added()
	e.End(req.Ext, Name, &e.warn, func() string { return "" })
	return &dialect.Outgoing{
		Method: http.MethodPost, Path: path, Body: e.B, Header: http.Header{"Content-Type": {"application/json"}},
	}, e.warn, nil
}

// embedWriter writes a request for vectors, or the answer.
type embedWriter struct {
	dialect.Object
	losses
	w   wire.Writer
	own *scri.Ext // of the request, if it is ours
	t   *dialect.Target
}

func (e *embedWriter) inputs(req *scri.EmbedRequest, old bool) error {
	single := old || len(req.Input) == 1 && formed(e.own, "input=string")
	if old {
		e.Put("prompt")
	} else {
		e.Put("input")
	}
	if !single {
		e.BeginArray()
	}
	for i := range req.Input {
		text, err := dialect.PlainInput(&req.Input[i], Name, "/input/"+strconv.Itoa(i), &e.warn)
		if err != nil {
			return err
		}
		dialect.WriteText(e.Writer, text)
	}
	if !single {
		e.EndArray()
	}
	return nil
}

// limits writes how long inputs and vectors may be. Left to itself Ollama cuts what
// is too long and tells nobody, so only its own clients get that unasked.
func (e *embedWriter) limits(req *scri.EmbedRequest) {
	switch {
	case req.Truncate == scri.TruncateStart:
		e.change("/truncate", scri.TruncateStart, scri.TruncateEnd, "Ollama cuts off the end")
		fallthrough
	case req.Truncate == scri.TruncateEnd:
		e.Put("truncate")
		e.Bool(true)
	case req.Truncate != "":
		e.Put("truncate")
		e.Bool(false)
	case formed(e.own, "-truncate"), formed(e.own, VariantOld), member(e.own, "truncate") != nil:
	default:
		e.Put("truncate")
		e.Bool(false)
		e.warn = append(e.warn, scri.Warning{
			Code: scri.WarnAdded, Path: "/truncate", To: "false", Detail: "so that inputs which are too long are not cut in silence",
		})
	}
	if req.Dimensions != nil {
		e.Put("dimensions")
		e.Int(*req.Dimensions)
	}
}

// added writes what the gateway asks for besides: how long the model shall stay, and
// the context window, unless the client sets options of its own.
func (e *embedWriter) added() {
	said := func(name string) bool {
		raw := member(e.own, name)
		return raw != nil && string(raw) != "null"
	}
	if e.t.KeepAlive != "" && !said("keep_alive") {
		e.Put("keep_alive")
		writeKeepAlive(e.Writer, e.t.KeepAlive)
		e.add(scri.WarnAdded, "/ext/keep_alive", "set for this model")
	}
	if e.t.NumCtx > 0 && !said("options") {
		e.Put("options")
		e.BeginObject()
		e.Key("num_ctx")
		e.Int(e.t.NumCtx)
		e.EndObject()
		e.add(scri.WarnAdded, "/ext/options/num_ctx", "the inputs need it")
	}
}
