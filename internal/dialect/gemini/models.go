package gemini

import (
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// EncodeCount appends the answer to a count.
func (gemini) EncodeCount(b []byte, _ *dialect.Incoming, c *scri.CountResponse) []byte {
	w := wire.Writer{B: append(b, '{')}
	w.Key("totalTokens")
	w.Int(c.Input)
	if own := c.Ext.Of(Name); own != nil {
		w.Members(own.Members)
	}
	w.EndObject()
	return w.B
}

// DecodeCount reads the answer to a count.
func (gemini) DecodeCount(a *dialect.Answer) (*scri.CountResponse, error) {
	var d decoder
	d.Reset(a.Body)
	var c scri.CountResponse
	var u dialect.Unknown
	there, failed := false, false
	for name := range d.Members() {
		switch name {
		case "totalTokens":
			c.Input, there = d.Int(), true
		case "error":
			failed = true
			d.Skip()
		default:
			u.Add(d.Member())
		}
	}
	switch err := d.End(); {
	case err != nil:
		return nil, dialect.Unreadable(err)
	case failed && !there:
		return nil, decodeError(a, a.Body)
	case !there && !u.Empty():
		return nil, dialect.Unreadable(errors.New("it holds no count"))
	}
	c.Ext = u.Ext(Name) // a count of zero is left out
	return &c, nil
}

// ListRequest asks for all models.
func (gemini) ListRequest(*dialect.Target) *dialect.Outgoing {
	return &dialect.Outgoing{Method: http.MethodGet, Path: pathModels + "?pageSize=1000", Header: http.Header{}}
}

// DecodeModels reads a list of models.
func (gemini) DecodeModels(a *dialect.Answer) (*scri.ModelList, error) {
	var d decoder
	d.Reset(a.Body)
	var l scri.ModelList
	there, failed := false, false
	for name := range d.Members() {
		switch {
		case name == "error":
			failed = true
			d.Skip()
		case (name == "models" || name == "publisherModels") && d.Kind() == wire.Array:
			there = true
			for range d.Elements() {
				l.Models = append(l.Models, d.model())
			}
		default:
		}
	}
	switch err := d.End(); {
	case err != nil:
		return nil, dialect.Unreadable(err)
	case failed && !there:
		return nil, decodeError(a, a.Body)
	case !there:
		return nil, dialect.Unreadable(errors.New("it is no list of models"))
	}
	return &l, nil
}

func (d *decoder) model() scri.ModelInfo {
	m := scri.ModelInfo{Dialect: Name}
	start := d.Mark()
	m.Raw = d.Raw()
	d.Rewind(start)
	for name := range d.Members() {
		switch {
		case name == "name" && d.Kind() == wire.String:
			m.ID = d.Unquoted()
			if i := strings.LastIndex(m.ID, "models/"); i >= 0 && !strings.HasPrefix(m.ID, "tunedModels/") {
				m.ID = m.ID[i+len("models/"):]
			}
			m.Model = m.ID
		case name == "inputTokenLimit":
			m.ContextWindow = dialect.Counted(dialect.Count(&d.Scanner))
		case name == "outputTokenLimit":
			m.MaxOutput = dialect.Counted(dialect.Count(&d.Scanner))
		case name == "thinking" && d.Kind() == wire.Bool:
			if d.Bool() {
				m.Capabilities = append(m.Capabilities, "thinking")
			}
		default:
		}
	}
	return m
}

// EncodeModels appends a list of models on one page.
func (gemini) EncodeModels(b []byte, _ *dialect.Incoming, l *scri.ModelList) []byte {
	w := wire.Writer{B: append(b, '{')}
	w.Key("models")
	w.BeginArray()
	for i := range l.Models {
		w.Comma()
		w.B = appendModel(w.B, &l.Models[i])
	}
	w.EndArray()
	w.EndObject()
	return w.B
}

// EncodeModel appends one model.
func (gemini) EncodeModel(b []byte, _ *dialect.Incoming, m *scri.ModelInfo) []byte {
	return appendModel(b, m)
}

func appendModel(b []byte, m *scri.ModelInfo) []byte {
	w := wire.Writer{B: append(b, '{')}
	w.Key("name")
	w.Str("models/" + m.ID)
	w.Key("displayName")
	w.Str(m.ID)
	if m.ContextWindow > 0 {
		w.Key("inputTokenLimit")
		w.Int(m.ContextWindow)
	}
	if m.MaxOutput > 0 {
		w.Key("outputTokenLimit")
		w.Int(m.MaxOutput)
	}
	w.Key("supportedGenerationMethods")
	w.BeginArray()
	for _, verb := range []string{verbGenerate, verbStream, verbCount} {
		w.Str(verb)
	}
	w.EndArray()
	if slices.Contains(m.Capabilities, "thinking") {
		w.Key("thinking")
		w.Bool(true)
	}
	w.EndObject()
	return w.B
}
