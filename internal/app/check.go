package app

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aratta-gateway/aratta/internal/provider"
	"github.com/aratta-gateway/aratta/internal/route"
	"github.com/aratta-gateway/aratta/internal/server"
	"github.com/aratta-gateway/aratta/internal/tracing"
)

// Defaults of the [server] table.
const (
	defaultHost      = "0.0.0.0"
	defaultPort      = 8084
	mostPort         = 65535
	defaultMaxBodyMB = 32
	defaultRequest   = 10 * time.Minute
	defaultDrain     = 30 * time.Second
	defaultKeepalive = 10 * time.Second

	mostMedia = 256 << 20 // of [media] max_bytes
)

// check refuses values that nothing could work with, and fills in defaults.
func (l *Loaded) check() error {
	s := &l.Server
	if s.Host == "" {
		s.Host = defaultHost
	}
	if s.Port == 0 {
		s.Port = defaultPort
	}
	if s.MaxBodyMB == 0 {
		s.MaxBodyMB = defaultMaxBodyMB
	}
	s.RequestTimeout.Duration = s.RequestTimeout.or(defaultRequest)
	s.DrainTimeout.Duration = s.DrainTimeout.or(defaultDrain)
	s.KeepaliveAfter.Duration = s.KeepaliveAfter.or(defaultKeepalive)
	var errs []error
	bad := func(key, format string, args ...any) {
		errs = append(errs, &Problem{File: l.File, Key: key, Text: fmt.Sprintf(format, args...)})
	}
	r := &l.Resilience
	for _, d := range []struct {
		key string
		Duration
	}{
		{"server.request_timeout", s.RequestTimeout},
		{"server.drain_timeout", s.DrainTimeout},
		{"server.keepalive_after", s.KeepaliveAfter},
		{"resilience.connect_timeout", r.ConnectTimeout},
		{"resilience.header_timeout", r.HeaderTimeout},
		{"resilience.first_token_timeout", r.FirstTokenTimeout},
		{"resilience.idle_timeout", r.IdleTimeout},
		{"resilience.recovery", r.Recovery},
		{"media.timeout", l.Media.Timeout},
		{"cache.ttl", l.Cache.TTL},
		{"monitoring.health_check_interval", l.Monitoring.HealthCheckInterval},
	} {
		if d.Duration.Duration < 0 || d.Duration.Duration > mostDuration {
			bad(d.key, "a duration must lie between 0 and a year")
		}
	}
	s.check(bad)
	l.Monitoring.check(bad)
	l.checkRelays(bad)
	if m := &l.Media; m.MaxBytes < 0 || m.MaxBytes > mostMedia {
		bad("media.max_bytes", "%d is not between 1 and %d", m.MaxBytes, mostMedia)
	}
	for _, h := range l.Media.AllowHosts {
		if unfit(h) {
			bad("media.allow_hosts", "%q is no name of a host; write it without scheme, port and *", h)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(l.Local)) {
		if _, both := l.Providers[name]; both {
			bad("providers."+name, "the name stands under [local] too; names must be unique")
		}
		if unfit(name) {
			bad("local."+name, unfitName)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(l.Providers)) {
		if unfit(name) {
			bad("providers."+name, unfitName)
		}
	}
	return errors.Join(errs...)
}

// check refuses values of [server] that nothing could work with.
func (s *ServerConfig) check(bad func(key, format string, args ...any)) {
	if s.Port < 1 || s.Port > mostPort {
		bad("server.port", "%d is no port", s.Port)
	}
	if s.MaxBodyMB < 1 || s.MaxBodyMB > 1024 {
		bad("server.max_body_mb", "%d is not between 1 and 1024", s.MaxBodyMB)
	}
	s.checkTLS(bad)
	for _, o := range s.CORSOrigins {
		if why := server.StrangeOrigin(o); why != "" {
			bad("server.cors_origins", "%q is no origin: %s", o, why)
		}
	}
}

// check refuses values of [monitoring] that nothing could work with.
func (m *MonitoringConfig) check(bad func(key, format string, args ...any)) {
	if m.OTLPEndpoint != "" {
		if why := tracing.Strange(m.OTLPEndpoint); why != "" {
			bad("monitoring.otlp_endpoint", "%s", why)
		}
	}
	for _, z := range m.TraceZones {
		if !slices.Contains(zones(), z) {
			bad("monitoring.trace_zones", "%q is none of %s", z, strings.Join(zones(), ", "))
		}
	}
}

// zones are where providers can be, the nearest first.
func zones() []string {
	return []string{provider.ZoneLocal, provider.ZonePrivate, provider.ZoneCloud}
}

const unfitName = "a name is made of letters, digits and . _ - as it stands in provider:model, headers and logs"

func unfit(name string) bool {
	return name == "" || strings.ContainsFunc(name, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("._-", r)
	})
}

// unsetVariables refuses what would mean something else without the variable that
// it uses: a host to listen on would become every one. Providers are switched off
// instead, see Snapshot.providers, and what has no effect needs no value.
func (l *Loaded) unsetVariables() error {
	var errs []error
	for _, key := range slices.Sorted(maps.Keys(l.unset)) {
		switch table, _, _ := strings.Cut(key, "."); table {
		case "server", "media", "relay", "aliases", "chains", "behaviour", "routing", "resilience", "monitoring":
			errs = append(errs, &Problem{File: l.File, Key: key, Text: notSet(l.unset[key])})
		}
	}
	return errors.Join(errs...)
}

func notSet(vars []string) string { return "${" + strings.Join(vars, "}, ${") + "} is not set" }

// notEnforced is the refusal of what promises safety.
const notEnforced = "this version does not enforce it, and will not start as if it did; take the table out to run without"

// promises are the tables that promise safety.
func promises() []string { return []string{"policy", "privacy", "budgets"} }

// unbuilt names what the configuration asks for and this version does not do.
// What promises safety stops the start: to ignore it would be to break the
// promise. The rest warns.
func (l *Loaded) unbuilt() error {
	var errs []error
	for _, t := range []struct {
		name  string
		asked bool
	}{
		{"policy", l.Policy != nil && (len(l.Policy.Presets) > 0 || len(l.Policy.Rules) > 0)},
		{"privacy", l.Privacy != nil},
		{"budgets", l.Budgets != nil},
	} {
		if t.asked {
			errs = append(errs, &Problem{File: l.File, Key: t.name, Text: notEnforced})
		}
	}
	return errors.Join(errs...)
}

// ignored lists the keys that are read and have no effect yet.
func (l *Loaded) ignored() (out []string) {
	var keys []string
	add := func(asked bool, key string) {
		if asked {
			keys = append(keys, key)
		}
	}
	r := &l.Routing
	add(r.Strategy != "" && r.Strategy != "priority", "routing.strategy")
	add(r.FallbackThreshold != nil, "routing.fallback_threshold")
	add(r.StreamGuard != "" && r.StreamGuard != "off", "routing.stream_guard")
	add(r.GuardTokens != nil, "routing.guard_tokens")
	add(r.OnCold != "" && r.OnCold != "wait", "routing.on_cold")
	add(isTrue(r.Sticky), "routing.sticky")
	add(isTrue(r.SelfCheck), "routing.self_check")
	add(isTrue(r.Adapt), "routing.adapt")
	add(r.AdaptMin != nil || r.AdaptMax != nil, "routing.adapt_min/adapt_max")
	s := &l.Resilience
	add(s.MaxRetries != nil && *s.MaxRetries > 0, "resilience.max_retries")
	add(s.FailureThreshold != nil, "resilience.failure_threshold")
	add(s.Recovery.Duration > 0, "resilience.recovery")
	add(len(s.OutageBodies) > 0, "resilience.outage_bodies")
	c := &l.Cache
	add(isTrue(c.Enabled) || isTrue(c.Semantic) || isTrue(c.Prefetch), "cache")
	add(isTrue(l.Healing.Enabled), "healing")
	m := &l.Monitoring
	add(m.HealthCheckInterval.Duration > 0, "monitoring.health_check_interval")
	add(isTrue(m.LogContent), "monitoring.log_content")
	add(m.LogRetention != "", "monitoring.log_retention")
	add(l.Database.URL != "", "database.url")
	add(l.Redis.URL != "", "redis.url")
	for _, table := range []string{"local", "providers"} {
		entries := l.Local
		if table == "providers" {
			entries = l.Providers
		}
		for _, name := range slices.Sorted(maps.Keys(entries)) {
			e, at := entries[name], table+"."+name
			add(len(e.UseWhen) > 0, at+".use_when")
			add(e.CostLimitPerDay != nil, at+".cost_limit_per_day")
			add(e.PricePerHour != nil && *e.PricePerHour > 0, at+".price_per_hour")
			for _, m := range e.Models {
				add(m.FallbackThreshold != nil, at+".models["+m.Name+"].fallback_threshold")
				add(len(m.SpecializedFor) > 0, at+".models["+m.Name+"].specialized_for")
				if strange := route.StrangeTask(m.SpecializedFor); strange != "" {
					out = append(out, at+".models.specialized_for: "+strange)
				}
			}
			if strange := route.StrangeTask(e.UseWhen); strange != "" {
				out = append(out, at+".use_when: "+strange)
			}
		}
	}
	for _, k := range keys {
		out = append(out, k+": has no effect in this version")
	}
	return append(out, m.notes()...)
}

// notes are what is strange and may work all the same.
func (m *MonitoringConfig) notes() []string {
	if strings.HasSuffix(strings.TrimRight(m.OTLPEndpoint, "/"), ":4317") {
		return []string{"monitoring.otlp_endpoint: 4317 is where collectors take gRPC; over HTTP, which is spoken here, they listen at 4318"}
	}
	return nil
}

func isTrue(b *bool) bool { return b != nil && *b }
