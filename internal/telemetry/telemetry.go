// Package telemetry counts what the gateway does, for operators: requests,
// attempts, fallbacks, tokens, costs and times. Every label has a bound: they are
// names of the configuration and words of this program, never of a client.
package telemetry

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/aratta-gateway/aratta/scri"
)

// Meter counts. It outlives the configurations of its process, and may be used by
// several goroutines. A nil Meter counts nothing.
type Meter struct {
	registry *prometheus.Registry
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	first    *prometheus.HistogramVec
	attempts *prometheus.CounterVec
	falls    *prometheus.CounterVec
	tokens   *prometheus.CounterVec
	dollars  *prometheus.CounterVec
	warnings *prometheus.CounterVec
	streams  *prometheus.GaugeVec
	reloads  *prometheus.CounterVec
	loaded   prometheus.Gauge
	unlogged prometheus.Counter

	byRequest table[requestKind, requestSeries]
	byAttempt table[attemptKind, attemptSeries]
	byIngress table[streamKind, streamSeries]
}

// New makes a Meter, for a program of some version.
func New(version string) *Meter {
	m := &Meter{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "aratta_requests_total", Help: "Requests that ended, by the provider that was asked last and by how they ended: ok or the kind of the error.",
		}, []string{"ingress", "op", "alias", "provider", "outcome"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "aratta_request_seconds", Help: "Time from the first attempt's begin to the end of the answer.",
			Buckets: []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600},
		}, []string{"op", "provider"}),
		first: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "aratta_first_token_seconds", Help: "Time from an attempt's begin to its first content.",
			Buckets: []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60},
		}, []string{"provider"}),
		attempts: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "aratta_attempts_total", Help: "Attempts at providers, by how they ended: ok, canceled, skipped, escalated or the kind of the error.",
		}, []string{"provider", "zone", "outcome"}),
		falls: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "aratta_fallbacks_total", Help: "Attempts after which another provider was asked, by why.",
		}, []string{"provider", "reason"}),
		tokens: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "aratta_tokens_total", Help: "Tokens of all attempts: input, output, and of these cache_read, cache_write and reasoning.",
		}, []string{"provider", "alias", "kind"}),
		dollars: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "aratta_cost_usd_total", Help: "Cost of all attempts in US dollars, as far as prices are known.",
		}, []string{"provider", "alias"}),
		warnings: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "aratta_warnings_total", Help: "What translations could not carry over or had to change, by code.",
		}, []string{"ingress", "code"}),
		streams: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "aratta_open_streams", Help: "Streams under way.",
		}, []string{"ingress"}),
		reloads: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "aratta_config_loads_total", Help: "Configurations that were put into force (ok) or refused (failed).",
		}, []string{"outcome"}),
		loaded: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "aratta_config_loaded_timestamp_seconds", Help: "When the configuration in force was put there, in seconds since 1970.",
		}),
		unlogged: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "aratta_log_lines_dropped_total", Help: "Lines of the log that were left out, as nobody took them.",
		}),
	}
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "aratta_build_info", Help: "1, with the version as label.", ConstLabels: prometheus.Labels{"version": version},
	})
	build.Set(1)
	for _, outcome := range []string{"ok", "failed"} {
		m.reloads.WithLabelValues(outcome) // so that the first is seen as a growth, which an alert asks for
	}
	m.registry.MustRegister(
		m.requests, m.seconds, m.first, m.attempts, m.falls, m.tokens, m.dollars, m.warnings, m.streams, m.reloads, m.loaded, m.unlogged, build,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	return m
}

// Handler serves the counts as Prometheus and OpenMetrics have them.
func (m *Meter) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{EnableOpenMetrics: true})
}

// Loaded counts a configuration that was put into force, or was not.
func (m *Meter) Loaded(ok bool) {
	if m == nil {
		return
	}
	if !ok {
		m.reloads.WithLabelValues("failed").Inc()
		return
	}
	m.reloads.WithLabelValues("ok").Inc()
	m.loaded.Set(float64(time.Now().Unix()))
}

// LogLeftOut counts lines of the log that nobody took.
func (m *Meter) LogLeftOut(lines int) {
	if m != nil {
		m.unlogged.Add(float64(lines))
	}
}

