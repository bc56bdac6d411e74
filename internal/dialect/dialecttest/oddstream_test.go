package dialecttest_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/aratta-gateway/aratta/internal/dialect/all"
	"github.com/aratta-gateway/aratta/internal/dialect/dialecttest"
)

// TestLawsOfOddStreams asks the laws of streams whose events contradict one another, or
// are of other shapes than they should be. Each line of a case is one event.
func TestLawsOfOddStreams(t *testing.T) {
	const (
		chunk  = `data: {"id":"1","object":"chat.completion.chunk","created":1700000000,"model":"m","choices":`
		text   = `data: {"id":"1","object":"text_completion","created":1700000000,"model":"m","choices":`
		done   = `data: [DONE]`
		claude = `data: {"type":"message_start","message":{"id":"1","type":"message","role":"assistant","model":"m","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":1,"output_tokens":1}}}`
		ended  = `data: {"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":5}}`
		stop   = `data: {"type":"message_stop"}`
	)
	for _, c := range []struct {
		name, dialect string
		events        []string
	}{
		{"an id, a time and a model that are none, behind ones that are", "openai", []string{
			chunk + `[{"index":0,"delta":{"role":"assistant","content":"Hi"},"finish_reason":null}]}`,
			`data: {"id":[],"object":7,"created":"now","model":{},"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}`, done,
		}},
		{"choices that are none", "openai", []string{
			chunk + `{"a":1}}`, chunk + `[{"index":0,"delta":{"content":"Hi"},"finish_reason":null}]}`,
			chunk + `[{"index":0,"delta":{},"finish_reason":"stop"}]}`, done,
		}},
		{"a delta of other shapes", "openai", []string{
			chunk + `[{"index":0,"delta":{"role":1,"content":2,"refusal":{},"tool_calls":3},"finish_reason":{}}]}`,
			chunk + `[{"index":0,"delta":{"content":"Hi"},"finish_reason":"stop"}]}`, done,
		}},
		{"arguments that are none", "openai", []string{
			chunk + `[{"index":0,"delta":{"role":"assistant","tool_calls":[{"index":0,"id":"a","type":0,"function":{"name":"f","arguments":-1}}]},"finish_reason":null}]}`,
			chunk + `[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}`, done,
		}},
		{"more of a call that never began", "openai", []string{
			chunk + `[{"index":0,"delta":{"role":"assistant","tool_calls":[{"index":3,"id":"a","type":"function","function":{"name":"f","arguments":""}}]},"finish_reason":null}]}`,
			chunk + `[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{}"}}]},"finish_reason":null}]}`,
			chunk + `[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}`, done,
		}},
		{"a text behind the finish", "openai", []string{
			chunk + `[{"index":0,"delta":{"role":"assistant","content":"Hel"},"finish_reason":"stop"}]}`,
			chunk + `[{"index":0,"delta":{"content":"lo"},"finish_reason":"length"}]}`, done,
		}},
		{"a tool that answers", "openai", []string{
			chunk + `[{"index":0,"delta":{"role":"tool","content":"Hi"},"finish_reason":"stop"}]}`, done,
		}},
		{"heads that are none", "completions", []string{
			text + `[{"index":0,"text":"Hi","finish_reason":null}]}`,
			`data: {"id":7,"object":{},"created":-1,"model":[],"choices":[{"index":"x","text":[],"finish_reason":{}}]}`,
			text + `[{"index":0,"text":"","finish_reason":"stop"}]}`, done,
		}},
		{"a text behind the finish", "completions", []string{
			text + `[{"index":0,"text":"Hel","finish_reason":"stop"}]}`, text + `[{"index":0,"text":"lo","finish_reason":null}]}`, done,
		}},
		{"log-probabilities that do not fit together, behind others", "completions", []string{
			text + `[{"index":0,"text":"A","logprobs":{"tokens":["A"],"token_logprobs":[-0.5]},"finish_reason":null}]}`,
			text + `[{"index":0,"text":"B","logprobs":{"tokens":["B"],"token_logprobs":[]},"finish_reason":"stop"}]}`, done,
		}},
		{"tokens of no text", "completions", []string{
			text + `[{"index":0,"text":"","logprobs":{"tokens":["A"],"token_logprobs":[-0.5]},"finish_reason":null}]}`,
			text + `[{"index":0,"text":"","finish_reason":"stop"}]}`, done,
		}},
		{"lines of other shapes", "ollama", []string{
			`{"model":"m","created_at":-1,"message":{"role":-1,"content":"Hi"},"done":false}`,
			`{"model":5,"created_at":-1,"message":{"role":-1,"content":"lo"},"done":{}}`,
			`{"model":"n","created_at":"2025-01-02T03:04:05Z","message":{"role":"assistant","content":""},"done":true,"done_reason":"stop"}`,
		}},
		{"a start behind the first word", "anthropic", []string{
			`data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}`, claude,
			`data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hi"}}`,
			`data: {"type":"content_block_stop","index":0}`, ended, stop,
		}},
		{"a start of other shapes", "anthropic", []string{
			strings.NewReplacer(`"role":"assistant"`, `"role":{}`, `"stop_reason":null`, `"stop_reason":[1]`, `"stop_sequence":null`, `"stop_sequence":7`).Replace(claude), ended, stop,
		}},
		{"a stop that is missing", "anthropic", []string{
			claude,
			`data: {"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}`,
			`data: {"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"Hm"}}`,
			`data: {"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"c2ln"}}`,
			`data: {"type":"content_block_start","index":1,"content_block":{"type":"x_new","x":1}}`,
			`data: {"type":"content_block_start","index":2,"content_block":{"type":"tool_use","id":"t","name":"f","input":{}}}`,
			`data: {"type":"content_block_start","index":3,"content_block":{"type":"text","text":"Hi"}}`, ended, stop,
		}},
		{"arguments of a block that has another number", "anthropic", []string{
			claude,
			`data: {"type":"content_block_start","index":1,"content_block":{"type":"tool_use","id":"t","name":"f","input":{}}}`,
			`data: {"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":"{\"a\":1}"}}`,
			`data: {"type":"content_block_stop","index":1}`, ended, stop,
		}},
		{"a number that is none", "cohere", []string{
			`data: {"type":"message-start","id":"1","delta":{"message":{"role":"assistant","content":[],"tool_plan":"","tool_calls":[],"citations":"x"}}}`,
			`data: {"type":"content-start","index":[],"delta":{"message":{"content":{"type":"text","text":""}}}}`,
			`data: {"type":"content-delta","index":0,"delta":{"message":{"content":{"text":"Hi"}}},"logprobs":{"text":"Hi"}}`,
			`data: {"type":"content-end","index":"x"}`,
			`data: {"type":"message-end","delta":{"finish_reason":"COMPLETE"}}`, done,
		}},
		{"an event before the start", "cohere", []string{
			`data: {"type":"debug","prompt":"x"}`,
			`data: {"type":"message-start","id":"1","delta":{"message":{"role":"assistant","content":[],"tool_plan":"","tool_calls":[],"citations":[]}}}`,
			`data: {"type":"content-start","index":0,"delta":{"message":{"content":{"type":"text","text":"Hi"}}}}`,
			`data: {"type":"content-end","index":0}`, `data: {"type":"message-end","delta":{"finish_reason":"COMPLETE"}}`, done,
		}},
		{"a content of a type that nobody knows", "responses", []string{
			`data: {"type":"response.completed","response":{"id":"1","object":"response","created_at":1700000000,"status":"completed","model":"m","output":[` +
				`{"id":"msg_1","type":"message","status":"completed","role":"assistant","content":[{"type":"output_text","text":"Hi","annotations":[]},{"type":"jutput_text","text":"a"}]},` +
				`{"id":"msg_2","type":"message","status":"completed","role":"assistant","content":[{"type":"jutput_text","text":"b"}]}]}}`,
		}},
		{"a model that changes, a role of nobody", "gemini", []string{
			`data: {"candidates":[{"content":{"parts":[{"text":"Hi"}],"role":"maodel"},"index":0}],"modelVersion":"m","responseId":"1"}`,
			`data: {"candidates":[{"finishReason":"STOP","index":0}],"modelVersion":"n","usageMetadata":{"x_count":1}}`,
		}},
	} {
		t.Run(c.dialect+"/"+c.name, func(t *testing.T) {
			end := "\n\n"
			if c.dialect == "ollama" {
				end = "\n"
			}
			x := &dialecttest.Exchange{ID: c.name, Dialect: c.dialect, Status: http.StatusOK, Header: http.Header{}, RespHeader: http.Header{}}
			x.Stream = []byte(strings.Join(c.events, end) + end)
			if !dialecttest.Readable(all.Get(c.dialect), x) {
				t.Fatal("it cannot be read")
			}
			ask(t, x)
		})
	}
}
