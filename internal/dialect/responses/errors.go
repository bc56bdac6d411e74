package responses

import (
	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// DecodeError reads the answer of a failed request.
func (responses) DecodeError(a *dialect.Answer) *scri.Error { return dialect.OpenAIError(a, Name) }

// EncodeError writes {"error":{"message","type","param","code"}}.
func (responses) EncodeError(b []byte, e *scri.Error) (int, []byte) {
	return e.HTTPStatus(), dialect.AppendOpenAIError(b, e)
}

// failed returns the error that an answer with status 200 tells, or nil: one of
// its own, or that of a response which failed.
func failed(body []byte) []byte {
	s := wire.NewScanner(body)
	if s.Kind() != wire.Object {
		return nil
	}
	raw := s.Peek("error")
	if isNull(raw) {
		return nil
	}
	if status := dialect.Word(s.Peek("status")); s.Peek("output") != nil && status != statusFailed {
		return nil
	}
	return raw
}
