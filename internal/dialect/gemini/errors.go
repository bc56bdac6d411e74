package gemini

import (
	"bytes"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// DecodeError reads the answer of a failed request: a google.rpc.Status, alone or
// as the only item of a list.
func (gemini) DecodeError(a *dialect.Answer) *scri.Error { return decodeError(a, a.Body) }

// failure is what a google.rpc.Status says.
type failure struct {
	code            int64
	status, message string
	reason          string // of ErrorInfo
	domain          string
	retry           time.Duration
}

// Types of details.
const (
	typeURL      = "type.googleapis.com/google.rpc."
	typeInfo     = typeURL + "ErrorInfo"
	typeRetry    = typeURL + "RetryInfo"
	typeBad      = typeURL + "BadRequest"
	ownDomain    = "aratta"
	reasonNoKey  = "API_KEY_INVALID"
	statusCancel = 499
)

func decodeError(a *dialect.Answer, body []byte) *scri.Error {
	var f failure
	f.read(body)
	status := a.Status
	if status < http.StatusBadRequest {
		status = 0
	}
	e := &scri.Error{
		Status: status, Code: f.status, Message: f.message, RetryAfter: dialect.RetryAfter(a.Header),
		Raw: bytes.Clone(body), Dialect: Name,
	}
	if e.Message == "" {
		e.Message = plainMessage(status, body)
	}
	if e.RetryAfter == 0 {
		e.RetryAfter = f.retry
	}
	e.Kind = f.kind(status)
	return e
}

// plainMessage is what to say of a body without a message in it.
func plainMessage(status int, body []byte) string {
	text := strings.TrimSpace(string(body))
	if text != "" && text[0] != '<' && text[0] != '{' && text[0] != '[' && len(text) <= 500 {
		return strings.ToValidUTF8(text, "\ufffd")
	}
	if s := http.StatusText(status); s != "" {
		return s
	}
	return "the request failed without an explanation"
}

// kind tells what kind of failure it is. The reason of one that this gateway told
// says it best.
func (f *failure) kind(status int) scri.ErrorKind {
	if f.domain == ownDomain {
		for _, k := range kinds {
			if reasonOfKind(k) == f.reason {
				return k
			}
		}
	}
	if status == 0 {
		status = int(f.code)
	}
	switch f.reason {
	case reasonNoKey, "ACCESS_TOKEN_EXPIRED", "CREDENTIALS_MISSING":
		return scri.ErrAuth
	case "BILLING_DISABLED":
		return scri.ErrQuota
	case "RATE_LIMIT_EXCEEDED":
		return scri.ErrRateLimited
	default:
	}
	switch f.status {
	case "UNAUTHENTICATED":
		return scri.ErrAuth
	case "PERMISSION_DENIED":
		return scri.ErrPermission
	case "NOT_FOUND":
		return scri.ErrNotFound
	case "RESOURCE_EXHAUSTED":
		if f.retry > 0 {
			return scri.ErrRateLimited // whatever the text says: it is told when to come again
		}
		status = http.StatusTooManyRequests
	case "UNAVAILABLE":
		return scri.ErrOverloaded
	case "DEADLINE_EXCEEDED":
		return scri.ErrTimeout
	case "INTERNAL", "UNKNOWN", "DATA_LOSS", "ABORTED":
		return scri.ErrUnavailable
	case "CANCELLED":
		return scri.ErrCanceled
	case "UNIMPLEMENTED":
		return scri.ErrUnsupported
	case "FAILED_PRECONDITION":
		if strings.Contains(f.message, "location is not supported") {
			return scri.ErrPermission
		}
	default:
	}
	if strings.Contains(f.message, "token count") && strings.Contains(f.message, "exceeds the maximum") {
		return scri.ErrContextLength
	}
	return dialect.ErrorKind(status, f.status, f.message)
}

// kinds are those that a status tells badly.
var kinds = [...]scri.ErrorKind{
	scri.ErrInvalid, scri.ErrUnsupported, scri.ErrAuth, scri.ErrPermission, scri.ErrNotFound, scri.ErrRateLimited, scri.ErrQuota,
	scri.ErrContextLength, scri.ErrContentFilter, scri.ErrOverloaded, scri.ErrTimeout, scri.ErrUnavailable, scri.ErrTruncated,
	scri.ErrCanceled, scri.ErrPolicy, scri.ErrInternal,
}

func reasonOfKind(k scri.ErrorKind) string { return strings.ToUpper(string(k)) }

// read finds the status in the shapes that it comes in.
func (f *failure) read(body []byte) {
	s := wire.NewScanner(body)
	switch s.Kind() {
	case wire.Array:
		for range s.Elements() {
			f.read(s.Raw())
			return
		}
	case wire.Object:
		for name := range s.Members() {
			switch {
			case name == "error" && s.Kind() == wire.Object:
				f.inner(s.Raw())
			case name == "error" && s.Kind() == wire.String, name == "message" && s.Kind() == wire.String:
				f.message = strings.Clone(s.Unquoted())
			default:
			}
		}
	default:
	}
}

func (f *failure) inner(raw []byte) {
	s := wire.NewScanner(raw)
	for name := range s.Members() {
		switch {
		case name == "code" && s.Kind() == wire.Number:
			if n := dialect.Count(s); n != nil {
				f.code = *n
			}
		case name == "message" && s.Kind() == wire.String:
			f.message = strings.Clone(s.Unquoted())
		case name == "status" && s.Kind() == wire.String:
			f.status = strings.Clone(s.Unquoted())
		case name == "details" && s.Kind() == wire.Array:
			for range s.Elements() {
				f.detail(s.Raw())
			}
		default:
		}
	}
}

func (f *failure) detail(raw []byte) {
	s := wire.NewScanner(raw)
	typ := dialect.Word(s.Peek("@type"))
	if s.Kind() != wire.Object {
		return
	}
	for name := range s.Members() {
		if s.Kind() != wire.String {
			continue
		}
		switch {
		case typ == typeInfo && name == "reason":
			f.reason = strings.Clone(s.Unquoted())
		case typ == typeInfo && name == "domain":
			f.domain = strings.Clone(s.Unquoted())
		case typ == typeRetry && name == "retryDelay":
			if d, err := time.ParseDuration(s.Unquoted()); err == nil && d > 0 {
				f.retry = min(d, 24*time.Hour)
			}
		default:
		}
	}
}

// EncodeError appends the body of a failed request and returns its status.
func (gemini) EncodeError(b []byte, e *scri.Error) (int, []byte) {
	status, _ := statusOf(e)
	return status, appendError(b, e)
}

// statusOf is the status and its word by which clients know a kind.
func statusOf(e *scri.Error) (int, string) {
	switch e.Kind {
	case scri.ErrAuth:
		return http.StatusUnauthorized, "UNAUTHENTICATED"
	case scri.ErrPermission, scri.ErrPolicy:
		return http.StatusForbidden, "PERMISSION_DENIED"
	case scri.ErrNotFound:
		return http.StatusNotFound, "NOT_FOUND"
	case scri.ErrRateLimited, scri.ErrQuota:
		return http.StatusTooManyRequests, "RESOURCE_EXHAUSTED"
	case scri.ErrOverloaded:
		return http.StatusServiceUnavailable, "UNAVAILABLE"
	case scri.ErrTimeout:
		return http.StatusGatewayTimeout, "DEADLINE_EXCEEDED"
	case scri.ErrCanceled:
		return statusCancel, "CANCELLED"
	case scri.ErrInvalid, scri.ErrUnsupported, scri.ErrContextLength, scri.ErrContentFilter:
		return e.HTTPStatus(), "INVALID_ARGUMENT"
	default: // 503 says that capacity is short
		return http.StatusInternalServerError, "INTERNAL"
	}
}

// appendError appends the body of an error. One that came from Google is told in
// its own words as long as nobody changed them.
func appendError(b []byte, e *scri.Error) []byte {
	if raw := ownWords(e); raw != nil {
		return wire.AppendCompact(b, raw)
	}
	code, word := statusOf(e)
	w := wire.Writer{B: b}
	w.Comma()
	w.B = append(w.B, `{"error":{"code":`...)
	w.B = strconv.AppendInt(w.B, int64(code), 10)
	w.Key("message")
	w.Str(message(e))
	w.Key("status")
	w.Str(word)
	w.Key("details")
	w.BeginArray()
	detail := func(typ string) {
		w.BeginObject()
		w.Key("@type")
		w.Str(typ)
	}
	detail(typeInfo)
	w.Key("reason")
	w.Str(reasonOfKind(e.Kind))
	w.Key("domain")
	w.Str(ownDomain)
	if e.RequestID != "" {
		w.Key("metadata")
		w.BeginObject()
		w.Key("request_id")
		w.Str(e.RequestID)
		w.EndObject()
	}
	w.EndObject()
	if e.RetryAfter > 0 {
		detail(typeRetry)
		w.Key("retryDelay")
		w.Str(strconv.FormatFloat(e.RetryAfter.Seconds(), 'f', -1, 64) + "s")
		w.EndObject()
	}
	if e.Path != "" {
		detail(typeBad)
		w.Key("fieldViolations")
		w.BeginArray()
		w.BeginObject()
		w.Key("field")
		w.Str(fieldOf(e.Path))
		w.Key("description")
		w.Str(e.Message)
		w.EndObject()
		w.EndArray()
		w.EndObject()
	}
	w.EndArray()
	w.EndObject()
	w.EndObject()
	return w.B
}

// ownWords is the object of an error that came from Google, if it still says what
// the error says, else nil.
func ownWords(e *scri.Error) []byte {
	if e.Dialect != Name || len(e.Raw) == 0 || wire.Valid(e.Raw) != nil {
		return nil
	}
	var f failure
	f.read(e.Raw)
	if f.code == 0 || f.message != e.Message || f.kind(e.Status) != e.Kind {
		return nil
	}
	raw := bytes.TrimSpace(e.Raw)
	if raw[0] == '[' {
		s := wire.NewScanner(raw)
		for range s.Elements() {
			return s.Raw()
		}
	}
	return raw
}

// fieldOf names a field as Google does: contents[0].parts.
func fieldOf(pointer string) string {
	var b strings.Builder
	for token := range strings.SplitSeq(strings.TrimPrefix(pointer, "/"), "/") {
		token = strings.NewReplacer("~1", "/", "~0", "~").Replace(token)
		switch {
		case isNumber(token):
			b.WriteString("[" + token + "]")
		case b.Len() > 0:
			b.WriteString("." + token)
		default:
			b.WriteString(token)
		}
	}
	return b.String()
}

// message is the text of an error: the field, what is wrong, what to do.
func message(e *scri.Error) string {
	msg := e.Message
	if e.Path != "" {
		msg = fieldOf(e.Path) + ": " + msg
	}
	if e.Kind == scri.ErrContextLength && !strings.Contains(msg, "exceeds the maximum") {
		msg = "The input token count exceeds the maximum number of tokens allowed: " + msg // by which clients know it
	}
	msg = dialect.WithHint(msg, e.Hint)
	if msg == "" {
		msg = string(e.Kind)
	}
	return msg
}
