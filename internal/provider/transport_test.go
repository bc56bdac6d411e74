package provider

import (
	"compress/gzip"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aratta-gateway/aratta/scri"
)

func TestChatWholeAndStreamed(t *testing.T) {
	p := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || r.ContentLength != int64(len(body)) {
			t.Errorf("Content-Length %d of %d bytes, %v", r.ContentLength, len(body), err)
		}
		w.Header().Set("X-Request-Id", "up-1")
		if strings.Contains(string(body), `"stream":true`) {
			w.Header().Set("Content-Type", "text/event-stream")
			fmt.Fprint(w, "one \ntwo\nEND\n")
			return
		}
		fmt.Fprint(w, `{"text":"whole"}`)
	})
	s, info, err := p.Chat(allowed(t, p), &scri.ChatRequest{}, &Call{Model: "m"})
	if err != nil {
		t.Fatal(err)
	}
	if info.Model != "m" || info.Status != 200 || info.UpstreamID != "up-1" || info.FirstByte <= 0 {
		t.Errorf("info %+v", info)
	}
	if r := scri.Whole(s); r == nil || r.Provider != "test" || r.Model != "m" {
		t.Errorf("whole answer %+v", r)
	}
	if text, err := drainText(s); text != "whole" || err != nil {
		t.Errorf("%q, %v", text, err)
	}
	if text, err := chat(allowed(t, p), p, true); text != "one two" || err != nil {
		t.Errorf("%q, %v", text, err)
	}
}

// A server that was asked for a stream may answer in one piece, and the other
// way round.
func TestAnswersOfTheOtherKind(t *testing.T) {
	for name, c := range map[string]struct {
		stream     bool
		kind, body string
		want       string
		err        scri.ErrorKind
	}{
		"stream asked, whole given":         {true, "application/json; charset=utf-8", `{"text":"whole"}`, "whole", ""},
		"stream asked, error given":         {true, "application/json", `{"error":"busy"}`, "", scri.ErrOverloaded},
		"stream asked, lines called JSON":   {true, "application/json", "a\nb\nEND\n", "ab", ""},
		"whole asked, stream given":         {false, "text/event-stream", "a\nb\nEND\n", "ab", ""},
		"a web page":                        {false, "text/html; charset=utf-8", "<html>", "", scri.ErrUnavailable},
		"a web page for a stream":           {true, "text/html", "<html>", "", scri.ErrUnavailable},
		"garbage":                           {false, "application/json", "{", "", scri.ErrUnavailable},
		"error with status 200":             {false, "application/json", `{"error":"busy"}`, "", scri.ErrOverloaded},
		"lines that end without their word": {true, "text/event-stream", "a\n", "a", scri.ErrTruncated},
	} {
		t.Run(name, func(t *testing.T) {
			p := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", c.kind)
				fmt.Fprint(w, c.body)
			})
			got, err := chat(allowed(t, p), p, c.stream)
			if got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
			if c.err != "" {
				if e := wantError(t, err, c.err); e.Provider != "test" {
					t.Errorf("provider %q", e.Provider)
				}
			} else if err != nil {
				t.Error(err)
			}
		})
	}
}

// One connection serves one answer after the other, streams included.
func TestConnectionsAreReused(t *testing.T) {
	var conns atomic.Int32
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if body, _ := io.ReadAll(r.Body); strings.Contains(string(body), `"stream":true`) {
			w.Header().Set("Content-Type", "text/event-stream")
			fmt.Fprint(w, "a\nEND\n")
			w.(http.Flusher).Flush() // so that the end of the body comes behind the end of the answer
			return
		}
		fmt.Fprint(w, `{"text":"x"}`)
	}))
	srv.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			conns.Add(1)
		}
	}
	srv.Start()
	t.Cleanup(srv.Close)
	p := build(t, Remote, "test", Entry{Dialect: "plain", BaseURL: srv.URL}, Deps{Timeouts: Timeouts{Drain: time.Minute}})
	for i := range 20 {
		if _, err := chat(allowed(t, p), p, i%2 == 0); err != nil {
			t.Fatal(err)
		}
	}
	if n := conns.Load(); n != 1 {
		t.Errorf("%d connections for 20 answers", n)
	}
}

