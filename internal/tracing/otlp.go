package tracing

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/aratta-gateway/aratta/internal/discreet"
)

// exporter sends spans as OTLP over HTTP, in JSON. The official exporter for HTTP
// links all of gRPC in, which would make the binary a quarter larger.
type exporter struct {
	url    string
	agent  string
	header http.Header
	client *http.Client
	log    *slog.Logger
	lost   atomic.Int64  // spans since the last that were delivered
	pause  time.Duration // before a batch is sent again
	ended  chan struct{} // closed when nothing is sent any more
}

// tracesPath is where collectors take traces.
const tracesPath = "/v1/traces"

// Strange says why a text is no address of a collector, "" = it is one. Where its
// path does not end in /v1/traces, that is added.
func Strange(endpoint string) string {
	u, err := url.Parse(endpoint)
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return "write the collector's address like \"http://127.0.0.1:4318\""
	case u.User != nil || u.RawQuery != "":
		return "a credential does not stand in the configuration; set OTEL_EXPORTER_OTLP_HEADERS"
	default:
		return ""
	}
}

func newExporter(o Options) (*exporter, error) {
	if why := Strange(o.Endpoint); why != "" {
		return nil, errors.New(why)
	}
	e := &exporter{url: strings.TrimRight(o.Endpoint, "/"), agent: "aratta/" + o.Version, header: http.Header{}, log: o.Log, pause: time.Second, ended: make(chan struct{})}
	if !strings.HasSuffix(e.url, tracesPath) {
		e.url += tracesPath
	}
	list, _ := o.Env("OTEL_EXPORTER_OTLP_HEADERS")
	for pair := range strings.SplitSeq(list, ",") {
		if name, value, ok := strings.Cut(pair, "="); ok {
			value = strings.TrimSpace(value)
			if plain, err := url.PathUnescape(value); err == nil {
				value = plain
			}
			e.header.Set(strings.TrimSpace(name), value)
		}
	}
	e.client = &http.Client{
		Transport:     &http.Transport{Proxy: http.ProxyFromEnvironment, MaxIdleConns: 1, IdleConnTimeout: time.Minute, ForceAttemptHTTP2: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return e, nil
}

// tries is how often a batch is sent that the collector could not take; between
// them it waits for a while, and for longer each time.
const tries = 3

// ExportSpans sends spans. That they could not be delivered is logged, once until
// some are.
func (e *exporter) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	body, err := json.Marshal(document(spans))
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-e.ended:
			cancel()
		case <-ctx.Done():
		}
	}()
	for try := 1; ; try++ {
		var again bool
		if again, err = e.send(ctx, body); err == nil || !again || try == tries {
			break
		}
		select {
		case <-ctx.Done():
		case <-time.After(time.Duration(try) * e.pause):
		}
	}
	if err == nil {
		if n := e.lost.Swap(0); n > 0 {
			e.log.InfoContext(ctx, "traces: the collector takes them again", "lost_spans", n)
		}
		return nil
	}
	if e.lost.Add(int64(len(spans))) == int64(len(spans)) {
		e.log.WarnContext(ctx, "traces: the collector does not take them; requests go on", "error", err.Error())
	}
	return nil // or the SDK would write to standard error
}

// maxTold bounds what is read of a collector's answer.
const maxTold = 64 << 10

// send sends a batch once; again says that it may be taken later.
func (e *exporter) send(ctx context.Context, body []byte) (again bool, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, e.url, bytes.NewReader(body))
	if err != nil {
		return false, err
	}
	maps.Copy(req.Header, e.header)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", e.agent)
	res, err := e.client.Do(req)
	if err != nil {
		return true, err
	}
	defer res.Body.Close()
	told, err := io.ReadAll(io.LimitReader(res.Body, maxTold))
	if err != nil {
		return false, err // it was taken, or refused; nobody knows
	}
	switch res.StatusCode {
	case http.StatusOK, http.StatusAccepted, http.StatusNoContent:
		e.partly(ctx, told)
		return false, nil
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true, fmt.Errorf("%s answers %s", e.url, res.Status)
	default:
		return false, fmt.Errorf("%s answers %s", e.url, res.Status)
	}
}

// partly logs that a collector took a part only.
func (e *exporter) partly(ctx context.Context, told []byte) {
	var a struct {
		Partial struct {
			Rejected json.Number `json:"rejectedSpans"`
			Message  string      `json:"errorMessage"`
		} `json:"partialSuccess"`
	}
	if json.Unmarshal(told, &a) == nil && a.Partial.Rejected != "" && a.Partial.Rejected != "0" {
		e.log.WarnContext(ctx, "traces: the collector refused some", "spans", a.Partial.Rejected.String(), "error", discreet.Clip(a.Partial.Message))
	}
}

