package relay

import (
	"net/http"
	"net/url"
	"strings"
)

// RequestHeader returns those of a client's headers that belong to the request
// itself. All others stay behind: credentials, cookies, whatever proxies and
// browsers add, and what speaks of the connection.
func RequestHeader(h http.Header) http.Header {
	return pick(h, func(name string) bool {
		switch name {
		case "Accept", "Content-Type", "Content-Language", "Range", "If-Range", "Idempotency-Key",
			"Openai-Beta", "Anthropic-Version", "Anthropic-Beta":
			return true
		default:
			return false
		}
	})
}

// AnswerHeader returns those of a provider's headers that belong to the answer.
func AnswerHeader(h http.Header) http.Header {
	return pick(h, func(name string) bool {
		switch name {
		case "Content-Type", "Content-Length", "Content-Range", "Content-Disposition", "Content-Language", "Content-Encoding",
			"Accept-Ranges", "Cache-Control", "Etag", "Last-Modified", "Retry-After", "Openai-Processing-Ms":
			return true
		default:
			return strings.HasPrefix(name, "X-Ratelimit-") || strings.HasPrefix(name, "Anthropic-Ratelimit-")
		}
	})
}

// pick copies the named headers, without those that the message itself says are
// for the next hop alone.
func pick(h http.Header, wanted func(string) bool) http.Header {
	out := http.Header{}
	for name, values := range h {
		if wanted(name) {
			out[name] = values
		}
	}
	for _, list := range h["Connection"] {
		for name := range strings.SplitSeq(list, ",") {
			out.Del(strings.TrimSpace(name))
		}
	}
	return out
}

// Query returns a client's query without what was meant for the gateway and
// without credentials.
func Query(q url.Values) string {
	out := url.Values{}
	for name, values := range q {
		switch strings.ToLower(name) {
		case "key", "api_key", "api-key", "apikey", "access_token", "token", "aratta_provider":
		default:
			out[name] = values
		}
	}
	return out.Encode()
}
