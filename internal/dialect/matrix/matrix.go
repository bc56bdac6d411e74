// Package matrix finds out what translations between dialects carry over, by
// translating: for each feature the smallest request or answer that has it is
// written in one dialect, read again and written in the other, and what the
// dialects report of it is what the matrix says. That their reports are the truth
// is law 4 of the conformance suite.
package matrix

import (
	"fmt"
	"net/http"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/scri"
)

// Sides of a feature.
const (
	SideRequest = "request" // the client says it, the provider is told it
	SideAnswer  = "answer"  // the provider says it, the client is told it
)

// Feature is one thing that can be said.
type Feature struct {
	Name string `json:"name"`
	Side string `json:"side"` // request or answer
	What string `json:"what,omitempty"`
}

// State is what becomes of a feature.
type State string

// The states.
const (
	Native  State = "native"  // it is carried over as it is
	Changed State = "changed" // it is carried over by other means or in other words, and a warning says so
	Lost    State = "lost"    // it is not, and a warning says so
	Unsaid  State = "unsaid"  // whoever would say it has no word for it
)

// Cell is what becomes of one feature on one way.
type Cell struct {
	State    State          `json:"state"`
	Loss     bool           `json:"loss,omitempty"` // strict refuses a request with it; see scri.Warning.Loss
	Warnings []scri.Warning `json:"warnings,omitempty"`
}

// Translation is what becomes of each feature between a client of one dialect
// and a provider of another.
type Translation struct {
	Client   string          `json:"client"`
	Provider string          `json:"provider"`
	Features map[string]Cell `json:"features"`
}

// Matrix is what all translations between dialects carry over.
type Matrix struct {
	Dialects     []string      `json:"dialects"`
	Features     []Feature     `json:"features"`
	Translations []Translation `json:"translations"`
}

// Make finds out about all pairs of dialects. It takes some milliseconds.
func Make(table []dialect.Dialect) *Matrix {
	m := &Matrix{}
	list := features()
	for i := range list {
		m.Features = append(m.Features, list[i].Feature)
	}
	for _, d := range table {
		m.Dialects = append(m.Dialects, d.Name())
	}
	for _, client := range table {
		for _, provider := range table {
			t := Translation{Client: client.Name(), Provider: provider.Name(), Features: map[string]Cell{}}
			for i := range list {
				f := &list[i]
				if f.ask != nil {
					t.Features[f.Name] = request(f, client, provider)
				} else {
					t.Features[f.Name] = answer(f, client, provider)
				}
			}
			m.Translations = append(m.Translations, t)
		}
	}
	return m
}

// Request is the smallest request with a feature as the dialect understands it
// from a client; false when it has no word for it.
func (f *feature) request(d dialect.Dialect) (r *scri.ChatRequest, ok bool) {
	defer func() { ok = ok && recover() == nil }() // a dialect may be unable to serve at all
	r = base()
	f.ask(r, d.Name())
	out, warnings, err := d.EncodeRequest(r, &dialect.Target{Model: r.Model})
	if err != nil || cell(warnings).State != Native {
		return nil, false
	}
	in := incoming(d)
	in.Header, in.Body = out.Header, out.Body
	r, err = d.DecodeRequest(in)
	if err != nil {
		return nil, false
	}
	if r.Model == "" { // it stands in the path
		r.Model = base().Model
	}
	return r, true
}

// request is what becomes of a feature of requests.
func request(f *feature, client, provider dialect.Dialect) Cell {
	r, ok := f.request(client)
	if !ok {
		return Cell{State: Unsaid}
	}
	traits := provider.Traits()
	if client.Name() == provider.Name() { // as the gateway has it: who writes the format knows its roles
		traits.Developer, traits.LateSystem = true, true
	}
	fit, warnings := scri.Port(r, traits)
	_, more, err := provider.EncodeRequest(fit, &dialect.Target{Model: r.Model})
	if err != nil {
		e := scri.AsError(err)
		return Cell{State: Lost, Loss: true, Warnings: []scri.Warning{{Code: scri.WarnDropped, Path: e.Path, Detail: e.Message}}}
	}
	return cell(append(warnings, more...))
}

// answer is what becomes of a feature of answers.
func answer(f *feature, client, provider dialect.Dialect) (c Cell) {
	defer func() {
		if p := recover(); p != nil {
			c = Cell{State: Unsaid}
		}
	}()
	asked := base()
	asked.LogProbs, asked.N = new(0), 2
	r := reply()
	f.answer(r, provider.Name())
	in := incoming(provider)
	in.Req = asked
	body, warnings := provider.EncodeResponse(nil, in, r)
	if cell(warnings).State != Native {
		return Cell{State: Unsaid}
	}
	r, err := provider.DecodeResponse(&dialect.Answer{
		Status: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}}, Body: body, Target: &dialect.Target{Model: asked.Model},
	})
	if err != nil {
		return Cell{State: Unsaid}
	}
	in = incoming(client)
	in.Req = asked
	_, warnings = client.EncodeResponse(nil, in, r)
	return cell(warnings)
}

func incoming(d dialect.Dialect) *dialect.Incoming {
	in := &dialect.Incoming{Header: http.Header{}, Param: func(string) string { return "" }}
	for _, r := range d.Routes() {
		if r.Op == scri.OpChat && r.Stream != dialect.Always {
			in.Route = r
			break
		}
	}
	return in
}

// cell is what warnings come to. What was added is nothing of the feature's.
func cell(warnings []scri.Warning) Cell {
	c := Cell{State: Native}
	for _, w := range warnings {
		switch {
		case w.Code == scri.WarnAdded:
			continue
		case w.Code == scri.WarnDropped:
			c.State = Lost
		case c.State == Native:
			c.State = Changed
		}
		c.Loss = c.Loss || w.Loss()
		c.Warnings = append(c.Warnings, w)
	}
	return c
}

// Of returns what becomes of a feature between a client and a provider.
func (m *Matrix) Of(client, provider, feature string) (Cell, error) {
	for i := range m.Translations {
		if t := &m.Translations[i]; t.Client == client && t.Provider == provider {
			if c, ok := t.Features[feature]; ok {
				return c, nil
			}
		}
	}
	return Cell{}, fmt.Errorf("nothing is known of %s from %s to %s", feature, client, provider)
}
