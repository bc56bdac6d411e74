package sdktest

import (
	"context"
	"strings"
	"testing"
	"time"
)

// TestStreamIsNotHeldBack: the first words are with the SDK while the provider
// has not said the others.
func TestStreamIsNotHeldBack(t *testing.T) {
	long := strings.TrimSpace(strings.Repeat("word ", 20))
	matrix(t, func(t *testing.T, c client, u *upstream, stream bool) {
		if !stream {
			t.Skip("about streams")
		}
		u.says(t, said(long))
		h := u.holds(t, afterFirst)
		a := hello(u.only())
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		g, err := c.send(ctx, a, true, h.free)
		if err != nil {
			t.Fatal(err)
		}
		if g.text != long {
			t.Errorf("text: %q", g.text)
		}
	})
}

// TestCancel: when the SDK's caller gives up, the provider is told at once.
func TestCancel(t *testing.T) {
	matrix(t, func(t *testing.T, c client, u *upstream, stream bool) {
		if !stream {
			t.Skip("about streams")
		}
		u.says(t, said(strings.Repeat("word ", 20)))
		h := u.holds(t, afterFirst)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		if _, err := c.send(ctx, hello(u.only()), true, cancel); err == nil {
			t.Log("the SDK tells nobody of a stream that its caller ended") // Ollama's does not
		}
		select {
		case <-h.gone:
		case <-time.After(patience):
			t.Error("the provider was not told")
		}
	})
}
