package app

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/aratta-gateway/aratta/internal/nearest"
	"github.com/aratta-gateway/aratta/internal/provider"
)

// choices are what a person wants of what the survey found.
type choices struct {
	locals  []string          // runtimes that take part, by their names
	clouds  []string          // cloud providers that may be asked
	models  map[string]string // the default model of each provider, "" = it chooses
	aliases map[string]string // names for targets
	host    string            // where it listens; "" = wherever it does without being told
	port    int               // likewise, 0
}

// wish is what the command line says of choices.
type wish struct {
	providers, models, aliases []string
	cloud                      bool
}

// choose is what the command line asks for, and what it leaves open as nobody would
// be surprised by: all runtimes that listen, or Ollama, which may be started later;
// cloud providers only with --cloud, and then those whose key is there. Where there is
// a former configuration, it is that which says what nobody would be surprised by.
func (s *survey) choose(w *wish, was former) (*choices, error) {
	c := &choices{models: map[string]string{}, aliases: map[string]string{}}
	for _, name := range w.providers {
		switch {
		case slices.ContainsFunc(s.runtimes, named(name)):
			c.locals = append(c.locals, name)
		case !slices.ContainsFunc(s.clouds, named(name)):
			return nil, &usageError{fmt.Errorf("--provider: there is no %q in the catalogue%s", name, s.meant(name))}
		case !w.cloud:
			return nil, &usageError{fmt.Errorf("--provider: %s is a cloud provider, and cloud may be used with --cloud alone", name)}
		default:
			c.clouds = append(c.clouds, name)
		}
	}
	if len(w.providers) == 0 {
		for i := range s.runtimes {
			if s.runtimes[i].ready {
				c.locals = append(c.locals, s.runtimes[i].name)
			}
		}
		if len(c.locals) == 0 {
			c.locals = []string{runtimes()[0]}
		}
		for i := range s.clouds {
			if w.cloud && s.clouds[i].ready {
				c.clouds = append(c.clouds, s.clouds[i].name)
			}
		}
	}
	for _, list := range [][]candidate{s.runtimes, s.clouds} {
		for i := range list {
			c.models[list[i].name] = list[i].best
		}
	}
	if was.Loaded != nil && len(w.providers) == 0 {
		was.propose(s, c)
	}
	if err := pairs(w.models, "--model", "PROVIDER=MODEL", func(name, model string) error {
		if _, ok := c.models[name]; !ok {
			return &usageError{fmt.Errorf("--model: there is no provider %q%s", name, s.meant(name))}
		}
		c.models[name] = model
		return nil
	}); err != nil {
		return nil, err
	}
	return c, pairs(w.aliases, "--alias", "NAME=TARGET", func(name, target string) error {
		c.aliases[name] = target
		return nil
	})
}

// uninstalled says which default models a runtime that listens has not.
func (s *survey) uninstalled(c *choices) (list []string) {
	for i := range s.runtimes {
		r := &s.runtimes[i]
		want := c.models[r.name]
		if _, installed := r.has(want); installed || !r.ready || want == "" || !slices.Contains(c.locals, r.name) {
			continue
		}
		note := fmt.Sprintf("%s: the model %s is not installed", r.name, want)
		if r.best != "" {
			note += "; " + r.best + " answers until it is"
		}
		if pull := r.spec.Pull; pull != "" {
			note += "; fetch it: " + strings.ReplaceAll(pull, "{model}", want)
		}
		list = append(list, note)
	}
	return list
}

// pairs reads values like "a=b".
func pairs(list []string, flag, form string, see func(name, value string) error) error {
	for _, text := range list {
		name, value, ok := strings.Cut(text, "=")
		name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		if !ok || name == "" || value == "" {
			return &usageError{fmt.Errorf("%s %q: write %s", flag, text, form)}
		}
		if err := see(name, value); err != nil {
			return err
		}
	}
	return nil
}

func named(name string) func(candidate) bool {
	return func(c candidate) bool { return c.name == name }
}

// meant suggests the provider that somebody meant.
func (s *survey) meant(name string) string {
	var names []string
	for _, list := range [][]candidate{s.runtimes, s.clouds} {
		for i := range list {
			names = append(names, list[i].name)
		}
	}
	if near := nearest.Name(name, names); near != "" {
		return fmt.Sprintf("; did you mean %q?", near)
	}
	return ""
}

