package sdktest

import (
	"context"
	"errors"
	"testing"

	"github.com/anthropics/anthropic-sdk-go"
	anthropicoption "github.com/anthropics/anthropic-sdk-go/option"
	"github.com/ollama/ollama/api"
	"github.com/openai/openai-go/v3"
	openaioption "github.com/openai/openai-go/v3/option"
)

// TestKeys: who comes from beyond loopback, here by a proxy, needs a key of the
// gateway, as each SDK sends keys.
func TestKeys(t *testing.T) {
	u := newUpstream("sim-openai", "openai")
	t.Cleanup(u.server.Close)
	u.says(t, said("Welcome."))
	p, err := shared.program.serve(t.Context(), t.TempDir(), config([]*upstream{u, shared.reserve}),
		"SIM_KEY="+providerKey, "ARATTA_API_KEYS=one,good-key")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	const far, from = "X-Forwarded-For", "203.0.113.7"
	for name, tt := range map[string]struct {
		c    client
		good bool
	}{
		"openai key":       {newOpenAI(p.url, openaioption.WithHeader(far, from), openaioption.WithAPIKey("good-key")), true},
		"openai wrong":     {newOpenAI(p.url, openaioption.WithHeader(far, from)), false},
		"anthropic key":    {newAnthropic(p.url, anthropicoption.WithHeader(far, from), anthropicoption.WithAPIKey("good-key")), true},
		"anthropic token":  {newAnthropic(p.url, anthropicoption.WithHeader(far, from), anthropicoption.WithAuthToken("good-key"), anthropicoption.WithHeaderDel("X-Api-Key")), true},
		"anthropic wrong":  {newAnthropic(p.url, anthropicoption.WithHeader(far, from)), false},
		"google wrong":     {newGoogle(p.url, far, from), false},
		"openai, loopback": {newOpenAI(p.url), true},
	} {
		t.Run(name, func(t *testing.T) {
			for _, stream := range []bool{false, true} {
				g, err := tt.c.send(t.Context(), hello(u.only()), stream, func() {})
				if tt.good {
					if err != nil || g.text != "Welcome." {
						t.Errorf("%v", err)
					}
					continue
				}
				told{status: 401, openai: "authentication_error", code: "invalid_api_key", anthropic: "authentication_error", google: "UNAUTHENTICATED"}.check(t, tt.c, err)
			}
		})
	}
	t.Run("ollama", func(t *testing.T) { // its SDK sends no key: only those on the machine can use it
		c := newOllama(p.url)
		c.keeper.adds = map[string]string{far: from}
		_, err := c.send(t.Context(), hello(u.only()), true, func() {})
		if _, ok := errors.AsType[api.AuthorizationError](err); !ok {
			t.Errorf("%v, want an authorization error", err)
		}
	})
}

// TestRequestIDs: the SDKs show the id under which the gateway's log has the
// request.
func TestRequestIDs(t *testing.T) {
	u := shared.providers[0]
	u.says(t, said("never said"))
	t.Run("openai", func(t *testing.T) {
		c := newOpenAI(shared.aratta.url)
		_, err := c.send(t.Context(), hello("nobody:none"), false, func() {})
		e, ok := errors.AsType[*openai.Error](err)
		if !ok {
			t.Fatal(err)
		}
		if id := e.Response.Header.Get("X-Request-Id"); id == "" || id != e.Response.Header.Get("X-Aratta-Request-Id") {
			t.Errorf("X-Request-Id: %q, want the gateway's", id)
		}
	})
	t.Run("anthropic", func(t *testing.T) {
		c := newAnthropic(shared.aratta.url)
		_, err := c.send(t.Context(), hello("nobody:none"), false, func() {})
		e, ok := errors.AsType[*anthropic.Error](err)
		if !ok {
			t.Fatal(err)
		}
		if id := e.RequestID; id == "" || id != e.Response.Header.Get("X-Aratta-Request-Id") {
			t.Errorf("RequestID: %q, want the gateway's", id)
		}
		if g := must(t, c, hello(u.only()), true); g.header.Get("Request-Id") == "" {
			t.Error("a good answer has none")
		}
	})
}
