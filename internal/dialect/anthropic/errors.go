package anthropic

import (
	"bytes"
	"net/http"
	"strings"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

const statusOverloaded = 529

// DecodeError reads the answer of a failed request: Anthropic's own shape and
// those of the clouds that serve its models.
func (anthropic) DecodeError(a *dialect.Answer) *scri.Error {
	return decodeError(a, a.Body)
}

// failure is what the shapes of errors have in common.
type failure struct {
	code, message string
	codes         strings.Builder // all words that may tell the kind
	requestID     string
}

func (f *failure) word(w string) {
	if w != "" {
		f.codes.WriteString(w)
		f.codes.WriteByte('\n')
	}
}

func decodeError(a *dialect.Answer, body []byte) *scri.Error {
	body = bytes.Clone(body) // an error outlives the stream that ended with it
	var f failure
	f.read(body)
	status := a.Status
	if status < 400 {
		status = 0
	}
	if typ := a.Header.Get("X-Amzn-Errortype"); typ != "" {
		f.code, _, _ = strings.Cut(typ, ":")
		f.word(f.code)
	}
	e := &scri.Error{
		Status: status, Code: f.code, Message: f.message, RequestID: f.requestID,
		RetryAfter: dialect.RetryAfter(a.Header), Raw: body, Dialect: Name,
	}
	if e.Message == "" {
		e.Message = plainMessage(status, body)
	}
	if e.RequestID == "" {
		e.RequestID = a.Header.Get("Request-Id")
	}
	e.Kind = kindOf(status, &f)
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

func kindOf(status int, f *failure) scri.ErrorKind {
	switch f.code {
	case "overloaded_error":
		return scri.ErrOverloaded
	case "request_too_large":
		return scri.ErrContextLength
	case "timeout_error":
		return scri.ErrTimeout
	case "ExpiredTokenException", "InvalidSignatureException", "UnrecognizedClientException", "IncompleteSignatureException",
		"MissingAuthenticationTokenException":
		return scri.ErrAuth
	case "rate_limit_error":
		return scri.ErrRateLimited
	case "ThrottlingException":
		if status == 0 {
			status = http.StatusTooManyRequests
		}
	case "ModelNotReadyException", "ServiceUnavailableException", "ModelStreamErrorException":
		return scri.ErrOverloaded
	case "ModelTimeoutException":
		return scri.ErrTimeout
	case "api_error":
		if status == 0 {
			status = http.StatusInternalServerError
		}
	case "ValidationException":
		if strings.Contains(f.message, "model identifier is invalid") {
			return scri.ErrNotFound
		}
	case "invalid_request_error":
		if status == 0 {
			status = http.StatusBadRequest
		}
	}
	return dialect.ErrorKind(status, f.codes.String(), f.message)
}

// read finds the code and the message in any of the known shapes.
func (f *failure) read(body []byte) {
	s := wire.NewScanner(body)
	if s.Kind() == wire.Array { // Vertex wraps its errors in a list
		for range s.Elements() {
			f.read(s.Raw())
			return
		}
		return
	}
	if s.Kind() != wire.Object {
		return
	}
	for name := range s.Members() {
		switch {
		case name == "error" && s.Kind() == wire.Object:
			f.inner(s.Raw())
		case name == "error" && s.Kind() == wire.String:
			f.message = s.Unquoted()
		case (name == "message" || name == "detail" || name == "Message") && s.Kind() == wire.String:
			if v := s.Unquoted(); f.message == "" {
				f.message = v
			}
		case name == "request_id" && s.Kind() == wire.String:
			f.requestID = s.Unquoted()
		}
	}
}

// inner reads the object around the message.
func (f *failure) inner(raw []byte) {
	s := wire.NewScanner(raw)
	for name := range s.Members() {
		str := s.Kind() == wire.String
		switch {
		case name == "message" && str:
			f.message = s.Unquoted()
		case name == "type" && str:
			f.code = s.Unquoted()
			f.word(f.code)
		case (name == "code" || name == "status") && str:
			v := s.Unquoted()
			f.word(v)
			if f.code == "" {
				f.code = v
			}
		case name == "code" && s.Kind() == wire.Number:
			if v := string(s.Number()); f.code == "" {
				f.code = v
			}
		case name == "metadata" && s.Kind() == wire.Object: // OpenRouter: the real one is a text
			if v := s.Peek("raw"); len(v) > 1 && v[0] == '"' {
				f.word(dialect.Word(v))
			}
		}
	}
}

// EncodeError appends the body of a failed request and returns its status.
func (anthropic) EncodeError(b []byte, e *scri.Error) (int, []byte) {
	status, typ := errorType(e)
	return status, appendError(b, e, typ)
}

func appendError(b []byte, e *scri.Error, typ string) []byte {
	w := wire.Writer{B: b}
	w.BeginObject()
	w.Key("type")
	w.Str("error")
	w.Key("error")
	w.BeginObject()
	w.Key("type")
	w.Str(typ)
	w.Key("message")
	w.Str(errorMessage(e))
	w.EndObject()
	if e.RequestID != "" {
		w.Key("request_id")
		w.Str(e.RequestID)
	}
	w.EndObject()
	return w.B
}

// errorType is the status and the type that clients of this dialect know.
func errorType(e *scri.Error) (int, string) {
	switch e.Kind {
	case scri.ErrOverloaded:
		return statusOverloaded, "overloaded_error"
	case scri.ErrQuota:
		return http.StatusPaymentRequired, "billing_error"
	case scri.ErrAuth:
		return http.StatusUnauthorized, "authentication_error"
	case scri.ErrPermission, scri.ErrPolicy:
		return http.StatusForbidden, "permission_error"
	case scri.ErrNotFound:
		return http.StatusNotFound, "not_found_error"
	case scri.ErrRateLimited:
		return http.StatusTooManyRequests, "rate_limit_error"
	case scri.ErrTimeout:
		return http.StatusGatewayTimeout, "timeout_error"
	case scri.ErrInvalid, scri.ErrUnsupported, scri.ErrContextLength, scri.ErrContentFilter:
		if status := e.HTTPStatus(); status == http.StatusRequestEntityTooLarge {
			return status, "request_too_large"
		}
		return e.HTTPStatus(), "invalid_request_error"
	case scri.ErrUnavailable: // 503 says that capacity is short
		return http.StatusInternalServerError, "api_error"
	default:
		return e.HTTPStatus(), "api_error"
	}
}

// errorMessage is the text of an error: the field, what is wrong, what to do.
func errorMessage(e *scri.Error) string {
	msg := e.Message
	if e.Path != "" {
		path := strings.ReplaceAll(strings.Trim(e.Path, "/"), "/", ".")
		msg = strings.NewReplacer("~1", "/", "~0", "~").Replace(path) + ": " + msg
	}
	msg = recognisable(e.Kind, msg)
	msg = dialect.WithHint(msg, e.Hint)
	if msg == "" {
		msg = string(e.Kind)
	}
	return msg
}

// recognisable puts the words before a message by which clients know the kinds
// that share a type.
func recognisable(kind scri.ErrorKind, msg string) string {
	var words string
	switch kind {
	case scri.ErrContextLength:
		words = "prompt is too long"
		if strings.Contains(strings.ToLower(msg), words) {
			return msg
		}
		return words + ": " + msg
	case scri.ErrContentFilter:
		words = "content_filter"
	case scri.ErrUnsupported:
		words = "not supported"
	default:
		return msg
	}
	if dialect.ErrorKind(http.StatusBadRequest, "", msg) == kind {
		return msg
	}
	return words + ": " + msg
}
