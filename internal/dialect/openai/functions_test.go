package openai

import (
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/scri"
)

func callPart(id, name, args string) scri.Part {
	return scri.Part{Kind: scri.PartToolCall, Call: &scri.ToolCall{ID: id, Name: name, Args: scri.NewText(args)}}
}

func resultMessage(id, text string) scri.Message {
	return scri.Message{Role: scri.RoleTool, Parts: []scri.Part{{Kind: scri.PartToolResult, Result: &scri.ToolResult{CallID: id, Parts: []scri.Part{scri.TextPart(text)}}}}}
}

// The variant writes what servers without tools understand, and tells what it changed.
func TestFunctionsRequest(t *testing.T) {
	strict := true
	r := &scri.ChatRequest{
		Tools:      []scri.Tool{{Name: "look", Description: scri.NewText("d"), Schema: scri.RawJSON(`{"type":"object"}`), Strict: &strict}, {Name: "go"}},
		ToolChoice: &scri.ToolChoice{Mode: scri.ToolsRequired},
		Format:     &scri.Format{Kind: scri.FormatJSONSchema, Schema: scri.RawJSON(`{"type":"object"}`), Strict: &strict},
		Messages: []scri.Message{
			{Role: scri.RoleUser, Parts: []scri.Part{scri.TextPart("q")}},
			{Role: scri.RoleAssistant, Parts: []scri.Part{scri.TextPart("well"), callPart("1", "look", `{"a":1}`), callPart("2", "go", `half`)}},
			resultMessage("1", `{"ok":true}`),
			resultMessage("2", "done"),
		},
	}
	out, warn, err := New().EncodeRequest(r, &dialect.Target{Model: "m", Variant: variantFunctions})
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"model":"m","messages":[{"role":"user","content":"q"},
		{"role":"assistant","content":"well","function_call":{"name":"look","arguments":{"a":1}}},
		{"role":"function","name":"look","content":"{\"ok\":true}"},
		{"role":"assistant","content":null,"function_call":{"name":"go","arguments":{"_invalid_json":"half"}}},
		{"role":"function","name":"go","content":"{\"result\":\"done\"}"}],
		"functions":[{"name":"look","description":"d","parameters":{"type":"object"}},{"name":"go"}],"function_call":"auto",
		"response_format":{"type":"json_schema","schema":{"type":"object"},"strict":true}}`
	var got, wanted any
	if err := errors.Join(json.Unmarshal(out.Body, &got), json.Unmarshal([]byte(want), &wanted)); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(wanted, got); d != "" {
		t.Errorf("%s\n%s", d, out.Body)
	}
	var paths []string
	for _, w := range warn {
		paths = append(paths, w.Code+" "+w.Path)
	}
	wantPaths := []string{
		"changed /messages/1", "changed /messages/1/content/0/call/arguments", "changed /messages/3/content/0/result",
		"dropped /tools/0/strict", "changed /tool_choice",
	}
	if d := cmp.Diff(wantPaths, paths); d != "" {
		t.Error(d)
	}
}

// An answer of the variant is one like all others, streamed or not.
func TestFunctionsAnswer(t *testing.T) {
	target := &dialect.Target{Model: "m", Variant: variantFunctions}
	whole, err := New().DecodeResponse(&dialect.Answer{Status: 200, Target: target, Body: []byte(`{"choices":[{"index":0,"finish_reason":"function_call","message":
		{"role":"assistant","content":"","function_call":{"name":"look","arguments":{"a":1}},"functions_state_id":"s"}}],
		"usage":{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15,"precached_prompt_tokens":4}}`)})
	if err != nil {
		t.Fatal(err)
	}
	stream, err := scri.Collect(New().DecodeStream(&dialect.Answer{Status: 200, Target: target, Stream: strings.NewReader(
		`data: {"choices":[{"index":0,"delta":{"role":"assistant","content":"","function_call":{"name":"look","arguments":{"a":1}},"functions_state_id":"s"}}]}` + "\n\n" +
			`data: {"choices":[{"index":0,"delta":{"content":""},"finish_reason":"function_call"}],"usage":{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15,"precached_prompt_tokens":4}}` + "\n\ndata: [DONE]\n\n")}))
	if err != nil {
		t.Fatal(err)
	}
	for name, r := range map[string]*scri.ChatResponse{"whole": whole, "stream": stream} {
		var call *scri.Part
		for i := range r.Choices[0].Output[0].Parts {
			if p := &r.Choices[0].Output[0].Parts[i]; p.Call != nil {
				call = p
			}
		}
		if call == nil || call.Call.Name != "look" || call.Call.Args.String() != `{"a":1}` || call.Call.ID == "" || call.Ext != nil || r.Choices[0].Finish.Reason != scri.FinishToolCalls {
			t.Fatalf("%s: %+v", name, r.Choices[0])
		}
		if *r.Usage.Input != 14 || *r.Usage.CacheRead != 4 || *r.Usage.Output != 5 {
			t.Errorf("%s: usage %+v", name, r.Usage)
		}
		b, _ := New().EncodeResponse(nil, &dialect.Incoming{Req: &scri.ChatRequest{}}, r)
		if s := string(b); !strings.Contains(s, `"tool_calls":[`) || !strings.Contains(s, `"finish_reason":"tool_calls"`) || !strings.Contains(s, `"arguments":"{\"a\":1}"`) {
			t.Errorf("%s is told to a client as %s", name, s)
		}
	}
}

func TestFunctionsStreamEnds(t *testing.T) {
	s := New().DecodeStream(&dialect.Answer{Target: &dialect.Target{Variant: variantFunctions}, Stream: strings.NewReader("data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n")})
	for {
		_, err := s.Next()
		if errors.Is(err, io.EOF) {
			t.Fatal("a clean end without a finish")
		}
		if err != nil {
			if e := scri.AsError(err); e.Kind != scri.ErrTruncated {
				t.Error(err)
			}
			return
		}
	}
}
