package telemetry

import (
	"fmt"
	"math"

	dto "github.com/prometheus/client_model/go"
)

// Metric is one metric for programs that do not read Prometheus' format.
type Metric struct {
	Name   string   `json:"name"`
	Type   string   `json:"type"` // counter, gauge, histogram, summary, untyped
	Help   string   `json:"help"`
	Series []Series `json:"series"`
}

// Series is one combination of labels.
type Series struct {
	Labels    map[string]string  `json:"labels,omitempty"`
	Value     *float64           `json:"value,omitempty"`     // of counters and gauges
	Count     *uint64            `json:"count,omitempty"`     // of histograms
	Sum       *float64           `json:"sum,omitempty"`       // in the metric's unit
	Quantiles map[string]float64 `json:"quantiles,omitempty"` // 0.5, 0.95, 0.99, as exact as the buckets are
}

// Metrics lists all that is counted.
func (m *Meter) Metrics() ([]Metric, error) {
	families, err := m.registry.Gather()
	if err != nil {
		return nil, fmt.Errorf("gather the metrics: %w", err)
	}
	list := make([]Metric, 0, len(families))
	for _, f := range families {
		out := Metric{Name: f.GetName(), Type: typeOf(f.GetType()), Help: f.GetHelp()}
		for _, one := range f.GetMetric() {
			out.Series = append(out.Series, series(one))
		}
		list = append(list, out)
	}
	return list, nil
}

func typeOf(t dto.MetricType) string {
	switch t {
	case dto.MetricType_COUNTER:
		return "counter"
	case dto.MetricType_GAUGE:
		return "gauge"
	case dto.MetricType_HISTOGRAM, dto.MetricType_GAUGE_HISTOGRAM:
		return "histogram"
	case dto.MetricType_SUMMARY:
		return "summary"
	default:
		return "untyped"
	}
}

func series(m *dto.Metric) Series {
	var s Series
	for _, l := range m.GetLabel() {
		if s.Labels == nil {
			s.Labels = map[string]string{}
		}
		s.Labels[l.GetName()] = l.GetValue()
	}
	value := func(v float64) {
		if !math.IsNaN(v) && !math.IsInf(v, 0) { // JSON has neither
			s.Value = &v
		}
	}
	switch {
	case m.GetCounter() != nil:
		value(m.GetCounter().GetValue())
	case m.GetGauge() != nil:
		value(m.GetGauge().GetValue())
	case m.GetUntyped() != nil:
		value(m.GetUntyped().GetValue())
	case m.GetHistogram() != nil:
		h := m.GetHistogram()
		count, sum := h.GetSampleCount(), h.GetSampleSum()
		s.Count, s.Sum = &count, &sum
		s.Quantiles = map[string]float64{"0.5": quantile(h, .5), "0.95": quantile(h, .95), "0.99": quantile(h, .99)}
	case m.GetSummary() != nil:
		count, sum := m.GetSummary().GetSampleCount(), m.GetSummary().GetSampleSum()
		s.Count, s.Sum = &count, &sum
	}
	return s
}

// quantile finds where a share of the observations lies below, as Prometheus'
// histogram_quantile does: evenly spread within a bucket, and at the lower end of
// the one without an upper end.
func quantile(h *dto.Histogram, share float64) float64 {
	rank := share * float64(h.GetSampleCount())
	from, before := 0.0, 0.0
	for _, b := range h.GetBucket() {
		upto := float64(b.GetCumulativeCount())
		if upto >= rank && upto > before {
			if math.IsInf(b.GetUpperBound(), 1) {
				return from
			}
			return from + (b.GetUpperBound()-from)*(rank-before)/(upto-before)
		}
		if !math.IsInf(b.GetUpperBound(), 1) {
			from = b.GetUpperBound()
		}
		before = upto
	}
	return from
}
