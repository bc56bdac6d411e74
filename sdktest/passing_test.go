package sdktest

import (
	"context"
	"fmt"
	"strings"
	"testing"

	anthropicoption "github.com/anthropics/anthropic-sdk-go/option"

	"github.com/aratta-gateway/aratta/internal/sim"
)

// TestOwnCredential: with auth = "client" a caller's own credential goes to that one
// provider: to no other, not when that one fails either, and into no log. A key of
// the gateway goes nowhere.
func TestOwnCredential(t *testing.T) {
	const gatewayKey, token = "good-key", "sk-ant-oat01-of-the-caller"
	plan, other := newUpstream("plan", "anthropic"), newUpstream("other", "anthropic")
	t.Cleanup(plan.server.Close)
	t.Cleanup(other.server.Close)
	settings := fmt.Sprintf(`[server]
host = "127.0.0.1"

[providers.plan]
dialect = "anthropic"
base_url = %q
auth = "client"
default_model = %q
models = [%q]
`, plan.server.URL, model, model) + strings.TrimPrefix(config([]*upstream{other}), "[server]\nhost = \"127.0.0.1\"\n") +
		fmt.Sprintf("only-plan = [\"plan:%s\"]\nplan-or-other = [\"plan:%s\", \"other:%s\"]\n", model, model, model)
	p, err := shared.program.serve(t.Context(), t.TempDir(), settings, "SIM_KEY="+providerKey, "ARATTA_API_KEYS="+gatewayKey, "LOG_LEVEL=debug")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.stop(context.Background()); err != nil {
			t.Error(err)
		}
		for _, secret := range []string{clientKey, token, gatewayKey, providerKey} {
			if strings.Contains(p.out.all(), secret) {
				t.Errorf("%s is in the log:\n%s", secret, p.out.all())
			}
		}
	})
	subscription := newAnthropic(p.url, anthropicoption.WithHeaderDel("X-Api-Key"), anthropicoption.WithAuthToken(token))
	// gets is what a provider was sent to prove who asks.
	gets := func(u *upstream) string {
		last, _ := u.sim.Last()
		return last.Header.Get("X-Api-Key") + last.Header.Get("Authorization")
	}
	for name, tt := range map[string]struct {
		c    client
		fail bool
		ask  string
		from *upstream // who answers, or nil
		sent string
	}{
		"an API key":                    {c: newAnthropic(p.url), ask: "only-plan", from: plan, sent: clientKey},
		"a subscription":                {c: subscription, ask: "only-plan", from: plan, sent: "Bearer " + token},
		"a provider that is not told":   {c: subscription, ask: "only-other", from: other, sent: providerKey},
		"the next one, when that fails": {c: subscription, fail: true, ask: "plan-or-other", from: other, sent: providerKey},
		"a key of the gateway":          {c: newAnthropic(p.url, anthropicoption.WithAPIKey(gatewayKey)), ask: "only-plan"},
		"a client of another format":    {c: newOpenAI(p.url), ask: "only-plan"},
		"or the next one":               {c: newOpenAI(p.url), ask: "plan-or-other", from: other, sent: providerKey},
	} {
		for _, stream := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, stream=%t", name, stream), func(t *testing.T) {
				plan.says(t, said("I am plan"))
				other.says(t, said("I am other"))
				_, before := plan.sim.Last()
				if tt.fail {
					plan.sim.Set(sim.Fault{Kind: sim.ServerError})
				}
				g, err := tt.c.send(t.Context(), hello(tt.ask), stream, func() {})
				if tt.from == nil {
					if _, after := plan.sim.Last(); err == nil || after != before {
						t.Errorf("%+v, %v; want an error, and nothing sent", g, err)
					}
					return
				}
				if err != nil || g.text != "I am "+tt.from.name {
					t.Fatalf("%+v, %v; want an answer of %s", g, err, tt.from.name)
				}
				if got := gets(tt.from); got != tt.sent {
					t.Errorf("%s was sent %q, want %q", tt.from.name, got, tt.sent)
				}
			})
		}
	}
}
