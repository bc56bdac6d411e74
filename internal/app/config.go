// Package app is the program: it reads the configuration, builds everything
// from it as one immutable whole, runs it, and holds the commands. It alone
// knows all packages.
package app

import (
	"fmt"
	"math"
	"net/netip"
	"strconv"
	"time"

	"github.com/aratta-gateway/aratta/internal/provider"
	"github.com/aratta-gateway/aratta/internal/route"
)

// Config is the configuration file. Types live with what they configure; this
// one lists them. Tables of type any are read and checked for their place, and
// belong to work that is not built yet.
type Config struct {
	Server     ServerConfig              `toml:"server"`
	Local      map[string]provider.Entry `toml:"local"`
	Providers  map[string]provider.Entry `toml:"providers"`
	Aliases    map[string]string         `toml:"aliases"`
	Chains     map[string]any            `toml:"chains"` // a list or a table each, see route.ParseChain
	Behaviour  route.Behaviour           `toml:"behaviour"`
	Routing    RoutingConfig             `toml:"routing"`
	Resilience ResilienceConfig          `toml:"resilience"`
	Media      MediaConfig               `toml:"media"`
	Relay      RelayConfig               `toml:"relay"`
	Cache      CacheConfig               `toml:"cache"`
	Privacy    *PrivacyConfig            `toml:"privacy"`
	Policy     *PolicyConfig             `toml:"policy"`
	Budgets    *BudgetsConfig            `toml:"budgets"`
	Healing    HealingConfig             `toml:"healing"`
	Monitoring MonitoringConfig          `toml:"monitoring"`
	Database   struct {
		URL string `toml:"url"`
	} `toml:"database"`
	Redis struct {
		URL string `toml:"url"`
	} `toml:"redis"`
}

// ServerConfig is the [server] table.
type ServerConfig struct {
	Host            string         `toml:"host"` // default 0.0.0.0; only loopback peers go without a key
	Port            int            `toml:"port"` // default 8084
	MaxBodyMB       int            `toml:"max_body_mb"`
	RequestTimeout  Duration       `toml:"request_timeout"`
	DrainTimeout    Duration       `toml:"drain_timeout"`
	KeepaliveAfter  Duration       `toml:"keepalive_after"`
	EchoModel       bool           `toml:"echo_model"`
	TrustedNetworks []netip.Prefix `toml:"trusted_networks"`
	CORSOrigins     []string       `toml:"cors_origins"`
	ConfigAPI       *bool          `toml:"config_api"` // default true; false = this file alone says what holds
	TLSCert         string         `toml:"tls_cert"`   // files; with them it speaks HTTPS alone
	TLSKey          string         `toml:"tls_key"`
}

// RoutingConfig is the [routing] table. Of it only the default strategy is built.
type RoutingConfig struct {
	Strategy          string   `toml:"strategy"`
	FallbackThreshold *float64 `toml:"fallback_threshold"`
	StreamGuard       string   `toml:"stream_guard"`
	GuardTokens       *int     `toml:"guard_tokens"`
	OnCold            string   `toml:"on_cold"`
	Sticky            *bool    `toml:"sticky"`
	Strict            *bool    `toml:"strict"`
	SelfCheck         *bool    `toml:"self_check"`
	Adapt             *bool    `toml:"adapt"`
	AdaptMin          *float64 `toml:"adapt_min"`
	AdaptMax          *float64 `toml:"adapt_max"`
}

// ResilienceConfig is the [resilience] table.
type ResilienceConfig struct {
	ConnectTimeout    Duration `toml:"connect_timeout"`
	HeaderTimeout     Duration `toml:"header_timeout"`
	FirstTokenTimeout Duration `toml:"first_token_timeout"`
	IdleTimeout       Duration `toml:"idle_timeout"`
	MaxRetries        *int     `toml:"max_retries"`
	FailureThreshold  *int     `toml:"failure_threshold"`
	Recovery          Duration `toml:"recovery"`
	OutageBodies      []string `toml:"outage_bodies"`
}

// MediaConfig is the [media] table: what is done with images and files that a
// request names by their address, see package fetch.
type MediaConfig struct {
	Fetch         *bool          `toml:"fetch"` // get them for targets that take bytes alone; default true
	MaxBytes      int64          `toml:"max_bytes"`
	Timeout       Duration       `toml:"timeout"`
	AllowHosts    []string       `toml:"allow_hosts"`
	AllowNetworks []netip.Prefix `toml:"allow_networks"`
}

