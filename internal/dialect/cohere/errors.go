package cohere

import (
	"bytes"
	"net/http"
	"strings"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// Statuses that only this API uses so.
const (
	statusBadToken = 498
	statusCanceled = 499
)

// DecodeError reads the answer of a failed request.
func (cohere) DecodeError(a *dialect.Answer) *scri.Error { return decodeError(a, a.Body) }

func decodeError(a *dialect.Answer, body []byte) *scri.Error {
	status := a.Status
	if status < http.StatusBadRequest {
		status = 0
	}
	e := &scri.Error{
		Status: status, RetryAfter: dialect.RetryAfter(a.Header), Raw: bytes.Clone(body), Dialect: Name,
		RequestID: a.Header.Get("X-Debug-Trace-Id"),
	}
	s := wire.NewScanner(body)
	if s.Kind() == wire.Object {
		for name := range s.Members() {
			switch {
			case s.Kind() != wire.String:
			case name == "id" && e.RequestID == "":
				e.RequestID = strings.Clone(s.Unquoted())
			case (name == "message" || name == "error" || name == "detail") && e.Message == "":
				e.Message = strings.Clone(s.Unquoted())
			}
		}
	}
	if e.Message == "" {
		e.Message = plainMessage(status, body)
	}
	switch e.Kind = kindOf(status, e.Message); status {
	case statusBadToken:
		e.Kind = scri.ErrAuth
	case statusCanceled:
		e.Kind = scri.ErrUnavailable
	}
	return e
}

// plainMessage is what to say of a body without a message in it.
func plainMessage(status int, body []byte) string {
	text := strings.TrimSpace(string(body))
	if text == "" || text[0] == '<' || text[0] == '{' || len(text) > 500 {
		if s := http.StatusText(status); s != "" {
			return s
		}
		return "the request failed without an explanation"
	}
	return strings.ToValidUTF8(text, "\ufffd")
}

// phrases stand before a message whose kind its status does not tell, or that
// comes in a stream, without one.
func phrase(kind scri.ErrorKind) string {
	switch kind {
	case scri.ErrAuth:
		return "invalid api token"
	case scri.ErrPermission, scri.ErrPolicy:
		return "permission denied"
	case scri.ErrNotFound:
		return "not found"
	case scri.ErrRateLimited:
		return "too many requests"
	case scri.ErrQuota:
		return "usage limit reached"
	case scri.ErrContextLength:
		return "too many tokens"
	case scri.ErrContentFilter:
		return "blocked by a content_filter"
	case scri.ErrOverloaded:
		return "overloaded"
	case scri.ErrTimeout:
		return "timed out"
	case scri.ErrUnsupported:
		return "not supported"
	case scri.ErrInvalid:
		return "invalid request"
	case scri.ErrUnavailable, scri.ErrTruncated, scri.ErrCanceled, scri.ErrInternal:
		return "internal error"
	default:
		return ""
	}
}

// kinds are those that a phrase tells for certain.
func phrased(message string) (scri.ErrorKind, bool) {
	for _, k := range []scri.ErrorKind{
		scri.ErrAuth, scri.ErrPermission, scri.ErrNotFound, scri.ErrRateLimited, scri.ErrQuota, scri.ErrContextLength,
		scri.ErrContentFilter, scri.ErrOverloaded, scri.ErrTimeout, scri.ErrUnsupported, scri.ErrInvalid, scri.ErrUnavailable,
	} {
		if rest, ok := strings.CutPrefix(message, phrase(k)); ok && (rest == "" || rest[0] == ':') {
			return k, true
		}
	}
	return "", false
}

func kindOf(status int, message string) scri.ErrorKind {
	if k, ok := phrased(message); ok && (status == 0 || k == scri.ErrContextLength) {
		return k
	}
	k := dialect.ErrorKind(status, "", message)
	if k == scri.ErrQuota && status == http.StatusTooManyRequests {
		return scri.ErrRateLimited // what is used up is told by another status, whatever the text says
	}
	return k
}

// EncodeError appends the body of a failed request and returns its status.
func (cohere) EncodeError(b []byte, e *scri.Error) (int, []byte) {
	status := e.HTTPStatus()
	switch e.Kind {
	case scri.ErrQuota:
		status = http.StatusPaymentRequired
	case scri.ErrUnavailable: // 503 says that capacity is short
		status = http.StatusInternalServerError
	default:
	}
	w := wire.Writer{B: b}
	w.BeginObject()
	if e.RequestID != "" {
		w.Key("id")
		w.Str(e.RequestID)
	}
	w.Key("message")
	message := errorMessage(e)
	if kindOf(status, message) != e.Kind {
		switch e.Kind {
		case scri.ErrContextLength, scri.ErrContentFilter, scri.ErrUnsupported:
			message = phrase(e.Kind) + ": " + message
		default:
		}
	}
	w.Str(message)
	w.EndObject()
	return status, w.B
}

// errorMessage is the text of an error: the field, what is wrong, what to do.
func errorMessage(e *scri.Error) string {
	msg := e.Message
	if e.Path != "" {
		path := strings.ReplaceAll(strings.Trim(e.Path, "/"), "/", ".")
		msg = strings.NewReplacer("~1", "/", "~0", "~").Replace(path) + ": " + msg
	}
	msg = dialect.WithHint(msg, e.Hint)
	if msg == "" {
		msg = string(e.Kind)
	}
	return msg
}

// streamMessage is the text of an error inside a stream, which has no status.
func streamMessage(e *scri.Error) string {
	msg := errorMessage(e)
	if kindOf(0, msg) == e.Kind {
		return msg
	}
	return phrase(e.Kind) + ": " + msg
}
