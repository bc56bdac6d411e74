package sdktest

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/anthropics/anthropic-sdk-go"
	"github.com/google/go-cmp/cmp"

	"github.com/aratta-gateway/aratta/scri"
)

// weather and clock are tools as users write them.
func weather() tool {
	return tool{
		name: "get_weather", description: "Weather of a city",
		schema: `{"type":"object","properties":{"city":{"type":"string","description":"Its name"},"days":{"type":"integer"}},"required":["city"]}`,
	}
}

func clock() tool {
	return tool{name: "get_time", description: "Time in a city", schema: `{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}`}
}

// TestToolRoundTrip: a call comes out of the SDK, its result goes in, and the
// provider sees both as one conversation.
func TestToolRoundTrip(t *testing.T) {
	const args = `{"city":"Нью-Йорк \"NY\"","days":3}`
	matrix(t, func(t *testing.T, c client, u *upstream, stream bool) {
		u.says(t, answer(scri.TextPart("Let me see."), calling("call_1", "get_weather", args)))
		a := hello(u.only())
		a.tools = []tool{weather(), clock()}
		first := must(t, c, a, stream)
		if len(first.calls) != 1 || first.calls[0].name != "get_weather" || first.text != "Let me see." {
			t.Fatalf("text %q, calls %+v; want one of get_weather", first.text, first.calls)
		}
		sameJSON(t, "arguments", args, first.calls[0].args)
		if want := callsWord()[c.name()]; first.finish != want {
			t.Errorf("finish: %q, want %q", first.finish, want)
		}
		offered(t, u.last(t), a.tools)

		u.says(t, said("Snow."))
		a.turns = append(a.turns, turn{answer: first}, turn{results: []result{{first.calls[0].id, "get_weather", "-5 °C, snow"}}})
		second := must(t, c, a, stream)
		if want := stopWord()[c.name()]; second.text != "Snow." || second.finish != want {
			t.Errorf("answer: %q, finish %q; want finish %q", second.text, second.finish, want)
		}
		if diff := cmp.Diff([]exchanged{{"get_weather", object(args), "-5 °C, snow"}}, exchanges(t, u.last(t))); diff != "" {
			t.Errorf("calls and results at the provider (-want +got):\n%s", diff)
		}
	})
}

// TestParallelTools: calls of one answer stay apart and in order, also two of
// one tool.
func TestParallelTools(t *testing.T) {
	matrix(t, func(t *testing.T, c client, u *upstream, stream bool) {
		u.says(t, answer(
			calling("call_1", "get_weather", `{"city":"Uruk"}`), calling("call_2", "get_time", `{"city":"Ur"}`),
			calling("call_3", "get_weather", `{"city":"Kish"}`),
		))
		a := hello(u.only())
		a.tools = []tool{weather(), clock()}
		first := must(t, c, a, stream)
		want := []exchanged{
			{"get_weather", map[string]any{"city": "Uruk"}, "hot"},
			{"get_time", map[string]any{"city": "Ur"}, "noon"},
			{"get_weather", map[string]any{"city": "Kish"}, "dry"},
		}
		if len(first.calls) != len(want) {
			t.Fatalf("calls: %+v, want %d", first.calls, len(want))
		}
		results := make([]result, len(want))
		ids := map[string]bool{}
		for i, k := range first.calls {
			if diff := cmp.Diff(want[i], exchanged{k.name, parsed(t, k.args), want[i].Result}); diff != "" {
				t.Errorf("call %d (-want +got):\n%s", i, diff)
			}
			ids[k.id] = true
			results[i] = result{k.id, k.name, want[i].Result}
		}
		if len(ids) != len(want) || ids[""] {
			t.Errorf("ids of the calls: %v, want %d different ones", ids, len(want))
		}
		u.says(t, said("All is well."))
		a.turns = append(a.turns, turn{answer: first}, turn{results: results})
		must(t, c, a, stream)
		if diff := cmp.Diff(want, exchanges(t, u.last(t))); diff != "" {
			t.Errorf("calls and results at the provider (-want +got):\n%s", diff)
		}
	})
}

// TestToolWithoutArguments: no arguments are an empty object, in streams too.
func TestToolWithoutArguments(t *testing.T) {
	matrix(t, func(t *testing.T, c client, u *upstream, stream bool) {
		u.says(t, answer(calling("call_1", "ping", `{}`)))
		a := hello(u.only())
		a.tools = []tool{{name: "ping", description: "Nothing", schema: `{"type":"object","properties":{}}`}}
		g := must(t, c, a, stream)
		if len(g.calls) != 1 {
			t.Fatalf("calls: %+v, want one", g.calls)
		}
		sameJSON(t, "arguments", `{}`, g.calls[0].args)
	})
}

