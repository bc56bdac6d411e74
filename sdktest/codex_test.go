package sdktest

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/responses"
	sdkshared "github.com/openai/openai-go/v3/shared"

	"github.com/aratta-gateway/aratta/scri"
)

// What Codex tells of itself, in headers and in the body, for its own API alone.
var (
	codexHeaders = map[string]string{
		"Originator": "codex_exec", "Session-Id": "s1", "Thread-Id": "t1", "X-Client-Request-Id": "s1",
		"X-Codex-Window-Id": "s1:0", "X-Codex-Turn-Metadata": `{"turn_id":"u1"}`, "X-Codex-Beta-Features": "some",
	}
	codexMembers = map[string]string{"client_metadata": `{"session_id":"s1"}`, "prompt_cache_key": `"s1"`, "include": `["reasoning.encrypted_content"]`}
)

// codex asks as Codex does: all that was said each time, nothing stored, with a
// tool that takes a patch as it is.
func codex(model string, items ...responses.ResponseInputItemUnionParam) (responses.ResponseNewParams, []option.RequestOption) {
	tool := responses.ToolParamOfCustom("apply_patch")
	tool.OfCustom.Description = openai.String("Changes files.")
	tool.OfCustom.Format.OfGrammar = &sdkshared.CustomToolInputFormatGrammarParam{Syntax: "lark", Definition: "start: LINE+"}
	var opts []option.RequestOption
	for name, v := range codexHeaders {
		opts = append(opts, option.WithHeader(name, v))
	}
	for name, v := range codexMembers {
		opts = append(opts, option.WithJSONSet(name, json.RawMessage(v)))
	}
	return responses.ResponseNewParams{
		Model: model, Instructions: openai.String("You are an agent."), Store: openai.Bool(false), ParallelToolCalls: openai.Bool(true),
		Reasoning: sdkshared.ReasoningParam{Summary: sdkshared.ReasoningSummaryAuto},
		Tools:     []responses.ToolUnionParam{tool},
		Input:     responses.ResponseNewParamsInputUnion{OfInputItemList: append(responses.ResponseInputParam{saying("Mend it.")}, items...)},
	}, opts
}

func saying(text string) responses.ResponseInputItemUnionParam {
	return responses.ResponseInputItemParamOfMessage(text, responses.EasyInputMessageRoleUser)
}

// TestCodex: a tool with a grammar is a function to providers that have no such
// tools, and Codex is called as it asked to be; what it says of itself reaches its
// own API, and nobody else.
func TestCodex(t *testing.T) {
	const patch = "*** Begin Patch\n+ \"a\" \\ é\n*** End Patch"
	c := newOpenAI(shared.aratta.url)
	for _, u := range shared.providers {
		for _, mode := range []string{"whole", "stream"} {
			t.Run(u.format+" provider/"+mode, func(t *testing.T) {
				knows := u.format == "responses" || u.format == "native"
				args, asJSON := patch, string(mustJSON(t, map[string]string{"input": patch}))
				call := calling("call_1", "apply_patch", asJSON)
				if knows {
					call.Call.Type, call.Call.Args = "custom", scri.NewText(args)
				}
				u.says(t, answer(scri.TextPart("I shall."), call))
				p, opts := codex(u.only())
				r, err := c.respond(t.Context(), p, mode == "stream", opts...)
				if err != nil {
					t.Fatal(err)
				}
				called := r.Output[len(r.Output)-1]
				if called.Type != "custom_tool_call" || called.Name != "apply_patch" || called.Input != patch || r.OutputText() != "I shall." {
					t.Fatalf("the answer: %s", r.RawJSON())
				}
				offered := u.last(t).Tools[0]
				told := c.keeper.header().Get("X-Aratta-Warnings")
				if knows != (offered.Type == "custom") || knows == strings.Contains(told, "/tools/0/type") {
					t.Errorf("the provider was offered %+v; X-Aratta-Warnings: %q", offered, told)
				}
				if d := offered.Description.String(); !knows && (!strings.HasPrefix(d, "Changes files.") || !strings.Contains(d, "start: LINE+")) {
					t.Errorf("description: %q", d)
				}
				sees(t, u)

				u.says(t, said("Done."))
				p, opts = codex(u.only(), responses.ResponseInputItemParamOfCustomToolCall(called.CallID, called.Input, called.Name),
					responses.ResponseInputItemParamOfCustomToolCallOutput(called.CallID, "ok"))
				if r, err = c.respond(t.Context(), p, mode == "stream", opts...); err != nil || r.OutputText() != "Done." {
					t.Fatalf("%v: %+v", err, r)
				}
				if knows {
					return
				}
				want := []exchanged{{"apply_patch", map[string]any{"input": patch}, "ok"}}
				if diff := cmp.Diff(want, exchanges(t, u.last(t))); diff != "" {
					t.Errorf("calls and results at the provider (-want +got):\n%s", diff)
				}
			})
		}
	}
}

// sees checks what the provider is told of Codex.
func sees(t *testing.T, u *upstream) {
	t.Helper()
	last, _ := u.sim.Last()
	var body map[string]json.RawMessage
	if err := json.Unmarshal(last.Body, &body); err != nil {
		t.Fatal(err)
	}
	own := u.format == "responses"
	for name, want := range codexHeaders {
		if got := last.Header.Get(name); own && got != want || !own && got != "" {
			t.Errorf("%s: %q", name, got)
		}
	}
	for name, want := range codexMembers {
		if own && string(body[name]) != want {
			t.Errorf("%s: %s", name, body[name])
		}
	}
	if own && (string(body["store"]) != "false" || !strings.Contains(string(body["tools"]), `"grammar"`)) {
		t.Errorf("the body: %s", last.Body)
	}
}

func mustJSON(t *testing.T, v any) []byte {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
