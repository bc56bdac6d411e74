package app

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
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
// of a busy machine. No sign of life commits to an answer before.
const impatient = `
[server]
keepalive_after = "5m"

[resilience]
header_timeout = "8s"
first_token_timeout = "8s"
idle_timeout = "8s"
`

// midway is after so many writes of a stream that content has come in every
// dialect, and more is to come.
const midway = 6

const question = "Are you there, and for how long, and why?"

// kinds are those of which an error may be.
type kinds []scri.ErrorKind

// fault is what goes wrong at a provider, and what its clients see of it.
type fault struct {
	name  string
	fault sim.Fault
	// What a client sees of a stream. A whole answer never begins before it is
	// whole, so whatever happens to it the next target answers.
	stream outcome
	// begun says of whom the fault comes before any content, where it is not all.
	begun []string
	whole outcome
	// What the client is told when there is no next target, or content was sent.
	// Where a provider's errors have no kinds it may be the second.
	kinds kinds
}

var faults = []fault{
	{name: "refused", fault: sim.Fault{Kind: sim.Refuse}, stream: reserve, whole: reserve, kinds: kinds{scri.ErrUnavailable}},
	{name: "429", fault: sim.Fault{Kind: sim.RateLimit}, stream: reserve, whole: reserve, kinds: kinds{scri.ErrRateLimited}},
	{name: "500", fault: sim.Fault{Kind: sim.ServerError}, stream: reserve, whole: reserve, kinds: kinds{scri.ErrUnavailable}},
	{name: "503", fault: sim.Fault{Kind: sim.ServerError, Status: 503}, stream: reserve, whole: reserve, kinds: kinds{scri.ErrOverloaded, scri.ErrUnavailable}},
	{name: "no head", fault: sim.Fault{Kind: sim.StallHeaders}, stream: reserve, whole: reserve, kinds: kinds{scri.ErrTimeout}},
	{name: "slow load, in time", fault: sim.Fault{Kind: sim.SlowLoad, Delay: 10 * time.Millisecond}, stream: itself, whole: itself},
	{name: "slow load, too slow", fault: sim.Fault{Kind: sim.SlowLoad, Delay: time.Hour}, stream: reserve, whole: reserve, kinds: kinds{scri.ErrTimeout}},
	{name: "an error in a 200", fault: sim.Fault{Kind: sim.ErrorIn200}, stream: reserve, whole: reserve, kinds: kinds{scri.ErrOverloaded, scri.ErrUnavailable}},
	{name: "an error first", fault: sim.Fault{Kind: sim.ErrorFirst}, stream: reserve, whole: reserve, kinds: kinds{scri.ErrOverloaded, scri.ErrUnavailable}},
	{name: "an error second", fault: sim.Fault{Kind: sim.ErrorSecond}, stream: reserve, begun: early, whole: reserve, kinds: kinds{scri.ErrOverloaded, scri.ErrUnavailable}},
	{name: "cut before content", fault: sim.Fault{Kind: sim.Cut, After: 1}, stream: reserve, begun: early, whole: reserve, kinds: kinds{scri.ErrTruncated}},
	{name: "reset before content", fault: sim.Fault{Kind: sim.Reset, After: 1}, stream: reserve, begun: early, whole: reserve, kinds: kinds{scri.ErrTruncated}},
	{name: "stalled before content", fault: sim.Fault{Kind: sim.StallStream, After: 1}, stream: reserve, begun: early, whole: reserve, kinds: kinds{scri.ErrTimeout}},
	{name: "cut", fault: sim.Fault{Kind: sim.Cut, After: midway}, stream: broken, whole: reserve, kinds: kinds{scri.ErrTruncated}},
	{name: "reset", fault: sim.Fault{Kind: sim.Reset, After: midway}, stream: broken, whole: reserve, kinds: kinds{scri.ErrTruncated}},
	{name: "stalled", fault: sim.Fault{Kind: sim.StallStream, After: midway}, stream: broken, whole: reserve, kinds: kinds{scri.ErrTimeout}},
	{name: "half a rune", fault: sim.Fault{Kind: sim.HalfRune, After: midway}, stream: broken, whole: reserve, kinds: kinds{scri.ErrTruncated}},
	{name: "garbage", fault: sim.Fault{Kind: sim.Garbage, After: midway}, stream: brokenOrItself, whole: reserve, kinds: kinds{scri.ErrUnavailable, scri.ErrTruncated}},
	{name: "garbage first", fault: sim.Fault{Kind: sim.Garbage, After: 1}, stream: anything, whole: reserve, kinds: kinds{scri.ErrUnavailable, scri.ErrTruncated}},
}

