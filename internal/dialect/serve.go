package dialect

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

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
	// when nothing of the answer is known yet, or it is an error.
	Commit func(h http.Header, x *scri.Exchange, head *scri.ChatResponse)
	// Count answers a count request.
	Count func(ctx context.Context, x *scri.Exchange) (*scri.CountResponse, error)
	// Done is told of the end of each exchange that was admitted: its status and
	// what went wrong, or nil.
	Done func(x *scri.Exchange, status int, err *scri.Error)
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
}

func (e *endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := &scri.Exchange{Op: e.route.Op, Header: r.Header}
	x.Lineage = &scri.Lineage{Ingress: e.d.Name()}
	if e.opt.Admit != nil {
		id, caller, err := e.opt.Admit(r)
		x.ID, x.Caller, x.Lineage.ID = id, caller, id
		if err != nil {
			e.fail(w, x, err)
			return
		}
	}
	in := &Incoming{Route: e.route, Header: r.Header, Param: r.PathValue}
	if r.URL.RawQuery != "" {
		in.Query = r.URL.Query()
	}
	var err *scri.Error
	if in.Body, err = readBody(r, e.opt.MaxBody); err != nil {
		e.fail(w, x, err)
		return
	}
	req, derr := e.d.DecodeRequest(in)
	if derr != nil {
		e.fail(w, x, scri.AsError(derr))
		return
	}
	in.Req, x.In, x.Req = req, req, req
	x.Lineage.Asked = req.Model
	ctx := r.Context()
	if e.opt.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, e.opt.Timeout)
		defer cancel()
	}
	switch {
	case e.route.Op == scri.OpCount:
		e.count(ctx, w, in, x)
	case e.route.Stream == Always || e.route.Stream == ByBody && req.Stream:
		e.stream(ctx, w, in, x)
	default:
		e.whole(ctx, w, in, x)
	}
}

// readBody reads all of a body of at most limit bytes. Decoded trees alias it,
// so it belongs to its request and is never reused.
func readBody(r *http.Request, limit int64) ([]byte, *scri.Error) {
	if enc := r.Header.Get("Content-Encoding"); enc != "" && !strings.EqualFold(enc, "identity") {
		return nil, &scri.Error{
			Kind: scri.ErrInvalid, Message: "content encoding " + strconv.Quote(enc) + " is not supported",
			Hint: "send the body uncompressed",
		}
	}
	if r.ContentLength > limit {
		return nil, tooLarge(limit)
	}
	if n := r.ContentLength; n >= 0 {
		b := make([]byte, n)
		if _, err := io.ReadFull(r.Body, b); err != nil {
			return nil, unread(err)
		}
		return b, nil
	}
	var buf bytes.Buffer
	n, err := io.Copy(&buf, io.LimitReader(r.Body, limit+1))
	if err != nil {
		return nil, unread(err)
	}
	if n > limit {
		return nil, tooLarge(limit)
	}
	return buf.Bytes(), nil
}

func tooLarge(limit int64) *scri.Error {
	return &scri.Error{
		Kind: scri.ErrInvalid, Status: http.StatusRequestEntityTooLarge,
		Message: fmt.Sprintf("the request body is larger than %d MB", limit>>20),
		Hint:    "shorten the conversation, or raise server.max_body_mb",
	}
}

func unread(err error) *scri.Error {
	return &scri.Error{Kind: scri.ErrInvalid, Message: "the request body did not arrive whole", Err: err}
}

func (e *endpoint) commit(h http.Header, x *scri.Exchange, head *scri.ChatResponse) {
	if e.opt.Commit != nil {
		e.opt.Commit(h, x, head)
	}
}

func (e *endpoint) done(x *scri.Exchange, status int, err *scri.Error) {
	if e.opt.Done != nil {
		e.opt.Done(x, status, err)
	}
}

// fail answers with an error before anything else was written.
func (e *endpoint) fail(w http.ResponseWriter, x *scri.Exchange, err *scri.Error) {
	if err.RequestID == "" {
		err.RequestID = x.ID
	}
	status, body := e.d.EncodeError(nil, err)
	h := w.Header()
	h["Content-Type"] = []string{"application/json"}
	if err.RetryAfter > 0 {
		h.Set("Retry-After", strconv.FormatInt(int64((err.RetryAfter+time.Second-1)/time.Second), 10))
	}
	e.commit(h, x, nil)
	e.write(w, status, body)
	e.done(x, status, err)
}

func (e *endpoint) write(w http.ResponseWriter, status int, body []byte) {
	w.Header()["Content-Length"] = []string{strconv.Itoa(len(body))}
	w.WriteHeader(status)
	_, _ = w.Write(body) // the client may be gone; its context says so
}

func (e *endpoint) whole(ctx context.Context, w http.ResponseWriter, in *Incoming, x *scri.Exchange) {
	s, err := e.h(ctx, x)
	if err != nil {
		e.fail(w, x, scri.AsError(err))
		return
	}
	resp, err := scri.Collect(s)
	if err != nil {
		e.fail(w, x, scri.AsError(err))
		return
	}
	body, warn := e.d.EncodeResponse(nil, in, resp)
	x.Warnings = append(x.Warnings, warn...)
	h := w.Header()
	h["Content-Type"] = []string{"application/json"}
	e.commit(h, x, resp)
	e.write(w, http.StatusOK, body)
	e.done(x, http.StatusOK, nil)
}

