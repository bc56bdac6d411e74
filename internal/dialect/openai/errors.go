package openai

import (
	"errors"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/scri"
)

var errNoChoices = errors.New("a chat completion without choices")

// DecodeError reads the answer of a failed request.
func (chat) DecodeError(a *dialect.Answer) *scri.Error { return dialect.OpenAIError(a, name) }

// EncodeError writes {"error":{"message","type","param","code"}}.
func (chat) EncodeError(b []byte, e *scri.Error) (int, []byte) {
	return e.HTTPStatus(), dialect.AppendOpenAIError(b, e)
}
