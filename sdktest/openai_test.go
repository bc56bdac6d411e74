package sdktest

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/packages/respjson"
	"github.com/openai/openai-go/v3/packages/ssestream"
)

// clientKey is what the clients send as their key.
const clientKey = "key-of-the-client"

type openAI struct {
	keeper *keeper
	sdk    openai.Client
}

func newOpenAI(url string, opts ...option.RequestOption) *openAI {
	k := &keeper{}
	opts = append([]option.RequestOption{
		option.WithBaseURL(url + "/v1"), option.WithAPIKey(clientKey), option.WithMaxRetries(0),
		option.WithHTTPClient(&http.Client{Transport: k}),
	}, opts...)
	return &openAI{keeper: k, sdk: openai.NewClient(opts...)}
}

func (*openAI) name() string { return "openai" }

func (c *openAI) send(ctx context.Context, a *ask, stream bool, each func()) (*got, error) {
	p := c.params(a)
	if !stream {
		r, err := c.sdk.Chat.Completions.New(ctx, p)
		if err != nil {
			return nil, err
		}
		return c.read(r, extraText(r.Choices[0].Message.JSON.ExtraFields)), nil
	}
	p.StreamOptions.IncludeUsage = openai.Bool(true)
	s := c.sdk.Chat.Completions.NewStreaming(ctx, p)
	defer s.Close()
	var acc openai.ChatCompletionAccumulator
	var thoughts string
	pieces := 0
	for s.Next() {
		pieces++
		chunk := s.Current()
		if !acc.AddChunk(chunk) {
			return nil, errors.New("the SDK cannot make an answer of these chunks: " + chunk.RawJSON())
		}
		if len(chunk.Choices) > 0 {
			thoughts += extraText(chunk.Choices[0].Delta.JSON.ExtraFields)
		}
		each()
	}
	if err := s.Err(); err != nil {
		return nil, err
	}
	if len(acc.Choices) == 0 {
		return nil, errors.New("a stream without choices")
	}
	g := c.read(&acc.ChatCompletion, thoughts)
	g.pieces = pieces
	return g, nil
}

// extraText is the text of thoughts: OpenAI's SDK has no place of its own for
// it, those who added it to the format write it here.
func extraText(extra map[string]respjson.Field) string {
	var s string
	if f, ok := extra["reasoning_content"]; ok {
		_ = json.Unmarshal([]byte(f.Raw()), &s) // null is no text
	}
	return s
}

func (c *openAI) read(r *openai.ChatCompletion, thoughts string) *got {
	ch := r.Choices[0]
	g := &got{
		text: ch.Message.Content, thinking: thoughts, finish: ch.FinishReason, model: r.Model,
		usage: usage{
			Input: r.Usage.PromptTokens, Output: r.Usage.CompletionTokens, CacheRead: r.Usage.PromptTokensDetails.CachedTokens,
			Thinking: r.Usage.CompletionTokensDetails.ReasoningTokens,
		},
		header: c.keeper.header(), own: ch.Message.ToParam(),
	}
	for _, t := range ch.Message.ToolCalls {
		g.calls = append(g.calls, call{t.ID, t.Function.Name, t.Function.Arguments})
	}
	for _, l := range ch.Logprobs.Content {
		g.logprobs = append(g.logprobs, l.Token)
	}
	return g
}

func (c *openAI) params(a *ask) openai.ChatCompletionNewParams {
	p := openai.ChatCompletionNewParams{Model: a.model}
	if a.system != "" {
		p.Messages = append(p.Messages, openai.SystemMessage(a.system))
	}
	for _, t := range a.turns {
		p.Messages = append(p.Messages, c.turn(t)...)
	}
	for _, t := range a.tools {
		p.Tools = append(p.Tools, openai.ChatCompletionFunctionTool(openai.FunctionDefinitionParam{
			Name: t.name, Description: openai.String(t.description), Parameters: object(t.schema),
		}))
	}
	if a.mustCall != "" {
		p.ToolChoice = openai.ToolChoiceOptionFunctionToolChoice(openai.ChatCompletionNamedToolChoiceFunctionParam{Name: a.mustCall})
	}
	if a.schema != "" {
		p.ResponseFormat.OfJSONSchema = &openai.ResponseFormatJSONSchemaParam{
			JSONSchema: openai.ResponseFormatJSONSchemaJSONSchemaParam{Name: "answer", Schema: object(a.schema), Strict: openai.Bool(true)},
		}
	}
	if a.think {
		p.ReasoningEffort = openai.ReasoningEffortMedium
	}
	if a.max > 0 {
		p.MaxCompletionTokens = openai.Int(a.max)
	}
	if len(a.stop) > 0 {
		p.Stop.OfStringArray = a.stop
	}
	if a.temperature != nil {
		p.Temperature = openai.Float(*a.temperature)
	}
	if a.logprobs {
		p.Logprobs, p.TopLogprobs = openai.Bool(true), openai.Int(1)
	}
	return p
}

func (c *openAI) turn(t turn) []openai.ChatCompletionMessageParamUnion {
	switch {
	case t.answer != nil:
		return []openai.ChatCompletionMessageParamUnion{t.answer.own.(openai.ChatCompletionMessageParamUnion)}
	case len(t.results) > 0:
		var list []openai.ChatCompletionMessageParamUnion
		for _, r := range t.results {
			list = append(list, openai.ToolMessage(r.text, r.id))
		}
		return list
	case t.image != nil:
		return []openai.ChatCompletionMessageParamUnion{openai.UserMessage([]openai.ChatCompletionContentPartUnionParam{
			openai.TextContentPart(t.text),
			openai.ImageContentPart(openai.ChatCompletionContentPartImageImageURLParam{
				URL: "data:image/png;base64," + base64.StdEncoding.EncodeToString(t.image),
			}),
		})}
	default:
		return []openai.ChatCompletionMessageParamUnion{openai.UserMessage(t.text)}
	}
}

func (c *openAI) models(ctx context.Context) ([]string, error) {
	var ids []string
	pages := c.sdk.Models.ListAutoPaging(ctx)
	for pages.Next() {
		ids = append(ids, pages.Current().ID)
	}
	return ids, pages.Err()
}

func (*openAI) failure(err error) (failure, bool) {
	if e, ok := errors.AsType[*openai.Error](err); ok {
		return failure{e.StatusCode, e.Type, e.Code, e.Param, e.Message, e.Response.Header}, true
	}
	// Errors inside a stream have no status any more, and a type of their own.
	if e, ok := errors.AsType[*ssestream.StreamError](err); ok {
		var told struct {
			Error struct{ Type, Code, Message string }
		}
		if json.Unmarshal(e.Event.Data, &told) != nil {
			return failure{}, false
		}
		return failure{kind: told.Error.Type, code: told.Error.Code, message: told.Error.Message}, true
	}
	return failure{}, false
}

// text writes what a test reads as JSON.
func text(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// object reads a JSON object that a test wrote.
func object(s string) map[string]any {
	var m map[string]any
	if err := json.Unmarshal([]byte(s), &m); err != nil {
		panic(err)
	}
	return m
}
