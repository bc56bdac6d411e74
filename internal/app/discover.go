package app

import (
	"cmp"
	"context"
	"errors"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/aratta-gateway/aratta/internal/provider"
	"github.com/aratta-gateway/aratta/internal/route"
	"github.com/aratta-gateway/aratta/scri"
)

// discoverFor bounds the look for local runtimes where nothing else is said; who
// listens on loopback answers in a millisecond, and nobody at once.
const discoverFor = 300 * time.Millisecond

// runtimes are the local runtimes that are looked for.
func runtimes() []string { return []string{"ollama", "vllm", "llamacpp", "lmstudio"} }

// discover adds the local runtimes that listen at their usual places and are
// not configured. Ollama is added whether it runs or not: it may be started later.
// Unless they are asked, the others are only noted. Whose usual place is where the
// gateway itself is, or another, is none.
func (s *Snapshot) discover(ctx context.Context, l *Loaded, deps provider.Deps, o BuildOptions) {
	ctx, cancel := context.WithTimeout(ctx, s.lookFor)
	defer cancel()
	own := cmp.Or(o.Port, l.Server.Port)
	names := runtimes()
	found, gateways := make([]*provider.Provider, len(names)), make([]*provider.Provider, len(names))
	var wg sync.WaitGroup
	for i, name := range names {
		if l.mentions(name) {
			continue
		}
		p, err := provider.New(provider.Local, name, provider.Entry{}, deps)
		if err != nil || p.Disabled() != "" || l.listensAt(p, own) {
			continue
		}
		later := name == "ollama"
		switch {
		case !o.Discover && later:
			found[i] = p
			continue
		case !o.Discover:
			s.Sought = append(s.Sought, p)
			continue
		}
		wg.Go(func() {
			switch there, gateway := look(ctx, name, deps); {
			case gateway:
				gateways[i] = p
			case there || later:
				found[i] = p
				return
			}
			p.Close()
		})
	}
	wg.Wait()
	for i, p := range found {
		if p != nil {
			s.Providers = append(s.Providers, p)
		}
		if g := gateways[i]; g != nil {
			s.Warnings = append(s.Warnings, "local."+g.Name()+": at "+g.Host()+" a gateway answers, so it is left alone; a table of that name takes it all the same")
		}
	}
}

// look asks whether a runtime listens at its usual place and has models, or a gateway
// does. What it finds is not remembered: it may be another in a moment.
func look(ctx context.Context, name string, deps provider.Deps) (there, gateway bool) {
	p, err := provider.New(provider.Local, name, provider.Entry{}, deps)
	if err != nil {
		return false, false
	}
	defer p.Close()
	list, err := p.List(provider.WithPermit(ctx, provider.For(p.Zone(), p.Host())))
	return err == nil && len(list) > 0, err == nil && ofGateway(list)
}

// mentions reports whether the configuration speaks of a local runtime.
func (l *Loaded) mentions(kind string) bool {
	if _, ok := l.Local[kind]; ok {
		return true
	}
	if _, ok := l.Providers[kind]; ok {
		return true
	}
	for _, e := range l.Local {
		if e.Type == kind {
			return true
		}
	}
	return false
}

// ofGateway reports whether models are those of a gateway like this one: no runtime
// has such. What it passes on to others would count as local.
func ofGateway(list []scri.ModelInfo) bool {
	has := func(name string) bool {
		return slices.ContainsFunc(list, func(m scri.ModelInfo) bool { return m.ID == name })
	}
	return has(route.NameAuto) && has(route.NameSovereign)
}

// notItself refuses providers whose address is that of the gateway, which would ask
// itself without end: now, where it listens at a port, or at its next start.
func (s *Snapshot) notItself(l *Loaded, port int) error {
	var errs []error
	for _, p := range s.Providers {
		if l.listensAt(p, port) || l.listensAt(p, l.Server.Port) {
			errs = append(errs, &Problem{
				File: l.File, Key: string(p.Kind()) + "." + p.Name() + ".base_url",
				Text: p.Host() + " is where the gateway itself listens, so it would ask itself; one of the two needs another port",
			})
		}
	}
	return l.located(errors.Join(errs...))
}

// listensAt reports whether the gateway, at a port, is what a provider's address
// leads to.
func (l *Loaded) listensAt(p *provider.Provider, port int) bool {
	address, home := p.ProbeURL()
	u, err := url.Parse(address)
	if err != nil || port == 0 || cmp.Or(u.Port(), map[string]string{"http": "80", "https": "443"}[u.Scheme]) != strconv.Itoa(port) {
		return false
	}
	host := u.Hostname()
	at, err := netip.ParseAddr(l.Server.Host)
	switch ip, _ := netip.ParseAddr(host); {
	case err == nil && at.IsUnspecified(), strings.EqualFold(l.Server.Host, "localhost"):
		return home || ip.IsUnspecified()
	case err == nil && at.IsLoopback():
		usual := at == netip.IPv6Loopback() || at == netip.AddrFrom4([4]byte{127, 0, 0, 1})
		return ip == at || usual && (host == "localhost" || ip.IsUnspecified())
	default:
		return strings.EqualFold(host, l.Server.Host)
	}
}
