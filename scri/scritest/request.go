// Package scritest draws values of the language for property tests.
package scritest

import (
	"fmt"
	"math"
	"strings"

	"pgregory.net/rapid"

	"github.com/aratta-gateway/aratta/scri"
)

// Request draws a valid chat request in canonical form: a history in which each
// call has its result, with all kinds of parts.
func Request() *rapid.Generator[*scri.ChatRequest] {
	return rapid.Custom(func(t *rapid.T) *scri.ChatRequest {
		r := &scri.ChatRequest{
			Model:       pick(t, "model", "local", "openai:gpt-5.2", "claude-sonnet-4-5", "qwen3:8b"),
			Messages:    history(t),
			MaxTokens:   ptr(t, "max tokens", rapid.Int64Range(1, 1<<20)),
			Temperature: ptr(t, "temperature", rapid.SampledFrom([]float64{0, 0.7, 1, 1.5})),
			TopP:        ptr(t, "top p", rapid.SampledFrom([]float64{0.1, 0.95, 1})),
			Stream:      rapid.Bool().Draw(t, "stream"),
		}
		tools(t, r)
		sampling(t, r)
		return r
	})
}

func sampling(t *rapid.T, r *scri.ChatRequest) {
	r.TopK = ptr(t, "top k", rapid.Int64Range(1, 100))
	r.Seed = seldom(t, "seed", func(t *rapid.T) scri.RawJSON {
		return scri.RawJSON(pick(t, "seed", "0", "42", "18446744073709551615"))
	})
	penalty := rapid.SampledFrom([]float64{-1, 0, 0.5})
	r.FrequencyPenalty, r.PresencePenalty = ptr(t, "frequency penalty", penalty), ptr(t, "presence penalty", penalty)
	r.Suffix = seldom(t, "suffix", func(t *rapid.T) scri.Text { return scri.NewText(String().Draw(t, "suffix")) })
	r.Stop = seldom(t, "stop", func(t *rapid.T) []string { return rapid.SliceOfN(String(), 1, 3).Draw(t, "stop") })
	r.N = seldom(t, "n", func(t *rapid.T) int { return rapid.IntRange(1, 3).Draw(t, "n") })
	r.LogProbs = seldom(t, "logprobs", func(t *rapid.T) *int { return ptr(t, "top", rapid.IntRange(0, 5)) })
	r.User = seldom(t, "user", func(t *rapid.T) string { return words(t, "user") })
	r.Metadata = seldom(t, "metadata", func(t *rapid.T) map[string]string {
		return map[string]string{"trace": words(t, "trace"), "größe": words(t, "value")}
	})
	r.Reasoning = seldom(t, "reasoning", func(t *rapid.T) *scri.Reasoning {
		return &scri.Reasoning{
			Effort:  pick(t, "effort", "", "none", "minimal", "low", "high", "max"),
			Budget:  ptr(t, "budget", rapid.Int64Range(1024, 1<<16)),
			Summary: pick(t, "summary", "", "auto", "detailed"),
		}
	})
	r.Format = seldom(t, "format", func(t *rapid.T) *scri.Format {
		f := &scri.Format{Kind: pick(t, "format", scri.FormatText, scri.FormatJSON, scri.FormatJSONSchema)}
		if f.Kind == scri.FormatJSONSchema {
			f.Name, f.Schema, f.Strict = "answer", schema(t), ptr(t, "strict", rapid.Bool())
		}
		return f
	})
	r.Routing = seldom(t, "routing", func(t *rapid.T) *scri.Routing {
		return &scri.Routing{Sovereign: rapid.Bool().Draw(t, "sovereign"), Strict: true, Class: pick(t, "class", "", "personal"), MaxCostUSD: ptr(t, "cost", rapid.Float64Range(0, 1))}
	})
	r.Session = seldom(t, "session", func(*rapid.T) string { return "s-1" })
	r.Ext = seldom(t, "request ext", ext)
}

