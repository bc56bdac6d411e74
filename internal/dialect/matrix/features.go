package matrix

import (
	"github.com/aratta-gateway/aratta/scri"
)

// feature is one thing that can be said, and the smallest request or answer that
// says it.
type feature struct {
	Feature
	ask    func(r *scri.ChatRequest, from string)  // adds it to a request that a client of this dialect sends
	answer func(r *scri.ChatResponse, from string) // or to an answer
}

// Probes of media: a pixel and a page, far too small for anybody to look at.
const (
	pixel  = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
	page   = "JVBERi0xLjQKJSVFT0YK"
	schema = `{"type":"object","properties":{"city":{"type":"string"}},"required":["city"],"additionalProperties":false}`
)

func base() *scri.ChatRequest {
	return &scri.ChatRequest{Model: "some-model", Messages: []scri.Message{{Role: scri.RoleUser, Parts: []scri.Part{scri.TextPart("Hello")}}}}
}

func reply() *scri.ChatResponse {
	return &scri.ChatResponse{ID: "a1", Model: "some-model", Choices: []scri.Choice{{
		Output: []scri.Message{{Role: scri.RoleAssistant, Parts: []scri.Part{scri.TextPart("Hello")}}}, Finish: scri.Finish{Reason: scri.FinishStop},
	}}, Usage: &scri.Usage{Input: new(int64(9)), Output: new(int64(3))}}
}

func first(r *scri.ChatRequest, m ...scri.Message) { r.Messages = append(m, r.Messages...) }

func then(r *scri.ChatRequest, m ...scri.Message) { r.Messages = append(r.Messages, m...) }

func show(r *scri.ChatRequest, p scri.Part) {
	m := &r.Messages[len(r.Messages)-1]
	m.Parts = append(m.Parts, p)
}

func says(role scri.Role, parts ...scri.Part) scri.Message {
	return scri.Message{Role: role, Parts: parts}
}

func media(m scri.Media) scri.Part { return scri.Part{Kind: scri.PartMedia, Media: &m} }

func call(id string) scri.Part {
	return scri.Part{Kind: scri.PartToolCall, Call: &scri.ToolCall{ID: id, Name: "weather", Args: scri.NewText(`{"city":"Ur"}`)}}
}

func result(id string, parts ...scri.Part) scri.Part {
	return scri.Part{Kind: scri.PartToolResult, Result: &scri.ToolResult{CallID: id, Parts: parts}}
}

func thought(from string) scri.Part {
	p := scri.Part{Kind: scri.PartThinking, Text: scri.NewText("Let me think.")}
	if from != "" {
		p.Signature = &scri.Signature{Value: scri.NewText("c2lnbmVk"), Dialect: from}
	}
	return p
}

func tool(r *scri.ChatRequest) {
	r.Tools = append(r.Tools, scri.Tool{Name: "weather", Description: scri.NewText("Tells the weather."), Schema: scri.RawJSON(schema)})
}

func asks(name, what string, ask func(r *scri.ChatRequest, from string)) feature {
	return feature{Feature: Feature{Name: name, Side: SideRequest, What: what}, ask: ask}
}

func tells(name, what string, answer func(r *scri.ChatResponse, from string)) feature {
	return feature{Feature: Feature{Name: name, Side: SideAnswer, What: what}, answer: answer}
}

// features are all that the matrix is about.
func features() []feature {
	return append(append(conversation(), parameters()...), answers()...)
}

