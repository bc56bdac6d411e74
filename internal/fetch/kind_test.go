package fetch

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/aratta-gateway/aratta/internal/reach"
)

func TestSettle(t *testing.T) {
	const jpeg, pdf, html = "\xff\xd8\xff\xe0....", "%PDF-1.7 ...", "<html><body>"
	for _, c := range []struct{ declared, head, want, is string }{
		{"image/png", png, "image/*", "image/png"},
		{"image/png", png, "image/jpeg", "image/png"}, // the kind is what matters
		{"image/jpeg", png, "", "image/png"},
		{"", jpeg, "image/*", "image/jpeg"},
		{"application/octet-stream", jpeg, "image/*", "image/jpeg"},
		{"image/webp; q=1", "RIFF....WEBPVP8 ", "image/*", "image/webp"},
		{"image/avif", "\x00\x00\x00\x20ftypavif....", "image/*", "image/avif"},
		{"application/pdf", pdf, "application/pdf", "application/pdf"},
		{"application/pdf", pdf, "", "application/pdf"},
		{"audio/x-wav", "RIFF....WAVEfmt ", "audio/*", "audio/wav"},
		{"audio/mpeg", "ID3\x04....", "audio/mpeg", "audio/mpeg"},
		{"audio/mpeg", "\xff\xfb\x90\x00....", "audio/mpeg", "audio/mpeg"},
		{"audio/flac", "fLaC....", "", "audio/flac"},
		{"video/mp4", "\x00\x00\x00\x14ftypmp42........", "", "video/mp4"},
		{"text/csv; charset=utf-8", "a,b\n1,2\n", "text/plain", "text/csv"},
		{"application/json", `{"a":1}`, "text/plain", "application/json"},
		{"text/plain", "half a rune \xd0", "", "text/plain"},
		{"text/plain", png, "", ""},
		{"text/plain", "no text \xff\xfe\x00 at all", "", ""},
		{"image/svg+xml", "<svg xmlns='...'>", "image/*", ""},
		{"text/html", html, "", ""},
		{"image/png", html, "image/*", ""},
		{"image/png", pdf, "image/*", ""},
		{"application/pdf", png, "image/*", ""},
		{"application/zip", "PK\x03\x04....", "", ""},
		{"", "", "", ""},
		{"nonsense; ;", "who knows", "", ""},
	} {
		is, why := settle(c.declared, []byte(c.head), c.want)
		if is != c.is || (why == "") != (is != "") {
			t.Errorf("%q beginning with %.12q, wanted %q: %q (%s), want %q", c.declared, c.head, c.want, is, why, c.is)
		}
	}
}

// Whatever a server says: what is taken is of the wanted kind, and no page.
func FuzzSettle(f *testing.F) {
	f.Add("image/png", []byte(png), "image/*")
	f.Add("text/html", []byte("<html>"), "")
	f.Add("text/plain", []byte("caf\xc3"), "text/plain")
	f.Fuzz(func(t *testing.T, declared string, head []byte, want string) {
		is, why := settle(declared, head, want)
		switch {
		case (is == "") == (why == ""):
			t.Errorf("%q and %q: neither taken nor refused, or both", is, why)
		case is != "" && strings.HasPrefix(want, "image/") && !strings.HasPrefix(is, "image/"):
			t.Errorf("%s taken for an image", is)
		case is == "text/html":
			t.Error("a page was taken")
		case strings.ContainsFunc(why, func(r rune) bool { return r < ' ' }):
			t.Errorf("%q holds control characters", why)
		}
	})
}

// Whatever an address looks like, what is fetched from is the web, and public.
func FuzzParse(f *testing.F) {
	for _, s := range []string{"http://a/b", "HTTPS://1.2.3.4:443/", "http://[::1%25lo]:80/", "http://u:p@h/", "file:///x", "http://0x7f.1/", "http://h:65536/"} {
		f.Add(s, []byte{127, 0, 0, 1})
	}
	fetcher := New(Options{})
	f.Fuzz(func(t *testing.T, s string, raw []byte) {
		u, err := fetcher.parse(Anywhere, s)
		if err == nil && (u.Scheme != "http" && u.Scheme != "https" || u.User != nil || u.Hostname() == "" || u.Fragment != "") {
			t.Errorf("%q is taken as %s", s, u)
		}
		if _, err := fetcher.parse(Near, s); err == nil {
			t.Errorf("%q is near, and nobody said so", s)
		}
		if ip, ok := netip.AddrFromSlice(raw); ok && fetcher.check(Anywhere, "h", netip.AddrPortFrom(ip, 80).String()) == nil && !reach.Public(reach.Plain(ip)) {
			t.Errorf("%s is dialled", ip)
		}
	})
}
