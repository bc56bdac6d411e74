package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/discreet"
	"github.com/aratta-gateway/aratta/internal/relay"
	"github.com/aratta-gateway/aratta/scri"
)

// RelayHandler passes a request on, as gateway.Gateway.Relay does.
type RelayHandler func(ctx context.Context, x *scri.Exchange, r *scri.Relay) (*scri.RelayAnswer, error)

const (
	// What a client may say: of any request that it may not leave zone local, of
	// one that is passed on whom it is for.
	headerSovereign = "X-Aratta-Sovereign"
	queryProvider   = "aratta_provider"

	passPiece = 32 << 10 // of an answer, sent at once
	passTime  = 2 * time.Minute
	sendTime  = 30 * time.Second // for each piece of a body
	sendPiece = 256 << 10
)

// passages adds the routes whose requests are passed on.
func (s *Server) passages() {
	if s.opt.Relay == nil {
		return
	}
	for _, p := range dialect.Passages() {
		s.handle(p.Method, p.Pattern, s.passage(p))
		s.list(listed{method: p.Method, path: p.Pattern, tag: p.Dialect, summary: summary(p.Op)})
	}
}

// passage serves one of them.
func (s *Server) passage(p dialect.Passage) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p := p.Spoken(r.Header)
		d := s.named(p.Dialect)
		x := &scri.Exchange{Op: p.Op, Header: r.Header, Lineage: &scri.Lineage{Ingress: d.Name()}}
		var err *scri.Error
		if x.ID, x.Caller, err = s.admit(r); err != nil {
			s.fail(w, r, d, x, err)
			return
		}
		x.Lineage.ID = x.ID
		up := &upload{w: w, r: r, limit: s.limit(p.Op)}
		defer up.stop()
		req, err := s.asRelay(p, r, up)
		if err != nil {
			s.fail(w, r, d, x, err)
			return
		}
		ctx := r.Context()
		if s.opt.RequestTimeout > 0 {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, s.opt.RequestTimeout)
			defer cancel()
		}
		defer context.AfterFunc(ctx, up.wake)()
		answer, rerr := s.opt.Relay(ctx, x, req)
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(passTime)) // the wait may have been long
		if rerr != nil {
			s.fail(w, r, d, x, up.blame(scri.AsError(whyEnded(ctx, rerr))))
			return
		}
		s.deliver(ctx, w, x, answer)
	})
}

// named is a dialect by its name, or OpenAI's.
func (s *Server) named(name string) dialect.Dialect {
	for _, d := range s.opt.Dialects {
		if d.Name() == name {
			return d
		}
	}
	return s.likely("")
}

// limit is how large a body of a kind of request may be.
func (s *Server) limit(op scri.Op) int64 {
	if n := s.opt.RelayBody[op]; n > 0 {
		return n
	}
	return s.opt.MaxBody
}

// asRelay reads what is asked for, all but the body.
func (s *Server) asRelay(p dialect.Passage, r *http.Request, up *upload) (*scri.Relay, *scri.Error) {
	path := p.Pattern
	if id := r.PathValue("id"); strings.Contains(path, "{id}") {
		if !isID(id) {
			return nil, &scri.Error{Kind: scri.ErrInvalid, Message: "there is no such id: letters, digits and . _ : - make one"}
		}
		path = strings.Replace(path, "{id}", id, 1)
	}
	if q := relay.Query(r.URL.Query()); q != "" {
		path += "?" + q
	}
	wish := r.Header.Get(headerProvider)
	if wish == "" {
		wish = r.URL.Query().Get(queryProvider)
	}
	out := &scri.Relay{
		Op: p.Op, Method: r.Method, Path: path, Dialects: p.Takers, Header: r.Header, Length: r.ContentLength,
		Models: p.Models, Provider: discreet.Clip(wish), Sovereign: isYes(r.Header.Get(headerSovereign)),
	}
	if enc := r.Header.Get("Content-Encoding"); enc != "" && !strings.EqualFold(enc, "identity") {
		return nil, &scri.Error{
			Kind: scri.ErrInvalid, Message: fmt.Sprintf("content encoding %q is not supported", discreet.Clip(enc)), Hint: "send the body uncompressed",
		}
	}
	if r.ContentLength > up.limit {
		return nil, up.tooLarge()
	}
	if r.ContentLength != 0 {
		out.Body = up
	}
	return out, nil
}

// isID reports whether a part of a path can be an id and nothing else.
func isID(s string) bool {
	const most = 256
	return s != "" && len(s) <= most && strings.Trim(s, ".") != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("._:-", r)
	})
}

