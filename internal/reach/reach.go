// Package reach tells what a network address leads to: to everybody's network,
// to one's own, to this machine, or to a service that hands out its
// credentials. Whoever dials asks here about the address that is really dialled,
// after names were resolved, and decides by its own rules.
package reach

import (
	"fmt"
	"net/netip"
	"strings"
)

// Dialled reads the address that is about to be connected to, as a dialler's
// Control has it. One that hides another (IPv4 written as IPv6, NAT64, 6to4) is
// told as the one that it leads to.
func Dialled(address string) (netip.Addr, error) {
	ap, err := netip.ParseAddrPort(address)
	if err != nil {
		return netip.Addr{}, fmt.Errorf("an address that cannot be checked: %w", err)
	}
	return Plain(ap.Addr()), nil
}

// Plain is the address that another leads to: without its zone, and IPv4 where
// it only hides in IPv6.
func Plain(ip netip.Addr) netip.Addr { return embedded4(ip.Unmap().WithZone("")) }

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
	// shared is carrier-grade NAT, and overlay networks such as Tailscale.
	shared = netip.MustParsePrefix("100.64.0.0/10")
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
	// unicast6 is all of IPv6 that is given out to anybody.
	unicast6 = netip.MustParsePrefix("2000::/3")
	// notPublic are ranges beyond those that netip knows by name.
	notPublic = [...]netip.Prefix{
		netip.MustParsePrefix("0.0.0.0/8"),
		shared,
		netip.MustParsePrefix("192.0.0.0/24"),
		netip.MustParsePrefix("192.0.2.0/24"),
		netip.MustParsePrefix("192.88.99.0/24"),
		netip.MustParsePrefix("198.18.0.0/15"),
		netip.MustParsePrefix("198.51.100.0/24"),
		netip.MustParsePrefix("203.0.113.0/24"),
		netip.MustParsePrefix("240.0.0.0/4"),
		netip.MustParsePrefix("2001::/23"), // Teredo among others, which hides IPv4
		netip.MustParsePrefix("2001:db8::/32"),
		netip.MustParsePrefix("3fff::/20"),
	}
)

// Metadata reports whether a plain address is a service that hands out the
// credentials of the machine.
func Metadata(ip netip.Addr) bool {
	for _, m := range metadata {
		if ip == m {
			return true
		}
	}
	return false
}

// Public reports whether a plain address is one of the public internet.
func Public(ip netip.Addr) bool {
	if !ip.IsGlobalUnicast() || ip.IsPrivate() || ip.Is6() && !unicast6.Contains(ip) {
		return false // loopback, link-local, multicast, unspecified, RFC 1918, fc00::/7
	}
	for _, p := range notPublic {
		if p.Contains(ip) {
			return false
		}
	}
	return true
}

// Own reports whether a plain address is one of somebody's own network, as
// offices and data centres give them out: neither public nor this machine or
// its link.
func Own(ip netip.Addr) bool { return ip.IsPrivate() || shared.Contains(ip) }

// Loopback reports whether a host, without port, names this machine by itself.
func Loopback(host string) bool {
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}
