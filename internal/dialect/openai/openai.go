// Package openai is the dialect of OpenAI's Chat Completions API, as OpenAI and
// the many who took it over speak it.
//
// What the typed fields say is remembered in Ext.Form by words such as these:
//
//	messages  list empty nocontent function annotations[] tool_calls[]
//	thinking  reasoning_content reasoning details:text details:summary
//	          details:encrypted item item+
//	requests  max_completion_tokens stop stream=false usage usage=false ...
package openai

import (
	"net/http"
	"slices"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/scri"
)

const name = "openai"

type chat struct{}

var (
	_ dialect.Dialect = chat{}
	_ dialect.Lister  = chat{}
)

// New returns the dialect.
func New() dialect.Dialect { return chat{} }

// Name is "openai".
func (chat) Name() string { return name }

// Routes are chat completions, embeddings and the list of models.
func (chat) Routes() []dialect.Route {
	return []dialect.Route{
		{Method: http.MethodPost, Pattern: "/v1/chat/completions", Op: scri.OpChat},
		{Method: http.MethodPost, Pattern: pathEmbeddings, Op: scri.OpEmbed, Stream: dialect.Never},
		{Method: http.MethodGet, Pattern: "/v1/models", Op: scri.OpModels, Stream: dialect.Never},
		{Method: http.MethodGet, Pattern: "/v1/models/{model...}", Op: scri.OpModel, Stream: dialect.Never},
	}
}

// Traits: ids of calls have at most 40 characters, and calls and results come
// in pairs. The role developer is known and system text may stand anywhere.
func (chat) Traits() scri.Traits {
	return scri.Traits{
		Dialect: name, Thinking: scri.ThinkingAny, Developer: true, LateSystem: true,
		CallIDMax: 40, PairedCalls: true, Media: scri.MediaImages,
	}
}

// has reports whether an Ext of this dialect notes the word of spelling.
func has(e *scri.Ext, word string) bool {
	return dialect.Formed(e, name, word)
}

// members are those that an Ext of this dialect holds, or nil.
func members(e *scri.Ext) scri.RawJSON {
	if e == nil || e.Dialect != name {
		return nil
	}
	return e.Members
}

// The fields that hold thoughts.
const (
	fieldContent   = "reasoning_content"
	fieldReasoning = "reasoning"
	fieldDetails   = "reasoning_details"
)

func isOneOf(s string, list ...string) bool { return slices.Contains(list, s) }
