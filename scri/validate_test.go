package scri_test

import (
	"errors"
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/aratta-gateway/aratta/scri"
	"github.com/aratta-gateway/aratta/scri/scritest"
)

func TestValidate(t *testing.T) {
	with := func(p scri.Part) func(*scri.ChatRequest) {
		return func(r *scri.ChatRequest) { r.Messages[0].Parts = []scri.Part{text("a"), p} }
	}
	one := &scri.Ext{Dialect: "openai"}
	tests := []struct {
		name string
		edit func(*scri.ChatRequest)
		path string // "" = valid
	}{
		{"a message", func(*scri.ChatRequest) {}, ""},
		{"an unknown role", func(r *scri.ChatRequest) { r.Messages[0].Role = "critic" }, ""},
		{"an empty message", func(r *scri.ChatRequest) { r.Messages[0].Parts = nil }, ""},
		{"a provider's tool without a name", func(r *scri.ChatRequest) { r.Tools = []scri.Tool{{Type: "web_search"}} }, ""},
		{"going on from an answer", func(r *scri.ChatRequest) { r.Messages, r.PreviousID = nil, "resp_1" }, ""},
		{"everything", func(r *scri.ChatRequest) { *r = *fullRequest() }, ""},
		{"a medium that only its dialect knows", with(scri.Part{Kind: scri.PartMedia, Media: &scri.Media{Ext: one}}), ""},
		{"a choice that only its dialect knows", func(r *scri.ChatRequest) { r.ToolChoice = &scri.ToolChoice{Mode: "allowed", Ext: one} }, ""},
		{"a tool that another brings", func(r *scri.ChatRequest) {
			r.Tools, r.ToolChoice = []scri.Tool{{Type: "mcp"}}, &scri.ToolChoice{Mode: scri.ToolsNamed, Name: "g"}
		}, ""},
		{"all candidates", func(r *scri.ChatRequest) { r.TopK = new(int64(-1)) }, ""},

		{"no message", func(r *scri.ChatRequest) { r.Messages = nil }, "/messages"},
		{"no role", func(r *scri.ChatRequest) { r.Messages[0].Role = "" }, "/messages/0/role"},
		{"no kind", with(scri.Part{}), "/messages/0/content/1/kind"},
		{"an unknown kind", with(scri.Part{Kind: "image"}), "/messages/0/content/1/kind"},
		{"no medium", with(scri.Part{Kind: scri.PartMedia}), "/messages/0/content/1/media"},
		{"an empty medium", with(scri.Part{Kind: scri.PartMedia, Media: &scri.Media{Type: "image/png"}}), "/messages/0/content/1/media"},
		{"no call", with(scri.Part{Kind: scri.PartToolCall}), "/messages/0/content/1/call"},
		{"no result", with(scri.Part{Kind: scri.PartToolResult}), "/messages/0/content/1/result"},
		{"no raw", with(scri.Part{Kind: scri.PartOpaque}), "/messages/0/content/1/raw"},
		{"a bad part in a result", with(scri.Part{Kind: scri.PartToolResult, Result: &scri.ToolResult{Parts: []scri.Part{text("a"), {}}}}), "/messages/0/content/1/result/content/1/kind"},
		{"a tool without a name", func(r *scri.ChatRequest) { r.Tools = []scri.Tool{{Name: "f"}, {}} }, "/tools/1/name"},
		{"an unknown mode", func(r *scri.ChatRequest) { r.ToolChoice = &scri.ToolChoice{Mode: "any"} }, "/tool_choice/mode"},
		{"a choice without a name", func(r *scri.ChatRequest) { r.ToolChoice = &scri.ToolChoice{Mode: scri.ToolsNamed} }, "/tool_choice/name"},
		{"an unknown tool", func(r *scri.ChatRequest) {
			r.Tools, r.ToolChoice = []scri.Tool{{Name: "f"}}, &scri.ToolChoice{Mode: scri.ToolsNamed, Name: "g"}
		}, "/tool_choice/name"},
		{"a negative n", func(r *scri.ChatRequest) { r.N = -1 }, "/n"},
		{"an absurd n", func(r *scri.ChatRequest) { r.N = 129 }, "/n"},
		{"a negative limit", func(r *scri.ChatRequest) { r.MaxTokens = new(int64(-1)) }, "/max_tokens"},
		{"a negative top k", func(r *scri.ChatRequest) { r.TopK = new(int64(-2)) }, "/top_k"},
		{"negative logprobs", func(r *scri.ChatRequest) { r.LogProbs = new(-2) }, "/logprobs"},
		{"a negative budget", func(r *scri.ChatRequest) { r.Reasoning = &scri.Reasoning{Budget: new(int64(-2))} }, "/reasoning/budget"},
		{"a seed of letters", func(r *scri.ChatRequest) { r.Seed = scri.RawJSON(`"7"`) }, "/seed"},
		{"no temperature at all", func(r *scri.ChatRequest) { r.Temperature = new(math.NaN()) }, "/temperature"},
		{"an infinite top p", func(r *scri.ChatRequest) { r.TopP = new(math.Inf(1)) }, "/top_p"},
		{"a negative cost", func(r *scri.ChatRequest) { r.Routing = &scri.Routing{MaxCostUSD: new(-1.0)} }, "/routing/max_cost_usd"},
		{"a negative latency", func(r *scri.ChatRequest) { r.Routing = &scri.Routing{MaxLatencyMS: new(-1.0)} }, "/routing/max_latency_ms"},
		{"an unknown format", func(r *scri.ChatRequest) { r.Format = &scri.Format{Kind: "xml"} }, "/format/kind"},
		{"no schema", func(r *scri.ChatRequest) { r.Format = &scri.Format{Kind: scri.FormatJSONSchema} }, "/format/schema"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := &scri.ChatRequest{Messages: []scri.Message{say(scri.RoleUser, text("a"))}}
			tt.edit(r)
			err := r.Validate()
			if tt.path == "" {
				if err != nil {
					t.Errorf("refused: %v", err)
				}
				return
			}
			var e *scri.Error
			if !errors.As(err, &e) || e.Kind != scri.ErrInvalid || e.Path != tt.path {
				t.Errorf("got %v, want %s", err, tt.path)
			}
		})
	}
}

func TestValidateAcceptsWhatIsGenerated(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		if err := scritest.Request().Draw(t, "request").Validate(); err != nil {
			t.Fatal(err)
		}
	})
}

func TestValidateAllocatesNothing(t *testing.T) {
	r := longHistory(50)
	if n := testing.AllocsPerRun(100, func() {
		if r.Validate() != nil {
			t.Error("refused")
		}
	}); n > 0 {
		t.Errorf("%v allocations", n)
	}
}