func conversation() []feature {
	type R = *scri.ChatRequest
	return []feature{
		asks("text", "a text of the user", func(R, string) {}),
		asks("system", "a system text before the conversation", func(r R, _ string) { first(r, says(scri.RoleSystem, scri.TextPart("Be brief."))) }),
		asks("developer", "the role developer", func(r R, _ string) { first(r, says(scri.RoleDeveloper, scri.TextPart("Be brief."))) }),
		asks("late_system", "a system text within the conversation", func(r R, _ string) {
			then(r, says(scri.RoleAssistant, scri.TextPart("Hi")), says(scri.RoleSystem, scri.TextPart("Be brief.")), says(scri.RoleUser, scri.TextPart("Go on")))
		}),
		asks("message_name", "the name of who speaks", func(r R, _ string) { r.Messages[0].Name = "alice" }),
		asks("image_data", "an image by its bytes", func(r R, _ string) { show(r, media(scri.Media{Type: "image/png", Data: scri.NewText(pixel)})) }),
		asks("image_url", "an image by its address", func(r R, _ string) {
			show(r, media(scri.Media{Type: "image/*", URL: scri.NewText("https://example.com/a.png")}))
		}),
		asks("document", "a PDF by its bytes", func(r R, _ string) {
			show(r, media(scri.Media{Type: "application/pdf", Name: "a.pdf", Data: scri.NewText(page)}))
		}),
		asks("audio", "sound by its bytes", func(r R, _ string) { show(r, media(scri.Media{Type: "audio/wav", Data: scri.NewText("UklGRg==")})) }),
		asks("cache_mark", "a breakpoint of the prompt cache", func(r R, _ string) { r.Messages[0].Parts[0].Cache = &scri.CacheMark{} }),
		asks("tools", "tools with a JSON Schema", func(r R, _ string) { tool(r) }),
		asks("strict_tools", "tools whose schema must be kept to", func(r R, _ string) { tool(r); r.Tools[0].Strict = new(true) }),
		asks("tool_call", "a call in the history, and its result", func(r R, _ string) {
			tool(r)
			then(r, says(scri.RoleAssistant, call("call_1")), says(scri.RoleTool, result("call_1", scri.TextPart("18 degrees"))))
		}),
		asks("parallel_calls", "several calls in one turn", func(r R, _ string) {
			tool(r)
			then(r, says(scri.RoleAssistant, call("call_1"), call("call_2")), says(scri.RoleTool, result("call_1", scri.TextPart("18"))), says(scri.RoleTool, result("call_2", scri.TextPart("19"))))
		}),
		asks("tool_result_error", "a result that tells of a failure", func(r R, _ string) {
			tool(r)
			p := result("call_1", scri.TextPart("no such city"))
			p.Result.Error = true
			then(r, says(scri.RoleAssistant, call("call_1")), says(scri.RoleTool, p))
		}),
		asks("tool_result_image", "a result with an image", func(r R, _ string) {
			tool(r)
			then(r, says(scri.RoleAssistant, call("call_1")), says(scri.RoleTool, result("call_1", media(scri.Media{Type: "image/png", Data: scri.NewText(pixel)}))))
		}),
		asks("thoughts", "earlier thoughts without a signature", func(r R, _ string) {
			then(r, says(scri.RoleAssistant, thought(""), scri.TextPart("Hi")), says(scri.RoleUser, scri.TextPart("Go on")))
		}),
		asks("signed_thoughts", "earlier thoughts with the signature of the client's dialect", func(r R, from string) {
			then(r, says(scri.RoleAssistant, thought(from), scri.TextPart("Hi")), says(scri.RoleUser, scri.TextPart("Go on")))
		}),
	}
}

