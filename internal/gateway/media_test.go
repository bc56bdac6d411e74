package gateway_test

import (
	"context"
	"encoding/base64"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/aratta-gateway/aratta/internal/fetch"
	"github.com/aratta-gateway/aratta/internal/gateway"
	"github.com/aratta-gateway/aratta/internal/provider"
	"github.com/aratta-gateway/aratta/internal/route"
	"github.com/aratta-gateway/aratta/internal/sim"
	"github.com/aratta-gateway/aratta/scri"
)

const (
	pixels   = "\x89PNG\r\n\x1a\n and pixels"
	document = "%PDF-1.7 and pages"
)

// host is a web server with an image and a document, and how often it was asked.
type host struct {
	url   string
	asked atomic.Int32
}

func newHost(t *testing.T) *host {
	t.Helper()
	h := &host{}
	ts := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.asked.Add(1)
		switch r.URL.Path {
		case "/a.png":
			_, _ = io.WriteString(w, pixels)
		case "/a.pdf":
			_, _ = io.WriteString(w, document)
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(ts.Close)
	h.url = ts.URL
	return h
}

// fetching gives the house a fetcher that reaches the servers of these tests.
func (h *house) fetching(t *testing.T) *house {
	t.Helper()
	h.opt.Media = fetch.New(fetch.Options{Networks: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
	h.Gateway = gateway.New(h.opt)
	return h
}

// showing asks about media that are given by their address.
func showing(model string, media ...scri.Media) *scri.Exchange {
	x := exchange(model, false)
	for i := range media {
		x.Req.Messages[0].Parts = append(x.Req.Messages[0].Parts, scri.Part{Kind: scri.PartMedia, Media: &media[i]})
	}
	return x
}

func image(url string) scri.Media { return scri.Media{Type: "image/*", URL: scri.NewText(url)} }

func film(url string) scri.Media { return scri.Media{Type: "video/mp4", URL: scri.NewText(url)} }

// Bytes go where bytes are wanted, addresses where these are taken.
func TestMediaByAddress(t *testing.T) {
	web := newHost(t)
	for _, c := range []struct {
		dialect string
		entry   provider.Entry
		media   scri.Media
		sent    string // a part of what the provider got
		asked   int32  // how often the web server was
	}{
		{"ollama", provider.Entry{}, image(web.url + "/a.png"), b64(pixels), 1},
		{"ollama", provider.Entry{}, scri.Media{URL: scri.NewText(web.url + "/a.png")}, b64(pixels), 1},
		{"ollama", provider.Entry{}, scri.Media{Type: "application/pdf", URL: scri.NewText(web.url + "/a.pdf")}, "a private question", 0}, // it takes none
		{"openai", provider.Entry{}, image(web.url + "/a.png"), web.url + "/a.png", 0},
		{"openai", provider.Entry{}, scri.Media{Type: "application/pdf", URL: scri.NewText(web.url + "/a.pdf")}, "data:application/pdf;base64," + b64(document), 1},
		{"openai", provider.Entry{MediaBytes: new(true)}, image(web.url + "/a.png"), "data:image/png;base64," + b64(pixels), 1},
		{"anthropic", provider.Entry{}, image(web.url + "/a.png"), web.url + "/a.png", 0},
		{"anthropic", provider.Entry{}, scri.Media{Type: "application/pdf", URL: scri.NewText(web.url + "/a.pdf")}, web.url + "/a.pdf", 0},
		{"gemini", provider.Entry{}, image(web.url + "/a.png"), `{"inlineData":{"mimeType":"image/png","data":"` + b64(pixels) + `"}}`, 1},
		{"gemini", provider.Entry{}, scri.Media{Type: "application/pdf", URL: scri.NewText(web.url + "/a.pdf")}, `{"inlineData":{"mimeType":"application/pdf","data":"` + b64(document) + `"}}`, 1},
		{"gemini", provider.Entry{}, film("https://www.youtube.com/watch?v=9hE5-98ZeCg"), `{"fileData":{"mimeType":"video/mp4","fileUri":"https://www.youtube.com/watch?v=9hE5-98ZeCg"}}`, 0},
		{"gemini", provider.Entry{}, film("https://youtu.be/9hE5-98ZeCg"), `"fileUri":"https://youtu.be/9hE5-98ZeCg"`, 0},
		{"gemini", provider.Entry{}, film("https://generativelanguage.googleapis.com/v1beta/files/abc"), `"fileUri":"https://generativelanguage.googleapis.com/v1beta/files/abc"`, 0},
		{"gemini", provider.Entry{}, film("gs://bucket/a.mp4"), `"fileUri":"gs://bucket/a.mp4"`, 0},
		{"native", provider.Entry{}, image(web.url + "/a.png"), web.url + "/a.png", 0},
	} {
		web.asked.Store(0)
		c.entry.DefaultModel = "m"
		h := newHouse(t, route.Config{}, room{name: "p", dialect: c.dialect, zone: "private", entry: c.entry}).fetching(t)
		x := showing("auto", c.media)
		before := x.Req.Messages[0].Parts[1]
		resp, err := h.ask(t, x)
		if err != nil {
			t.Fatalf("%s: %v", c.dialect, err)
		}
		last, _ := h.sims["p"].Last()
		if !strings.Contains(string(last.Body), c.sent) || web.asked.Load() != c.asked {
			t.Errorf("%s: the web server was asked %d times, the provider got %s", c.dialect, web.asked.Load(), last.Body)
		}
		told := 0
		for _, w := range resp.Warnings {
			if w.Code == scri.WarnChanged && w.Path == "/messages/0/content/1/media/url" {
				told++
			}
		}
		if told != int(c.asked) {
			t.Errorf("%s: warnings %+v", c.dialect, resp.Warnings)
		}
		if diff := cmp.Diff(before, x.In.Messages[0].Parts[1], cmp.Comparer(func(a, b scri.Text) bool { return a.String() == b.String() })); diff != "" {
			t.Errorf("%s: the request was changed: %s", c.dialect, diff)
		}
	}
}

func b64(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

// Whoever looks like a host that the target opens addresses of is none.
func TestMediaAtHostsThatLookLikeGooglesOwn(t *testing.T) {
	for _, url := range []string{
		"http://youtube.com@127.0.0.1:1/a.mp4", "http://youtube.com.localhost:1/a.mp4", "http://127.0.0.1:1/youtube.com", "http://notyoutube.com.localhost:1/",
	} {
		h := newHouse(t, route.Config{}, room{name: "p", dialect: "gemini", zone: "private", entry: defaults()}).fetching(t)
		if _, err := h.ask(t, showing("auto", film(url))); err == nil || err.Path != "/messages/0/content/1/media/url" {
			t.Errorf("%s: %v, want it to be fetched, which fails", url, err)
		}
	}
	// A sovereign request gives its address away to nobody, not even to those.
	h := newHouse(t, route.Config{}, room{name: "p", dialect: "gemini", zone: "local", entry: defaults()})
	if _, err := h.ask(t, showing("sovereign", film("https://youtu.be/x"))); err == nil || err.Kind != scri.ErrPolicy {
		t.Errorf("%v: a sovereign request gave its address away", err)
	}
	if _, n := h.sims["p"].Last(); n != 0 {
		t.Error("the runtime was told the address")
	}
}

// A client that writes the target's own format gets what it wrote.
func TestMediaInTheTargetsOwnFormatStay(t *testing.T) {
	h := newHouse(t, route.Config{}, room{name: "p", dialect: "openai", zone: "private", entry: defaults()}).fetching(t)
	x := showing("auto", scri.Media{Type: "audio/*", URL: scri.NewText("http://127.0.0.1:1/a.wav")})
	x.Lineage.Ingress = "openai"
	if _, err := h.ask(t, x); err != nil {
		t.Error(err)
	}
}

// One address is fetched once, however many targets are tried and however often
// it stands in the conversation, tool results included.
func TestMediaAreFetchedOncePerExchange(t *testing.T) {
	web := newHost(t)
	h := newHouse(t, route.Config{}, room{name: "one", dialect: "ollama", zone: "local", entry: defaults()}, room{name: "two", dialect: "ollama", zone: "local", entry: defaults()}).fetching(t)
	h.sims["one"].Set(sim.Fault{Kind: sim.ServerError})
	x := showing("auto", image(web.url+"/a.png"), image(web.url+"/a.png"))
	shot := image(web.url + "/a.png")
	x.Req.Messages = append(x.Req.Messages,
		scri.Message{Role: scri.RoleAssistant, Parts: []scri.Part{{Kind: scri.PartToolCall, Call: &scri.ToolCall{ID: "c", Name: "look", Args: scri.NewText("{}")}}}},
		scri.Message{Role: scri.RoleTool, Parts: []scri.Part{{Kind: scri.PartToolResult, Result: &scri.ToolResult{CallID: "c", Name: "look", Parts: []scri.Part{{Kind: scri.PartMedia, Media: &shot}}}}}})
	if _, err := h.ask(t, x); err != nil {
		t.Fatal(err)
	}
	if n := web.asked.Load(); n != 1 {
		t.Errorf("fetched %d times", n)
	}
	last, _ := h.sims["two"].Last()
	if n := strings.Count(string(last.Body), b64(pixels)); n < 2 {
		t.Errorf("the second target got %d images: %s", n, last.Body)
	}
}

// What a sovereign request names by its address is not asked for outside: not by
// the gateway, and not by a local runtime that is told the address.
func TestSovereignMedia(t *testing.T) {
	web := newHost(t)
	for _, dialect := range []string{"ollama", "openai", "native"} {
		h := newHouse(t, route.Config{}, room{name: "near", dialect: dialect, zone: "local", entry: defaults()}).fetching(t)
		_, err := h.ask(t, showing("sovereign", image("http://93.184.216.34/a.png")))
		if err == nil || err.Kind != scri.ErrPolicy || err.Path != "/messages/0/content/1/media/url" {
			t.Errorf("%s: %v, want a refusal", dialect, err)
		}
		if _, n := h.sims["near"].Last(); n != 0 {
			t.Errorf("%s: the runtime was told the address", dialect)
		}
		web.asked.Store(0)
		if _, err := h.ask(t, showing("sovereign", image(web.url+"/a.png"))); err != nil { // which the operator allows
			t.Errorf("%s: %v", dialect, err)
		}
		if last, _ := h.sims["near"].Last(); web.asked.Load() != 1 || last == nil || !strings.Contains(string(last.Body), b64(pixels)) {
			t.Errorf("%s: the image of an own host did not arrive", dialect)
		}
		h.opt.Media = nil // fetching is off
		h.Gateway = gateway.New(h.opt)
		if dialect == "ollama" {
			continue
		}
		_, served := h.sims["near"].Last()
		if _, err := h.ask(t, showing("sovereign", image(web.url+"/a.png"))); err == nil || err.Kind != scri.ErrPolicy {
			t.Errorf("%s: %v without a fetcher, want a refusal", dialect, err)
		}
		if _, n := h.sims["near"].Last(); n != served {
			t.Errorf("%s: the runtime was told the address", dialect)
		}
	}
}

// What cannot be had ends the request or lets another target try, and is told
// with its place; the log does not repeat what the client named.
func TestMediaThatCannotBeHad(t *testing.T) {
	web := newHost(t)
	for _, c := range []struct {
		url      string
		kind     scri.ErrorKind
		outcomes string
	}{
		{web.url + "/absent.png", scri.ErrInvalid, "near failed invalid"},
		{web.url + "/a.pdf", scri.ErrInvalid, "near failed invalid"}, // no image
		{"http://169.254.169.254/latest/meta-data/", scri.ErrPolicy, "near failed policy"},
		{"http://127.0.0.1:9999/a.png", "", "near failed unavailable, far ok"}, // which can fetch it itself, perhaps
	} {
		h := newHouse(t, route.Config{}, room{name: "near", dialect: "ollama", zone: "local", entry: defaults()}, room{name: "far", dialect: "openai", zone: "cloud", entry: defaults()}).fetching(t)
		x := showing("auto", image(c.url))
		_, err := h.ask(t, x)
		if got := outcomes(x.Lineage); got != c.outcomes {
			t.Errorf("%s: %s, want %s", c.url, got, c.outcomes)
		}
		if c.kind != "" && (err == nil || err.Kind != c.kind || err.Path != "/messages/0/content/1/media/url") {
			t.Errorf("%s: %+v, want %s", c.url, err, c.kind)
		}
		if log := h.log.String(); strings.Contains(log, strings.TrimPrefix(web.url, "http://")) || strings.Contains(log, "169.254") {
			t.Errorf("%s: the log says %s", c.url, log)
		}
	}
}

func TestManyMedia(t *testing.T) {
	web := newHost(t)
	h := newHouse(t, route.Config{}, room{name: "near", dialect: "ollama", zone: "local", entry: defaults()}).fetching(t)
	var list []scri.Media
	for i := range 33 {
		list = append(list, image(web.url+"/a.png?"+strings.Repeat("x", i)))
	}
	if _, err := h.ask(t, showing("auto", list...)); err == nil || err.Kind != scri.ErrInvalid {
		t.Errorf("%v, want a refusal", err)
	}
	if _, err := h.ask(t, showing("auto", list[:32]...)); err != nil {
		t.Error(err)
	}
}

func TestFetchingEndsWithTheClient(t *testing.T) {
	here, gone := make(chan struct{}), make(chan struct{})
	ts := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		close(here)
		<-r.Context().Done()
		close(gone)
	}))
	t.Cleanup(ts.Close)
	h := newHouse(t, route.Config{}, room{name: "near", dialect: "ollama", zone: "local", entry: defaults()}).fetching(t)
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-here; cancel() }()
	_, err := h.Chat(ctx, showing("auto", image(ts.URL+"/a.png")))
	if e := scri.AsError(err); e == nil || e.Kind != scri.ErrCanceled {
		t.Errorf("%v, want canceled", err)
	}
	<-gone
}

// Strictness is about what is lost, and of a fetched image nothing is.
func TestStrictTakesFetchedMedia(t *testing.T) {
	web := newHost(t)
	h := newHouse(t, route.Config{}, room{name: "near", dialect: "ollama", zone: "local", entry: defaults()}).fetching(t)
	x := showing("auto", scri.Media{Type: "image/png", URL: scri.NewText(web.url + "/a.png")})
	x.Req.Routing = &scri.Routing{Strict: true}
	if _, err := h.ask(t, x); err != nil {
		t.Error(err)
	}
}
