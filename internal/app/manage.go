package app

import (
	"errors"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/aratta-gateway/aratta/internal/provider"
	"github.com/aratta-gateway/aratta/internal/steward"
)

// local runtimes that the gateway starts itself, and stops with itself.
type ownRuntime struct {
	name    string
	command []string
	listen  string // where it shall listen, for those that are told by the environment
	probe   string
}

func (r *ownRuntime) equal(o *ownRuntime) bool {
	return r.name == o.name && slices.Equal(r.command, o.command) && r.listen == o.listen && r.probe == o.probe
}

// ownRuntime is how a provider's runtime is started.
func (l *Loaded) ownRuntime(p *provider.Provider) (*ownRuntime, error) {
	key, e := string(p.Kind())+"."+p.Name(), p.Entry()
	bad := func(key, text string) error { return &Problem{File: l.File, Key: key, Text: text} }
	probe, home := p.ProbeURL()
	switch {
	case p.Kind() != provider.Local || !home || !strings.HasPrefix(probe, "http://"):
		return nil, bad(key+".manage", "a runtime is started under [local] alone, where base_url is http:// and on this machine")
	case len(e.Command) > 0 && e.Command[0] == "":
		return nil, bad(key+".command", "the first is the program: command = [\"llama-server\", \"-m\", \"FILE.gguf\"]")
	}
	r := &ownRuntime{name: p.Name(), command: e.Command, probe: probe}
	if p.Dialect() == "ollama" {
		r.listen = p.Host()
		if len(r.command) == 0 {
			r.command = []string{"ollama", "serve"}
		}
	}
	if len(r.command) == 0 {
		return nil, bad(key+".manage", "say how it is started: command = [\"llama-server\", \"-m\", \"FILE.gguf\", \"--port\", \"8080\"]")
	}
	return r, nil
}

// runtimes notes what the configuration wants to be started.
func (s *Snapshot) runtimes(l *Loaded) error {
	var errs []error
	for _, p := range s.Providers {
		key, e := string(p.Kind())+"."+p.Name(), p.Entry()
		if !e.Manage {
			if len(e.Command) > 0 {
				s.Warnings = append(s.Warnings, key+".command: has no effect without manage = true")
			}
			continue
		}
		r, err := l.ownRuntime(p)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		if _, err := exec.LookPath(r.command[0]); err != nil {
			s.Warnings = append(s.Warnings, key+".manage: "+r.command[0]+" is not found, so it cannot be started; install it, or name its file in command")
		}
		s.Own = append(s.Own, r)
	}
	return l.located(errors.Join(errs...))
}

// kept is a runtime that is seen to, as long as a configuration that serves wants it.
type kept struct {
	*ownRuntime
	holders // the configurations that want it
	steward *steward.Steward
}

// keep sees to the runtimes of next. Those that are seen to already stay; one that is
// started in another way, or that is just being stopped, is started when the one
// before is over.
func (g *live) keep(next *running) {
	g.runtimes = slices.DeleteFunc(g.runtimes, func(k *kept) bool { return over(k.steward.Done()) })
	for _, r := range next.Own {
		k := g.newest(r.name)
		if k == nil || !k.equal(r) || !k.hold() {
			o := steward.Options{Name: r.name, Command: r.command, Env: childEnv(os.Environ(), r.listen, next.Config.keysBeside(r.name)), Probe: r.probe, Log: g.log}
			if k != nil {
				o.After = k.steward.Done()
			}
			k = &kept{ownRuntime: r, steward: steward.Keep(o)}
			k.n.Store(1)
			g.runtimes = append(g.runtimes, k)
		}
		next.kept = append(next.kept, k)
	}
}

// newest is the runtime of a name that was started last, nil if none is left.
func (g *live) newest(name string) *kept {
	for _, k := range slices.Backward(g.runtimes) {
		if k.name == name {
			return k
		}
	}
	return nil
}

func over(done <-chan struct{}) bool {
	select {
	case <-done:
		return true
	default:
		return false
	}
}

// unkeep lets go of the runtimes of a snapshot. Those that nobody wants any more are
// stopped.
func (r *running) unkeep() {
	for _, k := range r.kept {
		if k.letGo() {
			r.closing.Go(k.steward.Stop)
		}
	}
}

// startWait is how long the first requests wait for the gateway's own runtimes.
const startWait = 15 * time.Second

// awaitRuntimes waits until what is started answers, though not for ever: a large
// model takes minutes, and others may answer meanwhile.
func (r *running) awaitRuntimes(stop <-chan struct{}) {
	if len(r.kept) == 0 {
		return
	}
	late := time.NewTimer(startWait)
	defer late.Stop()
	for _, k := range r.kept {
		select {
		case <-k.steward.Ready():
		case <-late.C:
			return
		case <-stop:
			return
		}
	}
}

// childEnv is the environment of a runtime: the gateway's own without its secrets,
// and where to listen.
func childEnv(all []string, listen string, keys []string) []string {
	env := slices.DeleteFunc(slices.Clone(all), func(pair string) bool {
		name, _, _ := strings.Cut(pair, "=")
		return secret(name) || slices.Contains(keys, name) || listen != "" && name == "OLLAMA_HOST"
	})
	if listen != "" {
		env = append(env, "OLLAMA_HOST="+listen)
	}
	return env
}

// keysBeside are the variables in which the keys of all but one provider are, by the
// configuration.
func (l *Loaded) keysBeside(one string) (list []string) {
	for _, table := range []map[string]provider.Entry{l.Local, l.Providers} {
		for name, e := range table {
			if name != one && e.APIKeyEnv != "" {
				list = append(list, e.APIKeyEnv)
			}
		}
	}
	return list
}

// secret reports whether a variable is for this program alone: keys of providers and
// clients. Runtimes have some of their own.
func secret(name string) bool {
	parts := strings.Split(strings.ToUpper(name), "_")
	switch parts[0] {
	case "OLLAMA", "LLAMA", "VLLM", "HF", "SGLANG", "LOCALAI":
		return false
	case "ARATTA":
		return true
	}
	return slices.ContainsFunc(parts, func(part string) bool {
		switch part {
		case "KEY", "KEYS", "APIKEY", "TOKEN", "SECRET", "PASSWORD", "CREDENTIALS", "HEADERS":
			return true
		default:
			return false
		}
	})
}
