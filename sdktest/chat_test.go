package sdktest

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// word is a finish reason in the words of each SDK.
type words map[string]string

var (
	wordStop   = words{"openai": "stop", "anthropic": "end_turn", "ollama": "stop"}       //nolint:gochecknoglobals // constant
	wordLength = words{"openai": "length", "anthropic": "max_tokens", "ollama": "length"} //nolint:gochecknoglobals // constant
	wordCalls  = words{"openai": "tool_calls", "anthropic": "tool_use", "ollama": "stop"} //nolint:gochecknoglobals // constant
)

func TestPlainAnswer(t *testing.T) {
	const text = "Здравствуй, мир! \"Quotes\", a \\ and\na new line. 🦜"
	matrix(t, func(t *testing.T, c client, u *upstream, stream bool) {
		u.says(t, said(text))
		g := must(t, c, hello(u.only()), stream)
		if g.text != text {
			t.Errorf("text: %q, want %q", g.text, text)
		}
		if want := wordStop[c.name()]; g.finish != want {
			t.Errorf("finish: %q, want %q", g.finish, want)
		}
		if g.model != model {
			t.Errorf("model: %q, want %q", g.model, model)
		}
		if diff := cmp.Diff(usage{Input: 11, Output: 7}, g.usage); diff != "" {
			t.Errorf("usage (-want +got):\n%s", diff)
		}
		if who := g.header.Get("X-Aratta-Provider"); who != u.name {
			t.Errorf("X-Aratta-Provider: %q, want %q", who, u.name)
		}
		if stream && g.pieces < 2 {
			t.Errorf("the stream came in %d pieces", g.pieces)
		}
	})
}
