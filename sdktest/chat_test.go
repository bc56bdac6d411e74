package sdktest

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"image"
	"image/png"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/aratta-gateway/aratta/scri"
)

// words are a finish reason as each SDK's API spells it.
type words map[string]string

func stopWord() words {
	return words{"openai": "stop", "anthropic": "end_turn", "ollama": "stop", "google": "STOP"}
}

func lengthWord() words {
	return words{"openai": "length", "anthropic": "max_tokens", "ollama": "length", "google": "MAX_TOKENS"}
}

func callsWord() words {
	return words{"openai": "tool_calls", "anthropic": "tool_use", "ollama": "stop", "google": "STOP"}
}

func TestPlainAnswer(t *testing.T) {
	const text = "Здравствуй, мир! \"Quotes\", a \\ and\na new line. 🦜"
	matrix(t, func(t *testing.T, c client, u *upstream, stream bool) {
		u.says(t, said(text))
		g := must(t, c, hello(u.only()), stream)
		if g.text != text {
			t.Errorf("text: %q, want %q", g.text, text)
		}
		if want := stopWord()[c.name()]; g.finish != want {
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

// TestParameters: what the SDKs ask for arrives at the provider, with the
// gateway's key and never the client's.
func TestParameters(t *testing.T) {
	matrix(t, func(t *testing.T, c client, u *upstream, stream bool) {
		u.says(t, said("Done."))
		temperature := 0.25
		a := hello(u.only())
		a.system, a.max, a.stop, a.temperature = "Be brief.", 77, []string{"END", "STOP"}, &temperature
		must(t, c, a, stream)
		r := u.last(t)
		if r.Model != model {
			t.Errorf("model: %q, want %q", r.Model, model)
		}
		if r.Stream != stream {
			t.Errorf("stream: %t, want %t", r.Stream, stream)
		}
		if r.MaxTokens == nil || *r.MaxTokens != 77 {
			t.Errorf("max tokens: %v, want 77", r.MaxTokens)
		}
		if r.Temperature == nil || *r.Temperature != temperature {
			t.Errorf("temperature: %v, want %g", r.Temperature, temperature)
		}
		if diff := cmp.Diff([]string{"END", "STOP"}, r.Stop); diff != "" && !u.lacks("stop") {
			t.Errorf("stop (-want +got):\n%s", diff)
		}
		var said []string
		for i := range r.Messages {
			said = append(said, string(r.Messages[i].Role)+": "+textOf(&r.Messages[i]))
		}
		if diff := cmp.Diff([]string{"system: Be brief.", "user: Hello"}, said); diff != "" {
			t.Errorf("conversation (-want +got):\n%s", diff)
		}
		u.sawKey(t)
	})
}

// sawKey checks whose key the provider got.
func (u *upstream) sawKey(t *testing.T) {
	t.Helper()
	seen, _ := u.sim.Last()
	ours := u.format == "ollama" // which needs no key
	for name, values := range seen.Header {
		for _, v := range values {
			if strings.Contains(v, clientKey) {
				t.Errorf("the client's key went to the provider in %s", name)
			}
			ours = ours || strings.Contains(v, providerKey)
		}
	}
	if !ours {
		t.Errorf("the provider did not get its key")
	}
}

func textOf(m *scri.Message) string {
	var b strings.Builder
	for i := range m.Parts {
		b.WriteString(m.Parts[i].Text.String())
	}
	return b.String()
}

// TestConversation: an answer that the SDK gives back as history reaches the
// provider as it was.
func TestConversation(t *testing.T) {
	matrix(t, func(t *testing.T, c client, u *upstream, stream bool) {
		u.says(t, said("The first answer."))
		a := hello(u.only())
		first := must(t, c, a, stream)
		u.says(t, said("The second answer."))
		a.turns = append(a.turns, turn{answer: first}, turn{text: "Go on"})
		must(t, c, a, stream)
		var said []string
		r := u.last(t)
		for i := range r.Messages {
			said = append(said, string(r.Messages[i].Role)+": "+textOf(&r.Messages[i]))
		}
		if diff := cmp.Diff([]string{"user: Hello", "assistant: The first answer.", "user: Go on"}, said); diff != "" {
			t.Errorf("conversation (-want +got):\n%s", diff)
		}
	})
}

func TestAnswerAtItsLimit(t *testing.T) {
	matrix(t, func(t *testing.T, c client, u *upstream, stream bool) {
		cut := said("Half an ans")
		cut.Choices[0].Finish = scri.Finish{Reason: scri.FinishLength}
		u.says(t, cut)
		g := must(t, c, hello(u.only()), stream)
		if want := lengthWord()[c.name()]; g.finish != want || g.text != "Half an ans" {
			t.Errorf("%q, finish %q; want finish %q", g.text, g.finish, want)
		}
	})
}

// TestStopSequence: Anthropic's answers name the sequence that ended them, and
// only Anthropic's SDK has a place for it.
func TestStopSequence(t *testing.T) {
	matrix(t, func(t *testing.T, c client, u *upstream, stream bool) {
		ended := said("One, two, ")
		ended.Choices[0].Finish = scri.Finish{Reason: scri.FinishStop, Detail: "three"}
		u.says(t, ended)
		a := hello(u.only())
		a.stop = []string{"three"}
		g := must(t, c, a, stream)
		want := stopWord()[c.name()]
		if c.name() == "anthropic" && !u.lacks("stop sequence") {
			want = "stop_sequence"
			if g.stopped != "three" {
				t.Errorf("stop sequence: %q, want %q", g.stopped, "three")
			}
		}
		if g.finish != want {
			t.Errorf("finish: %q, want %q", g.finish, want)
		}
	})
}

// TestUsage: totals contain their parts, except for Anthropic, whose input is
// what was not in the cache.
func TestUsage(t *testing.T) {
	in, read, written, out, thought := int64(100), int64(40), int64(10), int64(20), int64(5)
	matrix(t, func(t *testing.T, c client, u *upstream, stream bool) {
		a := said("Done.")
		a.Usage = &scri.Usage{Input: &in, CacheRead: &read, CacheWrite: &written, Output: &out, Thinking: &thought}
		for what, n := range map[string]**int64{
			"cache_read": &a.Usage.CacheRead, "cache_write": &a.Usage.CacheWrite, "thinking tokens": &a.Usage.Thinking,
		} {
			if u.lacks(what) {
				*n = nil
			}
		}
		u.says(t, a)
		g := must(t, c, hello(u.only()), stream)
		if diff := cmp.Diff(counted(c, a.Usage), g.usage); diff != "" {
			t.Errorf("usage (-want +got):\n%s", diff)
		}
	})
}

// counted is what an SDK makes of these counts.
func counted(c client, u *scri.Usage) usage {
	n := func(p *int64) int64 {
		if p == nil {
			return 0
		}
		return *p
	}
	w := usage{Input: n(u.Input), Output: n(u.Output)}
	switch c.name() {
	case "openai", "google":
		w.CacheRead, w.Thinking = n(u.CacheRead), n(u.Thinking)
	case "anthropic":
		w.CacheRead, w.CacheWrite, w.Thinking = n(u.CacheRead), n(u.CacheWrite), n(u.Thinking)
		w.Input -= w.CacheRead + w.CacheWrite
	}
	return w
}

// TestImage: the bytes of a picture arrive as they were sent.
func TestImage(t *testing.T) {
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 9, 9))); err != nil {
		t.Fatal(err)
	}
	matrix(t, func(t *testing.T, c client, u *upstream, stream bool) {
		u.says(t, said("A grey square."))
		must(t, c, &ask{model: u.only(), turns: []turn{{text: "What is this?", image: b.Bytes()}}}, stream)
		r := u.last(t)
		var seen []byte
		for _, p := range r.Messages[len(r.Messages)-1].Parts {
			if p.Kind != scri.PartMedia {
				continue
			}
			var err error
			if seen, err = base64.StdEncoding.DecodeString(p.Media.Data.String()); err != nil {
				t.Errorf("data of the picture: %v", err)
			}
			if !strings.HasPrefix(p.Media.Type, "image/") {
				t.Errorf("type of the picture: %q", p.Media.Type)
			}
		}
		if !bytes.Equal(seen, b.Bytes()) {
			t.Errorf("the provider saw %d bytes of a picture, want %d", len(seen), b.Len())
		}
		if got := textOf(&r.Messages[len(r.Messages)-1]); got != "What is this?" {
			t.Errorf("text beside the picture: %q", got)
		}
	})
}

// TestStructuredOutput: the schema arrives, and the answer comes back as it is.
func TestStructuredOutput(t *testing.T) {
	const schema = `{"type":"object","properties":{"city":{"type":"string"},"people":{"type":"integer"}},"required":["city","people"],"additionalProperties":false}`
	const text = `{"city":"Uruk","people":50000}`
	matrix(t, func(t *testing.T, c client, u *upstream, stream bool) {
		u.says(t, said(text))
		a := hello(u.only())
		a.schema = schema
		if g := must(t, c, a, stream); g.text != text {
			t.Errorf("text: %q, want %q", g.text, text)
		}
		f := u.last(t).Format
		if f == nil || f.Kind != scri.FormatJSONSchema {
			t.Fatalf("format: %+v, want a schema", f)
		}
		sameJSON(t, "schema", schema, string(f.Schema))
	})
}

// TestLogProbs: OpenAI's and Ollama's SDKs have a place for them, Anthropic's has
// none; where a provider has none, the client is told.
func TestLogProbs(t *testing.T) {
	matrix(t, func(t *testing.T, c client, u *upstream, stream bool) {
		if c.name() == "anthropic" {
			t.Skip("its API knows no log-probabilities")
		}
		a := said("Two words")
		if !u.lacks("logprobs") {
			a.Choices[0].LogProbs = []scri.TokenLogProb{
				{Token: scri.NewText("Two"), LogProb: -0.25}, {Token: scri.NewText(" words"), LogProb: -0.5},
			}
		}
		u.says(t, a)
		q := hello(u.only())
		q.logprobs = true
		g := must(t, c, q, stream)
		if u.lacks("logprobs") {
			if w := g.header.Get("X-Aratta-Warnings"); !strings.Contains(w, "dropped /logprobs") {
				t.Errorf("X-Aratta-Warnings: %q, want it to tell of /logprobs", w)
			}
			return
		}
		if diff := cmp.Diff([]string{"Two", " words"}, g.logprobs); diff != "" {
			t.Errorf("tokens (-want +got):\n%s", diff)
		}
		if u.last(t).LogProbs == nil {
			t.Error("the provider was not asked for them")
		}
	})
}

func sameJSON(t *testing.T, what, want, got string) {
	t.Helper()
	var w, g any
	if err := json.Unmarshal([]byte(want), &w); err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	if err := json.Unmarshal([]byte(got), &g); err != nil {
		t.Errorf("%s is no JSON: %q", what, got)
		return
	}
	if diff := cmp.Diff(w, g); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}