// Shutdown lets go of the connection.
func (e *exporter) Shutdown(context.Context) error {
	e.client.CloseIdleConnections()
	return nil
}

// The JSON of OTLP (opentelemetry-proto, trace/v1), as far as our spans need it:
// ids in hexadecimal, numbers of 64 bits as texts.
type (
	traces struct {
		ResourceSpans []resourceSpans `json:"resourceSpans"`
	}
	resourceSpans struct {
		Resource struct {
			Attributes []keyValue `json:"attributes"`
		} `json:"resource"`
		ScopeSpans []scopeSpans `json:"scopeSpans"`
	}
	scopeSpans struct {
		Scope struct {
			Name    string `json:"name"`
			Version string `json:"version,omitempty"`
		} `json:"scope"`
		Spans []span `json:"spans"`
	}
	span struct {
		TraceID    string     `json:"traceId"`
		SpanID     string     `json:"spanId"`
		Parent     string     `json:"parentSpanId,omitempty"`
		Flags      uint32     `json:"flags"`
		Name       string     `json:"name"`
		Kind       int        `json:"kind"`
		Start      string     `json:"startTimeUnixNano"`
		End        string     `json:"endTimeUnixNano"`
		Attributes []keyValue `json:"attributes"`
		Status     struct {
			Code int `json:"code,omitempty"`
		} `json:"status"`
	}
	keyValue struct {
		Key   string         `json:"key"`
		Value map[string]any `json:"value"`
	}
)

// Flags of a span beyond those of W3C: that it is known whether its parent is in
// another process, and that it is.
const (
	flagKnowsRemote = 1 << 8
	flagRemote      = 1 << 9
)

// statusError is what OTLP calls codes.Error.
const statusError = 2

// document is a batch as OTLP has it. All spans of a Tracer have one resource and
// one scope. The trace's state is left out: a client may write anything there.
func document(spans []sdktrace.ReadOnlySpan) *traces {
	var out scopeSpans
	var rs resourceSpans
	for _, s := range spans {
		sc, parent := s.SpanContext(), s.Parent()
		o := span{
			TraceID: sc.TraceID().String(), SpanID: sc.SpanID().String(),
			Flags: uint32(sc.TraceFlags()) | flagKnowsRemote, Name: s.Name(), Kind: int(s.SpanKind()),
			Start: nanos(s.StartTime()), End: nanos(s.EndTime()), Attributes: keyValues(s.Attributes()),
		}
		if parent.SpanID().IsValid() {
			o.Parent = parent.SpanID().String()
		}
		if parent.IsRemote() {
			o.Flags |= flagRemote
		}
		if s.Status().Code == codes.Error {
			o.Status.Code = statusError
		}
		out.Spans = append(out.Spans, o)
		out.Scope.Name, out.Scope.Version = s.InstrumentationScope().Name, s.InstrumentationScope().Version
		rs.Resource.Attributes = keyValues(s.Resource().Attributes())
	}
	rs.ScopeSpans = []scopeSpans{out}
	return &traces{ResourceSpans: []resourceSpans{rs}}
}

func nanos(t time.Time) string { return strconv.FormatInt(t.UnixNano(), 10) }

func keyValues(list []attribute.KeyValue) []keyValue {
	out := make([]keyValue, len(list))
	for i, kv := range list {
		out[i] = keyValue{string(kv.Key), anyValue(kv.Value)}
	}
	return out
}

// anyValue is a value of the types that are used here, and a text of others.
func anyValue(v attribute.Value) map[string]any {
	switch v.Type() {
	case attribute.BOOL:
		return map[string]any{"boolValue": v.AsBool()}
	case attribute.INT64:
		return map[string]any{"intValue": strconv.FormatInt(v.AsInt64(), 10)}
	case attribute.FLOAT64:
		return map[string]any{"doubleValue": v.AsFloat64()}
	case attribute.STRINGSLICE:
		list := []map[string]any{}
		for _, s := range v.AsStringSlice() {
			list = append(list, map[string]any{"stringValue": s})
		}
		return map[string]any{"arrayValue": map[string]any{"values": list}}
	case attribute.STRING:
		return map[string]any{"stringValue": v.AsString()}
	default:
		return map[string]any{"stringValue": v.String()}
	}
}
