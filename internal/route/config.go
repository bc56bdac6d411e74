// Package route turns the model that a client asked for into a plan: the
// targets that may answer, in the order in which they are asked, each with the
// reason why it stands there or was left out.
package route

import (
	"fmt"
	"slices"
	"strings"

	"github.com/aratta-gateway/aratta/scri"
)

// Behaviour is the [behaviour] table.
type Behaviour struct {
	// who is asked for a model that nobody is known to have, by default the first local one; a runtime that lists
	// its models and has it not among them is not asked
	DefaultProvider string `toml:"default_provider"`
	// default true: local targets come first whatever their priority
	PreferLocal *bool `toml:"prefer_local"`
	// default true: ask the next target when one fails
	EnableFallback *bool `toml:"enable_fallback"`
}

// Chain is a named ladder of targets.
type Chain struct {
	Targets  []string  // "provider:model", "provider", an alias or a model's name
	Strategy string    // "" or "priority": in the order of Targets
	Weights  []float64 // one for each target; nil = none
}

// ParseChain reads a chain as configuration spells it: a list of targets, or a
// table with targets and more. Keys of the table that are not built yet are
// returned as ignored.
func ParseChain(v any) (c Chain, ignored []string, err error) {
	switch v := v.(type) {
	case []any:
		c.Targets, err = targets(v)
		return c, nil, err
	case map[string]any:
		return parseTable(v)
	default:
		return c, nil, fmt.Errorf("must be a list of targets or a table")
	}
}

func parseTable(table map[string]any) (c Chain, ignored []string, err error) {
	for key, val := range table {
		switch key {
		case "targets":
			list, ok := val.([]any)
			if !ok {
				return c, nil, fmt.Errorf("targets must be a list of strings")
			}
			if c.Targets, err = targets(list); err != nil {
				return c, nil, err
			}
		case "strategy":
			s, ok := val.(string)
			if !ok || !slices.Contains(strategies(), s) {
				return c, nil, fmt.Errorf("strategy must be one of %s%s", strings.Join(strategies(), ", "), maybe(s, strategies()))
			}
			c.Strategy = s
			if s != "priority" {
				ignored = append(ignored, key)
			}
		case "weights":
			if c.Weights, err = weights(val); err != nil {
				return c, nil, err
			}
			ignored = append(ignored, key)
		case "hedge_after", "resume_streams":
			ignored = append(ignored, key)
		default:
			return c, nil, fmt.Errorf("unknown key %q%s", key, maybe(key, []string{"targets", "strategy", "hedge_after", "resume_streams", "weights"}))
		}
	}
	switch {
	case c.Targets == nil:
		return c, nil, fmt.Errorf("targets are missing")
	case c.Weights != nil && len(c.Weights) != len(c.Targets):
		return c, nil, fmt.Errorf("%d weights for %d targets; each needs one", len(c.Weights), len(c.Targets))
	}
	slices.Sort(ignored)
	return c, ignored, nil
}

func strategies() []string {
	return []string{"priority", "confidence_based", "cost", "latency", "weighted", "least_busy"}
}

func weights(v any) ([]float64, error) {
	bad := fmt.Errorf("weights must be a list of numbers that are not negative")
	list, ok := v.([]any)
	if !ok {
		return nil, bad
	}
	out := make([]float64, len(list))
	for i, v := range list {
		switch v := v.(type) {
		case int64:
			out[i] = float64(v)
		case float64:
			out[i] = v
		default:
			return nil, bad
		}
		if !(out[i] >= 0) { // NaN too
			return nil, bad
		}
	}
	return out, nil
}

func targets(list []any) ([]string, error) {
	if len(list) == 0 {
		return nil, fmt.Errorf("a chain needs at least one target")
	}
	out := make([]string, len(list))
	for i, v := range list {
		s, ok := v.(string)
		if !ok || strings.TrimSpace(s) == "" {
			return nil, fmt.Errorf("target %d must be a string like \"provider:model\"", i+1)
		}
		out[i] = s
	}
	return out, nil
}