func tools(t *rapid.T, r *scri.ChatRequest) {
	n := rapid.IntRange(0, 3).Draw(t, "tools")
	for i := range n {
		r.Tools = append(r.Tools, scri.Tool{
			Name:        fmt.Sprintf("%s_%d", pick(t, "tool", "get_weather", "search", "write-file"), i),
			Description: maybe(t, "description", func(t *rapid.T) scri.Text { return Text().Draw(t, "description") }),
			Schema:      schema(t),
			Strict:      ptr(t, "strict", rapid.Bool()),
			Cache:       seldom(t, "cache", cacheMark),
			Ext:         seldom(t, "tool ext", ext),
		})
	}
	if n == 0 {
		return
	}
	r.ParallelTools = ptr(t, "parallel", rapid.Bool())
	r.ToolChoice = maybe(t, "tool choice", func(t *rapid.T) *scri.ToolChoice {
		c := &scri.ToolChoice{Mode: pick(t, "mode", scri.ToolsAuto, scri.ToolsNone, scri.ToolsRequired, scri.ToolsNamed)}
		if c.Mode == scri.ToolsNamed {
			c.Name = r.Tools[0].Name
		}
		return c
	})
}

func history(t *rapid.T) []scri.Message {
	var list []scri.Message
	calls := 0
	if rapid.Bool().Draw(t, "system?") {
		role := rapid.SampledFrom([]scri.Role{scri.RoleSystem, scri.RoleDeveloper}).Draw(t, "system role")
		list = append(list, scri.Message{Role: role, Parts: []scri.Part{textPart(t)}})
	}
	turns := rapid.IntRange(1, 3).Draw(t, "turns")
	for i := range turns {
		list = append(list, scri.Message{
			Role: scri.RoleUser, Parts: rapid.SliceOfN(rapid.Custom(userPart), 1, 3).Draw(t, "user"),
			Name: seldom(t, "name", func(*rapid.T) string { return "bob" }),
			Ext:  seldom(t, "message ext", ext),
		})
		if i == turns-1 {
			break
		}
		answer := scri.Message{Role: scri.RoleAssistant, Parts: assistantParts(t, &calls)}
		list = append(list, answer)
		for _, p := range answer.Parts {
			if p.Kind == scri.PartToolCall {
				list = append(list, scri.Message{Role: scri.RoleTool, Parts: []scri.Part{result(t, p.Call)}})
			}
		}
	}
	return list
}

func textPart(t *rapid.T) scri.Part {
	return scri.Part{Kind: scri.PartText, Text: Text().Draw(t, "text"), Cache: seldom(t, "cache", cacheMark), Ext: seldom(t, "part ext", ext)}
}

func cacheMark(t *rapid.T) *scri.CacheMark {
	return &scri.CacheMark{TTL: pick(t, "ttl", "", "5m", "1h")}
}

func userPart(t *rapid.T) scri.Part {
	switch rapid.IntRange(0, 5).Draw(t, "user part") {
	case 0:
		return scri.Part{Kind: scri.PartMedia, Media: media(t), Cache: seldom(t, "cache", cacheMark)}
	case 1:
		return scri.Part{
			Kind: scri.PartOpaque, Raw: scri.RawJSON(`{"type":"x_block","value":` + object(t) + `}`),
			Ext: &scri.Ext{Dialect: dialect(t)},
		}
	default:
		return textPart(t)
	}
}

func media(t *rapid.T) *scri.Media {
	switch rapid.IntRange(0, 4).Draw(t, "media") {
	case 0:
		return &scri.Media{Type: "image/png", Data: textOf(t, "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")}
	case 1:
		return &scri.Media{Type: "image/*", URL: textOf(t, "https://example.org/a?b=1&c=ü.png")}
	case 2:
		return &scri.Media{Type: "application/pdf", Name: "report.pdf", Data: textOf(t, "JVBERi0xLjQKJeLjz9MK")}
	case 3:
		return &scri.Media{Type: "text/plain", Name: "notes.txt", Text: Text().Draw(t, "document")}
	default:
		return &scri.Media{Type: "application/pdf", FileID: "file-abc123"}
	}
}

