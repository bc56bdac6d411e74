package provider

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/aratta-gateway/aratta/internal/reach"
	"github.com/aratta-gateway/aratta/internal/term"
	"github.com/aratta-gateway/aratta/scri"
)

// fill adds to an error what only the provider knows, and takes the key out of
// texts that came from elsewhere.
func (a *attempt) fill(e *scri.Error) *scri.Error {
	if e.Kind == scri.ErrInternal || e.Kind == scri.ErrCanceled && a.parent.Err() == nil && !a.closed.Load() {
		// The upstream says so of itself; it is not this gateway that is broken, nor
		// its caller who went away.
		if e.Code == "" {
			e.Code = string(e.Kind)
		}
		e.Kind = scri.ErrUnavailable
	}
	if e.RequestID == "" {
		e.RequestID = a.info.UpstreamID
	}
	for _, name := range passedHeaders() {
		for _, v := range a.caller[name] {
			_, bare, _ := strings.Cut(v, " ")
			scrub(e, secret(v).scrub)
			scrub(e, secret(bare).scrub)
		}
	}
	return a.p.fill(e)
}

func (p *Provider) fill(e *scri.Error) *scri.Error {
	if e.Provider == "" {
		e.Provider = p.name
	}
	if errors.Is(e.Err, io.EOF) {
		e.Err = io.ErrUnexpectedEOF // or somebody takes the failure for the clean end of a stream
	}
	scrub(e, p.key.scrub)
	if p.signer != nil {
		scrub(e, p.signer.scrub)
	}
	return e
}

// scrub takes a secret out of all that an error says.
func scrub(e *scri.Error, clean func(string) string) {
	e.Message, e.Hint = clean(e.Message), clean(e.Hint)
	if raw := clean(string(e.Raw)); raw != string(e.Raw) {
		e.Raw = []byte(raw)
	}
}

// failure says what an error of the network, or of the wait for it, means.
func (a *attempt) failure(err error) *scri.Error {
	if se, ok := errors.AsType[*scri.Error](err); ok {
		return a.fill(se)
	}
	if a.closed.Load() {
		return a.fill(&scri.Error{Kind: scri.ErrCanceled, Message: "the answer was closed", Err: err})
	}
	return a.fill(a.p.failure(a.parent, a.watch.fired.Load(), err, a.resp != nil))
}

// failure classifies err; begun says whether the head of an answer had come.
func (p *Provider) failure(ctx context.Context, l *late, err error, begun bool) *scri.Error {
	if l != nil {
		e := &scri.Error{Kind: scri.ErrTimeout, Message: l.Error(), Err: l}
		if key := p.setting(l); key != "" {
			e.Hint = "raise " + key + " in [resilience] if the model needs longer"
		}
		return e
	}
	switch cause := ctx.Err(); {
	case errors.Is(cause, context.DeadlineExceeded):
		return &scri.Error{Kind: scri.ErrTimeout, Message: "the time for the whole request is over", Err: cause}
	case cause != nil:
		e := &scri.Error{Kind: scri.ErrCanceled, Message: "the caller went away", Err: cause}
		if why, ok := errors.AsType[*scri.Error](term.Cause(ctx)); ok { // no: he was sent away
			e.Message = why.Message
		}
		return e
	}
	if e := p.tlsFailure(err); e != nil {
		return e
	}
	if begun {
		return &scri.Error{Kind: scri.ErrTruncated, Message: "the connection broke before the answer was complete", Err: err}
	}
	return p.notReached(err)
}

// setting is the key of [resilience] that sets the limit, or "". More of a whole
// answer may take as long as a first token, see [Timeouts.whole].
func (p *Provider) setting(l *late) string {
	switch l.phase {
	case phaseTotal:
		return ""
	case phaseHead:
		return "header_timeout"
	case phaseFirst:
		return "first_token_timeout"
	default:
		if whole := p.timeouts.whole(); l.limit == whole.idle && l.limit != p.timeouts.stream(p.Zone()).idle {
			return "first_token_timeout"
		}
		return "idle_timeout"
	}
}

