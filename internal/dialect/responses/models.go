package responses

import (
	"net/http"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/scri"
)

// EncodeModels writes the list of models.
func (responses) EncodeModels(b []byte, _ *dialect.Incoming, l *scri.ModelList) []byte {
	return dialect.AppendOpenAIModels(b, l)
}

// EncodeModel writes one model.
func (responses) EncodeModel(b []byte, _ *dialect.Incoming, m *scri.ModelInfo) []byte {
	return dialect.AppendOpenAIModel(b, m)
}

// ListRequest asks for the list of models.
func (responses) ListRequest(*dialect.Target) *dialect.Outgoing {
	return &dialect.Outgoing{Method: http.MethodGet, Path: "/models", Header: http.Header{}}
}

// DecodeModels reads a list of models.
func (responses) DecodeModels(a *dialect.Answer) (*scri.ModelList, error) {
	return dialect.OpenAIModels(a, Name)
}
