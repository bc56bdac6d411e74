// Package term bounds work as context.WithTimeout and context.WithCancelCause do, for
// less: those of the standard library take five allocations for each level, and a place
// in a table of their parent's, before anybody waits for their end. A Term lies in the
// memory of whoever begins it, looks at its parent when it is asked, and has itself
// told of the parent's end only once somebody wants to be told of its own.
package term

import (
	"context"
	"slices"
	"sync"
	"time"
)

// Term is a context that ends with its parent, after some time, or when it is ended.
// Several goroutines may use it at once; it must not be copied. Begin makes it usable,
// once.
type Term struct {
	parent   context.Context //nolint:containedctx // it is a context itself
	deadline time.Time       // its own; zero = none

	mu      sync.Mutex
	err     error // not nil = it has ended
	cause   error
	done    chan struct{} // nil = nobody has asked for it
	waiters []waiter
	one     [1]waiter // memory of waiters: mostly there is one
	last    uint64    // the newest waiter's id
	told    bool      // of the parent's end and of the deadline
	above   *Term     // who tells of the parent's end; nil = the parent itself does
	id      uint64    // as a waiter of above
	leave   func() bool
	timer   *time.Timer
}

// waiter is who is told of the end.
type waiter struct {
	id    uint64
	f     func() // is called in a goroutine of its own
	child *Term  // in place of f
}

// Begin makes t a context that ends with parent or after a limit; 0 = none. It returns
// t. Whoever begins it must End it.
func (t *Term) Begin(parent context.Context, limit time.Duration) context.Context {
	t.parent, t.waiters = parent, t.one[:0]
	if limit > 0 {
		t.deadline = time.Now().Add(limit)
	}
	return t
}

// End ends t, unless it has ended already, for a cause; nil stands for context.Canceled,
// which is what Err tells in any case.
func (t *Term) End(cause error) { t.end(context.Canceled, cause) }

func (t *Term) end(err, cause error) {
	t.mu.Lock()
	if t.err != nil {
		t.mu.Unlock()
		return
	}
	if cause == nil {
		cause = err
	}
	t.err, t.cause = err, cause
	if t.done != nil {
		close(t.done)
	}
	if t.timer != nil {
		t.timer.Stop()
	}
	above, leave, waiters := t.above, t.leave, t.waiters
	t.above, t.leave, t.timer, t.waiters = nil, nil, nil, nil
	t.mu.Unlock()
	if above != nil {
		above.remove(t.id)
	}
	if leave != nil {
		leave()
	}
	for _, w := range waiters {
		if w.child != nil {
			w.child.parentEnded()
		} else {
			go w.f()
		}
	}
}

// Err says whether and how t has ended.
func (t *Term) Err() error {
	if t.parent.Err() != nil {
		t.parentEnded() // though perhaps it was not told yet
	}
	t.mu.Lock()
	err := t.err
	late := err == nil && !t.told && !t.deadline.IsZero() && !time.Now().Before(t.deadline)
	t.mu.Unlock()
	if late {
		t.late()
		return t.Err()
	}
	return err
}

func (t *Term) parentEnded() { t.end(t.parent.Err(), Cause(t.parent)) }

func (t *Term) late() { t.end(context.DeadlineExceeded, nil) }

// Done is closed when t has ended.
func (t *Term) Done() <-chan struct{} {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.done == nil {
		t.done = make(chan struct{})
		if t.err != nil {
			close(t.done)
		}
		t.listen()
	}
	return t.done
}

// Deadline is when t will end at the latest.
func (t *Term) Deadline() (time.Time, bool) {
	d, ok := t.parent.Deadline()
	if !t.deadline.IsZero() && (!ok || t.deadline.Before(d)) {
		return t.deadline, true
	}
	return d, ok
}

type key struct{}

// Value is the parent's.
func (t *Term) Value(k any) any {
	if k == (key{}) {
		return t
	}
	return t.parent.Value(k)
}

// AfterFunc calls f in a goroutine of its own once t has ended, unless stop is called
// before, which reports whether it came in time: [context.AfterFunc] asks contexts for
// this that are not of its own kind.
func (t *Term) AfterFunc(f func()) (stop func() bool) {
	id := t.add(waiter{f: f})
	return func() bool { return t.remove(id) }
}

// add returns the waiter's id. One that comes too late is told at once, but not by
// its caller, who may hold what it needs.
func (t *Term) add(w waiter) uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.last++
	w.id = t.last
	switch {
	case t.err == nil:
		t.waiters = append(t.waiters, w)
		t.listen()
	case w.child != nil:
		go w.child.parentEnded()
	default:
		go w.f()
	}
	return w.id
}

// remove reports whether there was such a waiter, who will not be told then.
func (t *Term) remove(id uint64) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	i := slices.IndexFunc(t.waiters, func(w waiter) bool { return w.id == id })
	if i < 0 {
		return false
	}
	t.waiters = slices.Delete(t.waiters, i, i+1)
	return true
}

// listen has t told of what ends it; mu is held.
func (t *Term) listen() {
	if t.told || t.err != nil {
		return
	}
	t.told = true
	if t.above = of(t.parent); t.above != nil {
		t.id = t.above.add(waiter{child: t})
	} else {
		t.leave = context.AfterFunc(t.parent, t.parentEnded)
	}
	if !t.deadline.IsZero() {
		t.timer = time.AfterFunc(time.Until(t.deadline), t.late)
	}
}

// AfterFunc is [context.AfterFunc], for less where the context is a Term or has one as
// its parent.
func AfterFunc(ctx context.Context, f func()) (stop func() bool) {
	if t := of(ctx); t != nil {
		return t.AfterFunc(f)
	}
	return context.AfterFunc(ctx, f)
}

// of returns the Term that ctx is but for values, or nil.
func of(ctx context.Context) *Term {
	switch c := ctx.(type) {
	case *Term:
		return c
	case *valued:
		return of(c.Context) //nolint:contextcheck // it is c's own
	}
	if t, ok := ctx.Value(key{}).(*Term); ok && ctx.Done() == t.Done() {
		return t
	}
	return nil
}

// Cause is why ctx has ended, as [context.Cause] has it, or nil. A context of the
// standard library that ended with a Term above it knows no more than Err does.
func Cause(ctx context.Context) error {
	t := of(ctx)
	if t == nil {
		return context.Cause(ctx)
	}
	if t.Err() == nil {
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.cause
}

// WithValue is [context.WithValue], of which a Term need not be told by a goroutine.
func WithValue(parent context.Context, k, v any) context.Context { return &valued{parent, k, v} }

type valued struct {
	context.Context //nolint:containedctx // it is a context itself

	key, val any
}

func (v *valued) Value(k any) any {
	if k == v.key {
		return v.val
	}
	return v.Context.Value(k)
}

// AfterFunc is the parent's, see [Term.AfterFunc].
func (v *valued) AfterFunc(f func()) (stop func() bool) { return AfterFunc(v.Context, f) }