func TestGzip(t *testing.T) {
	unzipped := make(chan struct{})
	handler := func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		defer z.Close()
		if !strings.Contains(string(body), `"stream":true`) {
			fmt.Fprint(z, `{"text":"zipped"}`)
			return
		}
		w.Header().Set("Content-Type", "text/event-stream")
		fmt.Fprint(z, "first\n")
		if err := z.Flush(); err != nil {
			t.Error(err)
		}
		w.(http.Flusher).Flush()
		<-unzipped // the first line must not wait for the second
		fmt.Fprint(z, "second\nEND\n")
	}
	p := serve(t, handler)
	if got, err := chat(allowed(t, p), p, false); got != "zipped" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	s, _, err := p.Chat(allowed(t, p), &scri.ChatRequest{Stream: true}, &Call{Model: "m"})
	if err != nil {
		t.Fatal(err)
	}
	if e, err := s.Next(); err != nil || e.Delta.String() != "first" {
		t.Fatalf("%+v, %v", e, err)
	}
	close(unzipped)
	if got, err := drainText(s); got != "second" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
}

func TestUnknownEncoding(t *testing.T) {
	p := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "br")
		fmt.Fprint(w, "x")
	})
	_, err := chat(allowed(t, p), p, false)
	wantError(t, err, scri.ErrUnavailable, `"br"`)
}

func TestCustomCAAndHTTP2(t *testing.T) {
	var proto string
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		proto = r.Proto
		fmt.Fprint(w, `{"text":"safe"}`)
	}))
	srv.EnableHTTP2 = true
	srv.StartTLS()
	t.Cleanup(srv.Close)
	p := build(t, Remote, "test", Entry{Dialect: "plain", BaseURL: srv.URL}, Deps{})
	_, err := chat(allowed(t, p), p, false)
	wantError(t, err, scri.ErrUnavailable, "unknown authority", "ca_file")

	ca := filepath.Join(t.TempDir(), "ca.pem")
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: srv.Certificate().Raw})
	if err := os.WriteFile(ca, block, 0o600); err != nil {
		t.Fatal(err)
	}
	p = build(t, Remote, "test", Entry{Dialect: "plain", BaseURL: srv.URL, CAFile: ca}, Deps{})
	if got, err := chat(allowed(t, p), p, false); got != "safe" || err != nil {
		t.Fatalf("%q, %v", got, err)
	}
	if proto != "HTTP/2.0" {
		t.Errorf("spoke %s", proto)
	}
	for file, says := range map[string]string{"/nowhere.pem": "cannot be read", emptyFile(t): "holds no certificate"} {
		_, err := tryBuild(t, Remote, "test", Entry{Dialect: "plain", BaseURL: srv.URL, CAFile: file}, Deps{})
		wantError(t, err, scri.ErrInvalid, says)
	}
}

func emptyFile(t *testing.T) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "empty")
	if err := os.WriteFile(name, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// A proxy gets the requests for zones beyond the own machine, and no others.
func TestProxies(t *testing.T) {
	var hit atomic.Int32
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		hit.Add(1)
		if r.URL.Host != "api.example" {
			t.Errorf("the proxy was asked for %s", r.URL)
		}
		fmt.Fprint(w, `{"text":"proxied"}`)
	}))
	t.Cleanup(proxy.Close)
	for name, c := range map[string]struct {
		e   Entry
		env []string
	}{
		"configured":  {Entry{Proxy: proxy.URL}, nil},
		"environment": {Entry{}, []string{"HTTP_PROXY", proxy.URL}},
		"private":     {Entry{Zone: ZonePrivate}, []string{"http_proxy", proxy.URL}},
	} {
		t.Run(name, func(t *testing.T) {
			hit.Store(0)
			c.e.Dialect, c.e.BaseURL = "plain", "http://api.example"
			p := build(t, Remote, "test", c.e, Deps{LookupEnv: env(c.env...)})
			if got, err := chat(allowed(t, p), p, false); got != "proxied" || err != nil || hit.Load() != 1 {
				t.Errorf("%q, %v, %d requests through the proxy", got, err, hit.Load())
			}
		})
	}
}

