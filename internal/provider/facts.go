package provider

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/goccy/go-yaml"
)

// Bounds of a file of facts.
const (
	MaxFacts      = 64 << 20 // bytes
	maxFactModels = 50_000
)

// Facts are what somebody who collects them says of models, by the names of the
// catalogue's entries.
type Facts struct {
	Source string // "litellm" or "models.dev"
	Models map[string][]Model
}

// ReadFacts reads LiteLLM's model_prices_and_context_window.json or the api.json of
// models.dev, whichever it is. Prices are given the day and the source. What belongs
// to no entry of the catalogue is left out.
func (c *Catalogue) ReadFacts(raw []byte, asOf time.Time) (*Facts, error) {
	if len(raw) > MaxFacts {
		return nil, invalidf("", "the file is larger than %d MiB", MaxFacts>>20)
	}
	var top map[string]map[string]jsontext.Value
	if err := json.Unmarshal(raw, &top, jsontext.AllowDuplicateNames(true)); err != nil {
		return nil, invalidf("it must be LiteLLM's model_prices_and_context_window.json, or api.json of models.dev", "the file is no such list: %v", err)
	}
	f := &Facts{Models: map[string][]Model{}}
	day := asOf.Format(time.DateOnly)
	for name, entry := range top {
		switch {
		case entry["models"] != nil:
			f.Source = "models.dev"
			if err := c.ofModelsDev(f, name, entry["models"], day); err != nil {
				return nil, err
			}
		case entry["litellm_provider"] != nil:
			f.Source = "litellm"
			c.ofLiteLLM(f, name, entry, day)
		}
	}
	total := 0
	for name, list := range f.Models {
		slices.SortFunc(list, func(a, b Model) int {
			return cmp.Or(strings.Compare(b.Released, a.Released), strings.Compare(a.Name, b.Name))
		})
		f.Models[name] = slices.CompactFunc(list, func(a, b Model) bool { return a.Name == b.Name })
		total += len(list)
	}
	switch {
	case f.Source == "":
		return nil, invalidf("it must be LiteLLM's model_prices_and_context_window.json, or api.json of models.dev", "the file tells of no models")
	case total > maxFactModels:
		return nil, invalidf("", "the file tells of more than %d models", maxFactModels)
	}
	return f, nil
}

// entryOf is the entry that a collector's provider is here, or "".
func (c *Catalogue) entryOf(provider string) string {
	if to, ok := map[string]string{
		"gemini": "google", "vertex_ai-language-models": "vertex", "vertex_ai-anthropic_models": "vertex-anthropic", "cohere_chat": "cohere",
		"together_ai": "together", "fireworks_ai": "fireworks", "nvidia_nim": "nvidia", "bedrock_converse": "bedrock",
		"google-vertex": "vertex", "google-vertex-anthropic": "vertex-anthropic", "togetherai": "together", "fireworks-ai": "fireworks",
		"moonshotai": "moonshot", "alibaba": "dashscope", "amazon-bedrock": "bedrock",
	}[provider]; ok {
		provider = to
	}
	if s, ok := c.Spec(provider); ok && s.Zone != ZoneLocal {
		return provider
	}
	return ""
}

func (c *Catalogue) ofModelsDev(f *Facts, provider string, raw jsontext.Value, day string) error {
	entry := c.entryOf(provider)
	if entry == "" {
		return nil
	}
	var models map[string]struct {
		Released   string                    `json:"release_date"`
		Status     string                    `json:"status"`
		Tools      bool                      `json:"tool_call"`
		Thinks     bool                      `json:"reasoning"`
		Structured bool                      `json:"structured_output"`
		Cost       map[string]jsontext.Value `json:"cost"`
		Limit      map[string]jsontext.Value `json:"limit"`
		Modalities struct {
			In  []string `json:"input"`
			Out []string `json:"output"`
		} `json:"modalities"`
	}
	if err := json.Unmarshal(raw, &models, jsontext.AllowDuplicateNames(true)); err != nil {
		return invalidf("", "the models of %s cannot be read: %v", provider, err)
	}
	for name, m := range models {
		if !slices.Contains(m.Modalities.Out, "text") && len(m.Modalities.Out) > 0 {
			continue
		}
		fact := Model{Name: name, ContextWindow: wholeOf(m.Limit["context"]), MaxOutput: wholeOf(m.Limit["output"])}
		if isDate(m.Released) {
			fact.Released = m.Released
		}
		has := func(kind string) bool { return slices.Contains(m.Modalities.In, kind) }
		fact.Capabilities = able(strings.Contains(strings.ToLower(name), "embed"), m.Tools, has("image"), m.Thinks, has("audio"), has("pdf"), m.Structured)
		p := Prices{AsOf: day, Source: "models.dev"}
		p.Input, p.Output = priceOf(m.Cost["input"], 1), priceOf(m.Cost["output"], 1)
		p.CacheRead, p.CacheWrite = priceOf(m.Cost["cache_read"], 1), priceOf(m.Cost["cache_write"], 1)
		if m.Cost["context_over_200k"] != nil {
			p.UpTo = 200_000
		}
		for _, size := range tierSizes(m.Cost["tiers"]) {
			if size > 0 && (p.UpTo == 0 || size < p.UpTo) {
				p.UpTo = size
			}
		}
		f.add(entry, fact, p)
	}
	return nil
}

