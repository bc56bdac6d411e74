package provider

import (
	"maps"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/aratta-gateway/aratta/scri"
)

// maxPaths bounds the remembered addresses of one provider; a path may hold a
// model's name, so there is no telling how many come.
const maxPaths = 64

// address makes the URLs of one provider. The host is always the one of the
// base: no path can lead elsewhere.
type address struct {
	base  *url.URL
	known atomic.Pointer[map[spot]*url.URL]
}

// spot is a path of a dialect, with its query; or a whole path, escaped, with its
// query apart.
type spot struct {
	path, query string
	whole       bool
}

// parseBase reads a base_url and gives it the path that the dialect expects
// where it has none.
func parseBase(raw, dialect string) (*url.URL, error) {
	u, err := url.Parse(raw)
	switch {
	case err != nil, u.Host == "" && u.Opaque == "":
		return nil, invalidf("write it like https://host/v1", "base_url is not an address")
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, invalidf("write it like http://host:port", "base_url must begin with http:// or https://")
	case u.Host == "" || u.Hostname() == "":
		return nil, invalidf("", "base_url names no host")
	case u.User != nil:
		return nil, invalidf("put the key into an environment variable and name that in api_key_env", "base_url must not hold credentials")
	case u.Fragment != "":
		return nil, invalidf("", "base_url must not have a fragment")
	}
	u.Host = strings.ToLower(u.Host)
	path := strings.TrimRight(u.EscapedPath(), "/")
	if path == "" && slices.Contains(unversioned(), dialect) {
		path = "/v1" // its paths have no version, and hardly a server has them at its root
	}
	path = strings.TrimSuffix(path, "/.") // which says that this is the root all the same
	if err := setPath(u, path); err != nil {
		return nil, err
	}
	return u, nil
}

// unversioned are the dialects of OpenAI's APIs, whose paths have no version of their
// own: the address names it.
func unversioned() []string { return []string{"openai", "responses", "completions"} }

func setPath(u *url.URL, escaped string) error {
	plain, err := url.PathUnescape(escaped)
	if err != nil {
		return invalidf("", "the path of base_url is badly escaped")
	}
	u.Path, u.RawPath = plain, escaped
	return nil
}

// resolve returns the URL of a dialect's path. It must not be changed.
func (a *address) resolve(path string) (*url.URL, error) {
	at := spot{path: path}
	if u := a.find(at); u != nil {
		return u, nil
	}
	u, err := a.join(a.base.EscapedPath(), path)
	if err != nil {
		return nil, err
	}
	a.remember(at, u)
	return u, nil
}

// moved returns the URL of a whole path and a query, as overlays leave them. It must
// not be changed.
func (a *address) moved(path, query string) (*url.URL, error) {
	at := spot{path, query, true}
	if u := a.find(at); u != nil {
		return u, nil
	}
	u := *a.base
	if err := setPath(&u, path); err != nil {
		return nil, err
	}
	u.RawQuery = query
	a.remember(at, &u)
	return &u, nil
}

func (a *address) find(at spot) *url.URL {
	if known := a.known.Load(); known != nil {
		return (*known)[at]
	}
	return nil
}

// root returns the URL of a path that stands beside the API's version: the
// health probe of a server whose API is below /v1.
func (a *address) root(path string) (*url.URL, error) {
	return a.join(strings.TrimSuffix(a.base.EscapedPath(), "/v1"), path)
}

func (a *address) join(base, path string) (*url.URL, error) {
	ref, err := url.ParseRequestURI(path)
	if err != nil || ref.Host != "" || !strings.HasPrefix(path, "/") || strings.Contains(path, "#") {
		return nil, &scri.Error{Kind: scri.ErrInternal, Message: "a dialect asked for a path that is none"}
	}
	u := *a.base
	rel := ref.EscapedPath()
	switch {
	case strings.HasSuffix(base, "/v1") && strings.HasPrefix(rel, "/v1/"):
		rel = strings.TrimPrefix(rel, "/v1")
	case strings.HasPrefix(rel, "/v1beta/") && versioned(base): // Vertex has its version before the project
		rel = strings.TrimPrefix(rel, "/v1beta")
	}
	if err := setPath(&u, base+rel); err != nil {
		return nil, err
	}
	if ref.RawQuery != "" {
		if u.RawQuery != "" {
			u.RawQuery += "&"
		}
		u.RawQuery += ref.RawQuery
	}
	return &u, nil
}

// versioned reports whether a path names the version of a Google API.
func versioned(path string) bool {
	for segment := range strings.SplitSeq(path, "/") {
		switch segment {
		case "v1", "v1beta", "v1beta1", "v1alpha":
			return true
		}
	}
	return false
}

func (a *address) remember(at spot, u *url.URL) {
	old := a.known.Load()
	next := map[spot]*url.URL{at: u}
	if old != nil {
		if len(*old) >= maxPaths {
			return
		}
		maps.Copy(next, *old)
	}
	a.known.CompareAndSwap(old, &next) // who loses the race resolves once more
}