func TestProxyIsNeverUsedNearby(t *testing.T) {
	bad := env("HTTP_PROXY", "http://proxy.example:3128", "HTTPS_PROXY", "http://proxy.example:3128")
	for name, w := range map[string]wiring{
		"zone local":     {zone: ZoneLocal, base: mustURL(t, "http://gpu2.lan:11434"), env: bad},
		"loopback":       {zone: ZoneCloud, base: mustURL(t, "http://127.0.0.1:9000"), env: bad},
		"loopback name":  {zone: ZonePrivate, base: mustURL(t, "http://localhost:9000"), env: bad},
		"NO_PROXY":       {zone: ZoneCloud, base: mustURL(t, "https://api.example"), env: env("HTTPS_PROXY", "http://p:1", "NO_PROXY", ".example")},
		"no environment": {zone: ZoneCloud, base: mustURL(t, "https://api.example"), env: env()},
	} {
		if u, err := w.findProxy(); u != nil || err != nil {
			t.Errorf("%s: proxy %v, %v", name, u, err)
		}
	}
	for name, w := range map[string]wiring{
		"zone local": {zone: ZoneLocal, base: mustURL(t, "http://gpu2.lan"), proxy: "http://p:1"},
		"loopback":   {zone: ZoneCloud, base: mustURL(t, "http://localhost"), proxy: "http://p:1"},
		"no address": {zone: ZoneCloud, base: mustURL(t, "https://api.example"), proxy: "p"},
		"scheme":     {zone: ZoneCloud, base: mustURL(t, "https://api.example"), proxy: "ftp://u:hush@p:1"},
		"bad env":    {zone: ZoneCloud, base: mustURL(t, "https://api.example"), env: env("HTTPS_PROXY", "http://u:hush@p:port")},
	} {
		_, err := w.findProxy()
		e := wantError(t, err, scri.ErrInvalid)
		notIn(t, "hush", e.Error(), name)
	}
}

func mustURL(t *testing.T, s string) *url.URL {
	t.Helper()
	u, err := url.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func TestAnswersAreBounded(t *testing.T) {
	p := serve(t, func(w http.ResponseWriter, r *http.Request) {
		chunk := []byte(strings.Repeat("x", 1<<20))
		switch r.Header.Get("X-Case") {
		case "announced":
			w.Header().Set("Content-Length", fmt.Sprint(maxWhole+1))
		case "error":
			w.WriteHeader(http.StatusBadGateway)
		}
		for range maxWhole>>20 + 1 {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	})
	for _, name := range []string{"announced", "unannounced", "error"} {
		p := build(t, Remote, "test", Entry{Dialect: "plain", BaseURL: "http://" + p.Host(), Headers: map[string]string{"X-Case": name}}, Deps{})
		_, err := chat(allowed(t, p), p, false)
		e := wantError(t, err, map[string]scri.ErrorKind{
			"announced": scri.ErrUnavailable, "unannounced": scri.ErrUnavailable, "error": dialectKind(http.StatusBadGateway),
		}[name])
		if len(e.Raw) > maxError {
			t.Errorf("%s: %d bytes of an error kept", name, len(e.Raw))
		}
	}
}

// What the kernel keeps, a client on this machine could change after it was checked: it
// goes nowhere where the client could not say the same itself.
func TestKeptGoesWhereTheClientCould(t *testing.T) {
	for name, c := range map[string]struct {
		kind  Kind
		entry Entry
		near  bool
	}{
		"local":   {Local, Entry{}, true},
		"private": {Remote, Entry{Zone: ZonePrivate}, true},
		"cloud":   {Remote, Entry{Zone: ZoneCloud}, false},
		"key":     {Local, Entry{APIKeyEnv: "KEY"}, false},
		"header":  {Local, Entry{Headers: map[string]string{"X-Token": "x"}}, false},
	} {
		t.Run(name, func(t *testing.T) {
			c.entry.Dialect, c.entry.BaseURL = "plain", "http://127.0.0.1:1"
			p := build(t, c.kind, "test", c.entry, Deps{LookupEnv: func(n string) (string, bool) { return "secret", n == "KEY" }})
			defer p.Close()
			if got := p.transport.(*h1).near; got != c.near {
				t.Errorf("near is %v", got)
			}
		})
	}
}
