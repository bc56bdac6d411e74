package app

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aratta-gateway/aratta/internal/telemetry"
)

// issued is a certificate and its key, in files.
type issued struct{ cert, key string }

func (i issued) config() string {
	return fmt.Sprintf("[server]\ntls_cert = %q\ntls_key = %q\n", i.cert, i.key)
}

// issue puts a certificate for name into dir, over one that may be there. It is
// valid for a day around now.
func issue(t *testing.T, dir, name string, now time.Time) issued {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: now.Add(-12 * time.Hour), NotAfter: now.Add(12 * time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	i := issued{filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")}
	for file, b := range map[string]*pem.Block{i.cert: {Type: "CERTIFICATE", Bytes: der}, i.key: {Type: "PRIVATE KEY", Bytes: pkcs8}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(b), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return i
}

// What is wrong with a certificate is told with its place in the configuration.
func TestCertificateProblems(t *testing.T) {
	now := time.Now()
	good, other, old := issue(t, t.TempDir(), "gw.example", now), issue(t, t.TempDir(), "gw.example", now), issue(t, t.TempDir(), "gw.example", now.AddDate(-1, 0, 0))
	empty := filepath.Join(t.TempDir(), "empty.pem")
	locked := filepath.Join(t.TempDir(), "locked.pem")
	for file, text := range map[string]string{empty: "", locked: "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n"} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct{ name, config, want string }{
		{"both", good.config(), ""},
		{"no key", fmt.Sprintf("[server]\ntls_cert = %q\n", good.cert), ":2:1: server.tls_cert: TLS needs a certificate and its key: server.tls_key is missing"},
		{"no certificate", fmt.Sprintf("[server]\nport = 1\ntls_key = %q\n", good.key), ":3:1: server.tls_key: TLS needs a certificate and its key: server.tls_cert is missing"},
		{"no file of the certificate", issued{"nowhere.pem", good.key}.config(), ":2:1: server.tls_cert: open nowhere.pem: "},
		{"no file of the key", issued{good.cert, "nowhere.pem"}.config(), ":3:1: server.tls_key: open nowhere.pem: "},
		{"an empty certificate", issued{empty, good.key}.config(), ":2:1: server.tls_cert: " + empty + " holds no certificate"},
		{"an empty key", issued{good.cert, empty}.config(), ":3:1: server.tls_key: " + empty + " holds no private key"},
		{"the key in place of the certificate", issued{good.key, good.key}.config(), ":2:1: server.tls_cert: " + good.key + " holds no certificate"},
		{"a key with a passphrase", issued{good.cert, locked}.config(), ":3:1: server.tls_key: " + locked + " is encrypted"},
		{"another's key", issued{good.cert, other.key}.config(), ":3:1: server.tls_key: " + other.key + " is the key of another certificate"},
		{"a variable that is not set", "[server]\ntls_cert = \"${X}\"\ntls_key = \"k\"\n", ":2:1: server.tls_cert: ${X} is not set"},
		{"an old certificate", old.config(), "warning: :2:1: server.tls_cert: the certificate is not valid any more"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, err := load(t, c.config, env())
			got := fmt.Sprint(err)
			if err == nil {
				got = "warning: " + strings.Join(s.Warnings, "\n")
			}
			warn, _ := strings.CutPrefix(c.want, "warning: ")
			if (c.want == "") != (got == "warning: ") || (warn == c.want) != (err != nil || c.want == "") || !strings.Contains(got, warn) {
				t.Errorf("%s", got)
			}
		})
	}
}

// Clients ask over TLS 1.2 or later, HTTP/2 included; the command line knows its
// own gateway by its certificate.
func TestServeTLS(t *testing.T) {
	_, upstream := newGate(t)
	dir := t.TempDir()
	i := issue(t, dir, "gw.example", time.Now())
	text, err := os.ReadFile(i.cert)
	if err != nil {
		t.Fatal(err)
	}
	p, url := serveProcess(t, upstream, i.config())
	addr := strings.TrimPrefix(url, "http://")
	url = "https://" + addr
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(text)
	get := func(url string, c *tls.Config) (*http.Response, string, error) {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		client := &http.Client{Timeout: patience, Transport: &http.Transport{TLSClientConfig: c, ForceAttemptHTTP2: true, DisableKeepAlives: true}}
		res, err := client.Do(req)
		if err != nil {
			return nil, "", err
		}
		defer res.Body.Close()
		b, err := io.ReadAll(res.Body)
		return res, string(b), err
	}
	res, body, err := get(url+"/v1/models", &tls.Config{RootCAs: roots, ServerName: "gw.example", MinVersion: tls.VersionTLS12})
	if err != nil || res.StatusCode != http.StatusOK || res.ProtoMajor != 2 || !strings.Contains(body, "slow:m") {
		t.Errorf("over TLS: %v, %v, %s", err, res, body)
	}
	if _, _, err := get(url+"/health", &tls.Config{RootCAs: roots, ServerName: "gw.example", MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}); err == nil || !strings.Contains(err.Error(), "protocol version") {
		t.Errorf("over TLS 1.1: %v", err)
	}
	if res, _, err := get("http://"+addr+"/health", nil); err != nil || res.StatusCode != http.StatusBadRequest {
		t.Errorf("over plain HTTP: %v, %v", err, res)
	}
	cli := func(config string, args ...string) (int, string) {
		file := filepath.Join(t.TempDir(), "config.toml")
		if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		code := Main(t.Context(), "test", append(args, "--config", file), IO{In: strings.NewReader(""), Out: &out, Err: &out, Env: env("ARATTA_HOME", t.TempDir())})
		return code, out.String()
	}
	port := addr[strings.LastIndexByte(addr, ':')+1:]
	for _, c := range []struct {
		name, config string
		args         []string
		code         int
		want         string
	}{
		{"at the configured address", i.config() + "host = \"127.0.0.1\"\nport = " + port + "\n", []string{"models"}, 0, "slow:m"},
		{"at an address", i.config(), []string{"models", "--url", url}, 0, "slow:m"},
		{"without the certificate", "", []string{"models", "--url", url}, 1, "server.tls_cert of the configuration"},
		{"without TLS", "", []string{"models", "--url", "http://" + addr}, 1, "it speaks TLS: ask at https://" + addr},
		{"with another's certificate", issue(t, t.TempDir(), "gw.example", time.Now()).config(), []string{"health", "--live", "--url", url}, 1, "is not trusted here"},
	} {
		if code, out := cli(c.config, c.args...); code != c.code || !strings.Contains(out, c.want) {
			t.Errorf("%s: %d: %s", c.name, code, out)
		}
	}
	if _, err := p.says(`"level":"INFO","msg":"http: TLS handshake error`); err != nil {
		t.Error(err)
	}
}

// A certificate that was renewed on disk is shown without a restart, also while the
// configuration has a mistake; half of a pair changes nothing. Whether TLS is
// spoken is decided at the start.
func TestCertificateIsRenewed(t *testing.T) {
	dir, log := t.TempDir(), &logBuffer{}
	i := issue(t, dir, "first.example", time.Now())
	file := filepath.Join(dir, "config.toml")
	put := func(file, text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	put(file, i.config())
	e := env("ARATTA_HOME", dir)
	l, err := Load(file, e)
	if err != nil {
		t.Fatal(err)
	}
	g := &live{version: "test", env: e, file: file, log: slog.New(slog.NewJSONHandler(log, nil)), meter: telemetry.New("test"), override: func(*Loaded) {}}
	if err := g.begin(t.Context(), l); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(g.close)
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			g.watchCertificate(ctx)
		}()
		step := func(what, want string) {
			t.Helper()
			time.Sleep(watchEvery + watchEvery/2)
			synctest.Wait()
			if got := g.shown.Load().Leaf.DNSNames[0]; got != want {
				t.Errorf("%s: %s is shown, want %s", what, got, want)
			}
		}
		step("nothing changed", "first.example")
		put(file, "nonsense")
		issue(t, dir, "second.example", time.Now())
		step("renewed", "second.example")
		put(i.key, "half")
		step("half a pair", "second.example")
		if !strings.Contains(log.String(), "the one before is still shown") {
			t.Error("nobody is told of half a pair")
		}
		issue(t, dir, "third.example", time.Now())
		step("and again", "third.example")
		third, err := os.ReadFile(i.cert)
		if err != nil {
			t.Fatal(err)
		}
		put(i.cert, string(third)+string(third))
		step("with who signed it", "third.example")
		if n := len(g.shown.Load().Certificate); n != 2 {
			t.Errorf("%d certificates are shown, want that which was added, too", n)
		}
		stop()
		<-done
	})
	other := issue(t, t.TempDir(), "other.example", time.Now())
	put(file, other.config())
	if _, err := g.Reload(t.Context()); err != nil || g.shown.Load().Leaf.DNSNames[0] != "other.example" {
		t.Errorf("another file in the configuration: %v", err)
	}
	put(file, "")
	if r, err := g.Reload(t.Context()); err != nil || len(r.Later) != 1 || r.Later[0] != keyCert {
		t.Errorf("TLS was taken out: %v, %v", r, err)
	}
	if g.shown.Load() == nil {
		t.Error("who comes over TLS is shown nothing")
	}
}

