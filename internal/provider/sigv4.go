package provider

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/aratta-gateway/aratta/scri"
)

// Environment variables in which Amazon's own programs look.
const (
	envAccessKey    = "AWS_ACCESS_KEY_ID"
	envSecretKey    = "AWS_SECRET_ACCESS_KEY" //nolint:gosec // the name of a variable
	envSessionToken = "AWS_SESSION_TOKEN"     //nolint:gosec // the name of a variable
)

// findAWS looks for what Amazon knows a caller by: an API key of the one service,
// which is sent as it is, else a pair of keys, with which each request is signed.
func findAWS(auth Auth, e *Entry, d *Deps) (pair *aws.Credentials, key secret, reason string) {
	if e.APIKeyFile != "" || e.APIKeyEnv != "" || auth.Env != "" && set(d, auth.Env) {
		bearer := auth
		bearer.Scheme = AuthBearer
		key, reason = findKey(bearer, e, d)
		return nil, key, reason
	}
	id, _ := d.lookupEnv(envAccessKey)
	hidden, _ := d.lookupEnv(envSecretKey)
	session, _ := d.lookupEnv(envSessionToken)
	if strings.TrimSpace(id) == "" || strings.TrimSpace(hidden) == "" {
		reason = "no key: neither " + envAccessKey + " and " + envSecretKey + " are set"
		if auth.Env != "" {
			reason += " nor " + auth.Env
		}
		return nil, "", reason
	}
	pair = &aws.Credentials{
		AccessKeyID: strings.TrimSpace(id), SecretAccessKey: strings.TrimSpace(hidden), SessionToken: strings.TrimSpace(session),
	}
	return pair, secret(pair.SecretAccessKey), ""
}

func set(d *Deps, env string) bool {
	v, ok := d.lookupEnv(env)
	return ok && strings.TrimSpace(v) != ""
}

// sigv4 signs requests as Amazon's services want them: with Signature Version 4.
type sigv4 struct {
	pair            aws.Credentials
	service, region string
	now             func() time.Time
	v4              *v4.Signer
}

func newSigV4(pair *aws.Credentials, service, region string) *sigv4 {
	return &sigv4{pair: *pair, service: service, region: region, now: time.Now, v4: v4.NewSigner()}
}

// sign signs the address, the type and the body of a request. What the transport
// does with other headers is its own business.
func (s *sigv4) sign(ctx context.Context, out *outbound) (http.Header, error) {
	sum := sha256.New()
	size := len(out.body)
	sum.Write(out.body)
	if out.pieces != nil {
		sum.Reset()
		size = 0
		for _, piece := range out.pieces {
			sum.Write(piece)
			size += len(piece)
		}
	}
	u := *out.url
	req := (&http.Request{Method: out.method, URL: &u, Host: u.Host, Header: http.Header{}, ContentLength: int64(size)}).WithContext(ctx)
	if typ := out.header.Get("Content-Type"); typ != "" {
		req.Header.Set("Content-Type", typ)
	}
	if err := s.v4.SignHTTP(ctx, s.pair, req, hex.EncodeToString(sum.Sum(nil)), s.service, s.region, s.now()); err != nil {
		return nil, &scri.Error{Kind: scri.ErrInternal, Message: "the request cannot be signed", Err: err}
	}
	h := out.header.Clone()
	for _, name := range []string{"Authorization", "X-Amz-Date", "X-Amz-Security-Token"} {
		if v := req.Header.Get(name); v != "" {
			h.Set(name, v)
		}
	}
	return h, nil
}

// refused: a signature that was not accepted would not be the second time.
func (*sigv4) refused(http.Header) bool { return false }

func (s *sigv4) scrub(text string) string { return secret(s.pair.SessionToken).scrub(text) }
func (*sigv4) close()                     {}

// region is the one that the environment names, for hosts that name none.
func (p *Provider) region(d *Deps) string {
	for _, env := range []string{"AWS_REGION", "AWS_DEFAULT_REGION"} {
		if v, ok := d.lookupEnv(env); ok && strings.TrimSpace(v) != "" {
			return strings.TrimSpace(v)
		}
	}
	return "us-east-1"
}

// regionOf is the region of one of Amazon's hosts, "" where it names none:
// bedrock-runtime.eu-west-1.amazonaws.com.
func regionOf(host string) string {
	parts := strings.Split(host, ".")
	for i, p := range parts {
		if strings.HasPrefix(p, "amazonaws") && i > 0 && strings.Count(parts[i-1], "-") >= 2 {
			return parts[i-1]
		}
	}
	return ""
}
