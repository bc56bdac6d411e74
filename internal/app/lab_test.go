package app

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/dialect/all"
	"github.com/aratta-gateway/aratta/internal/server"
	"github.com/aratta-gateway/aratta/internal/sim"
	"github.com/aratta-gateway/aratta/scri"
)

// patience bounds every wait for something that must happen.
const patience = 60 * time.Second

// labKey is the credential that the gateway has for its simulated providers.
const labKey = "key-of-the-gateway"

// up is a simulated provider of a lab.
type up struct {
	name, dialect string
	local         bool   // in zone local, under [local]
	more          string // of its table
	opt           sim.Options
}

// lab is a gateway that serves real HTTP in front of simulated providers.
type lab struct {
	url    string
	sims   map[string]*sim.Sim
	open   map[string]*connections // of the gateway to each provider
	log    *logBuffer
	client *http.Client
	gw     *Snapshot
}

// newLab starts the providers and a gateway that asks them in the order given.
// config is more of the configuration.
func newLab(t testing.TB, config string, ups ...up) *lab {
	t.Helper()
	l := &lab{sims: map[string]*sim.Sim{}, open: map[string]*connections{}, log: &logBuffer{}}
	var b strings.Builder
	b.WriteString(config)
	for i, u := range ups {
		o := u.opt
		o.Name, o.Dialect = u.name, all.Get(u.dialect)
		if o.Models == nil {
			o.Models = []string{"m"}
		}
		l.sims[u.name] = sim.New(o)
		ts := httptest.NewUnstartedServer(l.sims[u.name])
		l.open[u.name] = watchConnections(ts)
		ts.Start()
		t.Cleanup(ts.Close)
		models, err := json.Marshal(o.Models)
		if err != nil {
			t.Fatal(err)
		}
		table, key := "providers", "api_key_env = \"LAB_KEY\"\n"
		if u.local {
			table, key = "local", ""
		}
		fmt.Fprintf(&b, "\n[%s.%s]\ndialect = %q\nbase_url = %q\n%spriority = %d\nmodels = %s\n%s", table, u.name, u.dialect, ts.URL, key, i, models, u.more)
	}
	l.start(t, b.String())
	return l
}

// start builds the gateway as `aratta serve` does, on a listener of the test.
func (l *lab) start(t testing.TB, config string) {
	t.Helper()
	e := env("LAB_KEY", labKey)
	loaded := &Loaded{File: "lab.toml"}
	if err := loaded.parse([]byte(config), e); err != nil {
		t.Fatalf("%v in\n%s", err, config)
	}
	log := slog.New(slog.NewJSONHandler(l.log, nil))
	var err error
	if l.gw, err = Build(t.Context(), loaded, BuildOptions{Version: "test", Env: e, Log: log}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.gw.Gateway.Close)
	s := &loaded.Server
	ts := httptest.NewServer(server.New(server.Options{
		Gateway: l.gw.Gateway, Dialects: Dialects(), MaxBody: int64(s.MaxBodyMB) << 20,
		Relay: l.gw.Gateway.Relay, RelayBody: loaded.Relay.bodies(),
		RequestTimeout: s.RequestTimeout.Duration, KeepaliveAfter: s.KeepaliveAfter.Duration, Version: "test", Log: log,
	}))
	t.Cleanup(ts.Close)
	l.url = ts.URL
	l.client = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 16, ExpectContinueTimeout: patience}, Timeout: patience}
	t.Cleanup(l.client.CloseIdleConnections)
}

// reply is what a client of the lab got, read whole.
type reply struct {
	status int
	header http.Header
	body   []byte
	err    error // what ended reading the body, if it did not end well
}

func (r *reply) answer(model string) *dialect.Answer {
	return &dialect.Answer{Status: r.status, Header: r.header, Body: r.body, Stream: bytes.NewReader(r.body), Target: &dialect.Target{Model: model}}
}

func (l *lab) send(t testing.TB, method, path string, h http.Header, body io.Reader) *reply {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, l.url+path, body)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer key-of-the-client")
	maps.Copy(req.Header, h)
	res, err := l.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	return newReply(res)
}

func newReply(res *http.Response) *reply {
	r := &reply{status: res.StatusCode, header: res.Header}
	r.body, r.err = io.ReadAll(res.Body)
	return r
}

// post sends a chat in a dialect. path is where its own client would send it.
func (l *lab) post(t testing.TB, d dialect.Dialect, path string, h http.Header, body []byte) *reply {
	t.Helper()
	return l.send(t, http.MethodPost, clientPath(d, path), h, bytes.NewReader(body))
}

// clientPath is where a client of the dialect chats here: at one path, or at the
// one that the client itself would take where that tells the model.
func clientPath(d dialect.Dialect, path string) string {
	if one := chatPath(d); one != "" {
		return one
	}
	return path
}

// chatPath is where a dialect chats.
func chatPath(d dialect.Dialect) string {
	for _, r := range d.Routes() {
		if r.Op == scri.OpChat && r.Stream == dialect.ByBody && r.Variant == "" {
			return r.Pattern
		}
	}
	return ""
}

// connections counts those that are open to a server.
type connections struct {
	mu   sync.Mutex
	cond *sync.Cond
	live map[net.Conn]bool
}

func watchConnections(ts *httptest.Server) *connections {
	c := &connections{live: map[net.Conn]bool{}}
	c.cond = sync.NewCond(&c.mu)
	ts.Config.ConnState = func(conn net.Conn, state http.ConnState) {
		c.mu.Lock()
		defer c.mu.Unlock()
		switch state {
		case http.StateNew:
			c.live[conn] = true
		case http.StateClosed, http.StateHijacked:
			delete(c.live, conn)
		default:
		}
		c.cond.Broadcast()
	}
	return c
}

// closed waits until at most n connections are open.
func (c *connections) closed(t testing.TB, n int) {
	t.Helper()
	late := time.AfterFunc(patience, func() {
		t.Errorf("still more than %d connections open after %s", n, patience)
		c.mu.Lock()
		defer c.mu.Unlock()
		clear(c.live)
		c.cond.Broadcast()
	})
	defer late.Stop()
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(c.live) > n {
		c.cond.Wait()
	}
}

// logBuffer is a log that tests read while it is written.
type logBuffer struct {
	mu   sync.Mutex
	buf  bytes.Buffer
	more chan struct{} // closed at the next write, once somebody waits
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.more != nil {
		close(b.more)
		b.more = nil
	}
	return b.buf.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// now is the text so far, and a channel that is closed when there is more.
func (b *logBuffer) now() (text string, more <-chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.more == nil {
		b.more = make(chan struct{})
	}
	return b.buf.String(), b.more
}

func (b *logBuffer) reset() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.buf.Reset()
}
