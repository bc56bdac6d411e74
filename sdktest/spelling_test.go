package sdktest

import (
	"context"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/openai/openai-go/v3"

	"github.com/aratta-gateway/aratta/internal/dialect/all"
	"github.com/aratta-gateway/aratta/internal/sim"
)

// TestSpellings starts the gateway with the two YAML configurations of the contract
// and drives them with OpenAI's SDK. Nothing but the address of the local runtime is
// changed in them, so that the test needs no fixed port; the clouds' addresses come
// from the user's catalogue.
func TestSpellings(t *testing.T) {
	for _, c := range []struct {
		file          string
		plain, coding string // who answers
		plainModel    string
	}{
		{"lynkr.yaml", "near", "claude", "llama3:latest"},
		{"aratta-2.3.yaml", "near", "near", "llama3.3:70b"},
	} {
		t.Run(c.file, func(t *testing.T) {
			p := serveExample(t, c.file, c.plainModel)
			sdk := newOpenAI(p.url).sdk
			for _, ask := range []struct {
				model, prompt, want string
			}{
				{"*", "What is the capital of France?", c.plain},
				{"auto", "Tell me about decoders.", c.plain},
				{"*", "Debug this: SELECT 1", c.coding},
				{"auto", "Write CODE, please!", c.coding},
				{"local", "Write code, please!", "near"},
			} {
				r, err := sdk.Chat.Completions.New(t.Context(), openai.ChatCompletionNewParams{
					Model: ask.model, Messages: []openai.ChatCompletionMessageParamUnion{openai.UserMessage(ask.prompt)},
				})
				if err != nil {
					t.Errorf("%s %q: %v", ask.model, ask.prompt, err)
					continue
				}
				if !strings.Contains(r.Choices[0].Message.Content, "from "+ask.want) {
					t.Errorf("%s %q: %q, want it from %s", ask.model, ask.prompt, r.Choices[0].Message.Content, ask.want)
				}
			}
		})
	}
}

// serveExample runs the gateway with an example and simulators in place of its
// providers.
func serveExample(t *testing.T, file, local string) *process {
	t.Helper()
	root := os.Getenv("ARATTA_SHARED")
	if root == "" {
		root = filepath.Join("..", "..", "shared")
	}
	text, err := os.ReadFile(filepath.Join(root, "examples", file))
	if err != nil {
		t.Skip("the configuration contract is absent: ", err)
	}
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "providers"), 0o700); err != nil {
		t.Fatal(err)
	}
	behind := func(name, format string, models ...string) string {
		u := &upstream{name: name, format: format}
		u.sim = sim.New(sim.Options{Name: name, Dialect: all.Get(format), Models: models, Any: true, Answer: u.respond})
		u.says(t, said("from "+name))
		s := httptest.NewServer(u)
		t.Cleanup(s.Close)
		return s.URL
	}
	for name, dialect := range map[string]string{"openai": "openai", "anthropic": "anthropic"} {
		url := behind(map[string]string{"openai": "gpt", "anthropic": "claude"}[name], dialect)
		entry := fmt.Sprintf("name: %s\nbase_url: %s\n", name, url)
		if err := os.WriteFile(filepath.Join(dir, "providers", name+".yaml"), []byte(entry), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	near := behind("near", "ollama", local)
	own := filepath.Join(dir, file)
	if err := os.WriteFile(own, []byte(strings.ReplaceAll(string(text), "http://localhost:11434", near)), 0o600); err != nil {
		t.Fatal(err)
	}
	p, err := shared.program.serveFile(t.Context(), dir, own, "ARATTA_HOST=127.0.0.1", "OPENAI_KEY=k", "ANTHROPIC_KEY=k")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.stop(context.Background()); err != nil { // the test's own context is over
			t.Error(err)
		}
	})
	return p
}