// suggested are names for models that are worth one, of what was chosen.
func (s *survey) suggested(c *choices) (names []string, targets map[string]string) {
	targets = map[string]string{}
	add := func(name, target string) {
		if _, ok := targets[name]; !ok {
			names, targets[name] = append(names, name), target
		}
	}
	for i := range s.runtimes {
		r := &s.runtimes[i]
		if !slices.Contains(c.locals, r.name) || len(r.models) < 2 {
			continue
		}
		smallest := &r.models[0]
		for j := range r.models {
			m := &r.models[j]
			if strings.Contains(strings.ToLower(m.ID), "code") {
				add("code", r.name+":"+m.ID)
			}
			if m.SizeBytes > 0 && m.SizeBytes < smallest.SizeBytes {
				smallest = m
			}
		}
		add("fast", r.name+":"+smallest.ID)
	}
	for _, name := range c.clouds {
		if model := c.models[name]; model != "" {
			add("cloud", name+":"+model)
		}
	}
	return names, targets
}

// text is the configuration that the choices make.
func (s *survey) text(c *choices) []byte {
	var b bytes.Buffer
	b.WriteString(`# The configuration of Aratta, written by ` + "`aratta init`" + `. It is yours to edit: a running
# gateway takes changes by itself, and ` + "`aratta config check`" + ` says what they mean.
# No key stands here, and none needs to: keys come from the environment.

[server]
` + c.server() + `
# Local runtimes. They are asked first. Those that are not named here are found by
# themselves when they listen at their usual ports.
`)
	for i := range s.runtimes {
		s.runtimes[i].table(&b, c)
	}
	if len(c.clouds) == 0 {
		b.WriteString("\n# Cloud providers: none, so no conversation leaves this machine. One is on when its table\n# stands here, like [providers.openai], and its key is in the environment.\n")
	} else {
		b.WriteString("\n# Cloud providers, asked when no local model answers. Without their keys they are off.\n")
	}
	for i := range s.clouds {
		if r := &s.clouds[i]; slices.Contains(c.clouds, r.name) {
			fmt.Fprintf(&b, "\n[providers.%s]%s\n", tomlKey(r.name), comment(r.spec.Auth.Env, "   # key: "))
			r.defaultModel(&b, c)
		}
	}
	if len(c.aliases) > 0 {
		b.WriteString("\n# Names for models, to be asked for like models.\n[aliases]\n")
		for _, name := range slices.Sorted(maps.Keys(c.aliases)) {
			fmt.Fprintf(&b, "%s = %s\n", tomlKey(name), tomlString(c.aliases[name]))
		}
	}
	var chain []string
	for _, name := range c.locals {
		chain = append(chain, tomlString(name))
	}
	for _, name := range c.clouds {
		if c.models[name] != "" {
			chain = append(chain, tomlString(name))
		}
	}
	if len(chain) > 0 {
		b.WriteString("\n# Who answers requests that name no model, or \"auto\": the first that can.\n[chains]\n")
		fmt.Fprintf(&b, "default = [%s]\n", strings.Join(chain, ", "))
	}
	return b.Bytes()
}

// server is what stands in [server].
func (c *choices) server() string {
	host, port := `# host = "0.0.0.0"`, "# port = 8084"
	if c.host != "" {
		host = "host = " + tomlString(c.host)
	}
	if c.port != 0 {
		port = fmt.Sprintf("port = %d", c.port)
	}
	return host + "   # this machine needs no key; others need one of ARATTA_API_KEYS\n" + port + "\n"
}

// table writes the table of a runtime, if it needs one.
func (r *candidate) table(b *bytes.Buffer, c *choices) {
	switch {
	case slices.Contains(c.locals, r.name):
		fmt.Fprintf(b, "\n[local.%s]\n", tomlKey(r.name))
		if r.base != "" {
			fmt.Fprintf(b, "base_url = %s\n", tomlString(r.base))
		}
		r.defaultModel(b, c)
	case r.ready:
		fmt.Fprintf(b, "\n[local.%s]\nenabled = false   # it listens, and was not wanted\n", tomlKey(r.name))
	}
}

func (r *candidate) defaultModel(b *bytes.Buffer, c *choices) {
	switch model := c.models[r.name]; {
	case model != "":
		fmt.Fprintf(b, "default_model = %s\n", tomlString(model))
	case r.spec.Zone == provider.ZoneCloud:
		fmt.Fprintf(b, "# default_model = \"...\"   # without one it is asked for its models by name alone\n")
	default:
		fmt.Fprintf(b, "# default_model = %s   # without one the largest that is installed answers\n", tomlString(cmp.Or(r.spec.Example, "...")))
	}
}

func comment(text, before string) string {
	if text == "" {
		return ""
	}
	return before + text
}

// tomlString is a text as TOML has it. JSON's strings are among TOML's.
func tomlString(text string) string {
	b, err := json.Marshal(text)
	if err != nil {
		return `""` // no string is refused
	}
	return string(b)
}

var bareKey = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

// tomlKey is a key as TOML has it.
func tomlKey(name string) string {
	if bareKey.MatchString(name) {
		return name
	}
	return tomlString(name)
}
