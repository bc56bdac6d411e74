package provider

import (
	"context"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/aratta-gateway/aratta/scri"
)

// Parcel is a request that is passed on as it is.
type Parcel struct {
	Method string
	Path   string      // as the API has it, with its query: "/v1/audio/speech"
	Header http.Header // of the request itself; no credential of anybody
	Model  string      // for errors and hints; "" = none
	Body   io.Reader   // read while it is sent; nil = there is none
	Length int64       // of Body; -1 = unknown
	Memory []byte      // instead of Body, where all of it is there
	Caller http.Header // of the client's request, where its credential may be passed on; else nil
}

// Passed is the answer to a Parcel, of status 2xx. The body must be closed.
type Passed struct {
	Status int
	Header http.Header
	Body   io.ReadCloser // errors are *scri.Error
}

// Relay passes a request on and returns the answer as it comes. The context must
// carry a Permit. The Info is there even when there is an error, which is always
// a *scri.Error.
func (p *Provider) Relay(ctx context.Context, r *Parcel) (*Passed, *Info, error) {
	a := &attempt{p: p, speaks: p.dialect}
	a.caller = r.Caller
	a.info.Model, a.target.Model, a.target.Provider = r.Model, r.Model, p.name
	if err := p.usable(ctx, r.Model); err != nil {
		return nil, &a.info, p.fill(scri.AsError(err))
	}
	u, err := p.address.passage(r.Path, p.dialect.Name())
	if err != nil {
		return nil, &a.info, p.fill(scri.AsError(err))
	}
	out := &outbound{method: r.Method, url: u, header: p.relayHeader(r.Header), direct: p.direct}
	if r.Body != nil {
		out.stream, out.length = io.NopCloser(r.Body), r.Length
	} else {
		out.body = r.Memory
	}
	// The wait for the head begins with a body that takes as long as its sender
	// needs, so that there is none of its own.
	l := p.timeouts.whole()
	l.head = none
	if err := a.sendTo(ctx, out, l); err != nil {
		return nil, &a.info, p.fill(scri.AsError(err))
	}
	h := a.resp.Header
	if a.body != io.Reader((*source)(a)) { // it was decoded
		h = h.Clone()
		h.Del("Content-Encoding")
		h.Del("Content-Length")
	}
	return &Passed{Status: a.resp.StatusCode, Header: h, Body: (*passing)(a)}, &a.info, nil
}

// relayHeader is what is sent with a request that is passed on.
func (p *Provider) relayHeader(given http.Header) http.Header {
	all := make(http.Header, len(given)+len(p.fixed))
	maps.Copy(all, given)
	maps.Copy(all, p.fixed)
	all["Accept-Encoding"] = []string{"identity"} // what is asked for is mostly compressed by itself
	return all
}

// passage returns the URL of a path as the API has it, whatever of it stands in
// the base address.
func (a *address) passage(path, dialect string) (*url.URL, error) {
	base := a.base.EscapedPath()
	switch {
	case strings.HasSuffix(base, "/v1"):
		return a.root(path)
	case slices.Contains(unversioned(), dialect): // the address names the version in its own way
		return a.join(base, strings.TrimPrefix(path, "/v1"))
	default:
		return a.join(base, path)
	}
}

// passing is the body of an answer that is passed on.
type passing attempt

// Read reads what has come, or waits for it as long as the limits allow.
func (s *passing) Read(p []byte) (int, error) {
	a := (*attempt)(s)
	n, err := a.body.Read(p)
	switch {
	case err == io.EOF: //nolint:errorlint // exactly this one is a clean end
		a.done()
	case err != nil:
		err = a.failure(err)
		a.done()
	}
	return n, err
}

// Close ends the answer.
func (s *passing) Close() error {
	a := (*attempt)(s)
	a.closed.Store(true)
	a.done()
	return nil
}
