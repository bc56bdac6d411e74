package provider

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"time"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/overlay"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// Call is what one attempt is asked with, besides the request.
type Call struct {
	Model     string      // the provider's own name of the model
	Tokens    int64       // of the prompt, estimated; 0 = unknown
	NumCtx    int64       // context window to ask a local runtime for; 0 = as it needs
	KeepAlive string      // how long a local runtime shall keep the model; "" = as configured
	LogProbs  bool        // ask for log-probabilities though the request does not
	Header    http.Header // of the client's request where it speaks the provider's dialect, else nil
	Caller    http.Header // of the client's request where its credential may be passed on, see Provider.Passes; else nil
	Source    []byte      // the client's request, in which texts of the request lie; nil if unknown
	// Check is told what the request lost or gained before it is sent; an error
	// keeps it in. nil = send it.
	Check func([]scri.Warning) error
}

// Info is what is known of an attempt when its answer begins.
type Info struct {
	Model      string
	Warnings   []scri.Warning // what the request lost or gained on its way out
	Status     int            // of HTTP; 0 = no answer
	UpstreamID string         // the provider's own id of the request
	FirstByte  time.Duration  // from sending until the head of the answer
	Dialect    string         // spoken in this attempt, which an overlay may have changed
	Overlays   []string       // in force for this attempt, id@version
	Calls      int            // into how many a request for vectors was split
}

// Chat sends a request and returns the answer, which comes as it is made if the
// request asks for a stream. The context must carry a Permit. The Info is there
// even when there is an error, which is always a *scri.Error that names the
// provider. The stream must be closed.
func (p *Provider) Chat(ctx context.Context, req *scri.ChatRequest, call *Call) (scri.Stream, *Info, error) {
	s, a, err := p.chat(ctx, req, call)
	if err != nil {
		return p.chatWider(ctx, req, call, a, err)
	}
	return s, &a.info, nil
}

// chatWider asks again after a failure that a wider window may mend, as long as there
// is one; after others the window may have been too wide. What it needs must not lie on the stack of each stream.
//
//go:noinline
func (p *Provider) chatWider(ctx context.Context, req *scri.ChatRequest, call *Call, a *attempt, err error) (scri.Stream, *Info, error) {
	var s scri.Stream
	for err != nil {
		n := p.wider(ctx, call, a, err)
		if n == 0 {
			p.narrow(call.Model, a, err)
			break
		}
		again := *call
		again.NumCtx = n
		s, a, err = p.chat(ctx, req, &again)
	}
	return s, &a.info, err
}

// chat asks once.
func (p *Provider) chat(ctx context.Context, req *scri.ChatRequest, call *Call) (scri.Stream, *attempt, error) {
	a := p.attempt()
	a.caller = call.Caller
	a.info.Model = call.Model
	if p.direct { // h1 does not touch a body any more when it returns
		a.encoded = p.bodies.Take()
	}
	out, err := a.prepare(ctx, req, call)
	if err != nil {
		return nil, a, p.fill(scri.AsError(err))
	}
	l := p.timeouts.whole()
	if req.Stream || a.run != nil && a.run.Streams() {
		l = p.timeouts.stream(p.zone)
	}
	err = a.send(ctx, out, l)
	a.letGo(&a.encoded) // the request is written, or never will be
	a.letGo(&a.edited)
	if err != nil {
		return nil, a, a.fill(scri.AsError(err))
	}
	s, err := a.open(req.Stream)
	if err != nil {
		return nil, a, a.fill(scri.AsError(err))
	}
	return s, a, nil
}

// prepare encodes the request for its target, its body into memory that is used
// again if it fits.
func (a *attempt) prepare(ctx context.Context, req *scri.ChatRequest, call *Call) (*dialect.Outgoing, error) {
	if err := a.p.usable(ctx, call.Model); err != nil {
		return nil, err
	}
	if err := a.p.aim(ctx, req, call, &a.target); err != nil {
		return nil, err
	}
	plan := a.p.overlays.Plan(call.Model)
	if a.encoded != nil {
		a.target.Buf = *a.encoded
		if plan == nil { // overlays want a body in one piece
			a.target.Source = call.Source
		}
	}
	out, warnings, err := a.speaks.EncodeRequest(req, &a.target)
	a.target.Buf, a.target.Source = nil, nil
	a.info.Warnings = warnings
	if err == nil && a.encoded != nil {
		// As much as it was given, not only what it took: else it would be given anew each time.
		if room := min(cap(out.Body), 2*len(out.Body)+4<<10); room > cap(*a.encoded) {
			*a.encoded = make([]byte, 0, room) // for the next; this one may be somebody else's memory
		}
	}
	if err == nil && plan != nil {
		err = a.patchInto(req, plan, out)
	}
	if err == nil && call.Check != nil {
		err = call.Check(a.info.Warnings)
	}
	return out, err
}

