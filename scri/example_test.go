package scri_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/aratta-gateway/aratta/scri"
)

func ExampleChatRequest() {
	r := scri.ChatRequest{
		Model: "local",
		Messages: []scri.Message{
			{Role: scri.RoleSystem, Parts: []scri.Part{scri.TextPart("Be brief.")}},
			{Role: scri.RoleUser, Parts: []scri.Part{
				scri.TextPart("What is this?"),
				{Kind: scri.PartMedia, Media: &scri.Media{Type: "image/png", Data: scri.NewText("iVBORw0KGgo=")}},
			}},
		},
	}
	b, err := json.Marshal(r)
	fmt.Println(string(b), err)
	// Output:
	// {"model":"local","messages":[{"role":"system","content":"Be brief."},{"role":"user","content":[{"kind":"text","text":"What is this?"},{"kind":"media","media":{"type":"image/png","data":"iVBORw0KGgo="}}]}]} <nil>
}

func ExampleChatRequest_Validate() {
	r := scri.ChatRequest{Messages: []scri.Message{{Role: scri.RoleUser, Parts: []scri.Part{{Kind: "image"}}}}}
	var e *scri.Error
	if err := r.Validate(); errors.As(err, &e) {
		fmt.Println(e)
		fmt.Println(e.Hint)
	}
	// Output:
	// invalid: the kind of the part is unknown (/messages/0/content/0/kind)
	// use text, thinking, refusal, media, tool_call, tool_result or opaque
}

func ExampleCollect() {
	whole := &scri.ChatResponse{Model: "qwen3:8b", Choices: []scri.Choice{{
		Output: []scri.Message{{Role: scri.RoleAssistant, Parts: []scri.Part{scri.TextPart("Hello.")}}},
		Finish: scri.Finish{Reason: scri.FinishStop},
	}}}
	watched := scri.Tee(scri.Replay(whole), func(e *scri.StreamEvent, err error) {
		if err == nil {
			fmt.Println(e.Kind)
		}
	})
	r, err := scri.Collect(watched)
	fmt.Println(r.Choices[0].Output[0].Parts[0].Text, r.Choices[0].Finish.Reason, err)
	// Output:
	// start
	// message
	// part
	// delta
	// part_end
	// finish
	// done
	// Hello. stop <nil>
}

func ExampleQuotedText() {
	body := []byte(`{"text":"caf\u00e9 \ud83d\ude00"}`)
	t := scri.QuotedText(body[8 : len(body)-1])
	fmt.Println(t)
	fmt.Println(string(t.AppendJSON([]byte("as it came: "))))
	// Output:
	// café 😀
	// as it came: "caf\u00e9 \ud83d\ude00"
}

func ExampleEditTexts() {
	r := &scri.ChatRequest{Messages: []scri.Message{
		{Role: scri.RoleUser, Parts: []scri.Part{scri.TextPart("Write to bob@example.org")}},
		{Role: scri.RoleAssistant, Parts: []scri.Part{{
			Kind: scri.PartToolCall, Call: &scri.ToolCall{ID: "1", Name: "send", Args: scri.NewText(`{"to": "bob\u0040example.org"}`)},
		}}},
	}}
	masked, err := scri.EditTexts(r, func(_, text string) (string, bool) {
		out := strings.ReplaceAll(text, "bob@example.org", "<EMAIL_1>")
		return out, out != text
	})
	fmt.Println(masked.Messages[0].Parts[0].Text, err)
	fmt.Println(masked.Messages[1].Parts[0].Call.Args)
	// Output:
	// Write to <EMAIL_1> <nil>
	// {"to": "<EMAIL_1>"}
}

func ExamplePort() {
	r := &scri.ChatRequest{Messages: []scri.Message{
		{Role: scri.RoleUser, Parts: []scri.Part{scri.TextPart("Hi")}},
		{Role: scri.RoleAssistant, Parts: []scri.Part{
			{Kind: scri.PartThinking, Text: scri.NewText("A greeting."), Signature: &scri.Signature{Value: scri.NewText("EqQB"), Dialect: "anthropic"}},
			scri.TextPart("Hello."),
		}},
	}}
	out, warnings := scri.Port(r, scri.Traits{Dialect: "openai", Thinking: scri.ThinkingNone})
	fmt.Println(len(r.Messages[1].Parts), len(out.Messages[1].Parts))
	for _, w := range warnings {
		fmt.Println(w.Code, w.Path)
	}
	// Output:
	// 2 1
	// dropped /messages/1/content/0
}
