package app

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aratta-gateway/aratta/internal/server"
)

// The configuration can be read and written over the API, by whoever knows what
// he replaces.
func TestConfigAPI(t *testing.T) {
	url := simURL(t)
	text := oneProvider(url, "# mine\n")
	f := newFile(t, text)
	status, h, body := f.do(t, "GET", "/api/v1/config", "")
	tag := h.Get("Etag")
	if status != http.StatusOK || body != text || tag == "" || h.Get("Content-Type") != "application/toml" {
		t.Fatalf("GET: %d %v %q", status, h, body)
	}
	if status, _, body = f.do(t, "GET", "/api/v1/config", "", "If-None-Match", tag); status != http.StatusNotModified || body != "" {
		t.Errorf("GET of what is known: %d %q", status, body)
	}
	next := oneProvider(url, "# mine too\naliases = {mine = \"up:m\"}")
	for _, c := range []struct {
		name, match, text string
		status            int
		says              string
	}{
		{"without saying what it replaces", "", next, http.StatusPreconditionRequired, "If-Match is missing"},
		{"of another text", `"0123"`, next, http.StatusPreconditionFailed, "is another by now"},
		{"with a mistake", tag, "[server]\nprot = 1\n", http.StatusBadRequest, `config.toml:2:1: server.prot: unknown key; did you mean \"port\"?`},
		{"that cannot be built", tag, text + "\n[providers.new]\ntype = \"opneai\"\n", http.StatusBadRequest, `did you mean \"openai\"?`},
		{"too large", tag, strings.Repeat("#", 5<<20), http.StatusRequestEntityTooLarge, "4 MB"},
	} {
		h := []string{"If-Match", c.match}
		if c.match == "" {
			h = nil
		}
		status, _, body := f.do(t, "PUT", "/api/v1/config", c.text, h...)
		if status != c.status || !strings.Contains(body, c.says) {
			t.Errorf("PUT %s: %d %s, want %d with %s", c.name, status, body, c.status, c.says)
		}
		if b, err := os.ReadFile(f.path); err != nil || string(b) != text {
			t.Errorf("PUT %s changed the file: %v", c.name, err)
		}
	}
	if status, _ := f.chat(t, "mine"); status == http.StatusOK {
		t.Error("an alias answers that nobody wrote")
	}
	status, h, body = f.do(t, "PUT", "/api/v1/config", next, "If-Match", tag)
	var done server.Reloaded
	if err := json.Unmarshal([]byte(body), &done); status != http.StatusOK || err != nil || h.Get("Etag") == tag {
		t.Fatalf("PUT: %d %v %s, %v", status, h, body, err)
	}
	if status, body := f.chat(t, "mine"); status != http.StatusOK {
		t.Errorf("the new alias: %d %s", status, body)
	}
	info, err := os.Stat(f.path)
	if err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("the file's permissions: %v, %v", info.Mode(), err)
	}
	tag = h.Get("Etag")
	f.write(t, next+"[servr]\n") // by hand, with a mistake: it is shown, and not lost
	if _, _, body := f.do(t, "GET", "/api/v1/config", ""); body != next+"[servr]\n" {
		t.Errorf("GET of a file with a mistake: %s", body)
	}
	if status, _, body := f.do(t, "PUT", "/api/v1/config", next, "If-Match", tag); status != http.StatusPreconditionFailed {
		t.Errorf("PUT over what was written by hand: %d %s", status, body)
	}
	f.write(t, oneProvider(url, "aliases = {third = \"up:m\"}\nserver = {port = 9999}"))
	for range 2 { // as long as it is not in force
		if status, _, body := f.do(t, "POST", "/api/v1/config/reload", ""); status != http.StatusOK || !strings.Contains(body, `"at_next_start":["server.port"]`) {
			t.Errorf("reload: %d %s", status, body)
		}
	}
	if status, body := f.chat(t, "third"); status != http.StatusOK {
		t.Errorf("after a reload: %d %s", status, body)
	}
}

