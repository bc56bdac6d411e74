package mend

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/aratta-gateway/aratta/scri"
)

func request() *scri.ChatRequest {
	return &scri.ChatRequest{Tools: []scri.Tool{
		{Name: "read", Schema: scri.RawJSON(`{"type":"object","properties":{"path":{"type":"string"},"lines":{"type":"integer"}}}`)},
		{Name: "list"},
		{Name: "search", Type: "web_search"},
	}}
}

func answer(parts ...scri.Part) *scri.ChatResponse {
	return &scri.ChatResponse{ID: "r", Choices: []scri.Choice{{
		Output: []scri.Message{{Role: scri.RoleAssistant, Parts: parts}}, Finish: scri.Finish{Reason: scri.FinishStop, Raw: "stop", Dialect: "ollama"},
	}}}
}

// outline writes an answer as "text(hi) call(read {...}) -> tool_calls".
func outline(r *scri.ChatResponse) string {
	var words []string
	for _, p := range r.Choices[0].Output[0].Parts {
		if p.Kind == scri.PartToolCall {
			words = append(words, fmt.Sprintf("call(%s %s)", p.Call.Name, p.Call.Args.String()))
			continue
		}
		words = append(words, fmt.Sprintf("%s(%s)", p.Kind, p.Text.String()))
	}
	return strings.Join(words, " ") + " -> " + string(r.Choices[0].Finish.Reason)
}

var forms = []struct{ name, text, want string }{
	{"Hermes, Qwen", "<tool_call>\n{\"name\": \"read\", \"arguments\": {\"path\": \"a.txt\"}}\n</tool_call>", `call(read {"path": "a.txt"}) -> tool_calls`},
	{"two of them", `<tool_call>{"name":"read","arguments":{}}</tool_call>` + "\n" + `<tool_call>{"name":"list","arguments":{}}</tool_call>`, `call(read {}) call(list {}) -> tool_calls`},
	{"with words before", "I shall look.\n<tool_call>{\"name\":\"list\",\"arguments\":{}}</tool_call>", `text(I shall look.) call(list {}) -> tool_calls`},
	{"with words behind", `<tool_call>{"name":"list","arguments":{}}</tool_call> Wait.`, `text(Wait.) call(list {}) -> tool_calls`},
	{"not closed", `<tool_call>{"name":"list","arguments":{}}`, `call(list {}) -> tool_calls`},
	{"with an end token", `<tool_call>{"name":"list","arguments":{}}</tool_call><|im_end|>`, `text(<|im_end|>) call(list {}) -> tool_calls`},
	{"a list in one tag", `<tool_calls>[{"name":"list","arguments":{}},{"name":"read","arguments":{}}]</tool_calls>`, `call(list {}) call(read {}) -> tool_calls`},
	{"fenced in a tag", "<tool_call>\n```json\n{\"name\":\"list\",\"arguments\":{}}\n```\n</tool_call>", `call(list {}) -> tool_calls`},
	{"no arguments at all", `<tool_call>{"name":"list"}</tool_call>`, `call(list {}) -> tool_calls`},
	{"Qwen Coder", "<tool_call>\n<function=read>\n<parameter=path>\na \"b\".txt\n</parameter>\n<parameter=lines>\n7\n</parameter>\n</function>\n</tool_call>", `call(read {"path":"a \"b\".txt","lines":7}) -> tool_calls`},
	{"Llama's function", `<function=read>{"path":"a"}</function>`, `call(read {"path":"a"}) -> tool_calls`},
	{"Llama's mark", `<|python_tag|>{"name": "read", "parameters": {"path": "a"}}<|eom_id|>`, `call(read {"path": "a"}) -> tool_calls`},
	{"several behind it", `<|python_tag|>{"name":"read","parameters":{}}; {"name":"list","parameters":{}}`, `call(read {}) call(list {}) -> tool_calls`},
	{"Llama without a mark", `{"name": "read", "parameters": {"path": "a"}}`, `call(read {"path": "a"}) -> tool_calls`},
	{"Mistral", `[TOOL_CALLS][{"name": "read", "arguments": {"path": "a"}}, {"name": "list", "arguments": {}}]</s>`, `call(read {"path": "a"}) call(list {}) -> tool_calls`},
	{"Mistral, newer", `[TOOL_CALLS]read[ARGS]{"path": "a"}[TOOL_CALLS]list[ARGS]{}`, `call(read {"path": "a"}) call(list {}) -> tool_calls`},
	{"a fence", "```json\n{\"name\": \"read\", \"arguments\": {\"path\": \"a\"}}\n```", `call(read {"path": "a"}) -> tool_calls`},
	{"a list in a fence", "\n```\n[{\"name\":\"list\",\"arguments\":{}}]\n```\n", `call(list {}) -> tool_calls`},
	{"OpenAI's own", `{"id":"x","type":"function","function":{"name":"read","arguments":"{\"path\":\"a\"}"}}`, `call(read {"path":"a"}) -> tool_calls`},
	{"the tool as function", `{"function": "list", "arguments": {}}`, `call(list {}) -> tool_calls`},
}

