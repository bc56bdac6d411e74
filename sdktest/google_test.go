package sdktest

import (
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"strings"

	"google.golang.org/genai"
)

type google struct {
	keeper *keeper
	sdk    *genai.Client
}

func newGoogle(url string, headers ...string) *google {
	k := &keeper{adds: map[string]string{}}
	for i := 0; i+1 < len(headers); i += 2 {
		k.adds[headers[i]] = headers[i+1]
	}
	c, err := genai.NewClient(context.Background(), &genai.ClientConfig{ // it keeps no context
		Backend: genai.BackendGeminiAPI, APIKey: clientKey, HTTPClient: &http.Client{Transport: k},
		HTTPOptions: genai.HTTPOptions{BaseURL: url},
	})
	if err != nil {
		panic(err) // the configuration is a constant one
	}
	return &google{keeper: k, sdk: c}
}

func (*google) name() string { return "google" }

func (c *google) send(ctx context.Context, a *ask, stream bool, each func()) (*got, error) {
	contents, config := c.params(a)
	if !stream {
		r, err := c.sdk.Models.GenerateContent(ctx, a.model, contents, config)
		if err != nil {
			return nil, err
		}
		return c.read([]*genai.GenerateContentResponse{r}), nil
	}
	var list []*genai.GenerateContentResponse
	for r, err := range c.sdk.Models.GenerateContentStream(ctx, a.model, contents, config) {
		if err != nil {
			return nil, err
		}
		list = append(list, r)
		each()
	}
	g := c.read(list)
	if g.finish == "" {
		return nil, errors.New("a stream without a finish reason")
	}
	g.pieces = len(list)
	return g, nil
}

// read joins the pieces of an answer, as the SDK leaves to its users.
func (c *google) read(list []*genai.GenerateContentResponse) *got {
	g := &got{header: c.keeper.header()}
	whole := &genai.Content{Role: genai.RoleModel}
	for _, r := range list {
		g.model = r.ModelVersion
		if u := r.UsageMetadata; u != nil {
			g.usage = usage{
				Input: int64(u.PromptTokenCount), Output: int64(u.CandidatesTokenCount + u.ThoughtsTokenCount),
				CacheRead: int64(u.CachedContentTokenCount), Thinking: int64(u.ThoughtsTokenCount),
			}
		}
		for _, candidate := range r.Candidates {
			if candidate.FinishReason != "" {
				g.finish = string(candidate.FinishReason)
			}
			if l := candidate.LogprobsResult; l != nil {
				for _, token := range l.ChosenCandidates {
					g.logprobs = append(g.logprobs, token.Token)
				}
			}
			if candidate.Content != nil {
				whole.Parts = append(whole.Parts, candidate.Content.Parts...)
			}
		}
	}
	for _, p := range whole.Parts {
		switch {
		case p.FunctionCall != nil:
			g.calls = append(g.calls, call{p.FunctionCall.ID, p.FunctionCall.Name, text(p.FunctionCall.Args)})
		case p.Thought:
			g.thinking += p.Text
			g.signature = base64.StdEncoding.EncodeToString(p.ThoughtSignature)
		default:
			g.text += p.Text
		}
	}
	g.own = whole
	return g
}

func (c *google) params(a *ask) ([]*genai.Content, *genai.GenerateContentConfig) {
	p := &genai.GenerateContentConfig{StopSequences: a.stop, MaxOutputTokens: int32(a.max)}
	if a.system != "" {
		p.SystemInstruction = genai.NewContentFromText(a.system, "")
	}
	var declared []*genai.FunctionDeclaration
	for _, t := range a.tools {
		declared = append(declared, &genai.FunctionDeclaration{Name: t.name, Description: t.description, ParametersJsonSchema: object(t.schema)})
	}
	if declared != nil {
		p.Tools = []*genai.Tool{{FunctionDeclarations: declared}}
	}
	if a.mustCall != "" {
		p.ToolConfig = &genai.ToolConfig{FunctionCallingConfig: &genai.FunctionCallingConfig{
			Mode: genai.FunctionCallingConfigModeAny, AllowedFunctionNames: []string{a.mustCall},
		}}
	}
	if a.schema != "" {
		p.ResponseMIMEType, p.ResponseJsonSchema = "application/json", object(a.schema)
	}
	if a.think {
		p.ThinkingConfig = &genai.ThinkingConfig{IncludeThoughts: true, ThinkingBudget: genai.Ptr[int32](2048)}
	}
	if a.temperature != nil {
		p.Temperature = new(float32(*a.temperature))
	}
	if a.logprobs {
		p.ResponseLogprobs, p.Logprobs = true, genai.Ptr[int32](1)
	}
	var contents []*genai.Content
	for _, t := range a.turns {
		contents = append(contents, c.turn(t))
	}
	return contents, p
}

func (c *google) turn(t turn) *genai.Content {
	if t.answer != nil {
		return t.answer.own.(*genai.Content)
	}
	m := &genai.Content{Role: genai.RoleUser}
	for _, r := range t.results {
		m.Parts = append(m.Parts, &genai.Part{FunctionResponse: &genai.FunctionResponse{
			ID: r.id, Name: r.name, Response: map[string]any{"output": r.text},
		}})
	}
	if len(t.results) == 0 {
		m.Parts = append(m.Parts, genai.NewPartFromText(t.text))
	}
	if t.image != nil {
		m.Parts = append(m.Parts, genai.NewPartFromBytes(t.image, "image/png"))
	}
	return m
}

func (c *google) models(ctx context.Context) ([]string, error) {
	var ids []string
	for m, err := range c.sdk.Models.All(ctx) {
		if err != nil {
			return nil, err
		}
		ids = append(ids, strings.TrimPrefix(m.Name, "models/"))
	}
	return ids, nil
}

func (c *google) failure(err error) (failure, bool) {
	e, ok := errors.AsType[genai.APIError](err)
	if !ok {
		return failure{}, false
	}
	return failure{status: e.Code, kind: e.Status, message: e.Message, header: c.keeper.header()}, true
}

func (c *google) count(ctx context.Context, a *ask) (int64, error) {
	contents, _ := c.params(a)
	r, err := c.sdk.Models.CountTokens(ctx, a.model, contents, nil)
	if err != nil {
		return 0, err
	}
	return int64(r.TotalTokens), nil
}
