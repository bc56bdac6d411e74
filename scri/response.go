package scri

import (
	"strings"
	"time"
)

// ChatResponse is a whole answer.
type ChatResponse struct {
	ID       string    `json:"id,omitempty"`
	Model    string    `json:"model,omitempty"`    // the model that answered
	Provider string    `json:"provider,omitempty"` // the provider that answered
	Created  time.Time `json:"created,omitzero"`
	Choices  []Choice  `json:"choices,omitempty"`
	Usage    *Usage    `json:"usage,omitempty"`
	Warnings []Warning `json:"warnings,omitempty"`
	Lineage  *Lineage  `json:"lineage,omitempty"`
	Ext      *Ext      `json:"ext,omitempty"`
}

// Choice is one of the answers asked for.
type Choice struct {
	Output   []Message      `json:"output,omitempty"` // valid history for the next request
	Finish   Finish         `json:"finish"`
	LogProbs []TokenLogProb `json:"logprobs,omitempty"`
	Ext      *Ext           `json:"ext,omitempty"`
}

// FinishReason says why an answer ended.
type FinishReason string

// The reasons.
const (
	FinishStop          FinishReason = "stop" // the model was done, or met a stop sequence
	FinishLength        FinishReason = "length"
	FinishToolCalls     FinishReason = "tool_calls"
	FinishContentFilter FinishReason = "content_filter"
	FinishRefusal       FinishReason = "refusal"
	FinishPause         FinishReason = "pause" // the provider wants to be asked again to go on
	FinishError         FinishReason = "error"
	FinishOther         FinishReason = "other"
)

// Finish is how an answer ended.
type Finish struct {
	Reason  FinishReason `json:"reason,omitempty"`  // "" = none was given
	Raw     string       `json:"raw,omitempty"`     // the provider's own word
	Dialect string       `json:"dialect,omitempty"` // whose word Raw is
	Detail  string       `json:"detail,omitempty"`  // the stop sequence met, or an explanation
}

// Usage counts tokens. Nil means not reported. Totals contain their parts:
// Input contains CacheRead and CacheWrite, Output contains Thinking.
type Usage struct {
	Input      *int64  `json:"input_tokens,omitempty"`
	CacheRead  *int64  `json:"cache_read_tokens,omitempty"`
	CacheWrite *int64  `json:"cache_write_tokens,omitempty"`
	Output     *int64  `json:"output_tokens,omitempty"`
	Thinking   *int64  `json:"reasoning_tokens,omitempty"`
	Estimated  bool    `json:"estimated,omitempty"`
	Raw        RawJSON `json:"raw,omitempty"`     // the provider's own object, verbatim; cleared by whoever changes a count
	Dialect    string  `json:"dialect,omitempty"` // whose object Raw is
}

// Total is Input + Output as far as they are known.
func (u *Usage) Total() int64 {
	if u == nil {
		return 0
	}
	var n int64
	if u.Input != nil {
		n += *u.Input
	}
	if u.Output != nil {
		n += *u.Output
	}
	return n
}

// TokenLogProb is one generated token with its log-probability.
type TokenLogProb struct {
	Token   Text           `json:"token,omitzero"`
	LogProb float64        `json:"logprob"`
	Bytes   []int          `json:"bytes,omitempty"` // UTF-8 bytes of the token, where told
	Top     []TokenLogProb `json:"top,omitempty"`
	Ext     *Ext           `json:"ext,omitempty"`
}

// Codes of a Warning.
const (
	WarnDropped  = "dropped"  // the target cannot express it
	WarnChanged  = "changed"  // it was expressed otherwise
	WarnEmulated = "emulated" // it was brought about by other means
	WarnAdded    = "added"    // it was not in what was asked
)

// Warning tells of something that a translation did not carry over as it was.
type Warning struct {
	Code   string `json:"code"`
	Path   string `json:"path"` // JSON pointer (RFC 6901) into the SCRI value that was encoded; for added, into what came of it
	From   string `json:"from,omitempty"`
	To     string `json:"to,omitempty"`
	Detail string `json:"detail,omitempty"`
}