// assistantParts draws what an assistant said, in canonical order, never nothing.
func assistantParts(t *rapid.T, calls *int) []scri.Part {
	var list []scri.Part
	if rapid.IntRange(0, 2).Draw(t, "thinks") == 0 {
		list = append(list, thinking(t))
	}
	n := rapid.IntRange(0, 2).Draw(t, "calls")
	if n == 0 || rapid.Bool().Draw(t, "speaks") {
		p := textPart(t)
		p.Citations = seldom(t, "citations", func(t *rapid.T) []scri.Citation {
			return []scri.Citation{citation(t, p.Text), {Document: "doc", Title: words(t, "title")}}
		})
		list = append(list, p)
	}
	for range n {
		*calls++
		list = append(list, call(t, *calls))
	}
	return list
}

func citation(t *rapid.T, in scri.Text) scri.Citation {
	end := rapid.IntRange(1, len([]rune(in.String()))).Draw(t, "end")
	return scri.Citation{
		Start: rapid.IntRange(0, end-1).Draw(t, "start"), End: end,
		Quote: maybe(t, "quote", func(t *rapid.T) scri.Text { return Text().Draw(t, "quote") }),
		URL:   "https://example.org/source", Title: words(t, "title"), Ext: seldom(t, "citation ext", ext),
	}
}

func thinking(t *rapid.T) scri.Part {
	p := scri.Part{Kind: scri.PartThinking, Text: Text().Draw(t, "thought")}
	d := dialect(t)
	switch rapid.IntRange(0, 3).Draw(t, "signed") {
	case 0:
		p.Signature = &scri.Signature{Value: textOf(t, "EqQBCkYIARgCKkD+/w=="), Dialect: d, Provider: d}
	case 1:
		p.Text = scri.Text{}
		p.Signature = &scri.Signature{Value: textOf(t, "aGlkZGVu+/8="), Dialect: d, Provider: d, Model: "m", Redacted: true}
	default:
	}
	return p
}

func call(t *rapid.T, n int) scri.Part {
	args := object(t)
	if rapid.IntRange(0, 9).Draw(t, "half arguments") == 0 {
		args = strings.TrimSuffix(args, "}")
	}
	return scri.Part{
		Kind: scri.PartToolCall,
		Call: &scri.ToolCall{ID: fmt.Sprintf("call_%d%s", n, pick(t, "id", "", "_aZ09-")), Name: pick(t, "called", "get_weather_0", "search_1"), Args: textOf(t, args)},
		Ext:  seldom(t, "call ext", ext),
	}
}

func result(t *rapid.T, c *scri.ToolCall) scri.Part {
	r := &scri.ToolResult{CallID: c.ID, Error: rapid.IntRange(0, 4).Draw(t, "failed") == 0, Name: maybe(t, "named", func(*rapid.T) string { return c.Name })}
	for range rapid.IntRange(1, 2).Draw(t, "result parts") {
		if rapid.IntRange(0, 4).Draw(t, "result media") == 0 {
			r.Parts = append(r.Parts, scri.Part{Kind: scri.PartMedia, Media: media(t)})
			continue
		}
		r.Parts = append(r.Parts, scri.Part{Kind: scri.PartText, Text: Text().Draw(t, "result")})
	}
	return scri.Part{Kind: scri.PartToolResult, Result: r, Cache: seldom(t, "cache", cacheMark)}
}

func logProbs(t *rapid.T) []scri.TokenLogProb {
	token := func(t *rapid.T) scri.TokenLogProb {
		s := words(t, "token")
		p := scri.TokenLogProb{Token: textOf(t, s), LogProb: -math.Round(rapid.Float64Range(0, 20).Draw(t, "logprob")*1e6) / 1e6}
		if rapid.Bool().Draw(t, "bytes") {
			for _, c := range []byte(s) {
				p.Bytes = append(p.Bytes, int(c))
			}
		}
		return p
	}
	list := make([]scri.TokenLogProb, rapid.IntRange(1, 4).Draw(t, "tokens"))
	for i := range list {
		list[i] = token(t)
		for range rapid.IntRange(0, 2).Draw(t, "alternatives") {
			list[i].Top = append(list[i].Top, token(t))
		}
	}
	return list
}
