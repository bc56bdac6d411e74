package route

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aratta-gateway/aratta/internal/nearest"
	"github.com/aratta-gateway/aratta/scri"
)

// resolve lists the targets for what was asked, best first, before anything is
// removed. It writes what it decided into p.
func (r *Router) resolve(ctx context.Context, q Query, p *Plan) ([]Target, error) {
	if q.Chain != "" {
		c, ok := r.chains[q.Chain]
		if !ok {
			return nil, r.unknown(ctx, "/routing/chain", "chain", q.Chain)
		}
		p.Chain = q.Chain
		p.reason("resolve", "chain", "", "wished by the caller")
		return r.conditioned(ctx, &q, p, c), nil
	}
	name, aliased := r.meant(q.Model)
	if q.Needs.Embed && slices.Contains([]string{"", NameAuto, "*", NameLocal, NameSovereign}, plain(name)) {
		return r.embedding(ctx, &q, plain(name), p)
	}
	switch special := plain(name); special {
	case "", NameAuto, "*":
		if q.Sovereign { // the chain may have nobody whom that leaves
			return r.local(ctx, &q, NameSovereign, p)
		}
		p.Chain = DefaultChain
		p.reason("resolve", "default_chain", "", "")
		return r.standard(ctx, &q, p), nil
	case NameLocal, NameSovereign:
		return r.local(ctx, &q, special, p)
	}
	if t, ok := r.pinned(name); ok {
		code := "pinned"
		if aliased {
			code = "alias"
		}
		t.Asked = !aliased
		p.reason("resolve", code, t.String(), "")
		return r.behind(ctx, &q, p, []Target{t}), nil
	}
	if c, ok := r.chains[name]; ok {
		p.Chain = name
		p.reason("resolve", "chain", "", "")
		return r.conditioned(ctx, &q, p, c), nil
	}
	if e, ok := r.index[name]; ok {
		t := Target{Provider: e.Name, Model: e.Default, Zone: e.Zone}
		if q.Needs.Embed {
			t.Model = "" // the default is for chats
		}
		p.reason("resolve", "provider", t.String(), "")
		return r.behind(ctx, &q, p, []Target{t}), nil
	}
	return r.bare(ctx, &q, name, p)
}

// meant follows aliases to the name that is meant.
func (r *Router) meant(asked string) (name string, aliased bool) {
	for name = asked; ; aliased = true {
		next, ok := r.aliases[name]
		if !ok {
			return name, aliased
		}
		name = next
	}
}

// plain is a name without what clients dress it up with: Ollama's put a tag
// behind every name.
func plain(name string) string {
	return strings.ToLower(strings.TrimSuffix(strings.TrimSpace(name), ":latest"))
}

// Sovereign reports whether asking for a model means that nothing may leave
// zone local. An alias of that name cannot take the meaning away.
func (r *Router) Sovereign(model string) bool {
	name, _ := r.meant(model)
	return plain(name) == NameSovereign || plain(model) == NameSovereign
}

// behind puts the default chain behind the targets, where fallback is on; for
// vectors, whoever has the same model.
func (r *Router) behind(ctx context.Context, q *Query, p *Plan, first []Target) []Target {
	switch {
	case !r.fallback:
		return first
	case q.Needs.Embed:
		return r.withModel(ctx, first)
	}
	return slices.Concat(first, r.standard(ctx, q, p))
}

// standard is the default chain for a request.
func (r *Router) standard(ctx context.Context, q *Query, p *Plan) []Target {
	if len(r.outside) == 0 {
		return r.conditioned(ctx, q, p, r.defaultChain())
	}
	return r.conditioned(ctx, q, p, slices.Concat(r.outside, r.defaultChain()))
}

// local puts local targets first. For sovereign the verdict removes the others.
func (r *Router) local(ctx context.Context, q *Query, name string, p *Plan) ([]Target, error) {
	var first []Target
	for _, t := range r.conditioned(ctx, q, p, slices.Concat(r.outside, r.defaultChain(), r.implicit)) {
		if t.Zone == "local" {
			first = append(first, t)
		}
	}
	p.reason("resolve", name, "", "")
	e := &scri.Error{
		Kind: scri.ErrUnavailable, Message: "no local model is configured, and sovereign allows nothing else",
		Hint: "start a local runtime (ollama serve) or configure one under [local]",
	}
	switch {
	case name == NameLocal && r.fallback:
		return r.behind(ctx, q, p, first), nil
	case len(first) > 0:
		return first, nil
	case name == NameLocal:
		e.Message = "no local model is configured, and behaviour.enable_fallback is off"
	}
	return nil, e
}

