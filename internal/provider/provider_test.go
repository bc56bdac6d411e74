package provider

import (
	"bytes"
	"encoding/json"
	"math"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pelletier/go-toml/v2"

	"github.com/aratta-gateway/aratta/internal/nearest"
	"github.com/aratta-gateway/aratta/scri"
)

// The tables of the configuration as they stand in its contract.
func TestEntryTOML(t *testing.T) {
	const text = `
[local.ollama]
base_url = "http://localhost:11434"
default_model = "llama3.1:8b"
manage = false
[[local.ollama.models]]
name = "llama3.3:70b"
context_window = 131072
fallback_threshold = 0.7
[[local.ollama.models]]
name = "deepseek-coder-v3:latest"
specialized_for = ["code", "reasoning"]
[providers.openai]
priority = 2
models = ["gpt-4.1-mini", "o3-mini"]
cost_limit_per_day = 50.0
[providers.claude-coder]
dialect = "anthropic"
base_url = "https://api.anthropic.com"
api_key_env = "ANTHROPIC_API_KEY"
[providers.claude-coder.condition]
prompt_contains = ["code", "sql"]
match = "task"
`
	var got struct {
		Local     map[string]Entry `toml:"local"`
		Providers map[string]Entry `toml:"providers"`
	}
	if err := toml.NewDecoder(bytes.NewReader([]byte(text))).DisallowUnknownFields().Decode(&got); err != nil {
		t.Fatal(err)
	}
	threshold, two, fifty := 0.7, 2, 50.0
	want := map[string]Entry{
		"ollama": {BaseURL: "http://localhost:11434", DefaultModel: "llama3.1:8b", Models: []ModelEntry{
			{Name: "llama3.3:70b", ContextWindow: 131072, FallbackThreshold: &threshold},
			{Name: "deepseek-coder-v3:latest", SpecializedFor: []string{"code", "reasoning"}},
		}},
	}
	if d := cmp.Diff(want, got.Local); d != "" {
		t.Error(d)
	}
	want = map[string]Entry{
		"openai": {Priority: &two, Models: []ModelEntry{{Name: "gpt-4.1-mini"}, {Name: "o3-mini"}}, CostLimitPerDay: &fifty},
		"claude-coder": {
			Dialect: "anthropic", BaseURL: "https://api.anthropic.com", APIKeyEnv: "ANTHROPIC_API_KEY",
			Condition: &Condition{PromptContains: []string{"code", "sql"}, Match: "task"},
		},
	}
	if d := cmp.Diff(want, got.Providers); d != "" {
		t.Error(d)
	}
}

func TestNewDescribes(t *testing.T) {
	for name, c := range map[string]struct {
		kind           Kind
		provider       string
		e              Entry
		zone, host     string
		auth, keyIn    string
		knowsSonnet    bool
		priority       int
		encryptionNote bool
	}{
		"from the catalogue":    {Remote, "anthropic", Entry{}, ZoneCloud, "api.anthropic.com", AuthHeader, "ANTHROPIC_API_KEY", true, 100, false},
		"a second of one API":   {Remote, "claude-coder", Entry{Dialect: "anthropic", BaseURL: "https://api.anthropic.com", APIKeyEnv: "K"}, ZoneCloud, "api.anthropic.com", AuthHeader, "K", true, 100, false},
		"a second host":         {Local, "gpu2", Entry{Type: "ollama", BaseURL: "http://gpu2.lan:11434"}, ZoneLocal, "gpu2.lan:11434", AuthNone, "", false, 0, false},
		"any compatible server": {Remote, "onprem", Entry{Dialect: "openai", BaseURL: "https://llm.intranet.example/v1", APIKeyEnv: "ONPREM_KEY", Zone: ZonePrivate, Region: "ru"}, ZonePrivate, "llm.intranet.example", AuthBearer, "ONPREM_KEY", false, 100, false},
		"unencrypted":           {Remote, "onprem", Entry{Dialect: "openai", BaseURL: "http://llm.intranet.example/v1", Zone: ZonePrivate}, ZonePrivate, "llm.intranet.example", AuthBearer, "", false, 100, true},
		"a local one by itself": {Local, "mine", Entry{Dialect: "openai", BaseURL: "http://localhost:9999"}, ZoneLocal, "localhost:9999", AuthBearer, "", false, 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			p := build(t, c.kind, c.provider, c.e, Deps{LookupEnv: env(c.keyIn, theKey)})
			_, sonnet := p.Spec().Model("claude-sonnet-4-5")
			if p.Zone() != c.zone || p.Host() != c.host || p.Spec().Auth.Scheme != c.auth || sonnet != c.knowsSonnet || p.Priority() != c.priority {
				t.Errorf("zone %s, host %s, auth %s, knows Sonnet %v, priority %d", p.Zone(), p.Host(), p.Spec().Auth.Scheme, sonnet, p.Priority())
			}
			if (len(p.Notes()) > 0) != c.encryptionNote {
				t.Errorf("notes %v", p.Notes())
			}
			if p.Disabled() != "" || (p.key != "") != (c.keyIn != "") {
				t.Errorf("disabled %q", p.Disabled())
			}
		})
	}
}

