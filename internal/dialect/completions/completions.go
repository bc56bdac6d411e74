// Package completions is the dialect of OpenAI's older API, /v1/completions: a model
// goes on with a text. Servers of models that were never taught to chat have no other.
//
// # How it maps
//
//   - A prompt is one message of a user. Several prompts of one request are as many
//     requests, whose answers are told as the choices of one. Prompts of token numbers
//     are refused: they mean something to one tokenizer only.
//   - A conversation becomes one text, with a label before each turn, and each turn
//     has its warning: whoever wants turns asks a model that knows them.
//   - max_tokens is 16 where it is left out, as the API has it. Where others leave it
//     out there shall be no limit: the target's own is named.
//   - A server of this dialect puts the prompt before the answer itself (echo) unless
//     the answer came in this dialect, whose provider has done it already.
//   - The offsets of tokens in a text are told anew wherever the answer came from.
//
// # Words of Ext.Form
//
//   - of a request: "stream=false", "prompt[]" (a list of one), "-max_tokens",
//     "stop" (a string), "stop[]" (an empty list), "echo", "echo=false", "model=",
//     "user=", "suffix=" (said, but empty), "usage", "usage=false",
//     "stream_options", "+stream_options";
//   - of an answer: "noid", "noobject", "nomodel", "nocreated"; of a choice:
//     "noindex", "notext", "nofinish", "nologprobs", "finish=", "-offset" (those of
//     tokens are left out), "-top" and "top" (there are no alternatives: the member
//     is left out, or a list), "~logprobs".
package completions

import (
	"net/http"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/scri"
)

// Name is the short name of the dialect.
const Name = "completions"

const path = "/completions"

// DefaultMaxTokens is how long an answer may be when the client does not say.
const DefaultMaxTokens = 16

// maxPrompts bounds the prompts of one request: each is asked on its own.
const maxPrompts = 128

type completions struct{}

var (
	_ dialect.Dialect = completions{}
	_ dialect.Lister  = completions{}
)

// New returns the dialect.
func New() dialect.Dialect { return completions{} }

// Name returns "completions".
func (completions) Name() string { return Name }

// Routes returns the path of the API. The lists of models are those of the dialect
// openai.
func (completions) Routes() []dialect.Route {
	return []dialect.Route{{Method: http.MethodPost, Pattern: "/v1" + path, Op: scri.OpChat}}
}

// Traits says that a text takes any history.
func (completions) Traits() scri.Traits {
	return scri.Traits{Dialect: Name, Thinking: scri.ThinkingAny, Developer: true, LateSystem: true}
}

// EncodeModels writes the list of models.
func (completions) EncodeModels(b []byte, _ *dialect.Incoming, l *scri.ModelList) []byte {
	return dialect.AppendOpenAIModels(b, l)
}

// EncodeModel writes one model.
func (completions) EncodeModel(b []byte, _ *dialect.Incoming, m *scri.ModelInfo) []byte {
	return dialect.AppendOpenAIModel(b, m)
}

// ListRequest asks for the list of models.
func (completions) ListRequest(*dialect.Target) *dialect.Outgoing {
	return &dialect.Outgoing{Method: http.MethodGet, Path: "/models", Header: http.Header{}}
}

// DecodeModels reads a list of models.
func (completions) DecodeModels(a *dialect.Answer) (*scri.ModelList, error) {
	return dialect.OpenAIModels(a, Name)
}

// DecodeError reads the answer of a failed request.
func (completions) DecodeError(a *dialect.Answer) *scri.Error { return dialect.OpenAIError(a, Name) }

// EncodeError writes {"error":{"message","type","param","code"}}.
func (completions) EncodeError(b []byte, e *scri.Error) (int, []byte) {
	return e.HTTPStatus(), dialect.AppendOpenAIError(b, e)
}

// formed reports whether the spelling was noted by this dialect.
func formed(x *scri.Ext, word string) bool { return dialect.Formed(x, Name, word) }
