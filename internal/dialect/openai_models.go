package dialect

import (
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// AppendOpenAIModels writes a list of models.
func AppendOpenAIModels(b []byte, l *scri.ModelList) []byte {
	w := wire.Writer{B: append(b, `{"object":"list","data":[`...)}
	for i := range l.Models {
		writeModel(&w, &l.Models[i])
	}
	return append(w.B, ']', '}')
}

// AppendOpenAIModel writes one model.
func AppendOpenAIModel(b []byte, m *scri.ModelInfo) []byte {
	w := wire.Writer{}
	writeModel(&w, m)
	return append(b, w.B...)
}

func writeModel(w *wire.Writer, m *scri.ModelInfo) {
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

// OpenAIModels reads a list of models: {"data":[...]}, or a bare list as some
// providers have it. own is the dialect in which it was asked for.
func OpenAIModels(a *Answer, own string) (*scri.ModelList, error) {
	l := new(scri.ModelList)
	s := wire.NewScanner(a.Body)
	if s.Kind() == wire.Object && s.Peek("data") == nil {
		if e := s.Peek("error"); len(e) > 0 && e[0] != 'n' {
			return nil, OpenAIError(a, own)
		}
	}
	if s.Kind() == wire.Array {
		modelList(s, l, own)
	} else {
		for member := range s.Members() {
			if (member == "data" || member == "models" && l.Models == nil) && s.Kind() == wire.Array {
				l.Models = nil
				modelList(s, l, own)
			}
		}
	}
	if err := s.End(); err != nil {
		e := Unreadable(err)
		e.Raw, e.Dialect = a.Body, own
		return nil, e
	}
	return l, nil
}

func modelList(s *wire.Scanner, l *scri.ModelList, own string) {
	for range s.Elements() {
		if s.Kind() != wire.Object {
			continue
		}
		m := scri.ModelInfo{Dialect: own}
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
		modelNumber(s, &m.Created)
	case "context_length", "context_window", "max_model_len", "max_context_length", "max_context_window_tokens":
		modelNumber(s, &m.ContextWindow)
	case "max_completion_tokens", "max_output_tokens", "max_output_length":
		modelNumber(s, &m.MaxOutput)
	case "top_provider":
		modelNumbers(s, map[string]*int64{"max_completion_tokens": &m.MaxOutput})
	case "meta": // llama.cpp
		modelNumbers(s, map[string]*int64{"n_ctx_train": &m.ContextWindow, "size": &m.SizeBytes})
	}
}

func modelNumber(s *wire.Scanner, n *int64) {
	if s.Kind() != wire.Number {
		return
	}
	m := s.Mark()
	if v := s.Int(); s.Err() == nil {
		*n = max(v, 0)
		return
	}
	s.Rewind(m)
}

func modelNumbers(s *wire.Scanner, fields map[string]*int64) {
	if s.Kind() != wire.Object {
		return
	}
	for member := range s.Members() {
		if n := fields[member]; n != nil {
			modelNumber(s, n)
		}
	}
}
