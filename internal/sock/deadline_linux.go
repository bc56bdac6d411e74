package sock

import (
	"errors"
	"os"
	"sync"
	"time"
)

// deadline is that of one direction. A server sets five for each request, and each has
// the runtime move a timer; but it matters only to who waits, and few do: so it is told
// to the runtime when somebody is about to.
type deadline struct {
	mu    sync.Mutex
	tell  func(time.Time) error
	want  time.Time
	told  time.Time
	waits int // so many wait, or do what may wait
}

// set changes the deadline. Its error is that of a connection that is closed, where
// the runtime must be told.
func (d *deadline) set(t time.Time) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.want = t
	if d.waits > 0 || past(t) || past(d.told) {
		return d.settle()
	}
	return nil
}

// past reports whether t is one of those that mean "at once": nothing is done after it,
// whether it would wait or not.
func past(t time.Time) bool { return !t.IsZero() && t.Unix() < 1<<30 }

// settle tells the runtime what is not told; mu is held.
func (d *deadline) settle() error {
	if d.told.Equal(d.want) {
		return nil
	}
	d.told = d.want
	return d.tell(d.want)
}

// wait is called before somebody waits, or may, and what it returns after that.
func (d *deadline) wait() (done func()) {
	d.begin()
	return d.end
}

func (d *deadline) begin() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.waits++
	_ = d.settle() // who waits on a connection that is closed is told
}

func (d *deadline) end() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.waits--
}

// stale reports whether err is that of a deadline that is no longer wanted: the runtime
// was not told, and failed whoever came. Now it is told.
func (d *deadline) stale(err error) bool {
	if err == nil || !errors.Is(err, os.ErrDeadlineExceeded) {
		return false
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.want.IsZero() && !time.Now().Before(d.want) {
		return false
	}
	d.told = d.want // once more if need be: another may have told it since
	return d.tell(d.want) == nil
}
