// Package fetch gets the images and files that requests name by their address,
// for targets that take bytes alone.
//
// The address comes from a client, or from whatever text the client was told, so
// nothing about it is trusted:
//
//   - http and https only, no credentials in the address, no port below 1024 but
//     80 and 443, from https never back to http;
//   - the address that is really dialled must be public, after names were
//     resolved: never this machine, its link, an own network, multicast, or a
//     metadata service, however it is spelled. What an operator allows beyond that
//     stands in [Options]; a metadata service is never reached;
//   - a redirect is one more address, checked like the first; there are few;
//   - size, time, and how many are fetched at once are bounded. What comes must be
//     of the kind that was asked for, as declared and as its bytes say;
//   - nothing of anybody's goes along: no cookie, no credential, no referrer, no
//     header of the client, no proxy.
package fetch

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/aratta-gateway/aratta/internal/reach"
	"github.com/aratta-gateway/aratta/scri"
)

// Defaults of [Options], and what is bounded without a setting.
const (
	DefaultMaxBytes   = 20 << 20
	DefaultTimeout    = 15 * time.Second
	DefaultConcurrent = 8

	maxRedirects  = 5
	maxAddress    = 8 << 10
	maxHead       = 64 << 10
	connectWithin = 5 * time.Second
	lastReserved  = 1023 // ports up to it belong to services, of which two are the web's
)

// Options are what a fetcher is built from. Zero fields take the defaults.
type Options struct {
	MaxBytes   int64         // of one file
	Timeout    time.Duration // for one file, redirects included
	Concurrent int           // files fetched at once, of all requests together
	// Hosts may have addresses of an own network (RFC 1918, fc00::/7, 100.64.0.0/10).
	Hosts []string
	// Networks may be reached besides what is public.
	Networks []netip.Prefix
	// Resolver resolves names; nil = the system's.
	Resolver *net.Resolver
	// Version of the gateway, for the User-Agent header.
	Version string
}

// Scope says how far a fetch may go. The zero Scope is nowhere.
type Scope uint8

// The scopes.
const (
	Nowhere  Scope = iota
	Near           // hosts and networks that the operator named, and these only where they are not public
	Anywhere       // what is public, too
)

// File is what was found at an address.
type File struct {
	Type string // MIME type, by its bytes where these tell
	Data []byte
}

// Fetcher fetches files. It is safe for concurrent use and keeps no connection.
type Fetcher struct {
	opt       Options
	hosts     []string
	slots     chan struct{}
	near, far http.RoundTripper
}

// New builds a fetcher.
func New(o Options) *Fetcher {
	if o.MaxBytes <= 0 {
		o.MaxBytes = DefaultMaxBytes
	}
	if o.Timeout <= 0 {
		o.Timeout = DefaultTimeout
	}
	if o.Concurrent <= 0 {
		o.Concurrent = DefaultConcurrent
	}
	f := &Fetcher{opt: o, slots: make(chan struct{}, o.Concurrent)}
	for _, h := range o.Hosts {
		f.hosts = append(f.hosts, plainHost(h))
	}
	f.near, f.far = f.transport(Near), f.transport(Anywhere)
	return f
}

// MaxBytes is how large one file may be.
func (f *Fetcher) MaxBytes() int64 { return f.opt.MaxBytes }

func (f *Fetcher) transport(s Scope) http.RoundTripper {
	return &http.Transport{
		Proxy: nil, // the addresses behind one could not be checked
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			host, _, err := net.SplitHostPort(address)
			if err != nil {
				return nil, err
			}
			d := net.Dialer{
				Timeout: connectWithin, Resolver: f.opt.Resolver,
				ControlContext: func(_ context.Context, _, real string, _ syscall.RawConn) error { return f.check(s, host, real) },
			}
			return d.DialContext(ctx, network, address)
		},
		TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12}, ForceAttemptHTTP2: true,
		DisableKeepAlives: true, DisableCompression: true, MaxResponseHeaderBytes: maxHead,
	}
}