// isYes reads a header that demands something. Any word but a clear no is a yes:
// whoever sends it wants it.
func isYes(v string) bool {
	switch strings.ToLower(strings.TrimSpace(v)) {
	case "", "false", "0", "no", "off":
		return false
	default:
		return true
	}
}

// deliver sends an answer to the client as it comes.
func (s *Server) deliver(ctx context.Context, w http.ResponseWriter, x *scri.Exchange, a *scri.RelayAnswer) {
	defer a.Body.Close()
	h := w.Header()
	maps.Copy(h, a.Header)
	h.Set("X-Content-Type-Options", "nosniff")
	identify(h, x.Lineage.Ingress, x.ID)
	explain(h, x, &scri.ChatResponse{})
	w.WriteHeader(a.Status)
	err := s.pump(w, a.Body)
	if err == nil {
		s.over(ctx, x, a.Status, nil)
		return
	}
	_ = a.Body.Close() // which closes the lineage, before it is told
	e := *scri.AsError(whyEnded(ctx, err))
	if e.RequestID == "" {
		e.RequestID = x.ID
	}
	s.over(context.WithoutCancel(ctx), x, a.Status, &e)
	panic(http.ErrAbortHandler) // half an answer must not pass for a whole one
}

// pump moves an answer to the client: what came together leaves at once.
func (s *Server) pump(w http.ResponseWriter, from io.Reader) error {
	rc := http.NewResponseController(w)
	buf := make([]byte, passPiece)
	for {
		n, err := from.Read(buf)
		if n > 0 {
			_ = rc.SetWriteDeadline(time.Now().Add(passTime)) // a recorder has no deadlines
			if _, werr := w.Write(buf[:n]); werr != nil {
				return &scri.Error{Kind: scri.ErrCanceled, Message: "the client went away", Err: werr}
			}
			if err == nil {
				_ = rc.Flush() // the next write meets the same failure
			}
		}
		switch {
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		}
	}
}

// upload is the body of a client's request while it is passed on. Each piece must
// come in time, and all of it must be within the limit.
type upload struct {
	w     http.ResponseWriter
	r     *http.Request
	limit int64

	mu   sync.Mutex // the transport may still read when the exchange is over
	over bool
	read int64
	due  int64 // how much was read when the wait was bounded last, and a piece more
	err  *scri.Error
}

// Read reads what has come of the body, or waits for it.
func (u *upload) Read(p []byte) (int, error) {
	if err := u.expect(); err != nil {
		return 0, err
	}
	n, err := u.r.Body.Read(p)
	u.mu.Lock()
	defer u.mu.Unlock()
	u.read += int64(n)
	switch {
	case u.over:
		return 0, http.ErrBodyReadAfterClose
	case u.read > u.limit:
		u.err = u.tooLarge()
		return 0, u.err
	case errors.Is(err, io.EOF):
		_ = http.NewResponseController(u.w).SetReadDeadline(time.Time{}) // or it would end the wait for the answer
		return n, io.EOF
	case errors.Is(err, os.ErrDeadlineExceeded):
		u.err = &scri.Error{
			Kind: scri.ErrInvalid, Status: http.StatusRequestTimeout, Err: err,
			Message: fmt.Sprintf("the request body comes too slowly: %d KB took longer than %s", sendPiece>>10, sendTime),
		}
		return n, u.err
	case err != nil:
		u.err = &scri.Error{Kind: scri.ErrInvalid, Message: "the request body did not arrive whole", Err: err}
		return n, u.err
	}
	return n, nil
}

// expect bounds the wait for the next piece.
func (u *upload) expect() error {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.over {
		return http.ErrBodyReadAfterClose
	}
	if u.read >= u.due {
		u.due = u.read + sendPiece
		_ = http.NewResponseController(u.w).SetReadDeadline(time.Now().Add(sendTime)) // a recorder has no deadlines
	}
	return nil
}

// wake ends a wait for more of the body: the exchange is over before it came.
func (u *upload) wake() {
	u.mu.Lock()
	defer u.mu.Unlock()
	if !u.over {
		u.due = math.MaxInt64
		_ = http.NewResponseController(u.w).SetReadDeadline(time.Unix(1, 0))
	}
}

// stop ends reading: what follows on the connection is another request's.
func (u *upload) stop() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.over = true
}

// blame is err, or what was wrong with the body if that was the cause of it.
func (u *upload) blame(err *scri.Error) *scri.Error {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.err == nil || u.r.Context().Err() != nil {
		return err
	}
	return u.err
}

func (u *upload) tooLarge() *scri.Error {
	return &scri.Error{
		Kind: scri.ErrInvalid, Status: http.StatusRequestEntityTooLarge,
		Message: fmt.Sprintf("the request body is larger than %d MB", u.limit>>20), Hint: "send less, or raise max_body_mb of this kind of request in [relay]",
	}
}