// Calls that models write as text become calls.
func TestForms(t *testing.T) {
	for _, c := range forms {
		t.Run(c.name, func(t *testing.T) {
			in := answer(scri.TextPart(c.text))
			got := New(request(), "req").Whole(in)
			if outline(got) != c.want {
				t.Errorf("got  %s\nwant %s", outline(got), c.want)
			}
			if n := strings.Count(c.want, "call("); len(got.Warnings) != n || got.Warnings[0].To != "tool_call" {
				t.Errorf("warnings %+v", got.Warnings)
			}
			if outline(in) != "text("+c.text+") -> stop" {
				t.Error("the answer itself was changed")
			}
		})
	}
}

// texts that are not meant as calls, or not clearly.
var plainTexts = []string{
	"", "Hello.", "{", "{}", "[]", "[1, 2]", "```go\nfunc main() {}\n```", "a < b", "<tool_", "see <tool_call> in the manual",
	`{"name": "Ann", "age": 7}`, `{"name": "read"}`, `{"name": "write", "arguments": {}}`, `{"name": "read", "arguments": [1]}`,
	`{"name": "read", "arguments": "no"}`, `{"name": "read", "arguments": {}} and more`, `{"name": "read", "arguments": {}, "extra": 1}`,
	`{"name": "search", "arguments": {}}`, `{"name": "read", "arguments": {}, "parameters": {}}`,
	`<tool_call>{"name":"write","arguments":{}}</tool_call>`, `<tool_call>{"name":"read","arguments":{}</tool_call>`,
	`<tool_call>{"name":"read","arguments":{}}</tool_call><tool_call>{"name":"nobody","arguments":{}}</tool_call>`,
	`Use it like this: {"name": "read", "arguments": {}}`, "Like so:\n```json\n{\"name\":\"read\",\"arguments\":{}}\n```",
	`<|python_tag|>print(1)`, `[TOOL_CALLS]nobody[ARGS]{}`, `<function=nobody>{}</function>`, `[TOOL_CALLS] are marks`,
	"<tool_call><function=read><parameter=lines>many</parameter></function></tool_call>",
}

func TestPlainTexts(t *testing.T) {
	for _, text := range plainTexts {
		in := answer(scri.TextPart(text))
		if got := New(request(), "req").Whole(in); got != in {
			t.Errorf("%q became %s", text, outline(got))
		}
	}
}

func TestNothingToMend(t *testing.T) {
	if New(&scri.ChatRequest{}, "") != nil {
		t.Error("no tools")
	}
	r := request()
	r.ToolChoice = &scri.ToolChoice{Mode: "none"}
	if New(r, "") != nil {
		t.Error("no tool may be called")
	}
	r = request()
	r.Format = &scri.Format{Kind: scri.FormatJSON}
	in := answer(scri.TextPart(`{"name":"list","arguments":{}}`))
	if got := New(r, "").Whole(in); got != in {
		t.Error("JSON was asked for, and is taken for a call")
	}
	in = answer(scri.Part{Kind: scri.PartThinking, Text: scri.NewText(forms[0].text)})
	if got := New(request(), "").Whole(in); got != in {
		t.Error("thoughts are no calls")
	}
}

// drip is an answer whose texts come in pieces.
type drip struct {
	events []scri.StreamEvent
}

func (d *drip) Next() (*scri.StreamEvent, error) {
	if len(d.events) == 0 {
		return nil, io.EOF
	}
	e := &d.events[0]
	d.events = d.events[1:]
	return e, nil
}

func (d *drip) Close() error { return nil }

