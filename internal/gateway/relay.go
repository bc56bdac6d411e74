package gateway

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"

	"github.com/aratta-gateway/aratta/internal/nearest"
	"github.com/aratta-gateway/aratta/internal/policy"
	"github.com/aratta-gateway/aratta/internal/provider"
	"github.com/aratta-gateway/aratta/internal/relay"
	"github.com/aratta-gateway/aratta/internal/route"
	"github.com/aratta-gateway/aratta/scri"
)

// DefaultLookAhead is how much of a body is read into memory to find its model.
const DefaultLookAhead = 32 << 20

// sovereignHeader tells a gateway of this kind behind that what is passed on may
// not leave zone local.
const sovereignHeader = "X-Aratta-Sovereign"

// Relay passes a request on to the provider that owns its model. The verdict is
// the same as for a chat; another target is tried only where several have the
// model, and the body is there to be sent again.
func (g *Gateway) Relay(ctx context.Context, x *scri.Exchange, r *scri.Relay) (*scri.RelayAnswer, error) {
	a, err := g.relay(ctx, &call{Exchange: x, start: g.now()}, r)
	if err == nil {
		return a, nil
	}
	e := *scri.AsError(err)
	if e.RequestID == "" {
		e.RequestID = x.ID
	}
	return nil, &e
}

func (g *Gateway) relay(ctx context.Context, c *call, r *scri.Relay) (*scri.RelayAnswer, error) {
	body := relay.Unread(r.Body, r.Length)
	if r.Models {
		var err error
		if body, err = relay.Look(r.Body, r.Header.Get("Content-Type"), r.Length, g.lookAhead); err != nil {
			return nil, unread(ctx, err)
		}
	}
	c.Lineage.Asked = body.Model
	c.verdict = policy.Decide(policy.Input{Sovereign: r.Sovereign || g.router.Sovereign(body.Model)})
	targets, err := g.carriers(ctx, c, r, body)
	if err != nil {
		return nil, err
	}
	var failed []*scri.Error
	for i := range targets {
		t := &targets[i]
		a, err := g.pass(ctx, c, r, body, t)
		if err == nil {
			c.decide()
			return a, nil
		}
		e := scri.AsError(err)
		failed = append(failed, e)
		if !body.Whole || i == len(targets)-1 || ctx.Err() != nil || !nextAfter(e, t) {
			break
		}
	}
	return nil, g.unpassed(ctx, c, failed)
}

// unread is the error of a body that could not be read.
func unread(ctx context.Context, err error) error {
	if e, ok := errors.AsType[*scri.Error](err); ok {
		return e
	}
	if ctx.Err() != nil {
		return &scri.Error{Kind: scri.ErrCanceled, Message: "the client went away", Err: err}
	}
	return &scri.Error{Kind: scri.ErrInvalid, Message: "the request body did not arrive whole", Err: err}
}

// unpassed is the error of a request that nobody took.
func (g *Gateway) unpassed(ctx context.Context, c *call, failed []*scri.Error) error {
	if ctx.Err() != nil {
		return g.gaveUp(ctx, c, failed[len(failed)-1])
	}
	e := *failed[len(failed)-1]
	e.RequestID, e.Attempts = c.ID, c.Lineage.Attempts
	g.ours(&e)
	if len(failed) > 1 {
		e.Raw, e.Message = nil, fmt.Sprintf("all %d targets failed: %s", len(failed), told(e.Attempts))
	}
	return &e
}

// carriers lists who may carry a request, the preferred first.
func (g *Gateway) carriers(ctx context.Context, c *call, r *scri.Relay, b *relay.Body) ([]route.Target, error) {
	list, err := g.candidates(ctx, c, r, b)
	if err != nil {
		return nil, err
	}
	var denied, unfit error
	var out []route.Target
	for _, t := range list {
		p := g.providers[t.Provider]
		if err := c.verdict.Allows(policy.Zone(t.Zone)); err != nil {
			denied = err
			c.reason("verdict", "denied", t, scri.AsError(err).Message)
			continue
		}
		if !carries(p, r) {
			unfit = &scri.Error{
				Kind:    scri.ErrUnsupported,
				Message: fmt.Sprintf("provider %s speaks %s, which has no %s", t.Provider, p.Dialect(), plainPath(r.Path)),
				Hint:    "ask for a model of a provider that speaks " + strings.Join(r.Dialects, " or "),
			}
			c.reason("plan", "skipped", t, scri.AsError(unfit).Message)
			continue
		}
		if _, isModel := g.router.Means(b.Model); b.Found && !isModel && t.Model == "" {
			return nil, &scri.Error{
				Kind: scri.ErrInvalid, Path: "/model", Message: fmt.Sprintf("%q stands for models that chat, and this needs one of another kind", b.Model),
				Hint: "name the model, or set [relay." + string(r.Op) + "] target to provider:model",
			}
		}
		out = append(out, t)
	}
	if len(out) == 0 {
		if denied != nil {
			return nil, denied
		}
		return nil, unfit
	}
	return out, nil
}

