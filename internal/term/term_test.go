package term_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/aratta-gateway/aratta/internal/term"
)

func TestTermEndsByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var a term.Term
		a.Begin(t.Context(), time.Second)
		defer a.End(nil)
		begin := time.Now()
		if d, ok := a.Deadline(); !ok || d != begin.Add(time.Second) {
			t.Fatalf("deadline %v, %t", d, ok)
		}
		<-a.Done()
		if took := time.Since(begin); took != time.Second || a.Err() != context.DeadlineExceeded { //nolint:errorlint // contexts promise exactly this one
			t.Fatalf("%v after %s", a.Err(), took)
		}
	})
}

// Nobody listens, so nobody told it; it knows all the same.
func TestTermLooksWhenAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		parent, cancel := context.WithCancelCause(t.Context())
		var late, left term.Term
		late.Begin(parent, time.Second)
		left.Begin(&late, 0)
		time.Sleep(time.Second)
		if !errors.Is(left.Err(), context.DeadlineExceeded) {
			t.Fatal(left.Err())
		}
		var other term.Term
		other.Begin(parent, 0)
		why := errors.New("the server stops")
		cancel(why)
		if !errors.Is(other.Err(), context.Canceled) || !errors.Is(term.Cause(&other), why) {
			t.Fatal(other.Err(), term.Cause(&other))
		}
	})
}

func TestTermTakesNoMemoryUntilSomebodyListens(t *testing.T) {
	var a, b term.Term
	parent := t.Context()
	if n := testing.AllocsPerRun(100, func() {
		a, b = term.Term{}, term.Term{}
		a.Begin(parent, time.Hour)
		b.Begin(&a, 0)
		if a.Err() != nil || b.Err() != nil {
			t.Fatal("ended")
		}
		b.End(nil)
		a.End(nil)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// A stream that is stopped is told by nobody: no goroutine and no timer is left.
func TestTermLeavesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		parent, cancel := context.WithCancel(t.Context())
		defer cancel()
		var a term.Term
		a.Begin(parent, time.Hour)
		stop := term.AfterFunc(&a, func() { t.Error("called") })
		if !stop() || stop() {
			t.Error("stopped not once")
		}
		a.End(nil)
		if term.AfterFunc(&a, func() {})() {
			t.Error("what was called at once cannot be stopped")
		}
		// synctest fails where a goroutine waits for good, and would wait an hour for a timer.
	})
}

// Of a tree of contexts of both kinds, whatever is done to them, all say what they
// would say if all of them were the standard library's.
func TestTermIsAContext(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		kinds := rapid.SliceOfN(rapid.SampledFrom([]string{"term", "limited", "value", "cancel", "foreign value"}), 1, 6).Draw(r, "kinds")
		parents := make([]int, len(kinds))
		for i := range kinds {
			parents[i] = rapid.IntRange(-1, i-1).Draw(r, "parent")
		}
		heard := rapid.SliceOfN(rapid.Bool(), len(kinds), len(kinds)).Draw(r, "heard")
		steps := rapid.SliceOfN(rapid.IntRange(-2, len(kinds)-1), 1, 6).Draw(r, "steps")
		synctest.Test(t, func(*testing.T) {
			ours, std := newTree(false, kinds, parents), newTree(true, kinds, parents)
			defer ours.close()
			defer std.close()
			for i, h := range heard {
				if h {
					ours.listen(i)
					std.listen(i)
				}
			}
			for n, at := range steps {
				ours.step(n, at)
				std.step(n, at)
				synctest.Wait()
				if a, b := ours.tell(), std.tell(); a != b {
					r.Fatalf("after step %d (%d)\nours: %s\n std: %s", n, at, a, b)
				}
			}
		})
	})
}

// tree is one of contexts, of the standard library's alone or of both kinds.
type tree struct {
	root context.Context
	ends []func(error) // the root's last
	all  []context.Context
	told []atomic.Bool // by AfterFunc
	sure []bool        // it knows the cause, see Cause
}

func newTree(std bool, kinds []string, parents []int) *tree {
	root, stop := context.WithCancelCause(context.Background())
	t := &tree{root: root, told: make([]atomic.Bool, len(kinds))}
	for i, kind := range kinds {
		parent := root
		if p := parents[i]; p >= 0 {
			parent = t.all[p]
		}
		c, end := node(std, kind, parent, i)
		t.sure = append(t.sure, kind != "cancel" && (parents[i] < 0 || t.sure[parents[i]]))
		t.all, t.ends = append(t.all, c), append(t.ends, end)
	}
	t.ends = append(t.ends, stop)
	return t
}

func node(std bool, kind string, parent context.Context, i int) (context.Context, func(error)) {
	limit := time.Duration(0)
	switch kind {
	case "cancel":
		return context.WithCancelCause(parent)
	case "foreign value":
		return context.WithValue(parent, &kind, i), func(error) {}
	case "value":
		if std {
			return context.WithValue(parent, &kind, i), func(error) {}
		}
		return term.WithValue(parent, &kind, i), func(error) {}
	case "limited":
		limit = time.Duration(i+1) * time.Second
	}
	if !std {
		a := new(term.Term)
		a.Begin(parent, limit)
		return a, a.End
	}
	c, cancel := context.WithCancelCause(parent)
	if limit == 0 {
		return c, cancel
	}
	d, stop := context.WithTimeout(c, limit)
	return d, func(err error) { cancel(err); stop() }
}

func (t *tree) listen(i int) {
	if i%2 == 0 {
		term.AfterFunc(t.all[i], func() { t.told[i].Store(true) })
		return
	}
	context.AfterFunc(t.all[i], func() { t.told[i].Store(true) })
}

// step lets time pass, or ends one of them.
func (t *tree) step(n, at int) {
	if at == -2 {
		time.Sleep(1500 * time.Millisecond)
		return
	}
	if at == -1 {
		at = len(t.ends) - 1
	}
	t.ends[at](fmt.Errorf("step %d", n))
}

func (t *tree) tell() string {
	var b []byte
	for i, c := range t.all {
		_, limited := c.Deadline()
		b = fmt.Appendf(b, "%v %t %t", c.Err(), limited, t.told[i].Load())
		if t.sure[i] {
			b = fmt.Appendf(b, " %v", term.Cause(c))
		}
		b = append(b, "; "...)
	}
	return string(b)
}

func (t *tree) close() {
	for _, end := range t.ends {
		end(nil)
	}
}
