package dialect

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/aratta-gateway/aratta/internal/sock"
	"github.com/aratta-gateway/aratta/internal/term"
	"github.com/aratta-gateway/aratta/scri"
)

// DefaultMaxBody bounds a client's request body.
const DefaultMaxBody = 32 << 20

// ServeOptions is what Serve needs to know beside the dialect and the handler.
// The zero value serves with defaults and tells nobody.
type ServeOptions struct {
	MaxBody        int64         // bytes; 0 = DefaultMaxBody
	KeepaliveAfter time.Duration // silence after which an SSE client gets a comment; 0 = never
	Timeout        time.Duration // bound of one whole exchange; 0 = none

	// Admit names the request and says who asks, or refuses.
	Admit func(r *http.Request) (id string, c scri.Caller, err *scri.Error)
	// Commit adds headers just before the status line is written. head is nil
	// when nothing of the answer is known yet, or it is an error. While the handler
	// is still at work, x is a copy that knows no more than who asked for what.
	Commit func(h http.Header, x *scri.Exchange, head *scri.ChatResponse)
	// Count answers a count request.
	Count func(ctx context.Context, x *scri.Exchange) (*scri.CountResponse, error)
	// Keeps says that the handler keeps answers, see [Keeper].
	Keeps bool
	// Embed answers an embed request.
	Embed func(ctx context.Context, x *scri.Exchange) (*scri.EmbedResponse, error)
	// Done is told of the end of each exchange, refused ones included: its status
	// and what went wrong, or nil. r is the client's request.
	Done func(r *http.Request, x *scri.Exchange, status int, err *scri.Error)
	// Left is told the same as Done when a whole answer has left: what nobody waits
	// for belongs here.
	Left func(r *http.Request, x *scri.Exchange, status int, err *scri.Error)
	// Panicked is told of a panic while its stack is still there; the client then
	// gets an error. nil: panics go on as they came.
	Panicked func(x *scri.Exchange, p any)
}

// Serve returns the handler of one route of a dialect: it decodes the request,
// lets h answer, and encodes the answer as a whole or as a stream. The status
// line is written when h has committed to an answer, or at the first keep-alive
// of a stream; an error after that is told inside the stream.
func Serve(d Dialect, route Route, h scri.Handler, opt ServeOptions) http.Handler {
	if opt.MaxBody == 0 {
		opt.MaxBody = DefaultMaxBody
	}
	return &endpoint{d: d, route: route, h: h, opt: opt}
}

type endpoint struct {
	d     Dialect
	route Route
	h     scri.Handler
	opt   ServeOptions
	bufs  sync.Pool // of *[]byte, for streams that have something to say

	bodies Bodies    // of requests
	desks  sync.Pool // of *Desk
}

func (e *endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a := new(reply) // filled in place: a literal would lie on the stack of each stream too
	x := &a.exchange
	x.Op, x.Header, x.Lineage = e.route.Op, r.Header, &a.lineage
	x.Lineage.Ingress = e.d.Name()
	a.endpoint, a.w, a.r, a.x = e, w, r, x
	a.in.Route, a.in.Header, a.in.Param = e.route, r.Header, r.PathValue
	defer a.rescue()
	expectBody(w, r)
	if e.opt.Admit != nil {
		id, caller, err := e.opt.Admit(r)
		x.ID, x.Caller, x.Lineage.ID = id, caller, id
		if err != nil {
			a.fail(err)
			return
		}
	}
	a.body = e.bodies.Take()
	if a.in.Desk, _ = e.desks.Get().(*Desk); a.in.Desk == nil { // no variable here: a stream would hold it to its end
		a.in.Desk = new(Desk)
	}
	if a.receive(r) {
		a.answer(sock.WithKept(r.Context(), a.kept))
	}
	a.kept.Close() // before its memory is used again

	if a.body != nil { // after a panic it is left to the collector: somebody may still read it
		e.bodies.Put(a.body)
		a.in.Desk.clear()
		e.desks.Put(a.in.Desk)
	}
}

