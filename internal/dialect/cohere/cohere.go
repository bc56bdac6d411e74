// Package cohere is the dialect of Cohere's chat API, /v2/chat, and of its vectors,
// /v2/embed.
//
// # How it maps
//
//   - The plan of a message that calls tools is a thought, with the form
//     "tool_plan". Thoughts of reasoning models are items of the content.
//   - The documents of a request are media of a user message before everything
//     that is no system text, with the form "documents". Documents that others put
//     there become documents of the request; behind a question they are texts.
//     A document that is more than a title and a text is one of type
//     application/json, its name the document's id.
//   - A citation belongs to the text at its content_index. What of its sources
//     fits no field stays in its Ext, as "sources". Citations of which one does
//     not fit stay together in the Ext of their message.
//   - Usage counts the tokens that the model read and wrote. The billed ones, which
//     are less, are in Usage.Raw.
//   - Ext of a tool or a call holds what stood in its function under "function".
//
// # Words of Ext.Form
//
//   - of a request: "stream" (false was said), "tools", "documents", "stop" (an
//     empty list), "logprobs" (false was said), "strict" (strict_tools was said),
//     "choice" (a choice without tools), "range" (numbers outside of what the API
//     documents, as they came);
//   - of a message: "documents", "list" (a list where a string would do, or an
//     empty one), "string" (the reverse, in answers), "empty" (a content of
//     nothing), "nocontent", "tool_calls", "citations", "tool_plan" (empty ones),
//     "role" (an unknown role), "-role";
//   - of a part: "tool_plan", "document" (one of the request), "item" (a document
//     in a content), "tool_calls" (an unknown call), "string", "noargs", "empty",
//     "-type", "noid", "+inner";
//   - of a document's medium: "data" (its data is a text), "id" (the name is its
//     id);
//   - of a citation: "type", "index", the type of its source, "nospan".
package cohere

import (
	"net/http"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/scri"
)

// Name is the name of the dialect.
const Name = "cohere"

const pathChat = "/v2/chat"

type cohere struct{}

var _ dialect.Dialect = cohere{}

// New returns the dialect.
func New() dialect.Dialect { return cohere{} }

// Name returns "cohere".
func (cohere) Name() string { return Name }

// Routes returns the paths of the chat and the embed API.
func (cohere) Routes() []dialect.Route {
	return []dialect.Route{
		{Method: http.MethodPost, Pattern: pathChat, Op: scri.OpChat},
		{Method: http.MethodPost, Pattern: pathEmbed, Op: scri.OpEmbed, Stream: dialect.Never},
	}
}

// Traits says what the API demands of a history: calls with their results.
func (cohere) Traits() scri.Traits {
	return scri.Traits{Dialect: Name, Thinking: scri.ThinkingAny, LateSystem: true, PairedCalls: true, Media: scri.MediaImages}
}

// formed reports whether the spelling was noted by this dialect.
func formed(x *scri.Ext, word string) bool { return dialect.Formed(x, Name, word) }

// Types of content items.
const (
	typeText     = "text"
	typeThinking = "thinking"
	typeImage    = "image_url"
	typeDocument = "document"
	typeTool     = "tool"
	typeFunction = "function"
)

// Words of Ext.Form that more than one file knows.
const (
	formPlan     = "tool_plan"
	formCalls    = "tool_calls"
	formDocument = "document"
	formItem     = "item"
)

const (
	mimePlain = "text/plain"
	mimeJSON  = "application/json"
	anyImage  = "image/*"
)
