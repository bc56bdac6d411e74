package app

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aratta-gateway/aratta/internal/server"
	"github.com/aratta-gateway/aratta/internal/session"
	"github.com/aratta-gateway/aratta/internal/telemetry"
	"github.com/aratta-gateway/aratta/internal/tracing"
	"github.com/aratta-gateway/aratta/scri"
)

// live is the gateway of a running process: one snapshot is in force, and
// another can take its place while requests go on.
type live struct {
	version  string
	env      Env
	file     string // --config
	log      *slog.Logger
	discover bool
	lookFor  time.Duration  // see IO
	sessions *session.Store // outlives snapshots
	meter    *telemetry.Meter
	port     int           // that it listens on; 0 = the one that is configured
	override func(*Loaded) // what was said on the command line; nil = the configuration is fixed

	alive    alive          // snapshots that somebody holds
	closing  sync.WaitGroup // what has still something to tell after its end
	turn     sync.Mutex     // one change at a time
	over     bool           // none comes any more; under turn
	first    ServerConfig   // with which the process began
	runtimes []*kept        // that are not over; of those of one name the last is the newest
	now      atomic.Pointer[running]
	shown    atomic.Pointer[tls.Certificate] // to clients, over TLS
}

// running is a snapshot that serves.
type running struct {
	*Snapshot
	server  *server.Server
	tracer  *tracing.Tracer // nil = nobody is told
	alive   *alive
	closing *sync.WaitGroup
	kept    []*kept
	holders // requests under way, and one as long as it is in force
}

// alive counts snapshots. One is in force until the end, so that there is none for the
// first time is the end.
type alive struct {
	n    atomic.Int64
	once sync.Once
	gone chan struct{} // closed then
}

func (a *alive) less() {
	if a.n.Add(-1) == 0 {
		a.once.Do(func() { close(a.gone) })
	}
}

// holders are those for whom something is kept whole.
type holders struct{ n atomic.Int64 }

