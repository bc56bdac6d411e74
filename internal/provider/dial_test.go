package provider

import (
	"testing"
)

// Which zone may dial which address, after names were resolved.
func TestDialGuard(t *testing.T) {
	const no, yes = false, true
	for _, c := range []struct {
		address             string
		local, private, cld bool
	}{
		{"127.0.0.1:80", yes, yes, no},
		{"[::1]:80", yes, yes, no},
		{"0.0.0.0:80", yes, yes, no},
		{"10.1.2.3:443", yes, yes, no},
		{"192.168.1.7:443", yes, yes, no},
		{"172.16.0.1:443", yes, yes, no},
		{"100.64.9.9:443", yes, yes, no},
		{"169.254.7.7:80", yes, yes, no},
		{"[fe80::1%eth0]:80", yes, yes, no},
		{"[fd12:3456::1]:443", yes, yes, no},
		{"[::ffff:10.0.0.1]:443", yes, yes, no},
		{"[::ffff:127.0.0.1]:443", yes, yes, no},
		{"[64:ff9b::a00:1]:443", yes, yes, no},   // NAT64 of 10.0.0.1
		{"[2002:7f00:1::1]:443", yes, yes, no},   // 6to4 of 127.0.0.1
		{"224.0.0.1:443", yes, yes, no},          // multicast
		{"255.255.255.255:443", yes, yes, no},    // broadcast
		{"8.8.8.8:443", no, yes, yes},            // public
		{"[2606:4700::1111]:443", no, yes, yes},  // public
		{"[64:ff9b::808:808]:443", no, yes, yes}, // NAT64 of 8.8.8.8
		{"169.254.169.254:80", no, no, no},
		{"[::ffff:169.254.169.254]:80", no, no, no},
		{"[64:ff9b::a9fe:a9fe]:80", no, no, no},
		{"169.254.170.2:80", no, no, no},
		{"100.100.100.200:80", no, no, no},
		{"[fd00:ec2::254]:80", no, no, no},
		{"nonsense", no, no, no},
	} {
		for zone, want := range map[string]bool{ZoneLocal: c.local, ZonePrivate: c.private, ZoneCloud: c.cld} {
			err := newGuard("p", zone, "api.example").check(c.address)
			if (err == nil) != want {
				t.Errorf("%s from zone %s: %v, want allowed = %v", c.address, zone, err, want)
			}
		}
	}
}

// A cloud provider whose base_url names loopback reaches that, and no more.
func TestDialGuardOpensTheNamedLoopbackOnly(t *testing.T) {
	for _, c := range []struct {
		host, address string
		want          bool
	}{
		{"127.0.0.1", "127.0.0.1:9000", true},
		{"127.0.0.1", "127.0.0.2:9000", false},
		{"127.0.0.1", "[::1]:9000", false},
		{"localhost", "127.0.0.1:9000", true},
		{"localhost", "[::1]:9000", true},
		{"sim.localhost", "127.0.0.1:9000", true},
		{"localhost", "10.0.0.1:9000", false},
		{"::1", "[::1]:9000", true},
		{"::1", "127.0.0.1:9000", false},
		{"10.0.0.1", "10.0.0.1:9000", false},
		{"localhost.example", "127.0.0.1:9000", false},
		{"notlocalhost", "127.0.0.1:9000", false},
	} {
		err := newGuard("p", ZoneCloud, c.host).check(c.address)
		if (err == nil) != c.want {
			t.Errorf("base %s, dialled %s: %v, want allowed = %v", c.host, c.address, err, c.want)
		}
	}
}

func TestProxyMayStandAnywhereButAtMetadata(t *testing.T) {
	g := newGuard("p", ZoneCloud, "api.example")
	for address, want := range map[string]bool{
		"127.0.0.1:3128": true, "10.0.0.1:3128": true, "8.8.8.8:3128": true, "169.254.169.254:80": false,
	} {
		if err := g.controlProxy(t.Context(), "tcp", address, nil); (err == nil) != want {
			t.Errorf("%s: %v, want allowed = %v", address, err, want)
		}
	}
}