// A certificate that nobody renews is told of before its end, and at its end.
func TestCertificateEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir, log := t.TempDir(), &logBuffer{}
		l, err := Read("", []byte(issue(t, dir, "gw.example", time.Now()).config()), env("ARATTA_HOME", dir))
		if err != nil {
			t.Fatal(err)
		}
		c, err := l.certificate()
		if err != nil {
			t.Fatal(err)
		}
		g := &live{log: slog.New(slog.NewJSONHandler(log, nil))}
		g.now.Store(&running{Snapshot: &Snapshot{Config: l}})
		g.shown.Store(c)
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			g.watchCertificate(ctx)
		}()
		for _, step := range []struct {
			after time.Duration
			says  string
		}{{9 * time.Hour, ""}, {time.Hour, "ends on 2000-01-01 12:00:00 and is not renewed"}, {2*time.Hour + time.Minute, "not valid any more"}} {
			said := len(log.String())
			time.Sleep(step.after)
			synctest.Wait()
			if got := log.String()[said:]; strings.Count(got, "\n") != min(len(step.says), 1) || !strings.Contains(got, step.says) {
				t.Errorf("after %s: %s", step.after, got)
			}
		}
		stop()
		<-done
	})
}

// A client takes a gateway that has a certificate for its name from somebody whom
// it trusts, and no other.
func TestTrust(t *testing.T) {
	i := issue(t, t.TempDir(), "gw.example", time.Now())
	other := issue(t, t.TempDir(), "gw.example", time.Now())
	parsed := func(i issued) *x509.Certificate {
		text, err := os.ReadFile(i.cert)
		if err != nil {
			t.Fatal(err)
		}
		return parseCertificates(text)[0]
	}
	mine, theirs := parsed(i), parsed(other)
	for _, c := range []struct {
		name, host string
		own        []*x509.Certificate
		want       bool
	}{
		{"the very one, at an address", "127.0.0.1", []*x509.Certificate{mine}, true},
		{"one that is trusted, by its name", "gw.example", []*x509.Certificate{theirs, mine}, true},
		{"one that is trusted, by another name", "127.0.0.1", []*x509.Certificate{theirs, mine}, false},
		{"another", "gw.example", []*x509.Certificate{theirs}, false},
		{"none is known", "gw.example", nil, false},
	} {
		err := trust(c.host, c.own).VerifyConnection(tls.ConnectionState{PeerCertificates: []*x509.Certificate{mine}})
		if (err == nil) != c.want || err != nil && !distrusted(err) {
			t.Errorf("%s: %v", c.name, errors.Join(err))
		}
	}
}
