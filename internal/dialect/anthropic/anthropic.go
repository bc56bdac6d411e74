// Package anthropic is the dialect of Anthropic's Messages API, token counting
// and model list included, as spoken by Anthropic, Bedrock (InvokeModel),
// Vertex, Azure and OpenRouter.
//
// It has the variant (Target.Variant) "vertex": the model stands in the path,
// /v1/models/MODEL:rawPredict or :streamRawPredict, and the version in the body.
//
// Words of Ext.Form in this dialect:
//
//   - of a request: "stream" (stream: false was said), "stop" (stop sequences as
//     they came, even an empty list or ones without a letter), "tools" (an empty
//     list), "temperature" (above 1, as it came), "top_p" (beside a
//     temperature), "choice" (a choice without tools), "system" (an empty list);
//   - of a message: "list" (an empty list as content), "inline" (a system
//     message among the messages), "role" (an unknown role);
//   - of a part: "empty" (a text without a letter), "citations" (an empty list),
//     "signature" (an empty one), "unsigned" (none), "list" (a result with an
//     empty list), "is_error" (false was said), "search_result", and for
//     results of the provider's own tools the block's type with "object" or
//     "string" for the shape of their content;
//   - of a citation: its type;
//   - of a tool: "custom" (the type was said), "schemaless", "description" (an
//     empty one);
//   - of reasoning: "enabled", "adaptive", "effort" (no thinking was asked for);
//   - of a format: "output_format" (the older field);
//   - of an answer: "-type", "-role" and the like for a member that every answer has (it
//     was absent).
package anthropic

import (
	"net/http"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/scri"
)

// Name is the name of the dialect.
const Name = "anthropic"

// Version is the version of the API that requests ask for.
const Version = "2023-06-01"

const (
	pathMessages = "/v1/messages"
	pathCount    = "/v1/messages/count_tokens"
	pathModels   = "/v1/models"
)

type anthropic struct{}

var (
	_ dialect.Dialect = anthropic{}
	_ dialect.Counter = anthropic{}
	_ dialect.Lister  = anthropic{}
)

// New returns the dialect.
func New() dialect.Dialect { return anthropic{} }

// Name returns "anthropic".
func (anthropic) Name() string { return Name }

// Routes returns the paths of the Messages API. The list of models has a path
// that belongs to another dialect.
func (anthropic) Routes() []dialect.Route {
	return []dialect.Route{
		{Method: http.MethodPost, Pattern: pathMessages, Op: scri.OpChat},
		{Method: http.MethodPost, Pattern: pathCount, Op: scri.OpCount, Stream: dialect.Never},
	}
}

// Traits says what the API demands of a history.
func (anthropic) Traits() scri.Traits {
	return scri.Traits{
		Dialect:     Name,
		Thinking:    scri.ThinkingSigned,
		CallIDChars: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-",
		CallIDMax:   64,
		PairedCalls: true,
		Media:       scri.MediaDocuments,
	}
}

// header is what the format itself demands of a request's header.
func header() http.Header {
	return http.Header{
		"Content-Type":      {"application/json"},
		"Anthropic-Version": {Version},
	}
}
