package provider

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/dialect/all"
	"github.com/aratta-gateway/aratta/internal/overlay"
	"github.com/aratta-gateway/aratta/scri"
)

// TestPatchedBodiesStayApart: the memory of bodies is used again, and still each
// request sends its own words and is told its own warnings.
func TestPatchedBodiesStayApart(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var q struct {
			Messages []struct{ Role, Content string }
		}
		if err := json.NewDecoder(r.Body).Decode(&q); err != nil || len(q.Messages) != 1 || q.Messages[0].Role != "asker" {
			http.Error(w, fmt.Sprint("sent ", q, err), http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":%q},"finish_reason":"stop"}]}`, q.Messages[0].Content)
	}))
	t.Cleanup(srv.Close)
	var active overlay.Active
	active.Replace(setOf(t, `{id: x, version: 1, ops: [{op: map_role, from: user, to: asker}, {op: drop, path: seed}]}`))
	p, err := New(Remote, "test", Entry{Dialect: "openai", BaseURL: srv.URL}, Deps{
		Dialects:  func(name string) (dialect.Dialect, bool) { d := all.Get(name); return d, d != nil },
		Catalogue: builtin(t), Overlays: &active, LookupEnv: env(), Version: "test",
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	ctx := allowed(t, p)
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			var infos []*Info
			seed := func(i int) string { return fmt.Sprint(g*1000 + i) }
			for i := range 20 {
				text := strings.Repeat(fmt.Sprintf("question %d of %d. ", i, g), 1+(i*37+g)%90)
				s, info, err := p.Chat(ctx, &scri.ChatRequest{Messages: []scri.Message{said(scri.RoleUser, text)}, Seed: scri.RawJSON(seed(i))}, &Call{Model: "m"})
				if err != nil {
					t.Error(err)
					return
				}
				r, err := scri.Collect(s)
				if err != nil || textOf(r) != text {
					t.Errorf("asked %.40s, answered to %.40s (%v)", text, textOf(r), err)
				}
				infos = append(infos, info)
			}
			for i, info := range infos {
				if w := info.Warnings; len(w) != 2 || w[0].To != "asker" || w[1].Path != "/seed" || w[1].From != seed(i) {
					t.Errorf("request %d is told %+v", i, w)
				}
			}
		})
	}
	wg.Wait()
}
