package provider

import (
	"net/url"
	"testing"

	"github.com/aratta-gateway/aratta/scri"
)

func TestResolvePaths(t *testing.T) {
	for _, c := range []struct{ base, dialect, path, want string }{
		{"http://localhost:8000", "openai", "/chat/completions", "http://localhost:8000/v1/chat/completions"},
		{"http://localhost:8000/", "openai", "/models", "http://localhost:8000/v1/models"},
		{"https://api.x.ai/v1", "openai", "/chat/completions", "https://api.x.ai/v1/chat/completions"},
		{"https://host/api/v1/", "openai", "/chat/completions", "https://host/api/v1/chat/completions"},
		{"https://api.anthropic.com", "anthropic", "/v1/messages", "https://api.anthropic.com/v1/messages"},
		{"https://api.anthropic.com/v1", "anthropic", "/v1/messages", "https://api.anthropic.com/v1/messages"},
		{"https://proxy/anthropic", "anthropic", "/v1/messages", "https://proxy/anthropic/v1/messages"},
		{"https://google", "gemini", "/v1beta/models/m:generateContent", "https://google/v1beta/models/m:generateContent"},
		{"https://google/v1beta/", "gemini", "/v1beta/models/m:streamGenerateContent?alt=sse", "https://google/v1beta/models/m:streamGenerateContent?alt=sse"},
		{"https://vertex/v1/projects/p/locations/l/publishers/google", "gemini", "/v1beta/models/m:countTokens", "https://vertex/v1/projects/p/locations/l/publishers/google/models/m:countTokens"},
		{"https://proxy/gemini", "gemini", "/v1beta/models", "https://proxy/gemini/v1beta/models"},
		{"http://localhost:11434", "ollama", "/api/chat", "http://localhost:11434/api/chat"},
		{"https://Host.Example/v1?api-version=3", "openai", "/models?limit=5", "https://host.example/v1/models?api-version=3&limit=5"},
		{"https://host/a%2Fb", "anthropic", "/v1/m%2Fn", "https://host/a%2Fb/v1/m%2Fn"},
		{"https://host", "anthropic", "//evil.example/x", "https://host//evil.example/x"},
		{"http://[::1]:8080", "ollama", "/api/tags", "http://[::1]:8080/api/tags"},
	} {
		base, err := parseBase(c.base, c.dialect)
		if err != nil {
			t.Errorf("%s: %v", c.base, err)
			continue
		}
		a := address{base: base}
		for range 2 { // computed, then remembered
			u, err := a.resolve(c.path)
			if err != nil {
				t.Errorf("%s + %s: %v", c.base, c.path, err)
			} else if u.String() != c.want {
				t.Errorf("%s + %s = %s, want %s", c.base, c.path, u, c.want)
			}
		}
	}
}

func TestProbePathsStandBesideTheVersion(t *testing.T) {
	base, err := parseBase("http://localhost:8000", "openai")
	if err != nil {
		t.Fatal(err)
	}
	a := address{base: base}
	for path, want := range map[string]string{"/health": "http://localhost:8000/health", "/v1/models": "http://localhost:8000/v1/models"} {
		if u, err := a.root(path); err != nil || u.String() != want {
			t.Errorf("%s: %v %v, want %s", path, u, err, want)
		}
	}
}

func TestBadBaseURL(t *testing.T) {
	for base, says := range map[string]string{
		"localhost:11434":       "http://",
		"":                      "not an address",
		"ftp://host":            "http://",
		"https://user:pw@host":  "credentials",
		"https://host/v1#frag":  "fragment",
		"https:///v1":           "not an address",
		"http://:80":            "no host",
		"http://ho st/":         "not an address",
		"http://host:port/path": "not an address",
	} {
		_, err := parseBase(base, "openai")
		wantError(t, err, scri.ErrInvalid, says)
	}
}

func TestRememberedPathsAreBounded(t *testing.T) {
	base, err := parseBase("http://h", "ollama")
	if err != nil {
		t.Fatal(err)
	}
	a := address{base: base}
	for i := range 3 * maxPaths {
		if _, err := a.resolve("/m/" + string(rune('a'+i%26)) + string(rune('0'+i/26))); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(*a.known.Load()); n > maxPaths {
		t.Errorf("%d paths remembered", n)
	}
}

// Whatever path a dialect asks for, the host stays.
func FuzzResolve(f *testing.F) {
	for _, path := range []string{"/chat/completions", "//evil.example/x", "/a?b=c", "/%2e%2e/x", "/x#y", "\\evil", "http://evil.example/"} {
		f.Add(path)
	}
	base, err := parseBase("https://user.example/v1?k=v", "openai")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, path string) {
		a := address{base: base}
		u, err := a.resolve(path)
		if err != nil {
			return
		}
		again, err := url.Parse(u.String())
		if err != nil || again.Host != "user.example" || again.Scheme != "https" || again.User != nil {
			t.Errorf("%q leads to %s (%v)", path, u, err)
		}
	})
}