// early are those whose first write has content.
var early = []string{"completions", "gemini", "ollama"}

// outcome is what a client sees.
type outcome string

const (
	reserve        outcome = "the reserve answers"
	itself         outcome = "it answers itself"
	broken         outcome = "an error after content"
	brokenOrItself outcome = "an error after content, or the whole answer"
	anything       outcome = "an error or a whole answer, of whomever"
)

// Every fault of every provider, seen by every client, with somebody behind the
// provider and alone: before content the next target answers, or the client is
// told what failed; after it the client is told in its own words, and never that
// the answer is complete. Nothing is left behind.
func TestFaultsSeenByClients(t *testing.T) {
	before := goleak.IgnoreCurrent()
	t.Run("all", func(t *testing.T) {
		for _, f := range faults {
			t.Run(f.name, func(t *testing.T) {
				t.Parallel()
				config := ""
				if slices.Contains(f.kinds, scri.ErrTimeout) {
					config = impatient
				}
				l := faultyLab(t, config, f.fault)
				l.everybody(t, func(c *crossing) []string {
					want := f.whole
					if c.streams() {
						want = f.stream
						if slices.Contains(f.begun, c.to) {
							want = broken
						}
					}
					if c.alone && want == reserve {
						return unanswered(c, f.kinds)
					}
					return seen(c, want, f.kinds)
				})
				l.client.CloseIdleConnections()
				l.gw.Gateway.Close()
				for _, c := range l.open {
					c.closed(t, 0)
				}
			})
		}
	})
	goleak.VerifyNone(t, before)
}

func TestFaultsAreAll(t *testing.T) {
	for _, kind := range sim.Faults() {
		if !slices.ContainsFunc(faults, func(f fault) bool { return f.fault.Kind == kind }) {
			t.Errorf("what clients see of %s is not tested", kind)
		}
	}
}

// faultyLab is a gateway before a provider of each dialect that has the fault,
// and one in reserve. p-NAME:m is answered by the reserve when it fails,
// alone-NAME by nobody.
func faultyLab(t *testing.T, config string, f sim.Fault) *lab {
	t.Helper()
	var ups []up
	var chains strings.Builder
	for _, u := range speakers() {
		fmt.Fprintf(&chains, "alone-%s = [\"p-%s:m\"]\n", u.name, u.name)
		u.name = "p-" + u.name
		ups = append(ups, u)
	}
	l := newLab(t, config+"\n[chains]\ndefault = [\"reserve\"]\n"+chains.String(), append(ups, up{name: "reserve", dialect: "native"})...)
	for _, u := range ups {
		l.sims[u.name].Set(f)
	}
	return l
}

// door is one way in: a path at which clients of a dialect chat.
type door struct {
	dialect.Dialect
	name   string
	always bool // it only streams
	// request is a chat for this door, nil for what the dialect's own client sends.
	request func(model string, stream bool) (path, body string)
}

func doors() (list []door) {
	for _, d := range all.Table() {
		list = append(list, door{Dialect: d, name: d.Name()})
	}
	return append(list,
		door{Dialect: all.Get("ollama"), name: "ollama generate", request: func(model string, stream bool) (path, body string) {
			return "/api/generate", fmt.Sprintf(`{"model":%q,"prompt":%q,"stream":%v}`, model, question, stream)
		}},
		door{Dialect: all.Get("native"), name: "native stream", always: true, request: func(model string, _ bool) (path, body string) {
			return "/api/v1/chat/stream", fmt.Sprintf(`{"model":%q,"messages":[{"role":"user","content":%q}]}`, model, question)
		}},
	)
}

