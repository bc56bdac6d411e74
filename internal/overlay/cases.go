package overlay

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// Case is an example that stands with an overlay: what it makes of something.
type Case struct {
	Name     string
	At       At     // what before and after are; request unless it says otherwise
	Target   Target // who it goes to, as far as the case says
	Request  []byte // what conditions look at, where before is not the request itself
	Before   []byte // JSON; of headers an object, of a path a text, of a stream a list of events
	After    []byte
	Warnings []string // "dropped /temperature"; nil = not compared
	Err      string   // part of the error that a stream ends in
	Earlier  []Exchange

	file string
	line int
}

// Exchange is a request with its answer that came before.
type Exchange struct{ Request, Response []byte }

// cases reads the examples of an overlay.
func (o *Overlay) cases(s *source, v *val) error {
	if v == nil {
		return nil
	}
	if v.kind != wire.Array {
		return s.fail(v.line, v.col, "cases: want a list, got %s", v.word())
	}
	for i, e := range v.items {
		a := s.args(e, fmt.Sprintf("case %d", i+1))
		c := Case{
			Name: a.text("name"), At: At(a.oneOf("at", directions()...)), file: s.file, line: e.line,
			Target: Target{
				Op: o.Match.Op, Provider: a.text("provider"), Dialect: canonicalDialect(a.text("dialect")), Model: a.text("model"), BaseURL: a.text("base_url"),
			},
			Request: a.json("request"), Err: a.text("error"),
		}
		a.need("before")
		c.Before, c.After = a.json("before"), a.json("after")
		if c.Err == "" {
			a.need("after")
		}
		if a.opt("warnings") != nil {
			c.Warnings = append([]string{}, a.texts("warnings")...)
		}
		if ev := a.opt("earlier"); ev != nil {
			for _, x := range oneOrList(ev) {
				m := s.args(x, "earlier")
				c.Earlier = append(c.Earlier, Exchange{m.need("request").json(), m.need("response").json()})
				if err := m.done(); err != nil {
					return err
				}
			}
		}
		if err := a.done(); err != nil {
			return err
		}
		if c.Name == "" {
			c.Name = fmt.Sprintf("case %d", i+1)
		}
		o.Cases = append(o.Cases, c)
	}
	return nil
}

// Try runs one of the overlay's examples. An error says what came instead.
func (o *Overlay) Try(c *Case) error {
	enabled := *o // an example tells what the overlay would do
	enabled.Disabled, enabled.Expires, enabled.Approval = false, time.Time{}, Approval{}
	p := NewSet(&enabled).For(o.caseTarget(c), time.Time{})
	if p == nil {
		return c.wrong("the overlay is not for this provider, dialect, base_url or model")
	}
	for _, x := range c.Earlier {
		r := p.Begin(nil)
		if err := r.Request(&Request{Body: x.Request, Model: p.target.Model}); err != nil {
			return err
		}
		r.Response(x.Response)
	}
	r := p.Begin(nil)
	got, err := c.run(r, p.target.Model)
	if err != nil {
		var se *scri.Error
		if c.Err != "" && errors.As(err, &se) && strings.Contains(se.Message, c.Err) {
			return nil
		}
		return c.wrong("%v", err)
	}
	want := c.After
	if c.At == AtHeaders { // names in one spelling
		want = headersJSON(headersOf(want))
	}
	switch {
	case c.Err != "":
		return c.wrong("it came without the error %q", c.Err)
	case !wire.Equal(got, want):
		return c.wrong("got  %s\nwant %s", got, want)
	case c.Warnings != nil && !c.warned(r.Warnings):
		return c.wrong("warnings: got %q, want %q", told(r.Warnings), c.Warnings)
	}
	return nil
}

func (c *Case) wrong(format string, args ...any) error {
	return fmt.Errorf("%s:%d: %s: %s", c.file, c.line, c.Name, fmt.Sprintf(format, args...))
}

