package bedrock

import (
	"bytes"
	"net/http"
	"strconv"
	"strings"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

func itoa(n int64) string { return strconv.FormatInt(n, 10) }

// DecodeError reads the answer of a failed request. Its type is in the header,
// with an address behind it, or in the body.
func (bedrock) DecodeError(a *dialect.Answer) *scri.Error {
	typ, _, _ := strings.Cut(a.Header.Get("X-Amzn-Errortype"), ":")
	return decodeError(a, typ, a.Body)
}

func decodeError(a *dialect.Answer, typ string, body []byte) *scri.Error {
	status := a.Status
	if status < http.StatusBadRequest {
		status = 0
	}
	e := &scri.Error{
		Status: status, Code: strings.Clone(typ), RetryAfter: dialect.RetryAfter(a.Header), Raw: bytes.Clone(body), Dialect: Name,
		RequestID: a.Header.Get("X-Amzn-Requestid"),
	}
	s := wire.NewScanner(body)
	if s.Kind() == wire.Object {
		for name := range s.Members() {
			switch {
			case s.Kind() != wire.String:
			case strings.EqualFold(name, "message") || name == "originalMessage" && e.Message == "":
				e.Message = strings.Clone(s.Unquoted())
			case (name == "__type" || name == "code") && e.Code == "":
				word := s.Unquoted()
				e.Code = strings.Clone(word[strings.LastIndexByte(word, '#')+1:])
			}
		}
	}
	if e.Message == "" {
		if e.Message = http.StatusText(status); e.Message == "" {
			e.Message = "the request failed without an explanation"
		}
	}
	e.Kind = kindOf(status, e.Code, e.Message)
	return e
}

// kindOf is what kind of failure a type of error is. In streams the types begin
// with a small letter.
func kindOf(status int, typ, message string) scri.ErrorKind {
	switch strings.TrimSuffix(strings.ToLower(typ), "exception") {
	case "throttling", "toomanyrequests":
		return scri.ErrRateLimited
	case "servicequotaexceeded":
		return scri.ErrQuota
	case "modelnotready", "serviceunavailable":
		return scri.ErrOverloaded
	case "modeltimeout":
		return scri.ErrTimeout
	case "modelerror", "modelstreamerror", "internalserver", "internalfailure":
		return scri.ErrUnavailable
	case "resourcenotfound", "unknownoperation":
		return scri.ErrNotFound
	case "expiredtoken", "unrecognizedclient", "invalidsignature", "incompletesignature", "missingauthenticationtoken", "missingauthenticationtokenerror",
		"invalidclienttokenid":
		return scri.ErrAuth
	case "accessdenied", "optinrequired", "notauthorized":
		return scri.ErrPermission
	case "validation":
		if strings.Contains(message, "model identifier is invalid") {
			return scri.ErrNotFound
		}
		return dialect.ErrorKind(http.StatusBadRequest, "", message)
	}
	return dialect.ErrorKind(status, "", message)
}

// errorType is the status and the type that clients of this dialect know, and
// words without which the message would not tell the kind.
func errorType(kind scri.ErrorKind) (status int, typ, words string) {
	switch kind {
	case scri.ErrAuth:
		return http.StatusForbidden, "UnrecognizedClientException", ""
	case scri.ErrPermission, scri.ErrPolicy:
		return http.StatusForbidden, "AccessDeniedException", ""
	case scri.ErrNotFound:
		return http.StatusNotFound, "ResourceNotFoundException", ""
	case scri.ErrRateLimited:
		return http.StatusTooManyRequests, "ThrottlingException", ""
	case scri.ErrQuota:
		return http.StatusPaymentRequired, "ServiceQuotaExceededException", ""
	case scri.ErrOverloaded:
		return http.StatusServiceUnavailable, "ServiceUnavailableException", ""
	case scri.ErrTimeout:
		return http.StatusRequestTimeout, "ModelTimeoutException", ""
	case scri.ErrContextLength:
		return http.StatusBadRequest, "ValidationException", "Input is too long"
	case scri.ErrContentFilter:
		return http.StatusBadRequest, "ValidationException", "content_filter"
	case scri.ErrUnsupported:
		return http.StatusBadRequest, "ValidationException", "not supported"
	case scri.ErrInvalid:
		return http.StatusBadRequest, "ValidationException", ""
	default:
		return http.StatusInternalServerError, "InternalServerException", ""
	}
}

// EncodeError appends the body of a failed request and returns its status. The
// type is told in the body, where clients of the API look for it as well.
func (bedrock) EncodeError(b []byte, e *scri.Error) (int, []byte) {
	status, typ, words := errorType(e.Kind)
	if e.Kind == scri.ErrInvalid {
		status = e.HTTPStatus()
	}
	w := wire.Writer{B: b}
	w.BeginObject()
	w.Key("__type")
	w.Str(typ)
	w.Key("message")
	w.Str(errorMessage(e, typ, words))
	w.EndObject()
	return status, w.B
}

// errorMessage is the text of an error: the field, what is wrong, what to do.
func errorMessage(e *scri.Error, typ, words string) string {
	msg := e.Message
	if e.Path != "" {
		path := strings.ReplaceAll(strings.Trim(e.Path, "/"), "/", ".")
		msg = strings.NewReplacer("~1", "/", "~0", "~").Replace(path) + ": " + msg
	}
	msg = dialect.WithHint(msg, e.Hint)
	if words != "" && kindOf(0, typ, msg) != e.Kind {
		msg = words + ": " + msg
	}
	if msg == "" {
		msg = string(e.Kind)
	}
	return msg
}

// exception appends the frame that ends a stream with an error.
func exception(b []byte, e *scri.Error) []byte {
	_, typ, words := errorType(e.Kind)
	w := wire.Writer{}
	w.BeginObject()
	w.Key("message")
	w.Str(errorMessage(e, typ, words))
	w.EndObject()
	return wire.AppendEvent(b, "exception", strings.ToLower(typ[:1])+typ[1:], w.B)
}
