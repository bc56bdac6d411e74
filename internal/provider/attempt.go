package provider

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/overlay"
	"github.com/aratta-gateway/aratta/internal/term"
	"github.com/aratta-gateway/aratta/scri"
)

// Bounds of what is read of an upstream.
const (
	maxWhole   = 64 << 20 // a whole answer
	maxError   = 64 << 10 // the body of an error
	maxDrain   = 4 << 10  // what may follow a complete stream
	drainWait  = 50 * time.Millisecond
	firstGrasp = 64 << 10 // of a body whose announced length is not believed yet
)

// attempt is one request and its answer. It owns the connection until release.
type attempt struct {
	term    term.Term // of what is done for it
	watch   watch
	p       *Provider
	parent  context.Context //nolint:containedctx // an attempt is bound to the context it was opened with
	speaks  dialect.Dialect // of the request under way
	run     *overlay.Run    // nil = no overlay is in force
	url     *url.URL        // as overlays left it; nil = as the dialect says
	header  http.Header     // likewise
	encoded *[]byte         // memory of the body, to be given back; may be nil
	edited  *[]byte         // likewise, of the body that overlays have changed; empty if they have not
	caller  http.Header     // of the client's request, where its credential is passed on
	target  dialect.Target
	answer  dialect.Answer
	resp    *http.Response
	body    io.Reader // of resp, decoded
	info    Info

	readErr error // what ended reading, io.EOF included
	release sync.Once
	shut    sync.Once

	// Of streams only.
	events  scri.Stream
	lent    *[]byte // for a burst; belongs to p.bursts
	content bool    // something of the answer came
	end     error   // what Next returned at the end
	clean   atomic.Bool
	closed  atomic.Bool
}

// send sends a request and waits for the head of its answer. After an error
// nothing is left to close.
func (a *attempt) send(ctx context.Context, out *dialect.Outgoing, l limits) error {
	u, header := a.url, a.header
	if header == nil {
		header = a.p.header(out.Header)
	}
	if u == nil {
		err := a.p.reroute(out, a.target.Model)
		if err == nil {
			u, err = a.p.address.resolve(out.Path)
		}
		if err != nil {
			return err
		}
	}
	return a.sendTo(ctx, &outbound{method: out.Method, url: u, header: header, body: out.Body, pieces: out.Pieces, direct: a.p.direct}, l)
}

func (a *attempt) sendTo(ctx context.Context, out *outbound, l limits) error {
	a.parent = ctx
	ctx = a.term.Begin(ctx, 0)
	a.watch.start(&a.term, l)
	out.caller = a.caller
	if a.p.traceparent != nil {
		a.p.traced(ctx, out)
	}
	resp, err := a.exchange(ctx, out) //nolint:bodyclose // release closes it
	a.info.FirstByte = time.Since(a.watch.began)
	if err != nil {
		a.done()
		return a.failure(err)
	}
	a.resp = resp
	a.info.Status, a.info.UpstreamID = resp.StatusCode, upstreamID(resp.Header)
	a.answer = dialect.Answer{Status: resp.StatusCode, Header: resp.Header, Target: &a.target}
	if err := a.decode(); err != nil {
		a.done()
		return err
	}
	if resp.StatusCode/100 != 2 {
		a.watch.enter(phaseIdle, l.idle)
		return a.refusal()
	}
	if l.first != none {
		a.watch.enter(phaseFirst, l.first)
	} else {
		a.watch.enter(phaseIdle, l.idle)
	}
	return nil
}

// traced tells the provider which trace the request belongs to. Headers are shared
// by requests, so it is a copy that gets one more.
func (p *Provider) traced(ctx context.Context, out *outbound) {
	if parent := p.traceparent(ctx); parent != "" {
		out.header = maps.Clone(out.header)
		out.header["Traceparent"] = []string{parent}
	}
}

// idleClosed is the text of an error of net/http that has no other name.
const idleClosed = "http: server closed idle connection"

// outbound is a request, ready to be sent, and once more if need be.
type outbound struct {
	method string
	url    *url.URL
	header http.Header
	body   []byte
	pieces [][]byte      // instead of body, if any and direct
	direct bool          // the transport takes bodies as inMemory
	stream io.ReadCloser // instead of body: read while it is sent, and so only once
	length int64         // of stream; -1 = unknown
	caller http.Header   // of the client's request, for who passes its credential on
}

func (o *outbound) request(ctx context.Context) *http.Request {
	req := (&http.Request{
		Method: o.method, URL: o.url, Host: o.url.Host, Header: o.header,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}).WithContext(ctx)
	switch {
	case o.stream != nil:
		req.ContentLength, req.Body = o.length, o.stream
	case len(o.body) > 0 && o.direct:
		m := &inMemory{pieces: o.pieces}
		if m.pieces == nil {
			m.pieces = append(m.one[:0], o.body)
		}
		for _, piece := range m.pieces {
			m.size += len(piece)
		}
		req.ContentLength, req.Body = int64(m.size), m
	case len(o.body) > 0:
		body := o.body
		req.ContentLength = int64(len(body))
		// Exactly this type: the transport knows it as a body in memory, and then
		// sends head and body in one piece.
		req.Body = io.NopCloser(bytes.NewReader(body))
		req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	}
	return req
}

