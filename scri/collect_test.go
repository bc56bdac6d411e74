package scri

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestCollectReplay(t *testing.T) {
	r := &ChatResponse{ID: "a", Choices: []Choice{{
		Output: []Message{{Role: RoleAssistant, Parts: []Part{
			{Kind: PartThinking, Text: NewText("hm"), Signature: &Signature{Value: NewText("sig")}},
			TextPart("hello"),
			{Kind: PartToolCall, Call: &ToolCall{ID: "1", Name: "f", Args: NewText("{}")}},
		}}},
		Finish: Finish{Reason: FinishStop}, LogProbs: []TokenLogProb{{LogProb: -1}},
	}}, Warnings: []Warning{{Code: "x"}, {Code: "x"}}}
	got, err := Collect(Map(Replay(r), func(e *StreamEvent) (*StreamEvent, error) { return e, nil }))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(r, got, cmpopts.EquateEmpty()); d != "" {
		t.Error(d)
	}
}
