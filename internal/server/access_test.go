package server

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/aratta-gateway/aratta/scri"
)

// Who may ask: loopback without a key; others with one; nobody through a
// stranger's web page or DNS name.
func TestAccess(t *testing.T) {
	a := newAccess([]string{"first", "second"}, []netip.Prefix{netip.MustParsePrefix("172.17.0.0/16"), netip.MustParsePrefix("fe80::/10")}, nil)
	none := newAccess(nil, nil, nil)
	for _, c := range []struct {
		name   string
		access *access
		peer   string
		host   string
		header map[string]string
		want   scri.ErrorKind // "" = may ask
	}{
		{"loopback", a, "127.0.0.1:5000", "127.0.0.1:8084", nil, ""},
		{"loopback, IPv6", a, "[::1]:5000", "localhost:8084", nil, ""},
		{"loopback as IPv6 has it", a, "[::ffff:127.0.0.1]:5000", "localhost", nil, ""},
		{"whatever key loopback sends is ignored", a, "127.0.0.1:5000", "localhost", map[string]string{"Authorization": "Bearer nonsense"}, ""},
		{"a proxy on loopback needs a key", a, "127.0.0.1:5000", "localhost", map[string]string{"X-Forwarded-For": "1.2.3.4"}, scri.ErrAuth},
		{"a proxy on loopback with a key", a, "127.0.0.1:5000", "gw.example.com", map[string]string{"Forwarded": "for=1.2.3.4", "Authorization": "Bearer second"}, ""},
		{"another machine", a, "10.0.0.5:5000", "10.0.0.1:8084", nil, scri.ErrAuth},
		{"another machine with a wrong key", a, "10.0.0.5:5000", "10.0.0.1:8084", map[string]string{"X-Api-Key": "third"}, scri.ErrAuth},
		{"another machine, bearer key", a, "10.0.0.5:5000", "gw.example.com", map[string]string{"Authorization": "bearer first"}, ""},
		{"another machine, Anthropic's header", a, "10.0.0.5:5000", "gw.example.com", map[string]string{"X-Api-Key": "first"}, ""},
		{"another machine, Google's header", a, "10.0.0.5:5000", "gw.example.com", map[string]string{"X-Goog-Api-Key": "first"}, ""},
		{"another machine, no keys configured", none, "10.0.0.5:5000", "10.0.0.1", map[string]string{"X-Api-Key": ""}, scri.ErrAuth},
		{"another machine with a key, no keys configured", none, "10.0.0.5:5000", "10.0.0.1", map[string]string{"X-Api-Key": "first"}, scri.ErrAuth},
		{"a sidecar that tells the scheme alone", a, "127.0.0.1:5000", "localhost", map[string]string{"X-Forwarded-Proto": "https"}, scri.ErrAuth},
		{"a tunnel on loopback", a, "127.0.0.1:5000", "localhost", map[string]string{"Cf-Connecting-Ip": "1.2.3.4"}, scri.ErrAuth},
		{"a trusted network of one link", a, "[fe80::1%eth0]:5000", "aratta:8084", nil, ""},
		{"a trusted network", a, "172.17.0.3:5000", "aratta:8084", nil, ""},
		{"a trusted network through a proxy", a, "172.17.0.3:5000", "aratta:8084", map[string]string{"X-Real-Ip": "1.2.3.4"}, scri.ErrAuth},
		{"a stranger's DNS name that points here", a, "127.0.0.1:5000", "evil.example.com:8084", nil, scri.ErrPermission},
		{"names of the local network", a, "127.0.0.1:5000", "host.docker.internal:8084", nil, ""},
		{"a name that only looks local", a, "127.0.0.1:5000", "localhost.evil.com", nil, scri.ErrPermission},
		{"no host at all", a, "127.0.0.1:5000", "", nil, scri.ErrPermission},
		{"a web page of a stranger", a, "127.0.0.1:5000", "localhost:8084", map[string]string{"Origin": "https://evil.example.com"}, scri.ErrPermission},
		{"a web page without an origin", a, "127.0.0.1:5000", "localhost:8084", map[string]string{"Origin": "null"}, scri.ErrPermission},
		{"a cross-site request without Origin", a, "127.0.0.1:5000", "localhost:8084", map[string]string{"Sec-Fetch-Site": "cross-site"}, scri.ErrPermission},
		{"a web page of this machine", a, "127.0.0.1:5000", "localhost:8084", map[string]string{"Origin": "http://localhost:3000"}, ""},
		{"a peer without an address", a, "@", "localhost", nil, scri.ErrAuth},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/v1/chat/completions", nil)
			r.RemoteAddr, r.Host = c.peer, c.host
			for k, v := range c.header {
				r.Header.Set(k, v)
			}
			_, err := c.access.check(r)
			var got scri.ErrorKind
			if err != nil {
				got = err.Kind
				if err.Hint == "" {
					t.Error("the error has no hint")
				}
				for name := range c.header {
					if got == scri.ErrAuth && (strings.HasPrefix(name, "X-Forwarded") || strings.HasSuffix(name, "-Ip")) && !strings.Contains(err.Message, name) {
						t.Errorf("%q does not name %s", err.Message, name)
					}
				}
				if c.access == none && !strings.Contains(err.Message, "has no keys") {
					t.Errorf("%q sends people looking for a key that none can be", err.Message)
				}
			}
			if got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// What was found safe is remembered, and nothing else.
func TestSafeHosts(t *testing.T) {
	a := newAccess(nil, nil, nil)
	for range 2 {
		for host, want := range map[string]bool{"localhost:8084": true, "127.0.0.1": true, "localhost.evil.com:8084": false, "evil.com": false, "": false} {
			if got := a.safeHost(host); got != want {
				t.Errorf("%q: %v", host, got)
			}
		}
	}
}

// To let somebody in costs no memory, however he writes the host.
func TestAccessCostsNoMemory(t *testing.T) {
	a := newAccess(nil, nil, nil)
	for _, host := range []string{"127.0.0.1:8084", "127.0.0.1", "localhost:8084", "localhost", "[::1]:8084", "[::1]", "gateway:80", "host.docker.internal:8084"} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/v1/chat/completions", nil)
		r.RemoteAddr, r.Host = "127.0.0.1:5000", host
		if n := testing.AllocsPerRun(100, func() {
			if _, err := a.check(r); err != nil {
				t.Error(err)
			}
		}); n > 0 {
			t.Errorf("%s: %v allocations", host, n)
		}
	}
}

func TestNewIDIsUnique(t *testing.T) {
	seen := map[string]bool{}
	for range 10000 {
		id := newID()
		if len(id) != 24 || seen[id] {
			t.Fatalf("id %q", id)
		}
		seen[id] = true
	}
}

func TestHeadersCarryNothingUnfit(t *testing.T) {
	h := http.Header{}
	x := &scri.Exchange{ID: "req_1", Lineage: &scri.Lineage{
		Attempts: []scri.Attempt{
			{Provider: "a", Outcome: "failed", Error: &scri.Error{Kind: scri.ErrTimeout}},
			{Provider: "b", Model: "naïve\r\nX-Evil: 1", Outcome: "ok"},
		},
		Reasons: []scri.Reason{{Stage: "attempt", Code: "fallback", Target: "b"}},
	}, Warnings: []scri.Warning{{Code: "added", Path: "/b"}, {Code: "dropped", Path: "/seed"}, {Code: "changed", Path: "/a"}, {Code: "added", Path: "/c"}}}
	explain(h, x, &scri.ChatResponse{})
	for name, want := range map[string]string{
		headerProvider: "b",
		headerModel:    "na?ve??X-Evil: 1",
		headerDecision: "fallback; a=timeout",
		headerWarnings: "4; dropped /seed; changed /a; added /b; ...",
	} {
		if got := h.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

// A failure tells who was tried, be it one alone.
func TestDecisionOfFailures(t *testing.T) {
	failed := func(names ...string) (list []scri.Attempt) {
		for _, name := range names {
			list = append(list, scri.Attempt{Provider: name, Outcome: "failed", Error: &scri.Error{Kind: scri.ErrTimeout}})
		}
		return list
	}
	for want, l := range map[string]*scri.Lineage{
		"":                     {},
		"a=timeout":            {Attempts: failed("a")},
		"a=timeout; b=timeout": {Attempts: failed("a", "b")},
		"local":                {Attempts: failed("a"), Reasons: []scri.Reason{{Stage: "attempt", Code: "local", Target: "a"}}}, // it broke off
	} {
		if got := decision(l); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