// reason notes why a target is, or is not, asked.
func (c *call) reason(stage, code string, t route.Target, detail string) {
	c.Lineage.Reasons = append(c.Lineage.Reasons, scri.Reason{Stage: stage, Code: code, Target: t.String(), Detail: detail})
}

func plainPath(path string) string {
	path, _, _ = strings.Cut(path, "?")
	return path
}

// carries reports whether a provider understands the path of a request. Another
// gateway of this kind passes it on itself.
func carries(p *provider.Provider, r *scri.Relay) bool {
	return p != nil && (p.Dialect() == "native" || slices.Contains(r.Dialects, p.Dialect()))
}

// candidates settles whom a request is meant for: whom the client wishes for, who
// has the model, who is configured for what names none, or the only one there is.
// It is never empty without an error.
func (g *Gateway) candidates(ctx context.Context, c *call, r *scri.Relay, b *relay.Body) ([]route.Target, error) {
	name, isModel := g.router.Means(b.Model)
	if r.Provider != "" {
		return g.wished(c, r.Provider, name, isModel)
	}
	if isModel {
		if list := g.router.Owners(ctx, b.Model); len(list) > 0 {
			c.reason("resolve", "owner", list[0], "")
			return list, nil
		}
	}
	if b.Cut { // the model that stands behind may be one that must not leave
		return nil, &scri.Error{
			Kind: scri.ErrInvalid, Path: "/model", Message: fmt.Sprintf("no model stands in the first %d MB of the body", g.lookAhead>>20),
			Hint: "put it before the data, or send the header X-Aratta-Provider",
		}
	}
	if to := g.relays[r.Op]; to != "" {
		list := g.router.Owners(ctx, to)
		if len(list) > 0 && carries(g.providers[list[0].Provider], r) {
			if isModel {
				list[0].Model = name
			}
			c.reason("resolve", "relay_default", list[0], "")
			return list[:1], nil
		}
	}
	return g.only(c, r, name, isModel)
}

// wished is the provider that a client names itself.
func (g *Gateway) wished(c *call, wish, name string, isModel bool) ([]route.Target, error) {
	p := g.providers[wish]
	if p == nil {
		e := &scri.Error{Kind: scri.ErrNotFound, Code: "provider_not_found", Message: fmt.Sprintf("a provider %q is not on", wish)}
		var on []string
		for _, p := range g.list {
			on = append(on, p.Name())
		}
		if near := nearest.Name(wish, on); near != "" {
			e.Hint = fmt.Sprintf("did you mean %q?", near)
		}
		return nil, e
	}
	t := route.Target{Provider: wish, Zone: p.Zone(), Asked: true}
	if isModel {
		t.Model = name
		for _, sep := range []string{":", "/"} {
			if own, ok := strings.CutPrefix(name, wish+sep); ok {
				t.Model = own
			}
		}
	}
	c.reason("resolve", "wished", t, "")
	return []route.Target{t}, nil
}

// only is the one provider that can carry a request, if there is just one. What
// another gateway has is asked for where nobody else can be meant.
func (g *Gateway) only(c *call, r *scri.Relay, name string, isModel bool) ([]route.Target, error) {
	var list, behind []route.Target
	var names []string
	var denied error
	for _, p := range g.list {
		if !carries(p, r) {
			continue
		}
		if err := c.verdict.Allows(policy.Zone(p.Zone())); err != nil {
			denied = err
			continue
		}
		t := route.Target{Provider: p.Name(), Zone: p.Zone()}
		if isModel {
			t.Model = name
		}
		if p.Dialect() == "native" {
			behind = append(behind, t)
			continue
		}
		list = append(list, t)
	}
	if len(list) == 0 {
		list = behind
	}
	for _, t := range list {
		names = append(names, t.Provider)
	}
	switch {
	case len(list) == 1:
		c.reason("resolve", "only_provider", list[0], "")
		return list, nil
	case len(list) == 0 && denied != nil:
		return nil, denied
	case len(list) == 0:
		return nil, &scri.Error{
			Kind: scri.ErrUnsupported, Message: "no provider that is on has " + plainPath(r.Path), Hint: "add one that speaks " + strings.Join(r.Dialects, " or "),
		}
	}
	e := &scri.Error{
		Kind: scri.ErrInvalid, Message: "nothing says which provider is meant: " + strings.Join(names, ", ") + " could be",
		Hint: "send the header X-Aratta-Provider, or set [relay." + string(r.Op) + "] target",
	}
	switch {
	case isModel:
		e.Kind, e.Path, e.Message = scri.ErrNotFound, "/model", "nobody is known to have the model, and "+strings.Join(names, ", ")+" could"
		e.Hint = "write it as provider:model; " + e.Hint
	case r.Models:
		e.Path, e.Hint = "/model", "name a model; or "+e.Hint
	}
	return nil, e
}

