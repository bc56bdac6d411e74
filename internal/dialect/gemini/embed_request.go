package gemini

import (
	"net/http"
	"slices"
	"strings"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

var _ dialect.Embedder = gemini{}

const (
	verbEmbed = "embedContent"
	verbBatch = "batchEmbedContents"
)

// Words of Ext.Form of a request for vectors.
const (
	formBatch  = "batch"  // it came as a list
	formModels = "models" // each says its model, as "models/NAME"
	formBare   = "bare"   // each says its model, as "NAME"
)

// Members of one request for a vector.
const (
	memberTask   = "taskType"
	memberLength = "outputDimensionality"
)

// DecodeEmbedRequest reads the body of :embedContent, :batchEmbedContents or :predict. What
// all say alike, their task and the length of the vectors, is said of the request; else
// it stays with each.
func (gemini) DecodeEmbedRequest(in *dialect.Incoming) (*scri.EmbedRequest, error) {
	d := &embedDecoder{}
	d.Reset(in.Body)
	if in.Param != nil {
		d.r.Model = strings.TrimPrefix(in.Param("model"), "models/")
	}
	there := in.Route.Verb == verbEmbed
	switch in.Route.Verb {
	case verbPredict:
		there = d.predicted()
	case verbBatch:
		for as := range d.Members() {
			if camel(as) != "requests" || d.Kind() != wire.Array {
				d.u.Add(d.Member())
				continue
			}
			there = true
			for range d.Elements() {
				d.one()
			}
		}
		d.u.Form(formBatch)
	default:
		there = true
		d.one()
	}
	if err := d.End(); err != nil {
		return nil, dialect.Invalid(err)
	}
	switch {
	case in.Route.Verb == verbPredict && len(d.list) == 0:
		return nil, dialect.Missing("/instances")
	case !there || len(d.list) == 0:
		return nil, dialect.Missing("/requests")
	}
	if i := slices.IndexFunc(d.list, func(a askedVector) bool { return a.empty }); i >= 0 {
		at := map[string]string{verbPredict: "/instances/" + itoa(int64(i)), verbBatch: "/requests/" + itoa(int64(i))}
		return nil, dialect.Missing(at[in.Route.Verb] + "/content")
	}
	d.finish()
	return &d.r, nil
}

type embedDecoder struct {
	decoder
	r    scri.EmbedRequest
	u    dialect.Unknown
	list []askedVector
}

// askedVector is one request for a vector as it stood.
type askedVector struct {
	in           scri.EmbedInput
	u            dialect.Unknown
	task, length []byte // members
	model        string // form of the model it says
	empty        bool   // it has no content
}

// one reads one request for a vector.
func (d *embedDecoder) one() {
	var a askedVector
	content := false
	for as := range d.Members() {
		if d.KeepNull(&a.u) {
			continue
		}
		switch camel(as) {
		case "model":
			at := d.Mark()
			m := d.Unquoted()
			bare := strings.TrimPrefix(m, "models/")
			if d.r.Model == "" {
				d.r.Model = bare
			}
			if d.Err() == nil && bare != d.r.Model {
				d.Rewind(at)
				d.Fail("another model than the one in the path")
			}
			if a.model = formModels; m == bare {
				a.model = formBare
			}
		case "content":
			content = true
			d.content(&a)
		case "title":
			if !d.Empty() {
				a.in.Title = scri.QuotedText(d.Str())
			} else {
				a.u.Add(d.Member())
			}
		case memberTask:
			at := d.Mark()
			d.Str()
			d.Rewind(at)
			a.task = d.Member()
		case memberLength:
			at := d.Mark()
			d.Int()
			d.Rewind(at)
			a.length = d.Member()
		default:
			a.u.Add(d.Member())
		}
		if d.Err() != nil {
			return
		}
	}
	a.empty = !content
	d.list = append(d.list, a)
}

// content reads what the vector is made of.
func (d *embedDecoder) content(a *askedVector) {
	var rest dialect.Unknown
	slight := true
	for as := range d.Members() {
		if as == "parts" && d.Kind() != wire.Null {
			if d.list0(&a.in) {
				rest.Form("part")
			}
			continue
		}
		slight = slight && as == "role"
		rest.Add(d.Member())
	}
	if len(a.in.Parts) == 0 && d.Err() == nil {
		d.Fail("a content needs parts")
		return
	}
	if p := a.in.Parts; len(p) == 1 && p[0].Kind == scri.PartText && p[0].Ext == nil && p[0].Signature == nil {
		a.in.Text, a.in.Parts = p[0].Text, nil
	}
	if !rest.Empty() {
		a.u.Add(append([]byte(`"content":`), rest.Object()...))
		if slight { // who speaks is nothing to a vector
			a.u.Form(dialect.Slight + "content")
		}
	}
	if w := rest.Spelled(); w != "" {
		a.u.Form(w)
	}
}

// list0 reads the parts, and reports whether there was one alone.
func (d *embedDecoder) list0(in *scri.EmbedInput) (single bool) {
	return d.decoder.list(func() {
		at := d.Mark()
		p := d.part()
		if p.Kind != scri.PartText && p.Kind != scri.PartMedia && p.Kind != scri.PartOpaque {
			d.Rewind(at) // calls and thoughts are for chats
			p = opaque(d.Raw())
		}
		in.Parts = append(in.Parts, p)
	})
}

// finish says of the request what all its parts say alike.
func (d *embedDecoder) finish() {
	task, length, model := d.list[0].task, d.list[0].length, d.list[0].model
	for i := range d.list {
		a := &d.list[i]
		if string(a.task) != string(task) {
			task = nil
		}
		if string(a.length) != string(length) {
			length = nil
		}
		if a.model != model {
			model = ""
		}
	}
	var s wire.Scanner
	if task != nil {
		s.Reset(append(append([]byte{'{'}, task...), '}'))
		for as := range s.Members() {
			if d.r.Task = taskOf(s.Unquoted()); d.r.Task == "" {
				task = nil
			} else {
				name(as, &d.u)
			}
		}
	}
	if length != nil {
		s.Reset(append(append([]byte{'{'}, length...), '}'))
		for as := range s.Members() {
			d.r.Dimensions = new(s.Int())
			name(as, &d.u)
		}
	}
	if model != "" {
		d.u.Form(model)
	}
	for i := range d.list {
		a := &d.list[i]
		if task == nil {
			a.u.Add(a.task)
		}
		if length == nil {
			a.u.Add(a.length)
		}
		a.in.Ext = a.u.Ext(Name)
		d.r.Input = append(d.r.Input, a.in)
	}
	d.r.Ext = d.u.Ext(Name)
	if d.r.Ext == nil {
		d.r.Ext = &scri.Ext{Dialect: Name}
	}
}

// tasks are the words of the API for what vectors are for.
func tasks() [8][2]string {
	return [...][2]string{
		{scri.TaskQuery, "RETRIEVAL_QUERY"},
		{scri.TaskDocument, "RETRIEVAL_DOCUMENT"},
		{scri.TaskSimilarity, "SEMANTIC_SIMILARITY"},
		{scri.TaskClassification, "CLASSIFICATION"},
		{scri.TaskClustering, "CLUSTERING"},
		{scri.TaskQuestion, "QUESTION_ANSWERING"},
		{scri.TaskFact, "FACT_VERIFICATION"},
		{scri.TaskCodeQuery, "CODE_RETRIEVAL_QUERY"},
	}
}

func taskOf(word string) string {
	for _, t := range tasks() {
		if t[1] == word {
			return t[0]
		}
	}
	return ""
}

// EncodeEmbedRequest writes the body of :embedContent for one input, of
// :batchEmbedContents for several, or of :predict for a target that wants that.
func (gemini) EncodeEmbedRequest(req *scri.EmbedRequest, t *dialect.Target) (*dialect.Outgoing, []scri.Warning, error) {
	e := &embedEncoder{req: req, model: req.Model}
	e.Own = Name
	if t != nil && t.Model != "" {
		e.model = t.Model
	}
	e.model = strings.TrimPrefix(e.model, "models/")
	if !dialect.Derived(req.Encodings) {
		return nil, nil, dialect.NoEncoding(strings.Join(req.Encodings, ", "))
	}
	e.task()
	if t != nil && t.Variant == variantPredict {
		if err := e.predict(); err != nil {
			return nil, nil, err
		}
		out := e.outgoing(verbPredict)
		return out, e.Warn, nil
	}
	verb, batch := verbEmbed, len(req.Input) != 1 || formed(req.Ext, formBatch)
	in := e.In("input")
	if batch {
		verb = verbBatch
		e.w.BeginObject()
		e.w.Key("requests")
		e.w.BeginArray()
	}
	for i := range req.Input {
		at := e.At(i)
		if err := e.input(&req.Input[i], batch); err != nil {
			return nil, nil, err
		}
		e.Out(at)
	}
	e.Out(in)
	if batch {
		e.w.EndArray()
		e.ext(req.Ext, "requests")
		e.w.EndObject()
	} else {
		e.Homeless(req.Ext)
	}
	if req.Truncate != "" {
		e.Drop("truncate", "there is no word for what becomes of inputs that are too long")
	}
	out := e.outgoing(verb)
	return out, e.Warn, nil
}

func (e *embedEncoder) outgoing(verb string) *dialect.Outgoing {
	if e.req.User != "" {
		e.Drop("user", "there is no such field here")
	}
	return &dialect.Outgoing{
		Method: http.MethodPost, Path: modelPath(e.model, verb), Header: http.Header{"Content-Type": {"application/json"}}, Body: e.w.B,
	}
}

type embedEncoder struct {
	encoder
	req   *scri.EmbedRequest
	model string
	word  string // of the task; "" = none
}

func (e *embedEncoder) task() {
	if e.req.Task == "" {
		return
	}
	for _, t := range tasks() {
		if t[0] == e.req.Task {
			e.word = t[1]
			return
		}
	}
	e.Drop("task", "there is no such task here")
}

// input writes one request for a vector.
func (e *embedEncoder) input(in *scri.EmbedInput, batch bool) error {
	if in.Tokens != nil {
		return dialect.NoTokens(e.Path())
	}
	w := &e.w
	own := e.req.Ext.Of(Name)
	w.BeginObject()
	said := []string{"content"}
	switch {
	case formed(own, formBare):
		w.Key("model")
		w.Str(e.model)
		said = append(said, "model")
	case formed(own, formModels) || own == nil && batch:
		w.Key("model")
		w.Str("models/" + e.model)
		said = append(said, "model")
	}
	w.Key("content")
	w.BeginObject()
	if err := e.parts(in); err != nil {
		return err
	}
	e.ext(nested(in.Ext, "content"), "parts")
	w.EndObject()
	if e.word != "" && member(in.Ext, memberTask) == nil {
		e.key(own, memberTask)
		w.Str(e.word)
		said = append(said, memberTask)
	}
	if !in.Title.IsZero() {
		w.Key("title")
		dialect.WriteText(w, in.Title)
		said = append(said, "title")
	}
	if n := e.req.Dimensions; n != nil {
		e.key(own, memberLength)
		w.Int(*n)
		said = append(said, memberLength)
	}
	e.inputExt(in.Ext, said)
	w.EndObject()
	return nil
}

// inputExt writes the members of an input that only this dialect knows, less its
// content, into which the others of that went.
func (e *embedEncoder) inputExt(x *scri.Ext, said []string) {
	own := x.Of(Name)
	if own == nil || len(own.Members) == 0 {
		e.Foreign(x)
		return
	}
	var u dialect.Unknown
	s := wire.NewScanner(own.Members)
	for n := range s.Members() {
		if m := s.Member(); n != "content" {
			u.Add(m)
		}
	}
	e.ext(&scri.Ext{Dialect: Name, Members: u.Object()}, said...)
}

func (e *embedEncoder) parts(in *scri.EmbedInput) error {
	single := formed(in.Ext, "part")
	e.w.Key("parts")
	if !single {
		e.w.BeginArray()
	}
	if in.Parts == nil {
		e.w.BeginObject()
		e.w.Key("text")
		dialect.WriteText(&e.w, in.Text)
		e.w.EndObject()
	}
	within := e.In("content")
	for i := range in.Parts {
		at := e.At(i)
		p := &in.Parts[i]
		known := p.Kind == scri.PartText || p.Kind == scri.PartMedia || p.Kind == scri.PartOpaque
		if before := len(e.Warn); !known || !e.part(p) {
			e.Warn = e.Warn[:before]
			return &scri.Error{Kind: scri.ErrUnsupported, Path: e.Path(), Message: "only texts, and media that Gemini knows, can be embedded there"}
		}
		e.Out(at)
	}
	e.Out(within)
	if !single {
		e.w.EndArray()
	}
	return nil
}
