package sdktest

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
)

// stand is what all tests share: a running gateway and the providers behind it.
type stand struct {
	program   binary
	aratta    *process
	providers []*upstream // one for each dialect
	reserve   *upstream   // who answers when another fails
}

var shared stand //nolint:gochecknoglobals // TestMain has no other way to give tests what it built

const providerKey = "key-of-the-gateway"

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) (code int) {
	dir, err := os.MkdirTemp("", "aratta-sdktest")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	ctx := context.Background()
	for _, format := range []string{"openai", "anthropic", "ollama", "native", "responses", "gemini", "cohere", "bedrock"} {
		shared.providers = append(shared.providers, newUpstream("sim-"+format, format))
	}
	shared.reserve = newUpstream("reserve", "openai")
	if shared.program, err = buildAratta(ctx, dir); err == nil {
		shared.aratta, err = shared.program.serve(ctx, dir, config(append(shared.providers, shared.reserve)), "SIM_KEY="+providerKey)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	code = m.Run()
	if err := shared.aratta.stop(ctx); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = max(code, 1)
	}
	for _, u := range append(shared.providers, shared.reserve) {
		u.server.Close()
	}
	return code
}

// config is a configuration with these providers, and for each of them the
// chains only-NAME and NAME-or-reserve.
func config(list []*upstream) string {
	var b, chains strings.Builder
	b.WriteString("[server]\nhost = \"127.0.0.1\"\n")
	for _, name := range []string{"ollama", "llamacpp", "lmstudio", "localai", "sglang", "vllm"} { // should one run here
		fmt.Fprintf(&b, "[local.%s]\nenabled = false\n", name)
	}
	for _, u := range list {
		if u.format == "ollama" {
			fmt.Fprintf(&b, "\n[local.%s]\ntype = \"ollama\"\nbase_url = %q\ndefault_model = %q\n", u.name, u.server.URL, model)
		} else {
			fmt.Fprintf(&b, "\n[providers.%s]\ndialect = %q\nbase_url = %q\napi_key_env = \"SIM_KEY\"\ndefault_model = %q\nmodels = [%q]\n",
				u.name, u.format, u.server.URL, model, model)
		}
		fmt.Fprintf(&chains, "only-%s = [\"%s:%s\"]\n", u.name, u.name, model)
		fmt.Fprintf(&chains, "%s-or-reserve = [\"%s:%s\", \"reserve:%s\"]\n", u.name, u.name, model, model)
	}
	b.WriteString("\n[chains]\n" + chains.String())
	return b.String()
}

// only names the chain of one provider alone.
func (u *upstream) only() string { return "only-" + u.name }

// orReserve names the chain of a provider with the reserve behind it.
func (u *upstream) orReserve() string { return u.name + "-or-reserve" }

// matrix runs f for every SDK against every provider, as a whole answer and as a
// stream.
func matrix(t *testing.T, f func(t *testing.T, c client, u *upstream, stream bool)) {
	t.Helper()
	for _, c := range clients(shared.aratta.url) {
		for _, u := range shared.providers {
			for _, mode := range []string{"whole", "stream"} {
				t.Run(c.name()+" client/"+u.format+" provider/"+mode, func(t *testing.T) {
					f(t, c, u, mode == "stream")
				})
			}
		}
	}
}

// must sends what has to succeed.
func must(t *testing.T, c client, a *ask, stream bool) *got {
	t.Helper()
	g, err := c.send(t.Context(), a, stream, func() {})
	if err != nil {
		t.Fatalf("%s: %v", c.name(), err)
	}
	return g
}
