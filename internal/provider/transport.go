package provider

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"golang.org/x/net/http/httpproxy"

	"github.com/aratta-gateway/aratta/internal/reach"
	"github.com/aratta-gateway/aratta/scri"
)

// Sizes and bounds of a provider's connections.
const (
	idlePerHost = 1024 // kept for reuse; there is no cap on those in use
	idleFor     = 90 * time.Second
	keepAlive   = 15 * time.Second
	maxHead     = 256 << 10 // of an answer's headers
	pingAfter   = 30 * time.Second
	pingWait    = 15 * time.Second
)

// DialFunc makes a connection, as net.Dialer.DialContext does.
type DialFunc func(ctx context.Context, network, address string) (net.Conn, error)

// wiring is what a transport is made from.
type wiring struct {
	provider string
	zone     string
	secret   bool // requests prove that the gateway sends them
	base     *url.URL
	proxy    string // as configured; "" = the environment's, where the zone may use it
	ca       string // file
	timeouts Timeouts
	dial     DialFunc // replaces the dialler, and with it the address check
	env      func(string) (string, bool)
}

// newTransport builds the transport of one provider. Each provider has its own,
// so that no connection is shared between zones.
func newTransport(w *wiring) (transport, error) {
	proxy, err := w.findProxy()
	if err != nil {
		return nil, err
	}
	if h1Fits(w.base, proxy) {
		t := newH1(w.base, w.dialer(nil))
		t.near = w.zone != ZoneCloud && !w.secret
		return t, nil
	}
	return w.standard(proxy)
}

// newStreams builds the transport for bodies that are read while they are sent.
// Such a body can be sent only once, so that none goes over a connection which
// the server may just have closed: each gets its own.
func newStreams(w *wiring) (*http.Transport, error) {
	proxy, err := w.findProxy()
	if err != nil {
		return nil, err
	}
	t, err := w.standard(proxy)
	if err != nil {
		return nil, err
	}
	t.DisableKeepAlives = true
	return t, nil
}

// standard builds a transport of net/http.
func (w *wiring) standard(proxy *url.URL) (*http.Transport, error) {
	tlsConfig, err := w.tls()
	if err != nil {
		return nil, err
	}
	t := &http.Transport{
		DialContext:            w.dialer(proxy),
		TLSClientConfig:        tlsConfig,
		TLSHandshakeTimeout:    pick(w.timeouts.TLS, 10*time.Second),
		MaxIdleConnsPerHost:    idlePerHost,
		IdleConnTimeout:        idleFor,
		MaxResponseHeaderBytes: maxHead,
		ForceAttemptHTTP2:      true,
		DisableCompression:     true, // done by attempt.decode, which also knows what was not asked for
		HTTP2:                  &http.HTTP2Config{SendPingTimeout: pingAfter, PingTimeout: pingWait},
	}
	if proxy != nil {
		t.Proxy = http.ProxyURL(proxy)
	}
	return t, nil
}

// dialer dials the provider, or its proxy, and checks the address it gets.
func (w *wiring) dialer(proxy *url.URL) DialFunc {
	if w.dial != nil {
		return w.dial
	}
	g := newGuard(w.provider, w.zone, w.base.Hostname())
	d := &net.Dialer{Timeout: pick(w.timeouts.Connect, 5*time.Second), KeepAlive: keepAlive, ControlContext: g.control}
	if proxy != nil {
		d.ControlContext = g.controlProxy // every connection of this transport goes there
	}
	return d.DialContext
}

// findProxy settles once by which proxy, if any, the provider is reached.
func (w *wiring) findProxy() (*url.URL, error) {
	if w.zone == ZoneLocal || reach.Loopback(w.base.Hostname()) {
		if w.proxy != "" {
			return nil, invalidf("remove proxy, or set another zone", "a provider of zone local, or on this machine, is never reached through a proxy")
		}
		return nil, nil //nolint:nilnil // no proxy is a good answer
	}
	if w.proxy != "" {
		u, err := url.Parse(w.proxy)
		if err != nil || u.Host == "" {
			return nil, invalidf("write it like http://host:port", "proxy is not an address")
		}
		switch u.Scheme {
		case "http", "https", "socks5", "socks5h":
			return u, nil
		default:
			return nil, invalidf("", "proxy must begin with http://, https://, socks5:// or socks5h://")
		}
	}
	return w.environmentProxy()
}

// environmentProxy reads the variables that other programs read too. One that
// makes no sense is an error: to go on without it would be another way out.
func (w *wiring) environmentProxy() (*url.URL, error) {
	get := func(names ...string) string {
		for _, n := range names {
			if v, ok := w.env(n); ok && v != "" {
				return v
			}
		}
		return ""
	}
	c := &httpproxy.Config{
		HTTPProxy:  get("HTTP_PROXY", "http_proxy"),
		HTTPSProxy: get("HTTPS_PROXY", "https_proxy"),
		NoProxy:    get("NO_PROXY", "no_proxy"),
	}
	for _, v := range []string{c.HTTPProxy, c.HTTPSProxy} {
		if v != "" && !strings.Contains(v, "://") {
			v = "http://" + v
		}
		if u, err := url.Parse(v); v != "" && (err != nil || u.Host == "") { // err may hold a password
			return nil, invalidf("", "the proxy in HTTP_PROXY or HTTPS_PROXY is not an address")
		}
	}
	u, err := c.ProxyFunc()(w.base)
	if err != nil {
		return nil, invalidf("", "the proxy in HTTP_PROXY or HTTPS_PROXY is not an address")
	}
	return u, nil
}

func (w *wiring) tls() (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if w.ca == "" {
		return c, nil
	}
	pem, err := os.ReadFile(w.ca)
	if err != nil {
		return nil, &scri.Error{Kind: scri.ErrInvalid, Message: fmt.Sprintf("ca_file cannot be read: %v", err), Err: err}
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool() // a system without certificates of its own
	}
	if !pool.AppendCertsFromPEM(pem) {
		return nil, invalidf("it must hold certificates in PEM form", "ca_file %s holds no certificate", w.ca)
	}
	c.RootCAs = pool
	return c, nil
}
