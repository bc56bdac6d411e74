package dialect

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/aratta-gateway/aratta/scri"
)

// ErrorKind says what kind of failure an answer with this status, machine code
// and message is. Status 0 stands for an error inside a 200 answer.
func ErrorKind(status int, code, message string) scri.ErrorKind {
	if k, ok := kindByText(status, strings.ToLower(code+" "+message)); ok {
		return k
	}
	return kindByStatus(status)
}

// WithHint is the text of an error with its hint behind it, alike in every API whose
// errors are one text.
func WithHint(message, hint string) string {
	switch {
	case hint == "":
		return message
	case message == "":
		return hint
	default:
		return strings.TrimRight(message, ". ") + ". Hint: " + hint
	}
}

// kindByText looks for phrases that say more than the status does, the most telling first.
// Providers agree on few codes, so their texts are looked at as well.
func kindByText(status int, text string) (scri.ErrorKind, bool) {
	has := func(phrases ...string) bool {
		for _, p := range phrases {
			if strings.Contains(text, p) {
				return true
			}
		}
		return false
	}
	switch {
	case status == http.StatusUnauthorized:
		return scri.ErrAuth, true
	case has("context_length", "context length", "context window", "prompt is too long", "prompt too long",
		"too_many_prompt_tokens", "maximum context", "exceeds the available context", "input is too long", "input length exceeds",
		"context size", "input tokens exceeded", "messages is too long"):
		return scri.ErrContextLength, true
	case has("insufficient_quota", "insufficient balance", "insufficient credit", "exceeded your current quota",
		"billing_", "credit balance", "payment required", "usage limit"):
		return scri.ErrQuota, true
	case has("content_filter", "content_policy", "content management policy", "responsibleai", "flagged by", "safety system",
		"usage guidelines", "safety_check"):
		return scri.ErrContentFilter, true
	case status != http.StatusTooManyRequests && has("invalid_api_key", "invalid api key", "incorrect api key",
		"invalid x-api-key", "authentication_error", "api key not valid", "unauthorized"):
		return scri.ErrAuth, true
	case has("model_not_found", "not_found_error", "unknown model", "no such model", "invalid model", "invalid_model") ||
		has("model") && has("not found", "does not exist", "is not a valid model", "not a known model"):
		return scri.ErrNotFound, true
	case has("input is not supported"): // llama.cpp's of pictures, with status 500
		return scri.ErrUnsupported, true
	case status < http.StatusTooManyRequests && has("unsupported", "not supported", "not support ", "that support tool use",
		"unknown variant", "not a chat model", "not allowed to sample"):
		return scri.ErrUnsupported, true
	case has("rate_limit", "rate limit", "too many requests"):
		return scri.ErrRateLimited, true
	case has("overloaded", "server busy", "at capacity", "no capacity"):
		return scri.ErrOverloaded, true
	default:
		return "", false
	}
}

func kindByStatus(status int) scri.ErrorKind {
	switch status {
	case http.StatusUnauthorized:
		return scri.ErrAuth
	case http.StatusPaymentRequired:
		return scri.ErrQuota
	case http.StatusForbidden:
		return scri.ErrPermission
	case http.StatusNotFound, http.StatusGone:
		return scri.ErrNotFound
	case http.StatusRequestTimeout, http.StatusGatewayTimeout:
		return scri.ErrTimeout
	case http.StatusTooManyRequests:
		return scri.ErrRateLimited
	case http.StatusNotImplemented, http.StatusMethodNotAllowed:
		return scri.ErrUnsupported
	case http.StatusServiceUnavailable, 529:
		return scri.ErrOverloaded
	}
	if status >= 400 && status < 500 {
		return scri.ErrInvalid
	}
	return scri.ErrUnavailable
}

// RetryAfter is how long an answer asks to wait, or 0: retry-after-ms,
// Retry-After in seconds, or as a date, which is told against the answer's own
// Date so that no clock is needed.
func RetryAfter(h http.Header) time.Duration {
	if ms, err := strconv.ParseFloat(h.Get("Retry-After-Ms"), 64); err == nil && ms > 0 {
		return bounded(ms * float64(time.Millisecond))
	}
	v := strings.TrimSpace(h.Get("Retry-After"))
	if v == "" {
		return 0
	}
	if s, err := strconv.ParseFloat(v, 64); err == nil {
		return bounded(s * float64(time.Second))
	}
	at, err := http.ParseTime(v)
	if err != nil {
		return 0
	}
	now, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		return 0
	}
	return bounded(float64(at.Sub(now)))
}

// bounded keeps what a header says between 0 and a day.
func bounded(d float64) time.Duration {
	const day = float64(24 * time.Hour)
	if !(d > 0) { // NaN as well
		return 0
	}
	return time.Duration(min(d, day))
}
