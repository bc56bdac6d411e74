package openai

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

const pathEmbeddings = "/v1/embeddings"

var _ dialect.Embedder = chat{}

// DecodeEmbedRequest reads a request for embeddings. What others have added to the
// format beside OpenAI is read too: the members of Voyage and Mistral.
func (chat) DecodeEmbedRequest(in *dialect.Incoming) (*scri.EmbedRequest, error) {
	d := &embedRequest{}
	d.Reset(in.Body)
	there := false
	for member := range d.Members() {
		if d.Kind() == wire.Null && member != "input" {
			d.u.Add(d.Member())
			continue
		}
		there = there || member == "input"
		d.member(member)
	}
	if err := d.End(); err != nil {
		return nil, dialect.Invalid(err)
	}
	if !there {
		e := dialect.Missing("/input")
		e.Hint = "send a text, or a list of texts"
		return nil, e
	}
	d.dtype()
	d.r.Ext = d.u.Ext(name)
	return &d.r, nil
}

type embedRequest struct {
	decoder
	r    scri.EmbedRequest
	u    dialect.Unknown
	kind string // output_dtype
}

func (d *embedRequest) member(member string) {
	r := &d.r
	switch member {
	case "model":
		if r.Model = d.Unquoted(); r.Model == "" {
			d.u.Form("model=")
		}
	case "input":
		d.input()
	case "user":
		if r.User = d.Unquoted(); r.User == "" {
			d.u.Form("user=")
		}
	case "encoding_format":
		r.Encodings = []string{d.Unquoted()}
		d.u.Form("encoding_format")
	case "output_dtype":
		d.kind = d.Unquoted()
	case "dimensions":
		r.Dimensions = new(d.Int())
	case "output_dimension":
		if r.Dimensions != nil {
			d.u.Add(d.Member())
			return
		}
		r.Dimensions = new(d.Int())
		d.u.Form("output_dimension")
	case "input_type":
		d.task()
	case "truncation":
		r.Truncate = scri.TruncateNone
		if d.Bool() {
			r.Truncate = scri.TruncateEnd
		}
		d.u.Form("truncation")
	default:
		d.u.Add(d.Member())
	}
}

// dtype joins the two members that say together how vectors are encoded.
func (d *embedRequest) dtype() {
	r, t := &d.r, d.kind
	if t == "" {
		return
	}
	switch {
	case strings.ContainsAny(t, " \t"):
		d.u.Add(append([]byte(`"output_dtype":`), wire.AppendQuote(nil, t)...))
	case len(r.Encodings) == 0:
		r.Encodings = []string{t}
		d.u.Form("output_dtype")
	case t == scri.EncodingFloat: // which is so anyway
		d.u.Form("output_dtype=float")
	case r.Encodings[0] == scri.EncodingBase64:
		r.Encodings[0] = scri.EncodingBase64 + "_" + t
		d.u.Form("output_dtype")
	default:
		d.u.Add(append([]byte(`"output_dtype":`), wire.AppendQuote(nil, t)...))
	}
}

// taskOf are the words of some providers for the tasks that have a word here.
func taskOf(word string) string {
	switch word {
	case "passage", "search_document":
		return scri.TaskDocument
	case "search_query":
		return scri.TaskQuery
	default:
		return word
	}
}

func (d *embedRequest) task() {
	at := d.Mark()
	word := d.Unquoted()
	if word == "" || strings.ContainsAny(word, " \t\n\r") {
		d.Rewind(at)
		d.u.Add(d.Member())
		return
	}
	if d.r.Task = taskOf(word); d.r.Task == word {
		d.u.Form("input_type")
		return
	}
	d.u.Form("input_type=" + word)
}

// input reads one text, one list of tokens, or a list of either.
func (d *embedRequest) input() {
	switch d.Kind() {
	case wire.String:
		d.r.Input = []scri.EmbedInput{{Text: scri.QuotedText(d.Str())}}
		d.u.Form("input:string")
		return
	case wire.Array:
	case wire.Object:
		d.r.Input = []scri.EmbedInput{d.other()}
		d.u.Form("input:string")
		return
	default:
		d.Fail("input must be a text, or a list of texts or of tokens")
		return
	}
	at := d.Mark()
	tokens := false
	for i := range d.Elements() {
		switch d.Kind() {
		case wire.String:
			d.r.Input = append(d.r.Input, scri.EmbedInput{Text: scri.QuotedText(d.Str())})
		case wire.Array:
			d.r.Input = append(d.r.Input, scri.EmbedInput{Tokens: d.tokens()})
		case wire.Number:
			if tokens = i == 0; tokens {
				break
			}
			d.Fail("a token among other inputs")
		case wire.Object:
			d.r.Input = append(d.r.Input, d.other())
		default:
			d.Fail("an input must be a text or a list of tokens")
		}
		if tokens || d.Err() != nil {
			break
		}
	}
	if tokens && d.Err() == nil {
		d.Rewind(at)
		d.r.Input = []scri.EmbedInput{{Tokens: d.tokens()}}
		d.u.Form("input:string")
	}
}

// other carries an input of another kind along.
func (d *embedRequest) other() scri.EmbedInput {
	return scri.EmbedInput{Parts: []scri.Part{d.opaque()}}
}

// tokens reads a list of numbers.
func (d *embedRequest) tokens() scri.RawJSON {
	at := d.Mark()
	n := 0
	for range d.Elements() {
		d.Int()
		n++
	}
	if d.Err() != nil {
		return nil
	}
	if n == 0 {
		d.Fail("an input without tokens")
		return nil
	}
	d.Rewind(at)
	return d.Raw()
}

