package provider

import (
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/dialect/all"
	"github.com/aratta-gateway/aratta/internal/overlay"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// patchedTo is a provider with overlays in force, in front of a server that
// answers each request with the next of the answers, and what it was asked.
func patchedTo(t *testing.T, overlays string, answers ...string) (*Provider, *overlay.Active, *[]*asked) {
	t.Helper()
	var seen []*asked
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		answer := answers[min(len(seen), len(answers)-1)]
		seen = append(seen, &asked{r.URL.RequestURI(), r.Header.Clone(), string(body)})
		w.Header().Set("Content-Type", "application/json")
		if strings.HasPrefix(answer, "data:") || strings.HasPrefix(answer, "event:") {
			w.Header().Set("Content-Type", "text/event-stream")
		}
		_, _ = io.WriteString(w, answer)
	}))
	t.Cleanup(srv.Close)
	var active overlay.Active
	active.Replace(setOf(t, overlays))
	known := func(name string) (dialect.Dialect, bool) { d := all.Get(name); return d, d != nil }
	p, err := New(Remote, "test", Entry{Dialect: "openai", BaseURL: srv.URL}, Deps{
		Dialects: known, Catalogue: builtin(t), Overlays: &active, LookupEnv: env(), Version: "test",
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p, &active, &seen
}

type asked struct {
	uri    string
	header http.Header
	body   string
}

func setOf(t *testing.T, text string) *overlay.Set {
	t.Helper()
	list, err := overlay.Parse("test.yaml", []byte(text), overlay.User)
	if err != nil {
		t.Fatal(err)
	}
	return overlay.NewSet(list...)
}

// hello is a request with one question.
func hello(stream bool) *scri.ChatRequest {
	temp := 0.5
	return &scri.ChatRequest{Stream: stream, Temperature: &temp, Messages: []scri.Message{said(scri.RoleUser, "hi")}}
}

func said(role scri.Role, text string) scri.Message {
	return scri.Message{Role: role, Parts: []scri.Part{{Kind: scri.PartText, Text: scri.NewText(text)}}}
}

const answer = `{"id":"c","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"yes"},"finish_reason":"stop"}]}`

func collected(t *testing.T, p *Provider, req *scri.ChatRequest, call *Call) (*scri.ChatResponse, *Info) {
	t.Helper()
	s, info, err := p.Chat(allowed(t, p), req, call)
	if err != nil {
		t.Fatal(err)
	}
	r, err := scri.Collect(s)
	if err != nil {
		t.Fatal(err)
	}
	return r, info
}

func textOf(r *scri.ChatResponse) string {
	var b strings.Builder
	for _, m := range r.Choices[0].Output {
		for _, p := range m.Parts {
			b.WriteString(p.Text.String())
		}
	}
	return b.String()
}

func TestOverlaysEditWhatLeaves(t *testing.T) {
	p, _, seen := patchedTo(t, `
id: all
version: 7
ops:
  - {op: drop, path: temperature}
  - {op: set, path: extra.flag, value: true}
  - {op: header_set, header: X-Team, value: blue}
  - {op: path, from: /chat/completions, to: /talk}
  - {op: query_set, param: v, value: "2"}
  - {op: response_rename, at: response, from: "choices[*].msg", to: "choices[*].message"}
---
{id: other, version: 1, match: {model: "else*"}, ops: [{op: drop, path: messages}]}
`, strings.Replace(answer, `"message"`, `"msg"`, 1))
	r, info := collected(t, p, hello(false), &Call{Model: "m"})
	if got := textOf(r); got != "yes" {
		t.Errorf("answered %q", got)
	}
	sent := (*seen)[0]
	if sent.uri != "/v1/talk?v=2" || sent.header.Get("X-Team") != "blue" {
		t.Errorf("sent to %s with %v", sent.uri, sent.header)
	}
	if want := `{"model":"m","messages":[{"role":"user","content":"hi"}],"extra":{"flag":true}}`; !wire.Equal([]byte(sent.body), []byte(want)) {
		t.Errorf("sent %s, want %s", sent.body, want)
	}
	if diff := cmp.Diff([]string{"all@7"}, info.Overlays); diff != "" {
		t.Error(diff)
	}
	dropped := slices.ContainsFunc(info.Warnings, func(w scri.Warning) bool {
		return w.Code == scri.WarnDropped && w.Path == "/temperature" && w.Detail == "overlay all@7: drop"
	})
	if !dropped {
		t.Errorf("nothing tells of the temperature: %v", info.Warnings)
	}
	if _, info := collected(t, p, hello(false), &Call{Model: "m"}); len(info.Overlays) != 1 || (*seen)[1].uri != sent.uri {
		t.Error("a second request goes otherwise")
	}
}

// TestStrictCallersHearOfOverlays: who wants all or nothing is told before
// anything is sent.
func TestStrictCallersHearOfOverlays(t *testing.T) {
	p, _, seen := patchedTo(t, `{id: x, version: 1, ops: [{op: drop, path: temperature}]}`, answer)
	refused := &scri.Error{Kind: scri.ErrUnsupported, Message: "strict"}
	_, _, err := p.Chat(allowed(t, p), hello(false), &Call{Model: "m", Check: func(list []scri.Warning) error {
		for _, w := range list {
			if w.Path == "/temperature" {
				return refused
			}
		}
		return nil
	}})
	if wantError(t, err, scri.ErrUnsupported, "strict"); len(*seen) != 0 {
		t.Error("it was sent")
	}
}

func TestOverlaysEditStreams(t *testing.T) {
	chunk := func(s string) string { return "data: " + s + "\n\n" }
	p, active, _ := patchedTo(t, `{id: x, version: 1, ops: [{op: response_rename, at: stream, from: "choices[*].d", to: "choices[*].delta"}]}`,
		chunk(`{"choices":[{"index":0,"d":{"role":"assistant","content":"a"}}]}`)+chunk(`{"choices":[{"index":0,"d":{"content":"b"},"finish_reason":"stop"}]}`)+chunk("[DONE]"))
	s, _, err := p.Chat(allowed(t, p), hello(true), &Call{Model: "m"})
	if err != nil {
		t.Fatal(err)
	}
	active.Replace(nil) // an attempt keeps what it began with
	r, err := scri.Collect(s)
	if err != nil {
		t.Fatal(err)
	}
	if got := textOf(r); got != "ab" {
		t.Errorf("answered %q", got)
	}
	if _, info, _ := p.Chat(allowed(t, p), hello(true), &Call{Model: "m"}); len(info.Overlays) != 0 {
		t.Error("the next one still has it")
	}
}

// TestPatchedVectors: overlays for requests for vectors act on each call of one, and on
// nothing else; those for chats leave them alone.
func TestPatchedVectors(t *testing.T) {
	p, _, seen := patchedTo(t, `
{id: vectors, version: 1, match: {op: embed}, ops: [{op: drop, path: user}, {op: set, path: purpose, value: search},
  {op: response_rename, at: response, from: vectors, to: data}, {op: header_set, header: X-Team, value: blue}]}
---
{id: chats, version: 1, ops: [{op: set, path: temperature, value: 1}]}
`, `{"object":"list","model":"m","vectors":[{"object":"embedding","index":0,"embedding":[1,2]}],"usage":{"prompt_tokens":1,"total_tokens":1}}`)
	req := &scri.EmbedRequest{Model: "m", User: "u", Input: []scri.EmbedInput{{Text: scri.NewText("a")}}}
	resp, info, err := p.Embed(allowed(t, p), req, &Call{Model: "m"})
	if err != nil || len(resp.Embeddings) != 1 {
		t.Fatal(resp, err)
	}
	got := (*seen)[0]
	if strings.Contains(got.body, `"user"`) || strings.Contains(got.body, "temperature") || !strings.Contains(got.body, `"purpose":"search"`) || got.header.Get("X-Team") != "blue" {
		t.Errorf("sent %s with %v", got.body, got.header)
	}
	if !slices.Equal(info.Overlays, []string{"vectors@1"}) || !slices.ContainsFunc(info.Warnings, func(w scri.Warning) bool { return w.Code == scri.WarnDropped && w.Path == "/user" }) {
		t.Errorf("overlays %q, warnings %+v", info.Overlays, info.Warnings)
	}
}

// TestErrorsInStreams: an event that an overlay takes for an error fails the
// answer with the provider's own words.
func TestErrorsInStreams(t *testing.T) {
	p, _, _ := patchedTo(t, `{id: x, version: 1, ops: [{op: stream_error, match: {trouble: true}, status_from: code, message_from: why}]}`,
		"data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"}}]}\n\ndata: {\"trouble\":true,\"code\":429,\"why\":\"too many at once\"}\n\n")
	s, _, err := p.Chat(allowed(t, p), hello(true), &Call{Model: "m"})
	if err != nil {
		t.Fatal(err)
	}
	_, err = scri.Collect(s)
	if e := wantError(t, err, scri.ErrRateLimited, "too many at once"); e.Provider != "test" {
		t.Errorf("provider %q", e.Provider)
	}
}

