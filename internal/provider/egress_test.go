package provider

import (
	"bufio"
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/aratta-gateway/aratta/internal/reach"
	"github.com/aratta-gateway/aratta/scri"
)

// Without a permit for this zone and host nothing is dialled, whatever is asked.
func TestNothingLeavesWithoutPermit(t *testing.T) {
	net := &memory{serve: func(net.Conn, *bufio.Reader) {}}
	p := build(t, Local, "rt", Entry{Dialect: "runtime", BaseURL: "http://gpu2.lan:11434"}, Deps{Dial: net.dial})
	var nobody Permit
	for name, ctx := range map[string]context.Context{
		"none":       t.Context(),
		"nil":        WithPermit(t.Context(), nobody),
		"other zone": WithPermit(t.Context(), For(ZoneCloud, "gpu2.lan:11434")),
		"other host": WithPermit(t.Context(), For(ZoneLocal, "gpu3.lan:11434")),
		"no port":    WithPermit(t.Context(), For(ZoneLocal, "gpu2.lan")),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := chat(ctx, p, false)
			wantError(t, err, scri.ErrPolicy)
			_, err = chat(ctx, p, true)
			wantError(t, err, scri.ErrPolicy)
			_, err = p.Probe(ctx)
			wantError(t, err, scri.ErrPolicy)
			if m := p.Models(ctx); m != nil {
				t.Errorf("got models %v", m)
			}
			p.Show(ctx, "m")
			p.Loaded(ctx)
		})
	}
	if net.dials != 0 {
		t.Errorf("%d connections were made", net.dials)
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	followed := false
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { followed = true }))
	t.Cleanup(elsewhere.Close)
	for _, status := range []int{301, 302, 303, 307, 308} {
		p := serve(t, func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, elsewhere.URL+"/x?token=hush", status)
		})
		_, err := chat(allowed(t, p), p, false)
		e := wantError(t, err, scri.ErrUnavailable, "redirects to "+elsewhere.URL, "base_url")
		if e.Provider != "test" || e.Status != status {
			t.Errorf("provider %q, status %d", e.Provider, e.Status)
		}
		notIn(t, "hush", e.Error(), e.Hint)
	}
	if followed {
		t.Error("a redirect was followed")
	}
}

// The address is checked when it is dialled: a public name may lead inside.
func TestCloudNameThatLeadsInside(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the server was reached") }))
	t.Cleanup(srv.Close)
	_, port, err := net.SplitHostPort(srv.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	for host, zone := range map[string]string{"0.0.0.0": ZoneCloud, "[::ffff:127.0.0.1]": ZoneCloud} {
		p := build(t, Remote, "test", Entry{Dialect: "plain", BaseURL: "http://" + host + ":" + port, Zone: zone}, Deps{})
		if reach.Loopback(p.address.base.Hostname()) {
			continue // this spelling names loopback, and so opens it
		}
		_, err := chat(allowed(t, p), p, false)
		wantError(t, err, scri.ErrPolicy, "not public", `zone = "private"`)
	}
	p := build(t, Remote, "test", Entry{Dialect: "plain", BaseURL: "http://169.254.169.254", Zone: ZonePrivate}, Deps{})
	_, err = chat(allowed(t, p), p, false)
	wantError(t, err, scri.ErrPolicy, "metadata")
}
