package reach_test

import (
	"net/netip"
	"testing"

	"github.com/aratta-gateway/aratta/internal/reach"
)

func TestWhatAddressesLeadTo(t *testing.T) {
	for _, c := range []struct{ address, want string }{
		{"8.8.8.8:443", "public"},
		{"[2606:4700::1111]:443", "public"},
		{"[64:ff9b::808:808]:443", "public"}, // NAT64 of 8.8.8.8
		{"[2002:808:808::1]:443", "public"},  // 6to4 of 8.8.8.8
		{"10.1.2.3:80", "own"},
		{"172.16.0.1:80", "own"},
		{"192.168.1.7:80", "own"},
		{"100.64.9.9:80", "own"}, // carrier-grade NAT
		{"[fd12:3456::1]:80", "own"},
		{"[::ffff:10.0.0.1]:80", "own"},
		{"[64:ff9b::a00:1]:80", "own"},   // NAT64 of 10.0.0.1
		{"[2002:c0a8:101::]:80", "own"},  // 6to4 of 192.168.1.1
		{"127.0.0.1:80", ""},             // loopback
		{"127.1.2.3:80", ""},             //
		{"[::1]:80", ""},                 //
		{"[::ffff:127.0.0.1]:80", ""},    // IPv4 written as IPv6
		{"[2002:7f00:1::1]:80", ""},      // 6to4 of 127.0.0.1
		{"0.0.0.0:80", ""},               // this machine, on most systems
		{"[::]:80", ""},                  //
		{"169.254.7.7:80", ""},           // link-local
		{"[fe80::1%eth0]:80", ""},        //
		{"224.0.0.1:80", ""},             // multicast
		{"[ff02::1]:80", ""},             //
		{"255.255.255.255:80", ""},       // broadcast
		{"240.0.0.1:80", ""},             // reserved
		{"198.18.0.1:80", ""},            // benchmarks
		{"203.0.113.5:80", ""},           // documentation
		{"192.88.99.1:80", ""},           // 6to4 relays
		{"[2001:db8::1]:80", ""},         // documentation
		{"[2001:0:7f00:1::]:80", ""},     // Teredo
		{"[::7f00:1]:80", ""},            // IPv4-compatible
		{"[64:ff9b:1::a00:1]:80", ""},    // NAT64 of one's own
		{"[fec0::1]:80", ""},             // site-local
		{"[100::1]:80", ""},              // discard
		{"[5f00::1]:80", ""},             // segment routing
		{"169.254.169.254:80", "secret"}, // metadata
		{"[::ffff:169.254.169.254]:80", "secret"},
		{"[64:ff9b::a9fe:a9fe]:80", "secret"},
		{"[2002:a9fe:a9fe::]:80", "secret"},
		{"169.254.170.2:80", "secret"},
		{"100.100.100.200:80", "secret"},
		{"192.0.0.192:80", "secret"},
		{"[fd00:ec2::254]:80", "secret"},
		{"[fd20:ce::254]:80", "secret"},
	} {
		ip, err := reach.Dialled(c.address)
		if err != nil {
			t.Errorf("%s: %v", c.address, err)
			continue
		}
		got := ""
		switch {
		case reach.Metadata(ip):
			got = "secret"
		case reach.Public(ip):
			got = "public"
		case reach.Own(ip):
			got = "own"
		}
		if got != c.want {
			t.Errorf("%s is %q, want %q", c.address, got, c.want)
		}
	}
	for _, s := range []string{"", "nonsense", "example.com:80", "1.2.3.4"} {
		if ip, err := reach.Dialled(s); err == nil {
			t.Errorf("%q was read as %s", s, ip)
		}
	}
}

func TestLoopbackNames(t *testing.T) {
	for host, want := range map[string]bool{
		"localhost": true, "LocalHost.": true, "a.localhost": true, "127.0.0.1": true, "::1": true, "::ffff:127.0.0.1": true,
		"localhost.example.com": false, "10.0.0.1": false, "": false,
	} {
		if reach.Loopback(host) != want {
			t.Errorf("%q: want %v", host, want)
		}
	}
}

// No address is two things, and what hides an address is what it hides.
func FuzzPlain(f *testing.F) {
	f.Add([]byte{127, 0, 0, 1})
	f.Add(netip.MustParseAddr("64:ff9b::a00:1").AsSlice())
	f.Add(netip.MustParseAddr("2002:a9fe:a9fe::").AsSlice())
	f.Fuzz(func(t *testing.T, b []byte) {
		raw, ok := netip.AddrFromSlice(b)
		if !ok {
			t.Skip()
		}
		ip := reach.Plain(raw)
		if reach.Public(ip) && (reach.Metadata(ip) || reach.Own(ip) || ip.IsLoopback() || ip.IsLinkLocalUnicast() || ip.IsMulticast() || ip.IsUnspecified()) {
			t.Errorf("%s is public and not public", ip)
		}
		if ip.Is4() {
			v4 := ip.As4()
			nat := netip.MustParseAddr("64:ff9b::").As16()
			copy(nat[12:], v4[:])
			sixtofour := [16]byte{0x20, 0x02, v4[0], v4[1], v4[2], v4[3]}
			for _, hidden := range []netip.Addr{netip.AddrFrom16(ip.As16()), netip.AddrFrom16(nat), netip.AddrFrom16(sixtofour)} {
				if reach.Plain(hidden) != ip {
					t.Errorf("%s hides %s, told as %s", hidden, ip, reach.Plain(hidden))
				}
			}
		}
	})
}