// TestAnotherDialect: an overlay may have a request written anew, and what is in
// force for that dialect edits it then.
func TestAnotherDialect(t *testing.T) {
	p, _, seen := patchedTo(t, `
{id: switch, version: 1, match: {dialect: openai}, ops: [{op: dialect, to: anthropic, when: {present: temperature}}]}
---
{id: there, version: 1, match: {dialect: anthropic}, ops: [{op: clamp, path: max_tokens, max: 7}]}
`, `{"id":"m1","type":"message","role":"assistant","model":"m","content":[{"type":"text","text":"yes"}],"stop_reason":"end_turn","usage":{"input_tokens":1,"output_tokens":1}}`, answer)
	r, info := collected(t, p, hello(false), &Call{Model: "m"})
	sent := (*seen)[0]
	if textOf(r) != "yes" || sent.uri != "/v1/messages" || !strings.Contains(sent.body, `"max_tokens":7`) {
		t.Errorf("answered %q to %s %s", textOf(r), sent.uri, sent.body)
	}
	if info.Dialect != "anthropic" || !slices.Equal(info.Overlays, []string{"switch@1", "there@1"}) {
		t.Errorf("told %q, %v", info.Dialect, info.Overlays)
	}
	req := hello(false)
	req.Temperature = nil
	if _, info := collected(t, p, req, &Call{Model: "m"}); info.Dialect != "openai" || (*seen)[1].uri != "/v1/chat/completions" {
		t.Error("the condition does not hold, and still it went there")
	}
}

