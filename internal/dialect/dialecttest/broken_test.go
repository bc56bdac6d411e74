package dialecttest_test

import (
	"net/http"
	"testing"

	"github.com/aratta-gateway/aratta/internal/dialect/all"
	"github.com/aratta-gateway/aratta/internal/dialect/dialecttest"
)

// TestLawsOfBroken replaces each value of each example with a word that nobody
// knows, or with something of another kind: what can be read all the same comes
// back as it stood, and others are told of it.
func TestLawsOfBroken(t *testing.T) {
	for _, c := range dialecttest.Cases(t) {
		if c.Kind != "request" && c.Kind != "response" || c.Kind == "response" && c.Dialect == "native" {
			continue // native says things twice in an answer, which then contradicts itself
		}
		d := all.Get(c.Dialect)
		t.Run(c.Dialect+"/"+c.Kind+"/"+c.Name, func(t *testing.T) {
			t.Parallel()
			for what, body := range dialecttest.Broken(c.Data) {
				if most(c.Name+what, 64) {
					continue
				}
				x, err := c.With(body).Exchange()
				if err != nil {
					t.Fatal(err)
				}
				if dialecttest.Readable(d, x) {
					t.Run(what, func(t *testing.T) { ask(t, x) })
				}
			}
		})
	}
}

