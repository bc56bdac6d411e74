package server

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/dialect/ollama"
	"github.com/aratta-gateway/aratta/internal/discreet"
	"github.com/aratta-gateway/aratta/internal/nearest"
	"github.com/aratta-gateway/aratta/internal/term"
	"github.com/aratta-gateway/aratta/scri"
)

// routes fills the table: the gateway's own paths, then each dialect's.
func (s *Server) routes() {
	s.ours(listed{method: "GET", path: "/health", summary: "Whether the gateway runs", open: true}, http.HandlerFunc(s.health))
	s.ours(listed{method: "GET", path: "/{$}", summary: "Whether somebody is there", open: true}, http.HandlerFunc(s.banner))
	s.ours(listed{method: "GET", path: "/openapi.json", summary: "This description"}, s.told("openapi", fixed(sync.OnceValue(s.encodedOpenAPI))))
	if s.opt.Health != nil {
		s.ours(listed{method: "GET", path: "/api/v1/health", summary: "Which providers are reached"}, s.told(opHealth, s.providersHealth))
	}
	s.ours(listed{method: "GET", path: "/api/v1/capabilities", summary: "What translations between the APIs carry over"}, s.told("capabilities", fixed(sync.OnceValue(s.encodedMatrix))))
	if s.opt.Config != nil {
		s.ours(listed{method: "GET", path: configPath, summary: "The configuration in force", local: true}, s.own("config", s.showConfig))
		s.ours(listed{method: "PUT", path: configPath, summary: "Replace the configuration", local: true}, s.own("config", s.changeConfig))
		s.ours(listed{method: "POST", path: configPath + "/reload", summary: "Load the configuration anew", local: true}, s.own("config", s.reloadConfig))
	}
	if m := s.opt.Meter; m != nil {
		prometheus := m.Handler()
		s.ours(listed{method: "GET", path: "/metrics", summary: "What was counted, for Prometheus"}, s.told(opMetrics, func(w http.ResponseWriter, r *http.Request) (int, *scri.Error) {
			prometheus.ServeHTTP(w, r)
			return http.StatusOK, nil
		}))
		s.ours(listed{method: "GET", path: "/api/v1/metrics", summary: "What was counted, as JSON"}, s.told(opMetrics, s.metrics))
	}
	for _, d := range s.opt.Dialects {
		for _, r := range d.Routes() {
			s.listRoute(d, r)
		}
		dialect.Mount(d.Routes(), func(r dialect.Route) http.Handler { return s.route(d, r) }, http.HandlerFunc(s.nowhere), s.handle)
	}
	s.passages()
	s.mux.HandleFunc(nowherePattern, s.nowhere)
}

// ours puts one of the gateway's own paths into the table.
func (s *Server) ours(l listed, h http.Handler) {
	s.handle(l.method, l.path, h)
	l.tag = "gateway"
	s.list(l)
}

// route is the handler of one route of a dialect.
func (s *Server) route(d dialect.Dialect, r dialect.Route) http.Handler {
	switch r.Op {
	case scri.OpChat, scri.OpCount, scri.OpEmbed:
		return dialect.Serve(d, r, s.chat, s.serveOptions())
	case scri.OpKept:
		return s.kept(d, r)
	default:
		return s.facts(d, r)
	}
}

// nowherePattern takes what no other pattern does.
const nowherePattern = "/"

func (s *Server) handle(method, pattern string, h http.Handler) {
	s.mux.Handle(method+" "+pattern, h)
	if v, ok := h.(interface{ Takes(path string) bool }); ok {
		s.takes[method+" "+pattern] = v.Takes
	}
	if !strings.Contains(pattern, "{") {
		s.exact[place{method, pattern}] = placed{h, method + " " + pattern}
		s.paths = append(s.paths, pattern)
	}
}

// chat keeps the seam to the gateway in one place.
func (s *Server) chat(ctx context.Context, x *scri.Exchange) (scri.Stream, error) {
	if loads(x) {
		return s.load(ctx, x)
	}
	if err := wish(x); err != nil {
		return nil, err
	}
	answer, err := s.opt.Gateway.Chat(ctx, x)
	if err != nil {
		return nil, whyEnded(ctx, err)
	}
	e := &ending{Stream: answer, ctx: ctx, server: s}
	if x.Req.Stream {
		e.done = s.opt.Meter.Streaming(x.Lineage.Ingress)
	}
	return e, nil
}

