package provider

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/dialect/all"
	"github.com/aratta-gateway/aratta/scri"
)

// Vectors of long texts ask for a window that holds them, as far as the runtime has the
// memory.
func TestEmbedWindow(t *testing.T) {
	var asked []string
	window := regexp.MustCompile(`"num_ctx":(\d+)`)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		switch r.URL.Path {
		case "/api/show":
			fmt.Fprint(w, `{"model_info":{"general.architecture":"x","x.context_length":131072},"capabilities":["embedding"]}`)
		case "/api/embed":
			n := "0"
			if m := window.FindSubmatch(b); m != nil {
				n = string(m[1])
			}
			if asked = append(asked, n); len(n) > 4 {
				http.Error(w, `{"error":"model requires more system memory than is available"}`, http.StatusInternalServerError)
				return
			}
			fmt.Fprint(w, `{"model":"m","embeddings":[[1,2]]}`)
		default:
			fmt.Fprint(w, `{"models":[]}`)
		}
	}))
	t.Cleanup(srv.Close)
	p, err := New(Local, "rt", Entry{Dialect: "ollama", BaseURL: srv.URL}, Deps{
		Dialects:  func(name string) (dialect.Dialect, bool) { d := all.Get(name); return d, d != nil },
		Catalogue: builtin(t), LookupEnv: env(), Version: "test",
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	for _, tokens := range []int64{100, 6000, 100, 30000, 100} {
		_, _, err := p.Embed(allowed(t, p), &scri.EmbedRequest{Input: []scri.EmbedInput{{Text: scri.NewText("a")}}}, &Call{Model: "m", Tokens: tokens})
		if (err != nil) != (tokens == 30000) {
			t.Errorf("%d tokens: %v", tokens, err)
		}
	}
	if got := strings.Join(asked, " "); got != "0 8192 8192 65536 0" {
		t.Errorf("asked for %s", got)
	}
}