// receive reads the request, and reports whether there is something to answer. It
// and the other parts that are kept apart are over when the answer is made: the stack
// of a connection is as large as all that lay on it at once, for as long as a stream
// lasts.
//
//go:noinline
func (a *reply) receive(r *http.Request) bool {
	if r.URL.RawQuery != "" {
		a.in.Query = r.URL.Query()
	}
	var err *scri.Error
	if a.in.Body, err = readBody(a.w, r, a.opt.MaxBody, a.body, &a.kept); err != nil {
		a.fail(err)
		return false
	}
	if len(bytes.TrimSpace(a.in.Body)) == 0 {
		a.fail(&scri.Error{Kind: scri.ErrInvalid, Message: "the body is empty", Hint: "send the request as one JSON value"})
		return false
	}
	if err := a.read(); err != nil {
		a.fail(scri.AsError(err))
		return false
	}
	a.x.Lineage.Asked, a.x.Body = a.x.Model(), a.in.Body
	return true
}

func (a *reply) answer(ctx context.Context) {
	e, x := a.endpoint, a.x
	ctx = a.term.Begin(ctx, e.opt.Timeout)
	defer a.term.End(nil)
	switch {
	case e.route.Op == scri.OpCount:
		a.count(ctx)
	case e.route.Op == scri.OpEmbed:
		a.embed(ctx)
	case e.route.Stream == Always || e.route.Stream == ByBody && x.Req.Stream:
		a.stream(ctx)
	default:
		a.whole(ctx)
	}
}

// read decodes the request. The model's name is kept in lineages and tables, and
// would hold the whole body.
func (a *reply) read() error {
	if a.route.Op == scri.OpEmbed {
		d, ok := a.d.(Embedder)
		if !ok {
			return &scri.Error{Kind: scri.ErrUnsupported, Message: "nothing is embedded in this dialect"}
		}
		req, err := d.DecodeEmbedRequest(&a.in)
		if err != nil {
			return err
		}
		req.Model = strings.Clone(req.Model)
		a.in.Embed, a.x.Embed = req, req
		return nil
	}
	req, err := a.d.DecodeRequest(&a.in)
	if err != nil {
		return err
	}
	req.Model = strings.Clone(req.Model)
	for _, more := range a.in.More {
		more.Model = req.Model
	}
	a.in.Req, a.x.In, a.x.Req = req, req, req
	return a.keep()
}

// reply is one exchange on its way back to the client.
type reply struct {
	*endpoint
	w    http.ResponseWriter
	r    *http.Request
	x    *scri.Exchange
	in   Incoming
	out  *outlet // of a stream
	term term.Term
	sent bool // the status line is written, or is about to be
	over bool // Done was told

	exchange scri.Exchange // x's memory
	lineage  scri.Lineage  // likewise

	body *[]byte    // memory of the request's body; nil once it was let go
	kept *sock.Kept // what the kernel has of it too
}

func (a *reply) done(status int, err *scri.Error) {
	a.over = true
	if a.opt.Done != nil {
		a.opt.Done(a.r, a.x, status, err)
	}
	if a.opt.Left == nil {
		return
	}
	if a.sent && a.out == nil { // else the end of a stream leaves with the end of its body, in one call
		_ = http.NewResponseController(a.w).Flush() // the client may be gone, and a recorder has nothing to send
	}
	a.opt.Left(a.r, a.x, status, err)
}

// named is err with the id of this request. Errors may be shared by requests,
// as those that are remembered are, so it is a copy that gets the id.
func (a *reply) named(err *scri.Error) *scri.Error {
	if err == nil || err.RequestID != "" {
		return err
	}
	own := *err
	own.RequestID = a.x.ID
	return &own
}

// fail answers with an error before anything else was written.
func (a *reply) fail(err *scri.Error) {
	err = a.named(err)
	status, body := a.d.EncodeError(nil, err)
	if err.RetryAfter > 0 {
		a.w.Header().Set("Retry-After", strconv.FormatInt(int64((err.RetryAfter+time.Second-1)/time.Second), 10))
	}
	a.write(status, body, nil)
	a.done(status, err)
}

// write sends an answer that is whole.
func (a *reply) write(status int, body []byte, head *scri.ChatResponse) {
	h := a.w.Header()
	v := []string{"application/json", strconv.Itoa(len(body))}
	h["Content-Type"], h["Content-Length"] = v[0:1:1], v[1:2:2]
	if a.opt.Commit != nil {
		a.opt.Commit(h, a.x, head)
	}
	a.sent = true
	allowWrite(a.w, writeTime)
	a.w.WriteHeader(status)
	_, _ = a.w.Write(body) // the client may be gone; its context says so
}