// count keeps the seam to the gateway in one place.
func (s *Server) count(ctx context.Context, x *scri.Exchange) (*scri.CountResponse, error) {
	if err := wish(x); err != nil {
		return nil, err
	}
	return s.opt.Gateway.Count(ctx, x)
}

// embed keeps the seam to the gateway in one place.
func (s *Server) embed(ctx context.Context, x *scri.Exchange) (*scri.EmbedResponse, error) {
	if err := wish(x); err != nil {
		return nil, err
	}
	resp, err := s.opt.Gateway.Embed(ctx, x)
	if err != nil {
		return nil, whyEnded(ctx, err)
	}
	return resp, nil
}

// ending is an answer that tells why it was ended when the server did it: to the
// stages below it looks as if the client went away.
type ending struct {
	scri.Stream
	ctx    context.Context // of the exchange
	done   func()          // counts a stream no longer; nil = it was not counted
	server *Server
	closed atomic.Bool // Close may come twice, and while Next waits
}

// Close closes the answer.
func (s *ending) Close() error {
	if s.done != nil && s.closed.CompareAndSwap(false, true) {
		s.done()
	}
	return s.Stream.Close()
}

func (s *ending) Next() (*scri.StreamEvent, error) {
	e, err := s.Stream.Next()
	if err != nil && !scri.Ended(err) {
		err = whyEnded(s.ctx, err)
	}
	if t := s.server.opt.Tracer; t != nil && err == nil {
		t.Event(s.ctx, e)
	}
	return e, err
}

// Pending reports whether Next will not wait.
func (s *ending) Pending() bool { return scri.Pending(s.Stream) }

// Whole returns the answer if it is there whole.
func (s *ending) Whole() *scri.ChatResponse {
	r := scri.Whole(s.Stream)
	if t := s.server.opt.Tracer; t != nil && r != nil {
		t.Whole(s.ctx, r)
	}
	return r
}

// whyEnded is what Run ended a request for, if it did, else err.
func whyEnded(ctx context.Context, err error) error {
	if cause, ok := errors.AsType[*scri.Error](term.Cause(ctx)); ok {
		return cause
	}
	return err
}

func (s *Server) serveOptions() dialect.ServeOptions {
	return dialect.ServeOptions{
		MaxBody: s.opt.MaxBody, KeepaliveAfter: s.opt.KeepaliveAfter, Timeout: s.opt.RequestTimeout,
		Admit: s.admit, Commit: explain, Keeps: s.opt.Answers != nil, Count: s.count, Embed: s.embed,
		Done: func(r *http.Request, x *scri.Exchange, status int, err *scri.Error) {
			s.ended(r.Context(), x, status, err)
		},
		Left: func(r *http.Request, x *scri.Exchange, status int, err *scri.Error) {
			s.logged(r.Context(), x, status, err)
		},
		Panicked: func(x *scri.Exchange, p any) { s.panicked(context.Background(), x.ID, p) },
	}
}

func (s *Server) health(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, map[string]string{"status": "ok", "version": s.opt.Version})
}

// banner answers at the root, where people and Ollama's clients look whether
// somebody is there.
func (s *Server) banner(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = w.Write([]byte("Aratta is running\n"))
}

// teller answers a question about the gateway itself, and says with which status;
// or it has written nothing and returns an error.
type teller func(w http.ResponseWriter, r *http.Request) (status int, err *scri.Error)

// What the gateway tells of itself again and again.
const (
	opHealth  scri.Op = "health"
	opMetrics scri.Op = "metrics"
)

// told is the handler of what the gateway tells of itself to whoever may ask it.
func (s *Server) told(op scri.Op, do teller) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		x := &scri.Exchange{Op: op, Header: r.Header, Lineage: &scri.Lineage{Ingress: "native"}}
		d := s.likely(r.URL.Path)
		var err *scri.Error
		var status int
		if x.ID, x.Caller, err = s.admit(r); err == nil {
			identify(w.Header(), d.Name(), x.ID)
			status, err = do(w, r)
		}
		if err != nil {
			s.fail(w, r, d, x, err)
			return
		}
		s.over(r.Context(), x, status, nil)
	})
}

// fixed tells the same JSON to everybody.
func fixed(body func() []byte) teller {
	return func(w http.ResponseWriter, _ *http.Request) (int, *scri.Error) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(body())
		return http.StatusOK, nil
	}
}

