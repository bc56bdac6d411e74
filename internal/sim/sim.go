// Package sim simulates providers: the server half of any dialect in front of a
// script, at any pace, with faults that are switched at run time. It answers
// for no model and says so in every answer.
package sim

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/dialect/ollama"
	"github.com/aratta-gateway/aratta/scri"
)

// Options describe one simulated provider.
type Options struct {
	Name     string // how answers and the control call it
	Dialect  dialect.Dialect
	Models   []string                                            // what it lists and answers for; empty = any
	Any      bool                                                // answers for models that it does not list, too
	Answer   func(*scri.ChatRequest) (*scri.ChatResponse, error) // nil = Script(Name); the request is gone when its exchange is over
	Pace     time.Duration                                       // between the tokens of an answer; 0 = all at once
	LoadTime time.Duration                                       // what the first request of each model waits for, as if it were loaded
	Cases    []Case                                              // recorded answers: a request that equals a case's gets its answer
	MaxBody  int64
}

// Sim is one simulated provider. It is an http.Handler, safe for concurrent use.
type Sim struct {
	opt Options
	mux *http.ServeMux

	mu     sync.Mutex
	fault  Fault
	loaded map[string]bool
	last   *Seen
	served int
	next   *Case
	pulled []string // models that it was told to fetch

	files kept
}

// Seen is a request as the provider got it.
type Seen struct {
	Method string      `json:"method"`
	Path   string      `json:"path"`
	Header http.Header `json:"header"`
	Body   []byte      `json:"body"`
}

