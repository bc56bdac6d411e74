package anthropic

import (
	"errors"
	"net/http"
	"time"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// EncodeCount appends the answer to a count.
func (anthropic) EncodeCount(b []byte, _ *dialect.Incoming, c *scri.CountResponse) []byte {
	w := wire.Writer{B: b}
	w.BeginObject()
	w.Key("input_tokens")
	w.Int(c.Input)
	if own := c.Ext.Of(Name); own != nil {
		w.Members(own.Members)
	}
	w.EndObject()
	return w.B
}

// DecodeCount reads the answer to a count.
func (anthropic) DecodeCount(a *dialect.Answer) (*scri.CountResponse, error) {
	d := newDecoder(a.Body)
	var c scri.CountResponse
	var u dialect.Unknown
	there := false
	for name := range d.Members() {
		if name == "input_tokens" {
			c.Input, there = d.Int(), true
			continue
		}
		u.Add(d.Member())
	}
	if err := d.End(); err != nil {
		return nil, dialect.Unreadable(err)
	}
	if !there {
		if hasMember(u.Ext(Name), "error") {
			return nil, decodeError(a, a.Body)
		}
		return nil, dialect.Unreadable(errors.New("it holds no count"))
	}
	c.Ext = u.Ext(Name)
	return &c, nil
}

// ListRequest asks for all models.
func (anthropic) ListRequest(*dialect.Target) *dialect.Outgoing {
	h := header()
	h.Del("Content-Type")
	return &dialect.Outgoing{Method: http.MethodGet, Path: pathModels + "?limit=1000", Header: h}
}

// DecodeModels reads a list of models.
func (anthropic) DecodeModels(a *dialect.Answer) (*scri.ModelList, error) {
	d := newDecoder(a.Body)
	var l scri.ModelList
	there := false
	for name := range d.Members() {
		if name != "data" {
			continue
		}
		there = true
		for range d.Elements() {
			l.Models = append(l.Models, d.model())
		}
	}
	if err := d.End(); err != nil {
		return nil, dialect.Unreadable(err)
	}
	if !there {
		if wire.NewScanner(a.Body).Peek("error") != nil {
			return nil, decodeError(a, a.Body)
		}
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
		case name == "id" && d.Kind() == wire.String:
			m.ID = d.Unquoted()
			m.Model = m.ID
		case name == "created_at" && d.Kind() == wire.String:
			if t, err := time.Parse(time.RFC3339, d.Unquoted()); err == nil {
				m.Created = t.Unix()
			}
		case name == "max_input_tokens":
			m.ContextWindow = dialect.Counted(dialect.Count(&d.Scanner))
		case name == "max_tokens":
			m.MaxOutput = dialect.Counted(dialect.Count(&d.Scanner))
		}
	}
	return m
}

// EncodeModels appends a list of models on one page.
func (anthropic) EncodeModels(b []byte, _ *dialect.Incoming, l *scri.ModelList) []byte {
	w := wire.Writer{B: b}
	w.BeginObject()
	w.Key("data")
	w.BeginArray()
	for i := range l.Models {
		w.Comma()
		w.B = appendModel(w.B, &l.Models[i])
	}
	w.EndArray()
	w.Key("has_more")
	w.Bool(false)
	for _, edge := range []struct {
		key string
		i   int
	}{{"first_id", 0}, {"last_id", len(l.Models) - 1}} {
		w.Key(edge.key)
		if len(l.Models) == 0 {
			w.Null()
		} else {
			w.Str(l.Models[edge.i].ID)
		}
	}
	w.EndObject()
	return w.B
}

// EncodeModel appends one model.
func (anthropic) EncodeModel(b []byte, _ *dialect.Incoming, m *scri.ModelInfo) []byte {
	return appendModel(b, m)
}

func appendModel(b []byte, m *scri.ModelInfo) []byte {
	w := wire.Writer{B: b}
	w.B = append(w.B, '{')
	w.Key("type")
	w.Str("model")
	w.Key("id")
	w.Str(m.ID)
	w.Key("display_name")
	w.Str(m.ID)
	w.Key("created_at")
	w.Str(time.Unix(m.Created, 0).UTC().Format(time.RFC3339))
	if m.ContextWindow > 0 {
		w.Key("max_input_tokens")
		w.Int(m.ContextWindow)
	}
	if m.MaxOutput > 0 {
		w.Key("max_tokens")
		w.Int(m.MaxOutput)
	}
	w.EndObject()
	return w.B
}
