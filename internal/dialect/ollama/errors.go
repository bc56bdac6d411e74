package ollama

import (
	"bytes"
	"net/http"
	"strings"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// DecodeError reads {"error":"text"}, or what a proxy said in its place.
func (ollama) DecodeError(a *dialect.Answer) *scri.Error {
	return failure(a.Status, a.Header, a.Body)
}

// failure makes an error of a body. Status 200 stands for an error in an answer
// that had begun well.
func failure(status int, h http.Header, body []byte) *scri.Error {
	text, code := errorText(body)
	if text == "" {
		text = http.StatusText(status)
	}
	e := &scri.Error{
		Message: text, Code: code, Status: status, RetryAfter: dialect.RetryAfter(h),
		Raw: bytes.Clone(body), Dialect: Name,
	}
	asked := status
	if status < http.StatusBadRequest {
		asked = 0
	}
	e.Kind, e.Message = kindOf(asked, code, text)
	switch e.Kind {
	case scri.ErrNotFound:
		if strings.Contains(text, "model") {
			e.Hint = "pull the model with `ollama pull`, or name one that `ollama list` shows"
		}
	case scri.ErrContextLength:
		e.Hint = "shorten the conversation, or raise num_ctx for this model"
	default:
	}
	return e
}

// kindOf tells what kind of failure it is, and its text without the word for it
// that appendError put before it.
func kindOf(status int, code, text string) (scri.ErrorKind, string) {
	if word, after, found := strings.Cut(text, ": "); found && isKind(scri.ErrorKind(word)) {
		return scri.ErrorKind(word), after
	}
	low := strings.ToLower(text)
	switch {
	case strings.Contains(low, "does not support"):
		return scri.ErrUnsupported, text
	case strings.Contains(low, "json schema in format"): // with status 500, though the client is to blame
		return scri.ErrInvalid, text
	case strings.Contains(low, "server busy"), strings.Contains(low, "requires more system memory"),
		strings.Contains(low, "out of memory"):
		return scri.ErrOverloaded, text
	default:
		return dialect.ErrorKind(status, code, text), text
	}
}

func isKind(k scri.ErrorKind) bool {
	switch k {
	case scri.ErrInvalid, scri.ErrUnsupported, scri.ErrAuth, scri.ErrPermission, scri.ErrNotFound, scri.ErrRateLimited,
		scri.ErrQuota, scri.ErrContextLength, scri.ErrContentFilter, scri.ErrOverloaded, scri.ErrTimeout,
		scri.ErrUnavailable, scri.ErrTruncated, scri.ErrCanceled, scri.ErrPolicy, scri.ErrInternal:
		return true
	default:
		return false
	}
}

// errorText finds the message of an error: the text beside error, a message in
// an object there, or the body itself when it is no JSON but short.
func errorText(body []byte) (text, code string) {
	s := wire.NewScanner(body)
	if s.Kind() != wire.Object {
		return plainText(body), ""
	}
	for name := range s.Members() {
		switch {
		case name == "error" && s.Kind() == wire.String, name == "message" && text == "" && s.Kind() == wire.String:
			text = strings.Clone(s.Unquoted())
		case name == "code" && s.Kind() == wire.String:
			code = strings.Clone(s.Unquoted())
		case name == "error" && s.Kind() == wire.Object:
			if inner, c := errorText(s.Raw()); inner != "" {
				text, code = inner, c
			}
		default:
		}
	}
	return text, code
}

func plainText(body []byte) string {
	body = bytes.TrimSpace(body)
	if len(body) == 0 || len(body) > 512 || body[0] == '<' {
		return ""
	}
	return strings.ToValidUTF8(string(body), "\ufffd")
}

// EncodeError appends {"error":"text"} with the status that Ollama would give.
func (ollama) EncodeError(b []byte, e *scri.Error) (int, []byte) {
	status := e.HTTPStatus()
	if e.Kind == scri.ErrUnavailable {
		status = http.StatusBadGateway // 503 means that the server is busy
	}
	return status, appendError(b, e, status)
}

// appendError appends the body of an error. One that came from an Ollama is told
// in its own words as long as nobody changed them. Where neither the status nor
// the text tells the kind, its word stands before the text; 0 is the status of
// what happens in a stream.
func appendError(b []byte, e *scri.Error, status int) []byte {
	if e.Dialect == Name && len(e.Raw) > 0 && wire.Valid(e.Raw) == nil {
		text, code := errorText(e.Raw)
		if k, text := kindOf(status, code, text); k == e.Kind && text == e.Message {
			return wire.AppendCompact(b, e.Raw)
		}
	}
	text := e.Message
	if text == "" {
		text = "no reason was given"
	}
	if e.Path != "" {
		text += " (" + e.Path + ")"
	}
	text = dialect.WithHint(text, e.Hint)
	if k, rest := kindOf(status, "", text); k != e.Kind || rest != text {
		text = string(e.Kind) + ": " + text
	}
	b = append(b, `{"error":`...)
	b = wire.AppendQuote(b, text)
	return append(b, '}')
}