func parameters() []feature {
	type R = *scri.ChatRequest
	choice := func(mode, name string) func(R, string) {
		return func(r R, _ string) {
			tool(r)
			r.ToolChoice = &scri.ToolChoice{Mode: mode, Name: name}
		}
	}
	return []feature{
		asks("tool_choice_none", "no tool may be called", choice("none", "")),
		asks("tool_choice_required", "some tool must be called", choice("required", "")),
		asks("tool_choice_tool", "this tool must be called", choice("tool", "weather")),
		asks("one_call_at_a_time", "no parallel calls", func(r R, _ string) { tool(r); r.ParallelTools = new(false) }),
		asks("max_tokens", "a limit of the answer", func(r R, _ string) { r.MaxTokens = new(int64(100)) }),
		asks("temperature", "", func(r R, _ string) { r.Temperature = new(0.5) }),
		asks("temperature_above_1", "", func(r R, _ string) { r.Temperature = new(1.5) }),
		asks("top_p", "", func(r R, _ string) { r.TopP = new(0.9) }),
		asks("top_k", "", func(r R, _ string) { r.TopK = new(int64(40)) }),
		asks("frequency_penalty", "", func(r R, _ string) { r.FrequencyPenalty = new(0.5) }),
		asks("presence_penalty", "", func(r R, _ string) { r.PresencePenalty = new(0.5) }),
		asks("seed", "", func(r R, _ string) { r.Seed = scri.RawJSON("7") }),
		asks("stop", "stop sequences", func(r R, _ string) { r.Stop = []string{"END"} }),
		asks("suffix", "what stands behind the answer", func(r R, _ string) { r.Suffix = scri.NewText("}") }),
		asks("n", "several answers at once", func(r R, _ string) { r.N = 2 }),
		asks("effort", "how hard to think, as a word", func(r R, _ string) { r.Reasoning = &scri.Reasoning{Effort: "high"} }),
		asks("thinking_budget", "how long to think, in tokens", func(r R, _ string) {
			r.MaxTokens, r.Reasoning = new(int64(8000)), &scri.Reasoning{Budget: new(int64(2048))}
		}),
		asks("json", "an answer in JSON", func(r R, _ string) { r.Format = &scri.Format{Kind: scri.FormatJSON} }),
		asks("json_schema", "an answer that fits a JSON Schema", func(r R, _ string) {
			r.Format = &scri.Format{Kind: scri.FormatJSONSchema, Name: "place", Schema: scri.RawJSON(schema)}
		}),
		asks("logprobs", "log-probabilities", func(r R, _ string) { r.LogProbs = new(2) }),
		asks("user", "who asks", func(r R, _ string) { r.User = "u-1" }),
		asks("metadata", "labels of the request", func(r R, _ string) { r.Metadata = map[string]string{"team": "blue"} }),
		asks("previous_id", "the answer that this one follows", func(r R, _ string) { r.PreviousID = "resp_1" }),
	}
}

func answers() []feature {
	type A = *scri.ChatResponse
	part := func(p func(from string) scri.Part) func(A, string) {
		return func(r A, from string) {
			m := &r.Choices[0].Output[0]
			m.Parts = append([]scri.Part{p(from)}, m.Parts...)
		}
	}
	finish := func(reason scri.FinishReason) func(A, string) {
		return func(r A, _ string) { r.Choices[0].Finish.Reason = reason }
	}
	return []feature{
		tells("answer_text", "a text", func(A, string) {}),
		tells("answer_thoughts", "thoughts", part(func(string) scri.Part { return thought("") })),
		tells("answer_signature", "thoughts with a signature", part(thought)),
		tells("answer_refusal", "a refusal", func(r A, _ string) {
			r.Choices[0].Output[0].Parts = []scri.Part{{Kind: scri.PartRefusal, Text: scri.NewText("I will not.")}}
		}),
		tells("answer_calls", "calls of tools", func(r A, _ string) {
			r.Choices[0].Output[0].Parts = []scri.Part{call("call_1"), call("call_2")}
			r.Choices[0].Finish.Reason = scri.FinishToolCalls
		}),
		tells("answer_text_and_call", "a text before a call", func(r A, _ string) {
			m := &r.Choices[0].Output[0]
			m.Parts = append(m.Parts, call("call_1"))
			r.Choices[0].Finish.Reason = scri.FinishToolCalls
		}),
		tells("answer_citations", "citations with their address", func(r A, _ string) {
			r.Choices[0].Output[0].Parts[0].Citations = []scri.Citation{{End: 5, URL: "https://example.com", Title: "Example"}}
		}),
		tells("answer_logprobs", "log-probabilities", func(r A, _ string) {
			r.Choices[0].LogProbs = []scri.TokenLogProb{{Token: scri.NewText("Hello"), LogProb: -0.25}}
		}),
		tells("answer_choices", "several answers at once", func(r A, _ string) { r.Choices = append(r.Choices, reply().Choices[0]) }),
		tells("finish_length", "cut at the limit", finish(scri.FinishLength)),
		tells("finish_content_filter", "stopped by a filter", finish(scri.FinishContentFilter)),
		tells("finish_refusal", "ended by a refusal", finish(scri.FinishRefusal)),
		tells("finish_pause", "to be asked again", finish(scri.FinishPause)),
		tells("usage_cache", "tokens from and into the prompt cache", func(r A, _ string) {
			r.Usage.CacheRead, r.Usage.CacheWrite = new(int64(4)), new(int64(2))
		}),
		tells("usage_thinking", "tokens of thoughts", func(r A, _ string) { r.Usage.Thinking = new(int64(2)) }),
	}
}