// bare resolves a model's own name: a hint, whose target comes first.
func (r *Router) bare(ctx context.Context, q *Query, name string, p *Plan) ([]Target, error) {
	if hits := r.having(ctx, name); len(hits) > 0 {
		p.reason("resolve", "model", hits[0].String(), "")
		return r.behind(ctx, q, p, hits), nil
	}
	if r.away[name] != "" {
		return nil, r.notOn(name)
	}
	family := familyOf(name)
	if e := r.ofFamily(ctx, family); e != nil {
		t := Target{Provider: e.Name, Model: name, Zone: e.Zone, Asked: true}
		p.reason("resolve", "inferred", t.String(), "by its name "+family.what())
		return r.behind(ctx, q, p, []Target{t}), nil
	}
	if family.provider != "" && !family.open && len(r.defaultChain()) > 0 && !q.Needs.Embed {
		p.Chain = DefaultChain
		why := ""
		if r.off[family.provider] != "" {
			why = ": " + r.off[family.provider]
		}
		p.reason("resolve", "default_chain", "", fmt.Sprintf("%q is by its name %s, which is not on%s", name, family.what(), why))
		return r.standard(ctx, q, p), nil
	}
	return r.unlisted(ctx, q, name, p)
}

// having lists the providers that are known to have a model.
func (r *Router) having(ctx context.Context, name string) (hits []Target) {
	for i := range r.entries {
		e := &r.entries[i]
		if m, ok := e.model(name); ok {
			hits = append(hits, Target{Provider: e.Name, Model: m.Name, Zone: e.Zone})
		} else if names, known := r.has(ctx, e); known {
			if j := slices.IndexFunc(names, func(n string) bool { return sameModel(n, name) }); j >= 0 {
				hits = append(hits, Target{Provider: e.Name, Model: names[j], Zone: e.Zone})
			}
		}
	}
	return hits
}

// unlisted asks the default provider for a model that nobody is known to have,
// unless it is known not to have it either.
func (r *Router) unlisted(ctx context.Context, q *Query, name string, p *Plan) ([]Target, error) {
	e, ok := r.index[r.byDefault]
	if !ok {
		return nil, r.unknown(ctx, "/model", "model", name)
	}
	if _, known := r.has(ctx, e); known {
		return nil, r.unknown(ctx, "/model", "model", name)
	}
	t := Target{Provider: e.Name, Model: name, Zone: e.Zone, Asked: true}
	p.reason("resolve", "default_provider", t.String(), "nobody is known to have the model")
	return r.behind(ctx, q, p, []Target{t}), nil
}

func (r *Router) has(ctx context.Context, e *Entry) ([]string, bool) {
	if r.installed == nil || e.Zone != "local" {
		return nil, false
	}
	return r.installed(ctx, e.Name)
}

// family is what the names of models that belong together begin with.
type family struct {
	prefix   string
	provider string // whose they are; "" = nobody's
	open     bool   // anybody may run them: a local runtime is asked first
}

func (f family) what() string {
	if f.open {
		return "an open model"
	}
	return "a model of " + f.provider
}

// familyOf infers from a model's name what it is. Names of open models may have
// their maker before a slash.
func familyOf(model string) family {
	m := strings.ToLower(model)
	m = m[strings.LastIndexByte(m, '/')+1:]
	for _, f := range []family{
		{"claude", "anthropic", false},
		{"text-embedding-0", "google", false},
		{"text-embedding", "openai", false},
		{"embed-", "cohere", false},
		{"voyage", "voyage", false},
		{"gpt-oss", "", true},
		{"gpt", "openai", false},
		{"chatgpt", "openai", false},
		{"codex", "openai", false},
		{"gemini", "google", false},
		{"grok", "xai", false},
		{"command", "cohere", false},
		{"rerank", "cohere", true},
		{"whisper", "openai", true},
		{"tts-1", "openai", false},
		{"dall-e", "openai", false},
		{"omni-moderation", "openai", false},
		{"text-moderation", "openai", false},
		{"mistral", "mistral", true},
		{"deepseek", "deepseek", true},
		{"llama", "", true},
		{"codellama", "", true},
		{"qwen", "", true},
		{"qwq", "", true},
		{"mixtral", "", true},
		{"devstral", "", true},
		{"gemma", "", true},
		{"phi", "", true},
		{"granite", "", true},
		{"olmo", "", true},
		{"smollm", "", true},
		{"nomic-embed", "", true},
		{"mxbai-embed", "", true},
		{"snowflake-arctic-embed", "", true},
		{"all-minilm", "", true},
		{"bge-", "", true},
	} {
		if strings.HasPrefix(m, f.prefix) {
			return f
		}
	}
	if len(m) >= 2 && m[0] == 'o' && m[1] >= '1' && m[1] <= '9' && (len(m) == 2 || m[2] == '-') {
		return family{"o", "openai", false}
	}
	return family{}
}

