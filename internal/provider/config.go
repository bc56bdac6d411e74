package provider

import "time"

// Entry is one table of the configuration: [local.NAME] or [providers.NAME].
// Package app decodes it; nil and "" mean that the key is absent.
type Entry struct {
	Type            string            `toml:"type"` // catalogue entry, where the table's name is not one
	Dialect         string            `toml:"dialect"`
	Enabled         *bool             `toml:"enabled"`
	BaseURL         string            `toml:"base_url"`
	DefaultModel    string            `toml:"default_model"`
	Models          []ModelEntry      `toml:"models"` // names, or tables
	APIKeyEnv       string            `toml:"api_key_env"`
	APIKeyFile      string            `toml:"api_key_file"`
	Auth            string            `toml:"auth"`     // "client": pass the caller's own credential on, to this provider alone
	Params          map[string]string `toml:"params"`   // what the catalogue's entry wants to know: a project, a region
	Priority        *int              `toml:"priority"` // smaller is asked earlier; local runtimes have 0
	Zone            string            `toml:"zone"`
	Region          string            `toml:"region"`
	UseWhen         []string          `toml:"use_when"`
	Condition       *Condition        `toml:"condition"`
	CostLimitPerDay *float64          `toml:"cost_limit_per_day"` // US dollars
	PricePerHour    *float64          `toml:"price_per_hour"`     // what a local machine costs, in US dollars
	Manage          bool              `toml:"manage"`             // start the runtime when it is installed but not running
	History         []string          `toml:"history"`            // what the model's template demands: alternate, one_system, no_system
	Thoughts        string            `toml:"thoughts"`           // what becomes of earlier thoughts: "" = as the format has it, drop, text
	MendCalls       *bool             `toml:"mend_calls"`         // make tool calls of those that a model writes as text; default: in zone local
	KeepAlive       string            `toml:"keep_alive"`         // how long a local runtime keeps a model loaded
	MediaBytes      *bool             `toml:"media_bytes"`        // takes no images or files by their address
	Proxy           string            `toml:"proxy"`
	CAFile          string            `toml:"ca_file"`
	Headers         map[string]string `toml:"headers"`
}

// ModelEntry is what the configuration says of one model. In a list of strings
// it is a name alone.
type ModelEntry struct {
	Name              string   `toml:"name"`
	ContextWindow     int64    `toml:"context_window"`
	MaxOutput         int64    `toml:"max_output"`
	FallbackThreshold *float64 `toml:"fallback_threshold"`
	SpecializedFor    []string `toml:"specialized_for"`
}

// UnmarshalText reads a model that is written as its name alone.
func (m *ModelEntry) UnmarshalText(b []byte) error {
	*m = ModelEntry{Name: string(b)}
	return nil
}

// Condition says for which requests a provider takes part, and then comes first.
type Condition struct {
	PromptContains []string `toml:"prompt_contains"`
	Match          string   `toml:"match"` // task (default) or literal
	When           string   `toml:"when"`  // a CEL expression
}

// Timeouts limit the parts of one attempt, each by itself. Zero fields take the
// defaults below; negative ones mean no limit.
type Timeouts struct {
	// Connect limits dialling; default 5 s.
	Connect time.Duration
	// TLS limits the handshake; default 10 s.
	TLS time.Duration
	// Headers limits the wait from sending the request until the head of the
	// answer. By default it is 60 s for streams (and as long as FirstToken in
	// zone local, where runtimes send nothing while they load a model), and there
	// is no limit of its own for whole answers, whose head comes when all is done.
	// A value that is set holds for both.
	Headers time.Duration
	// FirstToken limits the wait from sending the request until the first content
	// of a stream; default 120 s.
	FirstToken time.Duration
	// Idle limits each wait for more of an answer that has begun; default 60 s.
	// Time in which nobody reads does not count.
	Idle time.Duration
	// Total limits the whole attempt; default 10 min.
	Total time.Duration
}

// none stands for a limit that is switched off.
const none = time.Duration(0)

func pick(v, def time.Duration) time.Duration {
	switch {
	case v < 0:
		return none
	case v == 0:
		return def
	default:
		return v
	}
}

// limits are the timeouts of one kind of attempt, defaults filled in; none = no limit.
type limits struct {
	head  time.Duration
	first time.Duration // none for whole answers
	idle  time.Duration
	total time.Duration
}

func (t Timeouts) stream(zone string) limits {
	first := pick(t.FirstToken, 120*time.Second)
	head := 60 * time.Second
	if zone == ZoneLocal {
		head = first
	}
	return limits{head: pick(t.Headers, head), first: first, idle: pick(t.Idle, 60*time.Second), total: pick(t.Total, 10*time.Minute)}
}

// whole is for answers that come in one piece. Some servers send the head at
// once and the body when they are done, so that the wait for the body is a wait
// for the first token too.
func (t Timeouts) whole() limits {
	idle, first := pick(t.Idle, 60*time.Second), pick(t.FirstToken, 120*time.Second)
	if idle != none && (first == none || first > idle) {
		idle = first
	}
	return limits{head: pick(t.Headers, none), idle: idle, total: pick(t.Total, 10*time.Minute)}
}

// quick is for side questions: model lists, probes, token counts.
func (t Timeouts) quick() limits {
	const most = 15 * time.Second
	head, total := pick(t.Headers, most), pick(t.Total, most)
	return limits{head: min(head, most), idle: most, total: min(total, 2*most)}
}