// check refuses an address that is about to be dialled for a host.
func (f *Fetcher) check(s Scope, host, address string) error {
	ip, err := reach.Dialled(address)
	if err != nil {
		return refuse(host, "an address that cannot be checked", "")
	}
	named := slices.Contains(f.hosts, plainHost(host))
	switch {
	case reach.Metadata(ip):
		return refuse(host, "a service of the machine's own credentials", "")
	case f.inNetworks(ip), named && reach.Own(ip):
		return nil
	case reach.Public(ip) && s == Anywhere:
		return nil
	case reach.Public(ip):
		return refuse(host, "a public address, and this request is sovereign", sovereignHint)
	default:
		return refuse(host, "no public address", "name the host in media.allow_hosts, or its network in media.allow_networks, if the gateway shall reach it")
	}
}

func (f *Fetcher) inNetworks(ip netip.Addr) bool {
	return slices.ContainsFunc(f.opt.Networks, func(p netip.Prefix) bool { return p.Contains(ip) })
}

const sovereignHint = "send the data itself, or ask without sovereign"

func refuse(host, what, hint string) error {
	return &scri.Error{Kind: scri.ErrPolicy, Message: fmt.Sprintf("%s is %s, and is not fetched from", host, what), Hint: hint}
}

// plainHost is a host as two spellings of it are compared.
func plainHost(h string) string { return strings.TrimSuffix(strings.ToLower(h), ".") }

// parse reads an address and refuses what is never fetched.
func (f *Fetcher) parse(s Scope, address string) (*url.URL, error) {
	if len(address) > maxAddress {
		return nil, invalid("the address is longer than %d KB", maxAddress>>10)
	}
	u, err := url.Parse(address)
	if err != nil || u.Hostname() == "" {
		return nil, invalid("the address is none of the web")
	}
	u.Scheme = strings.ToLower(u.Scheme)
	switch {
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, invalid("only http and https addresses are fetched, not %q", u.Scheme)
	case u.User != nil:
		return nil, invalid("an address with a name or a password in it is not fetched")
	}
	if p := u.Port(); p != "" {
		n, err := strconv.ParseUint(p, 10, 16)
		if err != nil || n <= lastReserved && n != 80 && n != 443 {
			return nil, refuse(u.Host, "at a port that is not the web's", "")
		}
	}
	if s == Near && !f.known(u.Hostname()) {
		return nil, refuse(u.Hostname(), "perhaps not near, and this request is sovereign", sovereignHint+"; a host of your own network can be named in media.allow_hosts")
	}
	u.Fragment, u.RawFragment = "", ""
	return u, nil
}

// known reports whether the operator named a host, so that nobody outside needs
// to be asked for its address.
func (f *Fetcher) known(host string) bool {
	if slices.Contains(f.hosts, plainHost(host)) {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && f.inNetworks(reach.Plain(ip))
}

// Get fetches what an address leads to, if it is of the type wanted: a MIME type,
// one of a kind such as "image/*", or "" for any that models understand. Errors
// are *scri.Error, of kind policy where the address may not be reached, invalid
// where the address or what stands there is wrong, unsupported where it is too
// large, and unavailable or timeout where it did not come. They name the host
// alone, as the rest of an address may be secret.
func (f *Fetcher) Get(ctx context.Context, address, want string, s Scope) (*File, error) {
	if s == Nowhere {
		return nil, &scri.Error{Kind: scri.ErrPolicy, Message: "this request may not fetch anything"}
	}
	u, err := f.parse(s, address)
	if err != nil {
		return nil, err
	}
	select {
	case f.slots <- struct{}{}:
		defer func() { <-f.slots }()
	case <-ctx.Done():
		return nil, scri.AsError(ctx.Err())
	}
	late := fmt.Errorf("%s took longer than %s: %w", u.Host, f.opt.Timeout, context.DeadlineExceeded)
	inTime, cancel := context.WithTimeoutCause(ctx, f.opt.Timeout, late)
	defer cancel()
	file, err := f.follow(inTime, u, want, s)
	if err != nil {
		return nil, f.explained(ctx, inTime, u.Host, err)
	}
	return file, nil
}

// follow asks one address after the other, as redirects lead.
func (f *Fetcher) follow(ctx context.Context, u *url.URL, want string, s Scope) (*File, error) {
	door := f.far
	if s == Near {
		door = f.near
	}
	for range maxRedirects + 1 {
		resp, err := door.RoundTrip(f.request(ctx, u))
		if err != nil {
			return nil, err
		}
		if resp.StatusCode/100 != 3 {
			file, err := f.read(resp, want)
			return file, errors.Join(err, resp.Body.Close())
		}
		to, err := resp.Location()
		if cerr := resp.Body.Close(); cerr != nil || err != nil {
			return nil, invalid("%s redirects to nowhere", u.Host)
		}
		next, err := f.parse(s, to.String())
		if err != nil {
			return nil, err
		}
		if u.Scheme == "https" && next.Scheme == "http" {
			return nil, refuse(next.Host, "reached by a redirect that gives up encryption", "")
		}
		u = next
	}
	return nil, invalid("%s redirects more than %d times", u.Host, maxRedirects)
}

func (f *Fetcher) request(ctx context.Context, u *url.URL) *http.Request {
	return (&http.Request{
		Method: http.MethodGet, URL: u, Host: u.Host, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"User-Agent": {"aratta/" + f.opt.Version}, "Accept": {"image/*, application/pdf, */*;q=0.5"}, "Accept-Encoding": {"identity"}},
	}).WithContext(ctx)
}

