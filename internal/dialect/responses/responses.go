// Package responses is the dialect of OpenAI's Responses API, as OpenAI, Azure,
// xAI, DeepSeek, OpenRouter, vLLM, llama.cpp and others speak it.
//
// An item of the input or the output is not a message: what an assistant thinks,
// says and calls are items of their own. Neighbouring items of the assistant
// become one message here, as all other formats have it, and Ext.Form of the
// parts tells where an item began.
//
// Words of Ext.Form in this dialect, beside "~name" (see package dialect):
//
//   - of a request: "input" (one text), "input[]" (an empty list), "model=", "user=",
//     "stream=false", "tools[]", "choice" (a choice without tools), "include"
//     (nothing but probabilities of tokens), "noinclude" (top_logprobs alone), "+text", "+reasoning";
//   - of a message: "instructions" (it was a field of its own), "type" (the type
//     was said), "list" (a list for one text), "role" (an unknown role);
//   - of a part: "item" (an item begins), "+" (it goes on), "notype", "string" (a
//     text as content), "part" (an unknown part of a message, no item), a type of
//     content where the role has another one, "annotations" and "logprobs" (empty
//     lists), "logprobs=3" (so many tokens are of this text), "summary",
//     "reasoning_text", "nosummary", "content" (an empty list), "secret" (there was
//     encrypted content), "empty" (a call without arguments), "list" (a list as output),
//     "custom", "image";
//   - of media: "bare" (data that is no URL), "file_url", "filename=";
//   - of a tool choice: "allowed_tools", "custom";
//   - of an answer: "-object" and the like for a member that every answer has (it
//     was absent).
package responses

import (
	"net/http"
	"strings"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/scri"
)

// Name is the name of the dialect.
const Name = "responses"

const pathResponses = "/v1/responses"

type responses struct{}

var (
	_ dialect.Dialect = responses{}
	_ dialect.Lister  = responses{}
	_ dialect.Keeper  = responses{}
)

// New returns the dialect.
func New() dialect.Dialect { return responses{} }

// Name returns "responses".
func (responses) Name() string { return Name }

// Routes returns the path at which an answer is asked for, and those of answers
// that are kept. The list of models has a path that belongs to another dialect.
func (responses) Routes() []dialect.Route {
	return append([]dialect.Route{{Method: http.MethodPost, Pattern: pathResponses, Op: scri.OpChat}}, keptRoutes()...)
}

// Traits: ids of calls have at most 64 characters, and calls and results come in
// pairs. The role developer is known, system text may stand anywhere, and answers
// are kept.
func (responses) Traits() scri.Traits {
	return scri.Traits{
		Dialect: Name, Thinking: scri.ThinkingAny, Developer: true, LateSystem: true,
		CallIDMax: 64, PairedCalls: true, Media: scri.MediaDocuments, Stateful: true,
	}
}

// Types of items and of parts of their content.
const (
	typeMessage    = "message"
	typeReasoning  = "reasoning"
	typeCall       = "function_call"
	typeOutput     = "function_call_output"
	typeCustom     = "custom_tool_call"
	typeCustomOut  = "custom_tool_call_output"
	typeImageCall  = "image_generation_call"
	typeMCPCall    = "mcp_call"
	typeInputText  = "input_text"
	typeOutputText = "output_text"
	typeRefusal    = "refusal"
	typeSummary    = "summary_text"
	typeThought    = "reasoning_text"
	typeImage      = "input_image"
	typeFile       = "input_file"
	typeAudio      = "input_audio"
)

// custom is the type of a tool that is called with a text instead of JSON.
const custom = "custom"

// server is who runs the tools of the API itself.
const server = "server"

// has reports whether an Ext of this dialect notes the word of spelling.
func has(x *scri.Ext, word string) bool { return dialect.Formed(x, Name, word) }

// minted begins, behind the kind, the ids of items that this gateway made for
// answers of others. No provider knows them.
const minted = dialect.Made

func isMinted(id string) bool { return strings.Contains(id, minted) }

// argsMember is the member of an item of a tool that the provider runs itself
// which says what the tool was called with.
func argsMember(typ string) string {
	switch typ {
	case "web_search_call":
		return "action"
	case "file_search_call":
		return "queries"
	case "code_interpreter_call":
		return "code"
	case typeMCPCall:
		return "arguments"
	default:
		return ""
	}
}
