// Package server is the gateway's HTTP side: the table of routes, who may use
// them, and how the process stops without losing a request.
package server

import (
	"context"
	"errors"
	"fmt"
	stdlog "log"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"runtime/debug"
	"strings"
	"time"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/discreet"
	"github.com/aratta-gateway/aratta/internal/session"
	"github.com/aratta-gateway/aratta/internal/sock"
	"github.com/aratta-gateway/aratta/internal/telemetry"
	"github.com/aratta-gateway/aratta/scri"
)

// Gateway is what the server serves.
type Gateway interface {
	Chat(ctx context.Context, x *scri.Exchange) (scri.Stream, error)
	Count(ctx context.Context, x *scri.Exchange) (*scri.CountResponse, error)
	Embed(ctx context.Context, x *scri.Exchange) (*scri.EmbedResponse, error)
	Models(ctx context.Context) *scri.ModelList
	Loaded(ctx context.Context) *scri.ModelList
	Model(ctx context.Context, name string) (*scri.ModelInfo, error)
}

// Answers are those that are kept for callers.
type Answers interface {
	Answer(c scri.Caller, id string) *session.Turn // of this caller, or nil
	Forget(c scri.Caller, id string) bool          // reports whether it was there
}

// Tracer tells somebody else how requests went.
type Tracer interface {
	Begin(r *http.Request) *http.Request             // whose context the others are given
	Event(ctx context.Context, e *scri.StreamEvent)  // of the answer
	Whole(ctx context.Context, r *scri.ChatResponse) // instead of events
	Ended(ctx context.Context, x *scri.Exchange, status int, err *scri.Error)
}

// Options are what a server is built from.
type Options struct {
	Gateway        Gateway
	Answers        Answers // that the gateway keeps; nil = it keeps none
	Dialects       []dialect.Dialect
	Health         func(ctx context.Context) []scri.ProviderHealth // of the providers; nil = it is not told
	Keys           []string                                        // API keys for all but loopback
	Trusted        []netip.Prefix                                  // networks that need no key, as loopback does
	Origins        []string                                        // web pages that may call besides those of this machine, see [StrangeOrigin]
	MaxBody        int64                                           // bytes
	Relay          RelayHandler                                    // for what is passed on; nil = it is not
	RelayBody      map[scri.Op]int64                               // bytes of what is passed on; MaxBody where it does not say
	RequestTimeout time.Duration                                   // bound of one whole exchange; 0 = none
	DrainTimeout   time.Duration                                   // how long requests may go on after the stop was asked for
	KeepaliveAfter time.Duration                                   // silence after which an SSE client gets a comment
	Meter          *telemetry.Meter                                // counts, and tells at /metrics; nil = it is not counted
	Tracer         Tracer                                          // nil = nobody is told
	Config         Config                                          // shows and changes the configuration; nil = nobody may
	NoConfig       string                                          // why there is no Config, for who asks for it
	Version        string
	Log            *slog.Logger
}

// Server is the gateway's HTTP handler and its life.
type Server struct {
	opt    Options
	access *access
	mux    *http.ServeMux
	exact  map[place]placed                  // of paths without a variable: found sooner than by mux
	paths  []string                          // in the table, without those that have a variable
	takes  map[string]func(path string) bool // by pattern, where not all paths of it are taken
	table  []listed                          // as it is documented
}

// New builds the server. It listens only in Run.
func New(o Options) *Server {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	s := &Server{opt: o, access: newAccess(o.Keys, o.Trusted, o.Origins), mux: http.NewServeMux(), exact: map[place]placed{}, takes: map[string]func(string) bool{}}
	s.routes()
	return s
}

// ServeHTTP serves one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.Contains(r.URL.Path, "//") {
		r = single(r)
	}
	if t := s.opt.Tracer; t != nil {
		r = t.Begin(r)
	}
	defer s.recovered(w, r)
	if origin := header(r.Header, "Origin"); origin != "" && s.crossOrigin(w, r, origin) {
		return
	}
	if at, ok := s.exact[place{r.Method, r.URL.Path}]; ok && r.URL.RawPath == "" {
		r.Pattern = at.pattern // as the mux has it
		at.ServeHTTP(w, r)
		return
	}
	s.mux.ServeHTTP(w, r)
}

type place struct{ method, path string }

// placed is the handler of a place.
type placed struct {
	http.Handler
	pattern string
}

// single returns the request with doubled slashes made one, as base addresses
// that end in a slash make them. The mux would redirect, which few clients
// follow with a body.
func single(r *http.Request) *http.Request {
	out := *r
	u := *r.URL
	for strings.Contains(u.Path, "//") {
		u.Path = strings.ReplaceAll(u.Path, "//", "/")
	}
	u.RawPath = ""
	out.URL = &u
	return &out
}

