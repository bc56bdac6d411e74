package anthropic_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/dialect/anthropic"
	"github.com/aratta-gateway/aratta/internal/dialect/dialecttest"
	"github.com/aratta-gateway/aratta/scri"
)

func TestDecodeError(t *testing.T) {
	type seen struct {
		Kind                     scri.ErrorKind
		Code, Message, RequestID string
		RetryAfter               time.Duration
	}
	for _, c := range []struct {
		name   string
		status int
		header http.Header
		body   string
		want   seen
	}{
		{
			"own shape", 400, nil, `{"type":"error","error":{"type":"invalid_request_error","message":"messages.0: bad"},"request_id":"req_1"}`,
			seen{Kind: scri.ErrInvalid, Code: "invalid_request_error", Message: "messages.0: bad", RequestID: "req_1"},
		},
		{
			"too long", 400, nil, `{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 210000 tokens > 200000 maximum"}}`,
			seen{Kind: scri.ErrContextLength, Code: "invalid_request_error", Message: "prompt is too long: 210000 tokens > 200000 maximum"},
		},
		{
			"no money", 400, nil, `{"type":"error","error":{"type":"invalid_request_error","message":"Your credit balance is too low to access the Anthropic API."}}`,
			seen{Kind: scri.ErrQuota, Code: "invalid_request_error", Message: "Your credit balance is too low to access the Anthropic API."},
		},
		{
			"overloaded", 529, nil, `{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}`,
			seen{Kind: scri.ErrOverloaded, Code: "overloaded_error", Message: "Overloaded"},
		},
		{
			"limit with a wait", 429,
			http.Header{"Retry-After": {"12"}, "Request-Id": {"req_2"}},
			`{"type":"error","error":{"type":"rate_limit_error","message":"slow down"}}`,
			seen{Kind: scri.ErrRateLimited, Code: "rate_limit_error", Message: "slow down", RequestID: "req_2", RetryAfter: 12 * time.Second},
		},
		{
			"too large", 413, nil, `{"type":"error","error":{"type":"request_too_large","message":"Request exceeds the maximum size"}}`,
			seen{Kind: scri.ErrContextLength, Code: "request_too_large", Message: "Request exceeds the maximum size"},
		},
		{
			"fault", 500, nil, `{"type":"error","error":{"type":"api_error","message":"Internal server error"}}`,
			seen{Kind: scri.ErrUnavailable, Code: "api_error", Message: "Internal server error"},
		},
		{
			"Bedrock, model", 400,
			http.Header{"X-Amzn-Errortype": {"ValidationException:http://internal.amazon.com/coral/"}},
			`{"message":"The provided model identifier is invalid."}`,
			seen{Kind: scri.ErrNotFound, Code: "ValidationException", Message: "The provided model identifier is invalid."},
		},
		{
			"Bedrock, credentials", 403,
			http.Header{"X-Amzn-Errortype": {"ExpiredTokenException"}},
			`{"message":"expired"}`,
			seen{Kind: scri.ErrAuth, Code: "ExpiredTokenException", Message: "expired"},
		},
		{
			"Vertex", 429, nil, `[{"error":{"code":429,"message":"Quota exceeded for requests","status":"RESOURCE_EXHAUSTED"}}]`,
			seen{Kind: scri.ErrRateLimited, Code: "429", Message: "Quota exceeded for requests"},
		},
		{
			"Azure", 401, nil, `{"error":{"code":"401","message":"Access denied due to invalid subscription key."}}`,
			seen{Kind: scri.ErrAuth, Code: "401", Message: "Access denied due to invalid subscription key."},
		},
		{
			"OpenRouter", 402, nil, `{"error":{"message":"Insufficient credits","code":402}}`,
			seen{Kind: scri.ErrQuota, Code: "402", Message: "Insufficient credits"},
		},
		{"text", 502, nil, "upstream broke", seen{Kind: scri.ErrUnavailable, Message: "upstream broke"}},
		{"page", 503, nil, "<html>busy</html>", seen{Kind: scri.ErrOverloaded, Message: "Service Unavailable"}},
		{"nothing", 500, nil, "", seen{Kind: scri.ErrUnavailable, Message: "Internal Server Error"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := anthropic.New().DecodeError(&dialect.Answer{Status: c.status, Header: c.header, Body: []byte(c.body)})
			got := seen{e.Kind, e.Code, e.Message, e.RequestID, e.RetryAfter}
			if d := cmp.Diff(c.want, got); d != "" {
				t.Errorf("-want +got:\n%s", d)
			}
			if e.Status != c.status {
				t.Errorf("status %d", e.Status)
			}
		})
	}
}

