package server

import (
	"crypto/sha256"
	"crypto/subtle"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/aratta-gateway/aratta/scri"
)

// access decides who may ask. Loopback needs no key; everybody else does, and
// so does a proxy on loopback, which speaks for others. Requests without a key
// must also name a host that no stranger's DNS can point here, and must not come
// from a stranger's web page.
type access struct {
	keys    [][sha256.Size]byte
	trusted []netip.Prefix
	pages   pages
	host    atomic.Pointer[string] // the first Host that was found safe: most requests have the same
}

func newAccess(keys []string, trusted []netip.Prefix, origins []string) *access {
	a := &access{trusted: trusted, pages: origins}
	for _, k := range keys {
		a.keys = append(a.keys, sha256.Sum256([]byte(k)))
	}
	return a
}

// check says who the caller is, or why he may not ask.
func (a *access) check(r *http.Request) (scri.Caller, *scri.Error) {
	loopback, open := a.peer(r)
	c := scri.Caller{Loopback: loopback}
	if !open {
		key, by := presented(r), proxied(r.Header)
		switch {
		case by != "" && (len(a.keys) == 0 || key == ""):
			e := &scri.Error{
				Kind: scri.ErrAuth, Message: "the header " + by + " says that this request was passed on for somebody else, who needs an API key",
				Hint: "send one as Authorization: Bearer KEY or x-api-key: KEY; if nobody passes requests on, leave the header out",
			}
			if len(a.keys) == 0 {
				e.Message += "; this gateway has no keys"
				e.Hint = "set ARATTA_API_KEYS where the gateway runs; if nobody passes requests on, leave the header out"
			}
			return c, e
		case len(a.keys) == 0:
			return c, &scri.Error{
				Kind: scri.ErrAuth, Message: "this gateway answers without a key on loopback alone, and has no keys for others",
				Hint: "set ARATTA_API_KEYS where the gateway runs, or add the network to server.trusted_networks",
			}
		case key == "":
			return c, &scri.Error{
				Kind: scri.ErrAuth, Message: "an API key is needed",
				Hint: "send it as Authorization: Bearer KEY, x-api-key: KEY or x-goog-api-key: KEY",
			}
		case a.known(key) == "":
			return c, &scri.Error{Kind: scri.ErrAuth, Message: "the API key is not known", Hint: "check it against ARATTA_API_KEYS"}
		}
		c.Key = a.known(presented(r))
		return c, nil
	}
	if !a.safeHost(r.Host) {
		return c, &scri.Error{
			Kind: scri.ErrPermission, Message: "requests without a key must address this gateway by an IP address, localhost or a name of the local network",
			Hint: "this protects against DNS rebinding; use http://127.0.0.1 or send a key from elsewhere",
		}
	}
	if len(a.keys) > 0 {
		c.Key = a.known(presented(r)) // it was not needed, and must be known for one of ours
	}
	if origin := header(r.Header, "Origin"); !a.safeOrigin(r, origin) && (c.Key == "" || a.pages.allows(origin) == "") {
		e := foreignPage(origin)
		if a.pages.allows(origin) != "" {
			e.Message, e.Hint = "web pages of all sites may call with a key alone", "let the page send one of ARATTA_API_KEYS, or name its origin in server.cors_origins"
		}
		return c, e
	}
	return c, nil
}

// peer reports whether the peer is on loopback, and whether it needs no key.
func (a *access) peer(r *http.Request) (loopback, open bool) {
	var addr netip.Addr
	if loopback = strings.HasPrefix(r.RemoteAddr, "127.0.0.1:"); !loopback { // as most are, who need not be parsed
		ap, err := netip.ParseAddrPort(r.RemoteAddr)
		if err != nil {
			return false, false
		}
		addr = ap.Addr().Unmap().WithZone("") // networks have none
		loopback = addr.IsLoopback()
	}
	if proxied(r.Header) != "" {
		return loopback, false
	}
	trusts := func(p netip.Prefix) bool { return p.Contains(addr) }
	return loopback, loopback || slices.ContainsFunc(a.trusted, trusts)
}

