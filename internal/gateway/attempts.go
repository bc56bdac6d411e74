package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/freeform"
	"github.com/aratta-gateway/aratta/internal/mend"
	"github.com/aratta-gateway/aratta/internal/policy"
	"github.com/aratta-gateway/aratta/internal/provider"
	"github.com/aratta-gateway/aratta/internal/route"
	"github.com/aratta-gateway/aratta/internal/term"
	"github.com/aratta-gateway/aratta/scri"
)

// asked asks the plan's targets one after the other, until one of them gives the
// first content of an answer. From there on the answer is its own.
func asked[T any](g *Gateway, attempt func(ctx context.Context, c *call, t *route.Target) (T, error)) step[T] {
	return func(ctx context.Context, c *call) (none T, err error) {
		var failed []*scri.Error
		for i := range c.plan.Targets {
			t := &c.plan.Targets[i]
			answer, err := attempt(ctx, c, t)
			if err == nil {
				c.decide()
				c.media = nil
				c.needs.Closer = nil // a long answer must not hold the conversation
				return answer, nil
			}
			if errors.Is(err, errTried) {
				continue
			}
			e := scri.AsError(err)
			failed = append(failed, e)
			if ctx.Err() != nil {
				return none, g.gaveUp(ctx, c, e)
			}
			if !nextAfter(e, t) {
				return none, g.exhausted(c, failed, true)
			}
		}
		return none, g.exhausted(c, failed, false)
	}
}

// decide notes why the last target answered.
func (c *call) decide() {
	a := &c.Lineage.Attempts[len(c.Lineage.Attempts)-1]
	code := a.Zone
	if len(c.Lineage.Attempts) > 1 {
		code = "fallback"
	}
	c.Lineage.Reasons = append(c.Lineage.Reasons, scri.Reason{Stage: "attempt", Code: code, Target: target(a)})
}

// target is the attempt's target as people write it.
func target(a *scri.Attempt) string {
	return route.Target{Provider: a.Provider, Model: a.Model}.String()
}

// errTried says that a target turned out to be one that failed already.
var errTried = errors.New("tried before")

// attempt asks one target, up to the first content of its answer.
func (g *Gateway) attempt(ctx context.Context, c *call, t *route.Target) (scri.Stream, error) {
	p := g.providers[t.Provider]
	ctx, at := g.begin(ctx, c, p, t)
	s, warn, err := g.send(ctx, c, p, at)
	if errors.Is(err, errTried) {
		c.Lineage.Attempts = c.Lineage.Attempts[:at]
		return nil, err
	}
	if err == nil {
		s, err = scri.Peek(s, nil)
	}
	if err != nil {
		g.failed(ctx, c, at, err)
		return nil, err
	}
	a := &c.Lineage.Attempts[at]
	a.FirstMS = millis(g.now().Sub(a.Start))
	c.Warnings = scri.JoinWarnings(c.Warnings, warn)
	return &answer{s: s, g: g, c: c, at: at, p: p}, nil
}

// mended makes calls of those that a model writes as text.
func mended(c *call, s scri.Stream) scri.Stream {
	if m := mend.New(c.Req, c.ID); m != nil {
		return m.Stream(s)
	}
	return s
}

// begin opens an attempt in the lineage and returns its index, and the context for
// what is done for it.
func (g *Gateway) begin(ctx context.Context, c *call, p *provider.Provider, t *route.Target) (context.Context, int) {
	at := len(c.Lineage.Attempts)
	c.Lineage.Attempts = append(c.Lineage.Attempts, scri.Attempt{})
	a := &c.Lineage.Attempts[at]
	a.Provider, a.Model, a.Zone, a.Dialect, a.Region, a.Start = t.Provider, t.Model, t.Zone, p.Dialect(), p.Region(), g.now()
	if g.trace != nil {
		ctx = g.trace(ctx, a, p.Host())
	}
	return ctx, at
}