// decode undoes the answer's content encoding.
func (a *attempt) decode() error {
	a.body = (*source)(a)
	switch enc := a.resp.Header.Get("Content-Encoding"); enc {
	case "", "identity":
		return nil
	case "gzip", "x-gzip":
		a.body = &gunzip{src: a.body}
		return nil
	default:
		return a.fill(&scri.Error{Kind: scri.ErrUnavailable, Message: fmt.Sprintf("the answer came in the encoding %q, which was not asked for", enc)})
	}
}

// gunzip opens its source at the first read, as nothing may have come before.
type gunzip struct {
	src io.Reader
	z   *gzip.Reader
}

func (g *gunzip) Read(p []byte) (int, error) {
	if g.z == nil {
		z, err := gzip.NewReader(g.src)
		if err != nil {
			return 0, err
		}
		g.z = z
	}
	return g.z.Read(p)
}

// source reads the raw body under the watch.
type source attempt

// Read reads what has come, or waits for it as long as the limits allow.
func (s *source) Read(p []byte) (int, error) {
	a := (*attempt)(s)
	if a.readErr != nil {
		return 0, a.readErr
	}
	a.watch.wait()
	n, err := a.resp.Body.Read(p)
	a.watch.got()
	if err != nil && !errors.Is(err, io.EOF) {
		err = a.failure(err)
	}
	a.readErr = err
	return n, err
}

// Buffered is how much of it is in memory.
func (s *source) Buffered() int {
	if b, ok := s.resp.Body.(*h1Answer); ok {
		return b.buffered()
	}
	return 0
}

// Lend lends memory for a burst.
func (s *source) Lend(size int) []byte {
	s.lent = s.p.bursts.Take()
	*s.lent = slices.Grow(*s.lent, size)
	return (*s.lent)[:size]
}

// GiveBack takes it back.
func (s *source) GiveBack() {
	if s.lent != nil {
		s.p.bursts.Put(s.lent)
		s.lent = nil
	}
}

// done gives the connection back, or ends it when something of the answer is
// still to come. It may be called twice and while another goroutine reads.
func (a *attempt) done() {
	a.release.Do(func() {
		a.watch.stop()
		a.term.End(nil)
		if a.resp != nil {
			a.resp.Body.Close()
		}
	})
}

// readAll reads the rest of the body, at most limit bytes of it.
func (a *attempt) readAll(limit int64) (b []byte, more bool, err error) {
	size := a.resp.ContentLength
	if size > limit {
		return nil, true, nil
	}
	if size < 0 || size > firstGrasp || a.body != io.Reader((*source)(a)) {
		size = min(max(size, 4<<10), firstGrasp)
	}
	b = make([]byte, 0, size+1) // one more, so that the end is seen without growing
	for {
		if len(b) == cap(b) {
			b = append(b, 0)[:len(b)]
		}
		n, err := a.body.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		if int64(len(b)) > limit {
			return b[:limit], true, nil
		}
		if err != nil {
			if errors.Is(err, io.EOF) {
				a.drain()
				return b, false, nil
			}
			return b, false, a.failure(err)
		}
	}
}

// whole reads a whole answer.
func (a *attempt) whole() ([]byte, error) {
	defer a.done()
	b, more, err := a.readAll(maxWhole)
	if err != nil {
		return nil, err
	}
	if more {
		return nil, a.fill(&scri.Error{Kind: scri.ErrUnavailable, Message: fmt.Sprintf("the answer is larger than %d MiB", maxWhole>>20)})
	}
	if mediaType(a.resp.Header) == "text/html" {
		return nil, a.fill(&scri.Error{
			Kind: scri.ErrUnavailable, Message: "a web page came in place of an answer",
			Hint: "check base_url: " + a.p.Host() + " is perhaps not the API, or a portal stands before it",
		})
	}
	return b, nil
}

// drain reads what follows the decoded end, so that the connection can be used
// again.
func (a *attempt) drain() {
	if a.readErr != nil {
		return
	}
	a.watch.enter(phaseDrain, pick(a.p.timeouts.Drain, drainWait))
	var buf [512]byte
	for total := 0; total < maxDrain; {
		n, err := (*source)(a).Read(buf[:])
		total += n
		if err != nil {
			return
		}
	}
}

func mediaType(h http.Header) string {
	v := h.Get("Content-Type")
	switch v { // what nearly all say, without the parser
	case "application/json", "text/event-stream", "application/x-ndjson":
		return v
	}
	t, _, err := mime.ParseMediaType(v)
	if err != nil {
		return ""
	}
	return t
}

func upstreamID(h http.Header) string {
	if v := h.Get("X-Request-Id"); v != "" {
		return v
	}
	return h.Get("Request-Id")
}
