package provider

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aratta-gateway/aratta/scri"
)

// issuer is a token endpoint over TLS with a certificate of its own, and an API
// that takes its newest token alone.
type issuer struct {
	tokens, api *httptest.Server
	ca          string
	asked       atomic.Int32
	served      atomic.Int32
	revoked     atomic.Int32 // tokens up to this one are not taken any more
	refuse      atomic.Pointer[string]
	last        atomic.Pointer[http.Request]
	form        atomic.Pointer[url.Values]
}

func (i *issuer) token() string { return fmt.Sprintf("access-token-%04d", i.asked.Load()) }

func newIssuer(t *testing.T) *issuer {
	t.Helper()
	i := &issuer{}
	i.tokens = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if body := i.refuse.Load(); body != nil {
			w.WriteHeader(http.StatusUnauthorized)
			fmt.Fprint(w, *body)
			return
		}
		if err := r.ParseForm(); err != nil {
			t.Error(err)
		}
		i.last.Store(r.Clone(context.WithoutCancel(r.Context())))
		i.form.Store(&r.PostForm)
		i.asked.Add(1)
		fmt.Fprintf(w, `{"access_token":%q,"expires_at":%d}`, i.token(), time.Now().Add(30*time.Minute).UnixMilli())
	}))
	t.Cleanup(i.tokens.Close)
	i.api = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		i.served.Add(1)
		_, _ = io.Copy(io.Discard, r.Body)
		if got := r.Header.Get("Authorization"); i.revoked.Load() >= i.asked.Load() || got != "Bearer "+i.token() {
			w.WriteHeader(http.StatusUnauthorized)
			fmt.Fprint(w, "token has expired: "+got)
			return
		}
		fmt.Fprint(w, `{"text":"hi"}`)
	}))
	t.Cleanup(i.api.Close)
	i.ca = filepath.Join(t.TempDir(), "ca.pem")
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: i.tokens.Certificate().Raw})
	if err := os.WriteFile(i.ca, block, 0o600); err != nil {
		t.Fatal(err)
	}
	return i
}

// entry is a catalogue with the API of the issuer.
func (i *issuer) entry(t *testing.T, auth string) *Catalogue {
	t.Helper()
	return loadFiles(t, map[string]string{"acme.yaml": "dialect: plain\nzone: cloud\nbase_url: " + i.api.URL + "\nauth: {" + auth + ", token_url: " + i.tokens.URL + "/oauth}\n"})
}

func acme(t *testing.T, i *issuer, key string, e Entry) *Provider {
	t.Helper()
	c := loadFiles(t, map[string]string{"acme.yaml": `
dialect: plain
zone: cloud
base_url: ` + i.api.URL + `
params: {scope: {env: ACME_SCOPE, default: PERS}}
auth:
  scheme: oauth
  env: ACME
  token_url: ` + i.tokens.URL + `/oauth
  form: {scope: "{scope}"}
  request_id: RqUID
`})
	return build(t, Remote, "acme", e, Deps{Catalogue: c, LookupEnv: env("ACME", key)})
}

