package dialecttest_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/aratta-gateway/aratta/internal/dialect/all"
	"github.com/aratta-gateway/aratta/internal/dialect/dialecttest"
	"github.com/aratta-gateway/aratta/scri"
)

// streamed is an exchange whose answer is the given events of a dialect: the data of
// each, for Bedrock behind its name.
func streamed(dialect string, events ...string) *dialecttest.Exchange {
	x := &dialecttest.Exchange{ID: "made up", Dialect: dialect, Status: http.StatusOK, Header: http.Header{}, RespHeader: http.Header{}}
	if dialect == "bedrock" {
		x.Stream = dialecttest.Frames([]byte("event " + strings.Join(events, "\nevent ") + "\n"))
		x.RespHeader.Set("Content-Type", "application/vnd.amazon.eventstream")
		return x
	}
	x.Stream = []byte("data: " + strings.Join(events, "\n\ndata: ") + "\n\n")
	return x
}

const (
	bedrockStop = `messageStop {"stopReason":"end_turn"}`
	bedrockDone = `metadata {"usage":{"inputTokens":1,"outputTokens":1,"totalTokens":2}}`
	nativeStop  = `{"kind":"finish","finish":{"reason":"stop"}}`
)

// TestLawsOfLateWords asks the laws of what belongs to a text or a thought, and comes
// where a format tells it of another one: before it, behind it, or without it.
func TestLawsOfLateWords(t *testing.T) {
	const source = `{"delta":{"citation":{"location":{"web":{"url":"https://example.org/r"}}}},"contentBlockIndex":`
	for name, x := range map[string]*dialecttest.Exchange{
		"sources in a block of their own": streamed("bedrock",
			`contentBlockDelta {"contentBlockIndex":0,"delta":{"text":"By Matz."}}`, `contentBlockStop {"contentBlockIndex":0}`,
			`contentBlockDelta `+source+`1}`, `contentBlockStop {"contentBlockIndex":1}`, bedrockStop, bedrockDone),
		"sources before the text": streamed("bedrock",
			`contentBlockDelta `+source+`0}`, `contentBlockStop {"contentBlockIndex":0}`,
			`contentBlockDelta {"contentBlockIndex":1,"delta":{"text":"By Matz."}}`, `contentBlockStop {"contentBlockIndex":1}`, bedrockStop, bedrockDone),
		"sources behind a text and a thought": streamed("bedrock",
			`contentBlockDelta {"contentBlockIndex":0,"delta":{"text":"By Matz."}}`, `contentBlockStop {"contentBlockIndex":0}`,
			`contentBlockDelta {"contentBlockIndex":1,"delta":{"reasoningContent":{"text":"Hm"}}}`, `contentBlockStop {"contentBlockIndex":1}`,
			`contentBlockDelta `+source+`2}`, `contentBlockDelta {"contentBlockIndex":2,"delta":{"text":"Or so."}}`, `contentBlockStop {"contentBlockIndex":2}`, bedrockStop, bedrockDone),
		"thoughts around a text of nothing": streamed("bedrock",
			`contentBlockDelta {"contentBlockIndex":0,"delta":{"reasoningContent":{"text":"Let me"}}}`, `contentBlockStop {"contentBlockIndex":0}`,
			`contentBlockDelta {"contentBlockIndex":1,"delta":{"text":""}}`, `contentBlockStop {"contentBlockIndex":1}`,
			`contentBlockDelta {"contentBlockIndex":2,"delta":{"reasoningContent":{"text":" see."}}}`, `contentBlockStop {"contentBlockIndex":2}`,
			`contentBlockDelta {"contentBlockIndex":3,"delta":{"text":"4"}}`, `contentBlockStop {"contentBlockIndex":3}`, bedrockStop, bedrockDone),
		"sources of a text that is over": streamed("native", `{"kind":"delta","delta":"Hello"}`, `{"kind":"part_end"}`,
			`{"kind":"delta","part":1,"delta":"you"}`, `{"kind":"delta","citation":{"url":"https://example.org"}}`, nativeStop),
		"sources of a text behind which another begins": streamed("native", `{"kind":"delta","delta":"Hello"}`,
			`{"kind":"delta","part":1,"delta":"you"}`, `{"kind":"delta","citation":{"url":"https://example.org"}}`, nativeStop),
		"the signature of a thought that is over": streamed("native", `{"kind":"part","whole":{"kind":"thinking"}}`, `{"kind":"delta","delta":"Hm"}`, `{"kind":"part_end"}`,
			`{"kind":"delta","part":1,"delta":"Hello"}`, `{"kind":"delta","signature":{"value":"EqQB","dialect":"anthropic"}}`, nativeStop),
		"the signature of a thought behind which a text begins": streamed("native", `{"kind":"part","whole":{"kind":"thinking"}}`, `{"kind":"delta","delta":"Hm"}`,
			`{"kind":"delta","part":1,"delta":"Hello"}`, `{"kind":"delta","signature":{"value":"EqQB","dialect":"anthropic"}}`, nativeStop),
		"what tokens of a thought are worth": streamed("native", `{"kind":"part","whole":{"kind":"thinking"}}`,
			`{"kind":"delta","delta":"Hm","logprobs":[{"token":"Hm","logprob":-0.5}]}`, `{"kind":"part_end"}`, `{"kind":"delta","part":1,"delta":"Hello"}`, nativeStop),
		"a call of no status": streamed("responses",
			`{"type":"response.created","response":{"id":"r","status":"in_progress","model":"m","output":[]}}`,
			`{"type":"response.output_item.added","output_index":0,"item":{"id":"fc_1","type":"function_call","call_id":"c","name":"f","arguments":""}}`,
			`{"type":"response.function_call_arguments.delta","item_id":"fc_1","output_index":0,"delta":"{}"}`,
			`{"type":"response.output_item.done","output_index":0,"item":{"id":"fc_1","type":"function_call","call_id":"c","name":"f","arguments":"{}"}}`,
			`{"type":"response.completed","response":{"id":"r","status":"completed","model":"m","output":[]}}`),
		"blocks without a number": streamed("bedrock", `contentBlockDelta {"contentBlockIndex":"0","p":1,"delta":{"text":"Hi"}}`,
			`contentBlockStop {"contentBlockIndex":null,"p":{"a":1}}`, bedrockStop, bedrockDone),
	} {
		t.Run(name, func(t *testing.T) {
			if !dialecttest.Readable(all.Get(x.Dialect), x) {
				t.Fatal("it cannot be read")
			}
			ask(t, x)
		})
	}
}

