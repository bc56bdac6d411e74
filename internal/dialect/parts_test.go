package dialect

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

func TestErrorKind(t *testing.T) {
	for _, c := range []struct {
		status        int
		code, message string
		want          scri.ErrorKind
	}{
		{400, "", "something is odd", scri.ErrInvalid},
		{400, "context_length_exceeded", "", scri.ErrContextLength},
		{400, "invalid_request_error", "prompt is too long: 210000 tokens > 200000 maximum", scri.ErrContextLength},
		{429, "", "too many input tokens exceeded the maximum context", scri.ErrContextLength},
		{400, "", "Your credit balance is too low", scri.ErrQuota},
		{429, "insufficient_quota", "You exceeded your current quota", scri.ErrQuota},
		{400, "content_filter", "", scri.ErrContentFilter},
		{401, "", "rate limit", scri.ErrAuth},
		{400, "", "API key not valid. Please pass a valid API key.", scri.ErrAuth},
		{403, "", "not for you", scri.ErrPermission},
		{400, "", `model "x" not found, try pulling it first`, scri.ErrNotFound},
		{404, "", "", scri.ErrNotFound},
		{400, "", "this model does not support tools: tools are not supported", scri.ErrUnsupported},
		{500, "", "image input is not supported - hint: if this is unexpected, you may need to provide the mmproj", scri.ErrUnsupported},
		{429, "", "", scri.ErrRateLimited},
		{0, "rate_limit_error", "", scri.ErrRateLimited},
		{0, "overloaded_error", "Overloaded", scri.ErrOverloaded},
		{529, "", "", scri.ErrOverloaded},
		{503, "", "", scri.ErrOverloaded},
		{504, "", "", scri.ErrTimeout},
		{500, "", "", scri.ErrUnavailable},
		{0, "", "", scri.ErrUnavailable},
	} {
		if got := ErrorKind(c.status, c.code, c.message); got != c.want {
			t.Errorf("%d %q %q: %s, want %s", c.status, c.code, c.message, got, c.want)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	const day = 24 * time.Hour
	for _, c := range []struct {
		ms, after, date string
		want            time.Duration
	}{
		{"", "", "", 0},
		{"", "7", "", 7 * time.Second},
		{"", "1.5", "", 1500 * time.Millisecond},
		{"", "-3", "", 0},
		{"", "NaN", "", 0},
		{"", "Inf", "", day},
		{"", "1e300", "", day},
		{"1500", "7", "", 1500 * time.Millisecond},
		{"0", "7", "", 7 * time.Second}, // Azure says both
		{"soon", "7", "", 7 * time.Second},
		{"", "Fri, 02 Jan 2026 03:04:15 GMT", "Fri, 02 Jan 2026 03:04:05 GMT", 10 * time.Second},
		{"", "Fri, 02 Jan 2026 03:04:05 GMT", "Fri, 02 Jan 2026 03:04:15 GMT", 0},
		{"", "Fri, 02 Jan 2026 03:04:15 GMT", "", 0},
		{"", "soon", "", 0},
	} {
		h := http.Header{"Retry-After-Ms": {c.ms}, "Retry-After": {c.after}, "Date": {c.date}}
		if got := RetryAfter(h); got != c.want {
			t.Errorf("%v: %s, want %s", h, got, c.want)
		}
	}
}

func TestDataURLs(t *testing.T) {
	for _, c := range []struct {
		url, mediaType, data string
		ok                   bool
	}{
		{"data:image/png;base64,iVBORw0KGgo=", "image/png", "iVBORw0KGgo=", true},
		{"data:text/plain;charset=utf-8;base64,aGk=", "text/plain;charset=utf-8", "aGk=", true},
		{"data:;base64,aGk=", "", "aGk=", true},
		{"data:image/png;base64,", "image/png", "", true},
		{"data:text/plain,hello;base64,aGk=", "", "", false},
		{"data:text/plain,hi", "", "", false},
		{"https://example.com/a.png", "", "", false},
		{"", "", "", false},
	} {
		mediaType, data, ok := SplitDataURL(scri.NewText(c.url))
		if mediaType != c.mediaType || data.String() != c.data || ok != c.ok {
			t.Errorf("%s: %q %q %v", c.url, mediaType, data, ok)
		}
		if ok {
			if got := string(AppendDataURL(nil, mediaType, data)); got != `"`+c.url+`"` {
				t.Errorf("%s became %s", c.url, got)
			}
		}
	}
	// However the text is held and whatever it holds.
	rapid.Check(t, func(t *rapid.T) {
		mediaType, data := rapid.StringMatching(`[a-z/+.;=-]{0,30}`).Draw(t, "type"), rapid.String().Draw(t, "data")
		quoted := AppendDataURL(nil, mediaType, scri.NewText(data))
		if err := wire.Valid(quoted); err != nil {
			t.Fatal(err)
		}
		if gotType, got, ok := SplitDataURL(scri.QuotedText(quoted)); !ok || gotType != mediaType || got.String() != data {
			t.Errorf("%q %q", gotType, got)
		}
	})
	for data, want := range map[string]string{
		"iVBORw0KGgoAAAA": "image/png", "/9j/4AAQ": "image/jpeg", "R0lGODlh": "image/gif", "UklGRjIA": "image/webp", "Qk0=": "image/bmp", "": "", "aGk=": "",
	} {
		if got := SniffImage(scri.NewText(data)); got != want {
			t.Errorf("%s: %q", data, got)
		}
	}
}

func TestUnknown(t *testing.T) {
	var u Unknown
	if u.Ext("d") != nil || !u.Empty() || u.Object() != nil {
		t.Error("nothing is something")
	}
	u.Add(nil)
	u.Add([]byte(`"a/b":1`))
	first := string(u.Object())
	u.Add([]byte(`"n":null`))
	u.Add([]byte(`"c~":[2, 3]`))
	u.Form("one")
	u.Form("two")
	e := u.Ext("d")
	if diff := cmp.Diff(&scri.Ext{Dialect: "d", Members: scri.RawJSON(`{"a/b":1,"n":null,"c~":[2, 3]}`), Form: "one two"}, e); diff != "" || first != `{"a/b":1}` {
		t.Error(diff, first)
	}
	var warnings []scri.Warning
	path := func() string { return "/x" }
	Foreign(&warnings, e, "d", path)
	Foreign(&warnings, nil, "d", path)
	if len(warnings) > 0 {
		t.Errorf("what is the dialect's own is no loss: %v", warnings)
	}
	Foreign(&warnings, e, "other", path)
	var paths []string
	for _, w := range warnings {
		paths = append(paths, w.Code+" "+w.Path)
	}
	if diff := cmp.Diff([]string{"dropped /x/ext/a~1b", "dropped /x/ext/c~0"}, paths); diff != "" {
		t.Error(diff)
	}
}

func TestInvalid(t *testing.T) {
	known := &scri.Error{Kind: scri.ErrPolicy}
	if Invalid(nil) != nil || Invalid(fmt.Errorf("so: %w", known)) != known {
		t.Error("nil, or what is known already, became another")
	}
	s := wire.NewScanner([]byte(`{"a":{"b":"x"}}`))
	for range s.Members() {
		for range s.Members() {
			s.Int()
		}
	}
	if e := Invalid(s.Err()); e.Kind != scri.ErrInvalid || e.HTTPStatus() != 400 || e.Path != "/a/b" || e.Message != "expected number but got string" {
		t.Errorf("%+v", e)
	}
	if e := Invalid(wire.Valid([]byte(`{"secret":tru}`))); e.Kind != scri.ErrInvalid || e.Path != "/secret" || e.Hint == "" {
		t.Errorf("%+v", e)
	}
	if e := Missing("/messages"); e.Kind != scri.ErrInvalid || e.Path != "/messages" {
		t.Errorf("%+v", e)
	}
}

func TestBrokenOff(t *testing.T) {
	known := &scri.Error{Kind: scri.ErrOverloaded}
	if Unreadable(known) != known || Unreadable(errors.New("x")).Kind != scri.ErrUnavailable {
		t.Error("unreadable")
	}
	for doc, want := range map[string]scri.ErrorKind{
		`{"content":"half an ans`:     scri.ErrTruncated,
		`{"content":"\u043f\u04`:      scri.ErrTruncated,
		"{\"content\":\"\xd0":         scri.ErrTruncated,
		`{"content":`:                 scri.ErrTruncated,
		``:                            scri.ErrUnavailable,
		`<html>`:                      scri.ErrUnavailable,
		"{\"content\":\"\xd0\"}":      scri.ErrUnavailable,
		`{"content":"\q"}`:            scri.ErrUnavailable,
		`{"content":"so"} {"another"`: scri.ErrUnavailable,
	} {
		if got := Unreadable(wire.Valid([]byte(doc))); got.Kind != want {
			t.Errorf("%q: %v, want %s", doc, got, want)
		}
	}
	for _, c := range []struct {
		err  error
		want scri.ErrorKind
	}{
		{io.EOF, scri.ErrTruncated},
		{io.ErrUnexpectedEOF, scri.ErrTruncated},
		{errors.New("connection reset"), scri.ErrTruncated},
		{fmt.Errorf("so: %w", context.Canceled), scri.ErrCanceled},
		{context.DeadlineExceeded, scri.ErrTimeout},
		{os.ErrDeadlineExceeded, scri.ErrTimeout},
		{&wire.TooLargeError{Max: 1}, scri.ErrUnavailable},
		{fmt.Errorf("so: %w", known), scri.ErrOverloaded},
	} {
		if got := BrokenOff(c.err); got.Kind != c.want || scri.Ended(got) {
			t.Errorf("%v: %v", c.err, got)
		}
	}
}
