package provider

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aratta-gateway/aratta/scri"
)

const theKey = "sk-very-secret-0123456789"

func notIn(t testing.TB, secret string, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if strings.Contains(text, secret) {
			t.Errorf("%q shows what must not show", text)
		}
	}
}

// However a provider, its key or its errors are printed, the key does not show.
func TestKeyNeverShows(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusUnauthorized)
		fmt.Fprintf(w, "wrong key: %s", strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "))
	}))
	t.Cleanup(srv.Close)
	p := build(t, Remote, "test", Entry{Dialect: "plain", BaseURL: srv.URL, APIKeyEnv: "KEY"}, Deps{LookupEnv: env("KEY", theKey)})
	_, err := chat(allowed(t, p), p, false)
	e := wantError(t, err, scri.ErrAuth, "wrong key: ***")
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "p", p, "key", p.key)
	j, jerr := json.Marshal(map[string]any{"key": p.key, "entry": p.Entry(), "error": e})
	if jerr != nil {
		t.Fatal(jerr)
	}
	notIn(t, theKey, e.Error(), e.Message, string(e.Raw), log.String(), string(j),
		fmt.Sprint(p), fmt.Sprintf("%+v", p), fmt.Sprintf("%#v", p), fmt.Sprintf("%v %q %#v", p.key, p.key, p.key))
}

func TestAuthSchemes(t *testing.T) {
	seen := make(chan *http.Request, 1)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen <- r.Clone(r.Context())
		fmt.Fprint(w, `{"text":"hi"}`)
	}))
	t.Cleanup(srv.Close)
	file := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(file, []byte(theKey+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	specs := "name: byquery\ndialect: plain\nzone: cloud\nbase_url: " + strings.Replace(srv.URL, "127.0.0.1", "localhost", 1) + "/?v=1\nauth: {scheme: query, name: key, env: KEY}\n"
	c := loadFiles(t, map[string]string{"byquery.yaml": specs})
	for name, tc := range map[string]struct {
		provider string
		e        Entry
		check    func(*http.Request) string
	}{
		"bearer":  {"x", Entry{Dialect: "plain", BaseURL: srv.URL, APIKeyEnv: "KEY"}, func(r *http.Request) string { return strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ") }},
		"file":    {"x", Entry{Dialect: "plain", BaseURL: srv.URL, APIKeyFile: file}, func(r *http.Request) string { return strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ") }},
		"header":  {"x", Entry{Dialect: "anthropic", BaseURL: srv.URL, APIKeyEnv: "KEY"}, func(r *http.Request) string { return r.Header.Get("X-Api-Key") }},
		"query":   {"byquery", Entry{}, func(r *http.Request) string { return r.URL.Query().Get("key") }},
		"headers": {"x", Entry{Dialect: "plain", BaseURL: srv.URL, Headers: map[string]string{"x-team": theKey}}, func(r *http.Request) string { return r.Header.Get("X-Team") }},
	} {
		t.Run(name, func(t *testing.T) {
			p := build(t, Remote, tc.provider, tc.e, Deps{Catalogue: c, LookupEnv: env("KEY", theKey)})
			if got, err := chat(allowed(t, p), p, false); err != nil || got != "hi" {
				t.Fatalf("%q, %v", got, err)
			}
			r := <-seen
			if got := tc.check(r); got != theKey {
				t.Errorf("the key arrived as %q", got)
			}
			if got := r.Header.Get("User-Agent"); got != "aratta/test" {
				t.Errorf("User-Agent %q", got)
			}
		})
	}
}

// A provider without its key is switched off and says why; a key that lies in
// the environment opens nothing by itself.
func TestMissingKeySwitchesOff(t *testing.T) {
	no := false
	for name, tc := range map[string]struct {
		kind     Kind
		provider string
		e        Entry
		env      []string
		want     string
	}{
		"not set":       {Remote, "anthropic", Entry{}, nil, "ANTHROPIC_API_KEY is not set"},
		"empty":         {Remote, "openai", Entry{}, []string{"OPENAI_API_KEY", "  "}, "OPENAI_API_KEY is not set"},
		"other name":    {Remote, "openai", Entry{APIKeyEnv: "WORK_KEY"}, []string{"OPENAI_API_KEY", "x"}, "WORK_KEY is not set"},
		"set":           {Remote, "openai", Entry{}, []string{"OPENAI_API_KEY", "k"}, ""},
		"no file":       {Remote, "openai", Entry{APIKeyFile: "/nowhere/key"}, nil, "does not exist"},
		"two lines":     {Remote, "openai", Entry{}, []string{"OPENAI_API_KEY", "a\nb: c"}, "characters that no key has"},
		"enabled false": {Remote, "openai", Entry{Enabled: &no}, []string{"OPENAI_API_KEY", "k"}, "enabled = false"},
		"local":         {Local, "ollama", Entry{}, nil, ""},
		"local, asked":  {Local, "vllm", Entry{APIKeyEnv: "V"}, nil, "V is not set"},
		"local, may":    {Local, "vllm", Entry{}, nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			p := build(t, tc.kind, tc.provider, tc.e, Deps{LookupEnv: env(tc.env...)})
			if got := p.Disabled(); (tc.want == "") != (got == "") || !strings.Contains(got, tc.want) {
				t.Fatalf("disabled %q, want %q", got, tc.want)
			}
			if tc.want != "" {
				_, err := chat(allowed(t, p), p, false)
				wantError(t, err, scri.ErrUnavailable, tc.want)
			}
		})
	}
}

// Whoever puts a key where its variable's name belongs does not read it in a log.
func TestKeyIsNoName(t *testing.T) {
	for given, fine := range map[string]bool{
		"OPENAI_API_KEY": true, "openai_key": true, "my.key": true, "K": true, "A_VERY_LONG_NAME_OF_A_VARIABLE_2": true,
		"sk-proj-abc": false, "AIzaSyD3x0Kq8m1Zr7Lw2Vb9Nc4Tf6Hj5Yp": false, "gsk_4Kd8sLq2Zx7Vb1Nm9Wc3Rt6Yp0": false, "two words": false, "1KEY": false, "=": false,
	} {
		_, err := tryBuild(t, Remote, "openai", Entry{APIKeyEnv: given}, Deps{})
		switch {
		case fine && err != nil, !fine && (err == nil || !strings.Contains(err.Error(), "no name of an environment variable")):
			t.Errorf("%s: %v", given, err)
		case err != nil && strings.Contains(err.Error(), given):
			t.Errorf("the key is told: %v", err)
		}
	}
}
