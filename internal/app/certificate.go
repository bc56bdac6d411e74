package app

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/aratta-gateway/aratta/internal/sock"
)

const (
	keyCert = "server.tls_cert"
	keyKey  = "server.tls_key"
)

// speaksTLS reports whether the gateway is asked over TLS.
func (s *ServerConfig) speaksTLS() bool { return s.TLSCert != "" && s.TLSKey != "" }

// loadToAsk is Load for who asks others by a configuration and serves nobody: the
// certificate and its key, which people may not read, are left out.
func (p *program) loadToAsk() (*Loaded, error) {
	l, err := Load(p.file, p.Env)
	if err == nil {
		l.Server.TLSCert, l.Server.TLSKey = "", ""
	}
	return l, err
}

// scheme begins the gateway's address.
func (s *ServerConfig) scheme() string {
	if s.speaksTLS() {
		return "https://"
	}
	return "http://"
}

// checkTLS refuses half of what TLS needs.
func (s *ServerConfig) checkTLS(bad func(key, format string, args ...any)) {
	const both = "TLS needs a certificate and its key: %s is missing"
	switch {
	case s.TLSCert != "" && s.TLSKey == "":
		bad(keyCert, both, keyKey)
	case s.TLSCert == "" && s.TLSKey != "":
		bad(keyKey, both, keyCert)
	}
}

// certificate reads the certificate that the gateway shows; nil = it speaks plain
// HTTP.
func (l *Loaded) certificate() (*tls.Certificate, error) {
	s := &l.Server
	if !s.speaksTLS() {
		return nil, nil
	}
	bad := func(key, text string) error {
		return l.located(&Problem{File: l.File, Key: key, Text: text})
	}
	cert, err := os.ReadFile(s.TLSCert)
	if err != nil {
		return nil, bad(keyCert, err.Error())
	}
	if list := parseCertificates(cert); len(list) == 0 {
		return nil, bad(keyCert, s.TLSCert+" holds no certificate (PEM, the gateway's own first, then those that signed it)")
	}
	key, err := os.ReadFile(s.TLSKey)
	if err != nil {
		return nil, bad(keyKey, err.Error())
	}
	pair, err := tls.X509KeyPair(cert, key)
	switch {
	case err == nil:
		return &pair, nil
	case strings.Contains(string(key), "ENCRYPTED"):
		return nil, bad(keyKey, s.TLSKey+" is encrypted; the gateway has nobody to ask for a passphrase: take a key without one")
	case strings.Contains(err.Error(), "does not match"):
		return nil, bad(keyKey, s.TLSKey+" is the key of another certificate than "+s.TLSCert)
	default:
		return nil, bad(keyKey, s.TLSKey+" holds no private key (PEM): "+strings.TrimPrefix(err.Error(), "tls: "))
	}
}

// parseCertificates are the certificates in a PEM text; what is none is left out.
func parseCertificates(text []byte) (list []*x509.Certificate) {
	for {
		var b *pem.Block
		if b, text = pem.Decode(text); b == nil {
			return list
		}
		if c, err := x509.ParseCertificate(b.Bytes); err == nil && b.Type == "CERTIFICATE" {
			list = append(list, c)
		}
	}
}

// latePart is the part of a certificate's life in which it should be another by now:
// whoever renews them does so long before.
const latePart = 10

// stale says why clients will not take a certificate at a time, or will not soon, "" =
// they will.
func stale(c *tls.Certificate, now time.Time) string {
	const day = time.DateOnly
	late := c.Leaf.NotAfter.Add(-c.Leaf.NotAfter.Sub(c.Leaf.NotBefore) / latePart)
	switch {
	case now.After(c.Leaf.NotAfter):
		return "the certificate is not valid any more (since " + c.Leaf.NotAfter.Format(day) + "); clients refuse it"
	case now.Before(c.Leaf.NotBefore):
		return "the certificate is not valid yet (from " + c.Leaf.NotBefore.Format(day) + "); clients refuse it"
	case now.After(late):
		return "the certificate ends on " + c.Leaf.NotAfter.Format(time.DateTime) + " and is not renewed; clients refuse it then"
	default:
		return ""
	}
}

