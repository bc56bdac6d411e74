package gateway_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/aratta-gateway/aratta/internal/provider"
	"github.com/aratta-gateway/aratta/internal/route"
	"github.com/aratta-gateway/aratta/scri"
)

// Many clients escape all that is not ASCII, six bytes for two: a conversation
// must not look three times as long for that, and be kept from a model that it
// fits.
func TestEscapedTextIsNotTakenForLonger(t *testing.T) {
	var asked string
	near := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/api/chat":
			b, _ := io.ReadAll(r.Body)
			asked = string(b[len(b)-200:])
			_, _ = io.WriteString(w, `{"model":"m","message":{"role":"assistant","content":"да"},"done":true,"done_reason":"stop"}`)
		default:
			_, _ = io.WriteString(w, `{"models":[{"name":"m","model":"m"}]}`)
		}
	})
	x := exchange("auto", false)
	x.Req.Messages[0].Parts[0].Text = scri.QuotedText([]byte(`"` + strings.Repeat(`\u043f\u0440\u0438\u0432\u0435\u0442 `, 2500) + `"`))
	e := defaults()
	e.Models = []provider.ModelEntry{{Name: "m", ContextWindow: 16384}} // about 32,500 bytes are 8,125 tokens
	h := newHouse(t, route.Config{}, room{name: "near", dialect: "ollama", zone: "local", entry: e, handler: near})
	if _, err := h.ask(t, x); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(asked, `16384`) {
		t.Errorf("sent %s", asked)
	}
}