func TestNewRefuses(t *testing.T) {
	for want, c := range map[string]struct {
		kind Kind
		name string
		e    Entry
	}{
		`[providers.antropic] "antropic" is not in the catalogue; did you mean "anthropic"?`: {Remote, "antropic", Entry{}},
		`type "olama" is not in the catalogue; did you mean "ollama"?`:                       {Local, "x", Entry{Type: "olama"}},
		`dialect "klingon" is not known`:                                                     {Remote, "x", Entry{Dialect: "klingon", BaseURL: "http://h"}},
		`dialect "anthropik" is not known; did you mean "anthropic"?`:                        {Remote, "x", Entry{Dialect: "anthropik", BaseURL: "http://h"}},
		`zone "clod" is none of local, private, cloud; did you mean "cloud"?`:                {Remote, "x", Entry{Dialect: "plain", BaseURL: "http://h", Zone: "clod"}},
		`8.8.8.8 is a public address, and zone local does not reach that far`:                {Local, "ollama", Entry{BaseURL: "http://8.8.8.8:11434"}},
		`models: one has no name`:                                                            {Remote, "x", Entry{Dialect: "plain", BaseURL: "http://h", Models: []ModelEntry{{}}}},
		`zone "moon" is none of`:                                                             {Remote, "x", Entry{Dialect: "plain", BaseURL: "http://h", Zone: "moon"}},
		`[local.x] a local runtime cannot be in zone cloud`:                                  {Local, "x", Entry{Dialect: "plain", BaseURL: "http://h", Zone: ZoneCloud}},
		`base_url must begin with http://`:                                                   {Remote, "x", Entry{Dialect: "plain", BaseURL: "gopher://h"}},
		`headers: "Content-Length" cannot be sent`:                                           {Remote, "x", Entry{Dialect: "plain", BaseURL: "http://h", Headers: map[string]string{"Content-Length": "5"}}},
		`headers: "X Y" cannot be sent`:                                                      {Remote, "x", Entry{Dialect: "plain", BaseURL: "http://h", Headers: map[string]string{"X Y": "5"}}},
		`is never reached through a proxy`:                                                   {Local, "ollama", Entry{Proxy: "http://p:1"}},
	} {
		_, err := tryBuild(t, c.kind, c.name, c.e, Deps{})
		wantError(t, err, scri.ErrInvalid, want)
	}
}

func TestPrice(t *testing.T) {
	n := func(v int64) *int64 { return &v }
	anthropic := build(t, Remote, "anthropic", Entry{}, Deps{})
	xai := build(t, Remote, "xai", Entry{}, Deps{})
	local := build(t, Local, "ollama", Entry{}, Deps{})
	private := build(t, Remote, "p", Entry{Dialect: "plain", BaseURL: "https://h", Zone: ZonePrivate}, Deps{})
	const unknown = -1
	for name, c := range map[string]struct {
		p     *Provider
		model string
		u     *scri.Usage
		want  float64
	}{
		"plain":                {anthropic, "claude-sonnet-4-5-20250929", &scri.Usage{Input: n(1e6 / 10), Output: n(1e6)}, 0.3 + 15},
		"alias":                {anthropic, "claude-sonnet-4-5", &scri.Usage{Input: n(1000), Output: n(0)}, 0.003},
		"cached":               {anthropic, "claude-sonnet-4-5", &scri.Usage{Input: n(100_000), CacheRead: n(60_000), CacheWrite: n(30_000), Output: n(1000)}, 0.03 + 0.018 + 0.1125 + 0.015},
		"cached for an hour":   {anthropic, "claude-sonnet-4-5", &scri.Usage{Input: n(30_000), CacheWrite: n(30_000), Output: n(0), Raw: scri.RawJSON(`{"cache_creation":{"ephemeral_5m_input_tokens":10000,"ephemeral_1h_input_tokens":20000}}`)}, 0.0375 + 0.12},
		"above the tier":       {xai, "grok-4", &scri.Usage{Input: n(130_000), Output: n(1)}, unknown},
		"cache without price":  {xai, "grok-4", &scri.Usage{Input: n(1000), CacheWrite: n(10), Output: n(1)}, unknown},
		"no usage":             {anthropic, "claude-sonnet-4-5", nil, unknown},
		"half a usage":         {anthropic, "claude-sonnet-4-5", &scri.Usage{Input: n(5)}, unknown},
		"unknown model":        {anthropic, "claude-9", &scri.Usage{Input: n(5), Output: n(5)}, unknown},
		"local":                {local, "llama3.1:8b", &scri.Usage{Input: n(5), Output: n(5)}, 0},
		"local, nothing known": {local, "x", nil, 0},
		"private":              {private, "x", &scri.Usage{Input: n(5), Output: n(5)}, unknown},
	} {
		got := c.p.Price(c.model, c.u)
		switch {
		case c.want == unknown && got != nil:
			t.Errorf("%s: %v, want unknown", name, *got)
		case c.want != unknown && got == nil:
			t.Errorf("%s: unknown, want %v", name, c.want)
		case got != nil && math.Abs(*got-c.want) > 1e-9:
			t.Errorf("%s: %v, want %v", name, *got, c.want)
		}
	}
}