func tierSizes(raw jsontext.Value) (sizes []int64) {
	var tiers []struct {
		Tier struct {
			Size int64 `json:"size"`
		} `json:"tier"`
	}
	if len(raw) == 0 || json.Unmarshal(raw, &tiers) != nil {
		return nil
	}
	for _, t := range tiers {
		sizes = append(sizes, t.Tier.Size)
	}
	return sizes
}

func (c *Catalogue) ofLiteLLM(f *Facts, name string, v map[string]jsontext.Value, day string) {
	entry := c.entryOf(stringOf(v["litellm_provider"]))
	mode := stringOf(v["mode"])
	if entry == "" || mode != "chat" && mode != "embedding" && mode != "responses" {
		return
	}
	if head, rest, ok := strings.Cut(name, "/"); ok && (c.entryOf(head) == entry || head == "vertex_ai" || head == "azure") {
		name = rest
	}
	m := Model{Name: name, ContextWindow: wholeOf(v["max_input_tokens"]), MaxOutput: wholeOf(v["max_output_tokens"])}
	says := func(key string) bool { return string(v[key]) == "true" }
	m.Capabilities = able(mode == "embedding", says("supports_function_calling"), says("supports_vision"), says("supports_reasoning"),
		says("supports_audio_input"), says("supports_pdf_input"), says("supports_response_schema"))
	p := Prices{AsOf: day, Source: "litellm"}
	p.Input, p.Output = priceOf(v["input_cost_per_token"], 1e6), priceOf(v["output_cost_per_token"], 1e6)
	p.CacheRead, p.CacheWrite = priceOf(v["cache_read_input_token_cost"], 1e6), priceOf(v["cache_creation_input_token_cost"], 1e6)
	p.CacheWrite1h = priceOf(v["cache_creation_input_token_cost_above_1hr"], 1e6)
	for key := range v {
		if size, ok := strings.CutPrefix(key, "input_cost_per_token_above_"); ok {
			if n, err := strconv.ParseInt(strings.TrimSuffix(size, "k_tokens"), 10, 32); err == nil && (p.UpTo == 0 || n*1000 < p.UpTo) {
				p.UpTo = n * 1000
			}
		}
	}
	f.add(entry, m, p)
}

func able(embeds, tools, vision, thinks, audio, documents, schema bool) []string {
	if embeds {
		return []string{"embeddings"}
	}
	list := []string{"chat", "stream"}
	for _, c := range []struct {
		name string
		can  bool
	}{{"tools", tools}, {"vision", vision}, {"thinking", thinks}, {"audio", audio}, {"documents", documents}, {"json_schema", schema}} {
		if c.can {
			list = append(list, c.name)
		}
	}
	return list
}

func (f *Facts) add(entry string, m Model, p Prices) {
	if m.Name == "" || len(m.Name) > 200 {
		return
	}
	if len(m.Capabilities) == 1 { // of vectors no tokens come out
		m.MaxOutput, p.Output = 0, nil
	}
	if p.Input != nil {
		m.Prices = &p
	}
	f.Models[entry] = append(f.Models[entry], m)
}

func stringOf(v jsontext.Value) string {
	var s string
	if json.Unmarshal(v, &s) != nil {
		return ""
	}
	return s
}

// wholeOf reads a count; what is none is unknown.
func wholeOf(v jsontext.Value) int64 {
	n, ok := wholeNumber(v)
	if !ok || n < 0 || n > 1e9 {
		return 0
	}
	return n
}

// priceOf reads a price; what is none is unknown. times is for how many tokens it is
// here, where it is for a million.
func priceOf(v jsontext.Value, times float64) *float64 {
	n, err := strconv.ParseFloat(strings.Trim(string(v), `"`), 64)
	if err != nil || n < 0 || math.IsInf(n, 0) || math.IsNaN(n) || n*times > 1e6 {
		return nil
	}
	n = math.Round(n*times*1e6) / 1e6
	return &n
}