// TestLawsOfWordsNobodyKnows names what was lost once: the words and shapes of no API,
// which clients of the same one get as they stand, and all others with a warning.
func TestLawsOfWordsNobodyKnows(t *testing.T) {
	const (
		asks  = `{"role":"user","content":"Weather?"}`
		calls = `{"role":"assistant","tool_calls":[{"id":"call_1","type":"function","function":{"name":"weather","arguments":"{}"}},{"id":"call_2","type":"function","function":{"name":"time","arguments":"{}"}}]}`
	)
	for _, c := range []struct{ name, dialect, request, answer string }{
		{name: "results of calls that nobody made", dialect: "openai", request: `{"model":"m","messages":[` + asks + `,` + calls + `,
			{"role":"tool","tool_call_id":"cal_1","content":"broken"},{"role":"tool","tool_call_id":"cal_2","content":""}]}`},
		{name: "a result without content of a call that nobody made", dialect: "openai", request: `{"model":"m","messages":[` + asks + `,` + calls + `,
			{"role":"tool","tool_call_id":"call_1","content":"broken"},{"role":"tool","tool_call_id":"cal_2","content":null}]}`},
		{name: "results of somebody unknown", dialect: "gemini", request: `{"contents":[{"role":"user","parts":[{"text":"Weather?"}]},
			{"role":"model","parts":[{"functionCall":{"name":"weather","args":{}}}]},{"role":"usr","parts":[{"functionResponse":{"name":"weather","response":{"output":"18"}}}]}]}`},
		{name: "results that the model gives itself", dialect: "gemini", request: `{"contents":[{"role":"user","parts":[{"text":"Weather?"}]},
			{"role":"model","parts":[{"functionCall":{"name":"weather","args":{}}},{"functionResponse":{"name":"weather","response":{"output":"18"}}}]}]}`},
		{name: "another API's word for a role", dialect: "gemini", request: `{"contents":[{"role":"assistant","parts":[{"text":"Hi"}]},{"role":"tool","parts":[{"text":"Hi"}]},{"role":"developer","parts":[{"text":"Hi"}]}]}`},
		{name: "a null among the blocks, anthropic", dialect: "anthropic", request: `{"model":"m","max_tokens":1,"messages":[{"role":"user","content":[null,{"type":"text","text":"Hi"}]}]}`},
		{name: "a null among the parts, openai", dialect: "openai", request: `{"model":"m","messages":[{"role":"user","content":[null,{"type":"text","text":"Hi"}]}]}`},
		{name: "a schema that is none, anthropic", dialect: "anthropic", request: `{"model":"m","max_tokens":1,"messages":[` + asks + `],"tools":[{"name":"f","input_schema":-1}]}`},
		{name: "a schema that is none, cohere", dialect: "cohere", request: `{"model":"m","messages":[` + asks + `],"tools":[{"type":"function","function":{"name":"f","parameters":[]}}]}`},
		{name: "a schema that is none, ollama", dialect: "ollama", request: `{"model":"m","messages":[` + asks + `],"tools":[{"type":"function","function":{"name":"f","parameters":7}}]}`},
		{name: "a shape that is none", dialect: "cohere", request: `{"model":"m","messages":[` + asks + `],"response_format":{"type":"json_object","json_schema":-1}}`},
		{name: "calls by a tool", dialect: "openai", request: `{"model":"m","messages":[` + asks + `,{"role":"function","name":"f","content":"I ask.","tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{}"}}]}]}`},
		{name: "a refusal by a tool", dialect: "openai", request: `{"model":"m","messages":[` + asks + `,{"role":"tool","content":null,"refusal":"No."},` + asks + `]}`},
		{name: "what only tools of an older API say", dialect: "cohere", request: `{"model":"m","messages":[{"role":"function","content":"Weather?"}]}`},
		{name: "a refusal by somebody unknown", dialect: "responses", request: `{"model":"m","input":[{"role":"user","content":"Hi"},{"type":"message","role":"assiStant","content":[{"type":"refusal","refusal":"No."}]}]}`},
		{name: "thoughts of no type", dialect: "responses", request: `{"model":"m","input":[{"role":"user","content":"Hi"},{"type":"reasoning","id":"r","summary":[{"text":"Hm."}]}]}`},
		{name: "all alternatives, as vLLM has it", dialect: "openai", request: `{"model":"m","messages":[` + asks + `],"logprobs":true,"top_logprobs":-1}`},
		{name: "all alternatives, responses", dialect: "responses", request: `{"model":"m","input":"Hi","top_logprobs":-1,"include":["message.output_text.logprobs"]}`},
		{name: "more alternatives than anybody tells", dialect: "completions", request: `{"model":"m","prompt":"Hi","logprobs":40}`},
		{name: "a choice of no tools", dialect: "bedrock", request: `{"messages":[{"role":"user","content":[{"text":"Hi"}]}],"toolConfig":{"toolChoice":{"auto":{}}}}`},
		{name: "a result of nothing", dialect: "bedrock", request: `{"messages":[{"role":"user","content":[{"text":"Hi"}]},{"role":"assistant","content":[{"toolUse":{"toolUseId":"t","name":"f","input":{}}}]},{"role":"user","content":[{"toolResult":{"toolUseId":"t"}}]}]}`},
		{name: "an image that is none", dialect: "cohere", request: `{"model":"m","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:qmage/png;base64,iVBORw0KGgo="}}]}]}`},
		{name: "an item of a type that is no word", dialect: "responses", request: `{"model":"m","input":[{"type":true,"role":"user","content":"Hi"}]}`},
		{name: "a document without a name", dialect: "bedrock", request: `{"messages":[{"role":"user","content":[{"document":{"format":"txt","source":{"text":"Red."}}}]}]}`},
		{name: "a result within a result", dialect: "bedrock", request: `{"messages":[{"role":"user","content":[{"text":"Hi"}]},{"role":"assistant","content":[{"toolUse":{"toolUseId":"t","name":"f","input":{}}}]},
			{"role":"user","content":[{"toolResult":{"toolUseId":"t","content":[{"toolResult":{"toolUseId":"t","content":[{"text":"-3"}]}},{"text":"4"}]}}]}]}`},
		{name: "a place that is not in S3", dialect: "bedrock", request: `{"messages":[{"role":"user","content":[{"text":"What?"},{"image":{"format":"png","source":{"s3Location":{"uri":"q3://bucket/a.png"}}}}]}]}`},
		{name: "an image in an address that is spelled otherwise", dialect: "cohere", request: `{"model":"m","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"Data:image/png;base64,iVBORw0KGgo="}}]}]}`},
		{name: "texts that are joined", dialect: "cohere", request: `{"model":"m","messages":[` + asks + `,{"role":"assistant","content":[{"type":"text","text":"Because of"},{"type":"text","text":"scattering."}]}]}`},

		{name: "somebody else's answer, anthropic", dialect: "anthropic", answer: `{"id":"1","type":"message","role":"user","model":"m","content":[{"type":"text","text":"Hi"}],"stop_reason":"end_turn"}`},
		{name: "somebody else's answer, cohere", dialect: "cohere", answer: `{"id":"1","message":{"role":"user","content":[]},"finish_reason":"COMPLETE"}`},
		{name: "somebody else's answer, gemini", dialect: "gemini", answer: `{"candidates":[{"content":{"role":"system","parts":[{"text":"Hi"}]},"finishReason":"STOP","index":0}]}`},
		{name: "somebody else's answer, ollama", dialect: "ollama", answer: `{"model":"m","message":{"role":"system","content":"Hi"},"done":true,"done_reason":"stop"}`},
		{name: "a tool's answer, gemini", dialect: "gemini", answer: `{"candidates":[{"content":{"role":"tool","parts":[{"text":"Hi"},{"functionCall":{"name":"f","args":{}}}]},"finishReason":"STOP","index":0}]}`},
		{name: "a tool's answer, openai", dialect: "openai", answer: `{"id":"1","object":"chat.completion","created":1700000000,"model":"m","choices":[{"index":0,"message":{"role":"tool","content":"Hi"},"finish_reason":"stop"}]}`},
		{name: "an older tool's answer, openai", dialect: "openai", answer: `{"id":"1","object":"chat.completion","created":1700000000,"model":"m","choices":[{"index":0,"message":{"role":"function","content":"Hi"},"finish_reason":"stop"}]}`},
		{name: "nobody's answer, cohere", dialect: "cohere", answer: `{"id":"1","message":{"role":"","content":[]},"finish_reason":"COMPLETE"}`},
		{name: "nobody's answer, gemini", dialect: "gemini", answer: `{"candidates":[{"content":{"role":"","parts":[{"text":"Hi"}]},"finishReason":"STOP","index":0}]}`},
		{name: "nobody's answer, ollama", dialect: "ollama", answer: `{"model":"m","message":{"role":"","content":"Hi"},"done":true,"done_reason":"stop"}`},
		{name: "a role that is no word, cohere", dialect: "cohere", answer: `{"id":"1","message":{"role":50,"content":[]},"finish_reason":"COMPLETE"}`},
		{name: "a role that is no word, gemini", dialect: "gemini", answer: `{"candidates":[{"content":{"role":["x"],"parts":[{"text":"Hi"}]},"finishReason":"STOP","index":0}]}`},
		{name: "a plan and no content", dialect: "cohere", answer: `{"id":"1","message":{"role":"assistant","tool_plan":"I will look."},"finish_reason":"COMPLETE"}`},
		{name: "a content that is none", dialect: "gemini", answer: `{"candidates":[{"content":"x","finishReason":"STOP","index":0}]}`},
		{name: "parts that are none", dialect: "gemini", answer: `{"candidates":[{"content":{"role":"model","parts":1},"finishReason":"STOP","index":0}]}`},
		{name: "an end that is no word", dialect: "gemini", answer: `{"candidates":[{"content":{"role":"model","parts":[{"text":"Hi"}]},"finishReason":-1,"finishMessage":true,"index":"user"}]}`},
		{name: "a refusal that is no word", dialect: "gemini", answer: `{"promptFeedback":{"blockReason":1.5,"blockReasonMessage":["x"]},"candidates":[{"finishReason":"STOP","index":0}]}`},
		{name: "a refusal for no word of a reason", dialect: "gemini", answer: `{"promptFeedback":{"blockReason":"SAFETY","blockReasonMessage":["x"]}}`},
		{name: "alternatives that are none", dialect: "gemini", answer: `{"candidates":[{"content":{"role":"model","parts":[{"text":"Hi"}]},"finishReason":"STOP","index":0,
			"logprobsResult":{"chosenCandidates":[{"token":"Hi","logProbability":-0.1}],"topCandidates":5}}]}`},
		{name: "bytes of no type", dialect: "gemini", answer: `{"candidates":[{"content":{"role":"model","parts":[{"inlineData":{"data":"iVBORw0KGgo="}}]},"finishReason":"STOP","index":0}]}`},
		{name: "bytes that are none", dialect: "gemini", answer: `{"candidates":[{"content":{"role":"model","parts":[{"inlineData":{"mimeType":"image/pg","data":"iVBOqRw0KGgo="}}]},"finishReason":"STOP","index":0}]}`},
		{name: "a text that is none", dialect: "completions", answer: `{"id":"1","object":"text_completion","created":1700000000,"model":"m","choices":[{"text":7,"index":0,"logprobs":null,"finish_reason":"stop"}]}`},
		{name: "no word of probabilities", dialect: "completions", answer: `{"id":"1","object":"text_completion","created":1700000000,"model":"m","choices":[{"text":"Hi","index":0,"finish_reason":"stop"}]}`},
		{name: "probabilities without offsets", dialect: "completions", answer: `{"id":"1","object":"text_completion","created":1700000000,"model":"m","choices":[{"text":"Hi","index":0,
			"logprobs":{"tokens":["Hi"],"token_logprobs":[-0.1],"top_logprobs":null},"finish_reason":"stop"}]}`},
		{name: "counts that are none", dialect: "responses", answer: `{"id":"1","object":"response","created_at":1700000000,"model":"m","status":"completed","output":[],"usage":1.5}`},
		{name: "an item of the answer of a type that is no word", dialect: "responses", answer: `{"id":"1","object":"response","created_at":1700000000,"model":"m","status":"completed",
			"output":[{"id":"m","type":["x"],"role":"assistant","content":[{"type":"output_text","text":"Hi"}]}]}`},
		{name: "hidden thoughts without a summary", dialect: "responses", answer: `{"id":"1","object":"response","created_at":1700000000,"model":"m","status":"completed",
			"output":[{"id":"r","type":"reasoning","summary":[{"type":"summary_text","text":"Hm."}]},{"id":"s","type":"reasoning","encrypted_content":"gBBB="},{"id":"t","type":"reasoning","summary":[]}]}`},
		{name: "citations of no text", dialect: "bedrock", answer: `{"output":{"message":{"role":"assistant","content":[{"citationsContent":{"content":[{}],"citations":[{"title":"facts"}]}}]}},"stopReason":"end_turn"}`},
		{name: "citations between texts", dialect: "bedrock", answer: `{"output":{"message":{"role":"assistant","content":[{"text":"4.0.6"},{"citationsContent":{"citations":[{"location":{"web":{"url":"https://example.org"}}}]}},{"text":"."}]}},"stopReason":"end_turn"}`},
		{name: "thoughts behind what was said", dialect: "bedrock", answer: `{"output":{"message":{"role":"assistant","content":[{"text":"4"},{"reasoningContent":{"reasoningText":{"text":"More."}}},
			{"reasoningContent":{"redactedContent":"aGlkZGVu"}},{"reasoningContent":{"reasoningText":{"text":"Let me see."}}}]}},"stopReason":"end_turn"}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			x := &dialecttest.Exchange{ID: c.name, Dialect: c.dialect, Status: http.StatusOK, Header: http.Header{}, RespHeader: http.Header{}}
			if c.request != "" {
				x.Request = []byte(c.request)
			} else {
				x.Body = []byte(c.answer)
			}
			if !dialecttest.Readable(all.Get(c.dialect), x) {
				t.Fatal("it cannot be read")
			}
			ask(t, x)
		})
	}
}
