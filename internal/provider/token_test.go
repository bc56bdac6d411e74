package provider

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aratta-gateway/aratta/scri"
)

// minting gives tokens "1", "2", ... that live for a while.
func minting(life, takes time.Duration) (*tokens, *atomic.Int32) {
	var n atomic.Int32
	return &tokens{fetch: func(ctx context.Context) (token, error) {
		i := n.Add(1)
		select {
		case <-time.After(takes):
		case <-ctx.Done():
			return token{}, ctx.Err()
		}
		now := time.Now()
		return lasting(secret(strconv.Itoa(int(i))), now, now.Add(life)), nil
	}}, &n
}

func wantToken(t *testing.T, ts *tokens, want string) {
	t.Helper()
	got, err := ts.get(t.Context())
	if err != nil || string(got) != want {
		t.Errorf("token %q, %v, want %q", string(got), err, want)
	}
}

// Whoever comes while a token is fetched waits for that one.
func TestTokenIsFetchedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ts, n := minting(30*time.Minute, time.Second)
		var all sync.WaitGroup
		for range 50 {
			all.Go(func() { wantToken(t, ts, "1") })
		}
		all.Wait()
		if n.Load() != 1 {
			t.Errorf("%d tokens were fetched", n.Load())
		}
	})
}

// A token is renewed before it ends, by one caller, while it still serves others.
func TestTokenIsRenewedEarly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ts, n := minting(30*time.Minute, time.Second)
		wantToken(t, ts, "1")
		time.Sleep(27 * time.Minute)
		wantToken(t, ts, "1")
		time.Sleep(90 * time.Second)
		var all sync.WaitGroup
		all.Go(func() { wantToken(t, ts, "2") })
		synctest.Wait()
		wantToken(t, ts, "1")
		all.Wait()
		wantToken(t, ts, "2")
		if n.Load() != 2 {
			t.Errorf("%d tokens were fetched", n.Load())
		}
	})
}

// An endpoint that is away for a while costs nobody his answer as long as the old
// token serves, and is not asked each time.
func TestTokenOutlivesAnOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ts, n := minting(10*time.Minute, 0)
		wantToken(t, ts, "1")
		ts.fetch = func(context.Context) (token, error) {
			n.Add(1)
			return token{}, errors.New("away")
		}
		time.Sleep(9 * time.Minute)
		wantToken(t, ts, "1")
		wantToken(t, ts, "1")
		if n.Load() != 2 {
			t.Errorf("asked %d times", n.Load())
		}
		time.Sleep(2 * time.Minute)
		if got, err := ts.get(t.Context()); err == nil {
			t.Errorf("token %q after its end", string(got))
		}
	})
}

// Who went away while he fetched fails alone; who waited fetches himself. A
// failure of the endpoint fails all who waited, at once.
func TestTokenWaiters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ts, n := minting(time.Hour, time.Second)
		ctx, cancel := context.WithCancel(t.Context())
		var all sync.WaitGroup
		all.Go(func() {
			if _, err := ts.get(ctx); !errors.Is(err, context.Canceled) {
				t.Errorf("the one who left got %v", err)
			}
		})
		synctest.Wait()
		all.Go(func() { wantToken(t, ts, "2") })
		synctest.Wait()
		cancel()
		all.Wait()

		ts.reject("2")
		ts.fetch = func(context.Context) (token, error) {
			n.Add(1)
			time.Sleep(time.Second)
			return token{}, tokenError(scri.ErrAuth, "no", "")
		}
		for range 10 {
			all.Go(func() {
				if _, err := ts.get(t.Context()); scri.AsError(err).Kind != scri.ErrAuth {
					t.Errorf("got %v", err)
				}
			})
		}
		all.Wait()
		if n.Load() != 3 {
			t.Errorf("asked %d times", n.Load())
		}
	})
}

// A fetch that panics leaves nobody waiting.
func TestTokenFetchPanics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ts := &tokens{fetch: func(context.Context) (token, error) { panic("broken") }}
		for range 2 {
			func() {
				defer func() {
					if recover() == nil {
						t.Error("the panic was swallowed")
					}
				}()
				_, _ = ts.get(t.Context())
			}()
		}
	})
}

// However endpoints tell how long a token lives.
func TestReadToken(t *testing.T) {
	now := time.Unix(1_790_000_000, 0)
	for body, want := range map[string]struct {
		life time.Duration
		said string
	}{
		`{"access_token":"t","expires_in":1800}`:                                       {30 * time.Minute, ""},
		`{"access_token":"t","expires_in":"1800"}`:                                     {30 * time.Minute, ""},
		`{"access_token":"t","expires_at":1790001800000}`:                              {30 * time.Minute, ""},
		`{"access_token":"t","expires_at":1790001800}`:                                 {30 * time.Minute, ""},
		`{"access_token":"t"}`:                                                         {tokenUnknown, ""},
		`{"access_token":"t","expires_in":0}`:                                          {tokenUnknown, ""},
		`{"access_token":"t","expires_at":171800000}`:                                  {tokenUnknown, ""},
		`{"access_token":"t","expires_in":99999999999999}`:                             {maxLife * time.Second, ""},
		`{"error":"invalid_client"}`:                                                   {0, "invalid_client"},
		`{"error":"invalid_client","error_description":"no  such\nclient"}`:            {0, "no such client"},
		`{"code":6,"message":"credentials doesn't match db data"}`:                     {0, "credentials doesn't match db data"},
		"{\"access_token\":\"two\\nlines\",\"message\":\"a header cannot hold that\"}": {0, "a header cannot hold that"},
	} {
		got, said, err := readToken([]byte(body), now)
		if said != want.said || (err == nil) != (want.life > 0) || err == nil && got.expire.Sub(now) != want.life {
			t.Errorf("%s: lives %s, said %q, %v", body, got.expire.Sub(now), said, err)
		}
	}
}

func FuzzReadToken(f *testing.F) {
	f.Add([]byte(`{"access_token":"t","expires_at":1790001800000}`))
	f.Add([]byte(`{"error":{"code":1},"message":"m","expires_in":"x"}`))
	now := time.Unix(1_790_000_000, 0)
	f.Fuzz(func(t *testing.T, body []byte) {
		got, _, err := readToken(body, now)
		if err == nil && (got.value == "" || !isToken(string(got.value)) || got.expire.After(now.Add(maxLife*time.Second)) || got.renew.After(got.expire)) {
			t.Errorf("%q gives %+v", body, got)
		}
	})
}