// Change is one fact that differs from the catalogue's.
type Change struct {
	Provider string `json:"provider"`
	Model    string `json:"model"`
	Field    string `json:"field"` // "model" where the catalogue does not know it
	Old      string `json:"old,omitempty"`
	New      string `json:"new,omitempty"`
}

// Diff lists what the facts say differently from the catalogue, of the models that
// both know, and with added those that the catalogue does not know.
func (c *Catalogue) Diff(f *Facts, added bool) []Change {
	var list []Change
	names := make([]string, 0, len(f.Models))
	for name := range f.Models {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		spec, _ := c.Spec(name)
		for _, fact := range f.Models[name] {
			known := spec.exact(fact.Name)
			if known == nil {
				if added {
					list = append(list, Change{Provider: name, Model: fact.Name, Field: "model", New: "not in the catalogue"})
				}
				continue
			}
			list = append(list, changes(name, known, &fact)...)
		}
	}
	return list
}

func changes(provider string, known, fact *Model) []Change {
	var list []Change
	differ := func(field, old, now string) {
		if now != "" && old != now {
			list = append(list, Change{provider, fact.Name, field, old, now})
		}
	}
	differ("context_window", shown(known.ContextWindow), shown(fact.ContextWindow))
	differ("max_output", shown(known.MaxOutput), shown(fact.MaxOutput))
	old, now := known.Prices, fact.Prices
	if now == nil {
		return list
	}
	if old == nil {
		old = &Prices{}
	}
	was := old.list()
	for i, v := range now.list() {
		differ("prices."+v.key, money(was[i].value), money(v.value))
	}
	return list
}

func shown(n int64) string {
	if n == 0 {
		return ""
	}
	return strconv.FormatInt(n, 10)
}

func money(v *float64) string {
	if v == nil {
		return ""
	}
	return strconv.FormatFloat(*v, 'f', -1, 64)
}

// Mark begins the files that Write makes, so that they can be told from those that
// somebody wrote.
const Mark = "# Written by aratta catalogue import"

// File is the catalogue file that lays facts over an entry: those of models that the
// catalogue knows, and with added all others too. It is "" where there are none.
func (c *Catalogue) File(f *Facts, entry string, added bool) (string, error) {
	var b strings.Builder
	spec, _ := c.Spec(entry)
	for _, m := range f.Models[entry] {
		known := spec.exact(m.Name)
		if known == nil && !added {
			continue
		}
		if known != nil {
			m.Name, m.Capabilities = known.Name, nil // they are told more coarsely than they are known
		}
		if m.Prices == nil && m.ContextWindow == 0 && m.MaxOutput == 0 {
			continue
		}
		if err := writeModel(&b, &m); err != nil {
			return "", err
		}
	}
	if b.Len() == 0 {
		return "", nil
	}
	text := fmt.Sprintf("%s from %s.\nname: %s\nmodels:\n%s", Mark, f.Source, entry, b.String())
	d, err := parseDocument(entry+".yaml", []byte(text))
	if err == nil {
		_, err = c.lay(d, entry, spec.clone())
	}
	return text, err
}

func writeModel(b *strings.Builder, m *Model) error {
	name, err := yaml.Marshal(m.Name)
	if strings.ContainsAny(m.Name, "\"\\") || strings.ContainsFunc(m.Name, unicode.IsControl) { // YAML reads what JSON quotes
		name, err = json.Marshal(m.Name)
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(b, "  - name: %s\n", strings.TrimSpace(string(name)))
	if m.ContextWindow > 0 {
		fmt.Fprintf(b, "    context_window: %d\n", m.ContextWindow)
	}
	if m.MaxOutput > 0 {
		fmt.Fprintf(b, "    max_output: %d\n", m.MaxOutput)
	}
	if len(m.Capabilities) > 0 {
		fmt.Fprintf(b, "    capabilities: [%s]\n", strings.Join(m.Capabilities, ", "))
	}
	if m.Released != "" {
		fmt.Fprintf(b, "    released: %s\n", m.Released)
	}
	p := m.Prices
	if p == nil {
		return nil
	}
	fmt.Fprintf(b, "    prices: {as_of: %s, source: %s", p.AsOf, p.Source)
	for _, v := range p.list() {
		if v.value != nil {
			fmt.Fprintf(b, ", %s: %s", v.key, money(v.value))
		}
	}
	if p.UpTo > 0 {
		fmt.Fprintf(b, ", up_to: %d", p.UpTo)
	}
	b.WriteString("}\n")
	return nil
}