// send makes the request fit its target and sends it; for noinline see fit.
//
//go:noinline
func (g *Gateway) send(ctx context.Context, c *call, p *provider.Provider, at int) (scri.Stream, []scri.Warning, error) {
	a := &c.Lineage.Attempts[at]
	permit, err := c.verdict.Permit(policy.Zone(p.Zone()), p.Host())
	if err != nil {
		return nil, nil, err
	}
	ctx = provider.WithPermit(ctx, permit)
	var chosen []scri.Warning
	if a.Model == "" {
		if chosen, err = g.choose(ctx, c, p, at); err != nil {
			return nil, nil, err
		}
	}
	var f fitted
	if err := g.fit(ctx, c, p, &f); err != nil {
		return nil, nil, err
	}
	warn := scri.JoinWarnings(scri.JoinWarnings(chosen, f.fetched), f.warn)
	s, info, err := p.Chat(ctx, f.req, &provider.Call{
		Model: a.Model, Tokens: c.tokens(p), Header: c.ownHeader(p), Caller: c.credential(p), Source: c.Body, Check: g.strictly(c, f.warn),
	})
	if info != nil {
		warn = scri.JoinWarnings(warn, info.Warnings)
		// Overlays may have sent the request in another dialect or to another model.
		a.Overlays, a.Dialect, a.Model = info.Overlays, info.Dialect, info.Model
	}
	if err == nil && p.MendsCalls() {
		s = mended(c, s)
	}
	if err == nil && f.free != nil {
		s = f.free.Stream(s)
	}
	return s, warn, err
}

// fitted is a request that fits its target, and what became of it.
type fitted struct {
	req           *scri.ChatRequest
	free          *freeform.Tools
	fetched, warn []scri.Warning
}

// fit makes the request fit its target. It has a frame of its own, so that what it
// needs is not on the stack while the answer is awaited.
//
//go:noinline
func (g *Gateway) fit(ctx context.Context, c *call, p *provider.Provider, f *fitted) (err error) {
	t := c.traits(p)
	if id := c.Req.PreviousID; id != "" && !t.Stateful {
		return forgotten(p.Name(), id)
	}
	if f.req, f.fetched, err = g.withMedia(ctx, c, c.outward(p.Dialect()), &t); err != nil {
		return err
	}
	var ported []scri.Warning
	f.req, f.free, f.warn = c.functions(f.req, p)
	f.req, ported = scri.Port(f.req, t)
	f.warn = append(f.warn, ported...)
	return nil
}

// functions makes functions of tools that are called with a text, for a target
// that may not know such. Another gateway does so for its own targets.
func (c *call) functions(r *scri.ChatRequest, p *provider.Provider) (*scri.ChatRequest, *freeform.Tools, []scri.Warning) {
	if d := p.Dialect(); d != "native" && d != c.Lineage.Ingress {
		return freeform.Functions(r, d)
	}
	return r, nil, nil
}

// forgotten refuses to go on from an answer that nobody has kept: without what
// was said before, another answer would only look like one.
func forgotten(provider, id string) *scri.Error {
	return &scri.Error{
		Kind: scri.ErrInvalid, Code: dialect.CodeNoPrevious, Path: "/previous_response_id", Provider: provider,
		Message: "Previous response with id '" + id + "' not found.",
	}
}

// choose settles the model of an attempt whose target names none, and warns where it
// is another than the one that is configured.
func (g *Gateway) choose(ctx context.Context, c *call, p *provider.Provider, at int) ([]scri.Warning, error) {
	choice := p.ResolveModel(ctx)
	if choice.Model == "" {
		e := &scri.Error{Kind: scri.ErrUnavailable, Provider: p.Name(), Message: choice.Why}
		if _, err := p.List(ctx); err != nil { // known from a moment ago
			e.Hint = scri.AsError(err).Hint
		}
		return nil, e
	}
	tried := func(b scri.Attempt) bool { return b.Provider == p.Name() && b.Model == choice.Model }
	if slices.ContainsFunc(c.Lineage.Attempts[:at], tried) {
		return nil, errTried
	}
	a := &c.Lineage.Attempts[at]
	a.Model = choice.Model
	code := "default_model"
	if p.Zone() == provider.ZoneLocal {
		code = "installed"
	}
	c.Lineage.Reasons = append(c.Lineage.Reasons, scri.Reason{Stage: "resolve", Code: code, Target: target(a), Detail: choice.Why})
	if choice.Instead == "" {
		return nil, nil
	}
	g.tellReplaced(ctx, p, &choice)
	return []scri.Warning{substituted(&choice)}, nil
}

// tokens is what the target is told of the prompt's length: well, where it sets
// its window by that.
func (c *call) tokens(p *provider.Provider) int64 {
	if p.SetsWindow() {
		return c.needs.Fit(0)
	}
	return c.needs.Tokens
}

