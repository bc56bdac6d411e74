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
//
// The comments of the fields of all these types are the tables of the documents
// (TestReference writes them): what the key means, begun by "default VALUE: "
// where there is one, or by "not yet: " where it has no effect.
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
	Database   DatabaseConfig            `toml:"database"`
	Redis      RedisConfig               `toml:"redis"`
}

// ServerConfig is the [server] table.
type ServerConfig struct {
	// default "0.0.0.0": address to listen on; peers beyond loopback need a key
	Host string `toml:"host"`
	// default 8084: and its port
	Port int `toml:"port"`
	// default 32: larger requests are refused with 413
	MaxBodyMB int `toml:"max_body_mb"`
	// default "10m": one whole exchange, all its attempts
	RequestTimeout Duration `toml:"request_timeout"`
	// default "30s": how long requests may go on after SIGTERM
	DrainTimeout Duration `toml:"drain_timeout"`
	// default "10s": silence after which a client of an event stream gets a comment
	KeepaliveAfter Duration `toml:"keepalive_after"`
	// default false: answer with the asked model's name instead of the one that answered
	EchoModel bool `toml:"echo_model"`
	// default []: networks (CIDR) that need no key, as loopback does
	TrustedNetworks []netip.Prefix `toml:"trusted_networks"`
	// default []: web pages that may call the gateway from a browser, besides those of this machine:
	// origins (`"https://app.example.com"`), or `"*"` ([security.md](security.md#web-pages))
	CORSOrigins []string `toml:"cors_origins"`
	// default true: whether local users may see and change the configuration over HTTP
	// ([operations.md](operations.md#a-changed-configuration))
	ConfigAPI *bool `toml:"config_api"`
	// file (PEM) of a certificate; with it and its key the gateway speaks HTTPS alone
	// ([operations.md](operations.md#tls))
	TLSCert string `toml:"tls_cert"`
	// file (PEM) of its key
	TLSKey string `toml:"tls_key"`
}

// RoutingConfig is the [routing] table. Of it only the default strategy is built.
type RoutingConfig struct {
	// not yet: how targets are ranked: `priority`, `confidence_based`, `cost`, `latency`, `weighted`, `least_busy`
	Strategy string `toml:"strategy"`
	// not yet: confidence in an answer below which the next target is asked
	FallbackThreshold *float64 `toml:"fallback_threshold"`
	// not yet: how much of a stream is held until its confidence is known: `off`, `prefix`, `full`
	StreamGuard string `toml:"stream_guard"`
	// not yet: how many tokens of it, with `prefix`
	GuardTokens *int `toml:"guard_tokens"`
	// not yet: what is done while a local model is loaded: `wait`, `cloud_and_warm`, `refuse`
	OnCold string `toml:"on_cold"`
	// not yet: a conversation stays with its model
	Sticky *bool `toml:"sticky"`
	// default false: a translation that would lose something is not sent; the next target is tried.
	// [What a loss is](translation.md)
	Strict *bool `toml:"strict"`
	// not yet: ask the local model whether its answer is right
	SelfCheck *bool `toml:"self_check"`
	// not yet: thresholds follow feedback and outcomes
	Adapt *bool `toml:"adapt"`
	// not yet: the lowest that a threshold may become
	AdaptMin *float64 `toml:"adapt_min"`
	// not yet: the highest
	AdaptMax *float64 `toml:"adapt_max"`
}

// ResilienceConfig is the [resilience] table.
type ResilienceConfig struct {
	// default "5s": until a connection stands
	ConnectTimeout Duration `toml:"connect_timeout"`
	// default "60s": from sending until the head of the answer, by default of streams alone; local
	// runtimes may take as long as `first_token_timeout`, as they load models before it
	HeaderTimeout Duration `toml:"header_timeout"`
	// default "120s": from sending until the first content
	FirstTokenTimeout Duration `toml:"first_token_timeout"`
	// default "60s": between two pieces of an answer
	IdleTimeout Duration `toml:"idle_timeout"`
	// not yet: how often one target is asked again
	MaxRetries *int `toml:"max_retries"`
	// not yet: failures in a row after which a provider is left alone
	FailureThreshold *int `toml:"failure_threshold"`
	// not yet: for how long
	Recovery Duration `toml:"recovery"`
	// not yet: texts of errors that mean an outage whatever their status
	OutageBodies []string `toml:"outage_bodies"`
}

