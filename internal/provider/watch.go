package provider

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aratta-gateway/aratta/internal/term"
)

// phase is what an attempt waits for.
type phase int32

const (
	phaseHead  phase = iota // the head of the answer
	phaseFirst              // the first content of a stream
	phaseIdle               // more of an answer that has begun
	phaseDrain              // the last bytes behind an answer that is complete
	phaseTotal              // not a wait of its own: the whole attempt took too long
)

// String is what did not come.
func (p phase) String() string {
	switch p {
	case phaseHead:
		return "no answer began"
	case phaseFirst:
		return "no first token came"
	case phaseIdle:
		return "nothing more of the answer came"
	case phaseDrain:
		return "the connection was not given back"
	default:
		return "the answer was not complete"
	}
}

// late is the cause with which an attempt's context is canceled when one of its
// limits is over.
type late struct {
	phase phase
	limit time.Duration
}

func (l *late) Error() string { return fmt.Sprintf("%s within %s", l.phase, l.limit) }

// Timeout makes it a net.Error's sibling.
func (l *late) Timeout() bool { return true }

// watch cancels an attempt that waits too long. It has one timer, which is not
// touched by each read: a read only notes when it began to wait, and the timer,
// when it fires, looks how long that is ago and sleeps on for the rest.
type watch struct {
	of     *term.Term // of the attempt
	began  time.Time
	limits limits

	phase atomic.Int32
	limit atomic.Int64 // of the present phase, in nanoseconds; 0 = none
	since atomic.Int64 // nanoseconds after began when the present wait began; -1 = nobody waits

	fired atomic.Pointer[late] // the limit that ended the attempt

	mu    sync.Mutex
	timer *time.Timer
	due   time.Duration // after began, when the timer fires; 0 = not at all
	over  bool
}

// start begins with the wait for the head.
func (w *watch) start(of *term.Term, l limits) {
	w.of, w.limits, w.began = of, l, time.Now()
	w.limit.Store(int64(l.head))
	w.mu.Lock()
	defer w.mu.Unlock()
	w.arm(soonest(l.head, l.total))
}

// soonest is the smaller limit of those that are limits.
func soonest(a, b time.Duration) time.Duration {
	switch {
	case a == none:
		return b
	case b == none:
		return a
	default:
		return min(a, b)
	}
}

// arm sets the timer to fire at due, unless it is over; mu is held.
func (w *watch) arm(due time.Duration) {
	if w.over || due == none {
		return
	}
	w.due = due
	wait := max(due-time.Since(w.began), 0)
	if w.timer == nil {
		w.timer = time.AfterFunc(wait, w.fire)
		return
	}
	w.timer.Reset(wait)
}

// enter changes the phase. In phaseFirst the wait began with the attempt, in
// phaseDrain it begins now, in phaseIdle with each read.
func (w *watch) enter(p phase, limit time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.phase.Store(int32(p))
	w.limit.Store(int64(limit))
	due := none
	switch p {
	case phaseIdle:
		w.since.Store(-1)
	case phaseDrain:
		now := time.Since(w.began)
		w.since.Store(int64(now))
		due = now + limit
	default:
		due = limit // since is 0: the attempt's beginning
	}
	if p == phaseIdle && limit != none {
		due = time.Since(w.began) + limit
	}
	if limit != none && (w.due == none || due < w.due) {
		w.arm(due)
	}
}

// wait notes that somebody waits from now on; got, that he does no more.
func (w *watch) wait() {
	if w.phase.Load() == int32(phaseIdle) {
		w.since.Store(int64(time.Since(w.began)))
	}
}

func (w *watch) got() {
	if w.phase.Load() == int32(phaseIdle) {
		w.since.Store(-1)
	}
}

// fire cancels the attempt or sleeps on.
func (w *watch) fire() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.over {
		return
	}
	w.due = none
	now := time.Since(w.began)
	if w.limits.total != none && now >= w.limits.total {
		w.end(&late{phaseTotal, w.limits.total})
		return
	}
	next := none
	if limit := time.Duration(w.limit.Load()); limit != none {
		next = now + limit
		if since := w.since.Load(); since >= 0 {
			next = time.Duration(since) + limit
		}
		if next <= now {
			w.end(&late{phase(w.phase.Load()), limit})
			return
		}
	}
	w.arm(soonest(next, w.limits.total))
}

func (w *watch) end(l *late) {
	w.fired.Store(l)
	w.of.End(l)
}

// stop ends the watch. It may be called twice.
func (w *watch) stop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.over = true
	if w.timer != nil {
		w.timer.Stop()
	}
}