// pass sends a request to one target.
func (g *Gateway) pass(ctx context.Context, c *call, r *scri.Relay, b *relay.Body, t *route.Target) (*scri.RelayAnswer, error) {
	p := g.providers[t.Provider]
	ctx, at := g.begin(ctx, c, p, t)
	a := &c.Lineage.Attempts[at]
	permit, err := c.verdict.Permit(policy.Zone(p.Zone()), p.Host())
	if err != nil {
		g.failed(ctx, c, at, err)
		return nil, err
	}
	if a.Model == "" {
		a.Model = b.Model
	}
	if r.Models && !b.Found && t.Model != "" && b.Whole {
		c.Warnings = append(c.Warnings, scri.Warning{Code: scri.WarnAdded, Path: "/model", To: t.Model, Detail: "the request names none"})
	}
	parcel := &provider.Parcel{Method: r.Method, Path: r.Path, Header: relay.RequestHeader(r.Header), Model: a.Model, Caller: c.credential(p)}
	if p.Dialect() == "native" && c.verdict.Sovereign() {
		parcel.Header.Set(sovereignHeader, "true")
	}
	if b.Whole {
		parcel.Memory = b.Bytes(t.Model)
	} else {
		parcel.Body, parcel.Length = b.As(t.Model)
	}
	got, _, err := p.Relay(provider.WithPermit(ctx, permit), parcel)
	if err != nil {
		g.failed(ctx, c, at, err)
		return nil, err
	}
	a.FirstMS = millis(g.now().Sub(a.Start))
	h := relay.AnswerHeader(got.Header)
	return &scri.RelayAnswer{
		Status: got.Status, Header: h,
		Body: &passed{ReadCloser: got.Body, g: g, c: c, p: p, at: at, tap: tapOf(h.Get("Content-Type"), h.Get("Content-Encoding"))},
	}, nil
}

func tapOf(contentType, encoding string) *relay.Tap {
	if encoding != "" && encoding != "identity" {
		return nil
	}
	return relay.NewTap(contentType)
}

// passed is the body of the answer of the target that took a request.
type passed struct {
	io.ReadCloser
	g   *Gateway
	c   *call
	p   *provider.Provider
	at  int
	tap *relay.Tap

	mu   sync.Mutex // Close may come while Read waits
	over bool
}

// Read reads what has come of the answer, or waits for it.
func (a *passed) Read(b []byte) (int, error) {
	n, err := a.ReadCloser.Read(b)
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.tap != nil && n > 0 {
		a.tap.See(b[:n])
	}
	switch err {
	case nil:
	case io.EOF:
		a.settle("ok", nil)
	default:
		e := *scri.AsError(err)
		outcome := "failed"
		if e.Kind == scri.ErrCanceled {
			outcome = "canceled"
		}
		e.RequestID, e.Attempts = a.c.ID, a.c.Lineage.Attempts
		a.settle(outcome, &e)
		err = &e
	}
	return n, err
}

// Close ends the answer; one that was not read to its end was canceled.
func (a *passed) Close() error {
	err := a.ReadCloser.Close()
	a.mu.Lock()
	defer a.mu.Unlock()
	a.settle("canceled", nil)
	return err
}

// settle closes the attempt and the lineage, once.
func (a *passed) settle(outcome string, e *scri.Error) {
	if a.over {
		return
	}
	a.over = true
	att := &a.c.Lineage.Attempts[a.at]
	att.Outcome, att.Usage = outcome, a.tap.Usage()
	att.TookMS = millis(a.g.now().Sub(att.Start))
	if outcome == "ok" {
		att.CostUSD = a.p.PriceRelayed(a.c.Op, att.Model, att.Usage)
		a.c.Lineage.CostUSD = total(a.c.Lineage.Attempts, a.at)
		a.p.Answered()
	}
	if e != nil {
		att.Error = brief(e)
		a.g.log.LogAttrs(context.Background(), levelOf(e), "answer broke off", attrs(a.c, att, e)...)
	}
}
