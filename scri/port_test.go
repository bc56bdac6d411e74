package scri_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/aratta-gateway/aratta/scri"
	"github.com/aratta-gateway/aratta/scri/scritest"
)

const idChars = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"

// outline writes a history as "user: text(hi) | assistant: call(a f)".
func outline(list []scri.Message) string {
	lines := make([]string, len(list))
	for i, m := range list {
		words := make([]string, len(m.Parts))
		for j, p := range m.Parts {
			words[j] = outlinePart(&p)
		}
		lines[i] = string(m.Role) + ": " + strings.Join(words, " ")
	}
	return strings.Join(lines, " | ")
}

func outlinePart(p *scri.Part) string {
	sign := ""
	if s := p.Signature; s != nil {
		sign = "+" + s.Dialect
	}
	switch p.Kind {
	case scri.PartToolCall:
		return fmt.Sprintf("call(%s %s%s)", p.Call.ID, p.Call.Name, sign)
	case scri.PartToolResult:
		text := ""
		for _, q := range p.Result.Parts {
			text += q.Text.String()
		}
		if p.Result.Error {
			text = "!" + text
		}
		return fmt.Sprintf("result(%s %s)", p.Result.CallID, text)
	default:
		return fmt.Sprintf("%s(%s%s)", p.Kind, p.Text.String(), sign)
	}
}

func say(role scri.Role, parts ...scri.Part) scri.Message {
	return scri.Message{Role: role, Parts: parts}
}

func text(s string) scri.Part { return scri.TextPart(s) }

func toolCall(id, name string) scri.Part {
	return scri.Part{Kind: scri.PartToolCall, Call: &scri.ToolCall{ID: id, Name: name}}
}

func toolResult(id, name, s string) scri.Part {
	r := &scri.ToolResult{CallID: id, Name: name}
	if s != "" {
		r.Parts = []scri.Part{text(s)}
	}
	return scri.Part{Kind: scri.PartToolResult, Result: r}
}

func thought(s, dialect string) scri.Part {
	p := scri.Part{Kind: scri.PartThinking, Text: scri.NewText(s)}
	if dialect != "" {
		p.Signature = &scri.Signature{Value: scri.NewText("x"), Dialect: dialect, Redacted: s == ""}
	}
	return p
}

func signed(p scri.Part, dialect, provider string) scri.Part {
	p.Signature = &scri.Signature{Value: scri.NewText("x"), Dialect: dialect, Provider: provider}
	return p
}

type portCase struct {
	name     string
	traits   scri.Traits
	in       []scri.Message
	want     string // "" = unchanged
	warnings []string
}

func (tt *portCase) run(t *testing.T) {
	r := &scri.ChatRequest{Model: "m", Messages: tt.in}
	before := outline(tt.in)
	got, warnings := scri.Port(r, tt.traits)
	if outline(tt.in) != before {
		t.Error("the input was changed")
	}
	if (got == r) != (tt.want == "") {
		t.Errorf("the same request: %v", got == r)
	}
	if tt.want != "" && outline(got.Messages) != tt.want {
		t.Errorf("got  %s\nwant %s", outline(got.Messages), tt.want)
	}
	var said []string
	for _, w := range warnings {
		said = append(said, strings.TrimSpace(fmt.Sprintf("%s %s %s>%s", w.Code, w.Path, w.From, w.To)))
	}
	if d := cmp.Diff(tt.warnings, said); d != "" {
		t.Errorf("warnings (-want +got):\n%s", d)
	}
	if again, more := scri.Port(got, tt.traits); again != got || more != nil {
		t.Errorf("a second time it changes %s by %v", outline(again.Messages), more)
	}
}

