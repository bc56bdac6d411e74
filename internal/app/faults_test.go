package app

import (
	"bytes"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/dialect/all"
	"github.com/aratta-gateway/aratta/internal/dialect/dialecttest"
	"github.com/aratta-gateway/aratta/internal/sim"
	"github.com/aratta-gateway/aratta/scri"
)

// impatient makes the gateway give up soon, and still not on a healthy provider
// of a busy machine.
const impatient = `
[resilience]
header_timeout = "3s"
first_token_timeout = "3s"
idle_timeout = "3s"

[chains]
default = ["reserve"]
`

// midway is after so many writes of a stream that content has come in every
// dialect, and more is to come.
const midway = 6

const question = "Are you there, and for how long, and why?"

// What goes wrong at a provider, and what its clients see of it.
var faults = []struct {
	name  string
	fault sim.Fault
	// What a client sees of a stream. A whole answer never begins before it is
	// whole, so whatever happens to it the next target answers.
	stream outcome
	// begun says of whom the fault comes before any content, where it is not all.
	begun []string
	whole outcome
}{
	{name: "refused", fault: sim.Fault{Kind: sim.Refuse}, stream: reserve, whole: reserve},
	{name: "429", fault: sim.Fault{Kind: sim.RateLimit}, stream: reserve, whole: reserve},
	{name: "500", fault: sim.Fault{Kind: sim.ServerError}, stream: reserve, whole: reserve},
	{name: "503", fault: sim.Fault{Kind: sim.ServerError, Status: 503}, stream: reserve, whole: reserve},
	{name: "no head", fault: sim.Fault{Kind: sim.StallHeaders}, stream: reserve, whole: reserve},
	{name: "slow load, in time", fault: sim.Fault{Kind: sim.SlowLoad, Delay: 10 * time.Millisecond}, stream: itself, whole: itself},
	{name: "slow load, too slow", fault: sim.Fault{Kind: sim.SlowLoad, Delay: time.Hour}, stream: reserve, whole: reserve},
	{name: "an error in a 200", fault: sim.Fault{Kind: sim.ErrorIn200}, stream: reserve, whole: reserve},
	{name: "an error first", fault: sim.Fault{Kind: sim.ErrorFirst}, stream: reserve, whole: reserve},
	{name: "an error second", fault: sim.Fault{Kind: sim.ErrorSecond}, stream: reserve, begun: []string{"completions", "gemini", "ollama"}, whole: reserve},
	{name: "cut before content", fault: sim.Fault{Kind: sim.Cut, After: 1}, stream: reserve, begun: []string{"completions", "gemini", "ollama"}, whole: reserve},
	{name: "reset before content", fault: sim.Fault{Kind: sim.Reset, After: 1}, stream: reserve, begun: []string{"completions", "gemini", "ollama"}, whole: reserve},
	{name: "stalled before content", fault: sim.Fault{Kind: sim.StallStream, After: 1}, stream: reserve, begun: []string{"completions", "gemini", "ollama"}, whole: reserve},
	{name: "cut", fault: sim.Fault{Kind: sim.Cut, After: midway}, stream: broken, whole: reserve},
	{name: "reset", fault: sim.Fault{Kind: sim.Reset, After: midway}, stream: broken, whole: reserve},
	{name: "stalled", fault: sim.Fault{Kind: sim.StallStream, After: midway}, stream: broken, whole: reserve},
	{name: "half a rune", fault: sim.Fault{Kind: sim.HalfRune, After: midway}, stream: broken, whole: reserve},
	{name: "garbage", fault: sim.Fault{Kind: sim.Garbage, After: midway}, stream: brokenOrItself, whole: reserve},
	{name: "garbage first", fault: sim.Fault{Kind: sim.Garbage, After: 1}, stream: anything, whole: reserve},
}

// outcome is what a client sees.
type outcome string

const (
	reserve        outcome = "the reserve answers"
	itself         outcome = "it answers itself"
	broken         outcome = "an error after content"
	brokenOrItself outcome = "an error after content, or the whole answer"
	anything       outcome = "an error or a whole answer, of whomever"
)

// Every fault of every provider, seen by every client: before content the next
// target answers; after it the client is told in its own words, and never that
// the answer is complete. Nothing is left behind.
func TestFaultsSeenByClients(t *testing.T) {
	before := goleak.IgnoreCurrent()
	t.Run("all", func(t *testing.T) {
		l := newLab(t, impatient, append(speakersAs("p-"), up{name: "reserve", dialect: "native"})...)
		for _, f := range faults {
			t.Run(f.name, func(t *testing.T) {
				for _, d := range all.Table() {
					l.sims["p-"+d.Name()].Set(f.fault)
				}
				l.everybody(t, func(from, to dialect.Dialect, stream bool, got *reply) []string {
					want := f.whole
					if stream {
						want = f.stream
						for _, name := range f.begun {
							if name == to.Name() {
								want = broken
							}
						}
					}
					return seen(from, "p-"+to.Name(), stream, want, got)
				})
			})
		}
		l.client.CloseIdleConnections()
		l.gw.Gateway.Close()
		for _, c := range l.open {
			c.closed(t, 0)
		}
	})
	goleak.VerifyNone(t, before)
}

