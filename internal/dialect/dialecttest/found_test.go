package dialecttest_test

import (
	"net/http"
	"testing"

	"github.com/aratta-gateway/aratta/internal/dialect/all"
	"github.com/aratta-gateway/aratta/internal/dialect/dialecttest"
)

// TestLawsOfOddThings asks the laws of what providers and clients may say though no
// API tells of it.
func TestLawsOfOddThings(t *testing.T) {
	for _, c := range []struct{ name, dialect, request, answer, stream string }{
		{name: "turns without words", dialect: "openai", request: `{"model":"m","messages":[
			{"role":"user","content":""},{"role":"assistant","content":""},{"role":"user","content":"x"}]}`},
		{name: "more tokens from a cache than there were", dialect: "cohere", answer: `{"id":"1","finish_reason":"COMPLETE",
			"message":{"role":"assistant","content":[{"type":"text","text":"Hi"}]},
			"usage":{"billed_units":{"input_tokens":45,"output_tokens":29},"cached_tokens":64}}`},
		{name: "more thoughts than there were tokens", dialect: "cohere", answer: `{"id":"1","finish_reason":"COMPLETE",
			"message":{"role":"assistant","content":[{"type":"text","text":"Hi"}]},
			"usage":{"tokens":{"input_tokens":45,"output_tokens":29,"reasoning_tokens":30}}}`},
		{name: "an unknown role that says nothing", dialect: "openai", answer: `{"id":"1","object":"chat.completion","created":1700000000,"model":"m",
			"choices":[{"index":0,"message":{"role":"assistaNt","content":""},"finish_reason":"content_filter"}]}`},
		{name: "members before a text that never comes", dialect: "completions", stream: `data: {"id":"1","object":"text_completion","created":1700000000,"model":"m","choices":[{"index":0,"delta":{"content":"Hi"},"finish_reason":null}]}

data: {"id":"1","object":"text_completion","created":1700000000,"model":"m","choices":[{"index":0,"text":"","finish_reason":"stop"}]}

data: [DONE]

`},
		{name: "members before a text", dialect: "completions", stream: `data: {"id":"1","object":"text_completion","created":1700000000,"model":"m","choices":[{"index":0,"text":"","x":1,"finish_reason":null}]}

data: {"id":"1","object":"text_completion","created":1700000000,"model":"m","choices":[{"index":0,"text":"Hi","finish_reason":null}]}

data: {"id":"1","object":"text_completion","created":1700000000,"model":"m","choices":[{"index":0,"text":"","finish_reason":"stop"}]}

data: [DONE]

`},
	} {
		t.Run(c.name, func(t *testing.T) {
			x := &dialecttest.Exchange{ID: c.name, Dialect: c.dialect, Status: http.StatusOK, Header: http.Header{}, RespHeader: http.Header{}}
			switch {
			case c.request != "":
				x.Request = []byte(c.request)
			case c.answer != "":
				x.Body = []byte(c.answer)
			default:
				x.Stream = []byte(c.stream)
			}
			if !dialecttest.Readable(all.Get(c.dialect), x) {
				t.Fatal("it cannot be read")
			}
			ask(t, x)
		})
	}
}
