package dialecttest

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/aratta-gateway/aratta/scri"
)

// Each case is a request before and after, as JSON of package scri, what
// differs, and what is left unexplained by the warnings.
func TestDiffAndMatch(t *testing.T) {
	const conversation = `{"messages":[
		{"role":"system","content":"be brief"},
		{"role":"user","content":[{"kind":"text","text":"what is this?"},{"kind":"media","media":{"url":"u"}},{"kind":"text","text":"and that?"}]},
		{"role":"assistant","content":[{"kind":"thinking","text":"hm","signature":{"value":"s"}},{"kind":"text","text":"a cat"},{"kind":"tool_call","call":{"id":"c1","name":"f","args":"{\"x\": 1}"}}]},
		{"role":"tool","content":[{"kind":"tool_result","result":{"call_id":"c1","content":[{"kind":"text","text":"9"}]}}]}]}`
	for _, c := range []struct {
		name, before, after string
		edit                []string // replacements from before to after
		warnings            string   // "code path" separated by commas
		want, unexplained   []string
	}{
		{name: "nothing", before: conversation},
		{
			name: "grouping, numbers and spaces in arguments say nothing",
			before: `{"temperature":1,"messages":[{"role":"user","content":"a"},{"role":"user","content":"b"},
				{"role":"assistant","content":[{"kind":"tool_call","call":{"name":"f","args":"{\"x\": 1.0}"}}]},
				{"role":"tool","content":[{"kind":"tool_result","result":{"call_id":"1"}}]},{"role":"user","content":"c"}]}`,
			after: `{"temperature":1.0,"messages":[{"role":"user","content":[{"kind":"text","text":"a"},{"kind":"text","text":"b"}]},
				{"role":"assistant","content":[{"kind":"tool_call","call":{"name":"f","args":"{\"x\":1}"}}]},
				{"role":"user","content":[{"kind":"tool_result","result":{"call_id":"1"}},{"kind":"text","text":"c"}]}]}`,
		},
		{
			name: "a lost part does not shift the others", before: conversation,
			edit:     []string{`{"kind":"media","media":{"url":"u"}},`, ``},
			warnings: "dropped /messages/1/content/1",
			want:     []string{"/messages/1/content/1: lost {kind:media media:{url:u} role:user}"},
		},
		{
			name: "a silent loss and a false alarm", before: conversation,
			edit:        []string{`,"signature":{"value":"s"}`, ``},
			warnings:    "dropped /messages/2/content/1/text",
			want:        []string{"/messages/2/content/0/signature/value: lost s"},
			unexplained: []string{"silent: /messages/2/content/0/signature/value: lost s", "false alarm: dropped /messages/2/content/1/text"},
		},
		{
			name: "a role", before: conversation, edit: []string{`"role":"system"`, `"role":"user"`},
			warnings: "changed /messages/0/role", want: []string{"/messages/0/role: system became user"},
		},
		{
			name: "an ornament does not explain the loss of its part", before: conversation,
			edit:        []string{`{"kind":"thinking","text":"hm","signature":{"value":"s"}},`, ``},
			warnings:    "dropped /messages/2/content/0/signature",
			want:        []string{"/messages/2/content/0: lost {kind:thinking text:hm signature:{value:s} role:assistant}"},
			unexplained: []string{"silent: /messages/2/content/0: lost {kind:thinking text:hm signature:{value:s} role:assistant}"},
		},
		{
			name:     "moved within a message",
			before:   `{"messages":[{"role":"assistant","content":[{"kind":"text","text":"a"},{"kind":"tool_call","call":{"name":"f"}},{"kind":"text","text":"b"}]}]}`,
			after:    `{"messages":[{"role":"assistant","content":[{"kind":"text","text":"a"},{"kind":"text","text":"b"},{"kind":"tool_call","call":{"name":"f"}}]}]}`,
			warnings: "changed /messages/0/content/2",
			want:     []string{"/messages/0/content/1: moved to /messages/0/content/2"},
		},
		{
			name:     "texts joined",
			before:   `{"messages":[{"role":"user","content":[{"kind":"text","text":"a"},{"kind":"text","text":"b"},{"kind":"text","text":"c"}]}]}`,
			after:    `{"messages":[{"role":"user","content":"a\nb\nc"}]}`,
			warnings: "changed /messages/0/content/1,changed /messages/0/content/2",
			want: []string{
				"/messages/0/content/0/text: a became a\nb\nc",
				"/messages/0/content/1: lost {kind:text text:b role:user}", "/messages/0/content/2: lost {kind:text text:c role:user}",
			},
		},
		{
			name: "members of another dialect, and what belongs to the whole message", before: `{"ext":{"dialect":"a","members":{"x":1,"y":null}},
				"messages":[{"role":"user","name":"bob","content":[{"kind":"text","text":"a"},{"kind":"text","text":"b"}]}]}`,
			after: `{"ext":{"dialect":"b","members":{"x":1}},"messages":[{"role":"user","name":"bob","content":"a"},{"role":"user","content":"b"}]}`,
			want:  []string{"/ext/x: lost 1", "/ext/x: added 1"}, warnings: "dropped /ext/x",
		},
		{
			name: "too vague", before: `{"messages":[{"role":"user","content":"a"},{"role":"user","content":"b"}]}`, after: `{"messages":[{"role":"user","content":"a"}]}`,
			warnings: "dropped /messages", want: []string{"/messages/1/content/0: lost {kind:text text:b role:user}"},
			unexplained: []string{"silent: /messages/1/content/0: lost {kind:text text:b role:user}"},
		},
		{
			name: "all tools at once", before: `{"tools":[{"name":"a"},{"name":"b"}]}`, after: `{}`, warnings: "dropped /tools",
			want: []string{"/tools/0: lost {name:a}", "/tools/1: lost {name:b}"},
		},
		{
			name: "zero is not absent", before: `{"temperature":0,"max_tokens":5}`, after: `{"top_p":0}`, warnings: "dropped /temperature,changed /max_tokens",
			want:        []string{"/max_tokens: lost 5", "/temperature: lost 0", "/top_p: added 0"},
			unexplained: []string{"silent: /top_p: added 0"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			after := c.after
			if after == "" {
				after = strings.NewReplacer(append(c.edit, "\x00", "")...).Replace(c.before)
			}
			var x, z scri.ChatRequest
			for s, v := range map[string]*scri.ChatRequest{c.before: &x, after: &z} {
				if err := json.Unmarshal([]byte(s), v); err != nil {
					t.Fatal(err)
				}
				if c.before == after {
					z = x
				}
			}
			diffs := DiffRequests(&x, &z)
			var got []string
			for i := range diffs {
				got = append(got, diffs[i].String())
			}
			if d := cmp.Diff(c.want, got); d != "" {
				t.Errorf("differences (-want +got):\n%s", d)
			}
			var warnings []scri.Warning
			for w := range strings.SplitSeq(c.warnings, ",") {
				if code, path, ok := strings.Cut(w, " "); ok {
					warnings = append(warnings, scri.Warning{Code: code, Path: path})
				}
			}
			left := Match(diffs, warnings)
			for i := range left {
				left[i] = strings.TrimSpace(left[i])
			}
			if d := cmp.Diff(c.unexplained, left); d != "" {
				t.Errorf("unexplained (-want +got):\n%s", d)
			}
		})
	}
}

