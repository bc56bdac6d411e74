package app

import (
	"net/http"
	"strings"
	"testing"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/dialect/all"
	"github.com/aratta-gateway/aratta/internal/dialect/dialecttest"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// speakers are a provider for each dialect, each called as its dialect is.
func speakers() (list []up) {
	for _, d := range all.Table() {
		list = append(list, up{name: d.Name(), dialect: d.Name()})
	}
	return list
}

func user(text string) []scri.Message {
	return []scri.Message{{Role: scri.RoleUser, Parts: []scri.Part{scri.TextPart(text)}}}
}

// ask sends a request in a client's dialect.
func (l *lab) ask(t testing.TB, d dialect.Dialect, r *scri.ChatRequest) *reply {
	t.Helper()
	out, _, err := d.EncodeRequest(r, &dialect.Target{Model: r.Model, WantUsage: r.Stream})
	if err != nil {
		t.Fatal(err)
	}
	return l.post(t, d, out.Path, out.Header, out.Body)
}

// told decodes an answer in the client's dialect, whole or stream.
func told(t testing.TB, d dialect.Dialect, stream bool, got *reply) *scri.ChatResponse {
	t.Helper()
	if got.err != nil || got.status != http.StatusOK {
		t.Fatalf("status %d, %v: %s", got.status, got.err, got.body)
	}
	var r *scri.ChatResponse
	var err error
	if stream {
		r, err = dialecttest.ReadStream(d, got.header, got.body)
	} else {
		r, err = d.DecodeResponse(got.answer("m"))
	}
	if err != nil {
		t.Fatalf("%v in %s", err, got.body)
	}
	if len(r.Choices) != 1 || len(r.Choices[0].Output) == 0 {
		t.Fatalf("no answer in %s", got.body)
	}
	return r
}

// said is the text of all parts of a kind.
func said(r *scri.ChatResponse, kind scri.PartKind) string {
	var b strings.Builder
	for _, m := range r.Choices[0].Output {
		for i := range m.Parts {
			if m.Parts[i].Kind == kind {
				b.WriteString(m.Parts[i].Text.String())
			}
		}
	}
	return b.String()
}

// Every client reaches every provider: text, tool calls with their arguments,
// thoughts, usage and errors arrive, whole and streamed, and the headers say who
// answered.
func TestEveryDialectReachesEveryOther(t *testing.T) {
	l := newLab(t, "[behaviour]\nenable_fallback = false\n", speakers()...)
	for _, from := range all.Table() {
		for _, to := range all.Table() {
			for _, stream := range []bool{false, true} {
				name := from.Name() + " to " + to.Name()
				if stream {
					name += ", stream"
				}
				t.Run(name, func(t *testing.T) { l.crossing(t, from, to.Name(), stream) })
			}
		}
	}
}

func (l *lab) crossing(t *testing.T, d dialect.Dialect, to string, stream bool) {
	most := int64(2048)
	request := func(text string) *scri.ChatRequest {
		return &scri.ChatRequest{Model: to + ":m", Messages: user(text), MaxTokens: &most, Stream: stream}
	}
	t.Run("text", func(t *testing.T) {
		got := l.ask(t, d, request("What is a gateway — \"quoted\", ёлка, 🎄?"))
		r := told(t, d, stream, got)
		if text := said(r, scri.PartText); !strings.Contains(text, "simulated answer of "+to) || !strings.HasSuffix(text, "What is a gateway — \"quoted\", ёлка, 🎄?") {
			t.Errorf("text %q", text)
		}
		if r.Choices[0].Finish.Reason != scri.FinishStop {
			t.Errorf("finish %+v", r.Choices[0].Finish)
		}
		if u := r.Usage; u == nil || u.Input == nil || u.Output == nil || *u.Input == 0 || *u.Output == 0 {
			t.Errorf("usage %+v in %s", r.Usage, got.body)
		}
		zone := map[string]string{"ollama": "local"}[to]
		if zone == "" {
			zone = "cloud"
		}
		for name, want := range map[string]string{"X-Aratta-Provider": to, "X-Aratta-Model": "m", "X-Aratta-Decision": zone} {
			if v := got.header.Get(name); v != want {
				t.Errorf("%s: %q, want %q", name, v, want)
			}
		}
		if v := got.header.Get("X-Aratta-Request-Id"); !strings.HasPrefix(v, "req_") {
			t.Errorf("request id %q", v)
		}
	})
	t.Run("tools", func(t *testing.T) {
		if to == "completions" || d.Name() == "completions" {
			t.Skip("a text that goes on calls nothing")
		}
		q := request("What is the weather?")
		q.Tools = []scri.Tool{{
			Name: "get_weather", Description: scri.NewText("Tells the weather."),
			Schema: []byte(`{"type":"object","properties":{"city":{"type":"string"},"days":{"type":"integer"}},"required":["city","days"]}`),
		}}
		r := told(t, d, stream, l.ask(t, d, q))
		var calls []*scri.ToolCall
		for _, m := range r.Choices[0].Output {
			for i := range m.Parts {
				if m.Parts[i].Call != nil {
					calls = append(calls, m.Parts[i].Call)
				}
			}
		}
		if len(calls) != 1 || calls[0].Name != "get_weather" || !wire.Equal([]byte(calls[0].Args.String()), []byte(`{"city":"simulated","days":1}`)) {
			t.Fatalf("calls %+v", calls)
		}
		if r.Choices[0].Finish.Reason != scri.FinishToolCalls {
			t.Errorf("finish %+v", r.Choices[0].Finish)
		}
		// And the result, sent back, gets an answer.
		q.Messages = append(q.Messages, r.Choices[0].Output...)
		q.Messages = append(q.Messages, scri.Message{Role: scri.RoleTool, Parts: []scri.Part{{
			Kind: scri.PartToolResult, Result: &scri.ToolResult{CallID: calls[0].ID, Name: calls[0].Name, Parts: []scri.Part{scri.TextPart("18 degrees")}},
		}}})
		if text := said(told(t, d, stream, l.ask(t, d, q)), scri.PartText); !strings.HasSuffix(text, "18 degrees") {
			t.Errorf("after the result: %q", text)
		}
	})
	t.Run("thinking", func(t *testing.T) {
		if to == "bedrock" || d.Name() == "bedrock" {
			t.Skip("there only Claude is asked for thoughts, and m is not one")
		}
		if to == "completions" || d.Name() == "completions" {
			t.Skip("a text that goes on has no thoughts")
		}
		q := request("Think.")
		budget := int64(1024)
		q.Reasoning = &scri.Reasoning{Effort: "low", Budget: &budget}
		r := told(t, d, stream, l.ask(t, d, q))
		if text := said(r, scri.PartThinking); !strings.Contains(text, "A simulated thought") {
			t.Errorf("thoughts %q", text)
		}
		if text := said(r, scri.PartText); !strings.Contains(text, "Think.") {
			t.Errorf("text %q", text)
		}
	})
	t.Run("error", func(t *testing.T) {
		q := request("Is anybody there?")
		q.Model = to + ":nobody"
		got := l.ask(t, d, q)
		if e := d.DecodeError(got.answer("")); got.status != http.StatusNotFound || e.Kind != scri.ErrNotFound {
			t.Errorf("%d %s: %s", got.status, e.Kind, got.body)
		}
	})
}
