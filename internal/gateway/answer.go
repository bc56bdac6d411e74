package gateway

import (
	"context"
	"io"
	"sync"

	"github.com/aratta-gateway/aratta/internal/provider"
	"github.com/aratta-gateway/aratta/scri"
)

// answer is the stream of the attempt that answers. It names who answered,
// meters the usage, and closes the lineage at the end.
type answer struct {
	s  scri.Stream
	g  *Gateway
	c  *call
	p  *provider.Provider
	at int // the attempt's index in the lineage

	mu       sync.Mutex // for all below and for the lineage: Close may come while Next waits
	end      ending
	finished bool // a finish reason came
	usage    *scri.Usage
	counts   [5]int64 // what usage points to, so that a running count allocates once
	written  []byte   // the provider's own words about a usage, where its price depends on them
	done     scri.StreamEvent
	head     scri.ChatResponse // of the last event, which must not gainsay the first
}

// ending is whether the answer is over.
type ending bool

const (
	running ending = false
	closed  ending = true // the last event, or the error, is told and the lineage is closed
)

func (a *answer) Next() (*scri.StreamEvent, error) {
	e, err := a.s.Next()
	if err != nil {
		return a.over(err)
	}
	switch e.Kind {
	case scri.EventStart, scri.EventSeam, scri.EventUsage, scri.EventFinish, scri.EventDone, scri.EventWarning:
		return a.note(e)
	default:
		return e, nil
	}
}

// note takes from an event what the lineage and the last event must tell.
func (a *answer) note(e *scri.StreamEvent) (*scri.StreamEvent, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
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
	case scri.EventWarning:
		if e.Warning != nil {
			a.c.Warnings = append(a.c.Warnings, *e.Warning)
		}
	case scri.EventDone:
		a.finished = a.finished || e.Finish != nil && e.Finish.Reason != ""
		if !a.finished {
			return nil, a.broke(torn())
		}
		return a.finish(e), nil
	default:
	}
	return e, nil
}

// over ends the answer, with a last event of its own where the dialect gave none.
func (a *answer) over(err error) (*scri.StreamEvent, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case !scri.Ended(err):
		return nil, a.broke(err)
	case a.end != running:
		return nil, io.EOF
	case !a.finished:
		return nil, a.broke(torn())
	default:
		a.done = scri.StreamEvent{Kind: scri.EventDone}
		return a.finish(&a.done), nil
	}
}

// torn is the error of an answer without a finish reason. Dialects see to that
// themselves; were one to forget, it would pass for a whole one.
func torn() *scri.Error {
	return &scri.Error{Kind: scri.ErrTruncated, Message: "the answer ended without a finish reason"}
}

// Pending reports whether Next would not wait.
func (a *answer) Pending() bool { return scri.Pending(a.s) }

// Close ends the answer; one that was not read to its end was canceled.
func (a *answer) Close() error {
	err := a.s.Close()
	a.mu.Lock()
	defer a.mu.Unlock()
	a.settle("canceled", nil)
	return err
}

// Whole returns the answer if it came whole and nothing was read of it.
func (a *answer) Whole() *scri.ChatResponse {
	r := scri.Whole(a.s)
	a.mu.Lock()
	defer a.mu.Unlock()
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
	if k := a.c.Keep; k != nil && (head.ID == "" || a.c.Lineage.Ingress != att.Dialect) {
		head.ID = k.ID // another's may be that of several answers
	}
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
	if provider.Priced(u) {
		a.written = append(a.written[:0], u.Raw...)
	}
}

// finish turns e into the last event: what is known only now is in it.
func (a *answer) finish(e *scri.StreamEvent) *scri.StreamEvent {
	a.settle("ok", nil)
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
	outcome := "failed"
	if e.Kind == scri.ErrCanceled { // it is no fault of the target that the client left
		outcome = "canceled"
	}
	a.settle(outcome, e)
	e.RequestID, e.Attempts = a.c.ID, a.c.Lineage.Attempts
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
	att.CostUSD = a.p.Price(att.Model, a.priced())
	if outcome == "ok" {
		a.p.Answered()
	}
	a.c.Lineage.CostUSD = total(a.c.Lineage.Attempts, a.at)
	if e != nil {
		att.Error = brief(e)
		a.g.log.LogAttrs(context.Background(), levelOf(e), "answer broke off", attrs(a.c, att, e)...)
	}
}

// priced is the usage with what else a price may depend on, which the lineage
// does not repeat.
func (a *answer) priced() *scri.Usage {
	if a.usage == nil {
		return nil
	}
	u := *a.usage
	u.Raw = a.written
	return &u
}

// total is the cost of all attempts, or nil when that of the one that answered
// is not known. Attempts that gave nothing and reported no usage cost nothing as
// far as anybody tells.
func total(list []scri.Attempt, answered int) *float64 {
	var sum float64
	for i := range list {
		switch {
		case list[i].CostUSD != nil:
			sum += *list[i].CostUSD
		case i == answered || list[i].Usage != nil:
			return nil
		}
	}
	return &sum
}
