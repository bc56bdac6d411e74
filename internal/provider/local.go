package provider

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/scri"
)

// How long answers about models are believed, and how many are kept.
const (
	maxShown     = 256
	showFor      = 10 * time.Minute
	listFor      = 15 * time.Second
	toldFor      = 2 * time.Second // where somebody wants to see the list itself, who may just have fetched a model
	cloudListFor = 5 * time.Minute
	loadedFor    = 5 * time.Second
	failedFor    = 10 * time.Second
	refusedFor   = time.Second // where nobody listens
)

// Answered tells that the provider has just answered: what it could not tell
// before, it is asked again.
func (p *Provider) Answered() {
	p.lists.forgive()
	p.shown.forgive()
	p.loaded.forgive()
}

// Shower is the optional part of a dialect that tells about one model.
type Shower interface {
	ShowRequest(model string) *dialect.Outgoing
	DecodeShow(a *dialect.Answer) (*scri.ModelInfo, error)
}

// PSer is the optional part of a dialect that tells which models are loaded,
// and with which context window.
type PSer interface {
	PSRequest() *dialect.Outgoing
	DecodePS(a *dialect.Answer) (*scri.ModelList, error)
}

// List asks the provider for its models, at most every few seconds. ID is the
// provider's own name of the model. The context must carry a Permit.
func (p *Provider) List(ctx context.Context) ([]scri.ModelInfo, error) {
	l, ok := p.dialect.(dialect.Lister)
	if !ok {
		return nil, p.fill(&scri.Error{Kind: scri.ErrUnsupported, Message: "the dialect " + p.dialect.Name() + " cannot list models"})
	}
	keep := listFor
	if p.zone == ZoneCloud {
		keep = cloudListFor
	}
	return p.lists.get(ctx, "", keep, failedFor, func(ctx context.Context) ([]scri.ModelInfo, error) {
		answer, err := p.ask(ctx, l.ListRequest(&dialect.Target{Provider: p.name}), "")
		if err != nil {
			return nil, err
		}
		list, err := l.DecodeModels(answer)
		if err != nil {
			return nil, p.fill(scri.AsError(err))
		}
		for i := range list.Models {
			p.describeModel(&list.Models[i])
		}
		return list.Models, nil
	})
}

// describeModel adds what the catalogue and the configuration know.
func (p *Provider) describeModel(m *scri.ModelInfo) {
	if m.ID == "" {
		m.ID = m.Model
	}
	m.Provider, m.Zone = p.name, p.zone
	if known, ok := p.spec.Model(m.ID); ok {
		if known.ContextWindow != 0 {
			m.ContextWindow = known.ContextWindow
		}
		if known.MaxOutput != 0 {
			m.MaxOutput = known.MaxOutput
		}
		if len(m.Capabilities) == 0 {
			m.Capabilities = known.Capabilities
		}
		if known.Prices != nil {
			m.PriceIn, m.PriceOut = known.Prices.Input, known.Prices.Output
		}
	}
}

// Models lists the provider's models as far as that is known: those that it
// says it has, or, when it does not say, those of the configuration and the
// catalogue. Where the configuration names models, others are left out of a
// cloud's list. The slice is the caller's.
func (p *Provider) Models(ctx context.Context) []scri.ModelInfo {
	if p.disabled != "" {
		return nil
	}
	if p.zone == ZoneLocal {
		p.lists.ripen("", listFor, toldFor)
	}
	list, err := p.List(ctx)
	if err == nil {
		list = slices.Clone(list)
		if p.zone == ZoneCloud && len(p.entry.Models) > 0 {
			return slices.DeleteFunc(list, func(m scri.ModelInfo) bool { return !p.configured(m.ID) })
		}
		p.markLoaded(ctx, list)
		return list
	}
	if p.zone == ZoneLocal {
		return nil // what is not there cannot be asked for
	}
	var out []scri.ModelInfo
	for i := range p.spec.Models {
		m := &p.spec.Models[i]
		if len(p.entry.Models) > 0 && !p.configured(m.Name) || m.Retired != "" {
			continue
		}
		out = append(out, p.told(m.Name))
	}
	known := func(m scri.ModelInfo) bool { return sameModel(m.ID, p.entry.DefaultModel) }
	if p.entry.DefaultModel != "" && !slices.ContainsFunc(out, known) {
		out = append(out, p.told(p.entry.DefaultModel))
	}
	return out
}