// ofFamily finds a provider that serves a family of models: for open ones a
// local runtime that does not say what it has, then the entry of the maker's
// name, then the first that speaks its dialect.
func (r *Router) ofFamily(ctx context.Context, f family) *Entry {
	if f.open {
		for i := range r.entries {
			if e := &r.entries[i]; e.Zone == "local" {
				if _, known := r.has(ctx, e); !known {
					return e
				}
			}
		}
	}
	if e, ok := r.index[f.provider]; ok {
		return e
	}
	for i := range r.entries {
		// OpenAI's dialect is everybody's, and says nothing about whose models.
		if e := &r.entries[i]; e.Dialect == f.provider && f.provider != "openai" {
			return e
		}
	}
	return nil
}

// unknown is the error for a name that nothing answers to.
func (r *Router) unknown(ctx context.Context, path, what, name string) error {
	e := &scri.Error{Kind: scri.ErrNotFound, Code: what + "_not_found", Path: path, Message: fmt.Sprintf("%s %q is not known", what, name)}
	models := r.models(ctx)
	if what == "model" {
		if why := r.notOnOf(name, models); why != "" {
			e.Message += "; " + why
		}
	}
	near := nearest.Name(name, append(models, r.Names()...))
	if near == "" && what == "model" {
		near = r.mistyped(name)
	}
	if near != "" {
		e.Hint = fmt.Sprintf("did you mean %q? `aratta models` lists all", near)
	} else {
		e.Hint = "`aratta models` lists all, \"auto\" takes the best"
	}
	return e
}

// mistyped is the name of a model whose provider's name was meant to be one that is on, or "".
func (r *Router) mistyped(name string) string {
	i := strings.IndexAny(name, ":/")
	if i < 1 || slices.Contains(r.known, name[:i]) || r.off[name[:i]] != "" {
		return ""
	}
	var on []string
	for j := range r.entries {
		on = append(on, r.entries[j].Name)
	}
	if near := nearest.Name(name[:i], on); near != "" && near != name[:i] {
		return near + name[i:]
	}
	return ""
}

// notOnOf says of a name that begins with a provider's, or is one, that it is not on.
func (r *Router) notOnOf(name string, models []string) string {
	head, i := name, strings.IndexAny(name, ":/")
	if i > 0 {
		head = name[:i]
		tag := func(m string) bool { return strings.HasPrefix(m, name[:i+1]) }
		if _, on := r.index[head]; on || slices.ContainsFunc(models, tag) {
			return ""
		}
	}
	why, off := r.off[head]
	switch {
	case off:
		return fmt.Sprintf("the provider %q is off: %s", head, why)
	case i > 0 || slices.Contains(r.known, head):
		return fmt.Sprintf("a provider %q is not on", head)
	default:
		return ""
	}
}

// models are the names of all models that are known.
func (r *Router) models(ctx context.Context) []string {
	known := r.modelNames()
	for i := range r.entries {
		names, _ := r.has(ctx, &r.entries[i])
		known = append(known, names...)
	}
	return known
}

// Names lists the names beside models that can be asked for: local, sovereign,
// chains and aliases.
func (r *Router) Names() []string {
	list := []string{NameAuto, NameLocal, NameSovereign}
	list = slices.AppendSeq(list, maps.Keys(r.chains))
	list = slices.AppendSeq(list, maps.Keys(r.aliases))
	slices.Sort(list)
	return slices.Compact(list)
}

// Meaning lists whom an alias or a chain leads to, in order, as far as that is
// settled before a request comes; nil for other names.
func (r *Router) Meaning(name string) []string {
	if to, ok := r.aliases[name]; ok {
		return []string{to}
	}
	list := r.chains[name]
	if name == NameAuto {
		list = r.defaultChain()
	}
	var names []string
	for i := range list {
		names = append(names, list[i].String())
	}
	return names
}

// Unknown is the error for a model that nothing answers to.
func (r *Router) Unknown(ctx context.Context, name string) error {
	return r.unknown(ctx, "/model", "model", name)
}
