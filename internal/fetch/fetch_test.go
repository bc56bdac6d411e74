package fetch

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/aratta-gateway/aratta/scri"
)

const png = "\x89PNG\r\n\x1a\n and the rest of it"

// loopback lets a fetcher reach the servers of these tests.
func loopback() []netip.Prefix { return []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")} }

func serve(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	ts := httptest.NewServer(h)
	t.Cleanup(ts.Close)
	return ts.URL
}

func wantKind(t *testing.T, err error, kind scri.ErrorKind, parts ...string) {
	t.Helper()
	e, ok := errors.AsType[*scri.Error](err)
	if !ok || e.Kind != kind {
		t.Fatalf("got %v, want an error of kind %s", err, kind)
	}
	for _, p := range parts {
		if !strings.Contains(e.Message+" "+e.Hint, p) {
			t.Errorf("error %q (%s) does not say %q", e.Message, e.Hint, p)
		}
	}
}

func TestFileComesWithItsType(t *testing.T) {
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/moved" {
			http.Redirect(w, r, "/there?x=1", http.StatusFound)
			return
		}
		w.Header().Set("Content-Type", "image/jpeg") // which it is not
		_, _ = io.WriteString(w, png)
	})
	f := New(Options{Networks: loopback()})
	for _, path := range []string{"/a.png", "/moved"} {
		got, err := f.Get(t.Context(), url+path+"#part", "image/*", Anywhere)
		if err != nil {
			t.Fatal(err)
		}
		if got.Type != "image/png" || string(got.Data) != png {
			t.Errorf("%s: got %s, %q", path, got.Type, got.Data)
		}
	}
}

// Nobody gets the gateway to knock at doors behind the firewall.
func TestAddressesThatAreNotFetchedFrom(t *testing.T) {
	f := New(Options{Hosts: []string{"images.example"}})
	for _, c := range []struct {
		address string
		kind    scri.ErrorKind
	}{
		{"http://127.0.0.1/", scri.ErrPolicy},
		{"http://127.8.9.10:8080/", scri.ErrPolicy},
		{"http://[::1]/", scri.ErrPolicy},
		{"http://[::ffff:127.0.0.1]/", scri.ErrPolicy},
		{"http://localhost/", scri.ErrPolicy},
		{"http://0.0.0.0/", scri.ErrPolicy},
		{"http://[::]/", scri.ErrPolicy},
		{"http://10.0.0.1/", scri.ErrPolicy},
		{"http://172.31.255.255/", scri.ErrPolicy},
		{"http://192.168.0.1/", scri.ErrPolicy},
		{"http://100.64.0.1/", scri.ErrPolicy},
		{"http://[fd00::1]/", scri.ErrPolicy},
		{"http://169.254.1.1/", scri.ErrPolicy},
		{"http://[fe80::1%25lo]/", scri.ErrPolicy},
		{"http://224.0.0.1/", scri.ErrPolicy},
		{"http://[ff02::1]/", scri.ErrPolicy},
		{"http://255.255.255.255/", scri.ErrPolicy},
		{"http://[64:ff9b::7f00:1]/", scri.ErrPolicy}, // NAT64 of 127.0.0.1
		{"http://[2002:a00:1::]/", scri.ErrPolicy},    // 6to4 of 10.0.0.1
		{"http://169.254.169.254/latest/meta-data/", scri.ErrPolicy},
		{"http://[fd00:ec2::254]/", scri.ErrPolicy},
		{"http://[::ffff:a9fe:a9fe]/", scri.ErrPolicy},
		{"http://8.8.8.8:22/", scri.ErrPolicy},
		{"https://8.8.8.8:0/", scri.ErrPolicy},
		{"http://user:pass@8.8.8.8/", scri.ErrInvalid},
		{"http://user@8.8.8.8/", scri.ErrInvalid},
		{"file:///etc/passwd", scri.ErrInvalid},
		{"ftp://8.8.8.8/", scri.ErrInvalid},
		{"gopher://127.0.0.1:70/", scri.ErrInvalid},
		{"javascript:alert(1)", scri.ErrInvalid},
		{"//8.8.8.8/", scri.ErrInvalid},
		{"http://", scri.ErrInvalid},
		{"http:///etc", scri.ErrInvalid},
		{"", scri.ErrInvalid},
		{"http://a/" + strings.Repeat("b", maxAddress), scri.ErrInvalid},
	} {
		_, err := f.Get(t.Context(), c.address, "", Anywhere)
		if e, ok := errors.AsType[*scri.Error](err); !ok || e.Kind != c.kind {
			t.Errorf("%.60s: got %v, want %s", c.address, err, c.kind)
		}
	}
	_, err := f.Get(t.Context(), "http://127.0.0.1/", "", Nowhere)
	wantKind(t, err, scri.ErrPolicy)
}

