package overlay

import (
	"net/url"
	"slices"
	"strings"
	"time"
)

// Origin is who wrote an overlay.
type Origin string

// The origins, weakest first: where overlays of one id meet, the later counts.
const (
	Builtin Origin = "builtin" // came with the program
	Healed  Origin = "healed"  // derived from errors; may write neither address, dialect nor credentials
	User    Origin = "user"    // a person's file
)

// Overlay is one versioned patch, compiled.
type Overlay struct {
	ID       string
	Version  string
	Note     string
	Origin   Origin
	File     string // where it stands
	Line     int
	Disabled bool // enabled: false; switches off a weaker one of the same id
	Match    Match
	Evidence []Evidence
	Expires  time.Time // not in force from then on; zero = never
	Approval Approval
	Cases    []Case

	steps []*step
	facts []fact
	was   bool // some condition asks what was replaced
}

// Match says whom an overlay is for; what it leaves open fits all.
type Match struct {
	Provider  string // glob over the provider's name and its catalogue entry
	Dialect   string // our name of it: openai, responses, anthropic, gemini, ollama, cohere, bedrock, native
	Model     string // globs, a*|b*
	BaseURL   string // host, and the beginning of the path
	Op        string // OpEmbed, or "" for chats
	Direction At     // where ops without "at" act, and the only place where others may
	providers globs
	models    globs
}

// Evidence is why an overlay is there.
type Evidence struct {
	Sentence string // what the provider said, or what was seen
	Date     string // of the report: 2026-05 or 2026-05-17
	Source   string // where it was reported
}

// Approval says whether a person has to agree before an overlay acts.
type Approval struct {
	Needed bool
	By     string // who agreed
	Date   string
}

// Name is what lineages call it: id@version.
func (o *Overlay) Name() string { return o.ID + "@" + o.Version }

// Waits reports whether it waits for somebody's approval.
func (o *Overlay) Waits() bool { return o.Approval.Needed && o.Approval.By == "" }

// Expired reports whether its time is over.
func (o *Overlay) Expired(now time.Time) bool { return !o.Expires.IsZero() && !now.Before(o.Expires) }

// Ops lists the names of its ops in order.
func (o *Overlay) Ops() []string {
	names := make([]string, len(o.steps))
	for i, st := range o.steps {
		names[i] = st.name
	}
	return names
}

// At is what an op works on.
type At string

// What ops work on.
const (
	AtRequest  At = "request"  // the body that is sent
	AtHeaders  At = "headers"  // of the request
	AtPath     At = "path"     // address of the request
	AtResponse At = "response" // a whole answer
	AtStream   At = "stream"   // each event of a stream
)

// Target is who a request goes to.
type Target struct {
	Provider string   // name in the configuration
	Entry    string   // of the catalogue, which the provider is described by
	Dialect  string   // our name of the format it is spoken to in
	BaseURL  string   // as configured
	Op       string   // what is asked for: OpEmbed, or "" for a chat
	Model    string   // the provider's own name
	Builtin  []string // ids of the built-in overlays that its entry refers to
}

// OpEmbed is the kind of request that asks for vectors.
const OpEmbed = "embed"

// fits reports whether an overlay is for a target, the model left aside.
func (o *Overlay) fits(t *Target) bool {
	if o.Origin == Builtin && !slices.Contains(t.Builtin, o.ID) {
		return false
	}
	m := &o.Match
	return m.Op == t.Op && (len(m.providers) == 0 || m.providers.fit(t.Provider) || m.providers.fit(t.Entry)) &&
		(m.Dialect == "" || m.Dialect == t.Dialect) && baseFits(m.BaseURL, t.BaseURL)
}

// baseFits compares host and beginning of the path: "chatgpt.com/backend-api".
func baseFits(want, have string) bool {
	if want == "" {
		return true
	}
	u, err := url.Parse(have)
	if err != nil {
		return false
	}
	rest, ok := strings.CutPrefix(strings.ToLower(u.Host+u.EscapedPath()), strings.TrimRight(bare(want), "/"))
	return ok && (rest == "" || rest[0] == '/')
}

// bare is an address without its scheme, in lower case.
func bare(s string) string {
	if _, rest, ok := strings.Cut(s, "://"); ok {
		s = rest
	}
	return strings.ToLower(s)
}

// canonicalDialect is our name of a wire format that others call otherwise.
func canonicalDialect(s string) string {
	switch s {
	case "openai-chat":
		return "openai"
	case "openai-responses":
		return "responses"
	case "anthropic-messages":
		return "anthropic"
	case "ollama-chat":
		return "ollama"
	case "cohere-chat", "cohere-v2":
		return "cohere"
	case "bedrock-converse":
		return "bedrock"
	default:
		return s
	}
}

// dialects are those that an overlay may be for.
func dialects() []string {
	return []string{"openai", "responses", "anthropic", "gemini", "ollama", "cohere", "bedrock", "completions", "native"}
}
