// Package bedrock is the dialect of Amazon Bedrock's Converse API, Converse and
// ConverseStream, whose streams are AWS event frames.
//
// # How it maps
//
//   - The model stands in the path, and whether the answer is a stream.
//   - Neighbouring messages of one side are one message, as the API demands;
//     results of tools are said by the user.
//   - A cache point is the mark of the block before it, or of the tool.
//   - Guarded content is a text like any other, with the form "guard"; its
//     qualifiers stay in Ext. A text with citations is citationsContent.
//   - Thinking, and top_k, are members of additionalModelRequestFields as Claude
//     knows them. Others are not asked for thoughts: the API has no word for it.
//   - Ext of a part holds what stood in the block's own object, and under
//     "_block" what stood beside it.
//
// # Words of Ext.Form
//
//   - of a request: "system", "tools", "stop" (empty lists), "inferenceConfig",
//     "toolConfig" (empty objects), "toolless" (calls in the history, but no
//     tools), "choice" (one of no tools), "top_k" (said among the additional fields), "fields" (they were
//     there);
//   - of a message: "apart" (the one before is of the same role), "empty" (a list
//     of nothing), "role" (an unknown role);
//   - of a part: "empty" (a text without a letter), "guard", "cited" (a cited
//     text without citations), "none" (an empty list of them), "signature" (an empty one), "json" (a result as
//     JSON), "searchResult", "status" (success was said), "list" (a result of an
//     empty list), "type" (tool_use was said), "+block", "-content" (of a result), "-name" (a document without one);
//   - of a citation: "source" (its address is its source), "web";
//   - of a tool: "schemaless", "inputSchema" (one without a schema), "description" (an empty one), "strict";
//   - of reasoning: "enabled", "adaptive", "disabled";
//   - of a cache mark: "point" (a type was said).
package bedrock

import (
	"net/http"
	"net/url"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/scri"
)

// Name is the name of the dialect.
const Name = "bedrock"

const (
	pathModel  = "/model/"
	pathWhole  = "/converse"
	pathStream = "/converse-stream"
	paramModel = "modelId"
)

// mimeStream is the type of AWS event streams.
const mimeStream = "application/vnd.amazon.eventstream"

type bedrock struct{}

var _ dialect.Dialect = bedrock{}

// New returns the dialect.
func New() dialect.Dialect { return bedrock{} }

// Name returns "bedrock".
func (bedrock) Name() string { return Name }

// Routes returns the paths of the Converse API.
func (bedrock) Routes() []dialect.Route {
	const pattern = pathModel + "{" + paramModel + "}"
	return []dialect.Route{
		{Method: http.MethodPost, Pattern: pattern + pathWhole, Op: scri.OpChat, Stream: dialect.Never},
		{Method: http.MethodPost, Pattern: pattern + pathStream, Op: scri.OpChat, Stream: dialect.Always},
	}
}

// Traits says what the API demands of a history.
func (bedrock) Traits() scri.Traits {
	return scri.Traits{
		Dialect:     Name,
		Thinking:    scri.ThinkingSigned,
		CallIDChars: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.:-",
		CallIDMax:   64,
		PairedCalls: true,
		Media:       scri.MediaBytes,
	}
}

// path is where a model is asked. Ids may be those of inference profiles, and
// ARNs with slashes, which are one segment all the same.
func path(model string, stream bool) string {
	p := pathModel + url.PathEscape(model)
	if stream {
		return p + pathStream
	}
	return p + pathWhole
}

// formed reports whether the spelling was noted by this dialect.
func formed(x *scri.Ext, word string) bool { return dialect.Formed(x, Name, word) }
