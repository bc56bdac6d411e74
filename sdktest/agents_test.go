package sdktest

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/anthropics/anthropic-sdk-go"
	anthropicoption "github.com/anthropics/anthropic-sdk-go/option"
	"github.com/ollama/ollama/api"

	"github.com/aratta-gateway/aratta/scri"
)

// TestClaudeCode sends what Claude Code sends: the beta path with its headers,
// system text in blocks with cache marks, thinking, tools, and members and blocks
// that are too new for anybody but Anthropic, who gets them as they are; of the
// others the client is told what they were not sent.
func TestClaudeCode(t *testing.T) {
	c := newAnthropic(shared.aratta.url)
	for _, u := range shared.providers {
		t.Run(u.format+" provider", func(t *testing.T) {
			u.says(t, answer(thinking("I shall list."), scri.TextPart("Listing."), calling("toolu_1", "get_time", `{"city":"Ur"}`)))
			m, err := claudeCode(t, c, u.only())
			if err != nil {
				t.Fatal(err)
			}
			var kinds []string
			for i := range m.Content {
				kinds = append(kinds, m.Content[i].Type)
			}
			if got := strings.Join(kinds, " "); got != "thinking text tool_use" || m.StopReason != "tool_use" {
				t.Errorf("blocks: %s, stop_reason %q", got, m.StopReason)
			}
			last, _ := u.sim.Last()
			told := map[string]string{"Anthropic-Beta": "context-management-2025-06-27", "X-App": "cli", "X-Stainless-Lang": "go", "X-Claude-Code-Session-Id": "s1"}
			if u.format != "anthropic" {
				for name := range told {
					if got := last.Header.Get(name); got != "" {
						t.Errorf("%s: %q, which is nothing for this provider", name, got)
					}
				}
				warnings := c.keeper.header().Get("X-Aratta-Warnings")
				if u.format != "native" && !strings.Contains(warnings, "dropped /messages/1/content/2;") { // native has a place for it
					t.Errorf("X-Aratta-Warnings: %q, want it to tell of the block that is too new", warnings)
				}
				return
			}
			for name, want := range told {
				if got := last.Header.Get(name); !strings.Contains(got, want) {
					t.Errorf("%s: %q, want it passed on", name, got)
				}
			}
			var body struct {
				System []struct {
					CacheControl any `json:"cache_control"`
				}
				ContextManagement any `json:"context_management"`
				Metadata          any
				Messages          []struct{ Content []map[string]any }
			}
			if err := json.Unmarshal(last.Body, &body); err != nil {
				t.Fatal(err)
			}
			if len(body.System) != 2 || body.System[1].CacheControl == nil || body.ContextManagement == nil || body.Metadata == nil ||
				body.Messages[0].Content[2]["type"] != "too_new" {
				t.Errorf("body: %s", last.Body)
			}
		})
	}
}

func claudeCode(t *testing.T, c *claude, model string) (*anthropic.BetaMessage, error) {
	t.Helper()
	s := c.sdk.Beta.Messages.NewStreaming(t.Context(), anthropic.BetaMessageNewParams{
		Model: model, MaxTokens: 32000, Betas: []anthropic.AnthropicBeta{"claude-code-20250219", "context-management-2025-06-27"},
		System: []anthropic.BetaTextBlockParam{
			{Text: "You are an agent."},
			{Text: "Long instructions.", CacheControl: anthropic.BetaCacheControlEphemeralParam{TTL: "1h"}},
		},
		Thinking: anthropic.BetaThinkingConfigParamOfEnabled(4096),
		Metadata: anthropic.BetaMetadataParam{UserID: anthropic.String("user_1")},
		Tools: []anthropic.BetaToolUnionParam{{OfTool: &anthropic.BetaToolParam{
			Name: "get_time", InputSchema: anthropic.BetaToolInputSchemaParam{Properties: map[string]any{"city": map[string]any{"type": "string"}}},
		}}},
		Messages: []anthropic.BetaMessageParam{anthropic.NewBetaUserMessage(
			anthropic.NewBetaTextBlock("<system-reminder>Be careful.</system-reminder>"), anthropic.NewBetaTextBlock("What time is it?"),
		)},
	}, anthropicoption.WithJSONSet("context_management", map[string]any{
		"edits": []any{map[string]any{"type": "clear_thinking_20251015", "keep": "all"}},
	}), anthropicoption.WithJSONSet("messages.0.content.-1", map[string]any{"type": "too_new", "what": "unknown"}),
		anthropicoption.WithHeader("X-App", "cli"), anthropicoption.WithHeader("X-Claude-Code-Session-Id", "s1"))
	defer s.Close()
	var m anthropic.BetaMessage
	for s.Next() {
		if err := m.Accumulate(s.Current()); err != nil {
			return nil, err
		}
	}
	return &m, s.Err()
}

// TestOllamaRun asks what `ollama run` asks: is somebody there, which version,
// what can the model do; it loads it by a prompt of nothing, then chats.
func TestOllamaRun(t *testing.T) {
	c := newOllama(shared.aratta.url)
	if err := c.sdk.Heartbeat(t.Context()); err != nil {
		t.Errorf("heartbeat: %v", err)
	}
	if v, err := c.sdk.Version(t.Context()); err != nil || v == "" {
		t.Errorf("version: %q, %v", v, err)
	}
	if _, err := c.sdk.ListRunning(t.Context()); err != nil {
		t.Errorf("ollama ps: %v", err)
	}
	list, err := c.sdk.List(t.Context())
	if err != nil || len(list.Models) == 0 {
		t.Fatalf("ollama list: %+v, %v", list, err)
	}
	for _, m := range list.Models {
		if len(m.Digest) < 12 { // it shows so many of its characters, unasked
			t.Errorf("ollama list crashes at %s, whose digest is %q", m.Name, m.Digest)
		}
	}
	for _, u := range shared.providers {
		u.says(t, said("Four."))
	}
	names := []string{"auto", "local"}
	for _, u := range shared.providers {
		names = append(names, u.only(), u.name+":"+model)
	}
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			if _, err := c.sdk.Show(t.Context(), &api.ShowRequest{Model: name}); err != nil {
				t.Errorf("show: %v", err)
			}
			why := ""
			load := &api.GenerateRequest{Model: name}
			if err := c.sdk.Generate(t.Context(), load, func(r api.GenerateResponse) error { why = r.DoneReason; return nil }); err != nil || why != "load" {
				t.Errorf("loading: done_reason %q, %v", why, err)
			}
			if g := must(t, c, hello(name), true); g.text != "Four." {
				t.Errorf("chat: %q", g.text)
			}
			var text strings.Builder
			ask := &api.GenerateRequest{Model: name, Prompt: "Two and two?"}
			if err := c.sdk.Generate(t.Context(), ask, func(r api.GenerateResponse) error { text.WriteString(r.Response); return nil }); err != nil || text.String() != "Four." {
				t.Errorf("ollama run %s PROMPT: %q, %v", name, text.String(), err)
			}
		})
	}
}
