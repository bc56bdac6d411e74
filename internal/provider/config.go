package provider

import "time"

// Entry is one table of the configuration: [local.NAME] or [providers.NAME].
// Package app decodes it; nil and "" mean that the key is absent.
type Entry struct {
	// catalogue entry to start from, where NAME is not one
	Type string `toml:"type"`
	// format: `openai` (chat completions), `responses`, `anthropic`, `gemini`, `ollama`, `cohere`, `bedrock`,
	// `native`, `completions` (OpenAI's older API, for models that only go on with a text: a conversation is
	// written out for them). With `base_url` it is all that a provider outside the catalogue needs
	Dialect string `toml:"dialect"`
	// default true: `false` switches off
	Enabled *bool `toml:"enabled"`
	// `http://` or `https://`; no credentials in it. For `openai`, `responses` and `completions` an address
	// without a path means `/v1` below it (`https://host/.` is the root all the same); a `/v1` at the end is
	// never doubled, nor is the version in an address of Google's (for Vertex it ends in `/publishers/google`)
	BaseURL string `toml:"base_url"`
	// for requests that name no model, or the provider alone. A local runtime takes it if it is installed, else,
	// with a warning, the largest model that is. Other providers without one answer only requests that name a model
	DefaultModel string `toml:"default_model"`
	// names, or tables, see below
	Models []ModelEntry `toml:"models"`
	// the environment variable in which the key is. Keys never stand in the configuration
	APIKeyEnv string `toml:"api_key_env"`
	// the file in which it is
	APIKeyFile string `toml:"api_key_file"`
	// `"client"`: the caller's own credential is passed on, see [below](#the-callers-own-credential)
	Auth string `toml:"auth"`
	// what the catalogue's entry wants to know, as a table: `params = {project = "p", location = "europe-west4"}`
	Params map[string]string `toml:"params"`
	// default 100: smaller is asked earlier; local runtimes have 0
	Priority *int `toml:"priority"`
	// how far data travels: `local`, `private` or `cloud`, see below
	Zone string `toml:"zone"`
	// where it ends up
	Region string `toml:"region"`
	// not yet: tasks that it is asked for
	UseWhen []string `toml:"use_when"`
	// for which requests it takes part, and then first: see [configuration.md](configuration.md#conditions)
	Condition *Condition `toml:"condition"`
	// not yet: US dollars
	CostLimitPerDay *float64 `toml:"cost_limit_per_day"`
	// not yet: what your own machine costs, in US dollars
	PricePerHour *float64 `toml:"price_per_hour"`
	// default false: the gateway starts the runtime when it is installed and does not run, and stops it with itself
	// ([operations.md](operations.md#local-runtimes))
	Manage bool `toml:"manage"`
	// how it is started, as a list: the program and its arguments; by default `ollama serve` for Ollama
	Command []string `toml:"command"`
	// what the model's template demands of a conversation, a list: `alternate` (user and assistant take turns,
	// the user first; messages of one are joined), `one_system` (one system message, at the beginning),
	// `no_system` (its text begins what the user says first)
	History []string `toml:"history"`
	// what becomes of earlier thoughts: `drop`, or `text` (told in `<think>` tags); by default what the format
	// has for them
	Thoughts string `toml:"thoughts"`
	// make tool calls of those that a model writes as text, see below; by default in zone `local`
	MendCalls *bool `toml:"mend_calls"`
	// how long a local runtime keeps a model loaded
	KeepAlive string `toml:"keep_alive"`
	// default false: it takes images and files by their bytes alone, so the gateway fetches those given by
	// their address ([`[media]`](configuration.md#media))
	MediaBytes *bool `toml:"media_bytes"`
	// proxy to go through (`http`, `https`, `socks5`)
	Proxy string `toml:"proxy"`
	// PEM file of certificates to trust besides the system's
	CAFile string `toml:"ca_file"`
	// sent with every request
	Headers map[string]string `toml:"headers"`
}

// ModelEntry is what the configuration says of one model. In a list of strings
// it is a name alone.
type ModelEntry struct {
	// as the provider calls it
	Name string `toml:"name"`
	// in tokens
	ContextWindow int64 `toml:"context_window"`
	// in tokens, of one answer
	MaxOutput int64 `toml:"max_output"`
	// not yet: confidence in an answer below which the next target is asked
	FallbackThreshold *float64 `toml:"fallback_threshold"`
	// not yet: tasks that it is best at
	SpecializedFor []string `toml:"specialized_for"`
}

// UnmarshalText reads a model that is written as its name alone.
func (m *ModelEntry) UnmarshalText(b []byte) error {
	*m = ModelEntry{Name: string(b)}
	return nil
}

// Condition says for which requests a provider takes part, and then comes first.
type Condition struct {
	// the user's last text contains one of these words or phrases: whole words, any case, any script
	PromptContains []string `toml:"prompt_contains"`
	// default "task": `task` or `literal`; in this version the words alone count
	Match string `toml:"match"`
	// an expression in [CEL](https://cel.dev) that must be true; with `prompt_contains` both must hold
	When string `toml:"when"`
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
	// Drain limits the wait for the end of a connection's answer behind the end of a
	// stream, so that the connection can be used again; default 50 ms.
	Drain time.Duration
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