func told(list []scri.Warning) []string {
	out := make([]string, len(list))
	for i, w := range list {
		out[i] = w.Code + " " + w.Path
	}
	return out
}

func (c *Case) warned(list []scri.Warning) bool {
	got := told(list)
	if len(got) != len(c.Warnings) {
		return false
	}
	for i := range got {
		if got[i] != c.Warnings[i] {
			return false
		}
	}
	return true
}

// caseTarget is who an example is about: what it says, what its request says,
// what the overlay matches.
func (o *Overlay) caseTarget(c *Case) Target {
	t := c.Target
	t.Builtin = []string{o.ID}
	if t.Provider == "" {
		t.Provider = first(o.Match.providers)
	}
	if t.Dialect == "" {
		t.Dialect = o.Match.Dialect
	}
	if t.Dialect == "" {
		t.Dialect = "openai"
	}
	if t.BaseURL == "" && o.Match.BaseURL != "" {
		t.BaseURL = "https://" + bare(o.Match.BaseURL)
	}
	if t.Model == "" {
		var in tree
		body := c.Request
		if c.At == AtRequest && body == nil {
			body = c.Before
		}
		in.load(body)
		t.Model = in.get(in.root, "model").text()
	}
	if t.Model == "" {
		t.Model = first(o.Match.models)
	}
	return t
}

func first(g globs) string {
	if len(g) == 0 {
		return "any"
	}
	return strings.ReplaceAll(g[0], "*", "")
}

// run gives what the overlay makes of before.
func (c *Case) run(r *Run, model string) ([]byte, error) {
	q := Request{Body: c.Request, Model: model}
	switch c.At {
	case AtHeaders:
		q.Header = headersOf(c.Before)
	case AtPath:
		q.Path, q.Query, _ = strings.Cut(string(unquoted(c.Before)), "?")
	case AtRequest:
		q.Body = c.Before
	case AtResponse, AtStream:
	}
	if err := r.Request(&q); err != nil {
		return nil, err
	}
	switch c.At {
	case AtHeaders:
		return headersJSON(q.Header), nil
	case AtPath:
		if q.Query != "" {
			q.Path += "?" + q.Query
		}
		return quote(q.Path), nil
	case AtResponse:
		return r.Response(c.Before), nil
	case AtStream:
		return c.events(r)
	default:
		return q.Body, nil
	}
}

func headersOf(obj []byte) http.Header {
	h := http.Header{}
	var t tree
	t.load(obj)
	for _, m := range t.object(t.root) {
		h.Set(m.name, m.value.text())
	}
	return h
}

func headersJSON(h http.Header) []byte {
	b := []byte{'{'}
	for name, v := range h {
		if len(b) > 1 {
			b = append(b, ',')
		}
		b = append(append(append(b, quote(name)...), ':'), quote(strings.Join(v, ", "))...)
	}
	return append(b, '}')
}

// events sends the events of before through the overlay and lists what comes out.
func (c *Case) events(r *Run) ([]byte, error) {
	var t tree
	t.load(c.Before)
	var in []byte
	list := t.elements(t.root)
	if t.root.kind != wire.Array {
		list = []*node{t.root}
	}
	for _, e := range list {
		data := e.json()
		if e.kind == wire.String { // [DONE]
			data = []byte(e.text())
		}
		in = wire.AppendSSE(in, t.get(e, "type").text(), data)
	}
	out := []byte{'['}
	frames := wire.NewSSE(r.Stream(bytes.NewReader(in), SSE, 0), 0)
	for {
		f, err := frames.Next()
		if errors.Is(err, io.EOF) {
			return append(out, ']'), nil
		}
		if err != nil {
			return nil, err
		}
		if len(out) > 1 {
			out = append(out, ',')
		}
		if wire.Valid(f.Data) == nil && kindOf(f.Data) == wire.Object {
			out = append(out, f.Data...)
		} else {
			out = append(out, quote(string(f.Data))...)
		}
	}
}
