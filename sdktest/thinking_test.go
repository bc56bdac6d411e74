package sdktest

import (
	"strings"
	"testing"

	"github.com/aratta-gateway/aratta/scri"
)

// TestThinking: thoughts come apart from the answer, wherever the SDK has a
// place for them: blocks for Anthropic, a field for Ollama, and for OpenAI the
// field reasoning_content beside those that the SDK knows.
func TestThinking(t *testing.T) {
	matrix(t, func(t *testing.T, c client, u *upstream, stream bool) {
		u.says(t, answer(signed("Seven times six. ", u), scri.TextPart("42")))
		a := hello(u.only())
		a.think = true
		g := must(t, c, a, stream)
		if g.thinking != "Seven times six. " || g.text != "42" {
			t.Errorf("thoughts %q, text %q", g.thinking, g.text)
		}
		r := u.last(t).Reasoning
		if u.lacks("thinking") {
			if w := g.header.Get("X-Aratta-Warnings"); r != nil || !strings.Contains(w, "/reasoning") {
				t.Errorf("X-Aratta-Warnings: %q, want it to tell of /reasoning", w)
			}
			return
		}
		if r == nil || r.Effort == "" && r.Budget == nil {
			t.Errorf("the provider was not asked to think: %+v", r)
		}
		if signs(c, u) && g.signature != signature {
			t.Errorf("signature: %q, want %q", g.signature, signature)
		}
	})
}

// TestThinkingGoesBack: what Anthropic or Google signed goes back to them unchanged
// with the results of the tools that they called while thinking; they refuse the
// request otherwise.
func TestThinkingGoesBack(t *testing.T) {
	matrix(t, func(t *testing.T, c client, u *upstream, stream bool) {
		if c.name() != "anthropic" && c.name() != "google" {
			t.Skip("its SDK does not give thoughts back")
		}
		u.says(t, answer(signed("I need the time.", u), calling("call_1", "get_time", `{"city":"Ur"}`)))
		a := hello(u.only())
		a.think, a.tools = true, []tool{clock()}
		first := must(t, c, a, stream)
		u.says(t, said("Noon."))
		a.turns = append(a.turns, turn{answer: first}, turn{results: []result{{first.calls[0].id, "get_time", "12:00"}}})
		if g := must(t, c, a, stream); g.text != "Noon." {
			t.Errorf("text: %q", g.text)
		}
		if !signs(c, u) {
			return
		}
		// In a stream Google's SDK leaves the pieces as they came, the signature last.
		var thought, signed string
		r := u.last(t)
		for i := range r.Messages {
			for j := range r.Messages[i].Parts {
				if p := &r.Messages[i].Parts[j]; p.Kind == scri.PartThinking {
					thought += p.Text.String()
					if p.Signature != nil {
						signed += p.Signature.Value.String()
					}
				}
			}
		}
		if thought != "I need the time." || signed != signature {
			t.Errorf("thoughts that went back: %q, signed %q", thought, signed)
		}
	})
}

const signature = "c2lnbmVkIGJ5IHRoZSBzaW11bGF0b3I="

// signs reports whether an SDK asks a provider whose thoughts are signed, in its
// own format.
func signs(c client, u *upstream) bool {
	return c.name() == "anthropic" && u.format == "anthropic" || c.name() == "google" && u.format == "gemini"
}

// signed is a thought, signed where the provider is one that signs.
func signed(text string, u *upstream) scri.Part {
	p := thinking(text)
	if u.format == "anthropic" || u.format == "gemini" {
		p.Signature = &scri.Signature{Value: scri.NewText(signature), Dialect: u.format}
	}
	return p
}
