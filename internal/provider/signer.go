package provider

import (
	"cmp"
	"context"
	"net/http"
	"strings"

	"github.com/aratta-gateway/aratta/scri"
)

// signer proves who sends a request, where that is more than a header which never
// changes. It is safe for concurrent use.
type signer interface {
	// sign returns the headers to send instead of out.header, which it does not
	// change. The context carries the permit of the attempt.
	sign(ctx context.Context, out *outbound) (http.Header, error)
	// refused is told that a request with these headers was answered with 401, and
	// reports whether it is worth to sign it once more.
	refused(sent http.Header) bool
	// scrub takes what is secret in a proof out of a text that came from elsewhere.
	scrub(text string) string
	// close ends the connections that lie idle.
	close()
}

// exchange sends a request and returns the head of its answer: once more where
// the connection had been closed while it lay idle, and once more with a fresh
// proof where the first was not accepted.
func (a *attempt) exchange(ctx context.Context, out *outbound) (*http.Response, error) {
	signer := a.p.signer
	if signer == nil {
		return a.trip(ctx, out)
	}
	for again := false; ; again = true {
		signed := *out
		var err error
		if signed.header, err = signer.sign(ctx, out); err != nil {
			return nil, err
		}
		resp, err := a.trip(ctx, &signed)
		if err != nil || resp.StatusCode != http.StatusUnauthorized || again || out.stream != nil || !signer.refused(signed.header) {
			return resp, err
		}
		resp.Body.Close()
	}
}

func (a *attempt) trip(ctx context.Context, out *outbound) (*http.Response, error) {
	if out.stream != nil { // which there is only once
		return a.p.gate.RoundTrip(out.request(ctx))
	}
	resp, err := a.p.door.RoundTrip(out.request(ctx))
	if err != nil && err.Error() == idleClosed {
		// A connection that the server closed while it lay idle: nothing was read
		// of the request, so it is as good as unsent.
		resp, err = a.p.door.RoundTrip(out.request(ctx))
	}
	return resp, err
}

// newSigner makes the signer of a provider, or none where fixed headers do.
func (p *Provider) newSigner(d *Deps) (signer, error) {
	switch p.spec.Auth.Scheme {
	case AuthClient:
		return &passed{provider: p.name}, nil
	case AuthAWS:
		if p.pair == nil {
			return nil, nil //nolint:nilnil // an API key is a fixed header
		}
		host := p.address.base.Hostname()
		return newSigV4(p.pair, cmp.Or(p.spec.Auth.Name, "bedrock"), cmp.Or(p.spec.Region, regionOf(host), p.region(d))), nil
	case AuthOAuth, AuthGoogle:
		if p.key == "" {
			return nil, nil //nolint:nilnil // it is switched off, and says why
		}
		return p.newBearer(d)
	default:
		return nil, nil //nolint:nilnil // fixed headers do
	}
}

// passed passes the caller's own credential on: to this provider alone, as the
// configuration says so.
type passed struct{ provider string }

// passedHeaders are those in which callers prove who they are.
func passedHeaders() []string { return []string{"Authorization", "X-Api-Key"} }

// accountHeader says whose account a caller uses that has several; Codex sends it.
const accountHeader = "Chatgpt-Account-Id"

func (s *passed) sign(_ context.Context, out *outbound) (http.Header, error) {
	h := out.header.Clone()
	bearer, key := out.caller.Get("Authorization"), out.caller.Get("X-Api-Key")
	switch scheme, _, _ := strings.Cut(bearer, " "); { // one of them alone, as access to this gateway looks at one
	case strings.EqualFold(scheme, "bearer"):
		h.Set("Authorization", bearer)
	case key != "":
		h.Set("X-Api-Key", key)
	default:
		return nil, noCredential()
	}
	if account := out.caller.Get(accountHeader); account != "" {
		h.Set(accountHeader, account)
	}
	return h, nil
}

// noCredential is the client's error: it is he whom the provider wants to know.
func noCredential() error {
	return &scri.Error{
		Kind: scri.ErrAuth, Message: "this provider is asked with the caller's own credential, and the request has none that may be passed on",
		Hint: "send it as Authorization: Bearer or x-api-key, from a client that speaks the provider's dialect and needs no key of this gateway",
	}
}

func (*passed) refused(http.Header) bool { return false }
func (*passed) scrub(text string) string { return text } // see attempt.fill
func (*passed) close()                   {}