// JoinWarnings appends b to a as append does, so that nobody else may append to a. Where
// a has none it is b itself, of which no copy is made.
func JoinWarnings(a, b []Warning) []Warning {
	if len(a) == 0 {
		return b
	}
	return append(a, b...)
}

// Loss reports whether the warning tells of something that is gone: that the
// answer is to something else than was asked, or tells less than was answered.
//
// What was added and what was brought about by other means is none. What was
// dropped is one, except a mark of a prompt cache, which only costs, a signature,
// which is nothing to anybody but its issuer, and the name of the tool at a
// result, whose call has it. What was changed is one,
// except where it means the same: ids of calls, rewritten in step; the order and
// the joining of parts, and results that follow their calls; a medium said by its
// bytes in place of its address, or under the type that they have; arguments that
// are no JSON object, wrapped in one; a refusal said as text; the role developer
// that became system.
func (w *Warning) Loss() bool {
	last := w.Path[strings.LastIndexByte(w.Path, '/')+1:]
	switch w.Code {
	case WarnDropped:
		return last != "cache" && last != "signature" && !strings.HasSuffix(w.Path, "/cache/ttl") && !strings.HasSuffix(w.Path, "/result/name")
	case WarnChanged:
	default:
		return false
	}
	switch {
	case last == "id" || last == "call_id" || last == "content" || last == "args":
		return false
	case strings.HasSuffix(w.Path, "/media/type") || strings.HasSuffix(w.Path, "/media/data") || strings.HasSuffix(w.Path, "/media/url"):
		return false
	case last == "role":
		return w.From != string(RoleDeveloper) || w.To != string(RoleSystem)
	case last == "kind":
		return w.From != string(PartRefusal)
	case strings.HasSuffix(w.Path[:len(w.Path)-len(last)], "/content/"): // a part, moved or joined
		return w.From != "" || w.To != ""
	default:
		return true
	}
}

// Lineage is how an answer came about.
type Lineage struct {
	ID         string      `json:"id"`
	Ingress    string      `json:"ingress,omitempty"` // dialect of the client
	Asked      string      `json:"asked,omitempty"`   // model as asked
	Chain      string      `json:"chain,omitempty"`
	Task       string      `json:"task,omitempty"`
	Class      string      `json:"class,omitempty"`
	Attempts   []Attempt   `json:"attempts,omitempty"`
	Confidence *Confidence `json:"confidence,omitempty"`
	Cache      string      `json:"cache,omitempty"`
	Masked     int         `json:"masked,omitempty"`
	CostUSD    *float64    `json:"cost_usd,omitempty"`
	Reasons    []Reason    `json:"reasons,omitempty"`
}

// Attempt is one try at one target.
type Attempt struct {
	Provider string    `json:"provider"`
	Model    string    `json:"model,omitempty"`
	Dialect  string    `json:"dialect,omitempty"`
	Zone     string    `json:"zone,omitempty"`
	Region   string    `json:"region,omitempty"`
	Overlays []string  `json:"overlays,omitempty"`
	Start    time.Time `json:"start,omitzero"`
	FirstMS  float64   `json:"first_ms,omitempty"` // until the first content
	TookMS   float64   `json:"took_ms,omitempty"`
	Outcome  string    `json:"outcome"` // ok, failed, escalated, canceled, skipped
	Error    *Error    `json:"error,omitempty"`
	Usage    *Usage    `json:"usage,omitempty"`
	CostUSD  *float64  `json:"cost_usd,omitempty"`
}

// Confidence is the measured probability that an answer is right.
type Confidence struct {
	Value     float64  `json:"value"`
	Threshold float64  `json:"threshold,omitempty"`
	Signals   []Reason `json:"signals,omitempty"`
}

// Reason explains one decision.
type Reason struct {
	Stage  string `json:"stage"`            // the stage that decided: resolve, plan, attempt, ...
	Code   string `json:"code"`             // what, as a word for programs
	Target string `json:"target,omitempty"` // provider:model, where it is about one
	Detail string `json:"detail,omitempty"` // why, for people
}