// Config is what routing is configured with.
type Config struct {
	Behaviour Behaviour
	Aliases   map[string]string
	Defaults  map[string][]string // aliases that are there without being configured, see DefaultAliases
	Chains    map[string]Chain
	Known     []string          // names of providers that are configured or could be, whether they are on or not
	Sought    []string          // those of them that a start would look for
	Off       map[string]string // those that the configuration wants on and that are not, and why
}

// Entry is what routing knows of one provider that is on.
type Entry struct {
	Name     string
	Dialect  string
	Zone     string // local, private, cloud
	Priority int    // smaller is asked earlier; 0 = local
	Default  string // model when none is named
	Chooses  bool   // takes a model that is installed when none is named; so does all of zone local
	Models   []Model
	Caps     map[string]bool // what it can do; nil = unknown, a missing key = unknown
	Region   string

	Condition  *Condition // for which requests it takes part; nil = for all
	UseWhen    []string   // what it is to be preferred for
	CostPerDay *float64   // US dollars that it may cost in a day; nil = as many as it takes
}

// Model is what routing knows of one model of a provider.
type Model struct {
	Name   string
	Window int64           // tokens of prompt and answer; 0 = unknown
	Caps   map[string]bool // overrides the provider's

	SpecializedFor    []string
	PriceIn, PriceOut *float64 // US dollars for a million tokens; nil = unknown
}

// Tasks are the words that use_when and specialized_for may hold.
func Tasks() []string {
	return []string{
		"code", "analysis", "reasoning", "creative", "qa", "summarization", "translation", "extraction",
		"long_context", "vision", "chat",
	}
}

// StrangeTask is a clause about the first word that names no task, or "".
func StrangeTask(words []string) string {
	for _, w := range words {
		if !slices.Contains(Tasks(), w) {
			return fmt.Sprintf("%q is none of %s%s", w, strings.Join(Tasks(), ", "), maybe(w, Tasks()))
		}
	}
	return ""
}

// answers reports whether requests that name no model can be sent there.
func (e *Entry) answers() bool { return e.Default != "" || e.Chooses || e.Zone == "local" }

func (e *Entry) model(name string) (*Model, bool) {
	for i := range e.Models {
		if sameModel(e.Models[i].Name, name) {
			return &e.Models[i], true
		}
	}
	return nil, false
}

// sameModel compares names of models: an absent tag is ":latest", as Ollama has it.
func sameModel(a, b string) bool {
	if a == b {
		return true
	}
	return strings.TrimSuffix(a, ":latest") == strings.TrimSuffix(b, ":latest")
}

// cannot returns what the request needs and the target is known not to have.
func (e *Entry) cannot(m *Model, n *Needs) *scri.Error {
	has := func(name string) bool {
		if m != nil {
			if v, ok := m.Caps[name]; ok {
				return v
			}
		}
		v, ok := e.Caps[name]
		return v || !ok
	}
	switch {
	case n.Embed && !has("embeddings"):
		return &scri.Error{Kind: scri.ErrUnsupported, Message: "makes no vectors", Hint: "ask for an embedding model"}
	case n.Tools && !has("tools"):
		return &scri.Error{Kind: scri.ErrUnsupported, Message: "cannot call tools", Hint: "ask for a model that can"}
	case n.Vision && !has("vision"):
		return &scri.Error{Kind: scri.ErrUnsupported, Message: "cannot see images", Hint: "ask for a model that can"}
	case m != nil && m.Window > 0 && n.Fit(m.Window) > m.Window:
		return &scri.Error{
			Kind: scri.ErrContextLength, Message: fmt.Sprintf("context window of %d tokens is too small for about %d", m.Window, n.Fit(m.Window)),
			Hint: "shorten the conversation, or ask for a model with a longer window",
		}
	default:
		return nil
	}
}
