package dialect

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/aratta-gateway/aratta/scri"
)

// sign is a phrase by which providers tell what kind of failure it was.
type sign struct {
	kind    scri.ErrorKind
	phrases []string
}

// signs are asked in their order, before the status. Providers agree on few
// codes, but their texts say much the same things.
func signs() []sign {
	return []sign{
		{scri.ErrQuota, []string{
			"insufficient_quota", "current quota", "insufficient balance", "insufficient credits", "credit balance",
			"insufficient_credits", "billing_error", "billing hard limit", "payment required", "requires more credits",
		}},
		{scri.ErrContextLength, []string{
			"context_length", "context length", "context window", "context size", "exceed_context_size",
			"too_many_prompt_tokens", "prompt is too long", "prompt too long", "input is too long", "too many input tokens",
			"input tokens exceeded", "messages is too long", "reduce the length of the messages", "max_prompt_tokens",
		}},
		{scri.ErrContentFilter, []string{
			"content_filter", "content_policy", "content management policy", "responsibleaipolicy", "usage guidelines",
			"safety_check", "content_moderation", "moderation_blocked", "data_inspection_failed", "flagged by",
		}},
		{scri.ErrAuth, []string{
			"invalid_api_key", "incorrect api key", "invalid api key", "api key not valid", "api_key_invalid",
			"authentication_error", "authentication fails", "unauthenticated", "invalid x-api-key", "no auth credentials",
		}},
		{scri.ErrNotFound, []string{
			"model_not_found", "invalid_model", "invalid model", "model not found", "not a valid model", "unknown model",
			"no such model", "model does not exist", "deploymentnotfound",
		}},
		{scri.ErrOverloaded, []string{"overloaded", "engine is currently", "no capacity", "at capacity", "server is busy", "loading model"}},
		{scri.ErrUnsupported, []string{
			"unsupported", "not supported", "does not support", "doesn't support", "no endpoints found that support",
			"unknown variant", "not a chat model", "not allowed to sample", "not_supported",
		}},
	}
}

// ErrorKind judges a provider's failure by its HTTP status (0 where it came
// inside a stream) and its words: the codes and types it gave, and its text.
func ErrorKind(status int, codes, message string) scri.ErrorKind {
	text := strings.ToLower(codes + "\n" + message)
	for _, s := range signs() {
		if !fits(s.kind, status) {
			continue
		}
		for _, p := range s.phrases {
			if strings.Contains(text, p) {
				return s.kind
			}
		}
	}
	if status == 0 {
		status = statusOf(text)
	}
	return kindOfStatus(status)
}

// fits keeps words from overruling a status that is clearer than they are.
func fits(k scri.ErrorKind, status int) bool {
	switch k {
	case scri.ErrContextLength:
		return status != http.StatusTooManyRequests && status != http.StatusUnauthorized
	case scri.ErrOverloaded:
		return status == 0 || status >= http.StatusTooManyRequests
	case scri.ErrAuth, scri.ErrNotFound, scri.ErrUnsupported, scri.ErrContentFilter:
		return status < http.StatusTooManyRequests
	default:
		return true
	}
}

// statusOf finds a status in the words of an error that came without one.
func statusOf(text string) int {
	switch {
	case strings.Contains(text, "rate_limit"), strings.Contains(text, "rate limit"), strings.Contains(text, "too many requests"):
		return http.StatusTooManyRequests
	case strings.Contains(text, "invalid_request"), strings.Contains(text, "tool_use_failed"):
		return http.StatusBadRequest
	case strings.Contains(text, "permission"):
		return http.StatusForbidden
	case strings.Contains(text, "not_found"):
		return http.StatusNotFound
	case strings.Contains(text, "timeout"), strings.Contains(text, "timed out"):
		return http.StatusGatewayTimeout
	default:
		return http.StatusBadGateway
	}
}

func kindOfStatus(status int) scri.ErrorKind {
	switch status {
	case http.StatusUnauthorized:
		return scri.ErrAuth
	case http.StatusPaymentRequired:
		return scri.ErrQuota
	case http.StatusForbidden:
		return scri.ErrPermission
	case http.StatusNotFound:
		return scri.ErrNotFound
	case http.StatusRequestTimeout, http.StatusGatewayTimeout, 524:
		return scri.ErrTimeout
	case http.StatusRequestEntityTooLarge:
		return scri.ErrContextLength
	case http.StatusTooManyRequests:
		return scri.ErrRateLimited
	case http.StatusServiceUnavailable, 529:
		return scri.ErrOverloaded
	case http.StatusNotImplemented:
		return scri.ErrUnsupported
	}
	if status >= 400 && status < 500 {
		return scri.ErrInvalid
	}
	return scri.ErrUnavailable
}

// RetryAfter reads how long a provider asks to wait: retry-after-ms, or
// retry-after in seconds or as a date, which is measured against the answer's
// own Date as dialects have no clock. Zero when it does not say.
func RetryAfter(h http.Header) time.Duration {
	if ms, err := strconv.ParseFloat(h.Get("Retry-After-Ms"), 64); err == nil && ms > 0 {
		return bounded(ms * float64(time.Millisecond))
	}
	v := strings.TrimSpace(h.Get("Retry-After"))
	if v == "" {
		return 0
	}
	if sec, err := strconv.ParseFloat(v, 64); err == nil {
		return bounded(sec * float64(time.Second))
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

// bounded keeps a nonsensical wait from overflowing: a day is as good as ever.
func bounded(ns float64) time.Duration {
	if !(ns > 0) {
		return 0
	}
	return time.Duration(min(ns, float64(24*time.Hour)))
}
