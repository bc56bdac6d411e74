package sdktest

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aratta-gateway/aratta/internal/sim"
	"github.com/aratta-gateway/aratta/scri"
)

// TestManyAtOnce: everybody gets the answer to his own question.
func TestManyAtOnce(t *testing.T) {
	for _, u := range shared.providers {
		u.says(t, nil)
	}
	const each = 8
	var wg sync.WaitGroup
	for _, u := range shared.providers {
		for _, c := range clients(shared.aratta.url) {
			for i := range each {
				wg.Go(func() {
					question := fmt.Sprintf("Question %d of %s to %s", i, c.name(), u.name)
					g, err := c.send(t.Context(), &ask{model: u.only(), turns: []turn{{text: question}}}, i%2 == 0, func() {})
					if err != nil || !strings.HasSuffix(g.text, "You asked: "+question) {
						t.Errorf("%s: %+v, %v", question, g, err)
					}
				})
			}
		}
	}
	wg.Wait()
}

// TestLarge: conversations of the size that coding agents send, and long answers.
func TestLarge(t *testing.T) {
	long := strings.Repeat("\"Слово\"\\\n", 50_000)                  // above 1 MB in JSON
	text := strings.Repeat(strings.Repeat("Ответ,\n", 100)+" ", 200) // in 200 pieces
	matrix(t, func(t *testing.T, c client, u *upstream, stream bool) {
		question := long
		if u.format == "ollama" { // which knows its window, and would refuse
			question = long[:len(long)/4]
		}
		u.says(t, said(text))
		g := must(t, c, &ask{model: u.only(), turns: []turn{{text: question}}}, stream)
		if g.text != text {
			t.Errorf("an answer of %d bytes, want %d", len(g.text), len(text))
		}
		r := u.last(t)
		if got := textOf(&r.Messages[0]); got != question {
			t.Errorf("a question of %d bytes at the provider, want %d", len(got), len(question))
		}
	})
}

// TestKeepalive: a provider that is silent for long does not make the SDKs give
// up or trip, whatever comes after.
func TestKeepalive(t *testing.T) {
	u := newUpstream("sim-openai", "openai")
	t.Cleanup(u.server.Close)
	settings := strings.Replace(config([]*upstream{u, shared.reserve}), "[server]\n", "[server]\nkeepalive_after = \"20ms\"\n", 1)
	p, err := shared.program.serve(t.Context(), t.TempDir(), settings, "SIM_KEY="+providerKey)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	for name, tt := range map[string]struct {
		fault sim.Fault
		want  string // "" = an error
	}{
		"then the answer":         {sim.Fault{}, "At last."},
		"then the reserve's":      {sim.Fault{Kind: sim.ErrorFirst}, "The reserve answers."},
		"then no answer from any": {sim.Fault{Kind: sim.ErrorFirst}, ""},
	} {
		for _, c := range []client{newOpenAI(p.url), newAnthropic(p.url), newGoogle(p.url)} {
			t.Run(c.name()+" "+name, func(t *testing.T) {
				u.says(t, said("At last."))
				shared.reserve.says(t, said("The reserve answers."))
				u.sim.Set(tt.fault)
				h := u.holds(t, afterFirst)
				h.from = 0
				keeperOf(c).sees = func(b []byte) {
					if bytes.Contains(b, []byte("ping")) || bytes.HasPrefix(b, []byte(":")) || len(b) > 0 && len(bytes.TrimSpace(b)) == 0 {
						h.free()
					}
				}
				asked := u.orReserve()
				if tt.want == "" {
					asked = u.only()
				}
				g, err := c.send(t.Context(), hello(asked), true, func() {})
				if tt.want == "" {
					if f, ok := c.failure(err); err == nil || !ok || f.message == "" {
						t.Errorf("%+v, %v; want an error", g, err)
					}
					return
				}
				if err != nil || g.text != tt.want {
					t.Errorf("%+v, %v; want %q", g, err, tt.want)
				}
			})
		}
	}
}

func keeperOf(c client) *keeper {
	switch c := c.(type) {
	case *openAI:
		return c.keeper
	case *claude:
		return c.keeper
	case *ollama:
		return c.keeper
	case *google:
		return c.keeper
	}
	return nil
}

// TestSovereign: with "sovereign" nothing leaves the zone local, in no SDK, also
// when the local provider fails.
func TestSovereign(t *testing.T) {
	local := shared.providers[2]
	for _, c := range clients(shared.aratta.url) {
		t.Run(c.name(), func(t *testing.T) {
			for _, u := range append(shared.providers, shared.reserve) {
				u.says(t, said("I am "+u.name))
			}
			if g := must(t, c, hello("sovereign"), true); g.text != "I am "+local.name {
				t.Errorf("%q answered", g.text)
			}
			local.fails(t, sim.Fault{Kind: sim.ServerError})
			if g, err := c.send(t.Context(), hello("sovereign"), false, func() {}); err == nil {
				t.Errorf("%q", g.text)
			}
			for _, u := range append(shared.providers, shared.reserve) {
				if u != local && len(u.requests()) > 0 {
					t.Errorf("%s was asked", u.name)
				}
			}
		})
	}
}

// TestRefusal: an answer that was filtered is told as such where the SDK has a
// word for it.
func TestRefusal(t *testing.T) {
	matrix(t, func(t *testing.T, c client, u *upstream, stream bool) {
		if u.lacks("filtered") {
			t.Skip("its API knows no refusals")
		}
		a := said("I cannot")
		a.Choices[0].Finish = scri.Finish{Reason: scri.FinishContentFilter}
		if u.format == "anthropic" {
			a.Choices[0].Finish = scri.Finish{Reason: scri.FinishRefusal}
		}
		u.says(t, a)
		g := must(t, c, hello(u.only()), stream)
		want := words{"openai": "content_filter", "anthropic": "refusal", "ollama": "stop", "google": "SAFETY"}[c.name()]
		if g.finish != want || g.text != "I cannot" {
			t.Errorf("%q, finish %q; want finish %q", g.text, g.finish, want)
		}
	})
}

// TestSlowLoad: a local model that is still being loaded is waited for, and the
// SDKs see that something comes meanwhile.
func TestSlowLoad(t *testing.T) {
	u := newUpstream("sim-ollama", "ollama")
	t.Cleanup(u.server.Close)
	settings := strings.Replace(config([]*upstream{u, shared.reserve}), "[server]\n", "[server]\nkeepalive_after = \"20ms\"\n", 1)
	p, err := shared.program.serve(t.Context(), t.TempDir(), settings, "SIM_KEY="+providerKey)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	for _, c := range []client{newOpenAI(p.url), newAnthropic(p.url), newGoogle(p.url)} {
		t.Run(c.name(), func(t *testing.T) {
			u.says(t, said("At last."))
			u.sim.Set(sim.Fault{Kind: sim.SlowLoad, Delay: 50 * time.Millisecond, Times: 1})
			h := u.holds(t, 0) // it takes as long as it must
			var before int     // reads before the first words
			answered := false
			keeperOf(c).sees = func(b []byte) {
				if answered = answered || bytes.Contains(b, []byte("last")); !answered {
					if before++; before == 2 {
						h.free()
					}
				}
			}
			g := must(t, c, hello(u.only()), true)
			if g.text != "At last." || before < 2 {
				t.Errorf("%q after %d signs of life", g.text, before)
			}
		})
	}
}
