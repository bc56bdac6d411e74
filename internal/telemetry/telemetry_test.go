package telemetry_test

import (
	"io"
	"math"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/aratta-gateway/aratta/internal/telemetry"
	"github.com/aratta-gateway/aratta/scri"
)

func n(v int64) *int64 { return new(v) }

func usd(v float64) *float64 { return new(v) }

// counted is what a scrape shows, without what Go and the process tell.
func counted(t *testing.T, m *telemetry.Meter) []string {
	t.Helper()
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "GET", "/metrics", nil))
	b, err := io.ReadAll(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for line := range strings.Lines(string(b)) {
		if strings.HasPrefix(line, "aratta_") && !strings.Contains(line, "_bucket") && !strings.HasPrefix(line, "aratta_build_info") {
			list = append(list, strings.TrimSpace(line))
		}
	}
	return list
}

// A request that one provider failed and the next one answered.
func TestEnded(t *testing.T) {
	m := telemetry.New("1.2.3")
	begin := time.Unix(1000, 0)
	m.Ended(&scri.Exchange{
		Op: scri.OpChat,
		Lineage: &scri.Lineage{
			Ingress: "anthropic", Chain: "default", Asked: "whatever a client says",
			Attempts: []scri.Attempt{
				{Provider: "ollama", Zone: "local", Start: begin, TookMS: 250, Outcome: "failed", Error: &scri.Error{Kind: scri.ErrOverloaded}},
				{
					Provider: "openai", Zone: "cloud", Start: begin.Add(time.Second), FirstMS: 500, TookMS: 1000, Outcome: "ok", CostUSD: usd(.25),
					Usage: &scri.Usage{Input: n(10), Output: n(20), CacheRead: n(5), Thinking: n(-1)},
				},
			},
		},
		Warnings: []scri.Warning{{Code: scri.WarnDropped, Path: "/seed"}, {Code: "a word of another gateway"}},
	}, nil)
	want := []string{
		`aratta_attempts_total{outcome="ok",provider="openai",zone="cloud"} 1`,
		`aratta_attempts_total{outcome="overloaded",provider="ollama",zone="local"} 1`,
		`aratta_config_loaded_timestamp_seconds 0`,
		`aratta_config_loads_total{outcome="failed"} 0`,
		`aratta_config_loads_total{outcome="ok"} 0`,
		`aratta_cost_usd_total{alias="default",provider="openai"} 0.25`,
		`aratta_fallbacks_total{provider="ollama",reason="overloaded"} 1`,
		`aratta_first_token_seconds_sum{provider="openai"} 0.5`,
		`aratta_first_token_seconds_count{provider="openai"} 1`,
		`aratta_log_lines_dropped_total 0`,
		`aratta_request_seconds_sum{op="chat",provider="openai"} 2`,
		`aratta_request_seconds_count{op="chat",provider="openai"} 1`,
		`aratta_requests_total{alias="default",ingress="anthropic",op="chat",outcome="ok",provider="openai"} 1`,
		`aratta_tokens_total{alias="default",kind="cache_read",provider="openai"} 5`,
		`aratta_tokens_total{alias="default",kind="input",provider="openai"} 10`,
		`aratta_tokens_total{alias="default",kind="output",provider="openai"} 20`,
		`aratta_warnings_total{code="dropped",ingress="anthropic"} 1`,
		`aratta_warnings_total{code="other",ingress="anthropic"} 1`,
	}
	if diff := cmp.Diff(want, counted(t, m)); diff != "" {
		t.Error(diff)
	}
}

// What nobody could serve is counted by the kind of its error, and an unknown kind
// gives no label of its own.
func TestEndedBadly(t *testing.T) {
	m := telemetry.New("")
	for _, k := range []scri.ErrorKind{scri.ErrAuth, "a kind of another gateway"} {
		m.Ended(&scri.Exchange{Op: scri.OpChat, Lineage: &scri.Lineage{Ingress: "openai"}}, &scri.Error{Kind: k})
	}
	want := []string{
		`aratta_config_loaded_timestamp_seconds 0`,
		`aratta_config_loads_total{outcome="failed"} 0`,
		`aratta_config_loads_total{outcome="ok"} 0`,
		`aratta_log_lines_dropped_total 0`,
		`aratta_requests_total{alias="",ingress="openai",op="chat",outcome="auth",provider=""} 1`,
		`aratta_requests_total{alias="",ingress="openai",op="chat",outcome="other",provider=""} 1`,
	}
	if diff := cmp.Diff(want, counted(t, m)); diff != "" {
		t.Error(diff)
	}
}

func TestMetrics(t *testing.T) {
	m := telemetry.New("1.2.3")
	done := m.Streaming("openai")
	m.Streaming("openai")()
	for range 100 {
		m.Ended(&scri.Exchange{Op: scri.OpChat, Lineage: &scri.Lineage{Attempts: []scri.Attempt{{Provider: "p", TookMS: 75, Outcome: "ok"}}}}, nil)
	}
	list, err := m.Metrics()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]telemetry.Series{}
	for _, x := range list {
		if len(x.Series) > 0 {
			seen[x.Name] = x.Series[0]
		}
	}
	if s := seen["aratta_open_streams"]; s.Value == nil || *s.Value != 1 {
		t.Errorf("open streams: %+v", s)
	}
	if s := seen["aratta_request_seconds"]; *s.Count != 100 || math.Abs(s.Quantiles["0.5"]-.075) > 1e-9 {
		t.Errorf("seconds: %+v", s) // half of the bucket from 0.05 to 0.1
	}
	if s := seen["aratta_build_info"]; s.Labels["version"] != "1.2.3" {
		t.Errorf("build: %+v", s)
	}
	done()
}

// What every request does costs no memory once its kind is known.
func TestCountingCostsNoMemory(t *testing.T) {
	m := telemetry.New("")
	x := &scri.Exchange{Op: scri.OpChat, Lineage: &scri.Lineage{
		Ingress: "openai", Chain: "default",
		Attempts: []scri.Attempt{{Provider: "p", FirstMS: 5, TookMS: 75, Outcome: "ok", Usage: &scri.Usage{Input: n(1), Output: n(1)}}},
	}}
	if n := testing.AllocsPerRun(100, func() {
		done := m.Streaming("openai")
		m.Ended(x, nil)
		done()
	}); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

// Whoever does not want to count need not ask whether he does.
func TestNil(t *testing.T) {
	var m *telemetry.Meter
	m.Ended(&scri.Exchange{Lineage: &scri.Lineage{}}, nil)
	m.Streaming("openai")()
	m.Loaded(true)
	m.LogLeftOut(1)
}

func BenchmarkEnded(b *testing.B) {
	m := telemetry.New("")
	x := &scri.Exchange{Op: scri.OpChat, Lineage: &scri.Lineage{
		Ingress: "openai", Chain: "default",
		Attempts: []scri.Attempt{{Provider: "p", Zone: "local", FirstMS: 5, TookMS: 75, Outcome: "ok", Usage: &scri.Usage{Input: n(1), Output: n(1)}}},
	}}
	b.ReportAllocs()
	for b.Loop() {
		m.Ended(x, nil)
	}
}
