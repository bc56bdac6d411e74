package server

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/aratta-gateway/aratta/internal/dialect/all"
)

// What SDKs send from a page.
const sdkHeaders = "anthropic-beta,anthropic-dangerous-direct-browser-access,anthropic-version,authorization,content-type,x-api-key,x-aratta-provider,x-stainless-lang"

var param = regexp.MustCompile(`\{[^}]*\}`)

func crossSite(t *testing.T, origins []string, method, path, origin, peer string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	s := wholeServer(origins...)
	r := httptest.NewRequestWithContext(t.Context(), method, "http://127.0.0.1:8084"+path, strings.NewReader(goodChat))
	r.RemoteAddr = peer
	r.Header.Set("Origin", origin)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

// Which page may call: those of this machine, those that are named; where all are,
// with a key alone.
func TestCrossOrigin(t *testing.T) {
	const app, evil, page = "https://app.example.com", "https://evil.example.com", "http://localhost:3000"
	const here, there = "127.0.0.1:5000", "10.0.0.5:5000"
	key := []string{"Authorization", "Bearer sk-client"}
	for _, c := range []struct {
		name    string
		origins []string
		origin  string
		peer    string
		header  []string
		status  int
		told    string // Access-Control-Allow-Origin
		says    string
	}{
		{"a page of this machine", nil, page, here, nil, 200, page, "hello"},
		{"a page of another site", nil, app, here, nil, 403, "", "add https://app.example.com to server.cors_origins"},
		{"with a key", nil, app, here, key, 403, "", "server.cors_origins"},
		{"from elsewhere with a key", nil, app, there, key, 200, "", ""},
		{"a page that is named", []string{app}, app, here, nil, 200, app, "hello"},
		{"in other letters", []string{app}, "https://APP.example.com", here, nil, 200, "https://APP.example.com", "hello"},
		{"at another port", []string{app}, app + ":8443", here, nil, 403, "", "cors_origins"},
		{"over plain HTTP", []string{app}, "http://app.example.com", here, nil, 403, "", "cors_origins"},
		{"below it", []string{app}, app + ".evil.com", here, nil, 403, "", "cors_origins"},
		{"another than is named", []string{app}, evil, here, nil, 403, "", "cors_origins"},
		{"named, from elsewhere", []string{app}, app, there, nil, 401, app, "API key is needed"},
		{"named, from elsewhere with a key", []string{app}, app, there, key, 200, app, "hello"},
		{"all, without a key", []string{"*"}, evil, here, nil, 403, "*", "with a key alone"},
		{"all, with a wrong key", []string{"*"}, evil, here, []string{"X-Api-Key", "x"}, 403, "*", "with a key alone"},
		{"all, with a key", []string{"*"}, evil, here, key, 200, "*", "hello"},
		{"all, from elsewhere", []string{"*"}, evil, there, nil, 401, "*", "API key is needed"},
		{"all, a page without an origin", []string{"*"}, "null", here, nil, 403, "*", "with a key alone"},
		{"all, and a page of this machine", []string{"*"}, page, here, nil, 200, page, "hello"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := crossSite(t, c.origins, "POST", "/v1/chat/completions", c.origin, c.peer, c.header...)
			h := w.Header()
			if w.Code != c.status || h.Get("Access-Control-Allow-Origin") != c.told || !strings.Contains(w.Body.String(), c.says) {
				t.Errorf("%d, told %q: %s", w.Code, h.Get("Access-Control-Allow-Origin"), w.Body)
			}
			if h.Get("Access-Control-Allow-Credentials") != "" || h.Get("Vary") != "Origin" {
				t.Errorf("headers %v", h)
			}
			if readable := h.Get("Access-Control-Expose-Headers"); (c.told != "") != strings.Contains(readable, headerID+", ") {
				t.Errorf("may read %q", readable)
			}
		})
	}
}

// A browser that asks before is answered alike at every route, key or not, but
// where the configuration is: no page of another address changes that.
func TestPreflight(t *testing.T) {
	const app = "https://app.example.com"
	s := wholeServer(app)
	for _, l := range append(s.table, listed{method: "GET", path: "/nowhere"}) {
		for _, peer := range []string{"127.0.0.1:5000", "10.0.0.5:5000"} {
			ask := func(origin string) (int, http.Header, string) {
				r := httptest.NewRequestWithContext(t.Context(), http.MethodOptions, "http://127.0.0.1:8084"+param.ReplaceAllString(l.path, "x"), http.NoBody)
				r.RemoteAddr = peer
				for k, v := range map[string]string{
					"Origin": origin, "Access-Control-Request-Method": l.method, "Access-Control-Request-Headers": sdkHeaders, "Access-Control-Request-Private-Network": "true",
				} {
					r.Header.Set(k, v)
				}
				w := httptest.NewRecorder()
				s.ServeHTTP(w, r)
				return w.Code, w.Header(), w.Body.String()
			}
			status, h, body := ask(app)
			if l.local {
				if status != http.StatusForbidden || h.Get("Access-Control-Allow-Origin") != "" {
					t.Errorf("%s %s: %d %v", l.method, l.path, status, h)
				}
				continue
			}
			if status != http.StatusNoContent || h.Get("Access-Control-Allow-Origin") != app || h.Get("Access-Control-Allow-Headers") != sdkHeaders ||
				!strings.Contains(h.Get("Access-Control-Allow-Methods"), l.method) || h.Get("Access-Control-Allow-Private-Network") != "true" || h.Get("Access-Control-Max-Age") == "" {
				t.Errorf("%s %s: %d %v %s", l.method, l.path, status, h, body)
			}
			status, h, body = ask("https://evil.example.com")
			if status != http.StatusForbidden || h.Get("Access-Control-Allow-Origin") != "" || !strings.Contains(body, "server.cors_origins") {
				t.Errorf("%s %s from another site: %d %v %s", l.method, l.path, status, h, body)
			}
		}
	}
}

// A gateway that names no pages has no list to read.
func TestCrossOriginIsClosed(t *testing.T) {
	s := New(Options{Gateway: toy{}, Dialects: all.Table()})
	if got := s.access.pages.allows("https://app.example.com") + s.access.pages.allows("null") + s.access.pages.allows(""); got != "" {
		t.Errorf("allowed: %q", got)
	}
}

func TestStrangeOrigin(t *testing.T) {
	for text, want := range map[string]string{
		"*": "", "https://app.example.com": "", "http://192.168.1.5:3000": "", "http://[::1]:80": "leave out the port", "chrome-extension://abcdef": "", "app://obsidian.md": "",
		"null": "every file", "": "write it like", "app.example.com": "write it like", "https://": "write it like", "https://app.example.com/": "ends with the host",
		"https://app.example.com/chat": "ends with the host", "https://App.example.com": "small letters", "https://me@app.example.com": "ends with the host",
		"https://*.example.com": "named in full", "https://app.example.com:443": "leave out the port", "https://app.example.com:80": "",
	} {
		if got := StrangeOrigin(text); (want == "") != (got == "") || !strings.Contains(got, want) {
			t.Errorf("%q: %q", text, got)
		}
	}
}
