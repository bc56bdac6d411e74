package cohere

import (
	"net/http"
	"slices"
	"strings"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

const pathEmbed = "/v2/embed"

var _ dialect.Embedder = cohere{}

// Words of Ext.Form of a request for vectors.
const (
	formImages  = "images"      // its inputs came as images
	formInputs  = "inputs"      // its inputs came as inputs
	formNoTask  = "-input_type" // none was said
	formNoTypes = "-embedding_types"
)

// DecodeEmbedRequest reads the body of /v2/embed.
func (cohere) DecodeEmbedRequest(in *dialect.Incoming) (*scri.EmbedRequest, error) {
	d := &embedDecoder{decoder: newDecoder(in.Body)}
	for name := range d.Members() {
		if !d.KeepNull(&d.u) {
			d.member(name)
		}
	}
	if err := d.End(); err != nil {
		return nil, dialect.Invalid(err)
	}
	if !d.there {
		e := dialect.Missing("/texts")
		e.Hint = "send texts, images or inputs"
		return nil, e
	}
	if d.r.Task == "" {
		d.u.Form(formNoTask)
	}
	if d.r.Encodings == nil {
		d.u.Form(formNoTypes)
	}
	d.r.Ext = d.u.Ext(Name)
	return &d.r, nil
}

type embedDecoder struct {
	*decoder

	r     scri.EmbedRequest
	u     dialect.Unknown
	there bool
}

func (d *embedDecoder) member(name string) {
	r := &d.r
	switch name {
	case "model":
		d.Take(&d.u, &r.Model)
	case "texts":
		d.list("", func() scri.EmbedInput { return scri.EmbedInput{Text: scri.QuotedText(d.Str())} })
	case "images":
		d.list(formImages, func() scri.EmbedInput {
			m := &scri.Media{Type: anyImage, URL: scri.QuotedText(d.Str())}
			if typ, data, ok := dialect.SplitDataURL(m.URL); ok && typ != "" && !data.IsZero() && !strings.HasSuffix(typ, "*") {
				m.Type, m.Data, m.URL = typ, data, scri.Text{}
			}
			return scri.EmbedInput{Parts: []scri.Part{{Kind: scri.PartMedia, Media: m}}}
		})
	case "inputs":
		d.list(formInputs, d.input)
	case "input_type":
		d.word(taskOf, &r.Task)
	case "output_dimension":
		r.Dimensions = new(d.Int())
	case "embedding_types":
		r.Encodings = []string{}
		for range d.Elements() {
			r.Encodings = append(r.Encodings, d.Unquoted())
		}
	case "truncate":
		d.word(truncateOf, &r.Truncate)
	default:
		d.u.Add(d.Member())
	}
}

// list reads one of the lists of inputs. A second one is more than the API takes, and
// an empty one says nothing.
func (d *embedDecoder) list(form string, one func() scri.EmbedInput) {
	at := d.Mark()
	before := len(d.r.Input)
	for range d.Elements() {
		if before > 0 {
			d.Fail("inputs stand in another list already: send one of texts, images and inputs")
			return
		}
		d.r.Input = append(d.r.Input, one())
	}
	if d.there = true; len(d.r.Input) > before {
		if form != "" {
			d.u.Form(form)
		}
		return
	}
	d.Rewind(at)
	d.u.Add(d.Member())
}

// input reads an object with a content.
func (d *embedDecoder) input() scri.EmbedInput {
	var in scri.EmbedInput
	var u dialect.Unknown
	for name := range d.Members() {
		if name != "content" || d.Kind() != wire.Array {
			u.Add(d.Member())
			continue
		}
		for range d.Elements() {
			at := d.Mark()
			p := d.item()
			if p.Kind != scri.PartText && (p.Media == nil || !isImage(p.Media)) {
				d.Rewind(at) // thoughts and documents are for chats
				p = opaque(d.Raw(), "")
			}
			in.Parts = append(in.Parts, p)
		}
	}
	if in.Parts == nil {
		d.Fail("an input needs a content: a list of texts and images")
	}
	in.Ext = u.Ext(Name)
	return in
}

// word reads a word of a closed set, or keeps what is none of it.
func (d *embedDecoder) word(meaning func(string) string, into *string) {
	at := d.Mark()
	if *into = meaning(d.Unquoted()); *into == "" && d.Err() == nil {
		d.Rewind(at)
		d.u.Add(d.Member())
	}
}

func taskOf(word string) string {
	switch word {
	case "search_document":
		return scri.TaskDocument
	case "search_query":
		return scri.TaskQuery
	case scri.TaskClassification, scri.TaskClustering, scri.TaskImage:
		return word
	default:
		return ""
	}
}

func truncateOf(word string) string {
	switch word {
	case "NONE", "START", "END":
		return strings.ToLower(word)
	default:
		return ""
	}
}

// EncodeEmbedRequest writes the body of /v2/embed.
func (cohere) EncodeEmbedRequest(req *scri.EmbedRequest, t *dialect.Target) (*dialect.Outgoing, []scri.Warning, error) {
	e := &embedEncoder{}
	e.enc.Own = Name
	e.Begin(&e.enc.w)
	model := req.Model
	if t != nil && t.Model != "" {
		model = t.Model
	}
	if model != "" {
		e.PutStr("model", model)
	}
	if err := e.inputs(req); err != nil {
		return nil, nil, err
	}
	e.task(req)
	if err := e.types(req); err != nil {
		return nil, nil, err
	}
	if req.Dimensions != nil {
		e.Put("output_dimension")
		e.Int(*req.Dimensions)
	}
	switch req.Truncate {
	case "":
		if req.Ext.Of(Name) == nil { // left to itself Cohere cuts what is too long and tells nobody
			e.PutStr("truncate", "NONE")
			e.enc.Tell(scri.WarnAdded, "truncate", "", scri.TruncateNone, "so that inputs which are too long are not cut in silence")
		}
	case scri.TruncateNone, scri.TruncateStart, scri.TruncateEnd:
		e.PutStr("truncate", strings.ToUpper(req.Truncate))
	default:
		e.enc.Drop("truncate", "there is no such word")
	}
	if req.User != "" {
		e.enc.Drop("user", "embeddings of Cohere have no user")
	}
	e.End(req.Ext, Name, &e.enc.Warn, func() string { return "" })
	return &dialect.Outgoing{
		Method: http.MethodPost, Path: pathEmbed, Header: http.Header{"Content-Type": {"application/json"}}, Body: e.B,
	}, e.enc.Warn, nil
}

// embedEncoder writes a request for vectors, or the answer.
type embedEncoder struct {
	dialect.Object

	enc encoder
}

// inputs writes texts where all are texts, images where the client sent such, and
// else inputs of both.
func (e *embedEncoder) inputs(req *scri.EmbedRequest) error {
	plain := !formed(req.Ext, formInputs)
	images := formed(req.Ext, formImages)
	for i := range req.Input {
		in := &req.Input[i]
		plain = plain && in.Parts == nil
		images = images && len(in.Parts) == 1 && in.Parts[0].Kind == scri.PartMedia && in.Ext == nil
	}
	switch {
	case plain:
		e.Put("texts")
	case images:
		e.Put("images")
	default:
		e.Put("inputs")
	}
	e.BeginArray()
	top := e.enc.In("input")
	for i := range req.Input {
		in := &req.Input[i]
		at := e.enc.At(i)
		switch {
		case in.Tokens != nil:
			return dialect.NoTokens(e.enc.Path())
		case plain:
			text, err := dialect.PlainInput(in, Name, e.enc.Path(), &e.enc.Warn)
			if err != nil {
				return err
			}
			dialect.WriteText(e.Writer, text)
		case images:
			e.image(in.Parts[0].Media)
		default:
			if err := e.input(in); err != nil {
				return err
			}
		}
		e.enc.Out(at)
	}
	e.enc.Out(top)
	e.EndArray()
	return nil
}

func (e *embedEncoder) image(m *scri.Media) {
	if m.Data.IsZero() {
		dialect.WriteText(e.Writer, m.URL)
		return
	}
	e.Comma()
	e.B = dialect.AppendDataURL(e.B, m.Type, m.Data)
}

func (e *embedEncoder) input(in *scri.EmbedInput) error {
	var o dialect.Object
	o.Begin(e.Writer)
	o.Put("content")
	o.BeginArray()
	parts := in.Parts
	if parts == nil {
		parts = []scri.Part{{Kind: scri.PartText, Text: in.Text}}
	}
	for i := range parts {
		p := &parts[i]
		content := e.enc.In("content")
		e.enc.At(i)
		switch {
		case p.Kind == scri.PartText:
			e.enc.open(typeText)
			e.enc.text("text", p.Text)
			e.enc.Ext(e.Writer, p.Ext, nil)
			e.EndObject()
		case p.Kind == scri.PartMedia && isImage(p.Media) && p.Media.Text.IsZero() && p.Media.FileID == "":
			e.enc.image(p)
		case p.Kind == scri.PartOpaque && p.Ext.Of(Name) != nil:
			e.Raw(p.Raw)
		default:
			return &scri.Error{Kind: scri.ErrUnsupported, Path: e.enc.Path(), Message: "only texts and images can be embedded there"}
		}
		e.enc.Out(content)
	}
	o.EndArray()
	if !in.Title.IsZero() {
		e.enc.Drop("title", "inputs have no titles there")
	}
	o.End(in.Ext, Name, &e.enc.Warn, e.enc.Path)
	return nil
}

// task writes what the vectors are for, which models want to know.
func (e *embedEncoder) task(req *scri.EmbedRequest) {
	var word string
	switch t := req.Task; t {
	case "":
		if formed(req.Ext, formNoTask) {
			return
		}
		word = "search_document"
		e.enc.Tell(scri.WarnAdded, "task", "", scri.TaskDocument, "models of Cohere must be told what for")
	case scri.TaskDocument:
		word = "search_document"
	case scri.TaskQuery:
		word = "search_query"
	case scri.TaskClassification, scri.TaskClustering, scri.TaskImage:
		word = t
	case scri.TaskQuestion, scri.TaskFact, scri.TaskCodeQuery:
		word = "search_query"
		e.enc.Tell(scri.WarnChanged, "task", t, scri.TaskQuery, "Cohere has one word for all that is looked for")
	default:
		word = scri.TaskClustering
		if t != scri.TaskSimilarity {
			word = "search_document"
		}
		e.enc.Tell(scri.WarnChanged, "task", t, taskOf(word), "Cohere has no such task")
	}
	e.PutStr("input_type", word)
}

func (e *embedEncoder) types(req *scri.EmbedRequest) error {
	list := req.Encodings
	if list == nil {
		if formed(req.Ext, formNoTypes) {
			return nil
		}
		list = []string{scri.EncodingFloat}
	}
	known := []string{scri.EncodingFloat, scri.EncodingBase64, scri.EncodingInt8, scri.EncodingUint8, scri.EncodingBinary, scri.EncodingUbinary}
	e.Put("embedding_types")
	e.BeginArray()
	for _, word := range list {
		if !slices.Contains(known, word) && req.Ext.Of(Name) == nil {
			return dialect.NoEncoding(word)
		}
		e.Str(word)
	}
	e.EndArray()
	return nil
}