// metrics tells what is counted to programs that do not read Prometheus' format.
func (s *Server) metrics(w http.ResponseWriter, _ *http.Request) (int, *scri.Error) {
	list, err := s.opt.Meter.Metrics()
	if err != nil {
		return 0, &scri.Error{Kind: scri.ErrInternal, Message: "the metrics cannot be gathered", Err: err}
	}
	writeJSON(w, http.StatusOK, map[string]any{"metrics": list})
	return http.StatusOK, nil
}

// facts serves what a dialect tells beside chats: models and small facts.
func (s *Server) facts(d dialect.Dialect, route dialect.Route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		d := d
		if route.Pattern == "/v1/models" || strings.HasPrefix(route.Pattern, "/v1/models/") {
			d = s.modelDialect(d, r)
		}
		x := &scri.Exchange{Op: route.Op, Header: r.Header, Lineage: &scri.Lineage{Ingress: d.Name()}}
		var err *scri.Error
		if x.ID, x.Caller, err = s.admit(r); err != nil {
			s.fail(w, r, d, x, err)
			return
		}
		identify(w.Header(), d.Name(), x.ID)
		body, err := s.fact(r, d, route, w)
		if err != nil {
			s.fail(w, r, d, x, err)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(body)
		s.over(r.Context(), x, http.StatusOK, nil)
	})
}

// modelDialect tells Anthropic's and Google's clients at /v1/models from OpenAI's.
func (s *Server) modelDialect(d dialect.Dialect, r *http.Request) dialect.Dialect {
	name := ""
	switch {
	case r.Header.Get("Anthropic-Version") != "":
		name = "anthropic"
	case r.Header.Get("X-Goog-Api-Key") != "", r.Header.Get("X-Goog-Api-Client") != "":
		name = "gemini"
	default:
		return d
	}
	if i := slices.IndexFunc(s.opt.Dialects, func(d dialect.Dialect) bool { return d.Name() == name }); i >= 0 {
		return s.opt.Dialects[i]
	}
	return d
}

// maxAsked bounds the body of a question about a model.
const maxAsked = 64 << 10

func (s *Server) fact(r *http.Request, d dialect.Dialect, route dialect.Route, w http.ResponseWriter) ([]byte, *scri.Error) {
	in := &dialect.Incoming{Route: route, Header: r.Header, Query: r.URL.Query(), Param: r.PathValue}
	l, ok := d.(dialect.Lister)
	switch {
	case route.Op == scri.OpInfo && route.Variant == "version":
		return ollama.AppendVersion(nil, s.opt.Version), nil
	case route.Op == scri.OpInfo:
		return ollama.AppendPS(nil, s.opt.Gateway.Loaded(r.Context())), nil
	case !ok:
		return nil, &scri.Error{Kind: scri.ErrUnsupported, Message: "models are not listed in this dialect"}
	case route.Op == scri.OpModels:
		return l.EncodeModels(nil, in, s.opt.Gateway.Models(r.Context())), nil
	}
	name := strings.TrimPrefix(r.PathValue("model"), "models/") // as Google's clients call them
	if r.Method == http.MethodPost {
		var asked struct {
			Model string `json:"model"`
			Name  string `json:"name"`
		}
		if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxAsked)).Decode(&asked); err != nil {
			return nil, &scri.Error{Kind: scri.ErrInvalid, Message: "the body is no JSON object with a model", Path: "/model", Err: err}
		}
		if name = asked.Model; name == "" {
			name = asked.Name
		}
	}
	if name == "" {
		e := &scri.Error{Kind: scri.ErrInvalid, Message: "model is missing", Path: "/model"}
		if list, slash := strings.CutSuffix(r.URL.Path, "/"); slash {
			e.Hint = "did you mean " + list + "?"
		}
		return nil, e
	}
	m, err := s.opt.Gateway.Model(r.Context(), name)
	if err != nil {
		return nil, scri.AsError(err)
	}
	return l.EncodeModel(nil, in, m), nil
}

// fail answers with an error. The error may be shared by requests, so what is
// told of this one goes into a copy.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, d dialect.Dialect, x *scri.Exchange, err *scri.Error) {
	own := *err
	if own.RequestID == "" {
		own.RequestID = x.ID
	}
	status, body := d.EncodeError(nil, &own)
	identify(w.Header(), d.Name(), x.ID)
	w.Header().Set("Content-Type", "application/json")
	if own.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.FormatInt(int64((own.RetryAfter+time.Second-1)/time.Second), 10))
	}
	w.WriteHeader(status)
	_, _ = w.Write(body)
	s.over(r.Context(), x, status, &own)
}

