package provider

import (
	"context"
	"fmt"
	"net/netip"
	"syscall"

	"github.com/aratta-gateway/aratta/internal/reach"
	"github.com/aratta-gateway/aratta/internal/sock"
	"github.com/aratta-gateway/aratta/scri"
)

// guard checks the addresses that a provider's connections are made to, after
// names were resolved. See the package comment for its rules.
type guard struct {
	provider string
	zone     string
	loopback string // the loopback host that base_url itself names, or ""
}

// newGuard builds the guard of a provider with this base host (without port).
func newGuard(provider, zone, host string) *guard {
	g := &guard{provider: provider, zone: zone}
	if reach.Loopback(host) {
		g.loopback = host
	}
	return g
}

// control is a net.Dialer's ControlContext for connections to the provider.
func (g *guard) control(_ context.Context, _, address string, c syscall.RawConn) error {
	if err := g.check(address); err != nil {
		return err
	}
	if ip, err := reach.Dialled(address); err == nil && ip.IsLoopback() {
		sock.Unpace(c)
	}
	return nil
}

// controlProxy is control for connections to the provider's proxy.
func (g *guard) controlProxy(_ context.Context, _, address string, _ syscall.RawConn) error {
	ip, err := reach.Dialled(address)
	if err != nil {
		return refused("an address that cannot be checked was not dialled", err)
	}
	if reach.Metadata(ip) {
		return g.refuse(ip, "is a cloud metadata service", "")
	}
	return nil
}

func (g *guard) check(address string) error {
	ip, err := reach.Dialled(address)
	if err != nil {
		return refused("an address that cannot be checked was not dialled", err)
	}
	switch {
	case reach.Metadata(ip):
		return g.refuse(ip, "is a cloud metadata service", "")
	case g.zone == ZoneLocal && reach.Public(ip):
		return g.refuse(ip, "is public, and zone local does not reach that far", `set zone = "private" or "cloud" for this provider`)
	case g.zone == ZoneCloud && !reach.Public(ip) && !g.named(ip):
		return g.refuse(ip, "is not public, and zone cloud reaches public addresses only", `set zone = "private" if this server is your own`)
	default:
		return nil
	}
}

// named reports whether ip is the loopback host that base_url names.
func (g *guard) named(ip netip.Addr) bool {
	if g.loopback == "" || !ip.IsLoopback() {
		return false
	}
	literal, err := netip.ParseAddr(g.loopback)
	return err != nil || literal.Unmap() == ip
}

func (g *guard) refuse(ip netip.Addr, why, hint string) error {
	return &scri.Error{Kind: scri.ErrPolicy, Provider: g.provider, Message: fmt.Sprintf("address %s %s", ip, why), Hint: hint}
}
