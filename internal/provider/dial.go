package provider

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"syscall"

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
	if isLoopbackName(host) {
		g.loopback = host
	}
	return g
}

// control is a net.Dialer's ControlContext for connections to the provider.
func (g *guard) control(_ context.Context, _, address string, _ syscall.RawConn) error {
	return g.check(address)
}

// controlProxy is control for connections to the provider's proxy.
func (g *guard) controlProxy(_ context.Context, _, address string, _ syscall.RawConn) error {
	ip, err := dialled(address)
	if err != nil {
		return err
	}
	if isMetadata(ip) {
		return g.refuse(ip, "is a cloud metadata service", "")
	}
	return nil
}

func (g *guard) check(address string) error {
	ip, err := dialled(address)
	if err != nil {
		return err
	}
	switch {
	case isMetadata(ip):
		return g.refuse(ip, "is a cloud metadata service", "")
	case g.zone == ZoneLocal && isPublic(ip):
		return g.refuse(ip, "is public, and zone local does not reach that far", `set zone = "private" or "cloud" for this provider`)
	case g.zone == ZoneCloud && !isPublic(ip) && !g.named(ip):
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

// dialled reads the address that is about to be connected to.
func dialled(address string) (netip.Addr, error) {
	ap, err := netip.ParseAddrPort(address)
	if err != nil {
		return netip.Addr{}, refused("an address that cannot be checked was not dialled", err)
	}
	return embedded4(ap.Addr().Unmap().WithZone("")), nil
}

// embedded4 returns the IPv4 address that a NAT64 or 6to4 address leads to, or ip.
func embedded4(ip netip.Addr) netip.Addr {
	if !ip.Is6() {
		return ip
	}
	b := ip.As16()
	switch {
	case nat64.Contains(ip):
		return netip.AddrFrom4([4]byte(b[12:16]))
	case b[0] == 0x20 && b[1] == 0x02:
		return netip.AddrFrom4([4]byte(b[2:6]))
	default:
		return ip
	}
}

var (
	nat64 = netip.MustParsePrefix("64:ff9b::/96")
	// metadata are the services that hand out a machine's credentials.
	metadata = [...]netip.Addr{
		netip.MustParseAddr("169.254.169.254"), // nearly everybody
		netip.MustParseAddr("169.254.170.2"),   // containers on AWS
		netip.MustParseAddr("169.254.170.23"),
		netip.MustParseAddr("100.100.100.200"), // Alibaba
		netip.MustParseAddr("192.0.0.192"),     // Oracle
		netip.MustParseAddr("fd00:ec2::254"),
		netip.MustParseAddr("fd00:ec2::23"),
		netip.MustParseAddr("fd20:ce::254"), // Google
	}
	// notPublic are ranges beyond those that netip knows by name.
	notPublic = [...]netip.Prefix{
		netip.MustParsePrefix("0.0.0.0/8"),
		netip.MustParsePrefix("100.64.0.0/10"), // carrier-grade NAT, and overlay networks such as Tailscale
		netip.MustParsePrefix("192.0.0.0/24"),
		netip.MustParsePrefix("192.0.2.0/24"),
		netip.MustParsePrefix("198.18.0.0/15"),
		netip.MustParsePrefix("198.51.100.0/24"),
		netip.MustParsePrefix("203.0.113.0/24"),
		netip.MustParsePrefix("240.0.0.0/4"),
		netip.MustParsePrefix("::/96"),
		netip.MustParsePrefix("64:ff9b:1::/48"),
		netip.MustParsePrefix("100::/64"),
		netip.MustParsePrefix("2001:db8::/32"),
		netip.MustParsePrefix("fec0::/10"),
	}
)

func isMetadata(ip netip.Addr) bool {
	for _, m := range metadata {
		if ip == m {
			return true
		}
	}
	return false
}

func isPublic(ip netip.Addr) bool {
	if !ip.IsGlobalUnicast() || ip.IsPrivate() {
		return false // loopback, link-local, multicast, unspecified, RFC 1918, fc00::/7
	}
	for _, p := range notPublic {
		if p.Contains(ip) {
			return false
		}
	}
	return true
}

// isLoopbackName reports whether a host names this machine by itself.
func isLoopbackName(host string) bool {
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}