// hold adds one; false = it is gone already.
func (h *holders) hold() bool {
	for {
		n := h.n.Load()
		if n == 0 {
			return false
		}
		if h.n.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

// letGo takes one away, and reports whether it was the last.
func (h *holders) letGo() bool { return h.n.Add(-1) == 0 }

// release lets go of a snapshot; who does last closes it.
func (r *running) release() {
	if !r.letGo() {
		return
	}
	defer r.alive.less()
	r.Gateway.Close()
	r.unkeep()
	if r.tracer != nil { // whose last words may take a while, and this may be a client's request
		r.closing.Go(r.tracer.Close)
	}
}

// begin puts the first configuration into force.
func (g *live) begin(ctx context.Context, l *Loaded) error {
	g.sessions, g.alive.gone = session.New(session.Limits{}, nil), make(chan struct{})
	r, err := g.build(ctx, l)
	if err == nil {
		g.keep(r) //nolint:contextcheck // they live as long as what wants them
		g.now.Store(r)
		g.shown.Store(r.Certificate)
		g.first = l.Server
		g.meter.Loaded(true)
	}
	return err
}

func (g *live) build(ctx context.Context, l *Loaded) (*running, error) {
	tracer, err := g.tracer(l) //nolint:contextcheck // it outlives a request's context
	if err != nil {
		return nil, err
	}
	s, err := Build(ctx, l, BuildOptions{Version: g.version, Env: g.env, Log: g.log, Discover: g.discover, Port: g.port, Sessions: g.sessions, Tracer: tracer, LookFor: g.lookFor})
	if err != nil {
		if tracer != nil {
			tracer.Close() //nolint:contextcheck // it has nothing to tell
		}
		return nil, err
	}
	o := server.Options{
		Gateway: s.Gateway, Answers: s.Gateway, Health: s.Gateway.Health, Dialects: Dialects(), Keys: l.Keys, Trusted: l.Server.TrustedNetworks, Origins: l.Server.CORSOrigins,
		Relay: s.Gateway.Relay, RelayBody: l.Relay.bodies(),
		MaxBody: int64(l.Server.MaxBodyMB) << 20, RequestTimeout: l.Server.RequestTimeout.Duration,
		DrainTimeout: l.Server.DrainTimeout.Duration, KeepaliveAfter: l.Server.KeepaliveAfter.Duration,
		Version: g.version, Log: g.log,
	}
	if p := l.Monitoring.Prometheus; p == nil || *p {
		o.Meter = g.meter
	}
	switch api := l.Server.ConfigAPI; {
	case g.override == nil:
		o.NoConfig = "it is fixed, as in the demo; one that `aratta serve` runs has it"
	case api != nil && !*api:
		o.NoConfig = "server.config_api = false closes it"
	default:
		o.Config = g
	}
	if tracer != nil {
		o.Tracer = tracer
	}
	r := &running{Snapshot: s, tracer: tracer, alive: &g.alive, closing: &g.closing, server: server.New(o)} //nolint:contextcheck // the request log outlives a request's context
	r.n.Store(1)
	g.alive.n.Add(1)
	return r, nil
}

// lastHandlers is how long requests whose connections were cut off may take to notice.
const lastHandlers = 2 * time.Second

// close lets go of what is in force, and waits for the end of what it used. No request
// may come any more; those that were cut off end meanwhile, and change nothing.
func (g *live) close() {
	g.turn.Lock()
	g.over = true
	g.turn.Unlock()
	g.now.Load().release()
	select {
	case <-g.alive.gone:
	case <-time.After(lastHandlers):
		g.log.Warn("requests that were cut off have not ended, and are not waited for")
		for _, k := range g.runtimes {
			g.closing.Go(k.steward.Stop)
		}
	}
	g.closing.Wait()
}

// ServeHTTP serves a request with what is in force when it comes.
func (g *live) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s := g.now.Load()
	for !s.hold() {
		next := g.now.Load()
		if next == s { // it was the last one
			http.Error(w, "the gateway stops", http.StatusServiceUnavailable)
			return
		}
		s = next
	}
	defer s.release()
	s.server.ServeHTTP(w, r)
}

// Text returns the configuration as its file has it now, also while that has a
// mistake and is not in force.
func (g *live) Text() ([]byte, string) {
	c := g.now.Load().Config
	file := c.File
	if file == "" {
		file = usualFile(g.env)
	}
	if text, err := os.ReadFile(file); err == nil {
		return text, file
	}
	return c.Text, file
}

// Reload puts into force what the file says now.
func (g *live) Reload(ctx context.Context) (*server.Reloaded, error) {
	g.turn.Lock()
	defer g.turn.Unlock()
	l, err := Load(g.file, g.env)
	if err != nil {
		return nil, g.refused(ctx, "the file", err)
	}
	if was := g.now.Load().Config.File; l.File == "" && was != "" { // an editor may be about to write it
		return nil, g.refused(ctx, "the file", fmt.Errorf("%s is gone; put it back, or start anew to do without", was))
	}
	return g.change(ctx, l, "the file", func() error { return nil })
}

// Replace puts a text into force and writes it to the file.
func (g *live) Replace(ctx context.Context, text []byte, fits func([]byte) bool) (*server.Reloaded, error) {
	g.turn.Lock()
	defer g.turn.Unlock()
	have, file := g.Text()
	if !fits(have) {
		return nil, &scri.Error{
			Kind: scri.ErrInvalid, Status: http.StatusPreconditionFailed, Message: "the configuration is another by now",
			Hint: "get it again and make the change there",
		}
	}
	now := g.now.Load().Config
	if err := takesElse(file, text, now); err != nil {
		return nil, err
	}
	l, err := Read(file, text, g.env)
	if err != nil {
		return nil, g.refused(ctx, sent, err)
	}
	if err := l.notOverHTTP(now); err != nil {
		return nil, err
	}
	return g.change(ctx, l, sent, func() error { return writeWhole(file, text) })
}

// change builds a configuration, settles what must come before it is in force,
// and puts it into force.
func (g *live) change(ctx context.Context, l *Loaded, whose string, settle func() error) (*server.Reloaded, error) {
	if g.over {
		return nil, &scri.Error{Kind: scri.ErrUnavailable, Message: "the gateway stops", Hint: "nothing was changed"}
	}
	g.override(l)
	// Whoever asked may leave: what is looked for would not be found, and the rest put into force.
	next, err := g.build(context.WithoutCancel(ctx), l)
	if err != nil {
		return nil, g.refused(ctx, whose, err)
	}
	if err := settle(); err != nil {
		next.release()
		g.meter.Loaded(false)
		g.log.ErrorContext(ctx, "configuration: was not written; what was in force stays", "error", plainError(err))
		return nil, &scri.Error{Kind: scri.ErrInternal, Message: "the configuration was not written: " + err.Error(), Hint: "nothing was changed", Err: err}
	}
	g.keep(next) //nolint:contextcheck // they live as long as what wants them
	old := g.now.Swap(next)
	g.meter.Loaded(true)
	done := &server.Reloaded{Text: l.Text, Warnings: next.Warnings}
	if l.Server.Host != g.first.Host {
		done.Later = append(done.Later, "server.host")
	}
	if l.Server.Port != g.first.Port {
		done.Later = append(done.Later, "server.port")
	}
	if l.Server.speaksTLS() != g.first.speaksTLS() {
		done.Later = append(done.Later, keyCert)
	} else if next.Certificate != nil {
		g.shown.Store(next.Certificate)
	}
	old.release()
	for _, w := range next.Warnings {
		g.log.WarnContext(ctx, "configuration", "warning", w)
	}
	for _, key := range done.Later {
		g.log.WarnContext(ctx, "configuration", "warning", key+": takes effect at the next start")
	}
	done.Warnings = append(slices.Clone(done.Warnings), next.substitutes(context.WithoutCancel(ctx))...)
	g.log.InfoContext(ctx, "configuration: loaded anew", "providers", len(next.Providers))
	return done, nil
}

// sent is what a text is called that came over HTTP, so that nobody looks for its
// mistakes in the file.
const sent = "a text sent with PUT"

// refused logs why a configuration was not put into force.
func (g *live) refused(ctx context.Context, whose string, err error) error {
	if whose != sent { // whose sender is told
		g.meter.Loaded(false)
	}
	g.log.ErrorContext(ctx, "configuration: has a mistake; what was in force stays", "of", whose, "error", plainError(err))
	return &scri.Error{Kind: scri.ErrInvalid, Message: err.Error(), Hint: "nothing was changed"}
}
