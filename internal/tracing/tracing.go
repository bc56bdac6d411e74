// Package tracing tells a collector of OpenTelemetry traces how requests went: a
// span for each request and one below it for each attempt at a provider, with the
// GenAI conventions. Names, counts, times and kinds of errors are told, and nothing
// that a client or a model wrote.
//
// Spans wait in a bounded queue and are sent from a goroutine of their own. What the
// queue cannot take, and what cannot be delivered, is lost; a request never waits.
package tracing

import (
	"context"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/aratta-gateway/aratta/scri"
)

// Options are what a Tracer is made from.
type Options struct {
	Endpoint string // of the collector, see [Strange]
	Version  string // of this program
	// Env finds what the standard says of exporters: OTEL_EXPORTER_OTLP_HEADERS.
	// The SDK itself looks up others, such as OTEL_TRACES_SAMPLER.
	Env func(name string) (string, bool)
	Log *slog.Logger
}

// Bounds.
const (
	mostQueued  = 2048 // spans that wait
	mostAtOnce  = 512
	exportTime  = 10 * time.Second
	flushTime   = 5 * time.Second
	mostReasons = 16 // of one answer, why its choices ended
)

// Tracer makes the spans of requests. It may be used by several goroutines.
type Tracer struct {
	provider *sdktrace.TracerProvider
	exporter *exporter
	tracer   trace.Tracer
}

// New makes a Tracer. It connects to nobody before there is something to tell.
func New(o Options) (*Tracer, error) {
	e, err := newExporter(o)
	if err != nil {
		return nil, err
	}
	res, err := resource.New(context.Background(), resource.WithTelemetrySDK(),
		resource.WithAttributes(attribute.String("service.name", "aratta"), attribute.String("service.version", o.Version)),
		resource.WithFromEnv()) // which may know better what this one is called
	if err != nil {
		return nil, err
	}
	return over(e, sdktrace.WithResource(res)), nil
}

func over(e *exporter, more ...sdktrace.TracerProviderOption) *Tracer {
	p := sdktrace.NewTracerProvider(append(more,
		sdktrace.WithBatcher(e, sdktrace.WithMaxQueueSize(mostQueued), sdktrace.WithMaxExportBatchSize(mostAtOnce), sdktrace.WithExportTimeout(exportTime)))...)
	return &Tracer{provider: p, exporter: e, tracer: p.Tracer("github.com/aratta-gateway/aratta")}
}

// Close sends what waits, for a bounded time, and ends the Tracer.
func (t *Tracer) Close() {
	ctx, cancel := context.WithTimeout(context.Background(), flushTime)
	defer cancel()
	_ = t.provider.Shutdown(ctx) // what could not be delivered the exporter has logged
	close(t.exporter.ended)      // or the SDK would go on behind it
}

type requestKey struct{}

// request is a request under way.
type request struct {
	span trace.Span
	http *http.Request // in which the server writes the pattern that it found

	mu       sync.Mutex
	attempts []attempt
	model    string   // that the answer names
	reasons  []string // why its choices ended
}

// attempt is one at a provider, whose span ends with the request's.
type attempt struct {
	start    time.Time
	provider string
	host     string
	span     trace.Span
}

func of(ctx context.Context) *request {
	r, _ := ctx.Value(requestKey{}).(*request)
	return r
}

// Begin opens the span of a request, below that which the client names in its
// header traceparent. The request that it returns carries it along.
func (t *Tracer) Begin(r *http.Request) *http.Request {
	ctx := propagation.TraceContext{}.Extract(r.Context(), propagation.HeaderCarrier(r.Header))
	ctx, span := t.tracer.Start(ctx, r.Method, trace.WithSpanKind(trace.SpanKindServer))
	q := &request{span: span}
	q.http = r.WithContext(context.WithValue(ctx, requestKey{}, q))
	return q.http
}

// Attempt opens the span of an attempt at a provider on a host, for a request that
// was begun; what is done in the context that it returns belongs to it.
func (t *Tracer) Attempt(ctx context.Context, a *scri.Attempt, host string) context.Context {
	q := of(ctx)
	if q == nil {
		return ctx
	}
	ctx, span := t.tracer.Start(ctx, "", trace.WithSpanKind(trace.SpanKindClient), trace.WithTimestamp(a.Start))
	q.mu.Lock()
	defer q.mu.Unlock()
	q.attempts = append(q.attempts, attempt{a.Start, a.Provider, host, span})
	return ctx
}

// Parent is the header traceparent for a request that is sent in the context, ""
// if it belongs to no trace.
func Parent(ctx context.Context) string {
	if !trace.SpanContextFromContext(ctx).IsValid() {
		return ""
	}
	h := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(ctx, h)
	return h["traceparent"]
}

// Event notes what an event of the answer tells.
func (t *Tracer) Event(ctx context.Context, e *scri.StreamEvent) {
	q := of(ctx)
	if q == nil || e.Head == nil && e.Finish == nil {
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if e.Head != nil && e.Head.Model != "" {
		q.model = strings.Clone(e.Head.Model)
	}
	if e.Finish != nil {
		q.ended(e.Choice, e.Finish)
	}
}

// Whole notes what an answer tells that came whole.
func (t *Tracer) Whole(ctx context.Context, r *scri.ChatResponse) {
	q := of(ctx)
	if q == nil || r == nil {
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.model = strings.Clone(r.Model)
	for i := range r.Choices {
		q.ended(i, &r.Choices[i].Finish)
	}
}

// ended notes why a choice ended, in this program's words.
func (q *request) ended(choice int, f *scri.Finish) {
	if f.Reason == "" || choice >= mostReasons {
		return
	}
	for len(q.reasons) <= choice {
		q.reasons = append(q.reasons, "")
	}
	q.reasons[choice] = string(f.Reason)
}

// Ended ends the spans of a request that is over.
func (t *Tracer) Ended(ctx context.Context, x *scri.Exchange, status int, err *scri.Error) {
	q := of(ctx)
	if q == nil || silent(x.Op) {
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.span.IsRecording() {
		for i := range x.Lineage.Attempts {
			q.attempt(x, i)
		}
		q.tell(x, status, err)
	}
	q.span.End()
}

// silent are the operations of which nobody wants a trace: they come every few
// seconds, from machines.
func silent(op scri.Op) bool { return op == "metrics" || op == "health" }

// attempt ends the span of an attempt.
func (q *request) attempt(x *scri.Exchange, i int) {
	a := &x.Lineage.Attempts[i]
	at := slices.IndexFunc(q.attempts, func(b attempt) bool { return b.provider == a.Provider && b.start.Equal(a.Start) })
	if at < 0 {
		return
	}
	b := &q.attempts[at]
	b.span.SetName(named(operation(x.Op), a.Model))
	b.span.SetAttributes(attemptAttributes(x.Op, a, b.host)...)
	if a.Outcome == "ok" {
		b.span.SetAttributes(q.answered(a.Model)...)
	}
	fail(b.span, a.Error, a.Outcome == "failed")
	var end []trace.SpanEndOption
	if a.TookMS > 0 {
		end = append(end, trace.WithTimestamp(a.Start.Add(time.Duration(a.TookMS*float64(time.Millisecond)))))
	}
	b.span.End(end...)
}