// What is told to a client of the dialect is understood by it.
func TestEncodeError(t *testing.T) {
	for _, c := range []struct {
		err    scri.Error
		status int
		body   string
	}{
		{
			scri.Error{Kind: scri.ErrInvalid, Message: "expected number but got string", Path: "/messages/0/content~1x", Hint: "send a number", RequestID: "r1"},
			400, `{"type":"error","error":{"type":"invalid_request_error","message":"messages.0.content/x: expected number but got string. Hint: send a number"},"request_id":"r1"}`,
		},
		{scri.Error{Kind: scri.ErrInvalid, Status: 413, Message: "too big"}, 413, `{"type":"error","error":{"type":"request_too_large","message":"too big"}}`},
		{scri.Error{Kind: scri.ErrContextLength, Message: "8192 tokens at most"}, 400, `{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 8192 tokens at most"}}`},
		{scri.Error{Kind: scri.ErrUnsupported, Message: "no images here"}, 400, `{"type":"error","error":{"type":"invalid_request_error","message":"not supported: no images here"}}`},
		{scri.Error{Kind: scri.ErrContentFilter, Message: "no"}, 400, `{"type":"error","error":{"type":"invalid_request_error","message":"content_filter: no"}}`},
		{scri.Error{Kind: scri.ErrOverloaded, Message: "busy"}, 529, `{"type":"error","error":{"type":"overloaded_error","message":"busy"}}`},
		{scri.Error{Kind: scri.ErrQuota, Message: "broke"}, 402, `{"type":"error","error":{"type":"billing_error","message":"broke"}}`},
		{scri.Error{Kind: scri.ErrAuth}, 401, `{"type":"error","error":{"type":"authentication_error","message":"auth"}}`},
		{scri.Error{Kind: scri.ErrPolicy, Message: "forbidden"}, 403, `{"type":"error","error":{"type":"permission_error","message":"forbidden"}}`},
		{scri.Error{Kind: scri.ErrTruncated, Message: "cut"}, 502, `{"type":"error","error":{"type":"api_error","message":"cut"}}`},
	} {
		status, body := anthropic.New().EncodeError(nil, &c.err)
		if status != c.status || string(body) != c.body {
			t.Errorf("%s: %d %s, want %d %s", c.err.Kind, status, body, c.status, c.body)
		}
	}
	for _, kind := range []scri.ErrorKind{
		scri.ErrInvalid, scri.ErrUnsupported, scri.ErrAuth, scri.ErrPermission, scri.ErrNotFound, scri.ErrRateLimited, scri.ErrQuota,
		scri.ErrContextLength, scri.ErrContentFilter, scri.ErrOverloaded, scri.ErrTimeout, scri.ErrUnavailable,
	} {
		for _, p := range dialecttest.LawError(anthropic.New(), &scri.Error{Kind: kind, Message: "it went wrong"}) {
			t.Error(p)
		}
	}
}

func TestErrorInBodyOf200(t *testing.T) {
	a := &dialect.Answer{Status: 200, Body: []byte(`{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}`)}
	_, err := anthropic.New().DecodeResponse(a)
	if e := scri.AsError(err); e == nil || e.Kind != scri.ErrOverloaded {
		t.Errorf("got %v", err)
	}
}