// crossing is a request of one client for one provider, and what came.
type crossing struct {
	from   door
	to     string // the dialect of the provider
	stream bool   // asked for
	alone  bool   // nobody stands behind the provider
	got    *reply
}

func (c *crossing) streams() bool { return c.stream || c.from.always }

func (c *crossing) String() string {
	return fmt.Sprintf("%s to %s, stream %v, alone %v", c.from.name, c.to, c.streams(), c.alone)
}

// send asks, from any goroutine.
func (c *crossing) send(t *testing.T, l *lab) {
	model := "p-" + c.to + ":m"
	if c.alone {
		model = "alone-" + c.to
	}
	if c.from.request != nil {
		path, body := c.from.request(model, c.stream)
		c.got = l.try(t, path, nil, []byte(body))
		return
	}
	out, _, err := c.from.EncodeRequest(&scri.ChatRequest{Model: model, Messages: user(question), Stream: c.stream}, &dialect.Target{Model: model})
	if err != nil {
		c.got = &reply{err: err}
		return
	}
	c.got = l.try(t, clientPath(c.from, out.Path), out.Header, out.Body)
}

// everybody asks each provider at each door, whole and streamed, with a reserve
// and without, all at the same time, and judges what came.
func (l *lab) everybody(t *testing.T, judge func(*crossing) []string) {
	t.Helper()
	var list []*crossing
	for _, from := range doors() {
		for _, to := range all.Table() {
			for _, alone := range []bool{false, true} {
				list = append(list, &crossing{from: from, to: to.Name(), alone: alone, stream: true})
				if !from.always {
					list = append(list, &crossing{from: from, to: to.Name(), alone: alone})
				}
			}
		}
	}
	var wg sync.WaitGroup
	for _, c := range list {
		wg.Go(func() { c.send(t, l) })
	}
	wg.Wait()
	for _, c := range list {
		for _, p := range judge(c) {
			t.Errorf("%s: %s\n%d %s", c, p, c.got.status, c.got.body)
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

// unanswered says what is wrong with how a client without content is told that
// nobody answers.
func unanswered(c *crossing, want kinds) []string {
	if c.got.err != nil {
		return []string{"the gateway's own answer broke off: " + c.got.err.Error()}
	}
	if c.got.status == http.StatusOK {
		return []string{fmt.Sprint("answered; want an error of a kind in ", want)}
	}
	var problems []string
	if p := shape(c.from.Name(), c.got.body); p != "" {
		problems = append(problems, p)
	}
	if e := c.from.DecodeError(c.got.answer("")); !c.tells(e, want) {
		problems = append(problems, fmt.Sprintf("told as %v, want %v", e, want))
	}
	if after := c.got.header.Get("Retry-After"); want[0] == scri.ErrRateLimited && after != "1" {
		problems = append(problems, fmt.Sprintf("Retry-After is %q", after))
	}
	return problems
}

// tells reports whether an error says what kind it is of, as far as the client's
// dialect has a word for it.
func (c *crossing) tells(err error, want kinds) bool {
	e, ok := errors.AsType[*scri.Error](err)
	if ok && e.Kind == scri.ErrUnavailable && slices.Contains(want, scri.ErrTruncated) && slices.Contains([]string{"anthropic", "bedrock", "cohere"}, c.from.Name()) {
		return true
	}
	return ok && slices.Contains(want, e.Kind)
}

// seen says what differs from what a client should see.
func seen(c *crossing, want outcome, told kinds) []string {
	d, provider, got := c.from.Dialect, "p-"+c.to, c.got
	if got.err != nil {
		return []string{"the gateway's own answer broke off: " + got.err.Error()}
	}
	if got.status != http.StatusOK {
		if want == anything && c.alone {
			return unanswered(c, told)
		}
		return []string{"refused; want " + string(want)}
	}
	var r *scri.ChatResponse
	var err error
	if c.streams() {
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
			return brokenIn(c, text, want, err, told)
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
func brokenIn(c *crossing, text string, want outcome, err error, kinds kinds) (problems []string) {
	d, got := c.from, c.got
	if !c.tells(err, kinds) {
		problems = append(problems, fmt.Sprintf("in the stream: %v, want %v", err, kinds))
	}
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