// Streaming counts a stream as open until done is called.
func (m *Meter) Streaming(ingress string) (done func()) {
	if m == nil {
		return func() {}
	}
	s := m.byIngress.get(streamKind(ingress), func(k streamKind) *streamSeries {
		g := m.streams.WithLabelValues(string(k))
		return &streamSeries{begun: g.Inc, ended: g.Dec}
	})
	s.begun()
	return s.ended
}

// Ended counts a request that is over.
func (m *Meter) Ended(x *scri.Exchange, err *scri.Error) {
	if m == nil {
		return
	}
	l := x.Lineage
	k := requestKind{l.Ingress, string(x.Op), l.Chain, "", "ok"}
	for i := range l.Attempts {
		a := &l.Attempts[i]
		k.provider = a.Provider
		m.attempt(l, a, i+1 < len(l.Attempts))
	}
	if err != nil {
		k.outcome = kind(err)
	}
	s := m.byRequest.get(k, func(k requestKind) *requestSeries {
		return &requestSeries{ended: m.requests.WithLabelValues(k.ingress, k.op, k.alias, k.provider, k.outcome)}
	})
	s.ended.Inc()
	m.warned(s, k.ingress, x.Warnings)
	if n := len(l.Attempts); n > 0 {
		last := &l.Attempts[n-1]
		took := last.Start.Sub(l.Attempts[0].Start).Seconds() + last.TookMS/1000
		s.took.get(func() prometheus.Observer { return m.seconds.WithLabelValues(k.op, k.provider) }).Observe(took)
	}
}

func (m *Meter) attempt(l *scri.Lineage, a *scri.Attempt, another bool) {
	k := attemptKind{a.Provider, a.Zone, l.Chain, a.Outcome}
	if a.Error != nil && k.outcome == "failed" {
		k.outcome = kind(a.Error)
	}
	s := m.byAttempt.get(k, func(k attemptKind) *attemptSeries {
		return &attemptSeries{ended: m.attempts.WithLabelValues(k.provider, k.zone, k.outcome)}
	})
	s.ended.Inc()
	if another {
		s.fell.get(func() prometheus.Counter { return m.falls.WithLabelValues(k.provider, k.outcome) }).Inc()
	}
	if a.FirstMS > 0 {
		s.first.get(func() prometheus.Observer { return m.first.WithLabelValues(k.provider) }).Observe(a.FirstMS / 1000)
	}
	if a.CostUSD != nil {
		s.dollars.get(func() prometheus.Counter { return m.dollars.WithLabelValues(k.provider, strings.Clone(k.alias)) }).Add(*a.CostUSD)
	}
	u := a.Usage
	if u == nil {
		return
	}
	for i, n := range [...]*int64{u.Input, u.Output, u.CacheRead, u.CacheWrite, u.Thinking} {
		if n != nil && *n > 0 { // negative ones are a provider's mistake
			s.tokens[i].get(func() prometheus.Counter {
				return m.tokens.WithLabelValues(k.provider, strings.Clone(k.alias), tokenKinds[i])
			}).Add(float64(*n))
		}
	}
}

// other stands for words of somebody else: another gateway's, as a provider, may
// be any.
const other = "other"

func kind(e *scri.Error) string {
	switch e.Kind {
	case scri.ErrInvalid, scri.ErrUnsupported, scri.ErrAuth, scri.ErrPermission, scri.ErrNotFound, scri.ErrRateLimited,
		scri.ErrQuota, scri.ErrContextLength, scri.ErrContentFilter, scri.ErrOverloaded, scri.ErrTimeout, scri.ErrUnavailable,
		scri.ErrTruncated, scri.ErrCanceled, scri.ErrPolicy, scri.ErrInternal:
		return string(e.Kind)
	default:
		return other
	}
}

// warned counts warnings by their codes.
func (m *Meter) warned(s *requestSeries, ingress string, list []scri.Warning) {
	var n [len(warningCodes)]int
	for i := range list {
		at := slices.Index(warningCodes[:], list[i].Code)
		if at < 0 {
			at = len(n) - 1
		}
		n[at]++
	}
	for i, n := range n {
		if n > 0 {
			s.warned[i].get(func() prometheus.Counter { return m.warnings.WithLabelValues(ingress, warningCodes[i]) }).Add(float64(n))
		}
	}
}
