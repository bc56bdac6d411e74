package gateway_test

import (
	"strings"
	"testing"

	"github.com/aratta-gateway/aratta/scri"
)

// A local model that writes its call as text has it called, and the client is
// told; what a cloud says as text stays text.
func TestCallsWrittenAsText(t *testing.T) {
	modes(t, func(t *testing.T, stream bool) {
		s := newStand(t)
		const text = "Let me look.\n<tool_call>{\"name\": \"read\", \"arguments\": {\"path\": \"a.txt\"}}</tool_call>"
		for model, want := range map[string]scri.FinishReason{"local1:m": scri.FinishToolCalls, "cloud2:m": scri.FinishStop} {
			x := exchange(model, stream)
			x.Req.Tools = []scri.Tool{{Name: "read"}}
			x.Req.Messages = append(
				x.Req.Messages, // the simulator repeats the last message, and calls nothing after a result
				scri.Message{Role: scri.RoleAssistant, Parts: []scri.Part{{Kind: scri.PartToolCall, Call: &scri.ToolCall{ID: "c1", Name: "read", Args: scri.NewText("{}")}}}},
				scri.Message{Role: scri.RoleTool, Parts: []scri.Part{{Kind: scri.PartToolResult, Result: &scri.ToolResult{CallID: "c1", Parts: []scri.Part{scri.TextPart(text)}}}}},
			)
			resp, err := s.ask(t, x)
			if err != nil {
				t.Fatal(err)
			}
			c := resp.Choices[0]
			if c.Finish.Reason != want {
				t.Errorf("%s: finish %q: %+v", model, c.Finish.Reason, c.Output)
			}
			warned := false
			for _, w := range resp.Warnings {
				warned = warned || w.To == "tool_call" && strings.Contains(w.Detail, "<tool_call>")
			}
			if warned != (want == scri.FinishToolCalls) {
				t.Errorf("%s: warnings %+v", model, resp.Warnings)
			}
			if want == scri.FinishToolCalls {
				last := c.Output[0].Parts[len(c.Output[0].Parts)-1]
				if last.Call == nil || last.Call.Name != "read" || last.Call.ID == "" {
					t.Errorf("%s: %+v", model, last)
				}
			}
		}
	})
}