// traits is what the target demands of the history. A client that writes the
// target's own format knows better than we which roles may stand where: models
// differ in that.
func (c *call) traits(p *provider.Provider) scri.Traits {
	t := p.Traits()
	if c.Lineage.Ingress == p.Dialect() {
		t.Developer, t.LateSystem = true, true
		if !p.Spec().MediaBytes { // what the format cannot say does not come in it
			t.Media = scri.MediaAny
		}
	}
	return t
}

// strictly is the check of a caller who would rather have no answer than one to
// something else than was asked; nil for others. ported is what was lost before.
func (g *Gateway) strictly(c *call, ported []scri.Warning) func([]scri.Warning) error {
	if w := c.Wishes(); !g.strict && (w == nil || !w.Strict) {
		return nil
	}
	return func(encoded []scri.Warning) error {
		var lost []string
		for _, w := range slices.Concat(ported, encoded) {
			if w.Loss() {
				lost = append(lost, lossText(&w))
			}
		}
		if len(lost) == 0 {
			return nil
		}
		more := ""
		if n := len(lost) - shownLosses; n > 0 {
			lost, more = lost[:shownLosses], fmt.Sprintf("; and %d more", n)
		}
		return &scri.Error{
			Kind: scri.ErrUnsupported, Code: "lossy_translation",
			Message: "strict: the translation would lose something: " + strings.Join(lost, "; ") + more,
			Hint:    "ask without strict (X-Aratta-Strict, or strict in routing), or for a model whose API can say it; GET /api/v1/capabilities shows which can",
		}
	}
}

// shownLosses is how many losses an error names.
const shownLosses = 20

// lossText says what a warning is about.
func lossText(w *scri.Warning) string {
	s := w.Code + " " + w.Path
	if w.From != "" && w.To != "" {
		s += " (" + w.From + " -> " + w.To + ")"
	}
	if w.Detail != "" {
		s += ", " + w.Detail
	}
	return s
}

// ownHeader is the client's header if it speaks the provider's dialect.
func (c *call) ownHeader(p *provider.Provider) http.Header {
	if c.Lineage.Ingress == p.Dialect() {
		return c.Header
	}
	return nil
}

// credential is the client's header if what it proves itself with there may be
// passed on: to a provider that the configuration wants it passed to, by a client
// that speaks that provider's dialect and did not send a key of this gateway.
func (c *call) credential(p *provider.Provider) http.Header {
	if !p.Passes() || c.Caller.Key != "" {
		return nil
	}
	return c.ownHeader(p)
}

// outward is the request without what was said to this gateway alone. Another
// gateway behind it must still not send out what is sovereign, however that was
// said here.
func (c *call) outward(dialect string) *scri.ChatRequest {
	r, told := c.Req, dialect == "native" && c.verdict.Sovereign()
	if r.Routing == nil && r.Session == "" && !told {
		return r
	}
	out := *r
	out.Session, out.Routing = "", nil
	if told {
		out.Routing = &scri.Routing{Sovereign: true}
	}
	return &out
}

// failed writes the end of an attempt that gave no content.
func (g *Gateway) failed(ctx context.Context, c *call, at int, err error) {
	a := &c.Lineage.Attempts[at]
	e := scri.AsError(err)
	a.TookMS = millis(g.now().Sub(a.Start))
	a.Outcome, a.Error = "failed", brief(e)
	level, msg := levelOf(e), "attempt failed"
	if e.Kind == scri.ErrCanceled || errors.Is(ctx.Err(), context.Canceled) { // no failure of the target's
		a.Outcome, level, msg = "canceled", slog.LevelInfo, "attempt canceled"
	}
	g.log.LogAttrs(ctx, level, msg, attrs(c, a, e)...)
}

// brief is what a lineage keeps of an error. Its request id is the provider's
// own, which people there ask for.
func brief(e *scri.Error) *scri.Error {
	return &scri.Error{
		Kind: e.Kind, Status: e.Status, Code: e.Code, Message: e.Message, Hint: e.Hint,
		Provider: e.Provider, RequestID: e.RequestID, RetryAfter: e.RetryAfter,
	}
}

