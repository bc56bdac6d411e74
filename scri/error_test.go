package scri_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"testing"

	"github.com/aratta-gateway/aratta/scri"
)

func TestErrorText(t *testing.T) {
	for want, e := range map[string]*scri.Error{
		"openai: rate_limited: too many requests (/messages/0)": fullError(),
		"internal":         {Kind: scri.ErrInternal},
		"invalid: no role": {Kind: scri.ErrInvalid, Message: "no role", Hint: "say one"},
	} {
		if got := e.Error(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestAsError(t *testing.T) {
	e := fullError()
	if scri.AsError(nil) != nil || scri.AsError(e) != e || scri.AsError(fmt.Errorf("attempt: %w", e)) != e {
		t.Error("an error of ours is not found")
	}
	got := scri.AsError(io.ErrUnexpectedEOF)
	if got.Kind != scri.ErrInternal || !errors.Is(got, io.ErrUnexpectedEOF) || got.Message != "unexpected EOF" {
		t.Errorf("another's error became %+v", got)
	}
}

func TestErrorStatus(t *testing.T) {
	want := map[scri.ErrorKind]int{
		scri.ErrInvalid: 400, scri.ErrUnsupported: 400, scri.ErrContextLength: 400, scri.ErrContentFilter: 400,
		scri.ErrAuth: 401, scri.ErrPermission: 403, scri.ErrPolicy: 403, scri.ErrNotFound: 404,
		scri.ErrRateLimited: 429, scri.ErrQuota: 429, scri.ErrOverloaded: 503, scri.ErrUnavailable: 503,
		scri.ErrTimeout: 504, scri.ErrTruncated: 502, scri.ErrCanceled: 499, scri.ErrInternal: 500, "odd": 500,
	}
	for kind, status := range want {
		if got := (&scri.Error{Kind: kind, Status: 418}).HTTPStatus(); got != status {
			t.Errorf("%s: %d, want %d", kind, got, status)
		}
	}
	large := scri.Error{Kind: scri.ErrInvalid, Status: http.StatusRequestEntityTooLarge}
	if got := large.HTTPStatus(); got != http.StatusRequestEntityTooLarge {
		t.Errorf("a body too large is told with %d", got)
	}
}

func TestSmallThings(t *testing.T) {
	ext := &scri.Ext{Dialect: "openai"}
	if ext.Of("openai") != ext || ext.Of("anthropic") != nil || (*scri.Ext)(nil).Of("openai") != nil {
		t.Error("Ext.Of")
	}
	if (*scri.Usage)(nil).Total() != 0 || (&scri.Usage{Input: new(int64(2))}).Total() != 2 || (&scri.Usage{Input: new(int64(2)), Output: new(int64(3))}).Total() != 5 {
		t.Error("Usage.Total")
	}
	if !scri.RawJSON("1").Equal(scri.RawJSON("1")) || scri.RawJSON("1").Equal(nil) {
		t.Error("RawJSON.Equal")
	}
	if b, err := scri.RawJSON(nil).MarshalJSON(); string(b) != "null" || err != nil {
		t.Error("an absent RawJSON is no null")
	}
}