// secure puts TLS over what is accepted from ln, with the certificate in force at
// each handshake.
func (g *live) secure(ln net.Listener) net.Listener {
	return tls.NewListener(sock.NewListener(ln), &tls.Config{
		MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"},
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return g.shown.Load(), nil },
	})
}

// watchCertificate puts a certificate into force that was renewed on disk, until
// ctx ends, and says when one should have been. The configuration need not be read for
// that, and may have a mistake.
func (g *live) watchCertificate(ctx context.Context) {
	state := func() string {
		s := &g.now.Load().Config.Server
		return stamp(s.TLSCert, s.TLSKey) + stale(g.shown.Load(), time.Now())
	}
	watch(ctx, state, func() {
		g.turn.Lock()
		defer g.turn.Unlock()
		c, err := g.now.Load().Config.certificate()
		switch {
		case err != nil:
			g.log.ErrorContext(ctx, "certificate: cannot be read; the one before is still shown", "error", err)
		case c != nil && !slices.EqualFunc(c.Certificate, g.shown.Load().Certificate, bytes.Equal):
			g.shown.Store(c)
			g.log.InfoContext(ctx, "certificate: loaded anew", "not_after", c.Leaf.NotAfter)
		}
		if why := stale(g.shown.Load(), time.Now()); why != "" {
			g.log.WarnContext(ctx, "certificate", "warning", why)
		}
	})
}

// client is what asks the gateway at base.
func (p *program) client(base string) *http.Client {
	u, err := url.Parse(base)
	if err != nil || u.Scheme != "https" {
		return http.DefaultClient
	}
	if p.https == nil {
		p.https = &http.Client{Transport: &http.Transport{
			Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true, TLSClientConfig: trust(u.Hostname(), p.ownCertificates()),
		}}
	}
	return p.https
}

// ownCertificates are those in the configuration's server.tls_cert. Who cannot read
// it can do without.
func (p *program) ownCertificates() []*x509.Certificate {
	l, err := Load(p.file, p.Env)
	if err != nil || l.Server.TLSCert == "" {
		return nil
	}
	text, err := os.ReadFile(l.Server.TLSCert)
	if err != nil {
		return nil
	}
	return parseCertificates(text)
}

// trust takes a server at host whose certificate is the first of own, whatever its
// name: that is the gateway of this configuration. Any other must have one for
// host that the system trusts, or that one of own signed.
func trust(host string, own []*x509.Certificate) *tls.Config {
	return &tls.Config{
		MinVersion:         tls.VersionTLS12,
		InsecureSkipVerify: true, // VerifyConnection does it
		VerifyConnection: func(cs tls.ConnectionState) error {
			if len(own) > 0 && own[0].Equal(cs.PeerCertificates[0]) {
				return nil
			}
			roots, err := x509.SystemCertPool()
			if err != nil {
				roots = x509.NewCertPool()
			}
			for _, c := range own {
				roots.AddCert(c)
			}
			o := x509.VerifyOptions{DNSName: host, Roots: roots, Intermediates: x509.NewCertPool()}
			for _, c := range cs.PeerCertificates[1:] {
				o.Intermediates.AddCert(c)
			}
			_, err = cs.PeerCertificates[0].Verify(o)
			return err
		},
	}
}

// distrusted reports whether an error tells that a certificate was not taken.
func distrusted(err error) bool {
	_, unknown := errors.AsType[x509.UnknownAuthorityError](err)
	_, invalid := errors.AsType[x509.CertificateInvalidError](err)
	_, other := errors.AsType[x509.HostnameError](err)
	return unknown || invalid || other
}
