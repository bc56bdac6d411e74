package app

import (
	"fmt"
	"slices"
	"strings"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/scri"
)

// relayKind is a kind of request that is passed on, with what is said of it.
type relayKind struct {
	op scri.Op
	*RelayKind
	mostMB int // by default, of its bodies; 0 = as much as of a chat's
}

// kinds lists them all.
func (c *RelayConfig) kinds() []relayKind {
	return []relayKind{
		{scri.OpAudio, &c.Audio, 128},
		{scri.OpImages, &c.Images, 128},
		{scri.OpModerations, &c.Moderations, 0},
		{scri.OpRerank, &c.Rerank, 0},
		{scri.OpFiles, &c.Files, 512},
		{scri.OpBatches, &c.Batches, 256},
	}
}

const mostRelayMB = 16 << 10

// checkRelays refuses limits that are none, and fills in defaults.
func (l *Loaded) checkRelays(bad func(key, format string, args ...any)) {
	for _, k := range l.Relay.kinds() {
		if k.MaxBodyMB == 0 {
			if k.MaxBodyMB = k.mostMB; k.mostMB == 0 {
				k.MaxBodyMB = l.Server.MaxBodyMB
			}
		}
		if k.MaxBodyMB < 1 || k.MaxBodyMB > mostRelayMB {
			bad("relay."+string(k.op)+".max_body_mb", "%d is not between 1 and %d", k.MaxBodyMB, mostRelayMB)
		}
	}
}

// bodies is how large what is passed on may be.
func (c *RelayConfig) bodies() map[scri.Op]int64 {
	out := map[scri.Op]int64{}
	for _, k := range c.kinds() {
		out[k.op] = int64(k.MaxBodyMB) << 20
	}
	return out
}

// relays settles who carries what names no model, and warns of what leads to
// nobody who can.
func (s *Snapshot) relays(l *Loaded) map[scri.Op]string {
	out := map[scri.Op]string{}
	for _, k := range l.Relay.kinds() {
		if k.Target == "" {
			continue
		}
		owner := s.Router.Owner(k.Target)
		warn := func(format string, args ...any) {
			s.Warnings = append(s.Warnings, l.placed("relay."+string(k.op)+".target: "+fmt.Sprintf(format, args...)))
		}
		if owner == "" {
			warn("%q is not used: it is no provider that is on, nor a model of one", k.Target)
			continue
		}
		for _, p := range s.Providers {
			if p.Name() == owner && p.Dialect() != "native" && !slices.Contains(takers(k.op), p.Dialect()) {
				warn("%q speaks %s, and only %s have such", owner, p.Dialect(), strings.Join(takers(k.op), ", "))
			}
		}
		out[k.op] = k.Target
	}
	return out
}

// takers are the dialects of providers that have some path of a kind.
func takers(op scri.Op) (list []string) {
	for _, p := range dialect.Passages() {
		if p.Op == op {
			list = append(list, p.Takers...)
		}
	}
	if op == scri.OpFiles {
		list = append(list, "anthropic")
	}
	slices.Sort(list)
	return slices.Compact(list)
}
