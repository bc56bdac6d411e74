package provider

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"net/http"
	"net/url"
	"time"

	"github.com/go-json-experiment/json"
)

// googleScope is what tokens for Google Cloud are asked for.
const googleScope = "https://www.googleapis.com/auth/cloud-platform"

// googleLife is how long an assertion is good for; Google takes no longer one.
const googleLife = time.Hour

// google is a credential of Google Cloud: a service account, or what
// `gcloud auth application-default login` leaves.
type google struct {
	kid, email string
	key        *rsa.PrivateKey // of a service account
	refresh    url.Values      // of a person
}

// readGoogle reads a credential file. Where tokens are asked for stands in the
// catalogue: a file does not say where requests go.
func readGoogle(raw secret) (*google, error) {
	var v struct {
		Type         string `json:"type"`
		KeyID        string `json:"private_key_id"`
		Key          string `json:"private_key"`
		Email        string `json:"client_email"`
		ClientID     string `json:"client_id"`
		ClientSecret string `json:"client_secret"`
		Refresh      string `json:"refresh_token"`
	}
	const want = "it must be the JSON file of a service account's key, or of application default credentials"
	if err := json.Unmarshal([]byte(raw), &v); err != nil {
		return nil, invalidf(want, "the Google credential is no JSON") // err may hold a part of it
	}
	switch v.Type {
	case "service_account":
	case "authorized_user":
		if v.ClientID == "" || v.Refresh == "" {
			return nil, invalidf(want, "the Google credential lacks client_id or refresh_token")
		}
		return &google{refresh: url.Values{
			"grant_type": {"refresh_token"}, "client_id": {v.ClientID}, "client_secret": {v.ClientSecret}, "refresh_token": {v.Refresh},
		}}, nil
	default:
		return nil, invalidf(want, "the Google credential is of the type %q", clipped(v.Type))
	}
	block, _ := pem.Decode([]byte(v.Key))
	if block == nil || v.Email == "" {
		return nil, invalidf(want, "the Google credential lacks private_key or client_email")
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		if parsed, err = x509.ParsePKCS1PrivateKey(block.Bytes); err != nil {
			return nil, invalidf(want, "private_key of the Google credential is no RSA key")
		}
	}
	key, ok := parsed.(*rsa.PrivateKey)
	if !ok {
		return nil, invalidf(want, "private_key of the Google credential is no RSA key")
	}
	return &google{kid: v.KeyID, email: v.Email, key: key}, nil
}

// google asks for a token of Google Cloud.
func (d *tokenDoor) google(ctx context.Context, g *google) (token, error) {
	if g.key == nil {
		return d.ask(ctx, http.Header{}, g.refresh, secret(g.refresh.Get("refresh_token")), secret(g.refresh.Get("client_secret")))
	}
	assertion, err := g.assertion(d.url.String(), d.from.spec.Auth.Scope, time.Now())
	if err != nil {
		return token{}, err
	}
	form := url.Values{"grant_type": {"urn:ietf:params:oauth:grant-type:jwt-bearer"}, "assertion": {string(assertion)}}
	return d.ask(ctx, http.Header{}, form, assertion)
}

// assertion is the signed statement for which Google gives a token.
func (g *google) assertion(audience, scope string, now time.Time) (secret, error) {
	if scope == "" {
		scope = googleScope
	}
	head, err := json.Marshal(struct {
		Alg string `json:"alg"`
		Typ string `json:"typ"`
		Kid string `json:"kid,omitzero"`
	}{"RS256", "JWT", g.kid})
	if err != nil {
		return "", err
	}
	claims, err := json.Marshal(struct {
		Iss   string `json:"iss"`
		Scope string `json:"scope"`
		Aud   string `json:"aud"`
		Iat   int64  `json:"iat"`
		Exp   int64  `json:"exp"`
	}{g.email, scope, audience, now.Unix(), now.Add(googleLife).Unix()})
	if err != nil {
		return "", err
	}
	enc := base64.RawURLEncoding
	signed := enc.EncodeToString(head) + "." + enc.EncodeToString(claims)
	sum := sha256.Sum256([]byte(signed))
	sig, err := rsa.SignPKCS1v15(rand.Reader, g.key, crypto.SHA256, sum[:])
	if err != nil {
		return "", err
	}
	return secret(signed + "." + enc.EncodeToString(sig)), nil
}