// told is what is known of a model that the provider did not list itself.
func (p *Provider) told(name string) scri.ModelInfo {
	m := scri.ModelInfo{ID: name}
	p.describeModel(&m)
	return m
}

// markLoaded notes which models of a list are in memory, with the window they
// have there.
func (p *Provider) markLoaded(ctx context.Context, list []scri.ModelInfo) {
	loaded, _ := p.Loaded(ctx)
	for i := range list {
		for j := range loaded {
			if sameModel(list[i].ID, loaded[j].ID) {
				list[i].Loaded = true
				list[i].ContextWindow = max(list[i].ContextWindow, loaded[j].ContextWindow)
			}
		}
	}
}

func (p *Provider) configured(model string) bool {
	return sameModel(p.entry.DefaultModel, model) || slices.ContainsFunc(p.entry.Models, func(m ModelEntry) bool { return sameModel(m.Name, model) })
}

// sameModel compares names as Ollama does: no tag means "latest".
func sameModel(a, b string) bool { return a == b || untagged(a) == untagged(b) }

func untagged(model string) string { return strings.TrimSuffix(model, ":latest") }

// runsElsewhere reports whether a model that a local runtime offers is run in
// its maker's cloud. Ollama has such: their tag ends in "cloud", or what it says
// of them names a remote host. It is asked where that is not known.
func (p *Provider) runsElsewhere(ctx context.Context, model string) bool {
	_, tag, _ := strings.Cut(model, ":")
	if tag == "cloud" || strings.HasSuffix(tag, "-cloud") {
		return true
	}
	if _, ok := p.dialect.(Shower); !ok {
		return false // no runtime of another kind does such a thing
	}
	named := func(m scri.ModelInfo) bool { return sameModel(m.ID, model) }
	list, _ := p.lists.peek("")
	i := slices.IndexFunc(list, named)
	if i < 0 {
		var err error
		if list, err = p.List(ctx); err != nil {
			return false // the conversation will meet the same failure
		}
		i = slices.IndexFunc(list, named)
	}
	return i >= 0 && remote(&list[i])
}

func remote(m *scri.ModelInfo) bool {
	return bytes.Contains(m.Raw, []byte(`"remote_host"`)) || bytes.Contains(m.Raw, []byte(`"remote_model"`))
}

// Choice is the model that a provider takes where none is named.
type Choice struct {
	Model   string // "" = it has none
	Why     string // it is this one, or there is none
	Instead string // the default model that is not installed, in whose place it is taken; "" = it is in nobody's place
}

// ResolveModel chooses a model where none is named. A local runtime takes the
// default if it is installed, else the largest model it has; any other provider
// takes the default, else the first one configured.
func (p *Provider) ResolveModel(ctx context.Context) Choice {
	if p.zone == ZoneLocal || p.kind == Local {
		return p.ResolveLocal(ctx)
	}
	switch {
	case p.entry.DefaultModel != "":
		return Choice{Model: p.entry.DefaultModel, Why: "default_model"}
	case len(p.entry.Models) > 0:
		return Choice{Model: p.entry.Models[0].Name, Why: "the first of models"}
	default:
		return Choice{Why: "no model is named: set default_model in [" + string(p.kind) + "." + p.name + "]"}
	}
}

// ResolveLocal chooses an installed model.
func (p *Provider) ResolveLocal(ctx context.Context) Choice {
	def := p.entry.DefaultModel
	list, err := p.List(ctx)
	if err != nil {
		e := scri.AsError(err)
		if def != "" {
			return Choice{Model: def, Why: "default_model; what is installed is not known: " + e.Message}
		}
		return Choice{Why: "what is installed is not known: " + e.Message}
	}
	for i := range list {
		if def != "" && sameModel(list[i].ID, def) {
			return Choice{Model: list[i].ID, Why: "default_model is installed"}
		}
	}
	best := bestModel(list)
	switch {
	case best == nil:
		return Choice{Why: "no chat model is installed" + p.pullHint(def)}
	case def != "":
		why := fmt.Sprintf("default_model %s is not installed; %s is the largest that is", def, best.ID)
		return Choice{Model: best.ID, Why: why + p.pullHint(def), Instead: def}
	default:
		return Choice{Model: best.ID, Why: "the largest model installed"}
	}
}