// What an operator allows, and what even then is not.
func TestWhatMayBeDialled(t *testing.T) {
	f := New(Options{Hosts: []string{"Images.intra"}, Networks: []netip.Prefix{netip.MustParsePrefix("192.168.7.0/24"), netip.MustParsePrefix("169.254.0.0/16")}})
	for _, c := range []struct {
		host, address string
		near, far     bool
	}{
		{"any", "8.8.8.8:80", false, true},
		{"any", "192.168.7.9:80", true, true},
		{"any", "192.168.8.9:80", false, false},
		{"images.intra", "192.168.8.9:80", true, true},
		{"images.intra.", "100.64.1.1:80", true, true},
		{"images.intra", "8.8.8.8:80", false, true},
		{"images.intra", "127.0.0.1:80", false, false}, // a network must be named for that
		{"images.intra", "169.254.169.254:80", false, false},
		{"any", "169.254.169.254:80", false, false},
		{"any", "169.254.3.3:80", true, true},
		{"any", "nonsense", false, false},
	} {
		for s, want := range map[Scope]bool{Near: c.near, Anywhere: c.far} {
			if err := f.check(s, c.host, c.address); (err == nil) != want {
				t.Errorf("%s at %s, scope %d: %v", c.host, c.address, s, err)
			}
		}
	}
}

func TestRedirectsAreCheckedLikeTheFirstAddress(t *testing.T) {
	asked := make(chan http.Header, 16)
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		asked <- r.Header.Clone()
		http.SetCookie(w, &http.Cookie{Name: "c", Value: "v"})
		switch to := r.URL.Query().Get("to"); to {
		case "self":
			http.Redirect(w, r, r.URL.String(), http.StatusTemporaryRedirect)
		case "once":
			http.Redirect(w, r, "/?to=", http.StatusMovedPermanently)
		case "":
			_, _ = io.WriteString(w, png)
		case "nowhere":
			w.WriteHeader(http.StatusFound)
		default:
			http.Redirect(w, r, to, http.StatusFound)
		}
	})
	f := New(Options{Networks: loopback()})
	for to, kind := range map[string]scri.ErrorKind{
		"http://169.254.169.254/latest/meta-data/": scri.ErrPolicy,
		"http://[::1]:8080/":                       scri.ErrPolicy,
		"http://10.0.0.1/":                         scri.ErrPolicy,
		"file:///etc/passwd":                       scri.ErrInvalid,
		"http://me:secret@127.0.0.1/":              scri.ErrInvalid,
		"self":                                     scri.ErrInvalid,
		"nowhere":                                  scri.ErrInvalid,
	} {
		_, err := f.Get(t.Context(), url+"/?to="+strings.ReplaceAll(to, "&", "%26"), "", Anywhere)
		wantKind(t, err, kind)
		if strings.Contains(err.Error(), "secret") {
			t.Errorf("%v tells a password", err)
		}
	}
	for len(asked) > 0 {
		<-asked
	}
	if _, err := f.Get(t.Context(), url+"/?to=once", "image/*", Anywhere); err != nil {
		t.Fatal(err)
	}
	<-asked
	second := <-asked
	for _, name := range []string{"Cookie", "Referer", "Authorization"} {
		if v := second.Get(name); v != "" {
			t.Errorf("%s: %s went along with a redirect", name, v)
		}
	}
}

func TestEncryptionIsNotGivenUp(t *testing.T) {
	plain := serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, png) })
	ts := httptest.NewTLSServer(http.RedirectHandler(plain, http.StatusFound))
	t.Cleanup(ts.Close)
	f := New(Options{Networks: loopback()})
	f.far.(*http.Transport).TLSClientConfig = ts.Client().Transport.(*http.Transport).TLSClientConfig
	_, err := f.Get(t.Context(), ts.URL, "", Anywhere)
	wantKind(t, err, scri.ErrPolicy, "gives up encryption")
}

