package provider

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/aratta-gateway/aratta/internal/dialect"
)

// longestWait bounds what an upstream can make us believe.
const longestWait = 24 * time.Hour

// retryAfter reads how long a provider wants to be left alone: the Retry-After
// headers, or, after a 429, the reset times of the limits that are used up. 0 =
// it did not say.
func retryAfter(h http.Header, status int, now time.Time) time.Duration {
	if d := dialect.RetryAfter(h); d > 0 {
		return d
	}
	if t, err := http.ParseTime(h.Get("Retry-After")); err == nil { // of a server that does not tell its own time
		return bounded(t.Sub(serverNow(h, now)))
	}
	if status != http.StatusTooManyRequests {
		return 0
	}
	var longest time.Duration
	for name, values := range h {
		if len(values) == 0 {
			continue
		}
		if d, ok := reset(h, strings.ToLower(name), values[0], now); ok {
			longest = max(longest, d)
		}
	}
	return longest
}

// reset reads one "...ratelimit...reset..." header whose limit is used up.
func reset(h http.Header, name, value string, now time.Time) (time.Duration, bool) {
	if !strings.Contains(name, "ratelimit") || !strings.Contains(name, "reset") {
		return 0, false
	}
	if left := h.Get(strings.Replace(name, "reset", "remaining", 1)); left != "" && left != "0" {
		return 0, false
	}
	if d, err := time.ParseDuration(value); err == nil { // OpenAI: 6m0s
		return bounded(d), true
	}
	if t, err := time.Parse(time.RFC3339, value); err == nil { // Anthropic
		return bounded(t.Sub(serverNow(h, now))), true
	}
	n, err := strconv.ParseFloat(value, 64)
	switch {
	case err != nil:
		return 0, false
	case n > 1e11: // OpenRouter: milliseconds since 1970
		return bounded(time.UnixMilli(int64(n)).Sub(now)), true
	case n > 1e9: // seconds since 1970
		return bounded(time.Unix(int64(n), 0).Sub(now)), true
	default:
		return seconds(n), true
	}
}

// serverNow is the server's own time where it tells it, as clocks differ.
func serverNow(h http.Header, now time.Time) time.Time {
	if t, err := http.ParseTime(h.Get("Date")); err == nil {
		return t
	}
	return now
}

func seconds(s float64) time.Duration {
	if s != s || s > longestWait.Seconds() {
		return longestWait
	}
	return bounded(time.Duration(s * float64(time.Second)))
}

func bounded(d time.Duration) time.Duration { return min(max(d, 0), longestWait) }