// pullHint says how to install the model, or any.
func (p *Provider) pullHint(model string) string {
	pull := func(m string) string { return strings.ReplaceAll(p.spec.Pull, "{model}", m) }
	switch {
	case p.spec.Pull == "":
		return ""
	case model != "":
		return "; fetch it: " + pull(model)
	case p.spec.Example != "":
		return "; fetch one: " + pull("MODEL") + ", for example " + pull(p.spec.Example)
	default:
		return "; fetch one: " + pull("MODEL")
	}
}

// bestModel is the largest model that chats and runs here.
func bestModel(list []scri.ModelInfo) *scri.ModelInfo {
	var fit []*scri.ModelInfo
	for i := range list {
		if m := &list[i]; Chats(m) {
			fit = append(fit, m)
		}
	}
	if len(fit) == 0 {
		return nil
	}
	return slices.MinFunc(fit, func(a, b *scri.ModelInfo) int {
		return cmp.Or(cmp.Compare(parameters(b), parameters(a)), cmp.Compare(b.SizeBytes, a.SizeBytes), cmp.Compare(a.ID, b.ID))
	})
}

// Chats reports whether an installed model is one for conversations and runs here,
// by what its runtime says of it or else by its name.
func Chats(m *scri.ModelInfo) bool {
	if remote(m) || strings.HasSuffix(m.ID, "cloud") {
		return false
	}
	if len(m.Capabilities) > 0 {
		return slices.Contains(m.Capabilities, "completion") || slices.Contains(m.Capabilities, "chat")
	}
	for _, word := range []string{"embed", "bert", "rerank", "bge-", "minilm"} {
		if strings.Contains(strings.ToLower(m.ID+" "+m.Family), word) {
			return false
		}
	}
	return true
}

// parameters reads a count like "8.0B" or "137M".
func parameters(m *scri.ModelInfo) float64 {
	s := strings.ToUpper(strings.TrimSpace(m.ParameterSize))
	for suffix, unit := range map[string]float64{"K": 1e3, "M": 1e6, "B": 1e9, "T": 1e12} {
		if n, ok := strings.CutSuffix(s, suffix); ok {
			v, err := strconv.ParseFloat(n, 64)
			if err != nil {
				return 0
			}
			return v * unit
		}
	}
	return 0
}

// Show asks a local runtime about a model, once in a while. Nil means that it
// does not say.
func (p *Provider) Show(ctx context.Context, model string) *scri.ModelInfo {
	s, ok := p.dialect.(Shower)
	if !ok || p.zone == ZoneCloud || p.disabled != "" {
		return nil
	}
	info, err := p.shown.get(ctx, model, showFor, failedFor, func(ctx context.Context) (*scri.ModelInfo, error) {
		answer, err := p.ask(ctx, s.ShowRequest(model), model)
		if err != nil {
			return nil, err
		}
		return s.DecodeShow(answer)
	})
	if err != nil {
		return nil // tolerated: the model can be asked without
	}
	return info
}

// Loaded asks a local runtime which models are in memory; known is false when
// it does not say.
func (p *Provider) Loaded(ctx context.Context) (list []scri.ModelInfo, known bool) {
	s, ok := p.dialect.(PSer)
	if !ok || p.zone == ZoneCloud || p.disabled != "" {
		return nil, false
	}
	list, err := p.loaded.get(ctx, "", loadedFor, failedFor, func(ctx context.Context) ([]scri.ModelInfo, error) {
		answer, err := p.ask(ctx, s.PSRequest(), "")
		if err != nil {
			return nil, err
		}
		l, err := s.DecodePS(answer)
		if err != nil {
			return nil, err
		}
		return l.Models, nil
	})
	return list, err == nil
}