// names is a resolver that gives one list of addresses after the other.
func names(t *testing.T, answers ...[]string) *net.Resolver {
	t.Helper()
	var mu sync.Mutex
	next := 0
	answer := func(q dnsmessage.Question) []dnsmessage.Resource {
		if q.Type != dnsmessage.TypeA {
			return nil
		}
		mu.Lock()
		defer mu.Unlock()
		list := answers[min(next, len(answers)-1)]
		next++
		var rr []dnsmessage.Resource
		for _, a := range list {
			rr = append(rr, dnsmessage.Resource{
				Header: dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class},
				Body:   &dnsmessage.AResource{A: netip.MustParseAddr(a).As4()},
			})
		}
		return rr
	}
	return &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		here, there := net.Pipe()
		go func() { // ends with the resolver's end of the pipe
			defer there.Close()
			for {
				var size [2]byte
				if _, err := io.ReadFull(there, size[:]); err != nil {
					return
				}
				b := make([]byte, int(size[0])<<8|int(size[1]))
				var m dnsmessage.Message
				if _, err := io.ReadFull(there, b); err != nil || m.Unpack(b) != nil {
					return
				}
				m.Response, m.Additionals, m.Answers = true, nil, answer(m.Questions[0])
				out, err := m.Pack()
				if err != nil {
					return
				}
				if _, err := there.Write(append([]byte{byte(len(out) >> 8), byte(len(out))}, out...)); err != nil {
					return
				}
			}
		}()
		return here, nil
	}}
}

// A name that leads elsewhere the next time it is asked for gets nobody in: what
// is checked is what is dialled.
func TestRebinding(t *testing.T) {
	var lc net.ListenConfig
	l, err := lc.Listen(t.Context(), "tcp", "127.0.0.2:0")
	if err != nil {
		t.Skip("this system has no second loopback address: ", err)
	}
	_, port, _ := net.SplitHostPort(l.Addr().String())
	var reached atomic.Int32
	inner, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:"+port)
	if err != nil {
		t.Skip("the port is taken: ", err)
	}
	secret := &httptest.Server{Listener: inner, Config: &http.Server{Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached.Add(1) })}}
	secret.Start()
	t.Cleanup(secret.Close)
	outer := &httptest.Server{Listener: l, Config: &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/again" {
			http.Redirect(w, r, "http://rebind.example:"+port+"/inner", http.StatusFound)
			return
		}
		_, _ = io.WriteString(w, png)
	})}}
	outer.Start()
	t.Cleanup(outer.Close)
	open := []netip.Prefix{netip.MustParsePrefix("127.0.0.2/32")}
	for _, c := range []struct {
		what, path string
		answers    [][]string
		ok         bool
	}{
		{"a good name", "/", [][]string{{"127.0.0.2"}}, true},
		{"both at once", "/", [][]string{{"127.0.0.1", "127.0.0.2"}}, true}, // the good one answers
		{"the inner one alone", "/", [][]string{{"127.0.0.1"}}, false},
		{"another at the redirect", "/again", [][]string{{"127.0.0.2"}, {"127.0.0.1"}}, false},
		{"metadata at the redirect", "/again", [][]string{{"127.0.0.2"}, {"169.254.169.254"}}, false},
	} {
		f := New(Options{Networks: open, Resolver: names(t, c.answers...)})
		_, err := f.Get(t.Context(), "http://rebind.example:"+port+c.path, "image/*", Anywhere)
		if c.ok != (err == nil) {
			t.Errorf("%s: %v", c.what, err)
		}
		if err != nil {
			wantKind(t, err, scri.ErrPolicy)
		}
	}
	if n := reached.Load(); n > 0 {
		t.Errorf("the inner server was reached %d times", n)
	}
}

// For a request that must not leave, nobody outside is asked, not even for a name.
func TestNear(t *testing.T) {
	url := serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, png) })
	asked := &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		t.Error("a name was asked for")
		return nil, io.EOF
	}}
	f := New(Options{Networks: loopback(), Resolver: asked})
	if _, err := f.Get(t.Context(), url, "image/*", Near); err != nil {
		t.Error(err)
	}
	for _, far := range []string{"http://8.8.8.8/", "https://images.example/a.png", "http://10.0.0.1/"} {
		_, err := f.Get(t.Context(), far, "image/*", Near)
		wantKind(t, err, scri.ErrPolicy, "sovereign")
	}
}

func TestProxiesOfTheEnvironmentAreNotUsed(t *testing.T) {
	proxy := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("the proxy was asked") })
	t.Setenv("HTTP_PROXY", proxy)
	t.Setenv("http_proxy", proxy)
	_, err := New(Options{}).Get(t.Context(), "http://10.1.1.1/", "", Anywhere)
	wantKind(t, err, scri.ErrPolicy)
}

