package native

import (
	"net/http"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// EncodeCount writes the number of tokens of a request.
func (native) EncodeCount(b []byte, _ *dialect.Incoming, c *scri.CountResponse) []byte {
	e := new(encoder)
	e.B = b
	at := e.begin()
	e.key("input_tokens")
	e.Int(c.Input)
	e.key("estimated")
	e.Bool(c.Estimated)
	e.key("model")
	e.Str(c.Model)
	e.key("provider")
	e.Str(c.Provider)
	e.lineage(c.Lineage, c.Ext)
	e.end(at, c.Ext)
	return e.B
}

// DecodeCount reads the number of tokens of a request.
func (native) DecodeCount(a *dialect.Answer) (*scri.CountResponse, error) {
	d := &decoder{lenient: true}
	d.Reset(a.Body)
	if d.Peek("error") != nil {
		if f := decodeError(a); f != nil {
			return nil, f
		}
	}
	c := new(scri.CountResponse)
	var x extra
	there := false
	for name := range d.Members() {
		if d.null(&x) {
			continue
		}
		switch name {
		case "input_tokens":
			c.Input, there = d.Int(), true
		case "estimated":
			d.try(&x, func() { c.Estimated = d.Bool() })
		case "model":
			d.try(&x, func() { c.Model = d.plain() })
		case "provider":
			d.try(&x, func() { c.Provider = d.plain() })
		case "lineage":
			d.try(&x, func() { d.child(&x, name, func(in *extra) { c.Lineage = d.lineage(in) }) })
		case "ext":
			d.ext(&x, false)
		default:
			x.keep(d.Member())
		}
	}
	if !there && d.Err() == nil {
		d.Fail("input_tokens is missing")
	}
	if err := d.End(); err != nil {
		return nil, dialect.Unreadable(err)
	}
	c.Ext = x.result()
	return c, nil
}

// EncodeModels writes `{"models":[...],"notes":[...]}`.
func (native) EncodeModels(b []byte, _ *dialect.Incoming, l *scri.ModelList) []byte {
	e := new(encoder)
	e.B = append(b, `{"models":[`...)
	for i := range l.Models {
		e.model(&l.Models[i])
	}
	e.EndArray()
	if len(l.Notes) > 0 {
		e.key("notes")
		e.BeginArray()
		for _, n := range l.Notes {
			at := e.begin()
			e.key("name")
			e.Str(n.Name)
			e.str("zone", n.Zone)
			e.key("why")
			e.Str(n.Why)
			e.end(at, nil)
		}
		e.EndArray()
	}
	e.EndObject()
	return e.B
}

// EncodeModel writes one model as it stands in the list.
func (native) EncodeModel(b []byte, _ *dialect.Incoming, m *scri.ModelInfo) []byte {
	e := new(encoder)
	e.B = b
	e.model(m)
	return e.B
}

func (e *encoder) model(m *scri.ModelInfo) {
	at := e.begin()
	e.key("id")
	e.Str(m.ID)
	e.str("model", m.Model)
	e.str("provider", m.Provider)
	e.str("zone", m.Zone)
	e.int("context_window", m.ContextWindow)
	e.int("max_output_tokens", m.MaxOutput)
	e.int("created", m.Created)
	e.int("size_bytes", m.SizeBytes)
	e.str("digest", m.Digest)
	e.str("family", m.Family)
	e.str("parameter_size", m.ParameterSize)
	e.str("quantization", m.Quantization)
	e.strings("capabilities", m.Capabilities)
	e.flag("loaded", m.Loaded)
	e.floatPtr("price_in", m.PriceIn)
	e.floatPtr("price_out", m.PriceOut)
	e.strings("means", m.Means)
	e.end(at, nil)
}

// ListRequest asks for all models.
func (native) ListRequest(*dialect.Target) *dialect.Outgoing {
	return &dialect.Outgoing{Method: http.MethodGet, Path: pathModels, Header: http.Header{}}
}

// DecodeModels reads a list of models. A member that does not fit stays in Raw
// alone.
func (native) DecodeModels(a *dialect.Answer) (*scri.ModelList, error) {
	d := &decoder{lenient: true}
	d.Reset(a.Body)
	l := new(scri.ModelList)
	there := false
	for name := range d.Members() {
		switch {
		case d.Kind() == wire.Null:
		case name == "models":
			there = true
			for range d.Elements() {
				l.Models = append(l.Models, d.model())
			}
		case name == "notes" && d.Kind() == wire.Array:
			for range d.Elements() {
				l.Notes = append(l.Notes, d.note())
			}
		}
	}
	if !there && d.Err() == nil {
		d.Fail("models is missing")
	}
	if err := d.End(); err != nil {
		return nil, dialect.Unreadable(err)
	}
	return l, nil
}

func (d *decoder) model() scri.ModelInfo {
	var m scri.ModelInfo
	at := d.Mark()
	m.Raw, m.Dialect = scri.RawJSON(d.Raw()), Name
	d.Rewind(at)
	var x extra
	for name := range d.Members() {
		if d.null(&x) {
			continue
		}
		d.try(&x, func() { d.modelMember(&m, name) })
	}
	return m
}

// note reads what stands beside the models.
func (d *decoder) note() (n scri.ModelNote) {
	var x extra
	for name := range d.Members() {
		if d.null(&x) {
			continue
		}
		d.try(&x, func() {
			switch name {
			case "name":
				n.Name = d.plain()
			case "zone":
				n.Zone = d.plain()
			case "why":
				n.Why = d.plain()
			default:
				d.Skip()
			}
		})
	}
	return n
}

func (d *decoder) modelMember(m *scri.ModelInfo, name string) {
	switch name {
	case "id":
		m.ID = d.plain()
	case "model":
		m.Model = d.plain()
	case "provider":
		m.Provider = d.plain()
	case "zone":
		m.Zone = d.plain()
	case "context_window":
		m.ContextWindow = d.Int()
	case "max_output_tokens":
		m.MaxOutput = d.Int()
	case "created":
		m.Created = d.Int()
	case "size_bytes":
		m.SizeBytes = d.Int()
	case "digest":
		m.Digest = d.plain()
	case "family":
		m.Family = d.plain()
	case "parameter_size":
		m.ParameterSize = d.plain()
	case "quantization":
		m.Quantization = d.plain()
	case "capabilities":
		m.Capabilities = d.strings(new(extra), name)
	case "loaded":
		m.Loaded = d.Bool()
	case "price_in":
		m.PriceIn = d.floatPtr()
	case "price_out":
		m.PriceOut = d.floatPtr()
	case "means":
		m.Means = d.strings(new(extra), name)
	default:
		d.Skip()
	}
}
