package sdktest

import (
	"context"
	"errors"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/packages/param"
	"github.com/openai/openai-go/v3/responses"
	sdkshared "github.com/openai/openai-go/v3/shared"

	"github.com/aratta-gateway/aratta/scri"
)

// responding runs f for the Responses API of OpenAI's SDK against every provider,
// as a whole answer and as a stream.
func responding(t *testing.T, f func(t *testing.T, c *openAI, u *upstream, ask func(responses.ResponseNewParams) *responses.Response)) {
	t.Helper()
	c := newOpenAI(shared.aratta.url)
	for _, u := range shared.providers {
		for _, mode := range []string{"whole", "stream"} {
			t.Run(u.format+" provider/"+mode, func(t *testing.T) {
				f(t, c, u, func(p responses.ResponseNewParams) *responses.Response {
					t.Helper()
					r, err := c.respond(t.Context(), p, mode == "stream")
					if err != nil {
						t.Fatal(err)
					}
					return r
				})
			})
		}
	}
}

func (c *openAI) respond(ctx context.Context, p responses.ResponseNewParams, stream bool, opts ...option.RequestOption) (*responses.Response, error) {
	if !stream {
		return c.sdk.Responses.New(ctx, p, opts...)
	}
	s := c.sdk.Responses.NewStreaming(ctx, p, opts...)
	defer s.Close()
	var last *responses.Response
	text := ""
	for s.Next() {
		switch e := s.Current(); e.Type {
		case "response.output_text.delta":
			text += e.Delta
		case "response.completed", "response.incomplete":
			last = &e.Response
		}
	}
	if err := s.Err(); err != nil {
		return nil, err
	}
	if last == nil {
		return nil, errors.New("a stream without an answer at its end")
	}
	if text != last.OutputText() {
		return nil, errors.New("the deltas say " + text + ", the answer " + last.OutputText())
	}
	return last, nil
}

func input(text string) responses.ResponseNewParamsInputUnion {
	return responses.ResponseNewParamsInputUnion{OfString: openai.String(text)}
}

// TestResponsesGoOn: a call comes out, its result goes in by the id of the answer
// alone, and the provider sees one conversation.
func TestResponsesGoOn(t *testing.T) {
	const args = `{"city":"Ur"}`
	responding(t, func(t *testing.T, c *openAI, u *upstream, ask func(responses.ResponseNewParams) *responses.Response) {
		u.says(t, answer(scri.TextPart("Let me see."), calling("call_1", "get_time", args)))
		tools := []responses.ToolUnionParam{responses.ToolParamOfFunction("get_time", object(clock().schema), false)}
		first := ask(responses.ResponseNewParams{
			Model: u.only(), Instructions: openai.String("Be brief."), Input: input("What time is it?"), Tools: tools,
		})
		var called responses.ResponseOutputItemUnion
		for _, it := range first.Output {
			if it.Type == "function_call" {
				called = it
			}
		}
		if called.Name != "get_time" || first.OutputText() != "Let me see." || first.Status != "completed" {
			t.Fatalf("the answer: %s", first.RawJSON())
		}
		sameJSON(t, "arguments", args, called.Arguments.OfString)

		u.says(t, said("Noon."))
		result := responses.ResponseInputItemParamOfFunctionCallOutput("12:00")
		result.OfFunctionCallOutput.CallID = param.NewOpt(called.CallID)
		second := ask(responses.ResponseNewParams{
			Model: u.only(), PreviousResponseID: openai.String(first.ID), Tools: tools,
			Input: responses.ResponseNewParamsInputUnion{OfInputItemList: responses.ResponseInputParam{result}},
		})
		if second.OutputText() != "Noon." || second.PreviousResponseID != first.ID {
			t.Errorf("the answer: %s", second.RawJSON())
		}
		last := u.last(t)
		if diff := cmp.Diff([]exchanged{{"get_time", object(args), "12:00"}}, exchanges(t, last)); diff != "" {
			t.Errorf("calls and results at the provider (-want +got):\n%s", diff)
		}
		if role := last.Messages[0].Role; role != scri.RoleUser {
			t.Errorf("the conversation begins with %s: instructions are not carried over", role)
		}
	})
}

