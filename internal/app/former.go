package app

import (
	"cmp"
	"fmt"
	"maps"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/aratta-gateway/aratta/internal/provider"
	"github.com/aratta-gateway/aratta/internal/reach"
	"github.com/aratta-gateway/aratta/scri"
)

// former is the configuration that stands there already: what it says is what a
// person is proposed to say again.
type former struct{ *Loaded }

// inFile is an environment in which the file's own address of the gateway stands.
func (e Env) inFile() Env {
	return func(name string) (string, bool) {
		if name == "ARATTA_HOST" || name == "ARATTA_PORT" {
			return "", false
		}
		return e(name)
	}
}

// entry is what it says of a runtime or a cloud provider by its usual name.
func (f former) entry(table map[string]provider.Entry, name string) (e provider.Entry, named bool) {
	e, named = table[name]
	if e.Type != "" && e.Type != name {
		return provider.Entry{}, false
	}
	return e, named
}

// wants reports whether an entry is on as far as the file says.
func wants(e *provider.Entry) bool { return e.Enabled == nil || *e.Enabled }

// propose puts what it says in place of what nobody would be surprised by.
func (f former) propose(s *survey, c *choices) {
	c.locals, c.clouds = nil, nil
	for i := range s.runtimes {
		r := &s.runtimes[i]
		e, named := f.entry(f.Local, r.name)
		if named && wants(&e) || !named && r.ready {
			c.locals = append(c.locals, r.name)
		}
		switch model, installed := r.has(e.DefaultModel); {
		case e.DefaultModel == "":
		case installed:
			c.models[r.name] = model
		case r.ready:
			s.notes = append(s.notes, fmt.Sprintf("%s: the model %s of the file that stands there is not installed", r.name, e.DefaultModel))
		default:
			c.models[r.name] = e.DefaultModel
		}
	}
	for i := range s.clouds {
		r := &s.clouds[i]
		e, named := f.entry(f.Providers, r.name)
		if !named || !wants(&e) {
			continue
		}
		c.clouds = append(c.clouds, r.name)
		if model := e.DefaultModel; model != "" {
			c.models[r.name] = model
			if !slices.ContainsFunc(r.models, func(m scri.ModelInfo) bool { return m.ID == model }) {
				r.models = append([]scri.ModelInfo{{ID: model}}, r.models...) // the catalogue need not know it
			}
		}
	}
	for name, target := range f.Aliases {
		c.aliases[name] = cmp.Or(c.aliases[name], target)
	}
	slices.SortStableFunc(s.clouds, func(a, b candidate) int { // what is proposed is seen
		return cmp.Compare(rank(slices.Contains(c.clouds, a.name)), rank(slices.Contains(c.clouds, b.name)))
	})
	if _, said := f.places["server.host"]; said {
		c.host = f.Server.Host
	}
	if _, said := f.places["server.port"]; said {
		c.port = f.Server.Port
	}
}

// lost lists the keys of the file that the questions do not ask for, so that a new
// file has none of them.
func (f former) lost(s *survey) (keys []string) {
	asked := map[string]bool{"aliases": true, "chains": true, "chains.default": true, "server": true, "server.host": true, "server.port": true, "local": true, "providers": true}
	for table, list := range map[string][]candidate{"local": s.runtimes, "providers": s.clouds} {
		for i := range list {
			at := table + "." + list[i].name
			asked[at], asked[at+".default_model"], asked[at+".enabled"] = true, true, true
			asked[at+".base_url"] = table == "local"
		}
	}
	for _, key := range slices.Sorted(maps.Keys(f.places)) {
		inside := len(keys) > 0 && strings.HasPrefix(key, keys[len(keys)-1]+".")
		if !asked[key] && !inside && !strings.HasPrefix(key, "aliases.") {
			keys = append(keys, key)
		}
	}
	return keys
}

// ollamaPort is where Ollama listens unless it is told otherwise.
const ollamaPort = "11434"

// ollamaHost is where Ollama listens by its own variable, as an address to ask it at,
// or "" where that is not set. It is read as Ollama reads it.
func ollamaHost(env Env) (string, error) {
	given, _ := env("OLLAMA_HOST")
	text := strings.Trim(strings.TrimSpace(given), `"'`)
	if text == "" {
		return "", nil
	}
	scheme, rest, ok := strings.Cut(text, "://")
	port := map[string]string{"http": "80", "https": "443"}[scheme]
	if !ok {
		scheme, rest, port = "http", text, ollamaPort
	}
	rest, path, _ := strings.Cut(rest, "/")
	host, own, err := net.SplitHostPort(rest)
	if err != nil {
		host, own = strings.Trim(rest, "[]"), port
	}
	u := &url.URL{Scheme: scheme, Path: strings.TrimRight("/"+path, "/")}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1" // it listens at every address
	}
	u.Host = net.JoinHostPort(host, own)
	if n, err := strconv.Atoi(own); err != nil || n < 1 || n > mostPort || port == "" {
		return "", fmt.Errorf("OLLAMA_HOST=%s is no address", oneLine(given))
	}
	return u.String(), nil
}

// usualOllama reports whether an address is where Ollama listens anyway.
func usualOllama(base string) bool {
	u, err := url.Parse(base)
	return err == nil && u.Scheme == "http" && reach.Loopback(u.Hostname()) && u.Port() == ollamaPort && u.Path == ""
}