// TestStreamsWhereTheClientDoesNot: the gateway collects.
func TestStreamsWhereTheClientDoesNot(t *testing.T) {
	p, _, seen := patchedTo(t, `{id: x, version: 1, ops: [{op: force_stream_aggregate}]}`,
		"data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"yes\"},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n")
	r, _ := collected(t, p, hello(false), &Call{Model: "m"})
	if textOf(r) != "yes" || !strings.Contains((*seen)[0].body, `"stream":true`) {
		t.Errorf("answered %q to %s", textOf(r), (*seen)[0].body)
	}
}

// TestEchoOfAStream: what a stream told comes back with the next turn, though the
// client lost it.
func TestEchoOfAStream(t *testing.T) {
	p, _, seen := patchedTo(t, `
id: x
version: 1
ops:
  - {op: echo, from: "response.choices[*].message.reasoning_content", to: "messages[?role=='assistant'].reasoning_content", key: "tool_calls[*].id"}
`, "data: {\"choices\":[{\"index\":0,\"delta\":{\"reasoning_content\":\"I \"}}]}\n\n"+
		"data: {\"choices\":[{\"index\":0,\"delta\":{\"reasoning_content\":\"think\"}}]}\n\n"+
		"data: {\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":0,\"id\":\"f:0\",\"type\":\"function\",\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}}]},\"finish_reason\":\"tool_calls\"}]}\n\ndata: [DONE]\n\n", answer)
	first := hello(true)
	collected(t, p, first, &Call{Model: "m"})
	next := hello(false)
	next.Messages = append(next.Messages,
		scri.Message{Role: scri.RoleAssistant, Parts: []scri.Part{{Kind: scri.PartToolCall, Call: &scri.ToolCall{ID: "f:0", Name: "f", Args: scri.NewText("{}")}}}},
		scri.Message{Role: scri.RoleTool, Parts: []scri.Part{{Kind: scri.PartToolResult, Result: &scri.ToolResult{CallID: "f:0", Parts: said("", "ok").Parts}}}})
	collected(t, p, next, &Call{Model: "m"})
	if sent := (*seen)[1].body; !strings.Contains(sent, `"reasoning_content":"I think"`) {
		t.Errorf("sent %s", sent)
	}
	other := hello(false) // the same id in another conversation
	other.Messages = slices.Clone(next.Messages)
	other.Messages[0] = said(scri.RoleUser, "something else")
	collected(t, p, other, &Call{Model: "m"})
	if sent := (*seen)[2].body; strings.Contains(sent, "I think") {
		t.Errorf("another conversation got it: %s", sent)
	}
}