// Events of a Responses stream are about the item that they name, whatever number they
// tell of it.
func TestResponsesNameTheirItem(t *testing.T) {
	x := streamed("responses",
		`{"type":"response.created","response":{"id":"r","status":"in_progress","model":"m","output":[]}}`,
		`{"type":"response.output_item.added","output_index":0,"item":{"id":"rs_1","type":"reasoning","summary":[]}}`,
		`{"type":"response.reasoning_summary_part.added","item_id":"rs_1","output_index":0,"summary_index":0,"part":{"type":"summary_text","text":""}}`,
		`{"type":"response.reasoning_summary_text.delta","item_id":"rs_1","output_index":1,"summary_index":0,"delta":"Hm."}`,
		`{"type":"response.output_item.done","output_index":0,"item":{"id":"rs_1","type":"reasoning","summary":[{"type":"summary_text","text":"Hm."}],"encrypted_content":"gAAA="}}`,
		`{"type":"response.completed","response":{"id":"r","status":"completed","model":"m","output":[]}}`)
	r, err := dialecttest.ReadStream(all.Get("responses"), x.RespHeader, x.Stream)
	if err != nil {
		t.Fatal(err)
	}
	parts := r.Choices[0].Output[0].Parts
	if len(parts) != 1 || parts[0].Kind != scri.PartThinking || parts[0].Text.String() != "Hm." || parts[0].Signature == nil {
		t.Errorf("%+v", parts)
	}
	ask(t, x)
}
