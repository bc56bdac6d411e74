package dialect

import (
	"bytes"
	"cmp"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// OpenAIError reads the answer of a failed request in the shape that OpenAI's
// APIs have in common, and in those that others who took them over have given
// it. own is the dialect whose error it is.
func OpenAIError(a *Answer, own string) *scri.Error {
	e := &scri.Error{Status: a.Status, Raw: a.Body, Dialect: own}
	var told failure
	told.read(a.Body, 0)
	told.into(e)
	if e.RetryAfter = RetryAfter(a.Header); e.RetryAfter == 0 {
		e.RetryAfter = told.reset(a.Header)
	}
	return e
}

// OpenAIErrorIn reads an error that came with a 200, whole or in a stream: its
// code may be a status.
func OpenAIErrorIn(raw []byte, own string) *scri.Error {
	e := &scri.Error{Raw: raw, Dialect: own}
	var told failure
	told.read(raw, 0)
	told.into(e)
	e.Kind = told.kind(told.status)
	return e
}

// failure is what an error's body says.
type failure struct {
	message, typ, code, param string
	words                     string // further codes and texts to judge by
	status                    int    // a status inside the body
	resetMS                   int64  // when the limit is lifted, since 1970
}

// read takes in one body, or one inside another.
func (f *failure) read(raw []byte, depth int) {
	var s wire.Scanner
	s.Reset(raw)
	switch s.Kind() {
	case wire.Object:
		for member := range s.Members() {
			f.member(&s, member, depth)
		}
	case wire.Array: // Google's endpoint wraps the object into a list
		for i := range s.Elements() {
			if v := s.Raw(); i == 0 && depth < 4 {
				f.read(v, depth+1)
			}
		}
	case wire.String:
		f.message = cmp.Or(f.message, s.Unquoted())
	default:
	}
}

func (f *failure) member(s *wire.Scanner, member string, depth int) {
	switch member {
	case "error", "detail", "errors":
		if v := s.Raw(); depth < 4 {
			f.read(v, depth+1)
		}
	case "message", "msg":
		if s.Kind() == wire.String {
			f.message = cmp.Or(f.message, s.Unquoted())
		} else if v := s.Raw(); depth < 4 { // Mistral's list of what does not fit
			f.read(v, depth+1)
		}
	case "type":
		if s.Kind() == wire.String {
			f.typ = s.Unquoted()
		}
	case "param":
		if s.Kind() == wire.String {
			f.param = s.Unquoted()
		}
	case "code":
		f.readCode(s)
	case "status", "status_code", "raw_status_code":
		if s.Kind() == wire.Number {
			f.setStatus(s.Number())
		}
	case "metadata":
		if s.Kind() == wire.Object {
			f.metadata(s, depth)
		}
	}
}

func (f *failure) readCode(s *wire.Scanner) {
	switch s.Kind() {
	case wire.String:
		f.code = s.Unquoted()
		f.setStatus([]byte(f.code))
	case wire.Number:
		n := s.Number()
		f.code = string(n)
		f.setStatus(n)
	default:
	}
}

func (f *failure) setStatus(n []byte) {
	if v, err := strconv.Atoi(string(n)); err == nil && v >= 400 && v < 600 {
		f.status = v
	}
}

// metadata is OpenRouter's: the upstream's own error, as a string, and headers.
func (f *failure) metadata(s *wire.Scanner, depth int) {
	for member := range s.Members() {
		switch {
		case member == "raw" && s.Kind() == wire.String && depth < 4:
			raw := s.Unquoted()
			inner := failure{}
			inner.read([]byte(raw), depth+1)
			if inner.message == "" {
				inner.message = raw
			}
			f.words = strings.Join([]string{f.words, inner.code, inner.typ, inner.words, f.message}, " ")
			f.message = brief(inner.message)
			f.param = cmp.Or(f.param, inner.param)
			f.typ = cmp.Or(f.typ, inner.typ)
		case member == "headers" && s.Kind() == wire.Object:
			if v := s.Peek("X-RateLimit-Reset"); v != nil {
				f.resetMS, _ = strconv.ParseInt(strings.Trim(string(v), `"`), 10, 64)
			}
			s.Skip()
		}
	}
}

// reset is how long until the limit is lifted, by the answer's own clock.
func (f *failure) reset(h http.Header) time.Duration {
	now, err := http.ParseTime(h.Get("Date"))
	if err != nil || f.resetMS == 0 {
		return 0
	}
	d := time.UnixMilli(f.resetMS).Sub(now)
	return max(0, min(d, 24*time.Hour))
}

// brief bounds a text that is no provider's prose.
func brief(s string) string {
	const most = 2000
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}

func (f *failure) into(e *scri.Error) {
	e.Message, e.Code = brief(f.message), cmp.Or(f.code, f.typ)
	if e.Message == "" {
		e.Message = "the provider answered with an error and no reason"
		if text := http.StatusText(e.Status); text != "" {
			e.Message = "the provider answered " + strconv.Itoa(e.Status) + " " + text
		}
	}
	e.Path = pointer(f.param)
	e.Kind = f.kind(e.Status)
}

func (f *failure) kind(status int) scri.ErrorKind {
	if k, ok := ownKind(f.code); ok {
		return k
	}
	if status == 0 {
		status = f.status
	}
	return ErrorKind(status, f.code+" "+f.typ+" "+f.words, f.message)
}

// ownCode is how a kind of error is told.
type ownCode struct {
	kind      scri.ErrorKind
	typ, code string
}

// ownCodes are those that EncodeError writes.
func ownCodes() []ownCode {
	return []ownCode{
		{scri.ErrInvalid, "invalid_request_error", ""},
		{scri.ErrUnsupported, "invalid_request_error", "unsupported"},
		{scri.ErrAuth, "authentication_error", "invalid_api_key"},
		{scri.ErrPermission, "permission_error", "permission_denied"},
		{scri.ErrNotFound, "invalid_request_error", "model_not_found"},
		{scri.ErrNotFound, "invalid_request_error", "unknown_url"}, // where an error says so itself
		{scri.ErrInvalid, "invalid_request_error", CodeNoPrevious},
		{scri.ErrNotFound, "invalid_request_error", CodeNoResponse},
		{scri.ErrRateLimited, "rate_limit_error", "rate_limit_exceeded"},
		{scri.ErrQuota, "insufficient_quota", "insufficient_quota"},
		{scri.ErrContextLength, "invalid_request_error", "context_length_exceeded"},
		{scri.ErrContentFilter, "invalid_request_error", "content_filter"},
		{scri.ErrOverloaded, "server_error", "overloaded"},
		{scri.ErrTimeout, "server_error", "timeout"},
		{scri.ErrUnavailable, "server_error", "unavailable"},
		{scri.ErrTruncated, "server_error", "truncated"},
		{scri.ErrCanceled, "server_error", "canceled"},
		{scri.ErrPolicy, "permission_error", "policy"},
		{scri.ErrInternal, "server_error", "internal"},
	}
}

// Codes of the errors about an answer that is not kept: for one to go on from,
// and for one that is asked for.
const (
	CodeNoPrevious = "previous_response_not_found"
	CodeNoResponse = "response_not_found"
)

func ownKind(code string) (scri.ErrorKind, bool) {
	for _, c := range ownCodes() {
		if c.code != "" && c.code == code && code != CodeNoResponse { // others say it with a 400
			return c.kind, true
		}
	}
	return "", false
}

// pointer turns messages[0].content into /messages/0/content.
func pointer(param string) string {
	if param == "" || strings.ContainsAny(param, " /~'\"") {
		return ""
	}
	r := strings.NewReplacer("[", "/", "]", "", ".", "/")
	return "/" + r.Replace(param)
}

// param is the reverse of pointer.
func param(pointer string) string {
	var b strings.Builder
	for i, token := range strings.Split(strings.TrimPrefix(pointer, "/"), "/") {
		if _, err := strconv.Atoi(token); err == nil {
			b.WriteString("[" + token + "]")
			continue
		}
		if i > 0 {
			b.WriteByte('.')
		}
		b.WriteString(token)
	}
	return b.String()
}

// AppendOpenAIError writes {"error":{"message","type","param","code"}}.
func AppendOpenAIError(b []byte, e *scri.Error) []byte {
	b = append(b, `{"error":`...)
	return append(AppendOpenAIErrorObject(b, e), '}')
}

// AppendOpenAIErrorObject writes the object {"message","type","param","code"}: the
// provider's own where it has this shape and still says what e says.
func AppendOpenAIErrorObject(b []byte, e *scri.Error) []byte {
	if own := ownError(e); own != nil {
		return wire.AppendCompact(b, own)
	}
	w := wire.Writer{B: append(b, '{')}
	message, field := e.Message, ""
	if e.Path != "" {
		field = param(e.Path)
		if e.Code != CodeNoPrevious && e.Code != CodeNoResponse && !strings.Contains(message, field) { // SDKs show the message alone
			message = field + ": " + message
		}
	}
	message = WithHint(message, e.Hint)
	w.Key("message")
	w.Str(message)
	typ, code, known := "server_error", "", false
	for _, c := range ownCodes() {
		if c.kind == e.Kind && (!known || c.code == e.Code) {
			typ, code, known = c.typ, c.code, true
		}
	}
	w.Key("type")
	w.Str(typ)
	w.Key("param")
	if field != "" {
		w.Str(field)
	} else {
		w.Null()
	}
	w.Key("code")
	if code != "" {
		w.Str(code)
	} else {
		w.Null()
	}
	return append(w.B, '}')
}

// ownError is the object of a provider of this dialect, or nil when e says
// something else by now.
func ownError(e *scri.Error) []byte {
	raw := bytes.TrimSpace(e.Raw)
	if e.Dialect != "openai" && e.Dialect != "responses" || len(raw) == 0 || wire.Valid(raw) != nil {
		return nil
	}
	var s wire.Scanner
	s.Reset(raw)
	obj := s.Peek("error")
	if len(obj) == 0 || obj[0] != '{' {
		return nil
	}
	s.Reset(obj)
	if Word(s.Peek("message")) != e.Message || e.Hint != "" {
		return nil
	}
	var told failure
	told.read(raw, 0)
	if told.kind(e.HTTPStatus()) != e.Kind {
		return nil
	}
	return obj
}