// proxied names the header by which somebody says that he passed the request on
// for another, as proxies and tunnels do; "" = nobody does.
func proxied(h http.Header) string {
	for name := range h {
		switch name {
		case "Forwarded", "Via", "X-Real-Ip", "X-Client-Ip", "X-Original-Forwarded-For",
			"True-Client-Ip", "Cf-Connecting-Ip", "X-Envoy-External-Address":
			return name
		}
		if strings.HasPrefix(name, "X-Forwarded-") {
			return name
		}
	}
	return ""
}

// presented is the key that the client sent, wherever its dialect puts it.
func presented(r *http.Request) string {
	if s := header(r.Header, "Authorization"); s != "" {
		if scheme, key, ok := strings.Cut(s, " "); ok && strings.EqualFold(scheme, "bearer") {
			return strings.TrimSpace(key)
		}
	}
	for _, name := range [...]string{"X-Api-Key", "X-Goog-Api-Key", "Api-Key"} {
		if s := header(r.Header, name); s != "" {
			return s
		}
	}
	// Google's older clients; the query of others is theirs, and addresses are kept in histories.
	if r.URL.RawQuery != "" && strings.Contains(r.URL.Path, "/v1beta/") {
		return r.URL.Query().Get("key")
	}
	return ""
}

// header is what a request says in a header whose name is canonical: to make it so
// takes longer than to find it.
func header(h http.Header, name string) string {
	if v := h[name]; len(v) > 0 {
		return v[0]
	}
	return ""
}

// known returns the name of a key, or "". It compares in constant time, all keys
// always. The name tells the keys apart and tells nothing of them.
func (a *access) known(key string) string {
	sum := sha256.Sum256([]byte(key))
	hit := 0
	for i := range a.keys {
		hit = subtle.ConstantTimeSelect(subtle.ConstantTimeCompare(sum[:], a.keys[i][:]), i+1, hit)
	}
	if hit == 0 {
		return ""
	}
	return "env" + strconv.Itoa(hit)
}

// safeHost is safeHost, which looks at one host once.
func (a *access) safeHost(host string) bool {
	known := a.host.Load()
	if known != nil && *known == host {
		return true
	}
	safe := safeHost(host)
	if safe && known == nil {
		first := strings.Clone(host)
		a.host.Store(&first)
	}
	return safe
}

// safeHost reports whether the Host header is one that public DNS cannot give to
// a stranger: an address, localhost, a name without dots, or one below a suffix
// that is never delegated.
func safeHost(host string) bool {
	host = hostname(host)
	if !strings.Contains(host, ".") {
		return host != ""
	}
	for _, s := range [...]string{".localhost", ".local", ".internal", ".lan", ".home.arpa"} {
		if strings.HasSuffix(host, s) {
			return true
		}
	}
	_, err := netip.ParseAddr(host)
	return err == nil
}

// safeOrigin reports whether the request comes from no web page, or from one that
// is trusted.
func (a *access) safeOrigin(r *http.Request, origin string) bool {
	if origin == "" {
		site := header(r.Header, "Sec-Fetch-Site")
		return site == "" || site == "same-origin" || site == "none" || site == "same-site"
	}
	return a.pages.trusts(origin) || sameHost(origin, r.Host)
}

func localOrigin(origin string) bool {
	u, err := url.Parse(origin)
	return err == nil && ownHost(u.Host)
}

// ownHost reports whether a host is this machine whatever any DNS says.
func ownHost(host string) bool {
	h := hostname(host)
	if h == "localhost" || strings.HasSuffix(h, ".localhost") {
		return true
	}
	a, err := netip.ParseAddr(h)
	return err == nil && a.Unmap().IsLoopback()
}

// hostname is a host without its port, in the one way to spell it.
func hostname(host string) string {
	if strings.LastIndexByte(host, ':') > strings.LastIndexByte(host, ']') { // else there is no port, and the error is made for nothing
		if h, _, err := net.SplitHostPort(host); err == nil {
			host = h
		}
	}
	return strings.ToLower(strings.TrimSuffix(strings.Trim(host, "[]"), "."))
}

func sameHost(origin, host string) bool {
	u, err := url.Parse(origin)
	return err == nil && u.Host != "" && strings.EqualFold(u.Host, host)
}
