package gemini

import (
	"strconv"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// Vertex AI makes vectors by its older verb for all models, with a body of its own:
// instances, and parameters of all of them.
const (
	verbPredict    = "predict"
	variantPredict = "predict"
	formPredict    = "predict" // Ext.Form of a request: it came so
)

// predicted reads the body of :predict. It reports whether there were instances.
func (d *embedDecoder) predicted() (there bool) {
	d.u.Form(formPredict)
	for as := range d.Members() {
		switch {
		case as == "instances" && d.Kind() == wire.Array:
			there = true
			for range d.Elements() {
				d.instance()
			}
		case as == "parameters" && d.Kind() == wire.Object:
			d.parameters()
		default:
			d.u.Add(d.Member())
		}
	}
	return there
}

func (d *embedDecoder) instance() {
	var a askedVector
	content := false
	for as := range d.Members() {
		if d.KeepNull(&a.u) {
			continue
		}
		switch camel(as) {
		case "content":
			content = true
			a.in.Text = scri.QuotedText(d.Str())
		case "title":
			if d.Empty() {
				a.u.Add(d.Member())
			} else {
				a.in.Title = scri.QuotedText(d.Str())
			}
		case memberTask:
			at := d.Mark()
			d.Str()
			d.Rewind(at)
			a.task = d.Member()
		default:
			a.u.Add(d.Member())
		}
	}
	a.empty = !content
	d.list = append(d.list, a)
}

func (d *embedDecoder) parameters() {
	var rest dialect.Unknown
	some := false
	for as := range d.Members() {
		switch n := camel(as); {
		case n == memberLength && d.Kind() == wire.Number:
			d.r.Dimensions, some = new(d.Int()), true
			name(as, &d.u)
		case n == "autoTruncate" && d.Kind() == wire.Bool:
			if d.r.Truncate, some = scri.TruncateNone, true; d.Bool() {
				d.r.Truncate = scri.TruncateEnd
			}
			name(as, &d.u)
		default:
			rest.Add(d.Member())
		}
	}
	switch {
	case !rest.Empty():
		addNested(&d.u, "parameters", &rest)
	case !some:
		d.u.Form("parameters")
	}
}

// predict writes the body of :predict.
func (e *embedEncoder) predict() error {
	own := e.req.Ext.Of(Name)
	w := &e.w
	w.BeginObject()
	w.Key("instances")
	w.BeginArray()
	top := e.In("input")
	for i := range e.req.Input {
		at := e.At(i)
		if err := e.instanceOf(&e.req.Input[i], own); err != nil {
			return err
		}
		e.Out(at)
	}
	e.Out(top)
	w.EndArray()
	e.parametersOf(own)
	e.ExtLess(w, e.req.Ext, "parameters")
	w.EndObject()
	return nil
}

func (e *embedEncoder) instanceOf(in *scri.EmbedInput, own *scri.Ext) error {
	plain := *in
	plain.Title, plain.Ext = scri.Text{}, nil
	text, err := dialect.PlainInput(&plain, Name, e.Path(), &e.Warn)
	if err != nil {
		return err
	}
	w, said := &e.w, []string{"content"}
	w.BeginObject()
	w.Key("content")
	dialect.WriteText(w, text)
	if e.word != "" && member(in.Ext, memberTask) == nil && member(in.Ext, snake(memberTask)) == nil {
		said = append(said, memberTask)
		key := spelling(own, memberTask)
		if own == nil {
			key = snake(memberTask) // as the API documents it here
		}
		w.Key(key)
		w.Str(e.word)
	}
	if !in.Title.IsZero() {
		said = append(said, "title")
		w.Key("title")
		dialect.WriteText(w, in.Title)
	}
	e.ext(in.Ext, said...)
	w.EndObject()
	return nil
}

func (e *embedEncoder) parametersOf(own *scri.Ext) {
	w, r := &e.w, e.req
	cut := r.Truncate
	if cut == "" && own == nil { // left to itself the API cuts what is too long
		cut = scri.TruncateNone
		e.Tell(scri.WarnAdded, "truncate", "", cut, "so that inputs which are too long are not cut in silence")
	}
	if cut != "" && cut != scri.TruncateNone && cut != scri.TruncateEnd {
		e.Drop("truncate", "only what is at the end can be cut there")
		cut = ""
	}
	rest := nested(own, "parameters")
	if r.Dimensions == nil && cut == "" && rest == nil && !formed(own, "parameters") {
		return
	}
	w.Key("parameters")
	w.BeginObject()
	if r.Dimensions != nil {
		e.key(own, memberLength)
		w.Int(*r.Dimensions)
	}
	if cut != "" {
		e.key(own, "autoTruncate")
		w.Bool(cut == scri.TruncateEnd)
	}
	if rest != nil {
		e.ext(rest, memberLength, "autoTruncate")
	}
	w.EndObject()
}

// prediction reads one vector of an answer to :predict, and the tokens it took.
func (d *vectorDecoder) prediction() {
	d.there = true
	if len(d.r.Embeddings) >= scri.MaxEmbedInputs {
		d.Fail("more vectors than inputs")
		return
	}
	v := scri.Embedding{Index: len(d.r.Embeddings), Encoding: scri.EncodingFloat}
	var u, inner dialect.Unknown
	slight := true
	for as := range d.Members() {
		if as != "embeddings" || d.Kind() != wire.Object {
			u.Add(d.Member())
			continue
		}
		for as := range d.Members() {
			switch {
			case as == "values" && d.Kind() == wire.Array:
				v.Values = d.Raw()
			case as == "statistics" && d.Kind() == wire.Object:
				at := d.Mark()
				slight = d.statistics() && slight
				d.Rewind(at)
				inner.Add(d.Member())
			default:
				slight = false
				inner.Add(d.Member())
			}
		}
	}
	if v.Values == nil {
		d.Fail("a vector without values")
		return
	}
	addNested(&u, "embeddings", &inner)
	if slight && !inner.Empty() {
		u.Form(dialect.Slight + "embeddings")
	}
	v.Ext = u.Ext(Name)
	d.r.Embeddings = append(d.r.Embeddings, v)
}

// statistics reads what one vector took. It is false when they tell more than that
// and that nothing was cut.
func (d *vectorDecoder) statistics() (all bool) {
	all = true
	for as := range d.Members() {
		switch {
		case camel(as) == "tokenCount" && d.Kind() == wire.Number:
			if n := dialect.Count(&d.Scanner); n != nil {
				if d.r.Usage == nil {
					d.r.Usage = &scri.Usage{Input: new(int64)}
				}
				*d.r.Usage.Input += *n
			}
		case as == "truncated" && d.Kind() == wire.Bool:
			all = !d.Bool() && all
		default:
			all = false
		}
	}
	return all
}

// predictions writes the vectors of an answer to :predict. Tokens are told of each
// vector, so the count of several has no place.
func (e *encoder) predictions(list []dialect.Vector, resp *scri.EmbedResponse) error {
	e.w.Key("predictions")
	e.w.BeginArray()
	counted := false
	for i := range list {
		v := &list[i]
		e.w.BeginObject()
		e.w.Key("embeddings")
		e.w.BeginObject()
		e.w.Key("values")
		if _, err := dialect.WriteVector(&e.w, v.Embedding, scri.EncodingFloat); err != nil {
			return err
		}
		at := e.In("embeddings/" + strconv.Itoa(v.At))
		inner := nested(v.Ext, "embeddings")
		switch own := member(inner, "statistics"); {
		case own != nil:
			counted = true
		case len(list) == 1 && resp.Usage != nil && resp.Usage.Input != nil && !resp.Usage.Estimated:
			counted = true
			e.w.Key("statistics")
			e.w.BeginObject()
			e.w.Key("token_count")
			e.w.Int(*resp.Usage.Input)
			e.w.EndObject()
		}
		if inner != nil {
			e.ext(inner, "values")
		}
		e.w.EndObject()
		e.ExtLess(&e.w, v.Ext, "embeddings")
		e.Out(at)
		e.w.EndObject()
	}
	e.w.EndArray()
	if u := resp.Usage; u != nil && u.Input != nil && !counted {
		e.Drop("usage/input_tokens", "tokens are told of each vector here")
		if u.Estimated {
			e.Drop("usage/estimated", "and not at all where they are estimated")
		}
	}
	return nil
}