// EncodeEmbedRequest writes a request for embeddings.
func (chat) EncodeEmbedRequest(req *scri.EmbedRequest, t *dialect.Target) (*dialect.Outgoing, []scri.Warning, error) {
	e := &embedWriter{}
	model := req.Model
	if t != nil && t.Model != "" {
		model = t.Model
	}
	e.Begin(&e.w)
	if model != "" || has(req.Ext, "model=") {
		e.PutStr("model", model)
	}
	if err := e.inputs(req); err != nil {
		return nil, nil, err
	}
	if err := e.encoding(req); err != nil {
		return nil, nil, err
	}
	if req.Dimensions != nil {
		key := "dimensions"
		if has(req.Ext, "output_dimension") {
			key = "output_dimension"
		}
		e.Put(key)
		e.Int(*req.Dimensions)
	}
	e.taskAndCut(req)
	if req.User != "" || has(req.Ext, "user=") {
		e.PutStr("user", req.User)
	}
	e.End(req.Ext, name, &e.warn, root)
	return &dialect.Outgoing{
		Method: http.MethodPost, Path: "/embeddings", Header: http.Header{"Content-Type": {"application/json"}}, Body: e.B,
	}, e.warn, nil
}

func root() string { return "" }

// embedWriter writes a request for embeddings, or the answer.
type embedWriter struct {
	dialect.Object
	w    wire.Writer
	warn []scri.Warning
}

func (e *embedWriter) tell(code, path, detail string) {
	e.warn = append(e.warn, scri.Warning{Code: code, Path: path, Detail: detail})
}

func (e *embedWriter) inputs(req *scri.EmbedRequest) error {
	e.Put("input")
	bare := len(req.Input) == 1 && has(req.Ext, "input:string")
	if !bare {
		e.BeginArray()
	}
	for i := range req.Input {
		if err := e.input(&req.Input[i], "/input/"+strconv.Itoa(i)); err != nil {
			return err
		}
	}
	if !bare {
		e.EndArray()
	}
	return nil
}

func (e *embedWriter) input(in *scri.EmbedInput, path string) error {
	switch {
	case in.Tokens != nil:
		e.Raw(in.Tokens)
		if !in.Title.IsZero() {
			e.tell(scri.WarnDropped, path+"/title", "inputs have no titles there")
		}
		dialect.Foreign(&e.warn, in.Ext, name, func() string { return path })
		return nil
	case len(in.Parts) == 1 && in.Parts[0].Kind == scri.PartOpaque && in.Parts[0].Ext.Of(name) != nil:
		e.Raw(in.Parts[0].Raw)
		return nil
	default:
		text, err := dialect.PlainInput(in, name, path, &e.warn)
		if err != nil {
			return err
		}
		dialect.WriteText(e.Writer, text)
		return nil
	}
}

// encoding writes how vectors are wanted. What is made of numbers here anyway is
// asked for only by those who speak this format.
func (e *embedWriter) encoding(req *scri.EmbedRequest) error {
	switch {
	case len(req.Encodings) == 0:
	case len(req.Encodings) > 1 && dialect.Derived(req.Encodings):
	case len(req.Encodings) > 1:
		return dialect.NoEncoding("several encodings at once")
	case has(req.Ext, "output_dtype"):
		dtype, base64 := strings.CutPrefix(req.Encodings[0], scri.EncodingBase64+"_")
		if base64 {
			e.PutStr("encoding_format", scri.EncodingBase64)
		}
		e.PutStr("output_dtype", dtype)
	case strings.HasPrefix(req.Encodings[0], scri.EncodingBase64), req.Encodings[0] == scri.EncodingFloat, has(req.Ext, "encoding_format"):
		e.PutStr("encoding_format", req.Encodings[0])
	default:
		return dialect.NoEncoding(req.Encodings[0])
	}
	if has(req.Ext, "output_dtype=float") {
		e.PutStr("output_dtype", scri.EncodingFloat)
	}
	return nil
}

// taskAndCut writes what only some who speak the format know, for those who came
// with it.
func (e *embedWriter) taskAndCut(req *scri.EmbedRequest) {
	if req.Task != "" {
		spelled := spelledBehind(req.Ext, "input_type=")
		switch {
		case has(req.Ext, "input_type"):
			e.PutStr("input_type", req.Task)
		case spelled != "" && taskOf(spelled) == req.Task:
			e.PutStr("input_type", spelled)
		default:
			e.tell(scri.WarnDropped, "/task", "embeddings of OpenAI have no task")
		}
	}
	switch {
	case req.Truncate == "":
	case has(req.Ext, "truncation") && req.Truncate != scri.TruncateStart:
		e.Put("truncation")
		e.Bool(req.Truncate == scri.TruncateEnd)
	case req.Truncate == scri.TruncateNone:
		e.tell(scri.WarnEmulated, "/truncate", "what embeddings of OpenAI do anyway")
	default:
		e.tell(scri.WarnDropped, "/truncate", "inputs that are too long are an error")
	}
}

// spelledBehind is what the form says behind a word that ends in "=".
func spelledBehind(x *scri.Ext, word string) string {
	if x = x.Of(name); x == nil {
		return ""
	}
	for w := range strings.FieldsSeq(x.Form) {
		if rest, ok := strings.CutPrefix(w, word); ok {
			return rest
		}
	}
	return ""
}
