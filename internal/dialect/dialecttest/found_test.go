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
		{name: "nothing but turns without words", dialect: "openai", request: `{"model":"m","messages":[
			{"role":"user","content":""},{"role":"assistant","content":""}]}`},
		{name: "a call of nothing, anthropic", dialect: "anthropic", answer: `{"content":[{"type":"tool_use","id":"0","input":{}}]}`},
		{name: "a call of an empty name, anthropic", dialect: "anthropic", answer: `{"content":[{"type":"tool_use","id":"0","name":"","input":{}}]}`},
		{name: "a call of nothing, openai", dialect: "openai", answer: `{"choices":[{"message":{"role":"assistant","tool_calls":[{"id":"0","type":"function","function":{"arguments":"{}"}}]},"finish_reason":"tool_calls"}]}`},
		{name: "a call of an empty name, openai", dialect: "openai", answer: `{"choices":[{"message":{"role":"assistant","tool_calls":[{"id":"0","type":"function","function":{"name":"","arguments":"{}"}}]},"finish_reason":"tool_calls"}]}`},
		{name: "a call of nothing, ollama", dialect: "ollama", answer: `{"model":"m","message":{"role":"assistant","content":"","tool_calls":[{"function":{"arguments":{}}}]},"done":true,"done_reason":"stop"}`},
		{name: "a call of an empty name, ollama", dialect: "ollama", answer: `{"model":"m","message":{"role":"assistant","content":"","tool_calls":[{"function":{"name":"","arguments":{}}}]},"done":true,"done_reason":"stop"}`},
		{name: "a call of an empty name, bedrock", dialect: "bedrock", answer: `{"output":{"message":{"role":"assistant","content":[{"toolUse":{"toolUseId":"0","name":"","input":{}}}]}},"stopReason":"tool_use"}`},
		{name: "a call of nothing, streamed by openai", dialect: "openai", stream: `data: {"id":"1","object":"chat.completion.chunk","created":1700000000,"model":"m","choices":[{"index":0,"delta":{"role":"assistant","tool_calls":[{"index":0,"id":"a","type":"function","function":{"arguments":"{}"}}]},"finish_reason":null}]}

data: {"id":"1","object":"chat.completion.chunk","created":1700000000,"model":"m","choices":[{"index":0,"delta":{"tool_calls":[{"index":1,"id":"b","type":"function","function":{"name":"f","arguments":"{}"}}]},"finish_reason":null}]}

data: {"id":"1","object":"chat.completion.chunk","created":1700000000,"model":"m","choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}

data: [DONE]

`},
		{name: "a call of nothing, streamed by anthropic", dialect: "anthropic", stream: `event: message_start
data: {"type":"message_start","message":{"id":"1","type":"message","role":"assistant","model":"m","content":[],"usage":{"input_tokens":1,"output_tokens":1}}}

event: content_block_start
data: {"type":"content_block_start","index":0,"content_block":{"type":"tool_use","id":"0","input":{}}}

event: content_block_delta
data: {"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":"{\"a\":1}"}}

event: content_block_stop
data: {"type":"content_block_stop","index":0}

event: message_delta
data: {"type":"message_delta","delta":{"stop_reason":"tool_use"},"usage":{"output_tokens":1}}

event: message_stop
data: {"type":"message_stop"}

`},
		{name: "more tokens from a cache than there were", dialect: "cohere", answer: `{"id":"1","finish_reason":"COMPLETE",
			"message":{"role":"assistant","content":[{"type":"text","text":"Hi"}]},
			"usage":{"billed_units":{"input_tokens":45,"output_tokens":29},"cached_tokens":64}}`},
		{name: "more thoughts than there were tokens", dialect: "cohere", answer: `{"id":"1","finish_reason":"COMPLETE",
			"message":{"role":"assistant","content":[{"type":"text","text":"Hi"}]},
			"usage":{"tokens":{"input_tokens":45,"output_tokens":29,"reasoning_tokens":30}}}`},
		{name: "a system that says nothing we know", dialect: "cohere", request: `{"model":"m","messages":[{"role":"system","note":"x"},{"role":"user","content":"Hi"}]}`},
		{name: "two calls of one id", dialect: "openai", request: `{"model":"m","messages":[{"role":"user","content":"a"},
			{"role":"assistant","content":null,"tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{}"}},{"id":"c","type":"function","function":{"name":"f","arguments":"{}"}}]},
			{"role":"tool","tool_call_id":"c","content":"r"},{"role":"tool","tool_call_id":"c","content":"r"}]}`},
		{name: "a source that ends before its text", dialect: "openai", answer: `{"id":"1","object":"chat.completion","created":1700000000,"model":"m","choices":[{"index":0,
			"message":{"role":"assistant","content":"Hi","annotations":[{"type":"url_citation","url_citation":{"start_index":0,"end_index":-1,"url":"https://example.org"}}]},"finish_reason":"stop"}]}`},
		{name: "heads of another kind", dialect: "gemini", answer: `{"candidates":[{"content":{"parts":[{"text":"Hi"}],"role":"model"},"finishReason":"STOP","index":0}],
			"modelVersion":5,"responseId":{"a":1},"createTime":"yesterday"}`},
		{name: "heads of another kind, streamed", dialect: "gemini", stream: `data: {"candidates":[{"content":{"parts":[{"text":"Hi"}],"role":"model"},"index":0}],"modelVersion":5,"responseId":{"a":1},"createTime":"yesterday"}

data: {"candidates":[{"finishReason":"STOP","index":0}],"createTime":"today"}

`},
		{name: "a status that nobody knows", dialect: "responses", answer: `{"id":"1","object":"response","created_at":1700000000,"model":"m","status":"expired",
			"output":[{"type":"message","role":"assistant","content":[{"type":"output_text","text":"Hi"}]}]}`},
		{name: "a status that nobody knows, with a reason", dialect: "responses", answer: `{"id":"1","object":"response","created_at":1700000000,"model":"m","status":"inComplete",
			"incomplete_details":{"reason":"max_output_tokens"},"output":[{"type":"message","role":"assistant","content":[{"type":"output_text","text":"Hi"}]}]}`},
		{name: "a status that nobody knows, streamed", dialect: "responses", stream: `data: {"type":"response.created","response":{"id":"1","object":"response","created_at":1700000000,"model":"m","status":"in_progress","output":[]}}

data: {"type":"response.output_item.added","output_index":0,"item":{"id":"msg_1","type":"message","status":"in_progress","role":"assistant","content":[]}}

data: {"type":"response.content_part.added","output_index":0,"content_index":0,"part":{"type":"output_text","text":""}}

data: {"type":"response.output_text.delta","output_index":0,"content_index":0,"delta":"Hi"}

data: {"type":"response.completed","response":{"id":"1","object":"response","created_at":1700000000,"model":"m","status":"expired","output":[{"id":"msg_1","type":"message","status":"completed","role":"assistant","content":[{"type":"output_text","text":"Hi"}]}]}}

`},
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
