package scri

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"
)

// ErrorKind is what went wrong, in words that decide what to do next.
type ErrorKind string

// The kinds.
const (
	ErrInvalid       ErrorKind = "invalid"        // the request is malformed; Path names the field
	ErrUnsupported   ErrorKind = "unsupported"    // well-formed, but this target or gateway cannot do it
	ErrAuth          ErrorKind = "auth"           // no credential, or a wrong one
	ErrPermission    ErrorKind = "permission"     // a good credential that may not do this
	ErrNotFound      ErrorKind = "not_found"      // no such model, route or object
	ErrRateLimited   ErrorKind = "rate_limited"   // too many requests; RetryAfter may say how long
	ErrQuota         ErrorKind = "quota"          // money or allowance is used up
	ErrContextLength ErrorKind = "context_length" // the conversation does not fit the model
	ErrContentFilter ErrorKind = "content_filter" // refused for its content
	ErrOverloaded    ErrorKind = "overloaded"     // the target has no capacity now
	ErrTimeout       ErrorKind = "timeout"
	ErrUnavailable   ErrorKind = "unavailable" // not reached, or broken on its side
	ErrTruncated     ErrorKind = "truncated"   // the answer stopped before its end
	ErrCanceled      ErrorKind = "canceled"    // the caller went away
	ErrPolicy        ErrorKind = "policy"      // forbidden by the gateway's own rules
	ErrInternal      ErrorKind = "internal"    // a fault of the gateway
)

// Error is a failure with all that is needed to act on it. Message and Hint are
// for people and hold no secret and no content of a conversation.
type Error struct {
	Kind       ErrorKind     `json:"kind"`
	Status     int           `json:"status,omitempty"` // HTTP status it came with, or 0
	Code       string        `json:"code,omitempty"`   // the provider's own code
	Message    string        `json:"message"`
	Hint       string        `json:"hint,omitempty"` // what to do about it
	Provider   string        `json:"provider,omitempty"`
	RequestID  string        `json:"request_id,omitempty"`
	Path       string        `json:"path,omitempty"`     // JSON pointer to the field, as the client sent it
	RetryAfter time.Duration `json:"-"`                  // in JSON retry_after_ms
	Raw        []byte        `json:"-"`                  // the provider's body, for its own dialect and for diagnosis
	Dialect    string        `json:"-"`                  // whose body Raw is
	Attempts   []Attempt     `json:"attempts,omitempty"` // what was tried before it was given up
	Err        error         `json:"-"`                  // the cause
}

// Error returns "provider: kind: message (path)".
func (e *Error) Error() string {
	var b strings.Builder
	if e.Provider != "" {
		b.WriteString(e.Provider)
		b.WriteString(": ")
	}
	b.WriteString(string(e.Kind))
	if e.Message != "" {
		b.WriteString(": ")
		b.WriteString(e.Message)
	}
	if e.Path != "" {
		b.WriteString(" (")
		b.WriteString(e.Path)
		b.WriteString(")")
	}
	return b.String()
}

// errorJSON is an Error on the wire, where durations are numbers.
type errorJSON struct {
	*plainError
	RetryAfterMS float64 `json:"retry_after_ms,omitempty"`
}

type plainError Error

// MarshalJSON writes RetryAfter as retry_after_ms.
func (e Error) MarshalJSON() ([]byte, error) {
	return marshal(errorJSON{(*plainError)(&e), float64(e.RetryAfter) / float64(time.Millisecond)})
}

// UnmarshalJSON reads what MarshalJSON writes.
func (e *Error) UnmarshalJSON(b []byte) error {
	in := errorJSON{plainError: new(plainError)}
	if err := json.Unmarshal(b, &in); err != nil {
		return err
	}
	*e = Error(*in.plainError)
	// A wait beyond a year is one for ever; more would not fit a Duration.
	const most = float64(366*24*time.Hour) / float64(time.Millisecond)
	e.RetryAfter = time.Duration(min(max(in.RetryAfterMS, 0), most) * float64(time.Millisecond))
	return nil
}

// marshal is json.Marshal without escapes for HTML, which nothing here is for.
func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// AsError returns err as an *Error: itself if it is or wraps one, else an error
// around it: timeout or canceled for a context that ended, internal for what
// nobody classified. It returns nil for nil.
func AsError(err error) *Error {
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	kind := ErrInternal
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		kind = ErrTimeout
	case errors.Is(err, context.Canceled):
		kind = ErrCanceled
	}
	return &Error{Kind: kind, Message: err.Error(), Err: err}
}

// HTTPStatus is the status with which the gateway answers a client.
func (k ErrorKind) HTTPStatus() int {
	switch k {
	case ErrInvalid, ErrUnsupported, ErrContextLength, ErrContentFilter:
		return http.StatusBadRequest
	case ErrAuth:
		return http.StatusUnauthorized
	case ErrPermission, ErrPolicy:
		return http.StatusForbidden
	case ErrNotFound:
		return http.StatusNotFound
	case ErrRateLimited, ErrQuota:
		return http.StatusTooManyRequests
	case ErrOverloaded, ErrUnavailable:
		return http.StatusServiceUnavailable
	case ErrTimeout:
		return http.StatusGatewayTimeout
	case ErrTruncated:
		return http.StatusBadGateway
	case ErrCanceled:
		return 499 // client closed request, as nginx has it
	default:
		return http.StatusInternalServerError
	}
}

// HTTPStatus is the status with which the gateway answers a client: that of its
// kind, or one of those that say better what is wrong with a request.
func (e *Error) HTTPStatus() int {
	if e.Kind == ErrInvalid {
		switch e.Status {
		case http.StatusMethodNotAllowed, http.StatusRequestTimeout, http.StatusConflict, http.StatusRequestEntityTooLarge,
			http.StatusRequestedRangeNotSatisfiable, http.StatusPreconditionFailed, http.StatusPreconditionRequired:
			return e.Status
		}
	}
	return e.Kind.HTTPStatus()
}