// patchInto is patch, with the body that comes of it in memory that is used again.
func (a *attempt) patchInto(req *scri.ChatRequest, plan *overlay.Plan, out *dialect.Outgoing) error {
	if a.encoded != nil {
		a.edited = a.p.bodies.Take()
	}
	err := a.patch(req, plan, out)
	if a.edited != nil && len(*a.edited) > 0 && err == nil { // nobody needs the body as it was
		a.letGo(&a.encoded)
	}
	return err
}

// letGo gives memory back, if there is some.
func (a *attempt) letGo(buf **[]byte) {
	if *buf != nil {
		a.p.bodies.Put(*buf)
		*buf = nil
	}
}

// attempt begins one.
func (p *Provider) attempt() *attempt {
	a := &attempt{p: p, speaks: p.dialect}
	a.info.Dialect = p.dialect.Name()
	return a
}

// usable refuses what must not be tried at all.
func (p *Provider) usable(ctx context.Context, model string) error {
	if p.disabled != "" {
		return &scri.Error{Kind: scri.ErrUnavailable, Message: "switched off: " + p.disabled}
	}
	if p.zone == ZoneLocal && p.runsElsewhere(ctx, model) {
		return &scri.Error{
			Kind: scri.ErrPolicy, Message: fmt.Sprintf("model %s is served by the runtime but runs in a cloud, and this provider is in zone local", model),
			Hint: `describe the runtime a second time with zone = "cloud" if its cloud models are wanted`,
		}
	}
	return nil
}

// aim says what the dialect must know of where the request goes.
func (p *Provider) aim(ctx context.Context, req *scri.ChatRequest, call *Call, t *dialect.Target) error {
	t.Provider, t.Model, t.Header = p.name, p.wire(call.Model), call.Header
	t.NumCtx, t.KeepAlive, t.LogProbs, t.WantUsage = call.NumCtx, call.KeepAlive, call.LogProbs, req.Stream
	t.Reasoning, t.Variant = p.spec.Reasoning, p.spec.Variant
	if t.KeepAlive == "" {
		t.KeepAlive = p.entry.KeepAlive
	}
	if m, ok := p.spec.Model(call.Model); ok {
		t.MaxOutput = m.MaxOutput
	}
	err := p.able(ctx, req, call, t)
	if err == nil && t.NumCtx == 0 {
		t.NumCtx, err = p.numCtx(ctx, req, call)
	}
	t.Uncut = p.mayBeCut(call, t.NumCtx)
	return err
}

// open reads a whole answer, or begins a stream.
func (a *attempt) open(stream bool) (scri.Stream, error) {
	mime := mediaType(a.resp.Header)
	if !stream && mime != "text/event-stream" || mime == "text/html" {
		return a.replay()
	}
	if mime == "application/json" {
		// Asked for a stream it gave one piece: an error, or a whole answer. Or it
		// streams lines and does not say so.
		body, err := a.whole()
		if err != nil {
			return nil, err
		}
		if wire.Valid(body) == nil {
			return a.replayed(body)
		}
		a.readErr, a.body = nil, bytes.NewReader(body)
	}
	a.answer.Stream = a.body
	if a.run != nil {
		a.answer.Stream = a.patched(mime)
	}
	a.events = a.speaks.DecodeStream(&a.answer)
	return a, nil
}

func (a *attempt) replay() (scri.Stream, error) {
	body, err := a.whole()
	if err != nil {
		return nil, err
	}
	return a.replayed(body)
}

func (a *attempt) replayed(body []byte) (scri.Stream, error) {
	if a.run != nil {
		body = a.run.Response(body)
	}
	a.answer.Body = body
	resp, err := a.speaks.DecodeResponse(&a.answer)
	if err != nil {
		return nil, err
	}
	if unfinished(resp) {
		return nil, dialect.BrokenOff(io.EOF)
	}
	resp.Provider = a.p.name
	if resp.Model == "" {
		resp.Model = a.target.Model
	}
	return scri.Replay(resp), nil
}

// unfinished reports whether a whole answer says of none of its choices that it is
// complete. Ollama gives such when a model repeats itself without end.
func unfinished(r *scri.ChatResponse) bool {
	for i := range r.Choices {
		if f := &r.Choices[i].Finish; f.Reason != "" || f.Raw != "" {
			return false
		}
	}
	return len(r.Choices) > 0
}

// Next returns the next event of the stream.
func (a *attempt) Next() (*scri.StreamEvent, error) {
	if a.end != nil {
		return nil, a.end
	}
	e, err := a.events.Next()
	if err != nil {
		a.end = a.ended(err)
		(*source)(a).GiveBack() // the last event is read
		return nil, a.end
	}
	if !a.content && e.Content() {
		a.content = true
		a.watch.enter(phaseIdle, a.watch.limits.idle)
	}
	if e.Head != nil && e.Kind == scri.EventStart {
		e.Head.Provider = a.p.name
	}
	return e, nil
}

