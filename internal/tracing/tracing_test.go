package tracing

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/aratta-gateway/aratta/scri"
)

// collector is one of OpenTelemetry's, as far as traces over HTTP go.
type collector struct {
	*httptest.Server
	mu     sync.Mutex
	spans  []map[string]any
	header http.Header
	path   string
	res    map[string]any // attributes of the resource
	status []int          // of the next answers; then 200
	body   string
	posts  int
}

func newCollector(t *testing.T) *collector {
	t.Helper()
	c := &collector{body: "{}"}
	c.Server = httptest.NewServer(c)
	t.Cleanup(c.Close)
	return c
}

func (c *collector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.posts++
	c.header, c.path = r.Header, r.URL.Path
	if len(c.status) > 0 {
		status := c.status[0]
		c.status = c.status[1:]
		w.WriteHeader(status)
		return
	}
	var doc struct {
		ResourceSpans []struct {
			Resource   struct{ Attributes []any }
			ScopeSpans []struct {
				Scope map[string]any
				Spans []map[string]any
			}
		}
	}
	b, _ := io.ReadAll(r.Body)
	if err := json.Unmarshal(b, &doc); err != nil || len(doc.ResourceSpans) != 1 || len(doc.ResourceSpans[0].ScopeSpans) != 1 {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	c.res = flat(doc.ResourceSpans[0].Resource.Attributes)
	for _, s := range doc.ResourceSpans[0].ScopeSpans[0].Spans {
		list, _ := s["attributes"].([]any)
		s["attributes"] = flat(list)
		c.spans = append(c.spans, s)
	}
	_, _ = io.WriteString(w, c.body)
}

// flat is a list of attributes by their names.
func flat(list []any) map[string]any {
	out := map[string]any{}
	for _, one := range list {
		kv, _ := one.(map[string]any)
		v, _ := kv["value"].(map[string]any)
		for _, x := range v {
			if a, ok := x.(map[string]any); ok {
				var texts []any
				values, _ := a["values"].([]any)
				for _, y := range values {
					texts = append(texts, y.(map[string]any)["stringValue"])
				}
				x = texts
			}
			out[kv["key"].(string)] = x
		}
	}
	return out
}

func tracer(t *testing.T, url string, log io.Writer, env ...string) *Tracer {
	t.Helper()
	tr, err := New(Options{Endpoint: url, Version: "v1", Log: slog.New(slog.NewJSONHandler(log, nil)), Env: func(name string) (string, bool) {
		for i := 0; i < len(env); i += 2 {
			if env[i] == name {
				return env[i+1], true
			}
		}
		return "", false
	}})
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

// one is a request that fell back: the first provider failed, the second answered.
func one(t *testing.T, tr *Tracer, header ...string) (parents []string) {
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/v1/chat/completions", http.NoBody)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	r = tr.Begin(r)
	r.Pattern = "POST /v1/chat/completions"
	start := time.Now()
	x := &scri.Exchange{ID: "req_1", Op: scri.OpChat, Lineage: &scri.Lineage{Ingress: "openai", Asked: "auto", Chain: "default", CostUSD: new(0.5), Attempts: []scri.Attempt{
		{Provider: "ollama", Model: "m:8b", Dialect: "ollama", Zone: "local", Start: start, TookMS: 2, Outcome: "failed", Error: &scri.Error{Kind: scri.ErrUnavailable, Message: "a secret"}},
		{Provider: "google", Model: "g", Dialect: "gemini", Zone: "cloud", Start: start.Add(2 * time.Millisecond), FirstMS: 1.5, TookMS: 3, Outcome: "ok", CostUSD: new(0.5), Usage: &scri.Usage{Input: new(int64(7)), Output: new(int64(3)), CacheRead: new(int64(4))}},
	}}}
	for i, host := range []string{"127.0.0.1:11434", "generativelanguage.googleapis.com"} {
		parents = append(parents, Parent(tr.Attempt(r.Context(), &x.Lineage.Attempts[i], host)))
	}
	tr.Event(r.Context(), &scri.StreamEvent{Kind: scri.EventStart, Head: &scri.ChatResponse{Model: "g-001"}})
	tr.Event(r.Context(), &scri.StreamEvent{Kind: scri.EventDelta, Delta: scri.NewText("a secret")})
	tr.Event(r.Context(), &scri.StreamEvent{Kind: scri.EventFinish, Finish: &scri.Finish{Reason: scri.FinishStop, Detail: "a secret"}})
	tr.Ended(r.Context(), x, http.StatusOK, nil)
	return parents
}

// What a collector is told of a request: that it came, whom it went to, how it ended;
// nothing of what was said.
func TestSpans(t *testing.T) {
	c := newCollector(t)
	tr := tracer(t, c.URL, io.Discard, "OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20k, x-team = a")
	const trace, caller = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
	parents := one(t, tr, "Traceparent", "00-"+trace+"-"+caller+"-01")
	tr.Close()
	if c.path != "/v1/traces" || c.header.Get("Content-Type") != "application/json" || c.header.Get("Authorization") != "Bearer k" || c.header.Get("X-Team") != "a" || c.res["service.name"] != "aratta" || c.res["service.version"] != "v1" {
		t.Errorf("%s %v %v", c.path, c.header, c.res)
	}
	if len(c.spans) != 3 {
		t.Fatalf("%d spans: %v", len(c.spans), c.spans)
	}
	server := c.spans[2]
	type m = map[string]any
	want := []m{
		{
			"traceId": trace, "spanId": parents[0][36:52], "parentSpanId": server["spanId"], "flags": 257.0, "name": "chat m:8b", "kind": 3.0, "status": m{"code": 2.0},
			"attributes": m{
				"gen_ai.operation.name": "chat", "gen_ai.provider.name": "ollama", "gen_ai.request.model": "m:8b", "aratta.provider": "ollama", "aratta.zone": "local",
				"aratta.dialect": "ollama", "aratta.outcome": "failed", "server.address": "127.0.0.1", "server.port": "11434", "error.type": "unavailable",
			},
		},
		{
			"traceId": trace, "spanId": parents[1][36:52], "parentSpanId": server["spanId"], "flags": 257.0, "name": "chat g", "kind": 3.0, "status": m{},
			"attributes": m{
				"gen_ai.operation.name": "chat", "gen_ai.provider.name": "gcp.gemini", "gen_ai.request.model": "g", "gen_ai.response.model": "g-001", "gen_ai.response.finish_reasons": []any{"stop"},
				"gen_ai.usage.input_tokens": "7", "gen_ai.usage.output_tokens": "3", "gen_ai.usage.cache_read.input_tokens": "4", "aratta.provider": "google", "aratta.zone": "cloud",
				"aratta.dialect": "gemini", "aratta.outcome": "ok", "aratta.first_ms": 1.5, "aratta.cost_usd": 0.5, "server.address": "generativelanguage.googleapis.com",
			},
		},
		{
			"traceId": trace, "spanId": server["spanId"], "parentSpanId": caller, "flags": 769.0, "name": "POST /v1/chat/completions", "kind": 2.0, "status": m{},
			"attributes": m{
				"http.request.method": "POST", "http.route": "/v1/chat/completions", "http.response.status_code": "200", "gen_ai.operation.name": "chat", "gen_ai.provider.name": "gcp.gemini",
				"gen_ai.request.model": "auto", "gen_ai.response.model": "g-001", "gen_ai.response.finish_reasons": []any{"stop"},
				"aratta.request_id": "req_1", "aratta.ingress": "openai", "aratta.chain": "default", "aratta.attempts": "2", "aratta.cost_usd": 0.5,
			},
		},
	}
	for i, s := range c.spans {
		begin, end := s["startTimeUnixNano"].(string), s["endTimeUnixNano"].(string)
		if len(begin) != 19 || end < begin {
			t.Errorf("%v from %s to %s", s["name"], begin, end)
		}
		delete(s, "startTimeUnixNano")
		delete(s, "endTimeUnixNano")
		if d := cmp.Diff(want[i], s); d != "" {
			t.Errorf("span %d (-want +got):\n%s", i, d)
		}
	}
}

// Who asks not to be traced is not, nor is what machines ask every few seconds; and
// without a caller's trace there is one of the gateway's own.
func TestWhatIsTraced(t *testing.T) {
	c := newCollector(t)
	tr := tracer(t, c.URL+"/v1/traces/", io.Discard)
	parents := one(t, tr, "Traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00")
	if !strings.HasPrefix(parents[0], "00-0af7651916cd43dd8448eb211c80319c-") || !strings.HasSuffix(parents[0], "-00") {
		t.Errorf("a provider is told %s", parents[0])
	}
	for _, op := range []scri.Op{"metrics", "health"} {
		r := tr.Begin(httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", http.NoBody))
		tr.Ended(r.Context(), &scri.Exchange{Op: op, Lineage: &scri.Lineage{}}, http.StatusOK, nil)
	}
	for _, asked := range [][2]string{{"POST", "/"}, {"WHATACLIENTWROTE", ""}} { // nothing is there; it was answered before anybody looked
		r := tr.Begin(httptest.NewRequestWithContext(t.Context(), asked[0], "/what/a/client/wrote", http.NoBody))
		r.Pattern = asked[1]
		tr.Ended(r.Context(), &scri.Exchange{Op: "none", Lineage: &scri.Lineage{}}, http.StatusNotFound, &scri.Error{Kind: scri.ErrNotFound})
	}
	tr.Ended(t.Context(), &scri.Exchange{Lineage: &scri.Lineage{}}, http.StatusOK, nil) // was not begun
	tr.Close()
	if len(c.spans) != 2 || c.spans[0]["name"] != "POST" || c.spans[1]["name"] != "_OTHER" || c.spans[0]["parentSpanId"] != nil || len(c.spans[0]["status"].(map[string]any)) > 0 || c.path != "/v1/traces" {
		t.Errorf("at %s: %v", c.path, c.spans)
	}
	if got := Parent(context.Background()); got != "" {
		t.Errorf("what belongs to no trace tells %s", got)
	}
}

// A collector that fails disturbs nobody: it is asked again, and said once that it
// does not take traces.
func TestCollectorFails(t *testing.T) {
	t.Run("for a moment", func(t *testing.T) {
		c := newCollector(t)
		c.status = []int{http.StatusServiceUnavailable, http.StatusTooManyRequests}
		var log bytes.Buffer
		tr := tracer(t, c.URL, &log)
		tr.exporter.pause = time.Millisecond
		one(t, tr)
		tr.Close()
		if len(c.spans) != 3 || log.Len() > 0 {
			t.Errorf("%d spans after %d posts; %s", len(c.spans), c.posts, &log)
		}
	})
	t.Run("for good", func(t *testing.T) {
		c := newCollector(t)
		c.status = []int{http.StatusUnauthorized, http.StatusUnauthorized}
		var log bytes.Buffer
		tr := tracer(t, c.URL, &log)
		for range 3 {
			one(t, tr)
			if err := tr.provider.ForceFlush(t.Context()); err != nil {
				t.Error(err)
			}
		}
		tr.Close()
		if strings.Count(log.String(), `"level":"WARN"`) != 1 || !strings.Contains(log.String(), "401") || !strings.Contains(log.String(), `"lost_spans":6`) || c.posts != 3 {
			t.Errorf("%d posts:\n%s", c.posts, &log)
		}
	})
	t.Run("in part", func(t *testing.T) {
		c := newCollector(t)
		c.body = `{"partialSuccess":{"rejectedSpans":"2","errorMessage":"too old"}}`
		var log bytes.Buffer
		tr := tracer(t, c.URL, &log)
		one(t, tr)
		tr.Close()
		if !strings.Contains(log.String(), `"spans":"2","error":"too old"`) {
			t.Errorf("%s", &log)
		}
	})
	t.Run("by its silence", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) { // so that its patience need not be waited for
			x, err := newExporter(Options{Endpoint: "http://127.0.0.1:1", Log: slog.New(slog.DiscardHandler), Env: func(string) (string, bool) { return "", false }})
			if err != nil {
				t.Fatal(err)
			}
			x.client = &http.Client{Transport: silence{}}
			tr := over(x)
			begin := time.Now()
			for range 3 * mostQueued { // more than it takes
				one(t, tr)
			}
			if took := time.Since(begin); took > 0 {
				t.Errorf("requests waited %s", took)
			}
			tr.Close()
			if took := time.Since(begin); took > flushTime {
				t.Errorf("the end waited %s", took)
			}
			synctest.Wait()
		})
	})
}

// silence never answers.
type silence struct{}

func (silence) RoundTrip(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

func TestStrange(t *testing.T) {
	for endpoint, want := range map[string]string{
		"http://127.0.0.1:4318": "", "https://otel.example/v1/traces": "", "https://otel.example/tenant/": "",
		"127.0.0.1:4318": "write the collector's", "grpc://x:4317": "write the collector's", "": "write the collector's", "https://": "write the collector's",
		"https://me:pw@otel.example": "OTEL_EXPORTER_OTLP_HEADERS", "https://otel.example?api_key=k": "OTEL_EXPORTER_OTLP_HEADERS",
	} {
		if got := Strange(endpoint); (want == "") != (got == "") || !strings.Contains(got, want) {
			t.Errorf("%q: %q", endpoint, got)
		}
	}
}
