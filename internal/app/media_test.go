package app

import (
	"encoding/base64"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aratta-gateway/aratta/internal/dialect/all"
)

// A client that names a picture by its address reaches a model that takes bytes
// alone, and is told; one that does not want it to be fetched is told what was
// left out.
func TestPicturesByAddress(t *testing.T) {
	const picture = "\x89PNG\r\n\x1a\n and pixels"
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for name := range r.Header {
			if name != "User-Agent" && name != "Accept" && name != "Accept-Encoding" && name != "Connection" {
				t.Errorf("the web server was sent %s", name)
			}
		}
		_, _ = io.WriteString(w, picture)
	}))
	t.Cleanup(web.Close)
	encoded := base64.StdEncoding.EncodeToString([]byte(picture))
	bodies := map[string]string{
		"openai":    `{"model":"m","messages":[{"role":"user","content":[{"type":"text","text":"What is it?"},{"type":"image_url","image_url":{"url":"URL"}}]}]}`,
		"anthropic": `{"model":"m","max_tokens":9,"messages":[{"role":"user","content":[{"type":"text","text":"What is it?"},{"type":"image","source":{"type":"url","url":"URL"}}]}]}`,
		"native":    `{"model":"m","messages":[{"role":"user","content":[{"kind":"text","text":"What is it?"},{"kind":"media","media":{"type":"image/*","url":"URL"}}]}]}`,
	}
	for config, fetched := range map[string]bool{
		"[media]\nallow_networks = [\"127.0.0.0/8\"]\n": true,
		"[media]\nfetch = false\n":                      false,
	} {
		l := newLab(t, config, up{name: "near", dialect: "ollama", local: true})
		for name, body := range bodies {
			r := l.post(t, all.Get(name), "", nil, []byte(strings.ReplaceAll(body, "URL", web.URL+"/picture")))
			last, _ := l.sims["near"].Last()
			if r.status != http.StatusOK || strings.Contains(string(last.Body), encoded) != fetched {
				t.Errorf("%s, fetch %v: %d %s; the runtime got %s", name, fetched, r.status, r.body, last.Body)
			}
			code := "dropped"
			if fetched {
				code = "changed"
			}
			if w := r.header.Get("X-Aratta-Warnings"); !strings.Contains(w, code+" /messages/0/content/1") {
				t.Errorf("%s, fetch %v: warnings %q", name, fetched, w)
			}
		}
	}
	l := newLab(t, "", up{name: "near", dialect: "ollama", local: true})
	r := l.post(t, all.Get("openai"), "", nil, []byte(strings.ReplaceAll(bodies["openai"], "URL", web.URL+"/picture")))
	if r.status != http.StatusForbidden || !strings.Contains(string(r.body), "media.allow_networks") {
		t.Errorf("%d %s, want a refusal of an address on this machine", r.status, r.body)
	}
}
