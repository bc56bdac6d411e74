package openai

import (
	"net/http"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// EncodeModels writes the list of models.
func (chat) EncodeModels(b []byte, _ *dialect.Incoming, l *scri.ModelList) []byte {
	w := wire.Writer{B: append(b, `{"object":"list","data":[`...)}
	for i := range l.Models {
		model(&w, &l.Models[i])
	}
	return append(w.B, ']', '}')
}

// EncodeModel writes one model.
func (chat) EncodeModel(b []byte, _ *dialect.Incoming, m *scri.ModelInfo) []byte {
	w := wire.Writer{}
	model(&w, m)
	return append(b, w.B...)
}

func model(w *wire.Writer, m *scri.ModelInfo) {
	w.BeginObject()
	w.Key("id")
	w.Str(m.ID)
	w.Key("object")
	w.Str("model")
	w.Key("created")
	w.Int(m.Created)
	w.Key("owned_by")
	if m.Provider != "" {
		w.Str(m.Provider)
	} else {
		w.Str("aratta")
	}
	if m.ContextWindow > 0 {
		w.Key("context_length")
		w.Int(m.ContextWindow)
	}
	w.EndObject()
}

// ListRequest asks for the list of models.
func (chat) ListRequest(*dialect.Target) *dialect.Outgoing {
	return &dialect.Outgoing{Method: http.MethodGet, Path: "/models", Header: http.Header{}}
}

// DecodeModels reads a list of models: {"data":[...]}, or a bare list as some
// providers have it.
func (c chat) DecodeModels(a *dialect.Answer) (*scri.ModelList, error) {
	l := new(scri.ModelList)
	s := wire.NewScanner(a.Body)
	if s.Kind() == wire.Object && failed(s) {
		return nil, c.DecodeError(a)
	}
	if s.Kind() == wire.Array {
		models(s, l)
	} else {
		for member := range s.Members() {
			if (member == "data" || member == "models" && l.Models == nil) && s.Kind() == wire.Array {
				l.Models = nil
				models(s, l)
			}
		}
	}
	if err := s.End(); err != nil {
		return nil, unreadable(a, err)
	}
	return l, nil
}

func models(s *wire.Scanner, l *scri.ModelList) {
	for range s.Elements() {
		if s.Kind() != wire.Object {
			continue
		}
		m := scri.ModelInfo{Dialect: name}
		at := s.Mark()
		m.Raw = s.Raw()
		s.Rewind(at)
		for member := range s.Members() {
			modelField(s, member, &m)
		}
		if m.ID != "" {
			l.Models = append(l.Models, m)
		}
	}
}

func modelField(s *wire.Scanner, member string, m *scri.ModelInfo) {
	switch member {
	case "id":
		if s.Kind() == wire.String {
			m.ID = s.Unquoted()
			m.Model = m.ID
		}
	case "created":
		number(s, &m.Created)
	case "context_length", "context_window", "max_model_len", "max_context_length", "max_context_window_tokens":
		number(s, &m.ContextWindow)
	case "max_completion_tokens", "max_output_tokens", "max_output_length":
		number(s, &m.MaxOutput)
	case "top_provider":
		parts(s, "max_completion_tokens", &m.MaxOutput, "", nil)
	case "meta": // llama.cpp
		parts(s, "n_ctx_train", &m.ContextWindow, "size", &m.SizeBytes)
	}
}
