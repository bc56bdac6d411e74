package sdktest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"regexp"
	"strings"
	"testing"
)

// TestDrain: who is being answered when the gateway is told to stop gets the
// whole answer, nobody else is let in, and the gateway exits with 0.
func TestDrain(t *testing.T) {
	u := newUpstream("sim-openai", "openai")
	t.Cleanup(u.server.Close)
	long := strings.TrimSpace(strings.Repeat("word ", 20))
	u.says(t, said(long))
	h := u.holds(t, afterFirst)
	p, err := shared.program.serve(t.Context(), t.TempDir(), config([]*upstream{u, shared.reserve}), "SIM_KEY="+providerKey)
	if err != nil {
		t.Fatal(err)
	}
	c := newOpenAI(p.url)
	stopping := errors.New("not asked to stop")
	g, err := c.send(t.Context(), hello(u.only()), true, func() {
		if stopping == nil {
			return
		}
		if stopping = p.terminate(); stopping == nil {
			_, stopping = p.wait(t.Context(), `"msg":"draining"`)
		}
		stopping = errors.Join(stopping, p.closes(t.Context()))
		h.free()
	})
	if err != nil || stopping != nil {
		t.Fatal(err, stopping)
	}
	if g.text != long || g.finish != "stop" {
		t.Errorf("%q, finish %q; want the whole answer", g.text, g.finish)
	}
	if err := p.ended(t.Context()); err != nil {
		t.Error(err)
	}
}

// closes waits until nobody is let in any more, which is right behind the line of the log.
func (p *process) closes(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		var d net.Dialer
		conn, err := d.DialContext(ctx, "tcp", strings.TrimPrefix(p.url, "http://"))
		if ctx.Err() != nil {
			return errors.New("new connections are still taken")
		}
		if err != nil {
			return nil // that is what was waited for
		}
		conn.Close()
	}
}

// TestDemo: the README's first snippets, with `aratta demo` as it is started
// there.
func TestDemo(t *testing.T) {
	p, err := shared.program.start(t.TempDir(), nil, "demo", "--port", "0", "--ollama", "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	line, err := p.wait(t.Context(), "Your turn.")
	if err != nil {
		t.Fatal(err)
	}
	url := regexp.MustCompile(`http://\S+`).FindString(line)
	if url == "" {
		t.Fatalf("no address in %q", line)
	}
	for _, c := range clients(url) {
		for _, stream := range []bool{false, true} {
			// Programs ask for the names that they were made for, too.
			for _, model := range []string{"auto", "local", "gpt-4.1-mini", "claude-sonnet-4-5-20250929"} {
				t.Run(fmt.Sprintf("%s %s stream=%t", c.name(), model, stream), func(t *testing.T) {
					g := must(t, c, hello(model), stream)
					if g.text == "" || g.finish != stopWord()[c.name()] {
						t.Errorf("%q, finish %q", g.text, g.finish)
					}
				})
			}
		}
	}
}