func (e *endpoint) count(ctx context.Context, w http.ResponseWriter, in *Incoming, x *scri.Exchange) {
	c, ok := e.d.(Counter)
	if !ok || e.opt.Count == nil {
		e.fail(w, x, &scri.Error{Kind: scri.ErrUnsupported, Message: "tokens are not counted here"})
		return
	}
	n, err := e.opt.Count(ctx, x)
	if err != nil {
		e.fail(w, x, scri.AsError(err))
		return
	}
	w.Header()["Content-Type"] = []string{"application/json"}
	e.commit(w.Header(), x, nil)
	e.write(w, http.StatusOK, c.EncodeCount(nil, in, n))
	e.done(x, http.StatusOK, nil)
}

func (e *endpoint) stream(ctx context.Context, w http.ResponseWriter, in *Incoming, x *scri.Exchange) {
	o := &outlet{w: w, enc: e.d.EncodeStream(in), every: e.opt.KeepaliveAfter}
	o.commit = func(head *scri.ChatResponse) {
		h := w.Header()
		v := []string{o.enc.ContentType(), "no-cache", "no"}
		h["Content-Type"], h["Cache-Control"], h["X-Accel-Buffering"] = v[0:1:1], v[1:2:2], v[2:3:3]
		e.commit(h, x, head)
		w.WriteHeader(http.StatusOK)
	}
	o.watch()
	defer o.rest()
	s, err := e.h(ctx, x)
	if err == nil {
		defer s.Close() //nolint:errcheck // the answer is over; nothing can be done about it
		err = e.pump(o, s)
	}
	o.rest()
	switch {
	case errors.Is(err, errGone):
		gone := &scri.Error{Kind: scri.ErrCanceled, Message: "the client went away", RequestID: x.ID}
		e.done(x, gone.HTTPStatus(), gone)
	case err != nil && !o.open:
		e.fail(w, x, scri.AsError(err))
	default:
		e.end(o, x, scri.AsError(err))
	}
}

// errGone says that the client no longer takes what is written.
var errGone = errors.New("the client went away")

// pump moves events from s to the client: what came together leaves in one
// write. It ends when s ends or the client is gone.
func (e *endpoint) pump(o *outlet, s scri.Stream) error {
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

func (e *endpoint) end(o *outlet, x *scri.Exchange, err *scri.Error) {
	if err != nil && err.RequestID == "" {
		err.RequestID = x.ID
	}
	o.end(err)
	x.Warnings = append(x.Warnings, o.enc.Warnings()...)
	e.done(x, http.StatusOK, err)
}

// flushAt is how much of a burst is gathered before it is sent all the same.
const flushAt = 32 << 10

// outlet writes one stream to a client. Its lock is for the keep-alive, which
// writes from a timer while the handler waits.
type outlet struct {
	w      http.ResponseWriter
	enc    StreamEncoder
	commit func(head *scri.ChatResponse)
	every  time.Duration

	mu     sync.Mutex
	buf    []byte
	open   bool // the status line is written
	over   bool // nothing more may be written
	writes int  // how many times something was sent
	seen   int  // what writes was at the last look of the keep-alive
	timer  *time.Timer
}

// watch starts the keep-alive.
func (o *outlet) watch() {
	if o.every <= 0 || len(o.enc.Ping(nil)) == 0 {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.timer = time.AfterFunc(o.every, o.ping)
}

func (o *outlet) ping() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.over {
		return
	}
	if o.writes == o.seen {
		o.start(nil)
		o.buf = o.enc.Ping(o.buf)
		_ = o.send() // the handler's own next write meets the same failure
	}
	o.seen = o.writes
	o.timer.Reset(o.every)
}

// rest ends the keep-alive for good.
func (o *outlet) rest() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.over = true
	if o.timer != nil {
		o.timer.Stop()
	}
}

func (o *outlet) start(head *scri.ChatResponse) {
	if !o.open {
		o.open = true
		o.commit(head)
	}
}

// add encodes an event, and sends what has gathered unless more is at hand.
func (o *outlet) add(ev *scri.StreamEvent, more bool) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.open {
		o.start(ev.Head)
	}
	o.buf = o.enc.Event(o.buf, ev)
	if len(o.buf) == 0 || more && len(o.buf) < flushAt {
		return nil
	}
	return o.send()
}

func (o *outlet) send() error {
	o.writes++
	_, err := o.w.Write(o.buf)
	o.buf = o.buf[:0]
	if cap(o.buf) > 4*flushAt {
		o.buf = nil
	}
	if f, ok := o.w.(http.Flusher); ok && err == nil {
		f.Flush()
	}
	return err
}

// end writes the end of the stream. It is called after rest.
func (o *outlet) end(err *scri.Error) {
	o.start(nil)
	o.buf = o.enc.End(o.buf, err)
	if len(o.buf) > 0 {
		_ = o.send() // the answer is over; the client may be gone
	}
}