// TestOverlaysSeeTheProvidersOwnPaths: a provider whose paths differ from the
// dialect's is patched at the ones that it has.
func TestOverlaysSeeTheProvidersOwnPaths(t *testing.T) {
	var uri string
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		uri = r.URL.RequestURI()
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, answer)
	}))
	t.Cleanup(srv.Close)
	known := func(name string) (dialect.Dialect, bool) { d := all.Get(name); return d, d != nil }
	for overlays, want := range map[string]string{
		"{id: x, version: 1, ops: [{op: drop, path: temperature}]}":                             "/openai/deployments/dep/chat/completions?api-version=1",
		"{id: x, version: 1, ops: [{op: query_set, param: api-version, value: \"2\"}]}":         "/openai/deployments/dep/chat/completions?api-version=2",
		"{id: x, version: 1, ops: [{op: model_alias, from: dep, to: new}]}":                     "/openai/deployments/new/chat/completions?api-version=1",
		"{id: x, version: 1, ops: [{op: path, from: /chat/completions, to: /completions}]}":     "/openai/deployments/dep/completions?api-version=1",
		"{id: x, version: 1, match: {provider: azure}, ops: [{op: drop, path: a, models: no}]}": "/openai/deployments/dep/chat/completions?api-version=1",
	} {
		var active overlay.Active
		active.Replace(setOf(t, overlays))
		p, err := New(Remote, "mine", Entry{Type: "azure", BaseURL: srv.URL + "/openai?api-version=1", APIKeyEnv: "K"}, Deps{
			Dialects: known, Catalogue: builtin(t), Overlays: &active, LookupEnv: env("K", "secret-key", "AZURE_RESOURCE_NAME", "r"), Version: "test",
		})
		if err != nil {
			t.Fatal(err)
		}
		_, info := collected(t, p, hello(false), &Call{Model: "dep"})
		if uri != want {
			t.Errorf("%s: sent to %s, want %s", overlays, uri, want)
		}
		if model := "dep"; info.Model != model && !strings.Contains(overlays, "alias") {
			t.Errorf("%s: the model is %s", overlays, info.Model)
		}
		p.Close()
	}
}

func TestBuiltinOverlaysActByReference(t *testing.T) {
	list, err := overlay.Builtins()
	if err != nil {
		t.Fatal(err)
	}
	set := overlay.NewSet(list...)
	c := builtin(t)
	used := map[string]bool{}
	for _, name := range c.Names() {
		spec, _ := c.Spec(name)
		for _, id := range spec.Overlays {
			used[id] = true
		}
	}
	if len(used) == 0 {
		t.Fatal("no entry of the catalogue refers to an overlay")
	}
	for _, o := range set.All() {
		if !used[o.ID] {
			t.Logf("no entry of the catalogue refers to %s yet", o.ID)
		}
	}
}