// MediaConfig is the [media] table: what is done with images and files that a
// request names by their address, see package fetch.
type MediaConfig struct {
	// default true: with `false` nothing is fetched; what the target does not take is left out with a
	// warning, but Gemini is told the address
	Fetch *bool `toml:"fetch"`
	// default 20971520: of one file; the files of one request may have four times as much together
	MaxBytes int64 `toml:"max_bytes"`
	// default "15s": for one file, redirects included
	Timeout Duration `toml:"timeout"`
	// default []: hosts that may have addresses of an own network: `["images.intranet.example"]`
	AllowHosts []string `toml:"allow_hosts"`
	// default []: networks (CIDR) that may be fetched from besides the public internet
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
	// who gets what names no known model: a provider, `provider:model` or an alias. With a model it is
	// also written into a request that names none
	Target string `toml:"target"`
	// larger requests are refused with 413; by default audio and images 128, files 512, batches 256,
	// others as `server.max_body_mb`
	MaxBodyMB int `toml:"max_body_mb"`
}

// CacheConfig is the [cache] table.
type CacheConfig struct {
	// not yet: answer again what was asked before
	Enabled *bool `toml:"enabled"`
	// not yet: for how long
	TTL Duration `toml:"ttl"`
	// not yet: memory that it may take
	MaxMB *int `toml:"max_mb"`
	// not yet: also what was asked in other words
	Semantic *bool `toml:"semantic"`
	// not yet: how alike the two must be
	SemanticThreshold *float64 `toml:"semantic_threshold"`
	// not yet: which model compares them
	EmbedModel string `toml:"embed_model"`
	// not yet: ask ahead while the local model is idle
	Prefetch *bool `toml:"prefetch"`
}

// PrivacyConfig is the [privacy] table.
type PrivacyConfig struct {
	// stops the start: zones that see placeholders in place of personal data
	MaskFor []string `toml:"mask_for"`
	// stops the start: languages in which it is looked for
	Languages []string `toml:"languages"`
	// stops the start: a local model that helps to find names and checks answers
	GatekeeperModel string `toml:"gatekeeper_model"`
	// stops the start: `closed` or `open` when that model fails
	GatekeeperFailure string `toml:"gatekeeper_failure"`
}

// PolicyConfig is the [policy] table.
type PolicyConfig struct {
	// stops the start: rules by name: `152-fz`, `gdpr`, `strict-local`
	Presets []string `toml:"presets"`
	// stops the start: rules of your own, tables of the three keys below
	Rules []PolicyRule `toml:"rules"`
}

// PolicyRule is one of [[policy.rules]].
type PolicyRule struct {
	// stops the start: how it is called
	Name string `toml:"name"`
	// stops the start: an expression in CEL
	When string `toml:"when"`
	// stops the start: `allow`, `deny`, `mask`, `local_only` or `approve`
	Action string `toml:"action"`
}

// BudgetsConfig is the [budgets] table, in US dollars.
type BudgetsConfig struct {
	// stops the start: US dollars for a day
	PerDay *float64 `toml:"per_day"`
	// stops the start: for a month
	PerMonth *float64 `toml:"per_month"`
}

// HealingConfig is the [healing] table.
type HealingConfig struct {
	// not yet: find out why an API refuses what it took before, and mend it
	Enabled *bool `toml:"enabled"`
	// not yet: without asking a person
	AutoApply *bool `toml:"auto_apply"`
	// not yet: how sure it must be for that
	AutoApplyThreshold *float64 `toml:"auto_apply_threshold"`
	// not yet: the model that looks for the reason
	HealModel string `toml:"heal_model"`
	// not yet: the model that looks it up
	ResearchModel string `toml:"research_model"`
	// not yet: errors of one kind after which it begins
	ErrorThreshold *int `toml:"error_threshold"`
	// not yet: the time in which they come
	WindowSeconds *int `toml:"window_seconds"`
	// not yet: the time before it begins again
	CooldownSeconds *int `toml:"cooldown_seconds"`
}

// MonitoringConfig is the [monitoring] table.
type MonitoringConfig struct {
	// default true: `/metrics` and `/api/v1/metrics` are there
	Prometheus *bool `toml:"prometheus"`
	// not yet: how often providers are probed
	HealthCheckInterval Duration `toml:"health_check_interval"`
	// collector of OpenTelemetry that is told of requests, such as `http://127.0.0.1:4318` ([operations.md](operations.md#traces))
	OTLPEndpoint string `toml:"otlp_endpoint"`
	// default ["local"]: zones whose providers are told which trace a request belongs to
	TraceZones []string `toml:"trace_zones"`
	// not yet: prompts and answers in the log of requests
	LogContent *bool `toml:"log_content"`
	// not yet: how long it is kept
	LogRetention string `toml:"log_retention"`
}

// DatabaseConfig is the [database] table.
type DatabaseConfig struct {
	// not yet: `postgres://...`, in place of a file in `~/.aratta`
	URL string `toml:"url"`
}

// RedisConfig is the [redis] table.
type RedisConfig struct {
	// not yet: what several gateways share
	URL string `toml:"url"`
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
