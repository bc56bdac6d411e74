package sdktest

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"

	"github.com/ollama/ollama/api"
)

type ollama struct {
	keeper *keeper
	sdk    *api.Client
}

func newOllama(address string) *ollama {
	base, err := url.Parse(address)
	if err != nil {
		panic(err)
	}
	k := &keeper{}
	return &ollama{keeper: k, sdk: api.NewClient(base, &http.Client{Transport: k})}
}

func (*ollama) name() string { return "ollama" }

func (c *ollama) send(ctx context.Context, a *ask, stream bool, each func()) (*got, error) {
	p := c.params(a)
	p.Stream = &stream
	g := &got{}
	var m api.Message
	done := false
	err := c.sdk.Chat(ctx, p, func(r api.ChatResponse) error {
		g.pieces++
		m.Role = r.Message.Role
		m.Content += r.Message.Content
		m.Thinking += r.Message.Thinking
		m.ToolCalls = append(m.ToolCalls, r.Message.ToolCalls...)
		for _, l := range r.Logprobs {
			g.logprobs = append(g.logprobs, l.Token)
		}
		g.model = r.Model
		if r.Done {
			done, g.finish = true, r.DoneReason
			g.usage = usage{Input: int64(r.PromptEvalCount), Output: int64(r.EvalCount)}
		}
		each()
		return nil
	})
	if err != nil {
		return nil, err
	}
	if !done {
		return nil, errors.New("an answer without done")
	}
	g.text, g.thinking, g.own, g.header = m.Content, m.Thinking, m, c.keeper.header()
	for _, t := range m.ToolCalls {
		g.calls = append(g.calls, call{t.ID, t.Function.Name, t.Function.Arguments.String()})
	}
	return g, nil
}

func (c *ollama) params(a *ask) *api.ChatRequest {
	p := &api.ChatRequest{Model: a.model, Options: map[string]any{}, Logprobs: a.logprobs}
	if a.system != "" {
		p.Messages = append(p.Messages, api.Message{Role: "system", Content: a.system})
	}
	for _, t := range a.turns {
		p.Messages = append(p.Messages, c.turn(t)...)
	}
	for _, t := range a.tools {
		var params api.ToolFunctionParameters
		if err := json.Unmarshal([]byte(t.schema), &params); err != nil {
			panic(err)
		}
		p.Tools = append(p.Tools, api.Tool{Type: "function", Function: api.ToolFunction{
			Name: t.name, Description: t.description, Parameters: params,
		}})
	}
	if a.schema != "" {
		p.Format = json.RawMessage(a.schema)
	}
	if a.think {
		p.Think = &api.ThinkValue{Value: true}
	}
	if a.max > 0 {
		p.Options["num_predict"] = a.max
	}
	if len(a.stop) > 0 {
		p.Options["stop"] = a.stop
	}
	if a.temperature != nil {
		p.Options["temperature"] = *a.temperature
	}
	return p
}

func (c *ollama) turn(t turn) []api.Message {
	switch {
	case t.answer != nil:
		return []api.Message{t.answer.own.(api.Message)}
	case len(t.results) > 0:
		var list []api.Message
		for _, r := range t.results {
			list = append(list, api.Message{Role: "tool", Content: r.text, ToolName: r.name, ToolCallID: r.id})
		}
		return list
	case t.image != nil:
		return []api.Message{{Role: "user", Content: t.text, Images: []api.ImageData{t.image}}}
	default:
		return []api.Message{{Role: "user", Content: t.text}}
	}
}

func (c *ollama) models(ctx context.Context) ([]string, error) {
	l, err := c.sdk.List(ctx)
	if err != nil {
		return nil, err
	}
	var ids []string
	for i := range l.Models {
		ids = append(ids, l.Models[i].Model)
	}
	return ids, nil
}

func (c *ollama) failure(err error) (failure, bool) {
	if e, ok := errors.AsType[api.StatusError](err); ok {
		return failure{status: e.StatusCode, message: e.ErrorMessage, header: c.keeper.header()}, true
	}
	// Errors inside a stream are texts alone.
	return failure{message: err.Error()}, false
}