// New returns a simulated provider without faults.
func New(o Options) *Sim {
	if o.Answer == nil {
		o.Answer = Script(o.Name)
	}
	s := &Sim{opt: o, mux: http.NewServeMux(), loaded: map[string]bool{}}
	dialect.Mount(o.Dialect.Routes(), s.route, http.NotFoundHandler(), func(method, pattern string, h http.Handler) {
		s.mux.Handle(method+" "+pattern, h)
	})
	if _, ok := o.Dialect.(dialect.Lister); ok && o.Dialect.Name() == "anthropic" {
		s.mux.Handle("GET /v1/models", s.route(dialect.Route{Method: "GET", Pattern: "/v1/models", Op: scri.OpModels}))
	}
	if o.Dialect.Name() == ollama.Name {
		s.mux.HandleFunc("POST /api/pull", s.pull)
	}
	s.passages()
	s.mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "simulated provider "+o.Name+"\n")
	})
	s.mux.HandleFunc("GET /health", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"status":"ok"}`)
	})
	return s
}

// Name is what the provider is called.
func (s *Sim) Name() string { return s.opt.Name }

// Dialect is the name of the dialect that it speaks.
func (s *Sim) Dialect() string { return s.opt.Dialect.Name() }

// Set switches a fault on, in place of what was on before. The zero Fault
// switches it off.
func (s *Sim) Set(f Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault = f
}

// Fault is what is switched on now.
func (s *Sim) Fault() Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.fault
}

// Last is the newest chat request, or nil; Served counts them.
func (s *Sim) Last() (last *Seen, served int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.last, s.served
}

// take returns the fault for one request and uses it up.
func (s *Sim) take() Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.fault
	if f.Kind != "" && f.Times > 0 {
		if s.fault.Times--; s.fault.Times == 0 {
			s.fault = Fault{}
		}
	}
	return f
}

// uncounted returns the fault for a request about the models, which uses up none:
// gateways ask for lists whenever they like, so that a fault that is counted would hit
// nobody knows what.
func (s *Sim) uncounted() Fault {
	f := s.Fault()
	if f.Times > 0 {
		return Fault{}
	}
	return f
}

// ServeHTTP serves one request.
func (s *Sim) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mux.ServeHTTP(w, r)
}

// maxBody bounds what a simulated provider reads.
const maxBody = 64 << 20

func (s *Sim) route(r dialect.Route) http.Handler {
	switch r.Op {
	case scri.OpChat, scri.OpCount, scri.OpEmbed:
	default:
		return s.facts(r)
	}
	limit := s.opt.MaxBody
	if limit == 0 {
		limit = maxBody
	}
	served := dialect.Serve(s.opt.Dialect, r, s.answer, dialect.ServeOptions{MaxBody: limit, Count: count, Embed: s.embed})
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, req.Body, limit))
		if _, large := errors.AsType[*http.MaxBytesError](err); large {
			s.refuse(w, http.StatusRequestEntityTooLarge, &scri.Error{Kind: scri.ErrInvalid, Message: "the request is too large for a simulated provider"})
			return
		}
		if err != nil {
			return // the client went away
		}
		s.mu.Lock()
		s.served++
		s.last = &Seen{Method: req.Method, Path: req.URL.RequestURI(), Header: req.Header.Clone(), Body: body}
		s.mu.Unlock()
		req.Body, req.ContentLength = io.NopCloser(&reader{b: body}), int64(len(body))
		f := s.take()
		if !s.before(w, req, f) {
			return
		}
		if c := s.find(req, body); c != nil {
			c.write(s.tampered(w, req, f))
			return
		}
		served.ServeHTTP(s.tampered(w, req, f), req)
	})
}

// reader is a body that was read before.
type reader struct{ b []byte }

func (r *reader) Read(p []byte) (int, error) {
	if len(r.b) == 0 {
		return 0, io.EOF
	}
	n := copy(p, r.b)
	r.b = r.b[n:]
	return n, nil
}

// answer is the handler behind the dialect: the script at its pace.
func (s *Sim) answer(ctx context.Context, x *scri.Exchange) (scri.Stream, error) {
	if !s.has(x.Req.Model) {
		return nil, s.unknown(x.Req.Model)
	}
	if err := s.able(x.Req); err != nil {
		return nil, err
	}
	if err := s.load(ctx, x.Req.Model); err != nil {
		return nil, err
	}
	resp, err := s.opt.Answer(x.Req)
	if err != nil {
		return nil, err
	}
	if x.Req.Stream {
		return paced(ctx, scri.Replay(resp), s.opt.Pace), nil
	}
	words := 0
	if resp.Usage != nil && resp.Usage.Output != nil {
		words = int(*resp.Usage.Output)
	}
	if err := wait(ctx, time.Duration(words)*s.opt.Pace); err != nil {
		return nil, err
	}
	return scri.Replay(resp), nil
}

func (s *Sim) has(model string) bool {
	if len(s.opt.Models) == 0 || s.opt.Any {
		return true
	}
	for _, m := range s.models() {
		if m == model || m == model+":latest" || m+":latest" == model {
			return true
		}
	}
	return false
}

// load waits as long as a runtime would for a model that is not in memory.
func (s *Sim) load(ctx context.Context, model string) error {
	s.mu.Lock()
	cold := s.opt.LoadTime > 0 && !s.loaded[model]
	if len(s.loaded) < 256 {
		s.loaded[model] = true
	}
	s.mu.Unlock()
	if !cold {
		return nil
	}
	return wait(ctx, s.opt.LoadTime)
}

func wait(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return &scri.Error{Kind: scri.ErrCanceled, Message: "the caller went away", Err: context.Cause(ctx)}
	}
}

// count answers a count request: a word is a token here.
func count(_ context.Context, x *scri.Exchange) (*scri.CountResponse, error) {
	return &scri.CountResponse{Input: promptTokens(x.Req), Model: x.Req.Model}, nil
}

// facts lists the models.
func (s *Sim) facts(r dialect.Route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if !s.before(w, req, s.uncounted()) {
			return
		}
		in := &dialect.Incoming{Route: r, Header: req.Header, Query: req.URL.Query(), Param: req.PathValue}
		list := &scri.ModelList{}
		for _, m := range s.models() {
			list.Models = append(list.Models, described(m))
		}
		l, ok := s.opt.Dialect.(dialect.Lister)
		var body []byte
		switch {
		case r.Op == scri.OpInfo && r.Variant == "version":
			body = ollama.AppendVersion(nil, "0.0.0-simulated")
		case r.Op == scri.OpInfo:
			body = ollama.AppendPS(nil, &scri.ModelList{})
		case !ok:
			http.NotFound(w, req)
			return
		case r.Op == scri.OpModels:
			body = l.EncodeModels(nil, in, list)
		case len(list.Models) == 0:
			http.NotFound(w, req)
			return
		default:
			m := list.Models[0]
			if name := named(req); name != "" {
				m = described(name)
			}
			body = l.EncodeModel(nil, in, &m)
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(body)
	})
}

// jitter spreads a pace by a fifth, as real models do.
func jitter(d time.Duration) time.Duration {
	if d <= 0 {
		return 0
	}
	return d - d/10 + rand.N(d/5+1)
}
