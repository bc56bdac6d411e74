package native

import (
	"math"
	"time"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// EncodeError writes `{"error":{kind, message, ...}}`.
func (native) EncodeError(b []byte, f *scri.Error) (int, []byte) {
	e := new(encoder)
	e.B = append(b, `{"error":`...)
	e.fault(f)
	e.EndObject()
	return f.HTTPStatus(), e.B
}

// DecodeError reads the answer of a status other than 2xx. What is no error of
// this dialect, such as the page of a proxy, is judged by its status.
func (native) DecodeError(a *dialect.Answer) *scri.Error {
	f := decodeError(a)
	if f == nil {
		f = &scri.Error{
			Kind: dialect.ErrorKind(a.Status, "", ""), Message: "the answer is no error that can be read",
			Raw: a.Body, Dialect: Name,
		}
	}
	if f.Status == 0 {
		f.Status = a.Status
	}
	if f.RetryAfter == 0 {
		f.RetryAfter = dialect.RetryAfter(a.Header)
	}
	return f
}

// decodeError reads `{"error":{...}}`, or returns nil.
func decodeError(a *dialect.Answer) *scri.Error {
	d := &decoder{lenient: true}
	d.Reset(a.Body)
	var f *scri.Error
	if d.Kind() != wire.Object {
		return nil
	}
	for name := range d.Members() {
		if name == "error" && d.Kind() != wire.Null {
			f = d.looseFault(a.Status)
		}
	}
	if d.End() != nil || f == nil {
		return nil //nolint:nilerr // what cannot be read is no error of this dialect
	}
	f.Raw, f.Dialect = a.Body, Name
	return f
}

// looseFault reads an error as well as it can be read: whoever stands in the
// place of a gateway may say no more than a string.
func (d *decoder) looseFault(status int) *scri.Error {
	m := d.mark()
	if d.Kind() == wire.String {
		f := &scri.Error{Message: d.plain()}
		f.Kind = dialect.ErrorKind(status, "", f.Message)
		return f
	}
	f := d.fault(&extra{name: "error", deep: true})
	if d.misfit(m) {
		d.back(m)
		message := d.Peek("message")
		code := d.Peek("code")
		f = &scri.Error{Message: unquote(message), Code: unquote(code)}
		d.Skip()
	}
	if !known(f.Kind) {
		if f.Code == "" {
			f.Code = string(f.Kind)
		}
		f.Kind = dialect.ErrorKind(status, f.Code, f.Message)
	}
	return f
}

func unquote(raw []byte) string {
	if len(raw) < 2 || raw[0] != '"' {
		return ""
	}
	return string(wire.AppendUnquote(nil, raw))
}

func known(k scri.ErrorKind) bool {
	switch k {
	case scri.ErrInvalid, scri.ErrUnsupported, scri.ErrAuth, scri.ErrPermission, scri.ErrNotFound,
		scri.ErrRateLimited, scri.ErrQuota, scri.ErrContextLength, scri.ErrContentFilter, scri.ErrOverloaded,
		scri.ErrTimeout, scri.ErrUnavailable, scri.ErrTruncated, scri.ErrCanceled, scri.ErrPolicy, scri.ErrInternal:
		return true
	default:
		return false
	}
}

// milliseconds makes a duration of a number that somebody else wrote.
func milliseconds(ms float64) time.Duration {
	const most = float64(1 << 62)
	if !(ms > 0) {
		return 0
	}
	return time.Duration(min(math.Round(ms*float64(time.Millisecond)), most))
}
