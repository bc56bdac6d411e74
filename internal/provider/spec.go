package provider

import (
	"maps"
	"slices"
)

// Zones, by how far data travels.
const (
	ZoneLocal   = "local"   // this machine or the room it stands in
	ZonePrivate = "private" // the operator's own network
	ZoneCloud   = "cloud"   // somebody else's
)

func zones() []string { return []string{ZoneLocal, ZonePrivate, ZoneCloud} }

// Auth schemes.
const (
	AuthNone   = "none"
	AuthBearer = "bearer" // Authorization: Bearer KEY
	AuthHeader = "header" // NAME: KEY
	AuthQuery  = "query"  // ?NAME=KEY
	AuthOAuth  = "oauth"  // Authorization: Bearer, with tokens got for a client's id and secret
	AuthGoogle = "google" // the same, for a service account of Google Cloud
	AuthAWS    = "aws"    // signed with a pair of keys (Signature Version 4), or an API key as bearer
	AuthClient = "client" // whatever the caller proves himself with; by the configuration alone
)

// Spec is what the catalogue knows of a provider.
type Spec struct {
	Name         string            `yaml:"name"`
	Extends      string            `yaml:"extends"` // another entry whose facts hold where this one says nothing
	Dialect      string            `yaml:"dialect"`
	BaseURL      string            `yaml:"base_url"`
	Auth         Auth              `yaml:"auth"`
	Zone         string            `yaml:"zone"`
	Region       string            `yaml:"region"`
	Capabilities []string          `yaml:"capabilities"`
	Health       string            `yaml:"health"`      // path of a probe that costs no tokens, from the root of base_url
	Start        string            `yaml:"start"`       // the command that starts a local runtime, for hints
	Install      string            `yaml:"install"`     // where a local runtime is to be had, for hints
	Pull         string            `yaml:"pull"`        // the command that fetches {model}, for hints
	Example      string            `yaml:"example"`     // a model to begin with, for hints
	Variant      string            `yaml:"variant"`     // of the dialect, where it has several
	Paths        map[string]string `yaml:"paths"`       // in place of the dialect's own, which end in a slash where what follows stays; "" = there is nothing
	Params       map[string]Param  `yaml:"params"`      // what addresses and headers hold as {name}
	Reasoning    string            `yaml:"reasoning"`   // how thinking is spelled, where the dialect has several ways
	MediaBytes   bool              `yaml:"media_bytes"` // takes no media by their address, whatever its dialect says
	Headers      map[string]string `yaml:"headers"`     // sent with every request; no secrets
	Limits       Limits            `yaml:"limits"`
	Embedding    Embedding         `yaml:"embedding"`
	Proxy        string            `yaml:"proxy"`
	CA           string            `yaml:"ca"`       // PEM file of certificates to trust besides the system's
	Overlays     []string          `yaml:"overlays"` // ids of the built-in overlays that mend what differs here
	Models       []Model           `yaml:"models"`
}

// Auth says how a request proves who sends it.
type Auth struct {
	Scheme   string `yaml:"scheme"`
	Name     string `yaml:"name"`     // of the header or query parameter; of scheme aws the service
	Env      string `yaml:"env"`      // environment variable that holds the key
	Optional bool   `yaml:"optional"` // works without a key too

	// Of schemes that fetch tokens.
	TokenURL  string            `yaml:"token_url"`
	Scope     string            `yaml:"scope"`
	Form      map[string]string `yaml:"form"`       // what is posted; default: grant_type=client_credentials
	RequestID string            `yaml:"request_id"` // header that wants a UUID of its own each time
}

// Limits are the provider's own, as documented by it; 0 = unknown.
type Limits struct {
	RequestsPerMinute int64 `yaml:"requests_per_minute"`
	TokensPerMinute   int64 `yaml:"tokens_per_minute"`
	Concurrent        int64 `yaml:"concurrent"`
}

// Embedding is what is known of making vectors, of a provider or of one of its
// models; 0 and nil = unknown.
type Embedding struct {
	MaxInputs  int64 `yaml:"max_inputs"` // of one call
	MaxTokens  int64 `yaml:"max_tokens"` // of all inputs of one call
	Dimensions int64 `yaml:"dimensions"` // numbers in a vector
	Shorter    *bool `yaml:"shorter"`    // whether vectors can be had with fewer numbers
}

// Model is what is known of one model; 0, nil and "" = unknown.
type Model struct {
	Name          string    `yaml:"name"`
	Aliases       []string  `yaml:"aliases"`
	Wire          string    `yaml:"wire"` // the name that the provider wants, where it holds params
	ContextWindow int64     `yaml:"context_window"`
	MaxOutput     int64     `yaml:"max_output"`
	Capabilities  []string  `yaml:"capabilities"` // in place of the provider's
	Prices        *Prices   `yaml:"prices"`
	Embedding     Embedding `yaml:"embedding"`
	Released      string    `yaml:"released"`
	Retired       string    `yaml:"retired"`
}