// Whoever is not on the machine may not, whatever his key.
func TestConfigIsForTheMachineAlone(t *testing.T) {
	f := newFile(t, "")
	f.env = env("ARATTA_API_KEYS", "sk-client", "ARATTA_HOME", filepath.Dir(f.path))
	if _, err := f.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ peer, header string }{{"192.0.2.7:5000", ""}, {"127.0.0.1:5000", "X-Forwarded-For"}, {"127.0.0.1:5000", "Origin"}} {
		for _, path := range []string{"GET /api/v1/config", "PUT /api/v1/config", "POST /api/v1/config/reload"} {
			method, path, _ := strings.Cut(path, " ")
			r := httptest.NewRequestWithContext(t.Context(), method, "http://localhost"+path, bytes.NewReader(nil))
			r.RemoteAddr = c.peer
			r.Header.Set("Authorization", "Bearer sk-client")
			if c.header != "" {
				r.Header.Set(c.header, "https://example.com")
			}
			w := httptest.NewRecorder()
			f.ServeHTTP(w, r)
			if w.Code != http.StatusForbidden {
				t.Errorf("%s %s of %s with %q: %d %s", method, path, c.peer, c.header, w.Code, w.Body)
			}
		}
	}
}

// Names are no proof: whoever gives them in the local network can point one at the
// machine of somebody who looks at his page.
func TestConfigIsForNoNameOfTheNetwork(t *testing.T) {
	f := newFile(t, "")
	for host, want := range map[string]int{
		"127.0.0.1:8084": http.StatusOK, "[::1]:8084": http.StatusOK, "localhost": http.StatusOK, "LOCALHOST.:8084": http.StatusOK,
		"tv.local:8084": http.StatusForbidden, "router": http.StatusForbidden, "192.168.0.9:8084": http.StatusForbidden,
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/api/v1/config/reload", nil)
		r.Host, r.RemoteAddr = host, "127.0.0.1:5000"
		r.Header.Set("Origin", "http://"+host)
		w := httptest.NewRecorder()
		if f.ServeHTTP(w, r); w.Code != want {
			t.Errorf("%s: %d %s", host, w.Code, w.Body)
		}
	}
}

// A text that cannot be written is no mistake of who sent it, and is not in force.
func TestConfigThatCannotBeWritten(t *testing.T) {
	f := newFile(t, "# mine\n")
	f.env = env("ARATTA_HOME", t.TempDir())
	dir := filepath.Dir(f.path)
	if err := errors.Join(os.RemoveAll(dir), os.WriteFile(dir, nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	status, _, body := f.do(t, "PUT", "/api/v1/config", "# another\n", "If-Match", "*")
	if status != http.StatusInternalServerError || !strings.Contains(body, "not written") {
		t.Errorf("%d %s", status, body)
	}
	if _, _, body := f.do(t, "GET", "/api/v1/config", ""); body != "# mine\n" {
		t.Errorf("in force is %q", body)
	}
}

// Where the file alone shall say what holds, nobody sees or changes the
// configuration over HTTP, and nobody opens that again but in the file.
func TestConfigAPIOff(t *testing.T) {
	url := simURL(t)
	f := newFile(t, oneProvider(url, "[server]\nconfig_api = false\n"))
	for _, c := range [][2]string{{"GET", "/api/v1/config"}, {"PUT", "/api/v1/config"}, {"POST", "/api/v1/config/reload"}} {
		if status, _, body := f.do(t, c[0], c[1], "", "If-Match", "*"); status != http.StatusNotFound {
			t.Errorf("%s %s: %d %s", c[0], c[1], status, body)
		}
	}
	f.write(t, oneProvider(url, ""))
	if _, err := f.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	if status, _, _ := f.do(t, "GET", "/api/v1/config", ""); status != http.StatusOK {
		t.Errorf("opened in the file: %d", status)
	}
}