func TestSizes(t *testing.T) {
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		size, _ := strconv.Atoi(r.URL.Query().Get("size"))
		if r.URL.Query().Has("said") {
			w.Header().Set("Content-Length", strconv.Itoa(size))
		}
		_, _ = w.Write([]byte(png)[:min(size, len(png))])
		_, _ = w.Write(bytes.Repeat([]byte("x"), max(size-len(png), 0)))
	})
	f := New(Options{Networks: loopback(), MaxBytes: 10_000})
	for _, c := range []struct {
		query string
		kind  scri.ErrorKind
	}{
		{"size=10000&said", ""},
		{"size=10000", ""},
		{"size=700", ""},
		{"size=100", ""},
		{"size=10001&said", scri.ErrUnsupported},
		{"size=10001", scri.ErrUnsupported},
		{"size=5000000", scri.ErrUnsupported},
		{"size=0", scri.ErrInvalid},
	} {
		got, err := f.Get(t.Context(), url+"/?"+c.query, "", Anywhere)
		switch {
		case c.kind != "":
			wantKind(t, err, c.kind)
		case err != nil:
			t.Errorf("%s: %v", c.query, err)
		case !strings.HasPrefix(c.query, "size="+strconv.Itoa(len(got.Data))):
			t.Errorf("%s: got %d bytes", c.query, len(got.Data))
		}
	}
}

func TestWhatServersAnswer(t *testing.T) {
	for _, c := range []struct {
		what string
		h    http.HandlerFunc
		kind scri.ErrorKind
	}{
		{"not found", http.NotFound, scri.ErrInvalid},
		{"broken", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }, scri.ErrUnavailable},
		{"busy", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTooManyRequests) }, scri.ErrUnavailable},
		{"a part", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusPartialContent) }, scri.ErrInvalid},
		{"compressed", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = io.WriteString(w, png)
		}, scri.ErrInvalid},
		{"cut", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "5000")
			_, _ = io.WriteString(w, png)
		}, scri.ErrUnavailable},
		{"a page", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<!DOCTYPE html><p>log in") }, scri.ErrInvalid},
		{"a page that says it is an image", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "image/png")
			_, _ = io.WriteString(w, "<!DOCTYPE html><p>log in")
		}, scri.ErrInvalid},
		{"an image that says it is a page", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			_, _ = io.WriteString(w, png)
		}, scri.ErrInvalid},
	} {
		_, err := New(Options{Networks: loopback()}).Get(t.Context(), serve(t, c.h), "image/*", Anywhere)
		if e, ok := errors.AsType[*scri.Error](err); !ok || e.Kind != c.kind {
			t.Errorf("%s: got %v, want %s", c.what, err, c.kind)
		}
	}
}

// A file that does not come in time is given up, and whoever has it knows.
func TestTimeIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, gone := New(Options{Timeout: time.Minute}), make(chan struct{})
		f.far.(*http.Transport).DialContext = func(context.Context, string, string) (net.Conn, error) {
			here, there := net.Pipe()
			go func() {
				defer close(gone)
				defer there.Close()
				r := bufio.NewReader(there)
				if _, err := http.ReadRequest(r); err != nil {
					t.Error(err)
				}
				_, _ = io.WriteString(there, "HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n"+png)
				_, _ = io.Copy(io.Discard, r) // until the other side hangs up
			}()
			return here, nil
		}
		began := time.Now()
		_, err := f.Get(t.Context(), "http://images.example/a.png", "", Anywhere)
		wantKind(t, err, scri.ErrTimeout, "media.timeout")
		if took := time.Since(began); took != time.Minute {
			t.Errorf("it was given up after %s", took)
		}
		<-gone
	})
}

func TestCancellation(t *testing.T) {
	here, gone := make(chan struct{}), make(chan struct{})
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, png)
		_ = http.NewResponseController(w).Flush()
		close(here)
		<-r.Context().Done()
		close(gone)
	})
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-here; cancel() }()
	_, err := New(Options{Networks: loopback()}).Get(ctx, url, "", Anywhere)
	wantKind(t, err, scri.ErrCanceled)
	<-gone
}

// No more are fetched at once than may be, and so many are.
func TestFewAtOnce(t *testing.T) {
	const most = 2
	var now, peak atomic.Int32
	meet := make(chan struct{})
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		for n := now.Add(1); ; {
			if p := peak.Load(); n <= p || peak.CompareAndSwap(p, n) {
				break
			}
		}
		select { // each goes on with another
		case meet <- struct{}{}:
		case <-meet:
		case <-r.Context().Done():
		}
		now.Add(-1) // before the answer, behind which the next one comes
		_, _ = io.WriteString(w, png)
	})
	f := New(Options{Networks: loopback(), Concurrent: most, Timeout: time.Minute})
	var wg sync.WaitGroup
	for range 8 * most {
		wg.Go(func() {
			if _, err := f.Get(t.Context(), url, "image/*", Anywhere); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if p := peak.Load(); p != most {
		t.Errorf("%d at once, want %d at most", p, most)
	}
}
