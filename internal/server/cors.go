package server

import (
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/aratta-gateway/aratta/internal/discreet"
	"github.com/aratta-gateway/aratta/scri"
)

// anyOrigin stands for all web pages in a list of origins.
const anyOrigin = "*"

// StrangeOrigin says why a text is no origin as browsers write it, "" = it is one,
// or [anyOrigin].
func StrangeOrigin(text string) string {
	if text == anyOrigin {
		return ""
	}
	u, err := url.Parse(text)
	switch {
	case text == "null":
		return "every file, and every page that hides where it is from, has this origin"
	case err != nil || u.Scheme == "" || u.Host == "" || u.Hostname() == "":
		return `write it like "https://app.example.com", or "*"`
	case u.Scheme+"://"+u.Host != text, text != strings.ToLower(text):
		return "an origin ends with the host and its port, and is in small letters"
	case strings.Contains(u.Host, "*"):
		return "each host is named in full"
	case u.Scheme == "http" && u.Port() == "80", u.Scheme == "https" && u.Port() == "443":
		return "browsers leave out the port :" + u.Port()
	default:
		return ""
	}
}

// pages are the origins of web pages that may call the gateway from elsewhere,
// besides those of this machine.
type pages []string

// allows is what a page is told about its origin: the origin itself, "*", or ""
// when it may not call.
func (p pages) allows(origin string) string {
	switch {
	case localOrigin(origin), slices.Contains(p, strings.ToLower(origin)):
		return origin
	case slices.Contains(p, anyOrigin):
		return anyOrigin
	default:
		return ""
	}
}

// trusts reports whether the pages of an origin are as good as programs of this
// machine. To name all of them trusts none.
func (p pages) trusts(origin string) bool {
	return p.allows(origin) == origin && origin != anyOrigin
}

// preflightAge is how many seconds a browser need not ask again.
const preflightAge = "600"

// crossOrigin answers what browsers ask for pages of other addresses, and lets
// pages read the answers that may. It reports whether the request is thereby
// answered. Credentials that a browser adds by itself are never asked for: keys
// come from the page.
func (s *Server) crossOrigin(w http.ResponseWriter, r *http.Request, origin string) bool {
	preflight := r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != ""
	h := w.Header()
	h.Add("Vary", "Origin")
	allowed := s.access.pages.allows(origin)
	if strings.HasPrefix(r.URL.Path, configPath) { // whoever can run a page must not thereby be able to change it
		allowed = ""
	}
	switch {
	case allowed == "" && preflight && !sameHost(origin, r.Host):
		x := &scri.Exchange{ID: newID(), Op: "none", Header: r.Header, Lineage: &scri.Lineage{}}
		err := foreignPage(origin)
		err.Err = noted{slog.String("peer", r.RemoteAddr), slog.String("origin", discreet.Clip(origin)), slog.String("url_path", discreet.Clip(r.URL.Path))}
		s.fail(w, r, s.likely(r.URL.Path), x, err)
		return true
	case allowed == "":
		return false
	}
	h.Set("Access-Control-Allow-Origin", allowed)
	h.Set("Access-Control-Expose-Headers", strings.Join(exposed(), ", "))
	if !preflight {
		return false
	}
	// All methods and headers: what is wrong with the request itself its answer
	// says in words, which a page can read. A refused preflight says nothing.
	h.Set("Access-Control-Allow-Methods", "GET, HEAD, POST, PUT, DELETE")
	if asked := r.Header.Get("Access-Control-Request-Headers"); asked != "" {
		h.Set("Access-Control-Allow-Headers", asked)
	}
	if r.Header.Get("Access-Control-Request-Private-Network") == "true" {
		h.Set("Access-Control-Allow-Private-Network", "true")
	}
	h.Set("Access-Control-Max-Age", preflightAge)
	w.WriteHeader(http.StatusNoContent)
	return true
}

// foreignPage is the refusal of web pages of an origin.
func foreignPage(origin string) *scri.Error {
	if origin == "" || origin == "null" {
		origin = "that origin"
	}
	return &scri.Error{
		Kind: scri.ErrPermission, Message: "requests are not taken from web pages of other sites",
		Hint: "open the page from localhost, add " + discreet.Clip(origin) + " to server.cors_origins, or call the gateway from the page's server with a key",
	}
}
