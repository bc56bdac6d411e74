package app

import (
	"github.com/aratta-gateway/aratta/internal/provider"
	"github.com/aratta-gateway/aratta/internal/tracing"
)

// traced are the zones whose providers are told which trace a request belongs to.
func (m *MonitoringConfig) traced() []string {
	if m.TraceZones == nil {
		return []string{provider.ZoneLocal}
	}
	return m.TraceZones
}

// tracer is what tells a collector of requests, if one is configured, else nil.
func (g *live) tracer(l *Loaded) (*tracing.Tracer, error) {
	if l.Monitoring.OTLPEndpoint == "" {
		return nil, nil
	}
	t, err := tracing.New(tracing.Options{Endpoint: l.Monitoring.OTLPEndpoint, Version: g.version, Env: g.env, Log: g.log})
	if err != nil {
		return nil, l.located(&Problem{File: l.File, Key: "monitoring.otlp_endpoint", Text: err.Error()})
	}
	return t, nil
}
