package gateway

import (
	"context"
	"sync"
	"time"

	"github.com/aratta-gateway/aratta/internal/provider"
	"github.com/aratta-gateway/aratta/scri"
)

const (
	probeFor     = 5 * time.Second
	probesAtOnce = 8
	probedFor    = 2 * time.Second // so long a finding is told again, however many ask
)

// probed is what was found last.
type probed struct {
	turn chan struct{} // has room for the one who probes, or reads what was found
	at   time.Time
	list []scri.ProviderHealth
}

// Health probes all providers, which costs no tokens and sends nobody's data. The
// list is theirs in the order of the configuration. It is at most two seconds old;
// nil if ctx ended while another was probing.
func (g *Gateway) Health(ctx context.Context) []scri.ProviderHealth {
	select {
	case g.probed.turn <- struct{}{}:
	case <-ctx.Done():
		return nil
	}
	defer func() { <-g.probed.turn }()
	if g.probed.list != nil && g.now().Sub(g.probed.at) < probedFor {
		return g.probed.list
	}
	// Others may be waiting for it, so that the first who asks must not end it by leaving.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), probeFor)
	defer cancel()
	list := make([]scri.ProviderHealth, len(g.list))
	var wg sync.WaitGroup
	room := make(chan struct{}, probesAtOnce)
	for i, p := range g.list {
		wg.Go(func() {
			room <- struct{}{}
			defer func() { <-room }()
			list[i] = probe(ctx, p)
		})
	}
	wg.Wait()
	g.probed.at, g.probed.list = g.now(), list
	return list
}

func probe(ctx context.Context, p *provider.Provider) scri.ProviderHealth {
	h := scri.ProviderHealth{Provider: p.Name(), Zone: p.Zone(), Dialect: p.Dialect()}
	found, err := p.Probe(provider.WithPermit(ctx, provider.For(p.Zone(), p.Host())))
	if found != nil {
		h.TookMS = float64(found.Took.Microseconds()) / 1000
	}
	if err == nil {
		h.Up = true
		return h
	}
	e := scri.AsError(err)
	h.Kind, h.Error, h.Hint = string(e.Kind), e.Message, e.Hint
	return h
}