func (a *reply) whole(ctx context.Context) {
	s, err := a.ask(ctx)
	if err != nil {
		a.fail(scri.AsError(err))
		return
	}
	defer s.Close() //nolint:errcheck // Collect closes it; this one is for panics
	resp, err := scri.Collect(s)
	if err != nil {
		a.fail(scri.AsError(err))
		return
	}
	body, warn := a.d.EncodeResponse(nil, &a.in, resp)
	a.x.Warnings = append(a.x.Warnings, warn...)
	a.write(http.StatusOK, body, resp)
	a.done(http.StatusOK, nil)
}

func (a *reply) count(ctx context.Context) {
	c, ok := a.d.(Counter)
	if !ok || a.opt.Count == nil {
		a.fail(&scri.Error{Kind: scri.ErrUnsupported, Message: "tokens are not counted here"})
		return
	}
	n, err := a.opt.Count(ctx, a.x)
	if err != nil {
		a.fail(scri.AsError(err))
		return
	}
	a.write(http.StatusOK, c.EncodeCount(nil, &a.in, n), nil)
	a.done(http.StatusOK, nil)
}

func (a *reply) stream(ctx context.Context) {
	o := newOutlet(ctx, a, a.d.EncodeStream(&a.in))
	a.out = o
	o.watch()
	defer o.rest()
	s, err := a.ask(ctx)
	if err == nil {
		defer s.Close() //nolint:errcheck // the answer is over; nothing can be done about it
		a.letGo(&a.in)
		err = pump(o, s)
	}
	o.rest()
	o.rethrow()
	switch {
	case errors.Is(err, errGone):
		_ = s.Close() // which closes the lineage, before it is told
		gone := a.named(&scri.Error{Kind: scri.ErrCanceled, Message: "the client went away"})
		a.done(gone.HTTPStatus(), gone)
	case err != nil && !o.open:
		a.fail(scri.AsError(err))
	default:
		a.end(scri.AsError(err))
	}
}

// ask lets the handler answer the request, and all others that came with it.
func (a *reply) ask(ctx context.Context) (scri.Stream, error) {
	if len(a.in.More) == 0 {
		return a.h(ctx, a.x)
	}
	return askAll(ctx, a.h, a.x, a.in.More)
}

// letGo forgets the conversation once its answer has begun: nobody is asked
// again, and a long stream must not hold a megabyte that nobody reads. Whoever
// needs it later keeps it himself.
func (a *reply) letGo(in *Incoming) {
	light := &scri.ChatRequest{Model: in.Req.Model, Stream: true}
	a.out.mu.Lock() // the timer may be looking
	defer a.out.mu.Unlock()
	in.Body, in.Req, in.Desk = nil, light, nil
	a.x.In, a.x.Req, a.x.Body = light, light, nil
	a.kept.Close()
	a.body = nil // something of it may still be in use: it is left to the collector
}

// errGone says that the client no longer takes what is written.
var errGone = errors.New("the client went away")

// pump moves events from s to the client: what came together leaves in one
// write. It ends when s ends or the client is gone.
func pump(o *outlet, s scri.Stream) error {
	for {
		ev, err := s.Next()
		if scri.Ended(err) {
			return nil
		}
		if err != nil {
			return err
		}
		if o.add(ev, scri.Pending(s)) != nil {
			return errGone
		}
	}
}

// end ends a stream inside of it.
func (a *reply) end(err *scri.Error) {
	err = a.named(err)
	a.out.end(err)
	a.x.Warnings = append(a.x.Warnings, a.out.enc.Warnings()...)
	a.done(http.StatusOK, err)
}

// rescue ends an exchange that panicked. The client is told in the words of its
// dialect, if that can still be done, and never that all is well.
func (a *reply) rescue() {
	p := recover()
	a.kept.Close() // if it was not yet
	if p == nil {
		return
	}
	if err, ok := p.(error); a.opt.Panicked == nil || ok && errors.Is(err, http.ErrAbortHandler) {
		panic(p)
	}
	a.opt.Panicked(a.x, p)
	err := a.named(&scri.Error{Kind: scri.ErrInternal, Message: "the gateway failed", Hint: "its log says why"})
	told := false
	defer func() {
		if told {
			return
		}
		_ = recover() // whatever it is that fails here, the first panic is what matters
		if !a.over {
			a.done(err.HTTPStatus(), err)
		}
		panic(http.ErrAbortHandler) // cuts the connection: half an answer must not pass for a whole one
	}()
	switch {
	case a.over:
	case a.out != nil && a.out.open:
		a.end(err)
		told = true
	case !a.sent:
		a.fail(err)
		told = true
	default:
	}
}
