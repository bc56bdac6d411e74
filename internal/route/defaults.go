package route

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aratta-gateway/aratta/scri"
)

// DefaultAliases are the names that are understood without being configured, and
// what they mean: a model of a provider, or one of several, of which the first
// counts whose provider is on. "local" and "sovereign" mean themselves.
func DefaultAliases() map[string][]string {
	return map[string][]string{
		"fast": {
			NameLocal, "groq:llama-3.1-8b-instant", "anthropic:claude-haiku-4-5-20251001", "openai:gpt-5.4-mini", "google:gemini-3.1-flash-lite",
			"xai:grok-4.20-0309-non-reasoning",
		},
		"cheap": {
			NameLocal, "deepseek:deepseek-v4-flash", "google:gemini-3.1-flash-lite", "openai:gpt-5.4-nano", "anthropic:claude-haiku-4-5-20251001",
			"xai:grok-4.20-0309-non-reasoning",
		},
		"reason":      {"anthropic:claude-opus-4-8", "openai:gpt-5.5", "google:gemini-3.1-pro-preview", "xai:grok-4.20-0309-reasoning", "deepseek:deepseek-v4-pro", NameLocal},
		"code":        {"anthropic:claude-sonnet-5", "openai:gpt-5.3-codex", "google:gemini-3.1-pro-preview", "xai:grok-build-0.1", "deepseek:deepseek-v4-pro", NameLocal},
		"opus":        {"anthropic:claude-opus-4-8"},
		"sonnet":      {"anthropic:claude-sonnet-5"},
		"haiku":       {"anthropic:claude-haiku-4-5-20251001"},
		"gpt":         {"openai:gpt-5.5"},
		"gpt-mini":    {"openai:gpt-5.4-mini"},
		"o3":          {"openai:o3"},
		"gemini":      {"google:gemini-3.5-flash"},
		"gemini-pro":  {"google:gemini-3.1-pro-preview"},
		"image":       {"openai:gpt-image-1", "google:gemini-2.5-flash-image"},
		"grok":        {"xai:grok-4.3"},
		"grok-reason": {"xai:grok-4.20-0309-reasoning"},
		NameEmbed:     {"openai:text-embedding-3-large", "google:gemini-embedding-001", "cohere:embed-v4.0", NameLocal},
		"embed-small": {"openai:text-embedding-3-small", "cohere:embed-v4.0", NameLocal},
	}
}

// withDefaults adds the default aliases that nothing in the configuration takes the
// name of: to what is on as aliases like others, the rest to be told why they lead
// nowhere.
func (r *Router) withDefaults(own map[string]string, chains map[string]Chain, defaults map[string][]string) {
	r.aliases, r.presumed, r.away = maps.Clone(own), map[string]bool{}, map[string]string{}
	if r.aliases == nil {
		r.aliases = map[string]string{}
	}
	local := slices.ContainsFunc(r.entries, func(e Entry) bool { return e.Zone == "local" })
	for name, list := range defaults {
		_, alias := own[name]
		_, chain := chains[name]
		_, provider := r.index[name]
		if alias || chain || provider {
			continue
		}
		on := slices.IndexFunc(list, func(to string) bool {
			head, _, _ := strings.Cut(to, ":")
			return to == NameLocal && local || r.index[head] != nil
		})
		if on < 0 {
			r.away[name] = strings.Join(providersOf(list), ", ")
			continue
		}
		r.aliases[name], r.presumed[name] = list[on], true
	}
}

func providersOf(list []string) []string {
	var names []string
	for _, to := range list {
		head, _, pinned := strings.Cut(to, ":")
		if pinned && !slices.Contains(names, head) {
			names = append(names, head)
		}
	}
	return names
}

// Away tells of the default aliases that lead nowhere: by their names, whose
// provider would have to be on.
func (r *Router) Away() map[string]string { return maps.Clone(r.away) }

// notOn is the error for a default alias of whose providers none is on.
func (r *Router) notOn(name string) *scri.Error {
	who := r.away[name]
	one := "provider " + who + " is not on"
	if strings.Contains(who, ",") {
		one = "of the providers " + who + " none is on"
	}
	first, _, _ := strings.Cut(who, ",")
	for name := range strings.SplitSeq(who, ", ") {
		if why, off := r.off[name]; off {
			one += "; " + name + " is off: " + why
		}
	}
	return &scri.Error{
		Kind: scri.ErrNotFound, Code: "model_not_found", Path: "/model", Message: fmt.Sprintf("the alias %q leads nowhere: %s", name, one),
		Hint: fmt.Sprintf("put [providers.%s] into the configuration and set its key, or set aliases.%s", first, name),
	}
}