// ended turns what ended the stream into what Next returns from then on.
func (a *attempt) ended(err error) error {
	if err == io.EOF && a.readFailure() == nil { //nolint:errorlint // an error that merely wraps it is no clean end
		if a.run != nil {
			a.run.Settle()
		}
		if a.readErr != nil {
			a.done()
		} else {
			a.clean.Store(true) // the connection is given back by Close
		}
		return io.EOF
	}
	defer a.done()
	if cause := a.readFailure(); cause != nil {
		return cause
	}
	return a.failure(err)
}

// readFailure is the failure of the network that ended reading, if one did.
func (a *attempt) readFailure() *scri.Error {
	if a.readErr == nil || errors.Is(a.readErr, io.EOF) {
		return nil
	}
	return scri.AsError(a.readErr)
}

// Close ends the answer.
func (a *attempt) Close() error {
	a.closed.Store(true)
	a.shut.Do(func() {
		if a.clean.Load() {
			a.drain()
		}
		a.done()
	})
	return nil
}

// Pending reports whether Next would not wait.
func (a *attempt) Pending() bool { return a.end != nil || scri.Pending(a.events) }

// ask sends a request about something else than a chat and returns the body of
// its answer.
func (p *Provider) ask(ctx context.Context, out *dialect.Outgoing, model string) (*dialect.Answer, error) {
	return p.askAs(ctx, out, model, nil)
}

// askAs is ask, for a caller whose credential may be passed on.
func (p *Provider) askAs(ctx context.Context, out *dialect.Outgoing, model string, caller http.Header) (*dialect.Answer, error) {
	if p.disabled != "" {
		return nil, p.fill(&scri.Error{Kind: scri.ErrUnavailable, Message: "switched off: " + p.disabled})
	}
	a := p.attempt()
	a.caller, a.target.Provider, a.target.Model = caller, p.name, model
	if err := a.send(ctx, out, p.timeouts.quick()); err != nil {
		return nil, err
	}
	body, err := a.whole()
	if err != nil {
		return nil, err
	}
	a.answer.Body = body
	return &a.answer, nil
}

// Counts reports whether the provider can count tokens.
func (p *Provider) Counts() bool {
	_, ok := p.dialect.(dialect.Counter)
	return ok
}

// Count asks the provider how many tokens a request has.
func (p *Provider) Count(ctx context.Context, req *scri.ChatRequest, call *Call) (*scri.CountResponse, error) {
	c, ok := p.dialect.(dialect.Counter)
	if !ok {
		return nil, p.fill(&scri.Error{Kind: scri.ErrUnsupported, Message: "the dialect " + p.dialect.Name() + " cannot count tokens"})
	}
	var t dialect.Target
	t.Provider, t.Model, t.Header, t.Variant = p.name, p.wire(call.Model), call.Header, p.spec.Variant
	out, _, err := c.EncodeCountRequest(req, &t)
	if err != nil {
		return nil, p.fill(scri.AsError(err))
	}
	answer, err := p.askAs(ctx, out, t.Model, call.Caller)
	if err != nil {
		return nil, err
	}
	n, err := c.DecodeCount(answer)
	if err != nil {
		return nil, p.fill(scri.AsError(err))
	}
	n.Provider, n.Model = p.name, call.Model
	return n, nil
}

// Health is what a probe found.
type Health struct {
	Status int           // of HTTP
	Took   time.Duration // until the head of the answer
	Body   []byte        // what the probe's path answered
}

// ProbeURL is the address that Probe asks; home says that it is on this machine.
func (p *Provider) ProbeURL() (address string, home bool) {
	u, err := p.address.root(cmp.Or(p.spec.Health, "/"))
	if err != nil {
		return "", false
	}
	host := u.Hostname()
	ip, err := netip.ParseAddr(host)
	return u.String(), host == "localhost" || err == nil && ip.IsLoopback()
}

// Probe asks whether the provider is there, without spending tokens. An answer
// that says that it knows no such path is as good as any: somebody is there.
func (p *Provider) Probe(ctx context.Context) (*Health, error) {
	if p.disabled != "" {
		return nil, p.fill(&scri.Error{Kind: scri.ErrUnavailable, Message: "switched off: " + p.disabled})
	}
	u, err := p.address.root(cmp.Or(p.spec.Health, "/"))
	if err != nil {
		return nil, p.fill(scri.AsError(err))
	}
	a := p.attempt()
	var given http.Header
	if l, ok := p.dialect.(dialect.Lister); ok { // such as the version that Anthropic wants
		given = l.ListRequest(&a.target).Header
	}
	err = a.sendTo(ctx, &outbound{method: http.MethodGet, url: u, header: p.header(given), direct: p.direct}, p.timeouts.quick())
	h := &Health{Status: a.info.Status, Took: a.info.FirstByte}
	if err != nil {
		if h.Status == http.StatusNotFound || h.Status == http.StatusMethodNotAllowed {
			return h, nil
		}
		return h, err
	}
	h.Body, err = a.whole()
	return h, err
}

// the stream half of an attempt
var _ interface {
	scri.Stream
	Pending() bool
} = (*attempt)(nil)
