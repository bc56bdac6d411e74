package provider

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/aratta-gateway/aratta/scri"
)

// memo remembers what was asked of an upstream, for a while. Questions that are
// asked at the same time are sent once.
type memo[T any] struct {
	max    int
	failed atomic.Bool // a failure is remembered, as far as anybody knows

	mu      sync.Mutex
	entries map[string]*remembered[T]
}

type remembered[T any] struct {
	ready   chan struct{} // closed when value and err stand
	value   T
	err     error
	until   time.Time // zero while it is being asked
	renewed bool      // it is over, and somebody is asking again
}

func newMemo[T any](most int) *memo[T] {
	return &memo[T]{max: most, entries: map[string]*remembered[T]{}}
}

// get returns what is remembered under key, or asks. Failures are remembered
// for failed, so that an upstream that cannot answer is not asked each time.
// While one caller asks again, which may take as long as a host that is away
// lets him wait, the others are given what was known last.
func (m *memo[T]) get(ctx context.Context, key string, good, failed time.Duration, ask func(context.Context) (T, error)) (T, error) {
	for {
		m.mu.Lock()
		e, ok := m.entries[key]
		over := ok && !e.until.IsZero() && time.Now().After(e.until)
		if over && e.renewed {
			m.mu.Unlock()
			return e.value, e.err
		}
		if !ok || over {
			asked := &remembered[T]{ready: make(chan struct{})}
			if over {
				e.renewed = true
			} else {
				m.put(key, asked)
			}
			m.mu.Unlock()
			m.fill(ctx, key, asked, good, failed, ask)
			return asked.value, asked.err
		}
		m.mu.Unlock()
		select {
		case <-e.ready:
		case <-ctx.Done():
			var zero T
			return zero, ctx.Err()
		}
		m.mu.Lock()
		given := !e.until.IsZero()
		m.mu.Unlock()
		if given {
			return e.value, e.err
		}
		// Who asked went away before there was an answer: ask again.
	}
}

func (m *memo[T]) fill(ctx context.Context, key string, e *remembered[T], good, failed time.Duration, ask func(context.Context) (T, error)) {
	defer func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		switch now := m.entries[key]; {
		case !e.until.IsZero():
			m.put(key, e)
		case now == e:
			delete(m.entries, key)
		case now != nil:
			now.renewed = false // the next one asks
		}
		close(e.ready)
	}()
	e.value, e.err = ask(ctx)
	if ctx.Err() != nil || e.err != nil && scri.AsError(e.err).Kind == scri.ErrPolicy {
		return // it says something about who asked, and nothing about the upstream
	}
	keep := good
	if e.err != nil {
		if keep = failed; errors.Is(e.err, syscall.ECONNREFUSED) {
			keep = min(failed, refusedFor) // to ask again costs nothing, and it may be starting
		}
	}
	m.mu.Lock()
	e.until = time.Now().Add(keep)
	if e.err != nil {
		m.failed.Store(true)
	}
	m.mu.Unlock()
}

// forgive forgets failures: the upstream answers again.
func (m *memo[T]) forgive() {
	if !m.failed.Load() { // as nearly always
		return
	}
	m.failed.Store(false)
	m.mu.Lock()
	defer m.mu.Unlock()
	for k, e := range m.entries {
		if !e.until.IsZero() && e.err != nil {
			delete(m.entries, k)
		}
	}
}

// ripen has what is remembered under key for that long asked again by the next one, if
// it is older than age.
func (m *memo[T]) ripen(key string, good, age time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	e, ok := m.entries[key]
	if now := time.Now(); ok && !e.until.IsZero() && e.err == nil && now.Sub(e.until.Add(-good)) > age && e.until.After(now) {
		e.until = now
	}
}

// peek returns what is remembered, asking nothing.
func (m *memo[T]) peek(key string) (T, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if e, ok := m.entries[key]; ok && !e.until.IsZero() && e.err == nil {
		return e.value, true
	}
	var zero T
	return zero, false
}

// put remembers an entry, and forgets another when there are too many; mu is held.
func (m *memo[T]) put(key string, entry *remembered[T]) {
	delete(m.entries, key)
	for k, e := range m.entries {
		if len(m.entries) < m.max {
			break
		}
		if !e.until.IsZero() {
			delete(m.entries, k) // any: what is needed is asked again
		}
	}
	m.entries[key] = entry
}