// Prices are US dollars for a million tokens, where nothing else is said; nil =
// unknown, which is not 0.
type Prices struct {
	AsOf         string   `yaml:"as_of"`  // the day on which they were true
	Source       string   `yaml:"source"` // who said so; "" = the provider itself
	Input        *float64 `yaml:"input"`
	Output       *float64 `yaml:"output"`
	CacheRead    *float64 `yaml:"cache_read"`
	CacheWrite   *float64 `yaml:"cache_write"`
	CacheWrite1h *float64 `yaml:"cache_write_1h"`
	AudioInput   *float64 `yaml:"audio_input"`
	ImageInput   *float64 `yaml:"image_input"`
	ImageOutput  *float64 `yaml:"image_output"`
	Minute       *float64 `yaml:"minute"`   // a minute of sound
	Searches     *float64 `yaml:"searches"` // a thousand searches
	UpTo         int64    `yaml:"up_to"`    // input tokens beyond which other prices hold, unknown here; 0 = always true
}

// price is one of Prices under its key.
type price struct {
	key   string
	value *float64
}

func (p *Prices) list() []price {
	return []price{
		{"input", p.Input},
		{"output", p.Output},
		{"cache_read", p.CacheRead},
		{"cache_write", p.CacheWrite},
		{"cache_write_1h", p.CacheWrite1h},
		{"audio_input", p.AudioInput},
		{"image_input", p.ImageInput},
		{"image_output", p.ImageOutput},
		{"minute", p.Minute},
		{"searches", p.Searches},
	}
}

func (s *Spec) clone() *Spec {
	c := *s
	c.Capabilities = slices.Clone(s.Capabilities)
	c.Headers = maps.Clone(s.Headers)
	c.Overlays = slices.Clone(s.Overlays)
	c.Paths, c.Params, c.Auth.Form = maps.Clone(s.Paths), maps.Clone(s.Params), maps.Clone(s.Auth.Form)
	c.Models = slices.Clone(s.Models)
	return &c
}

// merge lays what m says over the model it overrides.
func (m Model) merge(over Model) Model {
	if over.Aliases != nil {
		m.Aliases = over.Aliases
	}
	if over.Wire != "" {
		m.Wire = over.Wire
	}
	if over.ContextWindow != 0 {
		m.ContextWindow = over.ContextWindow
	}
	if over.MaxOutput != 0 {
		m.MaxOutput = over.MaxOutput
	}
	if over.Capabilities != nil {
		m.Capabilities = over.Capabilities
	}
	if over.Prices != nil {
		m.Prices = over.Prices // whole: half old and half new prices would be nobody's
	}
	m.Embedding = m.Embedding.merge(over.Embedding)
	if over.Released != "" {
		m.Released = over.Released
	}
	if over.Retired != "" {
		m.Retired = over.Retired
	}
	return m
}

// merge lays what over says over e.
func (e Embedding) merge(over Embedding) Embedding {
	if over.MaxInputs != 0 {
		e.MaxInputs = over.MaxInputs
	}
	if over.MaxTokens != 0 {
		e.MaxTokens = over.MaxTokens
	}
	if over.Dimensions != 0 {
		e.Dimensions = over.Dimensions
	}
	if over.Shorter != nil {
		e.Shorter = over.Shorter
	}
	return e
}

// embedding is what is known of the vectors of a model.
func (s *Spec) embedding(model string) Embedding {
	e := s.Embedding
	if m, ok := s.Model(model); ok {
		e = e.merge(m.Embedding)
	}
	return e
}

// mergeModels lays over onto base: equal names are merged, others follow.
func mergeModels(base, over []Model) []Model {
	out := slices.Clone(base)
	for _, m := range over {
		i := slices.IndexFunc(out, func(b Model) bool { return b.Name == m.Name })
		if i < 0 {
			out = append(out, m)
			continue
		}
		out[i] = out[i].merge(m)
	}
	return out
}

// Model returns what is known of a model: by its name, an alias, or its name
// less the date or "-latest" behind it.
func (s *Spec) Model(name string) (*Model, bool) {
	if m := s.exact(name); m != nil {
		return m, true
	}
	if short := undated(name); short != name {
		if m := s.exact(short); m != nil {
			return m, true
		}
	}
	return nil, false
}

func (s *Spec) exact(name string) *Model {
	for i := range s.Models {
		if s.Models[i].Name == name || slices.Contains(s.Models[i].Aliases, name) {
			return &s.Models[i]
		}
	}
	return nil
}

// undated cuts "-latest", "-20250929" or "-2025-04-14" from a model's name.
func undated(name string) string {
	const latest = "-latest"
	if n := len(name) - len(latest); n > 0 && name[n:] == latest {
		return name[:n]
	}
	for _, shape := range []string{"-dddddddd", "-dddd-dd-dd"} {
		if n := len(name) - len(shape); n > 0 && shaped(name[n:], shape) {
			return name[:n]
		}
	}
	return name
}

func shaped(s, shape string) bool {
	for i := range len(shape) {
		digit := s[i] >= '0' && s[i] <= '9'
		if shape[i] == 'd' && !digit || shape[i] != 'd' && s[i] != shape[i] {
			return false
		}
	}
	return true
}