// recovered turns a panic into a logged 500 of this one request. Those of chats
// have been dealt with before.
func (s *Server) recovered(w http.ResponseWriter, r *http.Request) {
	p := recover()
	if p == nil {
		return
	}
	if err, ok := p.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		panic(p)
	}
	x := &scri.Exchange{ID: w.Header().Get(headerID), Op: "none", Header: r.Header, Lineage: &scri.Lineage{}}
	if x.ID == "" {
		x.ID = newID()
	}
	s.panicked(r.Context(), x.ID, p)
	s.fail(w, r, s.likely(r.URL.Path), x, &scri.Error{Kind: scri.ErrInternal, Message: "the gateway failed", Hint: "its log says why"})
}

// panicked logs a panic of a request.
func (s *Server) panicked(ctx context.Context, id string, p any) {
	s.opt.Log.LogAttrs(ctx, slog.LevelError, "panic", slog.String("request_id", id),
		slog.String("panic", fmt.Sprint(p)), slog.String("stack", string(debug.Stack())))
}

// admit names a request and says who asks.
func (s *Server) admit(r *http.Request) (string, scri.Caller, *scri.Error) {
	id := newID()
	c, err := s.access.check(r)
	if err != nil {
		err.Err = noted{slog.String("peer", r.RemoteAddr), slog.String("method", discreet.Clip(r.Method)), slog.String("url_path", discreet.Clip(r.URL.Path))}
	}
	return id, c, err
}

// newID returns a request id. It is unique, not secret.
func newID() string {
	const digits = "0123456789abcdefghjkmnpqrstvwxyz" // Crockford's base 32
	b := []byte("req_0123456789abcdefghij")
	for i, n := 4, uint64(0); i < len(b); i++ {
		if (i-4)%12 == 0 {
			n = rand.Uint64()
		}
		b[i] = digits[n&31]
		n >>= 5
	}
	return string(b)
}

// Bounds of a connection. Those of bodies and answers are for small ones; chats
// have longer ones of their own.
const (
	readHeaderTimeout = 10 * time.Second
	readTimeout       = 30 * time.Second
	writeTimeout      = 2 * time.Minute
	idleTimeout       = 2 * time.Minute
	maxHeaderBytes    = 64 << 10
)

// lastWords is how long requests that are cut off have to tell their clients.
const lastWords = 2 * time.Second

// Run serves on l until ctx ends, see [Run].
func (s *Server) Run(ctx context.Context, l net.Listener) error {
	return Run(ctx, l, s, func() time.Duration { return s.opt.DrainTimeout }, s.opt.Log)
}

// Run serves with h on l until ctx ends. Then no new connection is taken, requests
// under way may finish within the time that drain then says, and what is left is
// cut off.
func Run(ctx context.Context, l net.Listener, h http.Handler, drain func() time.Duration, log *slog.Logger) error {
	base, stop := context.WithCancelCause(context.WithoutCancel(ctx))
	defer stop(nil)
	hs := &http.Server{
		Handler: h, ReadHeaderTimeout: readHeaderTimeout, ReadTimeout: readTimeout, WriteTimeout: writeTimeout,
		IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeaderBytes,
		BaseContext: func(net.Listener) context.Context { return base },
		ConnContext: sock.WithConn,
		ErrorLog:    stdlog.New(complaints{log}, "", 0),
	}
	failed := make(chan error, 1)
	go func() { failed <- hs.Serve(sock.NewListener(l)) }()
	select {
	case err := <-failed:
		return fmt.Errorf("serving on %s: %w", l.Addr(), err)
	case <-ctx.Done():
	}
	atMost := drain()
	log.LogAttrs(ctx, slog.LevelInfo, "draining", slog.Float64("at_most_ms", float64(atMost.Milliseconds())))
	err := shutDown(ctx, hs, atMost)
	if errors.Is(err, context.DeadlineExceeded) {
		log.LogAttrs(ctx, slog.LevelWarn, "requests were cut off by the end of drain_timeout")
		stop(&scri.Error{Kind: scri.ErrUnavailable, Message: "the gateway stops", Hint: "ask again"})
		if err = shutDown(ctx, hs, lastWords); errors.Is(err, context.DeadlineExceeded) {
			err = hs.Close()
		}
	}
	if serr := <-failed; !errors.Is(serr, http.ErrServerClosed) {
		err = errors.Join(err, serr)
	}
	log.LogAttrs(ctx, slog.LevelInfo, "stopped")
	return err
}

// shutDown waits for the requests under way, though ctx is over, for so long.
func shutDown(ctx context.Context, h *http.Server, atMost time.Duration) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), atMost)
	defer cancel()
	return h.Shutdown(ctx)
}