// Tokens are got with the key as HTTP's basic authorization has it, over TLS with
// the authority that the configuration names; a token serves until it is refused,
// and then the request is sent once more with a fresh one.
func TestClientCredentials(t *testing.T) {
	for name, key := range map[string]string{"encoded": "aWQ6dmVyeS1zZWNyZXQ=", "plain": "id:very-secret"} {
		t.Run(name, func(t *testing.T) {
			i := newIssuer(t)
			p := acme(t, i, key, Entry{CAFile: i.ca})
			for range 3 {
				if got, err := chat(allowed(t, p), p, false); err != nil || got != "hi" {
					t.Fatalf("%q, %v", got, err)
				}
			}
			r := i.last.Load()
			if got := r.Header.Get("Authorization"); got != "Basic aWQ6dmVyeS1zZWNyZXQ=" {
				t.Errorf("Authorization %q", got)
			}
			if id := r.Header.Get("Rquid"); !regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`).MatchString(id) {
				t.Errorf("RqUID %q", id)
			}
			if got := i.form.Load().Encode(); got != "scope=PERS" {
				t.Errorf("form %q", got)
			}
			if i.asked.Load() != 1 || i.served.Load() != 3 {
				t.Errorf("%d tokens for %d requests", i.asked.Load(), i.served.Load())
			}
			i.revoked.Store(1)
			if got, err := chat(allowed(t, p), p, false); err != nil || got != "hi" {
				t.Fatalf("after the token was revoked: %q, %v", got, err)
			}
			if i.asked.Load() != 2 || i.served.Load() != 5 {
				t.Errorf("%d tokens for %d requests", i.asked.Load(), i.served.Load())
			}
			i.revoked.Store(100)
			_, err := chat(allowed(t, p), p, false)
			e := wantError(t, err, scri.ErrAuth, "token has expired: Bearer ***")
			notIn(t, "access-token", e.Error(), string(e.Raw), fmt.Sprintf("%+v", p))
			if i.asked.Load() != 3 || i.served.Load() != 7 {
				t.Errorf("%d tokens for %d requests", i.asked.Load(), i.served.Load())
			}
		})
	}
}

// A refusal of the endpoint is told without what was sent to it.
func TestTokenRefused(t *testing.T) {
	i := newIssuer(t)
	p := acme(t, i, "id:very-secret", Entry{CAFile: i.ca})
	said := `{"code":6,"message":"no client aWQ6dmVyeS1zZWNyZXQ= or id:very-secret"}`
	i.refuse.Store(&said)
	_, err := chat(allowed(t, p), p, false)
	e := wantError(t, err, scri.ErrAuth, "gave no token: no client *** or ***", "check the credential")
	notIn(t, "very-secret", e.Error(), string(e.Raw))
	if i.served.Load() != 0 || e.Provider != "acme" {
		t.Errorf("served %d, provider %q", i.served.Load(), e.Provider)
	}
}

func TestTokenAuthorityUnknown(t *testing.T) {
	i := newIssuer(t)
	p := acme(t, i, "k", Entry{})
	_, err := chat(allowed(t, p), p, false)
	wantError(t, err, scri.ErrUnavailable, "signed by an unknown authority", "ca_file")
}

// No token is fetched for what may not leave.
func TestTokenNeedsPermit(t *testing.T) {
	i := newIssuer(t)
	p := acme(t, i, "k", Entry{CAFile: i.ca})
	for name, ctx := range map[string]context.Context{
		"none":       t.Context(),
		"other zone": WithPermit(t.Context(), For(ZoneLocal, p.Host())),
		"endpoint":   WithPermit(t.Context(), For(ZoneCloud, strings.TrimPrefix(i.tokens.URL, "https://"))),
	} {
		_, err := chat(ctx, p, false)
		wantError(t, err, scri.ErrPolicy)
		if i.asked.Load() != 0 || i.served.Load() != 0 {
			t.Errorf("%s: something left", name)
		}
	}
}

// serviceAccount is a credential as Google hands it out.
func serviceAccount(t *testing.T, tokenURI string) (string, *rsa.PrivateKey) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(map[string]string{
		"type": "service_account", "private_key_id": "kid-1", "client_email": "me@project.iam.example",
		"private_key": string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})),
		"token_uri":   tokenURI,
	})
	if err != nil {
		t.Fatal(err)
	}
	return string(b), key
}

// A service account signs a statement, for which the endpoint of the catalogue,
// and no other, gives a token.
func TestGoogleServiceAccount(t *testing.T) {
	i := newIssuer(t)
	raw, key := serviceAccount(t, "https://evil.example/token")
	file := filepath.Join(t.TempDir(), "account.json")
	if err := os.WriteFile(file, []byte(raw), 0o600); err != nil {
		t.Fatal(err)
	}
	c := i.entry(t, "scheme: google, env: ACME")
	for name, e := range map[string]struct {
		entry Entry
		env   string
	}{
		"in the variable":   {Entry{}, raw},
		"a file's name":     {Entry{}, file},
		"named as key file": {Entry{APIKeyFile: file}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			e.entry.CAFile = i.ca
			p := build(t, Remote, "acme", e.entry, Deps{Catalogue: c, LookupEnv: env("ACME", e.env)})
			if got, err := chat(allowed(t, p), p, false); err != nil || got != "hi" {
				t.Fatalf("%q, %v", got, err)
			}
			form := i.form.Load()
			if got := form.Get("grant_type"); got != "urn:ietf:params:oauth:grant-type:jwt-bearer" {
				t.Errorf("grant_type %q", got)
			}
			checkAssertion(t, form.Get("assertion"), key, i.tokens.URL+"/oauth")
			notIn(t, "BEGIN", fmt.Sprintf("%+v %#v", p, p))
		})
	}
}

func checkAssertion(t *testing.T, assertion string, key *rsa.PrivateKey, audience string) {
	t.Helper()
	parts := strings.Split(assertion, ".")
	if len(parts) != 3 {
		t.Fatalf("assertion %q", assertion)
	}
	decoded := make([][]byte, len(parts))
	for i, s := range parts {
		b, err := base64.RawURLEncoding.DecodeString(s)
		if err != nil {
			t.Fatal(err)
		}
		decoded[i] = b
	}
	if got := string(decoded[0]); got != `{"alg":"RS256","typ":"JWT","kid":"kid-1"}` {
		t.Errorf("head %s", got)
	}
	var claims struct {
		Iss, Scope, Aud string
		Iat, Exp        int64
	}
	if err := json.Unmarshal(decoded[1], &claims); err != nil {
		t.Fatal(err)
	}
	if claims.Iss != "me@project.iam.example" || claims.Scope != googleScope || claims.Aud != audience || claims.Exp-claims.Iat != 3600 {
		t.Errorf("claims %+v", claims)
	}
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if err := rsa.VerifyPKCS1v15(&key.PublicKey, crypto.SHA256, sum[:], decoded[2]); err != nil {
		t.Error(err)
	}
}

func TestGoogleUser(t *testing.T) {
	i := newIssuer(t)
	p := build(t, Remote, "acme", Entry{CAFile: i.ca}, Deps{
		Catalogue: i.entry(t, "scheme: google, env: ACME"),
		LookupEnv: env("ACME", `{"type":"authorized_user","client_id":"c","client_secret":"s","refresh_token":"r"}`),
	})
	if got, err := chat(allowed(t, p), p, false); err != nil || got != "hi" {
		t.Fatalf("%q, %v", got, err)
	}
	if got := i.form.Load().Encode(); got != "client_id=c&client_secret=s&grant_type=refresh_token&refresh_token=r" {
		t.Errorf("form %q", got)
	}
}

// A credential that is none is told at the start, without a part of it.
func TestGoogleCredentialErrors(t *testing.T) {
	i := newIssuer(t)
	c := i.entry(t, "scheme: google, env: ACME")
	for raw, want := range map[string]string{
		`{"type":"service_account","private_key":"hidden-hidden"}`:                                                                                     "lacks private_key or client_email",
		`{"type":"service_account","client_email":"e","private_key":"-----BEGIN PRIVATE KEY-----\naGlkZGVuLWhpZGRlbg==\n-----END PRIVATE KEY-----\n"}`: "no RSA key",
		`{"type":"external_account"}`: `of the type "external_account"`,
		`{"hidden-hidden`:             "is no JSON",
		`{"type":"authorized_user"}`:  "lacks client_id or refresh_token",
	} {
		_, err := tryBuild(t, Remote, "acme", Entry{CAFile: i.ca}, Deps{Catalogue: c, LookupEnv: env("ACME", raw)})
		e := wantError(t, err, scri.ErrInvalid, want, "must be the JSON file")
		notIn(t, "hidden", e.Error())
	}
}

// The caller's own credential goes to the provider whose table says so, and the
// gateway's environment holds no other for it.
func TestCallersCredential(t *testing.T) {
	var seen http.Header
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen = r.Header.Clone()
		if r.Header.Get("X-Want") == "" && strings.Contains(r.Header.Get("Authorization"), "expired") {
			w.WriteHeader(http.StatusUnauthorized)
			fmt.Fprint(w, "bad token "+r.Header.Get("Authorization"))
			return
		}
		fmt.Fprint(w, `{"text":"hi"}`)
	}))
	t.Cleanup(srv.Close)
	p := build(t, Remote, "anthropic", Entry{Auth: AuthClient, BaseURL: srv.URL}, Deps{LookupEnv: env("ANTHROPIC_API_KEY", theKey)})
	if !p.Passes() || p.Disabled() != "" {
		t.Fatalf("passes %t, disabled %q", p.Passes(), p.Disabled())
	}
	ask := func(h http.Header) error {
		s, _, err := p.Chat(allowed(t, p), &scri.ChatRequest{}, &Call{Model: "m", Caller: h})
		if err != nil {
			return err
		}
		_, err = drainText(s)
		return err
	}
	for name, tc := range map[string]struct{ sent, want http.Header }{
		"a subscription": {http.Header{"Authorization": {"Bearer sk-ant-oat01-abc"}}, http.Header{"Authorization": {"Bearer sk-ant-oat01-abc"}}},
		"a key":          {http.Header{"X-Api-Key": {"sk-ant-api03-abc"}}, http.Header{"X-Api-Key": {"sk-ant-api03-abc"}}},
		"both": {
			http.Header{"Authorization": {"Bearer a"}, "X-Api-Key": {"b"}, "Cookie": {"c"}}, http.Header{"Authorization": {"Bearer a"}},
		},
		"with an account": {
			http.Header{"Authorization": {"Bearer a"}, "Chatgpt-Account-Id": {"acc"}},
			http.Header{"Authorization": {"Bearer a"}, "Chatgpt-Account-Id": {"acc"}},
		},
		"not a bearer": {http.Header{"Authorization": {"Basic a"}, "X-Api-Key": {"b"}}, http.Header{"X-Api-Key": {"b"}}},
	} {
		if err := ask(tc.sent); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for _, h := range []string{"Authorization", "X-Api-Key", "Chatgpt-Account-Id", "Cookie"} {
			if seen.Get(h) != tc.want.Get(h) {
				t.Errorf("%s: %s is %q, want %q", name, h, seen.Get(h), tc.want.Get(h))
			}
		}
	}
	seen = nil
	wantError(t, ask(nil), scri.ErrAuth, "the caller's own credential")
	if seen != nil {
		t.Error("something was sent without a credential")
	}
	e := wantError(t, ask(http.Header{"Authorization": {"Bearer expired-token"}}), scri.ErrAuth, "bad token ***")
	notIn(t, "expired-token", e.Error(), string(e.Raw))

	_, err := tryBuild(t, Remote, "anthropic", Entry{Auth: AuthClient, APIKeyEnv: "K"}, Deps{})
	wantError(t, err, scri.ErrInvalid, "takes the caller's credential, and no other")
	_, err = tryBuild(t, Remote, "anthropic", Entry{Auth: "bearer"}, Deps{})
	wantError(t, err, scri.ErrInvalid, `auth "bearer" is not "client"`)
	_, err = tryFiles(t, map[string]string{"x.yaml": "dialect: plain\nzone: cloud\nauth: {scheme: client}\n"})
	wantError(t, err, scri.ErrInvalid, "x.yaml:3:16", "decided in the configuration")

	other := build(t, Remote, "anthropic", Entry{BaseURL: srv.URL}, Deps{LookupEnv: env("ANTHROPIC_API_KEY", theKey)})
	s, _, err := other.Chat(allowed(t, other), &scri.ChatRequest{}, &Call{Model: "m", Caller: http.Header{"Authorization": {"Bearer a"}}})
	if err = errors.Join(err, s.Close()); err != nil || seen.Get("Authorization") != "" || seen.Get("X-Api-Key") != theKey {
		t.Errorf("a provider that was not told so got %v, %v", seen, err)
	}
}