func speakersAs(prefix string) []up {
	list := speakers()
	for i := range list {
		list[i].name = prefix + list[i].name
	}
	return list
}

// everybody asks each provider from each dialect, whole and streamed, all at the
// same time, and judges what came.
func (l *lab) everybody(t *testing.T, judge func(from, to dialect.Dialect, stream bool, got *reply) []string) {
	t.Helper()
	type crossing struct {
		from, to dialect.Dialect
		stream   bool
		got      *reply
	}
	var list []*crossing
	for _, from := range all.Table() {
		for _, to := range all.Table() {
			list = append(list, &crossing{from: from, to: to}, &crossing{from: from, to: to, stream: true})
		}
	}
	var wg sync.WaitGroup
	for _, c := range list {
		r := &scri.ChatRequest{Model: "p-" + c.to.Name() + ":m", Messages: user(question), Stream: c.stream}
		out, _, err := c.from.EncodeRequest(r, &dialect.Target{Model: r.Model})
		if err != nil {
			t.Fatal(err)
		}
		wg.Go(func() { c.got = l.try(t, clientPath(c.from, out.Path), out.Header, out.Body) })
	}
	wg.Wait()
	for _, c := range list {
		for _, p := range judge(c.from, c.to, c.stream, c.got) {
			t.Errorf("%s to %s, stream %v: %s\n%d %s", c.from.Name(), c.to.Name(), c.stream, p, c.got.status, c.got.body)
		}
	}
}

// try sends a chat from any goroutine.
func (l *lab) try(t *testing.T, path string, h http.Header, body []byte) *reply {
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, l.url+path, bytes.NewReader(body))
	if err != nil {
		return &reply{err: err}
	}
	maps.Copy(req.Header, h)
	res, err := l.client.Do(req)
	if err != nil {
		return &reply{err: err}
	}
	defer res.Body.Close()
	return newReply(res)
}

// seen says what differs from what a client should see.
func seen(d dialect.Dialect, provider string, stream bool, want outcome, got *reply) []string {
	if got.err != nil {
		return []string{"the gateway's own answer broke off: " + got.err.Error()}
	}
	if got.status != http.StatusOK {
		if want == anything {
			return nil
		}
		return []string{"refused; want " + string(want)}
	}
	var r *scri.ChatResponse
	var err error
	if stream {
		r, err = dialecttest.ReadStream(d, got.header, got.body)
	} else {
		r, err = d.DecodeResponse(got.answer(""))
	}
	text := ""
	if r != nil && len(r.Choices) > 0 {
		text = said(r, scri.PartText)
	}
	if err != nil {
		if want == broken || want == brokenOrItself || want == anything {
			return brokenIn(d, got, text, want)
		}
		return []string{"broken (" + err.Error() + "); want " + string(want)}
	}
	who := got.header.Get("X-Aratta-Provider")
	switch {
	case want == broken:
		return []string{"a clean end; want " + string(want)}
	case !strings.HasSuffix(text, question):
		return []string{fmt.Sprintf("it ends cleanly with %q", text)}
	case want == reserve && (who != "reserve" || !strings.Contains(text, "answer of reserve")),
		(want == itself || want == brokenOrItself) && (who != provider || !strings.Contains(text, "answer of "+provider)):
		return []string{fmt.Sprintf("%s answers %q; want %s", who, text, want)}
	case want == reserve && !strings.HasPrefix(got.header.Get("X-Aratta-Decision"), "fallback; "+provider+"="):
		return []string{"the decision is told as " + got.header.Get("X-Aratta-Decision")}
	}
	return nil
}

// brokenIn says what is wrong with how an error after content is told.
func brokenIn(d dialect.Dialect, got *reply, text string, want outcome) (problems []string) {
	if text == "" && want != anything {
		problems = append(problems, "nothing of the text came")
	}
	must, never := "event: error\n", "event: done\n"
	switch d.Name() {
	case "openai", "completions":
		must, never = "data: {\"error\":", "[DONE]"
	case "responses":
		never = "response.completed"
	case "anthropic":
		never = "message_stop"
	case "bedrock":
		must, never = "exception", "messageStop"
	case "cohere":
		must, never = "\"error\":\"", "[DONE]"
	case "ollama":
		must, never = "{\"error\":", "\"done\":true"
	case "gemini":
		must, never = "data: {\"error\":", "\"finishReason\""
	}
	if !bytes.Contains(got.body, []byte(must)) {
		problems = append(problems, "the error is not told in the client's words")
	}
	if bytes.Contains(got.body, []byte(never)) {
		problems = append(problems, "the end looks clean")
	}
	return problems
}