// read reads the answer if it is what was wanted.
func (f *Fetcher) read(resp *http.Response, want string) (*File, error) {
	host := resp.Request.URL.Host
	switch code := resp.StatusCode; {
	case code == http.StatusOK:
	case code == http.StatusTooManyRequests, code >= http.StatusInternalServerError:
		return nil, &scri.Error{Kind: scri.ErrUnavailable, Message: fmt.Sprintf("%s answered with status %d", host, code)}
	default:
		return nil, invalid("%s answered with status %d", host, code)
	}
	if enc := resp.Header.Get("Content-Encoding"); enc != "" && !strings.EqualFold(enc, "identity") {
		return nil, invalid("%s sent an encoding that was not asked for", host)
	}
	if resp.ContentLength > f.opt.MaxBytes {
		return nil, f.tooLarge(host)
	}
	head := make([]byte, sniffed)
	n, err := io.ReadFull(resp.Body, head)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, err
	}
	head = head[:n]
	mime, why := settle(resp.Header.Get("Content-Type"), head, want)
	if why != "" {
		return nil, invalid("what stands at %s is %s", host, why)
	}
	data := slices.Grow(head, int(min(max(resp.ContentLength, 0), 1<<20)))
	for int64(len(data)) <= f.opt.MaxBytes {
		if len(data) == cap(data) {
			data = slices.Grow(data, len(data))
		}
		n, err := resp.Body.Read(data[len(data):cap(data)])
		data = data[:len(data)+n]
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
	}
	if int64(len(data)) > f.opt.MaxBytes {
		return nil, f.tooLarge(host)
	}
	if resp.ContentLength >= 0 && int64(len(data)) != resp.ContentLength {
		return nil, io.ErrUnexpectedEOF
	}
	return &File{Type: mime, Data: data}, nil
}

func (f *Fetcher) tooLarge(host string) error {
	return &scri.Error{
		Kind:    scri.ErrUnsupported,
		Message: fmt.Sprintf("what stands at %s is larger than %d KB", host, f.opt.MaxBytes>>10), Hint: "send something smaller, or raise media.max_bytes",
	}
}

// explained makes an error of the network one that tells what to do.
func (f *Fetcher) explained(caller, inTime context.Context, host string, err error) error {
	if e, ok := errors.AsType[*scri.Error](err); ok {
		return e
	}
	switch {
	case caller.Err() != nil:
		return scri.AsError(caller.Err())
	case inTime.Err() != nil:
		return &scri.Error{Kind: scri.ErrTimeout, Message: context.Cause(inTime).Error(), Hint: "raise media.timeout, or send the data itself", Err: err}
	}
	e := &scri.Error{Kind: scri.ErrUnavailable, Message: host + " could not be reached", Err: err}
	if dns, ok := errors.AsType[*net.DNSError](err); ok && dns.IsNotFound {
		e.Kind, e.Message = scri.ErrInvalid, "there is no host "+host
	} else if errors.Is(err, io.ErrUnexpectedEOF) {
		e.Message = "what " + host + " sent broke off"
	}
	return e
}

func invalid(format string, args ...any) *scri.Error {
	return &scri.Error{Kind: scri.ErrInvalid, Message: fmt.Sprintf(format, args...)}
}
