package gateway

import (
	"context"
	"io"

	"github.com/aratta-gateway/aratta/internal/provider"
	"github.com/aratta-gateway/aratta/scri"
)

// answer is the stream of the attempt that answers. It names who answered,
// meters the usage, and closes the lineage at the end.
type answer struct {
	s   scri.Stream
	g   *Gateway
	c   *call
	p   *provider.Provider
	at  int // the attempt's index in the lineage
	end ending

	finished bool // a finish reason came
	usage    *scri.Usage
	counts   [5]int64 // what usage points to, so that a running count allocates once
	done     scri.StreamEvent
	head     scri.ChatResponse // of the last event, which must not gainsay the first
}

// ending is how far the end of an answer has been told.
type ending uint8

const (
	running ending = iota
	told           // the done event is out
	closed         // and the lineage is closed
)

func (a *answer) Next() (*scri.StreamEvent, error) {
	e, err := a.s.Next()
	if scri.Ended(err) {
		if a.end == running && !a.finished {
			// Dialects see to it themselves; were one to forget, a torn answer would
			// pass for a whole one.
			return nil, a.broke(&scri.Error{Kind: scri.ErrTruncated, Message: "the answer ended without a finish reason"})
		}
		if a.end == running {
			a.done = scri.StreamEvent{Kind: scri.EventDone}
			return a.finish(&a.done), nil
		}
		a.settle("ok", nil)
		return nil, io.EOF
	}
	if err != nil {
		return nil, a.broke(err)
	}
	switch e.Kind {
	case scri.EventStart, scri.EventSeam:
		if e.Head != nil {
			a.name(e.Head)
			a.head.ID, a.head.Model, a.head.Created = e.Head.ID, e.Head.Model, e.Head.Created
		}
	case scri.EventUsage:
		a.meter(e.Usage)
	case scri.EventFinish:
		a.finished = true
	case scri.EventDone:
		if a.finished = a.finished || e.Finish != nil && e.Finish.Reason != ""; a.finished {
			return a.finish(e), nil
		}
	default:
	}
	return e, nil
}

// Pending reports whether Next would not wait.
func (a *answer) Pending() bool { return scri.Pending(a.s) }

// Close ends the answer; one that was not read to its end was canceled.
func (a *answer) Close() error {
	err := a.s.Close()
	a.settle("canceled", nil)
	return err
}

// Whole returns the answer if it came whole and nothing was read of it.
func (a *answer) Whole() *scri.ChatResponse {
	r := scri.Whole(a.s)
	if r == nil || a.end != running {
		return nil
	}
	out := *r
	a.name(&out)
	a.meter(out.Usage)
	a.settle("ok", nil)
	out.Lineage, out.Warnings = a.c.Lineage, a.warnings(out.Warnings)
	return &out
}

// name writes who answered.
func (a *answer) name(head *scri.ChatResponse) {
	att := &a.c.Lineage.Attempts[a.at]
	head.Provider = att.Provider
	if a.c.Lineage.Ingress != att.Dialect { // one format may need what the other has not
		if head.ID == "" {
			head.ID = a.c.ID
		}
		if head.Created.IsZero() {
			head.Created = att.Start
		}
	}
	if head.Model == "" {
		head.Model = att.Model
	}
	if a.g.echoModel && a.c.In.Model != "" {
		head.Model = a.c.In.Model
	}
}

func (a *answer) warnings(own []scri.Warning) []scri.Warning {
	if len(own) > 0 {
		a.c.Warnings = append(a.c.Warnings, own...)
	}
	return a.c.Warnings
}

// meter keeps the last counts. Their event is gone at the next call.
func (a *answer) meter(u *scri.Usage) {
	if u == nil {
		return
	}
	if a.usage == nil {
		a.usage = &scri.Usage{}
	}
	for i, f := range []struct {
		to   **int64
		from *int64
	}{
		{&a.usage.Input, u.Input},
		{&a.usage.Output, u.Output},
		{&a.usage.Thinking, u.Thinking},
		{&a.usage.CacheRead, u.CacheRead},
		{&a.usage.CacheWrite, u.CacheWrite},
	} {
		if f.from != nil {
			a.counts[i] = *f.from
			*f.to = &a.counts[i]
		}
	}
	a.usage.Estimated = u.Estimated
}

// finish turns e into the last event: what is known only now is in it.
func (a *answer) finish(e *scri.StreamEvent) *scri.StreamEvent {
	a.settle("ok", nil)
	a.end = told
	if e.Head != nil {
		id, model, created := a.head.ID, a.head.Model, a.head.Created
		if a.head = *e.Head; a.head.ID == "" {
			a.head.ID = id
		}
		if a.head.Model == "" {
			a.head.Model = model
		}
		if a.head.Created.IsZero() {
			a.head.Created = created
		}
	}
	a.head.Lineage, a.head.Warnings = a.c.Lineage, a.warnings(a.head.Warnings)
	a.name(&a.head)
	e.Head = &a.head
	return e
}

// broke ends an answer of which the client has seen something.
func (a *answer) broke(err error) error {
	e := scri.AsError(err)
	e.RequestID = a.c.ID
	a.settle("failed", e)
	e.Attempts = a.c.Lineage.Attempts
	return e
}

// settle closes the attempt and the lineage, once.
func (a *answer) settle(outcome string, e *scri.Error) {
	if a.end != running {
		return
	}
	a.end = closed
	att := &a.c.Lineage.Attempts[a.at]
	att.Outcome, att.Usage = outcome, a.usage
	att.TookMS = millis(a.g.now().Sub(att.Start))
	att.CostUSD = a.p.Price(att.Model, a.usage)
	a.c.Lineage.CostUSD = total(a.c.Lineage.Attempts)
	if e != nil {
		att.Error = brief(e)
		a.g.log.LogAttrs(context.Background(), levelOf(e), "answer broke off", attrs(a.c, att, e)...)
	}
}

// total is the cost of all attempts, or nil when that of one that used tokens
// is not known.
func total(list []scri.Attempt) *float64 {
	var sum float64
	for i := range list {
		switch {
		case list[i].CostUSD != nil:
			sum += *list[i].CostUSD
		case list[i].Usage != nil:
			return nil
		}
	}
	return &sum
}
