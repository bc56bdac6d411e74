package app

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/aratta-gateway/aratta/scri"
)

// conversation is a gateway of a lab that a person talks with.
func conversation(t *testing.T, ups ...up) (*lab, *tty) {
	t.Helper()
	l := newLab(t, "", ups...)
	x := atTerminal(t, t.TempDir(), nil, "chat", "--url", l.url)
	x.shows(`^Aratta at http://\S+, model auto\. /help shows what there is`)
	x.shows(`^>$`)
	return l, x
}

// A conversation at a terminal: it remembers what was said, says who answered and
// why, changes the model, and forgets.
func TestConversation(t *testing.T) {
	l, x := conversation(t, up{name: "near", dialect: "ollama", local: true}, up{name: "far", dialect: "anthropic"})
	asked := func(sim string) string {
		t.Helper()
		last, _ := l.sims[sim].Last()
		return string(last.Body)
	}
	x.types("/why" + enter)
	x.shows("^nothing was answered yet")
	x.types("first thing" + enter)
	x.shows(`answer of near \(m\)\. You asked: first thing`)
	x.types("/why" + enter)
	x.shows(`^  1\. near:m \(local\) ok, `)
	x.types("second thing" + enter)
	x.shows("You asked: second thing")
	if body := asked("near"); !strings.Contains(body, "first thing") || !strings.Contains(body, `"assistant"`) {
		t.Errorf("the conversation is not remembered: %s", body)
	}
	x.types("/model far:m" + enter)
	x.shows("^asking far:m")
	x.types("third thing" + enter)
	x.shows(`answer of far \(m\)\. You asked: third thing`)
	x.types("/clear" + enter)
	x.shows("the conversation is forgotten")
	x.types("//fourth thing" + enter)
	x.shows("You asked: /fourth thing")
	if body := asked("far"); strings.Contains(body, "first thing") {
		t.Errorf("the conversation is not forgotten: %s", body)
	}
	x.types("/model fat:m" + enter)
	x.shows(`^there is no "fat:m"; did you mean "far:m"\?\nstill asking far:m; /model shows what there is\n`)
	x.types("/model something-else" + enter)
	x.shows(`^there is no "something-else"\nstill asking far:m; there is:\n(  .*\n)*  near:m\n`)
	x.types("/model near:huge" + enter)
	x.shows("^asking near:huge; near does not list it, and is asked for it all the same")
	x.types("fifth" + enter)
	x.shows("^aratta: .*huge")
	x.types("/whi" + enter)
	x.shows("there is no /whi; did you mean /why")
	x.types("/model" + enter)
	x.shows("^  near:m")
	x.types("/help" + enter)
	x.shows("^  /clear +forget the conversation")
	x.types("/quit" + enter)
	x.ends(0)
}

// What several lines are one text.
func TestConversationOfSeveralLines(t *testing.T) {
	for _, c := range []struct{ name, keys, want string }{
		{"in quotes", `"""one` + enter + `two"""` + enter, `one\ntwo`},
		{"quotes on lines of their own", `"""` + enter + `one\` + enter + "" + enter + "two" + enter + `"""` + enter, `one\\\n\ntwo`},
		{"backslash", `one\` + enter + "two" + enter, `one\ntwo`},
		{"pasted", "\x1b[200~one" + enter + "two\x1b[201~" + " more" + enter, `one\ntwo more`},
		{"changed", "one two\x17three" + enter, "one three"},
		{"given up", "nothing" + ctrlC, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			l, x := conversation(t, up{name: "near", dialect: "ollama", local: true})
			x.types(c.keys)
			if c.want != "" {
				x.shows("You asked: ")
				if last, _ := l.sims["near"].Last(); !strings.Contains(string(last.Body), `"content":"`+c.want+`"`) {
					t.Errorf("got %s, want %s", last.Body, c.want)
				}
			}
			x.shows(`^>$`)
			x.types(ctrlD)
			x.ends(0)
			if _, n := l.sims["near"].Last(); c.want == "" && n != 0 {
				t.Error("what was given up was sent")
			}
		})
	}
}

// Ctrl-C stops an answer and not the conversation, and what it stopped is not part
// of it.
func TestConversationInterrupted(t *testing.T) {
	g, upstream := newGate(t)
	_, url := serveProcess(t, upstream, "")
	x := atTerminal(t, t.TempDir(), nil, "chat", "--url", url)
	x.types("wait for it" + enter)
	<-g.waiting
	x.shows("simulated")
	x.types(ctrlC)
	x.shows(`^\(stopped; `)
	close(g.opened)
	x.types("now" + enter)
	x.shows("You asked: now")
	if last, _ := g.Last(); strings.Contains(string(last.Body), "wait for it") {
		t.Errorf("what was stopped is part of the conversation: %s", last.Body)
	}
	x.shows(`^>$`) // typed before it, Ctrl-D is the terminal's
	x.types(ctrlD)
	x.ends(0)
}

// Nobody there: that is said before a question is written.
func TestConversationWithNobody(t *testing.T) {
	x := atTerminal(t, t.TempDir(), nil, "chat", "--url", "http://127.0.0.1:1")
	x.ends(1)
	x.shows("is not reached .start it with `aratta serve`")
}

// /why of a question that nobody answered tells who was asked.
func TestWhyOfAFailure(t *testing.T) {
	var said strings.Builder
	c := &chatting{p: &program{IO: IO{Out: io.Discard, Err: io.Discard}}}
	_ = c.failed(context.Background(), &scri.Error{Kind: scri.ErrUnavailable, Attempts: []scri.Attempt{{
		Provider: "near", Model: "m", Zone: "local", Outcome: "failed", Error: &scri.Error{Kind: scri.ErrUnavailable, Status: http.StatusBadGateway, Message: "down"},
	}}})
	c.tellWhy(&said)
	if got := said.String(); got != "nobody answered:\n  1. near:m (local) failed: unavailable: down, 0 ms\n" {
		t.Errorf("%q", got)
	}
}

// A model that there is not is said before a question is written.
func TestConversationWithNoSuchModel(t *testing.T) {
	l := newLab(t, "", up{name: "near", dialect: "ollama", local: true})
	x := atTerminal(t, t.TempDir(), nil, "chat", "--url", l.url, "-m", "naer:m")
	x.shows(`^there is no "naer:m"; did you mean "near:m"\? \(/model NAME asks another\)$`)
	x.shows(`^>$`)
	x.types(ctrlD)
	x.ends(0)
}