// TestForcedTool: Ollama's API has no way to force one.
func TestForcedTool(t *testing.T) {
	matrix(t, func(t *testing.T, c client, u *upstream, stream bool) {
		if c.name() == "ollama" {
			t.Skip("its API cannot force a tool")
		}
		u.says(t, answer(calling("call_1", "get_time", `{"city":"Ur"}`)))
		a := hello(u.only())
		a.tools, a.mustCall = []tool{weather(), clock()}, "get_time"
		if g := must(t, c, a, stream); len(g.calls) != 1 || g.calls[0].name != "get_time" {
			t.Errorf("calls: %+v, want one of get_time", g.calls)
		}
		choice := u.last(t).ToolChoice
		if u.lacks("forced tool") {
			return // what the gateway does instead is told in its warnings
		}
		if choice == nil || choice.Mode != scri.ToolsNamed || choice.Name != "get_time" {
			t.Errorf("tool choice: %+v, want get_time", choice)
		}
	})
}

// TestPictureFromTool: a screenshot that a tool took reaches the provider, as
// part of the result or, where results are text alone, beside it.
func TestPictureFromTool(t *testing.T) {
	c := newAnthropic(shared.aratta.url)
	const data = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR42mNgAAAAAgAB4iG8MwAAAABJRU5ErkJggg=="
	for _, u := range shared.providers {
		t.Run(u.format+" provider", func(t *testing.T) {
			u.says(t, answer(calling("call_1", "screenshot", `{}`)))
			a := hello(u.only())
			a.tools = []tool{{name: "screenshot", description: "Takes one", schema: `{"type":"object","properties":{}}`}}
			first := must(t, c, a, false)
			u.says(t, said("A desert."))
			p := c.params(a)
			p.Messages = append(p.Messages, first.own.(anthropic.MessageParam), anthropic.NewUserMessage(anthropic.ContentBlockParamUnion{
				OfToolResult: &anthropic.ToolResultBlockParam{
					ToolUseID: first.calls[0].id,
					Content: []anthropic.ToolResultBlockParamContentUnion{
						{OfText: &anthropic.TextBlockParam{Text: "Taken."}},
						{OfImage: anthropic.NewImageBlockBase64("image/png", data).OfImage},
					},
				},
			}))
			if _, err := c.sdk.Messages.New(t.Context(), p); err != nil {
				t.Fatal(err)
			}
			last, _ := u.sim.Last()
			if n := strings.Count(string(last.Body), data); n != 1 && !u.lacks("picture from tool") {
				t.Errorf("the provider got the picture %d times: %s", n, last.Body)
			}
			if got := exchanges(t, u.last(t)); len(got) != 1 || !strings.Contains(got[0].Result, "Taken.") {
				t.Errorf("calls and results: %+v", got)
			}
		})
	}
}

// offered checks the tools that the provider was told of.
func offered(t *testing.T, r *scri.ChatRequest, want []tool) {
	t.Helper()
	if len(r.Tools) != len(want) {
		t.Fatalf("the provider was told of %d tools, want %d", len(r.Tools), len(want))
	}
	for i, w := range want {
		if r.Tools[i].Name != w.name || r.Tools[i].Description.String() != w.description {
			t.Errorf("tool %d: %s, %q; want %s, %q", i, r.Tools[i].Name, r.Tools[i].Description.String(), w.name, w.description)
		}
		sameJSON(t, "schema of "+w.name, w.schema, string(r.Tools[i].Schema))
	}
}

// exchanged is one call and its result.
type exchanged struct {
	Name   string
	Args   map[string]any
	Result string
}

// exchanges pairs the calls of a conversation with their results, by their ids.
func exchanges(t *testing.T, r *scri.ChatRequest) []exchanged {
	t.Helper()
	var list []exchanged
	at := map[string]int{}
	for i := range r.Messages {
		for _, p := range r.Messages[i].Parts {
			switch p.Kind {
			case scri.PartToolCall:
				at[p.Call.ID] = len(list)
				list = append(list, exchanged{Name: p.Call.Name, Args: parsed(t, p.Call.Args.String())})
			case scri.PartToolResult:
				j, ok := at[p.Result.CallID]
				if !ok {
					t.Errorf("a result for the call %q, which nobody made", p.Result.CallID)
					continue
				}
				for _, rp := range p.Result.Parts {
					list[j].Result += rp.Text.String()
				}
			default:
			}
		}
	}
	return list
}

// parsed reads the arguments of a call.
func parsed(t *testing.T, args string) map[string]any {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal([]byte(args), &m); err != nil {
		t.Errorf("arguments are no JSON object: %q", args)
	}
	return m
}
