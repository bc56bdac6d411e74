package provider

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/aratta-gateway/aratta/internal/term"
	"github.com/aratta-gateway/aratta/scri"
)

// Permit is the permission of one attempt to leave. Whoever decided that the
// request may go to this zone and host issues it.
type Permit interface {
	// Permits returns nil if a request may leave for the host (as it stands in
	// the provider's base_url, in lower case, with its port) in the zone.
	Permits(zone, host string) error
}

type permitKey struct{}

// WithPermit returns a context whose requests may leave as the permit says.
func WithPermit(ctx context.Context, p Permit) context.Context {
	return term.WithValue(ctx, permitKey{}, p)
}

// For returns a permit for one zone and host, for what is done on nobody's
// behalf and carries nobody's data: health probes and model lists.
func For(zone, host string) Permit { return exactly{zone, host} }

type exactly struct{ zone, host string }

func (p exactly) Permits(zone, host string) error {
	if p.zone == zone && p.host == host {
		return nil
	}
	return &scri.Error{Kind: scri.ErrPolicy, Message: fmt.Sprintf("the permit is for %s in zone %s, not for %s in zone %s", p.host, p.zone, host, zone)}
}

// egress is the one door through which a provider's requests leave.
type egress struct {
	zone   string
	scheme string
	host   string
	next   http.RoundTripper
}

// RoundTrip sends the request if its context carries a permit for this zone and
// host; nothing is dialled else.
func (e *egress) RoundTrip(req *http.Request) (*http.Response, error) {
	if err := e.check(req); err != nil {
		if req.Body != nil {
			err = errors.Join(err, req.Body.Close())
		}
		return nil, err
	}
	return e.next.RoundTrip(req)
}

func (e *egress) check(req *http.Request) error {
	if req.URL.Host != e.host || req.URL.Scheme != e.scheme {
		return refused("a request for another host than the provider's was stopped", nil)
	}
	return permitted(req.Context(), e.zone, e.host)
}

// permitted returns nil if what is done in the context may leave for the host.
func permitted(ctx context.Context, zone, host string) error {
	permit, ok := ctx.Value(permitKey{}).(Permit)
	if !ok || permit == nil {
		return refused(fmt.Sprintf("a request for %s in zone %s came without a permit", host, zone), nil)
	}
	err := permit.Permits(zone, host)
	if err == nil {
		return nil
	}
	if se, ok := errors.AsType[*scri.Error](err); ok && se.Kind == scri.ErrPolicy {
		return err
	}
	return refused(fmt.Sprintf("no permit for %s in zone %s: %v", host, zone, err), err)
}

func refused(message string, cause error) *scri.Error {
	return &scri.Error{Kind: scri.ErrPolicy, Message: message, Err: cause}
}