// RelayConfig is the [relay] table: what is passed on as it is, by its kind.
type RelayConfig struct {
	Audio       RelayKind `toml:"audio"`
	Images      RelayKind `toml:"images"`
	Moderations RelayKind `toml:"moderations"`
	Rerank      RelayKind `toml:"rerank"`
	Files       RelayKind `toml:"files"`
	Batches     RelayKind `toml:"batches"`
}

// RelayKind is one table of [relay].
type RelayKind struct {
	Target    string `toml:"target"` // for requests that name no model: a provider, provider:model or an alias
	MaxBodyMB int    `toml:"max_body_mb"`
}

// CacheConfig is the [cache] table.
type CacheConfig struct {
	Enabled           *bool    `toml:"enabled"`
	TTL               Duration `toml:"ttl"`
	MaxMB             *int     `toml:"max_mb"`
	Semantic          *bool    `toml:"semantic"`
	SemanticThreshold *float64 `toml:"semantic_threshold"`
	EmbedModel        string   `toml:"embed_model"`
	Prefetch          *bool    `toml:"prefetch"`
}

// PrivacyConfig is the [privacy] table.
type PrivacyConfig struct {
	MaskFor           []string `toml:"mask_for"`
	Languages         []string `toml:"languages"`
	GatekeeperModel   string   `toml:"gatekeeper_model"`
	GatekeeperFailure string   `toml:"gatekeeper_failure"`
}

// PolicyConfig is the [policy] table.
type PolicyConfig struct {
	Presets []string `toml:"presets"`
	Rules   []struct {
		Name   string `toml:"name"`
		When   string `toml:"when"`
		Action string `toml:"action"`
	} `toml:"rules"`
}

// BudgetsConfig is the [budgets] table, in US dollars.
type BudgetsConfig struct {
	PerDay   *float64 `toml:"per_day"`
	PerMonth *float64 `toml:"per_month"`
}

// HealingConfig is the [healing] table.
type HealingConfig struct {
	Enabled            *bool    `toml:"enabled"`
	AutoApply          *bool    `toml:"auto_apply"`
	AutoApplyThreshold *float64 `toml:"auto_apply_threshold"`
	HealModel          string   `toml:"heal_model"`
	ResearchModel      string   `toml:"research_model"`
	ErrorThreshold     *int     `toml:"error_threshold"`
	WindowSeconds      *int     `toml:"window_seconds"`
	CooldownSeconds    *int     `toml:"cooldown_seconds"`
}

// MonitoringConfig is the [monitoring] table.
type MonitoringConfig struct {
	Prometheus          *bool    `toml:"prometheus"`
	HealthCheckInterval Duration `toml:"health_check_interval"`
	OTLPEndpoint        string   `toml:"otlp_endpoint"`
	LogContent          *bool    `toml:"log_content"`
	LogRetention        string   `toml:"log_retention"`
}

// Duration is a time in the configuration: Go syntax ("90s", "1h30m") or a
// number of seconds.
type Duration struct{ time.Duration }

// mostDuration is the longest that is taken, a year.
const mostDuration = 366 * 24 * time.Hour

// UnmarshalText reads either spelling. Whether one makes sense, Loaded.check says,
// which knows its place.
func (d *Duration) UnmarshalText(b []byte) error {
	v, err := time.ParseDuration(string(b))
	if n, ferr := strconv.ParseFloat(string(b), 64); ferr == nil {
		v, err = math.MaxInt64, nil
		if math.Abs(n) <= mostDuration.Seconds() { // or it could overflow; NaN is not
			v = time.Duration(n * float64(time.Second))
		}
	}
	if err != nil {
		return fmt.Errorf("%q is no duration: write \"90s\", \"10m\" or a number of seconds", b)
	}
	d.Duration = v
	return nil
}

// or returns the duration, or def when it is absent. Zero written out counts as
// absent where def is what it would mean.
func (d Duration) or(def time.Duration) time.Duration {
	if d.Duration == 0 {
		return def
	}
	return d.Duration
}
