package relay

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTapFindsTheUsage(t *testing.T) {
	long := strings.Repeat("x", 100_000)
	for _, c := range []struct {
		name, typ, body string
		in, out         int64 // -1 = not told
	}{
		{"images", "application/json", `{"data":[{"b64_json":"` + long + `"}],"usage":{"input_tokens":5,"output_tokens":7,"total_tokens":12}}`, 5, 7},
		{"chat's words", "application/json; charset=utf-8", `{"usage":{"prompt_tokens":5,"completion_tokens":7}}`, 5, 7},
		{"a total alone", "application/json", `{"results":[],"usage":{"total_tokens":38}}`, 38, -1},
		{"cohere", "application/json", `{"results":[],"meta":{"billed_units":{"search_units":1}}}`, -1, -1},
		{"cohere with tokens", "application/json", `{"meta":{"billed_units":{"input_tokens":3,"output_tokens":0}}}`, 3, 0},
		{"none", "application/json", `{"text":"\"usage\":{\"input_tokens\":1}"}`, -2, -2},
		{"null", "application/json", `{"usage":null}`, -2, -2},
		{"further in", "application/json", `{"data":{"usage":{"input_tokens":1}}}`, -2, -2},
		{"too large", "application/json", `{"usage":{"x":"` + long + `"}}`, -2, -2},
		{"stream", "text/event-stream", "event: a\ndata: {\"type\":\"d\",\"usage\":null}\n\ndata: {\"usage\":{\"input_tokens\":1}}\r\n\ndata:{\"usage\":{\"input_tokens\":2,\"output_tokens\":3}}\n\ndata: [DONE]\n\n", 2, 3},
		{"stream without", "text/event-stream", ": data: {\"usage\":{\"input_tokens\":1}}\n\n", -2, -2},
		{"nonsense", "application/json", `}}}]]"usage":{`, -2, -2},
	} {
		for _, step := range []int{1, 7, 1 << 20} {
			tap := NewTap(c.typ)
			for b := []byte(c.body); len(b) > 0; {
				n := min(step, len(b))
				tap.See(b[:n])
				b = b[n:]
			}
			in, out := int64(-2), int64(-2)
			if u := tap.Usage(); u != nil {
				in, out = -1, -1
				if u.Input != nil {
					in = *u.Input
				}
				if u.Output != nil {
					out = *u.Output
				}
			}
			if in != c.in || out != c.out {
				t.Errorf("%s in steps of %d: %d and %d, want %d and %d", c.name, step, in, out, c.in, c.out)
			}
		}
	}
	for _, typ := range []string{"audio/mpeg", "", "text/plain", "application/x-jsonl"} {
		if NewTap(typ) != nil || NewTap(typ).Usage() != nil {
			t.Errorf("%q is tapped", typ)
		}
	}
}

func FuzzTap(f *testing.F) {
	f.Add([]byte("data: {\"usage\":{\"input_tokens\":1}}\n"), uint8(3), true)
	f.Add([]byte(`{"usage":{"input_tokens":1e99}}`), uint8(1), false)
	f.Fuzz(func(t *testing.T, body []byte, step uint8, stream bool) {
		typ := "application/json"
		if stream {
			typ = "text/event-stream"
		}
		whole, cut := NewTap(typ), NewTap(typ)
		whole.See(body)
		for b := body; len(b) > 0; {
			n := min(int(step%16)+1, len(b))
			cut.See(b[:n])
			b = b[n:]
		}
		if diff := cmp.Diff(whole.Usage(), cut.Usage()); diff != "" {
			t.Error("the usage depends on how the bytes are cut: " + diff)
		}
	})
}

func TestHeaders(t *testing.T) {
	got := RequestHeader(http.Header{
		"Authorization": {"Bearer x"}, "X-Api-Key": {"x"}, "Cookie": {"x"}, "X-Forwarded-For": {"x"}, "Proxy-Authorization": {"x"},
		"Openai-Organization": {"x"}, "Transfer-Encoding": {"x"}, "Te": {"x"}, "Accept-Encoding": {"gzip"}, "User-Agent": {"x"},
		"Content-Type": {"a/b"}, "Range": {"bytes=0-1"}, "Idempotency-Key": {"k"}, "Accept": {"c/d"}, "Connection": {"close, Idempotency-Key"},
	})
	if diff := cmp.Diff(http.Header{"Content-Type": {"a/b"}, "Range": {"bytes=0-1"}, "Accept": {"c/d"}}, got); diff != "" {
		t.Error(diff)
	}
	got = AnswerHeader(http.Header{
		"Set-Cookie": {"x"}, "Connection": {"close"}, "Transfer-Encoding": {"chunked"}, "Server": {"x"}, "X-Request-Id": {"x"}, "Alt-Svc": {"x"},
		"Content-Type": {"a/b"}, "Content-Range": {"bytes 0-1/2"}, "X-Ratelimit-Limit-Tokens": {"5"},
	})
	if diff := cmp.Diff(http.Header{"Content-Type": {"a/b"}, "Content-Range": {"bytes 0-1/2"}, "X-Ratelimit-Limit-Tokens": {"5"}}, got); diff != "" {
		t.Error(diff)
	}
	if q := Query(url.Values{"key": {"x"}, "Access_Token": {"x"}, "aratta_provider": {"x"}, "limit": {"2"}, "after": {"a&b"}}); q != "after=a%26b&limit=2" {
		t.Errorf("query %q", q)
	}
}
