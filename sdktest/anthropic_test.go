package sdktest

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/anthropics/anthropic-sdk-go"
	"github.com/anthropics/anthropic-sdk-go/option"
)

type claude struct {
	keeper *keeper
	sdk    anthropic.Client
}

func newAnthropic(url string, opts ...option.RequestOption) *claude {
	k := &keeper{}
	opts = append([]option.RequestOption{
		option.WithoutEnvironmentDefaults(), option.WithBaseURL(url), option.WithAPIKey(clientKey), option.WithMaxRetries(0),
		option.WithHTTPClient(&http.Client{Transport: k}),
	}, opts...)
	return &claude{keeper: k, sdk: anthropic.NewClient(opts...)}
}

func (*claude) name() string { return "anthropic" }

func (c *claude) send(ctx context.Context, a *ask, stream bool, each func()) (*got, error) {
	p := c.params(a)
	if !stream {
		m, err := c.sdk.Messages.New(ctx, p)
		if err != nil {
			return nil, err
		}
		return c.read(m), nil
	}
	s := c.sdk.Messages.NewStreaming(ctx, p)
	defer s.Close()
	var m anthropic.Message
	pieces, ended := 0, false
	for s.Next() {
		pieces++
		e := s.Current()
		if err := m.Accumulate(e); err != nil {
			return nil, err
		}
		ended = e.Type == "message_stop"
		each()
	}
	if err := s.Err(); err != nil {
		return nil, err
	}
	if !ended {
		return nil, errors.New("a stream without message_stop")
	}
	g := c.read(&m)
	g.pieces = pieces
	return g, nil
}

func (c *claude) read(m *anthropic.Message) *got {
	g := &got{
		finish: string(m.StopReason), stopped: m.StopSequence, model: m.Model,
		usage: usage{
			Input: m.Usage.InputTokens, Output: m.Usage.OutputTokens, CacheRead: m.Usage.CacheReadInputTokens,
			CacheWrite: m.Usage.CacheCreationInputTokens, Thinking: m.Usage.OutputTokensDetails.ThinkingTokens,
		},
		header: c.keeper.header(), own: m.ToParam(),
	}
	for i := range m.Content {
		switch b := m.Content[i].AsAny().(type) {
		case anthropic.TextBlock:
			g.text += b.Text
		case anthropic.ThinkingBlock:
			g.thinking += b.Thinking
			g.signature = b.Signature
		case anthropic.ToolUseBlock:
			g.calls = append(g.calls, call{b.ID, b.Name, string(b.Input)})
		}
	}
	return g
}

func (c *claude) params(a *ask) anthropic.MessageNewParams {
	p := anthropic.MessageNewParams{Model: a.model, MaxTokens: 4096, StopSequences: a.stop, Tools: claudeTools(a.tools)}
	if a.system != "" {
		p.System = []anthropic.TextBlockParam{{Text: a.system}}
	}
	for _, t := range a.turns {
		p.Messages = append(p.Messages, c.turn(t))
	}
	if a.mustCall != "" {
		p.ToolChoice = anthropic.ToolChoiceParamOfTool(a.mustCall)
	}
	if a.schema != "" {
		p.OutputConfig.Format.Schema = object(a.schema)
	}
	if a.think {
		p.Thinking = anthropic.ThinkingConfigParamOfEnabled(2048)
	}
	if a.max > 0 {
		p.MaxTokens = a.max
	}
	if a.temperature != nil {
		p.Temperature = anthropic.Float(*a.temperature)
	}
	return p
}

func claudeTools(list []tool) []anthropic.ToolUnionParam {
	var out []anthropic.ToolUnionParam
	for _, t := range list {
		var schema anthropic.ToolInputSchemaParam
		if err := json.Unmarshal([]byte(t.schema), &schema); err != nil {
			panic(err)
		}
		out = append(out, anthropic.ToolUnionParam{OfTool: &anthropic.ToolParam{
			Name: t.name, Description: anthropic.String(t.description), InputSchema: schema,
		}})
	}
	return out
}

func (c *claude) turn(t turn) anthropic.MessageParam {
	switch {
	case t.answer != nil:
		return t.answer.own.(anthropic.MessageParam)
	case len(t.results) > 0:
		var list []anthropic.ContentBlockParamUnion
		for _, r := range t.results {
			list = append(list, anthropic.NewToolResultBlock(r.id, r.text, false))
		}
		return anthropic.NewUserMessage(list...)
	case t.image != nil:
		return anthropic.NewUserMessage(
			anthropic.NewTextBlock(t.text),
			anthropic.NewImageBlockBase64("image/png", base64.StdEncoding.EncodeToString(t.image)),
		)
	default:
		return anthropic.NewUserMessage(anthropic.NewTextBlock(t.text))
	}
}

func (c *claude) models(ctx context.Context) ([]string, error) {
	var ids []string
	pages := c.sdk.Models.ListAutoPaging(ctx, anthropic.ModelListParams{})
	for pages.Next() {
		ids = append(ids, pages.Current().ID)
	}
	return ids, pages.Err()
}

// count asks for the number of tokens.
func (c *claude) count(ctx context.Context, a *ask) (int64, error) {
	p := c.params(a)
	n, err := c.sdk.Messages.CountTokens(ctx, anthropic.MessageCountTokensParams{Model: p.Model, Messages: p.Messages})
	if err != nil {
		return 0, err
	}
	return n.InputTokens, nil
}

func (*claude) failure(err error) (failure, bool) {
	e, ok := errors.AsType[*anthropic.Error](err)
	if !ok {
		return failure{}, false
	}
	var told struct {
		Error struct{ Message string }
	}
	if json.Unmarshal([]byte(e.RawJSON()), &told) != nil {
		return failure{}, false
	}
	return failure{status: e.StatusCode, kind: string(e.Type()), message: told.Error.Message, header: e.Response.Header}, true
}
