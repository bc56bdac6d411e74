package freeform_test

import (
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/aratta-gateway/aratta/internal/freeform"
	"github.com/aratta-gateway/aratta/scri"
)

// patch is a tool that is called with a text, as a dialect has it.
func patch(dialect, members string) scri.Tool {
	return scri.Tool{Type: "custom", Name: "patch", Ext: &scri.Ext{Dialect: dialect, Members: scri.RawJSON("{" + members + "}")}}
}

func called(typ, name, args string) scri.Part {
	return scri.Part{Kind: scri.PartToolCall, Call: &scri.ToolCall{ID: "call_1", Name: name, Type: typ, Args: scri.NewText(args)}}
}

func TestRequests(t *testing.T) {
	const about = `"description":"Changes files.","format":{"type":"grammar","syntax":"lark","definition":"start: LINE+"}`
	for name, tool := range map[string]scri.Tool{
		"as the Responses API has it":   patch("responses", about),
		"as chat completions have them": patch("openai", `"custom":{`+about+`}`),
	} {
		t.Run(name, func(t *testing.T) {
			r := &scri.ChatRequest{
				Tools: []scri.Tool{{Name: "read"}, tool},
				Messages: []scri.Message{
					{Role: scri.RoleUser, Parts: []scri.Part{scri.TextPart("go")}},
					{Role: scri.RoleAssistant, Parts: []scri.Part{called("custom", "patch", "a \"line\"\n"), called("", "read", `{}`)}},
				},
			}
			before := r.Clone()
			got, tools, warnings := freeform.Functions(r, "anthropic")
			if tools == nil || cmp.Diff(before, r) != "" {
				t.Fatalf("nothing was done, or the request was changed: %s", cmp.Diff(before, r))
			}
			f := got.Tools[1]
			if d := f.Description.String(); f.Type != "" || f.Name != "patch" || !strings.HasPrefix(d, "Changes files.\n") || !strings.Contains(d, "(lark)\nstart: LINE+") {
				t.Errorf("%+v", f)
			}
			var schema struct {
				Properties map[string]struct{ Type string }
				Required   []string
			}
			if err := json.Unmarshal(f.Schema, &schema); err != nil || schema.Properties["input"].Type != "string" || len(schema.Properties) != 1 {
				t.Errorf("%v: %s", err, f.Schema)
			}
			parts := got.Messages[1].Parts
			if d := cmp.Diff([]scri.Part{called("", "patch", `{"input":"a \"line\"\n"}`), called("", "read", `{}`)}, parts); d != "" {
				t.Error(d)
			}
			if len(warnings) != 1 || warnings[0].Path != "/tools/1/type" || warnings[0].Code != scri.WarnChanged || !strings.Contains(warnings[0].Detail, "grammar") {
				t.Errorf("%+v", warnings)
			}
			if same, none, _ := freeform.Functions(r, tool.Ext.Dialect); same != r || none != nil {
				t.Error("it knows such tools, and was given functions")
			}
		})
	}
	r := &scri.ChatRequest{Tools: []scri.Tool{{Name: "read"}, {Type: "web_search", Name: "patch"}}}
	if same, none, _ := freeform.Functions(r, "ollama"); same != r || none != nil {
		t.Error("no tool is called with a text, and something was done")
	}
}

// tools are those of a request with one tool that is called with a text.
func tools(t interface{ Fatal(...any) }) *freeform.Tools {
	_, f, _ := freeform.Functions(&scri.ChatRequest{Tools: []scri.Tool{patch("responses", `"description":""`)}}, "ollama")
	if f == nil {
		t.Fatal("nothing was done")
	}
	return f
}

// underway is an answer that nobody has whole.
type underway struct{ s scri.Stream }

func (u underway) Next() (*scri.StreamEvent, error) { return u.s.Next() }
func (u underway) Close() error                     { return u.s.Close() }

func answer(parts ...scri.Part) *scri.ChatResponse {
	return &scri.ChatResponse{ID: "1", Model: "m", Choices: []scri.Choice{{
		Output: []scri.Message{{Role: scri.RoleAssistant, Parts: parts}}, Finish: scri.Finish{Reason: scri.FinishToolCalls},
	}}}
}

func TestAnswers(t *testing.T) {
	for args, want := range map[string]string{
		`{"input":"a \"line\"\n\u00e9"}`: "a \"line\"\né",
		`{"input":""}`:                   "",
		`*** Begin Patch`:                `*** Begin Patch`,
		`{"input":3}`:                    `{"input":3}`,
		`{"input":null}`:                 `{"input":null}`,
		`{"input":"x","more":1}`:         `{"input":"x","more":1}`,
		`{"input":"half`:                 `{"input":"half`,
		`null`:                           `null`,
	} {
		r := answer(scri.TextPart("I shall."), called("", "patch", args), called("", "read", `{"input":"x"}`))
		want := answer(scri.TextPart("I shall."), called("custom", "patch", want), called("", "read", `{"input":"x"}`))
		for name, s := range map[string]scri.Stream{"whole": scri.Replay(r), "stream": underway{scri.Replay(r)}} {
			got, err := scri.Collect(tools(t).Stream(s))
			if err != nil || cmp.Diff(want, got) != "" {
				t.Errorf("%s, %s: %v %s", args, name, err, cmp.Diff(want, got))
			}
		}
	}
}

// Whatever the text, it comes back as it was called with.
func TestTextsComeBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.String().Draw(t, "text")
		r := &scri.ChatRequest{
			Tools:    []scri.Tool{patch("responses", `"description":""`)},
			Messages: []scri.Message{{Role: scri.RoleAssistant, Parts: []scri.Part{called("custom", "patch", text)}}},
		}
		asked, f, _ := freeform.Functions(r, "ollama")
		got, err := scri.Collect(f.Stream(underway{scri.Replay(answer(asked.Messages[0].Parts...))}))
		if err != nil || cmp.Diff(answer(r.Messages[0].Parts...), got) != "" {
			t.Fatalf("%v %s", err, cmp.Diff(answer(r.Messages[0].Parts...), got))
		}
	})
}

// broken is an answer that breaks off after some events.
type broken struct {
	scri.Stream
	left int
}

func (b *broken) Next() (*scri.StreamEvent, error) {
	if b.left--; b.left < 0 {
		return nil, io.ErrUnexpectedEOF
	}
	return b.Stream.Next()
}

// A call that broke off is not given: half a text is no text.
func TestBrokenOff(t *testing.T) {
	for left := range 6 {
		s := tools(t).Stream(&broken{underway{scri.Replay(answer(called("", "patch", `{"input":"whole"}`)))}, left})
		seen, ended := false, false
		for {
			e, err := s.Next()
			if err != nil {
				if !errors.Is(err, io.ErrUnexpectedEOF) {
					t.Fatal(err)
				}
				break
			}
			seen = seen || e.Kind == scri.EventPart
			ended = ended || e.Kind == scri.EventPartEnd
		}
		if seen != ended {
			t.Errorf("after %d events: a call began (%v) and ended (%v)", left, seen, ended)
		}
	}
}
