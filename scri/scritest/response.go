package scritest

import (
	"time"

	"pgregory.net/rapid"

	"github.com/aratta-gateway/aratta/scri"
)

// Response draws a whole answer in canonical form, with all kinds of parts.
func Response() *rapid.Generator[*scri.ChatResponse] {
	return rapid.Custom(func(t *rapid.T) *scri.ChatResponse {
		r := &scri.ChatResponse{
			ID:       pick(t, "id", "chatcmpl-1", "msg_01"),
			Model:    pick(t, "model", "gpt-5.2", "claude-sonnet-4-5", "qwen3:8b"),
			Provider: maybe(t, "provider", func(t *rapid.T) string { return pick(t, "provider", "openai", "ollama") }),
			Usage:    maybe(t, "usage", usage),
			Ext:      seldom(t, "response ext", ext),
		}
		if rapid.Bool().Draw(t, "created") {
			r.Created = time.Unix(rapid.Int64Range(1, 4e9).Draw(t, "created"), 0).UTC()
		}
		n := 1
		if rapid.IntRange(0, 4).Draw(t, "more choices") == 0 {
			n = 2
		}
		for range n {
			r.Choices = append(r.Choices, choice(t))
		}
		r.Warnings = seldom(t, "warnings", func(t *rapid.T) []scri.Warning {
			return []scri.Warning{{Code: scri.WarnDropped, Path: "/top_k", From: words(t, "from"), Detail: words(t, "detail")}}
		})
		r.Lineage = seldom(t, "lineage", lineage)
		return r
	})
}

func choice(t *rapid.T) scri.Choice {
	calls := 0
	m := scri.Message{Role: scri.RoleAssistant, Parts: assistantParts(t, &calls)}
	c := scri.Choice{LogProbs: seldom(t, "logprobs", logProbs), Ext: seldom(t, "choice ext", ext)}
	d := dialect(t)
	switch {
	case calls > 0:
		c.Finish = scri.Finish{Reason: scri.FinishToolCalls}
	case rapid.IntRange(0, 5).Draw(t, "refuses") == 0:
		m.Parts = []scri.Part{{Kind: scri.PartRefusal, Text: Text().Draw(t, "refusal")}}
		c.Finish = scri.Finish{Reason: scri.FinishRefusal, Raw: "refusal", Dialect: d}
	default:
		c.Finish = rapid.SampledFrom([]scri.Finish{
			{Reason: scri.FinishStop, Raw: "stop", Dialect: "openai"},
			{Reason: scri.FinishStop, Raw: "stop_sequence", Dialect: "anthropic", Detail: "END"},
			{Reason: scri.FinishLength},
			{Reason: scri.FinishContentFilter},
			{Reason: scri.FinishOther, Raw: "odd", Dialect: d},
		}).Draw(t, "finish")
	}
	c.Output = []scri.Message{m}
	return c
}

func usage(t *rapid.T) *scri.Usage {
	u := &scri.Usage{Input: ptr(t, "input", rapid.Int64Range(100, 1e6)), Output: ptr(t, "output", rapid.Int64Range(100, 1e5))}
	if u.Input != nil {
		u.CacheRead = ptr(t, "cache read", rapid.Int64Range(0, 50))
		u.CacheWrite = ptr(t, "cache write", rapid.Int64Range(0, 50))
	}
	if u.Output != nil {
		u.Thinking = ptr(t, "thinking", rapid.Int64Range(0, 100))
	}
	u.Estimated = rapid.IntRange(0, 9).Draw(t, "estimated") == 0
	return u
}

func lineage(t *rapid.T) *scri.Lineage {
	cost := 0.25
	return &scri.Lineage{
		ID: "req_1", Ingress: dialect(t), Asked: "local", Chain: "default",
		Attempts: []scri.Attempt{
			{Provider: "ollama", Zone: "local", Outcome: "failed", Error: &scri.Error{Kind: scri.ErrRateLimited, Message: words(t, "message"), RetryAfter: 1500 * time.Millisecond}},
			{Provider: "openai", Model: "gpt-5.2", Outcome: "ok", TookMS: 12.5, Start: time.Unix(1.7e9, 0).UTC(), CostUSD: &cost},
		},
		Reasons: []scri.Reason{{Stage: "resolve", Code: "alias", Target: "openai:gpt-5.2"}},
	}
}