// notReached classifies failures before any answer.
func (p *Provider) notReached(err error) *scri.Error {
	e := &scri.Error{Kind: scri.ErrUnavailable, Err: err}
	dns, isDNS := errors.AsType[*net.DNSError](err)
	op, isOp := errors.AsType[*net.OpError](err)
	switch {
	case isOp && op.Op == "proxyconnect", isOp && op.Op == "socks connect":
		e.Message, e.Hint = "the proxy could not be used: "+plainCause(op.Err), "check proxy, or HTTP_PROXY and HTTPS_PROXY"
	case isDNS && dns.IsNotFound:
		e.Message, e.Hint = "no such host: "+dns.Name, "check base_url"
	case isDNS:
		e.Message, e.Hint = "the name "+dns.Name+" could not be resolved", "check the network"
	case errors.Is(err, syscall.ECONNREFUSED):
		e.Message, e.Hint = "nobody listens at "+p.Host(), p.startHint()
	case isOp && op.Op == "dial" && op.Timeout():
		e.Kind, e.Message = scri.ErrTimeout, fmt.Sprintf("no connection to %s in time", p.Host())
		e.Hint = "check base_url, or raise connect_timeout in [resilience]"
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.ENETDOWN):
		e.Message, e.Hint = p.Host()+" cannot be reached from here", "check the network"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE),
		err.Error() == idleClosed:
		e.Message = "the connection was closed before an answer"
	case errors.Is(err, os.ErrDeadlineExceeded):
		e.Kind, e.Message = scri.ErrTimeout, "no answer in time"
	default:
		e.Message = "no answer: " + plainCause(err)
	}
	return e
}

// startHint says what to do where nobody listens. The command of a runtime helps
// where base_url is what it listens at.
func (p *Provider) startHint() string {
	base := p.address.base
	usual, err := url.Parse(p.usual)
	if p.spec.Start == "" || err != nil || usual.Port() != base.Port() {
		return "check base_url, and that the server runs"
	}
	if reach.Loopback(base.Hostname()) {
		if p.spec.Install != "" {
			return "start it: " + p.spec.Start + " (not installed? " + p.spec.Install + ")"
		}
		return "start it: " + p.spec.Start
	}
	return "start it there: " + p.spec.Start
}

// tlsFailure recognises failures of the handshake.
func (p *Provider) tlsFailure(err error) *scri.Error {
	e := &scri.Error{Kind: scri.ErrUnavailable, Err: err}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		e.Message, e.Hint = "the certificate of "+p.Host()+" is signed by an unknown authority", "name the authority's certificate in ca_file"
		return e
	}
	if _, ok := errors.AsType[x509.HostnameError](err); ok {
		e.Message, e.Hint = "the certificate of "+p.Host()+" is for another host", "check base_url"
		return e
	}
	if ce, ok := errors.AsType[x509.CertificateInvalidError](err); ok {
		e.Message = "the certificate of " + p.Host() + " is not valid: " + ce.Error()
		return e
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		e.Message, e.Hint = p.Host()+" does not speak TLS", "write http:// in base_url if that is meant"
		return e
	}
	if strings.HasSuffix(err.Error(), "TLS handshake timeout") {
		e.Kind, e.Message = scri.ErrTimeout, "no TLS handshake with "+p.Host()+" in time"
		return e
	}
	return nil
}

// plainCause is the text of an error without addresses that may hold secrets.
func plainCause(err error) string {
	if ue, ok := errors.AsType[*url.Error](err); ok {
		err = ue.Err
	}
	return err.Error()
}

// refusal reads the answer of a status other than 2xx.
func (a *attempt) refusal() error {
	defer a.done()
	if a.resp.StatusCode/100 == 3 {
		return a.fill(a.redirected())
	}
	body, _, err := a.readAll(maxError)
	if err != nil && len(body) == 0 && a.parent.Err() != nil {
		return err
	}
	a.answer.Body = body // as much as came: half an explanation is better than none
	e := a.speaks.DecodeError(&a.answer)
	if e == nil {
		e = &scri.Error{Kind: scri.ErrUnavailable, Message: "the provider answered " + http.StatusText(a.resp.StatusCode)}
	}
	if e.Status == 0 {
		e.Status = a.resp.StatusCode
	}
	if e.Raw == nil {
		e.Raw, e.Dialect = body, a.speaks.Name()
	}
	if e.RetryAfter == 0 {
		e.RetryAfter = retryAfter(a.resp.Header, e.Status, time.Now())
	}
	if e.Kind == scri.ErrNotFound && e.Hint == "" && a.p.spec.Pull != "" && a.target.Model != "" {
		e.Hint = strings.ReplaceAll(a.p.spec.Pull, "{model}", a.target.Model)
	}
	return a.fill(e)
}

// redirected is the error of an answer that points elsewhere. Only the host of
// where to is told, as the rest may hold secrets.
func (a *attempt) redirected() *scri.Error {
	e := &scri.Error{
		Kind: scri.ErrUnavailable, Status: a.resp.StatusCode,
		Message: "the provider redirects, and redirects are never followed: they could leave the zone",
	}
	to, err := a.resp.Location()
	if err == nil && to.Host != "" {
		e.Message = fmt.Sprintf("the provider redirects to %s://%s, and redirects are never followed: they could leave the zone", to.Scheme, to.Host)
		e.Hint = "set base_url to the address behind the redirect if it is to be trusted"
	}
	return e
}