// TestResponsesThinkAndShape: thoughts, a schema and counts.
func TestResponsesThinkAndShape(t *testing.T) {
	responding(t, func(t *testing.T, c *openAI, u *upstream, ask func(responses.ResponseNewParams) *responses.Response) {
		u.says(t, answer(thinking("Let me think."), scri.TextPart(`{"word":"yes"}`)))
		schema := `{"type":"object","properties":{"word":{"type":"string"}},"required":["word"],"additionalProperties":false}`
		r := ask(responses.ResponseNewParams{
			Model: u.only(), Input: input("yes or no?"), Reasoning: sdkshared.ReasoningParam{Effort: sdkshared.ReasoningEffortHigh},
			Text: responses.ResponseTextConfigParam{Format: responses.ResponseFormatTextConfigParamOfJSONSchema("answer", object(schema))},
		})
		if r.OutputText() != `{"word":"yes"}` {
			t.Errorf("the text: %s", r.OutputText())
		}
		var thoughts string
		for _, it := range r.Output {
			for _, s := range it.Summary {
				thoughts += s.Text
			}
		}
		if r.Output[0].Type != "reasoning" || thoughts != "Let me think." {
			t.Errorf("thoughts %q: %s", thoughts, r.RawJSON())
		}
		if f := u.last(t).Format; f == nil || f.Kind == "" {
			t.Errorf("the provider was given no shape: %+v", f)
		}
	})
}

// TestResponsesKept: an answer can be read again, its input listed, and deleted.
func TestResponsesKept(t *testing.T) {
	responding(t, func(t *testing.T, c *openAI, u *upstream, ask func(responses.ResponseNewParams) *responses.Response) {
		u.says(t, said("Hello."))
		r := ask(responses.ResponseNewParams{Model: u.only(), Input: input("Hi")})
		again, err := c.sdk.Responses.Get(t.Context(), r.ID, responses.ResponseGetParams{})
		if err != nil || again.OutputText() != "Hello." || again.ID != r.ID || again.Model != r.Model {
			t.Fatalf("%v: %+v", err, again)
		}
		items, err := c.sdk.Responses.InputItems.List(t.Context(), r.ID, responses.InputItemListParams{Limit: openai.Int(1)})
		if err != nil || len(items.Data) != 1 || items.Data[0].Type != "message" || items.Data[0].AsMessage().Content[0].Text != "Hi" {
			t.Errorf("the input: %v %+v", err, items)
		}
		if _, err := c.sdk.Responses.Cancel(t.Context(), r.ID); status(err) != http.StatusBadRequest {
			t.Errorf("canceled: %v", err)
		}
		if err := c.sdk.Responses.Delete(t.Context(), r.ID); err != nil {
			t.Errorf("deleted: %v", err)
		}
		if _, err := c.sdk.Responses.Get(t.Context(), r.ID, responses.ResponseGetParams{}); status(err) != http.StatusNotFound {
			t.Errorf("it is there after it was deleted: %v", err)
		}
	})
}

// TestResponsesRefused: an answer that nobody has kept is an error as the SDK
// knows it, but who may have kept it is asked.
func TestResponsesRefused(t *testing.T) {
	c := newOpenAI(shared.aratta.url)
	for _, u := range shared.providers {
		t.Run(u.format+" provider", func(t *testing.T) {
			u.says(t, said("never said"))
			_, err := c.sdk.Responses.New(t.Context(), responses.ResponseNewParams{
				Model: u.only(), Input: input("go on"), PreviousResponseID: openai.String("resp_nobody"),
			})
			if u.format == "responses" || u.format == "native" { // who may have kept it is asked
				if err != nil || u.last(t).PreviousID != "resp_nobody" {
					t.Errorf("%v; the provider was asked to go on from %q", err, u.last(t).PreviousID)
				}
				return
			}
			e, ok := errors.AsType[*openai.Error](err)
			if !ok || e.StatusCode != http.StatusBadRequest || e.Code != "previous_response_not_found" || e.Param != "previous_response_id" ||
				e.Message != "Previous response with id 'resp_nobody' not found." {
				t.Errorf("%v", err)
			}
			if n := len(u.requests()); n != 0 {
				t.Errorf("the provider was asked %d times", n)
			}
		})
	}
}

func status(err error) int {
	if e, ok := errors.AsType[*openai.Error](err); ok {
		return e.StatusCode
	}
	return 0
}
