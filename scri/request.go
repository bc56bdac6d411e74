package scri

// ChatRequest asks a model to go on with a conversation. Nil means absent:
// absent is not zero, and nothing is filled in on the way.
type ChatRequest struct {
	Model            string            `json:"model,omitempty"`    // as asked; the gateway resolves it
	Messages         []Message         `json:"messages,omitempty"` // system and developer text included, in its place
	Tools            []Tool            `json:"tools,omitempty"`
	ToolChoice       *ToolChoice       `json:"tool_choice,omitempty"`
	ParallelTools    *bool             `json:"parallel_tools,omitempty"`
	MaxTokens        *int64            `json:"max_tokens,omitempty"`
	TopK             *int64            `json:"top_k,omitempty"`
	Seed             RawJSON           `json:"seed,omitempty"` // a number; real traffic has seeds above int64
	Temperature      *float64          `json:"temperature,omitempty"`
	TopP             *float64          `json:"top_p,omitempty"`
	FrequencyPenalty *float64          `json:"frequency_penalty,omitempty"`
	PresencePenalty  *float64          `json:"presence_penalty,omitempty"`
	Stop             []string          `json:"stop,omitempty"`
	Suffix           Text              `json:"suffix,omitzero"` // what stands behind the answer: the model fills the gap before it
	N                int               `json:"n,omitempty"`     // answers wanted; 0 = absent
	Reasoning        *Reasoning        `json:"reasoning,omitempty"`
	Format           *Format           `json:"format,omitempty"`
	LogProbs         *int              `json:"logprobs,omitempty"` // alternatives wanted for each token; 0 = the chosen token only, -1 = all of them, where that can be said
	User             string            `json:"user,omitempty"`
	Metadata         map[string]string `json:"metadata,omitempty"`
	Session          string            `json:"session,omitempty"`     // a conversation kept by the gateway
	PreviousID       string            `json:"previous_id,omitempty"` // the answer to go on from, in stateful dialects
	Routing          *Routing          `json:"routing,omitempty"`
	Stream           bool              `json:"stream,omitempty"`
	Ext              *Ext              `json:"ext,omitempty"`
}

// Tool is something the model may call.
type Tool struct {
	Type        string     `json:"type,omitempty"` // "" = a function; else the wire type of a provider's own tool
	Name        string     `json:"name,omitempty"`
	Description Text       `json:"description,omitzero"`
	Schema      RawJSON    `json:"schema,omitempty"` // JSON Schema of the arguments, verbatim
	Strict      *bool      `json:"strict,omitempty"`
	Cache       *CacheMark `json:"cache,omitempty"`
	Ext         *Ext       `json:"ext,omitempty"` // for a provider's own tool: all its members but the type and the name
}

// Modes of a ToolChoice.
const (
	ToolsAuto     = "auto"
	ToolsNone     = "none"
	ToolsRequired = "required"
	ToolsNamed    = "tool"
)

// ToolChoice says whether and which tool must be called.
type ToolChoice struct {
	Mode string `json:"mode"`           // auto, none, required, tool
	Name string `json:"name,omitempty"` // for mode tool
	Ext  *Ext   `json:"ext,omitempty"`
}

// Reasoning says how much the model may think before it answers.
type Reasoning struct {
	Effort  string `json:"effort,omitempty"`  // an open set: none, minimal, low, medium, high, xhigh, max, on, ...
	Budget  *int64 `json:"budget,omitempty"`  // tokens
	Summary string `json:"summary,omitempty"` // what of the thoughts is to be shown: auto, concise, detailed, none
	Ext     *Ext   `json:"ext,omitempty"`
}

// Kinds of a Format.
const (
	FormatText       = "text"
	FormatJSON       = "json"
	FormatJSONSchema = "json_schema"
)

// Format is the shape that the answer must have.
type Format struct {
	Kind   string  `json:"kind"` // text, json, json_schema
	Name   string  `json:"name,omitempty"`
	Schema RawJSON `json:"schema,omitempty"`
	Strict *bool   `json:"strict,omitempty"`
	Ext    *Ext    `json:"ext,omitempty"`
}

// Routing holds a caller's wishes for one request.
type Routing struct {
	Sovereign    bool     `json:"sovereign,omitempty"` // never leave zone local, whatever fails
	Strict       bool     `json:"strict,omitempty"`    // refuse a translation that loses something
	NoCache      bool     `json:"no_cache,omitempty"`
	Class        string   `json:"class,omitempty"` // data class at least: public, internal, personal, special, secret
	Chain        string   `json:"chain,omitempty"`
	MaxCostUSD   *float64 `json:"max_cost_usd,omitempty"`
	MaxLatencyMS *float64 `json:"max_latency_ms,omitempty"`
}

// Ext holds the members of one wire object that the language has no word for.
type Ext struct {
	Dialect string  `json:"dialect"`           // whose members they are; no other dialect writes them
	Members RawJSON `json:"members,omitempty"` // one JSON object: names and values verbatim, in their order
	Form    string  `json:"form,omitempty"`    // how the dialect spelled what the typed fields say: space-separated words that only it reads
}

// Of returns the extension if it belongs to the dialect, else nil. It may be
// called on nil.
func (e *Ext) Of(dialect string) *Ext {
	if e == nil || e.Dialect != dialect {
		return nil
	}
	return e
}