func TestDiffOfIdsThatWereMade(t *testing.T) {
	call := func(id string, made bool) *scri.ChatRequest {
		return &scri.ChatRequest{Messages: []scri.Message{
			{Role: scri.RoleAssistant, Parts: []scri.Part{{Kind: scri.PartToolCall, Call: &scri.ToolCall{ID: id, Name: "f", MadeID: made}}}},
			{Role: scri.RoleTool, Parts: []scri.Part{{Kind: scri.PartToolResult, Result: &scri.ToolResult{CallID: id}}}},
		}}
	}
	if p := Match(DiffRequests(call("x", true), call("y", false)), nil); p != nil {
		t.Error(p)
	}
	if p := Match(DiffRequests(call("x", false), call("y", false)), nil); len(p) != 2 {
		t.Error("a changed id must be told:", p)
	}
}

func TestJSONDiff(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want []string
	}{
		{`{"a":1.0,"b":[1e2]}`, `{"b":[100],"a":1}`, nil},
		{`{"a":15259210161316577000}`, `{"a":15259210161316577001}`, []string{"/a: 15259210161316577000 became 15259210161316577001"}},
		{`{"a":null}`, `{}`, []string{"/a: lost <nil>"}},
		{`{"messages":[{"content":[{"type":"text","text":"a"}]}]}`, `{"messages":[{"content":"a"}]}`, nil},
		{`{"messages":[{"content":[{"type":"text","text":"a","x":1}]}]}`, `{"messages":[{"content":"a"}]}`, []string{`/messages/0/content: [{"text":"a","type":"text","x":1}] became "a"`}},
		{`{"é/~":1}`, `{"é/~":2}`, []string{"/é~1~0: 1 became 2"}},
	} {
		if d := cmp.Diff(c.want, JSONDiff([]byte(c.a), []byte(c.b))); d != "" {
			t.Errorf("%s against %s (-want +got):\n%s", c.a, c.b, d)
		}
	}
}