func TestPortSignatures(t *testing.T) {
	turn := func(parts ...scri.Part) []scri.Message {
		return []scri.Message{say(scri.RoleUser, text("a")), say(scri.RoleAssistant, parts...)}
	}
	mixed := turn(thought("own", "anthropic"), thought("other", "gemini"), thought("bare", ""), thought("", "gemini"), text("b"))
	anthropic := scri.Traits{Dialect: "anthropic", Thinking: scri.ThinkingSigned}
	tests := []portCase{
		{name: "no demands", in: mixed},
		{
			name: "signed thoughts only", traits: anthropic, in: mixed, want: "user: text(a) | assistant: thinking(own+anthropic) text(b)",
			warnings: []string{"dropped /messages/1/content/1 thinking>", "dropped /messages/1/content/2 thinking>", "dropped /messages/1/content/3 thinking>"},
		},
		{
			name: "any thoughts", traits: scri.Traits{Dialect: "anthropic"}, in: mixed,
			want:     "user: text(a) | assistant: thinking(own+anthropic) thinking(other) thinking(bare) text(b)",
			warnings: []string{"dropped /messages/1/content/1/signature gemini>", "dropped /messages/1/content/3 thinking>"},
		},
		{
			name: "no thoughts", traits: scri.Traits{Thinking: scri.ThinkingNone}, in: turn(thought("a", ""), text("b")),
			want: "user: text(a) | assistant: text(b)", warnings: []string{"dropped /messages/1/content/0 thinking>"},
		},
		{
			name: "nothing left of a message", traits: scri.Traits{Thinking: scri.ThinkingNone}, in: turn(thought("a", "")),
			want: "user: text(a)", warnings: []string{"dropped /messages/1/content/0 thinking>", "dropped /messages/1 >"},
		},
		{
			name: "signed text", traits: anthropic, in: turn(signed(text("t"), "gemini", ""), signed(toolCall("1", "f"), "gemini", "g")),
			want:     "user: text(a) | assistant: text(t) call(1 f)",
			warnings: []string{"dropped /messages/1/content/0/signature gemini>", "dropped /messages/1/content/1/signature gemini>"},
		},
		{
			name: "another provider's", traits: scri.Traits{Dialect: "openai", Provider: "xai"},
			in:       turn(signed(text("x"), "openai", "xai"), signed(text("y"), "openai", ""), signed(text("z"), "openai", "openai")),
			want:     "user: text(a) | assistant: text(x+openai) text(y+openai) text(z)",
			warnings: []string{"dropped /messages/1/content/2/signature openai>"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, tt.run)
	}
}

func TestPortRoles(t *testing.T) {
	in := []scri.Message{
		say(scri.RoleDeveloper, text("d")), say(scri.RoleSystem, text("s")), say(scri.RoleUser, text("u")),
		say(scri.RoleSystem, text("late")), say(scri.RoleDeveloper, text("later")), say("critic", text("c")),
	}
	tests := []portCase{
		{name: "both known", traits: scri.Traits{Developer: true, LateSystem: true}, in: in},
		{
			name: "no developer", traits: scri.Traits{LateSystem: true}, in: in,
			want:     "system: text(d) | system: text(s) | user: text(u) | system: text(late) | system: text(later) | critic: text(c)",
			warnings: []string{"changed /messages/0/role developer>system", "changed /messages/4/role developer>system"},
		},
		{
			name: "no late system", traits: scri.Traits{Developer: true}, in: in,
			want:     "developer: text(d) | system: text(s) | user: text(u) | user: text(late) | user: text(later) | critic: text(c)",
			warnings: []string{"changed /messages/3/role system>user", "changed /messages/4/role developer>user"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, tt.run)
	}
}

// Templates that are strict about who may speak when are given what they demand.
func TestPortArranges(t *testing.T) {
	sys, user, bot := say(scri.RoleSystem, text("s")), say(scri.RoleUser, text("u")), say(scri.RoleAssistant, text("a"))
	late := say(scri.RoleSystem, text("late"))
	tests := []portCase{
		{name: "it alternates", traits: scri.Traits{Alternate: true}, in: []scri.Message{sys, user, bot, user}},
		{
			name: "it does not", traits: scri.Traits{Alternate: true, LateSystem: true}, in: []scri.Message{user, user, bot, bot, user},
			want: "user: text(u) text(u) | assistant: text(a) text(a) | user: text(u)", warnings: []string{"changed /messages/1/content >", "changed /messages/3/content >"},
		},
		{
			name: "the assistant first", traits: scri.Traits{Alternate: true}, in: []scri.Message{sys, bot, user},
			want: "system: text(s) | user: text((The assistant speaks first.)) | assistant: text(a) | user: text(u)", warnings: []string{"added /messages/1 >user"},
		},
		{
			name: "one system message", traits: scri.Traits{OneSystem: true, LateSystem: true}, in: []scri.Message{sys, sys, user, late},
			want:     "system: text(s) text(s) | user: text(u) | user: text(late)",
			warnings: []string{"changed /messages/3/role system>user", "changed /messages/1/content >"},
		},
		{
			name: "no system message", traits: scri.Traits{NoSystem: true}, in: []scri.Message{sys, sys, user, bot},
			want:     "user: text(s) text(s) text(u) | assistant: text(a)",
			warnings: []string{"changed /messages/0/role system>user", "changed /messages/1/role system>user", "changed /messages/1/content >", "changed /messages/2/content >"},
		},
		{
			name: "no system message, and nobody to say it", traits: scri.Traits{NoSystem: true, Alternate: true}, in: []scri.Message{sys, bot},
			want: "user: text(s) | assistant: text(a)", warnings: []string{"changed /messages/0/role system>user"},
		},
		{
			name: "thoughts as text", traits: scri.Traits{Thinking: scri.ThinkingText},
			in:       []scri.Message{user, say(scri.RoleAssistant, thought("t", "anthropic"), thought("", "gemini"), text("a"))},
			want:     "user: text(u) | assistant: text(<think>\nt\n</think>) text(a)",
			warnings: []string{"changed /messages/1/content/0 thinking>text", "dropped /messages/1/content/1 thinking>"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, tt.run)
	}
}

func TestPortCallIDs(t *testing.T) {
	history := func(id, again string) []scri.Message {
		return []scri.Message{say(scri.RoleAssistant, toolCall(id, "f")), say(scri.RoleTool, toolResult(again, "f", "r"))}
	}
	tests := []portCase{
		{name: "no demands", in: history("", "")},
		{name: "fits", traits: scri.Traits{CallIDMax: 9, CallIDChars: idChars}, in: history("abc_-9XYZ", "abc_-9XYZ")},
		{
			name: "too long", traits: scri.Traits{CallIDMax: 9}, in: history("call_0123456789", "call_0123456789"),
			want:     "assistant: call(lh3SifM5T f) | tool: result(lh3SifM5T r)",
			warnings: []string{"changed /messages/0/content/0/call/id call_0123456789>lh3SifM5T", "changed /messages/1/content/0/result/call_id call_0123456789>lh3SifM5T"},
		},
		{
			name: "wrong characters", traits: scri.Traits{CallIDChars: idChars}, in: history("a.b:c", "a.b:c"),
			want:     "assistant: call(call_X7NoKsNEn f) | tool: result(call_X7NoKsNEn r)",
			warnings: []string{"changed /messages/0/content/0/call/id a.b:c>call_X7NoKsNEn", "changed /messages/1/content/0/result/call_id a.b:c>call_X7NoKsNEn"},
		},
		{
			name: "digits only", traits: scri.Traits{CallIDChars: "0123456789", CallIDMax: 4}, in: history("abc", "abc"),
			want:     "assistant: call(9255 f) | tool: result(9255 r)",
			warnings: []string{"changed /messages/0/content/0/call/id abc>9255", "changed /messages/1/content/0/result/call_id abc>9255"},
		},
		{
			name: "odd characters", traits: scri.Traits{CallIDChars: ".:", CallIDMax: 4}, in: history("abc", "abc"),
			want:     "assistant: call(:..: f) | tool: result(:..: r)",
			warnings: []string{"changed /messages/0/content/0/call/id abc>:..:", "changed /messages/1/content/0/result/call_id abc>:..:"},
		},
		{
			name: "missing", traits: scri.Traits{PairedCalls: true},
			in: []scri.Message{
				say(scri.RoleAssistant, toolCall("", "f"), toolCall("", "g"), toolCall("", "g")),
				say(scri.RoleTool, toolResult("", "g", "1"), toolResult("", "f", "2"), toolResult("", "", "3")),
			},
			want: "assistant: call(call_KA4FkR0pd f) call(call_Pz6hODXCk g) call(call_E0RIbpkzL g) | tool: result(call_Pz6hODXCk 1) result(call_KA4FkR0pd 2) result(call_E0RIbpkzL 3)",
			warnings: []string{
				"added /messages/0/content/0/call/id >call_KA4FkR0pd", "added /messages/0/content/1/call/id >call_Pz6hODXCk", "added /messages/0/content/2/call/id >call_E0RIbpkzL",
				"added /messages/1/content/0/result/call_id >call_Pz6hODXCk", "added /messages/1/content/1/result/call_id >call_KA4FkR0pd", "added /messages/1/content/2/result/call_id >call_E0RIbpkzL",
			},
		},
		{
			name: "one id for two calls", traits: scri.Traits{PairedCalls: true},
			in:   append(history("1", "1"), history("1", "1")...),
			want: "assistant: call(1 f) | tool: result(1 r) | assistant: call(call_UheXPyhfq f) | tool: result(call_UheXPyhfq r)",
			warnings: []string{
				"changed /messages/2/content/0/call/id 1>call_UheXPyhfq", "changed /messages/3/content/0/result/call_id 1>call_UheXPyhfq",
			},
		},
		{
			name: "one id for two calls of one turn", traits: scri.Traits{PairedCalls: true},
			in: []scri.Message{
				say(scri.RoleAssistant, toolCall("1", "f"), toolCall("1", "g"), toolCall("1", "f")),
				say(scri.RoleTool, toolResult("1", "", "of the first")), say(scri.RoleTool, toolResult("1", "f", "of the third")), say(scri.RoleTool, toolResult("1", "", "of the second")),
			},
			want: "assistant: call(1 f) call(call_UheXPyhfq g) call(call_PiclmMk1j f) | tool: result(1 of the first) | tool: result(call_PiclmMk1j of the third) | tool: result(call_UheXPyhfq of the second)",
			warnings: []string{
				"changed /messages/0/content/1/call/id 1>call_UheXPyhfq", "changed /messages/0/content/2/call/id 1>call_PiclmMk1j",
				"changed /messages/2/content/0/result/call_id 1>call_PiclmMk1j", "changed /messages/3/content/0/result/call_id 1>call_UheXPyhfq",
			},
		},
		{
			name: "result alone", traits: scri.Traits{CallIDMax: 3},
			in:   []scri.Message{say(scri.RoleTool, toolResult("long id", "", "r"), toolResult("", "", "s"), toolResult("long id", "", "t"))},
			want: "tool: result(UKu r) result(KA4 s) result(UKu t)",
			warnings: []string{
				"changed /messages/0/content/0/result/call_id long id>UKu", "added /messages/0/content/1/result/call_id >KA4",
				"changed /messages/0/content/2/result/call_id long id>UKu",
			},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, tt.run)
	}
}

func TestPortPairs(t *testing.T) {
	const none = "!The call was not answered."
	call, res := toolCall("1", "f"), toolResult("1", "f", "r")
	server := scri.Part{Kind: scri.PartToolCall, Call: &scri.ToolCall{ID: "s", Name: "search", Server: "server"}}
	tests := []portCase{
		{name: "paired", in: []scri.Message{say(scri.RoleAssistant, call), say(scri.RoleTool, res), say(scri.RoleUser, text("u"))}},
		{name: "paired in the user's message", in: []scri.Message{say(scri.RoleAssistant, call), say(scri.RoleUser, text("u"), res)}},
		{name: "two messages of calls", in: []scri.Message{say(scri.RoleAssistant, call), say(scri.RoleAssistant, toolCall("2", "g")), say(scri.RoleTool, res), say(scri.RoleTool, toolResult("2", "", "s"))}},
		{name: "run by the provider", in: []scri.Message{say(scri.RoleAssistant, server, text("a")), say(scri.RoleUser, text("u"))}},
		{
			name: "no result", in: []scri.Message{say(scri.RoleAssistant, call), say(scri.RoleUser, text("u"))},
			want:     "assistant: call(1 f) | tool: result(1 " + none + ") | user: text(u)",
			warnings: []string{"added /messages/0/content/0 >tool_result"},
		},
		{
			name: "no result at the end", in: []scri.Message{say(scri.RoleUser, text("u")), say(scri.RoleAssistant, text("a"), call)},
			want:     "user: text(u) | assistant: text(a) call(1 f) | tool: result(1 " + none + ")",
			warnings: []string{"added /messages/1/content/1 >tool_result"},
		},
		{
			name: "one of two results", in: []scri.Message{say(scri.RoleAssistant, call, toolCall("2", "g")), say(scri.RoleTool, toolResult("2", "", "s")), say(scri.RoleUser, text("u"))},
			want:     "assistant: call(1 f) call(2 g) | tool: result(2 s) | tool: result(1 " + none + ") | user: text(u)",
			warnings: []string{"added /messages/0/content/0 >tool_result"},
		},
		{
			name: "late result", in: []scri.Message{say(scri.RoleAssistant, call), say(scri.RoleUser, text("u")), say(scri.RoleTool, res), say(scri.RoleUser, text("v"))},
			want:     "assistant: call(1 f) | tool: result(1 r) | user: text(u) | user: text(v)",
			warnings: []string{"changed /messages/2/content/0 >"},
		},
		{
			name: "too late", in: []scri.Message{say(scri.RoleAssistant, call), say(scri.RoleUser, text("u")), say(scri.RoleAssistant, text("a")), say(scri.RoleTool, res)},
			want:     "assistant: call(1 f) | tool: result(1 " + none + ") | user: text(u) | assistant: text(a) | user: text(Result of the tool f:) text(r)",
			warnings: []string{"added /messages/0/content/0 >tool_result", "changed /messages/3/content/0 tool_result>text"},
		},
		{
			name: "no call", in: []scri.Message{say(scri.RoleTool, toolResult("9", "", "r")), say(scri.RoleAssistant, text("a"))},
			want:     "user: text(Result of a tool:) text(r) | assistant: text(a)",
			warnings: []string{"changed /messages/0/content/0 tool_result>text"},
		},
		{
			name: "no call, among others", in: []scri.Message{say(scri.RoleAssistant, call), say(scri.RoleTool, toolResult("9", "", "x"), res), say(scri.RoleTool, res)},
			want:     "assistant: call(1 f) | tool: result(1 r) | user: text(Result of a tool:) text(x) | user: text(Result of the tool f:) text(r)",
			warnings: []string{"changed /messages/1/content/0 tool_result>text", "changed /messages/2/content/0 tool_result>text"},
		},
		{
			name: "no call, in the user's message", in: []scri.Message{say(scri.RoleAssistant, call), say(scri.RoleUser, toolResult("9", "", "x"), res, text("u"))},
			want:     "assistant: call(1 f) | user: result(1 r) text(u) text(Result of a tool:) text(x)",
			warnings: []string{"changed /messages/1/content/0 tool_result>text"},
		},
		{
			name: "result in the asking message", in: []scri.Message{say(scri.RoleAssistant, call, res, text("a")), say(scri.RoleUser, text("u"))},
			want:     "assistant: call(1 f) text(a) | tool: result(1 r) | user: text(u)",
			warnings: []string{"changed /messages/0/content/1 >"},
		},
	}
	for _, tt := range tests {
		tt.traits.PairedCalls = true
		t.Run(tt.name, tt.run)
	}
}

// settled sees to it that a history has the shape that traits demand.
func settled(t *rapid.T, list []scri.Message, traits *scri.Traits) {
	spoken := false
	for i, m := range list {
		system := m.Role == scri.RoleSystem || m.Role == scri.RoleDeveloper
		switch {
		case system && (traits.NoSystem || traits.OneSystem && i > 0):
			t.Fatalf("system text at %d: %s", i, outline(list))
		case traits.Alternate && i > 0 && m.Role == list[i-1].Role && (m.Role == scri.RoleUser || m.Role == scri.RoleAssistant):
			t.Fatalf("nobody answers before %d: %s", i, outline(list))
		case traits.Alternate && !spoken && m.Role == scri.RoleAssistant:
			t.Fatalf("the assistant speaks first: %s", outline(list))
		}
		spoken = spoken || !system
	}
}

// TestPortSettles mangles histories and sees to it that Port mends them for
// good, without touching its input.
func TestPortSettles(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := scritest.Request().Draw(t, "request")
		for i := range rapid.IntRange(0, 6).Draw(t, "mangles") {
			mangle(t, r, i)
		}
		traits := scri.Traits{
			Dialect:   rapid.SampledFrom([]string{"", "openai", "anthropic"}).Draw(t, "dialect"),
			Thinking:  rapid.SampledFrom([]scri.ThinkingTrait{scri.ThinkingAny, scri.ThinkingSigned, scri.ThinkingNone, scri.ThinkingText}).Draw(t, "thinking"),
			Alternate: rapid.Bool().Draw(t, "alternate"), OneSystem: rapid.Bool().Draw(t, "one"), NoSystem: rapid.Bool().Draw(t, "none"),
			CallIDMax: rapid.SampledFrom([]int{0, 9, 40}).Draw(t, "max"), CallIDChars: rapid.SampledFrom([]string{"", idChars}).Draw(t, "chars"),
			Developer: rapid.Bool().Draw(t, "developer"), LateSystem: rapid.Bool().Draw(t, "late"), PairedCalls: rapid.Bool().Draw(t, "paired"),
		}
		before := outline(r.Messages)
		got, warnings := scri.Port(r, traits)
		if (got == r) != (len(warnings) == 0) {
			t.Fatalf("the same request: %v, but warnings %v", got == r, warnings)
		}
		settled(t, got.Messages, &traits)
		if outline(r.Messages) != before {
			t.Fatal("the input was changed")
		}
		if again, more := scri.Port(got, traits); again != got {
			t.Fatalf("of %s\ncame %s\nand then %s\n%v", before, outline(got.Messages), outline(again.Messages), more)
		}
	})
}

func mangle(t *rapid.T, r *scri.ChatRequest, n int) {
	i := rapid.IntRange(0, len(r.Messages)-1).Draw(t, "at")
	m := &r.Messages[i]
	switch rapid.IntRange(0, 4).Draw(t, "mangle") {
	case 0:
		m.Role = rapid.SampledFrom([]scri.Role{scri.RoleSystem, scri.RoleUser, scri.RoleAssistant, scri.RoleTool}).Draw(t, "role")
	case 1:
		m.Parts = append(m.Parts, toolCall(rapid.SampledFrom([]string{"", "x", "call_1", "a:b"}).Draw(t, "call"), "f"))
	case 2:
		m.Parts = append(m.Parts, toolResult(rapid.SampledFrom([]string{"", "x", "call_1", "a:b"}).Draw(t, "result"), "", "r"))
	case 3:
		j := rapid.IntRange(0, len(r.Messages)-1).Draw(t, "with")
		r.Messages[i], r.Messages[j] = r.Messages[j], r.Messages[i]
	default:
		r.Messages = append(r.Messages, say(scri.RoleSystem, text(fmt.Sprint(n))))
	}
}

func longHistory(turns int) *scri.ChatRequest {
	r := &scri.ChatRequest{Messages: []scri.Message{say(scri.RoleSystem, text("s")), say(scri.RoleUser, text("u"))}}
	for i := range turns {
		id := fmt.Sprintf("toolu_%020d", i)
		r.Messages = append(r.Messages, say(scri.RoleAssistant, thought("t", "anthropic"), toolCall(id, "f")), say(scri.RoleUser, toolResult(id, "", "r")))
	}
	return r
}

var strictest = scri.Traits{Dialect: "anthropic", Thinking: scri.ThinkingSigned, CallIDChars: idChars, CallIDMax: 64, PairedCalls: true}

func TestPortAllocatesLittle(t *testing.T) {
	for calls, most := range map[int]float64{30: 0, 300: 1} { // the ids of many calls have a table
		r := longHistory(calls)
		if n := testing.AllocsPerRun(100, func() {
			if got, _ := scri.Port(r, strictest); got != r {
				t.Error("a good history was changed")
			}
		}); n > most {
			t.Errorf("%d calls: %v allocations, want %v at most", calls, n, most)
		}
	}
}

func BenchmarkPort(b *testing.B) {
	for _, turns := range []int{1, 30, 300} {
		r := longHistory(turns)
		b.Run(fmt.Sprintf("%d turns", turns), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				scri.Port(r, strictest)
			}
		})
	}
}
