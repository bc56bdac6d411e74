package provider

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/scri"
)

// Param is something that an entry's addresses and headers hold and that every
// user has his own of: a project, a region, a resource. It stands there as
// {name}.
type Param struct {
	Env     string            `yaml:"env"`     // environment variable that holds it, where the configuration does not
	Default string            `yaml:"default"` // may hold other params
	By      string            `yaml:"by"`      // another param, for whose values Cases has the value of this one
	Cases   map[string]string `yaml:"cases"`
}

// params are the values of an entry's params.
type params map[string]string

// findParams settles the values: the configuration's, else the environment's,
// else what the entry says. missing says, for people, which have none.
func findParams(spec *Spec, own map[string]string, lookup func(string) (string, bool)) (v params, missing string, err error) {
	for name := range own {
		if _, ok := spec.Params[name]; !ok {
			known := slices.Sorted(maps.Keys(spec.Params))
			return nil, "", at("params", invalidf("", "params.%s is nothing that %s takes%s", name, spec.Name, maybe(name, known)))
		}
	}
	v = params{}
	for _, name := range slices.Sorted(maps.Keys(spec.Params)) {
		p := spec.Params[name]
		if s := strings.TrimSpace(own[name]); s != "" {
			v[name] = s
		} else if s, ok := lookup(p.Env); ok && p.Env != "" && strings.TrimSpace(s) != "" {
			v[name] = strings.TrimSpace(s)
		}
		if err := plainParam(name, v[name]); err != nil {
			return nil, "", err
		}
	}
	for range spec.Params { // those that hold others, whatever the order
		for name, p := range spec.Params {
			v.settle(name, p)
		}
	}
	return v, v.missing(spec), nil
}

// settle gives a param without a value the one that follows from the others.
func (v params) settle(name string, p Param) {
	if v[name] != "" {
		return
	}
	if s, ok := p.Cases[v[p.By]]; ok && v[p.By] != "" {
		v[name] = s
	} else if s := v.fill(p.Default); !strings.Contains(s, "{") {
		v[name] = s
	}
}

// missing says which params have no value, and how to set them.
func (v params) missing(spec *Spec) string {
	var wanting []string
	for _, name := range slices.Sorted(maps.Keys(spec.Params)) {
		if p := spec.Params[name]; v[name] == "" && p.By == "" {
			how := "set params." + name
			if p.Env != "" {
				how += ", or the environment variable " + p.Env
			}
			wanting = append(wanting, fmt.Sprintf("no %s: %s", name, how))
		}
	}
	return strings.Join(wanting, "; ")
}

// plainParam refuses values that would be more than a part of an address.
func plainParam(name, value string) error {
	if i := strings.IndexFunc(value, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("-_.", r)
	}); i >= 0 || strings.Contains(value, "..") {
		return at("params", invalidf("", "params.%s may hold letters, digits, '-', '_' and '.' alone", name))
	}
	return nil
}

// fill writes the values into a text. What has none stays as it stands.
func (v params) fill(text string) string {
	if !strings.Contains(text, "{") {
		return text
	}
	for name, value := range v {
		if value != "" {
			text = strings.ReplaceAll(text, "{"+name+"}", value)
		}
	}
	return text
}

// unset is an address with something in the place of each param that has no value,
// so that it can be read.
func unset(text string) string {
	for {
		i := strings.IndexByte(text, '{')
		n := strings.IndexByte(text[max(i, 0):], '}')
		if i < 0 || n < 0 {
			return text
		}
		text = text[:i] + "unset" + text[i+n+1:]
	}
}

// apply writes the values into all of an entry that may hold params.
func (v params) apply(s *Spec) {
	s.BaseURL, s.Auth.TokenURL, s.Auth.Scope = v.fill(s.BaseURL), v.fill(s.Auth.TokenURL), v.fill(s.Auth.Scope)
	for _, m := range []map[string]string{s.Headers, s.Auth.Form, s.Paths} { // clones, see Spec.clone
		for k, text := range m {
			m[k] = v.fill(text)
		}
	}
	for i := range s.Models {
		s.Models[i].Wire = v.fill(s.Models[i].Wire)
	}
}

// wire is the name by which the provider itself knows a model.
func (p *Provider) wire(model string) string {
	if !p.wired {
		return model
	}
	if m, ok := p.spec.Model(model); ok && m.Wire != "" {
		return m.Wire
	}
	return model
}

// reroute gives a request the path that the provider has in place of the
// dialect's own. To do it twice does no harm.
func (p *Provider) reroute(out *dialect.Outgoing, model string) error {
	if len(p.spec.Paths) == 0 {
		return nil
	}
	path, query, asks := strings.Cut(out.Path, "?")
	to, ok := p.spec.Paths[path]
	if !ok {
		for from, prefix := range p.spec.Paths {
			if rest, cut := strings.CutPrefix(path, from); cut && strings.HasSuffix(from, "/") {
				to, ok = prefix+rest, true
				break
			}
		}
	}
	switch {
	case !ok:
		return nil
	case to == "":
		return &scri.Error{Kind: scri.ErrUnsupported, Message: "the provider has nothing at " + path}
	case strings.Contains(to, "{model}") && model == "":
		return &scri.Error{Kind: scri.ErrUnsupported, Message: "the provider wants a model's name in the path"}
	}
	to = strings.ReplaceAll(to, "{model}", strings.ReplaceAll(url.PathEscape(model), "..", "%2E%2E"))
	if asks {
		if strings.Contains(to, "?") {
			to += "&" + query
		} else {
			to += "?" + query
		}
	}
	out.Path = to
	return nil
}
