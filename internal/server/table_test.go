package server

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/aratta-gateway/aratta/internal/dialect/all"
	"github.com/aratta-gateway/aratta/internal/telemetry"
	"github.com/aratta-gateway/aratta/scri"
)

// aConfig is a configuration that nobody minds to lose.
type aConfig struct{}

func (aConfig) Text() ([]byte, string) { return []byte("# secret\n"), "config.toml" }

func (aConfig) Replace(context.Context, []byte, func([]byte) bool) (*Reloaded, error) {
	return &Reloaded{}, nil
}
func (aConfig) Reload(context.Context) (*Reloaded, error) { return &Reloaded{}, nil }

// wholeServer is a server with every route that there is.
func wholeServer(origins ...string) *Server {
	return New(Options{
		Gateway: toy{}, Answers: toy{}, Dialects: all.Table(), Keys: []string{"sk-other", "sk-client"}, Meter: telemetry.New("1"), Config: aConfig{},
		MaxBody: 1 << 20, Trusted: []netip.Prefix{netip.MustParsePrefix("172.17.0.0/16"), netip.MustParsePrefix("fd00::/8")}, Origins: origins,
		Health: func(context.Context) []scri.ProviderHealth { return nil },
		Relay: func(context.Context, *scri.Exchange, *scri.Relay) (*scri.RelayAnswer, error) {
			return nil, scri.AsError(context.Canceled)
		},
	})
}

// The table of access: who asks, with which key, what for, from which page. For
// each route one and the same rule holds; what the rule says stands in the last
// columns of each list. A few routes are asked in all ways, the others each in an
// eleventh of them.
func TestAccessTable(t *testing.T) {
	peers := []struct {
		addr, header string // the header says that it asks for another
		loopback     bool
		free         bool // needs no key
	}{
		{"127.0.0.1:5000", "", true, true},
		{"127.8.9.10:5000", "", true, true},
		{"[::1]:5000", "", true, true},
		{"[::ffff:127.0.0.1]:5000", "", true, true},
		{"172.17.0.3:5000", "", false, true},
		{"[::ffff:172.17.0.3]:5000", "", false, true},
		{"[fd00::7]:5000", "", false, true},
		{"10.0.0.5:5000", "", false, false},
		{"203.0.113.9:5000", "", false, false},
		{"[2001:db8::1]:5000", "", false, false},
		{"[::ffff:10.0.0.5]:5000", "", false, false},
		{"@", "", false, false},
		{"127.0.0.1:5000", "Forwarded", true, false},
		{"127.0.0.1:5000", "X-Forwarded-For", true, false},
		{"127.0.0.1:5000", "X-Forwarded-Host", true, false},
		{"[::1]:5000", "Via", true, false},
		{"127.0.0.1:5000", "X-Real-Ip", true, false},
		{"[::1]:5000", "Cf-Connecting-Ip", true, false},
		{"172.17.0.3:5000", "X-Forwarded-For", false, false},
	}
	keys := []struct {
		name, header, value string
		right               bool
	}{
		{"none", "", "", false},
		{"wrong", "Authorization", "Bearer sk-stranger", false},
		{"wrong", "X-Api-Key", "sk-clien", false},
		{"wrong", "X-Goog-Api-Key", "sk-client2", false},
		{"wrong", "?key=", "sk-stranger", false},
		{"another scheme", "Authorization", "Basic sk-client", false},
		{"right", "Authorization", "Bearer sk-client", true},
		{"right", "Authorization", "bearer sk-other", true},
		{"right", "X-Api-Key", "sk-client", true},
		{"right", "X-Goog-Api-Key", "sk-client", true},
		{"right", "?key=", "sk-client", true}, // at Google's paths
	}
	pages := []struct {
		host, name, origin string
		ok, own            bool // without a key; to the configuration
	}{
		{"127.0.0.1:8084", "", "", true, true},
		{"[::1]:8084", "", "", true, true},
		{"localhost:8084", "", "", true, true},
		{"aratta.lan:8084", "", "", true, false},
		{"evil.example.com", "", "", false, false},
		{"localhost:8084", "Origin", "http://localhost:8084", true, true},
		{"localhost:8084", "Origin", "http://localhost:3000", true, false},
		{"localhost:8084", "Origin", "https://app.example.com", true, false}, // which is named
		{"localhost:8084", "Origin", "https://evil.example.com", false, false},
		{"localhost:8084", "Origin", "null", false, false},
		{"localhost:8084", "Sec-Fetch-Site", "cross-site", false, false},
		{"evil.example.com", "Origin", "https://evil.example.com", false, false}, // whose DNS names us
	}
	s := wholeServer("https://app.example.com")
	asked := 0
	whole := map[string]bool{"/v1/chat/completions": true, "/v1beta/models": true, configPath + "/reload": true}
	for n, l := range s.table {
		path := param.ReplaceAllString(l.path, "x")
		google := strings.Contains(path, "/v1beta/")
		for i, peer := range peers {
			for j, key := range keys {
				for k, page := range pages {
					if !whole[path] && (n+i+j+k)%11 != 0 {
						continue
					}
					r := httptest.NewRequestWithContext(t.Context(), l.method, "http://"+page.host+path, strings.NewReader("{}"))
					r.RemoteAddr = peer.addr
					if peer.header != "" {
						r.Header.Set(peer.header, "198.51.100.1")
					}
					if key.header == "?key=" {
						r.URL.RawQuery = "alt=json&key=" + key.value
					} else if key.header != "" {
						r.Header.Set(key.header, key.value)
					}
					if page.name != "" {
						r.Header.Set(page.name, page.origin)
					}
					right := key.right && (key.header != "?key=" || google)
					want := l.open
					switch {
					case l.local: // whatever the key
						want = peer.loopback && peer.free && page.own
					case !l.open && peer.free:
						want = page.ok
					case !l.open:
						want = right
					}
					w := httptest.NewRecorder()
					s.ServeHTTP(w, r)
					asked++
					let := w.Code != http.StatusUnauthorized && w.Code != http.StatusForbidden
					body := w.Body.String()
					if let != want || !let && !advised(body) || strings.Contains(body, "sk-") || !let && strings.Contains(body, "secret") {
						t.Fatalf("%s %s from %s %s, key %s %s, host %s %s %s: %d %s", l.method, l.path, peer.addr, peer.header, key.name, key.header, page.host, page.name, page.origin, w.Code, body)
					}
				}
			}
		}
	}
	t.Logf("%d requests at %d routes", asked, len(s.table))
}

// advised reports whether a refusal says what to do.
func advised(body string) bool {
	for _, hint := range []string{"send it as", "send one as", "check it against", "use http://127.0.0.1", "server.cors_origins", "ask there, at", "use a program"} {
		if strings.Contains(body, hint) {
			return true
		}
	}
	return false
}
