package provider

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aratta-gateway/aratta/scri"
)

func TestMemoForgetsInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemo[int](4)
		asked := 0
		ask := func(context.Context) (int, error) {
			asked++
			if asked == 3 {
				return 0, errors.New("not now")
			}
			return asked, nil
		}
		for _, c := range []struct {
			wait time.Duration
			want int
			err  bool
		}{
			{0, 1, false},
			{59 * time.Second, 1, false},
			{2 * time.Second, 2, false},
			{61 * time.Second, 0, true},
			{4 * time.Second, 0, true},
			{2 * time.Second, 4, false},
		} {
			time.Sleep(c.wait)
			got, err := m.get(t.Context(), "k", time.Minute, 5*time.Second, ask)
			if got != c.want || (err != nil) != c.err {
				t.Errorf("after %s: %d, %v", c.wait, got, err)
			}
		}
	})
}

// Somebody may want to know it more newly than it is believed.
func TestMemoRipens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemo[int](4)
		asked := 0
		ask := func(context.Context) (int, error) { asked++; return asked, nil }
		for _, c := range []struct {
			wait  time.Duration
			ripen bool
			want  int
		}{
			{0, true, 1},
			{time.Second, true, 1},
			{2 * time.Second, false, 1},
			{0, true, 2},
			{time.Second, true, 2},
			{58 * time.Second, false, 2},
			{2 * time.Second, false, 3},
		} {
			time.Sleep(c.wait)
			if c.ripen {
				m.ripen("k", time.Minute, 2*time.Second)
				time.Sleep(time.Nanosecond)
			}
			if got, err := m.get(t.Context(), "k", time.Minute, time.Second, ask); got != c.want || err != nil {
				t.Errorf("after %s: %d, %v, want %d", c.wait, got, err, c.want)
			}
		}
	})
}

// Who waits for another's question asks himself when the other goes away.
func TestMemoOutlivesWhoAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemo[string](4)
		first, cancel := context.WithCancel(t.Context())
		ask := func(ctx context.Context) (string, error) {
			select {
			case <-ctx.Done():
				return "", ctx.Err()
			case <-time.After(time.Minute):
				return "told", nil
			}
		}
		done := make(chan error, 1)
		go func() {
			_, err := m.get(first, "k", time.Hour, time.Hour, ask)
			done <- err
		}()
		synctest.Wait()
		go func() {
			time.Sleep(time.Second)
			cancel()
		}()
		if got, err := m.get(t.Context(), "k", time.Hour, time.Hour, ask); got != "told" || err != nil {
			t.Errorf("%q, %v", got, err)
		}
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("who asked first got %v", err)
		}
	})
}

// That somebody had no permit says nothing about the upstream.
func TestMemoForgetsRefusals(t *testing.T) {
	m := newMemo[string](4)
	_, err := m.get(t.Context(), "k", time.Hour, time.Hour, func(context.Context) (string, error) { return "", refused("no permit", nil) })
	wantError(t, err, scri.ErrPolicy)
	if got, err := m.get(t.Context(), "k", time.Hour, time.Hour, func(context.Context) (string, error) { return "told", nil }); got != "told" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestMemoIsBounded(t *testing.T) {
	m := newMemo[int](8)
	for i := range 100 {
		if _, err := m.get(t.Context(), fmt.Sprint(i), time.Hour, time.Hour, func(context.Context) (int, error) { return i, nil }); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(m.entries); n > 8 {
		t.Errorf("%d entries", n)
	}
}

// When what is known is over, one caller asks and waits; the others go on with
// what was known last.
func TestMemoLetsOneWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemo[int](2)
		times := 0
		ask := func(context.Context) (int, error) {
			times++
			if times > 1 {
				time.Sleep(5 * time.Second) // a host that is away
			}
			return times, nil
		}
		get := func() int {
			n, err := m.get(t.Context(), "", time.Second, time.Second, ask)
			if err != nil {
				t.Error(err)
			}
			return n
		}
		get()
		time.Sleep(2 * time.Second)
		renewed := make(chan int)
		go func() { renewed <- get() }()
		synctest.Wait()
		began := time.Now()
		if n := get(); n != 1 || time.Since(began) != 0 {
			t.Errorf("got %d after %s, want what was known, at once", n, time.Since(began))
		}
		if n := <-renewed; n != 2 {
			t.Errorf("who asked got %d", n)
		}
		if n := get(); n != 2 || times != 2 {
			t.Errorf("afterwards %d, asked %d times", n, times)
		}
	})
}

// A failure is remembered for a while, unless the upstream answers something
// else meanwhile; that nobody listens is forgotten sooner.
func TestMemoForgives(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemo[int](4)
		asked := 0
		fails := errors.New("not now")
		ask := func(context.Context) (int, error) {
			asked++
			return asked, fails
		}
		get := func(want int) {
			t.Helper()
			if got, _ := m.get(t.Context(), "k", time.Minute, 10*time.Second, ask); got != want {
				t.Errorf("answer %d, want %d", got, want)
			}
		}
		get(1)
		get(1)
		m.forgive()
		get(2)
		fails = nil
		m.forgive()
		get(3)
		m.forgive() // what is good stays
		get(3)
		time.Sleep(2 * time.Minute)
		fails = &scri.Error{Kind: scri.ErrUnavailable, Err: syscall.ECONNREFUSED}
		get(4)
		get(4)
		time.Sleep(2 * time.Second)
		get(5)
	})
}
