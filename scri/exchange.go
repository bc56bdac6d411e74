package scri

import (
	"context"
	"net/http"
)

// Op is what a request asks for.
type Op string

// The operations.
const (
	OpChat   Op = "chat"
	OpCount  Op = "count"  // count the tokens of a chat request
	OpEmbed  Op = "embed"  // make vectors of texts
	OpModels Op = "models" // list models
	OpModel  Op = "model"  // tell about one model
	OpInfo   Op = "info"   // a runtime's small facts: version, loaded models
	OpKept   Op = "kept"   // answers that the gateway keeps: told, listed, deleted

	// The operations of a [Relay].
	OpAudio       Op = "audio"       // speech, transcription, translation
	OpImages      Op = "images"      // made, edited, varied
	OpModerations Op = "moderations" // whether a text may be
	OpRerank      Op = "rerank"      // documents in the order of their fitness
	OpFiles       Op = "files"       // kept by a provider
	OpBatches     Op = "batches"     // of requests, answered later
)

// Caller is who asks.
type Caller struct {
	Key      string // name of the key of this gateway that was sent, never the key itself; "" = none
	Team     string
	Role     string
	Loopback bool
}

// Keeping is what becomes of an exchange whose client names answers by their ids
// and goes on from them.
type Keeping struct {
	// ID is the answer's, unless a provider that keeps answers gave it another.
	ID string
	// Store says that the answer is to be kept under its id.
	Store bool
	// Aside is how many of the first messages are said for this answer alone: they
	// are no part of the conversation that a later request goes on with.
	Aside int
}

// Exchange is one request on its way. What it holds of the request lies in memory
// that is used again when it is over: who keeps some of it must clone that.
type Exchange struct {
	ID       string
	Op       Op
	In       *ChatRequest  // as it came; never modified; without its messages once a streamed answer has begun
	Req      *ChatRequest  // as the stages made it; starts as In, copy on write
	Embed    *EmbedRequest // of an embed exchange, which has neither In nor Req; never modified
	Keep     *Keeping      // what the client wants kept; nil = it does not know of that
	Caller   Caller
	Header   http.Header // of the client's request; read only
	Body     []byte      // of the client's request, in which texts of In lie; nil if unknown, and once a streamed answer has begun; read only
	Lineage  *Lineage
	Warnings []Warning
}

// Model is the model as asked, whatever the operation.
func (x *Exchange) Model() string {
	switch {
	case x.Embed != nil:
		return x.Embed.Model
	case x.Req != nil:
		return x.Req.Model
	default:
		return ""
	}
}

// Wishes are those of the caller for this request, whatever the operation; nil =
// none.
func (x *Exchange) Wishes() *Routing {
	switch {
	case x.Embed != nil:
		return x.Embed.Routing
	case x.Req != nil:
		return x.Req.Routing
	default:
		return nil
	}
}

// Handler answers a chat exchange. A whole answer is Replay(resp).
type Handler func(ctx context.Context, x *Exchange) (Stream, error)

// CountResponse is the number of tokens of a chat request.
type CountResponse struct {
	Input     int64    `json:"input_tokens"`
	Estimated bool     `json:"estimated,omitempty"` // the gateway's own estimate
	Model     string   `json:"model,omitempty"`
	Provider  string   `json:"provider,omitempty"`
	Lineage   *Lineage `json:"lineage,omitempty"`
	Ext       *Ext     `json:"ext,omitempty"`
}

// ModelInfo is a model that can be asked for.
type ModelInfo struct {
	ID            string   `json:"id"` // "provider:model", an alias or a chain
	Model         string   `json:"model,omitempty"`
	Provider      string   `json:"provider,omitempty"`
	Zone          string   `json:"zone,omitempty"` // local, private, cloud
	ContextWindow int64    `json:"context_window,omitempty"`
	MaxOutput     int64    `json:"max_output_tokens,omitempty"`
	Created       int64    `json:"created,omitempty"` // Unix seconds
	SizeBytes     int64    `json:"size_bytes,omitempty"`
	Digest        string   `json:"digest,omitempty"`
	Family        string   `json:"family,omitempty"`
	ParameterSize string   `json:"parameter_size,omitempty"`
	Quantization  string   `json:"quantization,omitempty"`
	Capabilities  []string `json:"capabilities,omitempty"`
	Loaded        bool     `json:"loaded,omitempty"`
	PriceIn       *float64 `json:"price_in,omitempty"`  // US dollars for a million tokens; nil = unknown
	PriceOut      *float64 `json:"price_out,omitempty"` // likewise
	Means         []string `json:"means,omitempty"`     // of an alias or a chain: who is asked, in order
	Raw           RawJSON  `json:"-"`                   // as the provider's dialect gave it
	Dialect       string   `json:"-"`
}

// ModelList is all models that can be asked for.
type ModelList struct {
	Models []ModelInfo `json:"models"`
	Notes  []ModelNote `json:"notes,omitempty"`
}

// ModelNote tells of what is configured and cannot be asked for, or not as the
// configuration has it: a provider that is off, down or without models, aliases
// that lead nowhere, a default model that is not installed.
type ModelNote struct {
	Name string `json:"name"`           // of the provider, or of the aliases, with commas between them
	Zone string `json:"zone,omitempty"` // of the provider
	Why  string `json:"why"`
}

// ProviderHealth is what a probe of a provider found.
type ProviderHealth struct {
	Provider string  `json:"provider"`
	Zone     string  `json:"zone"`
	Dialect  string  `json:"dialect"`
	Up       bool    `json:"up"`
	TookMS   float64 `json:"took_ms,omitempty"` // until the head of the answer
	Kind     string  `json:"kind,omitempty"`    // of the error, where it is not up
	Error    string  `json:"error,omitempty"`   // in the gateway's own words
	Hint     string  `json:"hint,omitempty"`
}