// nextAfter reports whether another target may do better than the one that
// failed like this.
func nextAfter(e *scri.Error, t *route.Target) bool {
	if e.Code == dialect.CodeNoPrevious { // another may have kept it
		return !t.Asked
	}
	switch e.Kind {
	case scri.ErrInvalid, scri.ErrPolicy, scri.ErrCanceled, scri.ErrInternal:
		return false
	case scri.ErrNotFound:
		return !t.Asked
	default:
		return true
	}
}

// gaveUp is the error of a call whose caller went away or whose time is over.
func (g *Gateway) gaveUp(ctx context.Context, c *call, last *scri.Error) error {
	e := &scri.Error{Kind: scri.ErrCanceled, Message: "the client went away", RequestID: c.ID, Err: last}
	if why, ok := errors.AsType[*scri.Error](term.Cause(ctx)); ok { // no: it was sent away
		e.Message = why.Message
	}
	e.Attempts = c.Lineage.Attempts
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		e.Kind, e.Hint = scri.ErrTimeout, "raise server.request_timeout"
		e.Message = "the time for the whole request is over; " + target(&e.Attempts[len(e.Attempts)-1]) + " was asked last"
		if !errors.Is(last.Err, context.DeadlineExceeded) {
			e.Message += ": " + last.Message
		}
	}
	return e
}

// exhausted is the error of a call that nobody answered. Of one target it is
// that target's own; of several it tells what was tried, and is of the kind
// that gives the client the best advice: the last, where that ended the request
// for good, else one that can be waited for.
func (g *Gateway) exhausted(c *call, failed []*scri.Error, decided bool) error {
	pick := failed[len(failed)-1]
	if !slices.ContainsFunc(failed, func(e *scri.Error) bool { return e.Code != dialect.CodeNoPrevious }) {
		failed = failed[len(failed)-1:] // nobody was asked but for what all of them have not kept
	}
	for _, e := range failed {
		if !decided && (e.Kind == scri.ErrRateLimited || e.Kind == scri.ErrOverloaded) {
			pick = e
			break
		}
	}
	e := *pick
	e.RequestID, e.Attempts = c.ID, c.Lineage.Attempts
	if e.Kind == scri.ErrNotFound && e.Path == "" {
		e.Path = "/model"
	}
	g.ours(&e)
	if off := g.router.Off(c.Lineage.Chain); len(off) > 0 && !decided && !c.verdict.Sovereign() {
		e.Hint = strings.Join(append(slices.Clip(off), e.Hint), "; ")
		e.Hint = strings.TrimSuffix(e.Hint, "; ")
	}
	if c.verdict.Sovereign() {
		e.Message, e.Raw = e.Message+"; the request is sovereign, so nobody beyond zone local was asked", nil
	}
	if c.Embed != nil && !decided && len(failed) == 1 {
		e.Message, e.Raw = e.Message+"; nobody else has this model, and "+route.NoMix, nil
	}
	if len(failed) == 1 {
		return &e
	}
	e.Raw = nil
	if decided {
		e.Message += "; before that, " + told(e.Attempts[:len(e.Attempts)-1])
		return &e
	}
	for _, f := range failed {
		if r := f.RetryAfter; r > 0 && r < e.RetryAfter {
			e.RetryAfter = r
		}
	}
	e.Message = fmt.Sprintf("all %d targets failed: %s", len(failed), told(e.Attempts))
	if c.Embed != nil {
		e.Message += "; nobody else has this model, and " + route.NoMix
	}
	return &e
}

// told lists what came of attempts.
func told(list []scri.Attempt) string {
	var b strings.Builder
	for i := range list {
		if i > 0 {
			b.WriteString("; ")
		}
		b.WriteString(target(&list[i]) + ": " + list[i].Error.Message)
	}
	return b.String()
}

// ours tells a refusal of the gateway's own credential as such: a 401 would send
// people looking at the client's key.
func (g *Gateway) ours(e *scri.Error) {
	if p := g.providers[e.Provider]; !ownCredential(e) || p != nil && p.Passes() {
		return
	}
	e.Code, e.Raw = "provider_"+string(e.Kind), nil
	e.Message = fmt.Sprintf("provider %s refused the gateway's credential: %s", e.Provider, e.Message)
	e.Kind, e.Status = scri.ErrUnavailable, 0
}

func ownCredential(e *scri.Error) bool {
	return e.Provider != "" && (e.Kind == scri.ErrAuth || e.Kind == scri.ErrPermission || e.Kind == scri.ErrQuota)
}

func millis(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