// dripping is the answer of these texts, cut as pieces says.
func dripping(texts []string, piece func() int, ends bool) *drip {
	d := &drip{events: []scri.StreamEvent{
		{Kind: scri.EventStart, Head: &scri.ChatResponse{ID: "r"}}, {Kind: scri.EventMessage, Open: &scri.Message{Role: scri.RoleAssistant}},
	}}
	for i, text := range texts {
		d.events = append(d.events, scri.StreamEvent{Kind: scri.EventPart, Part: i, Whole: &scri.Part{Kind: scri.PartText}})
		for text != "" {
			n := min(len(text), max(1, piece()))
			for n < len(text) && !utf8.RuneStart(text[n]) { // decoders give whole runes
				n++
			}
			d.events = append(d.events, scri.StreamEvent{Kind: scri.EventDelta, Part: i, Delta: scri.NewText(text[:n])})
			text = text[n:]
		}
		if ends {
			d.events = append(d.events, scri.StreamEvent{Kind: scri.EventPartEnd, Part: i})
		}
	}
	d.events = append(d.events, scri.StreamEvent{Kind: scri.EventFinish, Finish: &scri.Finish{Reason: scri.FinishStop}}, scri.StreamEvent{Kind: scri.EventDone})
	return d
}

// however an answer is cut, the same comes of it as of the whole, save for white
// space around calls that was passed on before they came.
func TestStreams(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var all []string
		for _, f := range forms {
			all = append(all, f.text)
		}
		texts := rapid.SliceOfN(rapid.SampledFrom(append(all, plainTexts[1:]...)), 1, 3).Draw(t, "texts")
		var parts []scri.Part
		for _, s := range texts {
			parts = append(parts, scri.TextPart(s))
		}
		ends := rapid.Bool().Draw(t, "ends") || len(texts) > 1
		d := dripping(texts, func() int { return rapid.IntRange(1, 12).Draw(t, "piece") }, ends)
		got, err := scri.Collect(New(request(), "req").Stream(d))
		if err != nil {
			t.Fatal(err)
		}
		want := New(request(), "req").Whole(answer(parts...))
		squeeze := func(s string) string { return strings.ReplaceAll(strings.ReplaceAll(s, "\n", ""), " ", "") }
		if diff := cmp.Diff(squeeze(outline(want)), squeeze(outline(got))); diff != "" {
			t.Fatalf("-whole +stream\n%s", diff)
		}
		if len(got.Warnings) != len(want.Warnings) {
			t.Fatalf("warnings %v, want %v", got.Warnings, want.Warnings)
		}
	})
}

// Words are passed on as they come, and what breaks off is given as it came.
func TestStreamsAreNotHeldBack(t *testing.T) {
	s := New(request(), "req").Stream(dripping([]string{"I shall look. <tool_call>{\"name\":"}, func() int { return 5 }, true))
	var got strings.Builder
	before := ""
	for {
		e, err := s.Next()
		if err != nil {
			break
		}
		if e.Kind == scri.EventDelta {
			got.WriteString(e.Delta.String())
		}
		if e.Kind == scri.EventDelta && before == "" {
			before = got.String()
		}
	}
	if before != "I sha" || got.String() != "I shall look. <tool_call>{\"name\":" {
		t.Errorf("first %q, in all %q", before, got.String())
	}
}

func FuzzMend(f *testing.F) {
	for _, c := range forms {
		f.Add(c.text, 3)
	}
	for _, s := range plainTexts {
		f.Add(s, 1)
	}
	f.Fuzz(func(t *testing.T, text string, piece int) {
		text = strings.ToValidUTF8(text, "?")
		in := answer(scri.TextPart(text))
		whole := New(request(), "req").Whole(in)
		if whole == in {
			got, err := scri.Collect(New(request(), "req").Stream(dripping([]string{text}, func() int { return piece % 16 }, true)))
			if err != nil {
				t.Fatal(err)
			}
			if text != "" && got.Choices[0].Output[0].Parts[0].Text.String() != text {
				t.Fatalf("%q became %s", text, outline(got))
			}
			return
		}
		for _, p := range whole.Choices[0].Output[0].Parts {
			if p.Kind == scri.PartToolCall && p.Call.Name != "read" && p.Call.Name != "list" {
				t.Fatalf("%q became %s", text, outline(whole))
			}
		}
	})
}
