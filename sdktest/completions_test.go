package sdktest

import (
	"errors"
	"net/http"
	"testing"

	"github.com/openai/openai-go/v3"
)

// The older API of OpenAI's SDK is answered by each provider, whole and as a stream,
// for one text and for several.
func TestCompletions(t *testing.T) {
	for _, u := range shared.providers {
		t.Run(u.format, func(t *testing.T) {
			u.says(t, said("red."))
			c := newOpenAI(shared.aratta.url)
			p := openai.CompletionNewParams{
				Model:     openai.CompletionNewParamsModel(u.name + ":" + model),
				Prompt:    openai.CompletionNewParamsPromptUnion{OfArrayOfStrings: []string{"Roses are", "Violets are"}},
				MaxTokens: openai.Int(200),
			}
			r, err := c.sdk.Completions.New(t.Context(), p)
			if err != nil {
				t.Fatal(err)
			}
			if len(r.Choices) != 2 || r.Choices[0].Text != "red." || r.Choices[1].Text != "red." ||
				r.Choices[1].Index != 1 || r.Choices[0].FinishReason != openai.CompletionChoiceFinishReasonStop || r.Usage.TotalTokens == 0 {
				t.Errorf("%s", r.RawJSON())
			}

			p.Prompt = openai.CompletionNewParamsPromptUnion{OfString: openai.String("Roses are")}
			p.Echo = openai.Bool(true)
			s := c.sdk.Completions.NewStreaming(t.Context(), p)
			defer s.Close()
			var text string
			var finish openai.CompletionChoiceFinishReason
			for s.Next() {
				for _, x := range s.Current().Choices {
					text += x.Text
					if x.FinishReason != "" {
						finish = x.FinishReason
					}
				}
			}
			if err := s.Err(); err != nil {
				t.Fatal(err)
			}
			if text != "Roses arered." || finish != "stop" {
				t.Errorf("%q ends with %q", text, finish)
			}
		})
	}
	t.Run("tokens are refused", func(t *testing.T) {
		p := openai.CompletionNewParams{Model: "m", Prompt: openai.CompletionNewParamsPromptUnion{OfArrayOfTokens: []int64{1, 2}}}
		_, err := newOpenAI(shared.aratta.url).sdk.Completions.New(t.Context(), p)
		if e, ok := errors.AsType[*openai.Error](err); !ok || e.StatusCode != http.StatusBadRequest || e.Param != "prompt" {
			t.Errorf("got %v", err)
		}
	})
}
