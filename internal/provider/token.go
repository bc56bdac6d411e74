package provider

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"sync"
	"time"

	"github.com/aratta-gateway/aratta/scri"
)

// Times of tokens.
const (
	tokenWait    = 20 * time.Second // for the answer of a token endpoint
	tokenAgain   = 10 * time.Second // until it is asked again after a renewal failed
	tokenUnknown = 5 * time.Minute  // believed of a token that does not say how long it lives
	tokenEarly   = 2 * time.Minute  // at most so long before its end a token is renewed
)

// token is what a token endpoint gave.
type token struct {
	value  secret
	renew  time.Time // from then on a new one is fetched, while this one still serves
	expire time.Time
}

// lasting is a token that lives until then.
func lasting(value secret, now, expire time.Time) token {
	return token{value: value, renew: expire.Add(-min(tokenEarly, expire.Sub(now)/5)), expire: expire}
}

// tokens keeps the token of one provider and fetches the next: one fetch at a
// time, before the old one ends. The zero value but for fetch is ready.
type tokens struct {
	fetch func(context.Context) (token, error)

	mu     sync.Mutex
	held   token
	past   secret // the one before, for scrub: an answer may still repeat it
	flight *flight
}

// flight is a fetch under way.
type flight struct {
	over chan struct{} // closed when err stands
	err  error
}

// get returns a token that serves. Who finds none fetches one; who comes
// meanwhile waits for it, and fetches himself if the first went away.
func (t *tokens) get(ctx context.Context) (secret, error) {
	for {
		t.mu.Lock()
		now := time.Now()
		serves := t.held.value != "" && now.Before(t.held.expire)
		if serves && (t.flight != nil || now.Before(t.held.renew)) {
			defer t.mu.Unlock()
			return t.held.value, nil
		}
		if f := t.flight; f != nil {
			t.mu.Unlock()
			select {
			case <-f.over:
			case <-ctx.Done():
				return "", ctx.Err()
			}
			if f.err != nil {
				return "", f.err
			}
			continue
		}
		f := &flight{over: make(chan struct{})}
		t.flight = f
		t.mu.Unlock()
		return t.next(ctx, f)
	}
}

// next fetches a token for all who wait.
func (t *tokens) next(ctx context.Context, f *flight) (value secret, err error) {
	var fresh token
	done := false
	defer func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.flight = nil
		switch now := time.Now(); {
		case done && err == nil:
			t.past, t.held = t.held.value, fresh
			value = fresh.value
		case done && t.held.value != "" && now.Before(t.held.expire):
			t.held.renew = now.Add(tokenAgain) // it serves still
			value, err = t.held.value, nil
		case ctx.Err() == nil: // else it says something about who asked alone
			f.err = err
		}
		close(f.over)
	}()
	fresh, err = t.fetch(ctx)
	done = true
	return "", err // see above
}

// reject forgets a token that was not accepted, if it is still the one.
func (t *tokens) reject(value secret) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.held.value == value {
		t.past, t.held = value, token{}
	}
}

func (t *tokens) scrub(text string) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.past.scrub(t.held.value.scrub(text))
}

// bearer signs with tokens.
type bearer struct {
	tokens
	door *tokenDoor
}

func (b *bearer) sign(ctx context.Context, out *outbound) (http.Header, error) {
	value, err := b.get(ctx)
	if err != nil {
		return nil, err
	}
	h := make(http.Header, len(out.header)+1)
	maps.Copy(h, out.header)
	h["Authorization"] = []string{"Bearer " + string(value)}
	return h, nil
}

// refused gets rid of the token; one that was fetched meanwhile stays.
func (b *bearer) refused(sent http.Header) bool {
	const scheme = "Bearer "
	if v := sent["Authorization"]; len(v) == 1 && len(v[0]) > len(scheme) {
		b.reject(secret(v[0][len(scheme):]))
		return true
	}
	return false
}

func (b *bearer) close() { b.door.next.CloseIdleConnections() }

// errToken marks errors of fetching a token.
var errToken = errors.New("fetching a token")

func tokenError(kind scri.ErrorKind, message, hint string) *scri.Error {
	return &scri.Error{Kind: kind, Message: message, Hint: hint, Err: errToken}
}