// What is passed on is billed by tokens of several kinds, by time or by searches.
func TestPriceOfRelays(t *testing.T) {
	openai, cohere := build(t, Remote, "openai", Entry{}, Deps{}), build(t, Remote, "cohere", Entry{Dialect: "openai"}, Deps{})
	google := build(t, Remote, "google", Entry{Dialect: "openai"}, Deps{})
	const unknown = -1
	for _, c := range []struct {
		name  string
		p     *Provider
		op    scri.Op
		model string
		usage string // null = none was told
		want  float64
	}{
		{"searches", cohere, scri.OpRerank, "rerank-v3.5", `{"search_units":3}`, 0.006},
		{"no searches", cohere, scri.OpRerank, "rerank-v3.5", `{}`, unknown},
		{"what is billed, not what was read", cohere, scri.OpChat, "command-r-08-2024", `{"billed_units":{"input_tokens":1000000,"output_tokens":0},"tokens":{"input_tokens":9000000}}`, 0.15},
		{"seconds", openai, scri.OpAudio, "whisper-1", `{"type":"duration","seconds":90}`, 0.009},
		{"sound and text", openai, scri.OpAudio, "gpt-4o-transcribe", `{"input_tokens":1000000,"input_token_details":{"text_tokens":400000,"audio_tokens":600000},"output_tokens":100000}`, 1 + 3.6 + 1},
		{"an image", openai, scri.OpImages, "gpt-image-1", `{"input_tokens":1000,"output_tokens":10000}`, 0.005 + 0.4},
		{"an image of an image", openai, scri.OpImages, "gpt-image-1", `{"input_tokens":2000,"input_tokens_details":{"text_tokens":1000,"image_tokens":1000},"output_tokens":10000}`, 0.005 + 0.01 + 0.4},
		{"an image of a model that writes", openai, scri.OpImages, "gpt-5", `{"input_tokens":1,"output_tokens":1}`, unknown},
		{"nothing told", openai, scri.OpAudio, "whisper-1", `null`, unknown},
		{"a chat without sound", openai, scri.OpChat, "gpt-4.1-mini", `{"input_tokens":1000000,"output_tokens":0,"prompt_tokens_details":{"audio_tokens":0}}`, 0.4},
		{"a chat with sound", openai, scri.OpChat, "gpt-4.1-mini", `{"input_tokens":10,"output_tokens":1,"prompt_tokens_details":{"audio_tokens":5}}`, unknown},
		{"a chat that sounds", openai, scri.OpChat, "gpt-4.1-mini", `{"input_tokens":10,"output_tokens":5,"completion_tokens_details":{"audio_tokens":5}}`, unknown},
		{"a picture, which costs as text", google, scri.OpChat, "gemini-2.5-flash", `{"input_tokens":1000000,"output_tokens":0,"promptTokensDetails":[{"modality":"TEXT","tokenCount":1},{"modality":"IMAGE","tokenCount":999999}]}`, 0.3},
		{"a sound, which does not", google, scri.OpChat, "gemini-2.5-flash", `{"input_tokens":1000000,"output_tokens":0,"promptTokensDetails":[{"tokenCount":999999,"modality":"AUDIO"}]}`, unknown},
	} {
		var u *scri.Usage
		if c.usage != "null" {
			u = &scri.Usage{}
			if err := json.Unmarshal([]byte(c.usage), u); err != nil {
				t.Fatal(err)
			}
			u.Raw = scri.RawJSON(c.usage)
		}
		got := c.p.PriceRelayed(c.op, c.model, u)
		if (got == nil) != (c.want == unknown) || got != nil && math.Abs(*got-c.want) > 1e-9 {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
		if sound := strings.Contains(c.name, "sound") && c.want == unknown; u != nil && Priced(u) != (sound || strings.Contains(c.usage, "billed") || strings.Contains(c.name, "sound and")) {
			t.Errorf("%s: it is kept of a stream: %v", c.name, Priced(u))
		}
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for name, c := range map[string]struct {
		status int
		header []string
		want   time.Duration
	}{
		"seconds":             {503, []string{"Retry-After", "7"}, 7 * time.Second},
		"a fraction":          {429, []string{"Retry-After", "0.5"}, 500 * time.Millisecond},
		"milliseconds win":    {429, []string{"Retry-After", "1", "Retry-After-Ms", "250"}, 250 * time.Millisecond},
		"a date":              {429, []string{"Retry-After", now.Add(time.Minute).Format(http.TimeFormat)}, time.Minute},
		"the server's clock":  {429, []string{"Retry-After", now.Add(time.Hour).Format(http.TimeFormat), "Date", now.Add(59 * time.Minute).Format(http.TimeFormat)}, time.Minute},
		"the past":            {429, []string{"Retry-After", "-5"}, 0},
		"nonsense":            {429, []string{"Retry-After", "soon"}, 0},
		"for ever":            {429, []string{"Retry-After", "1e300"}, longestWait},
		"not a number":        {429, []string{"Retry-After", "NaN"}, 0},
		"used up":             {429, []string{"X-Ratelimit-Remaining-Tokens", "0", "X-Ratelimit-Reset-Tokens", "6m0s", "X-Ratelimit-Remaining-Requests", "9", "X-Ratelimit-Reset-Requests", "1h"}, 6 * time.Minute},
		"used up, a date":     {429, []string{"Anthropic-Ratelimit-Requests-Remaining", "0", "Anthropic-Ratelimit-Requests-Reset", now.Add(9 * time.Second).Format(time.RFC3339)}, 9 * time.Second},
		"milliseconds 1970":   {429, []string{"X-Ratelimit-Remaining", "0", "X-Ratelimit-Reset", "1767323055000"}, 10 * time.Second},
		"seconds since 1970":  {429, []string{"X-Ratelimit-Remaining", "0", "X-Ratelimit-Reset", "1767323055"}, 10 * time.Second},
		"limits of a success": {200, []string{"X-Ratelimit-Remaining", "0", "X-Ratelimit-Reset", "10"}, 0},
		"nothing":             {429, nil, 0},
	} {
		h := http.Header{}
		for i := 0; i < len(c.header); i += 2 {
			h.Set(c.header[i], c.header[i+1])
		}
		if got := retryAfter(h, c.status, now); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

func TestNearest(t *testing.T) {
	keys := specKeys()
	for word, want := range map[string]string{
		"base_ulr": "base_url", "dialct": "dialect", "Zone": "zone", "contextwindow": "context_window",
		"zzzzzz": "", "x": "", "maxoutput": "max_output", "price": "prices",
	} {
		if got := nearest.Name(word, keys); got != want {
			t.Errorf("%s: %q, want %q", word, got, want)
		}
	}
}

func FuzzRetryAfter(f *testing.F) {
	f.Add("7", "1767323055000", "0")
	f.Add("Fri, 02 Jan 2026 03:04:05 GMT", "6m0s", "")
	f.Fuzz(func(t *testing.T, after, reset, left string) {
		h := http.Header{"Retry-After": {after}, "X-Ratelimit-Reset": {reset}, "X-Ratelimit-Remaining": {left}}
		if d := retryAfter(h, http.StatusTooManyRequests, time.Now()); d < 0 || d > longestWait {
			t.Errorf("%s", d)
		}
	})
}

// An address that cannot be reached from the zone is told when it is read.
func TestAddressesBesideTheirZone(t *testing.T) {
	for url, want := range map[string]string{
		"https://10.1.2.3/v1":   "10.1.2.3 is no public address",
		"https://8.8.8.8/v1":    "",
		"http://127.0.0.1:8000": "",
		"https://llm.test/v1":   "",
	} {
		p := build(t, Remote, "far", Entry{Dialect: "plain", BaseURL: url}, Deps{})
		if got := strings.Join(p.Notes(), "; "); !strings.Contains(got, want) || want == "" && got != "" {
			t.Errorf("%s: notes %q, want %q", url, got, want)
		}
	}
}
