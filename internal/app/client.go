package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"syscall"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/dialect/native"
	"github.com/aratta-gateway/aratta/scri"
)

// url is where a client on this machine reaches the gateway.
func (l *Loaded) url() string {
	host := l.Server.Host
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return l.Server.scheme() + net.JoinHostPort(host, strconv.Itoa(l.Server.Port))
}

// gatewayURL reads --url as people write it: without a scheme, or with the path
// that SDKs want.
func gatewayURL(given string) (string, error) {
	text := given
	if !strings.Contains(text, "://") {
		text = "http://" + text
	}
	u, err := url.Parse(text)
	if err == nil && u.Hostname() == "" && u.Port() != "" { // :8084
		u.Host = "127.0.0.1:" + u.Port()
	}
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return "", &usageError{fmt.Errorf("--url %q: write it like http://127.0.0.1:8084", given)}
	}
	u.RawQuery, u.Fragment = "", ""
	u.Path = strings.TrimRight(u.Path, "/")
	for _, tail := range []string{"/v1", "/api"} {
		u.Path = strings.TrimSuffix(u.Path, tail)
	}
	return strings.TrimRight(u.String(), "/"), nil
}

// unreached is the error of a gateway that is not there.
type unreached struct {
	url string
	err error
}

func (e *unreached) Error() string {
	if distrusted(e.err) {
		return fmt.Sprintf("the certificate of %s is not trusted here: %v (name it or who signed it in server.tls_cert of the configuration, or in SSL_CERT_FILE)", e.url, e.err)
	}
	why := e.err
	if u, ok := errors.AsType[*url.Error](why); ok { // which repeats what was asked for
		why = u.Err
	}
	if errors.Is(why, syscall.ECONNREFUSED) {
		why = errors.New("nobody listens there")
	}
	return fmt.Sprintf("the gateway at %s is not reached (start it with `aratta serve`): %v", e.url, why)
}

func (e *unreached) Unwrap() error { return e.err }

// answer asks the gateway at base, and takes any answer. Whoever gets one closes it.
func (p *program) answer(ctx context.Context, method, base, path string, body io.Reader) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, base+path, body)
	if err != nil {
		return nil, err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if key, ok := p.Env("ARATTA_API_KEY"); ok {
		req.Header.Set("Authorization", "Bearer "+key)
	}
	res, err := p.client(base).Do(req)
	switch {
	case err == nil:
		return res, nil
	case ctx.Err() != nil:
		return nil, errInterrupted
	default:
		return nil, &unreached{base, err}
	}
}

// call asks the gateway at base. Whoever gets an answer closes it.
func (p *program) call(ctx context.Context, method, base, path string, body io.Reader) (*http.Response, error) {
	res, err := p.answer(ctx, method, base, path, body)
	if err != nil || res.StatusCode == http.StatusOK {
		return res, err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(io.LimitReader(res.Body, maxPrompt))
	if err != nil {
		return nil, err
	}
	return nil, p.refusal(res, b, base)
}

// refusal is the error that an answer is.
func (p *program) refusal(res *http.Response, body []byte, base string) error {
	a := answerOf(res)
	a.Body = body
	e := native.New().DecodeError(a)
	if e.RequestID == "" {
		e.RequestID = res.Header.Get("X-Aratta-Request-Id")
	}
	if strings.Contains(string(body), "HTTP request to an HTTPS server") { // as net/http says it
		e.Hint = "it speaks TLS: ask at " + strings.Replace(base, "http://", "https://", 1)
	}
	if e.RequestID == "" && e.Hint == "" {
		e.Hint = "is it Aratta that listens at " + base + "?"
	}
	return e
}

func answerOf(res *http.Response) *dialect.Answer {
	return &dialect.Answer{Status: res.StatusCode, Header: res.Header, Stream: res.Body, Target: &dialect.Target{}}
}

// models asks the gateway at base what can be asked for.
func (p *program) models(ctx context.Context, base string) (*scri.ModelList, error) {
	d, ok := native.New().(dialect.Lister)
	if !ok {
		return nil, fmt.Errorf("models are not listed in the gateway's own API")
	}
	out := d.ListRequest(&dialect.Target{})
	res, err := p.call(ctx, out.Method, base, out.Path, nil)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	a := answerOf(res)
	if a.Body, err = io.ReadAll(io.LimitReader(res.Body, maxPrompt)); err != nil {
		return nil, err
	}
	return d.DecodeModels(a)
}