// nowhere answers for paths that are not in the table, and for methods that a
// path does not take, in the dialect that the path most looks like.
func (s *Server) nowhere(w http.ResponseWriter, r *http.Request) {
	x := &scri.Exchange{Op: "none", Header: r.Header, Lineage: &scri.Lineage{}}
	var err *scri.Error
	if x.ID, x.Caller, err = s.admit(r); err == nil {
		err = &scri.Error{
			Kind: scri.ErrNotFound, Code: "unknown_url", Message: "there is nothing at " + discreet.Clip(r.URL.Path),
			Hint: "docs/api.md lists the paths",
		}
		if s.opt.NoConfig != "" && (r.URL.Path == configPath || r.URL.Path == configPath+"/reload") {
			err.Message, err.Hint = "the configuration of this gateway is not shown or changed here", s.opt.NoConfig
		} else if methods := s.methods(r, r.URL.Path); len(methods) > 0 {
			err = &scri.Error{
				Kind: scri.ErrInvalid, Status: http.StatusMethodNotAllowed,
				Message: discreet.Clip(r.Method) + " is not taken here, " + strings.Join(methods, ", ") + " is",
			}
			w.Header().Set("Allow", strings.Join(methods, ", "))
		} else if ofRuntime(r.URL.Path) {
			err.Hint = "models are fetched and kept by the runtime: `aratta models pull NAME`, or ask the runtime at its own address"
		} else if path := s.meant(r); path != "" {
			err.Hint = "did you mean " + path + "?"
		}
		err.Err = noted{slog.String("method", discreet.Clip(r.Method)), slog.String("url_path", discreet.Clip(r.URL.Path))}
	}
	s.fail(w, r, s.likely(r.URL.Path), x, err)
}

// ofRuntime reports whether Ollama's API has there what is done to a runtime's models,
// as `ollama pull` does, or `ollama run` with a model that is not known.
func ofRuntime(path string) bool {
	switch path {
	case "/api/pull", "/api/push", "/api/create", "/api/copy", "/api/delete":
		return true
	default:
		return strings.HasPrefix(path, "/api/blobs/")
	}
}

// methods are those that a path takes.
func (s *Server) methods(r *http.Request, path string) (list []string) {
	for _, m := range [...]string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete} {
		other, u := *r, *r.URL
		u.Path, u.RawPath = path, ""
		other.Method, other.URL = m, &u
		_, pattern := s.mux.Handler(&other)
		if takes := s.takes[pattern]; pattern != nowherePattern && (takes == nil || takes(path)) {
			list = append(list, m)
		}
	}
	return list
}

// meant is the path that somebody meant who asked for one where nothing is, or "".
// What goes wrong is the base address: /v1 is there twice or missing, or a slash
// stands at the end.
func (s *Server) meant(r *http.Request) string {
	path := strings.TrimRight(r.URL.Path, "/")
	for strings.Contains(path, "/v1/v1") {
		path = strings.Replace(path, "/v1/v1", "/v1", 1)
	}
	for _, p := range []string{path, "/v1" + path, strings.TrimPrefix(path, "/v1"), "/api" + path} {
		if p != r.URL.Path && p != "" && len(s.methods(r, p)) > 0 {
			return p
		}
	}
	return nearest.Name(path, s.paths)
}

// likely is the dialect whose routes a path most looks like.
func (s *Server) likely(path string) dialect.Dialect {
	name := "openai"
	switch {
	case strings.HasPrefix(path, "/v1/messages"):
		name = "anthropic"
	case strings.HasPrefix(path, "/model/"):
		name = "bedrock"
	case strings.HasPrefix(path, "/v2/"):
		name = "cohere"
	case strings.HasPrefix(path, "/v1beta"), strings.HasSuffix(path, "GenerateContent"), strings.HasSuffix(path, ":generateContent"):
		name = "gemini"
	case strings.HasPrefix(path, "/api/v1"):
		name = "native"
	case strings.HasPrefix(path, "/api/"):
		name = "ollama"
	}
	for _, d := range s.opt.Dialects {
		if d.Name() == name {
			return d
		}
	}
	return s.opt.Dialects[0]
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the client may be gone
}
