package provider

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/aratta-gateway/aratta/scri"
)

// maxToken bounds the answer of a token endpoint.
const maxToken = 64 << 10

// tokenDoor is the way to a token endpoint: a transport of its own behind the
// same guards as the provider's.
type tokenDoor struct {
	egress
	url  *url.URL
	next transport
	from *Provider
}

// newBearer makes the signer of a scheme that fetches tokens.
func (p *Provider) newBearer(d *Deps) (signer, error) {
	base, err := parseBase(p.spec.Auth.TokenURL, "")
	if err != nil {
		return nil, invalidf("", "auth.token_url: %s", strings.Replace(scri.AsError(err).Message, "base_url", "it", 1))
	}
	next, err := newTransport(&wiring{
		provider: p.name, zone: p.zone, base: base, proxy: p.spec.Proxy, ca: p.spec.CA,
		timeouts: d.Timeouts, dial: d.Dial, env: d.lookupEnv,
	})
	if err != nil {
		return nil, err
	}
	door := &tokenDoor{url: base, next: next, from: p, egress: egress{zone: p.zone, scheme: base.Scheme, host: base.Host, next: next}}
	b := &bearer{door: door}
	if p.spec.Auth.Scheme == AuthOAuth {
		b.fetch = door.clientCredentials
		return b, nil
	}
	g, err := readGoogle(p.key)
	if err != nil {
		return nil, err
	}
	b.fetch = func(ctx context.Context) (token, error) { return door.google(ctx, g) }
	return b, nil
}

// clientCredentials asks for a token with the key: an id and a secret with a
// colon between them, or the two as HTTP's basic authorization has them.
func (d *tokenDoor) clientCredentials(ctx context.Context) (token, error) {
	auth, key := &d.from.spec.Auth, string(d.from.key)
	if strings.Contains(key, ":") {
		key = base64.StdEncoding.EncodeToString([]byte(key))
	}
	form := url.Values{}
	for name, value := range auth.Form {
		form.Set(name, value)
	}
	if len(form) == 0 {
		form.Set("grant_type", "client_credentials")
	}
	if auth.Scope != "" {
		form.Set("scope", auth.Scope)
	}
	h := http.Header{"Authorization": {"Basic " + key}}
	if auth.RequestID != "" {
		h.Set(auth.RequestID, newUUID())
	}
	return d.ask(ctx, h, form, secret(key))
}

// newUUID returns a random UUID of version 4.
func newUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// ask posts a form to the token endpoint. That carries nobody's data, but is done
// only for an attempt that may leave for the provider itself.
func (d *tokenDoor) ask(ctx context.Context, h http.Header, form url.Values, secrets ...secret) (token, error) {
	if err := permitted(ctx, d.from.zone, d.from.Host()); err != nil {
		return token{}, err
	}
	began := time.Now()
	limited, cancel := context.WithTimeout(WithPermit(ctx, For(d.zone, d.host)), tokenWait)
	defer cancel()
	h.Set("Content-Type", "application/x-www-form-urlencoded")
	h.Set("Accept", "application/json")
	h.Set("User-Agent", d.from.fixed.Get("User-Agent"))
	out := &outbound{method: http.MethodPost, url: d.url, header: h, body: []byte(form.Encode())}
	_, out.direct = d.next.(*h1)
	resp, err := d.RoundTrip(out.request(limited))
	if err != nil {
		return token{}, d.away(ctx, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxToken))
	if err != nil {
		return token{}, d.away(ctx, err)
	}
	t, said, err := readToken(body, began)
	if resp.StatusCode/100 == 2 && err == nil {
		return t, nil
	}
	for _, s := range secrets {
		said = s.scrub(said)
	}
	return token{}, d.denied(resp.StatusCode, said)
}

// away says that a token endpoint gave no answer.
func (d *tokenDoor) away(ctx context.Context, err error) error {
	if _, ok := errors.AsType[*scri.Error](err); ok {
		return err
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return tokenError(scri.ErrUnavailable, "the certificate of "+d.host+", which gives the tokens, is signed by an unknown authority",
			"name the authority's certificate in ca_file")
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return tokenError(scri.ErrTimeout, "no token from "+d.host+" in time", "")
	}
	return tokenError(scri.ErrUnavailable, "no token from "+d.host+": "+plainCause(err), "check the network, and auth.token_url of the catalogue's entry")
}

// denied says what a token endpoint's refusal means.
func (d *tokenDoor) denied(status int, said string) error {
	if said == "" {
		said = http.StatusText(status)
	}
	message := fmt.Sprintf("%s gave no token: %s", d.host, said)
	switch {
	case status/100 == 2:
		return tokenError(scri.ErrUnavailable, d.host+" gave an answer without a token", "check auth.token_url of the catalogue's entry")
	case status == http.StatusTooManyRequests:
		return tokenError(scri.ErrRateLimited, message, "")
	case status/100 == 4:
		return tokenError(scri.ErrAuth, message, "check the credential of this provider")
	default:
		return tokenError(scri.ErrUnavailable, message, "")
	}
}

// readToken reads the answer of a token endpoint: how long the token lives in
// seconds, or until when in seconds or milliseconds since 1970. said is what it
// says in place of a token.
func readToken(body []byte, now time.Time) (t token, said string, err error) {
	var v struct {
		Token       string         `json:"access_token"`
		In          jsontext.Value `json:"expires_in"`
		At          jsontext.Value `json:"expires_at"`
		Error       jsontext.Value `json:"error"`
		Description string         `json:"error_description"`
		Message     string         `json:"message"`
	}
	if err := json.Unmarshal(body, &v); err != nil {
		return token{}, "", err
	}
	if v.Token == "" || !isToken(v.Token) {
		for _, s := range []string{v.Description, v.Message, strings.Trim(string(v.Error), `"`)} {
			if s != "" {
				return token{}, clipped(s), errToken
			}
		}
		return token{}, "", errToken
	}
	expire := now.Add(tokenUnknown)
	if n, ok := wholeNumber(v.In); ok && n > 0 {
		expire = now.Add(time.Duration(min(n, maxLife)) * time.Second)
	} else if n, ok := wholeNumber(v.At); ok {
		if n > 1e11 { // as seconds it would be in the year 5138
			n /= 1000
		}
		if n > now.Unix() { // else one of the clocks is wrong
			expire = time.Unix(min(n, now.Unix()+maxLife), 0)
		}
	}
	return lasting(secret(v.Token), now, expire), "", nil
}

// maxLife is the longest that a token is believed to live, in seconds.
const maxLife = 24 * 60 * 60

// wholeNumber reads a number, which some write as a string.
func wholeNumber(v jsontext.Value) (int64, bool) {
	s, _, _ := strings.Cut(strings.Trim(string(v), `"`), ".")
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil
}

// isToken reports whether a text can stand in a header.
func isToken(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r <= 0x20 || r >= 0x7f }) < 0
}

// clipped is the beginning of a foreign text, on one line.
func clipped(s string) string {
	const most = 200
	s = strings.Join(strings.Fields(strings.ToValidUTF8(s, "?")), " ")
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "..."
	}
	return s
}
